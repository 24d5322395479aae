//! What every model has to keep to, and what the trainer promises to a model from outside the crate.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::module::{Module, Param};
use burn::tensor::{Tensor, TensorData};
use lowrank::data::batch::{Batch, Samples};
use lowrank::data::{Frame, ITEM, Interactions, UNKNOWN, USER};
use lowrank::device::to_vec;
use lowrank::error::Error;
use lowrank::metric::Rmse;
use lowrank::model::parameters::{collect, restore};
use lowrank::model::{
    AnyModel, Constraint, FactorInit, Factorization, HostTensor, MfConfig, NmfConfig, Start, Table, dot,
};
use lowrank::objective::{Loss, Squared};
use lowrank::solver::{Clip, Decay, GradientStep, Rows, Rule, Schedule};
use lowrank::train::{Checkpoint, Checkpoints, EarlyStopping, Observer, TrainData};

use crate::inputs::{
    Lambda, ModelConfig, NUM_ITEMS, NUM_USERS, cpu, gradient_step, gradients, kind, losses, models, samples,
    samples_of, sine_model, start_of,
};
use crate::{
    ADAM, AfterEpoch, TrainConfig, bits, evaluator, fit, in_batches, of, predictor, ratings, train_config, trainer_of,
};

const SQUARED: Loss = Loss::Squared(Squared {});

const REGULARIZATION: Lambda =
    Lambda { user_factors: 0.02, item_factors: 0.03, user_biases: 0.04, item_biases: 0.05, weights: 0.01 };

fn some_samples() -> Arc<Samples> {
    samples(|j| 3.0 + 2.0 * (0.5 + 1.3 * j as f64).sin())
}

fn some_ratings() -> Interactions {
    let samples = some_samples();
    let cells = samples.column(USER).iter().zip(samples.column(ITEM)).zip(&samples.targets);
    ratings(cells.map(|((&user, &item), &value)| (user, item, value)))
}

fn solver(loss: Loss, rule: Rule) -> GradientStep {
    gradient_step(loss, REGULARIZATION, Rows::All, rule)
}

/// Scores of users and items.
fn scores(model: &AnyModel, users: &[u32], items: &[u32]) -> Vec<f32> {
    let samples = samples_of(users.to_vec(), items.to_vec(), vec![0.0; users.len()]);
    to_vec(model.forward(&samples.to_device(&cpu().device)))
}

/// A model as a run would start it.
fn fresh(config: &ModelConfig, seed: u64) -> AnyModel {
    let device = cpu().device;
    config.init(&start_of(&Frame::pair(NUM_USERS, NUM_ITEMS), 3.0, seed, &device))
}

/// The tests of this folder run over [`models`] and [`losses`].
#[test]
fn every_model_and_loss_that_configs_can_name_is_tested() {
    let names: Vec<&str> = lowrank::model::built_in().iter().map(|model| model.name).collect();
    assert_eq!(models(3).iter().map(kind).collect::<Vec<_>>(), names);
    let names: Vec<&str> = Loss::kinds().iter().map(|loss| loss.name).collect();
    assert_eq!(losses().iter().map(kind).collect::<Vec<_>>(), names);
}

#[test]
fn forward_all_is_forward_for_every_pair() {
    let device = cpu().device;
    let mut compared = Vec::new();
    for config in models(3) {
        let model = sine_model(&config, 3.25).valid();
        let users = [4, 0, 2];
        let queries = samples_of(users.to_vec(), vec![0; users.len()], vec![0.0; users.len()]).to_device(&device);
        let Some(all) = model.forward_all(&queries, ITEM) else { continue };
        assert_eq!(all.dims(), [users.len(), NUM_ITEMS], "{}", kind(&config));
        let pairs: Vec<(u32, u32)> =
            users.iter().flat_map(|&user| (0..NUM_ITEMS as u32).map(move |item| (user, item))).collect();
        let (users, items): (Vec<u32>, Vec<u32>) = pairs.into_iter().unzip();
        let each = scores(&model, &users, &items);
        for (a, b) in to_vec(all).into_iter().zip(each) {
            assert!((a - b).abs() <= 1e-5 * b.abs().max(1.0), "{}: {a} and {b}", kind(&config));
        }
        compared.push(kind(&config));
    }
    assert_eq!(compared, ["mf", "biased-mf", "nmf"]);
}

