//! The pictures of a finished run: its training curve, views of its factors, and the embedding projector.

use burn::module::ParamId;
use burn::tensor::Device;

use super::directory::RunDirectory;
use super::effects::effects;
use super::links;
use super::model_file::ModelFile;
use super::seen_items::SeenItems;
use super::segments::{doubt, segment};
use super::settings::Settings;
use super::summary::Summary;
use super::views::{self, Fitted, Shown, Views};
use super::word_vectors::VectorKind;
use crate::data::split::HeldOutRows;
use crate::data::{ITEM, Interactions, Layout, Purchases};
use crate::device::to_vec;
use crate::error::Result;
use crate::files;
use crate::metric::{Metric, ObjectiveLoss, Rmse, calibration_curve};
use crate::model::{AnyModel, HostTensor, TableKind, Visited};
use crate::objective::Logistic;
use crate::report::event_file::EventFile;
use crate::report::{curves, plot, projector};

/// The training curve, and the item factors for the embedding projector.
pub(super) fn pictures(
    settings: &Settings,
    directory: &RunDirectory,
    file: &ModelFile,
    reachable: Option<f64>,
) -> Result<()> {
    let metrics = &settings.metrics;
    // Where scores are no predictions, training knows of its loss alone.
    if settings.objective.has_link() {
        curve(settings, directory, &ObjectiveLoss, reachable)?;
    } else if let Some(metric) = metrics.find(metrics.watched()) {
        curve(settings, directory, &*metric, reachable)?;
    }
    if settings.report.projector && settings.report.tensorboard {
        if file.has_word_vectors() {
            let (width, values) = file.word_vectors(VectorKind::default())?;
            let labels: Vec<_> = file.users().ids().map(|word| (word, "")).collect();
            projector::write(directory.path(), "words", &labels, width, &values)?;
            return Ok(());
        }
        let titles = |item: usize| file.title(item).unwrap_or_default();
        let labels: Vec<_> = file.items().ids().enumerate().map(|(item, id)| (id, titles(item))).collect();
        for (name, values) in item_factors(&file.model) {
            projector::write(directory.path(), &name, &labels, values.shape[1], &values.data)?;
        }
    }
    Ok(())
}

/// The curves of a metric over the epochs, and the best reachable value, which is a root mean squared error.
fn curve(settings: &Settings, directory: &RunDirectory, metric: &dyn Metric, reachable: Option<f64>) -> Result<()> {
    let mut series = curves(&directory.metrics(), metric.name())?;
    let last_epoch = series.iter().flat_map(|series| series.points.last()).map(|point| point.0).fold(0.0, f64::max);
    if last_epoch > 0.0 {
        if let Some(reachable) = reachable.filter(|_| metric.name() == Rmse.name()) {
            let points = vec![(1.0, reachable), (last_epoch, reachable)];
            series.push(plot::Series { name: "reachable".into(), points });
        }
        let title = format!("{}: {}", settings.name, settings.model.name);
        let picture = plot::curves(&title, "epoch", &metric.label(), &series).png()?;
        files::write_bytes(&directory.curve(), &picture.bytes)?;
    }
    Ok(())
}

/// Views of the factors, as files and in TensorBoard.
pub(super) fn views(
    settings: &Settings,
    directory: &RunDirectory,
    file: &ModelFile,
    train: &Interactions,
    held_out: &HeldOutRows,
) -> Result<Option<Views>> {
    let mut views = views_of_factors(directory, file, train, held_out)?;
    if file.has_word_vectors() {
        let vectors = file.compared_words(VectorKind::default())?;
        let shown = views::word_views(file.users(), &vectors, directory.path())?;
        views.get_or_insert_default().files.extend(shown);
    }
    if let Some(views) = &views {
        in_tensorboard(settings, directory, &views.files)?;
    }
    Ok(views)
}

/// What there is beside a model that some data are shown by.
#[derive(Clone, Copy)]
pub(super) struct Beside<'a> {
    pub seen: &'a SeenItems,
    pub purchases: Option<&'a Purchases>,
    pub train: &'a Interactions,
    /// The test and the validation part, with their names.
    pub held_out: [(&'a str, &'a Interactions); 2],
    pub device: &'a Device,
}

