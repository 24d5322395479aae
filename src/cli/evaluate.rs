//! `lowrank evaluate`.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::arguments::{Overrides, RunArg, VectorArg};
use super::evaluate_classes::evaluate_classes;
use super::evaluate_words::{WordTests, evaluate_words};
use super::{output, run};
use crate::config::Config;
use crate::data::split::{NewRows, Part, add_other_ways, assign_all, met};
use crate::data::{ITEM, Interactions, Layout, Role, USER};
use crate::error::{Error, Result};
use crate::eval::{Evaluator, worse_than};
use crate::metric::{
    CalibrationGroup, Decision, Metric, Metrics, ObjectiveLoss, Scores, calibration_curve, decisions, label,
};
use crate::objective::Logistic;
use crate::run::{
    AmongCandidates, Parts, Ranked, RunDirectory, SeenItems, Settings, TestedUsers, among_candidates, check_targets,
};
use crate::solver::Predictions;
use crate::tables;

/// Seed of what is given of new users in a file.
const SEED: u64 = 42;

/// Arguments of `lowrank evaluate`.
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    #[command(flatten)]
    run: RunArg,
    /// Evaluate on this ratings file instead of the run's test split.
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    #[command(flatten)]
    overrides: Overrides,
    /// Take in the users of the file whom training never saw, by this share of the ratings of each, and evaluate on the
    /// others; 0.8 if no share is given.
    #[arg(long, value_name = "SHARE", requires = "data", num_args = 0..=1, default_missing_value = "0.8", value_parser = share)]
    new_users: Option<f64>,
    /// Metrics to compute, such as rmse,ndcg@20; by default those of the run.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    metrics: Option<Vec<String>>,
    /// Of a model of words, print how well cosines of their vectors agree with people: files with two words and a number a
    /// line, such as WordSim-353 and SimLex-999.
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["data", "metrics", "thresholds", "new_users", "classes"])]
    similarity: Vec<PathBuf>,
    /// Of a model of words, print how many analogies it answers: a file with four words a line, such as Google's
    /// questions-words.txt.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "metrics", "thresholds", "new_users", "classes"])]
    analogies: Option<PathBuf>,
    #[command(flatten)]
    vectors: VectorArg,
    /// Print how often the ten nearest rows tell the class of a row, such as the function of a protein: a file that gives ids
    /// a class.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "metrics", "thresholds", "new_users"])]
    classes: Option<PathBuf>,
    /// What the columns of that file hold, as in id,-,class; by default the first two.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', requires = "classes")]
    class_columns: Option<Vec<String>>,
    /// Print also what thresholds do, by precision and recall, and what happens of what is predicted, in ten groups: for a
    /// model of probabilities.
    #[arg(long)]
    thresholds: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// A share that leaves something on both sides.
fn share(text: &str) -> std::result::Result<f64, String> {
    let share = text.parse().ok().filter(|share| (f64::MIN_POSITIVE..1.0).contains(share));
    share.ok_or_else(|| "a share is above 0 and below 1, such as 0.8".into())
}

/// What a model is evaluated on.
enum Rated {
    /// Under its own indices.
    Known(Interactions),
    /// Of users whom it takes in first.
    New(Box<NewRows>),
}

/// What a model is asked.
struct Asked {
    rated: Rated,
    /// Where that is from, for people.
    what: String,
    /// The settings of the run, if this is its own test part: sampled ranking is then repeated, too.
    own_settings: Option<Settings>,
}

/// What the arguments ask for.
fn asked(args: &EvaluateArgs, open: &mut run::OpenRun, parts: &Parts) -> Result<Asked> {
    match (&args.data, &open.directory) {
        (Some(path), _) => of_file(args, open, path),
        (None, Some(directory)) => of_run(args, open, directory, parts),
        (None, None) => {
            Err(Error::Usage("a model file has no test split of its own; give a ratings file with --data".into()))
        }
    }
}

/// The ratings of a file, of users whom the model knows or takes in.
fn of_file(args: &EvaluateArgs, open: &mut run::OpenRun, path: &Path) -> Result<Asked> {
    let mut dataset = open.read(path, &args.overrides.set, None)?;
    if dataset.layout == Layout::Graph {
        add_other_ways(&mut dataset.interactions);
    }
    check_targets(
        &dataset,
        |rating| open.file.predictor.objective.refuses(rating),
        |_, message| Error::Usage(message),
    )?;
    let what = path.display().to_string();
    let Some(share) = args.new_users else {
        return Ok(Asked { rated: Rated::Known(open.reindexed(&dataset, |_| true)?), what, own_settings: None });
    };
    let known: Vec<bool> = dataset.users().ids().map(|id| open.file.users().index(id).is_some()).collect();
    let is_new = |at: usize| !known[dataset.interactions.column(USER)[at] as usize];
    let new = run::new_rows(&open.file, &dataset, Role::User, is_new, share, SEED)?;
    let count = known.iter().filter(|known| **known).count();
    if count > 0 {
        output::message(&format!("left out: {count} users of {what} whom training saw"));
    }
    let what = format!("{what}: what was not given of {} new users", known.len() - count);
    Ok(Asked { rated: Rated::New(Box::new(new)), what, own_settings: None })
}

