//! Answers are right, or the program says why they are not.

use image::{GrayImage, Luma};

use super::{Outcome, Place, number};

/// A config with the keys that most of these tests share.
const CONFIG: &str = "model.rank = 1\nreport.tensorboard = false\n";

/// Trains on the file or folder `data` with these settings; the run is called `c`.
fn train(place: &Place, data: &str, settings: &[&str]) -> Outcome {
    place.write("c.toml", CONFIG);
    let path = format!("data.path={data}");
    let settings = [path.as_str()].into_iter().chain(settings.iter().copied());
    place.call(["train", "c.toml"].into_iter().chain(settings.flat_map(|setting| ["--set", setting])))
}

/// A grey picture with the shade that `shade` gives at (x, y), as a PGM file.
fn picture(place: &Place, name: &str, width: u32, height: u32, shade: impl Fn(u32, u32) -> u32) {
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
    for run in ["runs/c-1", "runs/c-2"] {
        place.call(["reconstruct", run, "-o", "tall.png"]).succeeds();
        let rebuilt = image::open(place.path("tall.png")).expect("a picture");
        assert_eq!((rebuilt.width(), rebuilt.height()), (1, 40), "{run}");
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
