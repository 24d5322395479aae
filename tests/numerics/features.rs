//! Rows with features: every model sums their vectors, whatever it does with the sums.

use std::collections::BTreeMap;
use std::sync::Arc;

use lowrank::data::batch::Samples;
use lowrank::data::{Bag, BagFrame, EntityFrame, FieldId, Frame, ITEM, Interactions, UNKNOWN, USER};
use lowrank::device::to_vec;
use lowrank::model::parameters::{collect, restore};
use lowrank::model::{AnyModel, FactorInit, HostTensor, MfConfig, NmfConfig, Start};
use lowrank::solver::{
    Clip, GradientStep, LearningRate, MiniBatch, Optimizer, Regularization, Solver, StepNumber, UpdateRule, UpdatedRows,
};

use crate::inputs::{ModelConfig, NUM_ITEMS, NUM_USERS, cpu, kind, models, samples, start_of};
use crate::{ADAM, SQUARED};

/// Age of users: one value with a number for a weight, which user 1 does not have. Genres of items: item 1 has none, and
/// the last item has no interactions.
fn frame() -> Frame {
    let mut frame = Frame::pair(NUM_USERS, NUM_ITEMS + 1);
    frame.entities.extend([EntityFrame::new("age", 1), EntityFrame::new("genre", 3)]);
    frame.entities[1].trained = Some(NUM_ITEMS);
    let bag = |name: &str, owner, of| BagFrame { name: name.into(), owner, of, is_feature: true };
    frame.bags = vec![bag("age", 0, 2), bag("genre", 1, 3)];
    frame
}

fn bags() -> Arc<Vec<Bag>> {
    let frame = frame();
    let age = Bag::new(frame.bags[0].clone(), vec![0, 1, 1, 2, 3, 4], vec![0; 4], Some(vec![-1.5, 0.5, 0.25, 2.0]));
    let half = 0.5_f32.sqrt();
    let genre = Bag::new(
        frame.bags[1].clone(),
        vec![0, 2, 2, 3, 4, 6],
        vec![0, 2, 1, 2, 0, 1],
        Some(vec![half, half, 1.0, 1.0, half, half]),
    );
    Arc::new([age, genre].map(|bag| bag.expect("parts that fit")).into())
}

/// The cells of [`samples`], of which none is of the last item.
fn interactions() -> Interactions {
    let pairs = samples(|j| 3.0 + 2.0 * (0.5 + 1.3 * j as f64).sin());
    let mut interactions = Interactions::default();
    for (at, &target) in pairs.targets.iter().enumerate() {
        interactions.push([pairs.column(USER)[at], pairs.column(ITEM)[at]], target, None);
    }
    interactions.bags = bags();
    interactions
}

fn fresh(config: &ModelConfig, frame: &Frame) -> AnyModel {
    config.init(&start_of(frame, 3.0, 5, &cpu().device))
}

fn parameters(model: &AnyModel) -> BTreeMap<String, HostTensor> {
    collect(model).into_iter().collect()
}

/// The same model without features, each row of which is the sum by loops.
fn summed_by_loops(config: &ModelConfig, model: &AnyModel) -> AnyModel {
    let (frame, bags) = (frame(), bags());
    let mut sums = parameters(model);
    for (name, part) in parameters(model) {
        let Some((whose, feature)) = name.rsplit_once('.') else { continue };
        let Some(bag) = bags.iter().find(|bag| bag.frame.name == feature) else { continue };
        let rows = sums.get_mut(whose).expect("a feature of a table");
        let width = rows.shape[1];
        for owner in 0..bag.rows() {
            let (members, weights) = bag.of_row(owner as u32);
            for (&member, &weight) in members.iter().zip(weights.expect("weights")) {
                for column in 0..width {
                    rows.data[owner * width + column] += weight * part.data[member as usize * width + column];
                }
            }
        }
        sums.remove(&name);
    }
    if ["fm", "deepfm"].contains(&kind(config).as_str()) {
        // The products of what makes up a row are a part of its bias.
        for (field, entity) in [("user", 0), ("item", 1)] {
            let products = products_within(&parameters(model), field, entity, &bags);
            let biases = &mut sums.get_mut(&format!("{field}_biases")).expect("a table").data;
            biases.iter_mut().zip(products).for_each(|(bias, product)| *bias += product);
        }
    }
    let plain = Frame { bags: Vec::new(), ..frame };
    restore(fresh(config, &plain), &sums).expect("the same parameters")
}

