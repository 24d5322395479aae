//! `lowrank sweep`: what is tried, what is written down, and that it survives being killed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::configs::list_with_context;
use super::{Outcome, Place, number};

const BASE: &str = "\
data.dataset = 'synthetic'
data.synthetic = { users = 100, items = 60, ratings = 2000, rank = 2 }
train = { epochs = 12, early_stopping = { patience = 3 } }
report.tensorboard = false
";

const SPACE: &str = "\
base = 'base.toml'
trials = 12
[repeat]
seed = [1, 2]
[space]
model.kind = { choice = ['mf', 'biased-mf'] }
model.rank = { int = [1, 16], log = true }
solver.learning_rate = { log_uniform = [1e-3, 1e-1] }
solver.regularization.user_factors = { log_uniform = [1e-3, 1] }
solver.regularization.item_factors = { same_as = 'solver.regularization.user_factors' }
solver.regularization.user_biases = { uniform = [0, 0.1] }
";

/// A place with a base config and a space.
fn place() -> Place {
    let place = Place::new();
    place.write("base.toml", BASE);
    place.write("s.toml", SPACE);
    place
}

fn sweep<'a>(place: &Place, settings: impl IntoIterator<Item = &'a str>) -> Outcome {
    let overrides = settings.into_iter().flat_map(|setting| ["--set", setting]);
    place.call(["sweep", "s.toml", "--quiet", "--json"].into_iter().chain(overrides))
}

/// The trials of a journal by number, without their times.
fn trials(place: &Place, directory: &str) -> BTreeMap<u64, Value> {
    let text = place.text(format!("{directory}/journal.jsonl"));
    let trial = |line: &str| {
        let mut trial: Value = serde_json::from_str(line).expect("JSON");
        let fields = trial.as_object_mut().expect("an object");
        fields.remove("began").and(fields.remove("ended")).expect("times");
        (trial["trial"].as_u64().expect("a number"), trial)
    };
    let trials: Vec<_> = text.lines().skip(1).map(trial).collect();
    let by_number: BTreeMap<_, _> = trials.iter().cloned().collect();
    assert_eq!(by_number.len(), trials.len(), "no trial twice");
    by_number
}

#[test]
fn the_winners_config_reproduces_its_metric_and_the_test_comes_once_at_the_end() {
    let place = place();
    let json = sweep(&place, ["parallel=3"]).succeeds().json();
    assert_eq!(json["directory"], "runs/s-sweep-1");
    let trials = trials(&place, "runs/s-sweep-1");
    assert_eq!(trials.keys().copied().collect::<Vec<_>>(), (1..=12).collect::<Vec<_>>());
    let metric = |trial: &Value| number(trial, "/metric");
    let finished: Vec<&Value> = trials.values().filter(|trial| trial["status"] == "finished").collect();
    let best = finished.iter().map(|trial| metric(trial)).fold(f64::INFINITY, f64::min);
    assert_eq!(number(&json, "/winner/metric"), best);
    let winner = &json["winner"];
    let of_repeat = |repeat: usize| number(winner, &format!("/trainings/{repeat}/best"));
    assert_eq!(best, (of_repeat(0) + of_repeat(1)) / 2.0);
    // `best.toml` by itself, on another number of threads.
    for (repeat, settings) in [(0, &["train.threads=1"][..]), (1, &["seed=2", "name=second"])] {
        place.train("runs/s-sweep-1/best.toml", settings.iter().copied()).succeeds();
        let summary = place.json(format!("runs/{}-1/summary.json", if repeat == 0 { "base" } else { "second" }));
        assert_eq!(number(&summary, "/validation/rmse"), of_repeat(repeat));
        assert_eq!(summary["refit"], true);
        let tested = &json["tested"][repeat];
        assert_eq!(tested["run"], format!("runs/s-sweep-1/best-{}", repeat + 1));
        assert_eq!(tested["summary"]["test"], summary["test"]);
    }
    // Only the winner's run has anything to do with the test part.
    let files = place.files();
    let of_sweep = files.iter().filter_map(|file| file.strip_prefix("runs/s-sweep-1/"));
    let expected = ["base.toml", "best.toml", "journal.jsonl", "keys.png", "progress.png", "space.toml", "trials.csv"];
    assert_eq!(of_sweep.filter(|file| !file.starts_with("best-")).collect::<Vec<_>>(), expected);
    let known = ["metric", "rungs", "settings", "status", "trainings", "trial"];
    for trial in trials.values() {
        assert_eq!(trial.as_object().expect("an object").keys().collect::<Vec<_>>(), known);
        assert_eq!(trial["trainings"][0].as_object().expect("an object").len(), 3, "validation only: {trial}");
    }
}

