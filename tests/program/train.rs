//! `lowrank train`: what comes out, on the screen and in the run directory.

use std::path::Path;

use lowrank::Parts;
use serde_json::Value;

use super::{Outcome, Place, SMALL, number};

/// A config of the repository, trained where its paths hold and kept in `place`.
fn train_committed(place: &Place, config: &str, rest: &[&str]) -> Outcome {
    let mut command = place.command(super::PROGRAM);
    let folder = format!("run.dir={}", place.path("runs").display());
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["train", config, "--set", &folder]).args(rest);
    super::outcome(&mut command).succeeds()
}

#[test]
fn the_toy_finds_the_matrix_and_shows_it() {
    let place = Place::new();
    let outcome = train_committed(&place, "configs/toy.toml", &[]);
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    let matrix = |title: &str, rows: usize| -> Vec<Vec<f64>> {
        let start = lines.iter().position(|line| line.starts_with(title)).unwrap_or_else(|| panic!("{outcome:#?}")) + 1;
        let row = |line: &&str| line.split_whitespace().map(|cell| cell.parse().expect("a number")).collect();
        lines[start..start + rows].iter().map(row).collect()
    };
    let (w, h) = (matrix("user_factors", 4), matrix("item_factors", 2));
    let product = matrix("prediction for every user", 4);
    for (user, truth) in [[5.0, 3.0], [3.0, 2.0], [2.0, 1.0], [1.0, 1.0]].iter().enumerate() {
        for (item, value) in truth.iter().enumerate() {
            assert!((product[user][item] - value).abs() < 1e-4, "{product:?}");
            let dot: f64 = w[user].iter().zip(&h[item]).map(|(w, h)| w * h).sum();
            assert!((dot - value).abs() < 1e-3, "{w:?} {h:?}");
        }
    }
    let losses: Vec<f64> = outcome
        .stderr
        .lines()
        .filter_map(|line| line.split_once("loss ")?.1.split_whitespace().next()?.parse().ok())
        .collect();
    assert!(losses.len() >= 10 && losses[0] > 1.0 && losses[losses.len() - 1] < 1e-9, "{losses:?}");
    assert!(number(&place.json("runs/toy-1/summary.json"), "/train/loss") < 1e-9);
}

#[test]
fn the_quickstart_beats_the_baselines_and_says_what_to_do_next() {
    let place = Place::new();
    let outcome = train_committed(&place, "configs/quickstart.toml", &[]);
    for part in [
        "RMSE",
        "always the mean (test)",
        "biases only (test)",
        "best reachable",
        "quickstart-1/model.safetensors",
        "quickstart-1/summary.json",
        "tensorboard --logdir ",
        "lowrank recommend ",
        "lowrank data fetch movielens-100k",
        "lowrank train configs/movielens-100k/biased-mf.toml",
    ] {
        assert!(outcome.stdout.contains(part), "no {part:?} in {}", outcome.stdout);
    }
    assert!(outcome.stderr.lines().filter(|line| line.starts_with("epoch ")).count() >= 5, "{outcome:#?}");
    assert_beats_baselines(&place.json("runs/quickstart-1/summary.json"), "quickstart");
}

#[track_caller]
fn assert_beats_baselines(summary: &Value, what: &str) {
    let rmse = number(summary, "/test/rmse");
    let mean = number(summary, "/baselines/global_mean/rmse");
    let biases = number(summary, "/baselines/biases/rmse");
    assert_eq!(summary["baselines"]["split"], "test");
    assert!(rmse < mean && rmse < biases, "{what}: {rmse} against {mean} and {biases}");
    if let Some(reachable) = summary["reachable_rmse"].as_f64() {
        assert!(rmse > 0.95 * reachable, "{what}: {rmse} is too good to be true");
    }
}

