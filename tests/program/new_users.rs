//! Users and items that training never saw: taken in, recommended to, evaluated, and explained.

use super::answers::{counts, ratings};
use super::matrices::train;
use super::{Place, number};

/// Two groups that like items of their own, in stars; some ratings are missing.
fn groups(place: &Place) {
    ratings(place, 40, 24, |user, item| {
        let likes = user % 2 == item % 2;
        ((user * 7 + item * 5) % 4 > 0).then_some(if likes { 4.0 } else { 2.0 } + ((user + item / 2) % 2) as f64)
    });
}

/// The ids and predictions of a list.
fn list(json: &serde_json::Value) -> Vec<(String, f64)> {
    let items = json["items"].as_array().expect("a list").iter();
    items.map(|item| (item["item"].as_str().expect("an id").to_string(), number(item, "/prediction"))).collect()
}

const MODELS: [&[&str]; 6] = [
    &["model.kind=biased-mf", "model.rank=4", "solver.kind=als", "train.epochs=10"],
    &["model.kind=biased-mf", "model.rank=4", "solver.kind=stratified"],
    &["model.kind=nmf", "model.rank=4", "solver.kind=als", "train.epochs=10"],
    &["model.kind=mf", "model.rank=4", "loss.kind=bpr", "solver.kind=stratified", "train.epochs=20"],
    &["model.kind=gmf", "model.rank=4", "solver.kind=adam", "solver.learning_rate=0.02", "train.epochs=60"],
    &["model.kind=ease"],
];
/// The places of those among them whose scores only put items in order, and of those that have an exact account.
const OF_ORDER: [usize; 2] = [3, 5];
const EXACT: [usize; 3] = [0, 1, 5];
const EASE: usize = 5;
const WHOLE: &str = "data.split.kind=none";

#[test]
fn a_new_user_gets_what_the_own_group_likes() {
    let place = Place::new();
    groups(&place);
    for (at, model) in MODELS.iter().enumerate() {
        let run = format!("runs/c-{}", at + 1);
        train(&place, "r.csv", &[&[WHOLE], *model].concat()).succeeds();
        let told = if at == EASE { ["i1", "i3", "i5"] } else { ["i1=5", "i3=5", "i4=2"] };
        let call = |told: &[&str]| {
            let told = told.iter().flat_map(|told| ["--rating", told]);
            place.call(["recommend", &run, "-n", "5", "--json"].into_iter().chain(told))
        };
        let json = call(&told).succeeds().json();
        let found = list(&json);
        assert_eq!((found.len(), &json["user"], &json["seen_items"]), (5, &"new".into(), &3.into()), "{json}");
        let is_own = |(id, _): &(String, f64)| id[1..].parse::<usize>().expect("a number") % 2 == 1;
        assert!(found.iter().filter(|item| is_own(item)).count() >= 4, "{model:?}: {found:?}");
        // The same in a file, where others do not change it.
        let lines = match at {
            EASE => "user,item,rating\nx,i1,1\nx,i3,1\ny,i2,1\nx,i5,1\n",
            _ => "user,item,rating\nx,i1,5\nx,i3,5\ny,i2,5\nx,i4,2\n",
        };
        place.write("new.csv", lines);
        let lines =
            place.call(["recommend", &run, "-n", "5", "--history", "new.csv", "--format", "json-lines"]).succeeds();
        let first: serde_json::Value =
            serde_json::from_str(lines.stdout.lines().next().expect("a line")).expect("JSON");
        let of_file = list(&first);
        assert_eq!(first["user"], "x");
        for ((id, prediction), (other, same)) in found.iter().zip(&of_file) {
            assert!(id == other && (prediction - same).abs() < 1e-4, "{model:?}: {found:?} {of_file:?}");
        }
        // In the model for good.
        let to = format!("grown-{at}");
        let told = place.call(["fold-in", &run, "new.csv", "--to", &to]).succeeds();
        assert!(told.stdout.contains("2 new users and 0 new items; 42 users and 24 items in all"), "{told:#?}");
        let kept = list(&place.call(["recommend", &to, "x", "-n", "5", "--json"]).succeeds().json());
        assert_eq!(kept, of_file, "{model:?}");
        let known = |run: &str| list(&place.call(["recommend", run, "u3", "-n", "5", "--json"]).succeeds().json());
        assert_eq!(known(&run), known(&to), "{model:?}: nothing else changed");
        place.call(["fold-in", &run, "new.csv", "--to", &to]).refuses(&["has files already"]);
        place
            .call(["fold-in", &run, "r.csv", "--to", "other"])
            .refuses(&["no user and no item that the model does not"]);
    }
    let refuses = |rating: &str, texts: &[&str]| {
        place.call(["recommend", "runs/c-1", "--rating", rating]).refuses(texts);
    };
    refuses("i1", &["--rating \"i1\": write it as ITEM=RATING, such as \"i1=4\""]);
    refuses("i99=4", &["\"i99\" is the id of none of the 24 items of this model"]);
    refuses("i1=nan", &["this is no number to rate with"]);
    let warned = place.call(["recommend", "runs/c-1", "--rating", "i1=50"]).succeeds();
    assert!(warned.stderr.contains("the model was trained on ratings from 2 to 5"), "{warned:#?}");
    place.call(["recommend", "runs/c-1"]).refuses(&["name the users, or give --all"]);
    place.write("unknown.csv", "user,item,rating\nx,q,5\n");
    place
        .call(["recommend", "runs/c-1", "--history", "unknown.csv"])
        .refuses(&["nothing that was rated is among the 24 items of this model"]);
    let told = place.call(["fold-in", "runs/c-1", "unknown.csv", "--to", "nothing"]);
    told.refuses(&["left out: 1 new users, of which the model knows no items", "nothing is left to take in"]);
    place
        .call(["explain", "grown-0", "i1", "--user", "x"])
        .refuses(&["is not in the data of this run, but was taken in later"]);
    place.call(["explain", "runs/c-1", "i111", "--user", "u1"]).refuses(&["did you mean \"i11\"?"]);
    place.write("some.csv", "user,item,rating\nx,q,5\ny,i1,5\n");
    let told = place.call(["recommend", "runs/c-1", "--history", "some.csv", "-n", "2", "--json"]).succeeds();
    assert!(told.stderr.contains("left out: 1 users who rated no item") && told.json()["user"] == "y", "{told:#?}");
}