/// What graphs, probabilities, contexts and purchases are shown by: links that are to be expected, calibration, effects, and
/// segments. `summary` gets what was found.
pub(super) fn of_data(
    settings: &Settings,
    directory: &RunDirectory,
    file: &ModelFile,
    Beside { seen, purchases, train, held_out, device }: Beside,
    summary: &mut Summary,
) -> Result<()> {
    if file.layout == Layout::Graph
        && let Some(shown) = links::write_new(directory, file, seen, device)?
    {
        summary.views.get_or_insert_default().files.push(shown);
    }
    // New users are judged by what they were given.
    let mut held_out = held_out.into_iter().skip(usize::from(settings.split.given().is_some()));
    let held_out = held_out.find(|(_, part)| !part.is_empty());
    if let Some((name, part)) = held_out.filter(|_| file.objective_kind.name == Logistic::NAME) {
        let predictions = file.predictor.predict(&file.model, device, part);
        let curve = calibration_curve(&predictions, &part.targets);
        let files = views::calibration_view(name, &curve, directory.path())?;
        in_tensorboard(settings, directory, &files)?;
        summary.views.get_or_insert_default().files.extend(files);
    }
    if let Some(found) = effects(file, train, device, settings.seed) {
        let files = views::effect_views(found, file, directory.path())?;
        in_tensorboard(settings, directory, &files)?;
        summary.views.get_or_insert_default().files.extend(files);
    }
    if let Some((options, purchases)) = settings.segments.as_ref().zip(purchases) {
        let (files, segments) = segment(settings.seed, options, directory, file, purchases)?;
        in_tensorboard(settings, directory, &files)?;
        summary.doubts.extend(doubt(&segments));
        let views = summary.views.get_or_insert_default();
        views.files.extend(files);
        views.segments = Some(segments);
    }
    Ok(())
}

/// The pictures among these files, in TensorBoard.
pub(super) fn in_tensorboard(settings: &Settings, directory: &RunDirectory, files: &[Shown]) -> Result<()> {
    if settings.report.tensorboard {
        EventFile::append(directory.path())?.pictures(views::pictures(files))?;
    }
    Ok(())
}

/// Views of the factors themselves, if there is something to see in them.
fn views_of_factors(
    directory: &RunDirectory,
    file: &ModelFile,
    train: &Interactions,
    held_out: &HeldOutRows,
) -> Result<Option<Views>> {
    let Some(fitted) = Fitted::of(file).filter(|fitted| !fitted.has_user_biases) else { return Ok(None) };
    let factors = fitted.factors();
    // Other factors of users and items are determined only up to a rotation, so there is nothing to see in them.
    let is_named = !matches!(factors.layout, Layout::Documents | Layout::Pictures { .. } | Layout::Picture { .. });
    if is_named && !factors.non_negative && factors.singular_values.is_none() {
        return Ok(None);
    }
    let num_items = file.items().len();
    let mut rows = vec![0.0; held_out.ids.len() * num_items];
    for (row, cells) in rows.chunks_exact_mut(num_items.max(1)).zip(&held_out.cells) {
        cells.iter().for_each(|&(item, value)| row[item as usize] = value);
    }
    let held_out = (!held_out.ids.is_empty()).then_some(views::HeldOut { ids: &held_out.ids, rows: &rows });
    views::views(&factors, train, held_out, directory.path()).map(Some)
}

/// The factors of items, by parameter name.
fn item_factors(model: &AnyModel) -> Vec<(String, HostTensor)> {
    let tables = model.tables().into_iter();
    let of_items = tables.filter(|table| table.group().kind == TableKind::Factors && table.is_indexed_by(ITEM));
    let ids: Vec<ParamId> = of_items.map(|table| table.rows.id).collect();
    let mut found = Vec::new();
    model.visit(None, &mut |Visited { name, id, shape, rows, .. }| {
        if ids.contains(&id) {
            found.push((name, HostTensor { shape, data: to_vec(rows) }));
        }
    });
    found
}
