//! Runs the built program as a user would: arguments in; exit code, standard output, standard error and files out.

mod answers;
mod book;
mod commands;
mod configs;
mod context;
mod counted;
mod determinism;
mod effects;
mod errors;
mod features;
mod files;
mod help;
mod init;
mod layering;
mod links;
mod matrices;
mod memory;
mod mutations;
mod new_users;
mod own_model;
mod paths;
mod real_data;
mod recipes;
mod runs;
mod segments;
mod sources;
mod start_from;
mod surface;
mod sweep;
mod tables;
mod train;
mod words;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The built program.
const PROGRAM: &str = env!("CARGO_BIN_EXE_lowrank");

/// Keys of the planted data that most tests train on: enough to learn from, few enough to take no time.
const SMALL: [&str; 5] = [
    "data.dataset=synthetic",
    "data.synthetic.users=100",
    "data.synthetic.items=60",
    "data.synthetic.ratings=2000",
    "data.synthetic.rank=2",
];

/// A folder of its own for a test; the program runs in it.
struct Place(TempDir);

/// What became of a call.
#[derive(Debug)]
struct Outcome {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).expect("a file written");
    }

    /// A ratings file that is large enough for a binary copy, by blank lines before `ratings`.
    fn write_large(&self, name: &str, ratings: impl AsRef<[u8]>) {
        self.write(name, [&b"\n".repeat(16 << 20), ratings.as_ref()].concat());
    }

    fn read(&self, name: impl AsRef<Path>) -> Vec<u8> {
        let path = self.path(name);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn text(&self, name: impl AsRef<Path>) -> String {
        String::from_utf8(self.read(name)).expect("UTF-8")
    }

    fn json(&self, name: impl AsRef<Path>) -> Value {
        serde_json::from_slice(&self.read(name)).expect("JSON")
    }

    /// Every file and folder below, sorted, with `/` between parts.
    fn files(&self) -> Vec<String> {
        fn visit(folder: &Path, root: &Path, found: &mut Vec<String>) {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                found.push(path.strip_prefix(root).expect("below").to_string_lossy().into_owned());
                if path.is_dir() {
                    visit(&path, root, found);
                }
            }
        }
        let mut found = Vec::new();
        visit(self.0.path(), self.0.path(), &mut found);
        found.sort();
        found
    }

    /// `program` in this folder, with nothing of the user's around it.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.0.path()).stdin(Stdio::null());
        command.env("HOME", self.0.path()).env("XDG_CACHE_HOME", self.path("cache"));
        command.env_remove("LOWRANK_DATA").env_remove("CARGO");
        command
    }

    /// Calls the program and waits for it.
    fn call<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Outcome {
        outcome(self.command(PROGRAM).args(args))
    }

    /// Calls the program in a shell, for redirections and limits; `$0` is the program.
    #[cfg(unix)]
    fn shell(&self, script: &str) -> Outcome {
        outcome(self.command("sh").args(["-c", script, PROGRAM]))
    }

    /// `lowrank train CONFIG --quiet` with `--set` before each of `settings`.
    fn train<'a>(&self, config: &str, settings: impl IntoIterator<Item = &'a str>) -> Outcome {
        let overrides = settings.into_iter().flat_map(|setting| ["--set", setting]);
        self.call(["train", config, "--quiet"].into_iter().chain(overrides))
    }

    /// A copy of `movielens-100k` as the catalog keeps it, small and with the features of users and items: what stands in for
    /// the data of configs that have features.
    fn stand_in_for_features(&self) {
        let folder = self.path("cache/lowrank/data/movielens-100k");
        fs::create_dir_all(&folder).expect("a folder");
        let rating = |at: usize| format!("{}\t{}\t{}\t{at}\n", at % 40, at * 7 % 30, 1 + at * 3 % 5);
        let item = |at: usize| {
            let flags: String = (0..19).map(|genre| if (at + genre).is_multiple_of(7) { "|1" } else { "|0" }).collect();
            format!("{at}|Film {at} ({})|01-Jan-1990||{flags}\n", 1960 + at)
        };
        let user = |at: usize| format!("{at}|{}|{}|job{}|1\n", 20 + at, ["F", "M"][at % 2], at % 5);
        let [ratings, items, users] = [
            (0..1000).map(rating).collect::<String>(),
            (0..30).map(item).collect::<String>(),
            (0..40).map(user).collect::<String>(),
        ];
        for (name, text) in [("u.data", ratings), ("u.item", items), ("u.user", users)] {
            fs::write(folder.join(name), text).expect("a file written");
        }
    }

    /// Trains on [`SMALL`] data with a small model into `runs/<name>-1`, which must succeed.
    fn small_run(&self, name: &str, settings: &[&str]) {
        self.write(&format!("{name}.toml"), "model.rank = 4\ntrain.epochs = 3\n");
        self.train(&format!("{name}.toml"), SMALL.iter().chain(settings).copied()).succeeds();
    }

    /// Starts the program and leaves it running.
    fn start<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Child {
        let mut command = self.command(PROGRAM);
        command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the program starts")
    }
}

fn outcome(command: &mut Command) -> Outcome {
    Outcome::of(command.output().expect("the program starts"))
}

impl Outcome {
    fn of(output: std::process::Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    #[track_caller]
    fn succeeds(self) -> Self {
        self.exits(0)
    }

    #[track_caller]
    fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Exit 2, and every one of `parts` in a message on standard error, with nothing on standard output.
    #[track_caller]
    fn refuses(self, parts: &[&str]) {
        assert_eq!(self.code, Some(2), "{self:#?}");
        assert!(self.stdout.is_empty(), "{self:#?}");
        assert_eq!(self.stderr.lines().filter(|line| line.starts_with("error: ")).count(), 1, "{self:#?}");
        for part in parts {
            assert!(self.stderr.contains(part), "no {part:?} in {}", self.stderr);
        }
    }

    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

/// The number at `pointer`, as in `/test/rmse`.
#[track_caller]
fn number(value: &Value, pointer: &str) -> f64 {
    value.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("no number {pointer} in {value}"))
}

/// The tensors of a safetensors file without its header: what training found, not what it was told.
fn tensors(file: &[u8]) -> &[u8] {
    let (length, rest) = file.split_first_chunk::<8>().expect("a header");
    &rest[u64::from_le_bytes(*length) as usize..]
}
