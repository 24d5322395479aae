//! Answers are right, or the program says why they are not.

use lowrank::Parts;

use super::matrices::{picture, table, train};
use super::{Outcome, Place, number};

/// `users` × `items` ratings of one file, as far as `rating` gives one.
pub fn ratings(place: &Place, users: usize, items: usize, rating: impl Fn(usize, usize) -> Option<f64>) {
    let pairs = (0..users).flat_map(|user| (0..items).map(move |item| (user, item)));
    let line = |(user, item)| Some(format!("u{user},i{item},{}\n", rating(user, item)?));
    place.write("r.csv", pairs.filter_map(line).collect::<String>());
}

#[test]
fn what_was_rated_in_any_part_is_not_recommended() {
    let place = Place::new();
    ratings(&place, 12, 20, |user, item| Some((1 + (3 * user + 5 * item) % 5) as f64));
    let count = |rest: &[&str]| {
        let json = place.call(["recommend"].iter().chain(rest).chain(&["--json", "-n", "99"])).succeeds().json();
        (json["items"].as_array().expect("items").len() as u64, json["seen_items"].as_u64().expect("a count"))
    };
    train(&place, "r.csv", &[]).succeeds();
    train(&place, "r.csv", &["train.refit=true"]).succeeds();
    for run in ["runs/c-1", "runs/c-2"] {
        for user in ["u0", "u5", "u11"] {
            assert_eq!(count(&[run, user]), (0, 20), "{run} {user}: all items are rated");
            assert_eq!(count(&[run, user, "--keep-seen"]), (20, 0));
        }
    }
    let (listed, seen) = (0..12)
        .map(|user| count(&["runs/c-1", &format!("u{user}"), "--keep-held-out"]))
        .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    // A fifth of all ratings is for validation and test.
    assert_eq!((listed, seen), (48, 192));
    // Of other data some are left: exactly those without a rating.
    ratings(&place, 12, 20, |user, item| ((user + item) % 3 > 0).then_some((1 + (user * item) % 5) as f64));
    train(&place, "r.csv", &["data.split.kind=user-stratified", "data.split.test=0.3"]).succeeds();
    for user in 0..12 {
        let id = format!("u{user}");
        let json = place.call(["recommend", "runs/c-3", &id, "--json", "-n", "99"]).succeeds().json();
        let mut found: Vec<String> = (json["items"].as_array().expect("items").iter())
            .map(|item| item["item"].as_str().expect("an id").to_string())
            .collect();
        let mut expected: Vec<String> =
            (0..20).filter(|item| (user + item) % 3 == 0).map(|item| format!("i{item}")).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{id}");
    }
}

#[test]
fn sums_of_parts_refuse_negative_data_whatever_trains_them() {
    let place = Place::new();
    ratings(&place, 9, 9, |user, item| Some(((7 * user + 5 * item) % 19) as f64 - 9.0));
    let solvers = Parts::built_in().schema().choices("solver.kind");
    // Some solvers find models of their own alone.
    let others: Vec<_> = Parts::built_in().models.iter().flat_map(|kind| kind.declaration.solvers).copied().collect();
    // And some find none with bounds.
    let others = [&others[..], &["svd", "gibbs"]].concat();
    for solver in solvers.iter().filter(|solver| !others.contains(&solver.as_str())) {
        let solver = format!("solver.kind={solver}");
        let refused = train(&place, "r.csv", &["model.kind=nmf", &solver]);
        refused.refuses(&["the rating -9 of user u0 for item i0", "nmf makes sums of what is at least 0", "\"mf\""]);
    }
    for loss in ["absolute", "huber", "quantile"] {
        let loss = format!("loss.kind={loss}");
        train(&place, "r.csv", &["model.kind=nmf", &loss]).refuses(&["nmf makes sums of what is at least 0"]);
    }
    // A single negative cell of a table, in a consensus as well.
    table(&place, &[&[1.0, 2.0], &[3.0, -0.5], &[2.0, 2.0]]);
    train(&place, "t.csv", &["data.format=dense", "model.kind=nmf"])
        .refuses(&["the rating -0.5 of row r2 for column c2"]);
    place.write(
        "n.toml",
        "data = { path = \"t.csv\", format = \"dense\" }\nmodel.kind = \"nmf\"\nsolver.kind = \"hals\"\n",
    );
    place.call(["consensus", "n.toml"]).refuses(&["the rating -0.5"]);
    // Others take them, and so does nmf where a link stands between sums and predictions.
    train(&place, "r.csv", &["model.kind=mf", "solver.kind=als"]).succeeds();
    train(&place, "r.csv", &["model.kind=nmf", "data.binarize=0", "loss.kind=logistic"]).succeeds();
}

