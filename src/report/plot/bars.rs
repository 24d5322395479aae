//! Named bars to both sides of zero.

use kuva::render::color::Color;
use kuva::render::render::{Primitive, Scene, TextAnchor};

use super::chart::{COLORS, Chart, GREY};
use super::label::label;

/// Height of a bar with its gap.
const ROW: f64 = 22.0;
/// Width of all bars.
const WIDTH: f64 = 420.0;
const TEXT: u32 = 12;
/// Letters of a name that are shown.
const LONGEST: usize = 64;

/// A bar for each name and value, the first on top, with the value beside it; below zero in another colour. `what` says what the values
/// are.
pub fn bars(title: &str, what: &str, values: &[(String, f64)]) -> Chart {
    let shown = |name: &str| match name.chars().count() > LONGEST {
        true => name.chars().take(LONGEST - 1).chain(['…']).collect(),
        false => name.to_owned(),
    };
    let longest = values.iter().map(|(name, _)| shown(name).chars().count()).max().unwrap_or(0);
    let left = 28.0 + 0.56 * f64::from(TEXT) * longest as f64;
    let numbers: Vec<f64> = values.iter().map(|(_, value)| if value.abs() <= 1e100 { *value } else { 0.0 }).collect();
    let low = numbers.iter().fold(0.0, |low: f64, &value| low.min(value));
    let high = numbers.iter().fold(0.0, |high: f64, &value| high.max(value));
    let span = if high > low { high - low } else { 1.0 };
    // Room for the numbers.
    const NUMBER: f64 = 64.0;
    let before = if low < 0.0 { NUMBER } else { 8.0 };
    let place = |value: f64| left + before + WIDTH * (value - low) / span;
    let (top, bottom) = (72.0, 72.0 + ROW * values.len() as f64);
    let title_width = 40.0 + 10.5 * title.chars().count() as f64;
    let mut scene = Scene::new((left + before + WIDTH + NUMBER + 20.0).max(title_width), bottom + 24.0);
    let mut write = |x: f64, y: f64, text: &str, size: u32, anchor: TextAnchor| {
        let content = label(text);
        scene.add(Primitive::Text { x, y, content, size, anchor, rotate: None, bold: false, color: None });
    };
    write(20.0, 32.0, title, 18, TextAnchor::Start);
    write(20.0, 54.0, what, TEXT, TextAnchor::Start);
    let (mut x, mut y, mut w, mut h, mut fills) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::<Color>::new());
    for (row, ((name, _), &value)) in values.iter().zip(&numbers).enumerate() {
        let above = top + ROW * row as f64;
        let middle = above + 0.5 * ROW + 0.36 * f64::from(TEXT);
        write(left, middle, &shown(name), TEXT, TextAnchor::End);
        let number = format!("{value:+.3}");
        match value < 0.0 {
            true => write(place(value) - 6.0, middle, &number, TEXT, TextAnchor::End),
            false => write(place(value) + 6.0, middle, &number, TEXT, TextAnchor::Start),
        }
        x.push(place(value.min(0.0)));
        y.push(above + 3.0);
        w.push((place(value) - place(0.0)).abs().max(0.5));
        h.push(ROW - 6.0);
        fills.push(COLORS[usize::from(value < 0.0)].into());
    }
    scene.add(Primitive::RectBatch { x, y, w, h, fills });
    let (x, y, width, height) = (place(0.0) - 0.5, top, 1.0, bottom - top);
    let (fill, stroke, stroke_width) = (Color::from(GREY), None, None);
    scene.add(Primitive::Rect { x, y, width, height, fill, stroke, stroke_width, opacity: None });
    Chart { scene }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_go_to_both_sides_of_zero_and_have_their_numbers() {
        let values =
            [("morning", 0.25), ("night", -0.5), ("<b>", f64::NAN)].map(|(name, value)| (name.to_owned(), value));
        let chart = bars("Effects", "by how much", &values);
        let fills = chart.scene.elements.iter().find_map(|element| match element {
            Primitive::RectBatch { x, w, .. } => Some((x.clone(), w.clone())),
            _ => None,
        });
        let (x, w) = fills.expect("bars");
        assert!((w[1] - 2.0 * w[0]).abs() < 1e-9 && (x[1] + w[1] - x[0]).abs() < 1e-9, "{x:?} {w:?}");
        let texts = chart.texts();
        for expected in ["Effects", "by how much", "morning", "+0.250", "-0.500"] {
            assert!(texts.iter().any(|text| text == expected), "{texts:?}");
        }
        assert!(chart.png().is_ok() && bars("t", "w", &[]).png().is_ok());
    }
}
