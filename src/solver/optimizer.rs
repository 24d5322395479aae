//! First-order update rules with named, plainly stored state.
//!
//! The rules are not burn's, because their state must be sliced by rows, saved under the parameter's name and restored
//! bit for bit. Formulas, order of operations and defaults are PyTorch's.

use std::collections::BTreeMap;

use burn::tensor::{Device, IndexingUpdateOp, Int, Tensor, TensorData};

use super::gradient_parts::GradientParts;
use super::in_place::{self, RuleAtStep};
use super::rule::UpdateRule;
use super::touched::WholeTable;
use crate::device::to_vec;
use crate::error::{Error, Result};
use crate::model::{AnyModel, HostTensor, Visited};

/// A rule and its state for each parameter.
#[derive(Debug, Clone)]
pub struct Optimizer {
    rule: UpdateRule,
    /// Steps taken, t.
    step: u64,
    /// Moments of each parameter by name, flat.
    state: BTreeMap<String, Vec<Tensor<1>>>,
}

impl Optimizer {
    /// An optimizer without state.
    pub fn new(rule: UpdateRule) -> Self {
        Self { rule, step: 0, state: BTreeMap::new() }
    }

    /// The rule.
    pub fn rule(&self) -> UpdateRule {
        self.rule
    }

    /// Begins the next step: t ← t + 1.
    pub fn begin_step(&mut self) {
        self.step += 1;
    }

    /// The new value of a (flat) parameter. `decays` says whether weight decay applies to it.
    pub fn update(
        &mut self,
        name: &str,
        parameter: Tensor<1>,
        gradient: Tensor<1>,
        learning_rate: f64,
        decays: bool,
    ) -> Tensor<1> {
        // Removed from the map, so that the tensors have one owner and are updated in place.
        let moments = self.state.remove(name);
        let moments = moments.unwrap_or_else(|| self.new_moments(&gradient));
        let (parameter, moments) = self.apply(parameter, gradient, moments, learning_rate, decays);
        self.state.insert(name.to_string(), moments);
        parameter
    }

    /// A whole table with its taken rows replaced by their new values; no other rows are read or written.
    ///
    /// `rows` are the rows' present values, `[taken, width]`. Moments of other rows stay as they are (PyTorch's
    /// `SparseAdam`); weight decay, which concerns every row, is not applied. `project` sets negative values to zero.
    pub(super) fn update_rows(
        &mut self,
        name: &str,
        whole: WholeTable,
        rows: Tensor<2>,
        gradient: GradientParts,
        learning_rate: f64,
        project: bool,
    ) -> Tensor<2> {
        let WholeTable { rows: table, taken } = whole;
        let moments = self.state.remove(name);
        let moments = moments.unwrap_or_else(|| self.new_moments(&table.clone().flatten(0, 1)));
        let whole = (table, moments);
        let (table, moments) = if in_place::is_possible(&whole.0) {
            let rule = RuleAtStep::new(self.rule, self.step, learning_rate);
            in_place::update_rows(rule, whole, &taken.places.rows, gradient, project)
        } else {
            self.replace_rows(whole, &taken.on_device, rows, gradient, learning_rate, project)
        };
        self.state.insert(name.to_string(), moments);
        table
    }

    /// The same as [`in_place::update_rows`], by tensor operations for any device.
    fn replace_rows(
        &self,
        (table, moments): (Tensor<2>, Vec<Tensor<1>>),
        indices: &Tensor<1, Int>,
        rows: Tensor<2>,
        gradient: GradientParts,
        learning_rate: f64,
        project: bool,
    ) -> (Tensor<2>, Vec<Tensor<1>>) {
        let (size, taken) = (table.dims(), rows.dims());
        let gradient = gradient.at(rows.clone()).flatten(0, 1);
        let moments: Vec<Tensor<2>> = moments.into_iter().map(|moment| moment.reshape(size)).collect();
        let of_rows = moments.iter().map(|moment| moment.clone().select(0, indices.clone()).flatten(0, 1)).collect();
        let (rows, of_rows) = self.apply(rows.flatten(0, 1), gradient, of_rows, learning_rate, false);
        let rows = if project { rows.clamp_min(0.0) } else { rows };
        let put = |table: Tensor<2>, rows: Tensor<1>| {
            table.select_assign(0, indices.clone(), rows.reshape(taken), IndexingUpdateOp::Assign)
        };
        let moments = moments.into_iter().zip(of_rows).map(|(moment, rows)| put(moment, rows).flatten(0, 1)).collect();
        (put(table, rows), moments)
    }

