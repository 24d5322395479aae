//! A model of three fields as another crate would write it: a table that two fields and a bag share, a table that only a
//! bag indexes, and indices that are unknown.

use std::collections::BTreeMap;
use std::sync::Arc;

use burn::module::{Module, Param};
use burn::tensor::{Tensor, TensorData};
use lowrank::data::batch::{Batch, Samples};
use lowrank::data::{Bag, BagFrame, BagId, EntityFrame, Field, FieldId, Frame, ITEM, Interactions, UNKNOWN, USER};
use lowrank::model::{AnyModel, FactorInit, Factorization, Start, Table, Use, Visited, dot};

use crate::inputs::{NUM_ITEMS, NUM_USERS, cpu, doubles, samples, start_of, trainable, wave};

/// The item that the user met before; unknown at first.
pub const PREVIOUS: FieldId = FieldId(2);
/// Items that each user met, with weights.
const HISTORY: BagId = BagId(0);
/// Tags of each item, without weights.
const TAGS: BagId = BagId(1);
const NUM_TAGS: usize = 3;

/// s + b_i + ⟨p_u + Σ_h w_h q_h, q_i + Σ_g t_g⟩ + ⟨q_v, q_i⟩, over the items h of the user's history and the tags g of
/// the item; v is the previous item.
#[derive(Module, Debug)]
pub struct Sequence {
    user_factors: Table,
    item_factors: Table,
    tag_factors: Table,
    item_biases: Table,
    shift: Param<Tensor<1>>,
}

impl Sequence {
    fn new(start: &Start, rank: usize) -> Self {
        let init = FactorInit::Normal { std: 0.3 };
        let uses = [Use::Field(ITEM), Use::Field(PREVIOUS), Use::Bag(USER, HISTORY)];
        Self {
            user_factors: start.factors("user_factors", USER, rank, init, false),
            item_factors: start.shared_factors("item_factors", &uses, rank, init),
            tag_factors: start.shared_factors("tag_factors", &[Use::Bag(ITEM, TAGS)], rank, init),
            item_biases: start.biases(ITEM),
            shift: Param::from_data(TensorData::new(vec![start.mean_score as f32], [1]), start.device),
        }
    }
}

impl Factorization for Sequence {
    fn forward(&self, batch: &Batch) -> Tensor<1> {
        let users = self.user_factors.gather(batch, USER) + self.item_factors.gather_bag(batch, USER, HISTORY);
        let items = self.item_factors.gather(batch, ITEM) + self.tag_factors.gather_bag(batch, ITEM, TAGS);
        let step = self.item_factors.dot(PREVIOUS, &self.item_factors, ITEM, batch);
        let score = dot(users, items) + step + self.item_biases.gather(batch, ITEM); // [batch, 1]
        score.squeeze_dim(1) + self.shift.val() // [batch]
    }

    fn tables(&self) -> Vec<&Table> {
        vec![&self.user_factors, &self.item_factors, &self.tag_factors, &self.item_biases]
    }

    fn can_score(&self, unknown: &[FieldId]) -> bool {
        unknown == [PREVIOUS]
    }
}

/// Users, items and tags; the second and the third field are items.
fn frame() -> Frame {
    let mut frame = Frame::pair(NUM_USERS, NUM_ITEMS);
    frame.entities.push(EntityFrame::new("tag", NUM_TAGS));
    frame.fields.push(Field::new("previous", frame[ITEM].entity));
    let bag = |name: &str, owner, of| BagFrame { name: name.into(), owner, of, is_feature: false };
    frame.bags = vec![bag("history", 0, 1), bag("tags", 1, 2)];
    frame
}

/// The cells of [`samples`] with a previous item, unknown in some; item 1 has no tags.
pub fn interactions(rating: impl Fn(usize) -> f64) -> Interactions {
    let pairs = samples(rating);
    let mut interactions = Interactions::of_fields(3);
    for (at, &target) in pairs.targets.iter().enumerate() {
        let previous = (3 * at as u32 + 1) % (NUM_ITEMS as u32 + 1);
        let previous = if previous < NUM_ITEMS as u32 { previous } else { UNKNOWN };
        interactions.push([pairs.column(USER)[at], pairs.column(ITEM)[at], previous], target, None);
    }
    let frame = frame();
    let history = Bag::history(|field| interactions.column(field), &frame, USER, ITEM);
    let tags = Bag::new(frame.bags[TAGS.0].clone(), vec![0, 2, 2, 3, 4], vec![0, 2, 1, 2], None);
    interactions.bags = Arc::new(vec![history, tags.expect("parts that fit")]);
    interactions
}

/// All of them at once.
pub fn all(interactions: &Interactions) -> Arc<Samples> {
    Arc::new(Samples::gather(interactions, &(0..interactions.len() as u64).collect::<Vec<_>>()))
}

/// The model on the CPU with autodiff; parameters are sines.
pub fn sine_sequence(rank: usize) -> AnyModel {
    let device = cpu().device;
    let model = Sequence::new(&start_of(&frame(), 0.4, 1, &device), rank);
    trainable(model, &device, |_, n, j, _| wave(1.0 + 2.3 * n as f64, j) as f32)
}

/// What the model's equation gives for each score, by loops.
pub fn scores_by_loops(model: &AnyModel, samples: &Samples) -> Vec<f64> {
    let mut parameters = BTreeMap::new();
    model.visit(None, &mut |Visited { name, shape, rows, .. }| {
        let width = shape.get(1).copied().unwrap_or(1);
        let rows: Vec<Vec<f64>> = doubles(rows).chunks(width).map(<[f64]>::to_vec).collect();
        parameters.insert(name, rows);
    });
    let row = |name: &str, index: u32| match parameters[name].get(index as usize) {
        Some(row) => row.clone(),
        None => vec![0.0; parameters[name][0].len()],
    };
    let add = |sum: &mut Vec<f64>, row: &[f64], weight: f64| {
        sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += weight * value);
    };
    let with_bag = |mut sum: Vec<f64>, name: &str, bag: BagId, owner: u32| {
        let (members, weights) = samples.bags[bag.0].of_row(owner);
        for (at, &member) in members.iter().enumerate() {
            add(&mut sum, &row(name, member), weights.map_or(1.0, |weights| f64::from(weights[at])));
        }
        sum
    };
    let product = |left: &[f64], right: &[f64]| left.iter().zip(right).map(|(l, r)| l * r).sum::<f64>();
    let score = |at: usize| {
        let [user, item, previous] = [USER, ITEM, PREVIOUS].map(|field| {
            let column = samples.column(field);
            column[at * column.len() / (samples.len() * samples.draws)]
        });
        let users = with_bag(row("user_factors", user), "item_factors", HISTORY, user);
        let items = with_bag(row("item_factors", item), "tag_factors", TAGS, item);
        let step = product(&row("item_factors", previous), &row("item_factors", item));
        product(&users, &items) + step + row("item_biases", item)[0] + row("shift", 0)[0]
    };
    (0..samples.len() * samples.draws).map(score).collect()
}
