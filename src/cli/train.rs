//! `lowrank train`.

use std::io::stderr;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::arguments::Overrides;
use super::interrupt::StopRequest;
use super::output;
use crate::config::Config;
use crate::data::{FieldId, Interactions, Layout};
use crate::error::Result;
use crate::eval::GroupStability;
use crate::eval::Predictor;
use crate::metric::{Metric, ObjectiveLoss, Rmse, Scores, label};
use crate::model::parameters;
use crate::report::{Console, ReportOptions};
use crate::run::views::{Compression, SegmentFindings, Topic, Views};
use crate::run::{
    self, AmongCandidates, Finished, Forecast, ModelFile, Parts, Resume, RunDirectory, Summary, TrainOptions,
};
use crate::solver::nmf::Zeros;
use crate::tables;
use crate::train::Observer;

/// Arguments of `lowrank train`.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// The config file; `config.toml` of a run directory reproduces that run.
    config: PathBuf,
    #[command(flatten)]
    overrides: Overrides,
    /// auto, cpu, ndarray, wgpu, wgpu:0, wgpu:cpu, cuda or cuda:0; short for --set train.device=….
    #[arg(long)]
    device: Option<String>,
    /// Continue from the last checkpoint: of the run that contains CONFIG, or of the newest run of its name.
    #[arg(long)]
    resume: bool,
    /// Print the expected memory and time of training, measured by a short probe; write nothing.
    #[arg(long, conflicts_with = "resume")]
    dry_run: bool,
    /// Show no progress.
    #[arg(long, short)]
    quiet: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// Trains and prints the result.
pub fn train(args: TrainArgs, parts: &Parts) -> Result<()> {
    let mut overrides = args.overrides.set;
    overrides.extend(args.device.map(|device| format!("train.device={device}")));
    let config = Config::load(&parts.schema(), &args.config, &overrides)?;
    let quiet = args.quiet;
    let mut note = |text: &str| {
        if !quiet {
            output::message(text);
        }
    };
    if args.dry_run {
        let forecast = run::dry_run(&config, parts, note)?;
        return if args.json { output::print_json(&forecast) } else { output::print(&expected(&forecast)) };
    }
    let stop = StopRequest::on_interrupt("interrupted: writing a checkpoint (press again to stop at once)")?;
    let every = ReportOptions::of(config.values()).every;
    let observer = |epochs| (!quiet).then(|| -> Box<dyn Observer> { Box::new(Console::new(stderr(), every, epochs)) });
    let options = TrainOptions {
        resume: if args.resume { resume_from(&args.config)? } else { Resume::New },
        stop: &stop.flag,
        loaded: &|| stop.wait_for_checkpoint(),
        command_line: output::command_line(),
        note: &mut note,
        observer: &observer,
    };
    let finished = run::train(&config, parts, options)?;
    if args.json {
        let Finished { directory, summary, .. } = &finished;
        output::print_json(&Trained { directory: directory.path(), summary })
    } else {
        output::print(&report(&finished))
    }
}

/// What `--json` prints: the summary, and where it and all else was written.
#[derive(Serialize)]
struct Trained<'a> {
    directory: &'a Path,
    #[serde(flatten)]
    summary: &'a Summary,
}

/// A config inside a run directory means that run.
fn resume_from(config: &Path) -> Result<Resume> {
    let directory = RunDirectory::of_config(config)?;
    Ok(directory.map_or(Resume::Newest, |directory| Resume::Run(directory.path().to_path_buf())))
}

/// The result of a dry run.
fn expected(forecast: &Forecast) -> String {
    let row = |(name, bytes): (&str, u64)| vec![name.to_string(), format!("{:.1}", bytes as f64 / 1e6)];
    let mut rows: Vec<_> = forecast.memory.parts().into_iter().map(row).collect();
    rows.push(row(("peak", forecast.memory_bytes)));
    let Forecast { name, num_users, num_items, num_train, device, threads, epochs, .. } = forecast;
    format!(
        "{name}: {num_users} users, {num_items} items, {num_train} training ratings\n\n{}\n\
         {:.3} s per epoch, {:.1} s for all {epochs}, {:.2} M ratings/s on {device} with {threads} threads\n",
        output::table(&["expected memory", "MB"], &rows),
        forecast.seconds_per_epoch,
        forecast.seconds,
        forecast.ratings_per_second / 1e6,
    )
}

