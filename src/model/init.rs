//! Initial parameters: drawn on the host from named streams, so that every device starts alike.

use burn::module::Param;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};
use serde::{Deserialize, Serialize};

use super::table::Table;
use super::table_group::{TableGroup, TableKind, Use};
use crate::config::{Choice, Key, KeyKind, Keys, Problem, Values};
use crate::data::{BagId, FieldId, Frame, ITEM, USER};
use crate::random;

/// Initial distribution of latent factors.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum FactorInit {
    /// N(0, std²) around factors whose products are the damped-mean baseline μ + b_u + b_i, for models without biases.
    ///
    /// Two components carry it: p_u = (…(μ + b_u)/a, c…), q_i = (…a, b_i/c…) with a² ≈ |μ| and c² ≈ the size of b_i.
    /// With non-negative factors b_i is measured from the smallest one; with rank 1 it is omitted.
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
        /// Upper bound (excluded).
        high: f64,
    },
}

impl FactorInit {
    /// The config keys of the initial factors. The default is `matched` for a model whose factors carry the mean.
    pub fn keys() -> Keys {
        let std = || {
            Key::new("model.init_std", KeyKind::NOT_NEGATIVE, "Standard deviation of the initial factors.")
                .default("0.003")
        };
        let low = Key::new("model.init_low", KeyKind::ANY_NUMBER, "Low end of the initial factors.").default("0.0");
        let high =
            Key::new("model.init_high", KeyKind::ANY_NUMBER, "High end of the initial factors; above model.init_low.")
                .default("1.0");
        let uniform = Keys::new([low, high]).rule(|values| {
            let (low, high): (f64, f64) = (values.get("model.init_low"), values.get("model.init_high"));
            let message = format!("model.init_low must be below model.init_high, but they are {low} and {high}");
            let is_wrong = low as f32 >= high as f32;
            is_wrong.then(|| Problem::new(["model.init_low", "model.init_high"], message)).into_iter().collect()
        });
        Choice::new(
            "model.init",
            "Initial distribution of the factors; \"matched\" (only for models without biases) is normal around \
             factors that give the damped-mean baseline.",
        )
        .with(|key| key.default("'normal'"))
        .part("matched", std())
        .part("normal", std())
        .part("uniform", uniform)
        .into()
    }

    /// The initial distribution set in a config.
    pub fn of(values: &Values) -> Self {
        match values.get::<String>("model.init").as_str() {
            "matched" => Self::Matched { std: values.get("model.init_std") },
            "normal" => Self::Normal { std: values.get("model.init_std") },
            _ => Self::Uniform { low: values.get("model.init_low"), high: values.get("model.init_high") },
        }
    }
}

/// Everything a model needs to draw its initial parameters.
#[derive(Debug, Clone, Copy)]
pub struct Start<'a> {
    /// The entities and fields to have rows for.
    pub frame: &'a Frame,
    /// The score that a model without any parameters should give: the mean training rating mapped through the
    /// objective's link (for squared loss the mean rating μ itself, for logistic loss its log-odds).
    pub mean_score: f64,
    /// Scores that each row of the first field (user) and of the second (item) adds to it: the initial bias tables.
    /// Empty for zeros.
    pub offsets: [&'a [f32]; 2],
    /// Seed of the run; `None` leaves all parameters at zero, for a model whose parameters are about to be read.
    pub seed: Option<u64>,
    /// The device of the parameters.
    pub device: &'a Device,
}

