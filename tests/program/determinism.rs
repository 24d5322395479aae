//! Same seed, same bytes: twice, on any number of threads, and after an interruption.

use std::process::Child;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Outcome, Place};

/// Long enough to be interrupted in the middle, with everything that carries state from one epoch to the next.
const CONFIG: &str = r#"
data = { dataset = "synthetic", synthetic = { users = 200, items = 100, ratings = 8000 } }
model.rank = 8
solver = { batch_size = 64, schedule = { kind = "cosine", warmup = 2 } }
train = { epochs = 30, early_stopping = { patience = 29 } }
"#;

fn place() -> Place {
    let place = Place::new();
    place.write("c.toml", CONFIG);
    place
}

/// Everything of a run that must not depend on how it came about: the model, the curve and the result, without times.
fn result(place: &Place, run: &str) -> (Vec<u8>, Vec<Value>, Value) {
    let timeless = |mut value: Value| {
        let fields = value.as_object_mut().expect("an object");
        for name in
            ["seconds", "seconds_training", "ratings_per_second", "peak_memory_bytes", "threads", "seed", "name"]
        {
            fields.remove(name);
        }
        value
    };
    let lines = place.text(format!("{run}/metrics.jsonl"));
    let lines = lines.lines().map(|line| timeless(serde_json::from_str(line).expect("JSON"))).collect();
    (place.read(format!("{run}/model.safetensors")), lines, timeless(place.json(format!("{run}/summary.json"))))
}

#[track_caller]
fn assert_same(place: &Place, run: &str, other: &str) {
    let (a, b) = (result(place, run), result(place, other));
    assert_eq!((&a.1, &a.2), (&b.1, &b.2));
    assert!(a.0 == b.0, "{run} and {other} have other models");
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let place = place();
    for threads in ["0", "0", "1", "2", "4"] {
        place.train("c.toml", ["train.epochs=3", &format!("train.threads={threads}")]).succeeds();
    }
    for other in 2..=5 {
        assert_same(&place, "runs/c-1", &format!("runs/c-{other}"));
    }
    place.train("c.toml", ["train.epochs=3", "seed=43"]).succeeds();
    assert!(result(&place, "runs/c-1").0 != result(&place, "runs/c-6").0, "another seed");
}

#[test]
fn every_ranking_objective_gives_the_same_bytes_on_one_and_three_threads() {
    let place = place();
    let losses = ["bpr", "warp", "sampled-softmax", "sampled-logistic"];
    let solvers = [("stratified", "0.05"), ("adam", "0.01")];
    for (loss, (solver, rate)) in losses.into_iter().flat_map(|loss| solvers.map(|solver| (loss, solver))) {
        let run = |name: &str, epochs: &str, threads: &str| {
            let settings = [
                format!("name={name}"),
                "model.kind=mf".into(),
                format!("loss.kind={loss}"),
                "loss.negatives=2".into(),
                format!("solver={{ kind = \"{solver}\", learning_rate = {rate} }}"),
                format!("train={{ epochs = {epochs}, threads = {threads} }}"),
            ];
            place.train("c.toml", settings.iter().map(String::as_str)).succeeds();
        };
        let [one, three] = ["1", "3"].map(|threads| format!("{loss}-{solver}-{threads}"));
        run(&one, "3", "1");
        run(&three, "3", "3");
        assert_same(&place, &format!("runs/{one}-1"), &format!("runs/{three}-1"));
    }
}

