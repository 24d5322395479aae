//! Factorization machines and the networks above them on three columns and a feature, held to their equations in loops.

use std::collections::BTreeMap;
use std::sync::Arc;

use lowrank::data::batch::Samples;
use lowrank::data::{Bag, BagFrame, EntityFrame, Field, FieldId, Frame, ITEM, UNKNOWN};
use lowrank::device::to_vec;
use lowrank::model::AnyModel;
use lowrank::model::parameters::collect;

use crate::inputs::{ModelConfig, NUM_ITEMS, NUM_USERS, cpu, kind, models, start_of, trainable, wave};

const NUM_HOURS: usize = 3;
const FIELDS: [&str; 3] = ["user", "item", "hour"];
const MEAN: f64 = 0.7;

/// Users, items and hours; items have genres, of which item 1 has none.
fn frame() -> Frame {
    let mut frame = Frame::pair(NUM_USERS, NUM_ITEMS);
    frame.entities.extend([EntityFrame::new("hour", NUM_HOURS), EntityFrame::new("genre", 2)]);
    frame.fields.push(Field::new("hour", 2));
    frame.bags = vec![BagFrame { name: "genre".into(), owner: 1, of: 3, is_feature: true }];
    frame
}

fn bags() -> Arc<Vec<Bag>> {
    let weights = Some(vec![0.5, -1.5, 1.0, 0.25]);
    Arc::new(vec![Bag::new(frame().bags[0].clone(), vec![0, 2, 2, 3, 4], vec![0, 1, 1, 0], weights).expect("fits")])
}

fn sine(config: &ModelConfig) -> AnyModel {
    let device = cpu().device;
    trainable(config.init(&start_of(&frame(), MEAN, 1, &device)), &device, |name, n, j, old| match name {
        "global_mean" => old,
        _ => wave(1.0 + 2.3 * n as f64, j) as f32,
    })
    .valid()
}

/// Rows of numbers by name; an unknown row is zeros.
struct Rows(BTreeMap<String, Vec<Vec<f64>>>);

impl Rows {
    fn of(model: &AnyModel) -> Self {
        let rows = |(name, values): (String, lowrank::model::HostTensor)| {
            let width = values.shape.last().copied().unwrap_or(1);
            let numbers: Vec<f64> = values.data.iter().map(|&value| f64::from(value)).collect();
            (name, numbers.chunks(width).map(<[f64]>::to_vec).collect())
        };
        Self(collect(model).into_iter().map(rows).collect())
    }

    fn row(&self, name: &str, index: u32) -> Vec<f64> {
        let rows = &self.0[name];
        rows.get(index as usize).cloned().unwrap_or_else(|| vec![0.0; rows[0].len()])
    }

    /// What the row of a field is the sum of: its own vector, and those of its genres times their weights.
    fn parts(&self, kind: &str, field: usize, index: u32) -> Vec<Vec<f64>> {
        let name = format!("{}_{kind}", FIELDS[field]);
        let mut parts = vec![self.row(&name, index)];
        if field == ITEM.0 {
            let bags = bags();
            let (members, weights) = bags[0].of_row(index);
            for (member, weight) in members.iter().zip(weights.unwrap_or_default()) {
                let vector = self.row(&format!("{name}.genre"), *member);
                parts.push(vector.iter().map(|value| f64::from(*weight) * value).collect());
            }
        }
        parts
    }

    /// A layer's outputs.
    fn layer(&self, name: &str, input: &[f64]) -> Vec<f64> {
        let (weights, biases) = (&self.0[&format!("{name}.weight")], &self.0[&format!("{name}.bias")]);
        let column = |at: usize| input.iter().zip(weights).map(|(input, row)| input * row[at]).sum::<f64>();
        (0..weights[0].len()).map(|at| column(at) + biases[0][at]).collect()
    }

    fn network(&self, mut z: Vec<f64>) -> f64 {
        for layer in
            (0..).map(|l| format!("hidden.{l}")).take_while(|name| self.0.contains_key(&format!("{name}.weight")))
        {
            z = self.layer(&layer, &z).into_iter().map(|value| value.max(0.0)).collect();
        }
        self.layer("output", &z)[0]
    }
}

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn sum(parts: &[Vec<f64>]) -> Vec<f64> {
    (0..parts[0].len()).map(|at| parts.iter().map(|part| part[at]).sum()).collect()
}

