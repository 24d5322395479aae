//! What all charts share: paper, axes on it, colors and a legend.

use kuva::backend::raster::RasterBackend;
use kuva::backend::svg::SvgBackend;
use kuva::plot::{LegendEntry, LegendShape, LinePlot, LineStyle, ScatterPlot};
use kuva::render::layout::{ComputedLayout, Layout, TickFormat};
use kuva::render::plots::Plot;
use kuva::render::render::{Primitive, Scene, TextAnchor, render_multiple};

use super::axis::Axis;
use super::label::label;
use crate::error::{Error, Result};

/// Okabe and Ito's colors, which color-blind people can also distinguish.
pub(super) const COLORS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
pub(super) const GUIDE_COLOR: &str = "#333333";
pub(super) const GREY: &str = "#a0a0a0";

/// Pixels of a PNG for each unit of the layout.
pub(super) const SCALE: f32 = 1.5;

/// A picture as a PNG file.
#[derive(Debug, Clone, PartialEq)]
pub struct Png {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// The encoded file.
    pub bytes: Vec<u8>,
}

/// A drawing, ready to be written.
pub struct Chart {
    pub(super) scene: Scene,
}

impl Chart {
    /// The chart in pixels.
    ///
    /// # Errors
    /// [`Error::Failed`] if the encoder fails.
    pub fn png(&self) -> Result<Png> {
        let bytes = RasterBackend::new()
            .with_scale(SCALE)
            .render_scene(&self.scene)
            .map_err(|e| Error::Failed(format!("cannot draw the chart: {e}")))?;
        let pixels = |length: f64| (length as f32 * SCALE).ceil() as u32;
        Ok(Png { width: pixels(self.scene.width), height: pixels(self.scene.height), bytes })
    }

    /// The chart as an SVG document.
    pub fn svg(&self) -> String {
        SvgBackend::new().render_scene(&self.scene)
    }
}

pub(super) fn dots(points: &[(f64, f64)], color: &str, radius: f64, opacity: f64) -> Plot {
    let points = points.iter().copied();
    ScatterPlot::new().with_data(points).with_color(color).with_size(radius).with_marker_opacity(opacity).into()
}

/// The line y = x through axes that both run like `axis`.
pub(super) fn guide(axis: &Axis) -> Plot {
    let ends = [(axis.low, axis.low), (axis.high, axis.high)];
    LinePlot::new().with_data(ends).with_color(GUIDE_COLOR).with_stroke_width(1.5).with_dashed().into()
}

pub(super) fn entry(name: &str, color: &str, shape: LegendShape, dashed: bool) -> LegendEntry {
    let dasharray = if dashed { LineStyle::Dashed.dasharray() } else { None };
    LegendEntry { label: label(name), color: color.into(), shape, dasharray }
}

/// Axes on paper of this size, without the label of the y axis.
pub(super) fn layout((width, height): (f64, f64), x: Axis, y: Axis) -> Layout {
    Layout::new((x.low, x.high), (y.low, y.high))
        .with_width(width)
        .with_height(height)
        .with_x_label(label(&x.label))
        .with_x_axis_min(x.low)
        .with_x_axis_max(x.high)
        .with_x_tick_step(x.step)
        .with_x_tick_format(TickFormat::Custom(x.format))
        .with_y_axis_min(y.low)
        .with_y_axis_max(y.high)
        .with_y_tick_step(y.step)
        .with_y_tick_format(TickFormat::Custom(y.format))
}

pub(super) fn chart(
    title: &str,
    size: (f64, f64),
    x: Axis,
    y: Axis,
    plots: Vec<Plot>,
    legend: Vec<LegendEntry>,
) -> Chart {
    Chart { scene: drawn(title, size, x, y, plots, legend).0 }
}

/// The scene of a chart, and where on it the axes are.
pub(super) fn drawn(
    title: &str,
    (width, height): (f64, f64),
    x: Axis,
    y: Axis,
    mut plots: Vec<Plot>,
    legend: Vec<LegendEntry>,
) -> (Scene, ComputedLayout) {
    // Without plots, kuva draws no axes.
    plots.push(dots(&[], GUIDE_COLOR, 1.0, 1.0));
    let y_label = label(&y.label);
    // Room for a legend of any length.
    let size = (width, height.max(18.0 * legend.len() as f64 + 160.0));
    let mut layout = layout(size, x, y).with_title(label(title)).with_title_wrap(50);
    if !legend.is_empty() {
        layout = layout.with_legend_entries(legend).with_legend_box(false);
    }
    // The label of the y axis is horizontal above it: easier to read, and kuva draws rotated text without smoothing.
    let frame = ComputedLayout::from_layout(&layout);
    let top = frame.margin_top + f64::from(frame.label_size);
    let layout = layout.with_force_margins_y(top, frame.margin_bottom);
    let placed = ComputedLayout::from_layout(&layout);
    let mut scene = render_multiple(plots, layout);
    scene.add(Primitive::Text {
        x: 12.0,
        y: top - f64::from(frame.label_size),
        content: y_label,
        size: frame.label_size,
        anchor: TextAnchor::Start,
        rotate: None,
        bold: false,
        color: None,
    });
    (scene, placed)
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Chart {
        /// The texts of the SVG, in drawing order.
        pub(in crate::report::plot) fn texts(&self) -> Vec<String> {
            self.svg().split("</text>").filter_map(|part| part.rsplit('>').next().map(str::to_owned)).collect()
        }
    }
}
