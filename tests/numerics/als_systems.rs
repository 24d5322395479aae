//! The systems that ALS solves: nearly singular ones, and ones that are solved by steps.

use crate::als::*;
use crate::inputs::{Lambda, cpu, start_of, trainable};
use crate::ratings;
use lowrank::data::{Frame, ITEM, USER};
use lowrank::solver::{AlsConfig, Feedback, Inner};

#[test]
fn without_a_penalty_conjugate_gradients_stay_where_there_is_nothing_more_to_find() {
    // More steps than unknowns, and more unknowns than ratings of a row: the systems have no inverse.
    let train = random_ratings(24, 20, 0.5);
    let free = Lambda { user_factors: 0.0, item_factors: 0.0, user_biases: 0.0, item_biases: 0.0, weights: 0.0 };
    for (feedback, rank, steps) in
        [(EXACT, 8, 40), (EXACT, 32, 128), (EXACT, 64, 40), (IMPLICIT, 32, 40), (IMPLICIT, 64, 128)]
    {
        let what = format!("{feedback:?}, rank {rank}, {steps} steps");
        let mut model = start(&mf(rank), 24, 20);
        let mut solver = begun(with(feedback, Inner::ConjugateGradient { steps }), free, &model, &train);
        let mut first = None;
        for epoch in 0..60 {
            for step in [0, 1] {
                let told;
                (model, told) = half(&mut solver, model, &train, step);
                if step == 1 {
                    let first = *first.get_or_insert(told[0].max(1.0));
                    // Sums of this size cancel to some 1e-6 of themselves.
                    assert!((-1e-4 * first..=1.001 * first).contains(&told[0]), "{what}: {} in epoch {epoch}", told[0]);
                }
            }
        }
        let size = factors(&model).into_iter().flatten().flatten().fold(0.0, |size: f64, x| size.max(x.abs()));
        assert!(size < 1e3, "{what}: factors up to {size}");
        if rank > 8 {
            // As many factors as items fit every rating.
            let (loss, _, _) = match feedback.feedback {
                Feedback::Implicit { .. } => naive(&model, &train),
                Feedback::Explicit => {
                    let [p, q] = factors(&model);
                    let residual = |at: usize| {
                        let (user, item) = (train.column(USER)[at] as usize, train.column(ITEM)[at] as usize);
                        f64::from(train.targets[at]) - p[user].iter().zip(&q[item]).map(|(p, q)| p * q).sum::<f64>()
                    };
                    ((0..train.len()).map(|at| residual(at).powi(2)).sum(), 0.0, Default::default())
                }
            };
            assert!(loss < 1e-4, "{what}: {loss}");
        }
    }
}

#[test]
fn conjugate_gradients_with_as_many_steps_as_unknowns_are_as_good_as_cholesky() {
    let train = random_ratings(30, 20, 0.5);
    let after = |config: AlsConfig| {
        let model = start(&mf(6), 30, 20);
        half(&mut begun(config, LAMBDA, &model, &train), model, &train, 0).0
    };
    for config in [EXACT, IMPLICIT] {
        let [exact, near, far] = [Inner::Cholesky, Inner::ConjugateGradient { steps: 12 }, CG]
            .map(|inner| factors(&after(with(config, inner))));
        let distance = |other: &[Vec<Vec<f64>>; 2]| {
            let pairs = exact[0].iter().flatten().zip(other[0].iter().flatten());
            pairs.map(|(exact, other)| (exact - other).abs()).fold(0.0, f64::max)
        };
        assert!(distance(&near) < 1e-4, "{config:?}: {}", distance(&near));
        assert!(distance(&far) > 1e-3, "{config:?}: three steps are not the solution");
    }
}

#[test]
fn rows_without_ratings_stay_and_singular_systems_have_the_solution_of_least_norm() {
    // User 0 has two ratings and four unknowns, user 1 none.
    let train = ratings([(0, 0, 3.0), (0, 1, 1.0)]);
    let model = start(&mf(4), 2, 2);
    let before = factors(&model)[0].clone();
    let mut solver = begun(EXACT, Lambda::default(), &model, &train);
    let model = half(&mut solver, model, &train, 0).0;
    let [p, q] = factors(&model);
    assert_eq!(p[1], before[1]);
    for (item, rating) in [(0, 3.0), (1, 1.0)] {
        let score = inner(&p[0], &q[item]);
        assert!((score - rating).abs() < 1e-3, "{score} for {rating}: {p:?}");
    }
    // The shortest such row is a combination of the items' rows: Gram–Schmidt leaves nothing of it.
    let take = |row: &[f64], other: &[f64]| -> Vec<f64> {
        let share = inner(row, other) / inner(other, other);
        row.iter().zip(other).map(|(x, y)| x - share * y).collect()
    };
    let rest = take(&take(&p[0], &q[0]), &take(&q[1], &q[0]));
    assert!(inner(&rest, &rest) < 1e-8 * inner(&p[0], &p[0]), "{rest:?} of {p:?}");
}

fn inner(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

/// Two unknowns of three are tied to each other in all items, up to rounding, so that their last pivot is of rounding size
/// and whatever is divided by it, too.
#[test]
fn pivots_of_rounding_size_are_not_divided_by() {
    let train = random_ratings(200, 40, 0.5);
    let device = cpu().device;
    let model = mf(3).init(&start_of(&Frame::pair(200, 40), 2.5, 3, &device));
    let number = |item: usize| (item * 37 % 40 + 1) as f32 / 40.0;
    let tied = trainable(model, &device, |name, _, at, value| match (name, at % 3) {
        ("item_factors", 2) => number(at / 3),
        ("item_factors", 1) => 0.3 * number(at / 3),
        _ => value,
    });
    let mut solver = begun(EXACT, Lambda::default(), &tied, &train);
    let model = half(&mut solver, tied, &train, 0).0;
    for row in &factors(&model)[0] {
        // In the shortest solution they share what they stand for as their items' numbers do.
        assert!((row[1] - 0.3 * row[2]).abs() <= 1e-3 * row[2].abs().max(1e-3), "{row:?}");
    }
}
