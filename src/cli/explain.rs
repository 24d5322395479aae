//! `lowrank explain`.

use clap::{ArgGroup, Args};
use serde_json::json;

use super::arguments::RunArg;
use super::told::Told;
use super::{output, run};
use crate::data::Interactions;
use crate::error::Result;
use crate::metric::Catalog;
use crate::run::{Attribution, Explanation, ModelFile, Parts, explain as explained};
use crate::tables;

/// Arguments of `lowrank explain`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("whom").required(true).args(["user", "rating"]))]
pub struct ExplainArgs {
    #[command(flatten)]
    run: RunArg,
    /// The id or title of the item to explain.
    #[arg(value_name = "ITEM", allow_hyphen_values = true)]
    item: String,
    /// The id of a user of training, whose ratings are read from the data of the run.
    #[arg(long, short, allow_hyphen_values = true)]
    user: Option<String>,
    #[command(flatten)]
    told: Told,
    /// Number of rated items, and of factors, to show.
    #[arg(long, short, default_value_t = 10)]
    number: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Strongest items that are shown of a factor.
const STRONGEST: usize = 3;

/// Prints what adds to the score of an item.
pub fn explain(args: ExplainArgs, parts: &Parts) -> Result<()> {
    let mut open = run::open(&args.run, parts)?;
    let item = open.item(&args.item)?;
    let user = match &args.user {
        Some(id) => open.known_user(id)?,
        None => args.told.user(&mut open)?,
    };
    let file = &open.file;
    let catalog = open.seen()?.map(|seen| Catalog::new(seen.train(), file.items().len()));
    let likeness = |one, other| catalog.as_ref().map_or(0.0, |catalog| catalog.similarity(one, other));
    let explanation = explained(file, &user, item, &open.device.device, parts, likeness)?;
    // What the model itself has for a user of training, whose row is found again here.
    let own = match &args.user {
        Some(id) => {
            let mut columns = vec![vec![open.user(id)?], vec![item]];
            columns.extend(user.given.columns.iter().skip(2).map(|column| vec![column[0]]));
            let row =
                Interactions { columns, targets: vec![0.0], bags: file.bags.clone(), ..Interactions::of_fields(0) };
            Some(f64::from(file.predictor.predict(&file.model, &open.device.device, &row)[0]))
        }
        None => None,
    };
    if args.json {
        return output::print_json(&as_json(file, &explanation, own, args.number));
    }
    let Explanation { score, terms, factors, items, attribution, .. } = &explanation;
    let name = |item: u32| file.title(item as usize).unwrap_or_else(|| file.items().id(item as usize)).to_string();
    let whom = args.user.as_deref().map_or("a new user".into(), |id| format!("user {id}"));
    let prediction = file.predictor.of_score(*score);
    let mut text = format!("{} for {whom}: prediction {}\n", name(item), tables::number(prediction));
    if let Some(own) = own.filter(|own| (own - prediction).abs() > 1e-3 * prediction.abs().max(1.0)) {
        text += &format!(
            "by the user's ratings alone, from which this explanation follows; the trained model predicts {}\n",
            tables::number(own)
        );
    }
    if terms.len() > 1 {
        let rows: Vec<Vec<String>> = terms.iter().map(|(name, value)| vec![(*name).into(), signed(*value)]).collect();
        text += &format!("\n{}", output::table(&["part of the score", "adds"], &rows));
    }
    let row = |&(item, rating, value): &(u32, f32, f64)| {
        let title = file.title(item as usize).unwrap_or_default().to_string();
        vec![file.items().id(item as usize).to_string(), rating.to_string(), signed(value), title]
    };
    let shown: Vec<Vec<String>> = items.iter().take(args.number).map(row).collect();
    let how = match attribution {
        Attribution::Exact => "adds",
        Attribution::LeaveOneOut => "without it, less by",
    };
    text += &format!("\n{}", output::table(&["because of", "rated", how, ""], &shown));
    if items.len() > args.number {
        let rest: f64 = items[args.number..].iter().map(|(.., value)| value).sum();
        if *attribution == Attribution::Exact {
            text += &format!("{} others add {}\n", items.len() - args.number, signed(rest));
        }
    }
    if !explanation.features.is_empty() {
        let row = |(feature, value, adds): &(String, String, f64)| vec![format!("{feature} {value}"), signed(*adds)];
        let rows: Vec<Vec<String>> = explanation.features.iter().take(args.number).map(row).collect();
        text += &format!("\n{}", output::table(&["feature of the item", "adds"], &rows));
    }
    if !factors.is_empty()
        && let Some(fitted) = crate::run::views::Fitted::of(file)
    {
        let all = fitted.factors();
        let row = |&(factor, value): &(usize, f64)| {
            let strongest = all.strongest(all.h, factor, STRONGEST).into_iter();
            let names: Vec<String> = strongest
                .map(|(item, weight)| format!("{}{}", if weight < 0.0 { "−" } else { "" }, name(item as u32)))
                .collect();
            vec![(factor + 1).to_string(), signed(value), names.join("; ")]
        };
        let rows: Vec<Vec<String>> = factors.iter().take(args.number).map(row).collect();
        text += &format!("\n{}", output::table(&["factor", "adds", "strongest items"], &rows));
    }
    output::print(&text)
}

fn signed(value: f64) -> String {
    format!("{value:+.3}")
}

fn as_json(file: &ModelFile, explanation: &Explanation, own: Option<f64>, number: usize) -> serde_json::Value {
    let Explanation { score, terms, factors, features, items, attribution } = explanation;
    let item = |&(item, rating, value): &(u32, f32, f64)| {
        json!({
            "item": file.items().id(item as usize),
            "title": file.title(item as usize),
            "rating": rating,
            "adds": value,
        })
    };
    json!({
        "prediction": file.predictor.of_score(*score),
        "model_prediction": own,
        "score": score,
        "terms": terms.iter().map(|(name, value)| (name.to_string(), (*value).into())).collect::<serde_json::Map<_, _>>(),
        "attribution": attribution,
        "features": features.iter().take(number).map(|(feature, value, adds)| json!({ "feature": feature, "value": value, "adds": adds })).collect::<Vec<_>>(),
        "items": items.iter().take(number).map(item).collect::<Vec<_>>(),
        "factors": factors.iter().take(number).map(|(factor, value)| json!({ "factor": factor + 1, "adds": value })).collect::<Vec<_>>(),
    })
}
