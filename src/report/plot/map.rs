//! Points of several kinds on one plane, with names beside them.

use kuva::plot::LegendShape;
use kuva::render::layout::ComputedLayout;
use kuva::render::render::{Primitive, Scene, TextAnchor};

use super::axis::Axis;
use super::chart::{COLORS, Chart, GREY, dots, drawn, entry};
use super::label::{label, shortened};
use super::points::{Series, drawable};

/// Points of several kinds on one plane, named beside them.
///
/// `names` holds the names of each series' points, or nothing for dots only. Each name takes the nearest free place,
/// the first ones first, with a line back to its point if it is not beside it; a name without a free place near its
/// point is omitted.
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

/// Writes names beside points without overlapping another name or a point.
fn add_names(scene: &mut Scene, frame: &ComputedLayout, named: &[((f64, f64), String)]) {
    const TEXT: u32 = 12;
    const HALF_HEIGHT: f64 = 7.0;
    /// Distances from the point to the name's edge. From the second on, a line is drawn.
    const DISTANCES: [f64; 8] = [5.0, 14.0, 24.0, 36.0, 50.0, 66.0, 84.0, 104.0];
    let points: Vec<(f64, f64)> = named.iter().map(|((x, y), _)| (frame.map_x(*x), frame.map_y(*y))).collect();
    // Centre and half the width of the placed names.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_names_its_points_and_its_kinds() {
        let kinds = [Series { name: "terms".into(), points: vec![(1.0, 2.0), (f64::NAN, 1.0), (2.0, 1.0)] }];
        let names = [["one", "two", "three"].map(String::from).to_vec()];
        let shown = map("t", "x", "y", &kinds, &names).texts();
        assert!(shown.contains(&"one".into()) && !shown.contains(&"two".into()) && shown.contains(&"three".into()));
        assert!(!shown.contains(&"terms".into()), "one kind needs no legend");
        let two = [kinds[0].clone(), Series { name: "dots".into(), points: vec![(0.0, 0.0)] }];
        let shown = map("t", "x", "y", &two, &[names[0].clone(), vec![]]).texts();
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
}
