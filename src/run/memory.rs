//! How much memory training needs, before it begins.
//!
//! What the program and the data take is measured once the data are read. The rest is computed from the settings: what
//! lasts (parameters, moments, the order of the ratings or a copy of them), and of what comes and goes the largest: a
//! step, an evaluation, a checkpoint, or the evaluation and the files at the end, when the solver is gone.
//!
//! The constants were fitted to the peaks of runs on planted data: one and five million ratings, `biased-mf` and `neumf`,
//! ranks 8 and 64, Adam on all and on touched rows, SGD, strata with both rules, batches of 1024, 65,536 and all ratings,
//! with and without refit. Where the peak was above 100 MB, the estimate was 0.94 to 1.11 times it; with ALS, 0.85 times.

use burn::tensor::Device;
use serde::Serialize;

use super::settings::Settings;
use crate::data::split::Split;
use crate::error::{Error, Result};
use crate::model::{AnyModel, Factorization, Start, parameters};
use crate::solver::{Gradient, Method, RowRule, Rows, Rule};

/// Bytes of the program that are not in memory before its first epoch and pictures: code, and what the allocator holds.
const PROGRAM_LATER: u64 = 20_000_000;
/// Bytes of a number.
const FLOAT: usize = 4;
/// Bytes of a rating: two indices and a value.
const RATING: usize = 12;
/// Pairs that evaluation scores at once.
const EVALUATED_AT_ONCE: usize = 1 << 16;
/// Numbers that a step has for each rating of its batch, beside what it reads of the tables and passes through layers:
/// indices twice, scores, residuals, losses and their slopes.
const OF_A_STEP: usize = 10;
/// Times that what a rating reads of the tables and passes through the layers is there: forth, and its slope back.
const THROUGH_LAYERS: usize = 2;
/// Numbers in a cache line, to which rows of the stratified solver are filled up.
const LINE: usize = 16;

/// Bytes that training is expected to have at its peak.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Estimate {
    /// The program itself.
    pub program: u64,
    /// Ratings, vocabularies, titles.
    pub data: u64,
    /// The model, the best of it so far, and the solver's own copy.
    pub parameters: u64,
    /// What the update rule remembers of each parameter.
    pub moments: u64,
    /// Gradients, a batch on its way through the model, the order of the ratings, predictions, files on their way out.
    pub buffers: u64,
}

impl Estimate {
    /// All together.
    pub fn total(&self) -> u64 {
        self.program + self.data + self.parameters + self.moments + self.buffers
    }

    /// Names and sizes of the parts.
    pub fn parts(&self) -> [(&'static str, u64); 5] {
        [
            ("program", self.program),
            ("data", self.data),
            ("parameters", self.parameters),
            ("moments", self.moments),
            ("buffers", self.buffers),
        ]
    }
}

/// How much there is to train on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Users with a training rating.
    pub users: usize,
    /// Items with a training rating.
    pub items: usize,
    /// Training ratings.
    pub train: usize,
    /// Ratings that the best epoch is chosen by.
    pub validation: usize,
    /// Ratings that are there until training ends, beside those of the split.
    pub undivided: usize,
    /// Whether checkpoints and a model are written.
    pub files: bool,
}

impl Sizes {
    /// Those of a split that was made of `undivided` ratings, if they are kept.
    pub fn of(split: &Split, undivided: usize) -> Self {
        Self {
            users: split.users.len(),
            items: split.items.len(),
            train: split.train.len(),
            validation: split.validation.len(),
            undivided,
            files: true,
        }
    }
}

/// The expected peak of a run, once its data are there; `program` is what [`resident`] was before they were read.
pub fn of_run(settings: &Settings, sizes: &Sizes, program: Option<u64>, device: &Device) -> Estimate {
    let program = program.unwrap_or(0);
    let computed = RATING * (sizes.undivided + sizes.train + sizes.validation);
    let data = resident().map_or(computed as u64, |now| now.saturating_sub(program));
    let mut estimate = Estimate { program: program + PROGRAM_LATER, data, ..of_training(settings, sizes, device) };
    // Reading may have taken more than training will.
    estimate.buffers += peak().unwrap_or(0).saturating_sub(estimate.total());
    estimate
}

