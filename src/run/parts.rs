//! The parts that a config can name: models, objectives, metrics, solvers, readers.

use std::sync::Arc;

use crate::config::words::joined;
use crate::config::{Choice, Effect, Key, KeyKind, Keys, Problem, Values, absent, is};
use crate::data::Context;
use crate::data::read::{self, ReaderKind, ReaderPart, context_key};
use crate::data::{Features, Source};
use crate::metric::{self, Metric, Metrics};
use crate::model::{Constraint, Declaration, ModelKind, ModelPart, names_where, start_from_key};
use crate::objective::{Logistic, Loss, ObjectiveKind, ObjectivePart, ranking};
use crate::solver::{self, SolverPart};

/// The parts of a program. Its own are added to the built-in ones:
///
/// ```no_run
/// # use lowrank::Parts;
/// fn main() -> std::process::ExitCode {
///     lowrank::cli::main(Parts::built_in())
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Parts {
    /// Kinds of models, in the order of the documentation.
    pub models: Vec<ModelKind>,
    /// Kinds of objectives.
    pub objectives: Vec<ObjectiveKind>,
    /// Metrics.
    pub metrics: Metrics,
    /// Kinds of solvers.
    pub solvers: Vec<Arc<dyn SolverPart>>,
    /// Readers of data. Later ones are asked first if a config does not set the format.
    pub readers: Vec<ReaderKind>,
}

impl Parts {
    /// The parts of this crate.
    pub fn built_in() -> Self {
        Self {
            models: crate::model::built_in(),
            objectives: Loss::kinds().into_iter().chain(ranking::built_in()).collect(),
            metrics: metric::built_in(),
            solvers: solver::built_in(),
            readers: read::built_in(),
        }
    }

    /// Adds a model; one of the same name is replaced.
    pub fn model<M: ModelPart>(mut self) -> Self {
        self.models.retain(|kind| kind.name != M::NAME);
        self.models.push(ModelKind::of::<M>());
        self
    }

    /// Adds an objective; one of the same name is replaced.
    pub fn objective<O: ObjectivePart>(mut self) -> Self {
        self.objectives.retain(|kind| kind.name != O::NAME);
        self.objectives.push(ObjectiveKind::of::<O>());
        self
    }

    /// Adds a metric; one of the same name is replaced.
    pub fn metric(mut self, metric: impl Metric + 'static) -> Self {
        self.metrics.0.retain(|other| other.name() != metric.name());
        self.metrics.0.push(Arc::new(metric));
        self
    }

    /// Adds a solver; one of the same name is replaced.
    pub fn solver(mut self, solver: impl SolverPart + 'static) -> Self {
        self.solvers.retain(|other| other.name() != solver.name());
        self.solvers.push(Arc::new(solver));
        self
    }

    /// Adds a reader; one of the same name is replaced.
    pub fn reader<R: ReaderPart>(mut self) -> Self {
        self.readers.retain(|kind| kind.name != R::NAME);
        self.readers.push(ReaderKind::of::<R>());
        self
    }

    /// The model of this name.
    pub fn find_model(&self, name: &str) -> Option<&ModelKind> {
        self.models.iter().find(|kind| kind.name == name)
    }

    /// The objective of this name.
    pub fn find_objective(&self, name: &str) -> Option<&ObjectiveKind> {
        self.objectives.iter().find(|kind| kind.name == name)
    }

    /// The solver of this name.
    pub fn find_solver(&self, name: &str) -> Option<&Arc<dyn SolverPart>> {
        self.solvers.iter().find(|part| part.name() == name)
    }

    pub(super) fn data_keys(&self) -> Keys {
        let keys = Source::keys(&self.readers);
        let has_context = self.models.iter().any(|kind| kind.declaration.uses_context);
        if has_context { keys.and(Context::keys()) } else { keys.without(&context_key().path) }
    }

    pub(super) fn model_keys(&self) -> Keys {
        let choice =
            Choice::new("model.kind", "The model that predicts a rating.").with(|key| key.default("'biased-mf'"));
        let choice = self.models.iter().fold(choice, |choice, kind| choice.part(kind.name, kind.keys()));
        let carrying = names_where(&self.models, Declaration::factors_carry_mean);
        let using = names_where(&self.models, |model| model.uses_context);
        let of_parts = names_where(&self.models, |model| model.constraint == Constraint::NonNegative);
        Keys::from(choice)
            .and(start_from_key())
            .rule(move |values| check_start(values, &carrying).into_iter().collect())
            .rule(move |values| check_context(values, &using).into_iter().collect())
            .rule(move |values| check_signs(values, &of_parts))
    }

    pub(super) fn objective_keys(&self) -> Keys {
        let choice = Choice::new("loss.kind", "The cost of a wrong prediction.").with(|key| key.default("'squared'"));
        self.objectives.iter().fold(choice, |choice, kind| choice.part(kind.name, kind.keys())).into()
    }

