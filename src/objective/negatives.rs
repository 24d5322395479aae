//! Candidates that an objective compares interactions with: items that the user has not met.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::config::{Choice, Key, KeyKind, Keys, Values, is};
use crate::data::batch::Samples;
use crate::data::unseen::Unseen;
use crate::data::{ITEM, Interactions, UNKNOWN, USER};
use crate::random::stream;

/// What is added to the score of a candidate that could not be drawn, because the user has met every other item: such a
/// candidate has no influence on any loss here.
pub const ABSENT: f32 = -1e30;

/// Draws of a candidate, if the ones drawn were met or are candidates already, before all that are left are looked at.
pub(crate) const TRIES: usize = 32;
/// Words of a random stream between the numbers of one position and those of the next, for each candidate: two for a draw,
/// twice as many for draws that are repeated.
const WORDS: u128 = 4;

/// Where candidates come from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NegativeSampler {
    /// All items that the user has not met, alike.
    Uniform,
    /// The same in proportion to (number of users who met the item)^exponent.
    Popularity {
        /// 0 draws all alike, 1 as often as they are met.
        exponent: f64,
    },
    /// Items of the other interactions of the same step.
    InBatch,
}

/// How many candidates each interaction has, and where they come from. No two candidates of an interaction are the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Negatives {
    /// Candidates of an interaction.
    pub count: usize,
    /// Where they come from.
    pub sampler: NegativeSampler,
}

impl Negatives {
    /// The keys that a config sets them by; `counts` are the candidates of each kind of objective unless the config says.
    pub(super) fn keys(counts: &[(&str, usize)]) -> Keys {
        let negatives = "Items drawn to be compared with each interaction, anew in each epoch, from those that the user has \
                         not met; the most of them for \"warp\".";
        let sampler = "How they are drawn: all alike, in proportion to a power of their popularity, or from the items of \
                       the step's other interactions.";
        let exponent = "Items are drawn in proportion to (number of users who met them) to this power.";
        let exponent = Key::new("loss.popularity_exponent", KeyKind::NOT_NEGATIVE, exponent).default("0.75");
        let sampler = Choice::new("loss.sampler", sampler)
            .with(|key| key.default("'uniform'"))
            .part("uniform", [])
            .part("popularity", exponent)
            .part("in-batch", []);
        let negatives = Key::new("loss.negatives", KeyKind::Int(1..=4096), negatives).default("1");
        let default =
            |key: Key, &(kind, count): &(&str, usize)| key.default_if(is("loss.kind", [kind]), &count.to_string());
        Keys::from(counts.iter().fold(negatives, default)).and(sampler)
    }

    /// As set in a config.
    pub(super) fn of(values: &Values) -> Self {
        let sampler = match values.get::<String>("loss.sampler").as_str() {
            "popularity" => NegativeSampler::Popularity { exponent: values.get("loss.popularity_exponent") },
            "in-batch" => NegativeSampler::InBatch,
            _ => NegativeSampler::Uniform,
        };
        Self { count: values.get("loss.negatives"), sampler }
    }

    /// What candidates are drawn from, given the training interactions of so many users and items.
    pub fn unseen(&self, train: &Interactions, [num_users, num_items]: [usize; 2]) -> Unseen {
        let unseen = Unseen::new([train], num_users, num_items);
        match self.sampler {
            NegativeSampler::Popularity { exponent } => unseen.by_popularity(exponent),
            // A batch has each item as often as training has.
            NegativeSampler::InBatch => unseen.by_popularity(1.0),
            NegativeSampler::Uniform => unseen,
        }
    }

    /// The samples with candidates for the item; those that could not be drawn are [`UNKNOWN`], with [`ABSENT`] as offset.
    pub(super) fn draw(
        &self,
        samples: Samples,
        positions: &[u64],
        unseen: &Unseen,
        (seed, epoch): (u64, u64),
    ) -> Samples {
        let width = 1 + self.count;
        let (users, items) = (&samples.columns[USER.0], &samples.columns[ITEM.0]);
        let mut stream = stream(seed, &format!("negatives/{epoch}"));
        let mut column = Vec::with_capacity(items.len() * width);
        let mut offsets = Vec::new();
        for (at, ((&user, &item), &position)) in users.iter().zip(items).zip(positions).enumerate() {
            stream.set_word_pos(u128::from(position) * self.count as u128 * WORDS);
            column.push(item);
            for of in 1..width {
                let earlier = &column[at * width + 1..];
                let found = match self.sampler {
                    NegativeSampler::InBatch => {
                        of_batch(&mut stream, items, |item| unseen.has_met(user, item), earlier)
                    }
                    _ => of_unseen(&mut stream, unseen, user, earlier),
                };
                if found.is_none() {
                    // Only few samples have any, so that they are stored only then.
                    offsets.resize(items.len() * width, 0.0);
                    offsets[at * width + of] = ABSENT;
                }
                column.push(found.unwrap_or(UNKNOWN));
            }
        }
        let mut columns = samples.columns;
        columns[ITEM.0] = column;
        Samples { columns, draws: width, offsets: (!offsets.is_empty()).then_some(offsets), ..samples }
    }

