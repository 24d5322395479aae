//! Models of counts: popularity, item k-NN, EASE. They are baselines of every ranked list, and models like all others.

use super::answers::{counts, ratings};
use super::matrices::train;
use super::{Place, number};

const IMPLICIT: [&str; 3] = ["model.kind=mf", "solver.kind=als", "solver.feedback=implicit"];

/// Groups that like items of their own, in shares that few factors cannot hold apart.
#[test]
fn a_model_that_item_knn_beats_says_so_and_that_model_is_the_same() {
    let place = Place::new();
    ratings(&place, 120, 60, |user, item| {
        (user % 6 == item % 6 && (user / 6 * 7 + item / 6 * 3) % 10 < 7 || (user * 31 + item * 17) % 61 == 0)
            .then_some(1.0 + ((user + item) % 4) as f64)
    });
    let lists = "evaluation.metrics=['ndcg@10', 'recall@5', 'coverage@5', 'novelty@5']";
    let knn = train(&place, "r.csv", &["model.kind=item-knn", lists]).succeeds();
    let own = place.json("runs/c-1/summary.json");
    assert!(!knn.stdout.contains("warning"), "a model is not worse than itself: {knn:#?}");
    let weak = ["model.rank=1", "train.epochs=1"];
    let outcome = train(&place, "r.csv", &[&IMPLICIT[..], &weak, &[lists]].concat()).succeeds();
    assert!(outcome.stdout.contains("this model is worse than item k-NN by "), "{outcome:#?}");
    assert!(
        outcome.stdout.contains("take model.kind = \"item-knn\", with its defaults, or try another model.rank"),
        "{outcome:#?}"
    );
    // Recommending few or well-known items is no fault by itself.
    assert!(!outcome.stdout.contains("by COVERAGE") && !outcome.stdout.contains("and novelty"), "{outcome:#?}");
    let evaluated = place.call(["evaluate", "runs/c-2", "--json"]).succeeds().json();
    for metric in ["ndcg@10", "recall@5", "coverage@5", "novelty@5"] {
        let beside = number(&place.json("runs/c-2/summary.json"), &format!("/baselines/item_knn/{metric}"));
        assert_eq!(beside, number(&own, &format!("/test/{metric}")), "{metric}");
        assert_eq!(beside, number(&evaluated, &format!("/item_knn/{metric}")), "{metric}");
    }
    assert!(evaluated["doubts"].to_string().contains("worse than item k-NN"), "{evaluated}");
    // What is most popular is a model, too, and the line beside every result is its own.
    let popular = train(&place, "r.csv", &["model.kind=popularity", lists]).succeeds();
    let summary = place.json("runs/c-3/summary.json");
    for metric in ["ndcg@10", "recall@5", "coverage@5", "novelty@5"] {
        assert_eq!(
            number(&summary, &format!("/baselines/popularity/{metric}")),
            number(&summary, &format!("/test/{metric}"))
        );
    }
    assert!(
        popular.stdout.contains("worse than item k-NN by ") && !popular.stdout.contains("another model.rank"),
        "{popular:#?}"
    );
}

