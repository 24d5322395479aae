//! Predictions against the truth.

use kuva::plot::{BandPlot, LegendShape};
use kuva::render::plots::Plot;

use super::axis::Axis;
use super::chart::{COLORS, Chart, GUIDE_COLOR, chart, dots, entry, guide};
use super::points::{drawable, mean, spans_decades};

const MIDDLE_COLOR: &str = "#6fa8d6";
const TAILS_COLOR: &str = "#c3dbee";

/// Most true values, or bins of them, that [`prediction_vs_truth`] distinguishes.
const MAX_GROUPS: usize = 20;

/// The distribution of predictions around the true values.
///
/// For each true value: the mean prediction, the middle half of the predictions and their 10th to 90th percentile. If
/// there are more than 20 different true values, they are grouped into at most 20 bins, each with about as many
/// predictions and placed at the mean of its true values. A perfect model has all its dots on the dashed line. Both
/// axes are logarithmic if all these numbers are positive and span more than three decades.
///
/// # Panics
/// If `truth` and `prediction` differ in length.
pub fn prediction_vs_truth(truth: &[f32], prediction: &[f32]) -> Chart {
    assert_eq!(truth.len(), prediction.len(), "a prediction for each true value");
    let pairs: Vec<_> = truth.iter().zip(prediction).map(|(&t, &p)| (f64::from(t), f64::from(p))).collect();
    let mut groups = groups(drawable(&pairs));
    let logarithmic = spans_decades(groups.iter().flat_map(Group::extremes));
    if logarithmic {
        groups.iter_mut().for_each(|group| *group = group.map(f64::log10));
    }
    let extremes = groups.iter().flat_map(Group::extremes);
    let x = Axis::of("true value", extremes.clone(), logarithmic);
    let y = Axis::of("predicted value", extremes, logarithmic);
    let width = (0.3 * smallest_gap(&groups)).clamp(0.008 * (x.high - x.low), 0.025 * (x.high - x.low));

    let mut plots = Vec::new();
    for group in &groups {
        let bar = |(low, high): (f64, f64), color: &str, width: f64| -> Plot {
            let sides = [group.truth - width / 2.0, group.truth + width / 2.0];
            BandPlot::new(sides, [low; 2], [high; 2]).with_color(color).with_opacity(1.0).into()
        };
        plots.push(bar(group.tails, TAILS_COLOR, width / 2.0));
        plots.push(bar(group.middle, MIDDLE_COLOR, width));
    }
    plots.push(guide(&x));
    let means: Vec<_> = groups.iter().map(|group| (group.truth, group.mean)).collect();
    plots.push(dots(&means, COLORS[1], 3.5, 1.0));
    let legend = vec![
        entry("mean", COLORS[1], LegendShape::Circle, false),
        entry("middle half", MIDDLE_COLOR, LegendShape::Rect, false),
        entry("10th to 90th percentile", TAILS_COLOR, LegendShape::Rect, false),
        entry("prediction = truth", GUIDE_COLOR, LegendShape::Line, true),
    ];
    chart("Predictions by true value", (760.0, 500.0), x, y, plots, legend)
}

/// Predictions that share a true value.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Group {
    /// Mean of the true values.
    truth: f64,
    /// Mean prediction.
    mean: f64,
    /// Lower and upper quartile of the predictions.
    middle: (f64, f64),
    /// 10th and 90th percentile of the predictions.
    tails: (f64, f64),
}

impl Group {
    fn map(self, f: impl Fn(f64) -> f64) -> Self {
        let pair = |(low, high)| (f(low), f(high));
        Self { truth: f(self.truth), mean: f(self.mean), middle: pair(self.middle), tails: pair(self.tails) }
    }

    /// The numbers that need a place on the axes.
    fn extremes(&self) -> [f64; 4] {
        [self.truth, self.mean, self.tails.0, self.tails.1]
    }
}

/// Groups (truth, prediction) pairs by truth, see [`prediction_vs_truth`].
fn groups(mut pairs: Vec<(f64, f64)>) -> Vec<Group> {
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let distinct = pairs.chunk_by(|a, b| a.0 == b.0).count();
    let size = if distinct > MAX_GROUPS { pairs.len().div_ceil(MAX_GROUPS) } else { 1 };
    let mut groups = Vec::new();
    let mut rest = &pairs[..];
    while let Some(&(edge, _)) = rest.get(size.min(rest.len()).saturating_sub(1)) {
        // Equal truths stay together.
        let (group, tail) = rest.split_at(rest.partition_point(|pair| pair.0 <= edge));
        let mut predictions: Vec<f64> = group.iter().map(|pair| pair.1).collect();
        predictions.sort_by(f64::total_cmp);
        let at = |fraction: f64| predictions[(fraction * (predictions.len() - 1) as f64).round() as usize];
        groups.push(Group {
            truth: mean(group.iter().map(|pair| pair.0)),
            mean: mean(predictions.iter().copied()),
            middle: (at(0.25), at(0.75)),
            tails: (at(0.1), at(0.9)),
        });
        rest = tail;
    }
    groups
}

fn smallest_gap(groups: &[Group]) -> f64 {
    groups.windows(2).map(|pair| pair[1].truth - pair[0].truth).fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_truths_are_groups_of_their_own() {
        let pairs = vec![(2.0, 5.0), (1.0, 0.0), (1.0, 4.0), (1.0, 2.0), (1.0, 1.0), (1.0, 3.0)];
        let found = groups(pairs);
        assert_eq!(found[0], Group { truth: 1.0, mean: 2.0, middle: (1.0, 3.0), tails: (0.0, 4.0) });
        assert_eq!(found[1], Group { truth: 2.0, mean: 5.0, middle: (5.0, 5.0), tails: (5.0, 5.0) });
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn many_truths_share_bins_that_keep_equal_ones_together() {
        // Half of the truths are 0, the others all different.
        let pairs: Vec<_> = (0..1000).map(|i| (f64::from((i - 500).max(0)), 1.0)).collect();
        let found = groups(pairs);
        assert!(found.len() <= MAX_GROUPS && found.len() >= MAX_GROUPS / 2, "{}", found.len());
        assert_eq!(found.iter().filter(|group| group.truth == 0.0).count(), 1);
        assert!(found.is_sorted_by(|a, b| a.truth < b.truth));
    }
}
