//! The metrics against scikit-learn, and by hand.

use super::super::{Metrics, Pair, Tally, built_in};

/// What scikit-learn computes of [`pairs`], but for the calibration error: `tests/scripts/classification.py` prints it.
const METRICS: [(&str, f64); 4] = [
    ("log-loss", 0.720899555931),
    ("roc-auc", 0.601243781095),
    ("average-precision", 0.502272234138),
    ("calibration-error", 0.245235863793),
];

/// Predictions of which several are equal, and whether it happened.
fn pairs() -> Vec<Pair> {
    let pair = |at: u32| {
        let prediction = f64::from((at * at * 7 + at * 3) % 31 + 1) / 33.0;
        let target = f64::from(u8::from((at * 5 + at * at / 3) % 11 < 2 + (at * at * 7 + at * 3) % 31 / 6));
        Pair { target, prediction, loss: None }
    };
    (0..97).map(pair).collect()
}

fn values(pairs: &[Pair]) -> Vec<(String, f64)> {
    let metrics = METRICS.iter().map(|(name, _)| built_in().find(name).expect("a metric"));
    let mut tally = Tally::new(&Metrics(metrics.collect()));
    // In parts, as predictions come.
    pairs.chunks(10).for_each(|part| tally.add(part));
    tally.scores().expect("pairs").values
}

#[test]
fn metrics_of_probabilities_are_those_of_others() {
    let found = values(&pairs());
    assert_eq!(found.len(), METRICS.len());
    for ((name, value), (expected, number)) in found.iter().zip(METRICS) {
        assert_eq!(name, expected);
        assert!((value - number).abs() < 1e-6, "{name}: {value} is not {number}");
    }
}

#[test]
fn metrics_of_a_case_by_hand() {
    let pair = |&(prediction, target): &(f64, f64)| Pair { target, prediction, loss: None };
    let of = |pairs: &[(f64, f64)]| values(&pairs.iter().map(pair).collect::<Vec<_>>());
    let value =
        |found: &[(String, f64)], name: &str| found.iter().find(|(own, _)| own == name).map(|(_, value)| *value);
    let found = of(&[(0.9, 1.0), (0.6, 0.0), (0.6, 1.0), (0.2, 0.0)]);
    let expected = -(0.9_f64.ln() + 0.4_f64.ln() + 0.6_f64.ln() + 0.8_f64.ln()) / 4.0;
    assert!((value(&found, "log-loss").expect("a value") - expected).abs() < 1e-12);
    // Of four pairs three are right and one is a tie.
    assert_eq!(value(&found, "roc-auc"), Some(3.5 / 4.0));
    // One of one, and two of three.
    assert!((value(&found, "average-precision").expect("a value") - (1.0 + 2.0 / 3.0) / 2.0).abs() < 1e-12);
    // The tie is in one group.
    assert!((value(&found, "calibration-error").expect("a value") - (0.1 + 0.2 + 0.2) / 4.0).abs() < 1e-6);
    let of_one_class = of(&[(0.9, 1.0), (0.6, 1.0)]);
    assert_eq!([value(&of_one_class, "roc-auc"), value(&of_one_class, "average-precision")], [None; 2]);
    // Certainty that is wrong costs much, but not infinitely much.
    let wrong = value(&of(&[(1.0, 0.0)]), "log-loss").expect("a value");
    assert!((wrong - 1e-15_f64.ln().abs()).abs() < 1e-3, "{wrong}");
}
