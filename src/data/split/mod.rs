//! Dividing interactions into training, validation and test.
//!
//! A division depends only on the order of the data and the seed.

mod assign;
mod cut;
mod divide;
mod graph;
mod new_rows;
mod orders;
mod spec;

pub use assign::assign;
pub use divide::{HeldOutRows, Split, divide, held_out_rows};
pub use graph::{add_other_ways, assign_all, met};
pub use new_rows::{NewRows, reindexed};
pub use spec::{SplitKind, SplitSpec};

/// What an interaction is used for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// Parameters are fitted to it.
    Train,
    /// Settings are chosen, and training is stopped, by it.
    Validation,
    /// The result is measured on it, once.
    Test,
}

impl Part {
    /// All parts, in the order in which they are declared.
    const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Bag, BagFrame, Dataset, Entity, FieldId, ITEM, Layout, UNKNOWN, USER, Vocabulary};
    use crate::error::{Error, Result};
    use crate::linalg::Groups;

    /// `per_user` ratings of each of `users` users, interleaved, each user's times falling in file order.
    fn dataset(users: usize, per_user: usize) -> Dataset {
        let mut dataset = Dataset::default();
        for turn in 0..per_user {
            for user in 0..users {
                let user_index = dataset.pair_mut().users.insert(&format!("u{user}"));
                let item = dataset.pair_mut().items.insert(&format!("i{}", (user + turn) % (users + per_user)));
                let time = (per_user - turn) as i64;
                dataset.interactions.push([user_index, item], turn as f32, Some(time));
            }
        }
        dataset
    }

    fn spec(kind: SplitKind, test: f64, validation: f64) -> SplitSpec {
        SplitSpec { kind, test, validation, non_edges: 0.0 }
    }

    fn sizes(parts: &[Part]) -> [usize; 3] {
        Part::ALL.map(|wanted| parts.iter().filter(|&&part| part == wanted).count())
    }

    fn usage(result: Result<Vec<Part>>) -> String {
        match result.unwrap_err() {
            Error::Usage(message) => message,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn random_shares_are_exact_and_depend_on_the_seed() {
        let data = dataset(20, 50);
        let of = |seed| assign(&data, &spec(SplitKind::Random, 0.1, 0.25), seed).unwrap();
        assert_eq!(sizes(&of(1)), [650, 250, 100]);
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn random_draws_every_rating_equally_often() {
        let data = dataset(1, 10);
        let mut drawn = [0; 10];
        for seed in 0..2000 {
            let parts = assign(&data, &spec(SplitKind::Random, 0.3, 0.2), seed).unwrap();
            (0..10).for_each(|rating| drawn[rating] += usize::from(parts[rating] == Part::Test));
        }
        // 600 are expected, with a standard deviation of 20.
        assert!(drawn.iter().all(|count| (500..700).contains(count)), "{drawn:?}");
    }

    #[test]
    fn folds_cover_everything_once() {
        let data = dataset(1, 103);
        let mut tested = vec![0; 103];
        for fold in 1..=5 {
            let parts = assign(&data, &spec(SplitKind::KFold { folds: 5, fold }, 0.0, 0.25), 7).unwrap();
            let [_, validation, test] = sizes(&parts);
            assert!((20..=21).contains(&test) && (20..=21).contains(&validation));
            (0..103).for_each(|rating| tested[rating] += usize::from(parts[rating] == Part::Test));
        }
        assert!(tested.iter().all(|&count| count == 1));
        for (folds, fold) in [(5, 0), (5, 6), (1, 1)] {
            let message = usage(assign(&data, &spec(SplitKind::KFold { folds, fold }, 0.0, 0.0), 7));
            assert!(message.contains(&format!("no fold {fold} of {folds}")));
        }
    }

    #[test]
    fn stratified_gives_every_user_the_same_shares() {
        let data = dataset(7, 10);
        let parts = assign(&data, &spec(SplitKind::UserStratified, 0.2, 0.1), 3).unwrap();
        for group in Groups::of_positions(7, data.interactions.column(USER).iter().map(|&user| user as usize)).iter() {
            let parts: Vec<Part> = group.iter().map(|&rating| parts[rating as usize]).collect();
            assert_eq!(sizes(&parts), [7, 1, 2]);
        }
    }

    #[test]
    fn the_newest_are_held_out() {
        // Times fall in file order, so the first ratings of the file are the newest.
        let data = dataset(3, 5);
        let parts = assign(&data, &spec(SplitKind::LeaveLastOut, 0.0, 0.1), 0).unwrap();
        let expected = [[Part::Test; 3], [Part::Validation; 3], [Part::Train; 3], [Part::Train; 3], [Part::Train; 3]];
        assert_eq!(parts, expected.concat());
        let parts = assign(&data, &spec(SplitKind::Temporal, 0.4, 0.2), 0).unwrap();
        let expected = [[Part::Test; 3], [Part::Test; 3], [Part::Validation; 3], [Part::Train; 3], [Part::Train; 3]];
        assert_eq!(parts, expected.concat());
    }

    #[test]
    fn one_moment_divides_the_ratings_of_all_users() {
        let mut data = dataset(3, 5);
        data.interactions.timestamps = Some(vec![9, 1, 5, 7, 3, 5, 5, 2, 8, 4, 6, 5, 10, 11, 12]);
        let assigned = |test_from, validation_from, test, validation| {
            let kind = SplitKind::GlobalTemporal { test_from, validation_from };
            assign(&data, &spec(kind, test, validation), 0)
        };
        let times_of = |parts: &[Part], wanted| {
            let times = data.interactions.timestamps.iter().flatten().zip(parts);
            let mut times: Vec<i64> = times.filter(|(_, part)| **part == wanted).map(|(&time, _)| time).collect();
            times.sort();
            times
        };
        let parts = assigned(None, None, 0.2, 0.2).unwrap();
        assert_eq!(times_of(&parts, Part::Test), [10, 11, 12]);
        assert_eq!(times_of(&parts, Part::Validation), [7, 8, 9]);
        // Of 15 ratings, eight are asked for; the four at the moment of the cut stay together, in the later part.
        let parts = assigned(None, None, 8.0 / 15.0, 0.0).unwrap();
        assert_eq!(times_of(&parts, Part::Test), [5, 5, 5, 5, 6, 7, 8, 9, 10, 11, 12]);
        assert_eq!(times_of(&parts, Part::Train), [1, 2, 3, 4]);
        let parts = assigned(Some(8), Some(5), 0.0, 0.0).unwrap();
        assert_eq!(times_of(&parts, Part::Test), [8, 9, 10, 11, 12]);
        assert_eq!(times_of(&parts, Part::Validation), [5, 5, 5, 5, 6, 7]);
        let parts = assigned(Some(8), None, 0.0, 2.0 / 15.0).unwrap();
        assert_eq!(times_of(&parts, Part::Validation), [6, 7]);
        let parts = assigned(None, Some(9), 0.2, 0.0).unwrap();
        assert_eq!(times_of(&parts, Part::Validation), [9]);
        for (test_from, validation_from, expected) in [
            (Some(13), None, "no rating is from data.split.test_from on; their times go from 1 to 12"),
            (Some(8), Some(8), "data.split.validation_from must be before the test part, which begins at 8"),
            (Some(1), None, "the training part is empty"),
            (Some(8), Some(1), "the training part is empty"),
        ] {
            let message = usage(assigned(test_from, validation_from, 0.0, 0.0));
            assert!(message.contains(expected), "{message}");
        }
        data.interactions.timestamps = None;
        let kind = SplitKind::GlobalTemporal { test_from: None, validation_from: None };
        assert!(usage(assign(&data, &spec(kind, 0.1, 0.0), 0)).contains("no timestamps; add a column"));
    }

    #[test]
    fn ties_in_time_go_by_file_order() {
        let mut data = dataset(1, 4);
        data.interactions.timestamps = Some(vec![5; 4]);
        let parts = assign(&data, &spec(SplitKind::LeaveLastOut, 0.0, 0.1), 0).unwrap();
        assert_eq!(parts, [Part::Train, Part::Train, Part::Validation, Part::Test]);
    }

    #[test]
    fn users_with_few_ratings_stay_in_training() {
        let mut data = dataset(2, 2);
        let one = assign(&data, &spec(SplitKind::LeaveLastOut, 0.0, 0.0), 0).unwrap();
        assert_eq!(sizes(&one), [2, 0, 2]);
        let message = usage(assign(&data, &spec(SplitKind::LeaveLastOut, 0.0, 0.1), 0));
        assert!(message.contains("of 4 ratings, 4 are training, 0 validation and 0 test, so the test part is empty"));
        data.interactions.timestamps = None;
        let message = usage(assign(&data, &spec(SplitKind::Temporal, 0.1, 0.0), 0));
        assert!(message.contains("no timestamps; add a column"));
    }

    #[test]
    fn whole_users_or_items_are_held_out() {
        let data = dataset(20, 30);
        for (kind, field) in [(SplitKind::ColdUsers, USER), (SplitKind::ColdItems, ITEM)] {
            let of = |seed| assign(&data, &spec(kind, 0.2, 0.1), seed).unwrap();
            let mut of_rows = vec![None; data.entity(field).ids.len()];
            for (&row, part) in data.interactions.column(field).iter().zip(of(1)) {
                assert_eq!(*of_rows[row as usize].get_or_insert(part), part);
            }
            let count = |wanted| of_rows.iter().flatten().filter(|part| **part == wanted).count();
            let rows = of_rows.len() as f64;
            assert_eq!(count(Part::Test), (0.2 * rows).round() as usize, "{kind:?}");
            assert_eq!(count(Part::Validation), (0.1 * rows).round() as usize, "{kind:?}");
            assert_ne!(of(1), of(2));
        }
    }

    /// Users u0 to u2 with one rating each of items i0, i1 and i2, and features of items: i0 is a and b, i1 is b, i2 is c
    /// and d, i3 without ratings a and d, i4 d alone.
    fn described() -> Dataset {
        let mut dataset = Dataset::default();
        for at in 0..3_u32 {
            let pair = dataset.pair_mut();
            let indices = [pair.users.insert(&format!("u{at}")), pair.items.insert(&format!("i{at}"))];
            dataset.interactions.push(indices, at as f32, None);
        }
        for id in ["i3", "i4"] {
            dataset.pair_mut().items.insert(id);
        }
        dataset.entities.push(Entity { ids: Vocabulary::from_ids(["a", "b", "c", "d"]), ..Entity::new("kind") });
        let frame = BagFrame { name: "kind".into(), owner: 1, of: 2, is_feature: true };
        let bag = Bag::new(frame, vec![0, 2, 3, 5, 7, 8], vec![0, 1, 1, 2, 3, 0, 3, 3], None).expect("parts that fit");
        dataset.interactions.bags = std::sync::Arc::new(vec![bag]);
        dataset
    }

    #[test]
    fn rows_without_training_ratings_stand_behind_if_their_features_are_known() {
        let split = divide(&described(), &[Part::Train, Part::Test, Part::Test], false).unwrap();
        let ids = |entity: usize| split.entities[entity].ids.ids().collect::<Vec<_>>();
        // Nothing is known of c and d, so that i2 and i4 are nothing.
        assert_eq!((ids(0), ids(1), ids(2)), (vec!["u0"], vec!["i0", "i1", "i3"], vec!["a", "b"]));
        assert_eq!(split.entities.iter().map(|entity| entity.trained).collect::<Vec<_>>(), [None, Some(1), None]);
        assert_eq!(split.test.column(ITEM), [1, UNKNOWN]);
        let bag = &split.test.bags[0];
        assert_eq!([0, 1, 2].map(|row| bag.of_row(row).0), [&[0, 1][..], &[1], &[0]]);
        let cold = [(1, 1), (0, 0)]
            .map(|(field, count)| (split.test.count_cold(FieldId(field), &split.entities[field]), count));
        assert!(cold.iter().all(|(found, expected)| found == expected), "{cold:?}");
        let whole = divide(&described(), &[Part::Train; 3], false).unwrap();
        let baseline = crate::eval::Baseline::fit(&whole.train, &whole.frame());
        let damped = |sum: f64, count: f64| sum / (count + 5.0);
        // Residuals of i0, i1, i2 are -1, 0, 1: a has -1, d has 1.
        let expected = [damped(-1.0, 1.0), 0.0, damped(1.0, 1.0), 0.0, damped(1.0, 1.0)];
        for (found, expected) in baseline.item_offsets.iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() < 1e-6, "{:?}", baseline.item_offsets);
        }
    }

    #[test]
    fn files_are_taken_as_they_are() {
        let mut data = dataset(4, 10);
        assert!(usage(assign(&data, &spec(SplitKind::Files, 0.0, 0.0), 0)).contains("needs a ready-made test file"));
        data.test_start = Some(30);
        let parts = assign(&data, &spec(SplitKind::Files, 0.0, 0.1), 0).unwrap();
        assert_eq!(sizes(&parts), [27, 3, 10]);
        assert!(parts[30..].iter().all(|&part| part == Part::Test));
    }

    /// A cell for each pair of these users and items: ten times the row plus the column.
    fn cells(users: &[&str], items: &[&str]) -> Dataset {
        let mut dataset = Dataset::default();
        for (row, user) in users.iter().enumerate() {
            for (column, item) in items.iter().enumerate() {
                let (user, item) = (dataset.pair_mut().users.insert(user), dataset.pair_mut().items.insert(item));
                dataset.interactions.push([user, item], (10 * row + column) as f32, None);
            }
        }
        dataset
    }

    #[test]
    fn the_first_of_each_class_are_trained_on_and_the_others_come_back() {
        let mut data = cells(&["a/1", "b/1", "a/2", "a/3", "b/2", "c/1"], &["x", "y"]);
        // An item that no training row has.
        let (user, item) = (data.users().index("a/3").unwrap(), data.pair_mut().items.insert("z"));
        data.interactions.push([user, item], 99.0, None);
        let parts = assign(&data, &spec(SplitKind::FirstOfClass { train_rows: 1 }, 0.0, 0.0), 0).unwrap();
        let split = divide(&data, &parts, false).unwrap();
        assert_eq!(split.users().ids().collect::<Vec<_>>(), ["a/1", "b/1", "c/1"]);
        assert_eq!(split.train.targets, [0.0, 1.0, 10.0, 11.0, 50.0, 51.0]);
        assert_eq!(split.test.len(), 7);
        assert_eq!(
            held_out_rows(&data, &parts, &split),
            HeldOutRows {
                ids: ["a/2", "a/3", "b/2"].map(String::from).to_vec(),
                cells: vec![vec![(0, 20.0), (1, 21.0)], vec![(0, 30.0), (1, 31.0)], vec![(0, 40.0), (1, 41.0)]],
            }
        );
        let two = assign(&data, &spec(SplitKind::FirstOfClass { train_rows: 2 }, 0.0, 0.0), 0).unwrap();
        assert_eq!(sizes(&two), [10, 0, 3]);
    }

    #[test]
    fn a_matrix_keeps_the_order_of_its_rows_and_columns() {
        // The first row has no training cell in the first column, the second column none at all, nor has the last row.
        let mut data = cells(&["p", "q", "r"], &["x", "y", "z"]);
        use Part::{Test, Train, Validation};
        let parts = [Test, Validation, Train, Train, Test, Train, Test, Test, Test];
        let split = |data: &Dataset| divide(data, &parts, false).unwrap();
        let ids = |split: &Split| {
            let of = |ids: &crate::data::Vocabulary| ids.ids().collect::<Vec<_>>().join(" ");
            [of(split.users()), of(split.items())]
        };
        assert_eq!(ids(&split(&data)), ["p q", "z x"], "ratings are numbered as they come");
        for layout in [Layout::Table, Layout::Documents] {
            data.layout = layout;
            assert_eq!(ids(&split(&data)), ["p q", "x z"], "{layout:?}");
        }
        data.layout = Layout::Pictures { width: 3, height: 1 };
        assert_eq!(ids(&split(&data)), ["p q", "x y z"], "pixels");
        data.layout = Layout::Matrix;
        assert_eq!(ids(&split(&data)), ["p q r", "x y z"], "of a size");
        data.layout = Layout::Picture { width: 3, channels: 1 };
        let whole = split(&data);
        assert_eq!(ids(&whole), ["p q r", "x y z"], "lines and pixels");
        assert_eq!(whole.train.columns, [vec![0, 1, 1], vec![2, 0, 2]]);
        assert_eq!(whole.test.columns, [vec![0, 1, 2, 2, 2], vec![0, 1, 0, 1, 2]]);
    }

    #[test]
    fn users_with_a_row_are_not_held_out() {
        let data = cells(&["a", "b"], &["x", "y"]);
        let parts = [Part::Test, Part::Train, Part::Test, Part::Test];
        let split = divide(&data, &parts, false).unwrap();
        let expected = HeldOutRows { ids: vec!["b".into()], cells: vec![vec![(0, 11.0)]] };
        assert_eq!(held_out_rows(&data, &parts, &split), expected);
    }

    #[test]
    fn classes_have_to_be_there_and_large_enough() {
        let first = |data: &Dataset, train_rows| {
            usage(assign(data, &spec(SplitKind::FirstOfClass { train_rows }, 0.0, 0.0), 0))
        };
        let classes = cells(&["a/1", "a/2", "b/1"], &["x"]);
        assert!(first(&classes, 2).contains("more than train_rows = 2 rows, so the test part is empty"));
        assert!(first(&classes, 0).contains("train_rows = 0"));
        assert!(first(&cells(&["a/1", "7"], &["x"]), 1).contains("\"7\" names none"));
    }

    #[test]
    fn shares_out_of_range_and_empty_parts_are_refused() {
        let data = dataset(1, 4);
        for (test, validation) in [(-0.1, 0.0), (1.0, 0.0), (0.0, f64::NAN), (0.5, 0.5)] {
            assert!(assign(&data, &spec(SplitKind::Random, test, validation), 0).is_err(), "{test} {validation}");
        }
        let message = usage(assign(&data, &spec(SplitKind::Random, 0.01, 0.5), 0));
        assert!(message.contains("2 validation and 0 test, so the test part is empty"), "{message}");
        assert_eq!(sizes(&assign(&data, &spec(SplitKind::None, 0.5, 0.1), 0).unwrap()), [4, 0, 0]);
    }

    #[test]
    fn only_ids_of_training_are_known() {
        let mut data = Dataset::default();
        for (user, item, value) in [("a", "x", 1.0), ("b", "y", 2.0), ("c", "y", 3.0), ("b", "z", 4.0), ("a", "z", 5.0)]
        {
            let (user, item) = (data.pair_mut().users.insert(user), data.pair_mut().items.insert(item));
            data.interactions.push([user, item], value, Some(value as i64));
        }
        data.entities[1].titles = Some(["X", "Y", "Z"].map(String::from).to_vec());
        let parts = [Part::Test, Part::Validation, Part::Train, Part::Train, Part::Test];
        let split = divide(&data, &parts, false).unwrap();
        assert_eq!(split.users().ids().collect::<Vec<_>>(), ["c", "b"]);
        assert_eq!(split.items().ids().collect::<Vec<_>>(), ["y", "z"]);
        assert_eq!(split.entities[1].titles, Some(vec!["Y".to_string(), "Z".to_string()]));
        assert_eq!(split.train.columns, [vec![0, 1], vec![0, 1]]);
        assert_eq!(split.validation.columns, [vec![1], vec![0]]);
        assert_eq!(split.test.columns, [vec![UNKNOWN; 2], vec![UNKNOWN, 1]]);
        assert_eq!(split.test.timestamps, Some(vec![1, 5]));

        let refit = divide(&data, &parts, true).unwrap();
        assert_eq!(refit.train.targets, [2.0, 3.0, 4.0]);
        assert_eq!(refit.users().ids().collect::<Vec<_>>(), ["b", "c"]);
        assert!(refit.validation.is_empty());
        assert!(divide(&data, &[Part::Test; 5], true).is_err());
        assert!(divide(&data, &[Part::Train; 4], true).is_err());
    }
}
