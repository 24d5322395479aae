//! Every way lowrank can fail, each with the place it happened and what to do about it.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// `Result` with lowrank's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A place in a text file. Lines and columns count from 1; 0 means "the whole file".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file, as the user named it.
    pub path: PathBuf,
    /// Line number from 1, or 0 if unknown.
    pub line: u64,
    /// Column (in characters) from 1, or 0 if unknown.
    pub column: u64,
}

impl Location {
    /// The whole of `path`.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::at(path, 0, 0)
    }

    /// `path:line:column`; `column` 0 names the whole line.
    pub fn at(path: impl Into<PathBuf>, line: u64, column: u64) -> Self {
        Self { path: path.into(), line, column }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
            if self.column > 0 {
                write!(f, ":{}", self.column)?;
            }
        }
        Ok(())
    }
}

/// What went wrong, and where.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A data file that cannot be used as it is.
    #[error("{location}: {message}")]
    Data {
        /// The file, and the line and column if known.
        location: Location,
        /// What is wrong and what to do.
        message: String,
    },
    /// All problems of a config file and its `--set` overrides, one per line.
    #[error("{}", .0.join("\n"))]
    Config(Vec<String>),
    /// An invalid request: wrong arguments, or arguments that do not fit the data.
    #[error("{0}")]
    Usage(String),
    /// The operating system refused a file operation.
    #[error("{}: cannot {action}: {source}{}", path.display(), remedy(action, source.kind()))]
    Io {
        /// The attempted action, after "cannot": `"open"`, `"write the checkpoint"`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// A model file or checkpoint that cannot be read back.
    #[error("{}: {message}", path.display())]
    ModelFile {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        message: String,
    },
    /// The requested device is not built in or not present.
    #[error("{0}")]
    Device(String),
    /// A number became infinite or NaN during training.
    #[error("training diverged in epoch {epoch}, step {step}: {cause}\n{remedy}")]
    Diverged {
        /// Epoch, from 1.
        epoch: u64,
        /// Step since the start of training, from 1.
        step: u64,
        /// Which number, of which parameter.
        cause: String,
        /// What was kept, and what to change.
        remedy: String,
    },
    /// The user pressed Ctrl-C; a checkpoint was written first.
    #[error("interrupted; continue with: {resume}")]
    Interrupted {
        /// The command that continues this run.
        resume: String,
    },
    /// Anything else that stopped a run.
    #[error("{0}")]
    Failed(String),
}

/// What to do about an answer of the operating system, after a semicolon; empty if there is nothing to say.
fn remedy(action: &str, kind: ErrorKind) -> &'static str {
    let is_reading = matches!(action, "open" | "read");
    match kind {
        ErrorKind::NotFound if is_reading => "; check its name and folder",
        ErrorKind::NotFound => "; make its folder first",
        ErrorKind::PermissionDenied if is_reading => "; ask its owner for the permission to read it",
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => "; choose a folder that you may write to",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            "; make room there, or choose another folder"
        }
        ErrorKind::NotADirectory => "; a part of its path is a file, so choose another folder",
        ErrorKind::IsADirectory => "; name a file, not a folder",
        ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof if is_reading => {
            "; the file is damaged or cut short, so get it anew"
        }
        _ if is_reading => "; copy it to another disk, or get it anew",
        _ => "",
    }
}

impl Error {
    /// An [`Error::Io`].
    pub fn io(action: &'static str, path: impl AsRef<Path>, source: std::io::Error) -> Self {
        Self::Io { action, path: path.as_ref().to_path_buf(), source }
    }

    /// An [`Error::Data`] about a whole file.
    pub fn data(path: impl Into<PathBuf>, message: impl Into<String>) -> Self {
        Self::Data { location: Location::file(path), message: message.into() }
    }

    /// An [`Error::ModelFile`].
    pub fn model_file(path: impl AsRef<Path>, message: impl Into<String>) -> Self {
        Self::ModelFile { path: path.as_ref().to_path_buf(), message: message.into() }
    }

    /// The process's exit code: 1 failed, 2 usage, config, data or file system, 3 diverged, 130 interrupted.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Data { .. }
            | Self::Config(_)
            | Self::Usage(_)
            | Self::Io { .. }
            | Self::ModelFile { .. }
            | Self::Device(_) => 2,
            Self::Diverged { .. } => 3,
            Self::Interrupted { .. } => 130,
            Self::Failed(_) => 1,
        }
    }
}
