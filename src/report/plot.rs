//! Charts as PNG and SVG: curves, scatter, maps with names, heat maps, and predictions against the truth.
//!
//! Any numbers can be drawn: points that are not finite (or beyond ±10¹⁰⁰) are left out, and where nothing is left
//! there are empty axes.

use std::iter;
use std::sync::Arc;

use kuva::backend::raster::RasterBackend;
use kuva::backend::svg::SvgBackend;
use kuva::plot::colormap::ColorMap;
use kuva::plot::{BandPlot, LegendEntry, LegendShape, LinePlot, LineStyle, ScatterPlot};
use kuva::render::color::Color;
use kuva::render::figure::Figure;
use kuva::render::layout::{ComputedLayout, Layout, TickFormat};
use kuva::render::plots::Plot;
use kuva::render::render::{Primitive, Scene, TextAnchor, render_multiple};

use crate::error::{Error, Result};
use crate::linalg::Dense;

/// Okabe and Ito's colors, which the color-blind can tell apart too.
const COLORS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
/// What repeats the colors after the sixth series.
const STYLES: [LineStyle; 3] = [LineStyle::Solid, LineStyle::Dashed, LineStyle::Dotted];
const GUIDE_COLOR: &str = "#333333";
const GREY: &str = "#a0a0a0";
const MIDDLE_COLOR: &str = "#6fa8d6";
const TAILS_COLOR: &str = "#c3dbee";

/// Pixels of a PNG for each unit of the layout.
const SCALE: f32 = 1.5;
/// Curves of at most this many points show each of them.
const MAX_MARKED: usize = 40;
/// Most cells of a side of a [`heat_map`]; larger matrices are shown by the means of blocks.
const MAX_SIDE: usize = 400;
/// Most truth values, or bins of them, that [`prediction_vs_truth`] tells apart.
const MAX_GROUPS: usize = 20;

/// One curve of [`curves`].
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What the legend calls it.
    pub name: String,
    /// (x, y), in the order in which they are joined.
    pub points: Vec<(f64, f64)>,
}

/// A picture as a PNG file.
#[derive(Debug, Clone, PartialEq)]
pub struct Png {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// The file.
    pub bytes: Vec<u8>,
}

/// A drawing, ready to be written.
pub struct Chart {
    scene: Scene,
}

impl Chart {
    /// The chart in pixels.
    ///
    /// # Errors
    /// [`Error::Failed`] where the encoder fails.
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

/// Joins the points of each series by lines, with a legend beside them.
///
/// The y axis is logarithmic where all values are positive and span more than three decades.
pub fn curves(title: &str, x_label: &str, y_label: &str, series: &[Series]) -> Chart {
    let mut lines: Vec<Vec<(f64, f64)>> = series.iter().map(|s| drawable(&s.points)).collect();
    let logarithmic = spans_decades(lines.iter().flatten().map(|point| point.1));
    if logarithmic {
        lines.iter_mut().flatten().for_each(|point| point.1 = point.1.log10());
    }
    let x = Axis::new(x_label, lines.iter().flatten().map(|point| point.0));
    let y = Axis::of(y_label, lines.iter().flatten().map(|point| point.1), logarithmic);

    let mut plots = Vec::new();
    let mut legend = Vec::new();
    for (i, (line, series)) in lines.into_iter().zip(series).enumerate() {
        let color = COLORS[i % COLORS.len()];
        let style = &STYLES[i / COLORS.len() % STYLES.len()];
        legend.push(LegendEntry {
            label: label(&shortened(&series.name)),
            color: color.into(),
            shape: LegendShape::Line,
            dasharray: style.dasharray(),
        });
        if line.len() <= MAX_MARKED {
            plots.push(dots(&line, color, 3.0, 1.0));
        }
        plots.push(LinePlot::new().with_data(line).with_color(color).with_line_style(style.clone()).into());
    }
    chart(title, (800.0, 460.0), x, y, plots, legend)
}

/// One picture of several in [`panels`]: points over a quantity of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// What lies on the x axis.
    pub label: String,
    /// How it lies there.
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
    /// 0, 1, … stand for these names.
    Names(Vec<String>),
}

