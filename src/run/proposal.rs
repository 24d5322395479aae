//! A config for data that somebody brings: how to read them, and a model, a solver and a split that suit them.

use std::path::Path;

use super::parts::Parts;
use super::settings::Settings;
use crate::config::{Config, choice, in_toml};
use crate::data::read::names_pairs;
use crate::data::{Dataset, Layout};
use crate::error::{Error, Result};
use crate::tables::grouped;

/// Largest rank that is proposed for matrices.
const MOST_COMPONENTS: usize = 50;
/// Events up to which weights between neighbours are learned in reasonable time.
const MOST_EVENTS_OF_SLIM: usize = 5_000_000;
/// Items up to which weights between all of them are computed in reasonable time, which grows with their cube.
const MOST_ITEMS_OF_EASE: usize = 10_000;

/// A config that trains at once.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The config file, with comments.
    pub text: String,
    /// What was found in the data.
    pub notes: Vec<String>,
}

choice! {
    /// What a model of users and items is for.
    pub enum Goal {
        /// To predict ratings.
        Ratings = "ratings",
        /// To make lists of what to recommend.
        Lists = "lists",
    }
}

/// What data ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    /// Opinions, of which others are unknown.
    Ratings,
    /// Events or amounts: signs of a preference.
    Events,
    /// A table of which some cells are missing.
    Gaps,
    /// A matrix all of whose cells count.
    Whole,
    /// A folder of pictures.
    Pictures,
    /// Texts.
    Documents,
}

/// Proposes a config for the data at `path`, whose goal follows from the data where it is not given. Settings of the `[data]` section that are known already are `data`, as
/// `KEY=VALUE`.
///
/// # Errors
/// Those of reading the data, which name what is ambiguous and the key that decides it.
pub fn propose(path: &Path, goal: Option<Goal>, data: &[String], parts: &Parts) -> Result<Proposal> {
    let name = name_of(path);
    let (format, dataset) = read(path, data, parts)?;
    let task = match (Task::of(&dataset), goal) {
        (Task::Ratings, Some(Goal::Lists)) => Task::Events,
        (Task::Ratings, None) if counts_events(data) => Task::Events,
        (Task::Events, Some(Goal::Ratings)) => Task::Ratings,
        (task, _) => task,
    };
    let mut text = header(path, &dataset);
    text += &format!("name = {}\n\n[data]\npath = {}\n", quoted(&name), quoted(&path.display().to_string()));
    if let Some(format) = format {
        text += &format!("format = {}\n", quoted(format));
    }
    for setting in data {
        let (key, value) = setting.split_once('=').unwrap_or((setting, ""));
        text += &format!("{} = {}\n", key.trim().trim_start_matches("data."), toml_value(value.trim()));
    }
    text += &task.settings(&dataset);
    // What is proposed must be valid.
    Config::parse(&parts.schema(), &text, &path.with_extension("toml"), &[])?;
    Ok(Proposal { text, notes: dataset.notes })
}

/// Whether these settings make numbers of events of what is repeated.
fn counts_events(data: &[String]) -> bool {
    let is_count = |(key, value): (&str, &str)| {
        let [key, value] = [key, value].map(|text| text.trim().trim_matches(['"', '\'']));
        key.trim_start_matches("data.") == "duplicates" && ["count", "sum"].contains(&value)
    };
    data.iter().filter_map(|setting| setting.split_once('=')).any(is_count)
}

/// A value as TOML; a word that is not TOML is a string.
fn toml_value(text: &str) -> String {
    match format!("value = {text}").parse::<toml::Table>() {
        Ok(_) => text.into(),
        Err(_) => quoted(text),
    }
}

fn quoted(text: &str) -> String {
    in_toml(&toml::Value::from(text))
}

/// A name for runs: that of the file without what follows its first dot.
fn name_of(path: &Path) -> String {
    let name = path.file_name().map_or("data".into(), |name| name.to_string_lossy());
    let stem = name.trim_start_matches('.').split('.').next().unwrap_or_default();
    let plain: String = stem.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
    let plain = plain.trim_matches('-');
    if plain.is_empty() { "data".into() } else { plain.into() }
}

