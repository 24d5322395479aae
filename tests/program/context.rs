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
    // An hour is worth a point, and the weather nothing.
    let effects = place.text("runs/c-1/effects.csv");
    let effect = |value: &str| -> f64 {
        let line = effects.lines().find(|line| line.split(',').nth(1) == Some(value)).expect("a value");
        line.rsplit(',').next().expect("an effect").parse().expect("a number")
    };
    assert!((effect("night") - effect("morning") - 2.0).abs() < 0.6, "{effects}");
    assert!((effect("wet") - effect("dry")).abs() < 0.6, "{effects}");
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
    // For whom, and when: all users at noon, or the lines of a file.
    let all = with(&["score", "runs/c-1", "i3", "-n", "0", "--json"]).succeeds().json();
    let of = |json: &serde_json::Value| -> Vec<f64> {
        json.as_array().expect("a list").iter().map(|own| number(own, "/prediction")).collect()
    };
    assert!(of(&all).len() == 12 && of(&all).is_sorted_by(|one, next| one >= next), "{all}");
    assert_eq!((all[0]["hour"].as_str(), all[0]["weather"].as_str()), (Some("noon"), Some("wet")));
    place.write(
        "whom.csv",
        "user,item,rating,hour,weather\nu1,?,0,morning,dry\nu1,?,0,night,dry\nu1,?,0,night,\nnobody,?,0,noon,dry\n",
    );
    let lines = place.call(["score", "runs/c-1", "i1", "--file", "whom.csv", "--json"]).succeeds().json();
    let known = |at: usize| {
        lines.as_array().expect("a list").iter().find(|own| own["hour"] == ["morning", "night"][at]).expect("one")
    };
    assert!(number(known(1), "/prediction") > number(known(0), "/prediction"), "{lines}");
    assert!((number(known(0), "/prediction") - predicted("morning")).abs() < 1e-5);
    let table = place.call(["score", "runs/c-1", "i1", "--file", "whom.csv", "-n", "2"]).succeeds();
    assert!(table.stdout.starts_with("   user  hour") && table.stdout.lines().count() == 3, "{table:#?}");
    assert!(table.stderr.contains("not seen in training: the user of 1"), "{table:#?}");
    place.call(["score", "runs/c-1", "i1"]).refuses(&["add --context hour=ID"]);
    place
        .call(["score", "runs/c-1", "i77", "--context", "hour=noon", "--context", "weather=wet"])
        .refuses(&["\"i77\" is the id of none"]);
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

/// Ratings that rise with a price, with tags that are worth 1, 2 and 4 together, and at night.
fn described() -> String {
    let mut text = String::from("user,item,rating,timestamp,tags,price,place\n");
    for at in 0..600_u32 {
        let tags = ["x", "x|y", "y|z", "z", "y"][at as usize % 5];
        let worth: f64 = tags.split('|').map(|tag| f64::from([1, 2, 4]["xyz".find(tag).expect("a tag")])).sum();
        let (price, hour) = (at * 7 % 10, at % 24);
        let rating = worth / 2.0 + f64::from(price) / 5.0 + if hour < 6 { 2.0 } else { 0.0 };
        let place = if at % 50 == 0 { String::new() } else { format!("p{}", at % 37) };
        text += &format!("u{},i{},{rating},{},{tags},{price}.5,{place}\n", at % 12, at % 7, at * 3600);
    }
    text
}

const DESCRIBED: &str = "name = 'd'\n\
    data.path = 'd.csv'\ndata.context = ['tags', 'price', 'place']\ndata.duplicates = 'keep'\n\
    data.split = { kind = 'random', test = 0.2 }\n\
    data.context_columns = { lists = ['tags'], numbers = ['price'], bins = 5, hashed = ['place'], buckets = 8, times = ['hour', 'gap'] }\n\
    model = { kind = 'fm', rank = 2, init_std = 0.05 }\n\
    solver = { learning_rate = 0.05, batch_size = 64, regularization = { tags_factors = 0.0, tags_biases = 0.0, price_biases = 0.0 } }\n\
    train = { epochs = 60, checkpoint_every = 1 }\n";