/// The test part of the run, or of another split of its data.
fn of_run(args: &EvaluateArgs, open: &run::OpenRun, directory: &RunDirectory, parts: &Parts) -> Result<Asked> {
    let config = Config::load(&parts.schema(), &directory.config(), &args.overrides.set)?;
    let settings = Settings::of(&config, parts)?;
    let mut dataset = settings.source.load()?;
    let is_own = args.overrides.set.is_empty();
    let what = if is_own {
        directory.check_data(&dataset)?;
        "the run's test split"
    } else {
        "the test split of the run's config with --set (training may have seen some of it)"
    };
    let assigned = assign_all(&mut dataset, &settings.split, settings.seed)?;
    if !assigned.contains(&Part::Test) {
        return Err(Error::Usage("this run has no test split; give a ratings file with --data".into()));
    }
    // Under the model's own indices: an override may give another split, with other ids known to training.
    let is_test = |rating: usize| assigned[rating] == Part::Test;
    let rated = match settings.split.given() {
        None => Rated::Known(open.reindexed(&dataset, is_test)?),
        Some(share) => {
            Rated::New(Box::new(run::new_rows(&open.file, &dataset, Role::User, is_test, share, settings.seed)?))
        }
    };
    let own_settings = (is_own && matches!(rated, Rated::Known(_))).then_some(settings);
    Ok(Asked { rated, what: what.into(), own_settings })
}

