//! `lowrank recommend`.

use clap::Args;
use serde_json::json;

use super::arguments::RunArg;
use super::{output, run};
use crate::data::ITEM;
use crate::error::Result;
use crate::eval::{Queries, best};
use crate::run::Parts;

/// Arguments of `lowrank recommend`.
#[derive(Debug, Args)]
pub struct RecommendArgs {
    #[command(flatten)]
    run: RunArg,
    /// The user's id, as in the data.
    #[arg(allow_negative_numbers = true)]
    user: String,
    /// Number of items.
    #[arg(long, short, default_value_t = 10)]
    number: usize,
    /// Do not leave out the items that the user rated.
    #[arg(long)]
    keep_seen: bool,
    /// Leave out those of training only, not those that were held out for validation and test.
    #[arg(long, conflicts_with = "keep_seen")]
    keep_held_out: bool,
    /// What else a rating depends on, for a model that reads it: NAME=ID.
    #[arg(long, value_name = "NAME=ID")]
    context: Vec<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Prints the items that a user would rate highest.
pub fn recommend(args: RecommendArgs, parts: &Parts) -> Result<()> {
    let open = run::open(&args.run, parts)?;
    let user = open.user(&args.user)?;
    let file = &open.file;
    let seen = if args.keep_seen { None } else { open.seen()? };
    if seen.is_none() && !args.keep_seen {
        output::message("there is no seen.safetensors beside the model: items that the user rated are included");
    }
    let excluded = seen.map_or(Vec::new(), |seen| seen.items(user, !args.keep_held_out));
    let mut indices = vec![user, 0];
    indices.extend(open.context(&args.context)?);
    let query = Queries::one(&indices, ITEM, file.items().len(), &file.bags);
    let top = query.map(&file.model, &open.device.device, |_, scores| best(scores, &excluded, args.number)).concat();
    let prediction = |score: f32| file.predictor.of_score(score);
    if args.json {
        let items: Vec<_> = top
            .iter()
            .map(|&(item, score)| {
                json!({
                    "item": file.items().id(item as usize),
                    "title": file.title(item as usize),
                    "prediction": prediction(score),
                    "score": score,
                })
            })
            .collect();
        return output::print_json(&json!({ "user": args.user, "seen_items": excluded.len(), "items": items }));
    }
    let rows: Vec<Vec<String>> = (1..)
        .zip(&top)
        .map(|(rank, &(item, score))| {
            vec![
                rank.to_string(),
                file.items().id(item as usize).to_string(),
                format!("{:.3}", prediction(score)),
                file.title(item as usize).unwrap_or_default().to_string(),
            ]
        })
        .collect();
    output::print(&output::table(&["", "item", "prediction", "title"], &rows))?;
    let in_training = if args.keep_held_out { " in training" } else { "" };
    if !excluded.is_empty() {
        output::message(&format!("left out: {} items that user {} rated{in_training}", excluded.len(), args.user));
    }
    if top.is_empty() && !excluded.is_empty() {
        output::message("none is left; --keep-seen ranks those that were rated");
    }
    if file.predictor.clip.is_some_and(|(low, high)| low == high) {
        output::message("warning: all training ratings are the same, so that the order of these items means nothing");
    }
    Ok(())
}
