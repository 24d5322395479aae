//! Sampled ranking of the test part: each of its items among a few others, given or drawn.

use std::path::PathBuf;

use burn::tensor::Device;

use super::settings::Settings;
use super::summary::AmongCandidates;
use crate::data::read::read_candidates;
use crate::data::unseen::Unseen;
use crate::data::{CandidateList, Interactions, Vocabulary};
use crate::error::Result;
use crate::eval::Evaluator;
use crate::linalg::Groups;
use crate::model::AnyModel;

/// What is ranked.
pub struct Ranked<'a> {
    /// The test part, with its bags.
    pub test: &'a Interactions,
    /// The items that each user met in training and test, ascending.
    pub met: &'a dyn Fn() -> Groups,
    /// Ids of users and of items.
    pub ids: [&'a Vocabulary; 2],
}

/// Sampled ranking of the test part, if the config asks for it.
///
/// # Errors
/// Those of the file of candidates.
pub fn among_candidates(
    settings: &Settings,
    evaluator: &Evaluator,
    model: &AnyModel,
    device: &Device,
    Ranked { test, met, ids: [users, items] }: Ranked,
) -> Result<Option<AmongCandidates>> {
    let values = settings.values();
    let given: Option<PathBuf> = values.find("evaluation.candidates");
    let (candidates, lists) = match (given, values.find("evaluation.sampled_candidates")) {
        (Some(path), _) => ("given", read_candidates(&path, users, items)?),
        (None, Some(count)) => {
            let lists = CandidateList::drawn(test, &Unseen::of(met(), items.len()), count, settings.seed);
            let least = settings.relevant_from.unwrap_or(f32::NEG_INFINITY);
            let relevant = lists.into_iter().zip(&test.targets).filter(|(_, target)| **target >= least);
            ("drawn", relevant.map(|(list, _)| list).collect())
        }
        (None, None) => return Ok(None),
    };
    let scores = evaluator.among(model, device, &lists, &test.bags);
    let both = scores.zip(evaluator.popularity_among(&lists));
    let candidates = candidates.to_string();
    Ok(both.map(|(model, popularity)| AmongCandidates { candidates, model, popularity }))
}
