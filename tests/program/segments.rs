//! Segments of customers: planted ones are found, described, and new customers put in them.

use std::collections::BTreeMap;

use super::{Place, number};

/// The config of the recipe.
fn recipe() -> String {
    format!("{}/configs/recipes/segments.toml", env!("CARGO_MANIFEST_DIR"))
}

/// The department that a customer likes.
fn liked(customer: usize) -> usize {
    customer % 3
}

/// Orders of 90 customers of three departments with ten products each, of which two and two go together; the first thirty
/// customers buy much. Product 0 of a department is bought late only.
fn orders(name: &str) -> String {
    let mut text = String::from("customer,product,date,quantity,price\n");
    for customer in 0..90 {
        let visits = if customer < 30 { 12 } else { 4 };
        for visit in 0..visits {
            let day = 1 + (customer * 5 + visit * 29) % 300;
            let date = format!("2011-{:02}-{:02}", 1 + day / 28, 1 + day % 28);
            let pair = 1 + (customer + visit * visit) % 4;
            for product in [2 * pair, 2 * pair + 1] {
                let department = if (customer + visit) % 9 == 0 { (liked(customer) + 1) % 3 } else { liked(customer) };
                text += &format!("{name}{customer},d{department}p{product},{date},{},2.5\n", 1 + customer / 30 % 2);
            }
            if visit == 2 {
                text += &format!("{name}{customer},postage,{date},1,9\n");
            }
        }
        for product in [0, 2, 3] {
            text +=
                &format!("{name}{customer},d{}p{product},2011-11-{:02},1,2.5\n", liked(customer), 20 + customer % 9);
        }
    }
    text
}

const SMALL: [&str; 5] = [
    "data.path=orders.csv",
    "data.exclude=['postage']",
    "model.rank=3",
    "segments.min_orders=5",
    "segments.communities=3",
];

fn lines(place: &Place, file: &str) -> Vec<BTreeMap<String, String>> {
    let text = place.text(file);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().collect::<Result<_, _>>().expect("a table")
}

#[test]
fn planted_segments_are_found_described_and_assigned() {
    let place = Place::new();
    place.write("orders.csv", orders("c"));
    let summary = place.train(&recipe(), SMALL).succeeds();
    assert!(summary.stdout.contains("segments of 90 customers"), "{}", summary.stdout);
    let summary: serde_json::Value =
        serde_json::from_str(&place.text("runs/segments-1/summary.json")).expect("a summary");
    let found = &summary["views"]["segments"];
    assert!(number(found, "/stability/agreement") > 0.9, "{found}");
    assert!(number(found, "/stability_of_habits/agreement") < 1.0, "{found}");
    assert!(
        number(found, "/bought_together/hit_rate") > number(found, "/bought_together/popularity_hit_rate"),
        "{found}"
    );

    // Everybody of a segment likes the same department, and every department has a segment.
    let customers = lines(&place, "runs/segments-1/customers.csv");
    assert_eq!(customers.len(), 90);
    let mut likes: BTreeMap<&str, usize> = BTreeMap::new();
    for line in &customers {
        let customer: usize = line["customer"][1..].parse().expect("a number");
        let known = *likes.entry(&line["segment"]).or_insert(liked(customer));
        assert_eq!(known, liked(customer), "{line:?}");
        // What is offered was not bought.
        let offers: Vec<&str> = line["offer"].split("; ").collect();
        assert_eq!(offers.len(), 3);
    }
    assert!((0..3).all(|department| likes.values().any(|liked| *liked == department)));
    let segments = lines(&place, "runs/segments-1/segments.csv");
    assert_eq!(segments.len(), likes.len());
    for line in &segments {
        let department = format!("d{}p", likes[line["segment"].as_str()]);
        assert!(line["typical_products"].split("; ").all(|product| product.starts_with(&department)), "{line:?}");
    }
    assert!(!place.text("runs/segments-1/communities.csv").contains("postage"));
    // Two and two go together.
    let pairs = lines(&place, "runs/segments-1/bought-together.csv");
    let number_of = |product: &str| product.rsplit('p').next().expect("a number").parse::<u32>().expect("a number");
    for line in pairs.iter().take(10) {
        assert_eq!(number_of(&line["product"]) / 2, number_of(&line["with"]) / 2, "{line:?}");
    }
    for picture in ["segments.png", "seasons.png", "stability.png"] {
        assert!(place.path(format!("runs/segments-1/{picture}")).is_file(), "{picture}");
    }

    // Customers that the run does not know, but who buy the same, are put where those are.
    place.write("new.csv", orders("n"));
    let assigned = place.call(["segment", "runs/segments-1", "new.csv"]).succeeds().stdout;
    let of_old: BTreeMap<&str, &str> =
        customers.iter().map(|line| (&line["customer"][1..], line["segment"].as_str())).collect();
    let same = assigned.lines().skip(1).filter(|line| {
        let fields: Vec<&str> = line.split(',').collect();
        of_old[&fields[0][1..]] == fields[1]
    });
    // Some bought more since.
    assert!(same.count() > 80, "{assigned}");
    assert_eq!(assigned.lines().count(), 91);
    let json = place.call(["segment", "runs/segments-1", "new.csv", "--json"]).succeeds().json();
    assert_eq!(json.as_array().expect("customers").len(), 90);
    // The same file again is the same to the byte, and products that nobody knows are said to be.
    assert_eq!(place.call(["segment", "runs/segments-1", "new.csv"]).succeeds().stdout, assigned);
    place.write("other.csv", "customer,product,date\nx,unheard,2011-01-01\n");
    place.call(["segment", "runs/segments-1", "other.csv"]).refuses(&["none of these customers bought a product"]);
}