#[test]
fn trials_at_random_and_of_a_grid_are_the_same_for_any_parallelism() {
    for sampler in ["random", "grid"] {
        let runs = ["1", "2", "5"].map(|parallel| {
            let place = place();
            let settings = [
                &format!("parallel={parallel}"),
                &format!("sampler.kind={sampler}"),
                "pruning.kind=none",
                "refit=false",
                "set.train.epochs=4",
            ];
            assert_eq!(sweep(&place, settings).succeeds().json()["tested"], Value::Array(vec![]));
            trials(&place, "runs/s-sweep-1")
        });
        assert_eq!(runs[0].len(), 12);
        assert!(runs.iter().all(|run| *run == runs[0]), "{sampler}");
        assert!(runs[0].values().all(|trial| trial["status"] == "finished"));
        let first: Vec<_> = (1..=3).map(|trial| &runs[0][&trial]["settings"]).collect();
        let same = |key: &str| first.iter().all(|settings| settings[key] == first[0][key]);
        // The last key of a grid changes fastest; at random all change.
        assert_eq!(
            (same("model.rank"), same("solver.learning_rate")),
            (sampler == "grid", sampler == "grid"),
            "{first:?}"
        );
        assert!(!same("solver.regularization.user_factors"), "{first:?}");
    }
}

#[test]
fn one_trial_at_a_time_is_reproducible_with_tpe_and_asha_too() {
    let run = |settings: &[&str]| {
        let place = place();
        let fixed = ["trials=25", "sampler.startup=5", "pruning.min_epochs=2", "refit=false"];
        sweep(&place, fixed.into_iter().chain(settings.iter().copied())).succeeds();
        trials(&place, "runs/s-sweep-1")
    };
    let (one, again, other) = (run(&[]), run(&[]), run(&["seed=2"]));
    assert_eq!(one, again);
    assert_ne!(one, other);
    let count = |status: &str| one.values().filter(|trial| trial["status"] == status).count();
    assert!(count("pruned") >= 5 && count("finished") >= 2, "{one:#?}");
    for trial in one.values() {
        let curve = trial["trainings"][0]["curve"].as_array().expect("a curve");
        let pruned_at_once = trial["status"] == "pruned" && trial["trainings"].as_array().map(Vec::len) == Some(1);
        if pruned_at_once && curve.len() < 12 {
            assert!([2, 6].contains(&curve.len()) || curve.len() >= 4, "stopped at a rung: {trial}");
        }
    }
}

