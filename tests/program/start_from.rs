//! Models that start from trained ones.

use super::answers::ratings;
use super::matrices::train;
use super::{Place, number};

/// Users and items of two groups, some of them only in the larger file.
fn groups(place: &Place, users: usize, items: usize) {
    ratings(place, users, items, |user, item| {
        ((user * 7 + item * 5) % 4 > 0)
            .then_some(if user % 2 == item % 2 { 4.0 } else { 2.0 } + ((user + item / 2) % 2) as f64)
    });
}

/// What is nearly no training, so that a model is what it started from.
const STILL: [&str; 4] = ["solver.kind=sgd", "solver.learning_rate=1e-12", "train.epochs=1", "evaluation.clip=false"];
const WHOLE: &str = "data.split.kind=none";

/// The predictions of a run for every user and item.
fn predictions(place: &Place, run: &str, users: usize, items: usize) -> Vec<f64> {
    let pairs = (0..users).flat_map(|user| (0..items).map(move |item| format!("u{user},i{item}\n")));
    place.write("pairs.csv", "user,item\n".to_string() + &pairs.collect::<String>());
    let lines = place.call(["predict", run, "--file", "pairs.csv", "--json"]).succeeds().json();
    lines.as_array().expect("a list").iter().map(|line| number(line, "/prediction")).collect()
}

#[test]
fn a_neumf_begins_as_the_mean_of_its_two_towers() {
    let place = Place::new();
    groups(&place, 40, 24);
    let (gmf, mlp) = (["model.kind=gmf", "model.rank=3"], ["model.kind=mlp", "model.rank=4", "model.layers=[6, 5]"]);
    let learned = ["solver.learning_rate=0.02", "train.epochs=8", "evaluation.clip=false", WHOLE];
    train(&place, "r.csv", &[&gmf[..], &learned].concat()).succeeds();
    train(&place, "r.csv", &[&mlp[..], &learned].concat()).succeeds();
    let neumf = ["model.kind=neumf", "model.rank=3", "model.mlp_rank=4", "model.layers=[6, 5]", WHOLE];
    // In whatever order they are named.
    let from = "model.start_from=[\"runs/c-2\", \"runs/c-1\"]";
    train(&place, "r.csv", &[&neumf[..], &STILL, &[from]].concat()).succeeds();
    let [of_gmf, of_mlp, of_both] = ["runs/c-1", "runs/c-2", "runs/c-3"].map(|run| predictions(&place, run, 40, 24));
    for ((gmf, mlp), both) in of_gmf.iter().zip(&of_mlp).zip(&of_both) {
        assert!((both - (gmf + mlp) / 2.0).abs() < 1e-5, "{both} is not the mean of {gmf} and {mlp}");
    }
    assert!(of_gmf.iter().zip(&of_mlp).any(|(gmf, mlp)| (gmf - mlp).abs() > 0.01), "the two differ");
    let files = place.files();
    let refuses = |settings: &[&str], texts: &[&str]| {
        train(&place, "r.csv", &[&neumf[..], &STILL, settings].concat()).refuses(texts);
        assert_eq!(place.files(), files, "nothing is left behind");
    };
    refuses(
        &["model.start_from=[\"runs/c-1\"]"],
        &["neumf starts from one neumf, or from one gmf and one mlp", "these are: gmf"],
    );
    refuses(
        &[from, "model.rank=5"],
        &["cannot be the start of this neumf", "gmf_user_factors has shape [40, 3], expected [40, 5]"],
    );
    refuses(&["model.start_from=[\"runs\"]"], &["runs: is not a run directory"]);
    refuses(&["model.start_from=runs/c-1"], &["model.start_from must be a list of strings"]);
    let refused = train(&place, "r.csv", &["model.kind=ease", "model.start_from=[\"runs/c-1\"]"]);
    refused.refuses(&["model.start_from changes nothing with solver.kind = \"ease\""]);
    train(&place, "r.csv", &["model.kind=nmf", "solver.kind=hals", "model.start_from=[\"runs/c-1\"]"])
        .refuses(&["model.start_from changes nothing"]);
}

#[test]
fn rows_are_matched_by_id_and_new_ones_start_as_usual() {
    let place = Place::new();
    groups(&place, 30, 20);
    let model = ["model.kind=biased-mf", "model.rank=3", WHOLE];
    train(&place, "r.csv", &model).succeeds();
    // More users and items, and the known ones at other places.
    let more = (0..36).flat_map(|user| (0..24).map(move |item| (35 - user, 23 - item)));
    let lines = more
        .filter(|(user, item)| (user + item) % 3 > 0)
        .map(|(user, item)| format!("u{user},i{item},{}\n", 1 + (user + item) % 5));
    place.write("more.csv", lines.collect::<String>());
    let from = "model.start_from=[\"runs/c-1/model.safetensors\"]";
    let told = train(&place, "more.csv", &[&model[..], &STILL, &[from]].concat()).succeeds();
    assert!(
        told.stderr.contains("runs/c-1/model.safetensors has rows of 30 of 36 users and 20 of 24 items"),
        "{told:#?}"
    );
    let [before, after] = ["runs/c-1", "runs/c-2"].map(|run| predictions(&place, run, 30, 20));
    for (before, after) in before.iter().zip(&after) {
        assert!((before - after).abs() < 1e-5, "{before} became {after}");
    }
    // What they are told by one epoch is no more than that, for new ones too.
    assert!(number(&place.json("runs/c-2/summary.json"), "/num_users") == 36.0);
    place.write("others.csv", "a,b,1\nc,d,2\na,d,3\n");
    train(&place, "others.csv", &[&model[..], &STILL, &[from]].concat()).refuses(&["knows no user of these data"]);
}
