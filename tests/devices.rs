//! The same training on every device that is built in, compared with committed losses.
//!
//! The losses are flex's. A build without flex (`--no-default-features --features wgpu`) is thus compared with flex
//! too, without the minutes that building both backends takes. To print them anew after a change that is meant to
//! change them: `cargo test --release --test devices -- --nocapture`, and take the line of each model.

use std::sync::Arc;

use lowrank::data::split::{SplitKind, SplitSpec, assign, divide};
use lowrank::data::synthetic::Synthetic;
use lowrank::device::DeviceSpec;
use lowrank::error::Result;
use lowrank::eval::{Baseline, Evaluator, Predictor};
use lowrank::metric::{Metric, Metrics, ObjectiveLoss, Rmse};
use lowrank::model::{
    AnyModel, BiasedMfConfig, FactorInit, FmConfig, GmfConfig, MfConfig, MlpConfig, NeuMfConfig, NmfConfig, Start,
};
use lowrank::objective::Squared;
use lowrank::solver::{
    Clip, Decay, GradientStep, LearningRate, MiniBatch, Optimizer, Regularization, Schedule, UpdateRule, UpdatedRows,
};
use lowrank::train::{EpochReport, Observer, TrainConfig, TrainData, Trainer};

/// Training loss of epochs 1 to 3 and validation RMSE after them.
type Curve = [f64; 4];

/// With all rows, then with touched rows.
const GOLDEN: [(UpdatedRows, [(&str, Curve); 7]); 2] = [
    (
        UpdatedRows::All,
        [
            ("mf", [0.5570231, 0.4068480, 0.3519545, 0.5961482]),
            ("biased-mf", [0.5177122, 0.4314769, 0.3945668, 0.6163977]),
            ("nmf", [2.1340628, 1.4004616, 1.1211598, 1.1690719]),
            ("gmf", [0.5368711, 0.5259328, 0.5188268, 0.6929235]),
            ("mlp", [0.5318182, 0.4657023, 0.4102883, 0.6108061]),
            ("neumf", [0.5054791, 0.3784323, 0.3220251, 0.5841110]),
            ("fm", [0.5177122, 0.4314769, 0.3945668, 0.6163977]),
        ],
    ),
    (
        UpdatedRows::Touched,
        [
            ("mf", [0.5618958, 0.4311975, 0.3765623, 0.6107040]),
            ("biased-mf", [0.5203295, 0.4467665, 0.4121129, 0.6263678]),
            ("nmf", [2.1552301, 1.5102885, 1.2390697, 1.2220263]),
            ("gmf", [0.5368723, 0.5274849, 0.5218283, 0.6932947]),
            ("mlp", [0.5328946, 0.4728557, 0.4208127, 0.6159595]),
            ("neumf", [0.5090560, 0.3959187, 0.3405581, 0.5962253]),
            ("fm", [0.5203295, 0.4467665, 0.4121129, 0.6263678]),
        ],
    ),
];

fn model(name: &str, start: &Start) -> AnyModel {
    let (rank, init) = (4, FactorInit::Normal { std: 0.1 });
    let layers = vec![8, 4];
    match name {
        "mf" => MfConfig { rank, init: FactorInit::Matched { std: 0.1 } }.init(start).into(),
        "biased-mf" => BiasedMfConfig { rank, init }.init(start).into(),
        // Wide enough for the projection to cut some factors off at zero.
        "nmf" => NmfConfig { rank, init: FactorInit::Uniform { low: 0.0, high: 2.0 } }.init(start).into(),
        "gmf" => GmfConfig { rank, init, biases: false, symmetric: false }.init(start).expect("two sides").into(),
        "mlp" => MlpConfig { rank, layers, dropout: 0.0, init, biases: false }.init(start).into(),
        "neumf" => NeuMfConfig { rank, mlp_rank: rank, layers, dropout: 0.0, init, biases: true }.init(start).into(),
        "fm" => FmConfig { rank, init }.init(start).into(),
        _ => panic!("no model {name}"),
    }
}

