//! Links of graphs: held-out edges beside pairs that are none, scores in closed form, new links, classes.

use std::collections::BTreeSet;

use super::{Place, number};

/// The config of a recipe.
fn recipe(name: &str) -> String {
    format!("{}/configs/recipes/{name}.toml", env!("CARGO_MANIFEST_DIR"))
}

/// Locks and keys of six kinds, most of which that fit are known. No two keys and no two locks fit.
fn locks() -> String {
    let edges = (0..60).flat_map(|lock| (0..60).map(move |key| (lock, key)));
    let known = edges.filter(|(lock, key)| lock % 6 == key % 6 && (lock / 6 * 7 + key / 6 * 5) % 3 != 0);
    known.map(|(lock, key)| format!("lock{lock} key{key}\n")).collect()
}

const SMALL: [&str; 5] = [
    "data.path=e.txt",
    "model.rank=12",
    "solver.batch_size=64",
    "solver.regularization.user_factors=0.06",
    "train.early_stopping.patience=20",
];

#[test]
fn edges_are_told_from_other_pairs_though_joined_nodes_are_unlike() {
    let place = Place::new();
    place.write("e.txt", locks());
    place.write("titles.csv", "item,title\nlock0,Front door\n");
    let config = recipe("links");
    let settings = ["data.titles.path=titles.csv"].into_iter().chain(SMALL).flat_map(|setting| ["--set", setting]);
    let summary = place.call(["train", &config, "--json", "--quiet"].into_iter().chain(settings)).succeeds().json();
    assert!(number(&summary, "/test/roc-auc") > 0.9, "{summary}");
    let links = summary["baselines"]["links"].as_array().expect("scores in closed form");
    let auc = |name: &str| {
        let of = links.iter().find(|of| of["name"].as_str().is_some_and(|own| own.starts_with(name)));
        number(of.expect("a score"), "/scores/roc-auc")
    };
    // Two ends of an edge never have a neighbour in common.
    assert!(auc("common") < 0.5 && auc("paths of length 3") > 0.9 && auc("spectral") > 0.8, "{links:?}");

    // What was held out can be checked: edges are edges, and the others are none.
    let edges: BTreeSet<(String, String)> = locks()
        .lines()
        .map(|line| line.split_once(' ').expect("two nodes"))
        .map(|(one, other)| (one.to_owned(), other.to_owned()))
        .collect();
    let is_edge = |one: &str, other: &str| {
        let has = |one: &str, other: &str| edges.contains(&(one.to_owned(), other.to_owned()));
        has(one, other) || has(other, one)
    };
    let held_out = place.text("runs/links-1/held-out-links.csv");
    let mut counts = [0, 0];
    for line in held_out.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        assert_eq!(is_edge(fields[1], fields[2]), fields[3] == "1", "{line}");
        counts[usize::from(fields[3] == "1")] += usize::from(fields[0] == "test");
    }
    assert_eq!(counts, [40, 40]);

    // New links are none of the edges, whatever part they are in.
    let new = place.text("runs/links-1/new-links.csv");
    assert!(new.starts_with("node,neighbour,score,title,title of neighbour\n"), "{new}");
    let pairs: Vec<(&str, &str)> = new.lines().skip(1).map(|line| line.split_once(',').expect("fields")).collect();
    assert!(
        pairs.len() == 200
            && pairs.iter().all(|(one, rest)| {
                let other = rest.split(',').next().expect("a node");
                *one != other && !is_edge(one, other)
            })
    );

    let list = place.call(["recommend", "runs/links-1", "lock1", "-n", "5", "--json"]).succeeds().json();
    let items: Vec<&str> =
        list["items"].as_array().expect("a list").iter().filter_map(|item| item["item"].as_str()).collect();
    assert!(items.len() == 5 && items.iter().all(|item| *item != "lock1" && !is_edge("lock1", item)), "{list}");

    let classes = (0..60).map(|node| format!("lock{node}\tkind{0}\nkey{node}\tkind{0}\n", node % 6));
    place.write("kinds.tsv", classes.collect::<String>());
    let told = place.call(["evaluate", "runs/links-1", "--classes", "kinds.tsv", "--json"]).succeeds().json();
    assert!(number(&told, "/accuracy") > 0.9 && number(&told, "/majority") < 0.2, "{told}");
    place
        .call(["evaluate", "runs/links-1", "--classes", "kinds.tsv", "--class-columns", "id,kind"])
        .refuses(&["\"class\""]);

    // Its own test part comes out again.
    let again = place.call(["evaluate", "runs/links-1", "--json"]).succeeds().json();
    assert_eq!(number(&again, "/model/roc-auc"), number(&summary, "/test/roc-auc"), "{again}");
}

