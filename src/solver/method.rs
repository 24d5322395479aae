//! The solvers that a config can choose from: their keys, and what they make of the values.

use super::als::{AlsConfig, Feedback, Inner};
use super::gradient::{Clip, Rows};
use super::regularization::Regularization;
use super::rule::Rule;
use super::schedule::Schedule;
use super::stratified::RowRule;
use super::whole_matrix::MatrixMethod;
use crate::config::words::joined;
use crate::config::{Choice, Key, KeyKind, Keys, Problem, Values, is};
use crate::model::{Constraint, Declaration, Declared, names_where};

/// How parameters are found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    /// Mini-batches, by autodiff: any model, any device. See [`MiniBatch`](super::MiniBatch).
    MiniBatch(Gradient),
    /// One rating at a time, in parallel blocks, on the CPU: models that are a dot product. See
    /// [`Stratified`](super::Stratified).
    Stratified(RowRule),
    /// Row after row, each solved for, on the CPU: models that are a dot product, squared loss. See [`Als`](super::Als).
    Als(AlsConfig),
    /// The ratings as one matrix, on the CPU: models that are a dot product, squared loss. See
    /// [`WholeMatrix`](super::WholeMatrix).
    WholeMatrix(MatrixMethod),
}

/// Settings of mini-batch gradient descent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gradient {
    /// Ratings a step; 0 for all of them.
    pub batch_size: usize,
    /// Which rows of a table a step updates.
    pub rows: Rows,
    /// Update rule.
    pub rule: Rule,
    /// Limits on gradients.
    pub clip: Clip,
}

impl Default for Gradient {
    /// Adam on batches of 1024, touched rows, no limits.
    fn default() -> Self {
        let rule = Rule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 };
        Self { batch_size: 1024, rows: Rows::default(), rule, clip: Clip::default() }
    }
}

impl Gradient {
    /// The config keys of mini-batches, whatever the rule.
    fn keys(models: &Declared) -> Keys {
        let rows = "Rows of a table that a step updates, with their moments: those of the batch, or all, which costs the \
                    table.";
        let norm = "Largest norm of the gradient of all parameters together.";
        Keys::new([
            Key::new("solver.rows", KeyKind::choice(Rows::NAMES.to_vec()), rows).default("'touched'"),
            learning_rate_key(),
            Key::new("solver.batch_size", KeyKind::ANY_COUNT, "Ratings in a step; 0 takes all of them.")
                .default("1024"),
            Key::new("solver.clip_norm", KeyKind::POSITIVE, norm),
            Key::new("solver.clip_value", KeyKind::POSITIVE, "Largest magnitude of each element of the gradient."),
        ])
        .and(Regularization::factor_keys())
        .and(Regularization::bias_keys(models))
        .and(Regularization::layer_keys(models))
        .and(Schedule::keys())
    }

    /// The settings that a config asks for, with this rule.
    fn of(values: &Values, rule: Rule) -> Self {
        let clip = Clip { value: values.find("solver.clip_value"), norm: values.find("solver.clip_norm") };
        Self { batch_size: values.get("solver.batch_size"), rows: values.get("solver.rows"), rule, clip }
    }
}

/// `solver.learning_rate`.
fn learning_rate_key() -> Key {
    use std::ops::Bound;
    let kind = KeyKind::Float(Bound::Excluded(0.0), Bound::Included(1000.0));
    Key::new("solver.learning_rate", kind, "Size of a step, before the schedule.").default("0.001")
}

impl Method {
    /// The config keys of solvers, for these models.
    pub fn keys(models: &Declared) -> Keys {
        let mini_batch = || Gradient::keys(models);
        let stratified = Keys::new([learning_rate_key()])
            .and(RowRule::keys())
            .and(Regularization::factor_keys())
            .and(Regularization::bias_keys(models))
            .and(Schedule::keys())
            .default_for_if("solver.learning_rate", is("solver.rule", ["adagrad"]), "0.05")
            .rule(needs_dot_product(models));
        let als = AlsConfig::keys(&names_where(models, |model| model.constraint == Constraint::NonNegative))
            .and(Regularization::factor_keys())
            .and(Regularization::bias_keys(models))
            .rule(needs_dot_product(models))
            .rule(check_squared)
            .rule(AlsConfig::rule(models));
        let svd =
            MatrixMethod::svd_keys().default_for("train.epochs", "1").rule(needs_signs(models)).rule(check_squared);
        let nmf = |keys: Keys, epochs: &str| {
            MatrixMethod::nmf_keys()
                .and(keys)
                .and(Regularization::factor_keys())
                .default_for("solver.regularization.<entity>_factors", "0.0")
                .default_for("train.epochs", epochs)
                .rule(needs_bounds(models))
                .rule(check_squared)
        };
        let choice = Choice::new("solver.kind", "What moves the parameters.")
            .with(|key| key.default("'adam'"))
            .part("adam", mini_batch().and(Rule::adam_keys()))
            .part("adamw", mini_batch().and(Rule::adamw_keys()).default_for("solver.rows", "'all'").rule(check_decay))
            .part("sgd", mini_batch().and(Rule::sgd_keys()))
            .part("adagrad", mini_batch().and(Rule::adagrad_keys()))
            .part("stratified", stratified)
            .part("als", als)
            .part("svd", svd)
            .part("hals", nmf(Keys::default(), "200"))
            .part("multiplicative", nmf(MatrixMethod::divergence_keys(), "20"));
        choice.into()
    }

