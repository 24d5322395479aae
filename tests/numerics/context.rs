//! What the trainer, its steps and evaluation promise to a model of more than users and items.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lowrank::data::batch::Samples;
use lowrank::data::{ITEM, Interactions, UNKNOWN, USER};
use lowrank::device::to_vec;
use lowrank::model::parameters::{collect, restore};
use lowrank::model::{AnyModel, HostTensor, Use};
use lowrank::objective::{Loss, Squared};
use lowrank::solver::{Clip, GradientStep, Regularization, UpdateRule, UpdatedRows};
use lowrank::train::{Checkpoints, EpochReport};

use crate::inputs::{Lambda, cpu, gradient_step, gradients};
use crate::three_fields::{PREVIOUS, all, interactions, scores_by_loops, sine_sequence};
use crate::{ADAM, AfterEpoch, TrainConfig, bits, evaluator, fit, in_batches, of, train_config, trainer_of};

const SQUARED: Loss = Loss::Squared(Squared {});

fn some_interactions() -> Interactions {
    interactions(|j| 3.0 + 2.0 * (0.5 + 1.3 * j as f64).sin())
}

fn solver(rows: UpdatedRows, rule: UpdateRule, clip: Clip) -> GradientStep {
    let regularization = [("user_factors", 0.02), ("item_factors", 0.03), ("tag_factors", 0.04), ("item_biases", 0.05)];
    let regularization = Regularization::new(regularization);
    GradientStep { regularization, clip, ..gradient_step(SQUARED, Lambda::default(), rows, rule) }
}

fn parameters(model: &AnyModel) -> BTreeMap<String, HostTensor> {
    collect(model).into_iter().collect()
}