#[test]
fn a_sweep_killed_at_any_moment_goes_on_without_a_trial_lost_or_repeated() {
    let settings = [
        "trials=16",
        "sampler.startup=4",
        "pruning.min_epochs=2",
        "set.train.epochs=150",
        "set.train.early_stopping.patience=0",
    ];
    let whole = place();
    let expected_json = sweep(&whole, settings).succeeds().json();
    let expected = trials(&whole, "runs/s-sweep-1");
    let took = number(&expected_json, "/winner/ended").max(0.2);

    let place = place();
    let args: Vec<&str> = ["sweep", "s.toml", "--quiet", "--json"]
        .into_iter()
        .chain(settings.iter().flat_map(|s| ["--set", s]))
        .collect();
    let mut kills = 0;
    let mut written = 0;
    for attempt in 0..60 {
        let resume = place.path("runs/s-sweep-1").exists();
        let mut child = place.start(args.iter().copied().chain(resume.then_some("--resume")));
        // Fractions of the whole time that do not repeat.
        let until = Instant::now() + Duration::from_secs_f64(took * (0.1 + f64::from(attempt) * 0.618_034 % 0.5));
        let mut ended = None;
        while ended.is_none() && Instant::now() < until {
            ended = child.try_wait().expect("a child");
            std::thread::sleep(Duration::from_millis(2));
        }
        if let Some(status) = ended {
            assert!(status.success(), "{:?}", Outcome::of(child.wait_with_output().expect("output")));
            break;
        }
        child.kill().expect("killed");
        child.wait().expect("gone");
        kills += 1;
        let journal = place.path("runs/s-sweep-1/journal.jsonl");
        let lines =
            if journal.exists() { fs::read_to_string(&journal).expect("text").matches('\n').count() } else { 0 };
        assert!(lines >= written, "nothing is ever taken back");
        written = lines;
    }
    assert!(kills >= 2, "it was killed {kills} times only");
    let last = sweep_resumed(&place, &settings);
    assert_eq!(trials(&place, "runs/s-sweep-1"), expected);
    assert!(!place.path("runs/s-sweep-2").exists());
    let without_times = |mut json: Value| {
        for (name, field) in [("winner", "began"), ("winner", "ended")] {
            json[name].as_object_mut().expect("an object").remove(field);
        }
        let tests = json["tested"].as_array_mut().expect("a list").iter_mut();
        tests.for_each(|run| run["summary"] = run["summary"]["test"].clone());
        json
    };
    assert_eq!(without_times(last), without_times(expected_json));
}

/// Goes on with a sweep to its end.
fn sweep_resumed(place: &Place, settings: &[&str]) -> Value {
    let overrides = settings.iter().flat_map(|setting| ["--set", *setting]);
    place.call(["sweep", "s.toml", "--resume", "--quiet", "--json"].into_iter().chain(overrides)).succeeds().json()
}

#[test]
fn a_finished_sweep_takes_more_trials_and_nothing_else_new() {
    let place = place();
    sweep(&place, ["trials=4", "parallel=2"]).succeeds();
    let journal = place.text("runs/s-sweep-1/journal.jsonl");
    // Its own space file knows everything.
    let args = ["sweep", "runs/s-sweep-1/space.toml", "--resume", "--quiet", "--json"];
    let again = place.call(args).succeeds().json();
    assert_eq!(place.text("runs/s-sweep-1/journal.jsonl"), journal);
    assert_eq!(again["finished"].as_u64().unwrap_or(0) + again["pruned"].as_u64().unwrap_or(0), 4);
    place.call(args.iter().chain(&["--set", "trials=7"])).succeeds();
    let longer = place.text("runs/s-sweep-1/journal.jsonl");
    assert!(longer.starts_with(&journal) && longer.lines().count() == 8, "{longer}");
    for (settings, part) in [
        (&["--set", "seed=9"][..], "another seed"),
        (&["--set", "set.model.init_std=0.5"], "another base model.init_std"),
        (&["--set", "set.data.synthetic.noise=0.1"], "another base data.synthetic.noise"),
    ] {
        place.call(args.iter().chain(settings)).refuses(&["runs/s-sweep-1: cannot resume with", part]);
    }
    assert_eq!(place.text("runs/s-sweep-1/journal.jsonl"), longer);
    let text = longer.replacen("\"data_sha256\":[\"", "\"data_sha256\":[\"0", 1);
    fs::write(place.path("runs/s-sweep-1/journal.jsonl"), text).expect("written");
    place.call(args).refuses(&["the data changed since this sweep began"]);
    place
        .call(["sweep", "s.toml", "--resume", "--set", "name=other"])
        .refuses(&["no sweep other-sweep-<n> in runs to resume"]);
}

