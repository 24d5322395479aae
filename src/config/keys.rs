//! What a part of the program adds to a schema: its keys, choices between parts with keys of their own, other defaults
//! for keys of other parts, and rules about several keys.

use std::fmt;
use std::sync::Arc;

use super::key::{Effect, Key, KeyKind};
use super::values::Values;
use super::when::{Is, When};

/// Something wrong with several values together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The keys involved; the problem is reported at the one written last.
    pub keys: Vec<String>,
    /// What is wrong and what to do.
    pub message: String,
}

impl Problem {
    /// A problem of these keys.
    pub fn new<const N: usize>(keys: [&str; N], message: impl Into<String>) -> Self {
        Self { keys: keys.map(Into::into).to_vec(), message: message.into() }
    }
}

/// Looks for problems.
type Check = dyn Fn(&Values) -> Vec<Problem> + Send + Sync;

/// A rule about several keys.
#[derive(Clone)]
pub(super) struct Rule(Arc<Check>);

impl Rule {
    /// What is wrong with these values.
    pub fn check(&self, values: &Values) -> Vec<Problem> {
        (self.0)(values)
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rule")
    }
}

/// A default that one part gives to a key of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OtherDefault {
    pub path: String,
    /// `None` only within a [`Choice`]: whenever the part is chosen.
    pub when: Option<When>,
    pub toml: String,
}

/// Keys, and what goes with them.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    pub(super) keys: Vec<Key>,
    pub(super) defaults: Vec<OtherDefault>,
    pub(super) rules: Vec<Rule>,
    /// Pairs of keys that exclude each other.
    pub(super) exclusive: Vec<[String; 2]>,
}

impl Keys {
    /// These keys.
    pub fn new(keys: impl IntoIterator<Item = Key>) -> Self {
        Self { keys: keys.into_iter().collect(), ..Self::default() }
    }

    /// With these keys after the others.
    pub fn and(mut self, other: impl Into<Self>) -> Self {
        let other = other.into();
        self.keys.extend(other.keys);
        self.defaults.extend(other.defaults);
        self.rules.extend(other.rules);
        self.exclusive.extend(other.exclusive);
        self
    }

    /// With another default, in TOML, for a key of another part: within a [`Choice`], if this part is chosen.
    pub fn default_for(mut self, path: &str, toml: &str) -> Self {
        self.defaults.push(OtherDefault { path: path.into(), when: None, toml: toml.into() });
        self
    }

    /// The same under a condition of this part's own.
    pub fn default_for_if(mut self, path: &str, when: When, toml: &str) -> Self {
        self.defaults.push(OtherDefault { path: path.into(), when: Some(when), toml: toml.into() });
        self
    }

    /// With a rule about several keys. It is checked whatever else is wrong, so that all problems are reported at once.
    pub fn rule(mut self, rule: impl Fn(&Values) -> Vec<Problem> + Send + Sync + 'static) -> Self {
        self.rules.push(Rule(Arc::new(rule)));
        self
    }

    /// With two keys that exclude each other: an override of one removes the other from the file.
    pub fn exclusive(mut self, one: &str, other: &str) -> Self {
        self.exclusive.push([one.into(), other.into()]);
        self
    }

    /// Whether parts that read these keys can read the stored `values`: every key that applies and has a default is
    /// present, and each matches its declaration.
    ///
    /// # Errors
    /// What is wrong, beginning with the path of a key.
    pub fn check(&self, values: &Values) -> Result<(), String> {
        for key in self.keys.iter().filter(|key| key.when.iter().all(|when| when.holds(values))) {
            match values.value(&key.path) {
                Some(value) => drop(key.check(value)?),
                None if key.default_value(values, "").is_some() => return Err(format!("{} is missing", key.path)),
                None => {}
            }
        }
        Ok(())
    }

    /// `values`, and the defaults of the keys that do not apply in them.
    pub fn with_defaults(&self, values: &Values) -> Values {
        let mut all = values.clone();
        for key in &self.keys {
            if let (None, Some(default)) = (values.value(&key.path), key.default_value(values, "")) {
                all.insert(&key.path, default);
            }
        }
        all
    }

    /// Without this key.
    pub fn without(mut self, path: &str) -> Self {
        self.keys.retain(|key| key.path != path);
        self
    }

    /// All keys with this effect.
    pub fn effect(mut self, effect: Effect) -> Self {
        self.keys.iter_mut().for_each(|key| key.effect = effect);
        self
    }

    /// Each key under one more condition.
    pub fn when(mut self, when: &When) -> Self {
        // Before its own conditions, because those may depend on keys under this one.
        self.keys.iter_mut().for_each(|key| key.when.insert(0, when.clone()));
        self
    }
}

impl<const N: usize> From<[Key; N]> for Keys {
    fn from(keys: [Key; N]) -> Self {
        Self::new(keys)
    }
}

