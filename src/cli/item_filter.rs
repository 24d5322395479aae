//! Which items a list may have, whoever it is for.

use std::path::{Path, PathBuf};

use clap::Args;

use super::arguments::ids_in;
use super::{output, run};
use crate::config::words::joined;
use crate::data::{Bag, ITEM, UNKNOWN};
use crate::error::{Error, Result};
use crate::run::ModelFile;

/// Items to list, and not to list.
#[derive(Debug, Args)]
pub struct ItemFilter {
    /// Recommend only items whose ids are in this file, one a line.
    #[arg(long, value_name = "FILE")]
    allow: Option<PathBuf>,
    /// Recommend no item whose id is in this file, one a line.
    #[arg(long, value_name = "FILE")]
    deny: Option<PathBuf>,
    /// Recommend only items with this value of a feature, as in `genre=Comedy`; of several, all must hold.
    #[arg(long, value_name = "FEATURE=VALUE")]
    category: Vec<String>,
}

impl ItemFilter {
    /// The items that lists must not have, ascending.
    ///
    /// # Errors
    /// [`Error::Usage`] for a file without an item of the model, or a value that no item has.
    pub fn outside(&self, open: &run::OpenRun) -> Result<Vec<u32>> {
        let count = open.file.items().len();
        let mut is_out = vec![self.allow.is_some(); count];
        let mut mark = |rows: Vec<u32>, out: bool| rows.into_iter().for_each(|row| is_out[row as usize] = out);
        if let Some(path) = &self.allow {
            mark(rows(path, open)?, false);
        }
        if let Some(path) = &self.deny {
            mark(rows(path, open)?, true);
        }
        for category in &self.category {
            let is_in = category_of(&open.file, category)?;
            mark((0..count as u32).filter(|&item| !is_in(item)).collect(), true);
        }
        Ok((0..).zip(&is_out).filter(|(_, out)| **out).map(|(item, _)| item).collect())
    }
}

/// The items of the model whose ids are in a file.
fn rows(path: &Path, open: &run::OpenRun) -> Result<Vec<u32>> {
    let items = open.file.items();
    let ids = ids_in(path)?;
    let rows: Vec<u32> =
        ids.iter().map(|id| items.index(id).unwrap_or(UNKNOWN)).filter(|&row| row != UNKNOWN).collect();
    if rows.is_empty() {
        return Err(Error::Usage(format!("{}: none of its ids is an item of this model", path.display())));
    }
    let unknown = ids.len() - rows.len();
    if unknown > 0 {
        output::message(&format!("{}: {unknown} of {} ids are no items of this model", path.display(), ids.len()));
    }
    Ok(rows)
}

/// Whether an item has the value of a feature that `asked` names.
fn category_of<'a>(file: &'a ModelFile, asked: &str) -> Result<impl Fn(u32) -> bool + use<'a>> {
    let (name, value) = asked.split_once('=').ok_or_else(|| {
        Error::Usage(format!("--category {asked:?}: write it as FEATURE=VALUE, such as \"genre=Comedy\""))
    })?;
    let items = file.fields[ITEM.0].entity;
    let is_own = |bag: &&Bag| bag.frame.is_feature && bag.frame.owner == items;
    let Some(bag) = file.bags.iter().filter(is_own).find(|bag| bag.frame.name == name) else {
        let known: Vec<&str> = file.bags.iter().filter(is_own).map(|bag| bag.frame.name.as_str()).collect();
        return Err(Error::Usage(match known[..] {
            [] => {
                format!("--category {asked:?}: the items of this model have no features; data.item_features gives some")
            }
            _ => format!("--category {asked:?}: items have no feature {name:?}, but {}", joined(&known, "and")),
        }));
    };
    let values = &file.entities[bag.frame.of].ids;
    let Some(value) = values.index(value) else {
        const MOST: usize = 20;
        let mut known: Vec<&str> = values.ids().take(MOST).collect();
        known.extend((values.len() > MOST).then_some("…"));
        return Err(Error::Usage(format!("--category {asked:?}: no item has it; values are {}", known.join(", "))));
    };
    Ok(move |item| bag.of_row(item).0.contains(&value))
}
