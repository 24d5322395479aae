//! Models of counts: popularity, item k-NN and EASE against numpy (tests/scripts/counts.py), SLIM against the conditions of
//! its minimum, all against the contract of all models and against planted groups.

use std::sync::Arc;

use lowrank::data::batch::{Batch, Samples};
use lowrank::data::{Bag, Frame, HISTORY, ITEM, Interactions, UNKNOWN, USER};
use lowrank::device::to_vec;
use lowrank::linalg::Similarity;
use lowrank::model::parameters::{collect, restore};
use lowrank::model::{AnyModel, BiasedMfConfig, Ease, FactorInit, ItemKnn, ItemKnnConfig, Popularity};
use lowrank::solver::closed_form::{ease, item_knn, popularity, slim};
use lowrank::solver::{ClosedForm, Solver, StepNumber, StepOutcome};

use crate::inputs::{cpu, start_of};
use crate::{bits, ratings};

const NUM_USERS: usize = 14;
const NUM_ITEMS: usize = 9;
const NEIGHBOURS: usize = 3;

/// Scores of the first three users, and the sum of the squares of all.
type Golden = ([[f64; NUM_ITEMS]; 3], f64);

const GOLDEN: [Golden; 6] = [
    // popularity
    (
        [
            [0.4642857, 0.4603175, 0.3849206, 0.3095238, 0.5198413, 0.3730159, 0.3690476, 0.5079365, 0.3611111],
            [0.4642857, 0.4603175, 0.3849206, 0.3095238, 0.5198413, 0.3730159, 0.3690476, 0.5079365, 0.3611111],
            [0.4642857, 0.4603175, 0.3849206, 0.3095238, 0.5198413, 0.3730159, 0.3690476, 0.5079365, 0.3611111],
        ],
        22.4755291,
    ),
    // cosine
    (
        [
            [1.00381, 0.4297538, 1.956451, 1.206725, 1.402726, 0.8655415, 1.956451, 0.4297538, 1.592814],
            [0.5019051, 0.4297538, 0.5019051, 0.0, 0.0, 0.9694803, 0.5019051, 0.8973291, 0.5019051],
            [0.0, 0.8595076, 0.0, 0.0, 0.0, 0.4675752, 0.0, 0.4297538, 0.0],
        ],
        80.569352,
    ),
    // tf-idf
    (
        [
            [0.0, 0.7118595, 1.123023, 0.6812561, 0.0, 0.792299, 1.123023, 0.7599158, 0.0],
            [0.8185909, 0.7068756, 0.0, 0.0, 0.3457882, 0.817541, 0.0, 0.7431104, 0.3878356],
            [0.743278, 0.6763394, 0.0, 0.6225004, 0.3406616, 0.7168185, 0.0, 0.0, 0.6190553],
        ],
        42.7376223,
    ),
    // bm25
    (
        [
            [0.0, 2.329656, 1.109325, 2.010097, 0.0, 2.492724, 1.109325, 1.178848, 0.0],
            [2.51618, 2.329656, 0.3837249, 0.0, 1.155392, 2.595422, 0.3837249, 2.436937, 1.155392],
            [2.329656, 2.357695, 0.0, 1.961507, 1.178848, 2.413482, 0.0, 1.178848, 1.829655],
        ],
        319.692772,
    ),
    // ease, 4.0
    (
        [
            [0.5073631, 0.3175386, 0.6966847, 0.2943954, 0.4658763, 0.3043591, 0.6966847, 0.3194621, 0.554734],
            [0.3236867, 0.2708428, 0.1462544, 0.04807757, 0.2643041, 0.3712966, 0.1462544, 0.3442811, 0.1392042],
            [0.2415702, 0.2966108, 0.1027266, 0.2626759, 0.260764, 0.2915193, 0.1027266, 0.2736982, 0.2126164],
        ],
        15.5398212,
    ),
    // loss 0.202959235, penalty 0.0352671238
    // ease, 17.857142857142858
    (
        [
            [0.3091148, 0.2452692, 0.3911743, 0.2089685, 0.3015312, 0.2255022, 0.3911743, 0.2634529, 0.3218291],
            [0.1714617, 0.1754549, 0.14489, 0.07149369, 0.189761, 0.1826204, 0.14489, 0.1771323, 0.1234874],
            [0.1842984, 0.1664951, 0.1319854, 0.1556739, 0.1575535, 0.1801372, 0.1319854, 0.1624391, 0.1583857],
        ],
        6.20659204,
    ),
];

/// Σ (x − r̂)² and λ‖B‖² of EASE, over the number of cells.
const FITS: [(f64, f64); 2] = [(0.202959235, 0.0352671238), (0.255411646, 0.046077542)];

