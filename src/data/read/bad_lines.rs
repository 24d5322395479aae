//! Lines of a list that are no ratings.

use crate::columns::grouped;
use crate::config::choice;
use crate::error::{Error, Result};

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
}

impl LeftOut {
    /// None so far.
    pub fn new(policy: BadLines) -> Self {
        Self { policy, count: 0, first: Vec::new() }
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
                    // What to do about it is done.
                    let reason = message.rsplit_once("; ").map_or(message.as_str(), |(reason, _)| reason);
                    self.first.push(format!("line {}: {reason}", location.line));
                }
                Ok(())
            }
            other => Err(other),
        }
    }

    /// How many there are, and the first ones, if there are any; `kept` lines are ratings.
    pub fn told(&self, kept: usize) -> Option<String> {
        let more = self.count - self.first.len() as u64;
        let more = if more > 0 { format!("; and {} more", grouped(more)) } else { String::new() };
        let all = self.count + kept as u64;
        (self.count > 0).then(|| {
            format!("{} of {} lines are no ratings: {}{more}", grouped(self.count), grouped(all), self.first.join("; "))
        })
    }
}
