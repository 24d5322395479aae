//! Axes: their range, and readable ticks.

use std::sync::Arc;

use super::label;
use super::points::range;

/// One axis: its range, and the multiples of `step` that have a tick.
pub(super) struct Axis {
    pub(super) label: String,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) step: f64,
    pub(super) format: Arc<dyn Fn(f64) -> String + Send + Sync>,
}

impl Axis {
    /// An axis around `values`, which are base-10 logarithms if it is `logarithmic`.
    pub(super) fn of(label: &str, values: impl Iterator<Item = f64> + Clone, logarithmic: bool) -> Self {
        if logarithmic { Self::decades(label, values) } else { Self::new(label, values) }
    }

    /// A linear axis around `values`, with up to 7 ticks.
    pub(super) fn new(label: &str, values: impl Iterator<Item = f64> + Clone) -> Self {
        let whole = values.clone().all(|value| value.fract() == 0.0);
        let (low, high) = padded(values);
        let rough = (high - low) / 6.0;
        let power = 10f64.powf(rough.log10().floor());
        let nice = [1.0, 2.0, 5.0].into_iter().find(|nice| nice * power >= rough).unwrap_or(10.0) * power;
        // No ticks at half epochs.
        let step = if whole { nice.max(1.0) } else { nice };
        let largest = low.abs().max(high.abs());
        Self { label: label.into(), low, high, step, format: Arc::new(move |value| number(value, step, largest)) }
    }

    /// A logarithmic axis around the base-10 logarithms `exponents`, however few decades they span: ticks have numbers.
    pub(super) fn powers(label: &str, exponents: impl Iterator<Item = f64> + Clone) -> Self {
        let (low, high) = padded(exponents);
        let step = [0.1, 0.2, 0.25, 0.5, 1.0].into_iter().find(|step| (high - low) / step <= 5.0);
        let step = step.unwrap_or(((high - low) / 5.0).ceil());
        let format = |exponent: f64| {
            let value = 10f64.powf(exponent);
            if (0.001..10_000.0).contains(&value) {
                let digits = (1.0 - exponent.floor()).max(0.0) as usize;
                let text = format!("{value:.digits$}");
                let short = text.trim_end_matches('0').trim_end_matches('.');
                if text.contains('.') { short.into() } else { text }
            } else {
                let text = format!("{value:.1e}");
                text.replace(".0e", "e")
            }
        };
        Self { label: label.into(), low, high, step, format: Arc::new(format) }
    }

    /// An axis with a name at each of 0, 1, …
    pub(super) fn names(label: &str, names: &[String]) -> Self {
        let names: Vec<String> = names.iter().map(|name| label::label(&label::shortened(name))).collect();
        let high = names.len().max(1) as f64 - 0.5;
        let name = move |at: f64| names.get(at.round() as usize).cloned().unwrap_or_default();
        Self { label: label.into(), low: -0.5, high, step: 1.0, format: Arc::new(name) }
    }

    /// A logarithmic axis around the base-10 logarithms `exponents`.
    pub(super) fn decades(label: &str, exponents: impl Iterator<Item = f64> + Clone) -> Self {
        let (low, high) = padded(exponents);
        let step = ((high - low) / 7.0).ceil();
        let format = |exponent: f64| format!("10{}", superscript(exponent.round() as i64));
        Self { label: label.into(), low, high, step, format: Arc::new(format) }
    }
}

/// The range of `values` with a margin, never empty.
fn padded(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = range(values).unwrap_or((0.0, 1.0));
    let largest = low.abs().max(high.abs());
    // Below the last digits of the values there is only rounding to show.
    let margin = if high - low > 1e-9 * largest {
        0.04 * (high - low)
    } else if largest > 0.0 {
        0.1 * largest
    } else {
        1.0
    };
    (low - margin, high + margin)
}

/// A tick's label, with the digits that distinguish it from the next tick `step` away.
pub(super) fn number(value: f64, step: f64, largest: f64) -> String {
    let digits = |step: f64| (-(step.log10() + 1e-9).floor()).max(0.0) as usize;
    if value.abs() < 1e-6 * step {
        return "0".into();
    }
    if !(1e-3..1e15).contains(&largest) {
        let significant = (value.abs().log10().floor() - (step.log10() + 1e-9).floor()).max(0.0) as usize;
        return format!("{value:.significant$e}");
    }
    let units = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    // 2000 needs no unit, and a unit would only make 10001.5 longer.
    match units.into_iter().find(|&(unit, _)| largest >= f64::max(unit, 1e4) && step >= 0.01 * unit) {
        Some((unit, symbol)) => format!("{:.*}{symbol}", digits(step / unit), value / unit),
        None => format!("{value:.*}", digits(step)),
    }
}

fn superscript(exponent: i64) -> String {
    let raise = |c: char| match c.to_digit(10) {
        Some(digit) => ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'][digit as usize],
        None => '⁻',
    };
    exponent.to_string().chars().map(raise).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_have_a_handful_of_ticks_with_different_labels() {
        for (low, high) in [
            (0.0, 1.0),
            (0.8412, 0.8419),
            (0.0, 20_000_000.0),
            (1.0, 30.0),
            (-1e-7, 3e-7),
            (9_999.0, 10_001.0),
            (1e9, 1e9 + 5.0),
            (999_000.0, 1_001_000.0),
            (2.0, 1e80),
        ] {
            let axis = Axis::new("", [low, high].into_iter());
            let first = (axis.low / axis.step).ceil() as i64;
            let ticks: Vec<f64> =
                (first..).map(|i| i as f64 * axis.step).take_while(|&tick| tick <= axis.high).collect();
            assert!((2..=7).contains(&ticks.len()), "{low} to {high}: {ticks:?}");
            let mut labels: Vec<_> = ticks.iter().map(|&tick| (axis.format)(tick)).collect();
            assert!(labels.iter().all(|label| label.len() <= 10), "{labels:?}");
            labels.dedup();
            assert_eq!(labels.len(), ticks.len(), "{labels:?}");
        }
    }

    #[test]
    fn labels_read_as_people_write_numbers() {
        let label = |value, step, largest| number(value, step, largest);
        assert_eq!(label(0.1 + 0.2, 0.1, 0.4), "0.3");
        assert_eq!(label(-1e-17, 0.1, 0.4), "0");
        assert_eq!(label(2_500_000.0, 500_000.0, 3e6), "2.5M");
        assert_eq!(label(2_000.0, 500.0, 4_000.0), "2000");
        assert_eq!(label(15_000.0, 5_000.0, 20_000.0), "15k");
        assert_eq!(label(10_001.0, 1.0, 10_002.0), "10001");
        assert_eq!(label(1.5e-5, 5e-6, 2e-5), "1.5e-5");
        assert_eq!(superscript(-10), "⁻¹⁰");
    }
}
