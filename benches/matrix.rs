//! Time of the solvers on matrices whose zeros are data. Sizes stand in the benchmark's name; seeds are fixed.
//!
//! `cargo bench --bench matrix` for all, `cargo bench --bench matrix -- svd` for some. The programs in `benches/peers`
//! call `cargo bench --bench matrix -- peer FOLDER …` for one run on a given matrix, whose result is a line of JSON.

use std::time::Instant;

use divan::Bencher;
use lowrank::linalg::{Dense, Matrix};
use lowrank::random::stream;
use lowrank::solver::nmf::{Divergence, NmfInit, NmfMethod, NmfObjective, NmfOptions, Zeros, nmf};
use lowrank::solver::svd::{Method, SvdConfig, svd};
use rand::RngExt;
use serde_json::{Value, json};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("peer") => {
            let rest: Vec<_> =
                arguments[2..].iter().map(String::as_str).filter(|argument| *argument != "--bench").collect();
            println!("{}", peer(&rest));
        }
        _ => divan::main(),
    }
}

/// One run: `FOLDER svd NAME RANK [ITERATIONS OVERSAMPLING TOLERANCE]` or `FOLDER nmf NAME RANK SOLVER`.
fn peer(arguments: &[&str]) -> Value {
    let [folder, task, name, rank, rest @ ..] = arguments else { panic!("see benches/peers") };
    let rank = rank.parse().expect("a rank");
    let matrix = load(folder, name);
    let started = Instant::now();
    if *task == "svd" {
        let mut config = SvdConfig::new(rank);
        config.method = Method::Randomized;
        if let [iterations, oversampling, tolerance] = rest {
            config.power_iterations = iterations.parse().expect("a number");
            config.oversampling = oversampling.parse().expect("a number");
            config.tolerance = tolerance.parse().expect("a number");
        }
        let fit = svd(&matrix, &config).expect("fits");
        let seconds = started.elapsed().as_secs_f64();
        return json!({ "seconds": seconds, "iterations": fit.power_iterations, "values": fit.singular_values });
    }
    let mut config = NmfOptions::new(rank);
    let dense = |part| match load(folder, &format!("{name}-{part}")) {
        Matrix::Dense(dense) => dense,
        Matrix::Sparse(_) => panic!("factors are dense"),
    };
    config.start = NmfInit::Given(dense("w"), dense("h"));
    config.solver = if rest == ["hals"] { NmfMethod::Hals } else { NmfMethod::Multiplicative };
    if rest == ["mu-kl"] {
        config.problem.divergence = Divergence::KullbackLeibler;
    }
    let started = Instant::now();
    let fit = nmf(&matrix, &config).expect("fits");
    let seconds = started.elapsed().as_secs_f64();
    json!({ "seconds": seconds, "iterations": fit.iterations, "objective": fit.objective, "trace": fit.trace })
}

/// Reads a matrix that `benches/peers/matrices.py` wrote.
fn load(folder: &str, name: &str) -> Matrix {
    let words = |bytes: &[u8], from: usize, count: usize| -> Vec<usize> {
        let word = |at| u64::from_le_bytes(bytes[8 * at..8 * at + 8].try_into().expect("eight bytes")) as usize;
        (from..from + count).map(word).collect()
    };
    let floats = |bytes: &[u8]| -> Vec<f32> {
        bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
    };
    if let Ok(bytes) = std::fs::read(format!("{folder}/{name}.dense")) {
        let size = words(&bytes, 0, 2);
        return Matrix::dense(size[0], size[1], floats(&bytes[16..])).expect("a matrix");
    }
    let bytes = std::fs::read(format!("{folder}/{name}.csr")).expect("a matrix");
    let size = words(&bytes, 0, 3);
    let offsets = words(&bytes, 3, size[0] + 1);
    let (indices, values) = bytes[8 * (4 + size[0])..].split_at(4 * size[2]);
    let indices = indices.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
    Matrix::sparse(size[1], offsets, indices, floats(values)).expect("a matrix")
}

/// UpdatedRows, columns, and how many of the cells in a thousand are stored.
const SHAPES: [(usize, usize, u32); 3] = [(1000, 10_000, 10), (400, 10_000, 1000), (5000, 40, 1000)];

fn matrix((rows, columns, stored): (usize, usize, u32)) -> Matrix {
    let mut random = stream(1, "bench");
    if stored == 1000 {
        return Matrix::Dense(Dense::from_fn(rows, columns, |_, _| random.random_range(0.0..1.0)));
    }
    let (mut offsets, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
    for _ in 0..rows {
        for column in 0..columns as u32 {
            if random.random_range(0..1000) < stored {
                indices.push(column);
                values.push(random.random_range(0.0..1.0));
            }
        }
        offsets.push(values.len());
    }
    Matrix::sparse(columns, offsets, indices, values).expect("a matrix")
}

/// Five power iterations at rank 20.
#[divan::bench(args = SHAPES, sample_count = 5, sample_size = 1)]
fn svd_randomized(bencher: Bencher, shape: (usize, usize, u32)) {
    let matrix = matrix(shape);
    let mut config = SvdConfig::new(20);
    (config.method, config.power_iterations, config.tolerance) = (Method::Randomized, 5, 0.0);
    bencher.bench_local(|| svd(&matrix, &config).expect("fits"));
}

/// Ten iterations at rank 20 from a random start.
fn ten(bencher: Bencher, shape: (usize, usize, u32), solver: NmfMethod, problem: NmfObjective) {
    let matrix = matrix(shape);
    let (start, max_iterations, tolerance) = (NmfInit::Random, 10, 0.0);
    let mut config = NmfOptions::new(20);
    (config.solver, config.problem, config.start) = (solver, problem, start);
    (config.max_iterations, config.tolerance) = (max_iterations, tolerance);
    bencher.bench_local(|| nmf(&matrix, &config).expect("fits"));
}

#[divan::bench(args = SHAPES, sample_count = 5, sample_size = 1)]
fn nmf_hals(bencher: Bencher, shape: (usize, usize, u32)) {
    ten(bencher, shape, NmfMethod::Hals, NmfObjective::default());
}

/// Cells that are not stored are missing.
#[divan::bench(args = [SHAPES[0]], sample_count = 5, sample_size = 1)]
fn nmf_hals_masked(bencher: Bencher, shape: (usize, usize, u32)) {
    ten(bencher, shape, NmfMethod::Hals, NmfObjective { zeros: Zeros::Missing, ..NmfObjective::default() });
}

#[divan::bench(args = SHAPES, sample_count = 5, sample_size = 1)]
fn nmf_kullback_leibler(bencher: Bencher, shape: (usize, usize, u32)) {
    let problem = NmfObjective { divergence: Divergence::KullbackLeibler, ..NmfObjective::default() };
    ten(bencher, shape, NmfMethod::Multiplicative, problem);
}
