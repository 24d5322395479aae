//! Matrices are factorized as they are: whole, in their order, and shown that way.

use std::io::Write;

use image::{GrayImage, Luma};

use super::{Outcome, Place, number};

/// A config with the keys that most of these tests share.
const CONFIG: &str = "model.rank = 1\nreport.tensorboard = false\n";

/// Trains on the file or folder `data` with these settings; the run is called `c`.
pub fn train(place: &Place, data: &str, settings: &[&str]) -> Outcome {
    place.write("c.toml", CONFIG);
    let path = format!("data.path={data}");
    let settings = [path.as_str()].into_iter().chain(settings.iter().copied());
    place.call(["train", "c.toml"].into_iter().chain(settings.flat_map(|setting| ["--set", setting])))
}

/// An `.npz` file with a sparse matrix and, beside it, the array `other`.
pub fn arrays() -> Vec<u8> {
    let array = |descr: &str, shape: &str, cells: &[u8]| {
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}");
        [&b"\x93NUMPY\x01\0"[..], &(header.len() as u16).to_le_bytes(), header.as_bytes(), cells].concat()
    };
    let bytes = |factor: u8| (0..60).map(|at| at * factor % 9).collect::<Vec<u8>>();
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in [
        ("format", array("|S3", "", b"coo")),
        ("shape", array("|u1", "2,", &[9, 9])),
        ("row", array("|u1", "60,", &bytes(1))),
        ("col", array("|u1", "60,", &bytes(2))),
        ("data", array("|u1", "60,", &bytes(4))),
        ("other", array("|u1", "12, 5", &bytes(2))),
    ] {
        archive.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).expect("a member");
        archive.write_all(&content).expect("written");
    }
    archive.finish().expect("an archive").into_inner()
}

/// A grey picture with the shade that `shade` gives at (x, y), as a PGM file.
pub fn picture(place: &Place, name: &str, width: u32, height: u32, shade: impl Fn(u32, u32) -> u32) {
    let picture = GrayImage::from_fn(width, height, |x, y| Luma([shade(x, y) as u8]));
    picture.save(place.path(name)).expect("a picture written");
}

/// The largest difference between two pictures of one size.
fn difference(place: &Place, one: &str, other: &str) -> u32 {
    let [one, other] = [one, other].map(|name| image::open(place.path(name)).expect("a picture").into_luma8());
    assert_eq!(one.dimensions(), other.dimensions());
    one.iter().zip(other.iter()).map(|(&a, &b)| u32::from(a.abs_diff(b))).max().expect("pixels")
}

#[test]
fn a_picture_whose_pixels_are_held_out_keeps_its_lines_and_columns() {
    let place = Place::new();
    // One column of pixels, of which single lines are held out whole.
    picture(&place, "tall.pgm", 1, 40, |_, y| 5 * y + 20);
    train(&place, "tall.pgm", &["model.kind=mf", "solver.kind=svd"]).succeeds();
    train(&place, "tall.pgm", &["model.kind=mf", "solver.kind=svd", "data.split.kind=random"]).succeeds();
    for (run, difference_at_most) in [("runs/c-1", 1), ("runs/c-2", 255)] {
        place.call(["reconstruct", run, "-o", "tall.png"]).succeeds();
        assert!(difference(&place, "tall.pgm", "tall.png") <= difference_at_most, "{run}");
    }
    // The product of a line and a column is found again from four fifths of its pixels.
    picture(&place, "wide.pgm", 24, 16, |x, y| (x + 4) * (y + 6) / 3);
    let als = ["model.kind=mf", "solver.kind=als", "solver.regularization.user_factors=1e-6"];
    let als = [&als[..], &["solver.regularization.item_factors=1e-6", "train.epochs=60"]].concat();
    train(&place, "wide.pgm", &als).succeeds();
    place.call(["reconstruct", "runs/c-3", "-o", "wide.png"]).succeeds();
    assert!(difference(&place, "wide.pgm", "wide.png") <= 2);
}

