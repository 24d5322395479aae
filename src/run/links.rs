//! Graphs: what classical scores of links reach beside a model, which pairs were held out, and which links are to be expected.

use std::collections::BTreeMap;

use burn::tensor::Device;

use super::directory::RunDirectory;
use super::model_file::ModelFile;
use super::seen_items::SeenItems;
use super::summary::NamedScores;
use super::views::{Shown, table};
use crate::data::split::Split;
use crate::data::{ITEM, Interactions, USER};
use crate::error::Result;
use crate::eval::{LinkScore, MOST_OPERATIONS, Queries, best};
use crate::linalg::Groups;
use crate::linalg::dot::dot;
use crate::metric::{Metrics, Needs, Pair, Scores, Tally};
use crate::solver::svd::{SvdConfig, svd};

/// Singular vectors of the graph that pairs are scored by.
const SPECTRAL_RANK: usize = 64;
/// Links that are listed.
const LISTED: usize = 200;
/// Candidates of each node for the list.
const OF_NODE: usize = 50;
/// Pairs of nodes up to which all of them are scored for the list, by products of matrices or one by one.
const MOST_PRODUCTS: usize = 1 << 33;
const MOST_PAIRS: usize = 1 << 24;

/// What scores in closed form reach on these pairs, by the metrics that put pairs in order; none where there is no such
/// metric, and without those that would take long.
///
/// # Errors
/// Those of the singular value decomposition.
pub(super) fn classical(data: &Split, metrics: &Metrics, pairs: &Interactions) -> Result<Vec<NamedScores>> {
    let ordering = Metrics(metrics.0.iter().filter(|metric| metric.needs() == Needs::Order).cloned().collect());
    if ordering.0.is_empty() || pairs.is_empty() {
        return Ok(Vec::new());
    }
    let nodes = data.users().len();
    let edges = (data.train.column(USER).iter(), data.train.column(ITEM).iter());
    let members = edges.0.zip(edges.1).map(|(&one, &other)| (one as usize, other));
    let neighbours = Groups::new(nodes, members).sorted_and_distinct();
    let columns = [USER, ITEM].map(|field| pairs.column(field));
    let scored =
        |name: &str, scores: Vec<f32>| NamedScores { name: name.into(), scores: of_order(&ordering, &scores, pairs) };
    let is_quick = |score: &LinkScore| score.operations(&neighbours, columns) <= MOST_OPERATIONS;
    let quick = LinkScore::ALL.into_iter().filter(is_quick);
    let mut all: Vec<NamedScores> =
        quick.map(|score| scored(score.name(), score.of_pairs(&neighbours, columns))).collect();
    let rank = SPECTRAL_RANK.min(nodes.saturating_sub(1));
    if rank > 0 && (data.train.len() * rank) as u64 <= MOST_OPERATIONS {
        let found = svd(&data.train.to_matrix(nodes, nodes)?, &SvdConfig::new(rank))?;
        let stretched: Vec<f32> = found
            .left
            .values()
            .chunks_exact(rank)
            .flat_map(|row| row.iter().zip(&found.singular_values).map(|(value, sigma)| value * *sigma as f32))
            .collect();
        let of_pair = |(&one, &other): (&u32, &u32)| {
            dot(&stretched[one as usize * rank..][..rank], found.right.row(other as usize)) as f32
        };
        let scores = columns[0].iter().zip(columns[1]).map(of_pair).collect();
        all.push(scored(&format!("spectral, rank {rank}"), scores));
    }
    Ok(all)
}

/// The metrics of pairs with these scores.
fn of_order(metrics: &Metrics, scores: &[f32], pairs: &Interactions) -> Scores {
    let mut tally = Tally::new(metrics);
    let pair =
        |(&score, &target): (&f32, &f32)| Pair { target: f64::from(target), prediction: f64::from(score), loss: None };
    tally.add(&scores.iter().zip(&pairs.targets).map(pair).collect::<Vec<_>>());
    tally.scores().unwrap_or_default()
}

/// Writes the pairs of the held-out parts, edges and those that were drawn as none, so that other programs can be judged by
/// them.
///
/// # Errors
/// [`Error::Io`](crate::error::Error::Io).
pub(super) fn write_held_out(directory: &RunDirectory, data: &Split) -> Result<()> {
    let mut lines = Vec::new();
    for (name, part) in [("validation", &data.validation), ("test", &data.test)] {
        for at in 0..part.len() {
            let [one, other] = [USER, ITEM].map(|field| part.column(field)[at]);
            // One of the two ways.
            if one < other {
                let id = |node: u32| data.users().id(node as usize).to_owned();
                lines.push(vec![name.into(), id(one), id(other), part.targets[at].to_string()]);
            }
        }
    }
    if lines.is_empty() {
        return Ok(());
    }
    let caption = "pairs that were held out, those of weight 0 no edges";
    table(directory.path(), "held-out-links.csv", caption, &["part", "node", "neighbour", "weight"], &lines).map(|_| ())
}

/// Writes the pairs with the highest scores that are no edges; `None` for a graph of so many nodes that all pairs would take
/// long.
///
/// # Errors
/// [`Error::Io`](crate::error::Error::Io).
pub(super) fn write_new(
    directory: &RunDirectory,
    file: &ModelFile,
    seen: &SeenItems,
    device: &Device,
) -> Result<Option<Shown>> {
    let nodes = file.users().len();
    let mut columns = vec![Vec::new(); file.fields.len().max(2)];
    columns[USER.0] = (0..nodes as u32).collect();
    columns[ITEM.0] = vec![0; nodes];
    let queries = Queries { columns, field: ITEM, num_rows: nodes, bags: &file.bags };
    let most = if queries.are_products(&file.model, device) { MOST_PRODUCTS } else { MOST_PAIRS };
    if nodes.saturating_mul(nodes) > most {
        return Ok(None);
    }
    let lists = queries.map(&file.model, device, |at, scores| best(scores, &seen.items(at as u32, true), OF_NODE));
    // Of both ways of a pair, the one with the higher score.
    let mut scores: BTreeMap<(u32, u32), f32> = BTreeMap::new();
    for (one, list) in (0..).zip(lists) {
        for (other, score) in list {
            let known = scores.entry((other.min(one), other.max(one))).or_insert(score);
            *known = known.max(score);
        }
    }
    let mut ranked: Vec<((u32, u32), f32)> = scores.into_iter().collect();
    // Stable: of equals, the first by index.
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    let titles = file.entity(USER);
    let mut header = vec!["node", "neighbour", "score"];
    if titles.titles.is_some() {
        header.extend(["title", "title of neighbour"]);
    }
    let mut lines = Vec::new();
    for ((one, other), score) in ranked.into_iter().take(LISTED) {
        let id = |node: u32| file.users().id(node as usize).to_owned();
        let title = |node: u32| titles.title(node as usize).unwrap_or_default().to_owned();
        let prediction = file.predictor.objective.prediction(f64::from(score));
        let mut line = vec![id(one), id(other), format!("{prediction:.4}")];
        if titles.titles.is_some() {
            line.extend([title(one), title(other)]);
        }
        lines.push(line);
    }
    table(directory.path(), "new-links.csv", "pairs that are no edges, by their score", &header, &lines).map(Some)
}