/// The result table, the files written, and what to do next.
fn report(finished: &Finished) -> String {
    let Finished { directory, summary, model } = finished;
    let (row, column) = model.layout.nouns();
    let cells = if model.layout == Layout::Cells { "ratings" } else { "cells" };
    let is_rated = matches!(model.layout, Layout::Cells | Layout::Table | Layout::Matrix | Layout::Graph)
        && model.zeros == Zeros::Missing;
    // Among items that are all alike there is none to recommend.
    let is_learned = model.predictor.clip.is_none_or(|(low, high)| low < high);
    // Rows that no rating of was trained on are judged by what the components make of them, below.
    let are_rows_held_out = summary.views.as_ref().is_some_and(|views| views.held_out_rmse.is_some());
    let mut text = format!(
        "\n{}: {} of {} {row}s, {} {column}s, {} {cells}; epoch {} of {} kept{}\n\n",
        summary.name,
        summary.model,
        summary.num_users,
        summary.num_items,
        summary.num_ratings,
        summary.best_epoch,
        summary.epochs_run,
        if summary.refit { ", retrained on training and validation ratings" } else { "" },
    );
    let test = summary.test.as_ref().filter(|_| !are_rows_held_out);
    let parts = [("test", test), ("validation", summary.validation.as_ref()), ("train", summary.train.as_ref())];
    let first = parts.iter().find_map(|(_, scores)| *scores);
    let names: Vec<&str> = first.into_iter().flat_map(output::metrics).map(|(name, _)| name.as_str()).collect();
    let row = |name: &str, scores: &Scores| {
        let mut cells = vec![name.to_string()];
        let number = |name: &&str| scores.get(name).map_or(String::new(), tables::number);
        cells.extend(names.iter().map(number));
        cells.push(scores.count.to_string());
        cells
    };
    let mut rows = Vec::new();
    for (name, scores) in parts {
        rows.extend(scores.map(|scores| row(name, scores)));
    }
    if let Some(baselines) = summary.baselines.as_ref().filter(|_| !are_rows_held_out) {
        let named = baselines.named().map(|(name, scores)| row(&format!("  {name} ({})", baselines.split), scores));
        rows.extend(named);
    }
    if let Some(AmongCandidates { candidates, model, popularity }) = &summary.test_among_candidates {
        rows.push(row(&format!("test, among {candidates} candidates"), model));
        rows.push(row("  what is most popular (among them)", popularity));
    }
    if let Some(error) = summary.reachable_error.filter(|_| names.contains(&Rmse.name())) {
        // Planted noise is a deviation.
        let value = |name: &&str| if *name == Rmse.name() { tables::number(error) } else { String::new() };
        let mut cells = vec!["  best reachable (planted noise)".into()];
        cells.extend(names.iter().map(value));
        cells.push(String::new());
        rows.push(cells);
    }
    let labels: Vec<String> = names.iter().map(|name| label(name)).collect();
    let mut header = vec![""];
    header.extend(labels.iter().map(String::as_str));
    header.push(cells);
    if !names.is_empty() {
        text += &output::table(&header, &rows);
    }
    let train = summary.train.as_ref().filter(|_| summary.test.is_none() && summary.validation.is_none());
    if let Some(loss) = train.and_then(|train| train.get(ObjectiveLoss.name())) {
        text += &format!("\nfinal loss on the training ratings: {loss:.6e}\n");
    }
    if !are_rows_held_out {
        text += &output::unknown(summary.test_unknown_users, summary.test_unknown_items, model.predictions);
        text += &output::cold(summary.test_cold_users, summary.test_cold_items);
    }
    text += &output::warnings(&summary.doubts);
    text += &small_matrices(model);
    if let Some(views) = &summary.views {
        text += &looked_at(views);
    }
    text += &format!(
        "\n{:.1} s of training, {:.2} M ratings/s on {} with {} threads\n\nwritten:\n",
        summary.seconds_training,
        summary.ratings_per_second / 1e6,
        summary.device,
        summary.threads
    );
    for (path, what) in [
        (directory.model(), "the model"),
        (directory.summary(), "this result"),
        (directory.metrics(), "one object per epoch"),
        (directory.curve(), "the training curve"),
        (directory.config(), "the resolved config"),
    ] {
        if path.exists() {
            text += &format!("  {:<50} {what}\n", path.display().to_string());
        }
    }
    for shown in summary.views.iter().flat_map(|views| &views.files) {
        text += &format!("  {:<50} {}\n", directory.path().join(&shown.file).display().to_string(), shown.caption);
    }
    let program = output::program();
    let run = directory.path().display();
    let parent = directory.path().parent().unwrap_or(Path::new(".")).display();
    text += "\nnext:\n";
    text += &format!("  tensorboard --logdir {parent}\n");
    let has_shares = summary.views.as_ref().is_some_and(|views| views.shares.is_some());
    let is_factored = summary.views.as_ref().is_some_and(|views| views.relative_error.is_some());
    if has_shares || is_factored && !matches!(model.layout, Layout::CoOccurrences | Layout::Graph) {
        text += &format!("  {program} components {run}\n");
    }
    if let Some(user) = model.users().ids().next().filter(|_| is_rated && is_learned) {
        let separator = if user.starts_with('-') { "-- " } else { "" };
        let context = (2..model.fields.len()).filter_map(|at| {
            let id = model.entity(FieldId(at)).ids.ids().next()?;
            Some(format!("--context {} ", shell_word(&format!("{}={id}", model.fields[at].name))))
        });
        let context: String = context.collect();
        text += &format!("  {program} recommend {run} {context}{separator}{}\n", shell_word(user));
    }
    match (model.layout, model.users().ids().next()) {
        (Layout::Documents, _) => text += &format!("  {program} query {run} --text 'some words'\n"),
        (Layout::CoOccurrences, Some(word)) => {
            text += &format!("  {program} query {run} --term {}\n", shell_word(word));
        }
        (Layout::Picture { .. }, _) => text += &format!("  {program} reconstruct {run}\n"),
        (Layout::Pictures { .. }, Some(first)) => {
            text += &format!("  {program} query {run} --user {}\n", shell_word(first));
            text += &format!("  {program} reconstruct {run} {}\n", shell_word(first));
        }
        _ => {}
    }
    if summary.views.as_ref().is_some_and(|views| views.segments.is_some()) {
        text += &format!("  {program} segment {run} NEW_PURCHASES\n");
    }
    if summary.reachable_error.is_some() {
        text += &format!("  {program} data fetch movielens-100k\n");
        text += &format!("  {program} train configs/movielens-100k/biased-mf.toml\n");
    }
    text
}

