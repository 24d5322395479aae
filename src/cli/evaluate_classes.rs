//! `lowrank evaluate --classes`: whether near rows are of one class.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;

use super::output;
use crate::data::USER;
use crate::data::read::read_classes;
use crate::device::to_vec;
use crate::error::{Error, Result};
use crate::eval::neighbours::vote;
use crate::model::TableKind;
use crate::run::ModelFile;

/// Neighbours that vote.
const NEIGHBOURS: usize = 10;

/// Prints how often the nearest rows tell the class of a row, beside the most frequent class and chance.
pub fn evaluate_classes(file: &ModelFile, path: &Path, columns: Option<&[String]>, as_json: bool) -> Result<()> {
    let classes = read_classes(path, columns, file.users(), &mut |note| output::message(note))?;
    let tables = file.model.tables();
    let is_own = |table: &&&crate::model::Table| table.group().kind == TableKind::Factors && table.is_indexed_by(USER);
    let table = tables.iter().find(is_own).ok_or_else(|| {
        Error::Usage(format!(
            "model.kind = {:?} has no factors, by which rows could be near each other",
            file.kind.name
        ))
    })?;
    let (width, values) = (table.rows.dims()[1], to_vec(table.rows.val()));
    // Rows without a class neither vote nor are asked.
    let known: Vec<usize> = (0..classes.len()).filter(|&row| !classes[row].is_empty()).collect();
    let rows: Vec<f32> = known.iter().flat_map(|&row| &values[row * width..][..width]).copied().collect();
    let classes: Vec<&str> = known.iter().map(|&row| classes[row].as_str()).collect();
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    classes.iter().for_each(|class| *sizes.entry(class).or_default() += 1);
    if sizes.len() < 2 {
        return Err(Error::Usage(format!("{}: the rows of this model have less than two classes", path.display())));
    }
    let share = |count: usize| count as f64 / classes.len() as f64;
    let majority = share(sizes.values().copied().max().unwrap_or(0));
    let chance: f64 = sizes.values().map(|&size| share(size).powi(2)).sum();
    let recovered = vote(&rows, width, &classes, NEIGHBOURS);
    if as_json {
        return output::print_json(&json!({
            "rows": classes.len(), "classes": sizes.len(), "neighbours": NEIGHBOURS, "accuracy": recovered,
            "majority": majority, "chance": chance,
        }));
    }
    let line = |name: String, value: f64| vec![name, format!("{value:.4}")];
    let lines = [
        line(format!("the most frequent class of the {NEIGHBOURS} nearest"), recovered),
        line("always the most frequent class of all".into(), majority),
        line("chance, by the shares of the classes".into(), chance),
    ];
    output::print(&format!(
        "{} rows of {} classes\n\n{}",
        classes.len(),
        sizes.len(),
        output::table(&["class told by", "accuracy"], &lines)
    ))
}
