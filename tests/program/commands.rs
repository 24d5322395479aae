//! Every other command, on a run and on files.

use serde_json::Value;

use super::{Outcome, PROGRAM, Place, SMALL, number, outcome};

/// A run on ratings with titles: `runs/c-1`, ten users u0 to u9, ten items i0 to i9, seven ratings each.
fn trained() -> Place {
    let place = Place::new();
    let rows = (0..10).flat_map(|user| (0..7).map(move |at| (user, (user + at) % 10)));
    let rows: String = rows.map(|(user, item)| format!("u{user},i{item},{}\n", 1 + (user * item) % 5)).collect();
    let titles: String = (0..10).map(|item| format!("i{item},\"Title, {item}\"\n")).collect();
    place.write("r.csv", rows);
    place.write("titles.csv", format!("item,title\n{titles}"));
    place.write(
        "c.toml",
        "data = { path = \"r.csv\", titles.path = \"titles.csv\", split.kind = \"random\" }\nmodel.rank = 2\n",
    );
    place.train("c.toml", []).succeeds();
    place
}

fn array(outcome: &Outcome) -> Vec<Value> {
    outcome.json().as_array().expect("a list").clone()
}

#[test]
fn evaluate_repeats_the_result_of_the_run() {
    let place = trained();
    let summary = place.json("runs/c-1/summary.json");
    for run in ["runs/c-1", "runs/c-1/model.safetensors"] {
        let json = place.call(["evaluate", run, "--json"]).succeeds().json();
        for metric in ["rmse", "mae", "loss", "count"] {
            assert_eq!(number(&json, &format!("/model/{metric}")), number(&summary, &format!("/test/{metric}")));
            assert_eq!(json["biases"][metric], summary["baselines"]["biases"][metric]);
            assert_eq!(json["global_mean"][metric], summary["baselines"]["global_mean"][metric]);
        }
    }
    let table = place.call(["evaluate", "runs/c-1"]).succeeds().stdout;
    assert!(
        table.contains(&format!("{:.4}", number(&summary, "/test/rmse"))) && table.contains("biases only"),
        "{table}"
    );
    // A model file away from its run has no test split.
    place.write("m.safetensors", place.read("runs/c-1/model.safetensors"));
    place.call(["evaluate", "m.safetensors"]).refuses(&["has no test split", "--data"]);
}

#[test]
fn compare_pairs_runs_of_the_same_seed_and_fold() {
    let place = Place::new();
    place.write("c.toml", "model.rank = 2\ntrain.epochs = 5\ndata.split.kind = 'k-fold'\nreport.tensorboard = false\n");
    let mut rmse = Vec::new();
    let mut runs = Vec::new();
    for (name, init) in [("small", "0.01"), ("large", "1.0")] {
        for (seed, fold) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
            let settings = [
                format!("name={name}"),
                format!("model.init_std={init}"),
                format!("seed={seed}"),
                format!("data.split.fold={fold}"),
            ];
            place.train("c.toml", SMALL.into_iter().chain(settings.iter().map(String::as_str))).succeeds();
            let run = format!("runs/{name}-{}", runs.len() % 4 + 1);
            rmse.push(number(&place.json(format!("{run}/summary.json")), "/test/rmse"));
            runs.push(run);
        }
    }
    // In another order, because pairs go by seed and fold.
    let order = [0, 1, 2, 3, 6, 4, 7, 5];
    let args = |rest: &[&str]| {
        let runs = order.iter().map(|&at| runs[at].as_str());
        ["compare"].into_iter().chain(runs).chain(rest.iter().copied()).map(String::from).collect::<Vec<_>>()
    };
    let json = place.call(args(&["--json"])).succeeds().json();
    assert_eq!(json["groups"].as_array().map(Vec::len), Some(2));
    assert_eq!(json["differences"].as_array().map(Vec::len), Some(1));
    assert_eq!(json["differences"][0]["key"], "model.init_std");
    assert_eq!(json["doubts"], serde_json::json!([]));
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
    close(number(&json, "/groups/0/rmse"), mean(&rmse[..4]));
    close(number(&json, "/groups/1/rmse"), mean(&rmse[4..]));
    let differences: Vec<f64> = (0..4).map(|at| rmse[4 + at] - rmse[at]).collect();
    let paired = &json["paired"][0];
    assert_eq!((&paired["group"], &paired["metric"], &paired["pairs"]), (&"B".into(), &"rmse".into(), &4.into()));
    close(number(paired, "/difference"), mean(&differences));
    let (low, high) = (number(paired, "/interval/0"), number(paired, "/interval/1"));
    let extreme = |pick: fn(f64, f64) -> f64| differences.iter().copied().reduce(pick).expect("four");
    assert!(
        extreme(f64::min) <= low && low < mean(&differences) && mean(&differences) < high && high <= extreme(f64::max)
    );
    let table = place.call(args(&[])).succeeds().stdout;
    for part in ["A: runs/small-1", "model.init_std", "test metrics", "95 % bootstrap interval", "B − A"] {
        assert!(table.contains(part), "no {part:?} in {table}");
    }
}

