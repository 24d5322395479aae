//! What ratings mean to ALS, and how it solves its systems.

use std::ops::Bound;

use super::confidence::Confidence;
use crate::config::words::joined;
use crate::config::{Choice, Key, KeyKind, Keys, Problem, Values, is};
use crate::data::Interactions;
use crate::data::split::SplitSpec;
use crate::model::{Constraint, ModelKind, names_where};
use crate::objective::LIST_METRICS;
use crate::solver::regularization::Regularization;

/// The key of the transform of counts.
pub(super) const CONFIDENCE: &str = "solver.confidence";
/// Its value that leaves it to the validation part.
pub(super) const AUTO: &str = "auto";

/// What ratings say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Feedback {
    /// How much a user likes an item; what is not there is unknown.
    Explicit,
    /// How sure it is that a user likes an item; what is not there is a weak sign of dislike.
    Implicit {
        /// α: confidence that a rating of 1 adds to the 1 of every cell. At least 0.
        confidence_alpha: f64,
    },
}

impl Feedback {
    /// What ratings must be, if this has no meaning for `rating`.
    pub fn refuses(self, rating: f32) -> Option<&'static str> {
        match self {
            Self::Implicit { .. } if rating < 0.0 => {
                Some("implicit feedback counts how often, from 0 up; use explicit feedback, or data.binarize")
            }
            _ => None,
        }
    }

    /// Weight and target of a rating in the equations; `offset` is what the score is before the dot product.
    pub(super) fn terms(self, rating: f32, offset: f32) -> (f32, f32) {
        match self {
            Self::Explicit => (1.0, rating - offset),
            // Every cell has weight 1 already, in the Gram matrix.
            Self::Implicit { confidence_alpha } => {
                let more = confidence_alpha as f32 * rating;
                (more, if rating > 0.0 { 1.0 + more } else { 0.0 })
            }
        }
    }
}

/// How the system of a row is solved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inner {
    /// Exactly, by Cholesky factorization. Where λ = 0 leaves many solutions, the shortest of them.
    Cholesky,
    /// Nearly, by steps of conjugate gradients from the present row (Takács, Pilászy & Tikk 2011): less work at high
    /// ranks.
    ConjugateGradient {
        /// Steps for each row.
        steps: usize,
    },
    /// Nearly, one unknown at a time from the present row, none below zero if the model says so: non-negative least
    /// squares.
    CoordinateDescent {
        /// Most rounds through the unknowns of each row.
        sweeps: usize,
    },
}

/// What ratings mean, and how systems are solved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AlsConfig {
    /// What ratings say.
    pub feedback: Feedback,
    /// How the system of a row is solved.
    pub inner: Inner,
    /// ν: λ counts nᵛ times for a row with n ratings.
    pub count_exponent: f64,
    /// t: what is counted of implicit feedback.
    pub confidence: Confidence,
}

impl AlsConfig {
    /// The config keys of ALS; `bounded` are the models whose factors are at least 0.
    pub(super) fn keys(bounded: &[String]) -> Keys {
        let feedback = "What ratings are: \"explicit\" opinions, of which others are unknown; or \"implicit\" signs of a \
                        preference, where having none is a weak sign against. Scores are then preferences near 0 to 1, and \
                        RMSE and MAE have a meaning only where ratings are 0 and 1.";
        let alpha = "How much surer a rating is than no rating: confidence is 1 + confidence_alpha * t.";
        let confidence = "t, what counts of a rating r: r itself (\"count\"), 1 (\"one\"), log2(1 + r) (\"log\"), or \"bm25\", by \
                          which users who met much and items that many met count less; \"auto\" trains with each, and keeps the \
                          one that the validation part says is best.";
        let implicit = [
            Key::new("solver.confidence_alpha", KeyKind::NOT_NEGATIVE, alpha).default("20.0"),
            Key::new(CONFIDENCE, KeyKind::choice([Confidence::NAMES, &[AUTO]].concat()), confidence).default("'log'"),
        ];
        let feedback = Choice::new("solver.feedback", feedback)
            .with(|key| key.default("'explicit'"))
            .part("explicit", [])
            .part("implicit", implicit);
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
        let exponent = "A user or item with n ratings is penalized n to this power times: 1 is once a rating, 0 once in all. For \
             explicit feedback, 1 if another key of this section is given or the model has no biases, else 0.5.";
        let exponent = Key::new(
            "solver.regularization.count_exponent",
            KeyKind::Float(Bound::Included(0.0), Bound::Included(1.0)),
            exponent,
        )
        .default_if(is("solver.feedback", ["implicit"]), "0.5");
        let implicit = || is("solver.feedback", ["implicit"]);
        // Preferences cannot be compared with counts, but they can be ranked.
        Keys::from(feedback)
            .and(inner)
            .and(exponent)
            .default_for_if("evaluation.clip", implicit(), "false")
            .default_for_if("evaluation.metrics", implicit(), LIST_METRICS)
            .default_for_if("train.early_stopping.metric", implicit(), "'ndcg@10'")
    }