    /// The solver that a config asks for.
    pub fn of(values: &Values) -> Self {
        let mini_batch = |rule| Self::MiniBatch(Gradient::of(values, rule));
        match values.get::<String>("solver.kind").as_str() {
            "adam" | "adamw" => mini_batch(Rule::adam_of(values)),
            "sgd" => mini_batch(Rule::sgd_of(values)),
            "adagrad" => mini_batch(Rule::adagrad_of(values)),
            "stratified" => Self::Stratified(RowRule::of(values)),
            "als" => Self::Als(AlsConfig::of(values)),
            "svd" => Self::WholeMatrix(MatrixMethod::svd_of(values)),
            "hals" => Self::WholeMatrix(MatrixMethod::hals_of(values)),
            "multiplicative" => Self::WholeMatrix(MatrixMethod::multiplicative_of(values)),
            other => unreachable!("{other} is none of the choices"),
        }
    }

    /// Whether steps have a length, which the learning rate decides.
    pub fn has_learning_rate(self) -> bool {
        matches!(self, Self::MiniBatch(_) | Self::Stratified(_))
    }

    /// What ratings must be, where the solver has no meaning for `rating`.
    pub fn refuses(self, rating: f32) -> Option<&'static str> {
        match self {
            Self::WholeMatrix(MatrixMethod::Nmf { .. }) if rating < 0.0 => {
                Some("nmf makes sums of what is at least 0; use mf with svd or als")
            }
            Self::Als(AlsConfig { feedback, .. }) => feedback.refuses(rating),
            _ => None,
        }
    }
}

/// The names of solver and model, for messages.
fn kinds(values: &Values) -> (String, String) {
    (values.get("solver.kind"), values.get("model.kind"))
}

/// A rule that the model is one of those for which `is_fit` holds, or the message.
fn needs_model(
    models: &Declared,
    is_fit: impl Fn(Declaration) -> bool,
    message: impl Fn(&[String], &str, &str) -> String + Send + Sync + 'static,
) -> impl Fn(&Values) -> Vec<Problem> + Send + Sync + 'static {
    let fit = names_where(models, is_fit);
    move |values| {
        let (solver, model) = kinds(values);
        let problem = || Problem::new(["solver.kind", "model.kind"], message(&fit, &solver, &model));
        (!fit.contains(&model)).then(problem).into_iter().collect()
    }
}

fn needs_dot_product(models: &Declared) -> impl Fn(&Values) -> Vec<Problem> + Send + Sync + 'static {
    needs_model(
        models,
        |model| model.is_dot_product,
        |fit, solver, model| {
            let fit = joined(fit, "and");
            format!(
                "solver.kind = {solver:?} is for {fit}, whose score is a dot product, but model.kind is {model:?}; use \
                 \"adam\""
            )
        },
    )
}

/// A singular value decomposition has numbers of both signs.
fn needs_signs(models: &Declared) -> impl Fn(&Values) -> Vec<Problem> + Send + Sync + 'static {
    let is_fit = |model: Declaration| model.is_dot_product && model.constraint == Constraint::None;
    let centred = names_where(models, |model| is_fit(model) && model.has_biases);
    needs_model(models, is_fit, move |fit, _, model| {
        let plain: Vec<&String> = fit.iter().filter(|name| !centred.contains(name)).collect();
        let (plain, centred) = (joined(&plain, "and"), joined(&centred, "and"));
        format!(
            "solver.kind = \"svd\" is for {plain} and, with column means subtracted, {centred}, but model.kind is {model:?}"
        )
    })
}

fn needs_bounds(models: &Declared) -> impl Fn(&Values) -> Vec<Problem> + Send + Sync + 'static {
    let is_fit =
        |model: Declaration| model.is_dot_product && model.constraint == Constraint::NonNegative && !model.has_biases;
    needs_model(models, is_fit, |fit, solver, model| {
        let fit = joined(fit, "and");
        format!("solver.kind = {solver:?} is for {fit}, whose factors are at least 0, but model.kind is {model:?}")
    })
}

