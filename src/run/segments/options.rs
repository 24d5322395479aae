//! How customers are put in segments, as set in a config.

use std::ops::RangeInclusive;

use crate::config::words::joined;
use crate::config::{Effect, Key, KeyKind, Keys, Problem, Values, absent, choice, is};
use crate::data::read::{OrderLines, ReaderPart};

choice! {
    /// What customers are compared by.
    pub enum SegmentFeature {
        /// Days since the last order.
        Recency = "recency",
        /// Orders.
        Frequency = "frequency",
        /// Spend.
        Monetary = "monetary",
        /// What the model expects them to buy.
        Taste = "taste",
    }
}

/// How customers are put in segments, and products in communities.
#[derive(Debug, Clone)]
pub(in crate::run) struct SegmentOptions {
    pub by: Vec<SegmentFeature>,
    /// How much taste counts beside all habits together.
    pub taste_weight: f64,
    /// Segments; `None` goes by stability.
    pub count: Option<usize>,
    /// Numbers of segments that are tried.
    pub tried: RangeInclusive<usize>,
    /// Pairs of samples.
    pub pairs: usize,
    /// Communities of products; `None` goes by stability.
    pub communities: Option<usize>,
    /// Orders that a product is in, or two products are in together, from which on they are looked at.
    pub least_orders: u32,
}

const BY: &str = "segments.by";
const COUNT: &str = "segments.count";
const FROM: &str = "segments.from";
const TO: &str = "segments.to";
const PAIRS: &str = "segments.pairs";
const TASTE_WEIGHT: &str = "segments.taste_weight";
const COMMUNITIES: &str = "segments.communities";
const MIN_ORDERS: &str = "segments.min_orders";

impl SegmentOptions {
    /// The config keys; `dot_products` are the models that tell taste.
    pub fn keys(dot_products: Vec<String>) -> Keys {
        let some = || KeyKind::Int(2..=1000);
        let by = "What customers are put in segments by: how long ago, how often and for how much they bought, and what the model \
                  expects them to buy.";
        let all: Vec<String> = SegmentFeature::NAMES.iter().map(|name| format!("'{name}'")).collect();
        let weight = "How much taste counts beside recency, frequency and monetary value: the ratio of the variances.";
        let count = "Number of segments. If absent, the largest of those tried that is as stable as the most stable one, less its \
                     standard error.";
        let pairs = "Pairs of bootstrap samples of customers. Each number of segments is tried on all of them: it is stable if both \
                     samples of a pair lead to the same segments.";
        let communities = "Number of communities of products. If absent, it is found as the number of segments is.";
        let least = "Orders that a product is in at least to be in a community, and two products together to count as bought \
                     together.";
        Keys::new([
            Key::new(BY, KeyKind::TextList, by).default(&format!("[{}]", all.join(", "))),
            Key::new(TASTE_WEIGHT, KeyKind::POSITIVE, weight).default("3.0"),
            Key::new(COUNT, some(), count),
            Key::new(FROM, some(), "The smallest number of segments that is tried.").default("3").when(absent(COUNT)),
            Key::new(TO, some(), "The largest number of segments that is tried.").default("10").when(absent(COUNT)),
            Key::new(PAIRS, some(), pairs).default("20"),
            Key::new(COMMUNITIES, some(), communities),
            Key::new(MIN_ORDERS, KeyKind::AT_LEAST_ONE, least).default("20"),
        ])
        .when(&is("data.format", [OrderLines::NAME]))
        // The model is the same.
        .effect(Effect::Nothing)
        .rule(move |values| check(values, &dot_products))
    }

    /// The options that a config asks for, if its data are purchases.
    pub fn of(values: &Values) -> Option<Self> {
        let by: Vec<String> = values.find(BY)?;
        Some(Self {
            by: SegmentFeature::NAMES
                .iter()
                .filter(|name| by.iter().any(|own| own == *name))
                .filter_map(|name| SegmentFeature::of_name(name))
                .collect(),
            taste_weight: values.get(TASTE_WEIGHT),
            count: values.find(COUNT),
            tried: values.find(FROM).unwrap_or(0)..=values.find(TO).unwrap_or(0),
            pairs: values.get(PAIRS),
            communities: values.find(COMMUNITIES),
            least_orders: values.get::<usize>(MIN_ORDERS) as u32,
        })
    }
}

fn check(values: &Values, dot_products: &[String]) -> Vec<Problem> {
    let Some(by) = values.find::<Vec<String>>(BY) else { return Vec::new() };
    let mut problems = Vec::new();
    if let Some(unknown) = by.iter().find(|name| SegmentFeature::of_name(name).is_none()) {
        let known = joined(SegmentFeature::NAMES, "and");
        problems.push(Problem::new([BY], format!("{BY}: unknown name {unknown:?}; there are {known}")));
    }
    let kind: String = values.get("model.kind");
    if by.iter().any(|name| name == SegmentFeature::Taste.name()) && !dot_products.contains(&kind) {
        let models = joined(dot_products, "and");
        let message = format!(
            "data.format = \"purchases\" puts customers in segments, and {BY} has \"taste\", but model.kind is {kind:?}, whose scores are no dot products; take one of {models}, or leave \
             \"taste\" out"
        );
        problems.push(Problem::new([BY, "model.kind"], message));
    }
    let tried = values.find::<usize>(FROM).zip(values.find::<usize>(TO));
    if let Some((from, to)) = tried.filter(|(from, to)| from > to) {
        problems.push(Problem::new([FROM, TO], format!("{FROM} = {from} is above {TO} = {to}")));
    }
    problems
}
