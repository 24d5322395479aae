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
use crate::data::{Frame, ITEM, USER};
use crate::error::{Error, Result};
use crate::model::{Table, Use, sized};
use crate::solver::{Footprint, ModelSize, OF_A_STEP};

/// Bytes of the program that are not in memory before its first epoch and pictures: code, and what the allocator holds.
const PROGRAM_LATER: u64 = 20_000_000;
/// Bytes of a number.
const FLOAT: usize = 4;
/// Interactions that evaluation scores at once.
const EVALUATED_AT_ONCE: usize = 1 << 16;

/// Bytes that training is expected to have at its peak.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Estimate {
    /// The program itself.
    pub program: u64,
    /// Interactions, vocabularies, titles.
    pub data: u64,
    /// The model, the best of it so far, and the solver's own copy.
    pub parameters: u64,
    /// What the update rule remembers of each parameter.
    pub moments: u64,
    /// Gradients, a batch on its way through the model, the order of the interactions, predictions, files on their way out.
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
#[derive(Debug, Clone, PartialEq)]
pub struct Sizes {
    /// What the model has rows for.
    pub frame: Frame,
    /// Members of a bag of each kind, on average.
    pub members: Vec<usize>,
    /// Training interactions.
    pub train: usize,
    /// Interactions that the best epoch is chosen by.
    pub validation: usize,
    /// Interactions that are there until training ends, beside those of the split.
    pub undivided: usize,
    /// Whether checkpoints and a model are written.
    pub files: bool,
}

impl Sizes {
    /// Those of a split that was made of `undivided` interactions, if they are kept.
    pub fn of(split: &Split, undivided: usize) -> Self {
        Self {
            frame: split.frame(),
            members: split.train.bags.iter().map(|bag| bag.parts().1.len().div_ceil(bag.rows().max(1))).collect(),
            train: split.train.len(),
            validation: split.validation.len(),
            undivided,
            files: true,
        }
    }

    /// Numbers of an interaction: an index in each field, and the target.
    fn of_an_interaction(&self) -> usize {
        self.frame.fields.len() + 1
    }
}