#[test]
fn a_trial_that_fails_is_written_down_and_stops_nothing() {
    let place = place();
    place.write(
        "s.toml",
        "base = 'base.toml'\npruning.kind = 'none'\nsampler.kind = 'grid'\nmax_memory = 0.005\n[set]\nsolver.kind = 'sgd'\n\
         solver.rows = 'all'\n[space]\nsolver.learning_rate = { choice = [0.1, 1000.0] }\nmodel.rank = { choice = [2, 4096] }\n",
    );
    let json = sweep(&place, []).succeeds().json();
    assert_eq!((&json["finished"], &json["failed"]), (&1.into(), &3.into()));
    let trials = trials(&place, "runs/s-sweep-1");
    let message = |trial: u64| trials[&trial]["message"].as_str().unwrap_or_default();
    assert!(
        message(2).starts_with("needs about 0.") && message(2).ends_with("more than max_memory = 0.005"),
        "{trials:?}"
    );
    assert!(message(3).starts_with("training diverged in epoch "), "{trials:?}");
    assert_eq!(json["winner"]["trial"], 1);
    let rows: Vec<String> = place.text("runs/s-sweep-1/trials.csv").lines().map(str::to_string).collect();
    assert_eq!(rows[0], "trial,status,rmse,epochs,seconds,solver.learning_rate,model.rank");
    assert!(
        rows[1].starts_with("1,finished,0.") && rows[1].ends_with(",0.1,2") && rows[3].starts_with("3,failed,,"),
        "{rows:?}"
    );
    // Where none finishes, that is an error.
    let outcome = sweep(&place, ["set.loss.kind=logistic"]);
    assert!(outcome.stderr.contains("none of 4 trials finished; the first that failed: the rating"), "{outcome:?}");
    outcome.exits(1);
}

#[test]
fn a_space_file_is_refused_with_all_its_problems_and_leaves_nothing() {
    let place = place();
    place.write(
        "s.toml",
        SPACE.replace("model.rank = { int = [1, 16]", "modle.rank = { int = [0, 16]").replace("[1e-3, 1e-1]", "[0, 1]"),
    );
    let before = place.files();
    place.call(["sweep", "s.toml", "--set", "trails=3"]).refuses(&[
        "s.toml:7:1: unknown key \"modle\"; did you mean \"model\"?",
        "s.toml:8:41: solver.learning_rate must be above 0 and at most 1000, but is 0",
        "--set trails=3: unknown key \"trails\"; did you mean \"trials\"?",
    ]);
    place.call(["sweep", "none.toml"]).refuses(&["none.toml: cannot open"]);
    assert_eq!(place.files(), before);
    place.write("s.toml", SPACE);
    let check = place.call(["sweep", "s.toml", "--check"]).succeeds();
    assert!(check.stdout.contains("5 keys are searched, in at most 12 trials of 2 trainings each"), "{check:?}");
    let explained = place.call(["sweep", "--explain"]).succeeds().stdout;
    assert!(explained.contains("[pruning]") && explained.contains("log_uniform"), "{explained}");
    assert_eq!(place.files(), before);
}

/// The committed space files.
fn spaces() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/spaces");
    let paths = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut spaces: Vec<String> = paths.map(|path| path.to_string_lossy().into_owned()).collect();
    spaces.sort();
    assert!(spaces.len() >= 7, "{spaces:?}");
    spaces
}

