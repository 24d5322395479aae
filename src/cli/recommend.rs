//! `lowrank recommend`.

use clap::Args;
use serde_json::json;

use super::arguments::RunArg;
use super::{output, run};
use crate::error::Result;
use crate::eval::top_n;

/// Arguments of `lowrank recommend`.
#[derive(Debug, Args)]
pub struct RecommendArgs {
    #[command(flatten)]
    run: RunArg,
    /// The user's id, as in the data.
    #[arg(allow_negative_numbers = true)]
    user: String,
    /// How many items.
    #[arg(long, short, default_value_t = 10)]
    number: usize,
    /// Do not leave out the items that the user rated in training.
    #[arg(long)]
    keep_seen: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Prints the items that a user would rate highest.
pub fn recommend(args: RecommendArgs) -> Result<()> {
    let open = run::open(&args.run)?;
    let user = open.user(&args.user)?;
    let file = &open.file;
    let seen = if args.keep_seen { None } else { open.seen()? };
    if seen.is_none() && !args.keep_seen {
        output::message("there is no seen.safetensors beside the model: items that the user rated are not left out");
    }
    let excluded = seen.as_ref().map_or(&[][..], |seen| seen.items(user));
    let top = top_n(&file.model, &open.device.device, user, file.items.len(), excluded, args.number);
    let prediction = |item: u32, score: f32| file.predictor.prediction(score, user, item);
    if args.json {
        let items: Vec<_> = top
            .iter()
            .map(|&(item, score)| {
                json!({
                    "item": file.items.id(item as usize),
                    "title": file.title(item as usize),
                    "prediction": prediction(item, score),
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
                file.items.id(item as usize).to_string(),
                format!("{:.3}", prediction(item, score)),
                file.title(item as usize).unwrap_or_default().to_string(),
            ]
        })
        .collect();
    output::print(&output::table(&["", "item", "prediction", "title"], &rows))?;
    if !excluded.is_empty() {
        output::message(&format!("left out: {} items that user {} rated in training", excluded.len(), args.user));
    }
    Ok(())
}
