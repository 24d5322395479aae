//! The metrics against independent implementations, and by hand.

use super::super::{Catalog, Metrics, Pair, RankedList, Tally, built_in};
use crate::linalg::Groups;

/// What trec_eval and scikit-learn compute: `tests/scripts/ranking.py` prints it.
const METRICS: [(&str, f64); 23] = [
    ("ndcg@1", 0.0571428571429),
    ("hit-rate@1", 0.0571428571429),
    ("precision@1", 0.0571428571429),
    ("recall@1", 0.0114285714286),
    ("map@1", 0.0571428571429),
    ("mrr@1", 0.0571428571429),
    ("ndcg@5", 0.074289134556),
    ("hit-rate@5", 0.257142857143),
    ("precision@5", 0.0742857142857),
    ("recall@5", 0.0759523809524),
    ("map@5", 0.0394047619048),
    ("mrr@5", 0.12),
    ("ndcg@10", 0.125053729258),
    ("hit-rate@10", 0.542857142857),
    ("precision@10", 0.0914285714286),
    ("recall@10", 0.186292517007),
    ("map@10", 0.0556231508476),
    ("mrr@10", 0.15783446712),
    ("auc", 0.472210508255),
    ("coverage@10", 1.0),
    ("gini@10", 0.153047619048),
    ("novelty@10", 2.37245383566),
    ("diversity@10", 0.794447354891),
];

const USERS: u32 = 40;
const ITEMS: u32 = 60;

fn score(user: u32, item: u32) -> f64 {
    (0.7 + 1.3 * f64::from(user) + 2.9 * f64::from(item)).sin()
}

fn is_seen(user: u32, item: u32) -> bool {
    (7 * user + 3 * item + user * item / 7).is_multiple_of(5)
}

fn is_relevant(user: u32, item: u32) -> bool {
    (5 * user + 11 * item + user * item / 5).is_multiple_of(7 + user % 9) && !is_seen(user, item)
}

#[test]
fn metrics_of_ranked_lists_are_those_of_others() {
    let metrics = Metrics(METRICS.iter().map(|(name, _)| built_in().find(name).expect("a metric")).collect());
    let mut tally = Tally::new(&metrics);
    tally.add(&[Pair { target: 1.0, prediction: 1.0, loss: None }]);
    let seen =
        (0..USERS).flat_map(|user| (0..ITEMS).filter(move |&i| is_seen(user, i)).map(move |i| (user as usize, i)));
    let catalog = &Catalog::new(&Groups::new(USERS as usize, seen), ITEMS as usize);
    for user in 0..USERS {
        let mut items: Vec<u32> = (0..ITEMS).filter(|&item| !is_seen(user, item)).collect();
        items.sort_by(|&a, &b| score(user, b).total_cmp(&score(user, a)));
        let relevant: Vec<u32> = (0..ITEMS).filter(|&item| is_relevant(user, item)).collect();
        let places: Vec<u32> =
            (0..).zip(&items).filter(|(_, item)| relevant.contains(item)).map(|(at, _)| at).collect();
        if relevant.is_empty() {
            continue;
        }
        let candidates = items.len();
        tally.add_list(&RankedList {
            items: &items,
            relevant: &relevant,
            places: &places,
            unknown: 0,
            candidates,
            catalog,
        });
    }
    let scores = tally.scores().expect("a pair");
    for (name, expected) in METRICS {
        let found = scores.get(name).expect("measured");
        assert!((found - expected).abs() < 1e-9, "{name}: {found}, not {expected}");
    }
}

/// A list by hand: four candidates, the first and the last of them relevant, and one relevant item that training never
/// saw.
#[test]
fn metrics_of_a_list_by_hand() {
    let catalog = &Catalog::new(&Groups::new(4, [(0, 2), (1, 2), (2, 3), (3, 2)].into_iter()), 6);
    let list =
        RankedList { items: &[4, 2, 3, 0], relevant: &[0, 4], places: &[0, 3], unknown: 1, candidates: 4, catalog };
    let of = |name: &str| {
        let metric = built_in().find(name).expect("a metric");
        let mut tally = Tally::new(&Metrics(vec![metric]));
        tally.add(&[Pair { target: 1.0, prediction: 1.0, loss: None }]);
        tally.add_list(&list);
        tally.scores().expect("a pair").get(name)
    };
    let log = |rank: f64| 1.0 / (1.0 + rank).log2();
    for (name, expected) in [
        ("hit-rate@1", 1.0),
        ("precision@3", 1.0 / 3.0),
        ("precision@10", 0.2),
        ("recall@3", 1.0 / 3.0),
        ("recall@4", 2.0 / 3.0),
        ("ndcg@3", 1.0 / (1.0 + log(2.0) + log(3.0))),
        ("ndcg@4", (1.0 + log(4.0)) / (1.0 + log(2.0) + log(3.0))),
        ("ndcg@2", 1.0 / (1.0 + log(2.0))),
        ("map@4", (1.0 + 2.0 / 4.0) / 3.0),
        ("map@2", 1.0 / 2.0),
        ("mrr@5", 1.0),
        // Two others stand before one relevant item and before the unknown one: four of six pairs are wrong.
        ("auc", 1.0 - 4.0 / 6.0),
        ("coverage@3", 0.5),
        ("gini@1", 5.0 / 6.0),
        // Nobody met item 4, which counts as one user of four; three of four met item 2.
        ("novelty@2", (2.0 - 0.75_f64.log2()) / 2.0),
        ("diversity@3", 1.0),
    ] {
        let found = of(name).expect("measured");
        assert!((found - expected).abs() < 1e-12, "{name}: {found}, not {expected}");
    }
}