    pub(super) fn metric_keys(&self) -> Keys {
        let listed = |metrics: Metrics| {
            let names: Vec<String> = metrics.names().map(|name| format!("'{name}'")).collect();
            format!("[{}]", names.join(", "))
        };
        let meaning = "Metrics to compute, in this order. Those with a length, as ndcg@10, rank all items for each user but \
                       those of training; any length may follow @.";
        let relevant = "Interactions of at least this value are relevant in ranked lists, all if absent; and positive as probabilities, 0.5 if absent.";
        let candidates = "A file with a line for each test interaction, as (user,item), and the items that it is ranked among: the \
                          test part is then ranked among these, too.";
        let sampled = "So many items that the user has not met are drawn for each test interaction, which is then ranked among \
                       these, too. It says less than a ranking of all items.";
        let names = Key::new("evaluation.metrics", KeyKind::TextList, meaning)
            .default(&listed(self.metrics.defaults()))
            .default_if(is("loss.kind", [Logistic::NAME]), &listed(self.metrics.of_interactions()));
        let keys = Keys::new([
            names.effect(Effect::Nothing),
            Key::new("evaluation.relevant_from", KeyKind::ANY_NUMBER, relevant),
            Key::new("evaluation.candidates", KeyKind::Path, candidates).effect(Effect::Nothing),
            Key::new("evaluation.sampled_candidates", KeyKind::AT_LEAST_ONE, sampled)
                .when(absent("evaluation.candidates"))
                .effect(Effect::Nothing),
        ]);
        let own = self.metrics.0.iter().map(|metric| metric.keys());
        let metrics = self.metrics.clone();
        own.fold(keys, Keys::and).rule(move |values| {
            let candidates = check_candidates(values, &metrics);
            check_metrics(values, &metrics).into_iter().chain(candidates).collect()
        })
    }
}

/// Factors can start from the baseline only if nothing else carries it.
fn check_start(values: &Values, carrying: &[String]) -> Option<Problem> {
    let kind: String = values.get("model.kind");
    if !values.is("model.init", "matched") || carrying.contains(&kind) {
        return None;
    }
    let message = format!(
        "model.init = \"matched\" supports only {}, whose factors carry the mean, but model.kind is {kind:?}; use \
         \"normal\"",
        joined(carrying, "and")
    );
    Some(Problem::new(["model.init", "model.kind"], message))
}

/// Parts that are at least 0 are no sums of parts of which some are subtracted.
fn check_signs(values: &Values, of_parts: &[String]) -> Vec<Problem> {
    let kind: String = values.get("model.kind");
    let scaled =
        |features: &Features| features.bins == 0 && !(features.numbers.is_empty() && features.years.is_empty());
    let Some(features) = Features::of(values).into_iter().find(|own| of_parts.contains(&kind) && scaled(own)) else {
        return Vec::new();
    };
    let bins = format!("{}.bins", Features::section(features.role));
    let message = format!("{bins} = 0 makes numbers of both signs, but model.kind is {kind:?}; cut them into groups");
    vec![Problem::new([bins.as_str(), "model.kind"], message)]
}

/// Columns beyond user and item are read only for models that use them.
fn check_context(values: &Values, using: &[String]) -> Option<Problem> {
    let kind: String = values.get("model.kind");
    if Context::names(values).is_empty() || using.contains(&kind) {
        return None;
    }
    let key = Context::key(values);
    let remedy = match using {
        [] => "no model here uses one".into(),
        _ => format!("those that do are {}", joined(using, "and")),
    };
    let message = format!("{key} is set, but {kind} does not use a context; {remedy}");
    Some(Problem::new([key.as_str(), "model.kind"], message))
}

/// Candidates are for metrics of ranked lists, of users and items alone.
fn check_candidates(values: &Values, metrics: &Metrics) -> Option<Problem> {
    let keys = ["evaluation.candidates", "evaluation.sampled_candidates"];
    let key = keys.into_iter().find(|key| values.contains(key))?;
    let asked: Vec<String> = values.get("evaluation.metrics");
    let ranks = |name: &String| metrics.find(name).is_some_and(|metric| metric.needs().list_length().is_some());
    if !Context::names(values).is_empty() {
        let context = Context::key(values);
        let message = format!("{key} ranks items for users alone, but {context} is set");
        return Some(Problem::new([key, context.as_str()], message));
    }
    let message = format!("{key} needs a metric of ranked lists in evaluation.metrics, such as \"ndcg@10\"");
    (!asked.iter().any(ranks)).then(|| Problem::new([key, "evaluation.metrics"], message))
}

/// Metrics must exist, and the watched one must be computed.
fn check_metrics(values: &Values, metrics: &Metrics) -> Vec<Problem> {
    let asked: Vec<String> = values.get("evaluation.metrics");
    let watched: String = values.get("train.early_stopping.metric");
    let unknown = asked.iter().filter_map(|name| metrics.problem("evaluation.metrics", name));
    let unwatched = (!asked.contains(&watched)).then(|| {
        let message =
            format!("train.early_stopping.metric = {watched:?} is not among evaluation.metrics; add it there");
        Problem::new(["evaluation.metrics", "train.early_stopping.metric"], message)
    });
    unknown.chain(unwatched.filter(|_| metrics.find(&watched).is_some())).collect()
}
