//! Sums over a split, and the metrics that follow from them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::list::RankedList;
use super::measure::{Metric, Metrics, Needs, Pair, Placed, Sum, sort_by_prediction};

/// Sums of the measurements of some metrics.
#[derive(Debug, Clone)]
pub struct Tally {
    metrics: Metrics,
    /// Interactions added.
    count: u64,
    /// By metric.
    sums: Vec<Sum>,
    /// All pairs, if a metric needs them in their order.
    pairs: Option<Vec<Placed>>,
    /// By length of lists, how often each item was in one.
    exposures: BTreeMap<usize, Vec<u64>>,
}

impl Tally {
    /// An empty tally.
    pub fn new(metrics: &Metrics) -> Self {
        Self {
            metrics: metrics.clone(),
            count: 0,
            sums: vec![Sum::default(); metrics.0.len()],
            pairs: metrics.0.iter().any(|metric| metric.needs() == Needs::Order).then(Vec::new),
            exposures: BTreeMap::new(),
        }
    }

    /// Adds pairs.
    pub fn add(&mut self, pairs: &[Pair]) {
        self.count += pairs.len() as u64;
        for (metric, sum) in self.metrics.0.iter().zip(&mut self.sums) {
            metric.add_pairs(pairs, sum);
        }
        if let Some(all) = &mut self.pairs {
            let placed = |pair: &Pair| Placed { prediction: pair.prediction as f32, target: pair.target as f32 };
            all.extend(pairs.iter().map(placed));
        }
    }

    /// Counts interactions of which only ranked lists are measured.
    pub fn count(&mut self, interactions: usize) {
        self.count += interactions as u64;
    }

    /// Adds a ranked list, of which each metric gets the length it needs.
    pub fn add_list(&mut self, list: &RankedList) {
        let first = |length: usize| &list.items[..length.min(list.items.len())];
        let mut lengths = BTreeSet::new();
        for (metric, sum) in self.metrics.0.iter().zip(&mut self.sums) {
            match metric.needs() {
                Needs::Lists { length } => sum.add(metric.of_list(&RankedList { items: first(length), ..*list })),
                Needs::Exposure { length } => _ = lengths.insert(length),
                Needs::Loss | Needs::Pairs | Needs::Order => {}
            }
        }
        for length in lengths {
            let times = self.exposures.entry(length).or_insert_with(|| vec![0; list.catalog.len()]);
            first(length).iter().for_each(|&item| times[item as usize] += 1);
        }
    }

    /// The metrics that have measurements; `None` without interactions.
    pub fn scores(&self) -> Option<Scores> {
        let mut pairs = self.pairs.clone().unwrap_or_default();
        sort_by_prediction(&mut pairs);
        let value = |(metric, sum): (&Arc<dyn Metric>, &Sum)| {
            let value = match metric.needs() {
                Needs::Exposure { length } => metric.of_exposure(self.exposures.get(&length)?),
                Needs::Order => metric.of_order(&pairs),
                _ => (sum.count > 0).then(|| metric.summary(sum.total / sum.count as f64)),
            };
            Some((metric.name().to_string(), value?))
        };
        let values = self.metrics.0.iter().zip(&self.sums).filter_map(value).collect();
        (self.count > 0).then_some(Scores { count: self.count, values })
    }
}

/// Metrics of one split.
#[derive(Debug, Clone, Default)]
pub struct Scores {
    /// Number of interactions.
    pub count: u64,
    /// Name and value of each metric.
    pub values: Vec<(String, f64)>,
}

/// The order of the metrics does not count: JSON has none.
impl PartialEq for Scores {
    fn eq(&self, other: &Self) -> bool {
        let has = |(name, value): &(String, f64)| other.get(name) == Some(*value);
        self.count == other.count && self.values.len() == other.values.len() && self.values.iter().all(has)
    }
}

impl Scores {
    /// The value of one metric.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.values.iter().find(|(own, _)| own == name).map(|(_, value)| *value)
    }
}

/// One object: `{"count": …, "<metric>": …}`.
impl Serialize for Scores {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.values.len() + 1))?;
        map.serialize_entry("count", &self.count)?;
        self.values.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Scores {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfMap;
        impl<'de> Visitor<'de> for OfMap {
            type Value = Scores;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a count and metrics")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scores, A::Error> {
                let mut scores = Scores::default();
                while let Some(name) = map.next_key::<String>()? {
                    match name.as_str() {
                        "count" => scores.count = map.next_value()?,
                        _ => scores.values.push((name, map.next_value()?)),
                    }
                }
                Ok(scores)
            }
        }
        deserializer.deserialize_map(OfMap)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Catalog, Mae, ObjectiveLoss, Rmse};
    use super::*;
    use crate::linalg::Groups;

    #[test]
    fn metrics_of_a_case_by_hand() {
        let metrics = Metrics(vec![Arc::new(ObjectiveLoss), Arc::new(Rmse), Arc::new(Mae)]);
        let mut tally = Tally::new(&metrics);
        assert_eq!(tally.scores(), None);
        for (target, prediction) in [(3.0, 2.0), (1.0, 4.0), (5.0, 5.0), (2.0, 4.0)] {
            tally.add(&[Pair { target, prediction, loss: Some(1.0) }]);
        }
        let scores = tally.scores().expect("four ratings");
        let expected =
            [("loss", 1.0), ("rmse", 3.5_f64.sqrt()), ("mae", 1.5)].map(|(name, value)| (name.to_string(), value));
        assert_eq!(scores, Scores { count: 4, values: expected.to_vec() });
        let json = serde_json::to_string(&scores).expect("JSON");
        assert!(json.starts_with("{\"count\":4,\"loss\":1.0,\"rmse\":1.87"), "{json}");
        assert_eq!(serde_json::from_str::<Scores>(&json).expect("and back").values[0], scores.values[0]);
    }

    #[test]
    fn what_is_not_measured_is_no_metric() {
        #[derive(Debug)]
        struct First;
        impl Metric for First {
            fn name(&self) -> &str {
                "first"
            }
            fn needs(&self) -> Needs {
                Needs::Lists { length: 1 }
            }
            fn of_list(&self, list: &RankedList) -> Option<f64> {
                Some(f64::from(u8::from(list.relevant.contains(list.items.first()?))))
            }
        }
        let mut tally = Tally::new(&Metrics(vec![Arc::new(ObjectiveLoss), Arc::new(First)]));
        tally.add(&[Pair { target: 1.0, prediction: 1.0, loss: None }]);
        assert_eq!(tally.scores().expect("a pair").values, []);
        let catalog = &Catalog::new(&Groups::new(1, std::iter::empty()), 5);
        for items in [&[3][..], &[4], &[]] {
            tally.add_list(&RankedList { items, relevant: &[3], places: &[0], unknown: 0, candidates: 5, catalog });
        }
        assert_eq!(tally.scores().expect("a pair").values, [("first".to_string(), 0.5)]);
    }
}