#[test]
fn a_new_item_goes_to_those_who_like_its_kind() {
    let place = Place::new();
    groups(&place);
    place.write(
        "new.csv",
        "user,item,rating\nu1,new,5\nu3,new,5\nu2,new,2\nu4,new,2\nz,new,5\nz,i1,5\nz,i2,2\nu1,i2,3\n",
    );
    for (at, model) in MODELS.iter().enumerate().filter(|(at, _)| !OF_ORDER.contains(at)) {
        let (run, to) = (format!("runs/m{at}-1"), format!("grown-{at}"));
        train(&place, "r.csv", &[&[WHOLE, &format!("name=m{at}")], *model].concat()).succeeds();
        let told = place.call(["fold-in", &run, "new.csv", "--to", &to, "--json"]).succeeds();
        let json = told.json();
        assert_eq!(
            (&json["new_users"], &json["new_items"], &json["items"]),
            (&1.into(), &1.into(), &25.into()),
            "{json}"
        );
        assert!(
            told.stderr.contains("left out: 1 ratings of users and items that the model knows both of"),
            "{told:#?}"
        );
        let of = |user: &str| {
            let json = place.call(["predict", &to, user, "new", "--json"]).succeeds().json();
            assert_eq!(json[0]["unknown"], false);
            number(&json[0], "/prediction")
        };
        for (likes, likes_not) in [("u7", "u8"), ("u15", "u6"), ("z", "u10")] {
            assert!(of(likes) > of(likes_not) + 0.2, "{model:?}: {} {}", of(likes), of(likes_not));
        }
        // It is not recommended to those who rated it.
        let items = |user: &str| list(&place.call(["recommend", &to, user, "-n", "25", "--json"]).succeeds().json());
        assert!(items("u7").iter().any(|(id, _)| id == "new") && !items("u1").iter().any(|(id, _)| id == "new"));
    }
    // Nobody's list is compared with what was not met, which the model does not know.
    train(&place, "r.csv", &[&[WHOLE, "name=bpr"], MODELS[3]].concat()).succeeds();
    let told = place.call(["fold-in", "runs/bpr-1", "new.csv", "--to", "ranked"]).succeeds();
    assert!(told.stderr.contains("left out: 1 new items: loss.kind = \"bpr\" compares"), "{told:#?}");
    // Scores over what users met cannot know of it.
    train(&place, "r.csv", &["model.kind=ease", WHOLE, "name=ease"]).succeeds();
    let told = place.call(["fold-in", "runs/ease-1", "new.csv", "--to", "eased"]).succeeds();
    assert!(
        told.stderr.contains("left out: 1 new items: model.kind = \"ease\" scores items by what all users met"),
        "{told:#?}"
    );
    assert!(told.stdout.contains("1 new users and 0 new items"), "{told:#?}");
}

