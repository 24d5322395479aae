//! How the columns of the context are understood, as a config says it.

use super::form::{Bins, CellForm, Periods, Scale, quantiles};
use super::moment::TimeColumn;
use super::understand::{Misread, SECTION, add_time, numbers, of, times, understand, unnamed_list};
use crate::config::words::{any_of, did_you_mean, nearest};
use crate::config::{Effect, Key, KeyKind, Keys, Problem, Values, When, given};
use crate::data::Dataset;
use crate::data::read::context_key;
use crate::data::times::{is_fine, seconds};
use crate::error::Result;

/// How the columns of the context are understood, as a config says it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Context {
    /// Columns with several values in a cell.
    pub lists: Vec<String>,
    /// Columns with several values in a cell, each with a weight.
    pub weighted: Vec<String>,
    /// What stands between the values of a cell.
    pub separator: String,
    /// Columns of numbers.
    pub numbers: Vec<String>,
    /// Groups of nearly equal size that numbers are cut into, each of which is a value; 0 takes the number itself, less its mean and
    /// divided by its standard deviation, as the weight of one value.
    pub bins: usize,
    /// Columns whose words are hashed.
    pub hashed: Vec<String>,
    /// Values that the words of a hashed column share.
    pub buckets: u64,
    times: Vec<TimeColumn>,
    /// Stretches that all time is cut into.
    pub periods: usize,
}

/// The kinds of columns of the file.
const KINDS: [&str; 4] = ["lists", "weighted", "numbers", "hashed"];

impl Context {
    /// The config keys, but for the names of the columns.
    pub fn keys() -> Keys {
        let key = |name: &str, kind, meaning: &str| Key::new(&of(name), kind, meaning);
        let in_file = || given(&context_key().path);
        let weighted = "Columns of data.context with several values in a cell, each with its weight, as rock:0.7|pop:0.3; a value without \
                        one weighs 1.";
        let numbers =
            "Columns of data.context that hold a number, as a price. An empty cell, \"NA\" and the like say nothing.";
        let bins = "Groups of nearly equal size that numbers are cut into, each a value of its own; with 0 the number itself counts, \
                    less its mean and divided by its standard deviation.";
        let hashed = "Columns of data.context with more different words than there is memory for, or with new ones every day: each \
                      word becomes one of data.context_columns.buckets values by its hash, also one that training never saw.";
        let times: Vec<String> = TimeColumn::NAMES.iter().map(|name| format!("\"{name}\"")).collect();
        let times = format!(
            "Columns made of the time of an interaction, which take part as those of data.context do: {}. In UTC; a period is one of \
             several stretches with nearly as many interactions each, a gap the time since the same user's last interaction.",
            times.join(", ")
        );
        Keys::new([
            key("lists", KeyKind::TextList, "Columns of data.context with several values in a cell, as companions.")
                .when(in_file()),
            key("weighted", KeyKind::TextList, weighted).when(in_file()),
            key("separator", KeyKind::Text, "What stands between the values of a cell.")
                .default("'|'")
                .when(given(&of("lists")).or(given(&of("weighted")))),
            key("numbers", KeyKind::TextList, numbers).when(in_file()),
            key("bins", KeyKind::Int(0..=1000), bins).default("10").when(given(&of("numbers"))),
            key("hashed", KeyKind::TextList, hashed).when(in_file()),
            key("buckets", KeyKind::Int(1..=1 << 30), "Values that the words of a hashed column share.")
                .default("65536")
                .when(given(&of("hashed"))),
            key("times", KeyKind::TextList, &times).when(any_data()),
            key("periods", KeyKind::Int(1..=100_000), "How many stretches all time is cut into.")
                .default("10")
                .when(given(&of("times"))),
        ])
        .effect(Effect::Input)
        .rule(check)
    }

