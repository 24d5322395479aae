//! Features: what is known of users or items beside their ratings, such as the genres of a film or the age of a user.

use std::ops::Bound;
use std::path::PathBuf;

use super::Dataset;
use super::context::Context;
use super::entity::Role;
use super::layout::Layout;
use super::read::{FeatureTable, combined, finite_number};
use super::values::Members;
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

    /// The key by which a config first gives rows features: the file of those of users or items, or the columns of a context with
    /// several values in a cell.
    pub fn key(values: &Values) -> Option<String> {
        let own = Self::of(values).first().map(|features| format!("{}.path", Self::section(features.role)));
        own.or_else(|| Context::summed_key(values))
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
        if dataset.layout.is_ordered() && dataset.layout != Layout::Graph {
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

/// The last four digits of a text that stand alone, as a year.
fn year(text: &str) -> Option<f32> {
    let is_year = |run: &&str| run.len() == 4 && run.bytes().all(|byte| byte.is_ascii_digit());
    let year = text.split(|c: char| !c.is_ascii_digit()).rfind(is_year)?;
    year.parse().ok()
}

/// Features have to be somewhere, each once, under names that other keys can name.
fn check(values: &Values) -> Vec<Problem> {
    let mut problems = Vec::new();
    let context = Context::names(values);
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