    /// What does not go with the model.
    pub(super) fn rule(models: &[ModelKind]) -> impl Fn(&Values) -> Vec<Problem> + Send + Sync + 'static {
        let biased = names_where(models, |model| model.is_dot_product && model.has_biases);
        let bounded = names_where(models, |model| model.constraint == Constraint::NonNegative);
        move |values| {
            let model: String = values.get("model.kind");
            let mut problems = Vec::new();
            if values.is("solver.feedback", "implicit") && biased.contains(&model) {
                let message = format!(
                    "solver.feedback = \"implicit\" supports only models without biases, but model.kind is {model:?}; use \"mf\""
                );
                problems.push(Problem::new(["solver.feedback", "model.kind"], message));
            }
            let may_be_bm25 = [Confidence::Bm25.name(), AUTO].iter().any(|name| values.is(CONFIDENCE, name));
            if may_be_bm25 && values.is("data.split.kind", "new-users") {
                let message = "\"bm25\", which solver.confidence is or may become, weighs what was counted by the whole log, and cannot \
                               take in the users of data.split.kind = \"new-users\"; use \"log\" or another data.split.kind";
                problems.push(Problem::new([CONFIDENCE, "data.split.kind"], message));
            }
            if let Some(reason) = SplitSpec::without_validation(values).filter(|_| values.is(CONFIDENCE, AUTO)) {
                let message =
                    format!("{CONFIDENCE} = \"auto\" needs a validation part, but {reason}; name a transform");
                problems.push(Problem::new([CONFIDENCE], message));
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
    pub(super) fn of(values: &Values) -> Self {
        let feedback = match values.get::<String>("solver.feedback").as_str() {
            "implicit" => Feedback::Implicit { confidence_alpha: values.get("solver.confidence_alpha") },
            _ => Feedback::Explicit,
        };
        let inner = match values.get::<String>("solver.inner").as_str() {
            "conjugate-gradient" => Inner::ConjugateGradient { steps: values.get("solver.inner_steps") },
            "coordinate-descent" => Inner::CoordinateDescent { sweeps: values.get("solver.inner_steps") },
            _ => Inner::Cholesky,
        };
        Self {
            feedback,
            inner,
            count_exponent: values.find("solver.regularization.count_exponent").unwrap_or(1.0),
            confidence: values.find(CONFIDENCE).and_then(|name: String| Confidence::of_name(&name)).unwrap_or_default(),
        }
    }

    /// λ of implicit feedback if nothing else is said; with α = 20 and ν = ½ it was near the best on the validation parts of
    /// five logs (benches/README.md).
    pub(super) fn of_implicit() -> Regularization {
        Regularization::of_pairs(15.0, 15.0)
    }

    /// How often λ counts for a row with so many ratings; not at all if there are none.
    pub(super) fn times_penalized(self, count: usize) -> f64 {
        if count == 0 { 0.0 } else { (count as f64).powf(self.count_exponent) }
    }
}

/// λ and ν of explicit feedback if a config has none.
pub(super) fn default_penalties(has_biases: bool, train: &Interactions) -> (Regularization, f64) {
    match has_biases {
        true => (Regularization::of_pairs(train.standard_deviation(), 1.0), 0.5),
        false => (Regularization::usual(), 1.0),
    }
}