/// Findings about the factors.
fn looked_at(views: &Views) -> String {
    let mut text = String::new();
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let errors = [
        ("relative error over the cells of the data", views.relative_error),
        ("relative error over all cells", views.relative_error_with_zeros),
    ];
    for (name, error) in errors {
        text += &error.map_or(String::new(), |error| format!("{name}: {error:.4}\n"));
    }
    if let Some(error) = views.held_out_rmse {
        text += &format!("RMSE of held-out rows, reconstructed from the components: {error:.4}\n");
    }
    if let Some(found) = &views.recognition {
        text +=
            &format!("held-out rows of the class of their nearest: {} of {}\n", percent(found.accuracy), found.count);
    }
    if let Some(precision) = views.precision_at_10 {
        text += &format!("of the ten nearest documents, {} are of the same class\n", percent(precision));
    }
    if let Some(coherence) = views.coherence {
        text += &format!("mean coherence of the topics (NPMI): {coherence:.3}\n");
    }
    if let Some(segments) = &views.segments {
        text += &of_segments(segments);
    }
    if !views.compression.is_empty() {
        let line = |step: &Compression| {
            let psnr = step.psnr.map_or("exact".into(), |psnr| format!("{psnr:.2}"));
            vec![step.rank.to_string(), psnr, step.stored_bytes.to_string(), step.original_bytes.to_string()]
        };
        let lines: Vec<_> = views.compression.iter().map(line).collect();
        text += &format!("\n{}", output::table(&["rank", "PSNR, dB", "stored bytes", "original bytes"], &lines));
    }
    if !views.topics.is_empty() {
        const MOST: usize = 20;
        let line = |(number, topic): (usize, &Topic)| {
            let share = topic.share.map_or(String::new(), percent);
            let coherence = topic.coherence.map_or(String::new(), |coherence| format!("{coherence:.2}"));
            vec![(number + 1).to_string(), share, coherence, topic.words.join(" ")]
        };
        let lines: Vec<_> = views.topics.iter().enumerate().take(MOST).map(line).collect();
        text += &format!("\n{}", output::table(&["topic", "share", "NPMI", "words"], &lines));
    }
    if text.is_empty() { text } else { format!("\n{text}") }
}

