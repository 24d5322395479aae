//! Features: what is known of users or items beside their ratings, such as the genres of a film or the age of a user.

use std::ops::Bound;
use std::path::PathBuf;
use std::sync::Arc;

use super::entity::{BagFrame, Role};
use super::read::{FeatureTable, JOINT, combined, finite_number};
use super::{Bag, Dataset, Entity, Vocabulary};
use crate::config::{Effect, Key, KeyKind, Keys, Problem, Values, When, from_here, given};
use crate::error::{Error, Result};
use crate::tables::grouped;

/// The features of the users, or of the items, that a config asks for. Each is an entity of its own with a bag for each
/// user or item, whose members weigh 1/√n if they are n.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    /// Whose they are.
    pub role: Role,
    /// Where they are; `None` for the data set's own of the catalog.
    pub table: Option<FeatureTable>,
    /// Columns with one value for each row.
    pub categories: Vec<String>,
    /// Columns with several values.
    pub lists: Vec<String>,
    /// What stands between the values of a list.
    pub separator: String,
    /// Columns of numbers.
    pub numbers: Vec<String>,
    /// Columns that hold a year somewhere, such as dates or titles of films.
    pub years: Vec<String>,
    /// Groups of nearly equal size that numbers and years are cut into, each of which is a value; 0 takes the number itself,
    /// less its mean and divided by its standard deviation, as the weight of one value.
    pub bins: usize,
    /// Share of the scores of a training step for which a row shows its features alone; 1 for rows without parameters of
    /// their own.
    pub identity_dropout: f64,
}

/// The kinds of columns, in the order of the features.
const KINDS: [&str; 4] = ["categories", "lists", "numbers", "years"];

