//! `lowrank sweep`.

mod progress;
mod result;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;

use self::progress::Live;
use self::result::{as_json, report};
use super::interrupt::StopRequest;
use super::output;
use crate::config::{self, in_toml};
use crate::error::Result;
use crate::run::{Parts, Resume};
use crate::sweep::plan::{Plan, space_file};
use crate::sweep::report::short_names;
use crate::sweep::{self, SweepOptions};

/// Arguments of `lowrank sweep`.
#[derive(Debug, Args)]
pub struct SweepArgs {
    /// The space file; `space.toml` of a sweep's folder repeats that sweep.
    #[arg(required_unless_present = "explain")]
    space: Option<PathBuf>,
    /// Set a key of the space file, as in `--set trials=20`; `--set set.train.epochs=10` sets one of the base config.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Continue the sweep that contains SPACE, or the newest one of its name. Finished trials are not repeated.
    #[arg(long)]
    resume: bool,
    /// Check the space file and show the settings of its first trials.
    #[arg(long)]
    check: bool,
    /// Print the keys of a space file and how ranges are written.
    #[arg(long)]
    explain: bool,
    /// Show no progress.
    #[arg(long, short)]
    quiet: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// How `[set]`, `[repeat]` and `[space]` are written.
const SECTIONS: &str = r#"
[set]
  Config keys of every trial, which override the base config.

[repeat]
  Values of seed or of keys of [data]. A trial is trained with each in turn; its metric is the mean.
      data.split.fold = [1, 3]

[space]
  The keys to search, each with a range.
      solver.learning_rate = { log_uniform = [1e-4, 1e-2] }     logarithms equally likely
      solver.beta2 = { uniform = [0.9, 0.999] }
      model.rank = { int = [8, 128], log = true }               or step = 8
      model.layers = { choice = [[64], [64, 32]] }
  A key that applies only with another choice is searched only there. More conditions, and other ranges:
      solver.kind = { choice = ["adam", "sgd"] }
      solver.learning_rate = [
          { log_uniform = [1e-4, 1e-2], when = { solver.kind = "adam" } },
          { log_uniform = [1e-3, 1e0], when = { solver.kind = "sgd" } },
      ]
  One value for two keys:
      solver.regularization.item_factors = { same_as = "solver.regularization.user_factors" }
"#;

/// Sweeps and prints the result.
pub fn sweep(args: SweepArgs, parts: &Parts) -> Result<()> {
    let Some(path) = args.space.filter(|_| !args.explain) else {
        return output::print(&(config::explain(&space_file(&parts.metrics), None)? + SECTIONS));
    };
    let plan = Plan::load(parts, &path, &args.set)?;
    if args.check {
        return output::print(&check(&plan));
    }
    let stop = StopRequest::on_interrupt("interrupted: ending the sweep (press again to stop at once)")?;
    let live = Live::new(&plan, args.quiet);
    let options = SweepOptions {
        resume: if args.resume { resume_from(&path) } else { Resume::New },
        stop: &stop.flag,
        loaded: &|| stop.wait_for_checkpoint(),
        command_line: output::command_line(),
        note: &|text| live.note(text),
        watch: &|event| live.watch(event),
    };
    let outcome = sweep::sweep(&plan, &options);
    live.end();
    let swept = outcome?;
    if args.json { output::print_json(&as_json(&swept, &plan)) } else { output::print(&report(&swept, &plan)) }
}

/// A space file inside a sweep's folder names that sweep.
fn resume_from(space: &Path) -> Resume {
    match space.parent() {
        Some(folder) if folder.join("journal.jsonl").is_file() => {
            Resume::Run(if folder.as_os_str().is_empty() { ".".into() } else { folder.to_path_buf() })
        }
        _ => Resume::Newest,
    }
}

/// The trials to run.
fn check(plan: &Plan) -> String {
    let keys = plan.space.keys();
    let rows: Vec<Vec<String>> = plan
        .first_points(8)
        .iter()
        .enumerate()
        .map(|(at, point)| {
            let settings: BTreeMap<_, _> = plan.space.settings(point).into_iter().collect();
            let cell = |key: &&str| settings.get(*key).map_or(String::new(), in_toml);
            std::iter::once((at + 1).to_string()).chain(keys.iter().map(cell)).collect()
        })
        .collect();
    let header: Vec<&str> = std::iter::once("trial").chain(short_names(&keys)).collect();
    format!(
        "{} keys are searched, in at most {} trials{}; the first ones, chosen before any results:\n\n{}",
        keys.len(),
        plan.settings.trials,
        if plan.repeats.len() > 1 { format!(" of {} trainings each", plan.repeats.len()) } else { String::new() },
        output::table(&header, &rows)
    )
}