#[test]
fn compare_says_what_makes_a_comparison_doubtful_and_refuses_what_is_none() {
    let place = Place::new();
    place.small_run("a", &[]);
    place.small_run("b", &["seed=7", "data.split.test=0.2"]);
    let outcome = place.call(["compare", "runs/a-1", "runs/b-1"]).succeeds();
    assert!(outcome.stdout.contains("different data or splits"), "{outcome:?}");
    assert!(outcome.stdout.contains("A and B share no seed and fold"), "{outcome:?}");
    place.call(["compare", "runs/a-1", "runs/a-1"]).refuses(&["runs/a-1: is given twice"]);
    place.call(["compare", "runs/a-1", "runs"]).refuses(&["runs: is not a run directory"]);
    std::fs::remove_file(place.path("runs/b-1/summary.json")).expect("removed");
    place.call(["compare", "runs/a-1", "runs/b-1"]).refuses(&["this run is not finished"]);
}

#[test]
fn evaluate_predicts_the_same_whatever_the_split() {
    let place = trained();
    let evaluate = |rest: &[&str]| {
        let args = ["evaluate", "runs/c-1", "--json"];
        place.call(args.into_iter().chain(rest.iter().copied())).succeeds().json()
    };
    // All folds together are all ratings: their mean squared error is that of the file, if ids mean the same in both.
    let folds: Vec<Value> = (1..=2)
        .map(|fold| {
            let fold = format!("data.split.fold={fold}");
            evaluate(&["--set", "data.split.kind=k-fold", "--set", "data.split.folds=2", "--set", &fold])
        })
        .collect();
    let whole = evaluate(&["--data", "r.csv"]);
    let sum = |json: &Value| number(json, "/model/count") * number(json, "/model/loss");
    assert_eq!(number(&whole, "/model/count"), 70.0);
    let (parts, whole) = (folds.iter().map(sum).sum::<f64>(), sum(&whole));
    assert!((parts - whole).abs() < 1e-6 * whole, "{parts} {whole}");
}

#[test]
fn evaluate_counts_unknown_ids_in_a_file() {
    let place = trained();
    place.write("new.csv", "user,item,rating\nu1,i1,3\nnobody,i1,4\nu1,nothing,2\nu2,nowhere,2\n");
    let json = place.call(["evaluate", "runs/c-1", "--data", "new.csv", "--json"]).succeeds().json();
    assert_eq!((&json["unknown_users"], &json["unknown_items"]), (&1.into(), &2.into()));
    assert_eq!(number(&json, "/model/count"), 4.0);
    let table = place.call(["evaluate", "runs/c-1", "--data", "new.csv"]).succeeds().stdout;
    assert!(table.contains("not seen in training: the user of 1 and the item of 2 ratings"), "{table}");
    place.write("bad.csv", "user,item,rating\nu1,i1,x\n");
    place.call(["evaluate", "runs/c-1", "--data", "bad.csv"]).refuses(&["bad.csv:2:7: ", "invalid number"]);
}

#[test]
fn evaluate_binarizes_a_file_as_training_did() {
    let place = Place::new();
    let rows: String = (0..100).map(|at| format!("{},{},{}\n", at % 10, at / 10, 1 + at % 5)).collect();
    place.write("r.csv", rows);
    place.write("c.toml", "data = { path = \"r.csv\", binarize = 3 }\nloss.kind = \"logistic\"\nmodel.rank = 2\n");
    place.train("c.toml", []).succeeds();
    let json = place.call(["evaluate", "runs/c-1", "--data", "r.csv", "--json"]).succeeds().json();
    assert!(number(&json, "/model/rmse") < 1.0, "{json}");
    place.write("m.safetensors", place.read("runs/c-1/model.safetensors"));
    place.call(["evaluate", "m.safetensors", "--data", "r.csv"]).refuses(&["logistic loss needs ratings from 0 to 1"]);
}