/// The expected peak of a run, once its data are there; `program` is what [`resident`] was before they were read.
///
/// # Errors
/// Those of the model.
pub fn of_run(settings: &Settings, sizes: &Sizes, program: Option<u64>, device: &Device) -> Result<Estimate> {
    let program = program.unwrap_or(0);
    let computed = FLOAT * sizes.of_an_interaction() * (sizes.undivided + sizes.train + sizes.validation);
    let data = resident().map_or(computed as u64, |now| now.saturating_sub(program));
    let mut estimate = Estimate { program: program + PROGRAM_LATER, data, ..of_training(settings, sizes, device)? };
    // Reading may have taken more than training will.
    estimate.buffers += peak().unwrap_or(0).saturating_sub(estimate.total());
    Ok(estimate)
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
    let has_rank = settings.values().find::<usize>("model.rank").is_some();
    let mut remedies = if has_rank { vec!["lower model.rank"] } else { Vec::new() };
    remedies.extend(settings.solver.memory_remedies(settings.values()));
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
///
/// # Errors
/// Those of the model.
pub fn of_training(settings: &Settings, sizes: &Sizes, device: &Device) -> Result<Estimate> {
    let validation = sizes.validation;
    let refit = settings.refit && sizes.files;
    let train = sizes.train + if refit { validation } else { 0 };
    let size = ModelSize { train, ..model_size(settings, sizes, device)? };
    let ModelSize { parameters, largest, passing, .. } = size;
    let in_evaluation = (OF_A_STEP + passing) * EVALUATED_AT_ONCE.min(validation);
    // The model and the best so far; of a refit, the model and the one that chose its epoch.
    let models = if validation > 0 || refit { 2 } else { 1 };
    let Footprint { copies, moments, lasting, in_step } = settings.solver.footprint(settings.values(), &size);
    // All of it on its way to a file, and a table twice.
    let saved = if sizes.files { parameters + moments + largest } else { parameters };
    let coming_and_going = in_step.max(in_evaluation + 2 * validation).max(saved);
    // What the allocator keeps in pieces of the first training while the second runs, as measured.
    let left_over = if refit { 2 * parameters } else { 0 };
    let lasting_models = models * parameters + copies;
    let during = lasting_models + moments + lasting + left_over + coming_and_going;
    // Predictions and scores of all training interactions, then what each user met and the model on their way to files.
    let at_end = parameters + in_evaluation.max(largest) + 2 * train;
    let at_end = if sizes.files { at_end.saturating_sub(sizes.of_an_interaction() * sizes.undivided) } else { 0 };
    let buffers = during.max(at_end) - lasting_models - moments;
    let bytes = |numbers: usize| (FLOAT * numbers) as u64;
    Ok(Estimate {
        parameters: bytes(lasting_models),
        moments: bytes(moments),
        buffers: bytes(buffers),
        ..Estimate::default()
    })
}

/// Bytes of this program in memory now, if the operating system tells (Linux).
pub fn resident() -> Option<u64> {
    of_this_process("VmRSS:")
}

/// Most bytes that this program had in memory at once, if the operating system tells (Linux).
pub fn peak() -> Option<u64> {
    of_this_process("VmHWM:")
}

fn of_this_process(field: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(1024 * kibibytes)
}

/// The size of a model.
fn model_size(settings: &Settings, sizes: &Sizes, device: &Device) -> Result<ModelSize> {
    let Sizes { frame, members, train, .. } = sizes;
    let (smallest, all) = sized(&settings.model, settings.values(), frame, device)?;
    let width = |table: &Table| table.rows.dims()[1];
    let rows_read = |of: &Use| match of {
        Use::Field(_) => 1,
        Use::Bag(_, bag) => members[bag.0],
    };
    let tables = smallest.tables();
    let read = |table: &&Table| width(table) * table.uses().iter().map(rows_read).sum::<usize>();
    let of_an_interaction = tables.iter().map(read).sum();
    // What has features is gathered, and its dot products are not computed in place.
    let is_gathered = !settings.model.declaration.is_dot_product || frame.bags.iter().any(|bag| bag.is_feature);
    let layers: usize = smallest.layers().iter().map(|layer| layer.weight.dims()[1]).sum();
    Ok(ModelSize {
        users: frame.rows(USER),
        items: frame.rows(ITEM),
        train: *train,
        parameters: all.iter().sum(),
        largest: all.into_iter().max().unwrap_or(0),
        widest: tables.iter().map(|table| width(table)).max().unwrap_or(0),
        of_an_interaction,
        passing: if is_gathered { of_an_interaction + layers } else { 0 },
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;
    use crate::data::{BagFrame, FieldId, HISTORY};
    use crate::device::DeviceSpec;
    use crate::model::{Start, parameters};
    use crate::run::{Parts, TrialData};

    fn settings(overrides: &[&str]) -> Settings {
        let overrides: Vec<_> = overrides.iter().map(|text| text.to_string()).collect();
        let text = "data.dataset = 'synthetic'\ndata.synthetic = { users = 50, items = 30, ratings = 500 }";
        let parts = Parts::built_in();
        let config = Config::parse(&parts.schema(), text, Path::new("x.toml"), &overrides).expect("valid");
        Settings::of(&config, &parts).expect("a device")
    }

    #[test]
    fn parameters_are_counted_as_models_have_them() {
        let device = DeviceSpec::Auto.open().expect("a device").device;
        let pair = Frame::pair(50, 30);
        for kind in Parts::built_in().models {
            let bag = |&(owner, of): &(FieldId, FieldId)| BagFrame {
                name: HISTORY.into(),
                owner: pair[owner].entity,
                of: pair[of].entity,
                is_feature: false,
            };
            let frame = Frame { bags: kind.declaration.histories.iter().map(bag).collect(), ..pair.clone() };
            let of_kind = format!("model.kind={}", kind.name);
            let has_rank = !kind.declaration.has_own_solvers();
            let overrides = [of_kind.as_str(), "model.rank=5"];
            let settings = settings(&overrides[..if has_rank { 2 } else { 1 }]);
            let start = Start { frame: &frame, mean_score: 1.0, offsets: [&[], &[]], seed: Some(0), device: &device };
            let model = kind.init(settings.values(), &start).expect("a model");
            let expected: usize = parameters::collect(&model).iter().map(|(_, values)| values.data.len()).sum();
            let members = vec![3; frame.bags.len()];
            let sizes = Sizes { frame, members, train: 500, validation: 0, undivided: 0, files: false };
            let size = model_size(&settings, &sizes, &device).expect("a size");
            assert_eq!(size.parameters, expected, "{}", kind.name);
        }
    }

    #[test]
    fn what_needs_more_is_estimated_to_need_more() {
        let device = DeviceSpec::Auto.open().expect("a device").device;
        let data = TrialData::load(&settings(&[])).expect("data");
        let bytes = |overrides: &[&str]| data.memory(&settings(overrides), &device).expect("an estimate");
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