    /// The samples with −log(min(1, n q)) added to the score of each of n candidates, which is about how probable it is that an
    /// item of share q is among them.
    pub(super) fn corrected(&self, samples: Samples, unseen: &Unseen) -> Samples {
        let width = samples.draws;
        let items = &samples.columns[ITEM.0];
        let mut offsets = samples.offsets.unwrap_or_else(|| vec![0.0; items.len()]);
        for (position, &user) in samples.columns[USER.0].iter().enumerate() {
            for at in position * width + 1..(position + 1) * width {
                if offsets[at] != ABSENT {
                    offsets[at] = self.correction(unseen, user, items[at]);
                }
            }
        }
        Samples { offsets: Some(offsets), ..samples }
    }

    /// −log(min(1, n q)) of an item that a user has not met.
    pub(crate) fn correction(&self, unseen: &Unseen, user: u32, item: u32) -> f32 {
        let share = unseen.mass_of(item) as f64 / unseen.mass(user) as f64;
        -(self.count as f64 * share).min(1.0).ln() as f32
    }
}

/// An item that the user has not met and that is not among `earlier`.
fn of_unseen(stream: &mut ChaCha8Rng, unseen: &Unseen, user: u32, earlier: &[u32]) -> Option<u32> {
    let (mass, count) = (unseen.mass(user), unseen.count(user));
    if earlier.len() >= count {
        return None;
    }
    let drawn = (0..TRIES).map(|_| unseen.at(user, below(stream, mass))).find(|item| !earlier.contains(item));
    drawn.or_else(|| {
        let met = |item: &u32| unseen.has_met(user, *item) || earlier.contains(item);
        one_of((0..unseen.num_items() as u32).filter(|item| !met(item)), |item| unseen.mass_of(item), stream)
    })
}

/// One of `items` that is not met and not among `earlier`; none if none is found soon.
fn of_batch(stream: &mut ChaCha8Rng, items: &[u32], is_met: impl Fn(u32) -> bool, earlier: &[u32]) -> Option<u32> {
    let any = (0..TRIES).map(|_| items[below(stream, items.len() as u64) as usize]);
    any.into_iter().find(|&item| !is_met(item) && !earlier.contains(&item))
}

/// One of `items` in proportion to their masses.
pub(crate) fn one_of(
    items: impl Iterator<Item = u32> + Clone,
    mass: impl Fn(u32) -> u64,
    stream: &mut impl Rng,
) -> Option<u32> {
    let all: u64 = items.clone().map(&mass).sum();
    let mut point = if all == 0 { return None } else { below(stream, all) };
    items.into_iter().find(|&item| match point.checked_sub(mass(item)) {
        None => true,
        Some(rest) => {
            point = rest;
            false
        }
    })
}