/// Test users wholly unseen, of whom four fifths are given.
#[test]
fn a_split_by_users_is_tested_by_taking_them_in() {
    let place = Place::new();
    let split = ["data.split.kind=new-users", "data.split.test=0.25"];
    for (at, model) in MODELS.iter().enumerate() {
        let is_order = OF_ORDER.contains(&at);
        match is_order {
            true => ratings(&place, 40, 24, |user, item| {
                (user % 2 == item % 2 && (user * 7 + item * 5) % 4 > 0).then_some(1.0)
            }),
            false => groups(&place),
        }
        let own = ["evaluation.metrics=['rmse', 'ndcg@10']", "evaluation.metrics=['ndcg@10']"][usize::from(is_order)];
        train(&place, "r.csv", &[&split[..], &[own], *model].concat()).succeeds();
        let run = format!("runs/c-{}", at + 1);
        let summary = place.json(format!("{run}/summary.json"));
        assert_eq!((&summary["num_users"], &summary["test_unknown_users"]), (&30.into(), &0.into()), "{summary}");
        let evaluated = place.call(["evaluate", &run, "--json"]).succeeds().json();
        let metrics = if is_order { &["ndcg@10"][..] } else { &["ndcg@10", "rmse"] };
        for metric in metrics {
            let own = number(&summary, &format!("/test/{metric}"));
            assert!((own - number(&evaluated, &format!("/model/{metric}"))).abs() < 1e-6, "{metric} {model:?}");
            if *metric == "rmse" {
                assert!(own < 0.9 * number(&summary, "/baselines/global_mean/rmse"), "{model:?}: {summary}");
            } else if is_order {
                assert!(own > 1.2 * number(&summary, "/baselines/popularity/ndcg@10"), "{model:?}: {summary}");
            }
        }
        assert_eq!(number(&evaluated, "/unknown_users"), 0.0);
    }
    // A file of others, and of one whom training saw.
    groups(&place);
    train(&place, "r.csv", &[&[WHOLE, "name=whole"], MODELS[0]].concat()).succeeds();
    place.write(
        "others.csv",
        (0..24)
            .flat_map(|item| (0..6).map(move |user| (user, item)))
            .fold("user,item,rating\nu0,i1,2\n".to_string(), |text, (user, item)| {
                text + &format!("n{user},i{item},{}\n", if user % 2 == item % 2 { 5 } else { 2 })
            }),
    );
    let others =
        place.call(["evaluate", "runs/whole-1", "--data", "others.csv", "--new-users", "0.5", "--json"]).succeeds();
    let json = others.json();
    assert!(others.stderr.contains("left out: 1 users of others.csv whom training saw"), "{others:#?}");
    assert!(number(&json, "/model/rmse") < 0.6 * number(&json, "/global_mean/rmse"), "{json}");
    place.call(["evaluate", "runs/c-1", "--new-users"]).refuses(&["--data"]);
    place.call(["evaluate", "runs/c-1", "--data", "others.csv", "--new-users", "1"]).refuses(&["above 0 and below 1"]);
    train(&place, "r.csv", &[&split[..], &["evaluation.sampled_candidates=9"]].concat())
        .refuses(&["evaluation.sampled_candidates ranks for users of training"]);
}

