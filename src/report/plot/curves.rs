//! Curves, with a legend beside them.

use kuva::plot::{LegendEntry, LegendShape, LinePlot, LineStyle};

use super::axis::Axis;
use super::chart::{COLORS, Chart, chart, dots};
use super::label::{label, shortened};
use super::points::{Series, drawable, spans_decades};

/// Line styles: the next one when the colors repeat after the sixth series.
const STYLES: [LineStyle; 3] = [LineStyle::Solid, LineStyle::Dashed, LineStyle::Dotted];
/// Curves of at most this many points mark each point.
const MAX_MARKED: usize = 40;

/// Joins the points of each series by lines, with a legend beside them.
///
/// The y axis is logarithmic if all values are positive and span more than three decades.
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// One series, whose name looks like markup.
    pub(in crate::report::plot) fn series(points: &[(f64, f64)]) -> Vec<Series> {
        vec![Series { name: "a <b> & $c$".into(), points: points.to_vec() }]
    }

    #[test]
    fn a_wide_positive_range_gets_a_logarithmic_axis() {
        let wide = curves("t", "x", "y", &series(&[(1.0, 1.0), (2.0, 1e-12)])).texts();
        assert!(wide.contains(&"10⁻¹²".to_owned()), "{wide:?}");
        for narrow in [[(1.0, 1.0), (2.0, 1e-2)], [(1.0, 1.0), (2.0, -1e12)]] {
            assert!(!curves("t", "x", "y", &series(&narrow)).texts().iter().any(|text| text.starts_with("10⁻")));
        }
    }

    #[test]
    fn names_are_text_and_not_markup() {
        let shown = curves("cost in $ and $", "x\u{0}y", "y", &series(&[(1.0, 2.0)])).texts();
        for expected in ["cost in $ and $", "x y", "a &lt;b&gt; &amp; $c$"] {
            assert!(shown.contains(&expected.to_owned()), "{shown:?}");
        }
        assert_eq!(shortened(&"ä".repeat(40)).chars().count(), 32);
    }
}
