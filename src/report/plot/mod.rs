//! Charts as PNG and SVG: curves, maps with names, heat maps, and predictions against the truth.
//!
//! Any numbers can be drawn: points that are not finite (or beyond ±10¹⁰⁰) are skipped, and if none are left the axes
//! are empty.

mod axis;
mod bars;
mod chart;
mod curves;
mod heat_map;
mod label;
mod map;
mod panels;
mod points;
mod predictions;

pub use bars::bars;
pub use chart::{Chart, Png};
pub use curves::curves;
pub use heat_map::heat_map;
pub(super) use label::label;
pub use map::map;
pub use panels::{Panel, PanelAxis, panels};
pub use points::Series;
pub use predictions::prediction_vs_truth;

#[cfg(test)]
mod tests {
    use super::curves::tests::series;
    use super::*;

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
}
