//! Models that know what each user met, held to their equations in loops.

use std::collections::BTreeMap;
use std::sync::Arc;

use lowrank::data::batch::Samples;
use lowrank::data::{Bag, BagFrame, Frame};
use lowrank::data::{HISTORY, ITEM, Interactions, UNKNOWN, USER};
use lowrank::device::to_vec;
use lowrank::model::parameters::collect;
use lowrank::model::{AnyModel, FactorInit, HostTensor, SvdPpConfig};
use lowrank::solver::{Clip, GradientStep, Regularization, UpdateRule, UpdatedRows};

use crate::inputs::{Lambda, NUM_ITEMS, NUM_USERS, cpu, gradient_step, gradients, samples, start_of, trainable, wave};
use crate::{ADAM, SQUARED};

fn frame() -> Frame {
    let history = BagFrame { name: HISTORY.into(), owner: 0, of: 1, is_feature: false };
    Frame { bags: vec![history], ..Frame::pair(NUM_USERS, NUM_ITEMS) }
}

/// The cells of [`samples`] with the histories that follow from them.
fn train() -> Interactions {
    let pairs = samples(|j| 3.0 + 2.0 * (0.5 + 1.3 * j as f64).sin());
    let mut interactions = Interactions::default();
    for (at, &target) in pairs.targets.iter().enumerate() {
        interactions.push([pairs.column(USER)[at], pairs.column(ITEM)[at]], target, None);
    }
    let history = Bag::history(|field| interactions.column(field), &frame(), USER, ITEM);
    interactions.bags = Arc::new(vec![history]);
    interactions
}

fn sine(asymmetric: bool) -> AnyModel {
    let device = cpu().device;
    let config = SvdPpConfig { rank: 3, asymmetric, init: FactorInit::Normal { std: 0.3 } };
    let model = config.init(&start_of(&frame(), 3.25, 1, &device)).expect("histories");
    trainable(model, &device, |name, n, j, old| match name {
        "global_mean" => old,
        _ => wave(1.0 + 2.3 * n as f64, j) as f32,
    })
}

fn parameters(model: &AnyModel) -> BTreeMap<String, HostTensor> {
    collect(model).into_iter().collect()
}

fn score_by_loops(parameters: &BTreeMap<String, HostTensor>, user: u32, item: u32) -> f64 {
    let row = |name: &str, index: u32| -> Vec<f64> {
        let values = &parameters[name];
        let width = values.shape[1];
        match index {
            UNKNOWN => vec![0.0; width],
            _ => values.data[index as usize * width..][..width].iter().map(|&value| f64::from(value)).collect(),
        }
    };
    let mut vector = match parameters.contains_key("user_factors") {
        true => row("user_factors", user),
        false => vec![0.0; 3],
    };
    let train = train();
    let met: Vec<u32> =
        (0..train.len()).filter(|&at| train.columns[0][at] == user).map(|at| train.columns[1][at]).collect();
    for &item in &met {
        let share = row("met_item_factors", item).into_iter().map(|value| value / (met.len() as f64).sqrt());
        vector.iter_mut().zip(share).for_each(|(sum, value)| *sum += value);
    }
    let product: f64 = vector.iter().zip(row("item_factors", item)).map(|(a, b)| a * b).sum();
    3.25 + row("user_biases", user)[0] + row("item_biases", item)[0] + product
}