impl Features {
    /// The section of the keys for one side.
    pub fn section(role: Role) -> &'static str {
        match role {
            Role::User => "data.user_features",
            Role::Item => "data.item_features",
        }
    }

    /// The config keys of both sides.
    pub fn keys() -> Keys {
        [Role::User, Role::Item]
            .into_iter()
            .fold(Keys::default(), |keys, role| keys.and(Self::keys_of(role)))
            .rule(check)
    }

    fn keys_of(role: Role) -> Keys {
        let section = Self::section(role);
        let of = |name: &str| format!("{section}.{name}");
        let key = |name: &str, kind, meaning: &str| Key::new(&of(name), kind, &meaning.replace("<noun>", role.noun()));
        let in_file = || given(&of("path"));
        let path = "A file with a line for each <noun>, of what is known of it beside ratings; found as data.path is. Those \
                    without ratings are predicted and recommended by that alone. Some data sets of the catalog have such a file of \
                    their own.";
        let columns = "What its columns are called: \"<noun>\" the id, \"-\" one to skip, \"genre=Action\" one that says with 1 or \
                       0 whether Action is a genre. Found in the first line where absent.";
        let years =
            "Columns that hold a year, as 01-Jan-1995 or Toy Story (1995): the last four digits that stand alone.";
        let bins = "Groups of nearly equal size that numbers and years are cut into, each a value of its own; with 0 the number \
                    itself counts, less its mean and divided by its standard deviation.";
        let dropout = "Share of the scores of a step for which <noun>s show their features alone, so that these learn to speak \
                       for <noun>s without ratings; 1 leaves no <noun> parameters of its own, so that <noun>s with the same \
                       features are the same.";
        let delimiter = "What separates its columns. Found out where absent.";
        let share = KeyKind::Float(Bound::Included(0.0), Bound::Included(1.0));
        let any = KINDS.iter().map(|kind| given(&of(kind))).reduce(When::or).expect("a kind");
        Keys::new([
            key("path", KeyKind::Path, path).when(given("data.path")),
            key("delimiter", KeyKind::Text, delimiter).when(in_file()),
            key("columns", KeyKind::TextList, columns).when(in_file()),
            key("categories", KeyKind::TextList, "Columns with one value for each <noun>, as a country."),
            key("lists", KeyKind::TextList, "Columns with several values, as genres."),
            key("separator", KeyKind::Text, "What stands between the values of a list.")
                .default("'|'")
                .when(in_file())
                .when(given(&of("lists"))),
            key("numbers", KeyKind::TextList, "Columns of numbers, as an age."),
            key("years", KeyKind::TextList, years),
            key("bins", KeyKind::Int(0..=1000), bins).default("10").when(given(&of("numbers")).or(given(&of("years")))),
        ])
        .effect(Effect::Input)
        .and(key("identity_dropout", share, dropout).default(Self::usual_dropout(role)).when(any))
    }

    /// What items are tells much of what is thought of them; the few things that are usually known of people do not, and
    /// what hiding people costs with those whom training saw is more than it gains with others. Objectives that rank lose
    /// nothing by hiding items, and have a default of their own.
    fn usual_dropout(role: Role) -> &'static str {
        match role {
            Role::User => "0.0",
            Role::Item => "0.1",
        }
    }

    /// The features of both sides that a config asks for.
    pub fn of(values: &Values) -> Vec<Self> {
        let of = |role: Role| {
            let section = Self::section(role);
            let key = |name: &str| format!("{section}.{name}");
            let list = |name: &str| values.find::<Vec<String>>(&key(name)).unwrap_or_default();
            let table = values.find::<PathBuf>(&key("path")).map(|path| FeatureTable {
                path: from_here(path),
                delimiter: values.find(&key("delimiter")),
                columns: values.find(&key("columns")),
            });
            let [categories, lists, numbers, years] = KINDS.map(list);
            Self {
                role,
                table,
                categories,
                lists,
                separator: values.find(&key("separator")).unwrap_or_else(|| "|".into()),
                numbers,
                years,
                bins: values.find(&key("bins")).unwrap_or(10),
                identity_dropout: values.find(&key("identity_dropout")).unwrap_or(0.0),
            }
        };
        [Role::User, Role::Item].map(of).into_iter().filter(|features| !features.names().is_empty()).collect()
    }

    /// Their names, in order.
    pub fn names(&self) -> Vec<&str> {
        self.names_and_kinds().map(|(name, _)| name).collect()
    }

    /// Reads the features and adds them to `dataset`; ids that it does not have become rows without interactions. `own` is
    /// the data set's own table, and what separates the values of its lists.
    ///
    /// # Errors
    /// Those of reading; [`Error::Usage`] for data that are a whole matrix or have no such table; [`Error::Data`] for what
    /// is no number, or if no line is one of the dataset's.
    pub(super) fn add_to(&self, dataset: &mut Dataset, own: Option<(FeatureTable, &str)>) -> Result<()> {
        let (section, noun) = (Self::section(self.role), self.role.noun());
        if dataset.layout.is_ordered() {
            return Err(Error::Usage(format!("{section} is for lists of ratings, and these data are a whole matrix")));
        }
        let of_config = self.table.clone().map(|table| (table, self.separator.as_str()));
        let Some((table, separator)) = of_config.or(own) else {
            return Err(Error::Usage(format!("the data set has no file of features of its {noun}s; remove {section}")));
        };
        let names = self.names();
        let cells = table.read(self.role, &names, section)?;
        let owner = dataset.fields[self.role.field().0].entity;
        let entity = &mut dataset.entities[owner];
        let before = entity.ids.len();
        let rows: Vec<u32> = cells.ids.ids().map(|id| entity.ids.insert(id)).collect();
        let count = entity.ids.len();
        if let Some(titles) = &mut entity.titles {
            titles.resize(count, String::new());
        }
        dataset.fingerprint = combined(&dataset.fingerprint, &cells.hash);
        dataset.notes.extend(cells.notes);
        let missing = before - rows.iter().filter(|&&row| (row as usize) < before).count();
        if missing == before {
            return Err(Error::data(
                &table.path,
                format!(
                    "has no line for any {noun} of the ratings; set {section}.columns so that \"{noun}\" is the right one"
                ),
            ));
        }
        if missing > 0 {
            let [missing, before] = [missing, before].map(|count| grouped(count as u64));
            dataset.notes.push(format!("{missing} of {before} {noun}s have no line in {}", table.path.display()));
        }
        let new = (count - before) as u64;
        if new > 0 {
            dataset.notes.push(format!("{} {noun}s without ratings are known by their features", grouped(new)));
        }
        for ((name, kind), column) in self.names_and_kinds().zip(&cells.columns) {
            let number = |(row, cell): (usize, &String)| match (kind, cell.as_str()) {
                (_, "") => Ok(None),
                ("years", cell) => Ok(year(cell)),
                (_, cell) => match finite_number(cell.as_bytes()) {
                    Some(number) => Ok(Some(number)),
                    None => {
                        let id = cells.ids.id(row);
                        let remedy = format!("expected a number; or name the column in {section}.categories");
                        Err(Error::data(&table.path, format!("{name} of {noun} {id:?} is {cell:?}: {remedy}")))
                    }
                },
            };
            let members = match kind {
                "categories" => Members::of_words(column, None),
                "lists" => Members::of_words(column, Some(separator)),
                _ => {
                    let numbers = column.iter().enumerate().map(number).collect::<Result<Vec<_>>>()?;
                    let unread = column
                        .iter()
                        .zip(&numbers)
                        .filter(|(cell, number)| !cell.is_empty() && number.is_none())
                        .count();
                    if unread > 0 {
                        let of = grouped(column.len() as u64);
                        let path = table.path.display();
                        dataset
                            .notes
                            .push(format!("{path}: {unread} of {of} cells of {name} have no year, and so nothing"));
                    }
                    if self.bins == 0 {
                        Members::of_numbers(name, &numbers)
                    } else {
                        Members::of_bins(&numbers, self.bins)
                    }
                }
            };
            members.add_to(dataset, owner, name, &rows, count);
        }
        Ok(())
    }

    fn names_and_kinds(&self) -> impl Iterator<Item = (&str, &'static str)> {
        let all = [&self.categories, &self.lists, &self.numbers, &self.years].into_iter().zip(KINDS);
        all.flat_map(|(names, kind)| names.iter().map(move |name| (name.as_str(), kind)))
    }
}