/// The data, read in the form that their name tells, or else as a table; and the form if it has to be named.
fn read(path: &Path, data: &[String], parts: &Parts) -> Result<(Option<&'static str>, Dataset)> {
    let load = |format: Option<&'static str>| {
        let mut text = format!("data.path = {}\n", quoted(&path.display().to_string()));
        // A list of pairs, taken for a table, names many of its rows again.
        let named = |format| format!("data.format = {}\ndata.duplicates = \"error\"\n", quoted(format));
        text += &format.map_or(String::new(), named);
        let config = Config::parse(&parts.schema(), &text, Path::new("lowrank-init.toml"), data)?;
        Settings::of(&config, parts)?.source.load().map(|dataset| (format, dataset))
    };
    let error = match load(None) {
        Err(error @ Error::Data { .. }) => error,
        result => return result,
    };
    let is_open = !data.iter().any(|setting| setting.trim_start().starts_with("data.format"));
    let can_be_table = is_open && !path.is_dir() && !names_pairs(path).unwrap_or(true);
    match can_be_table.then(|| load(Some("dense"))) {
        Some(Ok(found)) if !may_be_list(&found.1) => Ok(found),
        // What a list lacks says more than what a table does.
        _ => Err(error),
    }
}

/// Whether a table is so narrow that it may be a list of users, items, ratings and times.
fn may_be_list(table: &Dataset) -> bool {
    let are_numbered = (1..).zip(table.users().ids()).all(|(number, id): (usize, _)| id == number.to_string());
    table.items().len() <= 4 && are_numbered
}

/// A number of things.
fn counted(number: usize, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number as u64), if number == 1 { "" } else { "s" })
}

/// The first lines of the config: what it is for.
fn header(path: &Path, dataset: &Dataset) -> String {
    let (rows, columns) = dataset.layout.nouns();
    let (low, high) = dataset.interactions.range().unwrap_or_default();
    let what = if dataset.layout == Layout::Cells { "rating" } else { "cell" };
    let mut text = format!(
        "# Proposed by `lowrank init` for {}: {}, {}, {} from {low} to {high}.\n",
        path.display(),
        counted(dataset.users().len(), rows),
        counted(dataset.items().len(), columns),
        counted(dataset.interactions.len(), what),
    );
    dataset.notes.iter().for_each(|note| text += &format!("# {note}\n"));
    text + "#\n# `lowrank config explain` tells every key with its default.\n"
}

impl Task {
    fn of(dataset: &Dataset) -> Self {
        let ratings = &dataset.interactions;
        let cells = dataset.users().len() * dataset.items().len();
        match dataset.layout {
            Layout::Documents => Self::Documents,
            Layout::Pictures { .. } => Self::Pictures,
            Layout::Picture { .. } | Layout::Matrix | Layout::CoOccurrences | Layout::Graph => Self::Whole,
            Layout::Table if ratings.len() < cells => Self::Gaps,
            Layout::Table => Self::Whole,
            Layout::Cells if are_amounts(&ratings.targets) => Self::Events,
            Layout::Cells => Self::Ratings,
        }
    }