/// Kinds of models that are a minimum of a loss, and those that are counts of what users met, which predict no ratings.
pub fn model_kinds() -> [Vec<String>; 2] {
    let (counted, others): (Vec<_>, Vec<_>) =
        Parts::built_in().models.into_iter().partition(|kind| kind.declaration.has_own_solvers());
    [others, counted].map(|kinds| kinds.iter().map(|kind| kind.name.to_string()).collect())
}

#[test]
fn every_model_beats_the_baselines_with_its_defaults() {
    let place = Place::new();
    // With less noise than by default, no rating is below 0, which nmf refuses.
    place.write("c.toml", "data = { dataset = \"synthetic\", synthetic.noise = 0.3 }\n");
    for model in &model_kinds()[0] {
        place.train("c.toml", [format!("name={model}").as_str(), &format!("model.kind={model}")]).succeeds();
        assert_beats_baselines(&place.json(format!("runs/{model}-1/summary.json")), model);
    }
}

#[test]
fn a_run_directory_has_every_file_whole() {
    let place = Place::new();
    place.small_run("c", &[]);
    let files = place.files();
    for file in [
        "config.toml",
        "environment.json",
        "metrics.jsonl",
        "events.out.tfevents.",
        "checkpoints/last.safetensors",
        "checkpoints/best.safetensors",
        "model.safetensors",
        "seen.safetensors",
        "summary.json",
        "training.png",
        "projector_config.pbtxt",
    ] {
        let start = format!("runs/c-1/{file}");
        let found = files.iter().find(|found| found.starts_with(&start));
        let found = found.unwrap_or_else(|| panic!("no {file} in {files:?}"));
        assert!(!place.read(found).is_empty(), "{file} is empty");
    }
    assert!(files.iter().all(|file| !file.ends_with(".tmp")), "{files:?}");
    assert!(place.read("runs/c-1/training.png").starts_with(b"\x89PNG"));
    let environment = place.json("runs/c-1/environment.json");
    for field in
        ["lowrank", "burn", "working_directory_git_commit", "device", "threads", "seed", "data_sha256", "command_line"]
    {
        assert!(environment.get(field).is_some(), "no {field} in {environment}");
    }
    // Sums of libraries may depend on them.
    let features = environment["processor_features"].as_array().expect("a list");
    #[cfg(target_arch = "x86_64")]
    for (feature, is_present) in [
        ("avx2", std::arch::is_x86_feature_detected!("avx2")),
        ("fma", std::arch::is_x86_feature_detected!("fma")),
        ("avx512f", std::arch::is_x86_feature_detected!("avx512f")),
    ] {
        assert_eq!(features.iter().any(|named| named == feature), is_present, "{feature} in {features:?}");
    }
    #[cfg(target_arch = "aarch64")]
    assert_eq!(features, &["neon"]);
}

#[test]
fn the_config_of_a_run_reproduces_it() {
    let place = Place::new();
    place.small_run("c", &["solver.kind=sgd", "model.kind=nmf", "seed=5"]);
    place.call(["train", "runs/c-1/config.toml", "-q"]).succeeds();
    assert!(place.read("runs/c-1/model.safetensors") == place.read("runs/c-2/model.safetensors"));
    assert_eq!(place.text("runs/c-1/config.toml"), place.text("runs/c-2/config.toml"));
}