    /// What a config asks for.
    pub fn of(values: &Values) -> Self {
        let list = |name: &str| values.find::<Vec<String>>(&of(name)).unwrap_or_default();
        Self {
            lists: list("lists"),
            weighted: list("weighted"),
            separator: values.find(&of("separator")).unwrap_or_else(|| "|".into()),
            numbers: list("numbers"),
            bins: values.find(&of("bins")).unwrap_or_default(),
            hashed: list("hashed"),
            buckets: values.find(&of("buckets")).unwrap_or(1),
            times: list("times").iter().filter_map(|name| TimeColumn::of_name(name)).collect(),
            periods: values.find(&of("periods")).unwrap_or(1),
        }
    }

    /// The names of all columns of the context that a config has.
    pub fn names(values: &Values) -> Vec<String> {
        let list = |path: &str| values.find::<Vec<String>>(path).unwrap_or_default();
        [list(&context_key().path), list(&of("times"))].concat()
    }

    /// The key that has the first of these names.
    pub fn key(values: &Values) -> String {
        let path = context_key().path;
        if values.contains(&path) { path } else { of("times") }
    }

    /// The key of a column whose cells are sums of values, if there is one: rows with features, to a solver.
    pub fn summed_key(values: &Values) -> Option<String> {
        let context = Self::of(values);
        let keys = [
            ("lists", !context.lists.is_empty()),
            ("weighted", !context.weighted.is_empty()),
            ("numbers", !context.numbers.is_empty() && context.bins == 0),
        ];
        keys.into_iter().find(|(_, is_summed)| *is_summed).map(|(key, _)| of(key))
    }

    /// Has the columns of `dataset` understood as this says, and adds those of time.
    ///
    /// # Errors
    /// A [`Misread`] cell; [`Error::Usage`](crate::error::Error::Usage) for data without times.
    pub(crate) fn add_to(&self, dataset: &mut Dataset) -> Result<Result<(), Misread>> {
        let lists = self.lists.iter().map(|name| (name, CellForm::List(self.separator.clone())));
        let weighted = self.weighted.iter().map(|name| (name, CellForm::Weighted(self.separator.clone())));
        let hashed = self.hashed.iter().map(|name| (name, CellForm::Hashed(self.buckets)));
        let numbers = self.numbers.iter().map(|name| {
            let numbers = numbers(dataset, name);
            let form = match self.bins {
                0 => CellForm::Number(Scale::of(numbers.iter().copied())),
                bins => CellForm::Bins(Bins::of(numbers.iter().copied(), bins)),
            };
            (name, form)
        });
        let forms: Vec<(&String, CellForm)> = lists.chain(weighted).chain(hashed).chain(numbers).collect();
        for (name, form) in forms {
            let Some(field) = dataset.fields.iter().position(|field| field.name == *name) else { continue };
            if let Err(misread) = understand(dataset, field, form) {
                return Ok(Err(misread));
            }
        }
        if let Some((name, misread)) = unnamed_list(dataset) {
            let remedy = format!("name it in {} or {}", of("lists"), of("weighted"));
            return Ok(Err(Misread {
                at: misread,
                message: format!("{name} has several values in a cell, or one with a weight; {remedy}"),
            }));
        }
        for &time in &self.times {
            let starts = match time {
                TimeColumn::Period => {
                    let mut sorted: Vec<i64> = times(dataset)?.iter().map(|&time| seconds(time)).collect();
                    sorted.sort_unstable();
                    quantiles(&sorted, self.periods)
                }
                _ => Vec::new(),
            };
            add_time(dataset, time.name(), CellForm::Time(time, Periods(starts)))?;
        }
        if !self.times.is_empty() && times(dataset)?.iter().any(|&time| is_fine(time)) {
            dataset.notes.push("times are taken for milliseconds or what is finer, because seconds would be of the year 5138 and later".into());
        }
        Ok(Ok(()))
    }
}

fn any_data() -> When {
    given("data.path").or(given("data.dataset"))
}

