//! Where parameters start from: drawn on the host from named streams, so that every device starts alike.

use burn::module::Param;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor, TensorData};
use rand::RngExt;
use rand_distr::{Distribution, Normal};
use serde::{Deserialize, Serialize};

use super::table::{Column, Group, Table};
use crate::random;

/// Initial distribution of latent factors.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum FactorInit {
    /// N(m, std²) with m² · rank = |mean rating|, so that the first predictions are about the mean rating.
    /// A negative mean flips the sign of the item factors.
    Matched {
        /// Standard deviation.
        std: f64,
    },
    /// N(0, std²).
    Normal {
        /// Standard deviation.
        std: f64,
    },
    /// U(low, high).
    Uniform {
        /// Smallest value.
        low: f64,
        /// Largest value (not reached).
        high: f64,
    },
}

/// Everything a model needs to know to draw its first parameters.
#[derive(Debug, Clone)]
pub struct Start<'a> {
    /// Rows of the user tables.
    pub num_users: usize,
    /// Rows of the item tables.
    pub num_items: usize,
    /// The score that a model without any parameters should give: the mean training rating seen through the loss's
    /// link (for squared loss the mean rating μ itself, for logistic loss its log-odds).
    pub mean_score: f64,
    /// Seed of the run.
    pub seed: u64,
    /// Where the parameters live.
    pub device: &'a Device,
}

impl Start<'_> {
    /// Number of rows of a table.
    pub fn num_rows(&self, column: Column) -> usize {
        match column {
            Column::User => self.num_users,
            Column::Item => self.num_items,
        }
    }

    /// A factor table drawn from stream `init/<name>`; `non_negative` takes the absolute value of every draw.
    pub fn factors(&self, name: &str, group: Group, rank: usize, init: FactorInit, non_negative: bool) -> Table {
        let mut values = self.draw(name, group, rank, init);
        if non_negative {
            values.iter_mut().for_each(|value| *value = value.abs());
        }
        Table::new(group, rank, values, self.device)
    }

    /// A bias table of zeros.
    pub fn biases(&self, group: Group) -> Table {
        Table::zeros(group, self.num_rows(group.column), 1, self.device)
    }

    /// A layer `[inputs, outputs]` with weights from U(−a, a), a = √(6 / (inputs + outputs)) (Glorot & Bengio 2010,
    /// eq. 16) and zero biases.
    pub fn layer(&self, name: &str, inputs: usize, outputs: usize) -> Linear {
        let bound = (6.0 / (inputs + outputs) as f64).sqrt();
        let mut stream = random::stream(self.seed, &format!("init/{name}"));
        let weights = (0..inputs * outputs).map(|_| stream.random_range(-bound..bound) as f32).collect();
        Linear {
            weight: Param::from_data(TensorData::new::<f32, _>(weights, [inputs, outputs]), self.device),
            bias: Some(Param::from_data(TensorData::new(vec![0.0_f32; outputs], [outputs]), self.device)),
        }
    }

    /// The frozen offset [`mean_score`](Self::mean_score): saved with the weights, never trained.
    pub fn offset(&self) -> Param<Tensor<1>> {
        Param::from_data(TensorData::new(vec![self.mean_score as f32], [1]), self.device).set_require_grad(false)
    }

    fn draw(&self, name: &str, group: Group, rank: usize, init: FactorInit) -> Vec<f32> {
        let mut stream = random::stream(self.seed, &format!("init/{name}"));
        let count = self.num_rows(group.column) * rank;
        let mut normal = |mean: f64, std: f64| {
            let normal = Normal::new(mean, std).expect("a checked, finite standard deviation");
            (0..count).map(|_| normal.sample(&mut stream) as f32).collect()
        };
        match init {
            FactorInit::Matched { std } => {
                let size = (self.mean_score.abs() / rank as f64).sqrt();
                let flip = self.mean_score < 0.0 && group.column == Column::Item;
                normal(if flip { -size } else { size }, std)
            }
            FactorInit::Normal { std } => normal(0.0, std),
            FactorInit::Uniform { low, high } => (0..count).map(|_| stream.random_range(low..high) as f32).collect(),
        }
    }
}
