//! Users and items with features: known by these alone, recommended, and kept in the model file.

use super::matrices::train;
use super::{Place, number};

const KINDS: [&str; 3] = ["old", "new", "odd"];

/// 40 users in three groups of ages, 30 items of three kinds; each group likes a kind. The last three items, one of each
/// kind, have no ratings, and neither have the last three users.
fn described(place: &Place) {
    let mut ratings = String::from("user,item,rating\n");
    for user in 0..40 {
        for item in (0..30).filter(|item| (user * 7 + item * 5) % 4 > 0) {
            let likes = if user % 3 == item % 3 { 4.5 } else { 1.5 };
            ratings += &format!("u{user},i{item},{}\n", likes + f64::from((user + item / 2) % 2) / 2.0);
        }
    }
    place.write("r.csv", ratings);
    let mut items = String::from("item;name;kinds;year\n");
    let mut users = String::from("id,age,city\n");
    for item in 0..33 {
        items += &format!("i{item};Item {item} ({});{}|x;{}\n", 1990 + item, KINDS[item % 3], 1990 + item);
    }
    for user in 0..43 {
        users += &format!("u{user},{},c{user}\n", 20 + 20 * (user % 3));
    }
    place.write("items.csv", items);
    place.write("users.csv", users);
    place.write("titles.csv", (0..33).map(|item| format!("i{item},Item {item}\n")).collect::<String>());
}

const ITEMS: [&str; 2] = ["data.item_features.path=items.csv", "data.item_features.lists=['kinds']"];
const USERS: [&str; 2] = ["data.user_features.path=users.csv", "data.user_features.categories=['age']"];
/// Features have to be learned from few ratings.
const HIDDEN: [&str; 2] = ["data.item_features.identity_dropout=0.5", "data.user_features.identity_dropout=0.5"];
const TITLES: [&str; 1] = ["data.titles.path=titles.csv"];
const WHOLE: [&str; 1] = ["data.split.kind=none"];
const QUICK: [&str; 4] = ["model.rank=4", "train.epochs=40", "solver.learning_rate=0.02", "solver.batch_size=64"];

fn is_of_kind(item: &serde_json::Value, kind: usize) -> bool {
    let id = item["item"].as_str().or_else(|| item["id"].as_str()).expect("an id");
    id[1..].parse::<usize>().expect("a number") % 3 == kind
}

#[test]
fn rows_without_ratings_are_predicted_and_recommended_by_every_model() {
    let place = Place::new();
    described(&place);
    for (at, kind) in ["mf", "biased-mf", "nmf", "gmf", "mlp", "neumf"].into_iter().enumerate() {
        let (run, model) = (format!("runs/c-{}", at + 1), format!("model.kind={kind}"));
        let outcome =
            train(&place, "r.csv", &[&[&*model], &ITEMS[..], &USERS, &HIDDEN, &TITLES, &WHOLE, &QUICK].concat());
        let outcome = outcome.succeeds();
        assert!(outcome.stderr.contains("3 items without ratings are known by their features"), "{outcome:#?}");
        assert!(outcome.stdout.contains("43 users, 33 items"), "{outcome:#?}");
        let pairs = ["u0", "i30", "u0", "i31", "u41", "i1", "u41", "i30", "u42", "i30"];
        let json = place.call(["predict", &run, "--json"].into_iter().chain(pairs)).succeeds().json();
        let predictions: Vec<f64> =
            json.as_array().expect("a list").iter().map(|pair| number(pair, "/prediction")).collect();
        let likes = [true, false, false, false, true];
        for (prediction, likes) in predictions.iter().zip(likes) {
            assert!(if likes { *prediction > 3.5 } else { *prediction < 3.3 }, "{kind}: {predictions:?}");
        }
        assert!(json.as_array().expect("a list").iter().all(|pair| pair["unknown"] == false), "{json}");
        let listed = place.call(["recommend", &run, "u42", "-n", "11", "--json"]).succeeds().json();
        let items = listed["items"].as_array().expect("a list");
        assert!(items.iter().any(|item| item["item"] == "i30" && item["title"] == "Item 30"), "{kind}: {listed}");
        assert!(items.iter().all(|item| number(item, "/prediction") > 3.5), "{kind}: {listed}");
    }
}

