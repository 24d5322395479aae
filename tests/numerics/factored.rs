//! Mini-batch steps of factorization machines by a kernel, held to those by autodiff.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::inputs::{cpu, start_of, wave};
use burn::tensor::Device;
use lowrank::data::batch::{EpochOrder, Samples};
use lowrank::data::{EntityFrame, Field, Frame, Interactions, UNKNOWN};
use lowrank::device::to_vec;
use lowrank::model::parameters::collect;
use lowrank::model::{AnyModel, FactorInit, FmConfig, HostTensor};
use lowrank::objective::{Logistic, Loss, Poisson, Squared};
use lowrank::solver::{
    Clip, GradientStep, LearningRate, MiniBatch, Optimizer, Regularization, Solver, StepNumber, UpdateRule, UpdatedRows,
};

const BATCH: usize = 70;
const SEED: u64 = 3;
const RATE: f64 = 0.05;
const ADAM: UpdateRule = UpdateRule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 };

fn frame() -> Frame {
    let mut frame = Frame::pair(5, 4);
    for (at, name) in ["hour", "weather"].into_iter().enumerate() {
        frame.entities.push(EntityFrame::new(name, 3 + at));
        frame.fields.push(Field::new(name, 2 + at));
    }
    frame
}

/// Targets of 0 and 1, hours and weather of which some are not known.
fn train(weighted: bool) -> Interactions {
    let mut train = Interactions::of_fields(4);
    for at in 0..180_u32 {
        let hour = if at % 7 == 3 { UNKNOWN } else { at * 5 % 3 };
        let weather = if at % 11 == 5 { UNKNOWN } else { at % 4 };
        let rows = [at % 5, at * 3 % 4, hour, weather];
        train.columns.iter_mut().zip(rows).for_each(|(column, row)| column.push(row));
        train.targets.push((at * 7 % 3 == 1) as u8 as f32);
    }
    train.weights = weighted.then(|| (0..180).map(|at| 0.5 + (at % 4) as f32).collect());
    train
}

fn model(rank: usize, device: &Device) -> AnyModel {
    let config = FmConfig { rank, init: FactorInit::Normal { std: 0.1 } };
    config.init(&start_of(&frame(), 0.3, 1, device)).into()
}

fn step(loss: Loss, rule: UpdateRule, clip: Clip) -> GradientStep {
    let names = [
        "user_factors",
        "item_factors",
        "hour_factors",
        "user_biases",
        "item_biases",
        "weather_factors",
        "weather_biases",
    ];
    let lambdas = (0..names.len()).map(|at| 0.02 + 0.01 * wave(1.0, at).abs());
    GradientStep {
        objective: Arc::new(loss),
        regularization: Regularization::new(names.into_iter().zip(lambdas)),
        clip,
        rows: UpdatedRows::Touched,
        optimizer: Optimizer::new(rule),
    }
}

fn close(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() <= 2e-4 * expected.abs().max(0.1), "{what}: {found}, {expected}");
}

fn assert_close(found: &AnyModel, expected: &AnyModel, what: &str) {
    for ((name, found), (_, expected)) in collect(found).into_iter().zip(collect(expected)) {
        for (at, (found, expected)) in found.data.iter().zip(&expected.data).enumerate() {
            close((*found).into(), (*expected).into(), &format!("{what}, {name} {at}"));
        }
    }
}

