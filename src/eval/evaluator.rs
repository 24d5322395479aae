//! A model on a whole split: every requested metric, and the number of ids that training never saw.

use std::collections::BTreeMap;
use std::sync::Arc;

use burn::tensor::Device;
use rayon::prelude::*;

use super::among::Among;
use super::content::Content;
use super::lists::{Queries, best, places};
use super::predictor::Predictor;
use crate::data::batch::Samples;
use crate::data::unseen::met_items;
use crate::data::{Bag, CandidateList, FieldId, ITEM, Interactions, UNKNOWN, USER};
use crate::device::to_vec;
use crate::linalg::Groups;
use crate::linalg::similar::{self, Similarity};
use crate::metric::{Catalog, Metrics, RankedList, Scores, Tally};
use crate::model::{AnyModel, ItemKnnConfig};

/// Additions that similarities of items may take to be computed only for comparison: a few seconds on one core. They grow
/// with the square of what each user met, so that ten million interactions are often too many.
pub const MOST_OPERATIONS: u64 = 1 << 31;

/// Scores of candidates that are computed at once, about.
const CANDIDATES: usize = 1 << 16;

/// Evaluates the model of a run.
#[derive(Debug, Clone)]
pub struct Evaluator {
    /// Turns scores into predictions.
    pub predictor: Predictor,
    /// The metrics to compute.
    pub metrics: Metrics,
    /// Interactions of at least this value are relevant in ranked lists; all if absent.
    relevant_from: Option<f32>,
    /// What is ranked, if a metric needs rankings.
    ranking: Option<Arc<Ranking>>,
    /// The items that each user met, ascending, which are not recommended again, if these are other users than those of
    /// training.
    met: Option<Groups>,
}

/// What is ranked for each user.
#[derive(Debug)]
struct Ranking {
    /// Items that each user met in training, ascending.
    trained: Groups,
    catalog: Catalog,
}

/// A user of a split whose list is measured.
struct Ranked {
    /// The first interaction, in whose context the items are ranked.
    at: usize,
    /// Relevant candidates, ascending.
    relevant: Vec<u32>,
    /// Number of relevant items that training never saw.
    unknown: usize,
}

/// The list of a user.
struct Listed {
    /// The best candidates.
    items: Vec<u32>,
    /// The places of the relevant ones.
    places: Vec<u32>,
}

/// Predictions for the interactions of a split, and their metrics.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evaluation {
    /// One prediction per interaction, in the order of the split.
    pub predictions: Vec<f32>,
    /// All metrics, fallback predictions included; `None` without interactions.
    pub scores: Option<Scores>,
    /// For each field, the number of interactions whose id was not in training.
    pub unknown: Vec<usize>,
}

impl Evaluation {
    /// The number of interactions whose id in a field was not in training.
    pub fn unknown(&self, field: FieldId) -> usize {
        self.unknown.get(field.0).copied().unwrap_or(0)
    }
}

impl Evaluator {
    /// An evaluator of models trained on `train`, which has this many users and items.
    pub fn new(
        predictor: Predictor,
        metrics: Metrics,
        train: &Interactions,
        num_users: usize,
        num_items: usize,
    ) -> Self {
        let seen = metrics.longest_list().map(|_| met_items([train], num_users));
        Self::of_seen(predictor, metrics, seen, num_items)
    }

    /// An evaluator of a model trained on users who met the items `seen`, ascending; without it all items are
    /// candidates.
    pub fn of_trained(
        predictor: Predictor,
        metrics: Metrics,
        seen: Option<Groups>,
        [num_users, num_items]: [usize; 2],
    ) -> Self {
        let seen = seen.unwrap_or_else(|| Groups::new(num_users, std::iter::empty::<(usize, u32)>()));
        let seen = metrics.longest_list().map(|_| seen);
        Self::of_seen(predictor, metrics, seen, num_items)
    }

    fn of_seen(predictor: Predictor, metrics: Metrics, seen: Option<Groups>, num_items: usize) -> Self {
        let ranking = seen.map(|seen| Arc::new(Ranking { catalog: Catalog::new(&seen, num_items), trained: seen }));
        Self { predictor, metrics, relevant_from: None, ranking, met: None }
    }

    /// The same for other users than those of training, who met the items `met`, ascending, and whose predictions
    /// `predictor` makes.
    pub fn of_others(&self, predictor: Predictor, met: Groups) -> Self {
        Self { predictor, met: Some(met), ..self.clone() }
    }