/// The values of a feature, and which of them each line has, with what weight.
#[derive(Debug, Default)]
struct Members {
    values: Vocabulary,
    of_lines: Vec<Vec<(u32, f32)>>,
}

impl Members {
    /// Each cell is a value, or several that are separated; a value counts once, and n of them weigh 1/√n.
    fn of_words(cells: &[String], separator: Option<&str>) -> Self {
        let mut values = Vocabulary::default();
        let line = |cell: &String| {
            let parts: Vec<&str> = match separator {
                None => cell.split(JOINT).collect(),
                Some(separator) => cell.split(JOINT).flat_map(|part| part.split(separator)).collect(),
            };
            let mut members: Vec<u32> = parts
                .into_iter()
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(|part| values.insert(part))
                .collect();
            members.sort_unstable();
            members.dedup();
            let weight = 1.0 / (members.len() as f32).sqrt();
            members.into_iter().map(|value| (value, weight)).collect()
        };
        let of_lines = cells.iter().map(line).collect();
        Self { values, of_lines }
    }

    /// One value called `name`, that each line has with its number less the mean, by the standard deviation.
    fn of_numbers(name: &str, numbers: &[Option<f32>]) -> Self {
        let known = || numbers.iter().flatten().map(|&number| f64::from(number));
        let count = known().count().max(1) as f64;
        let mean = known().sum::<f64>() / count;
        let deviation = (known().map(|number| (number - mean).powi(2)).sum::<f64>() / count).sqrt();
        let scaled = |number: f32| if deviation > 0.0 { ((f64::from(number) - mean) / deviation) as f32 } else { 0.0 };
        let of_lines = numbers.iter().map(|number| number.map(|number| (0, scaled(number))).into_iter().collect());
        Self { values: Vocabulary::from_ids([name]), of_lines: of_lines.collect() }
    }

