//! Agreement with PyTorch. The constants are what `python tests/scripts/reference.py` prints (torch 2.15.0, `f64`);
//! inputs are sines on both sides.

use std::sync::Arc;

use burn::tensor::Tensor;
use lowrank::data::batch::Samples;
use lowrank::data::{Frame, ITEM, USER};
use lowrank::device::to_vec;
use lowrank::model::{AnyModel, FactorInit, MfConfig};
use lowrank::objective::{Loss, PointwiseLoss, Squared};
use lowrank::solver::{Clip, GradientStep, Rows, Rule};

use crate::ADAM;
use crate::inputs::{
    Lambda, cpu, gradient_step, gradients, kind, losses, models, samples, samples_of, sine_model, start_of, trainable,
    wave,
};

/// Largest accepted difference, relative to the expected number (or to the norm of the vector it is part of).
const TOLERANCE: f64 = 1e-5;

struct GoldenLoss {
    name: &'static str,
    values: [f64; 8],
    gradients: [f64; 8],
}

struct GoldenModel {
    name: &'static str,
    scores: [f64; 12],
    objective: f64,
    /// Of each parameter: the norm of its gradient, and Σ_j g_j sin(1 + j).
    gradients: &'static [(&'static str, [f64; 2])],
    /// Of each rule: the objective before each of ten full-batch steps, and after the last.
    curves: &'static [(&'static str, [f64; 11])],
}

const REGULARIZATION: Lambda =
    Lambda { user_factors: 0.02, item_factors: 0.03, user_biases: 0.04, item_biases: 0.05, weights: 0.01 };

/// Update rule, learning rate and limits of a curve.
fn rule(name: &str) -> (Rule, f64, Clip) {
    let sgd = Rule::Sgd { momentum: 0.0 };
    let none = Clip::default();
    match name {
        "adam" => (ADAM, 0.05, none),
        "adamw" => (Rule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.1 }, 0.05, none),
        "sgd" => (sgd, 0.02, none),
        "momentum" => (Rule::Sgd { momentum: 0.9 }, 0.02, none),
        "adagrad" => (Rule::AdaGrad { epsilon: 1e-10 }, 0.1, none),
        "clip-value" => (sgd, 0.1, Clip { value: Some(0.05), norm: None }),
        "clip-norm" => (sgd, 0.1, Clip { value: None, norm: Some(0.3) }),
        "clip-both" => (sgd, 0.1, Clip { value: Some(0.05), norm: Some(0.15) }),
        _ => panic!("the reference has a rule {name:?} that this test does not know"),
    }
}

fn solver(rule: Rule, clip: Clip, regularization: Lambda) -> GradientStep {
    GradientStep { clip, ..gradient_step(Loss::Squared(Squared {}), regularization, Rows::All, rule) }
}

fn golden_samples() -> Arc<Samples> {
    samples(|j| 3.0 + 2.0 * (0.5 + 1.3 * j as f64).sin())
}

#[track_caller]
fn assert_close(what: &str, found: &[f64], expected: &[f64], size: impl Fn(f64) -> f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        let limit = TOLERANCE * size(*expected);
        assert!((found - expected).abs() <= limit, "{what}, number {at}: {found}, but PyTorch has {expected}");
    }
}