    /// Counts only interactions of at least this value as relevant in ranked lists, if it is given.
    pub fn with_relevant_from(self, relevant_from: Option<f32>) -> Self {
        Self { relevant_from, ..self }
    }

    /// Predicts a split and computes its metrics.
    pub fn evaluate(&self, model: &AnyModel, device: &Device, rows: &Interactions) -> Evaluation {
        let mut tally = Tally::new(&self.metrics);
        let predictions = self.predictor.evaluate(model, device, rows, &mut tally);
        self.rank(rows, &mut tally, |queries, of_scores| queries.map(model, device, of_scores));
        let count = |column: &Vec<u32>| column.iter().filter(|&&index| index == UNKNOWN).count();
        Evaluation { predictions, scores: tally.scores(), unknown: rows.columns.iter().map(count).collect() }
    }

    /// The metrics of ranked lists if all users get the items that most users met in training, of equals the first; `None`
    /// if no metric needs rankings, or no user is measured.
    pub fn popularity(&self, rows: &Interactions) -> Option<Scores> {
        let scores = self.ranking.as_ref()?.catalog.popularity_scores();
        self.of_lists(rows, |_, scratch| scratch.copy_from_slice(&scores))
    }

    /// The metrics of ranked lists of item k-NN with its default settings, as
    /// [`ItemKnn`](crate::model::ItemKnn) has them; `None` as for [`popularity`](Self::popularity), and where it would take
    /// more than [`MOST_OPERATIONS`].
    pub fn item_knn(&self, rows: &Interactions) -> Option<Scores> {
        let Ranking { trained, catalog } = &**self.ranking.as_ref()?;
        let count = ItemKnnConfig::NEIGHBOURS;
        let operations = similar::operations(trained).saturating_add((count * trained.members().len()) as u64);
        if operations > MOST_OPERATIONS {
            return None;
        }
        let similar = similar::most_similar(catalog.users(), trained, Similarity::default(), count);
        let lists = similar::by_column(&similar);
        let met = self.met.as_ref().unwrap_or(trained);
        self.of_lists(rows, |user, scores| {
            scores.fill(0.0);
            similar::add_rows(&lists, met.get(user as usize), scores);
        })
    }

    /// The metrics of ranked lists of content k-NN, where items have features, bags of the entity `items`; `None`
    /// as for [`popularity`](Self::popularity).
    pub fn content(&self, rows: &Interactions, items: usize) -> Option<Scores> {
        let Ranking { trained, catalog } = &**self.ranking.as_ref()?;
        let features = rows.bags.iter().filter(|bag| bag.frame.is_feature && bag.frame.owner == items);
        let content = Content::new(features, catalog.len())?;
        let met = self.met.as_ref().unwrap_or(trained);
        self.of_lists(rows, |user, scores| content.write_scores(met.get(user as usize), scores))
    }

    /// The metrics of ranked lists if each item is ranked among the candidates of its list, a list an interaction; `None`
    /// if no metric needs rankings, or there are no lists. The model has no other fields than user and item.
    pub fn among(
        &self,
        model: &AnyModel,
        device: &Device,
        lists: &[CandidateList],
        bags: &Arc<Vec<Bag>>,
    ) -> Option<Scores> {
        self.of_candidates(lists, |users, items| {
            to_vec(model.forward(&Arc::new(Samples::of_columns(vec![users, items], bags)).to_device(device)))
        })
    }

    /// The same if all users get the items that most users met in training.
    pub fn popularity_among(&self, lists: &[CandidateList]) -> Option<Scores> {
        let scores = self.ranking.as_ref()?.catalog.popularity_scores();
        let of = |item: u32| if item == UNKNOWN { f32::NEG_INFINITY } else { scores[item as usize] };
        self.of_candidates(lists, |_, items| items.into_iter().map(of).collect())
    }

