//! The recipes: pictures, documents and tables, from a config to something to look at, and the commands that look.

use std::collections::BTreeSet;
use std::path::PathBuf;

use image::{GrayImage, Luma};
use serde_json::Value;

use super::{Outcome, Place, number};

/// The config of a recipe.
fn recipe(name: &str) -> String {
    format!("{}/configs/recipes/{name}.toml", env!("CARGO_MANIFEST_DIR"))
}

/// Runs a recipe on `data`; the run is called `r`.
fn train(place: &Place, name: &str, data: &str, settings: &[&str]) -> Value {
    let (config, path) = (recipe(name), format!("data.path={data}"));
    let settings = ["name=r", &path].into_iter().chain(settings.iter().copied());
    let args = settings.flat_map(|setting| ["--set", setting]);
    place.call(["train", &config, "--json", "--quiet"].into_iter().chain(args)).succeeds().json()
}

/// The names of the files that a summary lists, each of which has to be there.
fn shown(place: &Place, summary: &Value, run: &str) -> BTreeSet<String> {
    let files = summary["views"]["files"].as_array().expect("files").iter();
    let names = files.map(|file| file["file"].as_str().expect("a name").to_owned());
    names.inspect(|name| assert!(!place.read(PathBuf::from(run).join(name)).is_empty(), "{name}")).collect()
}

fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(String::from).into()
}

/// Twelve documents about fruit and twelve about cars, without a word in common.
fn documents(place: &Place) {
    let topics = [
        ("fruit", ["apple", "pear", "plum", "cherry", "orchard", "harvest"]),
        ("cars", ["engine", "wheel", "brake", "gear", "motorway", "petrol"]),
    ];
    for (class, words) in topics {
        std::fs::create_dir_all(place.path(format!("texts/{class}"))).expect("a folder");
        for document in 0..12 {
            let words: Vec<_> = (0..5).map(|at| words[(document + at * at) % 6]).collect();
            place.write(&format!("texts/{class}/{document}.txt"), words.join(" "));
        }
    }
}

#[test]
fn documents_are_found_by_what_they_are_about() {
    let place = Place::new();
    documents(&place);
    let summary = train(&place, "lsa", "texts", &["model.rank=3"]);
    let files = ["components.csv", "documents.png", "explained.png", "terms.png", "topics.csv"];
    assert_eq!(shown(&place, &summary, "runs/r-1"), names(files));
    assert_eq!(number(&summary, "/views/precision_at_10"), 1.0);

    let found = place.call(["query", "runs/r-1", "--text", "Apple, plum!", "--json"]).succeeds().json();
    let ids = |list: &Value| -> Vec<String> {
        list.as_array().expect("a list").iter().map(|entry| entry["id"].as_str().expect("an id").into()).collect()
    };
    assert_eq!(ids(&found["documents"]).len(), 10);
    assert!(ids(&found["documents"]).iter().all(|id| id.starts_with("fruit/")), "{found}");
    assert!(ids(&found["terms"])[..5].iter().all(|term| !["engine", "wheel", "gear"].contains(&term.as_str())));
    let like = |option, id| place.call(["query", "runs/r-1", option, id, "-n", "5", "--json"]).succeeds().json();
    assert!(ids(&like("--user", "cars/3")["documents"]).iter().all(|id| id.starts_with("cars/") && id != "cars/3"));
    assert!(ids(&like("--item", "pear")["terms"]).contains(&"apple".into()));

    let rebuilt = place.call(["reconstruct", "runs/r-1", "cars/3"]).succeeds().stdout;
    let value = |term: &str| -> f64 {
        let line = rebuilt.lines().find(|line| line.starts_with(term)).expect("a line for each term");
        line.split('\t').nth(1).expect("a value").parse().expect("a number")
    };
    assert!(value("engine") > 0.1 && value("apple").abs() < 0.05, "{rebuilt}");
    place.call(["reconstruct", "runs/r-1", "cars/3", "-o", "row.tsv"]).succeeds();
    assert_eq!(place.text("row.tsv"), rebuilt);

    let held_out = ["model.rank=3", "name=h", "data.split.kind=first-of-class", "data.split.train_rows=9"];
    let summary = train(&place, "lsa", "texts", &held_out);
    assert_eq!(
        (number(&summary, "/views/recognition/count"), number(&summary, "/views/recognition/accuracy")),
        (6.0, 1.0)
    );
    assert!(number(&summary, "/views/held_out_rmse") < 0.2, "{summary}");
}

