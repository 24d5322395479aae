//! One step by gradients, on all rows or on those that a batch touches, for every model.

use std::collections::BTreeMap;
use std::sync::Arc;

use lowrank::data::batch::Samples;
use lowrank::data::{ITEM, USER};
use lowrank::device::to_vec;
use lowrank::model::parameters::{collect, restore};
use lowrank::model::{AnyModel, Constraint, HostTensor, Table};
use lowrank::objective::Loss;
use lowrank::solver::{Clip, UpdateRule, UpdatedRows};

use crate::inputs::{Lambda, cpu, gradients, kind, models, samples_of, sine_model};
use crate::{ADAM, SQUARED, bits, solver, some_samples};

#[test]
fn the_gradient_of_all_ratings_is_the_mean_of_the_gradients_of_its_batches() {
    let device = cpu().device.autodiff();
    let whole = some_samples();
    let piece = |range: std::ops::Range<usize>| {
        let column = |field| whole.column(field)[range.clone()].to_vec();
        samples_of(column(USER), column(ITEM), whole.targets[range.clone()].to_vec())
    };
    for config in models(3) {
        for loss in [SQUARED, Loss::Huber(lowrank::objective::Huber { delta: 0.7 })] {
            let model = sine_model(&config, 3.25);
            let solver = solver(loss, ADAM);
            let of =
                |samples: &Arc<Samples>| gradients(&model, &solver.objective(&model, samples, &device).0.backward());
            let (first, second) = (of(&piece(0..7)), of(&piece(7..12)));
            for (at, (name, whole)) in of(&whole).into_iter().enumerate() {
                let norm = whole.iter().map(|g| g * g).sum::<f64>().sqrt();
                assert!(norm > 1e-3, "{}: {name}", kind(&config));
                for (j, g) in whole.iter().enumerate() {
                    let mean = (7.0 * first[at].1[j] + 5.0 * second[at].1[j]) / 12.0;
                    assert!((g - mean).abs() <= 1e-5 * norm, "{}: {name}[{j}]: {g} and {mean}", kind(&config));
                }
            }
        }
    }
}

#[test]
fn a_step_changes_every_trained_parameter_and_never_the_offset() {
    let device = cpu().device.autodiff();
    for config in models(3) {
        for rule in [ADAM, UpdateRule::Sgd { momentum: 0.9 }, UpdateRule::AdaGrad { epsilon: 1e-10 }] {
            let model = sine_model(&config, 3.25);
            let before = bits(&model);
            let (model, sums, norms) = solver(SQUARED, rule).step(model, &some_samples(), &device, 0.01, true);
            let norms = norms.expect("asked for");
            let mut trained = 0;
            for ((name, before), (_, after)) in before.iter().zip(bits(&model)) {
                if name == "global_mean" {
                    assert_eq!(before, &after, "{}", kind(&config));
                    assert_eq!(f32::from_bits(after[0]), 3.25);
                } else {
                    assert_ne!(before, &after, "{name} of {}", kind(&config));
                    assert!(norms.iter().any(|(found, norm)| found == name && *norm > 0.0), "{name}");
                    trained += 1;
                }
            }
            assert_eq!(norms.len(), trained, "{}", kind(&config));
            assert_eq!(sums.count, 12);
        }
    }
}

#[test]
fn a_step_without_penalty_leaves_rows_that_the_batch_does_not_touch() {
    let device = cpu().device.autodiff();
    for config in models(3) {
        let model = sine_model(&config, 3.25);
        let rows = |model: &AnyModel| -> Vec<Vec<f32>> {
            model.tables().iter().map(|table| to_vec(table.rows.val())).collect()
        };
        let before = rows(&model);
        let samples = samples_of(vec![1, 3], vec![2, 0], vec![1.0, 5.0]);
        let mut solver = solver(SQUARED, UpdateRule::Sgd { momentum: 0.0 });
        solver.regularization = Lambda::default().into();
        let model = solver.step(model, &samples, &device, 0.01, false).0;
        for ((table, before), after) in model.tables().iter().zip(&before).zip(rows(&model)) {
            let width = table.rows.dims()[1];
            let touched = samples.column(if table.is_indexed_by(USER) { USER } else { ITEM });
            let mut changed = 0;
            for (row, (before, after)) in (0..).zip(before.chunks(width).zip(after.chunks(width))) {
                let what = format!("row {row} of {} in {}", table.group(), kind(&config));
                assert!(before == after || touched.contains(&row), "{what}");
                changed += usize::from(before != after);
            }
            // Closed ReLUs may keep a row from learning, but not all of them.
            assert!(changed > 0, "{} in {}", table.group(), kind(&config));
        }
    }
}

