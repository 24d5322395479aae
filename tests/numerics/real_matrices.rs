//! Factorizations of real matrices against scipy, scikit-learn and published results.
//!
//! `LOWRANK_DATA` names the folder that holds them. Without it at build time these tests are reported as ignored.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use lowrank::linalg::{Csr, Matrix};
use lowrank::solver::nmf::consensus::{SampleSide, assignments, consensus};
use lowrank::solver::nmf::{Divergence, NmfInit, NmfMethod, NmfObjective, NmfOptions, nmf};
use lowrank::solver::svd::{Method, SvdConfig, svd};

fn data(path: &str) -> PathBuf {
    let folder = std::env::var_os("LOWRANK_DATA").expect("LOWRANK_DATA is set, as it was when the tests were built");
    PathBuf::from(folder).join(path)
}

fn text(path: &str) -> String {
    fs::read_to_string(data(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// tf-idf of the BBC news: words of two letters and more that two documents have, idf = ln((1 + n) / (1 + df)) + 1,
/// rows of unit length.
fn news() -> Matrix {
    let mut documents = Vec::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for topic in ["business", "politics", "sport"] {
        let files = fs::read_dir(data("bbc-news").join(topic)).expect("a folder");
        let mut files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
        files.sort();
        for file in files {
            let bytes = fs::read(file).expect("a document").to_ascii_lowercase();
            let mut words: BTreeMap<String, f64> = BTreeMap::new();
            for word in bytes.split(|byte| !byte.is_ascii_lowercase()).filter(|word| word.len() > 1) {
                *words.entry(String::from_utf8_lossy(word).into()).or_default() += 1.0;
            }
            words.keys().for_each(|word| *counts.entry(word.clone()).or_default() += 1);
            documents.push(words);
        }
    }
    let total = documents.len() as f64;
    let known = counts.iter().filter(|(_, count)| **count > 1).enumerate();
    let columns: BTreeMap<&str, (u32, f64)> = known
        .map(|(column, (word, &count))| {
            (word.as_str(), (column as u32, ((1.0 + total) / (1.0 + count as f64)).ln() + 1.0))
        })
        .collect();
    let (mut rows, mut indices, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for (row, words) in documents.iter().enumerate() {
        let weigh =
            |(word, count): (&String, &f64)| columns.get(word.as_str()).map(|(column, idf)| (*column, count * idf));
        let cells: Vec<_> = words.iter().filter_map(weigh).collect();
        let length = cells.iter().map(|(_, value)| value * value).sum::<f64>().sqrt();
        for (column, value) in cells {
            rows.push(row as u32);
            indices.push(column);
            values.push((value / length) as f32);
        }
    }
    Csr::from_cells(documents.len(), columns.len(), &rows, &indices, &values).map(Matrix::Sparse).expect("a matrix")
}

/// The ORL faces, one row an image, pixels in 0 … 1.
fn faces() -> Matrix {
    let mut pixels = Vec::new();
    for person in 1..=40 {
        for shot in 1..=10 {
            let image = image::open(data(&format!("orl-faces/s{person}/{shot}.pgm"))).expect("an image").into_luma8();
            pixels.extend(image.pixels().map(|pixel| f32::from(pixel.0[0]) / 255.0));
        }
    }
    Matrix::dense(400, 112 * 92, pixels).expect("a matrix")
}

/// Gene expression in leukaemia, genes × samples, and the kind of each sample.
fn genes() -> (Matrix, Vec<String>) {
    let cells =
        text("all-aml/ALL_AML_data.txt").split_whitespace().map(|cell| cell.parse().expect("a number")).collect();
    let kind = |name: &str| name.split('_').next().expect("a kind").to_string();
    let kinds = text("all-aml/ALL_AML_samples.txt").lines().map(kind).collect();
    (Matrix::dense(5000, 38, cells).expect("a matrix"), kinds)
}

#[test]
#[cfg_attr(not(lowrank_data), ignore = "set LOWRANK_DATA to a folder with the data sets and rebuild")]
fn the_example_of_deerwester_has_its_nine_singular_values() {
    let table = text("deerwester-lsa/term_doc_12x9.csv");
    let cells =
        table.lines().skip(1).flat_map(|line| line.split(',').skip(1).map(|cell| cell.parse().expect("a count")));
    let matrix = Matrix::dense(12, 9, cells.collect()).expect("a matrix");
    for method in [Method::Exact, Method::Randomized] {
        let fit = svd(&matrix, &with!(SvdConfig::new(9), method)).expect("fits");
        for (value, published) in fit.singular_values.iter().zip(text("deerwester-lsa/singular_values.txt").lines()) {
            let published: f64 = published.parse().expect("a number");
            assert!((value - published).abs() < 5e-6, "{value} against {published}");
        }
    }
}

#[test]
#[cfg_attr(not(lowrank_data), ignore = "set LOWRANK_DATA to a folder with the data sets and rebuild")]
fn singular_values_of_the_news_are_those_of_scipy() {
    let matrix = news();
    assert_eq!((matrix.rows(), matrix.columns(), matrix.stored()), (1438, 12_050, 263_527));
    let fit = svd(&matrix, &SvdConfig::new(50)).expect("fits");
    for (value, scipy) in fit.singular_values.iter().zip(NEWS_SINGULAR_VALUES) {
        assert!((value - scipy).abs() < 1e-4 * scipy, "{value} against {scipy}");
    }
}

#[test]
#[cfg_attr(not(lowrank_data), ignore = "set LOWRANK_DATA to a folder with the data sets and rebuild")]
fn objectives_are_no_worse_than_those_of_scikit_learn() {
    let objective = |matrix: &Matrix, rank| {
        let config = with!(NmfOptions::new(rank), start: NmfInit::Nndsvd);
        nmf(matrix, &config).expect("fits").objective
    };
    let genes = genes().0;
    let cases = [(&news(), 20, NEWS_OBJECTIVE[0]), (&faces(), 49, FACES_OBJECTIVE[0])];
    for (matrix, rank, theirs) in cases.into_iter().chain((2..6).zip(GENES_OBJECTIVES).map(|(k, o)| (&genes, k, o))) {
        let ours = objective(matrix, rank);
        // Both round, and their starts differ in how far the singular vectors had converged.
        assert!(ours < theirs * (1.0 + 1e-5), "rank {rank}: {ours} against {theirs}");
    }
}

#[test]
#[cfg_attr(not(lowrank_data), ignore = "set LOWRANK_DATA to a folder with the data sets and rebuild")]
fn leukaemias_fall_into_their_kinds() {
    let (matrix, kinds) = genes();
    let problem = NmfObjective { divergence: Divergence::KullbackLeibler, ..NmfObjective::default() };
    let config = with!(NmfOptions::new(2), problem, solver: NmfMethod::Multiplicative);
    let found = consensus(&matrix, &config, 20, SampleSide::Columns).expect("fits");
    for clusters in [found.clusters(2).expect("38 samples"), assignments(&found.best, SampleSide::Columns)] {
        let first = |kind| {
            (clusters.iter().zip(&kinds)).filter(|(cluster, own)| (**cluster == 0) == (own.as_str() == kind)).count()
        };
        let right = first("ALL").max(first("AML"));
        assert!(right >= 36, "{right} of 38");
    }
}

// Printed by tests/scripts/reference_matrix.py with the data folder as its argument.

const NEWS_SINGULAR_VALUES: [f64; 50] = [
    14.27043, 4.37992347, 4.26690251, 3.1597141, 3.1063571, 2.92645228, 2.81031646, 2.63287454, 2.62655205, 2.55575496,
    2.46635512, 2.44999333, 2.38603689, 2.34202045, 2.32438223, 2.28963313, 2.2372825, 2.19088011, 2.16504405,
    2.12523132, 2.10873264, 2.07914935, 2.06481962, 2.04161573, 2.02314925, 1.99937402, 1.98347741, 1.9649042,
    1.95335086, 1.93656989, 1.91441005, 1.90174649, 1.89492071, 1.88889783, 1.85863633, 1.83533904, 1.83052017,
    1.82564433, 1.81510292, 1.79425294, 1.78658221, 1.78103125, 1.76907833, 1.76618919, 1.75270002, 1.74066728,
    1.73640047, 1.73362141, 1.71462971, 1.70617465,
];
const NEWS_OBJECTIVE: [f64; 1] = [549.533178];
const FACES_OBJECTIVE: [f64; 1] = [10485.6476];
const GENES_OBJECTIVES: [f64; 4] = [3.43299733e+10, 2.80263293e+10, 2.32394087e+10, 2.06955064e+10];