#[test]
fn predict_takes_pairs_and_files() {
    let place = trained();
    let json = place.call(["predict", "runs/c-1", "u1", "i1", "u2", "i9", "--json"]).succeeds();
    let rows = array(&json);
    assert_eq!(rows.len(), 2);
    assert_eq!((&rows[1]["user"], &rows[1]["item"], &rows[1]["unknown"]), (&"u2".into(), &"i9".into(), &false.into()));
    let prediction = number(&rows[1], "/prediction");
    assert!((1.0..=5.0).contains(&prediction), "clipped to the range of the ratings: {prediction}");
    let table = place.call(["predict", "runs/c-1/model.safetensors", "u2", "i9"]).succeeds().stdout;
    assert!(table.contains(&format!("{prediction:.4}")), "{table}");
    place.write("pairs.csv", "user,item\nu1,i1\nu2,i9\nnobody,i1\nu2,i9\n");
    let outcome = place.call(["predict", "runs/c-1", "--file", "pairs.csv", "--json"]).succeeds();
    let from_file = array(&outcome);
    assert_eq!(from_file[..2], rows[..]);
    assert_eq!(from_file[2]["unknown"], true);
    assert_eq!(from_file[3..], rows[1..], "a prediction for every line, in their order");
    let message = place.call(["predict", "runs/c-1", "nobody", "i1"]).succeeds().stderr;
    assert!(message.contains("not seen in training: the user of 1 and the item of 0 ratings"), "{message}");
    place.call(["predict", "runs/c-1", "u1", "i1", "u2"]).refuses(&["user \"u2\" has no item", "USER ITEM"]);
    place.call(["predict", "runs/c-1"]).refuses(&["--file"]);
    place.call(["predict", "runs/none", "u1", "i1"]).refuses(&["runs/none"]);
}

#[test]
fn recommend_leaves_out_what_was_seen() {
    let place = trained();
    let items = |json: &Value| -> Vec<String> {
        let items = json["items"].as_array().expect("items").iter();
        items.map(|item| item["item"].as_str().expect("an id").to_string()).collect()
    };
    let json = place.call(["recommend", "runs/c-1", "u3", "-n", "100", "--json"]).succeeds().json();
    let fresh = items(&json);
    let seen = json["seen_items"].as_u64().expect("a count") as usize;
    assert!(seen == 7 && fresh.len() == 3, "all that the user rated, in whatever part: {json}");
    let scores: Vec<f64> = json["items"].as_array().expect("items").iter().map(|item| number(item, "/score")).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    let item = &json["items"][0];
    assert_eq!(item["title"], format!("Title, {}", &fresh[0][1..]));
    let all = place.call(["recommend", "runs/c-1", "u3", "-n", "100", "--keep-seen", "--json"]).succeeds().json();
    assert_eq!(items(&all).len(), 10);
    assert_eq!(
        items(&all).iter().filter(|item| fresh.contains(item)).collect::<Vec<_>>(),
        fresh.iter().collect::<Vec<_>>()
    );
    let table = place.call(["recommend", "runs/c-1", "u3", "--number", "2"]).succeeds();
    assert_eq!(table.stdout.lines().count(), 3, "{table:#?}");
    assert!(table.stdout.contains("Title, ") && table.stderr.contains("left out: 7 items that user u3 rated\n"));
    let training = place.call(["recommend", "runs/c-1", "u3", "--keep-held-out"]).succeeds();
    assert!(training.stderr.contains("items that user u3 rated in training"), "{training:#?}");
    place.call(["recommend", "runs/c-1", "nobody"]).refuses(&["user \"nobody\" is not among the 10 users"]);
    place.write("m.safetensors", place.read("runs/c-1/model.safetensors"));
    let alone = place.call(["recommend", "m.safetensors", "u3"]).succeeds();
    assert!(alone.stderr.contains("are included"), "{alone:#?}");
}