#[test]
fn cold_items_and_users_are_evaluated_beside_what_their_features_average() {
    let place = Place::new();
    described(&place);
    let split = |kind| ["data.split.test=0.2", "data.split.validation=0.1", kind];
    for (at, (kind, side)) in [("cold-items", "items"), ("cold-users", "users")].into_iter().enumerate() {
        let run = format!("runs/c-{}", at + 1);
        let split = split(match side {
            "items" => "data.split.kind=cold-items",
            _ => "data.split.kind=cold-users",
        });
        let lists = ["evaluation.metrics=['rmse', 'ndcg@5']"];
        let both = [&ITEMS[..], &USERS, &HIDDEN, &split, &QUICK, &lists].concat();
        let outcome = train(&place, "r.csv", &both).succeeds();
        let summary = place.json(format!("{run}/summary.json"));
        let tested = number(&summary, "/test/count");
        assert_eq!(number(&summary, &format!("/test_cold_{side}")), tested, "{summary}");
        assert_eq!((&summary["test_unknown_users"], &summary["test_unknown_items"]), (&0.into(), &0.into()), "{kind}");
        assert!(outcome.stdout.contains("known by their features alone: the user of "), "{outcome:#?}");
        let rmse = number(&summary, "/test/rmse");
        assert!(rmse < 0.5 * number(&summary, "/baselines/biases/rmse"), "{kind}: {summary}");
        let beside = place.call(["evaluate", &run, "--json"]).succeeds().json();
        assert_eq!(beside["content"], summary["baselines"]["content"], "{kind}");
        assert_eq!(number(&summary, "/baselines/content/ndcg@5") > 0.0, side == "items", "{summary}");
        assert_eq!(beside["model"], summary["test"], "{kind}");
        assert_eq!(number(&beside, &format!("/cold_{side}")), tested);
        // Without features, nothing is known of them.
        let [test, _, kind] = split;
        let plain =
            train(&place, "r.csv", &[&QUICK[..], &[test, kind, &format!("name=plain{at}")]].concat()).succeeds();
        let summary = place.json(format!("runs/plain{at}-1/summary.json"));
        assert_eq!(number(&summary, &format!("/test_unknown_{side}")), number(&summary, "/test/count"), "{plain:#?}");
        assert!(number(&summary, "/test/rmse") > 2.0 * rmse, "{summary}");
        // Both are tested on the same.
        let compared = place.call(["compare", &run, &format!("runs/plain{at}-1")]).succeeds();
        assert!(
            compared.stdout.contains("paired differences") && !compared.stdout.contains("different data"),
            "{compared:#?}"
        );
    }
}

#[test]
fn every_command_reads_a_model_with_features() {
    let place = Place::new();
    described(&place);
    train(&place, "r.csv", &[&ITEMS[..], &USERS, &HIDDEN, &TITLES, &WHOLE, &QUICK].concat()).succeeds();
    let run = "runs/c-1";
    let nearest = place.call(["query", run, "--item", "i30", "-n", "9", "--json"]).succeeds().json();
    let is_alike = |item: &&serde_json::Value| is_of_kind(item, 0);
    assert!(nearest["items"].as_array().expect("a list").iter().filter(is_alike).count() >= 8, "{nearest}");
    let told = ["recommend", run, "--rating", "Item 0=5", "--rating", "Item 1=1", "-n", "9", "--json"];
    let listed = place.call(told).succeeds().json();
    let own = listed["items"].as_array().expect("a list").iter().filter(|item| is_of_kind(item, 0));
    assert!(own.count() >= 8, "{listed}");
    let only = |category: &'static str| ["recommend", run, "u1", "-n", "9", "--json", "--category", category];
    let listed = place.call(only("kinds=odd")).succeeds().json();
    let items = listed["items"].as_array().expect("a list");
    assert!(!items.is_empty() && items.iter().all(|item| is_of_kind(item, 2)), "{listed}");
    place.call(only("kinds=green")).refuses(&["no item has it; values are x, new, odd, old"]);
    place.call(only("age=20")).refuses(&["items have no feature \"age\", but kinds"]);
    place.call(only("odd")).refuses(&["write it as FEATURE=VALUE, such as \"genre=Comedy\""]);
    place.write("new.csv", "user,item,rating\nz,i0,5\nz,i3,5\nz,i1,1\n");
    place.call(["fold-in", run, "new.csv", "--to", "grown"]).succeeds();
    for (run, user) in [("grown", "u41"), (run, "u41")] {
        let listed = place.call(["recommend", run, user, "-n", "3", "--json"]).succeeds().json();
        assert!(number(&listed, "/items/0/prediction") > 3.5, "{listed}");
    }
    place.call(["recommend", "grown", "z", "-n", "3"]).succeeds();
    // For an item without ratings, nothing but the mean, the user's bias and its features add to the score.
    let why = place.call(["explain", run, "Item 30", "--user", "u0", "--json"]).succeeds().json();
    let features = why["features"].as_array().expect("a list");
    assert_eq!(features.iter().map(|of| of["value"].as_str()).collect::<Vec<_>>(), [Some("old"), Some("x")], "{why}");
    let sum: f64 = features.iter().map(|of| number(of, "/adds")).sum();
    let others = number(&why, "/terms/item") + number(&why, "/terms/factors");
    assert!((sum - others).abs() < 1e-4 && sum > 0.5, "{why}");
    let told = place.call(["explain", run, "Item 30", "--user", "u0"]).succeeds();
    assert!(told.stdout.contains("feature of the item") && told.stdout.contains("kinds old"), "{told:#?}");
    place.call(["export", run, "--form", "csv", "--to", "tables"]).succeeds();
    let header = place.text("tables/item_factors.csv");
    assert_eq!(header.lines().count(), 34, "{header}");
    // What features are belongs to the data.
    let resume = ["train", "runs/c-1/config.toml", "--resume"];
    place.call(resume).succeeds();
    place.write("items.csv", place.text("items.csv").replace("old|x", "new|x"));
    place.call(resume).refuses(&["the data changed since this run began"]);
}

