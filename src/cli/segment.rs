//! `lowrank segment`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::arguments::{Overrides, RunArg};
use super::{output, run};
use crate::error::{Error, Result};
use crate::run::{Assigned, Parts, assign};

/// Arguments of `lowrank segment`.
#[derive(Debug, Args)]
pub struct SegmentArgs {
    #[command(flatten)]
    run: RunArg,
    /// Purchases in the layout of the run's data: all that is known of each customer.
    #[arg(value_name = "FILE")]
    data: PathBuf,
    #[command(flatten)]
    overrides: Overrides,
    /// Print JSON instead of comma-separated values.
    #[arg(long)]
    json: bool,
}

/// Prints the segment of each customer of a file.
pub fn segment(args: SegmentArgs, parts: &Parts) -> Result<()> {
    let mut open = run::open(&args.run, parts)?;
    let Some(directory) = open.directory.clone() else {
        return Err(Error::Usage("segment needs the run directory of the model, not the model file alone".into()));
    };
    let dataset = open.read(&args.data, &args.overrides.set, None)?;
    let assigned = assign(&directory, &open.file, &dataset, &open.device.device, parts)?;
    let left_out = dataset.users().len() - assigned.len();
    if left_out > 0 {
        let customers = if left_out == 1 { "customer" } else { "customers" };
        output::message(&format!(
            "left out: {left_out} {customers} without an order of a product that the model knows and that was kept"
        ));
    }
    if args.json {
        let line = |own: &Assigned| {
            json!({
                "customer": own.customer,
                "segment": own.segment + 1,
                "days_since_order": own.habits.recency,
                "orders": own.habits.frequency,
                "spend": own.habits.monetary,
            })
        };
        return output::print_json(&assigned.iter().map(line).collect::<Vec<_>>());
    }
    let rows = assigned.into_iter().map(|own| {
        let habits = own.habits;
        [
            own.customer,
            (own.segment + 1).to_string(),
            format!("{:.1}", habits.recency),
            habits.frequency.to_string(),
            format!("{:.2}", habits.monetary),
        ]
    });
    output::print_raw(&output::csv(&["customer", "segment", "days_since_order", "orders", "spend"], rows)?)
}
