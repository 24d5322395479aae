//! Time of everything between a ratings file and the first step: parsing text, reading the binary copy, dividing,
//! baseline and factors, and the order of the first epoch. Sizes stand in the benchmark's name; seeds are fixed; files
//! are written outside the timed part.
//!
//! `cargo bench --bench data` for all, `cargo bench --bench data -- parse` for some.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use lowrank::data::batch::EpochOrder;
use lowrank::data::read::{ReadOptions, read_dataset};
use lowrank::data::split::{SplitKind, SplitSpec, assign, divide};
use lowrank::data::synthetic::Synthetic;
use lowrank::data::{Dataset, Frame, ITEM, USER};
use lowrank::device::DeviceSpec;
use lowrank::eval::Baseline;
use lowrank::model::{BiasedMfConfig, FactorInit, Start};

/// Users, items and ratings, in the proportions of MovieLens 1M and of ten times as much.
const SIZES: [(usize, usize, u64); 2] = [(6040, 3706, 1_000_000), (138_000, 27_000, 10_000_000)];
const SPLIT: SplitSpec = SplitSpec { kind: SplitKind::Random, test: 0.1, validation: 0.1, non_edges: 0.0 };
const RANK: usize = 64;

fn main() {
    divan::main();
}

fn frame(users: usize, items: usize) -> Frame {
    Frame::pair(users, items)
}

fn planted((users, items, ratings): (usize, usize, u64)) -> Dataset {
    let recipe = Synthetic { users, items, ratings, rank: 2, noise: 0.5, seed: 1 };
    recipe.dataset().expect("a recipe in range")
}

/// The forms that rating files come in.
const FORMS: [&str; 4] = ["csv with timestamps", "csv", "movielens", "words"];

/// Writes ratings in one of the forms.
fn file(form: &str, size: (usize, usize, u64)) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("ratings.csv");
    let data = planted(size);
    let (ratings, users, items) = (&data.interactions, data.users(), data.items());
    let timestamps = ratings.timestamps.as_ref().expect("planted data have timestamps");
    let mut text = Vec::new();
    for (at, time) in timestamps.iter().enumerate() {
        let (user, item) = (users.id(ratings.column(USER)[at] as usize), items.id(ratings.column(ITEM)[at] as usize));
        let stars = (2.0 * ratings.targets[at]).round() / 2.0;
        match form {
            "csv with timestamps" => writeln!(text, "{user},{item},{stars:.1},{time}"),
            "csv" => writeln!(text, "{user},{item},{stars:.1}"),
            "movielens" => writeln!(text, "{user}::{item}::{stars:.0}::{time}"),
            _ => writeln!(text, "\"reader {user}\";\"{item:0>9}X\";\"{stars:.0}\""),
        }
        .expect("memory takes any text");
    }
    fs::write(&path, text).expect("a file written");
    (folder, path)
}

/// Text to indices, ratings and vocabularies, on one core.
#[divan::bench(args = FORMS, sample_count = 10, sample_size = 1)]
fn parse_million(bencher: Bencher, form: &str) {
    let (_folder, path) = file(form, SIZES[0]);
    let bytes = fs::metadata(&path).expect("the file").len();
    bencher
        .counter(BytesCount::new(bytes))
        .bench_local(|| read_dataset(&path, None, &ReadOptions::default()).expect("a good file"));
}

/// The same ratings from the binary copy that the first reading leaves, beside which the text is hashed.
#[divan::bench(args = SIZES, sample_count = 10, sample_size = 1)]
fn read_copy(bencher: Bencher, size: (usize, usize, u64)) {
    let (folder, path) = file(FORMS[0], size);
    let mut options = ReadOptions::default();
    options.cache = Some(folder.path().join("cache"));
    read_dataset(&path, None, &options).expect("a good file");
    let read = || read_dataset(&path, None, &options).expect("a good file");
    let is_of_copy = |note: &String| note.contains("binary copy");
    assert!(!read().notes.iter().any(is_of_copy), "it would be noted if the text had been read again");
    bencher.counter(ItemsCount::new(size.2)).bench_local(read);
}

/// Drawing a random split.
#[divan::bench(args = SIZES, sample_count = 10, sample_size = 1)]
fn split_assign(bencher: Bencher, size: (usize, usize, u64)) {
    let data = planted(size);
    bencher.counter(ItemsCount::new(size.2)).bench_local(|| assign(&data, &SPLIT, 1).expect("a split"));
}

/// Dividing ratings and vocabularies by it.
#[divan::bench(args = SIZES, sample_count = 10, sample_size = 1)]
fn split_divide(bencher: Bencher, size: (usize, usize, u64)) {
    let data = planted(size);
    let parts = assign(&data, &SPLIT, 1).expect("a split");
    bencher.counter(ItemsCount::new(size.2)).bench_local(|| divide(&data, &parts, false).expect("parts"));
}

/// The damped means that training starts from.
#[divan::bench(args = SIZES, sample_count = 10, sample_size = 1)]
fn fit_baseline(bencher: Bencher, size: (usize, usize, u64)) {
    let data = planted(size);
    let frame = frame(size.0, size.1);
    bencher.counter(ItemsCount::new(size.2)).bench_local(|| Baseline::fit(&data.interactions, &frame));
}

/// Drawing the first parameters of `biased-mf` at rank 64.
#[divan::bench(args = SIZES, sample_count = 10, sample_size = 1)]
fn draw_factors(bencher: Bencher, (num_users, num_items, _): (usize, usize, u64)) {
    let opened = DeviceSpec::Auto.open().expect("a device");
    let config = BiasedMfConfig { rank: RANK, init: FactorInit::Normal { std: 0.1 } };
    let frame = frame(num_users, num_items);
    let start = Start { frame: &frame, mean_score: 3.5, offsets: [&[], &[]], seed: Some(1), device: &opened.device };
    bencher.counter(ItemsCount::new((num_users + num_items) * RANK)).bench_local(|| config.init(&start));
}

/// The order in which an epoch visits the ratings.
#[divan::bench(args = SIZES, sample_count = 10, sample_size = 1)]
fn shuffle_epoch(bencher: Bencher, (_, _, ratings): (usize, usize, u64)) {
    bencher.counter(ItemsCount::new(ratings)).bench_local(|| EpochOrder::new(ratings as usize, 1, 1));
}
