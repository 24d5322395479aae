//! Data whose two sides are one: both ways of a pair belong together, and of a graph, pairs that are no edges are held out beside
//! edges.

use std::collections::{HashMap, HashSet};

use rand::RngExt;

use super::Part;
use super::assign::assign;
use super::orders::hold_orders_out;
use super::spec::{SplitKind, SplitSpec};
use crate::data::unseen::met_items;
use crate::data::{Dataset, Field, ITEM, Interactions, Layout, UNKNOWN, USER};
use crate::error::{Error, Result};
use crate::linalg::Groups;
use crate::random;

/// Draws of a pair that is no edge, before a graph counts as having too few of them.
const MOST_DRAWS: usize = 1000;

/// The part of each interaction. Of words and their contexts, both ways of a pair are in the part of the first. Of a graph, whose
/// edges have no direction, `dataset` gets both ways of each edge, in one part, and for each held-out edge `spec.non_edges` pairs
/// that are no edges, with target 0: nodes are drawn uniformly, and no pair twice. Which pairs depends on the seed and the edges
/// alone. Of purchases that a moment divides, orders are held out with the cells.
///
/// # Errors
/// Those of [`assign`], and [`Error::Usage`] for a graph in which almost all pairs are edges.
pub fn assign_all(dataset: &mut Dataset, spec: &SplitSpec, seed: u64) -> Result<Vec<Part>> {
    let mut parts = assign(dataset, spec, seed)?;
    if dataset.layout != Layout::Graph {
        if has_one_side(&dataset.fields) && parts.iter().any(|part| *part != Part::Train) {
            join_ways(&dataset.interactions, &mut parts);
        }
        if matches!(spec.kind, SplitKind::GlobalTemporal { .. }) {
            hold_orders_out(dataset, &parts);
        }
        return Ok(parts);
    }
    let edges = &dataset.interactions;
    // A node that is in no edge would tell itself from those that are.
    let mut nodes: Vec<u32> = [USER, ITEM].iter().flat_map(|&field| edges.column(field)).copied().collect();
    nodes.sort_unstable();
    nodes.dedup();
    let mut taken: HashSet<[u32; 2]> =
        edges.column(USER).iter().zip(edges.column(ITEM)).map(|(&one, &other)| [one, other]).collect();
    let mut drawn = Vec::new();
    for part in [Part::Validation, Part::Test] {
        let held_out = parts.iter().filter(|&&of| of == part).count();
        let name = if part == Part::Test { "split/non-edges/test" } else { "split/non-edges/validation" };
        let mut random = random::stream(seed, name);
        for _ in 0..(held_out as f64 * spec.non_edges).round() as usize {
            let mut draw = || {
                let [one, other] = [0; 2].map(|_| nodes[random.random_range(0..nodes.len())]);
                [one.min(other), one.max(other)]
            };
            let pair = (0..MOST_DRAWS).map(|_| draw()).find(|pair| pair[0] != pair[1] && taken.insert(*pair));
            let Some(pair) = pair else {
                let message = "data.split.non_edges: almost all pairs of nodes are edges; lower it";
                return Err(Error::Usage(message.into()));
            };
            drawn.push((pair, part));
        }
    }
    let edges = &mut dataset.interactions;
    for (pair, part) in drawn {
        edges.push(pair, 0.0, None);
        parts.push(part);
    }
    add_other_ways(edges);
    parts.extend_from_within(..);
    Ok(parts)
}

/// Adds the other way of each edge, behind all of them.
pub fn add_other_ways(edges: &mut Interactions) {
    for at in 0..edges.len() {
        let [one, other] = [USER, ITEM].map(|field| edges.column(field)[at]);
        edges.push([other, one], edges.targets[at], None);
    }
    edges.shrink_to_fit();
}

/// Whether users and items are rows of one entity, such as words, or the nodes of a graph.
fn has_one_side(fields: &[Field]) -> bool {
    fields[USER.0].entity == fields[ITEM.0].entity
}

/// Gives both ways of a pair the part of the first.
fn join_ways(interactions: &Interactions, parts: &mut [Part]) {
    let mut of_pairs: HashMap<[u32; 2], Part> = HashMap::new();
    let pairs = interactions.column(USER).iter().zip(interactions.column(ITEM));
    for ((&one, &other), part) in pairs.zip(parts) {
        *part = *of_pairs.entry([one.min(other), one.max(other)]).or_insert(*part);
    }
}