/// Refuses a run that needs more than `train.max_memory`.
///
/// # Errors
/// [`Error::Usage`] with what it needs and what would make it less.
pub fn check(settings: &Settings, estimate: &Estimate) -> Result<()> {
    let gigabytes = |bytes: u64| bytes as f64 / 1e9;
    let Some(most) = settings.max_memory.filter(|most| gigabytes(estimate.total()) > *most) else {
        return Ok(());
    };
    let parts: Vec<_> =
        estimate.parts().iter().map(|(name, bytes)| format!("{name} {:.3}", gigabytes(*bytes))).collect();
    let mut remedies = vec!["lower model.rank"];
    if let Method::MiniBatch(Gradient { rows, .. }) = settings.training.method {
        if rows == Rows::All {
            remedies.push("set solver.rows = \"touched\"");
        }
        remedies.push("take a smaller solver.batch_size");
    }
    Err(Error::Usage(format!(
        "training needs about {:.3} GB ({}), more than train.max_memory = {most}; {}, or raise train.max_memory",
        gigabytes(estimate.total()),
        parts.join(", "),
        remedies.join(", ")
    )))
}

/// What training needs beside program and data.
///
/// It counts what the `cpu` device does. A GPU has parameters, moments and most of the buffers in its own memory.
pub fn of_training(settings: &Settings, sizes: &Sizes, device: &Device) -> Estimate {
    let validation = sizes.validation;
    let refit = settings.refit && sizes.files;
    let train = sizes.train + if refit { validation } else { 0 };
    let Shape { parameters, largest, widest: rank, of_a_rating, passing } = Shape::of(settings, sizes, device);
    let in_evaluation = (OF_A_STEP + passing) * EVALUATED_AT_ONCE.min(validation);
    // The model and the best so far; of a refit, the model and the one that chose its epoch.
    let models = if validation > 0 || refit { 2 } else { 1 };

    let (copies, moments, lasting, in_step) = match settings.training.method {
        Method::Stratified(rule) => {
            let rows = sizes.users + sizes.items;
            let planes = if let RowRule::Adam(_) = rule { 2 } else { 0 };
            let own = rows * (rank.next_multiple_of(LINE) + 1);
            let moments = rows * (planes * rank.next_multiple_of(LINE) + planes.max(1) * 2);
            // Ratings are put in order block by block, of which half stays with the allocator in small pieces. Where
            // the solver settles, the new model is there beside the old.
            (own, moments, RATING / FLOAT * train * 3 / 2, parameters)
        }
        // The rows, the ratings by user and by item, and the new model beside the old one where the solver settles.
        Method::Als(_) => (parameters, 0, 4 * train, parameters),
        // Rows and columns of the matrix, the factors, the new model beside the old one, and a few matrices as tall.
        Method::WholeMatrix(_) => (parameters, 0, 4 * train, 4 * parameters),
        Method::MiniBatch(Gradient { batch_size, rows, rule, .. }) => {
            let moments = match rule {
                Rule::Adam { .. } => 2,
                Rule::Sgd { momentum: 0.0 } => 0,
                _ => 1,
            };
            let batch = if batch_size == 0 { train } else { batch_size.min(train) };
            let touched = (batch * of_a_rating).min(parameters);
            let gradients = match rows {
                // Of all parameters, and of the largest two numbers more while it is updated.
                Rows::All => parameters + 2 * largest,
                Rows::Touched => 2 * touched,
            };
            // The order of the ratings is drawn anew beside the old one.
            let in_step = (gradients + batch * (OF_A_STEP + THROUGH_LAYERS * passing)).max(train);
            (0, moments * parameters, train, in_step)
        }
    };
    // All of it on its way to a file, and a table twice.
    let saved = if sizes.files { parameters + moments + largest } else { parameters };
    let coming_and_going = in_step.max(in_evaluation + 2 * validation).max(saved);
    // What the allocator keeps in pieces of the first training while the second runs, as measured.
    let left_over = if refit { 2 * parameters } else { 0 };
    let lasting_models = models * parameters + copies;
    let during = lasting_models + moments + lasting + left_over + coming_and_going;
    // Predictions and scores of all training ratings, then what each user rated and the model on their way to files.
    let at_end = parameters + in_evaluation.max(largest) + 2 * train;
    let at_end = if sizes.files { at_end.saturating_sub(RATING / FLOAT * sizes.undivided) } else { 0 };
    let buffers = during.max(at_end) - lasting_models - moments;
    let bytes = |numbers: usize| (FLOAT * numbers) as u64;
    Estimate {
        parameters: bytes(lasting_models),
        moments: bytes(moments),
        buffers: bytes(buffers),
        ..Estimate::default()
    }
}

/// Bytes of this program in memory now, where the operating system tells (Linux).
pub fn resident() -> Option<u64> {
    of_this_process("VmRSS:")
}

/// Most bytes that this program had in memory at once, where the operating system tells (Linux).
pub fn peak() -> Option<u64> {
    of_this_process("VmHWM:")
}

fn of_this_process(field: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(1024 * kibibytes)
}