/// How often a user did something with an item: two groups that like items of their own, counts up to a hundred.
pub fn counts(place: &Place) {
    ratings(place, 24, 20, |user, item| {
        let is_liked = user % 2 == item % 2 && (user * 7 + item * 3) % 5 > 0;
        is_liked.then_some(1.0 + ((user * item) % 10).pow(2) as f64)
    });
}

const IMPLICIT: [&str; 4] = ["model.kind=mf", "solver.kind=als", "solver.feedback=implicit", "model.rank=2"];

#[test]
fn preferences_are_judged_by_ranked_lists() {
    let place = Place::new();
    counts(&place);
    let outcome = train(&place, "r.csv", &[&IMPLICIT[..], &["train.epochs=8"]].concat()).succeeds();
    let summary = place.json("runs/c-1/summary.json");
    for split in ["validation", "test"] {
        let values: Vec<f64> = ["ndcg@10", "hit-rate@10", "recall@10", "auc"]
            .map(|name| number(&summary, &format!("/{split}/{name}")))
            .into();
        assert!(values.iter().all(|value| (0.6..=1.0).contains(value)), "{split}: two groups are easy: {values:?}");
    }
    assert!(!outcome.stdout.contains("warning") && !outcome.stderr.contains("last epoch"), "{outcome:#?}");
    // Half of what is most popular is what the other group likes.
    let popular = number(&summary, "/baselines/popularity/ndcg@10");
    assert!(
        popular < number(&summary, "/test/ndcg@10") && outcome.stdout.contains("what is most popular"),
        "{summary}"
    );
    assert!(
        outcome.stdout.contains("item k-NN (test)") && summary["baselines"]["item_knn"].is_object(),
        "{outcome:#?}"
    );
    assert!(outcome.stdout.contains("ndcg@10") && !outcome.stdout.contains("RMSE"), "{outcome:#?}");
    // The epoch that is kept is the one whose lists were best.
    let curve: Vec<f64> = place
        .text("runs/c-1/metrics.jsonl")
        .lines()
        .map(|line| number(&serde_json::from_str(line).expect("JSON"), "/validation/ndcg@10"))
        .collect();
    let best = curve.iter().copied().fold(0.0, f64::max);
    let first = curve.iter().position(|value| *value == best).expect("one of them") + 1;
    assert_eq!(summary["best_epoch"], first);
    // Metrics of another length, of a trained model.
    let names = ["ndcg@3", "coverage@1", "gini@1", "novelty@2", "diversity@2", "map@5", "mrr@5"];
    let evaluated = place.call(["evaluate", "runs/c-1", "--json", "--metrics", &names.join(",")]).succeeds().json();
    place
        .call(["evaluate", "runs/c-1", "--metrics", "ndcg"])
        .refuses(&["--metrics has unknown \"ndcg\"; the metrics are"]);
    for name in names {
        assert!(number(&evaluated, &format!("/model/{name}")) >= 0.0, "{name}: {evaluated}");
    }
    train(&place, "r.csv", &[&IMPLICIT[..], &["train.early_stopping.patience=2"]].concat()).succeeds();
}

