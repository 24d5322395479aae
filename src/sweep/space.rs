//! The search space: a domain for each key, and when a key applies.

use std::collections::BTreeMap;
use std::fmt;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use toml::Value;

/// The values that a key may take.
#[derive(Debug, Clone, PartialEq)]
pub enum Domain {
    /// Numbers from `low` to `high`, all equally likely.
    Uniform {
        /// Smallest value.
        low: f64,
        /// Largest value.
        high: f64,
    },
    /// Positive numbers from `low` to `high` whose logarithms are equally likely.
    LogUniform {
        /// Smallest value.
        low: f64,
        /// Largest value.
        high: f64,
    },
    /// The integers `low`, `low` + `step`, … up to `high`.
    Int {
        /// Smallest value.
        low: i64,
        /// Upper bound of the values.
        high: i64,
        /// Distance between neighbours; 1 if `log`.
        step: i64,
        /// Whether logarithms are equally likely rather than values.
        log: bool,
    },
    /// One of a few values, all equally likely.
    Choice(Vec<Value>),
}

impl Domain {
    /// Number of values of a choice.
    pub fn choices(&self) -> Option<usize> {
        if let Self::Choice(values) = self { Some(values.len()) } else { None }
    }

    /// The value at `position`, from 0 to 1, of the domain laid out evenly.
    ///
    /// Floats are rounded: to four significant digits on a logarithmic scale, otherwise to between a thousandth and a
    /// ten-thousandth of the range.
    pub fn at(&self, position: f64) -> Value {
        let cell = |count: usize| ((position * count as f64) as usize).min(count - 1);
        match self {
            Self::Uniform { low, high } => {
                let decimals = (3.0 - (high - low).log10().floor()).max(0.0) as usize;
                rounded(format!("{:.decimals$}", low + position * (high - low)), *low, *high)
            }
            Self::LogUniform { low, high } => {
                rounded(format!("{:.3e}", (low.ln() + position * (high / low).ln()).exp()), *low, *high)
            }
            Self::Int { low, high, log: true, .. } => {
                let (from, to) = logarithmic_ends(*low, *high);
                Value::Integer(((from + position * (to - from)).exp().round() as i64).clamp(*low, *high))
            }
            Self::Int { low, step, .. } => Value::Integer(low + step * cell(self.steps()) as i64),
            Self::Choice(values) => values[cell(values.len())].clone(),
        }
    }

    /// The position of a value: [`at`](Self::at) maps it back to the value.
    pub fn position(&self, value: &Value) -> f64 {
        let number = value.as_float().or(value.as_integer().map(|integer| integer as f64)).unwrap_or_default();
        let middle = |index: usize, count: usize| (index as f64 + 0.5) / count as f64;
        match self {
            Self::Uniform { low, high } => (number - low) / (high - low),
            Self::LogUniform { low, high } => (number / low).ln() / (high / low).ln(),
            Self::Int { low, high, log: true, .. } => {
                let (from, to) = logarithmic_ends(*low, *high);
                (number.ln() - from) / (to - from)
            }
            Self::Int { low, step, .. } => middle(((number as i64 - low) / step) as usize, self.steps()),
            Self::Choice(values) => middle(self.index(value).unwrap_or_default(), values.len()),
        }
    }

    /// The index of a value among the choices.
    pub fn index(&self, value: &Value) -> Option<usize> {
        let Self::Choice(values) = self else { return None };
        values.iter().position(|choice| choice == value)
    }

    /// A random value.
    pub fn draw(&self, random: &mut ChaCha8Rng) -> Value {
        self.at(random.random::<f64>())
    }

    /// `points` values spread evenly from one end to the other; all of them if there are no more.
    pub fn grid(&self, points: usize) -> Vec<Value> {
        let count = match self {
            Self::Choice(values) => return values.clone(),
            Self::Int { log: false, .. } => self.steps(),
            Self::Int { low, high, .. } => (high - low + 1) as usize,
            _ => usize::MAX,
        };
        let mut values: Vec<Value> = match self {
            Self::Int { low, step, .. } if count <= points => {
                (0..count as i64).map(|i| (low + step * i).into()).collect()
            }
            _ if points == 1 => vec![self.at(0.5)],
            _ => (0..points).map(|point| self.at(point as f64 / (points - 1) as f64)).collect(),
        };
        values.dedup();
        values
    }

