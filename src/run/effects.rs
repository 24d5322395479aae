//! What values of a context do to predictions, and which values do something together that neither does alone.
//!
//! The partial effect of a value is the mean prediction over interactions with the field set to it, less the mean as they are (partial
//! dependence: Friedman 2001). The interaction of two values of two fields is the mean score with both set, less those with one of them
//! set, plus the mean as they are: of a factorization machine, the product of their vectors less what each has with the average of
//! the other field. Interactions are a sample of the training part, the same for the same seed; values that are rarest are left out.

use std::collections::HashMap;

use burn::tensor::Device;
use rand::seq::index;

use super::model_file::ModelFile;
use super::views::{EffectViews, Interaction, ValueEffect};
use crate::data::{FieldId, Interactions, UNKNOWN, USER};
use crate::random;

/// Interactions that fields are set in.
const SAMPLED: usize = 100;
/// Values of a field, the most frequent ones.
const VALUES: usize = 50;
/// Pairs of values, the most frequent ones.
const PAIRS: usize = 500;
/// Training interactions with a value, or with both of a pair, from which on these count.
const LEAST: usize = 10;
/// Predictions that are made at once, at most.
const AT_ONCE: usize = 1 << 16;

/// The effects of the context; `None` for a model without one.
pub(super) fn effects(file: &ModelFile, train: &Interactions, device: &Device, seed: u64) -> Option<EffectViews> {
    let context: Vec<FieldId> = (2..file.fields.len()).map(FieldId).collect();
    if context.is_empty() || train.is_empty() {
        return None;
    }
    let mut random = random::stream(seed, "effects");
    let mut sampled = index::sample(&mut random, train.len(), train.len().min(SAMPLED)).into_vec();
    sampled.sort_unstable();
    let machine = Machine { file, train, device, sampled };
    let plain = machine.means(&[Vec::new()]);
    let (score, prediction) = plain[0];
    let mut effects = Vec::new();
    for &field in &context {
        let counts = frequent([field].map(|field| train.column(field)), VALUES);
        let set: Vec<Set> = counts.iter().map(|([value], _)| vec![(field, *value)]).collect();
        for (([value], count), (_, mean)) in counts.iter().zip(machine.means(&set)) {
            effects.push(ValueEffect { field, value: *value, count: *count, effect: mean - prediction });
        }
    }
    // With what is recommended, but not with each user.
    let fields: Vec<FieldId> = (0..file.fields.len()).map(FieldId).filter(|&field| field != USER).collect();
    let mut pairs: Vec<([(FieldId, u32); 2], usize)> = Vec::new();
    for (at, &one) in fields.iter().enumerate() {
        for &other in &fields[at + 1..] {
            let counts = frequent([one, other].map(|field| train.column(field)), PAIRS);
            pairs.extend(counts.into_iter().map(|([a, b], count)| ([(one, a), (other, b)], count)));
        }
    }
    // Stable: of equals, the first by field and value.
    pairs.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    pairs.truncate(PAIRS);
    let mut alone: Vec<(FieldId, u32)> = pairs.iter().flat_map(|(pair, _)| *pair).collect();
    alone.sort_unstable_by_key(|(field, value)| (field.0, *value));
    alone.dedup();
    let means = machine.means(&alone.iter().map(|&own| vec![own]).collect::<Vec<_>>());
    let of_one: HashMap<(usize, u32), f64> =
        alone.iter().zip(means).map(|(&(field, value), (score, _))| ((field.0, value), score)).collect();
    let both = machine.means(&pairs.iter().map(|(pair, _)| pair.to_vec()).collect::<Vec<_>>());
    let mut interactions = Vec::with_capacity(pairs.len());
    for ((pair, count), (both, _)) in pairs.into_iter().zip(both) {
        let [one, other] = pair.map(|(field, value)| of_one[&(field.0, value)]);
        interactions.push(Interaction { pair, count, effect: both - one - other + score });
    }
    Some(EffectViews { effects, interactions })
}

/// Fields and what they are set to.
type Set = Vec<(FieldId, u32)>;

struct Machine<'a> {
    file: &'a ModelFile,
    train: &'a Interactions,
    device: &'a Device,
    sampled: Vec<usize>,
}

impl Machine<'_> {
    /// The mean score and the mean prediction over the sampled interactions, with each of these sets in turn.
    fn means(&self, sets: &[Set]) -> Vec<(f64, f64)> {
        let count = self.sampled.len();
        let mut means = Vec::with_capacity(sets.len());
        for some in sets.chunks((AT_ONCE / count).max(1)) {
            let column = |field: usize| -> Vec<u32> {
                let own = &self.train.columns[field];
                let of_set = |set: &Set| {
                    let value = set.iter().find(|(of, _)| of.0 == field).map(|(_, value)| *value);
                    self.sampled.iter().map(move |&at| value.unwrap_or(own[at])).collect::<Vec<_>>()
                };
                some.iter().flat_map(of_set).collect()
            };
            let columns: Vec<Vec<u32>> = (0..self.train.columns.len()).map(column).collect();
            let rows = Interactions {
                targets: vec![0.0; some.len() * count],
                columns,
                weights: None,
                timestamps: None,
                bags: self.file.bags.clone(),
            };
            let predictor = &self.file.predictor;
            let scores = predictor.scores(&self.file.model, self.device, &rows);
            means.extend(scores.chunks_exact(count).map(|scores| {
                let known: Vec<f32> = scores.iter().flatten().copied().collect();
                let mean = |value: &dyn Fn(f32) -> f64| {
                    known.iter().map(|&score| value(score)).sum::<f64>() / known.len().max(1) as f64
                };
                (mean(&f64::from), mean(&|score| predictor.of_score(score)))
            }));
        }
        means
    }
}

/// The most frequent combinations of known values in these columns, at most `most` and none below [`LEAST`], each with its count;
/// ascending among equals.
fn frequent<const N: usize>(columns: [&[u32]; N], most: usize) -> Vec<([u32; N], usize)> {
    let mut counts: HashMap<[u32; N], usize> = HashMap::new();
    for at in 0..columns[0].len() {
        let values = columns.map(|column| column[at]);
        if !values.contains(&UNKNOWN) {
            *counts.entry(values).or_default() += 1;
        }
    }
    let mut counts: Vec<([u32; N], usize)> = counts.into_iter().filter(|(_, count)| *count >= LEAST).collect();
    counts.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    counts.truncate(most);
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_values_come_first_and_rare_ones_not_at_all() {
        let mut one = vec![1; 30];
        one.extend(vec![2; 12]);
        one.extend(vec![3; 9]);
        one.extend(vec![UNKNOWN; 40]);
        let other: Vec<u32> = (0..one.len() as u32).map(|at| at % 2).collect();
        assert_eq!(frequent([&one], 9), [([1], 30), ([2], 12)]);
        assert_eq!(frequent([&one], 1), [([1], 30)]);
        assert_eq!(frequent([&one, &other], 9), [([1, 0], 15), ([1, 1], 15)]);
    }
}
