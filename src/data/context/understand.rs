//! Cells and moments as rows of entities.

use std::collections::HashMap;

use super::form::{CellForm, JOINT, WEIGHT};
use super::moment::{FIRST, TimeColumn, gap};
use crate::data::read::{finite_number, is_missing};
use crate::data::times::seconds;
use crate::data::values::Members;
use crate::data::{Dataset, Entity, Field, Interactions, UNKNOWN, USER, Vocabulary};
use crate::error::{Error, Result};
use crate::linalg::Groups;
use crate::tables::grouped;

/// The section of the keys.
pub(super) const SECTION: &str = "data.context_columns";

/// The key of this name.
pub(super) fn of(name: &str) -> String {
    format!("{SECTION}.{name}")
}

/// A cell that its column's form does not take.
#[derive(Debug)]
pub(crate) struct Misread {
    /// The position of the first interaction that has it.
    pub at: usize,
    /// What is wrong, and what to do.
    pub message: String,
}

/// Has the columns of `dataset` understood as the fields of a model say, and adds those of time that the model has.
///
/// # Errors
/// [`Error::Usage`] for a cell that its form does not take, and for data without times.
pub fn understand_as(dataset: &mut Dataset, fields: &[Field]) -> Result<()> {
    for field in fields {
        let Some(form) = &field.form else { continue };
        match (dataset.fields.iter().position(|own| own.name == field.name), form) {
            (Some(at), form) if dataset.fields[at].form.is_none() => {
                understand(dataset, at, form.clone()).map_err(|misread| Error::Usage(misread.message))?;
            }
            (None, CellForm::Time(column, _)) => {
                add_time(dataset, &field.name, form.clone())?;
                if *column == TimeColumn::Gap {
                    dataset
                        .notes
                        .push(format!("{}: of each user's interactions, those in this file count", field.name));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// The id of what somebody types for a column of the context: the cell, or the value that it stands for.
///
/// # Errors
/// What was expected.
pub fn typed(field: &Field, text: &str) -> Result<String, &'static str> {
    let Some(form) = field.form.as_ref().filter(|form| !form.is_summed()) else { return Ok(text.into()) };
    if form.names(text) {
        return Ok(text.into());
    }
    Ok(values_of(form, &field.name, text)?.pop().map(|(value, _)| value).unwrap_or_default())
}

/// The value of a column of time at a moment; `None` for another column, and if the moment does not tell.
pub fn at_moment(field: &Field, timestamp: i64) -> Option<String> {
    field.form.as_ref()?.at(timestamp)
}

/// The members of a cell among the `values` that a model knows, if the field's cells are sums of these.
pub fn members_of(field: &Field, cell: &str, values: &Vocabulary) -> Option<Vec<(u32, f32)>> {
    let form = field.form.as_ref().filter(|form| form.is_summed())?;
    let own = values_of(form, &field.name, cell).ok()?;
    Some(own.into_iter().filter_map(|(value, weight)| Some((values.index(&value)?, weight))).collect())
}

/// The values of a cell with their weights; none for a missing one.
fn values_of(form: &CellForm, name: &str, cell: &str) -> Result<Vec<(String, f32)>, &'static str> {
    if !form.is_of_numbers() {
        return Ok(form.values(name, cell, None));
    }
    match finite_number(cell.as_bytes()) {
        None if !is_missing(cell) => Err("expected a number"),
        number => Ok(form.values(name, cell, number)),
    }
}

/// A column of the context with cells that a reader joined and no form that takes them apart, and where it has the first.
pub(super) fn unnamed_list(dataset: &Dataset) -> Option<(String, usize)> {
    let fields = dataset.fields.iter().zip(&dataset.interactions.columns).skip(2);
    fields.filter(|(field, _)| field.form.is_none()).find_map(|(field, column)| {
        let ids = &dataset.entities[field.entity].ids;
        let row = ids.ids().position(|cell| cell.contains([JOINT, WEIGHT]))?;
        Some((field.name.clone(), column.iter().position(|&cell| cell as usize == row).unwrap_or_default()))
    })
}

/// The numbers of a column, each as often as it occurs; what is none is found later.
pub(super) fn numbers(dataset: &Dataset, name: &str) -> Vec<f32> {
    let Some(field) = dataset.fields.iter().position(|field| field.name == name) else { return Vec::new() };
    let ids = &dataset.entities[dataset.fields[field].entity].ids;
    let of_cells: Vec<Option<f32>> = ids.ids().map(|cell| finite_number(cell.as_bytes())).collect();
    let cells = &dataset.interactions.columns[field];
    cells.iter().filter_map(|&cell| *of_cells.get(cell as usize)?).collect()
}

/// Has a column understood as `form` says.
pub(super) fn understand(dataset: &mut Dataset, field: usize, form: CellForm) -> Result<(), Misread> {
    let Field { name, entity, .. } = dataset.fields[field].clone();
    let cells = &dataset.entities[entity].ids;
    let count = cells.len();
    let column = &dataset.interactions.columns[field];
    let of_cell = |(row, cell): (u32, &str)| {
        values_of(&form, &name, cell).map_err(|expected| Misread {
            at: column.iter().position(|&other| other == row).unwrap_or_default(),
            message: format!("{name} is {cell:?}: {expected}; a column of words is left out of {}", of("numbers")),
        })
    };
    let mut values = Vocabulary::default();
    if form.is_summed() {
        let mut members =
            |own: Vec<(String, f32)>| own.iter().map(|(value, weight)| (values.insert(value), *weight)).collect();
        let of_lines =
            (0..).zip(cells.ids()).map(|cell| Ok(members(of_cell(cell)?))).collect::<Result<_, Misread>>()?;
        dataset.entities[entity].name = format!("{name}_cell");
        let rows: Vec<u32> = (0..count as u32).collect();
        Members { values, of_lines }.add_to(dataset, entity, &name, &rows, count);
    } else {
        let mut index = |own: Vec<(String, f32)>| own.first().map_or(UNKNOWN, |(value, _)| values.insert(value));
        let new: Vec<u32> =
            (0..).zip(cells.ids()).map(|cell| Ok(index(of_cell(cell)?))).collect::<Result<_, Misread>>()?;
        if let CellForm::Hashed(buckets) = form {
            let [words, used, shared] = [count, values.len(), count - values.len()].map(|count| grouped(count as u64));
            let buckets = grouped(buckets);
            dataset.notes.push(format!(
                "{name}: {words} words share {used} of {buckets} values, {shared} of them with an earlier one"
            ));
        }
        let renumber = |cell: &mut u32| *cell = new.get(*cell as usize).copied().unwrap_or(UNKNOWN);
        dataset.interactions.columns[field].iter_mut().for_each(renumber);
        dataset.entities[entity].ids = values;
    }
    dataset.fields[field].form = Some(form);
    Ok(())
}

/// Adds a column of time.
pub(super) fn add_time(dataset: &mut Dataset, name: &str, form: CellForm) -> Result<()> {
    let times = times(dataset)?;
    let mut values = Vocabulary::default();
    let column = match &form {
        CellForm::Time(TimeColumn::Gap, _) => gaps(&dataset.interactions, times, &mut values),
        form => {
            // Few values for many moments: those of one minute have the same.
            let mut known: HashMap<i64, u32> = HashMap::new();
            let mut index = |&time: &i64| match matches!(form, CellForm::Time(TimeColumn::Period, _)) {
                true => form.at(time).map_or(UNKNOWN, |value| values.insert(&value)),
                false => *known
                    .entry(seconds(time).div_euclid(60))
                    .or_insert_with(|| form.at(time).map_or(UNKNOWN, |value| values.insert(&value))),
            };
            times.iter().map(&mut index).collect()
        }
    };
    dataset.fields.push(Field { form: Some(form), ..Field::new(name, dataset.entities.len()) });
    dataset.entities.push(Entity { ids: values, ..Entity::new(name) });
    dataset.interactions.columns.push(column);
    Ok(())
}

/// The gap before each interaction.
fn gaps(interactions: &Interactions, times: &[i64], values: &mut Vocabulary) -> Vec<u32> {
    let users = interactions.column(USER);
    let count = users.iter().max().map_or(0, |most| *most as usize + 1);
    let mut groups = Groups::of_positions(count, users.iter().map(|&user| user as usize));
    let mut column = vec![UNKNOWN; times.len()];
    let at = |position: u32| seconds(times[position as usize]);
    groups.for_each_mut(|own| {
        own.sort_by_key(|&position| at(position));
        let mut before = None;
        for &position in &*own {
            let name = before.map_or(FIRST, |before| gap(at(position).saturating_sub(before)));
            column[position as usize] = values.insert(name);
            before = Some(at(position));
        }
    });
    column
}

pub(super) fn times(dataset: &Dataset) -> Result<&[i64]> {
    let message = || format!("{} needs times, but the data have none; add a column named \"timestamp\"", of("times"));
    dataset.interactions.timestamps.as_deref().ok_or_else(|| Error::Usage(message()))
}