#[test]
fn every_model_and_solver_gives_the_same_bytes_on_one_and_three_threads() {
    const PAIRS: [(&str, &str); 24] = [
        ("mf", "stratified"),
        ("biased-mf", "stratified"),
        ("nmf", "stratified"),
        ("biased-mf", "als"),
        ("nmf", "als"),
        ("biased-mf", "gibbs"),
        ("mf", "svd"),
        ("biased-mf", "svd"),
        ("nmf", "hals"),
        ("nmf", "multiplicative"),
        ("biased-mf", "adamw"),
        ("nmf", "sgd"),
        ("gmf", "adagrad"),
        ("mlp", "adam"),
        ("neumf", "adam"),
        ("svdpp", "adam"),
        ("fm", "adam"),
        ("ffm", "adam"),
        ("nfm", "adam"),
        ("deepfm", "adam"),
        ("popularity", "popularity"),
        ("item-knn", "item-knn"),
        ("item-knn", "slim"),
        ("ease", "ease"),
    ];
    let schema = lowrank::Parts::built_in().schema();
    for name in schema.choices("model.kind").iter().chain(&schema.choices("solver.kind")) {
        assert!(PAIRS.iter().any(|pair| pair.0 == name || pair.1 == name), "{name} is in no pair");
    }
    let place = place();
    for (model, solver) in PAIRS {
        let runs = ["1", "3"].map(|threads| {
            let name = format!("{model}-{solver}-{threads}");
            let mut settings = vec![
                format!("name={name}"),
                format!("model.kind={model}"),
                format!("solver.kind={solver}"),
                format!("train.threads={threads}"),
                "train.epochs=2".into(),
            ];
            let is_counted = model == solver || solver == "slim";
            let has_no_rate = is_counted || ["als", "gibbs", "svd", "hals", "multiplicative"].contains(&solver);
            if !has_no_rate {
                settings.push("solver.learning_rate=0.01".into());
            }
            if has_no_rate && !is_counted && !["als", "gibbs"].contains(&solver) {
                // They take the whole matrix, so that nothing is held out to wait for.
                settings.push("train.early_stopping.patience=0".into());
            }
            if ["neumf", "deepfm"].contains(&model) {
                settings.push("model.dropout=0.3".into());
            }
            if !has_no_rate && solver != "stratified" {
                // All ratings at once, where work is most likely to be cut by the number of threads.
                settings.push("solver.batch_size=0".into());
            }
            place.train("c.toml", settings.iter().map(String::as_str)).succeeds();
            format!("runs/{name}-1")
        });
        assert_same(&place, &runs[0], &runs[1]);
    }
}

#[test]
fn a_start_from_the_binary_copy_gives_the_same_bytes() {
    let place = Place::new();
    let ratings = (0..2000).map(|at| format!("{},{},{}\n", at * 7 % 97, at * 11 % 61, 1 + at * at % 5));
    place.write_large("r.csv", ratings.collect::<String>());
    place.write("c.toml", "data.path = \"r.csv\"\nmodel.rank = 4\ntrain.epochs = 3\n");
    let writes_copy = |settings: &[&str]| {
        let args = ["train", "c.toml"].iter().chain(settings);
        place.call(args).succeeds().stderr.contains("the next start reads the binary copy")
    };
    assert!(writes_copy(&[]));
    assert!(!writes_copy(&[]));
    assert!(!writes_copy(&["--set", "data.cache=false"]));
    let files = place.files();
    let copies: Vec<_> = files.iter().filter(|file| file.starts_with("cache/lowrank/ratings/")).collect();
    let [copy] = copies[..] else { panic!("{copies:?}") };
    place.write(copy, &place.read(copy)[..1000]);
    assert!(writes_copy(&[]), "it was damaged");
    for run in 2..=4 {
        assert_same(&place, "runs/c-1", &format!("runs/c-{run}"));
    }
    // Where ratings were read from decides nothing, so a run may go on without the copy.
    place.call(["train", "runs/c-1/config.toml", "--resume", "--set", "data.cache=false"]).succeeds();
}