#[test]
fn every_committed_space_is_valid_and_sweeps_a_stand_in() {
    for space in spaces() {
        let place = Place::new();
        let check = place.call(["sweep", &space, "--check"]).succeeds();
        assert!(check.stdout.contains("keys are searched"), "{check:?}");
        place.stand_in_for_features();
        let text = fs::read_to_string(&space).expect("UTF-8");
        let base = text.lines().find_map(|line| line.strip_prefix("base = ")).expect("a base").trim_matches('"');
        let base = Path::new(&space).parent().expect("a folder").join(base);
        let base = fs::read_to_string(base).expect("UTF-8");
        let list = list_with_context(&base);
        let has_data = list.is_some() || base.contains("_features = ");
        let mut small: Vec<String> = Vec::new();
        if let Some(list) = list {
            place.write("list.txt", list);
            small.push("set.data.path=list.txt".into());
        } else if !has_data {
            small.extend(super::SMALL.map(|setting| format!("set.{setting}")));
        }
        let folds = (!has_data).then_some("set.data.split.kind=k-fold");
        let more = ["trials=2", "refit=false"].into_iter().chain(folds);
        // A key that is searched cannot be set.
        let is_searched = text.contains("\ntrain.epochs = {");
        let short = (!is_searched).then_some("set.train.epochs=1");
        let settings = small.iter().map(String::as_str).chain(more).chain(short).flat_map(|setting| ["--set", setting]);
        let outcome = place.call(["sweep", &space, "--quiet", "--json"].into_iter().chain(settings));
        assert_eq!(outcome.succeeds().json()["failed"], 0, "{space}");
    }
}

#[test]
fn progress_shows_every_trial_and_the_result_what_came_of_it() {
    let place = place();
    let outcome = place.call(["sweep", "s.toml", "--set", "trials=5", "--set", "pruning.kind=none"]).succeeds();
    let lines = outcome.stderr.lines().filter(|line| line.starts_with("trial ")).count();
    assert_eq!(lines, 5, "{outcome:#?}");
    assert!(outcome.stderr.contains("rank=") && outcome.stderr.contains("  *"), "{outcome:#?}");
    for part in [
        "5 trials in",
        "5 finished, 0 pruned, 0 failed",
        "test RMSE",
        "best.toml",
        "keys.png",
        "train runs/s-sweep-1/best.toml",
        "--resume --set trials=10",
    ] {
        assert!(outcome.stdout.contains(part), "no {part:?} in {}", outcome.stdout);
    }
    assert_eq!(place.call(["sweep", "s.toml", "--set", "trials=2", "-q"]).succeeds().stderr, "");
    for picture in ["keys.png", "progress.png"] {
        assert!(place.read(Path::new("runs/s-sweep-1").join(picture)).starts_with(b"\x89PNG"), "{picture}");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_sweep_with_the_command_that_goes_on() {
    let place = place();
    let mut child = place.start([
        "sweep",
        "s.toml",
        "--set",
        "set.train.epochs=100000",
        "--set",
        "set.train.early_stopping.patience=0",
    ]);
    let journal = place.path("runs/s-sweep-1/journal.jsonl");
    let deadline = Instant::now() + Duration::from_secs(30);
    while !journal.exists() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    child.wait().expect("ended");
    let outcome = Outcome::of(child.wait_with_output().expect("output")).exits(130);
    assert!(outcome.stderr.contains("continue with: lowrank sweep runs/s-sweep-1/space.toml --resume"), "{outcome:?}");
}

#[test]
fn two_sweeps_do_not_write_into_one_folder() {
    let place = place();
    sweep(&place, ["trials=2"]).succeeds();
    let args = ["sweep", "runs/s-sweep-1/space.toml", "--resume", "--set", "trials=3"];
    place.write("runs/s-sweep-1/lock", "4711 0");
    let held = fs::File::open(place.path("runs/s-sweep-1/lock")).expect("a file");
    held.lock().expect("locked");
    place.call(args).refuses(&["runs/s-sweep-1: process 4711 is at work on it"]);
    drop(held);
    place.call(args).succeeds();
}