#[test]
fn topics_are_words_that_go_together() {
    let place = Place::new();
    documents(&place);
    let summary = train(&place, "topics", "texts", &["model.rank=2"]);
    assert_eq!(
        shown(&place, &summary, "runs/r-1"),
        names(["components.csv", "documents.png", "terms.png", "topics.csv"])
    );
    let components = place.call(["components", "runs/r-1", "-n", "4", "--json"]).succeeds().json();
    let words = |component: &Value| -> BTreeSet<String> {
        let columns = component["columns"].as_array().expect("terms").iter();
        columns.map(|member| member["id"].as_str().expect("a term").into()).collect()
    };
    let of_fruit = |words: &BTreeSet<String>| words.contains("apple") || words.contains("orchard");
    let components = components.as_array().expect("components");
    assert_eq!((components.len(), words(&components[0]).len()), (2, 4));
    assert!(of_fruit(&words(&components[0])) != of_fruit(&words(&components[1])));
    let text = place.call(["components", "runs/r-1"]).succeeds().stdout;
    assert!(text.contains("terms: ") && text.contains("documents: "), "{text}");
}

#[test]
fn a_picture_is_made_up_again_from_its_components() {
    let place = Place::new();
    // Two patterns, each a line times a column.
    let shade = |x: u32, y: u32| (20 * (x % 5) + 12 * (y % 4) * (x % 2)) as u8;
    GrayImage::from_fn(30, 20, |x, y| Luma([shade(x, y)])).save(place.path("p.png")).expect("written");
    let summary = train(&place, "image-compression", "p.png", &["model.rank=3"]);
    assert_eq!(
        shown(&place, &summary, "runs/r-1"),
        names(["components.csv", "compression.csv", "reconstructions.png"])
    );
    let steps = summary["views"]["compression"].as_array().expect("steps");
    assert_eq!(steps.iter().map(|step| number(step, "/rank")).collect::<Vec<_>>(), [1.0, 2.0, 3.0]);
    assert_eq!(number(&steps[1], "/stored_bytes"), 4.0 * 2.0 * 50.0);
    place.call(["reconstruct", "runs/r-1", "-o", "again.png"]).succeeds();
    let again = image::open(place.path("again.png")).expect("a picture").to_luma8();
    for (x, y, pixel) in again.enumerate_pixels() {
        assert!(pixel.0[0].abs_diff(shade(x, y)) <= 1, "at {x}, {y}");
    }
    place.call(["reconstruct", "runs/r-1", "--rank", "1"]).succeeds();
    assert!(place.read("reconstruction.png") != place.read("again.png"));
    place.call(["reconstruct", "runs/r-1", "--rank", "4"]).refuses(&["--rank 4", "3 components"]);
    place.call(["reconstruct", "runs/r-1", "0"]).refuses(&["one picture"]);
    place.call(["reconstruct", "runs/r-1", "-o", "p.jpg"]).refuses(&[".png"]);
}

/// Three classes of five pictures each, of one pattern at several brightnesses.
fn faces(place: &Place) {
    for class in 0..3 {
        std::fs::create_dir_all(place.path(format!("faces/c{class}"))).expect("a folder");
        for number in 1..=5 {
            let shade = |x: u32, y: u32| if (x + 2 * y) % 3 == class { 40 * number } else { 10 + (x + y) as u8 };
            let picture = GrayImage::from_fn(7, 6, |x, y| Luma([shade(x, y)]));
            picture.save(place.path(format!("faces/c{class}/{number}.pgm"))).expect("written");
        }
    }
}

#[test]
fn held_out_pictures_are_recognized() {
    let place = Place::new();
    faces(&place);
    for (name, files) in [
        ("eigenfaces", names(["components.csv", "explained.png", "gallery.png", "recognition.png"])),
        ("parts-of-faces", names(["components.csv", "gallery.png", "recognition.png"])),
    ] {
        let run = format!("name={name}");
        let settings = ["model.rank=4", "data.split.train_rows=3", &run];
        let summary = train(&place, name, "faces", &settings);
        assert_eq!(shown(&place, &summary, &format!("runs/{name}-1")), files);
        assert_eq!(number(&summary, "/views/recognition/count"), 6.0);
        assert_eq!(number(&summary, "/views/recognition/accuracy"), 1.0, "{name}");
        place.call(["reconstruct", &format!("runs/{name}-1"), "c1/2", "-o", "f.png"]).succeeds();
        assert_eq!(image::open(place.path("f.png")).expect("a picture").to_luma8().dimensions(), (7, 6));
    }
    place.call(["reconstruct", "runs/eigenfaces-1"]).refuses(&["which picture?"]);
    place.call(["reconstruct", "runs/eigenfaces-1", "c1/9"]).refuses(&["\"c1/9\"", "9 pictures"]);
}

/// Two kinds of samples that express different genes.
fn table(place: &Place) {
    let mut text = "gene".to_string();
    (0..10).for_each(|sample| text += &format!("\ts{sample}"));
    for gene in 0..30 {
        text += &format!("\ng{gene}");
        for sample in 0..10 {
            let level = if (gene < 15) == (sample < 4) { 90 } else { 2 };
            text += &format!("\t{}", level + (gene * 7 + sample * 5) % 9);
        }
    }
    place.write("t.tsv", text + "\n");
}

