//! How much memory a trial needs, before it runs.

use burn::tensor::Device;

use crate::config::settings::{RowsKind, RuleKind, Settings, SolverKind};
use crate::model::{Start, parameters};
use crate::run::{TrialData, assemble};

/// Bytes of a number.
const FLOAT: usize = 4;
/// Pairs that evaluation scores at once.
const EVALUATED_AT_ONCE: usize = 1 << 16;

/// Rough number of bytes that training with `settings` needs beside the data, which trials share.
///
/// Counted are all parameters and the best of them so far; for mini-batches the gradient of all of them, one table that
/// is being updated, and the solver's moments; for strata and als their own copy of parameters and ratings. And of the largest
/// batch, of training or of evaluation, everything that is computed on the way forth and back, which is taken as six
/// times what a rating reads of the tables and the layers (half as much without the way back).
pub fn estimated_bytes(settings: &Settings, data: &TrialData, device: &Device) -> u64 {
    let (count, of_a_rating) = sizes(settings, data.num_users(), data.num_items(), device);
    let (solver, ratings) = (&settings.solver, data.num_ratings());
    // Numbers a parameter, beside itself and its best value.
    let moments = match solver.kind {
        SolverKind::Adam | SolverKind::Adamw => 2,
        SolverKind::Adagrad => 1,
        SolverKind::Sgd => usize::from(solver.momentum != Some(0.0)),
        SolverKind::Stratified => 1 + if solver.rule == Some(RuleKind::Adam) { 2 } else { 0 },
        SolverKind::Als => 1,
    };
    let passing = if solver.rows == Some(RowsKind::All) { 2 } else { 0 };
    let batch = match solver.batch_size {
        None => 0,
        Some(0) => ratings,
        Some(size) => size.min(ratings),
    };
    let own_ratings = match solver.kind {
        SolverKind::Stratified => 3 * ratings,
        // By users and by items.
        SolverKind::Als => 4 * ratings,
        _ => 0,
    };
    let at_once = batch.max(EVALUATED_AT_ONCE.min(ratings) / 2);
    let layers: usize = settings.model.layers.iter().flatten().sum();
    (FLOAT * (count * (2 + passing + moments) + own_ratings + 6 * at_once * (of_a_rating + layers))) as u64
}

/// Number of parameters for so many users and items, and how many of the tables' a rating reads.
///
/// Parameters are affine in the number of users and items, so that three tiny models tell the size of any.
fn sizes(settings: &Settings, users: usize, items: usize, device: &Device) -> (usize, usize) {
    let count = |num_users, num_items| -> usize {
        let start =
            Start { num_users, num_items, mean_score: 1.0, user_offsets: &[], item_offsets: &[], seed: 0, device };
        let model = assemble::model(settings).init(&start);
        parameters::collect(&model).iter().map(|(_, values)| values.data.len()).sum()
    };
    let one = count(1, 1);
    let (of_user, of_item) = (count(2, 1) - one, count(1, 2) - one);
    (one + users.saturating_sub(1) * of_user + items.saturating_sub(1) * of_item, of_user + of_item)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;
    use crate::config::settings::ModelKind;
    use crate::device::DeviceSpec;

    fn settings(overrides: &[&str]) -> Settings {
        let overrides: Vec<_> = overrides.iter().map(|text| text.to_string()).collect();
        let text = "data.dataset = 'synthetic'\ndata.synthetic = { users = 50, items = 30, ratings = 500 }";
        Config::parse(text, Path::new("x.toml"), &overrides).expect("valid").settings().clone()
    }

    #[test]
    fn parameters_are_counted_as_models_have_them() {
        let device = DeviceSpec::Auto.open().expect("a device").device;
        for kind in ModelKind::NAMES {
            let settings = settings(&[&format!("model.kind={kind}"), "model.rank=5"]);
            let start = Start {
                num_users: 50,
                num_items: 30,
                mean_score: 1.0,
                user_offsets: &[],
                item_offsets: &[],
                seed: 0,
                device: &device,
            };
            let model = assemble::model(&settings).init(&start);
            let expected: usize = parameters::collect(&model).iter().map(|(_, values)| values.data.len()).sum();
            assert_eq!(sizes(&settings, 50, 30, &device).0, expected, "{kind}");
        }
    }

    #[test]
    fn what_needs_more_is_estimated_to_need_more() {
        let device = DeviceSpec::Auto.open().expect("a device").device;
        let data = TrialData::load(&settings(&[])).expect("data");
        let bytes = |overrides: &[&str]| estimated_bytes(&settings(overrides), &data, &device);
        let rank_64 = bytes(&["model.rank=64"]);
        assert!((1.8..2.2).contains(&(bytes(&["model.rank=128"]) as f64 / rank_64 as f64)));
        assert!(bytes(&["model.rank=64", "solver.kind=adagrad"]) < rank_64);
        assert!(
            bytes(&["model.rank=64", "solver.kind=sgd", "solver.momentum=0"])
                < bytes(&["model.rank=64", "solver.kind=sgd"])
        );
        assert!(bytes(&["model.rank=64", "solver.rows=touched"]) < rank_64);
        assert!(bytes(&["model.rank=64", "solver.kind=stratified"]) < rank_64);
        let of_rule = |rule: &str| bytes(&["model.rank=64", "solver.kind=stratified", &format!("solver.rule={rule}")]);
        assert!(of_rule("adagrad") < of_rule("adam"));
        assert!(bytes(&["model.rank=64", "solver.batch_size=0"]) > bytes(&["model.rank=64", "solver.batch_size=10"]));
        assert!(bytes(&["model.kind=mlp", "model.layers=[4096]"]) > bytes(&["model.kind=mlp", "model.layers=[64]"]));
    }
}
