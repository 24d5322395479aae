//! `lowrank recommend`.

use std::borrow::Cow;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::arguments::{ListFormat, Overrides, RunArg, ids_in};
use super::item_filter::ItemFilter;
use super::told::Told;
use super::{output, run};
use crate::data::unseen::met_items;
use crate::data::{ITEM, Role};
use crate::error::{Error, Result};
use crate::eval::{ListOptions, Queries, list};
use crate::files::{self, Column};
use crate::linalg::Groups;
use crate::metric::Catalog;
use crate::run::{ModelFile, Parts, check_targets};

/// Arguments of `lowrank recommend`.
#[derive(Debug, Args)]
pub struct RecommendArgs {
    #[command(flatten)]
    run: RunArg,
    /// Ids of users, as in the data.
    #[arg(value_name = "USER", allow_negative_numbers = true, conflicts_with = "rating")]
    user: Vec<String>,
    /// Users whose ids are in this file, one a line.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["user", "all", "rating", "history"])]
    users: Option<PathBuf>,
    /// All users of the model.
    #[arg(long, conflicts_with_all = ["user", "rating", "history"])]
    all: bool,
    #[command(flatten)]
    told: Told,
    /// Every user of this file, in the layout of the run's data, as a new one of whom nothing else is known.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["user", "rating"])]
    history: Option<PathBuf>,
    #[command(flatten)]
    overrides: Overrides,
    /// Number of items.
    #[arg(long, short, default_value_t = 10)]
    number: usize,
    /// Do not leave out the items that the user rated.
    #[arg(long)]
    keep_seen: bool,
    /// Leave out those of training only, not those that were held out for validation and test.
    #[arg(long, conflicts_with = "keep_seen")]
    keep_held_out: bool,
    #[command(flatten)]
    filter: ItemFilter,
    /// Rank by score − PENALTY · log2(1 + number of training users who met the item).
    #[arg(long, value_name = "PENALTY", default_value_t = 0.0, value_parser = not_negative)]
    popularity_penalty: f64,
    /// How much an item loses for being like those above it, from 0 to 1: maximal marginal relevance, items being alike
    /// that the same users met.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = up_to_one)]
    diversity: f64,
    /// How lists are printed; a table for people holds one user.
    #[arg(long, value_name = "FORMAT", conflicts_with = "json")]
    format: Option<ListFormat>,
    /// Write to this file instead, for the formats csv, json-lines and parquet.
    #[arg(long, value_name = "FILE", requires = "format")]
    to: Option<PathBuf>,
    /// Print JSON: the list of one user.
    #[arg(long)]
    json: bool,
}

fn not_negative(text: &str) -> std::result::Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| *number >= 0.0 && number.is_finite());
    number.ok_or_else(|| "a number from 0 up".into())
}

fn up_to_one(text: &str) -> std::result::Result<f64, String> {
    text.parse().ok().filter(|number| (0.0..=1.0).contains(number)).ok_or_else(|| "a number from 0 to 1".into())
}

/// Whom lists are for, and what they met.
struct Users {
    /// Their rows in the model.
    rows: Vec<u32>,
    /// The items that each of them met, ascending.
    met: Groups,
    /// Whether that is known.
    is_known: bool,
}

/// An item of a list, and its score.
type Place = (u32, f32);

/// Prints the items that users would rate highest.
pub fn recommend(args: RecommendArgs, parts: &Parts) -> Result<()> {
    let mut open = run::open(&args.run, parts)?;
    let context = open.context(&args.told.context)?;
    let (new_file, users) = whom(&args, &mut open, parts)?;
    let file = new_file.as_ref().unwrap_or(&open.file);
    let format = args.format.unwrap_or(if args.json { ListFormat::Json } else { ListFormat::Table });
    check_format(format, &args, users.rows.len())?;
    let others = args.filter.outside(&open)?;
    let catalog = catalog(&args, &open)?;
    let options =
        ListOptions { number: args.number, popularity_penalty: args.popularity_penalty, diversity: args.diversity };
    let mut columns = vec![users.rows.clone(), vec![0; users.rows.len()]];
    columns.extend(context.into_iter().map(|row| vec![row; users.rows.len()]));
    let queries = Queries { columns, field: ITEM, num_rows: file.items().len(), bags: &file.bags };
    let lists: Vec<Vec<Place>> = queries.map(&file.model, &open.device.device, |at, scores| {
        let met = if args.keep_seen { &[] } else { users.met.get(at) };
        list(scores, &both(met, &others), options, &catalog)
    });
    let text = match (format, &args.to) {
        (ListFormat::Table, _) => return table(&args, file, &users, &lists[0]),
        (ListFormat::Json, _) => return json_of_one(&args, file, &users, &lists[0]),
        (ListFormat::Parquet, path) => {
            let path = path.as_ref().ok_or_else(|| Error::Usage("a Parquet file needs a name: --to FILE".into()))?;
            return files::write_parquet(path, as_columns(file, &users, &lists));
        }
        (ListFormat::JsonLines, _) => json_lines(file, &users, &lists),
        (ListFormat::Csv, _) => csv(file, &users, &lists)?,
    };
    match &args.to {
        Some(path) => files::write_bytes(path, text.as_bytes()),
        None if format == ListFormat::Csv => output::print_raw(&text),
        None => output::print_json_text(&text),
    }
}