/// Size of a model, in numbers.
#[derive(Debug, PartialEq)]
struct Shape {
    /// All parameters.
    parameters: usize,
    /// The largest of them.
    largest: usize,
    /// Numbers in the longest row of a table.
    widest: usize,
    /// What a rating reads of the tables.
    of_a_rating: usize,
    /// What a rating copies from the tables and passes through the layers; nothing where scores are dot products, which
    /// are computed where the rows lie.
    passing: usize,
}

impl Shape {
    /// Parameters are affine in the number of users and items, so that three tiny models tell the size of any.
    fn of(settings: &Settings, sizes: &Sizes, device: &Device) -> Self {
        let model = |num_users, num_items| {
            let start =
                Start { num_users, num_items, mean_score: 1.0, user_offsets: &[], item_offsets: &[], seed: 0, device };
            settings.model.init(&start)
        };
        let lengths = |model: &AnyModel| -> Vec<usize> {
            parameters::collect(model).iter().map(|(_, values)| values.data.len()).collect()
        };
        let smallest = model(1, 1);
        let is_dot_product = smallest.dot_product().is_some();
        let one = lengths(&smallest);
        let more = |model: AnyModel| lengths(&model).into_iter().zip(&one).map(|(length, one)| length - one).collect();
        let (of_user, of_item): (Vec<usize>, Vec<usize>) = (more(model(2, 1)), more(model(1, 2)));
        let (users, items) = (sizes.users.saturating_sub(1), sizes.items.saturating_sub(1));
        let of_rows = of_user.iter().zip(&of_item);
        let all: Vec<usize> =
            one.iter().zip(of_rows).map(|(one, (user, item))| one + users * user + items * item).collect();
        let of_a_rating = of_user.iter().chain(&of_item).sum();
        let layers: usize = smallest.layers().iter().map(|layer| layer.weight.dims()[1]).sum::<usize>();
        Self {
            parameters: all.iter().sum(),
            largest: all.into_iter().max().unwrap_or(0),
            widest: smallest.tables().iter().map(|table| table.rows.dims()[1]).max().unwrap_or(0),
            of_a_rating,
            passing: if is_dot_product { 0 } else { of_a_rating + layers },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;
    use crate::device::DeviceSpec;
    use crate::model::ModelConfig;
    use crate::run::{TrialData, schema};

    fn settings(overrides: &[&str]) -> Settings {
        let overrides: Vec<_> = overrides.iter().map(|text| text.to_string()).collect();
        let text = "data.dataset = 'synthetic'\ndata.synthetic = { users = 50, items = 30, ratings = 500 }";
        Settings::of(&Config::parse(&schema(), text, Path::new("x.toml"), &overrides).expect("valid"))
            .expect("a device")
    }

    #[test]
    fn parameters_are_counted_as_models_have_them() {
        let device = DeviceSpec::Auto.open().expect("a device").device;
        for (kind, _) in ModelConfig::declared() {
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
            let model = settings.model.init(&start);
            let expected: usize = parameters::collect(&model).iter().map(|(_, values)| values.data.len()).sum();
            let sizes = Sizes { users: 50, items: 30, train: 500, validation: 0, undivided: 0, files: false };
            assert_eq!(Shape::of(&settings, &sizes, &device).parameters, expected, "{kind}");
        }
    }

    #[test]
    fn what_needs_more_is_estimated_to_need_more() {
        let device = DeviceSpec::Auto.open().expect("a device").device;
        let data = TrialData::load(&settings(&[])).expect("data");
        let bytes = |overrides: &[&str]| data.memory(&settings(overrides), &device);
        let rank_64 = bytes(&["model.rank=64"]);
        assert!((1.7..2.2).contains(&(bytes(&["model.rank=128"]) as f64 / rank_64 as f64)));
        assert!(bytes(&["model.rank=64", "solver.kind=adagrad"]) < rank_64);
        assert!(
            bytes(&["model.rank=64", "solver.kind=sgd", "solver.momentum=0"])
                < bytes(&["model.rank=64", "solver.kind=sgd"])
        );
        assert!(bytes(&["model.rank=64", "solver.rows=all"]) > rank_64);
        assert!(bytes(&["model.rank=64", "solver.kind=stratified"]) < rank_64);
        let of_rule = |rule: &str| bytes(&["model.rank=64", "solver.kind=stratified", &format!("solver.rule={rule}")]);
        assert!(of_rule("adagrad") < of_rule("adam"));
        assert!(bytes(&["model.rank=64", "solver.batch_size=0"]) > bytes(&["model.rank=64", "solver.batch_size=10"]));
        assert!(bytes(&["model.kind=mlp", "model.layers=[4096]"]) > bytes(&["model.kind=mlp", "model.layers=[64]"]));
    }
}