    /// The rest of the config.
    fn settings(self, dataset: &Dataset) -> String {
        let ratings = &dataset.interactions;
        let shorter = dataset.users().len().min(dataset.items().len()).max(1);
        let components = shorter.saturating_sub(1).clamp(1, MOST_COMPONENTS);
        let least = ratings.range().map_or(0.0, |(low, _)| low);
        match self {
            Self::Ratings => format!(
                "split = {{ kind = \"random\", test = 0.1, validation = 0.1 }}{}\n\n\
                 # This predicts ratings. For lists of what to recommend, what was rated at all says more: `lowrank init --goal lists`.\n\
                 [model]\nkind = \"biased-mf\"    # mean + biases of user and item + dot product of their factors\nrank = {}\n\n\
                 [solver]\nkind = \"als\"          # penalties follow the spread of the ratings; \"adam\" also trains other models\n\n\
                 [train]\nepochs = 30\nearly_stopping.patience = 5\n\
                 refit = true          # at the end, train on validation ratings too, for as many epochs as were best\n",
                of_times(dataset),
                32.min(components),
            ),
            Self::Events => format!(
                "split = {{ kind = \"random\", test = 0.1, validation = 0.1 }}{}\n\n\
                 # Each event above 0 counts the same; data.binarize = 3 would count those above 3. For factors: model.kind = \"mf\", solver.kind = \"als\" and\n\
                 # solver.feedback = \"implicit\".\n\
                 [model]\n{}\n\n\
                 [train]\n\
                 refit = true             # at the end, validation events count, too\n",
                of_times(dataset),
                match (dataset.items().len(), ratings.len()) {
                    (..=MOST_ITEMS_OF_EASE, _) =>
                        "kind = \"ease\"            # a weight between every two items, in one step",
                    (_, ..=MOST_EVENTS_OF_SLIM) => {
                        "kind = \"item-knn\"        # the most similar items; weights between all of so many would take long\n\n\
                         [solver]\nkind = \"slim\"           # learns how much each of them counts"
                    }
                    _ =>
                        "kind = \"item-knn\"        # the most similar items; to learn weights of so many would take long",
                },
            ),
            Self::Gaps => format!(
                "split = {{ kind = \"random\", test = 0.1, validation = 0.1 }}    # cells are held out\n\n\
                 [model]\nkind = \"biased-mf\"    # row and column means + dot product of factors\nrank = {}\n\n\
                 [solver]\nkind = \"als\"          # missing cells are unknown, not zero\n\n\
                 [train]\nepochs = 30\nearly_stopping.patience = 5\nrefit = true\n",
                10.min(components),
            ),
            Self::Whole if least >= 0.0 && is_sparse(dataset) => format!(
                "\n[model]\nkind = \"nmf\"          # sums of parts; \"mf\" with solver \"svd\" fits closer\nrank = {}\n\n\
                 [solver]\nkind = \"hals\"         # cells that are not in the file are zeros\n",
                20.min(components),
            ),
            Self::Whole | Self::Pictures => format!(
                "{}\n[model]\nkind = \"biased-mf\"    # principal components: means of columns are subtracted; \"mf\" keeps them\n\
                 rank = {components}\n\n[solver]\nkind = \"svd\"          # the closest matrix of this rank\n",
                match has_classes(dataset) && self == Self::Pictures {
                    true =>
                        "# Held-out pictures are recognized by the nearest of their class.\n\
                             split = { kind = \"first-of-class\", train_rows = 5 }\n",
                    false => "",
                },
            ),
            Self::Documents => format!(
                "\n[model]\nkind = \"nmf\"          # a component is a topic; \"mf\" with solver \"svd\" is LSA\nrank = {}\n\n\
                 [solver]\nkind = \"hals\"\n",
                20.min(components),
            ),
        }
    }
}

/// Whether values are amounts rather than opinions: all the same, or without an upper end that many share.
fn are_amounts(values: &[f32]) -> bool {
    let Some(&first) = values.first() else { return false };
    if values.iter().all(|&value| value == first) {
        return true;
    }
    let count = values.len() as f64;
    let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
    let spread = (values.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>() / count).sqrt();
    // Counts, hours and prices spread further than their mean; opinions are on a scale.
    values.iter().all(|&value| value >= 0.0) && spread > mean
}

/// Whether most cells of the matrix are absent.
fn is_sparse(dataset: &Dataset) -> bool {
    2 * dataset.interactions.len() < dataset.users().len() * dataset.items().len()
}

/// Whether at least two classes have enough rows to hold some out.
fn has_classes(dataset: &Dataset) -> bool {
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    for class in dataset.users().ids().filter_map(crate::data::class_of) {
        *counts.entry(class).or_default() += 1;
    }
    counts.len() > 1
        && counts.values().sum::<usize>() == dataset.users().len()
        && counts.values().any(|&count| count > 5)
}

/// What to say of times.
fn of_times(dataset: &Dataset) -> &'static str {
    match dataset.interactions.timestamps {
        Some(_) => "    # \"global-temporal\" holds out the newest",
        None => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_told_from_opinions() {
        assert!(
            are_amounts(&[1.0; 5]) && are_amounts(&[1.0, 0.5, 300.0, 2.0, 0.1]) && are_amounts(&[0.0, 0.0, 0.0, 7.0])
        );
        for opinions in [&[1.0, 5.0, 3.0, 4.0][..], &[0.0, 1.0, 1.0], &[-10.0, 0.5, 9.0], &[1.0, 10.0, 7.0], &[]] {
            assert!(!are_amounts(opinions), "{opinions:?}");
        }
    }

    #[test]
    fn names_of_runs_are_plain() {
        for (path, name) in
            [("a/My ratings.csv.gz", "My-ratings"), ("s1/", "s1"), (".x", "x"), ("-", "data"), ("ä.csv", "data")]
        {
            assert_eq!(name_of(Path::new(path)), name);
        }
    }
}