/// Several scatter plots of the same quantity, which the title names, over one quantity each. `names` are those of the
/// series, of which the last is on top.
///
/// Where most of the values lie in a small part of their range, the y axis shows the lower part: from the lowest to four
/// times as far above it as the median. What lies above is drawn at the upper edge.
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

/// Points of several kinds on one plane, named beside them.
///
/// `names` holds the names of each series' points, or nothing where they are to be dots only. Each name takes the nearest
/// free place, the first ones first, with a line back to its point where that is not beside it; a name without any free
/// place near its point is left out.
pub fn map(title: &str, x_label: &str, y_label: &str, series: &[Series], names: &[Vec<String>]) -> Chart {
    let (mut plots, mut legend, mut named) = (Vec::new(), Vec::new(), Vec::new());
    let mut everything = Vec::new();
    for (at, (series, names)) in series.iter().zip(names).enumerate() {
        let color = COLORS[at % COLORS.len()];
        legend.push(entry(&shortened(&series.name), color, LegendShape::Circle, false));
        let points = drawable(&series.points);
        let opacity = if names.is_empty() { (12.0 / (points.len() as f64).sqrt()).clamp(0.25, 0.8) } else { 1.0 };
        plots.push(dots(&points, color, 3.0, opacity));
        let names = series.points.iter().zip(names).filter(|(point, _)| !drawable(&[**point]).is_empty());
        named.extend(names.map(|(point, name)| (*point, shortened(name))));
        everything.extend(points);
    }
    if series.len() < 2 {
        legend.clear();
    }
    let x = Axis::new(x_label, everything.iter().map(|point| point.0));
    let y = Axis::new(y_label, everything.iter().map(|point| point.1));
    let (mut scene, frame) = drawn(title, (900.0, 640.0), x, y, plots, legend);
    add_names(&mut scene, &frame, &named);
    Chart { scene }
}

/// Writes names beside points, none over another or over a point.
fn add_names(scene: &mut Scene, frame: &ComputedLayout, named: &[((f64, f64), String)]) {
    const TEXT: u32 = 12;
    const HALF_HEIGHT: f64 = 7.0;
    /// Distances from the point to the name's edge. From the second on, a line is drawn.
    const DISTANCES: [f64; 8] = [5.0, 14.0, 24.0, 36.0, 50.0, 66.0, 84.0, 104.0];
    let points: Vec<(f64, f64)> = named.iter().map(|((x, y), _)| (frame.map_x(*x), frame.map_y(*y))).collect();
    // Centre and half the width of those that have a place.
    let mut placed: Vec<((f64, f64), f64)> = Vec::new();
    for (&(x, y), (_, name)) in points.iter().zip(named) {
        let half = 0.28 * f64::from(TEXT) * name.chars().count() as f64 + 2.0;
        let is_free = |&(_, (cx, cy)): &(f64, (f64, f64))| {
            let inside = cx - half >= frame.margin_left
                && cx + half <= frame.width - frame.margin_right
                && cy - HALF_HEIGHT >= frame.margin_top
                && cy + HALF_HEIGHT <= frame.height - frame.margin_bottom;
            let apart = |&((ox, oy), other): &((f64, f64), f64)| {
                (cx - ox).abs() >= half + other || (cy - oy).abs() >= 2.0 * HALF_HEIGHT
            };
            let beside = |&(px, py): &(f64, f64)| (cx - px).abs() >= half + 2.0 || (cy - py).abs() >= HALF_HEIGHT + 3.0;
            inside && placed.iter().all(apart) && points.iter().all(beside)
        };
        let places = DISTANCES.into_iter().flat_map(|distance| {
            // Above and below first, then around the clock.
            let hours = [0, 6, 3, 9, 1, 11, 5, 7, 2, 10, 4, 8];
            hours.map(|hour| {
                let (sine, cosine) = (f64::from(hour) * std::f64::consts::TAU / 12.0).sin_cos();
                (distance, (x + sine * (distance + half), y - cosine * (distance + HALF_HEIGHT)))
            })
        });
        let Some((distance, centre)) = places.into_iter().find(is_free) else { continue };
        placed.push((centre, half));
        if distance > DISTANCES[0] {
            let edge =
                (x.clamp(centre.0 - half, centre.0 + half), y.clamp(centre.1 - HALF_HEIGHT, centre.1 + HALF_HEIGHT));
            let (x1, y1, x2, y2, stroke) = (edge.0, edge.1, x, y, GREY.into());
            scene.add(Primitive::Line { x1, y1, x2, y2, stroke, stroke_width: 0.7, stroke_dasharray: None });
        }
        let (x, y, content, anchor) = (centre.0, centre.1 + 0.36 * f64::from(TEXT), label(name), TextAnchor::Middle);
        scene.add(Primitive::Text { x, y, content, size: TEXT, anchor, rotate: None, bold: false, color: None });
    }
}