/// What the users met, some of it twice, beside what is no sign of a preference.
fn train() -> Interactions {
    let cells = (0..NUM_USERS).flat_map(|user| (0..NUM_ITEMS).map(move |item| (user, item)));
    let met = |(user, item): (usize, usize)| match (7 * user + 3 * item + user * item / 2) % 6 {
        0 => vec![(user as u32, item as u32, 1.0)],
        1 => vec![(user as u32, item as u32, 3.0), (user as u32, item as u32, 0.5)],
        2 => vec![(user as u32, item as u32, 0.0)],
        3 => vec![(user as u32, item as u32, -2.0)],
        _ => Vec::new(),
    };
    with_histories(ratings(cells.flat_map(met)), NUM_USERS, NUM_ITEMS).0
}

/// The interactions with the histories of users in them, of signs alone, and a frame that knows of these.
fn with_histories(train: Interactions, num_users: usize, num_items: usize) -> (Interactions, Frame) {
    let frame = Frame::pair(num_users, num_items);
    let columns = [USER, ITEM].map(|field| {
        let column = train.column(field).iter().zip(&train.targets);
        column.filter(|(_, target)| **target > 0.0).map(|(&index, _)| index).collect::<Vec<u32>>()
    });
    let bag = Bag::history(|field| &columns[field.0], &frame, USER, ITEM);
    let frame = Frame { bags: vec![bag.frame.clone()], ..frame };
    assert!(frame.bag(USER, HISTORY).is_some());
    (Interactions { bags: Arc::new(vec![bag]), ..train }, frame)
}

/// Every model, each with its solvers, in the order of [`GOLDEN`].
fn every_case(frame: &Frame) -> Vec<(AnyModel, ClosedForm)> {
    let device = cpu().device;
    let start = start_of(frame, 0.0, 1, &device);
    let neighbours = || AnyModel::from(ItemKnnConfig { neighbours: NEIGHBOURS }.init(&start).expect("histories"));
    let weights = || AnyModel::from(Ease::new(&start).expect("histories"));
    vec![
        (Popularity::new(&start).into(), popularity()),
        (neighbours(), item_knn(Similarity::Cosine { shrinkage: 0.5 })),
        (neighbours(), item_knn(Similarity::TfIdf { shrinkage: 0.1 })),
        (neighbours(), item_knn(Similarity::Bm25 { k1: 1.5, b: 0.6 })),
        (weights(), ease(Some(4.0))),
        (weights(), ease(None)),
        (neighbours(), slim(0.3, 0.5)),
    ]
}

fn trained((model, mut solver): (AnyModel, ClosedForm), train: &Interactions) -> (AnyModel, StepOutcome) {
    let device = cpu().device;
    let model = model.to_training(&device);
    assert_eq!(solver.begin(&model, train).expect("its model"), 1);
    let stepped = solver.step(model, train, StepNumber { epoch: 1, step: 0, steps: 1 });
    (stepped.model.valid(), stepped.outcome.expect("found"))
}

fn batch(users: &[u32], items: &[u32], train: &Interactions) -> Batch {
    let samples = Samples::of_columns(vec![users.to_vec(), items.to_vec()], &train.bags);
    Arc::new(samples).to_device(&cpu().device)
}

fn all_scores(model: &AnyModel, train: &Interactions) -> Vec<f32> {
    let users: Vec<u32> = (0..NUM_USERS as u32).collect();
    to_vec(model.forward_all(&batch(&users, &[0; NUM_USERS], train), ITEM).expect("all items at once"))
}

#[test]
fn scores_are_those_of_numpy() {
    let train = train();
    let frame = with_histories(train.clone(), NUM_USERS, NUM_ITEMS).1;
    let mut fits = Vec::new();
    for (number, (case, (first, squares))) in every_case(&frame).into_iter().zip(GOLDEN).enumerate() {
        let (model, outcome) = trained(case, &train);
        assert!(outcome.is_converged);
        let scores = all_scores(&model, &train);
        for (found, expected) in scores.iter().zip(first.as_flattened()) {
            assert!((f64::from(*found) - expected).abs() < 2e-6, "case {number}: {found} is not {expected}");
        }
        let found: f64 = scores.iter().map(|&score| f64::from(score).powi(2)).sum();
        assert!((found - squares).abs() < 1e-6 * squares, "case {number}: {found} is not {squares}");
        let sums = to_vec(outcome.sums.sums);
        fits.push([sums[0], sums[1]].map(|sum| f64::from(sum) / outcome.sums.count as f64));
    }
    for ([loss, penalty], expected) in fits[4..].iter().zip(FITS) {
        assert!((loss - expected.0).abs() < 1e-6 && (penalty - expected.1).abs() < 1e-6, "{fits:?}");
    }
    // Popularity is as far from the signs as their shares say, but for what orders equal items.
    let share = |item: usize| {
        (0..NUM_USERS).filter(|user| (7 * user + 3 * item + user * item / 2) % 6 < 2).count() as f64 / 14.0
    };
    let spread: f64 = (0..NUM_ITEMS).map(|item| share(item) * (1.0 - share(item))).sum::<f64>() / NUM_ITEMS as f64;
    assert!((fits[0][0] - spread).abs() < 1e-3, "{fits:?} {spread}");
}