#[test]
fn a_folder_of_pictures_whose_pixels_are_held_out_keeps_its_pixels() {
    let place = Place::new();
    std::fs::create_dir(place.path("faces")).expect("a folder");
    for face in 0..10 {
        picture(&place, &format!("faces/{face}.pgm"), 6, 5, |x, y| (face + 5) * (3 * x + 2 * y + 1) / 2);
    }
    let als = ["model.kind=mf", "solver.kind=als", "solver.regularization.user_factors=1e-6"];
    let als = [&als[..], &["solver.regularization.item_factors=1e-6", "train.epochs=60"]].concat();
    train(&place, "faces", &als).succeeds();
    place.call(["reconstruct", "runs/c-1", "7", "-o", "7.png"]).succeeds();
    assert!(difference(&place, "faces/7.pgm", "7.png") <= 2);
}

#[test]
fn a_table_whose_cells_are_held_out_keeps_its_order() {
    let place = Place::new();
    let names: Vec<String> = (0..9).map(|column| format!("c{}", (column * 7 + 3) % 9)).collect();
    let line = |row: usize| (1..10).map(|column| (row * column).to_string()).collect::<Vec<_>>().join(",");
    let lines: String = (1..8).map(|row| format!("r{row},{}\n", line(row))).collect();
    place.write("t.csv", format!("row,{}\n{lines}", names.join(",")));
    train(&place, "t.csv", &["data.format=dense", "model.kind=mf", "solver.kind=als"]).succeeds();
    let row = place.call(["reconstruct", "runs/c-1", "r3"]).succeeds().stdout;
    let order: Vec<&str> = row.lines().filter_map(|line| line.split('\t').next()).collect();
    assert_eq!(order, names);
    let summary = place.json("runs/c-1/summary.json");
    assert!(number(&summary, "/test/count") > 0.0, "cells were held out: {summary}");
}

/// The table that these lines hold, as dense data `t.csv`.
pub fn table(place: &Place, cells: &[&[f64]]) {
    let header: Vec<String> = (1..=cells[0].len()).map(|column| format!("c{column}")).collect();
    let line = |(row, cells): (usize, &&[f64])| {
        let cells: Vec<String> = cells.iter().map(f64::to_string).collect();
        format!("r{},{}\n", row + 1, cells.join(","))
    };
    let lines: String = cells.iter().enumerate().map(line).collect();
    place.write("t.csv", format!("row,{}\n{lines}", header.join(",")));
}

/// Row `id` of a run, as `reconstruct` prints it.
fn reconstructed(place: &Place, run: &str, id: &str) -> Vec<f64> {
    let row = place.call(["reconstruct", run, id]).succeeds().stdout;
    row.lines().map(|line| line.split('\t').nth(1).expect("a value").parse().expect("a number")).collect()
}

#[track_caller]
fn close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{found:?} {expected:?}");
    let is_close = |(a, b): (&f64, &f64)| (a - b).abs() <= tolerance * b.abs().max(1.0);
    assert!(found.iter().zip(expected).all(is_close), "{found:?} is not {expected:?}");
}

/// 8 × 4 and positive; 6 × 5 of both signs.
const POSITIVE: [&[f64]; 8] = [
    &[2.6, 8.1, 5.1, 2.1],
    &[4.2, 1.2, 6.7, 3.7],
    &[5.8, 2.8, 8.3, 5.3],
    &[7.4, 4.4, 1.4, 6.9],
    &[9.0, 6.0, 3.0, 8.5],
    &[2.1, 7.6, 4.6, 1.6],
    &[3.7, 9.2, 6.2, 3.2],
    &[5.3, 2.3, 7.8, 4.8],
];
const SIGNED: [&[f64]; 6] = [
    &[-9.0, 2.0, 13.0, 1.0, 12.0],
    &[-2.0, 12.0, 3.0, -6.0, 8.0],
    &[-4.0, 13.0, 7.0, 1.0, -5.0],
    &[8.0, 5.0, 2.0, -1.0, -4.0],
    &[11.0, 11.0, 11.0, 11.0, 11.0],
    &[5.0, 8.0, 11.0, -9.0, -6.0],
];

