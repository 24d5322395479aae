//! A form of data: lines of names and values, `user=7 item=x rating=4 day=monday`.

use std::path::Path;

use lowrank::config::{Key, KeyKind, Keys, Values};
use lowrank::data::read::{Hash, Reader, ReaderPart, context_key, read_text};
use lowrank::data::{Dataset, UNKNOWN};
use lowrank::error::{Error, Result};

/// The reader.
#[derive(Debug, Clone)]
pub struct Pairs {
    /// What stands between a name and its value.
    assign: String,
    /// Names beside user, item and rating that are read; a line without one of them does not know it.
    context: Vec<String>,
}

impl Reader for Pairs {
    fn read(&self, path: &Path, dataset: &mut Dataset) -> Result<Hash> {
        let (text, hash) = read_text(path)?;
        dataset.add_fields(&self.context);
        for (number, line) in text.lines().enumerate() {
            let problem = |message: String| Error::data(path, format!("line {}: {message}", number + 1));
            let find = |name: &str| {
                let pairs = line.split_whitespace().filter_map(|pair| pair.split_once(&*self.assign));
                pairs.into_iter().find(|(found, _)| *found == name).map(|(_, value)| value)
            };
            let required = |name: &str| find(name).ok_or_else(|| problem(format!("there is no {name}")));
            let rating = required("rating")?;
            let rating = rating.parse().ok().filter(|rating: &f32| rating.is_finite());
            let rating = rating.ok_or_else(|| problem("the rating is no number".into()))?;
            let fields = ["user", "item"].into_iter().map(|name| Ok(Some(required(name)?)));
            let context = self.context.iter().map(|name| Ok(find(name)));
            let ids = fields.chain(context).collect::<Result<Vec<_>>>()?;
            for (at, id) in ids.into_iter().enumerate() {
                let entity = &mut dataset.entities[dataset.fields[at].entity];
                dataset.interactions.columns[at].push(id.map_or(UNKNOWN, |id| entity.ids.insert(id)));
            }
            dataset.interactions.targets.push(rating);
        }
        Ok(hash)
    }

    fn recognizes(&self, path: &Path) -> Result<bool> {
        Ok(path.extension().is_some_and(|extension| extension == "pairs"))
    }
}

impl ReaderPart for Pairs {
    const NAME: &'static str = "pairs";

    fn keys() -> Keys {
        let assign = Key::new("data.assign", KeyKind::Text, "What stands between a name and its value.");
        Keys::new([assign.default("'='"), context_key()])
    }

    fn of(values: &Values) -> Self {
        let context = values.find("data.context").unwrap_or_default();
        Self { assign: values.get("data.assign"), context }
    }
}
