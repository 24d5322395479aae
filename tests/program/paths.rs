//! Paths in a config are seen from the config, those on the command line from where the program is called.

use std::fs;

use super::{Outcome, PROGRAM, Place, outcome};

fn ratings() -> String {
    (0..300).map(|at| format!("{},{},{}\n", at / 10, at % 10 + at % 3, 1 + at % 5)).collect()
}

/// A project in a folder of its own, and another folder to call the program from.
fn project() -> Place {
    let place = Place::new();
    for folder in ["project", "project/data", "elsewhere", "elsewhere/data"] {
        fs::create_dir(place.path(folder)).expect("a folder");
    }
    place.write("project/data/r.csv", ratings());
    place.write("project/data/t.csv", "1,One\n2,Two\n");
    // The same name where the program is called, which must not be taken.
    place.write("elsewhere/data/r.csv", "broken\n");
    let config = "data = { path = 'data/r.csv', titles = { path = 'data/t.csv' } }\nmodel.rank = 2\ntrain.epochs = 2\n";
    place.write("project/c.toml", config);
    place
}

fn call_from(place: &Place, folder: &str, args: &[&str]) -> Outcome {
    outcome(place.command(PROGRAM).current_dir(place.path(folder)).args(args))
}

#[test]
fn a_config_works_from_any_folder_and_so_does_its_run() {
    let place = project();
    call_from(&place, "elsewhere", &["train", "../project/c.toml", "--quiet"]).succeeds();
    // Runs are made where the program is called.
    assert!(place.path("elsewhere/runs/c-1/model.safetensors").exists());
    call_from(&place, "project", &["train", "c.toml", "--quiet"]).succeeds();
    for (folder, run) in [("project", "../elsewhere/runs/c-1"), (".", "elsewhere/runs/c-1"), ("elsewhere/runs", "c-1")]
    {
        call_from(&place, folder, &["evaluate", run]).succeeds();
        call_from(&place, folder, &["train", &format!("{run}/config.toml"), "--resume", "--quiet"]).succeeds();
    }
    let model = |run: &str| place.read(format!("{run}/model.safetensors"));
    assert!(model("project/runs/c-1") == model("elsewhere/runs/c-1"));
    call_from(&place, ".", &["compare", "project/runs/c-1", "elsewhere/runs/c-1"]).succeeds();
    // What lies here is named from here.
    place.write("project/data/r.csv", "1,2,3\n1,b\n");
    let refused = call_from(&place, "project", &["train", "c.toml"]);
    assert!(refused.stderr.contains("error: data/r.csv:2: "), "{refused:#?}");
}

#[test]
fn paths_on_the_command_line_are_seen_from_the_current_folder() {
    let place = project();
    place.write("elsewhere/own.csv", ratings());
    let call = |args: &[&str]| call_from(&place, "elsewhere", args);
    call(&["train", "../project/c.toml", "--quiet", "--set", "data.path=own.csv"]).succeeds();
    call(&["train", "../project/c.toml", "--quiet", "--set", "data.path=none.csv"]).refuses(&["none.csv: cannot open"]);
    call(&["evaluate", "runs/c-1", "--data", "own.csv"]).succeeds();
    // Data that were moved are found again; their content tells that they are the same.
    fs::rename(place.path("elsewhere/own.csv"), place.path("elsewhere/moved.csv")).expect("moved");
    let resume = ["train", "runs/c-1/config.toml", "--resume", "--quiet"];
    call(&resume).refuses(&["own.csv: cannot open"]);
    call(&[&resume[..], &["--set", "data.path=moved.csv"]].concat()).succeeds();
}

#[test]
fn a_space_file_works_from_any_folder_and_so_does_its_copy() {
    let place = project();
    place.write("project/other.csv", ratings());
    let space =
        "base = 'c.toml'\ntrials = 2\n[set]\n\"data.path\" = 'other.csv'\n[space]\nmodel.rank = { int = [1, 3] }\n";
    place.write("project/s.toml", space);
    place.write("project/plain.toml", space.replace("[set]\n\"data.path\" = 'other.csv'\n", ""));
    let call = |folder: &str, args: &[&str]| call_from(&place, folder, args);
    for name in ["s", "plain"] {
        call("elsewhere", &["sweep", &format!("../project/{name}.toml"), "--quiet"]).succeeds();
        let sweep = format!("elsewhere/runs/{name}-sweep-1");
        call(".", &["sweep", &format!("{sweep}/space.toml"), "--resume", "--quiet", "--set", "trials=3"]).succeeds();
        call(".", &["train", &format!("{sweep}/best.toml"), "--quiet"]).succeeds();
        call("project", &["sweep", &format!("../{sweep}/space.toml"), "--check"]).succeeds();
    }
    call("elsewhere", &["sweep", "../project/plain.toml", "--check", "--set", "set.data.path=data/r.csv"]).succeeds();
    call("elsewhere", &["sweep", "--check", "../project/plain.toml", "--set", "base=c.toml"])
        .refuses(&["c.toml: cannot open"]);
}