#[test]
fn a_model_that_popularity_beats_says_so() {
    let place = Place::new();
    // Everybody does the same few things, and the rest by chance.
    ratings(&place, 60, 40, |user, item| {
        (item < 8 && (user + item) % 3 > 0 || (user * 31 + item * 17) % 29 == 0).then_some(1.0)
    });
    let untrained = ["train.epochs=1", "solver.confidence_alpha=0", "solver.regularization.user_factors=1e6"];
    let outcome = train(&place, "r.csv", &[&IMPLICIT[..], &untrained].concat());
    let outcome = outcome.succeeds();
    assert!(outcome.stdout.contains("worse than what is most popular by "), "{outcome:#?}");
    assert!(outcome.stdout.contains("recommend that, or try another model.rank"), "{outcome:#?}");
}

/// What `evaluate` says of lists is what `recommend` shows.
#[test]
fn ranked_lists_are_those_that_are_recommended() {
    let place = Place::new();
    counts(&place);
    let metrics = ["evaluation.metrics=['rmse', 'hit-rate@2', 'recall@2']", "evaluation.relevant_from=5"];
    train(
        &place,
        "r.csv",
        &[&["data.split.test=0.4", "data.split.validation=0", "train.epochs=3"], &metrics[..]].concat(),
    )
    .succeeds();
    let summary = place.json("runs/c-1/summary.json");
    let test = place.call(["evaluate", "runs/c-1", "--json"]).succeeds().json();
    assert_eq!(number(&test, "/model/hit-rate@2"), number(&summary, "/test/hit-rate@2"));
    let ratings: Vec<(String, String, f64)> = place
        .text("r.csv")
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(',').map(String::from);
            Some((fields.next()?, fields.next()?, fields.next()?.parse().ok()?))
        })
        .collect();
    let mut users: Vec<&String> = ratings.iter().map(|(user, ..)| user).collect();
    users.dedup();
    users.sort();
    users.dedup();
    let (mut measured, mut hit, mut recall) = (0.0, 0.0, 0.0);
    for user in users {
        let list = |options: &[&str]| -> Vec<String> {
            let call = ["recommend", "runs/c-1", user.as_str(), "--json"];
            let json = place.call(call.iter().chain(options)).succeeds().json();
            let items = json["items"].as_array().expect("items").clone();
            items.iter().map(|item| item["item"].as_str().expect("an id").to_string()).collect()
        };
        let all = list(&["--keep-held-out", "-n", "1000"]);
        let of_user = ratings.iter().filter(|(own, _, value)| own == user && *value >= 5.0);
        let known = list(&["--keep-seen", "-n", "1000"]);
        // In the file, but neither in training nor unknown to it: held out. Unknown ones are missed.
        let relevant: Vec<&String> =
            of_user.map(|(_, item, _)| item).filter(|item| all.contains(item) || !known.contains(item)).collect();
        if relevant.is_empty() {
            continue;
        }
        let found = all.iter().take(2).filter(|item| relevant.contains(item)).count() as f64;
        measured += 1.0;
        hit += f64::from(found > 0.0);
        recall += found / relevant.len() as f64;
    }
    assert!(measured > 3.0, "{measured}");
    assert!((number(&test, "/model/hit-rate@2") - hit / measured).abs() < 1e-12, "{test} {hit} {measured}");
    assert!((number(&test, "/model/recall@2") - recall / measured).abs() < 1e-12, "{test} {recall} {measured}");
}

