//! `lowrank init`.

use std::env;
use std::io::{IsTerminal, Write, stdin};
use std::path::{self, Path, PathBuf};

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::output;
use crate::error::{Error, Result};
use crate::files::{self, STANDARD_INPUT};
use crate::run::{Goal, Parts, Proposal, propose};

/// Arguments of `lowrank init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The data, a file or a folder; further files give titles to its items.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The config to write; by default the name of the data with .toml, in the current folder; - prints it.
    #[arg(long, short)]
    output: Option<PathBuf>,
    /// Replace a config that exists.
    #[arg(long)]
    force: bool,
    /// What a model of users and items is for: to predict ratings, or to make lists of what to recommend; by default what the
    /// data suggest, ratings or events.
    #[arg(long, value_name = "GOAL", value_parser = PossibleValuesParser::new(Goal::NAMES))]
    goal: Option<String>,
    /// A key of data that is known, as in --set data.format=dense.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
}

/// Looks at data and writes a config that trains on them.
pub fn init(args: InitArgs, parts: &Parts) -> Result<()> {
    let [data, others @ ..] = &args.files[..] else { unreachable!("one file is required") };
    if let Some(setting) = args.set.iter().find(|setting| !setting.trim_start().starts_with("data.")) {
        return Err(Error::Usage(format!("--set {setting}: init takes keys of [data]; change others in the config")));
    }
    let target = args.output.clone().unwrap_or_else(|| target_of(data));
    let prints = target.as_os_str() == STANDARD_INPUT;
    if !prints && target.exists() && !args.force {
        let path = target.display();
        return Err(Error::Usage(format!("{path} exists; replace it with --force, or name another with --output")));
    }
    // Paths in a config are seen from its folder.
    let is_here = prints || target.parent().is_none_or(|folder| folder.as_os_str().is_empty());
    let seen = |file: &Path| match is_here || file.as_os_str() == STANDARD_INPUT {
        true => Ok(file.to_path_buf()),
        false => path::absolute(file).map_err(|error| Error::io("open", file, error)),
    };
    let mut settings = args.set.clone();
    if let [titles, rest @ ..] = others {
        if let Some(more) = rest.first() {
            let more = more.display();
            return Err(Error::Usage(format!(
                "{more}: a second file of titles; a ready-made test file is data.test_path"
            )));
        }
        settings.push(format!("data.titles.path={}", seen(titles)?.display()));
    }
    let goal = args.goal.as_deref().and_then(Goal::of_name);
    let Proposal { text, notes } = asked(&seen(data)?, goal, settings, parts)?;
    notes.iter().for_each(|note| output::message(note));
    if prints {
        return output::print(&text);
    }
    files::write_bytes(&target, text.as_bytes())?;
    let program = output::program();
    let target = target.display();
    output::print(&format!("{target} is written; look at it, and train:\n  {program} train {target}\n"))
}

/// The config's name in the current folder.
fn target_of(data: &Path) -> PathBuf {
    let name = data.file_name().map_or("data".into(), |name| name.to_string_lossy().into_owned());
    let inner = files::inner_name(&name);
    let stem = Path::new(inner).file_stem().map_or("data".into(), |stem| stem.to_string_lossy());
    PathBuf::from(format!("{stem}.toml"))
}

/// The proposal; whoever sits at a terminal is asked for what the data leave open.
fn asked(data: &Path, goal: Option<Goal>, mut settings: Vec<String>, parts: &Parts) -> Result<Proposal> {
    let can_ask = stdin().is_terminal() && std::io::stderr().is_terminal() && env::var_os("CI").is_none();
    loop {
        let error = match propose(data, goal, &settings, parts) {
            Err(error @ (Error::Data { .. } | Error::Config(_))) if can_ask => error,
            result => return result,
        };
        output::message(&format!("{error}\nanswer with KEY=VALUE, as in data.format=dense, or with nothing to stop:"));
        let mut answer = String::new();
        let _ = std::io::stderr().flush();
        stdin().read_line(&mut answer).map_err(|cause| Error::io("read", "-", cause))?;
        match answer.trim() {
            "" => return Err(error),
            setting => settings.push(setting.to_string()),
        }
    }
}