    /// Groups of nearly equal size, called by their smallest and largest numbers. Equal numbers are in one group.
    fn of_bins(numbers: &[Option<f32>], bins: usize) -> Self {
        let mut sorted: Vec<f32> = numbers.iter().flatten().copied().collect();
        sorted.sort_by(f32::total_cmp);
        // The first number of each group.
        let mut starts: Vec<f32> = (0..bins).filter_map(|bin| sorted.get(bin * sorted.len() / bins).copied()).collect();
        starts.dedup();
        let bin = |number: f32| starts.partition_point(|&start| start <= number) - 1;
        let mut ranges: Vec<(f32, f32)> = vec![(f32::INFINITY, f32::NEG_INFINITY); starts.len()];
        for &number in &sorted {
            let (low, high) = &mut ranges[bin(number)];
            (*low, *high) = (low.min(number), high.max(number));
        }
        let named = |(low, high): &(f32, f32)| if low == high { low.to_string() } else { format!("{low} to {high}") };
        let of_lines =
            numbers.iter().map(|number| number.map(|number| (bin(number) as u32, 1.0)).into_iter().collect());
        Self { values: Vocabulary::from_ids(ranges.iter().map(named)), of_lines: of_lines.collect() }
    }

    /// Adds the feature `name` to the rows of the entity `owner`, which has `count`: line n is that of `rows[n]`.
    fn add_to(self, dataset: &mut Dataset, owner: usize, name: &str, rows: &[u32], count: usize) {
        let mut lines: Vec<Option<&[(u32, f32)]>> = vec![None; count];
        rows.iter().zip(&self.of_lines).for_each(|(&row, members)| lines[row as usize] = Some(members));
        let (mut starts, mut members, mut weights) = (vec![0], Vec::new(), Vec::new());
        for line in lines {
            for &(value, weight) in line.unwrap_or_default() {
                members.push(value);
                weights.push(weight);
            }
            starts.push(members.len() as u64);
        }
        let weights = weights.iter().any(|&weight| weight != 1.0).then_some(weights);
        let frame = BagFrame { name: name.into(), owner, of: dataset.entities.len(), is_feature: true };
        dataset.entities.push(Entity { ids: self.values, ..Entity::new(name) });
        let bag = Bag::new(frame, starts, members, weights).expect("made of one line after the other");
        Arc::make_mut(&mut dataset.interactions.bags).push(bag);
    }
}

/// The last four digits of a text that stand alone, as a year.
fn year(text: &str) -> Option<f32> {
    let is_year = |run: &&str| run.len() == 4 && run.bytes().all(|byte| byte.is_ascii_digit());
    let year = text.split(|c: char| !c.is_ascii_digit()).rfind(is_year)?;
    year.parse().ok()
}