fn score_by_loops(kind: &str, rows: &Rows, cell: [u32; 3]) -> f64 {
    let of = |what: &str| -> Vec<Vec<Vec<f64>>> { (0..3).map(|field| rows.parts(what, field, cell[field])).collect() };
    let linear: f64 = of("biases").iter().map(|parts| sum(parts)[0]).sum();
    let parts = of("factors");
    let sums: Vec<Vec<f64>> = parts.iter().map(|parts| sum(parts)).collect();
    let pairs = || (0..3).flat_map(|b| (0..b).map(move |a| (a, b)));
    let all: Vec<&Vec<f64>> = parts.iter().flatten().collect();
    let of_all_parts =
        || (0..all.len()).flat_map(|b| (0..b).map(move |a| (a, b))).map(|(a, b)| product(all[a], all[b])).sum::<f64>();
    let rest = match kind {
        "fm" => of_all_parts(),
        "deepfm" => of_all_parts() + rows.network(sums.concat()),
        "nfm" => {
            let pooled = (0..sums[0].len()).map(|at| pairs().map(|(a, b)| sums[a][at] * sums[b][at]).sum());
            rows.network(pooled.collect())
        }
        "ffm" => {
            let rank = sums[0].len() / 2;
            // The other fields in their order: for the user item and hour, for the item user and hour, …
            let towards = |a: usize, b: usize| {
                let place = (0..3).filter(|&field| field != a).position(|field| field == b).expect("another");
                &sums[a][place * rank..][..rank]
            };
            pairs().map(|(a, b)| product(towards(a, b), towards(b, a))).sum()
        }
        _ => panic!("no equation of {kind}"),
    };
    f64::from(MEAN as f32) + linear + rest
}

#[test]
fn scores_are_those_of_the_equations() {
    let device = cpu().device;
    let ids = |count: usize| (0..count as u32).chain([UNKNOWN]);
    let cells: Vec<[u32; 3]> = ids(NUM_USERS)
        .flat_map(|user| ids(NUM_ITEMS).flat_map(move |item| ids(NUM_HOURS).map(move |hour| [user, item, hour])))
        .collect();
    let columns = (0..3).map(|field| cells.iter().map(|cell| cell[field]).collect()).collect();
    let samples = Arc::new(Samples::of_columns(columns, &bags()));
    let mut compared = Vec::new();
    for config in models(4) {
        let kind = kind(&config);
        let declared = lowrank::model::built_in().into_iter().find(|model| model.name == kind).expect("built in");
        if !declared.declaration.uses_context {
            continue;
        }
        let model = sine(&config);
        let rows = Rows::of(&model);
        let expected: Vec<f64> = cells.iter().map(|&cell| score_by_loops(&kind, &rows, cell)).collect();
        let is = |found: f32, expected: f64, what: &dyn std::fmt::Debug| {
            let error = (f64::from(found) - expected).abs();
            assert!(error <= 2e-5 * expected.abs().max(1.0), "{kind}, {what:?}: {found}, {expected}");
        };
        let found = to_vec(model.forward(&samples.to_device(&device)));
        found.iter().zip(&expected).zip(&cells).for_each(|((&found, &expected), cell)| is(found, expected, cell));

        // All rows of a field at once, whatever the field.
        for field in 0..3 {
            let (queries, rows) = ([2, 1, 0], frame().rows(FieldId(field)));
            let columns = (0..3).map(|other| vec![queries[other], if other == 2 { UNKNOWN } else { 0 }]).collect();
            let batch = Arc::new(Samples::of_columns(columns, &bags())).to_device(&device);
            let Some(all) = model.forward_all(&batch, FieldId(field)) else { continue };
            for (at, found) in to_vec(all).into_iter().enumerate() {
                let mut cell = if at < rows { queries } else { [0, 0, UNKNOWN] };
                cell[field] = (at % rows) as u32;
                is(found, score_by_loops(&kind, &Rows::of(&model), cell), &(field, cell));
            }
        }
        compared.push(kind);
    }
    assert_eq!(compared, ["fm", "ffm", "nfm", "deepfm"]);
}
