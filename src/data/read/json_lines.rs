//! JSON lines: an object a line, such as `{"user": "ann", "item": "x", "rating": 4, "tags": ["old", "short"]}`.

use std::path::Path;

use serde_json::{Map, Value};

use super::bad_lines::BadLines;
use super::folder::has_extension;
use super::hash::Hash;
use super::reader::{Reader, ReaderPart, read_lines};
use super::records::{Record, add_records};
use super::roles::Role;
use super::shared_keys::{
    TIME_FORMAT, bad_lines_key, check_context, check_time_format, columns_key, context_key, skip_key, time_format,
    time_format_key,
};
use super::text::{Line, Lines, decode, finite_number, listed};
use crate::config::words::joined;
use crate::config::{Keys, Values};
use crate::data::Dataset;
use crate::data::context::JOINT;
use crate::data::times::{TimeFormat, moment};
use crate::error::{Error, Result};

/// An object a line. Its members are found by their names as the columns of a [`Delimited`](super::Delimited) file are by those of
/// its header; `a.b` is member `b` of the object `a`.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct JsonObjects {
    /// Which member is what, as in `"user=reviewerID"`; those that are not named are found.
    pub columns: Vec<String>,
    /// Members that describe an interaction beside user and item; one that is an array has several values.
    pub context: Vec<String>,
    /// Lines at the start of the file to leave out.
    pub skip_lines: usize,
    /// How times are written; see [`Delimited`](super::Delimited).
    pub time_format: Option<String>,
    /// What becomes of lines that are no ratings.
    pub bad_lines: BadLines,
}

impl Reader for JsonObjects {
    fn read(&self, path: &Path, dataset: &mut Dataset) -> Result<Hash> {
        read_lines(path, self.skip_lines, |lines| read(lines, self, dataset))
    }

