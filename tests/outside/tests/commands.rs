//! Every command on parts that the crate does not know.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

/// A folder of its own for one test.
struct Place(PathBuf);

/// Exit code, standard output, and standard error.
type Outcome = (i32, String, String);

impl Place {
    fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("lowrank-outside-{}-{name}", process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("r.pairs"), ratings()).expect("a file");
        fs::write(folder.join("c.toml"), CONFIG).expect("a file");
        Self(folder)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lowrank-outside"));
        command.current_dir(&self.0).args(arguments).stdin(Stdio::null());
        command
    }

    fn call(&self, arguments: &[&str]) -> Outcome {
        let output = self.command(arguments).output().expect("the program runs");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
    }

    /// What a command prints, which must go well.
    #[track_caller]
    fn prints(&self, arguments: &[&str]) -> String {
        let (code, out, err) = self.call(arguments);
        assert_eq!(code, 0, "{arguments:?}: {err}");
        out
    }

    /// A command that must be refused for this reason.
    #[track_caller]
    fn refuses(&self, arguments: &[&str], reason: &str) {
        let (code, _, err) = self.call(arguments);
        assert!(code == 2 && err.contains(reason), "{arguments:?} exits with {code}: {err}");
    }

    fn read(&self, file: impl AsRef<Path>) -> Vec<u8> {
        fs::read(self.0.join(file)).expect("a file")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Two groups of users like two groups of items, and everything less on a monday.
fn ratings() -> String {
    let line = |user: u32, item: u32| {
        let day = ["monday", "friday", "sunday"][((user * 5 + item * 3) % 7 % 3) as usize];
        let rating = 2.0 + 2.0 * f64::from((user + item + 1) % 2) - if day == "monday" { 1.0 } else { 0.0 };
        // Some days are not known.
        let day = if (user + item).is_multiple_of(11) { String::new() } else { format!(" day:{day}") };
        format!("item:i{item} user:u{user}{day} rating:{rating}\n")
    };
    (0..24)
        .flat_map(|user| (0..18).filter(move |item| (user * 7 + item * 5) % 4 > 0).map(move |item| line(user, item)))
        .collect()
}

const CONFIG: &str = r#"
name = "own"

[data]
path = "r.pairs"
format = "pairs"
assign = ":"
context = ["day"]
split = { kind = "random", test = 0.2, validation = 0.2 }

[model]
kind = "mf-history"
rank = 3
history_weight = 0.5

[loss]
kind = "log-cosh"
sharpness = 2.0

[solver]
kind = "rprop"
first_step = 0.01

[evaluation]
metrics = ["rmse", "hit-rate"]
hit_length = 4

[train]
epochs = 60
early_stopping = { metric = "rmse", patience = 0 }
"#;

/// The number of `"name": number` in JSON, in the last place where it stands.
fn number(json: &str, name: &str) -> f64 {
    let (_, rest) = json.rsplit_once(&format!("\"{name}\":")).unwrap_or_else(|| panic!("no {name} in {json}"));
    let end = rest.find([',', '}', '\n']).expect("JSON goes on");
    rest[..end].trim().parse().expect("a number")
}

#[test]
fn every_command_knows_the_parts() {
    let place = Place::new("commands");
    let summary = place.prints(&["train", "c.toml", "--quiet", "--json"]);
    assert!(summary.contains("hit-rate"), "{summary}");
    let (_, test) = summary.split_once("\"test\":").expect("a test part");
    let (model, baselines) = test.split_once("\"baselines\":").expect("baselines after it");
    assert!(number(model, "rmse") < 0.7 * number(baselines, "rmse"), "{summary}");

    // The day is known to the model, through `predict`, `recommend` and `evaluate` alike.
    let on = |day: &str| {
        let context = format!("day={day}");
        let printed = place.prints(&["predict", "runs/own-1", "u1", "i2", "--context", &context, "--json"]);
        number(&printed, "prediction")
    };
    assert!(on("sunday") > on("monday") + 0.4);
    assert!((on("monday") - on("never")).abs() > 0.01, "an unknown day counts as none");
    let recommended = place.prints(&["recommend", "runs/own-1", "u1", "--context", "day=friday", "-n", "2", "--json"]);
    assert_eq!(recommended.matches("\"item\"").count(), 2, "{recommended}");
    place.refuses(&["recommend", "runs/own-1", "u1"], "add --context day=ID");
    assert!(place.prints(&["evaluate", "runs/own-1"]).contains("HIT-RATE"));
    assert!(place.prints(&["evaluate", "runs/own-1", "--data", "r.pairs"]).contains("HIT-RATE"));

    // Another run, and the two compared.
    place.prints(&["train", "c.toml", "--quiet", "--set", "model.history_weight=0", "--set", "name=plain"]);
    let compared = place.prints(&["compare", "runs/own-1", "runs/plain-1"]);
    assert!(compared.contains("HIT-RATE") && compared.contains("model.history_weight"), "{compared}");

    let explained = [
        ("model.history_weight", "How much of a user"),
        ("loss.sharpness", "absolute residual"),
        ("evaluation.hit_length", "looks at"),
        ("data.assign", "a name and its value"),
        ("solver.limit", "ends the run"),
    ];
    for (key, meaning) in explained {
        assert!(place.prints(&["config", "explain", key]).contains(meaning), "{key}");
    }
    for (change, reason) in [
        ("model.history_weight=-1", "model.history_weight must be"),
        ("evaluation.hit_length=0", "evaluation.hit_length must be"),
        ("solver.learning_rate=0.1", "solver.learning_rate"),
    ] {
        place.refuses(&["train", "c.toml", "--set", change], reason);
    }
    for (from, to, reason) in [
        ("kind = \"log-cosh\"", "kind = \"huber\"", "loss.sharpness applies only with loss.kind = \"log-cosh\""),
        ("format = \"pairs\"", "format = \"dense\"", "data.assign applies only with data.format = \"pairs\""),
        (
            "kind = \"mf-history\"",
            "kind = \"mf\"",
            "model.history_weight applies only with model.kind = \"mf-history\"",
        ),
    ] {
        fs::write(place.0.join("w.toml"), CONFIG.replace(from, to)).expect("a file");
        place.refuses(&["train", "w.toml"], reason);
    }
}

#[test]
fn the_readers_name_is_enough() {
    let place = Place::new("reader");
    let text = ratings().replace(':', "=");
    fs::write(place.0.join("r.pairs"), text).expect("a file");
    let config = CONFIG.replace("format = \"pairs\"\nassign = \":\"\n", "");
    fs::write(place.0.join("c.toml"), config).expect("a file");
    place.prints(&["train", "c.toml", "--quiet"]);
    assert!(place.prints(&["inspect", "r.pairs", "--json"]).contains("\"users\""));
    fs::write(place.0.join("r.pairs"), "user=1 item=2 rating=3\nuser=1 rating=4\n").expect("a file");
    place.refuses(&["train", "c.toml", "--quiet"], "r.pairs: line 2: there is no item");
}

#[test]
fn a_step_that_fails_says_why() {
    let place = Place::new("failure");
    place.refuses(&["train", "c.toml", "--quiet", "--set", "solver.limit=0.01"], "is above solver.limit = 0.01");
}

#[test]
fn a_killed_run_goes_on_to_the_same_bytes() {
    let place = Place::new("resume");
    let with = |name: &str| -> Vec<String> {
        let name = format!("name={name}");
        ["train", "c.toml", "--quiet", "--set", "train.epochs=300", "--set", &name].map(Into::into).into()
    };
    let whole = with("whole");
    place.prints(&whole.iter().map(String::as_str).collect::<Vec<_>>());
    let cut = with("cut");
    let mut child = place.command(&cut.iter().map(String::as_str).collect::<Vec<_>>()).spawn().expect("it starts");
    let started = Instant::now();
    let lines = || fs::read_to_string(place.0.join("runs/cut-1/metrics.jsonl")).unwrap_or_default().lines().count();
    while lines() < 5 {
        assert!(started.elapsed() < Duration::from_secs(120), "it never began");
        thread::sleep(Duration::from_millis(2));
    }
    child.kill().expect("killed");
    child.wait().expect("gone");
    assert!(!place.0.join("runs/cut-1/model.safetensors").exists(), "it was killed in the middle");
    place.prints(&["train", "runs/cut-1/config.toml", "--resume", "--quiet"]);
    let model = |run: &str| {
        let bytes = place.read(format!("runs/{run}-1/model.safetensors"));
        // The header repeats the config, which has another name.
        let header = u64::from_le_bytes(bytes[..8].try_into().expect("a length")) as usize;
        bytes[8 + header..].to_vec()
    };
    assert!(model("whole") == model("cut"));
}

#[test]
fn a_search_finds_settings_of_the_parts() {
    let place = Place::new("sweep");
    let space = "base = \"c.toml\"\ntrials = 6\nmetric = \"hit-rate\"\n[set]\ntrain.epochs = 20\n[space]\n\
                 model.history_weight = { uniform = [0.0, 1.0] }\nloss.sharpness = { choice = [1.0, 2.0] }\n";
    fs::write(place.0.join("s.toml"), space).expect("a file");
    place.prints(&["sweep", "s.toml", "--quiet"]);
    let best = String::from_utf8(place.read("runs/s-sweep-1/best.toml")).expect("UTF-8");
    assert!(best.contains("history_weight") && best.contains("sharpness"), "{best}");
    place.refuses(&["sweep", "s.toml", "--set", "set.model.history_weight=-1"], "model.history_weight");
}
