//! `lowrank components`.

use clap::Args;
use serde_json::json;

use super::arguments::RunArg;
use super::{output, run};
use crate::data::Layout;
use crate::error::Result;
use crate::run::Parts;

/// Arguments of `lowrank components`.
#[derive(Debug, Args)]
pub struct ComponentsArgs {
    #[command(flatten)]
    run: RunArg,
    /// Number of the strongest members of each component.
    #[arg(long, short, default_value_t = 10)]
    number: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Prints each component with its strongest columns and rows, heaviest component first.
pub fn components(args: ComponentsArgs, parts: &Parts) -> Result<()> {
    let open = run::open(&args.run, parts)?;
    let file = &open.file;
    let fitted = open.fitted(parts)?;
    let factors = fitted.factors();
    if !factors.non_negative && factors.singular_values.is_none() {
        output::message(
            "these factors can be rotated without changing a prediction, so no component has a meaning of its own; use \
             nmf or svd, whose components do",
        );
    }
    let weights = factors.weights();
    let mut order: Vec<usize> = (0..factors.rank).collect();
    order.sort_by(|&a, &b| weights[b].total_cmp(&weights[a]));
    let (row, column) = factors.layout.nouns();
    let members = |values: &[f32], component, id: &dyn Fn(usize) -> String| -> Vec<(String, f32)> {
        factors.strongest(values, component, args.number).into_iter().map(|(at, weight)| (id(at), weight)).collect()
    };
    let column_name = |at: usize| file.title(at).unwrap_or(file.items().id(at)).to_string();
    let row_name = |at: usize| file.users().id(at).to_string();
    let listed = order.into_iter().map(|component| {
        // Lists of pixels say nothing: the pictures of components are in the run directory.
        let is_picture = matches!(factors.layout, Layout::Picture { .. } | Layout::Pictures { .. });
        let columns = if is_picture { Vec::new() } else { members(factors.h, component, &column_name) };
        (component + 1, weights[component], columns, members(factors.w, component, &row_name))
    });
    if args.json {
        let listed: Vec<_> = listed
            .map(|(component, weight, columns, rows)| {
                let list = |members: Vec<(String, f32)>| -> Vec<_> {
                    members.into_iter().map(|(id, weight)| json!({ "id": id, "weight": weight })).collect()
                };
                json!({ "component": component, "weight": weight, "columns": list(columns), "rows": list(rows) })
            })
            .collect();
        return output::print_json(&listed);
    }
    let mut text = String::new();
    for (component, weight, columns, rows) in listed {
        text += &format!("component {component}, weight {weight:.4}\n");
        for (noun, members) in [(column, columns), (row, rows)] {
            if !members.is_empty() {
                let members: Vec<_> =
                    members.iter().map(|(id, weight)| format!("{} {weight:.3}", output::in_line(id))).collect();
                text += &format!("  {noun}s: {}\n", members.join(", "));
            }
        }
    }
    output::print(&text)
}