#[test]
fn svdpp_adds_up_what_users_met() {
    let device = cpu().device;
    let bags = train().bags;
    let ids = |count: usize| (0..count as u32).chain([UNKNOWN]);
    let cells: Vec<(u32, u32)> = ids(NUM_USERS).flat_map(|user| ids(NUM_ITEMS).map(move |item| (user, item))).collect();
    let columns = vec![cells.iter().map(|cell| cell.0).collect(), cells.iter().map(|cell| cell.1).collect()];
    let samples = Arc::new(Samples::of_columns(columns, &bags));
    for asymmetric in [false, true] {
        let model = sine(asymmetric).valid();
        let parameters = parameters(&model);
        assert_eq!(parameters.contains_key("user_factors"), !asymmetric);
        let is = |found: f32, (user, item): (u32, u32)| {
            let expected = score_by_loops(&parameters, user, item);
            assert!(
                (f64::from(found) - expected).abs() < 1e-5 * expected.abs(),
                "({user}, {item}): {found}, {expected}"
            );
        };
        let found = to_vec(model.forward(&samples.to_device(&device)));
        found.into_iter().zip(&cells).for_each(|(found, &cell)| is(found, cell));
        let queries = Arc::new(Samples::of_columns(vec![vec![4, 0, 2], vec![0; 3]], &bags)).to_device(&device);
        let all = to_vec(model.forward_all(&queries, ITEM).expect("one product"));
        let pairs = [4, 0, 2].into_iter().flat_map(|user| (0..NUM_ITEMS as u32).map(move |item| (user, item)));
        all.into_iter().zip(pairs).for_each(|(found, cell)| is(found, cell));
    }
}

/// The gradient of y_j is that of every user who met j, and its penalty counts each interaction of such a user.
#[test]
fn gradients_reach_what_users_met() {
    let device = cpu().device.autodiff();
    let train = train();
    let all = Arc::new(Samples::gather(&train, &(0..train.len() as u64).collect::<Vec<_>>()));
    let lambda = Lambda { item_factors: 0.03, ..Lambda::default() };
    let solver = gradient_step(SQUARED, lambda, UpdatedRows::All, ADAM);
    for asymmetric in [false, true] {
        let model = sine(asymmetric);
        let rows = parameters(&model);
        let found: BTreeMap<String, Vec<f64>> =
            gradients(&model, &solver.objective(&model, &all, &device).0.backward()).into_iter().collect();
        let of_item = |item: u32, component: usize| {
            let (mut sum, items, own) = (0.0, &rows["item_factors"].data, &rows["met_item_factors"].data);
            for at in 0..train.len() {
                let (user, other) = (train.columns[0][at], train.columns[1][at]);
                let (met, weights) = train.bags[0].of_row(user);
                let Some(place) = met.iter().position(|&met| met == item) else { continue };
                let weight = f64::from(weights.expect("weights")[place]);
                let residual = score_by_loops(&rows, user, other) - f64::from(train.targets[at]);
                sum += 2.0 * residual * weight * f64::from(items[other as usize * 3 + component]);
                sum += 2.0 * 0.03 * f64::from(own[item as usize * 3 + component]);
            }
            sum / train.len() as f64
        };
        for item in 0..NUM_ITEMS {
            for component in 0..3 {
                let (found, expected) =
                    (found["met_item_factors"][item * 3 + component], of_item(item as u32, component));
                assert!((found - expected).abs() < 1e-5 * expected.abs().max(0.1), "{item}: {found}, {expected}");
            }
        }
    }
}

#[test]
fn touched_rows_are_all_rows_without_momentum() {
    let device = cpu().device.autodiff();
    let train = train();
    for positions in [&[1][..], &[0, 5, 5, 8]] {
        let samples = Arc::new(Samples::gather(&train, positions));
        let [all, touched] = [UpdatedRows::All, UpdatedRows::Touched].map(|rows| {
            let step = gradient_step(SQUARED, Lambda::default(), rows, UpdateRule::Sgd { momentum: 0.0 });
            let regularization = Regularization::new([("user_factors", 0.02), ("item_factors", 0.03)]);
            let mut step = GradientStep { regularization, clip: Clip::default(), ..step };
            parameters(&step.step(sine(false), &samples, &device, 0.1, false).0)
        });
        for (name, all) in &all {
            for (all, touched) in all.data.iter().zip(&touched[name].data) {
                assert!((all - touched).abs() < 1e-6, "{name}, {positions:?}: {all}, {touched}");
            }
        }
    }
}