#[test]
fn the_result_and_the_curve_have_all_their_fields() {
    let place = Place::new();
    place.small_run("c", &[]);
    let summary = place.json("runs/c-1/summary.json");
    for text in ["name", "model", "solver", "device"] {
        assert!(summary[text].is_string(), "{text}: {summary}");
    }
    for count in ["threads", "epochs_run", "best_epoch", "num_users", "num_items", "num_ratings"] {
        assert!(summary[count].as_u64().is_some_and(|count| count > 0), "{count}: {summary}");
    }
    for split in ["train", "validation", "test", "baselines/global_mean", "baselines/biases"] {
        for metric in ["rmse", "mae", "loss", "count"] {
            assert!(number(&summary, &format!("/{split}/{metric}")) > 0.0);
        }
    }
    assert!(number(&summary, "/seconds_training") > 0.0 && number(&summary, "/ratings_per_second") > 0.0);
    assert_eq!((&summary["seed"], &summary["refit"]), (&42.into(), &false.into()));
    assert_eq!((&summary["test_unknown_users"], &summary["test_unknown_items"]), (&0.into(), &0.into()));
    assert_eq!(number(&summary, "/reachable_rmse"), 0.5);
    let counts = ["train", "validation", "test"].map(|split| number(&summary, &format!("/{split}/count")));
    assert_eq!(counts.iter().sum::<f64>(), number(&summary, "/num_ratings"));

    let lines: Vec<Value> =
        place.text("runs/c-1/metrics.jsonl").lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 3);
    for (at, line) in lines.iter().enumerate() {
        assert_eq!(line["epoch"], at + 1);
        assert_eq!(number(line, "/ratings_seen"), (at + 1) as f64 * counts[0]);
        for pointer in ["/step", "/seconds", "/learning_rate", "/train/loss", "/train/objective", "/train/rmse"] {
            assert!(number(line, pointer) > 0.0, "{pointer}: {line}");
        }
        assert!(number(line, "/train/objective") > number(line, "/train/loss"), "the penalty is in the objective");
        for metric in ["loss", "rmse", "mae"] {
            assert!(number(line, &format!("/validation/{metric}")) > 0.0, "{line}");
        }
    }
    let best = number(&summary, "/best_epoch") as usize;
    assert_eq!(number(&lines[best - 1], "/validation/rmse"), number(&summary, "/validation/rmse"));
}

#[test]
fn one_user_one_item_or_one_rating_trains() {
    let place = Place::new();
    let many: Vec<String> = (0..20).map(|at| at.to_string()).collect();
    place.write("user.csv", many.iter().map(|item| format!("u,{item},{}\n", item.len())).collect::<String>());
    place.write("item.csv", many.iter().map(|user| format!("{user},i,{}\n", user.len())).collect::<String>());
    place.write("rating.csv", "u,i,4\n");
    place.write("c.toml", "data.path = \"rating.csv\"\ndata.split.kind = \"none\"\ntrain.epochs = 3\nmodel.rank = 2\n");
    let [others, counted] = model_kinds();
    for model in others.iter().chain(&counted) {
        for (data, users, items) in [("user", 1, 20), ("item", 20, 1), ("rating", 1, 1)] {
            let name = format!("{model}-{data}");
            let settings = [format!("name={name}"), format!("model.kind={model}"), format!("data.path={data}.csv")];
            place.train("c.toml", settings.iter().map(String::as_str)).succeeds();
            let summary = place.json(format!("runs/{name}-1/summary.json"));
            assert_eq!((&summary["num_users"], &summary["num_items"]), (&users.into(), &items.into()), "{name}");
            let lists = place.call(["recommend", &format!("runs/{name}-1"), "u", "--keep-seen", "--json"]);
            if counted.contains(model) {
                assert_eq!(number(&summary, "/train/count"), (users * items) as f64, "{name}");
                assert!(data == "item" || lists.succeeds().stdout.contains("score"), "{name}");
            } else {
                assert!(number(&summary, "/train/rmse").is_finite(), "{name}");
            }
        }
    }
    // A split of it leaves no test: said, not trained.
    place.train("c.toml", ["data.split.kind=random"]).refuses(&["test part is empty", "give more ratings"]);
}