#[test]
fn lists_of_many_users_go_to_files() {
    let place = Place::new();
    groups(&place);
    train(&place, "r.csv", MODELS[0]).succeeds();
    let one = list(&place.call(["recommend", "runs/c-1", "u4", "-n", "3", "--json"]).succeeds().json());
    let csv = place.call(["recommend", "runs/c-1", "--all", "-n", "3", "--format", "csv"]).succeeds().stdout;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!((lines[0], lines.len()), ("user,item,rank,score,title", 1 + 40 * 3));
    let own: Vec<&&str> = lines.iter().filter(|line| line.starts_with("u4,")).collect();
    for (rank, (line, (id, _))) in (1..).zip(own.iter().zip(&one)) {
        assert!(line.starts_with(&format!("u4,{id},{rank},")), "{line} {id}");
    }
    place.write("some.txt", "\u{feff}u4\r\n\n u7 \n");
    let some =
        place.call(["recommend", "runs/c-1", "--users", "some.txt", "-n", "3", "--format", "json-lines"]).succeeds();
    let of_file: Vec<serde_json::Value> =
        some.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((of_file.len(), list(&of_file[0]), &of_file[1]["user"]), (2, one.clone(), &"u7".into()));
    place.call(["recommend", "runs/c-1", "--all"]).refuses(&["need --format csv or json-lines"]);
    place.call(["recommend", "runs/c-1", "u1", "u2", "--json"]).refuses(&["take --format json-lines"]);
    place.call(["recommend", "runs/c-1", "--all", "-n", "3", "--format", "csv", "--to", "lists.csv"]).succeeds();
    assert_eq!(place.text("lists.csv"), csv);
    place.call(["recommend", "runs/c-1", "u4", "--format", "table", "--to", "t"]).refuses(&["--to writes the formats"]);
    place.call(["recommend", "runs/c-1", "u4", "--format", "parquet"]).refuses(&["needs a name: --to FILE"]);
    // Which items.
    place.write("allowed.txt", "i1\ni2\ni3\nnone\n");
    place.write("denied.txt", "i2\n");
    let of = |rest: &[&str]| {
        let call = ["recommend", "runs/c-1", "u4", "--keep-seen", "-n", "24", "--json"];
        let outcome = place.call(call.iter().chain(rest)).succeeds();
        let mut ids: Vec<String> = list(&outcome.json()).into_iter().map(|(id, _)| id).collect();
        ids.sort();
        (ids, outcome.stderr)
    };
    let (allowed, told) = of(&["--allow", "allowed.txt"]);
    assert_eq!(allowed, ["i1", "i2", "i3"]);
    assert!(told.contains("allowed.txt: 1 of 4 ids are no items of this model"), "{told}");
    assert_eq!(of(&["--allow", "allowed.txt", "--deny", "denied.txt"]).0, ["i1", "i3"]);
    assert_eq!(of(&["--deny", "denied.txt"]).0.len(), 23);
    place.write("none.txt", "q\n");
    place.call(["recommend", "runs/c-1", "u4", "--deny", "none.txt"]).refuses(&["none of its ids is an item"]);
    // Other orders of the same items.
    for rest in [["--diversity", "1"], ["--popularity-penalty", "100"]] {
        let call = ["recommend", "runs/c-1", "u4", "--keep-seen", "-n", "10", "--json"];
        let found = list(&place.call(call.iter().chain(&rest)).succeeds().json());
        let plain = list(&place.call(call).succeeds().json());
        assert!(found.len() == 10 && found != plain, "{rest:?}: {found:?}");
    }
    place.call(["recommend", "runs/c-1", "u4", "--diversity", "2"]).refuses(&["a number from 0 to 1"]);
}