impl From<Key> for Keys {
    fn from(key: Key) -> Self {
        Self::new([key])
    }
}

/// A key whose words are parts with keys of their own, which apply if their part is chosen. Parts may share keys, which
/// all of them must declare alike.
#[derive(Debug, Clone)]
pub struct Choice {
    key: Key,
    parts: Vec<(String, Keys)>,
}

impl Choice {
    /// A choice between the parts that [`part`](Self::part) adds.
    pub fn new(path: &str, meaning: &str) -> Self {
        Self { key: Key::new(path, KeyKind::Choice(Vec::new()), meaning), parts: Vec::new() }
    }

    /// With another declaration of the key itself.
    pub fn with(mut self, change: impl FnOnce(Key) -> Key) -> Self {
        self.key = change(self.key);
        self
    }

    /// With a part and its keys.
    pub fn part(mut self, name: &str, keys: impl Into<Keys>) -> Self {
        self.parts.push((name.into(), keys.into()));
        self
    }
}

impl From<Choice> for Keys {
    /// The choice and the keys of all parts, each under the conditions that follow from the parts that have it.
    ///
    /// # Panics
    /// If two parts declare the same key differently.
    fn from(choice: Choice) -> Self {
        let path = choice.key.path.clone();
        let names: Vec<String> = choice.parts.iter().map(|(name, _)| name.clone()).collect();
        let mut shared: Vec<Shared> = Vec::new();
        let mut all = Self::default();
        for (name, keys) in choice.parts {
            for mut key in keys.keys {
                let when = std::mem::take(&mut key.when);
                match shared.iter_mut().find(|other| other.key.path == key.path) {
                    Some(other) => {
                        assert_eq!(other.key, key, "{}: two parts declare this key in two ways", key.path);
                        other.owners.push((name.clone(), when));
                    }
                    None => shared.push(Shared { key, owners: vec![(name.clone(), when)] }),
                }
            }
            for default in keys.defaults {
                if all.defaults.contains(&default) {
                    continue;
                }
                let when = default
                    .when
                    .unwrap_or_else(|| When(vec![Is { key: path.clone(), values: vec![name.clone()], absent: false }]));
                // Parts that agree make one condition.
                let mut agreeing =
                    all.defaults.iter_mut().filter(|other| other.path == default.path && other.toml == default.toml);
                match (agreeing.next().and_then(|other| other.when.as_mut()), &when.0[..]) {
                    (Some(When(other)), [is]) if other.len() == 1 && other[0].key == is.key => {
                        other[0].values.extend(is.values.clone());
                    }
                    _ => all.defaults.push(OtherDefault { when: Some(when), ..default }),
                }
            }
            let (path, name) = (path.clone(), name.clone());
            if !keys.rules.is_empty() {
                let is_chosen = move |values: &Values| values.is(&path, &name);
                all = all.rule(move |values| match is_chosen(values) {
                    true => keys.rules.iter().flat_map(|rule| rule.check(values)).collect(),
                    false => Vec::new(),
                });
            }
            all.exclusive.extend(keys.exclusive);
        }
        all.keys.push(Key { kind: KeyKind::Choice(names.clone()), ..choice.key });
        all.keys
            .extend(shared.iter().map(|own| Key { when: own.conditions(&path, &names, &shared), ..own.key.clone() }));
        all
    }
}

/// A key with the parts that have it, each with conditions of its own.
struct Shared {
    key: Key,
    owners: Vec<(String, Vec<When>)>,
}

impl Shared {
    /// When the key applies: if one of its parts is chosen by the key at `path`, under the conditions of that part.
    fn conditions(&self, path: &str, names: &[String], all: &[Self]) -> Vec<When> {
        let first = &self.owners[0].1;
        let chosen = |owners: Vec<&String>| Is {
            key: path.into(),
            values: owners.into_iter().cloned().collect(),
            absent: false,
        };
        if self.owners.iter().all(|(_, when)| when == first) {
            // A condition that a key is set which only these parts have already implies that one of them is chosen.
            let implied = |is: &Is| {
                !is.absent
                    && all
                        .iter()
                        .any(|other| other.key.path == is.key && other.owners.iter().all(|(name, _)| self.has(name)))
            };
            let says_all = self.owners.len() == names.len() || first.iter().any(|when| when.0.iter().all(implied));
            let chosen = When(vec![chosen(self.owners.iter().map(|(name, _)| name).collect())]);
            return if says_all { first.clone() } else { [chosen].into_iter().chain(first.clone()).collect() };
        }
        let (plain, others): (Vec<_>, Vec<_>) = self.owners.iter().partition(|(_, when)| when.is_empty());
        let mut any = vec![chosen(plain.into_iter().map(|(name, _)| name).collect())];
        for (name, when) in others {
            assert_eq!(
                when.len(),
                1,
                "{}: {name} puts more than one condition on it, and other parts do not",
                self.key.path
            );
            any.extend(when[0].0.clone());
        }
        any.retain(|is| is.key != path || !is.values.is_empty());
        vec![When(any)]
    }

