//! Ctrl-C.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::output;
use crate::error::{Error, Result};

/// What the first Ctrl-C does: it ends the program as long as there is nothing to lose, and asks for a checkpoint from
/// then on. The second ends the program at once.
pub struct StopRequest {
    /// Becomes true when a checkpoint is asked for.
    pub flag: Arc<AtomicBool>,
    /// Whether there is something to lose.
    waits: Arc<AtomicBool>,
}

impl StopRequest {
    /// Listens for Ctrl-C; `message` says that a checkpoint is being written.
    ///
    /// # Errors
    /// [`Error::Failed`] if that is not possible.
    pub fn on_interrupt(message: &'static str) -> Result<Self> {
        let stop = Self { flag: Arc::default(), waits: Arc::default() };
        let (flag, waits) = (Arc::clone(&stop.flag), Arc::clone(&stop.waits));
        ctrlc::set_handler(move || {
            let is_first = !flag.swap(true, Ordering::SeqCst);
            let waits = waits.load(Ordering::SeqCst);
            if is_first {
                output::message(if waits { message } else { "interrupted before training began" });
            }
            if !(is_first && waits) {
                std::process::exit(130);
            }
        })
        .map_err(|e| Error::Failed(format!("cannot listen for Ctrl-C: {e}")))?;
        Ok(stop)
    }

    /// From now on a checkpoint is worth waiting for.
    pub fn wait_for_checkpoint(&self) {
        self.waits.store(true, Ordering::SeqCst);
    }
}