/// A matrix as shades from white (`range.0` and below) to dark blue (`range.1` and above), the first row on top.
///
/// `names` are those of the rows, shown where there is room; it may be empty. A matrix of more than 400 rows or columns
/// is shown by the means of blocks.
pub fn heat_map(title: &str, matrix: &Dense, names: &[&str], range: (f64, f64)) -> Chart {
    const TEXT: u32 = 12;
    const SIDE: f64 = 608.0;
    let block = matrix.rows().max(matrix.columns()).div_ceil(MAX_SIDE).max(1);
    let (rows, columns) = (matrix.rows().div_ceil(block), matrix.columns().div_ceil(block));
    let cell = (SIDE / rows.max(columns).max(1) as f64).clamp(1.0, 40.0);
    // Whole pixels leave no seams between cells.
    let whole = |length: f64| (length * f64::from(SCALE)).floor() / f64::from(SCALE);
    let cell = whole(cell);
    let named = names.len() == rows && cell >= f64::from(TEXT);
    let longest = names.iter().map(|name| shortened(name).chars().count()).max().unwrap_or(0);
    let left = whole(if named { 20.0 + 0.56 * f64::from(TEXT) * longest as f64 } else { 20.0 });
    let (top, width, height) = (56.0, cell * columns as f64, cell * rows as f64);
    let bar = left + width + 20.0;
    let bar_height = height.max(120.0);
    let shade = |value: f64| -> Color {
        let share = ((value - range.0) / (range.1 - range.0)).clamp(0.0, 1.0);
        ColorMap::Blues.map(if share.is_nan() { 0.0 } else { share }).into()
    };

    let title_width = 20.0 + 10.5 * title.chars().count() as f64;
    let mut scene = Scene::new((bar + 80.0).max(title_width), top + bar_height + 20.0);
    let mut write = |x: f64, y: f64, text: &str, size: u32, anchor: TextAnchor| {
        let content = label(text);
        scene.add(Primitive::Text { x, y, content, size, anchor, rotate: None, bold: false, color: None });
    };
    write(20.0, 32.0, title, 18, TextAnchor::Start);
    let middle = 0.36 * f64::from(TEXT);
    if named {
        for (row, name) in names.iter().enumerate() {
            write(left - 6.0, top + (row as f64 + 0.5) * cell + middle, &shortened(name), TEXT, TextAnchor::End);
        }
    }
    for tick in 0..=5 {
        let share = f64::from(tick) / 5.0;
        let step = (range.1 - range.0) / 5.0;
        let text = number(range.0 + share * (range.1 - range.0), step, range.0.abs().max(range.1.abs()));
        write(bar + 24.0, top + (1.0 - share) * bar_height + middle, &text, TEXT, TextAnchor::Start);
    }
    let (mut x, mut y, mut w, mut h, mut fills) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut fill = |place: (f64, f64), size: (f64, f64), color: Color| {
        x.push(place.0);
        y.push(place.1);
        w.push(size.0);
        h.push(size.1);
        fills.push(color);
    };
    for row in 0..rows {
        for column in 0..columns {
            let inside = |start: usize, end: usize| start * block..((start + 1) * block).min(end);
            let cells = inside(row, matrix.rows()).flat_map(|row| {
                matrix.row(row)[inside(column, matrix.columns())].iter().map(|&value| f64::from(value))
            });
            let value = mean(cells.collect::<Vec<_>>().into_iter());
            let (x, y) = (left + column as f64 * cell, top + row as f64 * cell);
            // The next cell lies over what is too much, so that there are no seams in an SVG either.
            fill((x, y), (cell + 0.3, cell + 0.3), shade(value));
        }
    }
    const STEPS: usize = 256;
    let step = bar_height / STEPS as f64;
    for at in 0..STEPS {
        let value = range.1 - (range.1 - range.0) * (at as f64 + 0.5) / STEPS as f64;
        fill((bar, top + at as f64 * step), (16.0, step + 0.5), shade(value));
    }
    scene.add(Primitive::RectBatch { x, y, w, h, fills });
    let mut frame = |x: f64, width: f64, height: f64| {
        let (fill, stroke, stroke_width) = (Color::None, Some(GREY.into()), Some(1.0));
        scene.add(Primitive::Rect { x, y: top, width, height, fill, stroke, stroke_width, opacity: None });
    };
    frame(left, width, height);
    frame(bar, 16.0, bar_height);
    Chart { scene }
}

