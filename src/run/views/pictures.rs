//! Data that are pictures: reconstructions, components, recognition.

use super::album::Album;
use super::documents::classes;
use super::factors::Factors;
use super::findings::{Compression, HeldOut, Recognition};
use crate::data::{ITEM, Interactions, USER, class_of};
use crate::error::Result;
use crate::eval::neighbours::closest;
use crate::eval::psnr::{PEAK, psnr};
use crate::report::pictures::{Shades, Tile, sheet};

/// Numbers of components that a picture is shown with, as far as the rank goes; the rank itself is the last.
const LADDER: [usize; 10] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
/// Most components in the gallery.
const MAX_GALLERY: usize = 59;
/// Most held-out pictures shown beside what they were taken for, and most of those that were taken for a wrong class.
const MAX_SHOWN: (usize, usize) = (20, 8);

/// `reconstructions.png` and `compression.csv`: the picture from its strongest components. Cells that are not stored are
/// black in the original, and are left out of the signal-to-noise ratio.
pub fn reconstructions(
    factors: &Factors,
    train: &Interactions,
    (width, channels): (usize, usize),
    album: &mut Album,
) -> Result<Vec<Compression>> {
    let (rows, columns) = (factors.rows.len(), factors.columns.len());
    let mut original = vec![0.0; rows * columns];
    let (of_rows, of_columns) = (train.column(USER), train.column(ITEM));
    let place = |at: usize| of_rows[at] as usize * columns + of_columns[at] as usize;
    (0..train.len()).for_each(|at| original[place(at)] = train.targets[at]);
    let shares = factors.shares(train);
    let order = factors.order(shares.as_deref());
    let mut sum = factors.means.map_or(vec![0.0; rows * columns], |means| means.repeat(rows));
    let mut tiles = vec![Tile::picture("original", &original, width, channels)];
    let mut steps = Vec::new();
    let mut done = 0;
    for rank in LADDER.into_iter().filter(|&rank| rank < factors.rank).chain([factors.rank]) {
        factors.add_components(&order[done..rank], &mut sum);
        done = rank;
        let shown: Vec<f32> = (0..train.len()).map(|at| sum[place(at)]).collect();
        let psnr = psnr(&train.targets, &shown, PEAK);
        let plural = if rank == 1 { "" } else { "s" };
        tiles.push(Tile::picture(format!("{rank} component{plural}: {psnr:.1} dB"), &sum, width, channels));
        let numbers = rank * (rows + columns) + factors.means.map_or(0, <[f32]>::len);
        let psnr = psnr.is_finite().then_some(psnr);
        steps.push(Compression { rank, psnr, stored_bytes: 4 * numbers, original_bytes: rows * columns });
    }
    let which = if shares.is_some() { "strongest" } else { "first" };
    let title = format!("{rows} × {width} pixels from the {which} components");
    album.picture("reconstructions.png", &title, sheet(&title, &tiles, tiles.len().min(4))?)?;
    let line = |step: &Compression| {
        let psnr = step.psnr.map_or("inf".into(), |psnr| psnr.to_string());
        vec![step.rank.to_string(), psnr, step.stored_bytes.to_string(), step.original_bytes.to_string()]
    };
    let lines: Vec<_> = steps.iter().map(line).collect();
    let caption = "components against peak signal-to-noise ratio and size";
    album.table("compression.csv", caption, &["rank", "psnr_db", "stored_bytes", "original_bytes"], &lines)?;
    Ok(steps)
}

/// `gallery.png`: the mean picture, if there is one, and the components as pictures. Of non-negative factors, white is
/// 0 and black the largest weight; otherwise grey is 0, black the most negative and white the most positive.
pub fn gallery(factors: &Factors, width: usize, shares: Option<&[f64]>, album: &mut Album) -> Result<()> {
    let shades = if factors.non_negative { Shades::Parts } else { Shades::Symmetric };
    let mut tiles: Vec<Tile> =
        factors.means.iter().map(|means| Tile::grey("mean", means, width, Shades::Range)).collect();
    let order = factors.order(shares);
    for &component in order.iter().take(MAX_GALLERY) {
        let share = shares.map_or(String::new(), |shares| format!(": {}", percent(shares[component])));
        tiles.push(Tile::grey(format!("{}{share}", component + 1), &factors.component(component), width, shades));
    }
    let which = match factors.rank {
        rank if rank > MAX_GALLERY => format!("The {MAX_GALLERY} strongest of {rank} components"),
        1 => "The component".into(),
        rank => format!("{rank} components"),
    };
    let share = match (shares, factors.singular_values, factors.means) {
        (None, ..) => "",
        (_, None, _) => " and their shares of the sum",
        (_, _, None) => " and the sum of squares they explain",
        (_, _, Some(_)) => " and the variance they explain",
    };
    let title = which + share;
    album.picture("gallery.png", &title, sheet(&title, &tiles, 10)?)
}

/// `recognition.png`, and how many held-out pictures have the class of the training picture that is nearest to them in
/// the space of the components (each of unit length). `None` if a picture has no class.
pub fn recognition(
    factors: &Factors,
    train: &Interactions,
    (held_out, projected): (HeldOut, &[f32]),
    width: usize,
    album: &mut Album,
) -> Result<Option<Recognition>> {
    let own_classes: Option<Vec<&str>> = held_out.ids.iter().map(|id| class_of(id)).collect();
    let (Some(classes), Some(own_classes)) = (classes(factors), own_classes) else { return Ok(None) };
    let found = closest(&factors.scaled(projected), &factors.scaled(factors.w), factors.rank);
    let Some(found) = found.filter(|found| !found.is_empty()) else { return Ok(None) };
    let (right, wrong): (Vec<usize>, Vec<usize>) =
        (0..found.len()).partition(|&at| classes[found[at]] == own_classes[at]);
    let accuracy = right.len() as f64 / found.len() as f64;

    let (most, most_wrong) = MAX_SHOWN;
    let mut shown = wrong[..wrong.len().min(most_wrong)].to_vec();
    // Evenly among the others.
    let count = right.len().min(most - shown.len());
    shown.extend((0..count).map(|at| right[at * right.len() / count]));
    let columns = factors.columns.len();
    let training = pictures(train, &shown.iter().map(|&at| found[at]).collect::<Vec<_>>(), columns);
    let mut tiles = Vec::new();
    for (&at, nearest) in shown.iter().zip(&training) {
        let own = &held_out.rows[at * columns..][..columns];
        let sign = if classes[found[at]] == own_classes[at] { "=" } else { "≠" };
        tiles.push(Tile::grey(held_out.ids[at].as_str(), own, width, Shades::Range));
        tiles.push(Tile::grey(format!("{sign} {}", factors.rows.id(found[at])), nearest, width, Shades::Range));
    }
    let title = format!("Held-out pictures and the nearest in training: {} of the right class", percent(accuracy));
    album.picture("recognition.png", &title, sheet(&title, &tiles, 10)?)?;
    Ok(Some(Recognition { count: found.len(), accuracy }))
}

/// Some rows of the data, zeros included.
fn pictures(train: &Interactions, rows: &[usize], columns: usize) -> Vec<Vec<f32>> {
    let mut pictures = vec![vec![0.0; columns]; rows.len()];
    let cells = train.column(USER).iter().zip(train.column(ITEM)).zip(&train.targets);
    for ((&own, &column), &value) in cells {
        for (picture, _) in pictures.iter_mut().zip(rows).filter(|(_, row)| **row == own as usize) {
            picture[column as usize] = value;
        }
    }
    pictures
}

/// A share as people read it.
fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}
