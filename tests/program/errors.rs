//! Bad input is refused with its place and a remedy, and leaves nothing half-written.

use std::fs;

use super::{Outcome, Place, SMALL};

/// Trains on a ratings file with this content.
fn train_on(place: &Place, content: &str, settings: &[&str]) -> Outcome {
    place.write("r.csv", content);
    place.write("c.toml", "data.path = \"r.csv\"\n");
    place.train("c.toml", settings.iter().copied())
}

/// Asserts that the call is refused with all of `parts`, and that it leaves no more files than there were.
#[track_caller]
fn refused(place: &Place, parts: &[&str], call: impl FnOnce() -> Outcome) {
    let before = place.files();
    call().refuses(parts);
    assert_eq!(place.files(), before);
}

#[test]
fn ratings_that_cannot_be_read_are_refused_by_line() {
    for (content, parts) in [
        ("user,item,rating\n1,a,3\n1,b\n", ["r.csv:3: ", "expected 3 fields", "found 2"]),
        ("user,item,rating\n1,a,3\n1,b,2,7,8\n", ["r.csv:3: ", "expected 3 fields", "correct the line"]),
        ("user,item,rating\n1,a,3\n1,b,x\n", ["r.csv:3:5: ", "column \"rating\"", "invalid number \"x\""]),
        (
            "user,item,rating\n1,a,\"4,500\"\n",
            ["r.csv:2:5: ", "column \"rating\"", "\"4,500\" may have a decimal comma"],
        ),
        ("1,a,3\n1,b,NaN\n", ["r.csv:2:5: ", "\"NaN\" is not a finite number", "remove the line"]),
        ("1,a,inf\n1,b,2\n", ["r.csv:1:5: ", "\"inf\" is not a finite number", "remove the line"]),
        ("1,a,3\n1,b,-1e99\n", ["r.csv:2:5: ", "\"-1e99\"", "remove the line"]),
        ("", ["r.csv: ", "holds no ratings", "expected at least one"]),
        ("user,item,rating\n", ["r.csv: ", "holds no ratings", "expected at least one"]),
    ] {
        let place = Place::new();
        let outcome = train_on(&place, content, &[]);
        assert_eq!(place.files(), ["c.toml", "r.csv"], "{content:?}");
        outcome.refuses(&parts);
    }
}

#[test]
fn data_that_do_not_fit_the_request_are_refused() {
    let rows: String = (0..50).map(|at| format!("{},{},{}\n", at / 5, at % 7, 1 + at % 5)).collect();
    for (settings, parts) in [
        (&["data.split.kind=temporal"][..], &["no timestamps", "column named \"timestamp\""][..]),
        (&["data.split.kind=leave-last-out"], &["no timestamps", "column named \"timestamp\""]),
        (&["loss.kind=logistic"], &["r.csv:2: the rating 2 of user 0 for item 1", "data.binarize"]),
        (&["data.split.test=0.001"], &["test part is empty", "raise its share"]),
        (&["data.split.validation=0.001"], &["validation part is empty", "raise its share"]),
        (&["data.path=none.csv"], &["none.csv: cannot open"]),
        (&["data.path=."], &["is a folder"]),
        (&["data.duplicates=error"], &["r.csv:51: ", "repeat", "first rated in line 1", "\"last\" or \"mean\""]),
        (&["data.dataset=movielens-100kk"], &["unknown data set", "did you mean \"movielens-100k\"?"]),
        (&["data.dataset=movielens-100k"], &["is not on this machine", "lowrank data fetch movielens-100k"]),
        (&["data.dataset=synthetic", "data.synthetic.users=2", "data.synthetic.items=2"], &["ratings"]),
        (&["train.device=abacus"], &["abacus", "cpu"]),
    ] {
        let place = Place::new();
        let outcome = train_on(&place, &format!("{rows}0,0,1\n"), settings);
        assert_eq!(place.files(), ["c.toml", "r.csv"], "{settings:?}");
        outcome.refuses(parts);
    }
    let place = Place::new();
    train_on(&place, "1,a,-1\n1,b,2\n", &["loss.kind=poisson", "data.split.kind=none"])
        .refuses(&["r.csv:1: the rating -1 of user 1 for item a"]);
    train_on(&place, "1,a,3\n", &[]).refuses(&["test part is empty"]);
}