/// Everything that is done with a model is done with those that are counts of what users met.
#[test]
fn models_of_counts_are_saved_asked_and_searched_like_others() {
    let place = Place::new();
    counts(&place);
    for kind in ["popularity", "item-knn", "ease"] {
        let run = format!("runs/{kind}-1");
        let named = format!("name={kind}");
        let kind_of = format!("model.kind={kind}");
        let told = train(&place, "r.csv", &[&named, &kind_of]).succeeds();
        assert!(told.stdout.contains("ndcg@10") && told.stdout.contains("what is most popular"), "{told:#?}");
        assert!(!told.stdout.contains("RMSE"), "{told:#?}");
        let summary = place.json(format!("{run}/summary.json"));
        assert_eq!((&summary["epochs_run"], &summary["solver"]), (&1.into(), &kind.into()));
        // A list and the prediction for each of its items come from one model.
        let list = place.call(["recommend", &run, "u3", "-n", "3", "--json"]).succeeds().json();
        let items = list["items"].as_array().expect("a list").clone();
        assert_eq!(items.len(), 3, "{list}");
        for item in &items {
            let id = item["item"].as_str().expect("an id");
            let predicted = place.call(["predict", &run, "u3", id, "--json"]).succeeds().json();
            assert_eq!(number(&predicted[0], "/prediction"), number(item, "/prediction"), "{kind}: {predicted} {item}");
            let is_of_group = id[1..].parse::<usize>().expect("a number") % 2 == 1;
            let is_similar = kind != "popularity" && number(item, "/prediction") > 0.1;
            assert!(is_of_group || !is_similar, "{kind} recommends {id} to the other group: {item}");
        }
        let evaluated = place.call(["evaluate", &run, "--json"]).succeeds().json();
        assert_eq!(number(&evaluated, "/model/ndcg@10"), number(&summary, "/test/ndcg@10"));
        place.call(["query", &run, "--item", "i1"]).refuses(&["not a dot product"]);
        place.call(["train", &format!("{run}/config.toml"), "--resume", "-q"]).succeeds();
        assert_eq!(place.json(format!("{run}/summary.json"))["test"], summary["test"]);
        let again = train(&place, "r.csv", &[&named, &kind_of, "train.refit=true"]).succeeds();
        assert!(again.stdout.contains("retrained on training and validation"), "{again:#?}");
        let shown = place.call(["compare", &run, &format!("runs/{kind}-2")]).succeeds().stdout;
        assert!(shown.contains("ndcg@10") || shown.contains("NDCG"), "{shown}");
    }
    place.write("ease.toml", "data.path = \"r.csv\"\nmodel.kind = \"ease\"\n");
    place.write(
        "s.toml",
        "base = \"ease.toml\"\ntrials = 4\nsampler.kind = \"random\"\n[space]\nsolver.regularization.item_weights = { log_uniform = [1.0, 1000.0] }\n",
    );
    let swept = place.call(["sweep", "s.toml"]).succeeds();
    assert!(swept.stdout.contains("item_weights"), "{swept:#?}");
}

/// The matrix of EASE is refused before there is memory for it.
#[test]
fn the_pairs_of_items_count_before_they_are_there() {
    let place = Place::new();
    // 25 million pairs: 200 MB in double precision, and 100 MB for the weights and as much for the best of them.
    let rows = (0..20_000).map(|at| format!("u{},i{}\n", at * 7 % 997, at % 5000));
    place.write("r.csv", format!("user,item\n{}", rows.collect::<String>()));
    place.write("c.toml", "data.path = \"r.csv\"\ntrain.max_memory = 0.35\n");
    let refused = place.train("c.toml", ["model.kind=ease"]);
    assert!(!refused.stderr.contains("model.rank"), "{refused:#?}");
    let remedies = ["data.min_item_ratings", "take model.kind = \"item-knn\", or raise train.max_memory"];
    refused.refuses(&[&["training needs about"][..], &remedies].concat());
    place.train("c.toml", ["model.kind=item-knn"]).succeeds();
}

/// What is drawn for the test part is drawn again by `evaluate`, and what is given is read again.
#[test]
fn sampled_rankings_are_repeated() {
    let place = Place::new();
    counts(&place);
    let lines: String = (0..24).map(|user| format!("(u{user},i{})\ti1\ti2\ti5\ti8\n", user % 20)).collect();
    place.write("others.txt", lines);
    for (at, key) in ["evaluation.sampled_candidates=5", "evaluation.candidates=others.txt"].iter().enumerate() {
        let told = train(&place, "r.csv", &["model.kind=item-knn", key]).succeeds();
        assert!(told.stdout.contains("test, among "), "{told:#?}");
        let run = format!("runs/c-{}", at + 1);
        let summary = place.json(format!("{run}/summary.json"));
        let evaluated = place.call(["evaluate", &run, "--json"]).succeeds().json();
        for pointer in ["/model/ndcg@10", "/popularity/hit-rate@10"] {
            assert_eq!(
                number(&evaluated, &format!("/among_candidates{pointer}")),
                number(&summary, &format!("/test_among_candidates{pointer}")),
                "{key} {pointer}"
            );
        }
        let table = place.call(["evaluate", &run]).succeeds().stdout;
        assert!(table.contains("model, among ") && table.contains("what is most popular (among them)"), "{table}");
    }
}