/// Prints the metrics of a model and of the baselines.
pub fn evaluate(args: EvaluateArgs, parts: &Parts) -> Result<()> {
    let mut open = run::open(&args.run, parts)?;
    if !args.similarity.is_empty() || args.analogies.is_some() {
        let EvaluateArgs { similarity, analogies, vectors, .. } = &args;
        let tests = WordTests { similarity, analogies: analogies.as_deref(), vectors: vectors.vectors };
        return evaluate_words(&open.file, &tests, args.json);
    }
    if let Some(path) = &args.classes {
        return evaluate_classes(&open.file, path, args.class_columns.as_deref(), args.json);
    }
    let (own, relevant_from) = match &open.directory {
        Some(directory) => {
            let settings = Settings::of(&Config::load(&parts.schema(), &directory.config(), &[])?, parts)?;
            (settings.metrics, settings.relevant_from)
        }
        None => (parts.metrics.defaults(), None),
    };
    let metrics = match &args.metrics {
        Some(names) => {
            let named = names.iter().map(|name| parts.metrics.named("--metrics", name));
            Metrics(named.collect::<std::result::Result<_, _>>().map_err(Error::Usage)?)
        }
        None => own,
    };
    if args.thresholds && open.file.objective_kind.name != Logistic::NAME {
        let message = format!(
            "--thresholds is of probabilities, but with loss.kind = {:?} predictions are none",
            open.file.objective_kind.name
        );
        return Err(Error::Usage(message));
    }
    let Asked { rated, what, own_settings } = asked(&args, &mut open, parts)?;
    let file = &open.file;
    let seen = open.seen()?.map(SeenItems::into_train);
    let trained = seen.clone().filter(|_| own_settings.is_some());
    let sizes = [file.users().len(), file.items().len()];
    let evaluator =
        Evaluator::of_trained(file.predictor.clone(), metrics, seen, sizes).with_relevant_from(relevant_from);
    let device = &open.device.device;
    let (evaluator, evaluation, ratings) = match rated {
        Rated::Known(ratings) => {
            let evaluation = evaluator.evaluate(&file.model, device, &ratings);
            (evaluator, evaluation, ratings)
        }
        Rated::New(new) => {
            let tested = TestedUsers::new(file, &evaluator, *new, device, parts)?;
            let evaluation = tested.evaluate(device);
            (tested.evaluator, evaluation, tested.asked)
        }
    };
    let among = match own_settings.zip(trained) {
        Some((settings, trained)) => {
            let met = || trained.joined(&met(&file.fields, [&ratings], file.users().len()));
            let asked = Ranked { test: &ratings, met: &met, ids: [file.users(), file.items()] };
            among_candidates(&settings, &evaluator, &file.model, device, asked)?
        }
        None => None,
    };
    let has_baselines = file.predictions == Predictions::Targets;
    let baselines = has_baselines.then(|| evaluator.predictor.baselines(&ratings, &evaluator.metrics));
    let [mean, biases] = baselines.map_or([None, None], |tallies| tallies.map(|tally| tally.scores()));
    let [popularity, item_knn] = [evaluator.popularity(&ratings), evaluator.item_knn(&ratings)];
    let content = evaluator.content(&ratings, file.fields[ITEM.0].entity);
    let rows = [
        ("model", evaluation.scores.clone()),
        ("always the mean", mean.clone()),
        ("biases only", biases.clone()),
        ("what is most popular", popularity.clone()),
        ("item k-NN", item_knn.clone()),
        ("content k-NN", content.clone()),
    ];
    let scores: Vec<(&str, Scores)> = rows.into_iter().filter_map(|(name, scores)| Some((name, scores?))).collect();
    let worse = |(name, trivial): &(&str, Scores)| worse_than(&scores[0].1, name, trivial, &evaluator.metrics);
    let worse: Vec<String> = scores.iter().skip(1).filter_map(worse).collect();
    let doubts: Vec<String> =
        if worse.is_empty() { Vec::new() } else { vec![format!("this model is {}", worse.join(", and "))] };
    let [unknown_users, unknown_items] = [USER, ITEM].map(|field| evaluation.unknown(field));
    let [cold_users, cold_items] = [USER, ITEM].map(|field| ratings.count_cold(field, file.entity(field)));
    let decided = args.thresholds.then(|| {
        let (predictions, targets) = (&evaluation.predictions, &ratings.targets);
        (decisions(predictions, targets, relevant_from.unwrap_or(0.5)), calibration_curve(predictions, targets))
    });
    if args.json {
        let (thresholds, calibration) = decided.unzip();
        return output::print_json(&json!({
            "data": what,
            "thresholds": thresholds,
            "calibration": calibration,
            "model": scores[0].1,
            "global_mean": mean,
            "biases": biases,
            "popularity": popularity,
            "item_knn": item_knn,
            "content": content,
            "among_candidates": among,
            "doubts": doubts,
            "unknown_users": unknown_users,
            "unknown_items": unknown_items,
            "cold_users": cold_users,
            "cold_items": cold_items,
        }));
    }
    // A metric without a value for the baselines stays empty there.
    let of_model = &scores[0].1;
    let mut names: Vec<&str> = output::metrics(of_model).map(|(name, _)| name.as_str()).collect();
    let mut labels: Vec<String> = names.iter().map(|name| label(name)).collect();
    let own = of_model.values.iter().map(|(name, _)| name.as_str()).filter(|name| *name == ObjectiveLoss.name());
    names.extend(own.clone());
    labels.extend(own.map(String::from));
    let number = |scores: &Scores, name: &str| scores.get(name).map_or(String::new(), tables::number);
    let row = |(name, scores): &(&str, Scores)| {
        let mut cells = vec![name.to_string()];
        cells.extend(names.iter().map(|metric| number(scores, metric)));
        cells.push(scores.count.to_string());
        cells
    };
    let mut rows: Vec<Vec<String>> = scores.iter().map(row).collect();
    if let Some(AmongCandidates { candidates, model, popularity }) = among {
        rows.push(row(&(&format!("model, among {candidates} candidates"), model)));
        rows.push(row(&("what is most popular (among them)", popularity)));
    }
    let mut header = vec![""];
    header.extend(labels.iter().map(String::as_str));
    header.push("ratings");
    output::print(&format!(
        "on {what}\n\n{}{}{}{}{}",
        output::table(&header, &rows),
        decided.map_or(String::new(), |(decisions, curve)| probabilities(&decisions, &curve)),
        output::unknown(unknown_users, unknown_items, file.predictions),
        output::cold(cold_users, cold_items),
        output::warnings(&doubts),
    ))
}

/// Tables of what thresholds do, and of what happens of what is predicted.
fn probabilities(decisions: &[Decision], curve: &[CalibrationGroup]) -> String {
    let number = tables::number;
    let decision = |own: &Decision| {
        let precision = own.precision.map_or(String::new(), number);
        vec![number(own.threshold), number(own.share), precision, number(own.recall), number(own.f1)]
    };
    let group = |own: &CalibrationGroup| vec![number(own.predicted), number(own.observed), own.count.to_string()];
    let decisions: Vec<Vec<String>> = decisions.iter().map(decision).collect();
    let curve: Vec<Vec<String>> = curve.iter().map(group).collect();
    format!(
        "\n{}\n{}",
        output::table(&["threshold", "share above", "precision", "recall", "F1"], &decisions),
        output::table(&["predicted", "observed", "ratings"], &curve)
    )
}
