//! A context: what its values do to predictions, and which do something together.

use std::path::Path;

use super::album::{Album, Shown};
use crate::data::{Entity, FieldId};
use crate::error::Result;
use crate::report::plot;
use crate::run::ModelFile;

/// Bars of a picture.
const DRAWN: usize = 30;

/// What a value does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ValueEffect {
    pub field: FieldId,
    pub value: u32,
    /// Training interactions with it.
    pub count: usize,
    /// By how much the mean prediction is higher with it.
    pub effect: f64,
}

/// What two values do together beyond what each does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interaction {
    pub pair: [(FieldId, u32); 2],
    /// Training interactions with both.
    pub count: usize,
    /// By how much the mean score is higher.
    pub effect: f64,
}

/// Effects of a context.
#[derive(Debug, Clone, PartialEq)]
pub struct EffectViews {
    pub effects: Vec<ValueEffect>,
    pub interactions: Vec<Interaction>,
}

/// Writes `effects.csv` and `interactions.csv`, strongest first, and pictures of the strongest.
///
/// # Errors
/// Those of [`views`](super::views).
pub fn effect_views(mut found: EffectViews, file: &ModelFile, folder: &Path) -> Result<Vec<Shown>> {
    let mut album = Album::new(folder);
    let entity = |field: FieldId| file.entity(field);
    let name = |field: FieldId| file.fields[field.0].name.as_str();
    let id = |field: FieldId, value: u32| entity(field).ids.id(value as usize);
    let titled = |field: FieldId, value: u32| title(entity(field), value).unwrap_or(id(field, value));
    found.effects.sort_by(|a, b| b.effect.abs().total_cmp(&a.effect.abs()));
    found.interactions.sort_by(|a, b| b.effect.abs().total_cmp(&a.effect.abs()));
    let line = |own: &ValueEffect| {
        let count = own.count.to_string();
        vec![name(own.field).into(), id(own.field, own.value).into(), count, format!("{:.5}", own.effect)]
    };
    let lines: Vec<_> = found.effects.iter().map(line).collect();
    let caption = "by how much each value of the context raises the mean prediction";
    album.table("effects.csv", caption, &["field", "value", "interactions", "effect"], &lines)?;
    if !found.effects.is_empty() {
        let bar = |own: &ValueEffect| (format!("{} {}", name(own.field), titled(own.field, own.value)), own.effect);
        let bars: Vec<_> = found.effects.iter().take(DRAWN).map(bar).collect();
        let chart =
            plot::bars("Effects of the context", "mean prediction with the value, less the mean as things are", &bars);
        album.chart("effects.png", "the values of the context with the largest effects", &chart)?;
    }
    let line = |own: &Interaction| {
        let [one, other] = own.pair;
        let side = |(field, value): (FieldId, u32)| {
            [name(field).to_owned(), id(field, value).to_owned(), titled(field, value).to_owned()]
        };
        let numbers = [own.count.to_string(), format!("{:.5}", own.effect)];
        side(one).into_iter().chain(side(other)).chain(numbers).collect()
    };
    let lines: Vec<Vec<String>> = found.interactions.iter().map(line).collect();
    let header = ["field", "value", "title", "with_field", "with_value", "with_title", "interactions", "effect"];
    album.table(
        "interactions.csv",
        "what frequent pairs of values do together beyond what each does",
        &header,
        &lines,
    )?;
    if !found.interactions.is_empty() {
        let side = |(field, value): (FieldId, u32)| format!("{} {}", name(field), titled(field, value));
        let bar = |own: &Interaction| (format!("{} × {}", side(own.pair[0]), side(own.pair[1])), own.effect);
        let bars: Vec<_> = found.interactions.iter().take(DRAWN).map(bar).collect();
        let what = "mean score with both values, less what each does alone";
        let chart = plot::bars("What values do together", what, &bars);
        album.chart("interactions.png", "the pairs of values with the strongest interactions", &chart)?;
    }
    Ok(album.files)
}

/// The title of a row, if it has one.
fn title(entity: &Entity, row: u32) -> Option<&str> {
    entity.title(row as usize).filter(|title| !title.is_empty())
}
