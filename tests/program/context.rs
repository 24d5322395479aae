//! Factorization machines: columns beside user and item, and probabilities.

use super::{Place, number};

/// Ratings of which a third of the spread is the hour's: 12 users, 10 items, 3 hours; now and then the hour is not known.
fn ratings() -> String {
    let mut text = String::from("user,item,rating,hour,weather\n");
    for user in 0..12 {
        for item in 0..10 {
            let hour = (user * item + item) % 3;
            let rating = 1.0 + f64::from((user + item) % 3) + f64::from(hour);
            let name = if (user + 2 * item) % 19 == 0 { "" } else { ["morning", "noon", "night"][hour as usize] };
            text += &format!("u{user},i{item},{rating},{name},{}\n", ["dry", "wet"][(user as usize + 1) % 2]);
        }
    }
    text
}

const CONFIG: &str = "name = 'c'\n\
    data.path = 'r.csv'\ndata.context = ['hour', 'weather']\ndata.split = { kind = 'random', test = 0.2 }\n\
    model = { kind = 'fm', rank = 3, init_std = 0.1 }\n\
    solver.learning_rate = 0.05\nsolver.batch_size = 32\n\
    solver.regularization = { hour_factors = 0.0, hour_biases = 0.0 }\n\
    train = { epochs = 40, checkpoint_every = 1 }\n";

#[test]
fn every_command_takes_a_context() {
    let place = Place::new();
    place.write("r.csv", ratings());
    place.write("c.toml", CONFIG);
    let summary = place.call(["train", "c.toml", "--quiet", "--json"]).succeeds().json();
    // Without the hour, a third of the spread would be left.
    let (found, biases) = (number(&summary, "/test/rmse"), number(&summary, "/baselines/biases/rmse"));
    assert!(found < 0.6 * biases, "{found} and {biases}");
    let context = |hour: &str| [format!("hour={hour}"), "weather=dry".to_string()];
    let predicted = |hour: &str| -> f64 {
        let [hour, weather] = context(hour);
        let call = ["predict", "runs/c-1", "u1", "i1", "--context", &hour, "--context", &weather, "--json"];
        number(&place.call(call).succeeds().json(), "/0/prediction")
    };
    assert!(predicted("night") > predicted("morning") + 0.5);
    let with = |call: &[&str]| {
        let told = ["--context", "hour=noon", "--context", "weather=wet"];
        place.call(call.iter().chain(&told).copied().collect::<Vec<_>>())
    };
    with(&["recommend", "runs/c-1", "u1", "--keep-seen", "-n", "3"]).succeeds();
    with(&["recommend", "runs/c-1", "--all", "--keep-seen", "-n", "3", "--format", "csv"]).succeeds();
    with(&["recommend", "runs/c-1", "--rating", "i1=5", "--rating", "i2=1", "-n", "3"]).succeeds();
    with(&["explain", "runs/c-1", "i3", "--user", "u1"]).succeeds();
    place.call(["recommend", "runs/c-1", "u1"]).refuses(&["add --context hour=ID"]);
    place.call(["predict", "runs/c-1", "u1", "i1", "--context", "day=1"]).refuses(&["this model has hour and weather"]);
    place.call(["train", "c.toml", "--resume", "--quiet"]).succeeds();
    let again = place.call(["evaluate", "runs/c-1", "--json"]).succeeds().json();
    assert_eq!(again.pointer("/model/rmse"), summary.pointer("/test/rmse"), "{again}");
    place.call(["predict", "runs/c-1", "--file", "r.csv", "--json"]).succeeds();
    place.call(["export", "runs/c-1", "--to", "arrays"]).succeeds();
    let files = place.files();
    for name in ["hour_factors", "item_biases", "weather_factors"] {
        assert!(files.contains(&format!("arrays/{name}.npy")), "{files:?}");
    }
    // An hour that training never saw, and none: they add nothing, and the rest is still the model's.
    place.write("new.csv", "user,item,rating,hour,weather\nu1,i1,3,dusk,dry\nu1,i1,3,,dry\nnobody,i1,3,noon,dry\n");
    let json = place.call(["predict", "runs/c-1", "--file", "new.csv", "--json"]).succeeds().json();
    let [dusk, none] = [0, 1].map(|at| number(&json, &format!("/{at}/prediction")));
    assert_eq!(dusk, none, "{json}");
    assert_ne!(dusk, number(&json, "/2/prediction"), "{json}");
}

