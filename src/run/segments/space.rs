//! Customers as points, so that those who buy alike are near each other.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::options::{SegmentFeature, SegmentOptions};
use crate::data::Habits;
use crate::error::{Error, Result};
use crate::files;
use crate::linalg::k_means::{Centres, Points};

/// Where customers are, and the centres of the segments: what it takes to put a new customer in a segment.
///
/// Habits are −ln(1 + days), ln(orders) and ln(1 + 100 · spend / median spend), each less its mean and over its standard
/// deviation. Taste is the direction of the row of expected purchases, in the coordinates of
/// [`in_products`](crate::run::views::Factors::in_products), less its mean, and scaled as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::run) struct CustomerSpace {
    features: Vec<SegmentFeature>,
    /// The moment that recency is seen from, in seconds since 1970.
    pub today: i64,
    median_spend: f64,
    /// Of each column, what is subtracted.
    means: Vec<f64>,
    /// Of each column, what it is then multiplied with.
    scales: Vec<f64>,
    /// Of each segment, the mean of its points; none before there are segments.
    centres: Vec<f32>,
}

/// Parts of the median spend that a logarithm tells from nothing.
const PARTS: f64 = 100.0;

/// A row of length 1, or of zeros.
pub(super) fn direction(row: &[f32]) -> Vec<f64> {
    let length = row.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
    row.iter().map(|&value| if length > 0.0 { f64::from(value) / length } else { 0.0 }).collect()
}

impl CustomerSpace {
    /// The space of these customers; `taste` is a row for each, of any width.
    pub fn of(
        options: &SegmentOptions,
        features: &[SegmentFeature],
        today: i64,
        customers: &[Habits],
        taste: Points,
    ) -> Self {
        let mut spend: Vec<f64> = customers.iter().map(|habits| habits.monetary).collect();
        spend.sort_by(f64::total_cmp);
        let median_spend = spend.get(spend.len() / 2).copied().unwrap_or_default().max(f64::MIN_POSITIVE);
        let features = features.to_vec();
        let mut space =
            Self { features, today, median_spend, means: Vec::new(), scales: Vec::new(), centres: Vec::new() };
        let rows: Vec<Vec<f64>> =
            customers.iter().enumerate().map(|(at, habits)| space.raw(habits, taste.row(at))).collect();
        let width = rows.first().map_or(0, Vec::len);
        let count = rows.len().max(1) as f64;
        let mean = |column: usize| rows.iter().map(|row| row[column]).sum::<f64>() / count;
        space.means = (0..width).map(mean).collect();
        let variance =
            |column: usize| rows.iter().map(|row| (row[column] - space.means[column]).powi(2)).sum::<f64>() / count;
        let variances: Vec<f64> = (0..width).map(variance).collect();
        let habits = space.habits();
        let of_taste: f64 = variances[habits.min(width)..].iter().sum();
        let scale = |variance: f64| if variance > 0.0 { 1.0 / variance.sqrt() } else { 0.0 };
        let taste_scale = scale(of_taste / (options.taste_weight * habits.max(1) as f64));
        let scales = variances.iter().enumerate();
        space.scales =
            scales.map(|(column, &variance)| if column < habits { scale(variance) } else { taste_scale }).collect();
        space
    }

    /// How many of the columns are habits.
    fn habits(&self) -> usize {
        self.features.iter().filter(|feature| **feature != SegmentFeature::Taste).count()
    }

    fn raw(&self, habits: &Habits, taste: &[f32]) -> Vec<f64> {
        let mut row = Vec::new();
        for feature in &self.features {
            match feature {
                SegmentFeature::Recency => row.push(-habits.recency.ln_1p()),
                SegmentFeature::Frequency => row.push(habits.frequency.max(1.0).ln()),
                SegmentFeature::Monetary => row.push((PARTS * habits.monetary / self.median_spend).ln_1p()),
                SegmentFeature::Taste => row.extend(direction(taste)),
            }
        }
        row
    }

    /// Numbers of a point.
    pub fn width(&self) -> usize {
        self.means.len()
    }

    /// The places of customers.
    ///
    /// # Errors
    /// [`Error::Usage`] for taste of another width: it is that of another model.
    pub fn points(&self, customers: &[Habits], taste: Points) -> Result<Vec<f32>> {
        let mut points = Vec::with_capacity(customers.len() * self.width());
        for (at, habits) in customers.iter().enumerate() {
            let row = self.raw(habits, taste.row(at));
            if row.len() != self.width() {
                return Err(Error::Usage("the segments are those of another model; train anew".into()));
            }
            let scaled =
                row.iter().zip(&self.means).zip(&self.scales).map(|((value, mean), scale)| (value - mean) * scale);
            points.extend(scaled.map(|value| value as f32));
        }
        Ok(points)
    }

