//! `lowrank evaluate`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{Overrides, RunArg, output, run};
use crate::config::Config;
use crate::data::read::{ReadOptions, read_dataset};
use crate::data::split::{assign, divide};
use crate::data::{Dataset, Ratings, UNKNOWN, Vocabulary};
use crate::error::{Error, Result};
use crate::metric::Scores;
use crate::run::assemble;

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
            let dataset = read_dataset(path, None, &ReadOptions::default())?;
            (reindexed(&dataset, &open.file.users, &open.file.items), path.display().to_string())
        }
        (None, Some(directory)) => {
            let config = Config::load(&directory.config(), &args.overrides.set)?;
            let settings = config.settings();
            let dataset = assemble::dataset(settings)?;
            let parts = assign(&dataset, &assemble::split(settings), settings.seed)?;
            let split = divide(&dataset, &parts, settings.train.refit)?;
            if split.test.is_empty() {
                return Err(Error::Usage("this run has no test split; name a ratings file with --data".into()));
            }
            (split.test, "the run's test split".to_string())
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
        "on {what}\n\n{}\n{} ratings have a user and {} an item that training never saw: predicted by biases only\n",
        output::table(&["", "RMSE", "MAE", "loss", "ratings"], &rows),
        evaluation.unknown_users,
        evaluation.unknown_items
    ))
}

/// Ratings under a model's indices; ids that it does not know become [`UNKNOWN`].
fn reindexed(dataset: &Dataset, users: &Vocabulary, items: &Vocabulary) -> Ratings {
    let map = |from: &Vocabulary, to: &Vocabulary| -> Vec<u32> {
        from.ids().map(|id| to.index(id).unwrap_or(UNKNOWN)).collect()
    };
    let (user_map, item_map) = (map(&dataset.users, users), map(&dataset.items, items));
    let ratings = &dataset.ratings;
    Ratings {
        users: ratings.users.iter().map(|&user| user_map[user as usize]).collect(),
        items: ratings.items.iter().map(|&item| item_map[item as usize]).collect(),
        values: ratings.values.clone(),
        timestamps: None,
    }
}
