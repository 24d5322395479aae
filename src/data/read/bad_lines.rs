//! Lines of a list that are no ratings.

use super::text::Lines;
use crate::config::choice;
use crate::error::{Error, Result};
use crate::tables::grouped;

/// Bad lines that a note names.
const MOST_NAMED: usize = 3;

choice! {
    /// What becomes of a line that is no rating.
    #[derive(Default)]
    pub enum BadLines {
        /// The data are refused.
        #[default]
        Error = "error",
        /// It is left out, and counted.
        Skip = "skip",
    }
}

/// The lines that were left out.
pub(super) struct LeftOut {
    policy: BadLines,
    count: u64,
    /// The first ones, each with its reason.
    first: Vec<String>,
    /// What to do about the very first one.
    remedy: Option<String>,
}

impl LeftOut {
    /// None so far.
    pub fn new(policy: BadLines) -> Self {
        Self { policy, count: 0, first: Vec::new(), remedy: None }
    }

    /// Leaves a line out.
    ///
    /// # Errors
    /// `error` itself if it is about more than one line, or bad lines are errors.
    #[cold]
    pub fn add(&mut self, error: Error) -> Result<()> {
        match error {
            Error::Data { location, message } if self.policy == BadLines::Skip && location.line > 0 => {
                self.count += 1;
                if self.first.len() < MOST_NAMED {
                    // What to do about it is done, unless all are like this one.
                    let (reason, remedy) = message
                        .rsplit_once("; ")
                        .map_or((message.as_str(), None), |(reason, remedy)| (reason, Some(remedy)));
                    if self.count == 1 {
                        self.remedy = remedy.map(Into::into);
                    }
                    self.first.push(format!("line {}: {reason}", location.line));
                }
                Ok(())
            }
            other => Err(other),
        }
    }

    /// A note of how many there are, with the first ones, if there are any; `kept` of `lines` are ratings.
    ///
    /// # Errors
    /// If all are bad, with what to do about the first one, or else the `remedy`.
    pub fn close(self, kept: usize, remedy: &str, lines: &Lines) -> Result<Option<String>> {
        if self.count == 0 {
            return Ok(None);
        }
        let more = self.count - self.first.len() as u64;
        let more = if more > 0 { format!("; and {} more", grouped(more)) } else { String::new() };
        let (count, all) = (grouped(self.count), grouped(self.count + kept as u64));
        let told = format!("{count} of {all} lines are no ratings: {}{more}", self.first.join("; "));
        match kept {
            0 => Err(lines.error(format!("{told}; {}", self.remedy.as_deref().unwrap_or(remedy)))),
            _ => Ok(Some(lines.note(&format!("{told}; they are left out")))),
        }
    }
}