#[track_caller]
fn assert_close(found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (at, (&found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((f64::from(found) - expected).abs() <= 1e-5 * expected.abs().max(1.0), "{at}: {found}, {expected}");
    }
}

#[test]
fn scores_are_those_of_loops_and_unknown_rows_and_bags_are_zeros() {
    let bags = &some_interactions().bags;
    let ids = [0, 1, 3, UNKNOWN];
    let cells: Vec<[u32; 3]> =
        ids.iter().flat_map(|&a| ids.iter().flat_map(move |&b| ids.map(|c| [a, b, c]))).collect();
    let columns = (0..3).map(|field| cells.iter().map(|cell| cell[field]).collect()).collect();
    let samples = Arc::new(Samples::of_columns(columns, bags));
    for rank in [1, 3, 17] {
        let model = sine_sequence(rank);
        let expected = scores_by_loops(&model, &samples);
        for device in [cpu().device, cpu().device.autodiff()] {
            let model = if device.is_autodiff() { model.clone() } else { model.valid() };
            assert_close(&to_vec(model.forward(&samples.to_device(&device))), &expected);
        }
        // Nothing is known of the last cell.
        assert_eq!(expected.last(), Some(&f64::from(parameters(&model)["shift"].data[0])));
    }
}

#[test]
fn candidates_of_one_field_are_scored_with_the_others_of_their_position() {
    let train = some_interactions();
    let mut samples = Samples::gather(&train, &[1, 4, 7]);
    samples.columns[ITEM.0] = vec![3, 0, 2, 1, 1, UNKNOWN];
    samples.draws = 2;
    let samples = Arc::new(samples);
    let each = |field| samples.column(field).iter().flat_map(|&index| [index, index]).collect();
    let columns = vec![each(USER), samples.column(ITEM).to_vec(), each(PREVIOUS)];
    let written_out = Arc::new(Samples::of_columns(columns, &train.bags));
    let model = sine_sequence(3);
    let scores = |samples: &Arc<Samples>| to_vec(model.forward(&samples.to_device(&cpu().device.autodiff())));
    assert_eq!(scores(&samples), scores(&written_out));
    assert_close(&scores(&samples), &scores_by_loops(&model, &written_out));
}

#[test]
fn touched_rows_are_all_rows_without_momentum() {
    let train = some_interactions();
    let device = cpu().device.autodiff();
    for positions in [&[1][..], &[0, 5, 5, 8], &[2, 3, 4, 6, 7, 9, 10, 11]] {
        let samples = Arc::new(Samples::gather(&train, positions));
        for clip in [Clip::default(), Clip { value: Some(0.5), norm: Some(1.0) }] {
            let step = |rows| {
                let mut solver = solver(rows, UpdateRule::Sgd { momentum: 0.0 }, clip);
                let (model, sums, norms) = solver.step(sine_sequence(3), &samples, &device, 0.1, true);
                (collect(&model), to_vec(sums.sums), norms.expect("asked for"))
            };
            let (all, touched) = (step(UpdatedRows::All), step(UpdatedRows::Touched));
            for ((name, all), (_, touched)) in all.0.iter().zip(&touched.0) {
                assert_eq!(all.shape, touched.shape, "{name}");
                for (all, touched) in all.data.iter().zip(&touched.data) {
                    assert!((all - touched).abs() <= 1e-6, "{name}, {positions:?}: {all} and {touched}");
                }
            }
            for (all, touched) in all.1.iter().zip(&touched.1) {
                assert!((all - touched).abs() <= 1e-5 * all.abs().max(1.0), "{positions:?}: {all} and {touched}");
            }
            for ((name, all), (_, touched)) in all.2.iter().zip(&touched.2) {
                assert!((all - touched).abs() <= 1e-5 * all.max(1.0), "{name}, {positions:?}: {all} and {touched}");
            }
        }
    }
}

/// The user of the second interaction met its item only, which has one tag; the previous item is unknown.
#[test]
fn rows_that_neither_fields_nor_bags_touch_are_not_read_and_keep_their_bits() {
    let touched = BTreeMap::from([("user_factors", 1), ("item_factors", 3), ("tag_factors", 2), ("item_biases", 3)]);
    let device = cpu().device.autodiff();
    let samples = Arc::new(Samples::gather(&some_interactions(), &[1, 1]));
    assert_eq!(samples.columns, [[1, 1], [3, 3], [UNKNOWN, UNKNOWN]]);
    let before = sine_sequence(3);
    let mut marked = parameters(&before);
    for (name, row) in &touched {
        let values = marked.get_mut(*name).expect("a parameter");
        let width = values.shape[1];
        (0..values.shape[0]).filter(|other| other != row).for_each(|other| {
            values.data[other * width..][..width].fill(f32::NAN);
        });
    }
    let mut model = restore(before.clone(), &marked).expect("the same model");
    let mut solver = solver(UpdatedRows::Touched, ADAM, Clip { value: None, norm: Some(1.0) });
    for _ in 0..2 {
        let (stepped, sums, norms) = solver.step(model, &samples, &device, 0.05, true);
        model = stepped;
        assert!(to_vec(sums.sums).iter().all(|sum| sum.is_finite()));
        assert!(norms.expect("asked for").iter().all(|(_, norm)| norm.is_finite()));
    }
    let (before, after) = (parameters(&before), parameters(&model));
    for (name, row) in touched {
        let width = before[name].shape[1];
        for (at, (old, new)) in before[name].data.chunks(width).zip(after[name].data.chunks(width)).enumerate() {
            if at == row {
                assert!(new.iter().zip(old).all(|(new, old)| new.is_finite() && new != old), "row {at} of {name}");
            } else {
                assert!(new.iter().all(|value| value.is_nan()), "row {at} of {name}");
            }
        }
    }
}

/// Which rows of a parameter a batch touches; `None` for all of them.
fn touched(model: &AnyModel, name: &str, samples: &Samples) -> Option<BTreeSet<usize>> {
    let [p, q, t, b] = model.tables()[..] else { panic!("four tables") };
    let table = match name {
        "user_factors" => p,
        "item_factors" => q,
        "tag_factors" => t,
        "item_biases" => b,
        _ => return None,
    };
    let rows = |of: &Use| -> Vec<u32> {
        match *of {
            Use::Field(field) => samples.column(field).to_vec(),
            Use::Bag(field, bag) => {
                let members = |&owner: &u32| samples.bags[bag.0].of_row(owner).0;
                samples.column(field).iter().flat_map(members).copied().collect()
            }
        }
    };
    let rows = table.uses().iter().flat_map(rows).filter(|&row| row != UNKNOWN);
    Some(rows.map(|row| row as usize).collect())
}

/// Each batch touches other rows, so that a row has another place in each. Adam on the rows that are touched, by loops
/// in `f64`, from the gradients of the objective as a whole.
#[test]
fn moments_stay_with_their_rows_where_batches_touch_different_ones() {
    const RATE: f64 = 0.05;
    let train = some_interactions();
    let device = cpu().device.autodiff();
    let mut solver = solver(UpdatedRows::Touched, ADAM, Clip::default());
    let mut model = sine_sequence(3);
    let mut moments = BTreeMap::<String, Vec<[f64; 2]>>::new();
    for (step, positions) in (1..).zip([&[1, 4][..], &[0, 3, 5], &[8, 11, 1, 1], &[4], &[2, 7, 9], &[1, 4]]) {
        let samples = Arc::new(Samples::gather(&train, positions));
        let mut expected = parameters(&model);
        let objective = solver.objective(&model, &samples, &device).0;
        for (name, gradient) in gradients(&model, &objective.backward()) {
            let of_batch = touched(&model, &name, &samples);
            let values = expected.get_mut(&name).expect("a parameter");
            let width = values.shape.get(1).copied().unwrap_or(1);
            let moments = moments.entry(name).or_insert_with(|| vec![[0.0; 2]; gradient.len()]);
            for (at, gradient) in gradient.into_iter().enumerate() {
                if of_batch.as_ref().is_some_and(|rows| !rows.contains(&(at / width))) {
                    assert_eq!(gradient, 0.0);
                    continue;
                }
                let [first, second] = &mut moments[at];
                *first = 0.9 * *first + 0.1 * gradient;
                *second = 0.999 * *second + 0.001 * gradient * gradient;
                let corrected = [*first / (1.0 - 0.9_f64.powi(step)), *second / (1.0 - 0.999_f64.powi(step))];
                values.data[at] -= (RATE * corrected[0] / (corrected[1].sqrt() + 1e-8)) as f32;
            }
        }
        model = solver.step(model, &samples, &device, RATE, false).0;
        for (name, values) in collect(&model) {
            for (at, (found, expected)) in values.data.iter().zip(&expected[&name].data).enumerate() {
                let what = format!("number {at} of {name} after step {step}");
                assert!((found - expected).abs() <= 1e-5, "{what}: {found} is not {expected}");
            }
        }
    }
}

#[test]
fn training_learns_repeats_its_bits_and_resumes() {
    let train = some_interactions();
    let none = train.like(0);
    let settings = |epochs| TrainConfig { method: in_batches(ADAM, 5), ..train_config(epochs, ADAM, 0.03) };
    let run = |folder: &tempfile::TempDir, epochs| {
        let checkpoints = Checkpoints::create(folder.path()).expect("created");
        let mut losses = Vec::new();
        let mut log = AfterEpoch(|report: &EpochReport| {
            losses.push(of(report.train, "loss"));
            Ok(())
        });
        let trainer = trainer_of(settings(epochs), sine_sequence(3).valid(), cpu()).with_checkpoints(checkpoints);
        let trainer = trainer.resume().expect("its own checkpoint, or none");
        let trained = fit(trainer, &train, &none, SQUARED, &mut [&mut log]).expect("trains");
        (bits(&trained.model), losses)
    };
    let [whole, again, broken] = [(); 3].map(|()| tempfile::tempdir().expect("a temporary folder"));
    let (expected, losses) = run(&whole, 200);
    assert!(losses[199] < 0.01 * losses[0], "{} → {}", losses[0], losses[199]);
    assert!(run(&again, 200).0 == expected, "another model");
    run(&broken, 120);
    let (resumed, rest) = run(&broken, 200);
    assert_eq!(rest, losses[120..]);
    assert!(resumed == expected, "another model after a resume");
}

#[test]
fn evaluation_asks_the_model_where_it_can_do_without_what_is_unknown() {
    let train = some_interactions();
    let evaluator = evaluator(&train, SQUARED, 5, 4);
    let model = sine_sequence(3).valid();
    let mut split = train.like(0);
    for indices in [[2, 1, 0], [2, 1, UNKNOWN], [UNKNOWN, 1, 0], [2, UNKNOWN, UNKNOWN]] {
        split.push(indices, 3.0, None);
    }
    let evaluation = evaluator.evaluate(&model, &cpu().device, &split);
    let scores = scores_by_loops(&model, &all(&split));
    let baseline = &evaluator.predictor.baseline;
    let expected = [scores[0], scores[1], baseline.predict(UNKNOWN, 1), baseline.predict(2, UNKNOWN)];
    assert_close(&evaluation.predictions, &expected);
    assert_eq!([USER, ITEM, PREVIOUS].map(|field| evaluation.unknown(field)), [1, 1, 2]);
}
