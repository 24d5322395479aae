//! Points to draw: which of them can be drawn, and the range they span.

/// One curve of [`curves`](super::curves()).
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// (x, y), in the order in which they are joined.
    pub points: Vec<(f64, f64)>,
}

/// The points that can be drawn. The bound leaves room for computations with them.
pub(super) fn drawable(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    points.iter().copied().filter(|(x, y)| x.abs() <= 1e100 && y.abs() <= 1e100).collect()
}

pub(super) fn range(mut values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let first = values.next()?;
    Some(values.fold((first, first), |(low, high), value| (low.min(value), high.max(value))))
}

/// Whether a logarithmic axis is possible and shows more than a linear one.
pub(super) fn spans_decades(values: impl Iterator<Item = f64>) -> bool {
    range(values).is_some_and(|(low, high)| low > 0.0 && high / low > 1e3)
}

pub(super) fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}
