//! How what was counted becomes confidence in a preference.

use crate::config::choice;

choice! {
    /// A transform t of what was counted; the confidence of a cell is 1 + α · t. All but BM25 are 1 where one thing was
    /// counted.
    #[derive(Default)]
    pub enum Confidence {
        /// t = r: as it was counted (Hu, Koren & Volinsky 2008, eq. 4).
        Count = "count",
        /// t = 1: that something was counted, not how much.
        One = "one",
        /// t = log₂(1 + r): each doubling counts the same (ibid., eq. 6).
        #[default]
        Log = "log",
        /// BM25 (Robertson & Walker 1994) with items as documents and users as terms,
        /// t ∝ log(m / (1 + m_u)) · r (k + 1) / (r + k (1 − b + b · n_i / n̄)), k = 100 and b = 0.8: m items, m_u of which the
        /// user met, n_i what was counted of the item and n̄ the mean of all; scaled to a mean of 1.
        Bm25 = "bm25",
    }
}

/// k of BM25: the larger, the longer more counts for more.
const SATURATION: f64 = 100.0;
/// b of BM25: how much what is counted often counts less.
const LENGTH: f64 = 0.8;

/// What was counted: a user, an item and how much, in the order of the training interactions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counts<'a> {
    pub users: &'a [u32],
    pub items: &'a [u32],
    pub counts: &'a [f32],
    pub num_users: usize,
    pub num_items: usize,
}

impl Confidence {
    /// t of each; what is not above 0 stays 0.
    pub(super) fn transformed(self, counted: Counts) -> Vec<f32> {
        let each = |transform: fn(f32) -> f32| {
            counted.counts.iter().map(|&count| if count > 0.0 { transform(count) } else { 0.0 }).collect()
        };
        match self {
            Self::Count => each(|count| count),
            Self::One => each(|_| 1.0),
            Self::Log => each(|count| (1.0 + f64::from(count)).log2() as f32),
            Self::Bm25 => bm25(counted),
        }
    }
}

fn bm25(Counts { users, items, counts, num_users, num_items }: Counts) -> Vec<f32> {
    let positive = |count: f32| f64::from(count.max(0.0));
    let (mut of_users, mut of_items) = (vec![0.0_f64; num_users], vec![0.0_f64; num_items]);
    for ((&user, &item), &count) in users.iter().zip(items).zip(counts) {
        of_users[user as usize] += if count > 0.0 { 1.0 } else { 0.0 };
        of_items[item as usize] += positive(count);
    }
    let mean = of_items.iter().sum::<f64>() / num_items as f64;
    let transform = |((&user, &item), &count): ((&u32, &u32), &f32)| {
        if count <= 0.0 {
            return 0.0;
        }
        // A user who met nearly everything says little, but not the opposite.
        let rarity = (num_items as f64 / (1.0 + of_users[user as usize])).ln().max(0.0);
        let length = of_items[item as usize] / mean;
        let count = positive(count);
        rarity * count * (SATURATION + 1.0) / (count + SATURATION * (1.0 - LENGTH + LENGTH * length))
    };
    let transformed: Vec<f64> = users.iter().zip(items).zip(counts).map(transform).collect();
    let sum: f64 = transformed.iter().sum();
    // Where every user met nearly everything, all are as rare.
    let scale = if sum > 0.0 { transformed.len() as f64 / sum } else { 0.0 };
    transformed.into_iter().map(|value| (value * scale) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTED: Counts =
        Counts { users: &[0, 0, 1], items: &[0, 2, 2], counts: &[1.0, 7.0, 3.0], num_users: 2, num_items: 3 };

    #[test]
    fn one_thing_counts_one_by_each_transform_but_bm25() {
        assert_eq!(Confidence::Count.transformed(COUNTED), [1.0, 7.0, 3.0]);
        assert_eq!(Confidence::One.transformed(COUNTED), [1.0, 1.0, 1.0]);
        assert_eq!(Confidence::Log.transformed(COUNTED), [1.0, 3.0, 2.0]);
        for name in Confidence::NAMES {
            let confidence = Confidence::of_name(name).expect("one of its names");
            assert_eq!(confidence.transformed(Counts { counts: &[0.0; 3], ..COUNTED }), [0.0; 3], "{name}");
        }
    }

    #[test]
    fn bm25_by_hand() {
        // log(3 / 3) = 0 for user 0, so that all weight is user 1's.
        assert_eq!(Confidence::Bm25.transformed(COUNTED), [0.0, 0.0, 3.0]);
        // log(3 / 2) for both, n = (1, 0, 3), n̄ = 4/3.
        let counted = Counts { users: &[0, 1], items: &[0, 2], counts: &[1.0, 3.0], ..COUNTED };
        let of = |count: f64| count * 101.0 / (count + 100.0 * (0.2 + 0.8 * count / (4.0 / 3.0)));
        let (a, b) = (of(1.0), of(3.0));
        let expected = [2.0 * a / (a + b), 2.0 * b / (a + b)];
        for (found, expected) in Confidence::Bm25.transformed(counted).into_iter().zip(expected) {
            assert!((f64::from(found) - expected).abs() < 1e-6, "{found} {expected}");
        }
    }
}