#[test]
fn what_happened_in_other_contexts_is_not_repeated() {
    let place = Place::new();
    place.write(
        "r.csv",
        "user,item,rating,hour\na,x,1,noon\na,x,2,night\na,x,4,noon\nb,x,3,noon\nb,y,5,\nb,y,2,\na,y,3,noon\n",
    );
    let train = |settings: &[&str]| {
        let given = ["--set", "data.split.kind=none", "--set", "data.path=r.csv"];
        let own = settings.iter().flat_map(|setting| ["--set", setting]);
        place.write("c.toml", "train.epochs = 1\n");
        place.call(["train", "c.toml", "--json"].into_iter().chain(given).chain(own).collect::<Vec<_>>())
    };
    let context = ["model.kind=fm", "data.context=['hour']"];
    let merged = train(&context).succeeds();
    assert!(
        merged.stderr.contains("2 ratings repeated a user and item rated before in the same context"),
        "{merged:#?}"
    );
    assert_eq!(number(&merged.json(), "/num_ratings"), 5.0);
    assert_eq!(number(&train(&["model.kind=mf"]).succeeds().json(), "/num_ratings"), 4.0);
    // Each by itself, for solvers that take them so.
    let keep = "data.duplicates=keep";
    assert_eq!(number(&train(&[&context[..], &[keep]].concat()).succeeds().json(), "/num_ratings"), 7.0);
    assert_eq!(
        number(&train(&["model.kind=biased-mf", "solver.kind=als", keep]).succeeds().json(), "/num_ratings"),
        7.0
    );
    train(&["model.kind=ease", keep]).refuses(&["data.duplicates = \"keep\" needs a solver", "\"ease\""]);
}

#[test]
fn context_and_features_go_together() {
    let place = Place::new();
    place.write("r.csv", ratings());
    let kinds =
        (0..10).map(|item| format!("i{item},k{}|k{},{}\n", item % 3, item % 4, 2000 + item)).collect::<String>();
    place.write("items.csv", format!("item,kinds,year\n{kinds}i99,k1,2003\n"));
    let features = "data.item_features = { path = 'items.csv', lists = ['kinds'], numbers = ['year'] }\n";
    place.write("c.toml", format!("{CONFIG}{features}"));
    place.call(["train", "c.toml", "--quiet"]).succeeds();
    let call = |item: &str, hour: &str| {
        let call = ["predict", "runs/c-1", "u1", item, "--context", hour, "--context", "weather=dry", "--json"];
        number(&place.call(call).succeeds().json(), "/0/prediction")
    };
    // What has no rating is known by its features, in every context.
    assert!(call("i99", "hour=night") > call("i99", "hour=morning") + 0.3);
}

#[test]
fn probabilities_are_judged_as_such() {
    let place = Place::new();
    place.write("r.csv", ratings());
    place.write("c.toml", format!("{CONFIG}loss.kind = 'logistic'\ndata.binarize = 3\n"));
    let summary = place.call(["train", "c.toml", "--quiet", "--json"]).succeeds().json();
    let of = |path: &str| number(&summary, path);
    assert!(of("/test/roc-auc") > 0.9 && of("/test/average-precision") > 0.9, "{summary}");
    assert!((of("/test/log-loss") - of("/test/loss")).abs() < 1e-5, "{summary}");
    assert!(of("/test/log-loss") < of("/baselines/biases/log-loss"), "{summary}");
    assert!((0.0..0.5).contains(&of("/test/calibration-error")), "{summary}");
    let other = ["c.toml", "--set", "loss.kind=squared", "--set", "evaluation.metrics=['log-loss']"];
    place
        .call(["train"].into_iter().chain(other).chain(["--set", "train.early_stopping.metric=log-loss"]))
        .refuses(&["log-loss is of probabilities, but with loss.kind = \"squared\" predictions are none"]);
}
