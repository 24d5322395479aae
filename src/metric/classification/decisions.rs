//! What becomes of probabilities when somebody has to decide.

use serde::Serialize;

use super::calibration::groups;
use crate::metric::measure::{Placed, sort_by_prediction};

/// Calling everything positive whose prediction is at least a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Decision {
    /// The threshold.
    pub threshold: f64,
    /// Share of all that is called positive.
    pub share: f64,
    /// Share of these that is positive; `None` if there are none.
    pub precision: Option<f64>,
    /// Share of what is positive that is called so.
    pub recall: f64,
    /// 2 · precision · recall / (precision + recall).
    pub f1: f64,
}

/// One of ten groups by prediction, as `calibration-error` has them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CalibrationGroup {
    /// Interactions in it.
    pub count: usize,
    /// Mean prediction.
    pub predicted: f64,
    /// Mean target: the share that is positive, if targets are 0 and 1.
    pub observed: f64,
}

/// The thresholds of a table: tenths.
const TENTHS: usize = 10;

/// All pairs of a split, the highest prediction first.
fn placed(predictions: &[f32], targets: &[f32]) -> Vec<Placed> {
    let pairs = predictions.iter().zip(targets);
    let mut pairs: Vec<Placed> = pairs.map(|(&prediction, &target)| Placed { prediction, target }).collect();
    sort_by_prediction(&mut pairs);
    pairs
}

/// What each tenth does as a threshold, and the prediction with the largest F1, of several the highest; ascending. Targets of at
/// least `positive_from` are positive. Empty if none is.
pub fn decisions(predictions: &[f32], targets: &[f32], positive_from: f32) -> Vec<Decision> {
    let pairs = placed(predictions, targets);
    let positive = |pair: &Placed| pair.target >= positive_from;
    let all = pairs.iter().filter(|pair| positive(pair)).count();
    if all == 0 {
        return Vec::new();
    }
    let decision = |threshold: f64, called: usize, right: usize| Decision {
        threshold,
        share: called as f64 / pairs.len() as f64,
        precision: (called > 0).then(|| right as f64 / called as f64),
        recall: right as f64 / all as f64,
        f1: 2.0 * right as f64 / (called + all) as f64,
    };
    let tenth = |tenth: usize| {
        let threshold = tenth as f64 / TENTHS as f64;
        let called = pairs.partition_point(|pair| f64::from(pair.prediction) >= threshold);
        decision(threshold, called, pairs[..called].iter().filter(|pair| positive(pair)).count())
    };
    let mut found: Vec<Decision> = (1..TENTHS).map(tenth).collect();
    let mut best: Option<Decision> = None;
    let mut right = 0;
    for (at, pair) in pairs.iter().enumerate() {
        right += usize::from(positive(pair));
        // Equal predictions are called alike.
        if pairs.get(at + 1).is_none_or(|next| next.prediction < pair.prediction) {
            let own = decision(pair.prediction.into(), at + 1, right);
            if best.is_none_or(|best| own.f1 > best.f1) {
                best = Some(own);
            }
        }
    }
    found.extend(best);
    found.sort_by(|one, other| one.threshold.total_cmp(&other.threshold));
    found
}

/// What is predicted and what happens, in ten groups by prediction; the highest last.
pub fn calibration_curve(predictions: &[f32], targets: &[f32]) -> Vec<CalibrationGroup> {
    let pairs = placed(predictions, targets);
    let mean = |own: &[Placed], of: &dyn Fn(&Placed) -> f32| {
        own.iter().map(|pair| f64::from(of(pair))).sum::<f64>() / own.len() as f64
    };
    let group = |range: std::ops::Range<usize>| {
        let own = &pairs[range];
        CalibrationGroup {
            count: own.len(),
            predicted: mean(own, &|pair| pair.prediction),
            observed: mean(own, &|pair| pair.target),
        }
    };
    let mut curve: Vec<CalibrationGroup> = groups(&pairs).into_iter().map(group).collect();
    curve.reverse();
    curve
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_decides_what_is_called_positive() {
        let predictions = [0.9, 0.35, 0.8, 0.35, 0.05];
        let targets = [1.0, 1.0, 0.0, 0.0, 0.0];
        let all = decisions(&predictions, &targets, 0.5);
        let at = |threshold: f64| *all.iter().find(|own| own.threshold == threshold).expect("in the table");
        assert_eq!(at(0.3), Decision { threshold: 0.3, share: 0.8, precision: Some(0.5), recall: 1.0, f1: 2.0 / 3.0 });
        assert_eq!(at(0.5), Decision { threshold: 0.5, share: 0.4, precision: Some(0.5), recall: 0.5, f1: 0.5 });
        // 0.9 alone and all down to 0.35 are as good.
        assert_eq!(at(f64::from(0.9_f32)).f1, 2.0 / 3.0);
        assert_eq!((all.len(), all.is_sorted_by(|one, next| one.threshold <= next.threshold)), (10, true));
        assert_eq!(decisions(&predictions, &[0.0; 5], 0.5), []);
        let none = decisions(&[0.2, 0.1], &[1.0, 0.0], 0.5);
        assert_eq!((none.last().expect("0.9").precision, none.last().expect("0.9").recall), (None, 0.0));
    }

    #[test]
    fn a_curve_has_what_is_predicted_beside_what_happens() {
        let predictions: Vec<f32> = (0..20).map(|at| at as f32 / 20.0).collect();
        let targets: Vec<f32> = (0..20).map(|at| f32::from(u8::from(at % 2 == 1))).collect();
        let curve = calibration_curve(&predictions, &targets);
        assert_eq!(curve.len(), 10);
        assert_eq!((curve[0].count, curve[0].observed), (2, 0.5));
        assert!((curve[0].predicted - 0.025).abs() < 1e-6 && (curve[9].predicted - 0.925).abs() < 1e-6);
        // Equal predictions are in one group.
        assert_eq!(
            calibration_curve(&[0.5; 7], &[1.0; 7]),
            [CalibrationGroup { count: 7, predicted: 0.5, observed: 1.0 }]
        );
        assert_eq!(calibration_curve(&[], &[]), []);
    }
}