#[test]
fn segments_have_the_same_bytes_with_any_number_of_threads_and_after_resuming() {
    let place = Place::new();
    place.write("orders.csv", orders("c"));
    let files = ["customers.csv", "segments.csv", "mail.csv", "bought-together.csv", "segments.json", "segments.png"];
    let all = |run: &str| files.map(|file| place.read(format!("runs/{run}/{file}")));
    place.train(&recipe(), SMALL.into_iter().chain(["train.threads=1"])).succeeds();
    place.train(&recipe(), SMALL.into_iter().chain(["train.threads=3"])).succeeds();
    assert!(all("segments-1") == all("segments-2"));
    place.call(["train", "runs/segments-2/config.toml", "--resume", "--quiet"]).succeeds();
    assert!(all("segments-1") == all("segments-2"));
    // The number of segments is no part of the model: a finished run takes another one.
    place.call(["train", "runs/segments-2/config.toml", "--resume", "--quiet", "--set", "segments.count=5"]).succeeds();
    assert_eq!(lines(&place, "runs/segments-2/segments.csv").len(), 5);
}

#[test]
fn what_has_no_segments_says_why() {
    let place = Place::new();
    place.write("orders.csv", orders("c"));
    place
        .train(&recipe(), SMALL.into_iter().chain(["model.kind=popularity", "solver.kind=popularity"]))
        .refuses(&["segments.by has \"taste\", but model.kind is \"popularity\", whose scores are no dot products"]);
    place
        .train(&recipe(), SMALL.into_iter().chain(["segments.from=9", "segments.to=4"]))
        .refuses(&["segments.from = 9 is above segments.to = 4"]);
    place
        .train(&recipe(), SMALL.into_iter().chain(["segments.by=['recency', 'colour']"]))
        .refuses(&["segments.by: unknown name \"colour\"; there are recency, frequency, monetary and taste"]);
    place
        .train(&recipe(), SMALL.into_iter().chain(["data.duplicates=sum"]))
        .refuses(&["data.duplicates does not go with data.format = \"purchases\""]);
    place.write("r.csv", "1,a,3\n1,b,4\n2,a,5\n2,b,1\n");
    place.write("r.toml", "data.path = \"r.csv\"\ndata.split.kind = \"none\"\ntrain.epochs = 1\n");
    place.train("r.toml", []).succeeds();
    place.call(["segment", "runs/r-1", "orders.csv"]).refuses(&["this run has no segments"]);
}
