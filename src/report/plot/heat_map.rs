//! A matrix as shades.

use kuva::plot::colormap::ColorMap;
use kuva::render::color::Color;
use kuva::render::render::{Primitive, Scene, TextAnchor};

use super::axis::number;
use super::chart::{Chart, GREY, SCALE};
use super::label::{label, shortened};
use super::points::mean;
use crate::linalg::Dense;

/// Most cells of a side of a [`heat_map`]; larger matrices are shown by block means.
const MAX_SIDE: usize = 400;

/// A matrix as shades from white (`range.0` and below) to dark blue (`range.1` and above), the first row on top.
///
/// `names` are those of the rows and of the columns, shown if there is room; either may be empty. A matrix of more than 400 rows
/// or columns is shown by block means.
pub fn heat_map(title: &str, matrix: &Dense, [names, above]: [&[&str]; 2], range: (f64, f64)) -> Chart {
    const TEXT: u32 = 12;
    /// Text above columns.
    const SMALL: u32 = 10;
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
    let widest = above.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let has_room = 0.6 * f64::from(SMALL) * widest as f64 <= cell;
    let is_named_above = !above.is_empty() && above.len() == columns && has_room;
    let top = if is_named_above { 72.0 } else { 56.0 };
    let (width, height) = (cell * columns as f64, cell * rows as f64);
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
    if is_named_above {
        for (column, name) in above.iter().enumerate() {
            write(left + (column as f64 + 0.5) * cell, top - 6.0, name, SMALL, TextAnchor::Middle);
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
            // The next cell covers the excess, so that there are no seams in an SVG either.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heat_map_has_a_cell_for_each_value_or_block() {
        let cells = |matrix: &Dense, names: &[&str]| {
            let chart = heat_map("t", matrix, [names, &["one", "two"]], (0.0, 1.0));
            let png = chart.png().expect("a picture");
            let pixels = image::load_from_memory(&png.bytes).expect("a PNG").to_rgb8();
            assert_eq!(pixels.dimensions(), (png.width, png.height));
            let fills = chart.scene.elements.iter().find_map(|element| match element {
                Primitive::RectBatch { fills, .. } => Some(fills.clone()),
                _ => None,
            });
            (fills.expect("cells").iter().map(|fill| format!("{fill:?}")).collect::<Vec<_>>(), chart.texts())
        };
        let matrix = Dense::new(2, 2, vec![0.0, 1.0, -1.0, 2.0]).expect("valid");
        let (fills, shown) = cells(&matrix, &["first", "second"]);
        assert_eq!(fills.len(), 4 + 256);
        assert!(fills[0] == fills[2] && fills[1] == fills[3] && fills[0] != fills[1], "beyond the range is its end");
        assert_eq!(shown[..11], ["t", "first", "second", "one", "two", "0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        // Names that do not fit the rows are omitted, and large matrices shown by blocks.
        let large = Dense::from_fn(801, 3, |row, _| (row % 2) as f32);
        let (fills, shown) = cells(&large, &["first", "second"]);
        assert_eq!((fills.len(), &shown[1][..]), (267 + 256, "0"));
        assert_eq!(cells(&Dense::zeros(0, 0), &[]).0.len(), 256);
    }
}