fn f64s(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

/// The objective before each of ten steps, and after the last.
fn curve(mut model: AnyModel, samples: &Arc<Samples>, mut solver: GradientStep, rate: f64) -> Vec<f64> {
    let device = cpu().device.autodiff();
    let objective =
        |solver: &GradientStep, model: &AnyModel| f64::from(to_vec(solver.objective(model, samples, &device).0)[0]);
    let mut losses = Vec::new();
    for _ in 0..10 {
        losses.push(objective(&solver, &model));
        model = solver.step(model, samples, &device, rate, false).0;
    }
    losses.push(objective(&solver, &model));
    losses
}

#[test]
fn steps_on_touched_rows_have_sparse_adams_curve() {
    let all = golden_samples();
    let device = cpu().device.autodiff();
    for (name, expected) in TOUCHED {
        let config = models(3).into_iter().find(|config| kind(config) == name).expect("a model");
        let mut model = sine_model(&config, 3.25);
        let mut solver = GradientStep { rows: Rows::Touched, ..solver(ADAM, Clip::default(), REGULARIZATION) };
        let objective =
            |solver: &GradientStep, model: &_| f64::from(to_vec(solver.objective(model, &all, &device).0)[0]);
        let mut found = vec![objective(&solver, &model)];
        for step in 0..10 {
            let pick = |column: &[u32]| (0..3).map(|j| column[(3 * step + j) % 12]).collect();
            let ratings = (0..3).map(|j| all.targets[(3 * step + j) % 12]).collect();
            let batch = samples_of(pick(all.column(USER)), pick(all.column(ITEM)), ratings);
            model = solver.step(model, &batch, &device, 0.05, false).0;
            found.push(objective(&solver, &model));
        }
        assert_close(name, &found, &expected, |expected| expected);
    }
}

#[test]
fn the_toy_example_has_pytorchs_losses() {
    let device = cpu().device;
    let frame = Frame::pair(4, 2);
    let start = start_of(&frame, 0.0, 1, &device);
    let model = MfConfig { rank: 2, init: FactorInit::Normal { std: 1.0 } }.init(&start);
    let model = trainable(model, &device, |_, n, j, _| wave(1.0 + 2.3 * n as f64, j) as f32);
    let matrix = samples_of(
        vec![0, 0, 1, 1, 2, 2, 3, 3],
        vec![0, 1, 0, 1, 0, 1, 0, 1],
        vec![5.0, 3.0, 3.0, 2.0, 2.0, 1.0, 1.0, 1.0],
    );
    let losses = curve(model, &matrix, solver(ADAM, Clip::default(), Lambda::default()), 0.01);
    assert_close("toy", &losses[..10], &TOY, f64::abs);
}

#[test]
fn losses_and_their_gradients_are_pytorchs() {
    let device = cpu().device.autodiff();
    let scores: Vec<f32> = (0..8).map(|j| (2.0 * (0.3 + 0.9 * f64::from(j)).sin()) as f32).collect();
    assert_eq!(losses().iter().map(kind).collect::<Vec<_>>(), LOSSES.each_ref().map(|golden| golden.name));
    for (loss, golden) in losses().iter().zip(&LOSSES) {
        let ratings: Vec<f32> = (0..8)
            .map(|j| {
                let wave = (1.0 + 1.7 * f64::from(j)).sin();
                let rating = match loss {
                    Loss::Logistic(_) => 0.5 + 0.5 * wave,
                    Loss::Poisson(_) => f64::from(3 * j % 5),
                    _ => 2.5 * wave,
                };
                rating as f32
            })
            .collect();
        let score = Tensor::<1>::from_floats(scores.as_slice(), &device).require_grad();
        let values = loss.forward(score.clone(), Tensor::from_floats(ratings.as_slice(), &device));
        let gradient = score.grad(&values.clone().sum().backward()).expect("a tracked tensor");
        assert_close(golden.name, &f64s(&to_vec(values)), &golden.values, |x| x.abs().max(0.1));
        assert_close(golden.name, &f64s(&to_vec(gradient)), &golden.gradients, |x| x.abs().max(0.1));
    }
}

#[test]
fn scores_objectives_and_gradients_are_pytorchs() {
    let device = cpu().device.autodiff();
    let samples = golden_samples();
    assert_eq!(models(3).iter().map(kind).collect::<Vec<_>>(), MODELS.each_ref().map(|golden| golden.name));
    for (config, golden) in models(3).iter().zip(&MODELS) {
        let model = sine_model(config, 3.25);
        let scores = f64s(&to_vec(model.forward(&samples.to_device(&device))));
        assert_close(&format!("scores of {}", golden.name), &scores, &golden.scores, |x| x.abs().max(0.1));

        let solver = solver(ADAM, Clip::default(), REGULARIZATION);
        let (objective, _) = solver.objective(&model, &samples, &device);
        let found = gradients(&model, &objective.backward());
        let value = f64::from(to_vec(objective)[0]);
        assert_close(&format!("objective of {}", golden.name), &[value], &[golden.objective], f64::abs);

        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, golden.gradients.iter().map(|(name, _)| *name).collect::<Vec<_>>(), "{}", golden.name);
        for ((name, gradient), (_, expected)) in found.iter().zip(golden.gradients) {
            let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
            let projection = (0..).zip(gradient).map(|(j, g)| g * (1.0 + f64::from(j)).sin()).sum();
            let what = format!("gradient of {name} in {}", golden.name);
            assert_close(&what, &[norm, projection], expected, |_| expected[0]);
        }
    }
}