/// Waits until the file has a number of lines: until training is that far.
#[track_caller]
fn wait_for_lines(place: &Place, file: &str, lines: usize, child: &mut Child) {
    let started = Instant::now();
    loop {
        let text = std::fs::read_to_string(place.path(file)).unwrap_or_default();
        if text.matches('\n').count() >= lines {
            return;
        }
        let ended = child.try_wait().expect("a child");
        assert!(ended.is_none(), "it ended before {file} had {lines} lines: {ended:?}");
        assert!(started.elapsed() < Duration::from_secs(120), "{file} never had {lines} lines");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn resume(place: &Place, run: &str) -> Outcome {
    place.call(["train", &format!("{run}/config.toml"), "--resume", "--quiet"])
}

/// Sends Ctrl-C, and gives how the run ended.
#[cfg(unix)]
fn interrupt(child: Child) -> Outcome {
    let sent = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.expect("kill runs").success());
    let started = Instant::now();
    let mut child = child;
    while child.try_wait().expect("a child").is_none() {
        if started.elapsed() > Duration::from_secs(60) {
            child.kill().expect("killed");
            panic!("it went on after Ctrl-C");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Outcome::of(child.wait_with_output().expect("its output"))
}

#[test]
#[cfg(unix)]
fn after_ctrl_c_a_resumed_run_ends_with_the_same_bytes() {
    let place = place();
    place.train("c.toml", ["name=whole"]).succeeds();
    // One batch an epoch, as in the toy, must be as easy to interrupt as many.
    for (name, batch_size) in [("many", "64"), ("one", "0")] {
        let settings =
            [format!("name={name}"), format!("solver.batch_size={batch_size}"), "train.checkpoint_every=0".into()];
        let epochs = if name == "one" { "train.epochs=100000" } else { "train.epochs=30" };
        let mut args = vec!["train", "c.toml", "--set", epochs];
        args.extend(settings.iter().flat_map(|setting| ["--set", setting]));
        let run = format!("runs/{name}-1");
        let mut child = place.start(args);
        wait_for_lines(&place, &format!("{run}/metrics.jsonl"), 4, &mut child);
        let outcome = interrupt(child).exits(130);
        assert!(outcome.stdout.is_empty(), "{outcome:#?}");
        let command = format!("interrupted; continue with: lowrank train {run}/config.toml --resume");
        assert!(outcome.stderr.contains(&command), "{outcome:#?}");
        assert!(place.path(format!("{run}/checkpoints/last.safetensors")).exists());
        assert!(!place.path(format!("{run}/model.safetensors")).exists());
    }
    resume(&place, "runs/many-1").succeeds();
    assert_same(&place, "runs/whole-1", "runs/many-1");
}

#[test]
fn after_a_kill_a_resumed_run_ends_with_the_same_bytes() {
    let place = place();
    place.train("c.toml", ["name=whole", "train.refit=true"]).succeeds();
    for (name, file, lines) in [("early", "metrics.jsonl", 3), ("refit", "refit/metrics.jsonl", 2)] {
        let mut child =
            place.start(["train", "c.toml", "--quiet", "--set", &format!("name={name}"), "--set", "train.refit=true"]);
        wait_for_lines(&place, &format!("runs/{name}-1/{file}"), lines, &mut child);
        child.kill().expect("killed");
        child.wait().expect("gone");
        assert!(!place.path(format!("runs/{name}-1/model.safetensors")).exists(), "it was killed in the middle");
        resume(&place, &format!("runs/{name}-1")).succeeds();
        assert_same(&place, "runs/whole-1", &format!("runs/{name}-1"));
    }
}

#[test]
fn a_kill_before_the_first_checkpoint_and_resuming_twice_change_nothing() {
    let place = place();
    place.train("c.toml", ["name=whole", "train.epochs=4", "train.early_stopping.patience=0"]).succeeds();
    let settings = ["name=cut", "train.epochs=4", "train.early_stopping.patience=0", "train.checkpoint_every=0"];
    let args = ["train", "c.toml", "--quiet"].into_iter().chain(settings.iter().flat_map(|s| ["--set", s]));
    let mut child = place.start(args);
    wait_for_lines(&place, "runs/cut-1/metrics.jsonl", 1, &mut child);
    child.kill().expect("killed");
    child.wait().expect("gone");
    for _ in 0..2 {
        resume(&place, "runs/cut-1").succeeds();
        assert_same(&place, "runs/whole-1", "runs/cut-1");
    }
}