    /// Sets the centres of the segments.
    pub fn set_centres(&mut self, centres: Centres) {
        self.centres = centres.values;
    }

    /// The centres of the segments.
    pub fn centres(&self) -> Centres {
        Centres { values: self.centres.clone(), width: self.width() }
    }

    /// Whether taste is among the features.
    pub fn has_taste(&self) -> bool {
        self.features.contains(&SegmentFeature::Taste)
    }

    /// Writes it as JSON.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).map_err(|error| Error::Failed(error.to_string()))?;
        files::write_bytes(path, (text + "\n").as_bytes())
    }

    /// Reads what [`write`](Self::write) wrote.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Data`] if it is something else.
    pub fn read(path: &Path) -> Result<Self> {
        let space: Self = serde_json::from_str(&files::read_text(path)?)
            .map_err(|error| Error::data(path, format!("is not what segments are known by: {error}")))?;
        let width = space.width();
        let is_whole = width > 0 && space.scales.len() == width && !space.centres.is_empty();
        match is_whole && space.centres.len().is_multiple_of(width) {
            true => Ok(space),
            false => Err(Error::data(path, "is not what segments are known by: its parts do not fit together")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(taste_weight: f64) -> SegmentOptions {
        SegmentOptions {
            by: vec![SegmentFeature::Recency, SegmentFeature::Taste],
            taste_weight,
            count: None,
            tried: 2..=3,
            pairs: 2,
            communities: None,
            least_orders: 1,
        }
    }

    #[test]
    fn habits_have_variance_one_and_taste_its_weight() {
        let customers: Vec<Habits> = (0..50)
            .map(|at| Habits { recency: f64::from(at), frequency: f64::from(1 + at % 7), monetary: f64::from(at * at) })
            .collect();
        let taste: Vec<f32> = (0..150).map(|at| (at * at % 17) as f32).collect();
        let taste = Points::new(&taste, 3);
        let features = [SegmentFeature::Recency, SegmentFeature::Monetary, SegmentFeature::Taste];
        let space = CustomerSpace::of(&options(1.5), &features, 0, &customers, taste);
        let points = space.points(&customers, taste).expect("of the same width");
        let variance = |column: usize| {
            let values: Vec<f64> = points.iter().skip(column).step_by(5).map(|&value| f64::from(value)).collect();
            let mean = values.iter().sum::<f64>() / 50.0;
            assert!(mean.abs() < 1e-6);
            values.iter().map(|value| value * value).sum::<f64>() / 50.0
        };
        let variances: Vec<f64> = (0..5).map(variance).collect();
        assert!((variances[0] - 1.0).abs() < 1e-5 && (variances[1] - 1.0).abs() < 1e-5, "{variances:?}");
        assert!((variances[2..].iter().sum::<f64>() - 3.0).abs() < 1e-5, "{variances:?}");
        // The length of a row of taste says nothing.
        let longer: Vec<f32> = (0..150).map(|at| 2.0 * (at * at % 17) as f32).collect();
        let again = space.points(&customers, Points::new(&longer, 3)).expect("of the same width");
        assert!(points.iter().zip(&again).all(|(one, other)| (one - other).abs() < 1e-5));
        let message =
            space.points(&customers, Points::new(&longer[..100], 2)).expect_err("of another width").to_string();
        assert!(message.contains("another model"), "{message}");
    }

    #[test]
    fn what_does_not_differ_tells_nobody_apart() {
        let same = Habits { recency: 3.0, frequency: 1.0, monetary: 0.0 };
        let taste = [0.0; 4];
        let taste = Points::new(&taste, 1);
        let features = [SegmentFeature::Frequency, SegmentFeature::Monetary, SegmentFeature::Taste];
        let space = CustomerSpace::of(&options(1.0), &features, 0, &[same; 4], taste);
        assert_eq!(space.points(&[same; 4], taste).expect("of the same width"), [0.0; 12]);
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        let customers = [1.0, 5.0, 9.3].map(|recency| Habits { recency, frequency: 2.0, monetary: recency });
        let taste = Points::new(&[1.0, 0.1, 0.2], 1);
        let mut space = CustomerSpace::of(&options(1.0), &[SegmentFeature::Recency], 7, &customers, taste);
        space.set_centres(Centres { values: vec![0.3, -0.1], width: 1 });
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("segments.json");
        space.write(&path).expect("written");
        assert_eq!(CustomerSpace::read(&path).expect("read"), space);
        std::fs::write(&path, "{}").expect("written");
        assert!(
            CustomerSpace::read(&path).expect_err("no space").to_string().contains("is not what segments are known by")
        );
    }
}
