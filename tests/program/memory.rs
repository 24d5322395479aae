//! What a dry run expects, and what then happens.

use super::{Outcome, Place, SMALL, number};

fn dry_run(place: &Place, settings: &[&str]) -> Outcome {
    let overrides = settings.iter().flat_map(|setting| ["--set", setting]);
    place.call(["train", "c.toml", "--dry-run", "--json"].into_iter().chain(overrides))
}

/// Linux alone tells a program its peak.
#[cfg(target_os = "linux")]
#[test]
fn the_peak_is_within_a_fifth_of_what_a_dry_run_expects() {
    const PLANTED: [&str; 6] = [
        "data.dataset=synthetic",
        "data.synthetic.users=60000",
        "data.synthetic.items=20000",
        "data.synthetic.ratings=300000",
        "train.epochs=3",
        "model.rank=64",
    ];
    let cases: [&[&str]; 4] = [
        &["solver.batch_size=65536", "solver.rows=all"],
        &["solver.batch_size=65536", "solver.rows=touched", "solver.kind=adagrad", "train.refit=true"],
        &["solver.kind=stratified", "solver.rule=adam"],
        &["model.kind=neumf", "model.rank=16", "solver.batch_size=65536", "solver.rows=touched"],
    ];
    for case in cases {
        let place = Place::new();
        place.write("c.toml", "");
        let settings: Vec<&str> = PLANTED.iter().chain(case).copied().collect();
        let expected = number(&dry_run(&place, &settings).succeeds().json(), "/memory_bytes");
        assert!(place.files() == ["c.toml"], "{:?}", place.files());
        place.train("c.toml", settings.iter().copied()).succeeds();
        let peak = number(&place.json("runs/c-1/summary.json"), "/peak_memory_bytes");
        assert!(peak > 90e6, "{case:?}: {peak} bytes are too few to tell");
        assert!((0.8..1.2).contains(&(expected / peak)), "{case:?}: expected {expected}, but the peak was {peak}");
    }
}

#[test]
fn a_dry_run_tells_memory_and_time() {
    let place = Place::new();
    place.write("c.toml", "train.epochs = 7\n");
    let forecast = dry_run(&place, &SMALL).succeeds().json();
    let parts = ["program", "data", "parameters", "moments", "buffers"];
    let sum: f64 = parts.iter().map(|part| number(&forecast, &format!("/memory/{part}"))).sum();
    assert_eq!(sum, number(&forecast, "/memory_bytes"));
    // Adam remembers two numbers for each parameter, and the best model is kept beside the present one.
    assert_eq!(number(&forecast, "/memory/moments"), number(&forecast, "/memory/parameters"));
    let epoch = number(&forecast, "/seconds_per_epoch");
    assert!(epoch > 0.0 && (number(&forecast, "/seconds") / epoch - 7.0).abs() < 1e-9);
    let told = place.call(["train", "c.toml", "--dry-run"].into_iter().chain(SMALL.iter().flat_map(|s| ["--set", s])));
    let told = told.succeeds().stdout;
    for part in parts.iter().chain(&["peak", "s per epoch", "ratings/s"]) {
        assert!(told.contains(part), "no {part} in {told}");
    }
    assert_eq!(place.files(), ["c.toml"]);
}

#[test]
fn a_run_that_cannot_fit_is_refused_and_a_limit_may_change_when_resuming() {
    let place = Place::new();
    place.write("c.toml", "train.max_memory = 0.0001\nsolver.rows = 'all'\n");
    let words = ["training needs about", "parameters", "train.max_memory = 0.0001", "model.rank", "solver.rows"];
    place.train("c.toml", SMALL).refuses(&words);
    assert_eq!(place.files(), ["c.toml"]);
    place.train("c.toml", SMALL.into_iter().chain(["train.max_memory=50"])).succeeds();
    let overrides = SMALL.iter().chain(&["train.max_memory=60"]).flat_map(|setting| ["--set", *setting]);
    place.call(["train", "c.toml", "--quiet", "--resume"].into_iter().chain(overrides)).succeeds();
}

#[test]
fn the_dense_cells_of_an_exact_decomposition_count() {
    let place = Place::new();
    place.write("c.toml", "model = { kind = \"mf\", rank = 2 }\nsolver.kind = \"svd\"\n");
    let planted = ["data.dataset=synthetic", "data.synthetic.users=2500", "data.synthetic.items=1500"];
    let expected = |rest: &[&str]| {
        let settings: Vec<&str> =
            planted.iter().chain(&["data.synthetic.ratings=20000"]).chain(rest).copied().collect();
        number(&dry_run(&place, &settings).succeeds().json(), "/memory_bytes")
    };
    let (exact, randomized) = (expected(&["solver.method=exact"]), expected(&["solver.method=randomized"]));
    // 3,750,000 cells of eight bytes, and what is made of them.
    assert!(exact > randomized + 8.0 * 3_750_000.0, "{exact} {randomized}");
    let refused = place.train("c.toml", planted.into_iter().chain(["solver.method=exact", "train.max_memory=0.1"]));
    refused.refuses(&["training needs about", "train.max_memory = 0.1", "set solver.method = \"randomized\""]);
    // What is small enough is decomposed exactly by itself.
    let narrow = ["data.synthetic.items=120", "data.synthetic.users=30000", "solver.method=auto"];
    assert!(expected(&narrow) > expected(&[&narrow[..2], &["solver.method=randomized"]].concat()) + 1.4e7);
    if cfg!(target_os = "linux") {
        place.train("c.toml", planted.into_iter().chain(["solver.method=exact"])).succeeds();
        let peak = number(&place.json("runs/c-1/summary.json"), "/peak_memory_bytes");
        let expected = expected(&["solver.method=exact", "data.synthetic.ratings=50000"]);
        assert!((0.75..1.33).contains(&(expected / peak)), "expected {expected}, but the peak was {peak}");
    }
}