#[test]
fn a_table_is_factorized_whole_unless_somebody_asks_for_a_split() {
    let place = Place::new();
    table(&place, &POSITIVE);
    let dense = |settings: &[&str]| {
        let settings: Vec<&str> = ["data.format=dense"].iter().chain(settings).copied().collect();
        train(&place, "t.csv", &settings).succeeds()
    };
    let svd = ["model.kind=mf", "solver.kind=svd", "model.rank=4"];
    let whole = dense(&svd);
    assert!(!whole.stderr.contains("zeros"), "{whole:#?}");
    for (row, cells) in POSITIVE.iter().enumerate() {
        close(&reconstructed(&place, "runs/c-1", &format!("r{}", row + 1)), cells, 1e-5);
    }
    // As numpy.linalg.svd of the whole table has it, and sklearn.decomposition.NMF, whose best of this rank is the same.
    let second = [4.763_667_8, 2.981_507_87, 3.767_091_41, 4.394_470_25];
    dense(&["model.kind=mf", "solver.kind=svd", "model.rank=2"]);
    close(&reconstructed(&place, "runs/c-2", "r2"), &second, 1e-5);
    for (at, solver) in [(3, "hals"), (4, "multiplicative")] {
        let solver = format!("solver.kind={solver}");
        dense(&["model.kind=nmf", &solver, "model.rank=2", "train.epochs=2000", "solver.tolerance=1e-8"]);
        let summary = place.json(format!("runs/c-{at}/summary.json"));
        assert!((number(&summary, "/views/relative_error") - 0.255_259_654).abs() < 1e-4, "{summary}");
        assert_eq!(summary["test"], serde_json::Value::Null, "nothing is held out");
    }
    table(&place, &SIGNED);
    dense(&["model.kind=biased-mf", "solver.kind=svd", "model.rank=2"]);
    // numpy: column means, then the two leading components.
    let fourth = [7.770_199_77, 9.872_640_6, 5.779_814_34, -1.645_774_93, -4.256_322_36];
    close(&reconstructed(&place, "runs/c-5", "r4"), &fourth, 1e-5);
}

#[test]
fn cells_that_are_held_out_of_what_takes_them_for_zeros_are_told() {
    let place = Place::new();
    table(&place, &POSITIVE);
    let split = ["data.format=dense", "data.split.kind=random", "model.rank=2"];
    for (at, kinds) in [(1, ["model.kind=mf", "solver.kind=svd"]), (2, ["model.kind=nmf", "solver.kind=hals"])] {
        let outcome = train(&place, "t.csv", &[&split[..], &kinds].concat()).succeeds();
        assert!(outcome.stderr.contains("among them 6 that are held out"), "{outcome:#?}");
        assert!(outcome.stderr.contains("the last epoch is kept"), "{outcome:#?}");
        let summary = place.json(format!("runs/c-{at}/summary.json"));
        assert_eq!(summary["best_epoch"], summary["epochs_run"], "{summary}");
        assert!(outcome.stdout.contains("warning: on the test part this model is worse than"), "{outcome:#?}");
        assert!(outcome.stdout.contains("set data.split.kind = \"none\""), "{outcome:#?}");
    }
    // Where cells are missing, nothing is taken for a zero, and epochs are judged as ever.
    let missing = ["model.kind=nmf", "solver.kind=hals", "solver.zeros=missing", "model.rank=1"];
    let outcome = train(&place, "t.csv", &[&["data.format=dense"], &missing[..]].concat()).succeeds();
    assert!(!outcome.stderr.contains("zeros") && outcome.stdout.contains("test"), "{outcome:#?}");
    let waiting = [&split[..], &["model.kind=nmf", "solver.kind=hals", "train.early_stopping.patience=3"]].concat();
    train(&place, "t.csv", &waiting).refuses(&["train.early_stopping.patience waits in vain", "set it to 0"]);
}