#[test]
fn inspect_shows_files_and_runs() {
    let place = trained();
    let json = place.call(["inspect", "r.csv", "--json"]).succeeds().json();
    assert_eq!((&json["users"], &json["items"], &json["ratings"]), (&10.into(), &10.into(), &70.into()));
    assert_eq!((number(&json, "/min"), number(&json, "/max"), number(&json, "/density")), (1.0, 5.0, 0.7));
    let text = place.call(["inspect", "r.csv"]).succeeds().stdout;
    assert!(text.contains("70") && text.contains("10"), "{text}");
    let run = place.call(["inspect", "runs/c-1"]).succeeds();
    assert_eq!(run.json(), place.json("runs/c-1/summary.json"));
    place.write("odd.txt", "3;i1;u1\n4;i2;u2\n");
    let odd =
        place.call(["inspect", "odd.txt", "--delimiter", ";", "--columns", "rating,item,user", "--json"]).succeeds();
    assert_eq!((number(&odd.json(), "/mean"), number(&odd.json(), "/users")), (3.5, 2.0));
    place.write("face.pgm", "P2\n2 1\n255\n0 7\n");
    let picture = place.call(["inspect", "face.pgm", "--json"]).succeeds().json();
    assert_eq!((number(&picture, "/users"), number(&picture, "/items"), number(&picture, "/max")), (1.0, 2.0, 7.0));
    let dense = place.call(["inspect", "odd.txt", "--format", "dense", "--json"]);
    dense.refuses(&["odd.txt:2:3: column \"i1\": invalid number \"i2\""]);
    let pictures = place.call(["inspect", ".", "--format", "pictures"]);
    pictures.refuses(&["training.png: is "]);
    place.call(["inspect", "none.csv"]).refuses(&["none.csv: cannot open"]);
    place.call(["inspect", "movielens-100"]).refuses(&["did you mean \"movielens-100k\"?"]);
    place.call(["inspect", "."]).refuses(&["is not a run directory"]);
}

#[test]
fn data_list_says_where_everything_is() {
    let place = Place::new();
    let entries = array(&place.call(["data", "list", "--json"]).succeeds());
    assert!(entries.iter().any(|entry| entry["name"] == "movielens-100k" && entry["path"].is_null()), "{entries:?}");
    let table = place.call(["data", "list"]).succeeds().stdout;
    for entry in &entries {
        assert!(table.contains(entry["name"].as_str().expect("a name")), "{table}");
    }
    assert!(table.contains("lowrank data fetch movielens-100k"));
    // What is there already is not fetched.
    std::fs::create_dir_all(place.path("sets/movielens-100k")).expect("a folder");
    place.write("sets/movielens-100k/u.data", "1\t1\t5\t0\n");
    let mut fetch = place.command(PROGRAM);
    let fetched = outcome(fetch.args(["data", "fetch", "movielens-100k"]).env("LOWRANK_DATA", place.path("sets")));
    assert!(fetched.succeeds().stdout.contains("movielens-100k is in "));
}

#[test]
fn experiments_are_listed_and_need_their_files() {
    let place = Place::new();
    let listed = array(&place.call(["reproduce", "--json"]).succeeds());
    assert!(listed.iter().any(|entry| entry["name"] == "ncf-movielens-1m/mf"), "{listed:?}");
    place.call(["reproduce", "ncf-movielens-1m/mf"]).refuses(&["name their folder with --data"]);
    place.call(["reproduce", "ncf-movielens-1m/mff"]).refuses(&["did you mean \"ncf-movielens-1m/mf\"?"]);
    place.call(["reproduce", "movielens-1m/als"]).refuses(&["is not on this machine"]);
}

#[test]
fn planted_data_are_learned_nearly_to_their_noise() {
    let place = Place::new();
    let sizes = ["--users", "300", "--items", "100", "--ratings", "15000", "--rank", "2", "--noise", "0.25"];
    let synth = |file: &str| place.call(["data", "synth", file].into_iter().chain(sizes)).succeeds();
    assert!(synth("r.csv.gz").stdout.contains("15000 ratings in r.csv.gz; best reachable RMSE 0.25"));
    synth("r.csv");
    let plain = place.text("r.csv");
    assert_eq!(plain.lines().count(), 15_001);
    place.write("c.toml", "data.path = \"r.csv.gz\"\nmodel.rank = 4\ntrain.epochs = 60\n");
    let outcome = place.call(["train", "c.toml", "--json", "-q", "--set", "solver.learning_rate=0.01"]).succeeds();
    let rmse = number(&outcome.json(), "/test/rmse");
    assert!((0.24..0.32).contains(&rmse), "{rmse}");
    place.call(["data", "synth", "x.csv", "--ratings", "90000000"]).refuses(&["ratings"]);
    assert!(!place.path("x.csv").exists());
}

