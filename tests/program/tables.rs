//! Tables and matrices: what is a header, a label and a cell, and rows without any.

use super::matrices::train;
use super::{Place, number};

/// The shares of the components of run `c-<at>`.
fn shares(place: &Place, at: usize) -> Vec<f64> {
    let summary = place.json(format!("runs/c-{at}/summary.json"));
    let shares = summary.pointer("/views/shares").and_then(|shares| shares.as_array()).expect("shares").clone();
    shares.iter().map(|share| share.as_f64().expect("a number")).collect()
}

#[track_caller]
fn close(found: &[f64], expected: &[f64]) {
    let is_close = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-4);
    assert!(found.len() == expected.len() && is_close, "{found:?} is not {expected:?}");
}

const SVD: [&str; 4] = ["data.format=dense", "model.kind=mf", "solver.kind=svd", "model.rank=3"];

#[test]
fn a_header_of_numbers_is_no_row() {
    let place = Place::new();
    place.write("pandas.csv", ",0,1,2\n0,5.0,1.0,2.0\n1,3.0,4.0,0.5\n2,2.5,2.0,6.0\n");
    place.write("years.csv", "gene,2001,2002,2003\nABC1,5.0,1.0,2.0\nXYZ2,3.0,4.0,0.5\nQRS3,2.5,2.0,6.0\n");
    for (at, name) in [(1, "pandas.csv"), (2, "years.csv")] {
        let outcome = train(&place, name, &SVD).succeeds();
        assert!(outcome.stderr.contains("columns as in the first line"), "{outcome:#?}");
        // numpy.linalg.svd([[5, 1, 2], [3, 4, .5], [2.5, 2, 6]]): 8.900, 3.971, 2.554
        close(&shares(&place, at), &[0.780_36, 0.155_37, 0.064_27]);
    }
    // Nothing tells a header here, and the note says so; the key makes it one.
    place.write("plain.csv", "1,2,3\n5,1,2\n3,4,0.5\n2.5,2,6\n");
    let inspected = place.call(["inspect", "plain.csv", "--format", "dense", "--json"]).succeeds();
    assert!(inspected.stderr.contains("the first line is taken for data"), "{inspected:#?}");
    assert_eq!(number(&inspected.json(), "/users"), 4.0);
    train(&place, "plain.csv", &[&SVD[..], &["data.header=yes"]].concat()).succeeds();
    close(&shares(&place, 3), &[0.780_36, 0.155_37, 0.064_27]);
}

#[test]
fn columns_of_ids_are_not_factorized() {
    let place = Place::new();
    place.write(
        "cbio.tsv",
        "Hugo_Symbol\tEntrez_Gene_Id\tT1\tT2\tT3\nTP53\t7157\t3.5\t5.25\t2.75\nGAPDH\t2597\t6.5\t3.25\t4.75\n\
         EGFR\t1956\t2.5\t1.25\t6.75\nMYC\t4609\t5.5\t6.25\t1.75\nACTB\t60\t1.5\t4.25\t3.75\nKRAS\t3845\t4.5\t2.25\t5.75\n",
    );
    let svd = [&SVD[..3], &["model.rank=2"]].concat();
    let outcome = train(&place, "cbio.tsv", &svd).succeeds();
    assert!(outcome.stderr.contains("column 2 \"Entrez_Gene_Id\" is left out"), "{outcome:#?}");
    let error = number(&place.json("runs/c-1/summary.json"), "/views/relative_error");
    assert!((error - 0.1766).abs() < 1e-4, "{error}");
    let by_hand = [&svd[..], &["data.columns=['-', 'label', 'data', '...']"]].concat();
    train(&place, "cbio.tsv", &by_hand).succeeds();
    assert!(place.call(["reconstruct", "runs/c-2", "7157"]).succeeds().stdout.starts_with("T1\t"));
}

#[test]
fn a_marker_of_missing_cells_is_asked_about_and_can_be_said() {
    let place = Place::new();
    let row = |row: usize| -> String {
        let cell = |at: usize| if (row + at) % 3 == 0 { "99".into() } else { format!("{}.5", (row * at) % 9) };
        (1..7).map(cell).collect::<Vec<String>>().join(",")
    };
    place.write("grades.csv", (1..20).map(|at| row(at) + "\n").collect::<String>());
    let als = ["data.format=dense", "model.kind=mf", "solver.kind=als"];
    train(&place, "grades.csv", &als).refuses(&["99 occurs 38 times", "data.missing = [\"\", \"NA\", \"99\"]"]);
    let inspected = place.call(["inspect", "grades.csv", "--format", "dense", "--missing", "99", "--json"]).succeeds();
    assert_eq!((number(&inspected.json(), "/ratings"), number(&inspected.json(), "/max")), (76.0, 7.5));
    train(&place, "grades.csv", &[&als[..], &["data.missing=['99']"]].concat()).succeeds();
}

#[test]
fn rows_without_an_entry_are_zeros_for_solvers_that_take_them_so() {
    let place = Place::new();
    place.write(
        "m.mtx",
        "%%MatrixMarket matrix coordinate real general\n6 3 6\n1 1 4\n1 2 2\n3 1 1\n3 3 5\n4 2 3\n6 3 7\n",
    );
    train(&place, "m.mtx", &["solver.kind=svd", "model.rank=3"]).succeeds();
    // numpy: 7.288, 3.612 and 2.346 of the centred 6 × 3.
    close(&shares(&place, 1), &[0.7412, 0.1820, 0.0768]);
    let row = |run: &str, id: &str| -> Vec<f64> {
        let text = place.call(["reconstruct", run, id]).succeeds().stdout;
        text.lines().map(|line| line.split('\t').nth(1).expect("a value").parse().expect("a number")).collect()
    };
    close(&row("runs/c-1", "2"), &[0.0; 3]);
    close(&row("runs/c-1", "6"), &[0.0, 0.0, 7.0]);
    for (at, solver) in [(2, "hals"), (3, "multiplicative")] {
        let solver = format!("solver.kind={solver}");
        train(&place, "m.mtx", &["model.kind=nmf", &solver, "model.rank=3", "train.epochs=300"]).succeeds();
        let summary = place.json(format!("runs/c-{at}/summary.json"));
        assert_eq!((number(&summary, "/num_users"), number(&summary, "/num_items")), (6.0, 3.0));
        close(&row(&format!("runs/c-{at}"), "5"), &[0.0; 3]);
    }
}

#[test]
fn rows_without_an_entry_are_unknown_to_solvers_of_ratings() {
    let place = Place::new();
    let entries: String =
        (0..60).map(|at| format!("{} {} {}\n", 2 * (at / 6) + 1, at % 6 + 1, 1 + at * 7 % 5)).collect();
    place.write("m.mtx", format!("%%MatrixMarket matrix coordinate real general\n20 7 60\n{entries}"));
    for (at, settings) in [(1, ["model.kind=biased-mf", "train.epochs=3"]), (2, ["model.kind=mf", "solver.kind=als"])] {
        let outcome = train(&place, "m.mtx", &settings).succeeds();
        assert!(outcome.stderr.contains("10 of 20 rows and 1 of 7 columns have no entry"), "{outcome:#?}");
        let run = format!("runs/c-{at}");
        assert_eq!(number(&place.json(format!("{run}/summary.json")), "/num_users"), 10.0);
        place.call(["recommend", &run, "2"]).refuses(&["user \"2\" is not among the 10 users of this model"]);
        let predicted = place.call(["predict", &run, "2", "1"]).succeeds();
        assert!(predicted.stderr.contains("the user of 1 and the item of 0 ratings; predicted by biases only"));
    }
}
