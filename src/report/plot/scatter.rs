//! A cloud of points.

use kuva::plot::LegendShape;

use super::axis::Axis;
use super::chart::{COLORS, Chart, GUIDE_COLOR, chart, dots, entry, guide};
use super::points::drawable;

/// Draws each point; with `identity`, also the line y = x.
pub fn scatter(title: &str, x_label: &str, y_label: &str, points: &[(f64, f64)], identity: bool) -> Chart {
    let points = drawable(points);
    let both = points.iter().flat_map(|point| [point.0, point.1]);
    let (x, y) = if identity {
        (Axis::new(x_label, both.clone()), Axis::new(y_label, both))
    } else {
        (Axis::new(x_label, points.iter().map(|p| p.0)), Axis::new(y_label, points.iter().map(|p| p.1)))
    };
    // The more points, the fainter each: a dense cloud still shows where it is densest.
    let opacity = (8.0 / (points.len() as f64).sqrt()).clamp(0.02, 0.7);
    let mut plots = vec![dots(&points, COLORS[0], 2.5, opacity)];
    let mut legend = Vec::new();
    if identity {
        plots.push(guide(&x));
        legend.push(entry(&format!("{y_label} = {x_label}"), GUIDE_COLOR, LegendShape::Line, true));
    }
    let width = if identity { 700.0 } else { 620.0 };
    chart(title, (width, 500.0), x, y, plots, legend)
}