    /// Number of integers of a domain that is not logarithmic.
    fn steps(&self) -> usize {
        let Self::Int { low, high, step, .. } = self else { return 0 };
        ((high - low) / step + 1) as usize
    }

    /// The value that `json` represents, if it fits the domain.
    pub fn of_json(&self, json: &serde_json::Value) -> Option<Value> {
        match self {
            Self::Uniform { .. } | Self::LogUniform { .. } => json.as_f64().map(Value::Float),
            Self::Int { .. } => json.as_i64().map(Value::Integer),
            Self::Choice(values) => {
                values.iter().find(|value| serde_json::to_value(value).is_ok_and(|value| value == *json)).cloned()
            }
        }
    }

    /// Whether its values are on a logarithmic scale.
    pub fn is_logarithmic(&self) -> bool {
        matches!(self, Self::LogUniform { .. } | Self::Int { log: true, .. })
    }
}

/// Ends of the scale on which each integer from `low` to `high` has room around its logarithm.
fn logarithmic_ends(low: i64, high: i64) -> (f64, f64) {
    ((low as f64 - 0.5).ln(), (high as f64 + 0.5).ln())
}

fn rounded(text: String, low: f64, high: f64) -> Value {
    let number: f64 = text.parse().expect("a number that was just written");
    Value::Float(number.clamp(low, high))
}

/// As written in a space file.
impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uniform { low, high } => write!(f, "uniform = [{low:?}, {high:?}]"),
            Self::LogUniform { low, high } => write!(f, "log_uniform = [{low:?}, {high:?}]"),
            Self::Int { low, high, log: true, .. } => write!(f, "int = [{low}, {high}], log = true"),
            Self::Int { low, high, step: 1, .. } => write!(f, "int = [{low}, {high}]"),
            Self::Int { low, high, step, .. } => write!(f, "int = [{low}, {high}], step = {step}"),
            Self::Choice(values) => write!(f, "choice = {}", Value::Array(values.clone())),
        }
    }
}

/// Holds if a searched key applies and has one of these values.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The other key.
    pub key: String,
    /// Its values.
    pub values: Vec<Value>,
}

/// The requirement for a key to apply, in terms of searched keys.
#[derive(Debug, Clone, PartialEq)]
pub enum Requirement {
    /// This condition.
    Is(Condition),
    /// Every one of these.
    All(Vec<Requirement>),
    /// At least one of these.
    Any(Vec<Requirement>),
}

impl Requirement {
    /// The requirement that always holds.
    pub const ALWAYS: Self = Self::All(Vec::new());

    /// Whether there are values with which it holds.
    pub fn can_hold(&self) -> bool {
        match self {
            Self::Is(condition) => !condition.values.is_empty(),
            Self::All(parts) => parts.iter().all(Self::can_hold),
            Self::Any(parts) => parts.iter().any(Self::can_hold),
        }
    }

    /// The keys that it depends on.
    pub fn keys(&self) -> Vec<&str> {
        match self {
            Self::Is(condition) => vec![&condition.key],
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::keys).collect(),
        }
    }
}

/// A searched key; one of its several domains if the domain depends on a choice.
#[derive(Debug, Clone, PartialEq)]
pub struct Dimension {
    /// The config key.
    pub key: String,
    /// Its values.
    pub domain: Domain,
    /// When it applies by the space file: all must hold.
    pub when: Vec<Condition>,
    /// When its key applies by the schema.
    pub requirement: Requirement,
}

impl Dimension {
    /// Whether it depends on a key.
    pub fn depends_on(&self, key: &str) -> bool {
        self.when.iter().any(|condition| condition.key == key) || self.requirement.keys().contains(&key)
    }
}