/// Solvers in closed form minimize squares.
fn check_squared(values: &Values) -> Vec<Problem> {
    if values.is("loss.kind", "squared") {
        return Vec::new();
    }
    let (solver, loss): (String, String) = (values.get("solver.kind"), values.get("loss.kind"));
    let message = format!(
        "solver.kind = {solver:?} is for squared loss, but loss.kind is {loss:?}; use \"squared\", or another solver"
    );
    vec![Problem::new(["solver.kind", "loss.kind"], message)]
}

fn check_decay(values: &Values) -> Vec<Problem> {
    if !values.is("solver.rows", Rows::Touched.name()) {
        return Vec::new();
    }
    let message = "solver.kind = \"adamw\" decays every row at every step, which solver.rows = \"touched\" does not visit; \
                   use \"adam\" with solver.regularization, or rows = \"all\"";
    vec![Problem::new(["solver.rows", "solver.kind"], message)]
}

impl AlsConfig {
    /// The config keys of ALS; `bounded` are the models whose factors are at least 0.
    fn keys(bounded: &[String]) -> Keys {
        let feedback = "What ratings are: \"explicit\" opinions, of which others are unknown; or \"implicit\" signs of a \
                        preference, where having none is a weak sign against. Scores are then preferences near 0 to 1, and \
                        RMSE and MAE have a meaning only where ratings are 0 and 1.";
        let alpha = "How much surer a rating is than no rating: confidence is 1 + confidence_alpha * rating.";
        let alpha = Key::new("solver.confidence_alpha", KeyKind::NOT_NEGATIVE, alpha).default("1.0");
        let feedback = Choice::new("solver.feedback", feedback)
            .with(|key| key.default("'explicit'"))
            .part("explicit", [])
            .part("implicit", alpha);
        let steps = || {
            let meaning = "Steps of conjugate gradients, or most rounds of coordinate descent, for each system.";
            Key::new("solver.inner_steps", KeyKind::AT_LEAST_ONE, meaning)
                .default("10")
                .default_if(is("solver.inner", ["conjugate-gradient"]), "3")
        };
        let inner = format!(
            "How the linear system of each user and item is solved; {} needs \"coordinate-descent\".",
            joined(bounded, "and")
        );
        let inner = Choice::new("solver.inner", &inner)
            .with(|key| {
                key.default("'cholesky'")
                    .default_if(is("model.kind", bounded.to_vec()), "'coordinate-descent'")
                    .default_if(is("solver.feedback", ["implicit"]), "'conjugate-gradient'")
            })
            .part("cholesky", [])
            .part("conjugate-gradient", steps())
            .part("coordinate-descent", steps());
        let exponent =
            "A user or item with n ratings is penalized n to this power times: 1 is once a rating, 0 once in all.";
        use std::ops::Bound;
        let exponent = Key::new(
            "solver.regularization.count_exponent",
            KeyKind::Float(Bound::Included(0.0), Bound::Included(1.0)),
            exponent,
        )
        .default("1.0")
        .default_if(is("solver.feedback", ["implicit"]), "0.0");
        Keys::from(feedback).and(inner).and(exponent).default_for_if(
            "evaluation.clip",
            is("solver.feedback", ["implicit"]),
            "false",
        )
    }

    /// What does not go with the model.
    fn rule(models: &Declared) -> impl Fn(&Values) -> Vec<Problem> + Send + Sync + 'static {
        let biased = names_where(models, |model| model.is_dot_product && model.has_biases);
        let bounded = names_where(models, |model| model.constraint == Constraint::NonNegative);
        move |values| {
            let (_, model) = kinds(values);
            let mut problems = Vec::new();
            if values.is("solver.feedback", "implicit") && biased.contains(&model) {
                let message = format!(
                    "solver.feedback = \"implicit\" is for models without biases, but model.kind is {model:?}; use \"mf\""
                );
                problems.push(Problem::new(["solver.feedback", "model.kind"], message));
            }
            let inner: String = values.get("solver.inner");
            if bounded.contains(&model) && inner != "coordinate-descent" {
                let message = format!(
                    "solver.inner = {inner:?} knows no bounds, but the factors of {model} are at least 0; use \
                     \"coordinate-descent\""
                );
                problems.push(Problem::new(["solver.inner", "model.kind"], message));
            }
            problems
        }
    }

    /// The settings that a config asks for.
    fn of(values: &Values) -> Self {
        let feedback = match values.get::<String>("solver.feedback").as_str() {
            "implicit" => Feedback::Implicit { confidence_alpha: values.get("solver.confidence_alpha") },
            _ => Feedback::Explicit,
        };
        let inner = match values.get::<String>("solver.inner").as_str() {
            "conjugate-gradient" => Inner::ConjugateGradient { steps: values.get("solver.inner_steps") },
            "coordinate-descent" => Inner::CoordinateDescent { sweeps: values.get("solver.inner_steps") },
            _ => Inner::Cholesky,
        };
        Self { feedback, inner, count_exponent: values.get("solver.regularization.count_exponent") }
    }
}