#[test]
fn preferences_are_not_judged_by_the_error_of_counts() {
    let place = Place::new();
    counts(&place);
    let by_error = ["evaluation.metrics=['rmse', 'mae']", "train.early_stopping.metric=rmse"];
    let judged = |settings: &[&str]| train(&place, "r.csv", &[&IMPLICIT[..], &by_error, settings].concat());
    let outcome = judged(&["train.epochs=12"]).succeeds();
    let summary = place.json("runs/c-1/summary.json");
    assert_eq!((&summary["epochs_run"], &summary["best_epoch"]), (&12.into(), &12.into()));
    assert_eq!(summary["baselines"], serde_json::Value::Null, "counts are in another unit");
    assert!(
        outcome.stderr.contains("the last epoch is kept") && outcome.stderr.contains("preferences"),
        "{outcome:#?}"
    );
    assert!(outcome.stdout.contains("epoch 12 of 12 kept"), "{outcome:#?}");
    assert!(outcome.stdout.contains("say nothing about how good recommendations are"), "{outcome:#?}");
    assert!(!outcome.stdout.contains("always the mean"), "{outcome:#?}");
    let [model, last] = ["model.safetensors", "checkpoints/last.safetensors"].map(|file| {
        let bytes = place.read(format!("runs/c-1/{file}"));
        let file = safetensors::SafeTensors::deserialize(&bytes).expect("tensors");
        let name = file.names().into_iter().find(|name| name.ends_with("user_factors")).expect("factors").to_string();
        file.tensor(&name).expect("there").data().to_vec()
    });
    assert!(model == last, "the model is that of the last epoch");
    let evaluated = place.call(["evaluate", "runs/c-1", "--json"]).succeeds().json();
    assert_eq!((&evaluated["biases"], &evaluated["global_mean"]), (&serde_json::Value::Null, &serde_json::Value::Null));
    // Refitting takes as many epochs.
    judged(&["train.epochs=6", "train.refit=true"]).succeeds();
    assert_eq!(place.text("runs/c-2/refit/metrics.jsonl").lines().count(), 6);
    judged(&["train.early_stopping.patience=2"])
        .refuses(&["train.early_stopping.patience waits in vain", "preferences"]);
    // Opinions are judged by their error as ever.
    train(&place, "r.csv", &["model.kind=mf", "solver.kind=als", "train.epochs=12"]).succeeds();
    assert!(place.json("runs/c-3/summary.json")["baselines"].is_object());
}

#[test]
fn a_pair_without_a_sign_of_a_preference_has_none() {
    let place = Place::new();
    counts(&place);
    train(&place, "r.csv", &[&IMPLICIT[..], &["data.split.kind=none"]].concat()).succeeds();
    let predictions = |pairs: &[&str]| -> Vec<f64> {
        let json = place.call(["predict", "runs/c-1"].iter().chain(pairs).chain(&["--json"])).succeeds().json();
        json.as_array().expect("a list").iter().map(|pair| number(pair, "/prediction")).collect()
    };
    assert_eq!(predictions(&["u1", "new", "new", "i1", "new", "new"]), [0.0; 3]);
    // What a user met is near 1, what the other group likes near 0.
    let known = predictions(&["u2", "i4", "u3", "i5", "u2", "i5", "u3", "i4"]);
    assert!(known[..2].iter().all(|value| (0.5..1.5).contains(value)), "{known:?}");
    assert!(known[2..].iter().all(|value| value.abs() < 0.5), "{known:?}");
    let told = place.call(["predict", "runs/c-1", "u1", "new"]).succeeds();
    assert!(told.stderr.contains("predicted as 0, without a sign of a preference"), "{told:#?}");
}