/// Σ_{a<b} ⟨a, b⟩ over the vectors that each row of a field is the sum of.
fn products_within(all: &BTreeMap<String, HostTensor>, field: &str, entity: usize, bags: &[Bag]) -> Vec<f32> {
    let own = &all[&format!("{field}_factors")];
    let width = own.shape[1];
    let of_row = |(row, own): (usize, &[f32])| {
        let mut parts = vec![own.to_vec()];
        for bag in bags.iter().filter(|bag| bag.frame.owner == entity) {
            let vectors = &all[&format!("{field}_factors.{}", bag.frame.name)].data;
            let (members, weights) = bag.of_row(row as u32);
            for (&member, &weight) in members.iter().zip(weights.expect("weights")) {
                parts.push(vectors[member as usize * width..][..width].iter().map(|value| weight * value).collect());
            }
        }
        let pairs = (0..parts.len()).flat_map(|one| (0..one).map(move |other| (one, other)));
        pairs.map(|(one, other)| parts[one].iter().zip(&parts[other]).map(|(a, b)| a * b).sum::<f32>()).sum()
    };
    own.data.chunks(width).enumerate().map(of_row).collect()
}

/// Every user with every item.
fn pairs() -> Arc<Samples> {
    let all = || (0..NUM_USERS as u32).flat_map(|user| (0..=NUM_ITEMS as u32).map(move |item| (user, item)));
    let columns = vec![all().map(|(user, _)| user).collect(), all().map(|(_, item)| item).collect()];
    Arc::new(Samples::of_columns(columns, &bags()))
}

#[track_caller]
fn assert_close(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= 1e-5 * expected.abs().max(1.0), "{what}, {at}: {found}, {expected}");
    }
}

#[test]
fn a_row_is_its_own_vector_and_those_of_its_features() {
    let device = cpu().device;
    for config in models(3) {
        let kind = kind(&config);
        let model = fresh(&config, &frame());
        let plain = summed_by_loops(&config, &model);
        let forward = |model: &AnyModel| to_vec(model.forward(&pairs().to_device(&device)));
        let expected = forward(&plain);
        assert_close(&forward(&model), &expected, &kind);
        let without = Frame { bags: Vec::new(), ..frame() };
        assert_ne!(forward(&fresh(&config, &without)), expected, "{kind}: features matter");
        // All items at once.
        let users = vec![(0..NUM_USERS as u32).collect(), vec![0; NUM_USERS]];
        let queries = Arc::new(Samples::of_columns(users, &bags())).to_device(&device);
        if let Some(scores) = model.forward_all(&queries, ITEM) {
            assert_close(&to_vec(scores), &expected, &kind);
        }
        // What knows only dot products of rows would leave the features out.
        assert!(model.factored().is_none(), "{kind}");
    }
}

fn step(rows: UpdatedRows, rule: UpdateRule) -> GradientStep {
    let names = ["user_factors", "item_factors", "user_biases", "item_biases", "age_factors", "genre_factors"];
    let regularization = Regularization::new(names.into_iter().zip([0.02, 0.03, 0.04, 0.05, 0.06, 0.07]));
    GradientStep {
        objective: Arc::new(SQUARED),
        regularization,
        clip: Clip::default(),
        rows,
        optimizer: Optimizer::new(rule),
    }
}

/// Steps in batches of five, with what is hidden.
fn trained(config: &ModelConfig, step: GradientStep, hidden: &[(FieldId, f64)], frame: &Frame) -> AnyModel {
    let device = cpu().device;
    let mut solver =
        MiniBatch::new(step, 5, LearningRate::constant(0.05), 3, &device).with_identity_dropout(hidden.to_vec());
    let mut model = fresh(config, frame).to_training(&device);
    let train = interactions();
    let steps = solver.begin(&model, &train).expect("begun");
    for number in (1..=3).flat_map(|epoch| (0..steps).map(move |step| StepNumber { epoch, step, steps })) {
        model = solver.step(model, &train, number).model;
    }
    model.valid()
}

