//! `lowrank init`: from a file to a config that trains.

use super::{Place, number};

/// What `init` writes for these arguments, trained.
fn trained(place: &Place, arguments: &[&str], config: &str) -> serde_json::Value {
    place.call([&["init"], arguments].concat()).succeeds();
    place.call(["train", config, "--quiet", "--json", "--set", "train.epochs=3"]).succeeds().json()
}

#[test]
fn opinions_are_trained_on_with_biases() {
    let place = Place::new();
    let rows: String = (0..600).map(|at| format!("u{};i{};{},5\n", at % 30, at * 7 % 41, 1 + at * 13 % 4)).collect();
    place.write("My ratings.csv", format!("\u{feff}customer_no;article;score\n{rows}"));
    place.write("items.csv", (0..41).map(|at| format!("i{at};Article {at}\n")).collect::<String>());
    let told = place.call(["init", "My ratings.csv", "items.csv", "-o", "-"]).succeeds();
    for expected in ["kind = \"biased-mf\"", "kind = \"als\"", "refit = true", "from 1.5 to 4.5", "titles.path = "] {
        assert!(told.stdout.contains(expected), "{expected}: {told:#?}");
    }
    assert!(told.stdout.contains("user is column 1 \"customer_no\""), "{told:#?}");
    let result = trained(&place, &["My ratings.csv", "items.csv"], "My ratings.toml");
    assert_eq!((&result["model"], &result["refit"]), (&"biased-mf".into(), &true.into()), "{result}");
    place.call(["init", "My ratings.csv"]).refuses(&["My ratings.toml exists; replace it with --force"]);
    place.call(["init", "My ratings.csv", "--force", "--set", "model.rank=2"]).refuses(&["init takes keys of [data]"]);
}

#[test]
fn events_and_amounts_are_ranked() {
    let place = Place::new();
    let visits: String = (0..400).map(|at| format!("{},{}\n", at % 25, at * 11 % 37)).collect();
    place.write("visits.csv", format!("user,item\n{visits}"));
    let hours: String = (0..400_u32)
        .map(|at| format!("{}\t{}\t{}\n", at % 25, at * 11 % 37, 0.5 + f64::from(at % 20).powi(4)))
        .collect();
    place.write("hours.tsv", format!("user\tgame\thours\n{hours}"));
    for name in ["visits.csv", "hours.tsv"] {
        let config = format!("{}.toml", &name[..name.len() - 4]);
        let result = trained(&place, &[name], &config);
        assert!((0.0..=1.0).contains(&number(&result, "/test/ndcg@10")), "{name}: {result}");
        assert_eq!(result["model"], "ease", "{name}");
    }
    // Weights between all items only while these are not too many.
    let many = (0..20_002).map(|at| format!("u{},i{}\n", at % 50, at % 10_001));
    place.write("many.csv", format!("user,item\n{}", many.collect::<String>()));
    let told = place.call(["init", "many.csv", "-o", "-"]).succeeds();
    assert!(told.stdout.contains("kind = \"item-knn\"") && told.stdout.contains("kind = \"slim\""), "{told:#?}");
    // Opinions tell what was chosen, too.
    place.write(
        "stars.csv",
        (0..400).map(|at| format!("{},{},{}\n", at % 25, at * 11 % 37, 1 + at % 5)).collect::<String>(),
    );
    let told = place.call(["init", "stars.csv", "-o", "-"]).succeeds();
    assert!(
        told.stdout.contains("kind = \"biased-mf\"") && told.stdout.contains("`lowrank init --goal lists`"),
        "{told:#?}"
    );
    let told = place.call(["init", "stars.csv", "--goal", "lists", "-o", "-"]).succeeds();
    assert!(told.stdout.contains("kind = \"ease\""), "{told:#?}");
    let told = place.call(["init", "hours.tsv", "--goal", "ratings", "-o", "-"]).succeeds();
    assert!(told.stdout.contains("kind = \"biased-mf\""), "{told:#?}");
    // Numbers of what is repeated are few, as opinions are, but no opinions.
    let told = place.call(["init", "visits.csv", "--set", "data.duplicates=count", "-o", "-"]).succeeds();
    assert!(told.stdout.contains("kind = \"ease\""), "{told:#?}");
}

#[test]
fn tables_are_taken_apart_whole_or_with_their_gaps() {
    let place = Place::new();
    let row = |at: u32| format!("gene{at},{},{},{}\n", at % 7, 0.5 + f64::from(at % 5), at % 3);
    place.write("genes.csv", format!("gene,s1,s2,s3\n{}", (0..40).map(row).collect::<String>()));
    let result = trained(&place, &["genes.csv"], "genes.toml");
    assert_eq!((&result["solver"], &result["num_items"]), (&"svd".into(), &3.into()), "{result}");
    let gaps =
        |at: u32| row(at).replacen(&format!(",{},", at % 7), if at.is_multiple_of(4) { ",NA," } else { ",2.5," }, 1);
    place.write("gaps.csv", format!("gene,s1,s2,s3\n{}", (0..40).map(gaps).collect::<String>()));
    let result = trained(&place, &["gaps.csv"], "gaps.toml");
    assert_eq!((&result["solver"], &result["model"]), (&"als".into(), &"biased-mf".into()), "{result}");
}

#[test]
fn what_is_ambiguous_is_an_error_with_the_choices() {
    let place = Place::new();
    place.write("r.csv", "user_id,game_id,hours,rating\n1,2,10,5\n2,2,20,4\n3,1,5,1\n");
    place.call(["init", "r.csv"]).refuses(&["hours", "rating", "data.columns"]);
    place
        .call(["init", "r.csv", "-o", "-", "--set", "data.columns=[\"user\", \"item\", \"-\", \"rating\"]"])
        .succeeds();
    place.call(["init", "none.csv"]).refuses(&["none.csv: cannot open"]);
    // A list that names its pairs again is no table.
    place.write("log.csv", "who,what,size\n1,5,3\n1,6,3\n2,5,1\n2,6,4\n");
    place.call(["init", "log.csv"]).refuses(&["log.csv:1: ", "data.columns"]);
}
