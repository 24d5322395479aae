//! The normal prior of each unknown of a table's rows, whose mean and precision are drawn as well.

use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Gamma, StandardNormal};

/// Shape and rate of the prior Γ(½, ½) of precisions, of rows and of noise, and how many rows its guess of the mean, 0, counts
/// for (κ₀).
const SHAPE: f64 = 0.5;
const RATE: f64 = 0.5;
const ROWS_OF_MEAN: f64 = 1.0;

/// N(mean, 1/precision) of each unknown.
#[derive(Debug, Clone, Default)]
pub struct Prior {
    pub means: Vec<f64>,
    pub precisions: Vec<f64>,
}

impl Prior {
    /// A draw given the rows, of which there may be none: λ ~ Γ(½ + p/2, ½ + ½ Σ(x − x̄)² + ½ κ₀ p x̄² / (κ₀ + p)) and
    /// μ ~ N(p x̄ / (κ₀ + p), 1/((κ₀ + p) λ)), for each unknown by itself.
    pub fn draw<'a>(rows: impl Iterator<Item = &'a [f32]> + Clone, unknowns: usize, stream: &mut ChaCha8Rng) -> Self {
        let count = rows.clone().count() as f64;
        let mut prior = Self::default();
        for at in 0..unknowns {
            let values = rows.clone().map(|row| f64::from(row[at]));
            let mean = values.clone().sum::<f64>() / count.max(1.0);
            let spread: f64 = values.map(|value| (value - mean).powi(2)).sum();
            let all = ROWS_OF_MEAN + count;
            let rate = RATE + (spread + ROWS_OF_MEAN * count * mean * mean / all) / 2.0;
            let precision = gamma(SHAPE + count / 2.0, rate, stream);
            let noise: f64 = StandardNormal.sample(stream);
            prior.means.push(count * mean / all + noise / (all * precision).sqrt());
            prior.precisions.push(precision);
        }
        prior
    }
}

/// A draw of the precision of the noise given Σ (y − ŝ)² over `count` interactions.
pub fn noise_precision(squares: f64, count: usize, stream: &mut ChaCha8Rng) -> f64 {
    gamma(SHAPE + count as f64 / 2.0, RATE + squares / 2.0, stream)
}

/// A draw from Γ(shape, rate), both above 0.
fn gamma(shape: f64, rate: f64, stream: &mut ChaCha8Rng) -> f64 {
    // What a product of huge factors overflows to is no rate; the step that made it fails for that.
    match Gamma::new(shape, 1.0 / rate) {
        Ok(gamma) => gamma.sample(stream).max(f64::MIN_POSITIVE),
        Err(_) => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random;

    #[test]
    fn draws_surround_what_the_rows_say() {
        let mut stream = random::stream(1, "rows");
        let normal = |mean: f32, std: f32, stream: &mut ChaCha8Rng| -> f32 {
            let noise: f32 = StandardNormal.sample(stream);
            mean + std * noise
        };
        let rows: Vec<[f32; 2]> =
            (0..4000).map(|_| [normal(2.0, 0.5, &mut stream), normal(-1.0, 3.0, &mut stream)]).collect();
        let draws: Vec<Prior> =
            (0..200).map(|_| Prior::draw(rows.iter().map(|row| &row[..]), 2, &mut stream)).collect();
        for (at, (mean, std)) in [(2.0, 0.5_f64), (-1.0, 3.0)].into_iter().enumerate() {
            let of = |value: &dyn Fn(&Prior) -> f64| draws.iter().map(value).sum::<f64>() / 200.0;
            let error = std / 4000_f64.sqrt();
            assert!((of(&|draw| draw.means[at]) - mean).abs() < 4.0 * error);
            assert!((of(&|draw| draw.precisions[at]) * std * std - 1.0).abs() < 0.1);
            // The draws of the mean have the spread that so many rows leave it.
            let spread = of(&|draw| (draw.means[at] - mean).powi(2)).sqrt();
            assert!(spread > 0.5 * error && spread < 4.0 * error, "{spread} and {error}");
        }
        let of_none = Prior::draw([].into_iter(), 1, &mut stream);
        assert!(of_none.means[0].is_finite() && of_none.precisions[0] > 0.0);
    }

    #[test]
    fn the_noise_has_the_precision_of_the_residuals() {
        let mut stream = random::stream(2, "noise");
        let mean = (0..500).map(|_| noise_precision(40_000.0, 10_000, &mut stream)).sum::<f64>() / 500.0;
        assert!((mean - 0.25).abs() < 0.005, "{mean}");
    }
}