    fn new_moments(&self, like: &Tensor<1>) -> Vec<Tensor<1>> {
        self.rule.moment_names().iter().map(|_| like.zeros_like()).collect()
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
            UpdateRule::Adam { beta1, beta2, epsilon, weight_decay } => {
                let first = next() * beta1 + gradient.clone() * (1.0 - beta1);
                let second = next() * beta2 + gradient.clone() * gradient * (1.0 - beta2);
                let step = self.step as f64;
                let (correction1, correction2) = (1.0 - beta1.powf(step), 1.0 - beta2.powf(step));
                let shrink = if decays { 1.0 - learning_rate * weight_decay } else { 1.0 };
                let parameter = if shrink < 1.0 { parameter * shrink } else { parameter };
                let scale = second.clone().sqrt() / correction2.sqrt() + epsilon;
                (parameter - first.clone() / scale * (learning_rate / correction1), vec![first, second])
            }
            UpdateRule::Sgd { momentum: 0.0 } => (parameter - gradient * learning_rate, vec![]),
            UpdateRule::Sgd { momentum } => {
                let velocity = next() * momentum + gradient;
                (parameter - velocity.clone() * learning_rate, vec![velocity])
            }
            UpdateRule::AdaGrad { epsilon } => {
                let sum = next() + gradient.clone() * gradient.clone();
                (parameter - gradient / (sum.clone().sqrt() + epsilon) * learning_rate, vec![sum])
            }
        }
    }

    /// The state, as `<parameter>/<moment>` → values. The step is [`step`](Self::step).
    pub fn save(&self) -> BTreeMap<String, HostTensor> {
        let mut saved = BTreeMap::new();
        for (name, moments) in &self.state {
            for (moment, tensor) in self.rule.moment_names().iter().zip(moments) {
                let data = to_vec(tensor.clone());
                saved.insert(format!("{name}/{moment}"), HostTensor { shape: vec![data.len()], data });
            }
        }
        saved
    }

    /// Steps taken so far.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Refuses moments of other parameters than the model's.
    ///
    /// # Errors
    /// [`Error::Usage`] with the first that does not fit.
    pub fn check(&self, model: &AnyModel) -> Result<()> {
        let mut lengths: BTreeMap<String, usize> = BTreeMap::new();
        model.visit(None, &mut |Visited { name, shape, .. }| {
            lengths.insert(name, shape.iter().product());
        });
        let fits = |(name, moments): &(&String, &Vec<Tensor<1>>)| {
            lengths.get(*name).is_some_and(|length| moments.iter().all(|moment| moment.dims()[0] == *length))
        };
        match self.state.iter().find(|state| !fits(state)) {
            Some((name, _)) => {
                Err(Error::Usage(format!("the checkpoint's moments of {name} do not fit the model; train anew")))
            }
            None => Ok(()),
        }
    }

    /// An optimizer that goes on from what [`save`](Self::save) gave. Names that the rule does not know are ignored.
    pub fn restore(rule: UpdateRule, step: u64, saved: &BTreeMap<String, HostTensor>, device: &Device) -> Self {
        let mut optimizer = Self { rule, step, state: BTreeMap::new() };
        let names = optimizer.rule.moment_names();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::DeviceSpec;

    const WIDTH: usize = 19;

    fn wave(count: usize, start: f64) -> Vec<f32> {
        (0..count).map(|at| (start + 1.3 * at as f64).sin() as f32).collect()
    }

    fn rules() -> [UpdateRule; 4] {
        [
            UpdateRule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 },
            UpdateRule::Sgd { momentum: 0.0 },
            UpdateRule::Sgd { momentum: 0.9 },
            UpdateRule::AdaGrad { epsilon: 1e-10 },
        ]
    }

    /// Some rows of a table of 3000, with every operation on gradients.
    #[test]
    fn rows_in_place_become_what_tensor_operations_make_of_them() {
        let device = DeviceSpec::Auto.open().expect("a device").device;
        let indices: Vec<u32> = (0..3000).filter(|index| index % 7 < 3).collect();
        let on_device = Tensor::from_data(
            TensorData::new(indices.iter().map(|&index| index as i32).collect(), [indices.len()]),
            &device,
        );
        let matrix = |values: Vec<f32>| {
            let rows = values.len() / WIDTH;
            Tensor::<2>::from_data(TensorData::new(values, [rows, WIDTH]), &device)
        };
        for rule in rules() {
            for (penalty, limit, scale, project) in [
                (None, None, None, false),
                (Some(0.3), None, Some(0.7), true),
                (Some(0.2), Some(0.5), Some(0.1), false),
            ] {
                let optimizer = Optimizer { step: 3, ..Optimizer::new(rule) };
                let table = matrix(wave(3000 * WIDTH, 0.1));
                let square = |start| matrix(wave(3000 * WIDTH, start)).powi_scalar(2).flatten(0, 1);
                let whole =
                    || (table.clone(), optimizer.rule.moment_names().iter().map(|_| square(0.5)).collect::<Vec<_>>());
                let gradient = || GradientParts {
                    data: matrix(wave(indices.len() * WIDTH, 0.2)),
                    penalty: penalty.map(|factor: f32| (0..indices.len()).map(|at| factor * (at % 5) as f32).collect()),
                    limit,
                    scale: scale.map(|scale: f32| Tensor::from_floats([scale], &device)),
                };
                let rows = table.clone().select(0, on_device.clone());
                let expected = optimizer.replace_rows(whole(), &on_device, rows, gradient(), 0.03, project);
                let rule = RuleAtStep::new(rule, optimizer.step, 0.03);
                let found = in_place::update_rows(rule, whole(), &indices, gradient(), project);
                let close = |found: Vec<f32>, expected: Vec<f32>| {
                    found.iter().zip(&expected).all(|(a, b)| (a - b).abs() <= 1e-6 * b.abs().max(1.0))
                };
                assert!(close(to_vec(found.0.clone()), to_vec(expected.0)), "{rule:?}, {penalty:?}, {limit:?}");
                for (found, expected) in found.1.into_iter().zip(expected.1) {
                    assert!(close(to_vec(found), to_vec(expected)), "moments of {rule:?}");
                }
                assert_ne!(to_vec(found.0), to_vec(table), "{rule:?}");
            }
        }
    }

    #[test]
    fn a_table_and_its_moments_are_updated_where_they_lie() {
        let device = DeviceSpec::Cpu.open().expect("a device").device;
        let values = [wave(100 * WIDTH, 0.1), vec![0.0; 100 * WIDTH], vec![0.0; 100 * WIDTH]];
        let before = values.each_ref().map(|values| values.as_ptr());
        let [table, first, second] = values;
        let table = Tensor::from_data(TensorData::new(table, [100, WIDTH]), &device);
        let moments = [first, second].map(|values| Tensor::from_data(TensorData::new(values, [100 * WIDTH]), &device));
        let gradient =
            GradientParts { data: Tensor::ones([2, WIDTH], &device), penalty: None, limit: None, scale: None };
        let rule = RuleAtStep::new(rules()[0], 1, 0.1);
        let (table, moments) = in_place::update_rows(rule, (table, moments.into()), &[3, 97], gradient, false);
        let [first, second] = <[Tensor<1>; 2]>::try_from(moments).expect("two moments");
        let after = [to_vec(table), to_vec(first), to_vec(second)];
        assert_eq!(after.each_ref().map(|values| values.as_ptr()), before, "copied");
        assert_ne!(after[1][3 * WIDTH], 0.0);
    }
}