/// The conditions of Karush, Kuhn and Tucker, which hold at the only minimum of a strictly convex objective.
#[test]
fn slim_is_the_minimum_of_its_objective() {
    let train = train();
    let frame = with_histories(train.clone(), NUM_USERS, NUM_ITEMS).1;
    let device = cpu().device;
    let (starts, members, _) = train.bag(frame.bag(USER, HISTORY).expect("histories")).parts();
    let of_user = |user: usize| &members[starts[user] as usize..starts[user + 1] as usize];
    let met = |user: usize, item: usize| f64::from(of_user(user).contains(&(item as u32)));
    for (l1, l2) in [(0.0, 0.5), (0.3, 0.5), (2.0, 1.0), (100.0, 0.0)] {
        let every =
            ItemKnnConfig { neighbours: NUM_ITEMS }.init(&start_of(&frame, 0.0, 1, &device)).expect("histories");
        let (model, outcome) = trained((every.into(), slim(l1, l2)), &train);
        let model = model.downcast_ref::<ItemKnn>().expect("as begun");
        let [lengths, items, values] =
            [&model.list_lengths, &model.neighbours, &model.similarities].map(|parameter| to_vec(parameter.val()));
        let mut weights = [[0.0; NUM_ITEMS]; NUM_ITEMS];
        let mut pairs = items.iter().zip(&values);
        for (from, &length) in lengths.iter().enumerate() {
            for (&to, &weight) in pairs.by_ref().take(length as usize) {
                weights[from][to as usize] = f64::from(weight);
            }
        }
        let mut objective = 0.0;
        for item in 0..NUM_ITEMS {
            let residual = |user: usize| {
                met(user, item) - (0..NUM_ITEMS).map(|from| met(user, from) * weights[from][item]).sum::<f64>()
            };
            objective += (0..NUM_USERS).map(|user| residual(user).powi(2)).sum::<f64>();
            for (from, weight) in weights.iter().map(|row| row[item]).enumerate() {
                objective += l2 * weight * weight + 2.0 * l1 * weight;
                let slope = l1 + l2 * weight - (0..NUM_USERS).map(|user| met(user, from) * residual(user)).sum::<f64>();
                match (from == item, weight > 0.0) {
                    (true, has_weight) => assert!(!has_weight),
                    (false, true) => assert!(slope.abs() < 1e-2, "{l1} {l2}: {slope} at {from} -> {item}"),
                    (false, false) => assert!(slope > -1e-2, "{l1} {l2}: {slope} at {from} -> {item}"),
                }
            }
        }
        let sums = to_vec(outcome.sums.sums);
        assert!((f64::from(sums[0]) + f64::from(sums[1]) - objective).abs() < 1e-3 * objective, "{sums:?} {objective}");
        assert_eq!(values.iter().any(|&weight| weight > 0.0), l1 < 100.0);
    }
}

#[test]
fn forward_is_forward_all_in_any_batch_to_the_bit() {
    let train = train();
    let frame = with_histories(train.clone(), NUM_USERS, NUM_ITEMS).1;
    for case in every_case(&frame) {
        let (model, _) = trained(case, &train);
        let all = all_scores(&model, &train);
        // Every pair twice, users and items in no order, and unknown ones between them.
        let pairs = (0..2 * NUM_USERS * NUM_ITEMS).map(|at| 37 * at % (NUM_USERS * NUM_ITEMS));
        let (mut users, mut items): (Vec<u32>, Vec<u32>) =
            pairs.clone().map(|cell| ((cell / NUM_ITEMS) as u32, (cell % NUM_ITEMS) as u32)).unzip();
        users.extend([UNKNOWN, 3, UNKNOWN]);
        items.extend([2, UNKNOWN, UNKNOWN]);
        let scores = to_vec(model.forward(&batch(&users, &items, &train)));
        let expected: Vec<f32> = pairs.map(|cell| all[cell]).collect();
        assert_eq!(scores[..expected.len()], expected);
        let of_nobody = if model.can_score(&[USER]) { all[2] } else { 0.0 };
        assert_eq!(scores[expected.len()..], [of_nobody, 0.0, 0.0]);
        assert!(!model.can_score(&[ITEM]) && !model.can_score(&[USER, ITEM]));
        assert!(model.forward_all(&batch(&[0], &[0], &train), USER).is_none());
        assert!(to_vec(model.forward(&batch(&[], &[], &train))).is_empty());
        // Users after another whose lists were longer start from zeros again.
        let [one, two] = [0, 5].map(|user| to_vec(model.forward(&batch(&[user], &[4], &train)))[0]);
        assert_eq!([one, two], [all[4], all[5 * NUM_ITEMS + 4]]);
    }
}