/// The items that each of so many users met in these parts, ascending; `fields` are those of the parts. Where both sides are one, a
/// row counts as met by itself, and a pair with a target of 0, which was drawn as no edge, as not met.
pub fn met<const N: usize>(fields: &[Field], parts: [&Interactions; N], num_users: usize) -> Groups {
    if !has_one_side(fields) {
        return met_items(parts, num_users);
    }
    let edges = parts.into_iter().flat_map(|part| {
        let pairs = part.column(USER).iter().zip(part.column(ITEM)).zip(&part.targets);
        pairs.filter(|(_, target)| **target > 0.0).map(|((&row, &other), _)| (row, other))
    });
    let known = edges.filter(|&(row, other)| row != UNKNOWN && other != UNKNOWN);
    let own = (0..num_users as u32).map(|row| (row, row));
    Groups::new(num_users, known.chain(own).map(|(row, other)| (row as usize, other))).sorted_and_distinct()
}

#[cfg(test)]
mod tests {
    use super::super::SplitKind;
    use super::*;
    use crate::data::{Entity, Role, Vocabulary};

    /// A ring of so many nodes.
    fn ring(nodes: u32) -> Dataset {
        let mut dataset = Dataset {
            entities: vec![Entity { ids: Vocabulary::numbered(nodes as usize), ..Entity::new("node") }],
            fields: vec![
                Field { role: Some(Role::User), ..Field::new("node", 0) },
                Field { role: Some(Role::Item), ..Field::new("neighbour", 0) },
            ],
            layout: Layout::Graph,
            ..Dataset::default()
        };
        for node in 0..nodes {
            let next = (node + 1) % nodes;
            dataset.interactions.push([node.min(next), node.max(next)], 1.0, None);
        }
        dataset
    }

    #[test]
    fn both_ways_are_in_one_part_and_non_edges_beside_held_out_edges() {
        let spec = SplitSpec { kind: SplitKind::Random, test: 0.2, validation: 0.1, non_edges: 1.5 };
        let of = |seed| {
            let mut dataset = ring(40);
            let parts = assign_all(&mut dataset, &spec, seed).expect("parts");
            (dataset, parts)
        };
        let (dataset, parts) = of(1);
        let edges = &dataset.interactions;
        let all: Vec<_> = (0..edges.len())
            .map(|at| ([edges.column(USER)[at], edges.column(ITEM)[at]], edges.targets[at], parts[at]))
            .collect();
        for ([one, other], target, part) in &all {
            assert!(one != other && all.contains(&([*other, *one], *target, *part)));
            let is_edge = one.abs_diff(*other) == 1 || one.abs_diff(*other) == 39;
            assert_eq!(is_edge, *target == 1.0);
        }
        let count = |part, target| all.iter().filter(|of| (of.1, of.2) == (target, part)).count();
        assert_eq!([count(Part::Test, 1.0), count(Part::Test, 0.0)], [16, 24]);
        assert_eq!([count(Part::Validation, 1.0), count(Part::Validation, 0.0)], [8, 12]);
        assert_eq!([count(Part::Train, 1.0), count(Part::Train, 0.0)], [56, 0]);
        let distinct: HashSet<_> = all.iter().map(|of| of.0).collect();
        assert_eq!(distinct.len(), all.len());
        assert_eq!(of(1).0.interactions, dataset.interactions);
        assert_ne!(of(2).0.interactions, dataset.interactions);
    }

    #[test]
    fn nodes_without_an_edge_are_not_drawn() {
        let spec = SplitSpec { kind: SplitKind::Random, test: 0.2, validation: 0.0, non_edges: 1.0 };
        let mut dataset = ring(40);
        for node in 0..500 {
            dataset.entities[0].ids.insert(&format!("alone {node}"));
        }
        assign_all(&mut dataset, &spec, 1).expect("parts");
        assert!(dataset.interactions.column(USER).iter().all(|&node| node < 40));
    }

    #[test]
    fn both_ways_of_words_are_in_one_part() {
        let mut dataset = Dataset { layout: Layout::CoOccurrences, ..ring(40) };
        let all = dataset.interactions.len();
        add_other_ways(&mut dataset.interactions);
        let spec = SplitSpec { kind: SplitKind::Random, test: 0.3, validation: 0.2, non_edges: 1.0 };
        let parts = assign_all(&mut dataset, &spec, 1).expect("parts");
        assert_eq!((parts.len(), &parts[..all]), (2 * all, &parts[all..]));
        assert!(parts.contains(&Part::Test) && parts.contains(&Part::Validation) && parts.contains(&Part::Train));
    }

    #[test]
    fn a_graph_without_non_edges_says_so() {
        let spec = SplitSpec { kind: SplitKind::Random, test: 0.4, validation: 0.0, non_edges: 1.0 };
        let message = assign_all(&mut ring(3), &spec, 1).expect_err("none").to_string();
        assert!(message.contains("almost all pairs of nodes are edges"), "{message}");
    }
}