#[test]
fn parameters_are_named_by_their_fields_and_tables_by_their_group() {
    for config in models(3) {
        let model = sine_model(&config, 3.25);
        let parameters: BTreeMap<String, HostTensor> = collect(&model).into_iter().collect();
        assert_eq!(parameters.len(), collect(&model).len(), "a name is used twice in {}", kind(&config));
        for name in parameters.keys() {
            let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            let parts: Vec<&str> = name.split('.').collect();
            assert!(parts.iter().all(|part| !part.is_empty() && part.chars().all(is_plain)), "{name}");
            assert!(!parts.contains(&"rows"), "{name}");
        }
        for table in model.tables() {
            let rows = to_vec(table.rows.val());
            let group = table.group().to_string();
            let found = parameters.iter().filter(|(name, values)| name.ends_with(&group) && values.data == rows);
            assert_eq!(found.count(), 1, "{group} of {}", kind(&config));
        }
    }
}

#[test]
fn collected_parameters_restore_the_model_bit_for_bit() {
    for config in models(3) {
        let (model, other) = (sine_model(&config, 3.25), fresh(&config, 2));
        assert_ne!(bits(&model), bits(&other));
        let values: BTreeMap<String, HostTensor> = collect(&model).into_iter().collect();
        assert_eq!(bits(&restore(other.clone(), &values).expect("the same model")), bits(&model), "{}", kind(&config));

        let mut fewer = values.clone();
        fewer.remove("output.bias").or_else(|| fewer.remove("item_factors")).expect("every model has one of them");
        assert!(restore(other.clone(), &fewer).expect_err("one is missing").contains("is missing"));
        let mut reshaped = values;
        reshaped.values_mut().next().expect("a parameter").shape.push(1);
        assert!(restore(other, &reshaped).expect_err("another shape").contains("expected"));
    }
}

#[test]
fn unknown_ids_get_the_baselines_prediction_and_are_counted() {
    let train = some_ratings();
    let device = cpu().device;
    for config in models(3) {
        let model = sine_model(&config, 3.25).valid();
        let evaluator = evaluator(&train, SQUARED, NUM_USERS, NUM_ITEMS);
        let predictor = &evaluator.predictor;
        let split = ratings([(UNKNOWN, 1, 2.0), (3, UNKNOWN, 4.0), (UNKNOWN, UNKNOWN, 1.0), (3, 1, 5.0)]);
        let evaluation = evaluator.evaluate(&model, &device, &split);
        assert_eq!((evaluation.unknown(USER), evaluation.unknown(ITEM)), (2, 2));
        let scored = evaluation.scores.as_ref().expect("four ratings");
        assert_eq!(scored.count, 4);
        let baseline = &predictor.baseline;
        let mean = baseline.global_mean;
        let expected = [
            mean + f64::from(baseline.item_offsets[1]),
            mean + f64::from(baseline.user_offsets[3]),
            mean,
            f64::from(scores(&model, &[3], &[1])[0]),
        ];
        assert_eq!(evaluation.predictions, expected.map(|value| value as f32), "{}", kind(&config));
        assert_eq!(predictor.predict(&model, &device, &split), evaluation.predictions);
        let squared: f64 = expected.iter().zip(&split.targets).map(|(r, &value)| (f64::from(value) - r).powi(2)).sum();
        assert!((of(scored, "rmse").powi(2) * 4.0 - squared).abs() < 1e-9);
        assert!((of(scored, "loss") * 4.0 - squared).abs() < 1e-9);
    }
}