#[test]
#[cfg(not(feature = "cuda"))]
fn a_device_that_is_not_built_in_names_the_feature() {
    let place = Place::new();
    refused(&place, &["cuda", "not built in", "cargo build --release --features cuda"], || {
        fs::write(place.path("c.toml"), "data.dataset = \"synthetic\"\n").expect("a config");
        let outcome = place.call(["train", "c.toml", "--device", "cuda"]);
        fs::remove_file(place.path("c.toml")).expect("the config");
        outcome
    });
}

#[test]
fn every_config_error_is_told_at_once_with_its_line() {
    let place = Place::new();
    place.write("c.toml", "[data]\ndataset = \"synthetic\"\n\n[solver]\nweight_deacy = 0.1\n\n[model]\nrank = 0\n");
    refused(
        &place,
        &[
            "c.toml:5:1: unknown key \"weight_deacy\" in [solver]; did you mean \"weight_decay\"?",
            "c.toml:8:8: model.rank must be from 1 to 4096, but is 0",
            "--set train.epochs=-3: train.epochs must be from 0 to 4294967295, but is -3",
            "--set sed=1: unknown key \"sed\"; did you mean \"seed\"?",
        ],
        || place.train("c.toml", ["train.epochs=-3", "sed=1"]),
    );
    place.write("c.toml", "[data\n");
    refused(&place, &["c.toml:1:"], || place.train("c.toml", []));
    refused(&place, &["none.toml: cannot open"], || place.train("none.toml", []));
}

