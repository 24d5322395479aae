//! `lowrank evaluate`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::arguments::{Overrides, RunArg};
use super::{output, run};
use crate::config::Config;
use crate::data::split::{Part, assign};
use crate::data::{Dataset, Ratings, UNKNOWN, Vocabulary};
use crate::error::{Error, Result};
use crate::loss::PointwiseLoss;
use crate::metric::Scores;
use crate::run::{ModelFile, Settings, check_ratings, schema};

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
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Prints the metrics of a model and of the baselines.
pub fn evaluate(args: EvaluateArgs) -> Result<()> {
    let open = run::open(&args.run)?;
    let (ratings, what) = match (&args.data, &open.directory) {
        (Some(path), _) => {
            let dataset = open.read(path, &args.overrides.set, None)?;
            check_ratings(&dataset, |rating| open.file.predictor.loss.refuses(rating))?;
            (reindexed(&dataset, |_| true, &open.file), path.display().to_string())
        }
        (None, Some(directory)) => {
            let config = Config::load(&schema(), &directory.config(), &args.overrides.set)?;
            let settings = Settings::of(&config)?;
            let dataset = settings.source.load()?;
            let what = if args.overrides.set.is_empty() {
                directory.check_data(&dataset)?;
                "the run's test split"
            } else {
                "the test split of the run's config with --set (training may have seen some of it)"
            };
            let parts = assign(&dataset, &settings.split, settings.seed)?;
            // Under the model's own indices: an override may make another split, with other ids known to training.
            let test = reindexed(&dataset, |rating| parts[rating] == Part::Test, &open.file);
            if test.is_empty() {
                return Err(Error::Usage("this run has no test split; name a ratings file with --data".into()));
            }
            (test, what.to_string())
        }
        (None, None) => {
            return Err(Error::Usage(
                "a model file has no test split of its own; name a ratings file with --data".into(),
            ));
        }
    };
    let predictor = &open.file.predictor;
    let evaluation = predictor.evaluate(&open.file.model, &open.device.device, &ratings);
    let (mean, biases) = predictor.baselines(&ratings);
    let rows = [("model", evaluation.sums), ("always the mean", mean), ("biases only", biases)];
    let scores: Vec<(&str, Scores)> =
        rows.into_iter().filter_map(|(name, sums)| sums.scores().map(|scores| (name, scores))).collect();
    if args.json {
        return output::print_json(&json!({
            "data": what,
            "model": scores[0].1,
            "global_mean": scores[1].1,
            "biases": scores[2].1,
            "unknown_users": evaluation.unknown_users,
            "unknown_items": evaluation.unknown_items,
        }));
    }
    let number = |value: f64| format!("{value:.4}");
    let rows: Vec<Vec<String>> = scores
        .iter()
        .map(|(name, s)| vec![name.to_string(), number(s.rmse), number(s.mae), number(s.loss), s.count.to_string()])
        .collect();
    output::print(&format!(
        "on {what}\n\n{}{}",
        output::table(&["", "RMSE", "MAE", "loss", "ratings"], &rows),
        output::unknown(evaluation.unknown_users, evaluation.unknown_items)
    ))
}

/// The ratings to `keep` under a model's indices; ids that it does not know become [`UNKNOWN`].
fn reindexed(dataset: &Dataset, keep: impl Fn(usize) -> bool, file: &ModelFile) -> Ratings {
    let map = |from: &Vocabulary, to: &Vocabulary| -> Vec<u32> {
        from.ids().map(|id| to.index(id).unwrap_or(UNKNOWN)).collect()
    };
    let (users, items) = (map(&dataset.users, &file.users), map(&dataset.items, &file.items));
    let ratings = &dataset.ratings;
    let mut kept = Ratings::default();
    for rating in (0..ratings.len()).filter(|&rating| keep(rating)) {
        let (user, item) = (users[ratings.users[rating] as usize], items[ratings.items[rating] as usize]);
        kept.push(user, item, ratings.values[rating], None);
    }
    kept
}
