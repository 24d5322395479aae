//! Real data sets: counts, folds, and bands that results stay in.
//!
//! `LOWRANK_DATA` names the folder that holds them. Without it at build time these tests are reported as ignored.

use std::path::Path;
use std::time::Instant;

use lowrank::data::read::{Pictures, ReadOptions, read_dataset};
use lowrank::data::split::{SplitKind, SplitSpec, assign, divide, held_out_rows};
use lowrank::data::{Dataset, ITEM, Layout, USER, catalog, class_of};
use serde_json::Value;

use super::train::model_kinds;
use super::{Outcome, Place, number};

/// What `path` in the folder of data holds.
fn read(path: &str, options: &ReadOptions) -> Dataset {
    let data = std::env::var_os("LOWRANK_DATA").expect("LOWRANK_DATA is set, as it was when the tests were built");
    read_dataset(&Path::new(&data).join(path), None, options).expect(path)
}

/// Calls the program where the configs' paths hold, with the data sets at hand.
fn call<'a>(place: &Place, args: impl IntoIterator<Item = &'a str>) -> Outcome {
    let mut command = place.command(super::PROGRAM);
    let data = std::env::var_os("LOWRANK_DATA").expect("LOWRANK_DATA is set, as it was when the tests were built");
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env("LOWRANK_DATA", data).args(args);
    super::outcome(&mut command)
}

/// The result of training a committed config.
fn train(place: &Place, config: &str, settings: &[&str]) -> Value {
    let folder = format!("run.dir={}", place.path("runs").display());
    let settings = settings.iter().copied().chain([folder.as_str()]).flat_map(|setting| ["--set", setting]);
    call(place, ["train", config, "--json", "--quiet"].into_iter().chain(settings)).succeeds().json()
}

fn load(name: &str, fold: Option<usize>) -> Dataset {
    catalog::find(name).and_then(|entry| catalog::load(entry, fold, &ReadOptions::default())).expect(name)
}

/// Name, users, items, ratings.
const COUNTS: [(&str, usize, usize, usize); 8] = [
    ("movielens-100k", 943, 1682, 100_000),
    ("movielens-1m", 6040, 3706, 1_000_209),
    ("movielens-latest-small", 610, 9724, 100_836),
    ("filmtrust", 1508, 2071, 35_494),
    ("book-crossing", 1295, 14_684, 62_656),
    ("steam", 11_350, 3600, 70_477),
    ("msweb", 32_710, 285, 98_653),
    ("ncf-movielens-1m", 6040, 3704, 994_169),
];

#[test]
#[cfg_attr(not(lowrank_data), ignore = "set LOWRANK_DATA to a folder with the data sets and rebuild")]
fn every_data_set_has_its_known_size() {
    for (name, users, items, ratings) in COUNTS {
        let dataset = load(name, None);
        assert_eq!(
            (dataset.users().len(), dataset.items().len(), dataset.interactions.len()),
            (users, items, ratings),
            "{name}"
        );
    }
    let known: Vec<_> = COUNTS.iter().map(|count| count.0).collect();
    for entry in catalog::entries().iter().filter(|entry| catalog::locate(entry).is_ok()) {
        assert!(known.contains(&entry.name), "{} is here, but its size is not known", entry.name);
    }
    let notes = load("filmtrust", None).notes;
    assert!(notes.iter().any(|note| note.contains("3 ratings repeated")), "{notes:?}");
    let titles = load("movielens-100k", None).entities[1].titles.clone().expect("titles");
    assert!(titles.iter().any(|title| title == "Toy Story (1995)"));
}

#[test]
#[cfg_attr(not(lowrank_data), ignore = "set LOWRANK_DATA to a folder with the data sets and rebuild")]
fn the_folds_of_movielens_100k_are_the_official_ones() {
    let place = Place::new();
    for (fold, unknown_items) in (1..).zip([32, 36, 36, 27, 36]) {
        let fold = format!("data.split.fold={fold}");
        let settings = [
            fold.as_str(),
            "data.split.validation=0",
            "train.epochs=0",
            "train.refit=false",
            "train.early_stopping.patience=0",
        ];
        let summary = train(&place, "configs/movielens-100k/biased-mf.toml", &settings);
        assert_eq!(number(&summary, "/train/count"), 80_000.0, "{fold}");
        assert_eq!(number(&summary, "/test/count"), 20_000.0, "{fold}");
        assert_eq!(summary["test_unknown_users"], 0, "{fold}");
        assert_eq!(summary["test_unknown_items"], unknown_items, "{fold}");
    }
}