#[test]
fn columns_hold_lists_numbers_and_times() {
    let place = Place::new();
    place.write("d.csv", described());
    place.write("d.toml", DESCRIBED);
    let trained = place.call(["train", "d.toml", "--json"]).succeeds();
    let summary = trained.json();
    let (found, biases) = (number(&summary, "/test/rmse"), number(&summary, "/baselines/biases/rmse"));
    assert!(found < 0.4 * biases, "{found} and {biases}");
    assert!(
        trained.stderr.contains("place: 37 words share 8 of 8 values, 29 of them with an earlier one"),
        "{trained:#?}"
    );
    let fixed = ["gap=under an hour", "place=p1"];
    let predicted = |own: &[&str]| -> f64 {
        let told = own.iter().chain(&fixed).flat_map(|told| ["--context", told]);
        let call = ["predict", "runs/d-1", "u1", "i1", "--json"].into_iter().chain(told);
        number(&place.call(call).succeeds().json(), "/0/prediction")
    };
    // Tags that no rating has together, a price that none has, an hour by the moment.
    let dear = predicted(&["tags=x|z", "price=9.9", "hour=12"]);
    assert!(dear > predicted(&["tags=x", "price=9.9", "hour=12"]) + 0.5);
    assert!(dear > predicted(&["tags=x|z", "price=0", "hour=12"]) + 0.8);
    assert!(predicted(&["tags=x|z", "price=9.9", "timestamp=2020-01-01 03:30"]) > dear + 1.0);
    assert_eq!(predicted(&["tags=x|z", "price=9.9", "timestamp=2020-01-01 12:30"]), dear);
    assert_eq!(predicted(&["tags=x|z", "price=8.5 to 9.5", "hour=12"]), dear);
    let call = |told: &[&str]| {
        let told = told.iter().flat_map(|told| ["--context", told]);
        place.call(["recommend", "runs/d-1", "u1", "--keep-seen", "-n", "3"].into_iter().chain(told))
    };
    call(&["tags=x|z", "price=1", "timestamp=3600", "gap=first", "place=new"]).succeeds();
    call(&["tags=x", "price=cheap", "hour=1", "gap=first", "place=p1"])
        .refuses(&["--context price=cheap: expected a number"]);
    call(&["tags=x", "price=1", "timestamp=soon", "gap=first", "place=p1"])
        .refuses(&["--context timestamp=soon: write it as"]);
    call(&["tags=x", "price=1", "timestamp=5", "place=p1"]).refuses(&["add --context gap=ID"]);
    // A file, with the run and with its model alone.
    place.write(
        "new.csv",
        "user,item,rating,timestamp,tags,price,place\nu1,i1,1,43200,x|z,9.9,p1\nu1,i1,1,43201,x,NA,p1\nu2,i1,1,43200,unheard,9.9,p1\n",
    );
    let of_file = |run: &str| place.call(["predict", run, "--file", "new.csv", "--json"]).succeeds();
    let outcome = of_file("runs/d-1");
    let json = outcome.json();
    assert!(outcome.stderr.contains("gap: of each user's interactions, those in this file count"), "{outcome:#?}");
    assert!((number(&json, "/0/prediction") - dear).abs() < 1.0, "{json} and {dear}");
    assert_ne!(json.pointer("/0/prediction"), json.pointer("/1/prediction"));
    std::fs::copy(place.path("runs/d-1/model.safetensors"), place.path("alone.safetensors")).expect("a copy");
    assert_eq!(of_file("alone.safetensors").json(), json);
    let again = place.call(["evaluate", "runs/d-1", "--json"]).succeeds().json();
    assert_eq!(again.pointer("/model/rmse"), summary.pointer("/test/rmse"), "{again}");
    let of_file = place.call(["evaluate", "runs/d-1", "--data", "d.csv", "--json"]).succeeds().json();
    assert!(number(&of_file, "/model/rmse") < found, "{of_file}");
    place.call(["explain", "runs/d-1", "i3", "--user", "u1"]).succeeds();
    place.call(["export", "runs/d-1", "--to", "arrays"]).succeeds();
    place.call(["train", "d.toml", "--resume", "--quiet"]).succeeds();
}

#[test]
fn columns_that_are_not_what_they_are_called_are_refused() {
    let place = Place::new();
    place.write("d.csv", described());
    place.write("d.toml", DESCRIBED);
    let train = |setting: &str| place.call(["train", "d.toml", "--quiet", "--set", setting]);
    train("data.context_columns.numbers=['tags']").refuses(&["data.context_columns names \"tags\" twice"]);
    train("data.context_columns.numbers=['prise']")
        .refuses(&["names \"prise\", which data.context does not; did you mean \"price\"?"]);
    train("data.context_columns.times=['houre']").refuses(&["names \"houre\"", "did you mean \"hour\"?"]);
    train("data.context_columns.hashed=['price']").refuses(&["names \"price\" twice"]);
    train("model.kind=biased-mf").refuses(&["data.context is set, but biased-mf does not use a context"]);
    train("solver.kind=gibbs").refuses(&["data.context_columns.lists", "gibbs"]);
    place
        .call([
            "train",
            "d.toml",
            "--quiet",
            "--set",
            "data.columns=['user', 'item', 'rating', '-', 'tags', 'price', 'place']",
        ])
        .refuses(&["data.context_columns.times needs times, but the data have none"]);
    place.write("d.csv", described().replacen(",7.5,", ",dear,", 1));
    let line = described().lines().position(|line| line.contains(",7.5,")).expect("a price") + 1;
    train("seed=1").refuses(&[&format!("d.csv:{line}"), "price is \"dear\": expected a number"]);
}