#[test]
fn touched_rows_are_all_rows_without_momentum() {
    let rule = UpdateRule::Sgd { momentum: 0.0 };
    for config in models(3) {
        for hidden in [&[][..], &[(USER, 0.3), (ITEM, 0.5)]] {
            let [all, touched] = [UpdatedRows::All, UpdatedRows::Touched]
                .map(|rows| parameters(&trained(&config, step(rows, rule), hidden, &frame())));
            assert!(all.keys().any(|name| name.ends_with("factors.genre")), "{:?}", all.keys());
            for (name, all) in &all {
                assert_close(&touched[name].data, &all.data, name);
            }
        }
    }
}

#[test]
fn a_row_without_interactions_is_its_features_alone() {
    for config in models(3) {
        let before = parameters(&fresh(&config, &frame()));
        for rows in [UpdatedRows::All, UpdatedRows::Touched] {
            let after = parameters(&trained(&config, step(rows, ADAM), &[(ITEM, 0.2)], &frame()));
            for (name, values) in after.iter().filter(|(name, _)| name.ends_with("item_factors")) {
                let last = values.data.len() - values.shape[1];
                assert!(values.data[last..].iter().all(|&value| value == 0.0), "{name}: {values:?}");
                assert!(values.data[..last].iter().any(|&value| value != 0.0), "{name}");
            }
            let features = after.iter().filter(|(name, _)| name.ends_with(".genre") || name.ends_with(".age"));
            assert!(features.clone().count() >= 2);
            features.for_each(|(name, values)| assert_ne!(values.data, before[name].data, "{name}"));
        }
    }
}

#[test]
fn own_vectors_that_are_always_hidden_stay_and_those_that_no_row_has_are_zeros() {
    for config in models(3) {
        let hidden = trained(&config, step(UpdatedRows::Touched, ADAM), &[(ITEM, 1.0)], &frame());
        let (before, after) = (parameters(&fresh(&config, &frame())), parameters(&hidden));
        let is_own = |name: &str| ["item_factors", "item_biases"].iter().any(|own| name.ends_with(own));
        for (name, values) in after.iter().filter(|(name, _)| is_own(name)) {
            assert_eq!(values.data, before[name].data, "{name}");
        }
        let mut by_features = frame();
        by_features.entities[1].by_features_alone = true;
        let before = parameters(&fresh(&config, &by_features));
        let after = parameters(&trained(&config, step(UpdatedRows::Touched, ADAM), &[], &by_features));
        for (name, values) in after.iter().filter(|(name, _)| is_own(name)) {
            assert!(values.data.iter().all(|&value| value == 0.0), "{name}: {values:?}");
            assert_eq!(values.data, before[name].data, "{name}");
        }
    }
}

/// A start from the baseline puts it into own vectors, and a row that is hidden or was never seen has that of no offset.
#[test]
fn hidden_rows_carry_the_mean_where_factors_do() {
    let device = cpu().device;
    for non_negative in [false, true] {
        let offsets = [&[0.5, -0.25, 0.0, 0.1, 0.2][..], &[-0.5, 0.25, 0.75, 0.0, 9.0]];
        let start = |frame| Start { offsets, ..start_of(frame, 3.0, 5, &device) };
        let init = FactorInit::Matched { std: 0.0 };
        let model: AnyModel = match non_negative {
            true => NmfConfig { rank: 3, init }.init(&start(&frame())).into(),
            false => MfConfig { rank: 3, init }.init(&start(&frame())).into(),
        };
        let scores = |user: u32, item: u32, hidden: Vec<(FieldId, Vec<u32>)>| {
            let samples = Samples { hidden, ..Samples::of_columns(vec![vec![user], vec![item]], &bags()) };
            to_vec(model.forward(&Arc::new(samples).to_device(&device)))[0]
        };
        let is = |score: f32, expected: f32| assert!((score - expected).abs() < 1e-5, "{score}, {expected}");
        is(scores(1, 2, vec![]), 3.0 - 0.25 + 0.75);
        // The last item has no ratings, so that its offset is not its own.
        is(scores(1, 4, vec![]), 3.0 - 0.25);
        is(scores(1, 2, vec![(ITEM, vec![UNKNOWN])]), 3.0 - 0.25);
        is(scores(1, 2, vec![(ITEM, vec![UNKNOWN]), (USER, vec![UNKNOWN])]), 3.0);
    }
}
