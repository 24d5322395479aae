//! The directory of a sweep: a new one, or the one to continue.

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
        Resume::Newest => match RunDirectory::newest(parent, &name) {
            Ok(directory) => directory.path().to_path_buf(),
            Err(_) => {
                return Err(Error::Usage(format!(
                    "there is no sweep {name}-<n> in {} to resume; sweep without --resume first",
                    parent.display()
                )));
            }
        },
        Resume::Run(path) => path.clone(),
    };
    let directory = SweepDirectory::at(path);
    // The journal is written last: a sweep killed before that has no trials to continue from, and starts over.
    if !directory.journal().is_file() {
        files::write_bytes(&directory.base(), plan.base_text().as_bytes())?;
        files::write_bytes(&directory.space(), plan.to_toml("base.toml").as_bytes())?;
        let journal = Journal::create(&directory.journal(), header)?;
        return Ok((directory, journal, Vec::new()));
    }
    let (journal, began, records) = Journal::resume(&directory.journal())?;
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