/// How predictions spread around the truth they should have met.
///
/// For each true value: the mean prediction, the middle half of the predictions and their 10th to 90th percentile.
/// Where there are more than 20 different true values they are put into at most 20 bins, each with about as many
/// predictions and placed at the mean of its true values. A perfect model has all its dots on the dashed line.
/// Both axes are logarithmic where all these numbers are positive and span more than three decades.
///
/// # Panics
/// Where `truth` and `prediction` differ in length.
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

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

fn smallest_gap(groups: &[Group]) -> f64 {
    groups.windows(2).map(|pair| pair[1].truth - pair[0].truth).fold(f64::INFINITY, f64::min)
}

/// The points that have a place on paper. The bound leaves room to compute with them.
fn drawable(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    points.iter().copied().filter(|(x, y)| x.abs() <= 1e100 && y.abs() <= 1e100).collect()
}

fn range(mut values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let first = values.next()?;
    Some(values.fold((first, first), |(low, high), value| (low.min(value), high.max(value))))
}

/// Whether a logarithmic axis is possible and shows more than a linear one.
fn spans_decades(values: impl Iterator<Item = f64>) -> bool {
    range(values).is_some_and(|(low, high)| low > 0.0 && high / low > 1e3)
}

/// One axis: what it shows, and the multiples of `step` that carry a tick.
struct Axis {
    label: String,
    low: f64,
    high: f64,
    step: f64,
    format: Arc<dyn Fn(f64) -> String + Send + Sync>,
}

impl Axis {
    /// An axis around `values`, which are base-10 logarithms where it is `logarithmic`.
    fn of(label: &str, values: impl Iterator<Item = f64> + Clone, logarithmic: bool) -> Self {
        if logarithmic { Self::decades(label, values) } else { Self::new(label, values) }
    }