fn curve(name: &str, rows: UpdatedRows, device: DeviceSpec) -> Result<Curve> {
    struct Recorder(Vec<f64>, f64);
    impl Observer for Recorder {
        fn epoch(&mut self, report: &EpochReport) -> Result<()> {
            self.0.push(report.train.get(ObjectiveLoss.name()).expect("a loss"));
            self.1 = report.validation.and_then(|scores| scores.get(Rmse.name())).expect("a validation split");
            Ok(())
        }
    }
    let dataset = Synthetic { users: 40, items: 30, ratings: 500, rank: 2, noise: 0.3, seed: 7 }.dataset()?;
    let parts =
        assign(&dataset, &SplitSpec { kind: SplitKind::Random, test: 0.0, validation: 0.2, non_edges: 0.0 }, 7)?;
    let data = divide(&dataset, &parts, false)?;
    let frame = data.frame();
    let baseline = Baseline::fit(&data.train, &frame);
    let opened = device.open()?;
    let (mean_score, offsets) = (baseline.global_mean, [&[][..], &[][..]]);
    let start = Start { frame: &frame, mean_score, offsets, seed: Some(7), device: &opened.device };
    let objective = Arc::new(Squared {});
    let step = GradientStep {
        objective: objective.clone(),
        regularization: Regularization::new([
            ("user_factors", 0.05),
            ("item_factors", 0.05),
            ("user_biases", 0.02),
            ("item_biases", 0.02),
            ("weights", 0.001),
        ]),
        clip: Clip { value: None, norm: Some(1.0) },
        rows,
        optimizer: Optimizer::new(UpdateRule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 }),
    };
    let schedule = Schedule { warmup: 0.5, decay: Decay::Cosine { last: 0.1 } };
    let learning_rate = LearningRate { rate: 0.02, schedule, epochs: 3 };
    let solver = Box::new(MiniBatch::new(step, 64, learning_rate, 7, &opened.device));
    let metrics = Metrics(vec![Arc::new(ObjectiveLoss), Arc::new(Rmse)]);
    let predictor = Predictor { objective, clip: None, baseline };
    let evaluator = Evaluator::new(predictor, metrics, &data.train, data.users().len(), data.items().len());
    let mut recorder = Recorder(Vec::new(), 0.0);
    let model = model(name, &start);
    let data = TrainData { train: &data.train, validation: &data.validation, evaluator: &evaluator };
    Trainer::new(TrainConfig::new(3, Rmse), solver, model, opened.clone()).fit(data, &mut [&mut recorder])?;
    let Recorder(losses, rmse) = recorder;
    Ok([losses[0], losses[1], losses[2], rmse])
}

/// Every model, with all rows and with touched rows.
fn assert_trains_as_committed(device: DeviceSpec) {
    for (rows, golden) in GOLDEN {
        println!("{rows:?} on {device}");
        for (name, golden) in golden {
            let found = curve(name, rows, device).unwrap_or_else(|error| panic!("{name} on {device}: {error}"));
            println!("    (\"{name}\", {found:?}),");
            for (found, golden) in found.into_iter().zip(golden) {
                let what = format!("{name}, {rows:?} rows, on {device}");
                assert!((found - golden).abs() <= 1e-4 * golden.abs(), "{what}: {found} and {golden}");
            }
        }
    }
}

#[test]
fn every_device_that_is_built_in_trains_alike() {
    let mut devices = Vec::new();
    for (spec, built) in [
        (DeviceSpec::Cpu, cfg!(feature = "flex")),
        (DeviceSpec::NdArray, cfg!(feature = "ndarray")),
        // Software emulation is asked for by name: the test must run where there is no graphics card.
        (DeviceSpec::WgpuCpu, cfg!(feature = "wgpu")),
    ] {
        devices.extend(built.then_some(spec));
    }
    assert!(!devices.is_empty(), "no device is built in");
    devices.into_iter().for_each(assert_trains_as_committed);
}

/// Where a CUDA card is at hand: `cargo test --release --no-default-features --features cuda --test devices -- --ignored`.
#[test]
#[ignore = "needs an NVIDIA card"]
fn a_cuda_card_trains_alike() {
    assert_trains_as_committed(DeviceSpec::Cuda(0));
}
