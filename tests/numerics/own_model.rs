//! What the trainer promises to a model from outside the crate.

use std::collections::BTreeMap;

use burn::module::{Module, Param};
use burn::tensor::{Tensor, TensorData};
use lowrank::data::batch::Batch;
use lowrank::data::{Frame, ITEM, Interactions, USER};
use lowrank::model::parameters::collect;
use lowrank::model::{AnyModel, FactorInit, Factorization, HostTensor, Start, Table, dot};
use lowrank::train::{Checkpoint, Checkpoints};

use crate::inputs::{NUM_ITEMS, NUM_USERS, cpu, start_of};
use crate::{ADAM, AfterEpoch, SQUARED, bits, fit, of, some_ratings, train_config, trainer_of};

/// p_uᵀ q_i · (1 + s_u): a model of this test, with a scale for each user.
#[derive(Module, Debug)]
struct Scaled {
    user_factors: Table,
    item_factors: Table,
    user_scales: Table,
    shift: Param<Tensor<1>>,
}

impl Scaled {
    fn new(start: &Start) -> Self {
        let init = FactorInit::Matched { std: 0.1 };
        Self {
            user_factors: start.factors("user_factors", USER, 2, init, false),
            item_factors: start.factors("item_factors", ITEM, 2, init, false),
            user_scales: start.biases(USER),
            shift: Param::from_data(TensorData::new(vec![0.0_f32], [1]), start.device),
        }
    }
}

impl Factorization for Scaled {
    fn forward(&self, batch: &Batch) -> Tensor<1> {
        let interaction = dot(self.user_factors.gather(batch, USER), self.item_factors.gather(batch, ITEM)); // [batch, 1]
        (interaction * (self.user_scales.gather(batch, USER) + 1.0)).squeeze_dim(1) + self.shift.val() // [batch]
    }

    fn tables(&self) -> Vec<&Table> {
        vec![&self.user_factors, &self.item_factors, &self.user_scales]
    }
}

#[test]
fn a_model_from_outside_the_crate_trains_and_resumes() {
    let device = cpu();
    let train = some_ratings();
    let frame = Frame::pair(NUM_USERS, NUM_ITEMS);
    let start = start_of(&frame, 3.0, 1, &device.device);
    let model = AnyModel::from(Scaled::new(&start));
    let before: BTreeMap<String, HostTensor> = collect(&model).into_iter().collect();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let checkpoints = Checkpoints::create(folder.path()).expect("created");
    let mut losses = Vec::new();
    let mut observer = AfterEpoch(|report: &lowrank::train::EpochReport| {
        losses.push(of(report.train, "loss"));
        Ok(())
    });
    let trainer = |epochs| {
        trainer_of(train_config(epochs, ADAM, 0.05), model.clone(), device.clone())
            .with_checkpoints(checkpoints.clone())
    };
    let trained = fit(trainer(300), &train, &Interactions::default(), SQUARED, &mut [&mut observer]).expect("trains");
    assert!(losses[299] < 0.01 * losses[0], "{} → {}", losses[0], losses[299]);
    for (name, values) in collect(&trained.model) {
        assert_ne!(values, before[&name], "{name} was not trained");
    }
    let saved = Checkpoint::read(&checkpoints.last()).expect("written at the end").parameters;
    assert_eq!(saved, collect(&trained.model).into_iter().collect());
    assert!(saved.contains_key("user_scales") && saved.contains_key("shift"));
    let resumed = trainer(301).resume().expect("the same model");
    assert_eq!(resumed.epochs_done(), 300);
    let resumed = fit(resumed, &train, &Interactions::default(), SQUARED, &mut []).expect("one more");
    assert_ne!(bits(&resumed.model), bits(&trained.model));
}