#[test]
fn other_models_take_edges_too_and_a_symmetric_one_takes_nothing_else() {
    let place = Place::new();
    place.write("e.txt", locks());
    let config = recipe("complexes");
    let settings = ["data.path=e.txt", "model.rank=6"].into_iter().flat_map(|setting| ["--set", setting]);
    let summary = place.call(["train", &config, "--json", "--quiet"].into_iter().chain(settings)).succeeds().json();
    assert!(number(&summary, "/views/relative_error") < 0.8, "{summary}");
    place.write("g.toml", "data = { path = \"e.txt\", format = \"edges\" }\ntrain.epochs = 3\n");
    for settings in [
        &["model.kind=mf", "model.rank=6", "solver.kind=svd", "data.split.kind=random"][..],
        &["model.kind=ease"],
        &["model.kind=mf", "solver.kind=als", "solver.feedback=implicit"],
        &["model.kind=mf", "loss.kind=bpr", "solver.kind=stratified"],
        &["model.kind=mlp", "model.layers=[4]", "loss.kind=logistic"],
        &["solver.kind=gibbs"],
    ] {
        place.train("g.toml", settings.iter().copied()).succeeds();
    }
    // What comes through a pipe is read once, and whole.
    let piped =
        place.shell(r#"cat e.txt | "$0" train g.toml --json --quiet --set data.path=- --set model.kind=popularity"#);
    let from_file = place.train("g.toml", ["model.kind=popularity"]).succeeds();
    assert!(
        from_file.stdout.contains(&format!("{} cells", number(&piped.succeeds().json(), "/num_ratings"))),
        "{from_file:?}"
    );
    place.train("g.toml", ["loss.kind=glove"]).refuses(&["pairs that are no edges", "data.split.non_edges = 0"]);
    place.train("g.toml", ["data.split.kind=cold-users"]).refuses(&["the two ends of an edge are alike"]);
    place.train("g.toml", ["data.binarize=1"]).refuses(&["data.binarize would make edges"]);
    place.write("r.csv", "a,x,1\nb,y,2\na,y,3\nb,x,1\n");
    place.write(
        "c.toml",
        "data = { path = \"r.csv\", split.kind = \"none\" }\nmodel = { kind = \"gmf\", symmetric = true }\n",
    );
    place.call(["train", "c.toml"]).refuses(&["model.symmetric = true needs data whose two sides are the same"]);
}

#[test]
fn a_symmetric_model_trains_to_the_same_bytes_on_any_number_of_threads_and_takes_features_of_nodes() {
    let place = Place::new();
    place.write("e.txt", locks());
    place.write("f.csv", (0..60).map(|node| format!("lock{node},{0}\nkey{node},{0}\n", node % 6)).collect::<String>());
    let features = [
        "data.item_features.path=f.csv",
        "data.item_features.columns=['item', 'kind']",
        "data.item_features.categories=['kind']",
    ];
    for (name, more) in [("plain", &[][..]), ("described", &features)] {
        let mut models = Vec::new();
        for threads in ["1", "3"] {
            let (threads, name) = (format!("train.threads={threads}"), format!("name={name}-{threads}"));
            let all = SMALL.into_iter().chain([&threads[..], &name, "train.epochs=4"]).chain(more.iter().copied());
            place
                .call(
                    ["train", &recipe("links"), "--quiet"]
                        .into_iter()
                        .chain(all.flat_map(|setting| ["--set", setting])),
                )
                .succeeds();
            models.push(place.read(format!("runs/{}-1/model.safetensors", &name["name=".len()..])));
        }
        assert!(models[0] == models[1], "{name}");
    }
    // What the kinds say alone tells a node that no edge was known of.
    assert!(place.text("runs/described-1-1/config.toml").contains("kind"));
}