    /// The metrics of candidates that `scores` gives to pairs of users and items.
    fn of_candidates(
        &self,
        lists: &[CandidateList],
        scores: impl Fn(Vec<u32>, Vec<u32>) -> Vec<f32>,
    ) -> Option<Scores> {
        let (length, catalog) = (self.metrics.longest_list()?, &self.ranking.as_ref()?.catalog);
        let mut tally = Tally::new(&self.metrics.of_lists());
        tally.count(lists.len());
        let longest = lists.iter().map(|list| 1 + list.others.len()).max()?;
        for lists in lists.chunks((CANDIDATES / longest).max(1)) {
            let items = lists.iter().flat_map(|list| std::iter::once(&list.item).chain(&list.others)).copied();
            let users = lists.iter().flat_map(|list| std::iter::repeat_n(list.user, 1 + list.others.len()));
            let scores = scores(users.collect(), items.collect());
            let mut rest = &scores[..];
            for list in lists {
                let (of_list, next) = rest.split_at(1 + list.others.len());
                rest = next;
                let found = Among::new(list, of_list, length);
                // A user without history has no order that could be good.
                let place = found.place.filter(|_| list.user != UNKNOWN);
                tally.add_list(&RankedList {
                    items: &found.items,
                    relevant: place.map_or(&[], |_| std::slice::from_ref(&list.item)),
                    places: place.as_slice(),
                    unknown: usize::from(place.is_none()),
                    candidates: found.candidates,
                    catalog,
                });
            }
        }
        tally.scores().filter(|scores| !scores.values.is_empty())
    }

    /// The metrics of ranked lists of scores that `fill` writes for a user, on all threads.
    fn of_lists(&self, rows: &Interactions, fill: impl Fn(u32, &mut [f32]) + Sync) -> Option<Scores> {
        let num_items = self.ranking.as_ref()?.catalog.len();
        let mut tally = Tally::new(&self.metrics.of_lists());
        tally.count(rows.len());
        self.rank(rows, &mut tally, |queries, of_scores| {
            let users = queries.columns[USER.0].par_iter().enumerate();
            let listed = |scores: &mut Vec<f32>, (at, &user): (usize, &u32)| {
                fill(user, scores);
                of_scores(at, scores)
            };
            users.map_init(|| vec![0.0; num_items], listed).collect()
        });
        tally.scores().filter(|scores| !scores.values.is_empty())
    }

    /// Adds a ranked list for each user of the split with a relevant item, in the context of the user's first interaction
    /// there; `scored` passes the scores of all items for each query on. The candidates are all items but those that
    /// training saw with the user.
    fn rank(
        &self,
        rows: &Interactions,
        tally: &mut Tally,
        scored: impl FnOnce(&Queries, &(dyn Fn(usize, &[f32]) -> Listed + Sync)) -> Vec<Listed>,
    ) {
        let (Some(length), Some(ranking)) = (self.metrics.longest_list(), &self.ranking) else { return };
        let Ranking { trained, catalog } = &**ranking;
        let seen = self.met.as_ref().unwrap_or(trained);
        let ranked = self.ranked(rows, seen);
        let users: Vec<u32> = ranked.iter().map(|ranked| rows.column(USER)[ranked.at]).collect();
        let columns = rows.columns.iter().map(|column| ranked.iter().map(|ranked| column[ranked.at]).collect());
        let queries = Queries { columns: columns.collect(), field: ITEM, num_rows: catalog.len(), bags: &rows.bags };
        let lists = scored(&queries, &|at, scores| {
            let seen = seen.get(users[at] as usize);
            let items = best(scores, seen, length).into_iter().map(|(item, _)| item).collect();
            Listed { items, places: places(scores, seen, &ranked[at].relevant) }
        });
        for (Listed { items, places }, Ranked { at, relevant, unknown }) in lists.iter().zip(&ranked) {
            let candidates = catalog.len() - seen.get(rows.column(USER)[*at] as usize).len();
            tally.add_list(&RankedList { items, relevant, places, unknown: *unknown, candidates, catalog });
        }
    }

    /// The users of a split with a relevant item, by index.
    fn ranked(&self, rows: &Interactions, seen: &Groups) -> Vec<Ranked> {
        let mut ranked: BTreeMap<u32, Ranked> = BTreeMap::new();
        for (at, (&user, &item)) in rows.column(USER).iter().zip(rows.column(ITEM)).enumerate() {
            if user == UNKNOWN || self.relevant_from.is_some_and(|least| rows.targets[at] < least) {
                continue;
            }
            let ranked = ranked.entry(user).or_insert(Ranked { at, relevant: Vec::new(), unknown: 0 });
            match item == UNKNOWN {
                // Each counts, because nothing tells one from the other.
                true => ranked.unknown += 1,
                false => ranked.relevant.push(item),
            }
        }
        let finished = |(user, mut ranked): (u32, Ranked)| {
            ranked.relevant.sort_unstable();
            ranked.relevant.dedup();
            // What is not recommended again is not asked for either.
            ranked.relevant.retain(|item| seen.get(user as usize).binary_search(item).is_err());
            (ranked.relevant.len() + ranked.unknown > 0).then_some(ranked)
        };
        ranked.into_iter().filter_map(finished).collect()
    }
}