#[test]
fn data_that_cannot_teach_what_is_asked_come_with_a_warning() {
    let place = Place::new();
    // A log of visits without a rating.
    let rows: String = (0..200).map(|at| format!("{},{}\n", at % 20, (at * 7) % 23)).collect();
    place.write("visits.csv", format!("user,item\n{rows}"));
    let constant = |outcome: Outcome, value: &str| {
        let warning = format!("warning: every training {value}: there is nothing to learn");
        assert!(outcome.stderr.contains(&warning) && outcome.stdout.contains(&warning), "{outcome:#?}");
        assert!(!outcome.stdout.contains("lowrank recommend"), "{outcome:#?}");
        outcome.stdout
    };
    let told = constant(train(&place, "visits.csv", &[]).succeeds(), "rating is 1");
    assert!(told.contains("solver.feedback = \"implicit\""), "{told}");
    let order = place.call(["recommend", "runs/c-1", "3"]).succeeds();
    assert!(order.stderr.contains("the order of these items means nothing"), "{order:#?}");
    let json = place.json("runs/c-1/summary.json");
    assert!(json["doubts"][0].as_str().expect("a doubt").starts_with("every training rating is 1"), "{json}");
    // One class, because of a threshold that all ratings pass.
    ratings(&place, 12, 12, |user, item| Some((1 + (user * item) % 5) as f64));
    let told = constant(train(&place, "r.csv", &["data.binarize=1", "loss.kind=logistic"]).succeeds(), "rating is 1");
    assert!(told.contains("data.binarize = 1 leaves one class"), "{told}");
    table(&place, &[&[4.0; 5][..]; 6]);
    constant(
        train(&place, "t.csv", &["data.format=dense", "model.kind=mf", "solver.kind=als"]).succeeds(),
        "cell is 4",
    );
    // Where what is not there teaches something, the same values do no harm.
    let implicit = train(&place, "visits.csv", &IMPLICIT).succeeds();
    assert!(!implicit.stderr.contains("nothing to learn"), "{implicit:#?}");
    let zeros = train(&place, "visits.csv", &["model.kind=mf", "solver.kind=svd"]).succeeds();
    assert!(!zeros.stderr.contains("nothing to learn"), "{zeros:#?}");
    let varied = train(&place, "r.csv", &[]).succeeds();
    assert!(!varied.stderr.contains("nothing to learn"), "{varied:#?}");
}

#[test]
fn one_class_of_rows_is_not_recognized() {
    let place = Place::new();
    for class in ["a", "b"] {
        std::fs::create_dir_all(place.path(format!("all/{class}"))).expect("a folder");
        for face in 0..6 {
            let shade = |x: u32, y: u32| (face + 5) * (x + 2 * y + 1 + u32::from(class == "b") * x * y);
            picture(&place, &format!("all/{class}/{face}.pgm"), 4, 3, shade);
        }
    }
    let split = ["model.kind=mf", "solver.kind=svd", "data.split.kind=first-of-class", "data.split.train_rows=4"];
    let both = train(&place, "all", &split).succeeds();
    assert!(both.stdout.contains("held-out rows of the class of their nearest"), "{both:#?}");
    std::fs::remove_dir_all(place.path("all/b")).expect("removed");
    let one = train(&place, "all", &split).succeeds();
    assert!(one.stderr.contains("all rows are of the class \"a\""), "{one:#?}");
    assert!(!one.stdout.contains("of the class of their nearest"), "{one:#?}");
}

