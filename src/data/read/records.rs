//! Lines of which each is an interaction with named parts.

use super::bad_lines::{BadLines, LeftOut};
use super::text::{Line, Lines};
use crate::data::normal_form::composed;
use crate::data::{Dataset, UNKNOWN};
use crate::error::Result;

/// An interaction as a line tells it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Record {
    pub user: String,
    pub item: String,
    pub rating: f32,
    pub timestamp: Option<i64>,
    /// The cell of each column of the context; empty if it says nothing.
    pub context: Vec<String>,
}

/// Adds the interaction that `parse` makes of each line to `dataset`, with these columns of the context. If every line is bad,
/// `remedy` says what to do.
///
/// # Errors
/// Those of `parse`, unless lines that are none are left out.
pub(super) fn add_records(
    mut lines: Lines,
    bad_lines: BadLines,
    context: &[String],
    dataset: &mut Dataset,
    remedy: &str,
    mut parse: impl FnMut(Line) -> Result<Record>,
) -> Result<()> {
    dataset.add_fields(context);
    let before = dataset.interactions.len();
    let places: Vec<usize> =
        context.iter().filter_map(|name| dataset.fields.iter().position(|field| field.name == *name)).collect();
    let mut left_out = LeftOut::new(bad_lines);
    while let Some(line) = lines.next()? {
        match parse(line) {
            Ok(record) => {
                let pair = dataset.pair_mut();
                let indices = [&record.user, &record.item].map(|id| composed(id));
                let indices = [pair.users.insert(&indices[0]), pair.items.insert(&indices[1])];
                dataset.interactions.push(indices, record.rating, record.timestamp);
                for (&at, cell) in places.iter().zip(&record.context) {
                    let ids = &mut dataset.entities[dataset.fields[at].entity].ids;
                    let index = if cell.is_empty() { UNKNOWN } else { ids.insert(&composed(cell)) };
                    dataset.interactions.columns[at].push(index);
                }
            }
            Err(error) => left_out.add(error)?,
        }
    }
    let kept = dataset.interactions.len() - before;
    dataset.notes.extend(left_out.close(kept, remedy, &lines)?);
    Ok(())
}