/// Refuses a format that cannot hold what is asked for.
fn check_format(format: ListFormat, args: &RecommendArgs, num_users: usize) -> Result<()> {
    let refused = |cause: &str| Err(Error::Usage(cause.into()));
    match format {
        ListFormat::Table | ListFormat::Json if args.to.is_some() => {
            refused("--to writes the formats csv, json-lines and parquet")
        }
        ListFormat::Table if num_users > 1 => refused("lists of several users need --format csv or json-lines"),
        ListFormat::Json if num_users > 1 => refused("--json prints the list of one user; take --format json-lines"),
        _ => Ok(()),
    }
}

/// What training saw of the items, if lists ask for it.
fn catalog(args: &RecommendArgs, open: &run::OpenRun) -> Result<Catalog> {
    let num_items = open.file.items().len();
    if args.popularity_penalty == 0.0 && args.diversity == 0.0 {
        return Ok(Catalog::new(&Groups::new(0, std::iter::empty()), num_items));
    }
    let seen = open.seen()?.ok_or_else(|| {
        Error::Usage(
            "there is no seen.safetensors beside the model, which says how popular items are; leave out \
             --popularity-penalty and --diversity"
                .into(),
        )
    })?;
    Ok(Catalog::new(seen.train(), num_items))
}

/// The columns of lists in files.
const COLUMNS: [&str; 5] = ["user", "item", "rank", "score", "title"];

/// User, item, rank, score and title of each place of the lists.
fn places<'a>(
    file: &'a ModelFile,
    users: &'a Users,
    lists: &'a [Vec<Place>],
) -> impl Iterator<Item = (&'a str, &'a str, u32, f32, &'a str)> {
    users.rows.iter().zip(lists).flat_map(move |(&user, list)| {
        (1..).zip(list).map(move |(rank, &(item, score))| {
            let item = item as usize;
            (file.users().id(user as usize), file.items().id(item), rank, score, file.title(item).unwrap_or_default())
        })
    })
}

fn as_columns(file: &ModelFile, users: &Users, lists: &[Vec<Place>]) -> Vec<(&'static str, Column)> {
    let places: Vec<_> = places(file, users, lists).collect();
    let texts = |of: fn(&(&str, &str, u32, f32, &str)) -> String| Column::Texts(places.iter().map(of).collect());
    let columns = [
        texts(|place| place.0.into()),
        texts(|place| place.1.into()),
        Column::Counts(places.iter().map(|place| place.2).collect()),
        Column::Numbers(places.iter().map(|place| place.3).collect()),
        texts(|place| place.4.into()),
    ];
    COLUMNS.into_iter().zip(columns).collect()
}

fn csv(file: &ModelFile, users: &Users, lists: &[Vec<Place>]) -> Result<String> {
    let rows = places(file, users, lists).map(|(user, item, rank, score, title)| {
        [user.into(), item.into(), rank.to_string(), score.to_string(), title.into()]
    });
    output::csv(&COLUMNS, rows)
}