/// Columns have to be there, each understood in one way.
fn check(values: &Values) -> Vec<Problem> {
    let list = |path: &str| values.find::<Vec<String>>(path).unwrap_or_default();
    let context = list(&context_key().path);
    let mut problems = Vec::new();
    let mut taken: Vec<String> = Vec::new();
    for key in KINDS.map(of) {
        for name in list(&key) {
            if !context.contains(&name) {
                let near = did_you_mean(nearest(&name, context.iter().map(String::as_str)));
                let message = format!("{key} names {name:?}, which data.context does not{near}");
                problems.push(Problem::new([&key], message));
            } else if taken.contains(&name) {
                problems.push(Problem::new([&key], format!("{SECTION} names {name:?} twice")));
            }
            taken.push(name);
        }
    }
    let key = of("times");
    let times = list(&key);
    for (at, name) in times.iter().enumerate() {
        let message = if TimeColumn::of_name(name).is_none() {
            let near = did_you_mean(nearest(name, TimeColumn::NAMES.iter().copied()));
            format!("{key} names {name:?}, but is to be of {}{near}", any_of(TimeColumn::NAMES))
        } else if times[..at].contains(name) {
            format!("{key} names {name:?} twice")
        } else if context.contains(name) {
            format!("{key} names {name:?}, which is a column of data.context already")
        } else {
            continue;
        };
        problems.push(Problem::new([&key], message));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::super::{at_moment, members_of, typed, understand_as};
    use super::*;
    use crate::data::{FieldId, UNKNOWN};

    /// Interactions of users with one item, with a cell of the column `c` and a time each.
    fn dataset(cells: &[&str], users: &[u32], times: &[i64]) -> Dataset {
        let mut dataset = Dataset::default();
        dataset.add_fields(&["c".into()]);
        for (at, cell) in cells.iter().enumerate() {
            let pair = dataset.pair_mut();
            let indices = [pair.users.insert(&format!("u{}", users[at])), pair.items.insert("i")];
            dataset.interactions.push(indices, 1.0, Some(times[at]));
            let index = if cell.is_empty() { UNKNOWN } else { dataset.entities[2].ids.insert(cell) };
            dataset.interactions.columns[2].push(index);
        }
        dataset
    }

    fn values(dataset: &Dataset, field: usize) -> Vec<&str> {
        let ids = &dataset.entity(FieldId(field)).ids;
        let id = |&index: &u32| if index == UNKNOWN { "" } else { ids.id(index as usize) };
        dataset.interactions.columns[field].iter().map(id).collect()
    }

    #[test]
    fn a_cell_of_several_values_is_a_row_with_features() {
        let mut data = dataset(&["a|b", "", "b", "a|b"], &[0; 4], &[0; 4]);
        let context = Context { lists: vec!["c".into()], separator: "|".into(), ..Context::default() };
        context.add_to(&mut data).unwrap().unwrap();
        let names: Vec<&str> = data.entities.iter().map(|entity| entity.name.as_str()).collect();
        assert_eq!(names, ["user", "item", "c_cell", "c"]);
        assert_eq!(values(&data, 2), ["a|b", "", "b", "a|b"]);
        let bag = &data.interactions.bags[0];
        let half = 1.0 / 2.0_f32.sqrt();
        assert_eq!((bag.frame.owner, bag.frame.of, bag.frame.is_feature), (2, 3, true));
        assert_eq!(bag.of_row(0), (&[0, 1][..], Some(&[half, half][..])));
        assert_eq!(bag.of_row(1), (&[1][..], Some(&[1.0][..])));
        let field = &data.fields[2];
        assert_eq!(members_of(field, "z|a", &data.entities[3].ids), Some(vec![(0, half)]));
        assert_eq!(typed(field, "z|a"), Ok("z|a".into()));
    }

    #[test]
    fn numbers_are_cut_where_training_cut_them() {
        let mut data = dataset(&["1", "2", "NA", "7", "9"], &[0; 5], &[0; 5]);
        let context = Context { numbers: vec!["c".into()], bins: 2, ..Context::default() };
        context.add_to(&mut data).unwrap().unwrap();
        assert_eq!(values(&data, 2), ["1 to 2", "1 to 2", "", "7 to 9", "7 to 9"]);
        let field = &data.fields[2];
        assert_eq!(
            ["6", "7", "7 to 9", "?"].map(|text| typed(field, text).unwrap()),
            ["1 to 2", "7 to 9", "7 to 9", ""]
        );
        assert_eq!(typed(field, "dear"), Err("expected a number"));
        let mut other = dataset(&["0", "8"], &[0; 2], &[0; 2]);
        understand_as(&mut other, &data.fields).unwrap();
        assert_eq!(values(&other, 2), ["1 to 2", "7 to 9"]);

        let mut wrong = dataset(&["1", "cheap", "cheap"], &[0; 3], &[0; 3]);
        let misread = context.add_to(&mut wrong).unwrap().unwrap_err();
        assert_eq!(misread.at, 1);
        assert!(misread.message.starts_with("c is \"cheap\": expected a number; "), "{}", misread.message);
    }

    #[test]
    fn scaled_numbers_are_weights() {
        let mut data = dataset(&["1", "3", "3", "1"], &[0; 4], &[0; 4]);
        let context = Context { numbers: vec!["c".into()], bins: 0, ..Context::default() };
        context.add_to(&mut data).unwrap().unwrap();
        let bag = &data.interactions.bags[0];
        assert_eq!((bag.of_row(0), bag.of_row(1)), ((&[0][..], Some(&[-1.0][..])), (&[0][..], Some(&[1.0][..]))));
        assert_eq!(members_of(&data.fields[2], "5", &data.entities[3].ids), Some(vec![(0, 3.0)]));
    }

    #[test]
    fn collisions_of_hashes_are_counted() {
        let cells: Vec<String> = (0..100).map(|word| format!("w{word}")).collect();
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        let mut data = dataset(&cells, &[0; 100], &[0; 100]);
        let context = Context { hashed: vec!["c".into()], buckets: 50, ..Context::default() };
        context.add_to(&mut data).unwrap().unwrap();
        let used = data.entities[2].ids.len();
        assert!((30..50).contains(&used), "{used}");
        let note = format!("c: 100 words share {used} of 50 values, {} of them with an earlier one", 100 - used);
        assert_eq!(data.notes, [note]);
        assert_eq!(typed(&data.fields[2], "#7"), Ok("#7".into()));
        assert!(typed(&data.fields[2], "#99").unwrap().starts_with('#'));
        // Equal words are equal values, in whatever order they come.
        let mut turned = dataset(&["w7", "w3"], &[0; 2], &[0; 2]);
        understand_as(&mut turned, &data.fields).unwrap();
        assert_eq!(values(&turned, 2), [values(&data, 2)[7], values(&data, 2)[3]]);
    }

    #[test]
    fn time_is_cut_into_columns() {
        let times = [86_400, 0, 90_000, 30, 86_430];
        let mut data = dataset(&[""; 5], &[0, 0, 0, 1, 1], &times);
        let context = Context {
            times: vec![TimeColumn::Hour, TimeColumn::Period, TimeColumn::Gap],
            periods: 2,
            ..Context::default()
        };
        context.add_to(&mut data).unwrap().unwrap();
        let names: Vec<&str> = data.fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, ["user", "item", "c", "hour", "period", "gap"]);
        assert_eq!(values(&data, 3), ["0", "0", "1", "0", "0"]);
        let [first, second] = ["from 1970-01-01 00:00:00", "from 1970-01-02 00:00:00"];
        assert_eq!(values(&data, 4), [second, first, second, first, second]);
        assert_eq!(values(&data, 5), ["under a week", "first", "under a day", "first", "under a week"]);
        assert_eq!(at_moment(&data.fields[3], 7_200), Some("2".into()));

        let mut other = dataset(&[""; 2], &[0, 0], &[7_200_000, 100_000_000_000_000]);
        understand_as(&mut other, &data.fields).unwrap();
        assert_eq!(values(&other, 4), [second, second]);
        assert!(other.notes[0].starts_with("gap: of each user's"), "{:?}", other.notes);
        data.interactions.timestamps = None;
        assert!(context.add_to(&mut data).unwrap_err().to_string().contains("the data have none"));
    }
}