#[test]
fn json_lines_and_libsvm_have_contexts() {
    let place = Place::new();
    let (mut lines, mut indices) = (String::new(), String::new());
    for line in described().lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let tags: Vec<String> = cells[4].split('|').map(|tag| format!("\"{tag}\"")).collect();
        lines += &format!(
            "{{\"user\": \"{}\", \"item\": \"{}\", \"rating\": {}, \"tags\": [{}]}}\n",
            cells[0],
            cells[1],
            cells[2],
            tags.join(", ")
        );
        let tags = cells[4].split('|').map(|tag| format!(" {}:1", 20 + "xyz".find(tag).expect("a tag")));
        indices += &format!(
            "{} {}:1 {}:1{}\n",
            cells[2],
            &cells[0][1..],
            12 + &cells[1][1..].parse::<u32>().expect("a number"),
            tags.collect::<String>()
        );
    }
    place.write("d.jsonl", lines);
    place.write("d.libsvm", indices);
    let model = "model = { kind = 'fm', rank = 2 }\nsolver = { learning_rate = 0.05, batch_size = 64 }\ntrain.epochs = 20\n\
                 data.context = ['tags']\ndata.duplicates = 'keep'\ndata.context_columns.lists = ['tags']\n";
    let errors = [("d.jsonl", "json-lines", ""), ("d.libsvm", "libsvm", "data.field_starts = [0, 12, 20]\n")].map(
        |(file, format, more)| {
            place.write("d.toml", format!("name = '{format}'\n{model}{more}"));
            let given =
                ["--set", &format!("data.path={file}"), "--set", &format!("data.format={format}")].map(String::from);
            let call = ["train", "d.toml", "--quiet", "--json"].map(String::from).into_iter().chain(given);
            number(&place.call(call).succeeds().json(), "/test/rmse")
        },
    );
    // The same data, numbered alike.
    assert_eq!(errors[0], errors[1]);
    place.write(
        "d.toml",
        format!("{model}data.field_starts = [0, 12, 20]\n").replace("data.context_columns.lists = ['tags']\n", ""),
    );
    place.call(["train", "d.toml", "--set", "data.path=d.libsvm", "--set", "data.format=libsvm"]).refuses(&[
        "d.libsvm:2",
        "tags has several values in a cell",
        "data.context_columns.lists",
    ]);
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
    // What training counts are losses: a score is no probability.
    let epochs = String::from_utf8(place.read("runs/c-1/metrics.jsonl")).expect("text");
    let first: serde_json::Value = serde_json::from_str(epochs.lines().next().expect("an epoch")).expect("JSON");
    assert!(first["train"]["loss"].is_number() && first["train"]["rmse"].is_null(), "{first}");
    let decided = place.call(["evaluate", "runs/c-1", "--thresholds", "--json"]).succeeds().json();
    let at = |place: usize, name: &str| number(&decided, &format!("/thresholds/{place}/{name}"));
    // Nine tenths and the best.
    assert!((0..9).all(|place| at(place, "recall") >= at(place + 1, "recall") && at(place, "share") >= at(place + 1, "share")), "{decided}");
    assert!((0..10).any(|place| at(place, "f1") > 0.8), "{decided}");
    let groups = decided["calibration"].as_array().expect("a curve");
    let error: f64 = groups
        .iter()
        .map(|own| (number(own, "/predicted") - number(own, "/observed")).abs() * number(own, "/count"))
        .sum();
    assert!((error / 24.0 - of("/test/calibration-error")).abs() < 1e-6, "{decided}");
    let text = place.call(["evaluate", "runs/c-1", "--thresholds"]).succeeds().stdout;
    assert!(
        text.contains("threshold  share above  precision  recall") && text.contains("predicted  observed  ratings"),
        "{text}"
    );
    let other = ["c.toml", "--set", "loss.kind=squared", "--set", "evaluation.metrics=['log-loss']"];
    place
        .call(["train"].into_iter().chain(other).chain(["--set", "train.early_stopping.metric=log-loss"]))
        .refuses(&["log-loss is of probabilities, but with loss.kind = \"squared\" predictions are none"]);
}

#[test]
fn rare_positives_that_count_more_leave_predictions_probabilities() {
    let place = Place::new();
    // One in twenty is clicked, nearly all of one item.
    let line = |at: usize| {
        let clicked = at * 7 % 17 == 3 && at % 29 < 25;
        format!("u{},i{},{}\n", at % 23, at * 7 % 17, u8::from(clicked))
    };
    place.write("r.csv", format!("user,item,rating\n{}", (0..3000).map(line).collect::<String>()));
    place.write(
        "w.toml",
        "data = { path = 'r.csv', duplicates = 'keep' }\nmodel = { kind = 'biased-mf', rank = 2 }\nloss.kind = 'logistic'\n\
         solver = { learning_rate = 0.02, batch_size = 128 }\ntrain.epochs = 15\n",
    );
    let told = |weight: &str| {
        let setting = format!("loss.positive_weight={weight}");
        place.call(["train", "w.toml", "--quiet", "--json", "--set", &setting]).succeeds().json()
    };
    let [plain, weighted] = ["1", "20"].map(told);
    // Probabilities as they are, though scores are higher by ln 20; without the correction they would be off by a third and more.
    assert!(number(&weighted, "/test/calibration-error") < 0.05, "{weighted}");
    let [plain, weighted] = [&plain, &weighted].map(|summary| number(summary, "/test/roc-auc"));
    assert!(plain > 0.9 && weighted > 0.9, "{plain} {weighted}");
}
