//! What every model has to keep to.

use std::collections::BTreeMap;

use lowrank::data::{Frame, ITEM, Interactions, UNKNOWN, USER};
use lowrank::device::to_vec;
use lowrank::model::parameters::{collect, restore};
use lowrank::model::{AnyModel, Constraint, FactorInit, HostTensor, NmfConfig};
use lowrank::objective::Loss;
use lowrank::solver::UpdateRule;

use crate::inputs::{
    ModelConfig, NUM_ITEMS, NUM_USERS, cpu, kind, losses, models, samples, samples_of, sine_model, start_of,
};
use crate::{
    ADAM, REGULARIZATION, SQUARED, bits, evaluator, fit, fresh, of, predictor, ratings, solver, some_ratings,
    train_config, trainer_of,
};

/// Scores of users and items.
fn scores(model: &AnyModel, users: &[u32], items: &[u32]) -> Vec<f32> {
    let samples = samples_of(users.to_vec(), items.to_vec(), vec![0.0; users.len()]);
    to_vec(model.forward(&samples.to_device(&cpu().device)))
}

/// The tests of this folder run over [`models`] and [`losses`].
#[test]
fn every_model_and_loss_that_configs_can_name_is_tested() {
    // Models of counts are no minimum that gradients find; they have tests of their own, in `counts`.
    let (counted, names): (Vec<_>, Vec<_>) =
        lowrank::model::built_in().into_iter().partition(|model| model.declaration.has_own_solvers());
    assert_eq!(counted.iter().map(|model| model.name).collect::<Vec<_>>(), ["popularity", "item-knn", "ease"]);
    // Those are held to loops in `histories.rs`.
    let (with_histories, names): (Vec<_>, Vec<_>) =
        names.into_iter().partition(|model| !model.declaration.histories.is_empty());
    assert_eq!(with_histories.iter().map(|model| model.name).collect::<Vec<_>>(), ["svdpp"]);
    let names: Vec<&str> = names.iter().map(|model| model.name).collect();
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
    assert_eq!(compared, ["mf", "biased-mf", "nmf", "gmf", "fm", "ffm"]);
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
    let rated = [(0, 0, 1.0), (0, 1, 0.0), (1, 0, 0.0), (1, 1, 1.0), (2, 2, 1.0)];
    let all: Vec<(u32, u32)> = (0..4).flat_map(|user| (0..4).map(move |item| (user, item))).collect();
    let pairs = ratings(all.into_iter().map(|(user, item)| (user, item, 0.0)));
    let device = cpu();
    for config in models(3) {
        for loss in losses() {
            // Of a count of 0 there is no logarithm.
            let least = if let Loss::Glove(_) = loss { 0.5 } else { 0.0 };
            let train = ratings(rated.map(|(user, item, rating): (u32, u32, f32)| (user, item, rating.max(least))));
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
        for rule in [ADAM, UpdateRule::Sgd { momentum: 0.9 }, UpdateRule::AdaGrad { epsilon: 1e-10 }] {
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
