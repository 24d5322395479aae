//! Solvers on matrices whose zeros are data: against scipy and scikit-learn, against naive double loops, against
//! planted truths, and against themselves on other threads and in the other layout.

mod consensus;
mod inputs;
mod nmf;
mod svd;

use lowrank::linalg::Matrix;
use lowrank::random::stream;
use lowrank::solver::nmf::consensus::{SampleSide, consensus, held_out};
use lowrank::solver::nmf::{NmfFit, NmfInit, NmfOptions, nmf};
use lowrank::solver::svd::svd;
use rand::RngExt;

use self::inputs::{planted, waves};
use self::nmf::configs;
use self::svd::randomized;

/// The result of `work` with 1, 2 and 4 threads.
fn on_threads<T: Send>(work: impl Fn() -> T + Sync) -> [T; 3] {
    [1, 2, 4]
        .map(|threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads").install(&work))
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let mut random = stream(8, "threads");
    let matrix = planted(700, 300, 6);
    let thinned = Matrix::Sparse(matrix.filtered(|_, _| random.random_range(0..4) == 0));
    let filled = Matrix::Sparse(matrix.filtered(|_, _| random.random_range(0..9) > 0));
    let same = |[one, two, four]: [Vec<f32>; 3]| assert!(one == two && two == four);
    let bytes = |fit: NmfFit| [fit.w.values(), fit.h.values(), &[fit.objective as f32]].concat();
    for matrix in [&matrix, &thinned, &filled] {
        for centre in [false, true] {
            let config = with!(randomized(5), centre);
            same(on_threads(|| {
                let fit = svd(matrix, &config).expect("fits");
                [fit.left.values(), fit.right.values()].concat()
            }));
        }
        for (_, config) in configs() {
            let config = with!(config, rank: 7, max_iterations: 4, start: NmfInit::Random);
            same(on_threads(|| bytes(nmf(matrix, &config).expect("fits"))));
        }
    }
    let small = waves();
    let config = with!(NmfOptions::new(2), max_iterations: 5);
    same(on_threads(|| consensus(&small, &config, 7, SampleSide::Rows).expect("fits").matrix.values().to_vec()));
    same(on_threads(|| held_out(&small, &config, 3).expect("fits").into_iter().map(|error| error as f32).collect()));
}
