//! The directory of a sweep: a new one, or the one to continue.

use std::path::{Path, PathBuf};

use super::event::SweepOptions;
use crate::error::{Error, Result};
use crate::files;
use crate::run::{Resume, RunDirectory, Settings};
use crate::sweep::directory::SweepDirectory;
use crate::sweep::journal::{Header, Journal, Record};
use crate::sweep::plan::Plan;

/// A new directory, or the one to continue with its trials.
pub(super) fn open(
    plan: &Plan,
    base: &Settings,
    options: &SweepOptions,
    header: &Header,
) -> Result<(SweepDirectory, Journal, Vec<Record>)> {
    let (parent, name) = (&base.dir, format!("{}-sweep", plan.settings.name));
    let path = match &options.resume {
        Resume::New => RunDirectory::create(parent, &name)?.path().to_path_buf(),
        Resume::Newest => newest(parent, &name, options.note)?,
        Resume::Run(path) => path.clone(),
    };
    if path.to_str().is_none() {
        let cause = "the name of a sweep's folder must be UTF-8, because configs name it; rename it";
        return Err(Error::Usage(format!("{}: {cause}", path.display())));
    }
    let directory = SweepDirectory::at(path);
    let lock = directory.own()?;
    // The journal comes last: what was killed before that has no trial to go on from, and just begins again.
    if !directory.journal().is_file() {
        files::write_bytes(&directory.base(), plan.base_text().as_bytes())?;
        files::write_bytes(&directory.space(), plan.to_toml("base.toml").as_bytes())?;
        let journal = Journal::create(&directory.journal(), header, lock)?;
        return Ok((directory, journal, Vec::new()));
    }
    let (journal, began, records) = Journal::resume(&directory.journal(), lock)?;
    let names = began.sweep.keys().chain(header.sweep.keys().filter(|name| !began.sweep.contains_key(*name)));
    let differing: Vec<_> = names.filter(|name| began.sweep.get(*name) != header.sweep.get(*name)).cloned().collect();
    let refuse = |what: String| Err(Error::Usage(format!("{}: {what}", directory.path().display())));
    if !differing.is_empty() {
        return refuse(format!(
            "cannot resume with another {}; resume with the sweep's own space.toml, or sweep without --resume",
            differing.join(", ")
        ));
    }
    if began.data_sha256 != header.data_sha256 {
        return refuse(
            "the data changed since this sweep began, so its trials are not comparable; start a new sweep".into(),
        );
    }
    Ok((directory, journal, records))
}

/// The newest sweep called `name` that has a journal; if none has one, the newest.
fn newest(parent: &Path, name: &str, note: &dyn Fn(&str)) -> Result<PathBuf> {
    let found = RunDirectory::newest_first(parent, name)?;
    let has_journal = |directory: &RunDirectory| SweepDirectory::at(directory.path().to_path_buf()).journal().is_file();
    let begun = found.iter().position(has_journal);
    for directory in &found[..begun.unwrap_or(0)] {
        note(&format!(
            "{}: is skipped, because it ended before its first trial; remove it",
            directory.path().display()
        ));
    }
    let path = found.get(begun.unwrap_or(0)).map(|directory| directory.path().to_path_buf());
    path.ok_or_else(|| {
        Error::Usage(format!(
            "there is no sweep {name}-<n> in {} to resume; sweep without --resume first",
            parent.display()
        ))
    })
}