#[test]
fn ten_steps_of_every_rule_are_pytorchs() {
    for (config, golden) in models(3).iter().zip(&MODELS) {
        assert_eq!(golden.curves.len(), 8, "{}", golden.name);
        for (name, expected) in golden.curves {
            let (rule, rate, clip) = rule(name);
            let found = curve(sine_model(config, 3.25), &golden_samples(), solver(rule, clip, REGULARIZATION), rate);
            assert_close(&format!("{name} on {}", golden.name), &found, expected, f64::abs);
        }
    }
}

const TOY: [f64; 10] = [
    8.18934849, 8.11071588, 8.0343784, 7.96034998, 7.88864116, 7.81925895, 7.75220665, 7.68748374, 7.62508568,
    7.56500383,
];

const LOSSES: [GoldenLoss; 6] = [
    GoldenLoss {
        name: "squared",
        values: [2.28807093, 0.633024596, 16.8545056, 0.544121993, 14.9915373, 3.25604498, 1.81325979, 0.0382606786],
        gradients: [-3.02527416, 1.59125686, 8.21084785, 1.4752925, -7.74378133, -3.60890287, 2.69314671, -0.391206741],
    },
    GoldenLoss {
        name: "absolute",
        values: [1.51263708, 0.795628428, 4.10542393, 0.737646252, 3.87189066, 1.80445144, 1.34657335, 0.195603371],
        gradients: [-1.0, 1.0, 1.0, 1.0, -1.0, -1.0, 1.0, -1.0],
    },
    GoldenLoss {
        name: "huber",
        values: [0.813845955, 0.3119399, 2.62879675, 0.271352376, 2.46532346, 1.01811601, 0.697601347, 0.0191303393],
        gradients: [-0.7, 0.7, 0.7, 0.7, -0.7, -0.7, 0.7, -0.195603371],
    },
    GoldenLoss {
        name: "quantile",
        values: [0.302527416, 0.636502743, 3.28433914, 0.590117002, 0.774378133, 0.360890287, 1.07725868, 0.0391206741],
        gradients: [-0.2, 0.8, 0.8, 0.8, -0.2, -0.2, 0.8, -0.2],
    },
    GoldenLoss {
        name: "logistic",
        values: [0.487520445, 0.677838528, 1.84839175, 0.728778508, 1.59983571, 1.04914719, 0.298459619, 0.638889063],
        gradients: [
            -0.277131645,
            0.15208166,
            0.824754801,
            0.161176566,
            -0.797544195,
            -0.342413769,
            0.239071953,
            -0.0128179026,
        ],
    },
    GoldenLoss {
        name: "poisson",
        values: [1.80586632, 0.857752822, 3.89407062, 0.197136936, 3.00376959, 0.1363774, 3.63652816, 1.2415847],
        gradients: [1.80586632, 3.44998731, 4.62048935, -2.67390305, -1.74729495, 0.1363774, -2.66758499, 0.864667396],
    },
];

