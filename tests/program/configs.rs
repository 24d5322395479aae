//! Every config of the repository runs, and every key of the schema changes something.

mod cases;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use lowrank::Parts;
use lowrank::config::Key;

use self::cases::CASES;
use self::cases::Effect::{Files, Model, Progress, Refused, Summary};
use super::matrices::arrays;
use super::{Place, SMALL, tensors};

/// Every `*.toml` below `configs/` but the spaces of searches.
fn configs() -> Vec<PathBuf> {
    fn visit(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                if !path.ends_with("spaces") {
                    visit(&path, found);
                }
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    visit(&Path::new(env!("CARGO_MANIFEST_DIR")).join("configs"), &mut found);
    found.sort();
    assert!(found.len() >= 3, "the configs are there");
    found
}

#[test]
fn every_config_is_valid_and_trains_an_epoch_on_a_stand_in() {
    for config in configs() {
        let place = Place::new();
        let path = config.to_str().expect("UTF-8");
        let resolved = place.call(["config", "check", path]).succeeds().stdout;
        place.write("resolved.toml", &resolved);
        assert_eq!(place.call(["config", "check", "resolved.toml"]).succeeds().stdout, resolved, "{path}");
        let mut stand_in = vec!["data.split.kind=random", "train.epochs=1"];
        if resolved.contains("\ncandidates = ") {
            place.write("candidates.tsv", "(1,1)\t2\t3\n");
            stand_in.push("evaluation.candidates=candidates.tsv");
        }
        place.stand_in_for_features();
        if resolved.contains("format = \"edges\"") {
            let edges = (0..400_u32).map(|at| format!("{} {}\n", at % 40, 40 + at * at % 37));
            place.write("edges.txt", edges.collect::<String>());
            place.train(path, ["train.epochs=1", "data.path=edges.txt"]).succeeds();
        } else if resolved.contains("format = \"purchases\"") {
            place.write("purchases.txt", purchases());
            place.train(path, ["train.epochs=1", "data.path=purchases.txt"]).succeeds();
        } else if resolved.contains("format = \"co-occurrences\"") {
            let letter = |number: u32| char::from(b'a' + (number % 13) as u8);
            let word = |at: u32| format!("{}{} ", letter(at * 7 + at / 5), letter(at / 13));
            place.write("text.txt", (0..3000).map(word).collect::<String>());
            place.train(path, ["train.epochs=1", "data.path=text.txt"]).succeeds();
        } else if let Some(list) = list_with_context(&resolved) {
            place.write("list.txt", list);
            place.train(path, ["train.epochs=1", "data.path=list.txt"]).succeeds();
        } else if resolved.contains("_features]") {
            let files = resolved.contains("\nkind = \"files\"").then_some("data.split.kind=random");
            place.train(path, ["train.epochs=1"].into_iter().chain(files)).succeeds();
        } else {
            place.train(path, SMALL.into_iter().chain(stand_in)).succeeds();
        }
    }
}

/// Two or three products an order, of 20 customers and 23 products.
fn purchases() -> String {
    let line = |at: usize| {
        let (customer, day) = (at % 20, 1 + at / 20 * 2 / 5);
        format!("{customer},{},2011-03-{day:02},{},{}\n", at * 7 % 23, 1 + at * 3 % 5, 1 + at % 4)
    };
    format!("customer,product,date,quantity,price\n{}", (0..400).map(line).collect::<String>())
}

/// A list with the columns of a config that has a context.
pub fn list_with_context(resolved: &str) -> Option<String> {
    let config: toml::Table = resolved.parse().expect("TOML");
    let data = config["data"].as_table()?;
    let (columns, delimiter) = (data.get("context").and(data.get("columns"))?.as_array()?, data["delimiter"].as_str()?);
    let cell = |at: usize, column: usize| (at * (2 * column + 3) / (column + 1) % (3 + 5 * column)).to_string();
    let line = |at: usize| {
        let cells = (0..columns.len()).map(|column| if column == 0 { (at % 2).to_string() } else { cell(at, column) });
        cells.collect::<Vec<_>>().join(delimiter)
    };
    Some((0..500).map(|at| line(at) + "\n").collect())
}

/// A place with data files of every kind that a case asks for.
fn place() -> Place {
    let place = Place::new();
    let ratings = |factor: usize| -> String {
        (0..200).map(|at| format!("{},{},{}\n", at % 20, at * 7 % 23, 1 + (at * factor) % 5)).collect()
    };
    place.write("r.csv", ratings(3));
    place.write("other.csv", ratings(4));
    let skewed = (0..200).map(|at| format!("{},{},{}\n", at % 20, at * 7 % 23, if at % 9 == 4 { 100 } else { 1 }));
    place.write("skewed.csv", skewed.collect::<String>());
    place.write("dense.txt", "1 2 3\n2 3 4\n4 1 2\n".repeat(9));
    place.write("arrays.npz", arrays());
    place.write("doubtful.txt", "1-1,2-3\n1-2,2-4\n2-3,1-5\n");
    let timed = (0..200).map(|at| format!("{},{},{},{}\n", at % 20, at * 7 % 23, 1 + at * 3 % 5, 1000 + at));
    place.write("timed.csv", timed.collect::<String>());
    let days = (0..200).map(|at| format!("{},{},{},{}\n", at % 20, at * 7 % 23, 1 + at * 3 % 5, at % 6));
    place.write("days.csv", format!("user,item,rating,day\n{}", days.collect::<String>()));
    let column = |at: usize| {
        let tags = ["a|b", "b|c-d", "a-b"][at % 3];
        format!(
            "{},{},{},{},{tags},x:{}|y,{},w{}\n",
            at % 20,
            at * 7 % 23,
            1 + at * 3 % 5,
            at * 5000,
            at % 4,
            at % 50,
            at % 11
        )
    };
    let columns = (0..200).map(column).collect::<String>();
    place.write("columns.csv", format!("user,item,rating,timestamp,tags,rates,price,word\n{columns}"));
    let swapped = (0..200).map(|at| format!("{} {}:1 {}:1\n", 1 + at * 3 % 5, 30 + at * 7 % 23, at % 20));
    place.write("r.libsvm", swapped.collect::<String>());
    let edges = (0..60).map(|at: u32| format!("{}\t{}\n", at % 12, 12 + at * 7 % 13));
    place.write("edges.tsv", edges.collect::<String>());
    place.write("purchases.csv", purchases());
    place.write("words.csv", "ann,cup\nbob,pan\nann,pan\n");
    place.write("repeated.csv", "1,a,1\n1,a,4\n1,b,2\n2,a,3\n2,b,5\n");
    place.write("texts.txt", "oak ash the elm elm\nash fir the\nfir\noak elm\nfir fir\nfir yew\nfir oak\n");
    fs::create_dir(place.path("texts")).expect("a new folder");
    for (name, text) in [("1.txt", "oak ash"), ("2.md", "oak fir"), ("3.md", "fir elm"), ("4.txt", "ash")] {
        place.write(&format!("texts/{name}"), text);
    }
    let classes = (0..70).map(|at| format!("{}/{},{},{}\n", at % 2, at % 14, at * 3 % 11, 1 + at * 3 % 5));
    let candidates = (0..20).map(|user| {
        let item = |more: usize| (user * 7 + more) % 23;
        format!("({user},{})\t{}\t{}\n", item(0), item(1), item(5))
    });
    place.write("candidates.tsv", candidates.collect::<String>());
    place.write("classes.csv", classes.collect::<String>());
    let titles: String = (0..23).map(|item| format!("{item},One {item};x,Longer title {item}\n")).collect();
    place.write("titles.csv", titles);
    for (side, count) in [("user", 20), ("item", 23)] {
        let header = format!("{side},kinds,more,age,since\n");
        let line = |factor: usize| {
            move |row: usize| {
                let kind = row * factor;
                format!("{row},a{}|b{}-c,{},{row},{}-01\n", kind % 3, kind % 2, kind % 5, 1990 + kind % 7)
            }
        };
        let lines = |factor| (0..count).map(line(factor)).collect::<String>();
        place.write(&format!("{side}s.csv"), header.clone() + &lines(1));
        place.write(&format!("other-{side}s.csv"), header + &lines(5));
    }
    place.write("c.toml", "data.path = \"r.csv\"\nmodel.rank = 2\ntrain = { epochs = 3 }\n");
    place
}

/// Everything of the one run in a place that a key may change.
#[derive(PartialEq)]
struct Traces {
    model: Option<Vec<u8>>,
    summary: Option<serde_json::Value>,
    files: Vec<(String, u64)>,
    progress: usize,
}

fn traces(settings: &[&str]) -> (super::Outcome, Traces) {
    let place = place();
    if settings.contains(&"data.path=large.csv") {
        place.write_large("large.csv", place.read("r.csv"));
    }
    let outcome = place.call(["train", "c.toml"].into_iter().chain(settings.iter().flat_map(|s| ["--set", *s])));
    let files = place.files();
    let find = |name: &str| files.iter().find(|file| file.ends_with(name)).map(|file| place.read(file));
    let summary = find("/summary.json").map(|bytes| {
        let mut summary: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
        let fields = summary.as_object_mut().expect("an object");
        for name in ["name", "model", "solver", "seed", "seconds_training", "ratings_per_second", "peak_memory_bytes"] {
            fields.remove(name);
        }
        summary
    });
    // Text files hold times and settings, so that their length says nothing.
    let length = |file: &String| {
        let counts = file.contains("tfevents") || file.ends_with(".metadata.tsv");
        if counts { fs::metadata(place.path(file)).expect("a file").len() } else { 0 }
    };
    let without_time = |file: &String| match file.split_once("tfevents.") {
        Some((start, _)) => format!("{start}tfevents"),
        None => file.clone(),
    };
    let traces = Traces {
        model: find("/model.safetensors").map(|bytes| tensors(&bytes).to_vec()),
        summary,
        files: files.iter().map(|file| (without_time(file), length(file))).collect(),
        progress: outcome.stderr.lines().count(),
    };
    (outcome, traces)
}

#[test]
fn every_key_of_the_schema_changes_something() {
    let of_pairs = |key: &Key| ["user", "item"].map(|entity| key.path.replace("<entity>", entity));
    let keys: BTreeSet<String> = Parts::built_in().schema().keys().iter().flat_map(of_pairs).collect();
    let cases: BTreeSet<String> = CASES.iter().map(|case| case.0.to_string()).collect();
    assert_eq!(cases.len(), CASES.len(), "a key has two cases");
    assert_eq!(keys, cases, "a key has no case, or a case no key");
    let mut dead = Vec::new();
    for (key, context, value, effect) in CASES {
        let (outcome, before) = traces(context);
        let setting = format!("{key}={value}");
        let settings: Vec<&str> = context.iter().copied().chain([setting.as_str()]).collect();
        let (changed, after) = traces(&settings);
        if let Refused(message) = effect {
            changed.refuses(&[message]);
            continue;
        }
        assert_eq!(outcome.code, changed.code, "{key}: {outcome:#?} {changed:#?}");
        let is_alive = match effect {
            Model => before.model != after.model,
            Summary => before.summary != after.summary,
            Files => before.files != after.files,
            Progress => before.progress != after.progress,
            Refused(_) => true,
        };
        if !is_alive {
            dead.push(format!("{setting}\n  {}", changed.stderr.lines().last().unwrap_or_default()));
        }
    }
    assert!(dead.is_empty(), "these change nothing:\n{}", dead.join("\n"));
}