#[test]
fn damaged_and_foreign_model_files_are_refused() {
    let place = Place::new();
    place.small_run("c", &[]);
    let model = place.read("runs/c-1/model.safetensors");
    for length in [0, 7, 1000, model.len() - 1] {
        place.write("m.safetensors", &model[..length]);
        refused(&place, &["m.safetensors: is damaged, truncated"], || {
            place.call(["predict", "m.safetensors", "1", "1"])
        });
    }
    // The header is JSON inside JSON, and a version of the same length leaves its length as it is.
    let (from, to) = (br#"\"format_version\":2,"#, br#"\"format_version\":7,"#);
    let at = model.windows(from.len()).position(|window| window == from).expect("a format version");
    let mut other = model.clone();
    other[at..at + to.len()].copy_from_slice(to);
    place.write("m.safetensors", other);
    refused(&place, &["m.safetensors: has format version 7, but this lowrank reads version 2"], || {
        place.call(["recommend", "m.safetensors", "1"])
    });
    place.write("m.safetensors", "not a model at all");
    refused(&place, &["m.safetensors: is damaged"], || place.call(["predict", "m.safetensors", "1", "1"]));
    refused(&place, &["seen.safetensors: ", "is a lowrank file of another kind"], || {
        place.call(["predict", "runs/c-1/seen.safetensors", "1", "1"])
    });
    refused(&place, &["cache: there is no such run directory or model file"], || {
        place.call(["predict", "cache", "1", "1"])
    });
}

#[test]
fn a_damaged_checkpoint_is_not_resumed() {
    let place = Place::new();
    place.small_run("c", &[]);
    let resume = || place.call(["train", "runs/c-1/config.toml", "--resume"]);
    let checkpoint = "runs/c-1/checkpoints/last.safetensors";
    let whole = place.read(checkpoint);
    for length in [0, 500, whole.len() - 1] {
        place.write(checkpoint, &whole[..length]);
        refused(&place, &["last.safetensors: is damaged, truncated"], resume);
    }
    place.write(checkpoint, &whole);
    resume().succeeds();
}

#[test]
fn a_run_is_not_resumed_with_other_settings_or_data() {
    let place = Place::new();
    let rows: String = (0..200).map(|at| format!("{},{},{}\n", at / 10, at % 10 + at % 3, 1 + at % 5)).collect();
    train_on(&place, &rows, &["train.epochs=2", "model.rank=2"]).succeeds();
    let resume = |settings: &[&str]| {
        let overrides = settings.iter().flat_map(|setting| ["--set", setting]);
        place.call(["train", "runs/c-1/config.toml", "--resume"].into_iter().chain(overrides))
    };
    refused(&place, &["runs/c-1: cannot resume with another model.rank, seed", "without --resume"], || {
        resume(&["model.rank=3", "seed=1"])
    });
    resume(&["train.threads=1"]).succeeds();
    place.write("r.csv", format!("{rows}1,a,2\n"));
    refused(&place, &["runs/c-1: the data changed", "start a new run"], || resume(&[]));
    refused(&place, &["there is no run d-<n>", "without --resume"], || {
        place.call(["train", "c.toml", "--resume", "--set", "name=d"])
    });
}

#[test]
#[cfg(unix)]
fn a_folder_without_permission_is_refused() {
    let place = Place::new();
    place.write("c.toml", "data.dataset = \"synthetic\"\n");
    place.write("file", "");
    // Root may write anywhere, but nobody can make a folder below a file.
    refused(&place, &["file/runs: cannot create the folder"], || place.train("c.toml", ["run.dir=file/runs"]));
    refused(&place, &["file/x.csv: cannot create"], || place.call(["data", "synth", "file/x.csv"]));
    fs::create_dir(place.path("locked")).expect("a folder");
    let mut permissions = fs::metadata(place.path("locked")).expect("the folder").permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o500);
    fs::set_permissions(place.path("locked"), permissions).expect("set");
    if fs::write(place.path("locked/try"), "").is_err() {
        refused(&place, &["Permission denied"], || place.train("c.toml", ["run.dir=locked"]));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error_that_leaves_no_half_file() {
    let place = Place::new();
    // Through a link, so that a program that replaces what it should write to replaces the link only.
    std::os::unix::fs::symlink("/dev/full", place.path("full.csv")).expect("a link");
    refused(&place, &["full.csv: cannot write: No space left"], || place.call(["data", "synth", "full.csv"]));
    place.shell("\"$0\" data list > /dev/full").refuses(&["standard output: cannot write: No space left"]);

    // A limit on the size of files stands for a disk that fills up: 512-byte blocks, errors instead of a signal.
    let limited =
        |blocks: u32, rest: &str| place.shell(&format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" {rest}"));
    refused(&place, &["big.csv: cannot write: File too large"], || limited(20, "data synth big.csv"));
    place.write("c.toml", "data.dataset = \"synthetic\"\nmodel.rank = 8\n");
    limited(40, "train c.toml --quiet")
        .refuses(&["runs/c-1/checkpoints/best.safetensors: cannot write: File too large"]);
    let left = place.files();
    assert!(left.iter().all(|file| !file.ends_with("tmp") && !file.ends_with(".safetensors")), "{left:?}");
    place.call(["train", "runs/c-1/config.toml", "--resume", "--quiet"]).succeeds();
    // With no room for its config, a run has nothing to be resumed from.
    fs::remove_dir_all(place.path("runs")).expect("the runs");
    limited(0, "train c.toml --quiet").refuses(&["runs/c-1/", ": cannot write: File too large"]);
    assert!(!place.files().iter().any(|file| file.starts_with("runs/")), "{:?}", place.files());
}

#[test]
fn divergence_names_the_parameter_and_keeps_the_last_good_checkpoint() {
    let place = Place::new();
    place.write("c.toml", "model.rank = 4\ntrain.epochs = 100\n");
    let wild = ["solver.kind=sgd", "solver.learning_rate=30", "solver.momentum=0", "solver.batch_size=0"];
    let outcome = place.train("c.toml", SMALL.into_iter().chain(wild)).exits(3);
    assert!(outcome.stdout.is_empty());
    let epoch: u64 = outcome
        .stderr
        .split_once("training diverged in epoch ")
        .and_then(|(_, rest)| rest.split_once(','))
        .and_then(|(epoch, _)| epoch.parse().ok())
        .unwrap_or_else(|| panic!("{outcome:#?}"));
    assert!(epoch > 1, "{outcome:#?}");
    for part in [
        "user_factors",
        "The last good checkpoint is kept: runs/c-1/checkpoints/last.safetensors",
        "Lower solver.learning_rate",
    ] {
        assert!(outcome.stderr.contains(part), "{outcome:#?}");
    }
    let checkpoint = place.read("runs/c-1/checkpoints/last.safetensors");
    let (floats, _) = super::tensors(&checkpoint).as_chunks::<4>();
    assert!(!floats.is_empty() && floats.iter().all(|bytes| f32::from_le_bytes(*bytes).is_finite()));
    assert!(!place.path("runs/c-1/model.safetensors").exists() && !place.path("runs/c-1/summary.json").exists());
}