    fn lines_of(&self, path: &Path, user: &str, item: &str) -> Result<Vec<u64>> {
        let mut found = Vec::new();
        let format = self.time_format.as_deref().map(time_format).transpose()?;
        read_lines(path, self.skip_lines, |mut lines| {
            let names = Names::of(&lines, self)?;
            while let Some(line) = lines.next()? {
                if names.record(line, self, format.as_ref()).is_ok_and(|own| own.user == user && own.item == item) {
                    found.push(line.number);
                }
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// By the name of the file.
    fn recognizes(&self, path: &Path) -> Result<bool> {
        Ok(has_extension(path, &["jsonl", "ndjson", "json"]))
    }
}

impl ReaderPart for JsonObjects {
    const NAME: &'static str = "json-lines";

    fn keys() -> Keys {
        Keys::new([columns_key(), time_format_key(), context_key(), skip_key(), bad_lines_key()])
            .rule(|values| check_context(values).into_iter().collect())
            .rule(|values| check_time_format(values).into_iter().collect())
    }

    fn of(values: &Values) -> Self {
        Self {
            columns: values.find("data.columns").unwrap_or_default(),
            context: values.find(&context_key().path).unwrap_or_default(),
            skip_lines: values.get("data.skip_lines"),
            time_format: values.find(TIME_FORMAT),
            bad_lines: values.get("data.bad_lines"),
        }
    }
}

/// Lines that tell what members there are.
const LOOKED_AT: usize = 20;

/// What members are called.
struct Names {
    user: String,
    item: String,
    rating: Option<String>,
    timestamp: Option<String>,
}

impl Names {
    /// As the options say, or as the first lines of a file tell.
    fn of(lines: &Lines, options: &JsonObjects) -> Result<Self> {
        let ahead = lines.ahead(LOOKED_AT);
        // One that is none is found again when it is read; if none is one, there are no names.
        let mut objects: Vec<_> = ahead.iter().filter_map(|&line| object(line).ok()).collect();
        if let ([], Some(&first)) = (&objects[..], ahead.first()) {
            objects.push(object(first)?);
        }
        let mut distinct: Vec<&String> = Vec::new();
        for name in objects.iter().flat_map(Map::keys).filter(|name| !options.context.contains(name)) {
            if !distinct.contains(&name) {
                distinct.push(name);
            }
        }
        let given = |role: Role| {
            let own = options.columns.iter().filter_map(|column| column.split_once('='));
            own.into_iter().find(|(word, _)| *word == role.noun()).map(|(_, name)| name.to_string())
        };
        let is_role =
            |word: &str| [Role::User, Role::Item, Role::Rating, Role::Timestamp].iter().any(|role| role.noun() == word);
        if let Some(wrong) =
            options.columns.iter().find(|column| !column.split_once('=').is_some_and(|(word, _)| is_role(word)))
        {
            return Err(Error::Usage(format!(
                "columns: {wrong:?} says nothing of JSON lines; write \"user=NAME\", and so for item, rating and timestamp"
            )));
        }
        let one = |role: Role| {
            let fit: Vec<usize> = (0..distinct.len()).filter(|&at| Role::of(distinct[at]) == Some(role)).collect();
            let noun = role.noun();
            match (given(role), &fit[..]) {
                (Some(name), _) => Ok(Some(name)),
                (None, []) => Ok(None),
                (None, [at]) => Ok(Some(distinct[*at].clone())),
                (None, several) => Err(lines.error(format!(
                    "{} can each be the {noun}; say which in data.columns, as in [\"{noun}={}\"]",
                    joined(&several.iter().map(|&at| format!("{:?}", distinct[at])).collect::<Vec<_>>(), "and"),
                    distinct[several[0]]
                ))),
            }
        };
        let needed = |role: Role| {
            one(role)?.ok_or_else(|| {
                lines.error(format!(
                    "no member is known for the {0} ({1}); say which it is in data.columns, as in [\"{0}=NAME\"]",
                    role.noun(),
                    listed(&distinct)
                ))
            })
        };
        Ok(Self {
            user: needed(Role::User)?,
            item: needed(Role::Item)?,
            rating: one(Role::Rating)?,
            timestamp: one(Role::Timestamp)?,
        })
    }

    /// The interaction of a line.
    fn record(&self, line: Line, options: &JsonObjects, format: Option<&TimeFormat>) -> Result<Record> {
        let object = object(line)?;
        let text = |name: &str| match member(&object, name) {
            None | Some(Value::Null) => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.trim().to_string()),
            Some(Value::Bool(value)) => Ok(value.to_string()),
            Some(Value::Number(number)) => Ok(number.to_string()),
            Some(Value::Array(_) | Value::Object(_)) => Err(line.error(format!("{name} is not one value"))),
        };
        let id = |name: &str| match text(name)? {
            id if id.is_empty() => {
                Err(line.error(format!("{name} is missing or empty; give an id or remove the line")))
            }
            id => Ok(id),
        };
        let rating = match &self.rating {
            None => 1.0,
            Some(name) => {
                let text = text(name)?;
                let flag = ["false", "true"].iter().position(|word| *word == text).map(|flag| flag as f32);
                let number = flag.or_else(|| finite_number(text.as_bytes()));
                number.ok_or_else(|| line.error(format!("{name} is {text:?}; expected a number like 3.5")))?
            }
        };
        let timestamp = |name: &String| {
            let text = text(name)?;
            let parsed = format.map_or_else(|| moment(&text), |format| format.moment(&text));
            parsed.ok_or_else(|| {
                let remedy = "write it as seconds since 1970 or like 2010-12-01 08:26:00, or say in data.time_format how it is written";
                line.error(format!("{name} is {text:?}, which is no time; {remedy}"))
            })
        };
        let cell = |name: &String| match member(&object, name) {
            Some(Value::Array(values)) => {
                let values = values.iter().map(|value| match value {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                });
                Ok(values.collect::<Vec<_>>().join(&JOINT.to_string()))
            }
            _ => text(name),
        };
        Ok(Record {
            user: id(&self.user)?,
            item: id(&self.item)?,
            rating,
            timestamp: self.timestamp.as_ref().map(timestamp).transpose()?,
            context: options.context.iter().map(cell).collect::<Result<_>>()?,
        })
    }
}

/// The object of a line.
fn object(line: Line) -> Result<Map<String, Value>> {
    serde_json::from_str(&decode(line.bytes)).map_err(|error| {
        let is_array = line.bytes.trim_ascii_start().starts_with(b"[");
        line.error(match is_array {
            true => "begins an array; JSON lines have an object a line, as jq -c '.[]' writes the members of an array"
                .to_string(),
            false => format!("is no JSON object: {error}"),
        })
    })
}

/// The member of this name; `a.b`, if there is none, is member `b` of `a`.
fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.get(name).or_else(|| {
        let (first, rest) = name.split_once('.')?;
        member(object.get(first)?.as_object()?, rest)
    })
}

/// Adds the interactions of `lines` to `dataset`.
fn read(lines: Lines, options: &JsonObjects, dataset: &mut Dataset) -> Result<()> {
    if lines.ahead(1).is_empty() {
        return Ok(());
    }
    let names = Names::of(&lines, options)?;
    let told = [("item", Some(&names.item)), ("rating", names.rating.as_ref()), ("time", names.timestamp.as_ref())];
    let told = told.iter().filter_map(|(role, name)| Some(format!(", {role} {:?}", name.as_ref()?)));
    dataset.notes.push(lines.note(&format!("an object a line: user is {:?}{}", names.user, told.collect::<String>())));
    if names.rating.is_none() {
        dataset.notes.push(lines.note("there is no member with ratings: every rating is 1"));
    }
    let format = options.time_format.as_deref().map(time_format).transpose()?;
    let remedy = "say which member is what in data.columns, as in [\"user=NAME\"]";
    add_records(lines, options.bad_lines, &options.context, dataset, remedy, |line| {
        names.record(line, options, format.as_ref())
    })
}

#[cfg(test)]
mod tests {
    use super::super::ReadOptions;
    use super::super::tests::{file, read as read_named, triple, triples};
    use super::*;
    use crate::data::FieldId;

    fn read(content: &str, options: JsonObjects) -> Result<Dataset, String> {
        read_named("r.jsonl", content, &ReadOptions::of_reader(options))
    }

    fn error(content: &str) -> String {
        read(content, JsonObjects::default()).unwrap_err()
    }

    #[test]
    fn members_are_found_by_their_names() {
        let content = "{\"reviewerID\": \"A1\", \"asin\": 7, \"overall\": 5.0, \"unixReviewTime\": 100, \"summary\": \"good\"}\n\n\
                       {\"asin\": \"8\", \"reviewerID\": \"A\\u0301\", \"overall\": \"2.5\", \"unixReviewTime\": \"1970-01-02\"}";
        let dataset = read(content, JsonObjects::default()).unwrap();
        assert_eq!(triples(&dataset), [triple("A1", "7", 5.0), triple("Á", "8", 2.5)]);
        assert_eq!(dataset.interactions.timestamps, Some(vec![100, 86_400]));
        let note = "r.jsonl: an object a line: user is \"reviewerID\", item \"asin\", rating \"overall\", time \"unixReviewTime\"";
        assert!(dataset.notes[0].ends_with(note), "{}", dataset.notes[0]);
        let found = format!("{:?}", ReadOptions::default().reader(Path::new("a.jsonl.gz")).unwrap());
        assert_eq!(found, format!("{:?}", JsonObjects::default()));
        let (_folder, path) = file("r.jsonl", content);
        assert_eq!(JsonObjects::default().lines_of(&path, "A1", "7").unwrap(), [1]);
    }

    #[test]
    fn members_of_the_context_may_have_several_values_or_lie_deeper() {
        let content = "{\"user\": 1, \"item\": 2, \"clicked\": true, \"tags\": [\"a\", 3], \"at\": {\"hour\": 5}}\n\
                       {\"user\": 1, \"item\": 3, \"clicked\": false, \"tags\": [], \"at\": null}\n";
        let context = ["tags".to_string(), "at.hour".into()].to_vec();
        let dataset = read(content, JsonObjects { context, ..JsonObjects::default() }).unwrap();
        assert_eq!(dataset.interactions.targets, [1.0, 0.0]);
        assert_eq!(dataset.entity(FieldId(2)).ids.ids().collect::<Vec<_>>(), ["a\u{1f}3"]);
        assert_eq!(dataset.entity(FieldId(3)).ids.ids().collect::<Vec<_>>(), ["5"]);
        assert_eq!(dataset.interactions.columns[3][1], crate::data::UNKNOWN);
    }

    #[test]
    fn which_member_is_what_can_be_said() {
        let content = "{\"who\": 1, \"track\": 2, \"album\": 3, \"plays\": 4}\n";
        let of = |columns: &[&str]| {
            read(
                content,
                JsonObjects { columns: columns.iter().map(ToString::to_string).collect(), ..JsonObjects::default() },
            )
        };
        assert_eq!(triples(&of(&["user=who", "item=track"]).unwrap()), [triple("1", "2", 4.0)]);
        assert!(of(&["item=track"]).unwrap_err().contains("no member is known for the user (\"album\", \"plays\""));
        assert!(of(&["user=who"]).unwrap_err().contains("\"album\" and \"track\" can each be the item"));
        assert!(of(&["user"]).unwrap_err().starts_with("columns: \"user\" says nothing of JSON lines"));
    }

    #[test]
    fn what_is_no_interaction_says_why() {
        let good = "{\"user\": 1, \"item\": 2, \"rating\": 3}\n";
        for (line, what) in [
            ("{\"user\": 1, \"item\": 2, \"rating\": \"x\"}", "r.jsonl:2: rating is \"x\"; expected a number"),
            ("{\"user\": 1, \"item\": 2}", "r.jsonl:2: rating is \"\"; expected a number"),
            ("{\"user\": 1, \"rating\": 2}", "r.jsonl:2: item is missing or empty"),
            ("{\"user\": [1], \"item\": 2, \"rating\": 3}", "r.jsonl:2: user is not one value"),
            ("{\"user\": 1,", "r.jsonl:2: is no JSON object: "),
            ("1,2,3", "r.jsonl:2: is no JSON object: "),
        ] {
            let message = error(&format!("{good}{line}\n"));
            assert!(message.starts_with(what), "{message}");
        }
        assert!(error("[{\"user\": 1}]\n").contains("begins an array; JSON lines have an object a line"));
        let skip = JsonObjects { bad_lines: BadLines::Skip, ..JsonObjects::default() };
        let cut = read(&format!("{good}{{\"user\": 1,\n"), skip.clone()).unwrap();
        assert!(cut.notes.iter().any(|note| note.contains("1 of 2 lines are no ratings: line 2: is no JSON object")));
        let dataset = read(&format!("{good}{{\"user\": 1, \"rating\": 2}}\n{good}"), skip).unwrap();
        assert!(
            dataset
                .notes
                .iter()
                .any(|note| note.contains("1 of 3 lines are no ratings: line 2: item is missing or empty"))
        );
    }
}