/// A number below `end`, which is above 0: the high half of a product, whose bias is below `end` / 2⁶⁴.
pub(crate) fn below(stream: &mut impl Rng, end: u64) -> u64 {
    ((u128::from(stream.next_u64()) * u128::from(end)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// 30 users who met each item of their own residue modulo 3, of 12 items; user 30 met all but item 7.
    fn train() -> Interactions {
        let mut train = Interactions::default();
        (0..30_u32).for_each(|user| {
            (0..12).filter(|item| item % 3 == user % 3).for_each(|item| train.push([user, item], 1.0, None))
        });
        (0..12).filter(|&item| item != 7).for_each(|item| train.push([30, item], 1.0, None));
        train
    }

    fn drawn(negatives: Negatives, positions: &[u64], epoch: u64) -> (Samples, Unseen) {
        let train = train();
        let unseen = negatives.unseen(&train, [31, 12]);
        let samples = negatives.draw(Samples::gather(&train, positions), positions, &unseen, (5, epoch));
        (samples, unseen)
    }

    const SAMPLERS: [NegativeSampler; 3] =
        [NegativeSampler::Uniform, NegativeSampler::Popularity { exponent: 0.75 }, NegativeSampler::InBatch];

    #[test]
    fn candidates_are_distinct_and_none_was_met() {
        let all: Vec<u64> = (0..train().len() as u64).collect();
        for sampler in SAMPLERS {
            let (samples, unseen) = drawn(Negatives { count: 5, sampler }, &all, 1);
            for (position, candidates) in samples.column(ITEM).chunks(6).enumerate() {
                let user = samples.column(USER)[position];
                let of_position = samples.offsets.as_ref().map(|offsets| &offsets[position * 6..][..6]);
                let absent = |at: usize| of_position.is_some_and(|offsets| offsets[at] == ABSENT);
                let real: Vec<u32> = (1..6).filter(|&at| !absent(at)).map(|at| candidates[at]).collect();
                assert!(real.iter().all(|&item| !unseen.has_met(user, item)), "{sampler:?}");
                let distinct: std::collections::BTreeSet<_> = real.iter().collect();
                assert_eq!(distinct.len(), real.len(), "{sampler:?}");
                assert_eq!(real.len(), if user == 30 { 1 } else { 5 }, "{sampler:?}");
                assert!((1..6).all(|at| absent(at) == (candidates[at] == UNKNOWN)));
            }
        }
    }

    #[test]
    fn a_position_has_the_same_candidates_in_every_batch_and_others_in_every_epoch() {
        for sampler in [NegativeSampler::Uniform, NegativeSampler::Popularity { exponent: 1.0 }] {
            let negatives = Negatives { count: 3, sampler };
            let (all, _) = drawn(negatives, &(0..60).collect::<Vec<_>>(), 1);
            let (one, _) = drawn(negatives, &[41], 1);
            assert_eq!(one.column(ITEM), &all.column(ITEM)[41 * 4..42 * 4]);
            let (later, _) = drawn(negatives, &(0..60).collect::<Vec<_>>(), 2);
            assert_ne!(later.column(ITEM), all.column(ITEM));
        }
    }

    #[test]
    fn items_are_drawn_as_often_as_the_sampler_says() {
        // Positions of users 0, 3, 6, … all have the same unseen items.
        let positions: Vec<u64> =
            (0..train().len() as u64).filter(|&at| train().column(USER)[at as usize].is_multiple_of(3)).collect();
        for sampler in [NegativeSampler::Uniform, NegativeSampler::Popularity { exponent: 2.0 }] {
            let negatives = Negatives { count: 1, sampler };
            let mut counts = BTreeMap::new();
            let epochs = 500;
            for epoch in 0..epochs {
                let (samples, _) = drawn(negatives, &positions[..40], epoch);
                samples.column(ITEM).chunks(2).for_each(|pair| *counts.entry(pair[1]).or_insert(0_u32) += 1);
            }
            let (_, unseen) = drawn(negatives, &positions[..1], 1);
            let draws = f64::from(counts.values().sum::<u32>());
            for (&item, &count) in &counts {
                let share = unseen.mass_of(item) as f64 / unseen.mass(0) as f64;
                let spread = (draws * share * (1.0 - share)).sqrt();
                assert!((f64::from(count) - draws * share).abs() < 4.5 * spread, "{sampler:?}: {item} {count} {share}");
            }
            assert_eq!(counts.len(), 8);
        }
    }

    #[test]
    fn who_is_compared_with_all_unseen_items_needs_no_correction() {
        // User 0 has 8 of 12 items left.
        let negatives = Negatives { count: 9, sampler: NegativeSampler::Uniform };
        let (samples, unseen) = drawn(negatives, &[0], 1);
        let offsets = negatives.corrected(samples, &unseen).offsets.expect("corrections");
        assert_eq!(offsets[..9], [0.0; 9]);
        assert_eq!(offsets[9], ABSENT);
    }

    #[test]
    fn corrected_scores_estimate_the_sum_over_all_unseen_items() {
        for sampler in [NegativeSampler::Uniform, NegativeSampler::Popularity { exponent: 0.5 }] {
            let negatives = Negatives { count: 1, sampler };
            let score = |item: u32| f64::from(item).sin();
            let (mut sum, mut draws) = (0.0, 0.0);
            for epoch in 0..4000 {
                let (samples, unseen) = drawn(negatives, &[0, 1, 2, 3], epoch);
                let samples = negatives.corrected(samples, &unseen);
                let offsets = samples.offsets.as_ref().expect("corrections");
                for (pair, offsets) in samples.column(ITEM).chunks(2).zip(offsets.chunks(2)) {
                    assert_eq!(offsets[0], 0.0);
                    sum += (score(pair[1]) + f64::from(offsets[1])).exp();
                    draws += 1.0;
                }
            }
            let expected: f64 = (0..12).filter(|item| item % 3 != 0).map(|item| score(item).exp()).sum();
            assert!((sum / draws / expected - 1.0).abs() < 0.03, "{sampler:?}: {} and {expected}", sum / draws);
        }
    }
}