#[test]
fn what_adds_to_a_score_is_told() {
    let place = Place::new();
    groups(&place);
    place
        .write("titles.csv", (0..24).fold("item,title\n".to_string(), |text, at| text + &format!("i{at},Film {at}\n")));
    for (at, model) in MODELS.iter().enumerate() {
        let run = format!("runs/c-{}", at + 1);
        train(&place, "r.csv", &[&["data.titles.path=titles.csv", WHOLE], *model].concat()).succeeds();
        let json = place.call(["explain", &run, "Film 2", "--user", "u4", "-n", "99", "--json"]).succeeds().json();
        let items = json["items"].as_array().expect("items");
        let sum: f64 = items.iter().map(|item| number(item, "/adds")).sum();
        assert_eq!(
            json["attribution"],
            if EXACT.contains(&at) { "exact" } else { "leave-one-out" },
            "{model:?}: {json}"
        );
        let predicted = place.call(["predict", &run, "u4", "i2", "--json"]).succeeds().json();
        let (told, known) = (number(&json, "/prediction"), number(&predicted[0], "/prediction"));
        assert_eq!(number(&json, "/model_prediction"), known, "{json}");
        assert!(OF_ORDER[0] == at || (told - known).abs() < 0.5, "{model:?}: {told} {known}");
        if at < 2 {
            let of_user = number(&json, "/terms/user") + number(&json, "/terms/factors");
            assert!((sum - of_user).abs() < 1e-3, "{model:?}: {sum} {of_user}");
            let all: f64 = json["terms"].as_object().expect("terms").values().filter_map(|term| term.as_f64()).sum();
            assert!((all - number(&json, "/score")).abs() < 1e-4, "{json}");
            let factors: f64 =
                json["factors"].as_array().expect("factors").iter().map(|factor| number(factor, "/adds")).sum();
            assert!((factors - number(&json, "/terms/factors")).abs() < 1e-4, "{json}");
        }
        if at == EASE {
            assert!((sum - number(&json, "/score")).abs() < 1e-5, "{json}");
        }
        let text = place.call(["explain", &run, "i2", "--user", "u4", "-n", "3"]).succeeds().stdout;
        assert!(text.starts_with("Film 2 for user u4: prediction ") && text.contains("because of"), "{text}");
        let rating = if at == EASE { "Film 4" } else { "Film 4=5" };
        let new = place.call(["explain", &run, "i2", "--rating", rating]).succeeds().stdout;
        assert!(new.starts_with("Film 2 for a new user: prediction ") && new.contains("Film 4"), "{new}");
    }
    place.call(["explain", "runs/c-1", "i2"]).refuses(&["--user"]);
    place.call(["explain", "runs/c-1", "Film 77", "--user", "u4"]).refuses(&["did you mean \"Film 7\"?"]);
    place.call(["explain", "runs/c-1", "i2", "--user", "nobody"]).refuses(&["\"nobody\" is not among the 40 users"]);
    std::fs::copy(place.path("runs/c-1/model.safetensors"), place.path("m.safetensors")).expect("copied");
    place.call(["explain", "m.safetensors", "i2", "--user", "u4"]).refuses(&["name its directory"]);
    // However much a user met, the terms of a sum add up.
    ratings(&place, 8, 300, |user, item| ((user + item) % 8 > 1).then_some(1.0));
    train(&place, "r.csv", &["model.kind=ease", "name=many", WHOLE]).succeeds();
    let json = place.call(["explain", "runs/many-1", "i3", "--user", "u1", "-n", "999", "--json"]).succeeds().json();
    let items = json["items"].as_array().expect("items");
    let sum: f64 = items.iter().map(|item| number(item, "/adds")).sum();
    assert!(items.len() > 220 && (sum - number(&json, "/score")).abs() < 1e-4, "{} {sum} {json}", items.len());
    counts(&place);
    train(&place, "r.csv", &["model.kind=mf", "solver.kind=als", "solver.feedback=implicit", "name=i"]).succeeds();
    let json = place.call(["explain", "runs/i-1", "i3", "--user", "u1", "-n", "99", "--json"]).succeeds().json();
    let sum: f64 = json["items"].as_array().expect("items").iter().map(|item| number(item, "/adds")).sum();
    assert!(json["attribution"] == "exact" && (sum - number(&json, "/score")).abs() < 1e-4, "{json}");
}

/// What the forms hold is read from Python in python/tests/test_export.py.
#[test]
fn models_are_written_in_the_forms_of_others() {
    let place = Place::new();
    groups(&place);
    train(&place, "r.csv", MODELS[0]).succeeds();
    let export = |run: &str, form: &str| place.call(["export", run, "--to", &format!("as-{form}"), "--form", form]);
    for (form, files) in [
        ("npy", &["user_factors.npy", "item_biases.npy", "user.csv", "item.csv"][..]),
        ("csv", &["user_factors.csv", "item_factors.csv"]),
        ("word2vec", &["user_factors.txt", "item_factors.txt"]),
        ("projector", &["user_factors.tensor.tsv", "projector_config.pbtxt"]),
        ("index", &["users.npy", "items.npy", "users_offset.npy", "index.json", "user.csv", "item.csv"]),
    ] {
        export("runs/c-1", form).succeeds();
        for file in files {
            assert!(place.path(format!("as-{form}")).join(file).is_file(), "{form} {file}");
        }
    }
    let vectors = place.text("as-word2vec/item_factors.txt");
    assert!(vectors.starts_with("24 4\n") && vectors.lines().count() == 25, "{vectors}");
    let table = place.text("as-csv/item_factors.csv");
    assert!(table.starts_with("id,title,bias,factor_1,factor_2,factor_3,factor_4\n"), "{table}");
    train(&place, "r.csv", &["model.kind=ease", "name=ease"]).succeeds();
    export("runs/ease-1", "csv").refuses(&["model.kind = \"ease\" has no factors of users or items"]);
    export("runs/ease-1", "index").refuses(&["no inner products"]);
    place.call(["export", "runs/c-1", "--to", "x", "--form", "onnx"]).refuses(&["word2vec"]);
}