#[test]
#[cfg_attr(not(lowrank_data), ignore = "set LOWRANK_DATA to a folder with the data sets and rebuild")]
fn biased_mf_on_the_first_fold_of_movielens_100k_stays_in_its_band() {
    let place = Place::new();
    let summary = train(&place, "configs/movielens-100k/biased-mf.toml", &["data.split.fold=1"]);
    let rmse = number(&summary, "/test/rmse");
    // Below 0.89 somebody has looked at the test fold.
    assert!((0.89..=0.93).contains(&rmse), "{rmse}");
}

#[test]
#[cfg_attr(not(lowrank_data), ignore = "set LOWRANK_DATA to a folder with the data sets and rebuild")]
fn every_model_beats_the_baselines_with_its_defaults() {
    let place = Place::new();
    place.write("c.toml", "[report]\ntensorboard = false\n");
    let config = place.path("c.toml");
    // filmtrust has so few ratings that little more than biases can be learned from them.
    for (name, beats_biases) in [("movielens-100k", true), ("filmtrust", false)] {
        let [others, counted] = model_kinds();
        for model in others.iter().chain(&counted) {
            let settings =
                [&format!("data.dataset={name}"), &format!("model.kind={model}"), "train.early_stopping.patience=3"];
            let summary = train(&place, config.to_str().expect("UTF-8"), &settings);
            if counted.contains(model) {
                let [own, popular] =
                    ["test", "baselines/popularity"].map(|of| number(&summary, &format!("/{of}/ndcg@10")));
                // Nor do few ratings tell which items are alike.
                let can_lose = model == "popularity" || (model == "item-knn" && !beats_biases);
                assert!(own > popular || can_lose, "{model} on {name}: {own} against {popular}");
                continue;
            }
            let [mean, biases] = ["global_mean", "biases"].map(|of| number(&summary, &format!("/baselines/{of}/rmse")));
            let (rmse, limit) = (number(&summary, "/test/rmse"), if beats_biases { biases.min(mean) } else { mean });
            assert!(rmse < limit, "{model} on {name}: {rmse} against {mean} and {biases}");
        }
    }
}

#[test]
#[cfg_attr(not(lowrank_data), ignore = "set LOWRANK_DATA to a folder with the data sets and rebuild")]
fn a_million_ratings_are_read_in_no_time() {
    let place = Place::new();
    let started = Instant::now();
    let json = call(&place, ["inspect", "movielens-1m", "--json"]).succeeds().json();
    // It takes some 0.1 s; the bound leaves room for a busy machine.
    assert!(started.elapsed().as_secs_f64() < 3.0, "{:?}", started.elapsed());
    assert_eq!(number(&json, "/ratings"), 1_000_209.0);
}

/// Sizes, and the mean of one person's pixels, were computed apart from this program.
#[test]
#[cfg_attr(not(lowrank_data), ignore = "set LOWRANK_DATA to a folder with the data sets and rebuild")]
fn faces_are_read_and_divided_by_person() {
    let faces = read("orl-faces", &ReadOptions::of_reader(Pictures::default()));
    let [note] = &faces.notes[..] else { panic!("a damaged copy: {:?}", faces.notes) };
    assert!(note.ends_with("400 pictures of 92 × 112 pixels; each picture is a row"), "{note}");
    assert_eq!(faces.layout, Layout::Pictures { width: 92, height: 112 });
    assert_eq!((faces.users().len(), faces.items().len()), (400, 92 * 112));
    let ratings = &faces.interactions;
    let of_s5 = |user: u32| class_of(faces.users().id(user as usize)) == Some("s5");
    let pixels = ratings.column(USER).iter().zip(&ratings.targets).filter(|(user, _)| of_s5(**user));
    let sum: f64 = pixels.map(|(_, pixel)| f64::from(*pixel)).sum();
    assert!((sum / (10.0 * 92.0 * 112.0) - 130.877_736_801_242_24).abs() < 1e-9);
    let kind = SplitKind::FirstOfClass { train_rows: 7 };
    let parts = assign(&faces, &SplitSpec { kind, test: 0.0, validation: 0.0, non_edges: 0.0 }, 0).expect("a division");
    let split = divide(&faces, &parts, false).expect("a division");
    assert_eq!(split.users().ids().take(8).collect::<Vec<_>>().join(" "), "s1/1 s1/2 s1/3 s1/4 s1/5 s1/6 s1/7 s2/1");
    let held_out = held_out_rows(&faces, &parts, &split);
    assert_eq!((split.users().len(), held_out.ids.len()), (280, 120));
    assert_eq!((held_out.ids[2].as_str(), class_of(&held_out.ids[119])), ("s1/10", Some("s40")));
    assert!(held_out.cells.iter().all(|cells| cells.iter().map(|cell| cell.0).eq(0..92 * 112)));
}

