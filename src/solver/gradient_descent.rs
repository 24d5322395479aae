//! Mini-batch gradient descent in configs: named by its update rule.

use super::gradient::{Clip, GradientStep, UpdatedRows};
use super::learning_rate::LearningRate;
use super::mini_batch::MiniBatch;
use super::optimizer::Optimizer;
use super::part::{Footprint, Misfit, ModelSize, OF_A_STEP, Setup, SolverPart, gradient_remedies};
use super::regularization::Regularization;
use super::rule::UpdateRule;
use super::solve::Solver;
use crate::config::{Key, KeyKind, Keys, Problem, Values};
use crate::data::Features;
use crate::error::Result;
use crate::linalg::Lane;
use crate::model::{Fm, ModelKind, ModelPart};

/// Copies of the values that an interaction passes through the layers: forward, and their slopes backward.
const THROUGH_LAYERS: usize = 2;

/// Mini-batches with one update rule: any model, any objective, any device. See [`MiniBatch`].
#[derive(Debug, Clone, Copy)]
pub struct GradientDescent {
    name: &'static str,
    keys: fn() -> Keys,
    rule: fn(&Values) -> UpdateRule,
}

impl GradientDescent {
    /// Adam (Kingma & Ba 2015): a step divides the decayed mean of the gradients by the root of the decayed mean of their
    /// squares, both corrected for their start at 0. With PyTorch's formula and defaults.
    pub const ADAM: Self = Self { name: "adam", keys: UpdateRule::adam_keys, rule: UpdateRule::adam_of };
    /// Adam with decoupled weight decay (Loshchilov & Hutter 2019): before each step, factors and weights, never biases,
    /// shrink by the learning rate times the decay.
    pub const ADAMW: Self = Self { name: "adamw", keys: adamw_keys, rule: UpdateRule::adam_of };
    /// Stochastic gradient descent with momentum μ: v ← μv + g, θ ← θ − ηv.
    pub const SGD: Self = Self { name: "sgd", keys: UpdateRule::sgd_keys, rule: UpdateRule::sgd_of };
    /// AdaGrad (Duchi, Hazan & Singer 2011): s ← s + g², θ ← θ − ηg / (√s + ε).
    pub const ADAGRAD: Self = Self { name: "adagrad", keys: UpdateRule::adagrad_keys, rule: UpdateRule::adagrad_of };
}

/// Whether steps of the model are written out rather than found by autodiff, on the CPU.
fn is_written_out(values: &Values) -> bool {
    values.is("model.kind", Fm::NAME)
        && values.get::<UpdatedRows>("solver.rows") == UpdatedRows::Touched
        && !values.contains("solver.clip_norm")
        && Features::key(values).is_none()
}

fn adamw_keys() -> Keys {
    UpdateRule::adamw_keys().default_for("solver.rows", "'all'").rule(check_decay)
}

fn check_decay(values: &Values) -> Vec<Problem> {
    if !values.is("solver.rows", UpdatedRows::Touched.name()) {
        return Vec::new();
    }
    let message = "solver.kind = \"adamw\" decays every row at every step, which solver.rows = \"touched\" does not visit; \
                   use \"adam\" with solver.regularization, or rows = \"all\"";
    vec![Problem::new(["solver.rows", "solver.kind"], message)]
}

impl SolverPart for GradientDescent {
    fn name(&self) -> &str {
        self.name
    }

    fn keys(&self, models: &[ModelKind]) -> Keys {
        let rows = "Rows of a table that a step updates, with their moments: \"touched\" by the batch, or \"all\", \
                    which costs as much as the table.";
        let norm = "Largest joint norm of all gradients.";
        Keys::new([Key::new("solver.rows", KeyKind::choice(UpdatedRows::NAMES.to_vec()), rows).default("'touched'")])
            .and(LearningRate::rate_key())
            .and(Keys::new([
                Key::new("solver.batch_size", KeyKind::ANY_COUNT, "Ratings in a step; 0 takes all ratings.")
                    .default("1024"),
                Key::new("solver.clip_norm", KeyKind::POSITIVE, norm),
                Key::new("solver.clip_value", KeyKind::POSITIVE, "Largest magnitude of each gradient element."),
            ]))
            .and(Regularization::factor_keys())
            .and(Regularization::bias_keys(models))
            .and(Regularization::layer_keys(models))
            .and(LearningRate::schedule_keys())
            .and((self.keys)())
    }

    fn build(&self, values: &Values, setup: &Setup) -> Result<Box<dyn Solver>> {
        let step = GradientStep {
            objective: setup.objective.clone(),
            regularization: Regularization::of_config(values),
            clip: Clip { value: values.find("solver.clip_value"), norm: values.find("solver.clip_norm") },
            rows: values.get("solver.rows"),
            optimizer: Optimizer::new((self.rule)(values)),
        };
        let batch_size = values.get("solver.batch_size");
        let solver = MiniBatch::new(step, batch_size, LearningRate::of(values), setup.seed, setup.device);
        let shares =
            Features::of(values).into_iter().map(|features| (features.role.field(), features.identity_dropout));
        Ok(Box::new(solver.with_identity_dropout(shares.collect())))
    }

    fn takes_features(&self) -> bool {
        true
    }

    fn footprint(&self, values: &Values, size: &ModelSize) -> Footprint {
        let ModelSize { train, parameters, largest, of_an_interaction, passing, .. } = *size;
        let batch_size: usize = values.get("solver.batch_size");
        let batch = if batch_size == 0 { train } else { batch_size.min(train) };
        // Each candidate is scored, too; what users have not met lasts.
        let candidates = values.find::<usize>("loss.negatives");
        let (scores, unseen) = (1 + candidates.unwrap_or(0), if candidates.is_some() { 3 * train } else { 0 });
        let touched = (batch * scores * of_an_interaction).min(parameters);
        let gradients = match values.get("solver.rows") {
            // All gradients, and two more copies of the largest while it is updated.
            UpdatedRows::All => parameters + 2 * largest,
            UpdatedRows::Touched => 2 * touched,
        };
        // The new order of the interactions is drawn beside the old one.
        let in_step = (gradients + batch * scores * (OF_A_STEP + THROUGH_LAYERS * passing)).max(train);
        let of_each = (self.rule)(values).moment_names().len();
        if is_written_out(values) {
            // Rows of a layout of its own, padded to whole lanes.
            let rank: usize = values.get("model.rank");
            let padded = parameters * Lane::count(rank) * Lane::WIDTH / rank;
            return Footprint { copies: padded, moments: of_each * padded, lasting: train, in_step };
        }
        Footprint { copies: 0, moments: of_each * parameters, lasting: train + unseen, in_step }
    }

    fn remedies(&self, _: &Values, misfit: Misfit) -> Vec<&'static str> {
        gradient_remedies(misfit)
    }

    fn memory_remedies(&self, values: &Values) -> Vec<&'static str> {
        let mut remedies = Vec::new();
        if values.get::<UpdatedRows>("solver.rows") == UpdatedRows::All {
            remedies.push("set solver.rows = \"touched\"");
        }
        remedies.push("take a smaller solver.batch_size");
        remedies
    }
}