/// A value for each dimension that applies, in the order of the dimensions.
pub type Point = Vec<Option<Value>>;

/// The whole search space.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Space {
    /// Each dimension comes after those that its conditions name.
    pub dimensions: Vec<Dimension>,
    /// Keys that always have the value of a searched key: (key, searched key).
    pub ties: Vec<(String, String)>,
}

impl Space {
    /// A point whose values `pick` chooses, from the first dimension to the last; it is called for those that apply.
    pub fn walk(&self, mut pick: impl FnMut(usize, &Domain) -> Value) -> Point {
        let mut point = Point::new();
        for (at, dimension) in self.dimensions.iter().enumerate() {
            let takes_part = self.takes_part(dimension, &point);
            point.push(takes_part.then(|| pick(at, &dimension.domain)));
        }
        point
    }

    /// Whether a dimension applies if those before it have these values.
    fn takes_part(&self, dimension: &Dimension, point: &[Option<Value>]) -> bool {
        dimension.when.iter().all(|condition| self.is(condition, point)) && self.holds(&dimension.requirement, point)
    }

    /// Whether a requirement is met in a point, or in the beginning of one.
    pub fn holds(&self, requirement: &Requirement, point: &[Option<Value>]) -> bool {
        match requirement {
            Requirement::Is(condition) => self.is(condition, point),
            Requirement::All(parts) => parts.iter().all(|part| self.holds(part, point)),
            Requirement::Any(parts) => parts.iter().any(|part| self.holds(part, point)),
        }
    }

    fn is(&self, condition: &Condition, point: &[Option<Value>]) -> bool {
        let mut values = self.dimensions.iter().zip(point).filter(|(dimension, _)| dimension.key == condition.key);
        values.any(|(_, value)| value.as_ref().is_some_and(|value| condition.values.contains(value)))
    }

    /// A random point.
    pub fn draw(&self, random: &mut ChaCha8Rng) -> Point {
        self.walk(|_, domain| domain.draw(random))
    }

    /// The first `most` points of the grid with `points` values of each range; the last dimension changes fastest.
    pub fn grid(&self, points: usize, most: usize) -> Vec<Point> {
        let values: Vec<Vec<Value>> = self.dimensions.iter().map(|dimension| dimension.domain.grid(points)).collect();
        let mut found = Vec::new();
        // For each dimension the index of its value, 0 if it does not apply.
        let mut indices = vec![0; values.len()];
        loop {
            if found.len() == most {
                return found;
            }
            let point = self.walk(|at, _| values[at][indices[at]].clone());
            // Advance the last dimension that applies and has a value left.
            let next = (0..values.len()).rev().find(|&at| point[at].is_some() && indices[at] + 1 < values[at].len());
            found.push(point);
            let Some(next) = next else { return found };
            indices[next] += 1;
            indices[next + 1..].fill(0);
        }
    }

    /// The keys and values of a point, tied keys included.
    pub fn settings(&self, point: &Point) -> Vec<(String, Value)> {
        let searched = self.dimensions.iter().zip(point);
        let mut settings: Vec<_> =
            searched.filter_map(|(dimension, value)| Some((dimension.key.clone(), value.clone()?))).collect();
        for (key, source) in &self.ties {
            let value = settings.iter().find(|(key, _)| key == source).map(|(_, value)| value.clone());
            settings.extend(value.map(|value| (key.clone(), value)));
        }
        settings
    }

    /// The point with these values of keys, if it is one of this space.
    pub fn point_of(&self, settings: &BTreeMap<String, serde_json::Value>) -> Option<Point> {
        let mut point = Point::new();
        for dimension in &self.dimensions {
            let value = match self.takes_part(dimension, &point) {
                true => Some(dimension.domain.of_json(settings.get(&dimension.key)?)?),
                false => None,
            };
            point.push(value);
        }
        Some(point)
    }

