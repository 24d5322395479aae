//! First-order update rules with named, plainly stored state.
//!
//! The rules are ours rather than burn's because their state has to be cut by rows, saved under the parameter's name
//! and restored bit for bit. Formulas, order of operations and defaults are PyTorch's.

use std::collections::BTreeMap;

use burn::tensor::{Device, IndexingUpdateOp, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::touched::WholeTable;
use crate::device::to_vec;
use crate::model::parameters::Values;

/// How a gradient g becomes a change of a parameter θ; η is the learning rate, t the step from 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Rule {
    /// m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², θ ← θ − η/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε)   (Kingma & Ba 2015).
    ///
    /// With `weight_decay` w > 0 this is AdamW: first θ ← θ(1 − ηw), on every row of every factor table and weight
    /// matrix, never on biases   (Loshchilov & Hutter 2019).
    Adam {
        /// β₁.
        beta1: f64,
        /// β₂.
        beta2: f64,
        /// ε.
        epsilon: f64,
        /// w.
        weight_decay: f64,
    },
    /// v ← μv + g, θ ← θ − ηv, momentum μ.
    Sgd {
        /// μ; 0 for none.
        momentum: f64,
    },
    /// s ← s + g², θ ← θ − ηg / (√s + ε)   (Duchi, Hazan & Singer 2011).
    AdaGrad {
        /// ε.
        epsilon: f64,
    },
}

/// A rule and what it remembers of each parameter.
#[derive(Debug, Clone)]
pub struct Optimizer {
    rule: Rule,
    /// Steps taken, t.
    step: u64,
    /// Moments of each parameter by name, flat.
    state: BTreeMap<String, Vec<Tensor<1>>>,
}

impl Optimizer {
    /// An optimizer that has seen nothing yet.
    pub fn new(rule: Rule) -> Self {
        Self { rule, step: 0, state: BTreeMap::new() }
    }

