//! The same seed gives the same bits: again, and on any number of threads.

use lowrank::data::Interactions;
use lowrank::solver::UpdatedRows;
use lowrank::train::EpochReport;

use crate::every_method::{
    DENSE, EVERY_ALS, EVERY_NMF, GIBBS, IMPLICIT_ALS_CG, NUM_ITEMS, NUM_USERS, SPARSE, STRATIFIED, STRATIFIED_ADAM,
    SVD, adam, fits, model, nobody, random_ratings, run, settings, trainer,
};
use crate::inputs::{cpu, kind, models};
use crate::{AfterEpoch, SQUARED, TrainConfig, bits, fit, of, trainer_of};

#[test]
fn a_seed_decides_every_bit() {
    for config in models(4) {
        let trained = |seed| {
            let mut told = Vec::new();
            let trained = run(trainer(&config, DENSE, seed), &mut told, &mut nobody()).expect("trains");
            (bits(&trained.model), told)
        };
        let first = trained(1);
        assert!(first == trained(1), "{} differs from itself", kind(&config));
        assert!(first.0 != trained(2).0, "{} does not depend on the seed", kind(&config));
        assert!(first.1.len() > 1, "{}", kind(&config));
    }
}

#[test]
fn the_seed_of_the_order_matters_by_itself() {
    let config = &models(4)[0];
    let trained = |order_seed| {
        let start = model(config, 1, NUM_USERS, NUM_ITEMS);
        let trainer = trainer_of(settings(DENSE, order_seed), start, cpu());
        bits(&run(trainer, &mut Vec::new(), &mut nobody()).expect("trains").model)
    };
    assert_eq!(trained(1), trained(1));
    assert_ne!(trained(1), trained(2));
}

/// The result of `work` on pools of 1 to 4 threads, which have to be the same.
fn on_any_number_of_threads<T: PartialEq + Send>(what: &str, work: impl Fn() -> T + Sync) -> T {
    let [one, two, three, four] = [1, 2, 3, 4].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| {
            assert_eq!(rayon::current_num_threads(), threads);
            work()
        })
    });
    assert!(two == one, "{what}: 2 threads differ from 1");
    assert!(three == one, "{what}: 3 threads differ from 1");
    assert!(four == one, "{what}: 4 threads differ from 1");
    one
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let others = EVERY_ALS.into_iter().chain(EVERY_NMF).chain([SVD, GIBBS]);
    for method in [DENSE, SPARSE, STRATIFIED, STRATIFIED_ADAM].into_iter().chain(others) {
        for config in models(4).into_iter().filter(|config| fits(method, config)) {
            on_any_number_of_threads(&kind(&config), || {
                let mut told = Vec::new();
                let trained = run(trainer(&config, method, 1), &mut told, &mut nobody()).expect("trains");
                (bits(&trained.model), told)
            });
        }
    }
}

/// burn's CPU backend cuts sums over 4 Mi values or more by the number of threads: here batch × rank and users × rank
/// are both above that, in the forward pass, the penalty, the gradients and their joint norm.
#[test]
fn the_number_of_threads_changes_no_bit_of_huge_batches() {
    const COUNT: usize = 70_000;
    let train = random_ratings("huge", COUNT, COUNT, 500);
    let chosen = models(64).into_iter().filter(|config| ["biased-mf", "neumf"].contains(&kind(config).as_str()));
    for (config, rows) in chosen.flat_map(|config| [(config.clone(), UpdatedRows::All), (config, UpdatedRows::Touched)])
    {
        let method = adam(rows, 0);
        let start = model(&config, 1, COUNT, 500);
        let settings = TrainConfig { epochs: 2, ..settings(method, 1) };
        let (trained, objectives) = on_any_number_of_threads(&kind(&config), || {
            let mut objectives = Vec::new();
            let mut log = AfterEpoch(|report: &EpochReport| {
                objectives.push((
                    of(report.train, "objective"),
                    report.gradient_norms.clone(),
                    report.parameter_norms.clone(),
                ));
                Ok(())
            });
            let trainer = trainer_of(settings.clone(), start.clone(), cpu());
            let trained = fit(trainer, &train, &Interactions::default(), SQUARED, &mut [&mut log]).expect("trains");
            (bits(&trained.model), objectives)
        });
        assert_ne!(trained, bits(&start), "{} was not trained", kind(&config));
        assert!(objectives[1].0 < objectives[0].0, "{}", kind(&config));
    }
}

/// Gram matrices over more rows than are summed at once.
#[test]
fn the_number_of_threads_changes_no_bit_of_implicit_als_on_many_rows() {
    let train = random_ratings("many rows", 20_000, 5000, 3000);
    let config = models(4).remove(0);
    let start = model(&config, 1, 5000, 3000);
    let trained = on_any_number_of_threads("implicit als", || {
        let trainer = trainer_of(settings(IMPLICIT_ALS_CG, 1), start.clone(), cpu());
        bits(&fit(trainer, &train, &Interactions::default(), SQUARED, &mut []).expect("trains").model)
    });
    assert_ne!(trained, bits(&start));
}