#[test]
fn a_model_that_a_trivial_prediction_beats_says_so_and_what_to_try() {
    let place = Place::new();
    // Nothing but noise.
    let noise = |user: usize, item: usize| ((user * 7919 + item * 104_729 + user * item * 31) % 101) as f64;
    ratings(&place, 30, 30, |user, item| Some((noise(user, item) / 10.0).floor()));
    let by_heart = "it has learned its training ratings by heart: ";
    let over = ["model.rank=20", "train.epochs=300", "data.split.validation=0", "evaluation.clip=false"];
    let free = ["solver.regularization.user_factors=0", "solver.regularization.item_factors=0"];
    let penalized = "raise solver.regularization";
    let fast = "solver.learning_rate=0.05";
    for (kinds, remedy) in [
        (&["model.kind=mf", "solver.kind=adam", fast][..], penalized),
        (&["model.kind=biased-mf", "solver.kind=stratified"], penalized),
        (&["model.kind=mf", "solver.kind=als", "train.epochs=20"], "biased-mf"),
        (&["model.kind=nmf", "solver.kind=hals", "solver.zeros=missing"], "lower model.rank"),
        (&["model.kind=neumf", fast], penalized),
    ] {
        let outcome = train(&place, "r.csv", &[&over[..], &free, kinds].concat()).succeeds();
        let worse = "warning: on the test part this model is worse than always the mean by RMSE (";
        for part in [worse, "and worse than biases only by RMSE (", by_heart, remedy] {
            assert!(outcome.stdout.contains(part), "no {part:?} in {outcome:#?}");
        }
    }
    // One that has not even begun to learn; and each metric by itself.
    let barely = ["train.epochs=1", "model.kind=mf", "model.init=normal", "evaluation.metrics=[\"mae\"]"];
    let outcome = train(&place, "r.csv", &[&barely[..], &["train.early_stopping.metric=mae"]].concat()).succeeds();
    for part in ["by MAE (", "it has not learned enough: raise train.epochs", "another solver.learning_rate"] {
        assert!(outcome.stdout.contains(part), "no {part:?} in {outcome:#?}");
    }
    assert!(!outcome.stdout.contains("RMSE"), "{outcome:#?}");
    let evaluated = place.call(["evaluate", "runs/c-6"]).succeeds().stdout;
    assert!(evaluated.contains("warning: this model is worse than always the mean by MAE ("), "{evaluated}");
    // And one that is better says nothing.
    let enough = ["data.dataset=synthetic", "data.synthetic.users=200", "data.synthetic.items=100"];
    let enough = enough.into_iter().chain(["data.synthetic.ratings=8000", "data.synthetic.rank=2"]);
    let learns = ["solver.learning_rate=0.01", "train.epochs=60", "model.rank=4"];
    let settings = enough.chain(learns).flat_map(|setting| ["--set", setting]);
    let good = place.call(["train", "c.toml"].into_iter().chain(settings)).succeeds();
    assert!(!good.stdout.contains("warning"), "{good:#?}");
}

/// What is left to the validation part is told, kept in the run, and the best of those that could be named.
#[test]
fn the_validation_part_chooses_a_transform_of_counts() {
    let place = Place::new();
    counts(&place);
    let rest = ["train.epochs=5", "solver.confidence_alpha=40"];
    let told = train(&place, "r.csv", &[&IMPLICIT[..], &rest, &["solver.confidence=auto"]].concat()).succeeds();
    let line = told.stderr.lines().find(|line| line.starts_with("solver.confidence = ")).expect("what was chosen");
    let config = place.text("runs/c-1/config.toml");
    let mut values = Vec::new();
    for (at, name) in ["count", "one", "log", "bm25"].iter().enumerate() {
        let named = format!("solver.confidence={name}");
        train(&place, "r.csv", &[&IMPLICIT[..], &rest, &[named.as_str()]].concat()).succeeds();
        let value = number(&place.json(format!("runs/c-{}/summary.json", at + 2)), "/validation/ndcg@10");
        assert!(line.contains(&format!("{name} {}", lowrank_number(value))), "{line}: {name} {value}");
        values.push((*name, value));
    }
    let best = values.iter().fold(values[0], |best, &other| if other.1 > best.1 { other } else { best });
    assert!(line.contains(&format!("= \"{}\", by ndcg@10", best.0)), "{line}: {values:?}");
    assert!(config.contains(&format!("confidence = \"{}\"", best.0)), "{config}");
    train(&place, "r.csv", &[&IMPLICIT[..], &["solver.confidence=auto", "data.split.kind=new-users"]].concat())
        .refuses(&["\"bm25\", which solver.confidence is or may become", "use \"log\" or another data.split.kind"]);
    train(&place, "r.csv", &[&IMPLICIT[..], &["solver.confidence=auto", "data.split.validation=0"]].concat())
        .refuses(&["solver.confidence = \"auto\" needs a validation part, but data.split.validation is 0"]);
}

/// Four digits, as tables have them.
fn lowrank_number(value: f64) -> String {
    format!("{value:.4}")
}