#[test]
fn ids_that_training_never_saw_are_counted_and_predicted() {
    let place = Place::new();
    let rows: String = (0..100).map(|at| format!("u{},i{},{}\n", at % 10, at / 10, 1 + at % 5)).collect();
    place.write("train.csv", rows);
    place.write("test.csv", "u1,i1,3\nnew,i1,3\nnewer,i2,4\nu2,new,2\nu3,newer,2\nu4,newest,1\nnewest,newest,5\n");
    place.write(
        "c.toml",
        "data = { path = \"train.csv\", test_path = \"test.csv\", split.kind = \"files\" }\nmodel.rank = 2\n",
    );
    for model in &Parts::built_in().schema().choices("model.kind") {
        let outcome =
            place.train("c.toml", [format!("model.kind={model}").as_str(), &format!("name={model}")]).succeeds();
        let said = "not seen in training: the user of 3 and the item of 4 ratings";
        assert!(outcome.stdout.contains(said), "{outcome:#?}");
        let summary = place.json(format!("runs/{model}-1/summary.json"));
        assert_eq!((&summary["test_unknown_users"], &summary["test_unknown_items"]), (&3.into(), &4.into()));
        assert_eq!(number(&summary, "/test/count"), 7.0);
    }
}

#[test]
fn refit_trains_again_on_training_and_validation() {
    let place = Place::new();
    place.small_run("once", &[]);
    place.small_run("c", &["train.refit=true"]);
    let (once, refit) = (place.json("runs/once-1/summary.json"), place.json("runs/c-1/summary.json"));
    assert_eq!(refit["refit"], true);
    assert_eq!(refit["best_epoch"], once["best_epoch"]);
    assert_eq!(refit["validation"], once["validation"], "validation is that of the model before");
    let count = |split: &str| number(&once, &format!("/{split}/count"));
    assert_eq!(number(&refit, "/train/count"), count("train") + count("validation"));
    assert_eq!(number(&refit, "/test/count"), count("test"));
    assert_eq!(place.text("runs/c-1/refit/metrics.jsonl").lines().count() as f64, number(&refit, "/best_epoch"));
    assert!(place.path("runs/c-1/refit/checkpoints/last.safetensors").exists());
}

#[test]
fn early_stopping_keeps_the_best_epoch() {
    let place = Place::new();
    place.small_run("c", &["solver.learning_rate=0.1", "train.epochs=200", "train.early_stopping.patience=3"]);
    let summary = place.json("runs/c-1/summary.json");
    let (run, best) = (number(&summary, "/epochs_run"), number(&summary, "/best_epoch"));
    assert!(run < 200.0 && best == run - 3.0, "{run} {best}");
    let lines = place.text("runs/c-1/metrics.jsonl");
    let rmse = |line| number(&serde_json::from_str::<Value>(line).expect("JSON"), "/validation/rmse");
    let lowest = lines.lines().map(rmse).fold(f64::INFINITY, f64::min);
    assert_eq!(number(&summary, "/validation/rmse"), lowest);
}

/// Trains two epochs with each setting; nothing may diverge, and every number must be one.
#[track_caller]
fn assert_all_train(settings: impl IntoIterator<Item = Vec<String>>) {
    let place = Place::new();
    place.write("c.toml", "model.rank = 4\ntrain.epochs = 2\nreport.tensorboard = false\n");
    for settings in settings {
        let outcome = place.call(
            ["train", "c.toml", "--json", "--quiet"]
                .into_iter()
                .chain(SMALL.iter().copied().chain(settings.iter().map(String::as_str)).flat_map(|s| ["--set", s])),
        );
        let summary = outcome.succeeds().json();
        for metric in ["/test/rmse", "/test/loss", "/validation/loss", "/train/loss"] {
            assert!(number(&summary, metric).is_finite(), "{settings:?}: {summary}");
        }
    }
}