/// Features have to be somewhere, each once, under names that other keys can name.
fn check(values: &Values) -> Vec<Problem> {
    let mut problems = Vec::new();
    let context: Vec<String> = values.find("data.context").unwrap_or_default();
    let mut taken: Vec<String> = ["user", "item"].map(Into::into).into_iter().chain(context).collect();
    for role in [Role::User, Role::Item] {
        let section = Features::section(role);
        let path = format!("{section}.path");
        let chosen: Vec<(String, Vec<String>)> = KINDS
            .iter()
            .filter_map(|kind| Some((format!("{section}.{kind}"), values.find(&format!("{section}.{kind}"))?)))
            .collect();
        match chosen.first() {
            None if values.contains(&path) => {
                let message = format!(
                    "{path} is set, but none of its columns is used; name some in {section}.categories, lists, numbers or years"
                );
                problems.push(Problem::new([&path], message));
            }
            Some((key, _)) if values.contains("data.path") && !values.contains(&path) => {
                let message = format!("{key} names columns, but their file, {path}, is missing");
                problems.push(Problem::new([key, &path], message));
            }
            _ => {}
        }
        for (key, names) in &chosen {
            for name in names {
                let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
                if name.is_empty() || !name.chars().all(is_word) {
                    let message = format!(
                        "{key} names {name:?}, and features need names of letters, digits, \"_\" and \"-\"; call the column \
                         otherwise in {section}.columns"
                    );
                    problems.push(Problem::new([key], message));
                } else if taken.contains(name) {
                    let message = format!(
                        "{key} names {name:?}, which is the name of something else; call the column otherwise in {section}.columns"
                    );
                    problems.push(Problem::new([key], message));
                }
                taken.push(name.clone());
            }
        }
    }
    if values.is("data.split.kind", "new-users") && !Features::of(values).iter().all(|own| own.role == Role::Item) {
        let message = "data.split.kind = \"new-users\" tells the model of its new users by ratings, not by data.user_features; \
                       \"cold-users\" tests what features tell";
        problems.push(Problem::new(["data.split.kind"], message));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(cells: &[&str], separator: Option<&str>) -> Members {
        Members::of_words(&cells.iter().map(ToString::to_string).collect::<Vec<_>>(), separator)
    }

    #[test]
    fn values_of_a_list_weigh_one_together() {
        let members = words(&["x|y", "", " y | y ", "z\nx\ny\nw"], Some("|"));
        assert_eq!(members.values.ids().collect::<Vec<_>>(), ["x", "y", "z", "w"]);
        let half = 1.0 / 2.0_f32.sqrt();
        let expected = [vec![(0, half), (1, half)], vec![], vec![(1, 1.0)], [0, 1, 2, 3].map(|v| (v, 0.5)).to_vec()];
        assert_eq!(members.of_lines, expected);
        assert_eq!(words(&["x|y", "x|y", ""], None).of_lines, [vec![(0, 1.0)], vec![(0, 1.0)], vec![]]);
    }

    #[test]
    fn numbers_are_scaled_or_grouped() {
        let numbers = [Some(1.0), None, Some(3.0), Some(5.0)];
        let scaled = Members::of_numbers("age", &numbers);
        let weight = (8.0_f64 / 3.0).sqrt().recip() as f32 * 2.0;
        assert_eq!(scaled.of_lines, [vec![(0, -weight)], vec![], vec![(0, 0.0)], vec![(0, weight)]]);
        assert_eq!(Members::of_numbers("age", &[Some(2.0)]).of_lines, [[(0, 0.0)]]);
        let grouped = Members::of_bins(&[Some(7.0), Some(1.0), None, Some(2.0), Some(1.0), Some(3.5)], 2);
        assert_eq!(grouped.values.ids().collect::<Vec<_>>(), ["1", "2 to 7"]);
        assert_eq!(
            grouped.of_lines,
            [vec![(1, 1.0)], vec![(0, 1.0)], vec![], vec![(1, 1.0)], vec![(0, 1.0)], vec![(1, 1.0)]]
        );
        let single = Members::of_bins(&[Some(4.0), Some(2.0), Some(3.0)], 10);
        assert_eq!(single.values.ids().collect::<Vec<_>>(), ["2", "3", "4"]);
        let none = Members::of_bins(&[None], 3);
        assert_eq!((none.values.len(), none.of_lines), (0, vec![vec![]]));
    }

    #[test]
    fn a_year_is_the_last_four_digits_alone() {
        for (text, expected) in [
            ("01-Jan-1995", Some(1995.0)),
            ("2001: A Space Odyssey (1968)", Some(1968.0)),
            ("1999-12-31 23:59", Some(1999.0)),
            ("1984", Some(1984.0)),
            ("12345 678", None),
            ("", None),
        ] {
            assert_eq!(year(text), expected, "{text}");
        }
    }
}