/// ```python
/// vectorizer = TfidfVectorizer(token_pattern=r"[^\W\d_]{2,}", min_df=2, max_df=0.5)  # scikit-learn
/// x = vectorizer.fit_transform(texts)
/// print(x.shape, x.nnz, x.sum(), x[texts.index(text_of("business/132"))].max())
/// ```
#[test]
#[cfg_attr(not(lowrank_data), ignore = "set LOWRANK_DATA to a folder with the data sets and rebuild")]
fn news_become_the_terms_and_weights_of_scikit_learn() {
    let news = read("bbc-news", &ReadOptions::default());
    assert_eq!(news.layout, Layout::Documents);
    assert_eq!((news.users().len(), news.items().len(), news.interactions.len()), (1438, 12_014, 225_240));
    let sum: f64 = news.interactions.targets.iter().map(|&value| f64::from(value)).sum();
    assert!((sum - 13_770.173_594_695_6).abs() < 1e-3, "{sum}");
    let (document, term) = (news.users().index("business/132"), news.items().index("inbev"));
    let at = (0..news.interactions.len()).find(|&at| {
        (Some(news.interactions.column(USER)[at]), Some(news.interactions.column(ITEM)[at])) == (document, term)
    });
    assert!((news.interactions.targets[at.expect("a cell")] - 0.621_984_2).abs() < 1e-6);
}

/// scikit-learn recognizes 115 faces by principal components and 105 by non-negative ones
/// (`benches/peers/sklearn_faces.py`).
#[test]
#[cfg_attr(not(lowrank_data), ignore = "set LOWRANK_DATA to a folder with the data sets and rebuild")]
fn recipes_reach_their_published_figures() {
    let place = Place::new();
    let data = std::env::var("LOWRANK_DATA").expect("LOWRANK_DATA is set, as it was when the tests were built");
    let views = |recipe: &str, path: &str| {
        let path = format!("data.path={data}/{path}");
        train(&place, &format!("configs/recipes/{recipe}.toml"), &[&path])["views"].clone()
    };
    for (recipe, least) in [("eigenfaces", 115.0), ("parts-of-faces", 107.0)] {
        let views = views(recipe, "orl-faces");
        let count = number(&views, "/recognition/count");
        let recognized = (count * number(&views, "/recognition/accuracy")).round();
        assert!(count == 120.0 && recognized >= least, "{recipe}: {recognized} of {count}");
    }
    let precision = number(&views("lsa", "bbc-news"), "/precision_at_10");
    assert!(precision >= 0.96, "{precision}");
    let compression = views("image-compression", "images/china.jpg");
    assert!(number(&compression, "/compression/5/psnr") > 23.0, "{compression}");
}

#[test]
#[cfg_attr(not(lowrank_data), ignore = "set LOWRANK_DATA to a folder with the data sets and rebuild")]
fn alternating_least_squares_stays_in_its_band() {
    let summary = train(&Place::new(), "configs/movielens-1m/als.toml", &[]);
    let rmse = number(&summary, "/test/rmse");
    assert!((0.83..=0.846).contains(&rmse), "{rmse}");
}

/// Validation parts only: the constants were chosen on those, and no test part decides anything.
#[test]
#[cfg_attr(not(lowrank_data), ignore = "set LOWRANK_DATA to a folder with the data sets and rebuild")]
fn als_needs_no_settings_on_any_scale_of_ratings() {
    let place = Place::new();
    place.write("c.toml", "");
    let config = place.path("c.toml");
    for name in ["movielens-100k", "movielens-latest-small", "filmtrust", "book-crossing", "steam"] {
        let of = |solver: &str| {
            let settings = [format!("data.dataset={name}"), format!("solver.kind={solver}")];
            let summary = train(&place, config.to_str().expect("UTF-8"), &settings.each_ref().map(String::as_str));
            number(&summary, "/validation/rmse")
        };
        let (adam, als) = (of("adam"), of("als"));
        assert!(als < 1.01 * adam, "{name}: {als} with als, {adam} with adam");
    }
}

/// What is published of popularity on the split of NCF comes out, to its four digits but one.
#[test]
#[cfg_attr(not(lowrank_data), ignore = "set LOWRANK_DATA to a folder with the data sets and rebuild")]
fn a_published_experiment_is_reproduced() {
    let place = Place::new();
    let folder = format!("run.dir={}", place.path("runs").display());
    let json = call(&place, ["reproduce", "ncf-movielens-1m/popularity", "--json", "--set", &folder]).succeeds().json();
    for metric in ["hit-rate@10 (given)", "ndcg@10 (given)"] {
        let [ours, theirs] = [&json["lowrank"], &json["others"][0]["metrics"]].map(|values| values[metric].as_f64());
        let (ours, theirs) = (ours.expect("ours"), theirs.expect("published"));
        assert!((ours - theirs).abs() < 2e-4, "{metric}: {ours} {theirs}");
    }
}