const MODELS: [GoldenModel; 6] = [
    GoldenModel {
        name: "mf",
        scores: [
            -0.997532254,
            0.921591374,
            1.31877793,
            -0.31817449,
            0.0709084651,
            -1.00526907,
            1.3187906,
            0.579037078,
            0.928004954,
            -1.01339808,
            -0.655557743,
            -0.249583876,
        ],
        objective: 13.0370208,
        gradients: &[("user_factors", [1.58953555, -1.44784368]), ("item_factors", [1.83550951, -0.517705537])],
        curves: &[
            (
                "adam",
                [
                    13.0370208, 12.5202227, 12.0450213, 11.600789, 11.1783209, 10.766616, 10.3572745, 9.94447063,
                    9.52372571, 9.09174909, 8.64681302,
                ],
            ),
            (
                "adamw",
                [
                    13.0370208, 12.5122425, 12.0377317, 11.6014165, 11.1926372, 10.7994146, 10.4127407, 10.0262666,
                    9.63502934, 9.23515344, 8.82425009,
                ],
            ),
            (
                "sgd",
                [
                    13.0370208, 12.9203286, 12.8082576, 12.7002965, 12.5959819, 12.494893, 12.3966462, 12.3008907,
                    12.207305, 12.1155936, 12.025484,
                ],
            ),
            (
                "momentum",
                [
                    13.0370208, 12.9203286, 12.7073585, 12.4216665, 12.0855506, 11.7167314, 11.3265408, 10.9195472,
                    10.4942909, 10.0447749, 9.56245353,
                ],
            ),
            (
                "adagrad",
                [
                    13.0370208, 12.0532009, 11.4416052, 10.9188793, 10.4306968, 9.96167399, 9.50710576, 9.06600786,
                    8.63866736, 8.22562485, 7.82729909,
                ],
            ),
            (
                "clip-value",
                [
                    13.0370208, 12.9830852, 12.9296631, 12.8767237, 12.8242382, 12.7721791, 12.7205203, 12.6692373,
                    12.618307, 12.5677076, 12.5174183,
                ],
            ),
            (
                "clip-norm",
                [
                    13.0370208, 12.9646446, 12.893172, 12.8225608, 12.7527691, 12.6837545, 12.6154748, 12.5478875,
                    12.4809505, 12.4146214, 12.3488583,
                ],
            ),
            (
                "clip-both",
                [
                    13.0370208, 13.005613, 12.9742818, 12.943038, 12.9118921, 12.8808541, 12.8499336, 12.8191398,
                    12.7884812, 12.7579656, 12.7276004,
                ],
            ),
        ],
    },
    GoldenModel {
        name: "biased-mf",
        scores: [
            2.54660755, 3.74982562, 5.45887609, 3.0143299, 4.64565084, 2.60004867, 4.16334085, 4.94214404, 5.66083715,
            1.29637176, 3.21959508, 4.27161291,
        ],
        objective: 4.53925759,
        gradients: &[
            ("user_factors", [1.40930156, -2.91419564]),
            ("item_factors", [1.30106909, -0.250779836]),
            ("user_biases", [1.0078469, -1.05784215]),
            ("item_biases", [1.38510246, 1.96983985]),
        ],
        curves: &[
            (
                "adam",
                [
                    4.53925759, 3.94787726, 3.45309058, 3.03634468, 2.67827065, 2.36580605, 2.09181074, 1.85181377,
                    1.64242933, 1.46084992, 1.30462047,
                ],
            ),
            (
                "adamw",
                [
                    4.53925759, 3.93242621, 3.43093567, 3.01281842, 2.65650646, 2.34782471, 2.07884897, 1.84435211,
                    1.64026042, 1.4631964, 1.3102797,
                ],
            ),
            (
                "sgd",
                [
                    4.53925759, 4.40863475, 4.28435064, 4.16596833, 4.05309029, 3.94535397, 3.84242797, 3.74400873,
                    3.64981759, 3.55959828, 3.47311465,
                ],
            ),
            (
                "momentum",
                [
                    4.53925759, 4.40863475, 4.17237575, 3.86091727, 3.50523177, 3.13311302, 2.76700182, 2.423225,
                    2.11226074, 1.8395892, 1.60676485,
                ],
            ),
            (
                "adagrad",
                [
                    4.53925759, 3.45174418, 2.92906289, 2.56507764, 2.28210214, 2.05096069, 1.85671231, 1.69035,
                    1.54588494, 1.41906919, 1.30675204,
                ],
            ),
            (
                "clip-value",
                [
                    4.53925759, 4.47564015, 4.41305353, 4.35149909, 4.29097468, 4.23147554, 4.17299471, 4.11550191,
                    4.05896858, 4.00336767, 3.9486835,
                ],
            ),
            (
                "clip-norm",
                [
                    4.53925759, 4.46266862, 4.38718812, 4.31280176, 4.23949543, 4.16725524, 4.09606748, 4.02591866,
                    3.95679546, 3.88868478, 3.82157368,
                ],
            ),
            (
                "clip-both",
                [
                    4.53925759, 4.50701184, 4.47502366, 4.44329214, 4.41181636, 4.3805529, 4.34949834, 4.31865585,
                    4.28802699, 4.25755241, 4.22723524,
                ],
            ),
        ],
    },
    GoldenModel {
        name: "nmf",
        scores: [
            5.74578586, 5.36180883, 7.59616064, 4.29339658, 2.70518875, 5.79034964, 7.59623377, 3.33525369, 5.37412315,
            5.837173, 4.92682366, 2.27710287,
        ],
        objective: 7.13430055,
        gradients: &[("user_factors", [5.05565789, 3.00511632]), ("item_factors", [5.19081757, 2.16627234])],
        curves: &[
            (
                "adam",
                [
                    7.13430055, 5.72920221, 4.6221659, 3.76267097, 3.10009723, 2.59550101, 2.22010258, 1.9486898,
                    1.75415743, 1.61488879, 1.51552949,
                ],
            ),
            (
                "adamw",
                [
                    7.13430055, 5.5492817, 4.35180334, 3.46497402, 2.8183918, 2.36021946, 2.0496799, 1.85047909,
                    1.72704117, 1.64922591, 1.60166125,
                ],
            ),
            (
                "sgd",
                [
                    7.13430055, 6.14949161, 5.3885273, 4.79032848, 4.31293072, 3.92678487, 3.61063821, 3.34892007,
                    3.13003591, 2.94522675, 2.78779011,
                ],
            ),
            (
                "momentum",
                [
                    7.13430055, 6.14949161, 4.70351489, 3.35995262, 2.44509028, 2.00999875, 1.93835157, 2.05433498,
                    2.22619688, 2.36891485, 2.434862,
                ],
            ),
            (
                "adagrad",
                [
                    7.13430055, 4.62921998, 3.62788776, 3.03464801, 2.63741732, 2.35243512, 2.13817234, 1.97129259,
                    1.83757688, 1.72785139, 1.63604096,
                ],
            ),
            (
                "clip-value",
                [
                    7.13430055, 6.97925836, 6.82756022, 6.6791042, 6.53379824, 6.39156511, 6.25233928, 6.11606446,
                    5.98269937, 5.85221537, 5.72458847,
                ],
            ),
            (
                "clip-norm",
                [
                    7.13430055, 6.91976028, 6.71084577, 6.50747968, 6.30958474, 6.11708376, 5.92989962, 5.74795519,
                    5.57117338, 5.39947707, 5.23278908,
                ],
            ),
            (
                "clip-both",
                [
                    7.13430055, 7.04305939, 6.9524043, 6.86237925, 6.77312021, 6.68474266, 6.59734211, 6.51099541,
                    6.42576243, 6.34168806, 6.25880426,
                ],
            ),
        ],
    },
    GoldenModel {
        name: "gmf",
        scores: [
            3.85840155, 4.3843551, 3.91107038, 4.37003484, 3.90175886, 3.86752605, 3.91591281, 3.88086499, 4.38442786,
            3.862803, 4.36646652, 3.89328145,
        ],
        objective: 2.77688354,
        gradients: &[
            ("user_factors", [0.40320037, 0.031037083]),
            ("item_factors", [0.369381819, 0.0871917638]),
            ("output.weight", [0.353744609, 0.00201881819]),
            ("output.bias", [1.56089424, 1.31344722]),
        ],
        curves: &[
            (
                "adam",
                [
                    2.77688354, 2.59948816, 2.44688198, 2.31246091, 2.18915335, 2.06974433, 1.94808199, 1.82018944,
                    1.68485289, 1.54266136, 1.39504451,
                ],
            ),
            (
                "adamw",
                [
                    2.77688354, 2.5967939, 2.44393665, 2.31102783, 2.190368, 2.07439383, 1.95706651, 1.83483039,
                    1.70650284, 1.57244043, 1.4335335,
                ],
            ),
            (
                "sgd",
                [
                    2.77688354, 2.72075264, 2.66877045, 2.62061172, 2.5759773, 2.53459197, 2.49620252, 2.46057591,
                    2.42749764, 2.39677022, 2.36821182,
                ],
            ),
            (
                "momentum",
                [
                    2.77688354, 2.72075264, 2.62196179, 2.49790071, 2.36650081, 2.24344052, 2.14024718, 2.06340432,
                    2.01439425, 1.99047817, 1.98594594,
                ],
            ),
            (
                "adagrad",
                [
                    2.77688354,
                    2.45024296,
                    2.2727198,
                    2.12289498,
                    1.96523985,
                    1.79167295,
                    1.60986027,
                    1.42958915,
                    1.25841676,
                    1.10139845,
                    0.961558056,
                ],
            ),
            (
                "clip-value",
                [
                    2.77688354, 2.7582148, 2.73984407, 2.72176097, 2.70396038, 2.68643374, 2.66917696, 2.65217962,
                    2.63543149, 2.61892457, 2.60265609,
                ],
            ),
            (
                "clip-norm",
                [
                    2.77688354, 2.72699362, 2.67879729, 2.63228691, 2.58745424, 2.54429045, 2.50278596, 2.46293035,
                    2.4247123, 2.38811937, 2.3531379,
                ],
            ),
            (
                "clip-both",
                [
                    2.77688354, 2.76322141, 2.74972111, 2.73638279, 2.72320634, 2.71018096, 2.69730617, 2.68458002,
                    2.67199485, 2.65955286, 2.64725578,
                ],
            ),
        ],
    },
    GoldenModel {
        name: "mlp",
        scores: [
            3.08002993, 2.63342226, 2.82729894, 3.39675891, 2.65689093, 3.08430369, 2.82853252, 2.97361991, 2.63137346,
            3.08553727, 2.60633044, 2.842255,
        ],
        objective: 2.48001645,
        gradients: &[
            ("user_factors", [0.580422478, -0.00176522322]),
            ("item_factors", [0.463937694, 0.0760341493]),
            ("hidden.0.weight", [0.537114717, -0.00616047209]),
            ("hidden.0.bias", [0.373345368, 0.459016669]),
            ("hidden.1.weight", [1.01819031, -0.455117474]),
            ("hidden.1.bias", [0.235522245, -0.282095699]),
            ("output.weight", [0.750924103, -0.547344792]),
            ("output.bias", [0.76419745, -0.643049981]),
        ],
        curves: &[
            (
                "adam",
                [
                    2.48001645, 2.14910284, 1.94252912, 1.77029585, 1.62894901, 1.54960738, 1.47541298, 1.42827736,
                    1.38078086, 1.32917177, 1.27866707,
                ],
            ),
            (
                "adamw",
                [
                    2.48001645, 2.14352676, 1.93846971, 1.77325188, 1.64541082, 1.55857548, 1.48376424, 1.4353456,
                    1.3806098, 1.31861697, 1.27132364,
                ],
            ),
            (
                "sgd",
                [
                    2.48001645, 2.42242053, 2.38397584, 2.35423544, 2.31882354, 2.28812712, 2.25996425, 2.2334368,
                    2.208108, 2.18371793, 2.16159064,
                ],
            ),
            (
                "momentum",
                [
                    2.48001645, 2.42242053, 2.35112113, 2.28389421, 2.21348708, 2.1286951, 2.01759767, 1.91505483,
                    1.84826097, 1.78549666, 1.71384891,
                ],
            ),
            (
                "adagrad",
                [
                    2.48001645, 2.391361, 2.20927405, 1.65535601, 1.52073548, 1.42664722, 1.45129456, 1.38002861,
                    1.28549956, 1.27263338, 1.16840875,
                ],
            ),
            (
                "clip-value",
                [
                    2.48001645, 2.43045888, 2.38530538, 2.33240737, 2.28702014, 2.24579068, 2.2084568, 2.17191981,
                    2.12603326, 2.08600246, 2.05153079,
                ],
            ),
            (
                "clip-norm",
                [
                    2.48001645, 2.43092916, 2.38973083, 2.35364089, 2.31487724, 2.27861422, 2.24384466, 2.21012899,
                    2.17723022, 2.15001558, 2.12419653,
                ],
            ),
            (
                "clip-both",
                [
                    2.48001645, 2.45969173, 2.44009896, 2.42118212, 2.40290484, 2.38527423, 2.36349333, 2.3419369,
                    2.32318574, 2.30519404, 2.28793581,
                ],
            ),
        ],
    },
    GoldenModel {
        name: "neumf",
        scores: [
            2.75820216, 4.16074982, 4.29510254, 3.37642725, 3.50632482, 2.75558261, 4.29741512, 3.76877638, 4.16422521,
            2.74919935, 3.14386605, 3.28342087,
        ],
        objective: 2.64818738,
        gradients: &[
            ("gmf_user_factors", [0.700903157, -1.48496218]),
            ("gmf_item_factors", [0.711815878, -0.571968371]),
            ("mlp_user_factors", [0.071636373, -0.0103141286]),
            ("mlp_item_factors", [0.0496636413, 0.0411569461]),
            ("hidden.0.weight", [0.143003693, -0.0178461524]),
            ("hidden.0.bias", [0.0092391348, 0.00919135742]),
            ("hidden.1.weight", [0.0580165765, 0.0410560251]),
            ("hidden.1.bias", [0.00874624697, -0.00795293987]),
            ("output.weight", [0.720353616, 0.640892183]),
            ("output.bias", [0.504625705, 0.424627889]),
        ],
        curves: &[
            (
                "adam",
                [
                    2.64818738, 2.3748894, 2.16243558, 2.01059456, 1.88177694, 1.76722905, 1.65457344, 1.54500129,
                    1.43230976, 1.30138098, 1.15887704,
                ],
            ),
            (
                "adamw",
                [
                    2.64818738, 2.36532601, 2.15045606, 2.00041811, 1.87676017, 1.76795489, 1.66565733, 1.56203683,
                    1.44497921, 1.3174032, 1.18034367,
                ],
            ),
            (
                "sgd",
                [
                    2.64818738, 2.61275473, 2.5797184, 2.54885006, 2.51994747, 2.49283098, 2.46734051, 2.44333306,
                    2.4206805, 2.3992678, 2.3789914,
                ],
            ),
            (
                "momentum",
                [
                    2.64818738, 2.61275473, 2.54994833, 2.46977973, 2.38207463, 2.29494647, 2.21404567, 2.14247929,
                    2.08116992, 2.03241366, 1.99252675,
                ],
            ),
            (
                "adagrad",
                [
                    2.64818738,
                    2.18021955,
                    1.96586859,
                    1.76087611,
                    1.86357536,
                    1.50692834,
                    1.34073414,
                    1.15060635,
                    1.0131875,
                    0.962991062,
                    0.933150452,
                ],
            ),
            (
                "clip-value",
                [
                    2.64818738, 2.61690056, 2.58657191, 2.55707668, 2.52831354, 2.50020305, 2.47267309, 2.4456691,
                    2.41917731, 2.39315826, 2.36757806,
                ],
            ),
            (
                "clip-norm",
                [
                    2.64818738, 2.60868807, 2.57071988, 2.53422945, 2.49916333, 2.46546783, 2.43308898, 2.40197244,
                    2.37206336, 2.34330638, 2.31564548,
                ],
            ),
            (
                "clip-both",
                [
                    2.64818738, 2.63290219, 2.6177643, 2.60277939, 2.58795303, 2.57329097, 2.55879767, 2.5444751,
                    2.53032185, 2.51633971, 2.50252966,
                ],
            ),
        ],
    },
];

const TOUCHED: [(&str, [f64; 11]); 2] = [
    (
        "mf",
        [
            13.0370208, 12.8664865, 12.8071544, 12.7979468, 12.6094612, 12.4391381, 12.2925439, 12.1833745, 11.995983,
            11.8336626, 11.6817645,
        ],
    ),
    (
        "biased-mf",
        [
            4.53925759, 4.33447868, 4.04497833, 3.77464605, 3.59380435, 3.42740961, 3.21015582, 2.99576391, 2.85372691,
            2.73027011, 2.56275901,
        ],
    ),
];
