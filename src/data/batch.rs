//! Mini-batches: a seeded order of the ratings, cut into pieces and moved to a device.

use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::seq::SliceRandom;

use super::Ratings;
use crate::random;

/// The column of a batch whose indices choose the rows of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// User indices.
    User,
    /// Item indices.
    Item,
}

/// The order in which epoch `epoch` (from 1) visits `num_ratings` ratings: a permutation that depends on the seed and
/// the epoch alone, so that a resumed run needs to know nothing but where it stopped.
pub fn epoch_order(num_ratings: usize, seed: u64, epoch: u64) -> Vec<u32> {
    let count = u32::try_from(num_ratings).expect("at most u32::MAX ratings");
    let mut order: Vec<u32> = (0..count).collect();
    order.shuffle(&mut random::stream(seed, &format!("shuffle/{epoch}")));
    order
}

/// Ratings of one step, still on the host.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Samples {
    /// User index of each rating.
    pub users: Vec<u32>,
    /// Item index of each rating.
    pub items: Vec<u32>,
    /// Observed ratings.
    pub ratings: Vec<f32>,
}

impl Samples {
    /// The ratings at `positions` of `ratings`, in that order.
    pub fn gather(ratings: &Ratings, positions: &[u32]) -> Self {
        let pick = |column: &[u32]| positions.iter().map(|&at| column[at as usize]).collect();
        Self {
            users: pick(&ratings.users),
            items: pick(&ratings.items),
            ratings: positions.iter().map(|&at| ratings.values[at as usize]).collect(),
        }
    }

    /// Number of ratings.
    pub fn len(&self) -> usize {
        self.ratings.len()
    }

    /// Whether there is no rating.
    pub fn is_empty(&self) -> bool {
        self.ratings.is_empty()
    }

    /// The indices of one column.
    pub fn indices(&self, column: Column) -> &[u32] {
        match column {
            Column::User => &self.users,
            Column::Item => &self.items,
        }
    }

    /// Moves the samples to a device.
    pub fn to_device(&self, device: &Device) -> Batch {
        Batch::new(&self.users, &self.items, &self.ratings, device)
    }
}

/// What a model sees: (user, item) pairs and, in training, their ratings, as tensors of one length.
#[derive(Debug, Clone)]
pub struct Batch {
    users: Tensor<1, Int>,
    items: Tensor<1, Int>,
    ratings: Tensor<1>,
}

impl Batch {
    /// A batch of equally long columns. Every index must be a row of the model's tables.
    pub fn new(users: &[u32], items: &[u32], ratings: &[f32], device: &Device) -> Self {
        let indices = |column: &[u32]| {
            let column: Vec<i32> = column.iter().map(|&index| index as i32).collect();
            let length = column.len();
            Tensor::from_data(TensorData::new(column, [length]), device)
        };
        Self {
            users: indices(users),
            items: indices(items),
            ratings: Tensor::from_data(TensorData::new(ratings.to_vec(), [ratings.len()]), device),
        }
    }

    /// The indices of one column, `[batch]`.
    pub fn indices(&self, column: Column) -> &Tensor<1, Int> {
        match column {
            Column::User => &self.users,
            Column::Item => &self.items,
        }
    }

    /// Observed ratings, `[batch]`.
    pub fn ratings(&self) -> &Tensor<1> {
        &self.ratings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_a_permutation_that_depends_on_seed_and_epoch() {
        let order = epoch_order(100, 1, 1);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<u32>>());
        assert_eq!(order, epoch_order(100, 1, 1));
        assert_ne!(order, epoch_order(100, 1, 2));
        assert_ne!(order, epoch_order(100, 2, 1));
    }

    #[test]
    fn samples_keep_the_columns_together() {
        let mut ratings = Ratings::default();
        for (user, item, value) in [(0, 5, 1.0), (1, 6, 2.0), (2, 7, 3.0)] {
            ratings.push(user, item, value, None);
        }
        let samples = Samples::gather(&ratings, &[2, 0]);
        assert_eq!(samples, Samples { users: vec![2, 0], items: vec![7, 5], ratings: vec![3.0, 1.0] });
    }
}