    fn has(&self, part: &str) -> bool {
        self.owners.iter().any(|(name, _)| name == part)
    }
}

#[cfg(test)]
mod tests {
    use toml::Value;

    use super::super::when::{absent, is};
    use super::*;

    fn of(path: &str) -> Key {
        Key::new(path, KeyKind::ANY_COUNT, "")
    }

    fn conditions(choice: Choice) -> Vec<(String, String)> {
        let when = |key: &Key| key.when.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
        Keys::from(choice).keys.iter().map(|key| (key.path.clone(), when(key))).collect()
    }

    #[test]
    fn conditions_follow_from_who_has_a_key() {
        let rule = Choice::new("s.rule", "").part("fast", of("s.rate")).part("slow", []);
        let choice = Choice::new("s.kind", "")
            .part("a", [of("s.all"), of("s.rate"), of("s.own")])
            .part("b", [of("s.all"), of("s.own").when(is("m.kind", ["x"]))])
            .part("c", Keys::from(rule).and(of("s.all")).and(of("s.then").when(is("s.rule", ["slow"]))));
        let expected = [
            ("s.kind", ""),
            ("s.all", ""),
            ("s.rate", "s.kind = \"a\" or s.rule = \"fast\""),
            ("s.own", "s.kind = \"a\" or m.kind = \"x\""),
            ("s.rule", "s.kind = \"c\""),
            ("s.then", "s.rule = \"slow\""),
        ];
        assert_eq!(conditions(choice), expected.map(|(path, when)| (path.to_string(), when.to_string())));
    }

    #[test]
    fn a_key_may_stand_in_for_another_that_is_not_set() {
        let share = || of("s.share").when(absent("s.from"));
        let choice = Choice::new("s.kind", "").part("a", share()).part("b", [share(), of("s.from")]).part("c", []);
        let expected =
            [("s.kind", ""), ("s.share", "s.kind = \"a\" or \"b\" and no s.from"), ("s.from", "s.kind = \"b\"")];
        assert_eq!(conditions(choice), expected.map(|(path, when)| (path.to_string(), when.to_string())));
        let mut values = Values::default();
        assert!(absent("s.from").holds(&values));
        values.insert("s.from", 1);
        assert!(!absent("s.from").holds(&values));
    }

    #[test]
    fn parts_with_the_same_condition_keep_it_beside_the_choice() {
        let biases = || of("s.biases").when(is("m.kind", ["biased"]));
        let choice = Choice::new("s.kind", "").part("a", biases()).part("b", biases()).part("c", []);
        assert_eq!(conditions(choice)[1].1, "s.kind = \"a\" or \"b\" and m.kind = \"biased\"");
    }

    #[test]
    fn parts_that_agree_on_a_default_make_one_condition() {
        let choice = Choice::new("m.kind", "")
            .part("mf", Keys::default().default_for("m.start", "1"))
            .part("other", Keys::default().default_for_if("m.start", is("m.x", ["y"]), "2"))
            .part("nmf", Keys::default().default_for("m.start", "1"));
        let defaults: Vec<_> = Keys::from(choice)
            .defaults
            .iter()
            .map(|d| format!("{} {}", d.when.as_ref().expect("one"), d.toml))
            .collect();
        assert_eq!(defaults, ["m.kind = \"mf\" or \"nmf\" 1", "m.x = \"y\" 2"]);
    }

    #[test]
    fn stored_values_have_every_key_that_takes_part_as_it_is_declared() {
        let keys = Keys::from(Choice::new("s.kind", "").part("a", of("s.rate").default("1")).part("b", of("s.own")));
        let check = |values: &[(&str, Value)]| {
            keys.check(&values.iter().map(|(path, value)| (path.to_string(), value.clone())).collect())
        };
        let kind = |name: &str| ("s.kind", Value::from(name));
        assert_eq!(check(&[kind("a"), ("s.rate", 2.into())]), Ok(()));
        assert_eq!(check(&[kind("b")]), Ok(()));
        assert_eq!(check(&[kind("a")]), Err("s.rate is missing".into()));
        assert!(check(&[kind("a"), ("s.rate", "x".into())]).is_err_and(|cause| cause.starts_with("s.rate must be")));
    }

    #[test]
    #[should_panic = "s.x: two parts declare this key in two ways"]
    fn a_key_is_declared_in_one_way() {
        let _ = Keys::from(Choice::new("s.kind", "").part("a", of("s.x")).part("b", of("s.x").default("1")));
    }
}