#[test]
fn parameters_come_back_and_what_a_file_says_wrongly_is_no_item() {
    let train = train();
    let frame = with_histories(train.clone(), NUM_USERS, NUM_ITEMS).1;
    for (case, fresh) in every_case(&frame).into_iter().zip(every_case(&frame)) {
        let (model, _) = trained(case, &train);
        let mut values = collect(&model).into_iter().collect();
        let again = restore(fresh.0, &values).expect("the same model");
        assert_eq!(bits(&again), bits(&model));
        assert_eq!(all_scores(&again, &train), all_scores(&model, &train));
        for wrong in [-1.0, 0.5, 1e9, f32::MAX] {
            values.values_mut().for_each(|tensor| tensor.data[0] = wrong);
            let damaged = restore(again.clone(), &values).expect("of the same shape");
            assert_eq!(all_scores(&damaged, &train).len(), NUM_USERS * NUM_ITEMS);
            to_vec(damaged.forward(&batch(&[1, 2], &[3, 4], &train)));
        }
    }
}

/// More users and items than belong to one task.
#[test]
fn the_number_of_threads_changes_no_bit() {
    const USERS: usize = 300;
    const ITEMS: usize = 190;
    let cells = (0..USERS * 12).map(|at| ((at / 12) as u32, (at * at % 8191 % ITEMS) as u32, 1.0));
    let (train, frame) = with_histories(ratings(cells), USERS, ITEMS);
    let users: Vec<u32> = (0..USERS as u32).collect();
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| {
            let of_case = |case| {
                let (model, outcome) = trained(case, &train);
                let scores = model.forward_all(&batch(&users, &vec![0; USERS], &train), ITEM).expect("of all items");
                (bits(&model), to_vec(outcome.sums.sums), to_vec(scores))
            };
            every_case(&frame).into_iter().map(of_case).collect::<Vec<_>>()
        })
    };
    let one = on(1);
    assert!(one.iter().all(|(parameters, ..)| parameters.iter().any(|(_, bits)| bits.iter().any(|&bits| bits != 0))));
    assert!(one == on(2) && one == on(3));
}

#[test]
fn other_models_are_refused() {
    let train = train();
    let device = cpu().device;
    let frame = with_histories(train.clone(), NUM_USERS, NUM_ITEMS).1;
    let start = start_of(&frame, 0.0, 1, &device);
    let other: AnyModel = BiasedMfConfig { rank: 2, init: FactorInit::Normal { std: 0.1 } }.init(&start).into();
    for (name, mut solver) in [
        ("popularity", popularity()),
        ("ease", ease(None)),
        ("item-knn", item_knn(Similarity::default())),
        ("item-knn", slim(1.0, 1.0)),
    ] {
        let stepped = solver.step(other.clone(), &train, StepNumber { epoch: 1, step: 0, steps: 1 });
        let message = stepped.outcome.expect_err("another model").to_string();
        assert!(message.contains(&format!("model.kind = {name:?}")), "{message}");
    }
    // Nor are there histories in every frame.
    let bare = Frame::pair(NUM_USERS, NUM_ITEMS);
    let message = Ease::new(&start_of(&bare, 0.0, 1, &device)).expect_err("none").to_string();
    assert!(message.contains("what each user met"), "{message}");
}

#[test]
fn catalogs_are_not_larger_than_models_can_be() {
    let device = cpu().device;
    let of = |items: usize| {
        let frame = with_histories(Interactions::default(), 1, 1).1;
        Frame { entities: Frame::pair(1, items).entities, ..frame }
    };
    let message = Ease::new(&start_of(&of(65_537), 0.0, 1, &device)).expect_err("too many").to_string();
    assert!(message.contains("there are 65537") && message.contains("data.min_item_ratings"), "{message}");
    let frame = of((1 << 24) + 1);
    let start = start_of(&frame, 0.0, 1, &device);
    let message = ItemKnnConfig { neighbours: 1 }.init(&start).expect_err("too many").to_string();
    assert!(message.contains("there are 16777217") && message.contains("data.min_item_ratings"), "{message}");
}
