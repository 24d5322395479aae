//! Names and titles as the text of a chart.

use std::iter;

/// Text for kuva, which reads `$…$` as a formula and passes control characters on to the SVG.
pub(in crate::report) fn label(text: &str) -> String {
    text.replace(|c: char| c.is_control(), " ").replace('$', "\\$")
}

/// A name that leaves room for the curves.
pub(super) fn shortened(name: &str) -> String {
    const LONGEST: usize = 32;
    match name.char_indices().nth(LONGEST) {
        Some(_) => name.chars().take(LONGEST - 1).chain(iter::once('…')).collect(),
        None => name.into(),
    }
}
