//! Several scatter plots of the same quantity.

use kuva::plot::LegendShape;
use kuva::render::figure::Figure;
use kuva::render::plots::Plot;

use super::axis::Axis;
use super::chart::{COLORS, Chart, GREY, GUIDE_COLOR, dots, entry, layout};
use super::label::label;
use super::points::drawable;

/// One plot of several in [`panels`]: points over its own quantity.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// The quantity on the x axis.
    pub label: String,
    /// The scale of the x axis.
    pub axis: PanelAxis,
    /// The points of each name in the legend.
    pub series: Vec<Vec<(f64, f64)>>,
}

/// An x axis of a [`Panel`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PanelAxis {
    /// Numbers.
    Linear,
    /// Positive numbers, by their logarithms.
    Logarithmic,
    /// These names at 0, 1, …
    Names(Vec<String>),
}

/// Several scatter plots of the same quantity, named by the title, over one quantity each. `names` are those of the
/// series, the last of which is on top.
///
/// If most of the values are in a small part of their range, the y axis shows the lower part: from the lowest to four
/// times as far above it as the median. Higher values are drawn at the upper edge.
pub fn panels(title: &str, names: &[&str], panels: &[Panel]) -> Chart {
    let columns = panels.len().clamp(1, 3);
    let rows = panels.len().div_ceil(columns).max(1);
    let mut values: Vec<f64> =
        panels.iter().flat_map(|panel| panel.series.iter().flatten().map(|point| point.1)).collect();
    values.retain(|value| value.abs() <= 1e100);
    values.sort_by(f64::total_cmp);
    let lowest = values.first().copied().unwrap_or_default();
    let most = values.get(values.len() / 2).map_or(f64::INFINITY, |median| lowest + 4.0 * (median - lowest));
    let most = if most > lowest { most } else { f64::INFINITY };
    let y = || Axis::new("", values.iter().map(|value| value.min(most)));
    let colors = [GREY, COLORS[0], COLORS[1]];
    let mut drawn = Vec::new();
    let mut layouts = Vec::new();
    for panel in panels {
        let logarithmic = panel.axis == PanelAxis::Logarithmic;
        let place = |x: f64| if logarithmic { x.log10() } else { x };
        let series: Vec<Vec<(f64, f64)>> = (panel.series.iter())
            .map(|points| drawable(&points.iter().map(|&(x, y)| (place(x), y.min(most))).collect::<Vec<_>>()))
            .collect();
        let positions = series.iter().flatten().map(|point| point.0);
        let x = match &panel.axis {
            PanelAxis::Linear => Axis::new(&panel.label, positions),
            PanelAxis::Logarithmic => Axis::powers(&panel.label, positions),
            PanelAxis::Names(names) => Axis::names(&panel.label, names),
        };
        let mut plots: Vec<Plot> = vec![dots(&[], GUIDE_COLOR, 1.0, 1.0)];
        for (at, points) in series.iter().enumerate() {
            let (radius, opacity) = if at + 1 == series.len() { (5.0, 1.0) } else { (3.0, 0.8) };
            plots.push(dots(points, colors[at % colors.len()], radius, opacity));
        }
        drawn.push(plots);
        layouts.push(layout((360.0, 300.0), x, y()));
    }
    let legend =
        names.iter().enumerate().map(|(at, name)| entry(name, colors[at % colors.len()], LegendShape::Circle, false));
    let figure = Figure::new(rows, columns)
        .with_structure((0..drawn.len()).map(|at| vec![at]).collect())
        .with_plots(drawn)
        .with_layouts(layouts)
        .with_cell_size(360.0, 300.0)
        .with_title(label(title))
        .with_shared_legend_bottom()
        .with_shared_legend_entries(legend.collect());
    Chart { scene: figure.render() }
}