impl Start<'_> {
    /// A factor table for the rows of one field, drawn from stream `init/<name>`; `non_negative` takes the absolute value
    /// of every draw. Each feature of the rows has a table of its own in it, drawn from stream `init/<name>.<feature>`.
    /// Rows without training interactions are 0, or what is planted in a row of no offset, and they stay so; with features
    /// alone all rows do.
    pub fn factors(&self, name: &str, field: FieldId, rank: usize, init: FactorInit, non_negative: bool) -> Table {
        self.tied_factors(name, &[field], rank, init, non_negative)
    }

    /// The same table for several fields of one entity: a row means the same in each of them.
    ///
    /// # Panics
    /// If the fields belong to several entities.
    pub fn tied_factors(
        &self,
        name: &str,
        fields: &[FieldId],
        rank: usize,
        init: FactorInit,
        non_negative: bool,
    ) -> Table {
        let field = fields[0];
        let draw = |name: &str, rows: usize, init: FactorInit| {
            let mut values = self.draw(name, rows * rank, init);
            if non_negative {
                values.iter_mut().for_each(|value| *value = value.abs());
            }
            values
        };
        let entity = &self.frame.entities[self.frame[field].entity];
        let own = if entity.by_features_alone { 0 } else { entity.trained() };
        let mut values = draw(name, own, init);
        values.resize(entity.rows * rank, 0.0);
        let mut unseen = vec![0.0; rank];
        if let FactorInit::Matched { .. } = init {
            let planted = self.planted(field, rank, non_negative);
            let plant =
                |row: &mut [f32], offset| row.iter_mut().zip(planted(offset)).for_each(|(own, more)| *own += more);
            values.chunks_mut(rank).enumerate().for_each(|(row, own)| plant(own, self.offset_of(field, row)));
            plant(&mut unseen, 0.0);
        }
        let of_feature = |feature: &str, rows| draw(&format!("{name}.{feature}"), rows, init);
        self.with_features(TableKind::Factors, fields, values, unseen, &of_feature)
    }

    /// A factor table that several fields and bags of one entity index, drawn like [`factors`](Self::factors).
    ///
    /// # Panics
    /// If these belong to several entities.
    pub fn shared_factors(&self, name: &str, uses: &[Use], rank: usize, init: FactorInit) -> Table {
        let rows = self.frame.entities[self.entity_of(uses)].rows;
        self.table(TableKind::Factors, uses, rank, self.draw(name, rows * rank, init))
    }

    /// A bias table for the rows of one field, initialized to its offsets; those of its features are 0.
    pub fn biases(&self, field: FieldId) -> Table {
        self.tied_biases(&[field])
    }

    /// The same table for several fields of one entity, initialized to the offsets of the first.
    ///
    /// # Panics
    /// If the fields belong to several entities.
    pub fn tied_biases(&self, fields: &[FieldId]) -> Table {
        let field = fields[0];
        let offsets = (0..self.frame.rows(field)).map(|row| self.offset_of(field, row) as f32).collect();
        self.with_features(TableKind::Biases, fields, offsets, vec![0.0], &|_, rows| vec![0.0; rows])
    }

    /// Factors and biases for each of `fields`, in their order, with streams `init/<field's name>_factors`: the tables
    /// of a factorization machine.
    pub fn tables(&self, fields: &[FieldId], rank: usize, init: FactorInit) -> Vec<(Table, Table)> {
        let of = |&field: &FieldId| {
            let name = format!("{}_factors", self.frame[field].name);
            (self.factors(&name, field, rank, init, false), self.biases(field))
        };
        fields.iter().map(of).collect()
    }

    /// A layer `[inputs, outputs]` with weights from U(−a, a), a = √(6 / (inputs + outputs)) (Glorot & Bengio 2010,
    /// eq. 16) and zero biases.
    pub fn layer(&self, name: &str, inputs: usize, outputs: usize) -> Linear {
        let bound = (6.0 / (inputs + outputs) as f64).sqrt();
        let count = inputs * outputs;
        let weights = match self.stream(name) {
            Some(mut stream) => (0..count).map(|_| stream.random_range(-bound..bound) as f32).collect(),
            None => vec![0.0; count],
        };
        Linear {
            weight: Param::from_data(TensorData::new::<f32, _>(weights, [inputs, outputs]), self.device),
            bias: Some(Param::from_data(TensorData::new(vec![0.0_f32; outputs], [outputs]), self.device)),
        }
    }

    /// The frozen offset [`mean_score`](Self::mean_score): saved with the weights, never trained.
    pub fn offset(&self) -> Param<Tensor<1>> {
        Param::from_data(TensorData::new(vec![self.mean_score as f32], [1]), self.device).set_require_grad(false)
    }

    /// A table for the rows of fields of one entity, with those of its features, whose values `of_feature` gives by name and number of
    /// rows; `unseen` is a row that training never saw.
    fn with_features(
        &self,
        kind: TableKind,
        fields: &[FieldId],
        values: Vec<f32>,
        unseen: Vec<f32>,
        of_feature: &dyn Fn(&str, usize) -> Vec<f32>,
    ) -> Table {
        let width = unseen.len();
        let owner = self.frame[fields[0]].entity;
        let entity = &self.frame.entities[owner];
        let bags = (0..).map(BagId).zip(&self.frame.bags);
        let own = bags.filter(|(_, bag)| bag.is_feature && bag.owner == owner);
        let features = own.map(|(id, bag)| {
            let values = of_feature(&bag.name, self.frame.entities[bag.of].rows);
            let uses: Vec<Use> = fields.iter().map(|&field| Use::Bag(field, id)).collect();
            (bag.name.clone(), self.table(kind, &uses, width, values))
        });
        let features: Vec<(String, Table)> = features.collect();
        let uses: Vec<Use> = fields.iter().map(|&field| Use::Field(field)).collect();
        let mut table = self.table(kind, &uses, width, values).with_trained(entity.trained);
        if entity.by_features_alone {
            table.rows = table.rows.set_require_grad(false);
        }
        if features.is_empty() || unseen.iter().all(|&value| value == 0.0) {
            return table.with_features(features);
        }
        table.with_features(features).with_unseen(unseen)
    }

    fn table(&self, kind: TableKind, uses: &[Use], width: usize, values: Vec<f32>) -> Table {
        let entity = self.entity_of(uses);
        let role = match uses[0] {
            Use::Field(field) => self.frame[field].role,
            Use::Bag(..) => None,
        };
        let entity = match role {
            Some(role) => role.noun().into(),
            None => self.frame.entities[entity].name.as_str().into(),
        };
        Table::new(TableGroup { entity, kind }, uses.to_vec(), width, values, self.device)
    }

    /// The entity whose rows all of these index.
    fn entity_of(&self, uses: &[Use]) -> usize {
        let first = uses[0].entity(self.frame);
        assert!(uses.iter().all(|of| of.entity(self.frame) == first), "a table has the rows of one entity");
        first
    }

    fn stream(&self, name: &str) -> Option<ChaCha8Rng> {
        self.seed.map(|seed| random::stream(seed, &format!("init/{name}")))
    }

    /// The offset of a row; 0 if it is known by its features alone.
    fn offset_of(&self, field: FieldId, row: usize) -> f64 {
        let entity = &self.frame.entities[self.frame[field].entity];
        if row >= entity.trained() || entity.by_features_alone {
            return 0.0;
        }
        let offsets = self.offsets.get(field.0).copied().unwrap_or_default();
        offsets.get(row).copied().map_or(0.0, f64::from)
    }

    /// What the first two components of a row of this field get, by its offset, so that they carry the baseline; see
    /// [`FactorInit::Matched`].
    fn planted(&self, field: FieldId, rank: usize, non_negative: bool) -> impl Fn(f64) -> [f32; 2] + use<> {
        let [user_offsets, item_offsets] = self.offsets;
        let size = |offsets: &[f32]| {
            let squares: f64 = offsets.iter().map(|&offset| f64::from(offset).powi(2)).sum();
            (squares / offsets.len().max(1) as f64).sqrt()
        };
        let lowest = item_offsets.iter().fold(0.0_f32, |low, &offset| low.min(offset));
        let shift = if non_negative && rank > 1 { f64::from(lowest) } else { 0.0 };
        let a = self.mean_score.abs().max(size(user_offsets)).sqrt();
        let c = size(item_offsets).sqrt();
        let mean_score = self.mean_score;
        let share = |value: f64, by: f64| if by > 0.0 { value / by } else { 0.0 };
        move |offset| {
            let planted = match field {
                USER => {
                    let mean = mean_score + shift + offset;
                    [share(if non_negative { mean.max(0.0) } else { mean }, a), c]
                }
                ITEM => [a, share(offset - shift, c)],
                // The first two fields carry all of it.
                _ => [0.0, 0.0],
            };
            planted.map(|value| value as f32)
        }
    }

    fn draw(&self, name: &str, count: usize, init: FactorInit) -> Vec<f32> {
        let Some(mut stream) = self.stream(name) else { return vec![0.0; count] };
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