#[test]
fn every_model_trains_with_every_loss() {
    let ([models, _], losses) = (model_kinds(), Parts::built_in().schema().choices("loss.kind"));
    // Those that rank have no error, but lists.
    let ranking = ["bpr", "warp", "sampled-softmax", "sampled-logistic"].map(String::from);
    let place = Place::new();
    place.write("c.toml", "model.rank = 4\ntrain.epochs = 2\nreport.tensorboard = false\n");
    for (model, loss) in models.iter().flat_map(|model| ranking.iter().map(move |loss| (model, loss))) {
        let settings = [&format!("model.kind={model}"), &format!("loss.kind={loss}"), "loss.negatives=3"];
        let result = place.train("c.toml", SMALL.into_iter().chain(settings)).succeeds();
        assert!(result.stdout.contains("ndcg@10"), "{model} with {loss}: {result:#?}");
    }
    let losses = losses.iter().filter(|loss| !ranking.contains(loss));
    let pairs = models.iter().flat_map(|model| losses.clone().map(move |loss| (model, loss)));
    assert_all_train(pairs.map(|(model, loss)| {
        let mut settings = vec![format!("model.kind={model}"), format!("loss.kind={loss}")];
        // Ratings of 0 and 1 suit these; the others take them as they are.
        if ["logistic", "poisson"].contains(&loss.as_str()) {
            settings.push("data.binarize=3.5".into());
        }
        settings
    }));
}

#[test]
fn every_model_trains_with_every_solver_and_every_schedule() {
    let [models, solvers, schedules] =
        ["model.kind", "solver.kind", "solver.schedule.kind"].map(|key| Parts::built_in().schema().choices(key));
    let kinds = Parts::built_in().models;
    let of_others: Vec<&str> = kinds.iter().flat_map(|kind| kind.declaration.solvers).copied().collect();
    let own_solvers = |model: &str| kinds.iter().find(|kind| kind.name == model).expect("a model").declaration.solvers;
    let solvers = models.iter().flat_map(|model| {
        // Some would be trained on all ratings, and the test says nothing of them then.
        let settings = |solver: &String| {
            let mut settings = vec![format!("model.kind={model}"), format!("solver.kind={solver}")];
            settings.push("data.split.kind=random".to_string());
            if own_solvers(model).contains(&solver.as_str()) {
                settings
                    .extend(["evaluation.metrics=['rmse', 'loss']".into(), "train.early_stopping.metric=rmse".into()]);
            }
            settings
        };
        let fits = |solver: &&String| match solver.as_str() {
            "stratified" | "als" => ["mf", "biased-mf", "nmf"].contains(&model.as_str()),
            "gibbs" => ["mf", "biased-mf", "svdpp", "fm"].contains(&model.as_str()),
            "svd" => ["mf", "biased-mf"].contains(&model.as_str()),
            "hals" | "multiplicative" => model == "nmf",
            solver if own_solvers(model).is_empty() => !of_others.contains(&solver),
            solver => own_solvers(model).contains(&solver),
        };
        solvers.iter().filter(fits).map(settings).collect::<Vec<_>>()
    });
    let schedules = schedules.iter().map(|schedule| vec![format!("solver.schedule.kind={schedule}")]);
    assert_all_train(solvers.chain(schedules));
}

#[test]
fn results_go_to_standard_output_and_progress_to_standard_error() {
    let place = Place::new();
    place.write("c.toml", "model.rank = 4\ntrain.epochs = 2\n");
    let settings = || SMALL.into_iter().flat_map(|setting| ["--set", setting]);
    let loud = place.call(["train", "c.toml"].into_iter().chain(settings())).succeeds();
    assert!(loud.stderr.contains("epoch 2/2") && !loud.stdout.contains("epoch 2/2"), "{loud:#?}");
    assert!(loud.stdout.contains("RMSE") && !loud.stderr.contains("RMSE"), "{loud:#?}");
    for quiet in ["-q", "--quiet"] {
        let outcome = place.call(["train", "c.toml", quiet].into_iter().chain(settings())).succeeds();
        assert_eq!(outcome.stderr, "");
        assert!(outcome.stdout.contains("RMSE"));
    }
    let json = place.call(["train", "c.toml", "--json"].into_iter().chain(settings())).succeeds();
    assert_eq!((&json.json()["name"], &json.json()["directory"]), (&"c".into(), &"runs/c-4".into()));
    assert!(Path::new(&place.path("runs/c-4")).is_dir(), "each call makes a run of its own");
}
