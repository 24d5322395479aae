//! Whose a run directory is, what is continued, and what a resumed run leaves as it was.

use std::fs;
use std::process::Child;
use std::time::{Duration, Instant};

use super::{Outcome, Place, SMALL};

/// Waits until `is_there` holds, while the process is running.
#[track_caller]
fn wait(child: &mut Child, is_there: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_there() {
        assert!(child.try_wait().expect("a child").is_none(), "it ended too early");
        assert!(started.elapsed() < Duration::from_secs(120), "that never came");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn end(mut child: Child) -> Outcome {
    child.kill().expect("killed");
    Outcome::of(child.wait_with_output().expect("its output"))
}

/// A training that takes as long as a test likes.
fn endless(place: &Place) -> Child {
    place.write("c.toml", "model.rank = 2\ntrain.epochs = 1000000\n");
    place.start(["train", "c.toml", "--quiet"].into_iter().chain(SMALL.iter().flat_map(|set| ["--set", set])))
}

#[test]
fn a_second_process_is_refused_with_the_id_of_the_first() {
    let place = Place::new();
    let mut child = endless(&place);
    wait(&mut child, || place.path("runs/c-1/metrics.jsonl").exists());
    let owner = format!("runs/c-1: process {} is at work on it; wait until it has ended, or stop it", child.id());
    place.call(["train", "runs/c-1/config.toml", "--resume"]).refuses(&[&owner]);
    let newest = ["train", "c.toml", "--resume"].into_iter().chain(SMALL.iter().flat_map(|set| ["--set", set]));
    place.call(newest).refuses(&[&owner]);
    assert!(child.try_wait().expect("a child").is_none(), "the first goes on");
    end(child);
    // A killed process is no owner, whatever it left.
    assert!(place.path("runs/c-1/lock").exists());
    let again = ["train", "runs/c-1/config.toml", "--resume", "--quiet", "--json"];
    let mut child = place.start(again);
    let lines = || fs::read_to_string(place.path("runs/c-1/metrics.jsonl")).unwrap_or_default().lines().count();
    let before = lines();
    wait(&mut child, || lines() > before + 5);
    end(child);
    // No line was lost, and none is there twice.
    let epochs: Vec<u64> = (place.text("runs/c-1/metrics.jsonl").lines())
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok()?["epoch"].as_u64())
        .collect();
    assert!(epochs.iter().copied().eq(1..=epochs.len() as u64), "{epochs:?}");
}

#[test]
fn a_sweep_has_an_owner_too() {
    let place = Place::new();
    place.write("base.toml", "model.rank = 2\ntrain.epochs = 100000\n");
    let set: String = SMALL.iter().map(|set| set.replacen('=', " = '", 1) + "'\n").collect();
    let set = set.replace("'100'", "100").replace("'60'", "60").replace("'2000'", "2000").replace("'2'", "2");
    place.write("s.toml", format!("base = 'base.toml'\n[set]\n{set}[space]\nmodel.rank = {{ int = [1, 4] }}\n"));
    let mut child = place.start(["sweep", "s.toml", "--quiet"]);
    wait(&mut child, || place.path("runs/s-sweep-1/journal.jsonl").exists());
    let owner = format!("runs/s-sweep-1: process {} is at work on it", child.id());
    for space in ["s.toml", "runs/s-sweep-1/space.toml"] {
        place.call(["sweep", space, "--resume"]).refuses(&[&owner]);
    }
    end(child);
}

#[test]
fn a_half_made_directory_is_passed_over() {
    let place = Place::new();
    place.small_run("c", &[]);
    let resume = || {
        let set = SMALL.iter().flat_map(|set| ["--set", set]);
        place.call(["train", "c.toml", "--resume"].into_iter().chain(set))
    };
    fs::create_dir(place.path("runs/c-2")).expect("a folder");
    fs::create_dir(place.path("runs/c-3")).expect("a folder");
    fs::copy(place.path("runs/c-1/config.toml"), place.path("runs/c-3/config.toml")).expect("a copy");
    let outcome = resume().succeeds();
    for part in [
        "runs/c-2: is skipped, because it ended before its config.toml was written; remove it",
        "runs/c-3: is skipped, because it ended before its environment.json was written; remove it",
    ] {
        assert!(outcome.stderr.contains(part), "{outcome:#?}");
    }
    assert!(!place.path("runs/c-2/model.safetensors").exists());
    place.write("runs/c-3/lock", "1");
    place
        .call(["train", "runs/c-3/config.toml", "--resume"])
        .refuses(&["runs/c-3: has no environment.json, so this run cannot go on; remove the folder and train anew"]);
    fs::remove_dir_all(place.path("runs/c-1")).expect("removed");
    resume().refuses(&["there is no run c-<n> in runs to resume"]);
}

/// Numbers come back from a checkpoint to the last bit.
#[test]
fn resuming_a_finished_run_changes_no_byte() {
    let place = Place::new();
    for (seed, refit) in [("1", "false"), ("2", "true"), ("3", "false"), ("4", "true"), ("5", "false")] {
        place.small_run("c", &[&format!("name=c{seed}"), &format!("seed={seed}"), &format!("train.refit={refit}")]);
        let run = format!("runs/c{seed}-1");
        let files = ["summary.json", "metrics.jsonl", "model.safetensors", "seen.safetensors", "config.toml"];
        let before = files.map(|file| place.read(format!("{run}/{file}")));
        place
            .call(["train", &format!("{run}/config.toml"), "--resume", "--quiet", "--set", "train.threads=1"])
            .succeeds();
        for (file, before) in files.iter().zip(before) {
            assert!(place.read(format!("{run}/{file}")) == before, "seed {seed}: {file}");
        }
        assert!(!place.path(format!("{run}/lock")).exists(), "nobody is at work");
    }
}

/// Ctrl-C while data are still read leaves nothing behind.
#[test]
#[cfg(unix)]
fn ctrl_c_while_data_are_read_ends_at_once() {
    let place = Place::new();
    assert!(std::process::Command::new("mkfifo").arg(place.path("pipe")).status().expect("mkfifo").success());
    place.write("c.toml", "data.path = 'pipe'\n");
    place.write("s.toml", "base = 'c.toml'\n[space]\nmodel.rank = { int = [1, 4] }\n");
    for args in [["train", "c.toml"], ["sweep", "s.toml"]] {
        let mut child = place.start(args);
        // Held open and never written to: the reader waits for its first line.
        let held = fs::OpenOptions::new().write(true).open(place.path("pipe")).expect("the reader opens it too");
        let sent = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
        let started = Instant::now();
        while child.try_wait().expect("a child").is_none() {
            if started.elapsed() > Duration::from_secs(10) {
                child.kill().expect("killed");
                panic!("it reads on after Ctrl-C");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let outcome = Outcome::of(child.wait_with_output().expect("its output")).exits(130);
        assert!(outcome.stderr.contains("interrupted before training began"), "{outcome:#?}");
        drop(held);
    }
    assert_eq!(place.files(), ["c.toml", "pipe", "s.toml"]);
}