#[test]
fn what_features_cannot_be_is_said_with_a_remedy() {
    let place = Place::new();
    described(&place);
    let refuses = |settings: &[&str], texts: &[&str]| {
        train(&place, "r.csv", settings).refuses(texts);
    };
    refuses(&ITEMS[..1], &["data.item_features.path is set, but none of its columns is used; name some in"]);
    refuses(&ITEMS[1..], &["names columns, but their file, data.item_features.path, is missing"]);
    let with = |other: &'static str| [ITEMS[0], ITEMS[1], other];
    refuses(
        &with("solver.kind=als"),
        &["data.item_features needs a solver that takes features (", "is \"als\" (model.kind = \"biased-mf\")"],
    );
    refuses(&with("model.kind=ease"), &["needs a solver that takes features", "but solver.kind is \"ease\""]);
    refuses(&with("data.item_features.numbers=['kinds']"), &["names \"kinds\", which is the name of something else"]);
    refuses(&with("data.item_features.categories=['user']"), &["\"user\", which is the name of something else"]);
    refuses(
        &with("data.item_features.numbers=['name']"),
        &["name of item \"i0\" is \"Item 0 (1990)\": expected a number"],
    );
    let scaled = [ITEMS[0], "data.item_features.numbers=['year']", "data.item_features.bins=0", "model.kind=nmf"];
    refuses(&scaled, &["data.item_features.bins = 0 makes numbers of both signs, but model.kind is \"nmf\""]);
    refuses(&with("data.item_features.categories=['my kind']"), &["features need names of letters, digits"]);
    refuses(
        &with("data.item_features.categories=['colour']"),
        &["no column is called \"colour\"; those of the first line"],
    );
    refuses(
        &with("solver.regularization.kind_factors=1"),
        &["the data have no entity \"kind\", but user, item and kinds"],
    );
    refuses(
        &[USERS[0], USERS[1], "data.split.kind=new-users"],
        &["tells the model of its new users by ratings, not by data.user_features", "\"cold-users\""],
    );
    refuses(
        &["data.item_features.path=users.csv", "data.item_features.categories=['age']"],
        &["has no line for any item of the ratings; set data.item_features.columns"],
    );
    let named = ["data.item_features.columns=['item', '-', 'kinds', 'year']", "data.item_features.numbers=['year']"];
    let outcome = train(&place, "r.csv", &[&with(named[0])[..], &named[1..], &QUICK].concat()).succeeds();
    assert!(
        outcome.stderr.contains("item is column 1 \"item\", kinds column 3 \"kinds\", year column 4"),
        "{outcome:#?}"
    );
}
