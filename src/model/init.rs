//! Where parameters start from: drawn on the host from named streams, so that every device starts alike.

use burn::module::Param;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor, TensorData};
use rand::RngExt;
use rand_distr::{Distribution, Normal};
use serde::{Deserialize, Serialize};

use super::table::{Column, Group, Table};
use crate::config::{Choice, Key, KeyKind, Keys, Problem, Values};
use crate::random;

/// Initial distribution of latent factors.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum FactorInit {
    /// N(0, std²) around factors whose products are the damped-mean baseline μ + b_u + b_i, for models without biases.
    ///
    /// Two components carry it: p_u = (…(μ + b_u)/a, c…), q_i = (…a, b_i/c…) with a² ≈ |μ| and c² ≈ the size of b_i.
    /// With non-negative factors b_i is counted from the smallest one; with rank 1 it is left out.
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

impl FactorInit {
    /// The config keys of the start. A model whose factors carry the mean makes `matched` its default.
    pub fn keys() -> Keys {
        let std =
            || Key::new("model.init_std", KeyKind::NOT_NEGATIVE, "Standard deviation of the start.").default("0.003");
        let low = Key::new("model.init_low", KeyKind::ANY_NUMBER, "Low end of the start.").default("0.0");
        let high = Key::new("model.init_high", KeyKind::ANY_NUMBER, "High end of the start; above model.init_low.")
            .default("1.0");
        let uniform = Keys::new([low, high]).rule(|values| {
            let (low, high): (f64, f64) = (values.get("model.init_low"), values.get("model.init_high"));
            let message = format!("model.init_low must be below model.init_high, but they are {low} and {high}");
            let is_wrong = low as f32 >= high as f32;
            is_wrong.then(|| Problem::new(["model.init_low", "model.init_high"], message)).into_iter().collect()
        });
        Choice::new(
            "model.init",
            "What factors start from; \"matched\" (only for models without biases) is normal around factors that give the \
             damped-mean baseline.",
        )
        .with(|key| key.default("'normal'"))
        .part("matched", std())
        .part("normal", std())
        .part("uniform", uniform)
        .into()
    }

    /// The start that a config asks for.
    pub fn of(values: &Values) -> Self {
        match values.get::<String>("model.init").as_str() {
            "matched" => Self::Matched { std: values.get("model.init_std") },
            "normal" => Self::Normal { std: values.get("model.init_std") },
            _ => Self::Uniform { low: values.get("model.init_low"), high: values.get("model.init_high") },
        }
    }
}

/// Everything a model needs to know to draw its first parameters.
#[derive(Debug, Clone, Copy)]
pub struct Start<'a> {
    /// Rows of the user tables.
    pub num_users: usize,
    /// Rows of the item tables.
    pub num_items: usize,
    /// The score that a model without any parameters should give: the mean training rating seen through the loss's
    /// link (for squared loss the mean rating μ itself, for logistic loss its log-odds).
    pub mean_score: f64,
    /// Scores that each user and each item adds to that, by index: where bias tables start. Empty for zeros.
    pub user_offsets: &'a [f32],
    /// See `user_offsets`.
    pub item_offsets: &'a [f32],
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
        if let FactorInit::Matched { .. } = init {
            self.plant_baseline(&mut values, group.column, rank, non_negative);
        }
        Table::new(group, rank, values, self.device)
    }

    /// A bias table that starts from the offsets.
    pub fn biases(&self, group: Group) -> Table {
        let offsets = (0..self.num_rows(group.column)).map(|row| self.offset_of(group.column, row) as f32).collect();
        Table::new(group, 1, offsets, self.device)
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

    fn offset_of(&self, column: Column, row: usize) -> f64 {
        let offsets = match column {
            Column::User => self.user_offsets,
            Column::Item => self.item_offsets,
        };
        offsets.get(row).copied().map_or(0.0, f64::from)
    }

    /// Adds the baseline to the first two components; see [`FactorInit::Matched`].
    fn plant_baseline(&self, values: &mut [f32], column: Column, rank: usize, non_negative: bool) {
        let size = |offsets: &[f32]| {
            let squares: f64 = offsets.iter().map(|&offset| f64::from(offset).powi(2)).sum();
            (squares / offsets.len().max(1) as f64).sqrt()
        };
        let lowest = self.item_offsets.iter().fold(0.0_f32, |low, &offset| low.min(offset));
        let shift = if non_negative && rank > 1 { f64::from(lowest) } else { 0.0 };
        let a = self.mean_score.abs().max(size(self.user_offsets)).sqrt();
        let c = size(self.item_offsets).sqrt();
        let share = |value: f64, by: f64| if by > 0.0 { value / by } else { 0.0 };
        for (row, factors) in values.chunks_mut(rank).enumerate() {
            let offset = self.offset_of(column, row);
            let planted = match column {
                Column::User => {
                    let mean = self.mean_score + shift + offset;
                    [share(if non_negative { mean.max(0.0) } else { mean }, a), c]
                }
                Column::Item => [a, share(offset - shift, c)],
            };
            for (factor, planted) in factors.iter_mut().zip(planted) {
                *factor += planted as f32;
            }
        }
    }

    fn draw(&self, name: &str, group: Group, rank: usize, init: FactorInit) -> Vec<f32> {
        let mut stream = random::stream(self.seed, &format!("init/{name}"));
        let count = self.num_rows(group.column) * rank;
        let mut normal = |std: f64| {
            let normal = Normal::new(0.0, std).expect("a checked, finite standard deviation");
            (0..count).map(|_| normal.sample(&mut stream) as f32).collect()
        };
        match init {
            FactorInit::Matched { std } | FactorInit::Normal { std } => normal(std),
            FactorInit::Uniform { low, high } => (0..count).map(|_| stream.random_range(low..high) as f32).collect(),
        }
    }
}
