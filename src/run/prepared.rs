//! What a run needs before it has a directory: threads, the device, and data that are read and divided.

use super::doubts;
use super::memory::{self, Estimate, Sizes};
use super::settings::{Settings, check_targets};
use crate::data::split::{Part, Split, assign_all, divide};
use crate::data::{Dataset, ITEM, Interactions, Layout, UNKNOWN, USER};
use crate::device::{DeviceSpec, Opened};
use crate::error::{Error, Result};
use crate::solver::nmf::Zeros;

/// The data of `settings`, as its solver understands them.
///
/// # Errors
/// Those of the source.
pub(super) fn loaded(settings: &Settings) -> Result<Dataset> {
    let mut dataset = settings.source.load()?;
    if dataset.layout == Layout::Matrix && settings.zeros() != Zeros::Data {
        // A row without an entry is not one of zeros, and parameters for it would never be trained.
        dataset.layout = Layout::Cells;
    }
    Ok(dataset)
}

/// Divides `dataset` into `parts` and adds the histories that the model uses; with `refit`, validation joins training.
///
/// # Errors
/// Those of [`divide`].
pub(super) fn divided(settings: &Settings, dataset: &Dataset, parts: &[Part], refit: bool) -> Result<Split> {
    let mut data = divide(dataset, parts, refit)?;
    let declaration = settings.model.declaration;
    data.add_histories(declaration.histories, declaration.histories_above_zero);
    Ok(data)
}

/// Runs `job` on the number of threads in the settings, and passes it that number.
pub(super) fn with_threads<T: Send>(settings: &Settings, job: impl FnOnce(usize) -> Result<T> + Send) -> Result<T> {
    let threads = match settings.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|e| Error::Failed(format!("cannot start {threads} threads: {e}")))?;
    pool.install(|| job(threads))
}

/// Everything that a run needs before it has a directory.
pub(super) struct Prepared {
    pub(super) device: Opened,
    pub(super) dataset: Dataset,
    pub(super) parts: Vec<Part>,
    pub(super) data: Split,
    pub(super) memory: Estimate,
    /// What makes any result doubtful.
    pub(super) doubts: Vec<String>,
}

impl Prepared {
    /// Opens the device, reads and divides the data, and rejects a run that needs more than `train.max_memory`.
    pub(super) fn new(settings: &Settings, note: &mut dyn FnMut(&str)) -> Result<Self> {
        let device = settings.device.open()?;
        if settings.device == DeviceSpec::Auto {
            note(&format!("device auto: using {}", device.spec));
        }
        let program = memory::resident();
        let mut dataset = loaded(settings)?;
        dataset.notes.iter().for_each(|text| note(text));
        let parts = assign_all(&mut dataset, &settings.split, settings.seed)?;
        // The split is done, and nothing else uses them.
        dataset.interactions.timestamps = None;
        let is_drawn = |targets: &[f32]| dataset.layout == Layout::Graph && targets.contains(&0.0);
        if let Some(remedy) = settings.refusal()(0.0).filter(|_| is_drawn(&dataset.interactions.targets)) {
            return Err(Error::Usage(format!(
                "pairs that are no edges have the target 0, but {remedy}; set data.split.non_edges = 0"
            )));
        }
        check_targets(&dataset, settings.refusal(), |at, message| settings.source.error_at(&dataset, at, message))?;
        let data = divided(settings, &dataset, &parts, false)?;
        let held_out = held_out_cells(&data);
        let absent = (data.users().len() * data.items().len()).saturating_sub(data.train.len());
        let are_ratings = matches!(dataset.layout, Layout::Cells | Layout::Matrix)
            && 2 * data.train.len() < absent + data.train.len();
        if settings.zeros() == Zeros::Data && (held_out > 0 || are_ratings) {
            note(&format!(
                "solver.kind = \"{}\" treats the {absent} cells that are not in the training data as zeros{}; if they are \
                 unknown, as ratings are, use \"als\", or \"hals\" with solver.zeros = \"missing\"",
                settings.solver.name(),
                match held_out {
                    0 => String::new(),
                    count =>
                        format!(", among them {count} that are held out, which data.split.kind = \"none\" does not do"),
                }
            ));
        }
        if let Some(reason) = settings.why_last().filter(|_| !data.validation.is_empty()) {
            note(&format!("the last epoch is kept, whatever the validation part says: {reason}"));
        }
        let mut doubts = doubts::of_data(settings, &dataset, &data);
        doubts.extend(settings.start_from.check(&settings.model, &settings.config, &data, &device.device, note)?);
        doubts.iter().for_each(|doubt| note(&format!("warning: {doubt}")));
        let sizes = Sizes::of(&data, dataset.interactions.len());
        let memory = memory::of_run(settings, &sizes, program, &device.device)?;
        memory::check(settings, &memory)?;
        Ok(Self { device, dataset, parts, data, memory, doubts })
    }
}

/// How many cells of known rows and columns are held out.
pub(super) fn held_out_cells(data: &Split) -> usize {
    let known = |part: &Interactions| {
        let pairs = part.column(USER).iter().zip(part.column(ITEM));
        pairs.filter(|&(&user, &item)| user != UNKNOWN && item != UNKNOWN).count()
    };
    known(&data.validation) + known(&data.test)
}