    /// A linear axis around `values`, with up to 7 ticks.
    fn new(label: &str, values: impl Iterator<Item = f64> + Clone) -> Self {
        let whole = values.clone().all(|value| value.fract() == 0.0);
        let (low, high) = padded(values);
        let rough = (high - low) / 6.0;
        let power = 10f64.powf(rough.log10().floor());
        let nice = [1.0, 2.0, 5.0].into_iter().find(|nice| nice * power >= rough).unwrap_or(10.0) * power;
        // Half an epoch is no place on an axis.
        let step = if whole { nice.max(1.0) } else { nice };
        let largest = low.abs().max(high.abs());
        Self { label: label.into(), low, high, step, format: Arc::new(move |value| number(value, step, largest)) }
    }

    /// A logarithmic axis around the base-10 logarithms `exponents`, however few decades they span: ticks have numbers.
    fn powers(label: &str, exponents: impl Iterator<Item = f64> + Clone) -> Self {
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
    fn names(label: &str, names: &[String]) -> Self {
        let names: Vec<String> = names.iter().map(|name| self::label(&shortened(name))).collect();
        let high = names.len().max(1) as f64 - 0.5;
        let name = move |at: f64| names.get(at.round() as usize).cloned().unwrap_or_default();
        Self { label: label.into(), low: -0.5, high, step: 1.0, format: Arc::new(name) }
    }

    /// A logarithmic axis around the base-10 logarithms `exponents`.
    fn decades(label: &str, exponents: impl Iterator<Item = f64> + Clone) -> Self {
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
    // Below the last digits of the values there is nothing to show but rounding.
    let margin = if high - low > 1e-9 * largest {
        0.04 * (high - low)
    } else if largest > 0.0 {
        0.1 * largest
    } else {
        1.0
    };
    (low - margin, high + margin)
}

/// A tick's label, with the digits that tell it from the next tick `step` away.
fn number(value: f64, step: f64, largest: f64) -> String {
    let digits = |step: f64| (-(step.log10() + 1e-9).floor()).max(0.0) as usize;
    if value.abs() < 1e-6 * step {
        return "0".into();
    }
    if !(1e-3..1e15).contains(&largest) {
        let significant = (value.abs().log10().floor() - (step.log10() + 1e-9).floor()).max(0.0) as usize;
        return format!("{value:.significant$e}");
    }
    let units = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    // 2000 needs no unit, and 10001.5 would only get longer by one.
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

fn dots(points: &[(f64, f64)], color: &str, radius: f64, opacity: f64) -> Plot {
    let points = points.iter().copied();
    ScatterPlot::new().with_data(points).with_color(color).with_size(radius).with_marker_opacity(opacity).into()
}

/// The line y = x through axes that both run like `axis`.
fn guide(axis: &Axis) -> Plot {
    let ends = [(axis.low, axis.low), (axis.high, axis.high)];
    LinePlot::new().with_data(ends).with_color(GUIDE_COLOR).with_stroke_width(1.5).with_dashed().into()
}

fn entry(name: &str, color: &str, shape: LegendShape, dashed: bool) -> LegendEntry {
    let dasharray = if dashed { LineStyle::Dashed.dasharray() } else { None };
    LegendEntry { label: label(name), color: color.into(), shape, dasharray }
}

/// Text for kuva, which reads `$…$` as a formula and passes control characters on to the SVG.
pub(super) fn label(text: &str) -> String {
    text.replace(|c: char| c.is_control(), " ").replace('$', "\\$")
}

/// A name that leaves room for the curves.
fn shortened(name: &str) -> String {
    const LONGEST: usize = 32;
    match name.char_indices().nth(LONGEST) {
        Some(_) => name.chars().take(LONGEST - 1).chain(iter::once('…')).collect(),
        None => name.into(),
    }
}

/// Axes on paper of this size, the label of the y axis left out.
fn layout((width, height): (f64, f64), x: Axis, y: Axis) -> Layout {
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

fn chart(title: &str, size: (f64, f64), x: Axis, y: Axis, plots: Vec<Plot>, legend: Vec<LegendEntry>) -> Chart {
    Chart { scene: drawn(title, size, x, y, plots, legend).0 }
}

/// The scene of a chart, and where on it the axes are.
fn drawn(
    title: &str,
    (width, height): (f64, f64),
    x: Axis,
    y: Axis,
    mut plots: Vec<Plot>,
    legend: Vec<LegendEntry>,
) -> (Scene, ComputedLayout) {
    // Without any plot, kuva draws no axes.
    plots.push(dots(&[], GUIDE_COLOR, 1.0, 1.0));
    let y_label = label(&y.label);
    // Room for a legend of any length.
    let size = (width, height.max(18.0 * legend.len() as f64 + 160.0));
    let mut layout = layout(size, x, y).with_title(label(title)).with_title_wrap(50);
    if !legend.is_empty() {
        layout = layout.with_legend_entries(legend).with_legend_box(false);
    }
    // The label of the y axis lies flat above it: easier to read, and kuva draws turned text without smoothing.
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

    fn series(points: &[(f64, f64)]) -> Vec<Series> {
        vec![Series { name: "a <b> & $c$".into(), points: points.to_vec() }]
    }

    /// The texts of an SVG, in drawing order.
    fn texts(chart: &Chart) -> Vec<String> {
        chart.svg().split("</text>").filter_map(|part| part.rsplit('>').next().map(str::to_owned)).collect()
    }

    #[test]
    fn any_numbers_can_be_drawn() {
        let cases: [&[(f64, f64)]; 12] = [
            &[],
            &[(1.0, 2.0)],
            &[(f64::NAN, 1.0), (1.0, f64::INFINITY)],
            &[(1.0, 5.0), (2.0, 5.0), (3.0, f64::NAN), (4.0, 5.0)],
            &[(0.0, 0.0), (0.0, 0.0)],
            &[(1.0, f64::MAX), (2.0, f64::MIN), (3.0, f64::MIN_POSITIVE)],
            &[(1.0, 1e-300), (2.0, 1e-200)],
            &[(1.0, 5e-324), (2.0, 1e100)],
            &[(1e100, -1e100), (-1e100, 1e100)],
            &[(1e15, 1e15), (1e15 + 1.0, 1e15 + 1.0)],
            &[(1.0, 0.1), (2.0, 0.1 + 1e-17)],
            &[(-3.0, -1e-9), (-2.0, 1e-9)],
        ];
        for points in cases {
            let singles = |f: fn(&(f64, f64)) -> f64| points.iter().map(|p| f(p) as f32).collect::<Vec<_>>();
            for chart in [
                curves("t", "x", "y", &series(points)),
                scatter("t", "x", "y", points, false),
                scatter("t", "x", "y", points, true),
                map("t", "x", "y", &series(points), &[vec!["a".into(); points.len()]]),
                map("t", "x", "y", &series(points), &[vec![]]),
                prediction_vs_truth(&singles(|p| p.0), &singles(|p| p.1)),
            ] {
                let png = chart.png().expect("a picture");
                assert_eq!(png.bytes[..8], *b"\x89PNG\r\n\x1a\n");
                assert_eq!(png.bytes[16..20], png.width.to_be_bytes());
                assert_eq!(png.bytes[20..24], png.height.to_be_bytes());
                assert!(!chart.svg().contains("NaN"), "{points:?}");
            }
        }
        assert!(curves("t", "x", "y", &[]).png().is_ok());
    }

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

    #[test]
    fn a_wide_positive_range_gets_a_logarithmic_axis() {
        let wide = texts(&curves("t", "x", "y", &series(&[(1.0, 1.0), (2.0, 1e-12)])));
        assert!(wide.contains(&"10⁻¹²".to_owned()), "{wide:?}");
        for narrow in [[(1.0, 1.0), (2.0, 1e-2)], [(1.0, 1.0), (2.0, -1e12)]] {
            assert!(!texts(&curves("t", "x", "y", &series(&narrow))).iter().any(|text| text.starts_with("10⁻")));
        }
    }

    #[test]
    fn names_are_text_and_not_markup() {
        let shown = texts(&curves("cost in $ and $", "x\u{0}y", "y", &series(&[(1.0, 2.0)])));
        for expected in ["cost in $ and $", "x y", "a &lt;b&gt; &amp; $c$"] {
            assert!(shown.contains(&expected.to_owned()), "{shown:?}");
        }
        assert_eq!(shortened(&"ä".repeat(40)).chars().count(), 32);
    }

    #[test]
    fn a_map_names_its_points_and_its_kinds() {
        let kinds = [Series { name: "terms".into(), points: vec![(1.0, 2.0), (f64::NAN, 1.0), (2.0, 1.0)] }];
        let names = [["one", "two", "three"].map(String::from).to_vec()];
        let shown = texts(&map("t", "x", "y", &kinds, &names));
        assert!(shown.contains(&"one".into()) && !shown.contains(&"two".into()) && shown.contains(&"three".into()));
        assert!(!shown.contains(&"terms".into()), "one kind needs no legend");
        let two = [kinds[0].clone(), Series { name: "dots".into(), points: vec![(0.0, 0.0)] }];
        let shown = texts(&map("t", "x", "y", &two, &[names[0].clone(), vec![]]));
        assert!(shown.contains(&"terms".into()) && shown.contains(&"dots".into()), "{shown:?}");
    }

    #[test]
    fn names_on_a_map_never_cover_each_other() {
        let points: Vec<(f64, f64)> = (0..200).map(|i| (f64::from(i % 20), f64::from((i * 7) % 30))).collect();
        let crowd = [Series { name: "crowd".into(), points }];
        let names = [(0..200).map(|i| format!("name {i}")).collect::<Vec<_>>()];
        let chart = map("t", "x", "y", &crowd, &names);
        let written = |element: &Primitive| match element {
            Primitive::Text { x, y, content, .. } if content.starts_with("name") => Some((*x, *y)),
            _ => None,
        };
        let places: Vec<_> = chart.scene.elements.iter().filter_map(written).collect();
        assert!((50..200).contains(&places.len()), "{} of 200 have a place", places.len());
        for (at, one) in places.iter().enumerate() {
            for other in &places[at + 1..] {
                assert!((one.0 - other.0).abs() > 40.0 || (one.1 - other.1).abs() > 13.9, "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn a_heat_map_has_a_cell_for_each_value_or_block() {
        let cells = |matrix: &Dense, names: &[&str]| {
            let chart = heat_map("t", matrix, names, (0.0, 1.0));
            let png = chart.png().expect("a picture");
            let pixels = image::load_from_memory(&png.bytes).expect("a PNG").to_rgb8();
            assert_eq!(pixels.dimensions(), (png.width, png.height));
            let fills = chart.scene.elements.iter().find_map(|element| match element {
                Primitive::RectBatch { fills, .. } => Some(fills.clone()),
                _ => None,
            });
            (fills.expect("cells").iter().map(|fill| format!("{fill:?}")).collect::<Vec<_>>(), texts(&chart))
        };
        let matrix = Dense::new(2, 2, vec![0.0, 1.0, -1.0, 2.0]).expect("valid");
        let (fills, shown) = cells(&matrix, &["first", "second"]);
        assert_eq!(fills.len(), 4 + 256);
        assert!(fills[0] == fills[2] && fills[1] == fills[3] && fills[0] != fills[1], "beyond the range is its end");
        assert_eq!(shown[..9], ["t", "first", "second", "0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        // Names that do not fit the rows are left out, and large matrices shown by blocks.
        let large = Dense::from_fn(801, 3, |row, _| (row % 2) as f32);
        let (fills, shown) = cells(&large, &["first", "second"]);
        assert_eq!((fills.len(), &shown[1][..]), (267 + 256, "0"));
        assert_eq!(cells(&Dense::zeros(0, 0), &[]).0.len(), 256);
    }

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