/// Whom to recommend to, with the model that has them if they are new.
fn whom(args: &RecommendArgs, open: &mut run::OpenRun, parts: &Parts) -> Result<(Option<ModelFile>, Users)> {
    let is_new = !args.told.rating.is_empty() || args.history.is_some();
    if is_new {
        let new = match &args.history {
            Some(path) => {
                let dataset = open.read(path, &args.overrides.set, None)?;
                let refuses = |rating| open.file.predictor.objective.refuses(rating);
                check_targets(&dataset, refuses, |_, message| Error::Usage(message))?;
                run::new_rows(&open.file, &dataset, Role::User, |_| true, 1.0, 0)?
            }
            None => args.told.user(open)?,
        };
        let file = &open.file;
        if new.given.is_empty() {
            return Err(Error::Usage(format!(
                "nothing that was rated is among the {} items of this model",
                file.items().len()
            )));
        }
        if new.left_out > 0 {
            output::message(&format!("left out: {} users who rated no item of this model", new.left_out));
        }
        let folded = file.of_new(Role::User, &new, &open.device.device, parts)?;
        let count = new.entity.ids.len();
        let met = met_items([&new.given], count);
        return Ok((Some(folded), Users { rows: (0..count as u32).collect(), met, is_known: true }));
    }
    let rows: Vec<u32> = if args.all {
        (0..open.file.users().len() as u32).collect()
    } else {
        let from_file = args.users.as_deref().map(ids_in).transpose()?;
        let ids = from_file.as_ref().unwrap_or(&args.user);
        if ids.is_empty() {
            return Err(Error::Usage(
                "name the users, or give --all, --users FILE, --history FILE or --rating ITEM=RATING".into(),
            ));
        }
        ids.iter().map(|id| open.user(id)).collect::<Result<_>>()?
    };
    let seen = if args.keep_seen { None } else { open.seen()? };
    if seen.is_none() && !args.keep_seen {
        output::message("there is no seen.safetensors beside the model: items that the user rated are included");
    }
    let items = rows.iter().map(|&user| seen.as_ref().map_or(Vec::new(), |seen| seen.items(user, !args.keep_held_out)));
    let (mut starts, mut members) = (vec![0], Vec::new());
    items.for_each(|items| {
        members.extend(items);
        starts.push(members.len());
    });
    let met = Groups::from_parts(starts, members).expect("starts that ascend");
    Ok((None, Users { rows, met, is_known: seen.is_some() }))
}

/// The union of two ascending lists, ascending.
fn both<'a>(one: &'a [u32], other: &[u32]) -> Cow<'a, [u32]> {
    if other.is_empty() {
        return Cow::Borrowed(one);
    }
    let mut both = [one, other].concat();
    both.sort_unstable();
    both.dedup();
    Cow::Owned(both)
}

fn json_of_one(args: &RecommendArgs, file: &ModelFile, users: &Users, list: &[Place]) -> Result<()> {
    let excluded = if args.keep_seen { 0 } else { users.met.get(0).len() };
    let items: Vec<_> = list.iter().map(|place| json_of(file, place)).collect();
    let user = file.users().id(users.rows[0] as usize);
    output::print_json(&json!({ "user": user, "seen_items": excluded, "items": items }))
}

fn json_of(file: &ModelFile, &(item, score): &Place) -> serde_json::Value {
    json!({
        "item": file.items().id(item as usize),
        "title": file.title(item as usize),
        "prediction": file.predictor.of_score(score),
        "score": score,
    })
}

fn json_lines(file: &ModelFile, users: &Users, lists: &[Vec<Place>]) -> String {
    let line = |(&user, list): (&u32, &Vec<Place>)| {
        let items: Vec<_> = list.iter().map(|place| json_of(file, place)).collect();
        json!({ "user": file.users().id(user as usize), "items": items }).to_string() + "\n"
    };
    users.rows.iter().zip(lists).map(line).collect()
}

fn table(args: &RecommendArgs, file: &ModelFile, users: &Users, list: &[Place]) -> Result<()> {
    let row = |(rank, &(item, score)): (usize, &Place)| {
        vec![
            rank.to_string(),
            file.items().id(item as usize).to_string(),
            format!("{:.3}", file.predictor.of_score(score)),
            file.title(item as usize).unwrap_or_default().to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = (1..).zip(list).map(row).collect();
    output::print(&output::table(&["", "item", "prediction", "title"], &rows))?;
    let in_training = if args.keep_held_out { " in training" } else { "" };
    let excluded = if args.keep_seen || !users.is_known { 0 } else { users.met.get(0).len() };
    if excluded > 0 {
        let whom = match args.told.rating.is_empty() {
            true => format!("user {}", file.users().id(users.rows[0] as usize)),
            false => "the new user".into(),
        };
        output::message(&format!("left out: {excluded} items that {whom} rated{in_training}"));
    }
    if list.is_empty() && excluded > 0 {
        output::message("none is left; --keep-seen ranks those that were rated");
    }
    if file.predictor.clip.is_some_and(|(low, high)| low == high) {
        output::message("warning: all training ratings are the same, so that the order of these items means nothing");
    }
    Ok(())
}