    /// The choices of a searched key; `None` if its values are numbers.
    pub fn choices(&self, key: &str) -> Option<Vec<Value>> {
        let mut dimensions = self.dimensions.iter().filter(|dimension| dimension.key == key).peekable();
        dimensions.peek()?;
        let values = dimensions.filter_map(|dimension| match &dimension.domain {
            Domain::Choice(values) => Some(values.clone()),
            _ => None,
        });
        Some(values.flatten().collect())
    }

    /// The searched keys in order, each once.
    pub fn keys(&self) -> Vec<&str> {
        let mut keys: Vec<&str> = Vec::new();
        for dimension in &self.dimensions {
            if !keys.contains(&dimension.key.as_str()) {
                keys.push(&dimension.key);
            }
        }
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random;

    fn choice(words: &[&str]) -> Domain {
        Domain::Choice(words.iter().map(|word| Value::from(*word)).collect())
    }

    fn domains() -> Vec<Domain> {
        vec![
            Domain::Uniform { low: -0.5, high: 0.25 },
            Domain::Uniform { low: 1e6, high: 3e8 },
            Domain::Uniform { low: 1000.0, high: 1000.001 },
            Domain::LogUniform { low: 3e-7, high: 0.2 },
            Domain::Int { low: 1, high: 7, step: 1, log: false },
            Domain::Int { low: 8, high: 130, step: 16, log: false },
            Domain::Int { low: 1, high: 512, step: 1, log: true },
            choice(&["a", "b", "c"]),
        ]
    }

    /// Two kinds of solver; a rate with a range for each, momentum for one.
    fn conditional() -> Space {
        let when = |kind: &str| vec![Condition { key: "solver.kind".into(), values: vec![kind.into()] }];
        let dimension =
            |key: &str, domain, when| Dimension { key: key.into(), domain, when, requirement: Requirement::ALWAYS };
        let rate = |low, high| Domain::LogUniform { low, high };
        Space {
            dimensions: vec![
                dimension("solver.kind", choice(&["adam", "sgd"]), vec![]),
                dimension("solver.learning_rate", rate(1e-4, 1e-2), when("adam")),
                dimension("solver.learning_rate", rate(0.1, 10.0), when("sgd")),
                dimension("solver.momentum", Domain::Uniform { low: 0.0, high: 0.9 }, when("sgd")),
            ],
            ties: vec![("solver.regularization.item_factors".into(), "solver.momentum".into())],
        }
    }

    #[test]
    fn a_value_is_found_again_at_its_position() {
        for domain in domains() {
            for value in (0..=1000).map(|i| domain.at(f64::from(i) / 1000.0)) {
                assert_eq!(domain.at(domain.position(&value)), value, "{domain}");
                let json = serde_json::to_string(&value).expect("JSON");
                let json = serde_json::from_str(&json).expect("JSON");
                assert_eq!(domain.of_json(&json), Some(value), "{domain}");
            }
        }
    }

    #[test]
    fn ends_are_reached_and_never_passed() {
        for domain in domains() {
            let values: Vec<Value> = (0..=10_000).map(|i| domain.at(f64::from(i) / 10_000.0)).collect();
            let (low, high) = match &domain {
                Domain::Uniform { low, high } | Domain::LogUniform { low, high } => ((*low).into(), (*high).into()),
                Domain::Int { low: 8, .. } => (8.into(), 120.into()),
                Domain::Int { low, high, .. } => ((*low).into(), (*high).into()),
                Domain::Choice(words) => (words[0].clone(), words[words.len() - 1].clone()),
            };
            assert_eq!((values.first(), values.last()), (Some(&low), Some(&high)), "{domain}");
            let number = |value: &Value| value.as_float().or(value.as_integer().map(|i| i as f64)).unwrap_or_default();
            assert!(values.is_sorted_by(|a, b| number(a) <= number(b)), "{domain}");
        }
    }

    #[test]
    fn draws_are_spread_as_the_domain_says() {
        let mut random = random::stream(1, "test");
        let mut share = |domain: Domain, below: f64| {
            let draws = (0..4000).map(|_| domain.draw(&mut random));
            draws.filter(|v| v.as_float().or(v.as_integer().map(|i| i as f64)) < Some(below)).count() as f64 / 4000.0
        };
        assert!((share(Domain::Uniform { low: 0.0, high: 1.0 }, 0.25) - 0.25).abs() < 0.03);
        assert!((share(Domain::LogUniform { low: 1e-4, high: 1.0 }, 1e-3) - 0.25).abs() < 0.03);
        assert!((share(Domain::Int { low: 1, high: 4, step: 1, log: false }, 1.5) - 0.25).abs() < 0.03);
        // Of ln(0.5) to ln(16.5), 4 and less have ln(4.5/0.5).
        let expected = 9f64.ln() / 33f64.ln();
        assert!((share(Domain::Int { low: 1, high: 16, step: 1, log: true }, 4.5) - expected).abs() < 0.03);
    }

    #[test]
    fn written_values_are_short() {
        for domain in domains() {
            for value in (0..=97).map(|i| domain.at(f64::from(i) / 97.0)) {
                assert!(value.to_string().len() <= 14, "{domain}: {value}");
            }
        }
    }

    #[test]
    fn keys_take_part_under_their_conditions_only() {
        let space = conditional();
        let mut random = random::stream(1, "test");
        for _ in 0..100 {
            let point = space.draw(&mut random);
            let settings = space.settings(&point);
            let is_sgd = settings[0].1 == "sgd".into();
            let keys: Vec<_> = settings.iter().map(|setting| setting.0.as_str()).collect();
            let expected: &[_] = match is_sgd {
                true => {
                    &["solver.kind", "solver.learning_rate", "solver.momentum", "solver.regularization.item_factors"]
                }
                false => &["solver.kind", "solver.learning_rate"],
            };
            assert_eq!(keys, expected);
            assert_eq!(settings[1].1.as_float() >= Some(0.1), is_sgd);
            if is_sgd {
                assert_eq!(settings[2].1, settings[3].1);
            }
        }
    }

    #[test]
    fn rules_are_made_of_all_and_any() {
        let space = conditional();
        let is = |key: &str, value: &str| Requirement::Is(Condition { key: key.into(), values: vec![value.into()] });
        let adam = vec![Some("adam".into()), Some(1e-3.into()), None, None];
        let (true_one, false_one) = (is("solver.kind", "adam"), is("solver.kind", "sgd"));
        assert!(space.holds(&Requirement::Any(vec![false_one.clone(), true_one.clone()]), &adam));
        assert!(!space.holds(&Requirement::All(vec![false_one.clone(), true_one]), &adam));
        assert!(!space.holds(&is("solver.momentum", "adam"), &adam), "a key that does not apply has no value");
        assert!(space.holds(&Requirement::ALWAYS, &adam) && Requirement::ALWAYS.can_hold());
        assert!(!Requirement::Any(vec![]).can_hold() && !Requirement::All(vec![Requirement::Any(vec![])]).can_hold());
        assert_eq!(Requirement::Any(vec![false_one, Requirement::ALWAYS]).keys(), ["solver.kind"]);
    }

    #[test]
    fn a_grid_has_every_combination_once() {
        let grid = conditional().grid(3, 100);
        // 3 rates with Adam, 3 rates × 3 momenta with SGD.
        assert_eq!(grid.len(), 3 + 9);
        assert!(grid.iter().enumerate().all(|(at, point)| !grid[..at].contains(point)));
        assert_eq!(
            grid[..3].iter().map(|point| point[1].clone()).collect::<Vec<_>>(),
            [Some(1e-4.into()), Some(1e-3.into()), Some(1e-2.into())]
        );
        assert_eq!(conditional().grid(3, 5), grid[..5]);
        let lengths = domains().iter().map(|domain| domain.grid(4).len()).collect::<Vec<_>>();
        assert_eq!(lengths, [4, 4, 4, 4, 4, 4, 4, 3]);
        assert_eq!(Domain::Int { low: 1, high: 3, step: 1, log: true }.grid(5).len(), 3);
    }
}
