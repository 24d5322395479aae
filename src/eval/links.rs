//! Scores of pairs of nodes that are written in closed form: what models of links are compared with.

use rayon::prelude::*;

use crate::linalg::Groups;

/// A score of pairs by the neighbourhoods N(u) of the nodes of a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkScore {
    /// |N(u)|·|N(v)|   (Barabási & Albert 1999).
    PreferentialAttachment,
    /// |N(u) ∩ N(v)|.
    CommonNeighbours,
    /// Σ over common neighbours w of 1 / ln |N(w)|   (Adamic & Adar 2003).
    AdamicAdar,
    /// L3: Σ over paths u–a–b–v of 1 / √(|N(a)|·|N(b)|)   (Kovács et al. 2019). Proteins bind what their partners' partners'
    /// partners bind, rather than what is like them.
    PathsOfThree,
}

impl LinkScore {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::PreferentialAttachment, Self::CommonNeighbours, Self::AdamicAdar, Self::PathsOfThree];

    /// Its name, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::PreferentialAttachment => "preferential attachment",
            Self::CommonNeighbours => "common neighbours",
            Self::AdamicAdar => "Adamic-Adar",
            Self::PathsOfThree => "paths of length 3 (L3)",
        }
    }

    /// Scores of pairs in a graph that has the neighbours of each node, ascending.
    pub fn of_pairs(self, neighbours: &Groups, [one, other]: [&[u32]; 2]) -> Vec<f32> {
        let degree = |node: u32| neighbours.get(node as usize).len() as f64;
        let of_pair = |(&u, &v): (&u32, &u32)| -> f64 {
            let (of_u, of_v) = (neighbours.get(u as usize), neighbours.get(v as usize));
            match self {
                Self::PreferentialAttachment => degree(u) * degree(v),
                Self::CommonNeighbours => common(of_u, of_v).count() as f64,
                // A common neighbour has two neighbours at least.
                Self::AdamicAdar => common(of_u, of_v).map(|w| 1.0 / degree(w).ln()).sum(),
                Self::PathsOfThree => {
                    let through = |&a: &u32| {
                        let shared = common(neighbours.get(a as usize), of_v).filter(|&b| b != u);
                        shared.map(|b| 1.0 / (degree(a) * degree(b)).sqrt()).sum::<f64>()
                    };
                    of_u.iter().filter(|&&a| a != v).map(through).sum()
                }
            }
        };
        one.par_iter().zip(other).map(|pair| of_pair(pair) as f32).collect()
    }

    /// About how many steps the scores of these pairs take.
    pub fn operations(self, neighbours: &Groups, [one, other]: [&[u32]; 2]) -> u64 {
        let degree = |node: u32| neighbours.get(node as usize).len() as u64;
        let of_pair = |(&u, &v): (&u32, &u32)| match self {
            Self::PreferentialAttachment => 1,
            Self::CommonNeighbours | Self::AdamicAdar => degree(u) + degree(v),
            Self::PathsOfThree => neighbours.get(u as usize).iter().map(|&a| degree(a) + degree(v)).sum(),
        };
        one.iter().zip(other).map(of_pair).sum()
    }
}

/// What two ascending lists have in common.
fn common<'a>(one: &'a [u32], other: &'a [u32]) -> impl Iterator<Item = u32> + 'a {
    let mut rest = other;
    one.iter().copied().filter(move |wanted| {
        rest = &rest[rest.partition_point(|node| node < wanted)..];
        rest.first() == Some(wanted)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_those_counted_by_hand() {
        // Edges 0–1, 0–2, 1–2, 1–3, 2–3, 3–4, 4–5.
        let edges = [(0, 1), (0, 2), (1, 2), (1, 3), (2, 3), (3, 4), (4, 5)];
        let both = edges.iter().flat_map(|&(one, other): &(usize, u32)| [(one, other), (other as usize, one as u32)]);
        let graph = Groups::new(6, both).sorted_and_distinct();
        let pairs = [&[0, 0, 0][..], &[3, 4, 5]];
        let of = |score: LinkScore| score.of_pairs(&graph, pairs);
        assert_eq!(of(LinkScore::PreferentialAttachment), [6.0, 4.0, 2.0]);
        assert_eq!(of(LinkScore::CommonNeighbours), [2.0, 0.0, 0.0]);
        assert_eq!(of(LinkScore::AdamicAdar), [(2.0 / 3.0_f64.ln()) as f32, 0.0, 0.0]);
        // 0–1–2–3 and 0–2–1–3, all of whose middle nodes have three neighbours; 0–1–3–4 and 0–2–3–4.
        assert_eq!(of(LinkScore::PathsOfThree), [2.0 / 3.0, 2.0 / 3.0, 0.0]);
        assert!(LinkScore::ALL.iter().all(|score| score.operations(&graph, pairs) >= 3));
    }
}
