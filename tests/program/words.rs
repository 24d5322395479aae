//! Vectors of words: counted from texts, trained in both ways, asked, judged and exported.

use super::{Place, number};

/// The config of a recipe.
fn recipe(name: &str) -> String {
    format!("{}/configs/recipes/{name}.toml", env!("CARGO_MANIFEST_DIR"))
}

/// Words of animals and of tools.
const KINDS: [[&str; 8]; 2] = [
    ["cat", "dog", "horse", "sheep", "feeds", "runs", "sleeps", "field"],
    ["saw", "drill", "hammer", "plane", "cuts", "breaks", "rusts", "bench"],
];

/// Sentences about animals and about tools, which share only the words that join them.
fn sentences() -> String {
    let sentence = |at: usize| {
        let words = KINDS[at % 2];
        let pick = |turn: usize| words[(at * turn + at / 7 * turn * turn) % 8];
        format!("The {} {} and the {} {} here\n", pick(3), pick(5), pick(1), pick(7))
    };
    (0..1200).map(sentence).collect()
}

/// All pairs of these words: those of one kind are alike.
fn judged() -> String {
    let words: Vec<(usize, &str)> = (0..2).flat_map(|kind| KINDS[kind].map(|word| (kind, word))).collect();
    let pairs = words.iter().enumerate().flat_map(|(at, one)| words[..at].iter().map(move |other| (one, other)));
    let line = |(one, other): (&(usize, &str), &(usize, &str))| {
        format!("{},{},{}\n", one.1, other.1, if one.0 == other.0 { 9 } else { 1 })
    };
    "word1,word2,score\n".to_owned() + &pairs.map(line).collect::<String>() + "cat,unicorn,5\n"
}

/// Small texts leave few counts.
const SMALL: [&str; 3] = ["model.rank=8", "loss.x_max=20", "data.co_occurrences.window=4"];

#[test]
fn words_used_alike_are_near_each_other_in_both_ways() {
    let place = Place::new();
    place.write("s.txt", sentences());
    let ways = [("glove", "runs/w-1", &SMALL[..]), ("word-information", "runs/w-2", &["model.rank=8"])];
    for (name, run, settings) in ways {
        let config = recipe(name);
        let settings = ["data.path=s.txt", "name=w"].iter().chain(settings).flat_map(|setting| ["--set", setting]);
        let outcome = place.call(["train", &config, "--json"].into_iter().chain(settings)).succeeds();
        let summary = outcome.json();
        // Sixteen words of the kinds, "the", "and" and "here".
        assert_eq!((number(&summary, "/num_users"), number(&summary, "/num_items")), (19.0, 19.0), "{summary}");
        let files: Vec<&str> =
            summary["views"]["files"].as_array().expect("files").iter().filter_map(|of| of["file"].as_str()).collect();
        assert!(files.contains(&"neighbours.csv"), "{files:?}");
        assert!(place.text(format!("{run}/neighbours.csv")).starts_with("word,place,near,cosine\nthe,1,"));

        let found = place.call(["query", run, "--term", "Cat", "-n", "3", "--json"]).succeeds().json();
        let near: Vec<&str> =
            found["words"].as_array().expect("words").iter().filter_map(|word| word["id"].as_str()).collect();
        let animals = ["dog", "horse", "sheep", "feeds", "runs", "sleeps", "field"];
        // So few texts say little of how much is by chance.
        let sure = if name == "glove" { 3 } else { 1 };
        assert!(near.len() == 3 && near[..sure].iter().all(|word| animals.contains(word)), "{name}: {near:?}");
        for vectors in ["sum", "mean", "word", "context"] {
            place.call(["query", run, "--analogy", "cat", "feeds", "cuts", "--vectors", vectors]).succeeds();
        }

        place.write("pairs.csv", judged());
        place.write("questions.txt", ": kinds\ncat dog saw drill\ncat dog saw unicorn\n");
        let judged = place
            .call(["evaluate", run, "--similarity", "pairs.csv", "--analogies", "questions.txt", "--json"])
            .succeeds()
            .json();
        assert_eq!((number(&judged, "/similarity/0/pairs"), number(&judged, "/similarity/0/covered")), (121.0, 120.0));
        assert!(number(&judged, "/similarity/0/spearman") > if name == "glove" { 0.25 } else { 0.1 }, "{judged}");
        assert_eq!((number(&judged, "/analogies/0/questions"), number(&judged, "/analogies/0/covered")), (2.0, 1.0));
        let table = place.call(["evaluate", run, "--similarity", "pairs.csv"]).succeeds().stdout;
        assert!(table.starts_with("similarity") && table.contains("pairs.csv"), "{table}");

        place.call(["export", run, "--to", "vectors", "--form", "word2vec"]).succeeds();
        let text = place.text("vectors/words.txt");
        assert_eq!((text.lines().next(), text.lines().count()), (Some("19 8"), 20));
    }
}

#[test]
fn a_folder_is_read_document_by_document_and_the_counts_do_not_depend_on_threads() {
    let place = Place::new();
    let text = sentences();
    std::fs::create_dir_all(place.path("texts")).expect("a folder");
    place.write("texts/a.txt", &text[..text.len() / 2]);
    place.write("texts/b.txt", &text[text.len() / 2..]);
    let trained = |threads: &str, name: &str| {
        let (threads, name) = (format!("train.threads={threads}"), format!("name={name}"));
        let all = ["data.path=texts", "train.epochs=3", &threads, &name].into_iter().chain(SMALL);
        place
            .call(["train", &recipe("glove"), "--quiet"].into_iter().chain(all.flat_map(|setting| ["--set", setting])))
            .succeeds();
    };
    trained("1", "one");
    trained("3", "three");
    assert_eq!(place.read("runs/one-1/model.safetensors"), place.read("runs/three-1/model.safetensors"));
}

#[test]
fn what_cannot_be_counted_or_asked_is_refused_with_a_remedy() {
    let place = Place::new();
    place.write("s.txt", "one two three\n");
    let config = recipe("glove");
    let train = |settings: &[&str]| {
        let settings = ["data.path=s.txt"].iter().chain(settings).flat_map(|setting| ["--set", setting]);
        place.call(["train", &config].into_iter().chain(settings))
    };
    train(&[]).refuses(&["s.txt", "occurs 5 times", "lower data.co_occurrences.min_count"]);
    train(&["data.path=-"]).refuses(&["save it to a file"]);
    let few = &["data.co_occurrences.min_count=1", "model.rank=2", "train.epochs=1"];
    train(few).succeeds();
    place
        .call(["query", "runs/glove-1", "--term", "threee"])
        .refuses(&["\"threee\" is not among the 3 words", "did you mean \"three\""]);
    place.call(["query", "runs/glove-1", "--text", "one"]).refuses(&["--term"]);
    place.write("r.csv", "a,x,1\nb,y,2\na,y,3\nb,x,1\n");
    place.write("c.toml", "data.path = \"r.csv\"\ndata.split.kind = \"none\"\ntrain.epochs = 1\n");
    place.call(["train", "c.toml"]).succeeds();
    place.call(["query", "runs/c-1", "--term", "a"]).refuses(&["co-occurrences"]);
    place.call(["evaluate", "runs/c-1", "--similarity", "r.csv"]).refuses(&["co-occurrences"]);
    // Vectors are those of a dot product.
    let network = ["loss.kind=squared", "model.kind=mlp", "model.layers=[4]", "solver.kind=adam"];
    train(&[&network[..], few].concat()).succeeds();
    place.call(["query", "runs/glove-2", "--term", "one"]).refuses(&["is not a dot product", "words have no vectors"]);
}
