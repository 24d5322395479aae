//! Probabilities: whether of what is predicted with a probability, such a share happens.

use std::path::Path;

use super::album::{Album, Shown};
use crate::error::Result;
use crate::metric::CalibrationGroup;
use crate::report::plot::{self, Series};

/// Writes `calibration.png`: the mean target over the mean prediction in each of ten groups of the interactions of `part`.
///
/// # Errors
/// Those of [`views`](super::views).
pub fn calibration_view(part: &str, groups: &[CalibrationGroup], folder: &Path) -> Result<Vec<Shown>> {
    let mut album = Album::new(folder);
    let points = groups.iter().map(|group| (group.predicted, group.observed)).collect();
    let series = [
        Series { name: "observed".into(), points },
        Series { name: "as predicted".into(), points: vec![(0.0, 0.0), (1.0, 1.0)] },
    ];
    let title = format!("Calibration on the {part} part");
    let caption = format!("what happens of what is predicted, in ten groups of the {part} part");
    album.chart("calibration.png", &caption, &plot::curves(&title, "predicted", "observed share", &series))?;
    Ok(album.files)
}