/// Findings about segments of customers.
fn of_segments(found: &SegmentFindings) -> String {
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let stability = |own: &GroupStability| format!("{:.3} ± {:.3}", own.agreement, own.standard_error);
    let mut text = format!(
        "{} segments of {} customers; they come out again with an adjusted Rand index of {}",
        found.stability.groups,
        found.customers,
        stability(&found.stability)
    );
    if let Some(habits) = &found.stability_of_habits {
        text += &format!(" (by recency, frequency and spend alone {})", stability(habits));
    }
    text += "\n";
    if let Some(lists) = &found.lists {
        text += &format!(
            "of {} customers who then buy something for the first time, {} find it among the first ten of their segment's list, \
             made of first purchases of {}; {} among those of all segments, {} among the most popular of all times\n",
            lists.customers,
            percent(lists.hit_rate),
            lists.days.map_or("all times".into(), |days| format!("{days} days")),
            percent(lists.recent_hit_rate),
            percent(lists.popularity_hit_rate)
        );
    }
    if let Some(communities) = &found.communities {
        text += &format!(
            "{} communities of products, adjusted Rand index {}",
            communities.stability.groups,
            stability(&communities.stability)
        );
        if let Some((within, by_chance)) = communities.held_out_pairs_within.zip(communities.by_chance) {
            let (within, by_chance) = (percent(within), percent(by_chance));
            text += &format!("; {within} of the pairs in held-out orders are within one (by chance {by_chance})");
        }
        text += "\n";
    }
    if let Some(together) = &found.bought_together {
        let times = |lift: f64| format!("{lift:.1} times as often as by chance");
        if let Some(lift) = together.lift {
            text += &format!("{} pairs of products are bought together {}", together.pairs, times(lift));
            text +=
                &together.held_out_lift.map_or(String::new(), |lift| format!(", in held-out orders {}", times(lift)));
            text += "\n";
        }
        if let Some((lift, popularity)) = together.hit_rate.zip(together.popularity_hit_rate) {
            text += &format!(
                "products missing from {} held-out orders that are among the first ten by lift: {} (by popularity {})\n",
                together.asked,
                percent(lift),
                percent(popularity)
            );
        }
    }
    text
}

/// Factors and their product, for matrices that fit on a screen.
fn small_matrices(model: &ModelFile) -> String {
    const LARGEST: usize = 12;
    let (num_users, num_items) = (model.users().len(), model.items().len());
    if num_users > LARGEST || num_items > LARGEST {
        return String::new();
    }
    let mut text = String::new();
    for (name, values) in parameters::collect(&model.model) {
        if name.ends_with("_factors") && values.shape[1] <= LARGEST {
            text += &format!("\n{name}\n{}", tables::matrix(&values.data, values.shape[1]));
        }
    }
    // With other fields, a score depends on more than user and item.
    if model.fields.len() > 2 {
        return text;
    }
    let users: Vec<u32> = (0..num_users as u32).flat_map(|user| vec![user; num_items]).collect();
    let items: Vec<u32> = (0..num_users).flat_map(|_| 0..num_items as u32).collect();
    let targets = vec![0.0; users.len()];
    let rows =
        Interactions { columns: vec![users, items], targets, bags: model.bags.clone(), ..Interactions::default() };
    let unclipped = Predictor { clip: None, ..model.predictor.clone() };
    let predictions = unclipped.predict(&model.model, &model.model.device(), &rows);
    text + &format!("\nprediction for every user (row) and item (column)\n{}", tables::matrix(&predictions, num_items))
}

/// Quotes an id if a shell would split or expand it.
fn shell_word(word: &str) -> String {
    let is_plain = !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "._-/".contains(c));
    if is_plain { word.to_string() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}