    /// The rule.
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// Names of what the rule remembers, in the order of its state.
    fn moment_names(&self) -> &'static [&'static str] {
        match self.rule {
            Rule::Adam { .. } => &["first_moment", "second_moment"],
            Rule::Sgd { momentum: 0.0 } => &[],
            Rule::Sgd { .. } => &["velocity"],
            Rule::AdaGrad { .. } => &["squared_sum"],
        }
    }

    /// Begins the next step: t ← t + 1.
    pub fn begin_step(&mut self) {
        self.step += 1;
    }

    /// The new value of a (flat) parameter. `decays` says whether weight decay may touch it.
    pub fn update(
        &mut self,
        name: &str,
        parameter: Tensor<1>,
        gradient: Tensor<1>,
        learning_rate: f64,
        decays: bool,
    ) -> Tensor<1> {
        // Taken out of the map, so that the tensors have one owner and are updated in place.
        let moments = self.state.remove(name);
        let moments = moments.unwrap_or_else(|| self.new_moments(&gradient));
        let (parameter, moments) = self.apply(parameter, gradient, moments, learning_rate, decays);
        self.state.insert(name.to_string(), moments);
        parameter
    }

    /// A whole table with its taken rows replaced by their new values, and nothing else read or written.
    ///
    /// `rows` are the rows' present values and `gradient` their gradients, both `[indices, width]`. Moments of other rows stay as they are (PyTorch's `SparseAdam`); weight decay, which means
    /// every row, is left out. Every new value goes through `finish`.
    pub(super) fn update_rows(
        &mut self,
        name: &str,
        whole: WholeTable,
        rows: Tensor<2>,
        gradient: Tensor<2>,
        learning_rate: f64,
        finish: impl Fn(Tensor<1>) -> Tensor<1>,
    ) -> Tensor<2> {
        let WholeTable { rows: table, indices } = whole;
        let (size, touched) = (table.dims(), rows.dims());
        let moments = self.state.remove(name);
        let moments = moments.unwrap_or_else(|| self.new_moments(&table.clone().flatten(0, 1)));
        let moments: Vec<Tensor<2>> = moments.into_iter().map(|moment| moment.reshape(size)).collect();
        let of_rows = moments.iter().map(|moment| moment.clone().select(0, indices.clone()).flatten(0, 1)).collect();
        let (rows, updated) = self.apply(rows.flatten(0, 1), gradient.flatten(0, 1), of_rows, learning_rate, false);
        let put = |table: Tensor<2>, rows: Tensor<1>| {
            table.select_assign(0, indices.clone(), rows.reshape(touched), IndexingUpdateOp::Assign)
        };
        let moments = moments.into_iter().zip(updated).map(|(moment, rows)| put(moment, rows).flatten(0, 1)).collect();
        self.state.insert(name.to_string(), moments);
        put(table, finish(rows))
    }

    fn new_moments(&self, like: &Tensor<1>) -> Vec<Tensor<1>> {
        self.moment_names().iter().map(|_| like.zeros_like()).collect()
    }

    /// The rule itself: new values and new moments.
    fn apply(
        &self,
        parameter: Tensor<1>,
        gradient: Tensor<1>,
        moments: Vec<Tensor<1>>,
        learning_rate: f64,
        decays: bool,
    ) -> (Tensor<1>, Vec<Tensor<1>>) {
        let mut moments = moments.into_iter();
        let mut next = || moments.next().expect("one tensor for each name");
        match self.rule {
            Rule::Adam { beta1, beta2, epsilon, weight_decay } => {
                let first = next() * beta1 + gradient.clone() * (1.0 - beta1);
                let second = next() * beta2 + gradient.clone() * gradient * (1.0 - beta2);
                let step = self.step as f64;
                let (correction1, correction2) = (1.0 - beta1.powf(step), 1.0 - beta2.powf(step));
                let shrink = if decays { 1.0 - learning_rate * weight_decay } else { 1.0 };
                let parameter = if shrink < 1.0 { parameter * shrink } else { parameter };
                let scale = second.clone().sqrt() / correction2.sqrt() + epsilon;
                (parameter - first.clone() / scale * (learning_rate / correction1), vec![first, second])
            }
            Rule::Sgd { momentum: 0.0 } => (parameter - gradient * learning_rate, vec![]),
            Rule::Sgd { momentum } => {
                let velocity = next() * momentum + gradient;
                (parameter - velocity.clone() * learning_rate, vec![velocity])
            }
            Rule::AdaGrad { epsilon } => {
                let sum = next() + gradient.clone() * gradient.clone();
                (parameter - gradient / (sum.clone().sqrt() + epsilon) * learning_rate, vec![sum])
            }
        }
    }

    /// Everything remembered, as `<parameter>/<moment>` → values. The step is [`step`](Self::step).
    pub fn save(&self) -> BTreeMap<String, Values> {
        let mut saved = BTreeMap::new();
        for (name, moments) in &self.state {
            for (moment, tensor) in self.moment_names().iter().zip(moments) {
                let data = to_vec(tensor.clone());
                saved.insert(format!("{name}/{moment}"), Values { shape: vec![data.len()], data });
            }
        }
        saved
    }

    /// Steps taken so far.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// An optimizer that goes on from what [`save`](Self::save) gave. Names that the rule does not know are ignored.
    pub fn restore(rule: Rule, step: u64, saved: &BTreeMap<String, Values>, device: &Device) -> Self {
        let mut optimizer = Self { rule, step, state: BTreeMap::new() };
        let names = optimizer.moment_names();
        for key in saved.keys() {
            let Some((name, moment)) = key.rsplit_once('/') else { continue };
            if names.first() != Some(&moment) {
                continue;
            }
            let moments: Option<Vec<_>> = names
                .iter()
                .map(|moment| saved.get(&format!("{name}/{moment}")))
                .map(|values| {
                    let data = values?.data.clone();
                    let length = data.len();
                    Some(Tensor::from_data(TensorData::new(data, [length]), device))
                })
                .collect();
            if let Some(moments) = moments {
                optimizer.state.insert(name.to_string(), moments);
            }
        }
        optimizer
    }
}