#[test]
fn touched_rows_are_all_rows_without_momentum() {
    let device = cpu().device.autodiff();
    let samples = samples_of(vec![1, 3, 1], vec![2, 0, 2], vec![1.0, 5.0, 2.0]);
    for config in models(3) {
        for clip in [Clip::default(), Clip { value: Some(0.5), norm: Some(1.0) }] {
            let step = |rows| {
                let solver = &mut solver(SQUARED, UpdateRule::Sgd { momentum: 0.0 });
                (solver.rows, solver.clip) = (rows, clip);
                collect(&solver.step(sine_model(&config, 3.25), &samples, &device, 0.1, false).0)
            };
            for ((name, all), (_, touched)) in step(UpdatedRows::All).into_iter().zip(step(UpdatedRows::Touched)) {
                assert_eq!(all.shape, touched.shape, "{name} of {}", kind(&config));
                for (all, touched) in all.data.iter().zip(&touched.data) {
                    assert!((all - touched).abs() <= 1e-6, "{name} of {}: {all} and {touched}", kind(&config));
                }
            }
        }
    }
}

/// One plain step from the objective as a whole, differentiated by autodiff.
#[test]
fn a_step_goes_against_autodiffs_gradient_of_the_objective() {
    let device = cpu().device.autodiff();
    let samples = samples_of(vec![1, 3, 1], vec![2, 0, 2], vec![1.0, 5.0, 2.0]);
    for config in models(3) {
        let model = sine_model(&config, 3.25);
        let before: BTreeMap<String, HostTensor> = collect(&model).into_iter().collect();
        for rows in [UpdatedRows::All, UpdatedRows::Touched] {
            let mut solver = solver(SQUARED, UpdateRule::Sgd { momentum: 0.0 });
            solver.rows = rows;
            let (objective, _) = solver.objective(&model, &samples, &device);
            let gradients = gradients(&model, &objective.backward());
            let after: BTreeMap<String, HostTensor> =
                collect(&solver.step(model.clone(), &samples, &device, 0.5, false).0).into_iter().collect();
            for (name, gradient) in gradients {
                let pairs = before[&name].data.iter().zip(&after[&name].data);
                for ((before, after), gradient) in pairs.zip(gradient) {
                    let expected = f64::from(*before) - 0.5 * gradient;
                    let projected = expected.max(0.0);
                    let expected = if model.constraint() == Constraint::NonNegative { projected } else { expected };
                    let what = format!("{name} of {} with {rows:?} rows", kind(&config));
                    assert!((f64::from(*after) - expected).abs() <= 1e-6, "{what}: {after} is not {expected}");
                }
            }
        }
    }
}

#[test]
fn rows_that_a_batch_does_not_touch_are_not_read() {
    let device = cpu().device.autodiff();
    let samples = samples_of(vec![1, 3], vec![2, 0], vec![1.0, 5.0]);
    for config in models(3) {
        let model = sine_model(&config, 3.25);
        let mut values: BTreeMap<String, HostTensor> = collect(&model).into_iter().collect();
        for (name, values) in &mut values {
            let touched = if name.contains("user_") { [1, 3] } else { [2, 0] };
            if name.contains("user_") || name.contains("item_") {
                let width = values.shape[1];
                let others = (0..values.shape[0]).filter(|row| !touched.contains(row));
                others.for_each(|row| values.data[row * width..][..width].fill(f32::NAN));
            }
        }
        let mut model = restore(model, &values).expect("the same model");
        let mut solver = solver(SQUARED, ADAM);
        (solver.rows, solver.clip.norm) = (UpdatedRows::Touched, Some(1.0));
        for _ in 0..2 {
            let (stepped, sums, norms) = solver.step(model, &samples, &device, 0.05, true);
            model = stepped;
            assert!(to_vec(sums.sums).iter().all(|sum| sum.is_finite()), "{}", kind(&config));
            assert!(norms.expect("asked for").iter().all(|(_, norm)| norm.is_finite()), "{}", kind(&config));
        }
        let nans = |values: &HostTensor| values.data.iter().filter(|value| value.is_nan()).count();
        for (name, after) in collect(&model) {
            assert_eq!(nans(&after), nans(&values[&name]), "{name} of {}", kind(&config));
        }
    }
}

#[test]
fn rows_that_no_batch_touches_keep_their_bits() {
    let device = cpu().device.autodiff();
    for config in models(3) {
        let mut solver = solver(SQUARED, ADAM);
        solver.rows = UpdatedRows::Touched;
        let before = sine_model(&config, 3.25);
        let mut after = before.clone();
        for (users, items) in [(vec![1, 3], vec![2, 0]), (vec![3, 4], vec![0, 0])] {
            let samples = samples_of(users, items, vec![1.0, 5.0]);
            after = solver.step(after, &samples, &device, 0.05, false).0;
        }
        for (before, after) in before.tables().iter().zip(after.tables()) {
            let touched: &[usize] = if before.is_indexed_by(USER) { &[1, 3, 4] } else { &[0, 2] };
            let width = before.rows.dims()[1];
            let rows = |table: &Table| to_vec(table.rows.val()).chunks(width).map(<[f32]>::to_vec).collect::<Vec<_>>();
            for (row, (old, new)) in rows(before).into_iter().zip(rows(after)).enumerate() {
                let what = format!("row {row} of {} in {}", before.group(), kind(&config));
                assert_eq!(old != new, touched.contains(&row), "{what}");
            }
        }
    }
}
