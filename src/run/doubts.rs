//! What makes a result doubtful: data that cannot teach what is asked, and models that a trivial prediction beats.

use super::settings::Settings;
use super::summary::Summary;
use crate::config::words::joined;
use crate::data::split::Split;
use crate::data::{Dataset, Layout, class_of};
use crate::eval::worse_than;
use crate::metric::{Needs, Scores};
use crate::solver::nmf::Zeros;
use crate::solver::{Misfit, Predictions};

/// What is to be known of the data before training on them.
pub(super) fn of_data(settings: &Settings, dataset: &Dataset, data: &Split) -> Vec<String> {
    let doubts = [of_targets(settings, dataset.layout, data), of_classes(settings, dataset)];
    doubts.into_iter().flatten().collect()
}

/// Training targets that are all the same.
fn of_targets(settings: &Settings, layout: Layout, data: &Split) -> Option<String> {
    let (low, high) = data.train.range()?;
    let cells = data.users().len() * data.items().len();
    // Something is learned from what is not there.
    let from_others = settings.predictions() != Predictions::Targets
        || (settings.zeros() == Zeros::Data && data.train.len() < cells && low != 0.0);
    if low != high || data.train.len() < 2 || from_others {
        return None;
    }
    let threshold = settings.values().find::<f64>("data.binarize");
    let remedy = match (threshold, layout) {
        (Some(threshold), _) => {
            format!("data.binarize = {threshold} leaves one class; choose a threshold within the ratings")
        }
        (None, Layout::Cells) => {
            "of a log of what users did, als learns with model.kind = \"mf\", solver.kind = \"als\" \
                                  and solver.feedback = \"implicit\""
                .into()
        }
        (None, _) => "check the file and how it was read with `lowrank inspect`".into(),
    };
    let what = if layout == Layout::Cells { "rating" } else { "cell" };
    Some(format!(
        "every training {what} is {low}: there is nothing to learn from what does not differ, and an error of 0 says \
         nothing; {remedy}"
    ))
}

/// Rows of one class, which is then always right.
fn of_classes(settings: &Settings, dataset: &Dataset) -> Option<String> {
    let mut classes = dataset.users().ids().map(class_of);
    let first = classes.next()??;
    let is_one = settings.holds_out_rows() && classes.all(|class| class == Some(first));
    is_one.then(|| {
        format!(
            "all rows are of the class {first:?}, so that there are none to tell apart; put the files into a folder for each \
             class, or choose another data.split.kind"
        )
    })
}

/// What is to be known of a result.
pub(super) fn of_result(settings: &Settings, summary: &Summary, has_held_out_cells: bool) -> Vec<String> {
    let rows_are_held_out = summary.views.as_ref().is_some_and(|views| views.held_out_rmse.is_some());
    let mut doubts = Vec::from_iter(of_preferences(settings));
    let Some(baselines) = summary.baselines.as_ref().filter(|_| !rows_are_held_out) else { return doubts };
    let scores = match baselines.split.as_str() {
        "test" => summary.test.as_ref(),
        "validation" => summary.validation.as_ref(),
        _ => summary.train.as_ref(),
    };
    let Some(scores) = scores else { return doubts };
    // Where absent cells are fitted, too, stored ones alone say little.
    let has_zeros = summary.num_ratings < summary.num_users * summary.num_items;
    if settings.zeros() == Zeros::Data && has_zeros && baselines.split == "train" {
        return doubts;
    }
    let on = format!("on the {} part this model is", baselines.split);
    let lost = |trivial: &(&str, &Scores)| worse_than(scores, trivial.0, trivial.1, &settings.metrics);
    let of_lists = [
        (&baselines.popularity, "recommend that"),
        (&baselines.item_knn, "take model.kind = \"item-knn\", with its defaults"),
        (&baselines.content, "raise data.item_features.identity_dropout"),
    ];
    let remedy_of = |trivial: &Scores| of_lists.iter().find(|(own, _)| own.as_ref() == Some(trivial));
    let (of_lists, of_errors): (Vec<_>, Vec<_>) = baselines
        .named()
        .filter(|trivial| lost(trivial).is_some())
        .map(|(name, trivial)| (name, trivial, remedy_of(trivial)))
        .partition(|(.., remedy)| remedy.is_some());
    if let Some((_, trivial, _)) = of_errors.last() {
        let lost: Vec<String> = of_errors.iter().filter_map(|(name, trivial, _)| lost(&(name, trivial))).collect();
        let remedy = remedies(settings, summary.train.as_ref(), trivial, has_held_out_cells);
        doubts.push(format!("{on} {}; {remedy}", lost.join(", and ")));
    }
    for (name, trivial, remedy) in of_lists {
        let (Some(lost), Some((_, first))) = (lost(&(name, trivial)), remedy) else { continue };
        doubts.push(format!("{on} {lost}: {}", list_remedies(settings, first).join(", or ")));
    }
    doubts
}

/// What to try if a trivial prediction makes better lists; `first` is to take that.
fn list_remedies(settings: &Settings, first: &'static str) -> Vec<&'static str> {
    let values = settings.values();
    let others = match values.find::<usize>("model.rank") {
        Some(_) => {
            vec!["try another model.rank or solver", "leave out users with few interactions (data.min_user_ratings)"]
        }
        None => settings.solver.remedies(values, Misfit::Under),
    };
    std::iter::once(first).chain(others).collect()
}

/// Metrics that have no meaning for what is predicted.
fn of_preferences(settings: &Settings) -> Option<String> {
    let mut of_interactions = settings.metrics.of_interactions();
    if settings.predictions() == Predictions::Order {
        of_interactions.0.retain(|metric| metric.needs() != Needs::Order);
    }
    let what = match settings.predictions() {
        Predictions::Targets => return None,
        Predictions::Preferences => "preferences near 0 to 1 are compared with counts",
        Predictions::Order => "scores that only put items in order are compared with targets",
    };
    if of_interactions.0.is_empty() {
        return None;
    }
    let labels: Vec<String> = of_interactions.0.iter().map(|metric| metric.label()).collect();
    let last = if settings.why_last().is_some() { "; the last epoch is kept therefore" } else { "" };
    let text = format!("{what} by {}", joined(&labels, "and"));
    Some(format!("{text}, which say nothing about how good recommendations are{last}"))
}

/// What to try, given how the model does on its own training ratings.
fn remedies(settings: &Settings, train: Option<&Scores>, trivial: &Scores, has_held_out_cells: bool) -> String {
    let (values, solver) = (settings.values(), settings.solver.name());
    if has_held_out_cells && settings.zeros() == Zeros::Data {
        return format!(
            "solver.kind = {solver:?} takes held-out cells for zeros: set data.split.kind = \"none\", or take als, or hals \
             with solver.zeros = \"missing\""
        );
    }
    let is_learned = train.is_some_and(|train| worse_than(train, "", trivial, &settings.metrics).is_none());
    let misfit = if is_learned { Misfit::Over } else { Misfit::Under };
    let mut remedies = settings.solver.remedies(values, misfit);
    let declaration = settings.model.declaration;
    if declaration.factors_carry_mean() && settings.zeros() == Zeros::Missing {
        remedies.push("take model.kind = \"biased-mf\"");
    }
    let why = if is_learned { "it has learned its training ratings by heart" } else { "it has not learned enough" };
    format!("{why}: {}", remedies.join(", "))
}