#[test]
fn a_consensus_finds_the_kinds_of_samples_and_their_number() {
    let place = Place::new();
    table(&place);
    let config = recipe("gene-modules");
    let args = ["consensus", &config, "--set", "data.path=t.tsv", "--ranks", "2-4", "--runs", "8"];
    let run = |more: &[&str]| -> Outcome { place.call(args.into_iter().chain(more.iter().copied())) };
    let result = run(&["--json"]).succeeds().json();
    let first = &result["stability"][0];
    assert_eq!((number(first, "/rank"), number(first, "/cophenetic"), number(first, "/dispersion")), (2.0, 1.0, 1.0));
    assert!(number(&result, "/held_out_rmse/0/1") < 20.0, "{result}");
    let folder = "runs/gene-modules-consensus-1";
    let members = place.text(format!("{folder}/members.csv"));
    let of_rank_2: Vec<&str> = members.lines().skip(1).map(|line| line.split(',').nth(1).expect("a cluster")).collect();
    assert_eq!(of_rank_2.len(), 10);
    assert!(of_rank_2[..4].iter().all(|cluster| cluster == &of_rank_2[0]), "{members}");
    assert!(of_rank_2[4..].iter().all(|cluster| cluster == &of_rank_2[4] && cluster != &of_rank_2[0]), "{members}");
    for file in ["consensus_2.png", "consensus_4.svg", "cophenetic.png", "held_out.png", "modules.csv", "config.toml"] {
        assert!(!place.read(format!("{folder}/{file}")).is_empty(), "{file}");
    }
    // Again, on rows, without left-out cells.
    let table = run(&["--samples", "rows", "--folds", "0"]).succeeds();
    assert!(table.stdout.contains("8 runs of each rank") && table.stderr.contains("rank 3: 8 runs"), "{table:#?}");
    run(&["--set", "solver.kind=adam", "--quiet"]).refuses(&["solver.kind = \"hals\""]);
    run(&["--folds", "1"]).refuses(&["--folds 1"]);
    place.call(args[..4].iter().copied().chain(["--ranks", "3,2"])).exits(2);
    place.call(args[..4].iter().copied().chain(["--ranks", "2-99999999999"])).exits(2);
    place.call(args[..4].iter().copied().chain(["--ranks", "11", "--quiet"])).refuses(&["--ranks 11", "10 samples"]);
    run(&["--quiet", "--set", "train.max_memory=0.0000001"]).refuses(&["consensus needs", "--folds 0"]);
}

#[test]
fn zeros_that_are_data_are_pointed_out_and_negative_values_refused() {
    let place = Place::new();
    place.write("c.toml", "model = { kind = 'mf', rank = 2 }\nsolver.kind = 'svd'\nreport.tensorboard = false\n");
    let settings = || super::SMALL.into_iter().flat_map(|setting| ["--set", setting]);
    let svd = place.call(["train", "c.toml"].into_iter().chain(settings())).succeeds();
    assert!(svd.stderr.contains("not in the training data as zeros") && !svd.stdout.contains("recommend"), "{svd:#?}");
    let masked = ["--set", "model.kind=nmf", "--set", "solver.kind=hals", "--set", "solver.zeros=missing"];
    let masked = place.call(["train", "c.toml"].into_iter().chain(settings()).chain(masked)).succeeds();
    assert!(!masked.stderr.contains("as zeros") && masked.stdout.contains("recommend"), "{masked:#?}");
    place.write("t.csv", "gene,s1,s2\na,1,2\nb,-3,4\n");
    let negative =
        ["data.path=t.csv", "data.format=dense", "data.split.kind=none", "model.kind=nmf", "solver.kind=hals"];
    place.train("c.toml", negative).refuses(&["-3", "row b", "column s1", "nmf"]);
}

#[test]
fn commands_on_factors_refuse_models_without_them() {
    let place = Place::new();
    place.small_run("neural", &["model.kind=gmf", "train.epochs=1"]);
    place.small_run("biased", &["train.epochs=1"]);
    for command in [&["components", "runs/neural-1"][..], &["query", "runs/neural-1", "--item", "0"]] {
        place.call(command.iter().copied()).refuses(&["not a dot product", "biased-mf"]);
    }
    place.call(["reconstruct", "runs/biased-1", "0"]).refuses(&["biases of users", "predict"]);
    place.call(["query", "runs/biased-1", "--text", "word"]).refuses(&["models of documents"]);
    place.call(["query", "runs/biased-1", "--item", "nobody"]).refuses(&["item \"nobody\""]);
    let near = place.call(["query", "runs/biased-1", "--item", "1", "-n", "3", "--json"]).succeeds().json();
    assert_eq!(near["items"].as_array().expect("items").len(), 3);
    let turned = place.call(["components", "runs/biased-1"]).succeeds();
    assert!(turned.stderr.contains("no component has a meaning of its own"), "{}", turned.stderr);
    place.call(["consensus", "runs/biased-1/config.toml"]).refuses(&["solver.kind = \"hals\""]);
}