#[test]
fn data_fetch_refuses_another_archive() {
    let place = Place::new();
    // An empty zip archive.
    place.write("ml.zip", [b"PK\x05\x06".as_slice(), &[0; 18]].concat());
    place.call(["data", "fetch", "movielens-100k", "--from", "ml.zip"]).refuses(&[
        "ml.zip: MD5 is ",
        "not 0e33842e24a9c977be4e0107933c0723",
        "fetch it again",
    ]);
    place.call(["data", "fetch", "movielens-100k", "--from", "none.zip"]).refuses(&["none.zip"]);
    place.call(["data", "fetch", "filmtrust"]).refuses(&["no official address", "LOWRANK_DATA"]);
    place.call(["data", "fetch", "movielens"]).refuses(&["unknown data set", "did you mean"]);
    let files = place.files();
    assert!(files.iter().all(|file| !file.contains("movielens")), "{files:?}");
}

#[test]
fn config_check_and_explain_show_every_key() {
    let place = Place::new();
    place.write("c.toml", "data.dataset = \"synthetic\"\n");
    let checked = place.call(["config", "check", "c.toml", "--set", "model.rank=7"]).succeeds().stdout;
    assert!(checked.contains("rank = 7\n") && checked.contains("learning_rate = "), "{checked}");
    assert_eq!(place.files(), ["c.toml"]);
    let explained = place.call(["config", "explain"]).succeeds().stdout;
    for key in lowrank::Parts::built_in().schema().keys() {
        assert!(explained.contains(&format!("  {} ", key.name())), "{}", key.path);
    }
    let one = place.call(["config", "explain", "solver.schedule"]).succeeds().stdout;
    assert!(one.contains("warmup") && !one.contains("momentum"), "{one}");
    place.call(["config", "explain", "solver.rnk"]).refuses(&["no config key or section \"solver.rnk\""]);
}

#[test]
#[cfg(unix)]
fn a_reader_that_goes_away_is_no_error() {
    let place = trained();
    for command in ["config explain", "data list", "inspect r.csv", "recommend runs/c-1 u1", "--help"] {
        let outcome = place.shell(&format!("{{ \"$0\" {command}; echo $? > code; }} | head -c 1"));
        assert_eq!(place.text("code").trim(), "0", "{command}: {outcome:#?}");
        assert!(!outcome.stderr.contains("rror") && !outcome.stderr.contains("panicked"), "{command}: {outcome:#?}");
    }
}

#[test]
fn an_unfinished_run_says_how_to_finish_it() {
    let place = trained();
    std::fs::remove_file(place.path("runs/c-1/model.safetensors")).expect("the model");
    let remedy = "lowrank train runs/c-1/config.toml --resume";
    place.call(["predict", "runs/c-1", "u1", "i1"]).refuses(&["this run is not finished", remedy]);
    place.call(["train", "runs/c-1/config.toml", "--resume"]).succeeds();
    place.call(["predict", "runs/c-1", "u1", "i1"]).succeeds();
}

#[test]
fn other_files_are_read_in_the_layout_of_the_runs_own() {
    let place = Place::new();
    let rows: String = (0..60).map(|at| format!("{},i{},u{}\n", 1 + at % 5, at % 9, at % 7)).collect();
    place.write("r.csv", &rows);
    place.write("c.toml", "data = { path = \"r.csv\", columns = [\"rating\", \"item\", \"user\"] }\nmodel.rank = 2\n");
    place.train("c.toml", []).succeeds();
    let json = place.call(["evaluate", "runs/c-1", "--data", "r.csv", "--json"]).succeeds().json();
    assert_eq!((&json["unknown_users"], &json["unknown_items"]), (&0.into(), &0.into()));
    let outcome = place.call(["predict", "runs/c-1", "--file", "r.csv", "--json"]).succeeds();
    assert_eq!(array(&outcome).len(), 60);
    assert_eq!(array(&outcome)[0]["user"], "u0");
    // Another layout can be said, and the data of a run may not change under it.
    place.write("swapped.csv", "u1,i1\n");
    let swapped =
        ["predict", "runs/c-1", "--file", "swapped.csv", "--set", "data.columns=[\"user\",\"item\"]", "--json"];
    assert_eq!(array(&place.call(swapped).succeeds())[0]["unknown"], false);
    place.call(["evaluate", "runs/c-1"]).succeeds();
    place.write("r.csv", rows + "5,i1,u1\n");
    place.call(["evaluate", "runs/c-1"]).refuses(&["runs/c-1: the data changed"]);
}

#[test]
fn a_config_in_a_run_directory_resumes_that_run() {
    let place = trained();
    place.train("c.toml", []).succeeds();
    std::fs::remove_dir_all(place.path("runs/c-1/checkpoints")).expect("checkpoints");
    let outcome = place.call(["train", "runs/c-1/config.toml", "--resume"]).succeeds();
    assert!(outcome.stdout.contains("runs/c-1/model.safetensors"), "{outcome:#?}");
}