#[test]
fn numbers_of_a_small_matrix_stand_apart() {
    let place = Place::new();
    let large: Vec<Vec<f64>> =
        (1..7).map(|row| vec![7919.0 * f64::from(row), 64_709.0 - f64::from(row) * 291.0, -123_456.0]).collect();
    let tiny: Vec<Vec<f64>> = large.iter().map(|row| row.iter().map(|value| value * 1e-12).collect()).collect();
    for (at, cells) in [large, tiny].iter().enumerate() {
        table(&place, &cells.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let svd = ["data.format=dense", "model.kind=mf", "solver.kind=svd", "model.rank=3"];
        let outcome = train(&place, "t.csv", &svd).succeeds();
        let lines = outcome.stdout.lines().skip_while(|line| !line.starts_with("prediction for every")).skip(1);
        let number = |cell: &str| cell.parse().unwrap_or_else(|_| panic!("{cell:?} in {outcome:#?}"));
        for (line, cells) in lines.take(6).zip(cells) {
            let found: Vec<f64> = line.split_whitespace().map(number).collect();
            let scale = cells[1].abs();
            close(
                &found.iter().map(|value| value / scale).collect::<Vec<_>>(),
                &cells.iter().map(|value| value / scale).collect::<Vec<_>>(),
                1e-4,
            );
        }
        let factors = outcome.stdout.lines().skip_while(|line| *line != "user_factors").nth(1).expect("a line");
        assert_eq!(at, factors.matches("e-").count().min(1), "{outcome:#?}");
    }
}

#[test]
fn samples_without_any_expression_are_named_and_left_out() {
    let place = Place::new();
    // Two groups of samples, and two samples without a cell that is not 0.
    let value = |gene: usize, sample: usize| match sample {
        2 | 7 => 0.0,
        _ if gene / 6 == sample % 2 => 5.0 + ((gene * sample) % 3) as f64,
        _ => 0.1,
    };
    let cells: Vec<Vec<f64>> = (0..12).map(|gene| (0..10).map(|sample| value(gene, sample)).collect()).collect();
    table(&place, &cells.iter().map(Vec::as_slice).collect::<Vec<_>>());
    place.write(
        "n.toml",
        "data = { path = \"t.csv\", format = \"dense\" }\nmodel.kind = \"nmf\"\nsolver.kind = \"hals\"\n",
    );
    let consensus = ["consensus", "n.toml", "--ranks", "2", "--runs", "5"];
    let outcome = place.call(consensus).succeeds();
    let said = "samples without any cell that is not 0 are left out: c3 and c8";
    assert!(outcome.stdout.contains(said) && outcome.stderr.contains(said), "{outcome:#?}");
    let members = place.text("runs/n-consensus-1/members.csv");
    let samples: Vec<&str> = members.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!(samples, ["c1", "c2", "c4", "c5", "c6", "c7", "c9", "c10"]);
    let cluster = |line: &str| line.rsplit(',').next().expect("a cluster").to_string();
    let clusters: Vec<String> = members.lines().skip(1).map(cluster).collect();
    assert_eq!(clusters, ["1", "2", "2", "1", "2", "1", "1", "2"], "as the groups are");
    let json = place.json("runs/n-consensus-1/consensus.json");
    assert_eq!(json["left_out"], serde_json::json!(["c3", "c8"]));
    assert_eq!(number(&json, "/stability/0/cophenetic"), 1.0);
    // Rows as samples: none of them is empty.
    let rows = place.call(consensus.into_iter().chain(["--samples", "rows"])).succeeds();
    assert!(!rows.stdout.contains("left out:"), "{rows:#?}");
}