#[test]
fn users_and_items_with_one_rating_or_none_stay_finite() {
    // User 3 and item 3 have no rating, user 2 and item 2 have one.
    let train = ratings([(0, 0, 1.0), (0, 1, 0.0), (1, 0, 0.0), (1, 1, 1.0), (2, 2, 1.0)]);
    let all: Vec<(u32, u32)> = (0..4).flat_map(|user| (0..4).map(move |item| (user, item))).collect();
    let pairs = ratings(all.into_iter().map(|(user, item)| (user, item, 0.0)));
    let device = cpu();
    for config in models(3) {
        for loss in losses() {
            let frame = Frame::pair(4, 4);
            let start = start_of(&frame, 0.6, 1, &device.device);
            let mut settings = train_config(5, ADAM, 0.1);
            settings.loss = loss;
            settings.regularization = REGULARIZATION;
            let trainer = trainer_of(settings, config.init(&start), device.clone());
            let model = fit(trainer, &train, &Interactions::default(), loss, &mut []).expect("finite").model;
            let predictor = predictor(&train, loss, 4, 4);
            let predictions = predictor.predict(&model, &device.device, &pairs);
            assert!(predictions.iter().all(|value| value.is_finite()), "{} {}", kind(&config), kind(&loss));
            assert!(collect(&model).iter().all(|(_, values)| values.data.iter().all(|value| value.is_finite())));
        }
    }
}

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
        for rule in [ADAM, Rule::Sgd { momentum: 0.9 }, Rule::AdaGrad { epsilon: 1e-10 }] {
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
        let mut solver = solver(SQUARED, Rule::Sgd { momentum: 0.0 });
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
                let solver = &mut solver(SQUARED, Rule::Sgd { momentum: 0.0 });
                (solver.rows, solver.clip) = (rows, clip);
                collect(&solver.step(sine_model(&config, 3.25), &samples, &device, 0.1, false).0)
            };
            for ((name, all), (_, touched)) in step(Rows::All).into_iter().zip(step(Rows::Touched)) {
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
        for rows in [Rows::All, Rows::Touched] {
            let mut solver = solver(SQUARED, Rule::Sgd { momentum: 0.0 });
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
        (solver.rows, solver.clip.norm) = (Rows::Touched, Some(1.0));
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
        solver.rows = Rows::Touched;
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

#[test]
fn nmf_is_never_negative() {
    let device = cpu().device.autodiff();
    let inits = [
        FactorInit::Normal { std: 0.5 },
        FactorInit::Matched { std: 0.5 },
        FactorInit::Uniform { low: -1.0, high: 1.0 },
    ];
    let mut constrained = 0;
    for config in models(3).into_iter().chain(inits.map(|init| ModelConfig::Nmf(NmfConfig { rank: 3, init }))) {
        if fresh(&config, 1).constraint() != Constraint::NonNegative {
            continue;
        }
        constrained += 1;
        for rule in [ADAM, Rule::Sgd { momentum: 0.9 }, Rule::AdaGrad { epsilon: 1e-10 }] {
            let mut model = fresh(&config, 1).to_training(&device);
            let mut solver = solver(SQUARED, rule);
            let mut projected = false;
            for step in 0..12 {
                let values: Vec<f32> = collect(&model).into_iter().flat_map(|(_, values)| values.data).collect();
                assert!(values.iter().all(|&value| value >= 0.0), "{config:?} after {step} steps of {rule:?}");
                projected |= values.contains(&0.0);
                // Interactions that pull down: without the projection the factors would turn negative.
                model = solver.step(model, &samples(|_| -1.0), &device, 0.1, false).0;
            }
            assert!(projected, "{config:?}: the projection was never at work with {rule:?}");
        }
    }
    assert_eq!(constrained, 4);
}

/// p_uᵀ q_i · (1 + s_u): a model of this test, with a scale for each user.
#[derive(Module, Debug)]
struct Scaled {
    user_factors: Table,
    item_factors: Table,
    user_scales: Table,
    shift: Param<Tensor<1>>,
}

impl Scaled {
    fn new(start: &Start) -> Self {
        let init = FactorInit::Matched { std: 0.1 };
        Self {
            user_factors: start.factors("user_factors", USER, 2, init, false),
            item_factors: start.factors("item_factors", ITEM, 2, init, false),
            user_scales: start.biases(USER),
            shift: Param::from_data(TensorData::new(vec![0.0_f32], [1]), start.device),
        }
    }
}

impl Factorization for Scaled {
    fn forward(&self, batch: &Batch) -> Tensor<1> {
        let interaction = dot(self.user_factors.gather(batch, USER), self.item_factors.gather(batch, ITEM)); // [batch, 1]
        (interaction * (self.user_scales.gather(batch, USER) + 1.0)).squeeze_dim(1) + self.shift.val() // [batch]
    }

    fn tables(&self) -> Vec<&Table> {
        vec![&self.user_factors, &self.item_factors, &self.user_scales]
    }
}

#[test]
fn a_model_from_outside_the_crate_trains_and_resumes() {
    let device = cpu();
    let train = some_ratings();
    let frame = Frame::pair(NUM_USERS, NUM_ITEMS);
    let start = start_of(&frame, 3.0, 1, &device.device);
    let model = AnyModel::from(Scaled::new(&start));
    let before: BTreeMap<String, HostTensor> = collect(&model).into_iter().collect();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let checkpoints = Checkpoints::create(folder.path()).expect("created");
    let mut losses = Vec::new();
    let mut observer = AfterEpoch(|report: &lowrank::train::EpochReport| {
        losses.push(of(report.train, "loss"));
        Ok(())
    });
    let trainer = |epochs| {
        trainer_of(train_config(epochs, ADAM, 0.05), model.clone(), device.clone())
            .with_checkpoints(checkpoints.clone())
    };
    let trained = fit(trainer(300), &train, &Interactions::default(), SQUARED, &mut [&mut observer]).expect("trains");
    assert!(losses[299] < 0.01 * losses[0], "{} → {}", losses[0], losses[299]);
    for (name, values) in collect(&trained.model) {
        assert_ne!(values, before[&name], "{name} was not trained");
    }
    let saved = Checkpoint::read(&checkpoints.last()).expect("written at the end").parameters;
    assert_eq!(saved, collect(&trained.model).into_iter().collect());
    assert!(saved.contains_key("user_scales") && saved.contains_key("shift"));
    let resumed = trainer(301).resume().expect("the same model");
    assert_eq!(resumed.epochs_done(), 300);
    let resumed = fit(resumed, &train, &Interactions::default(), SQUARED, &mut []).expect("one more");
    assert_ne!(bits(&resumed.model), bits(&trained.model));
}

#[test]
fn observers_see_every_batch_and_epoch_in_order_with_the_scheduled_rate() {
    #[derive(Default)]
    struct Log {
        batches: Vec<(u64, u64, u64)>,
        epochs: Vec<(u64, u64, u64, u64)>,
        rates: Vec<f64>,
        objectives: Vec<(f64, f64)>,
    }
    impl Observer for Log {
        fn batch(&mut self, epoch: u64, done: u64, total: u64) {
            self.batches.push((epoch, done, total));
        }
        fn epoch(&mut self, report: &lowrank::train::EpochReport) -> lowrank::error::Result<()> {
            self.epochs.push((report.epoch, report.epochs, report.step, report.ratings_seen));
            self.rates.push(report.learning_rate.expect("Adam has one"));
            self.objectives.push((of(report.train, "loss"), of(report.train, "objective")));
            assert_eq!((report.parameters)().len(), report.parameter_norms.len());
            assert!(!report.gradient_norms.is_empty());
            Ok(())
        }
    }
    let (mut first, mut second) = (Log::default(), Log::default());
    let mut settings = train_config(3, ADAM, 0.1);
    settings.method = in_batches(ADAM, 5);
    settings.regularization = REGULARIZATION;
    settings.schedule = Schedule { warmup: 0.0, decay: Decay::Exponential { factor: 0.5 } };
    let trainer = trainer_of(settings, fresh(&models(3)[1], 1), cpu());
    fit(trainer, &some_ratings(), &Interactions::default(), SQUARED, &mut [&mut first, &mut second]).expect("trains");
    for log in [first, second] {
        let expected: Vec<_> = (1..=3).flat_map(|epoch| (1..=3).map(move |batch| (epoch, batch, 3))).collect();
        assert_eq!(log.batches, expected);
        assert_eq!(log.epochs, [(1, 3, 3, 12), (2, 3, 6, 24), (3, 3, 9, 36)]);
        assert_eq!(log.rates, [0.1, 0.05, 0.025]);
        assert!(log.objectives.iter().all(|(loss, objective)| loss < objective), "{:?}", log.objectives);
    }
}

#[test]
fn early_stopping_returns_the_best_epochs_model() {
    // Every training rating is 5, every held-out one 2: the way from 0 to 5 passes the best epoch.
    let cells =
        |value: f32| ratings((0..NUM_USERS as u32).flat_map(|u| (0..NUM_ITEMS as u32).map(move |i| (u, i, value))));
    let (train, validation) = (cells(5.0), cells(2.0));
    for config in models(3) {
        let device = cpu();
        let frame = Frame::pair(NUM_USERS, NUM_ITEMS);
        let start = start_of(&frame, 0.0, 3, &device.device);
        let mut settings = train_config(1000, ADAM, 0.05);
        settings.early_stopping = EarlyStopping { patience: 4, ..EarlyStopping::watching(Arc::new(Rmse)) };
        let mut history = Vec::new();
        let mut observer = AfterEpoch(|report: &lowrank::train::EpochReport| {
            history.push(((report.parameters)(), of(report.validation.expect("held out"), "rmse"), report.is_best));
            Ok(())
        });
        let trainer = trainer_of(settings, config.init(&start), device.clone());
        let trained = fit(trainer, &train, &validation, SQUARED, &mut [&mut observer]).expect("trains");
        let best = trained.progress.best.expect("held-out ratings").epoch;
        let lowest = (1..).zip(&history).reduce(|a, b| if b.1.1 < a.1.1 { b } else { a }).expect("an epoch").0;
        assert_eq!(best, lowest, "{}", kind(&config));
        assert!(trained.progress.stopped && best > 1, "{}", kind(&config));
        assert_eq!(history.len() as u64, best + 4, "{}", kind(&config));
        assert!(history[best as usize - 1].2);
        assert_eq!(collect(&trained.model), history[best as usize - 1].0, "{}", kind(&config));
        assert_ne!(collect(&trained.model), history.last().expect("an epoch").0, "{}", kind(&config));
    }
}

#[test]
fn no_epochs_return_the_start_and_no_ratings_are_an_error() {
    for config in models(3) {
        let start = fresh(&config, 1);
        let trainer = |epochs| trainer_of(train_config(epochs, ADAM, 0.1), start.clone(), cpu());
        let none = Interactions::default();
        let trained = fit(trainer(0), &some_ratings(), &none, SQUARED, &mut []).expect("nothing to do");
        assert_eq!(bits(&trained.model), bits(&start));
        let moved = fit(trainer(1), &some_ratings(), &none, SQUARED, &mut []).expect("one step");
        assert_ne!(bits(&moved.model), bits(&start));
        let evaluator = evaluator(&none, SQUARED, NUM_USERS, NUM_ITEMS);
        let data = TrainData { train: &none, validation: &none, evaluator: &evaluator };
        assert!(matches!(trainer(1).fit(data, &mut []), Err(Error::Usage(_))));
    }
}

#[test]
fn a_rate_that_is_far_too_high_is_reported_as_divergence() {
    for config in models(3) {
        let rule = Rule::Sgd { momentum: 0.0 };
        let settings = TrainConfig { method: in_batches(rule, 4), ..train_config(50, rule, 1e30) };
        let trainer = trainer_of(settings, sine_model(&config, 3.25).valid(), cpu());
        let error = fit(trainer, &some_ratings(), &Interactions::default(), SQUARED, &mut [])
            .map(|_| ())
            .expect_err("diverges");
        assert!(matches!(error, Error::Diverged { .. }), "{}: {error}", kind(&config));
        assert_eq!(error.exit_code(), 3);
        assert!(error.to_string().contains("learning_rate"), "{error}");
    }
}

#[test]
fn a_stop_is_obeyed_in_full_batch_training_too() {
    let stop = AtomicBool::new(false);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let checkpoints = Checkpoints::create(folder.path()).expect("created");
    let model = fresh(&ModelConfig::Mf(MfConfig { rank: 2, init: FactorInit::Normal { std: 0.1 } }), 1);
    let trainer =
        trainer_of(train_config(5, ADAM, 0.1), model, cpu()).with_checkpoints(checkpoints.clone()).with_stop(&stop);
    let mut observer = AfterEpoch(|report: &lowrank::train::EpochReport| {
        stop.store(report.epoch == 2, Ordering::Relaxed);
        Ok(())
    });
    let outcome = fit(trainer, &some_ratings(), &Interactions::default(), SQUARED, &mut [&mut observer]);
    assert!(matches!(outcome, Err(Error::Interrupted { .. })));
    assert_eq!(Checkpoint::read(&checkpoints.last()).expect("written").progress.epoch, 2);
}