#[test]
fn steps_are_those_of_autodiff() {
    let device = cpu().device;
    let rules = [
        ADAM,
        UpdateRule::Sgd { momentum: 0.0 },
        UpdateRule::Sgd { momentum: 0.9 },
        UpdateRule::AdaGrad { epsilon: 1e-8 },
    ];
    let none = Clip::default();
    let small = Clip { value: Some(0.003), norm: None };
    let mut cases = Vec::new();
    for rule in rules {
        cases.push((19, Loss::Squared(Squared {}), rule, none, false));
        cases.push((16, Loss::Logistic(Logistic { positive_weight: 1.0 }), rule, small, true));
    }
    cases.push((3, Loss::Poisson(Poisson {}), ADAM, none, true));
    for (rank, loss, rule, clip, weighted) in cases {
        let train = train(weighted);
        let mut solver = MiniBatch::new(step(loss, rule, clip), BATCH, LearningRate::constant(RATE), SEED, &device);
        let mut found = model(rank, &device).to_training(&device);
        let mut expected = found.clone();
        let mut by_autodiff = step(loss, rule, clip);
        let steps = solver.begin(&found, &train).expect("begun");
        assert_eq!(steps, 3);
        for number in (1..=2).flat_map(|epoch| (0..steps).map(move |step| StepNumber { epoch, step, steps })) {
            let what = format!("{loss:?}, {rule:?}, {number:?}");
            let stepped = solver.step(found, &train, number);
            found = stepped.model;
            let outcome = stepped.outcome.expect("a step");
            let start = number.step as usize * BATCH;
            let positions =
                EpochOrder::new(train.len(), SEED, number.epoch).positions(start..(start + BATCH).min(train.len()));
            let samples = Arc::new(Samples::gather(&train, &positions));
            let (model, sums, norms) =
                by_autodiff.step(expected, &samples, &device.clone().autodiff(), RATE, number.is_last());
            expected = model;
            assert_eq!(outcome.sums.count, sums.count);
            for (found, expected) in to_vec(outcome.sums.sums).into_iter().zip(to_vec(sums.sums)) {
                close(found.into(), expected.into(), &what);
            }
            let by_name =
                |norms: Option<Vec<(String, f64)>>| norms.map(|norms| norms.into_iter().collect::<BTreeMap<_, _>>());
            let [found_norms, norms] = [by_name(outcome.norms), by_name(norms)];
            assert_eq!(found_norms.is_some(), number.is_last());
            for (name, expected) in norms.into_iter().flatten() {
                close(found_norms.as_ref().expect("asked for")[&name], expected, &format!("{what}, norm of {name}"));
            }
            assert_close(&solver.write_back(found.clone()).valid(), &expected.valid(), &what);
        }
        // Moments too, by the same names.
        let moments = by_autodiff.optimizer.save();
        let remembered = solver.memory();
        assert_eq!(remembered.keys().collect::<Vec<_>>(), moments.keys().collect::<Vec<_>>());
        for (name, expected) in &moments {
            for (found, expected) in remembered[name].data.iter().zip(&expected.data) {
                close((*found).into(), (*expected).into(), name);
            }
        }
    }
}

#[test]
fn memory_goes_on_to_the_same_bits() {
    let device = cpu().device;
    let train = train(true);
    let solver = || {
        MiniBatch::new(
            step(Loss::Logistic(Logistic { positive_weight: 1.0 }), ADAM, Clip::default()),
            BATCH,
            LearningRate::constant(RATE),
            SEED,
            &device,
        )
    };
    let numbers: Vec<StepNumber> =
        (1..=2).flat_map(|epoch| (0..3).map(move |step| StepNumber { epoch, step, steps: 3 })).collect();
    let run = |solver: &mut MiniBatch, mut model: AnyModel, numbers: &[StepNumber]| {
        solver.begin(&model, &train).expect("begun");
        for &number in numbers {
            model = solver.step(model, &train, number).model;
        }
        solver.write_back(model)
    };
    let start = || model(5, &device).to_training(&device);
    let whole = run(&mut solver(), start(), &numbers);
    let mut first = solver();
    let half = run(&mut first, start(), &numbers[..4]);
    let memory: BTreeMap<String, HostTensor> = first.memory();
    let mut second = solver();
    second.restore(4, &memory);
    let rest = run(&mut second, half, &numbers[4..]);
    assert_eq!(collect(&whole.valid()), collect(&rest.valid()));
}
