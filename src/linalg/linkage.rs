//! Hierarchical clustering with average linkage (UPGMA), as consensus matrices are read with.
//!
//! Two clusters are as far from each other as the mean of their members' distances, and the two nearest merge, until
//! one is left. The nearest-neighbour chain (Murtagh 1983) finds all merges in O(n²) time; it yields the tree that
//! merging the globally nearest pair yields, up to ties. A consensus of few runs is full of ties, so which of equally near
//! clusters merge is part of the result here: the chain goes back to where it came from, else to the lowest item.

use crate::error::{Error, Result};

/// Two clusters becoming one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Merge {
    /// The clusters merged: below n the item of that number, else n + the position of an earlier merge. `left` holds
    /// the lower item.
    pub left: usize,
    /// The other one.
    pub right: usize,
    /// Mean distance between their members.
    pub height: f64,
}

/// The tree of a hierarchical clustering of n items.
#[derive(Debug, Clone, PartialEq)]
pub struct Dendrogram {
    items: usize,
    merges: Vec<Merge>,
}

/// Distances between the pairs of n items.
#[derive(Debug, Clone, PartialEq)]
pub struct Distances {
    items: usize,
    /// Row by row, both halves and the diagonal.
    values: Vec<f64>,
}

impl Distances {
    /// The distances `between(i, j)` of all pairs with i < j.
    pub fn from_fn(items: usize, mut between: impl FnMut(usize, usize) -> f64) -> Self {
        let mut values = vec![0.0; items * items];
        for left in 0..items {
            for right in left + 1..items {
                let distance = between(left, right);
                values[left * items + right] = distance;
                values[right * items + left] = distance;
            }
        }
        Self { items, values }
    }

    /// Distance of a pair.
    pub fn get(&self, left: usize, right: usize) -> f64 {
        self.values[left * self.items + right]
    }

    /// The tree of average linkage.
    ///
    /// # Errors
    /// [`Error::Usage`] without items, or if a distance is not a number.
    pub fn average_linkage(&self) -> Result<Dendrogram> {
        if self.items == 0 {
            return Err(Error::Usage("no items to cluster".into()));
        }
        if self.values.iter().any(|distance| distance.is_nan()) {
            return Err(Error::Usage("a distance between items to cluster is not a number".into()));
        }
        let items = self.items;
        let mut distances = self.clone();
        // A cluster lives in the slot of one of its items.
        let mut sizes = vec![1usize; items];
        let mut active = vec![true; items];
        let mut chain: Vec<usize> = Vec::new();
        let mut found = Vec::with_capacity(items - 1);
        while found.len() + 1 < items {
            let tip =
                *chain.last().unwrap_or(&active.iter().position(|&active| active).expect("two clusters are left"));
            if chain.is_empty() {
                chain.push(tip);
            }
            let before = chain.len().checked_sub(2).map(|at| chain[at]);
            // Of equally near ones the one the chain came from, or it would never close.
            let mut nearest = before.map(|slot| (distances.get(tip, slot), slot));
            for slot in (0..items).filter(|&slot| active[slot] && slot != tip) {
                let distance = distances.get(tip, slot);
                if nearest.is_none_or(|(least, _)| distance < least) {
                    nearest = Some((distance, slot));
                }
            }
            let (height, next) = nearest.expect("two clusters are left");
            if before != Some(next) {
                chain.push(next);
                continue;
            }
            chain.truncate(chain.len() - 2);
            found.push((tip, next, height));
            active[next] = false;
            let (ours, theirs) = (sizes[tip] as f64, sizes[next] as f64);
            for slot in (0..items).filter(|&slot| active[slot] && slot != tip) {
                let mean = (ours * distances.get(tip, slot) + theirs * distances.get(next, slot)) / (ours + theirs);
                distances.values[tip * items + slot] = mean;
                distances.values[slot * items + tip] = mean;
            }
            sizes[tip] += sizes[next];
        }
        Ok(Dendrogram::from_found(items, found))
    }
}

impl Dendrogram {
    /// Sorts merges of slots by height and names the clusters.
    fn from_found(items: usize, mut found: Vec<(usize, usize, f64)>) -> Self {
        found.sort_by(|a, b| a.2.total_cmp(&b.2));
        let mut forest = Forest::new(items);
        // Cluster and lowest item at each root.
        let mut clusters: Vec<(usize, usize)> = (0..items).map(|item| (item, item)).collect();
        let merges = found.into_iter().enumerate().map(|(at, (one, other, height))| {
            let (one, other) = (forest.root(one), forest.root(other));
            let (left, right) = if clusters[one].1 < clusters[other].1 { (one, other) } else { (other, one) };
            let merge = Merge { left: clusters[left].0, right: clusters[right].0, height };
            forest.join(left, right);
            clusters[left] = (items + at, clusters[left].1);
            merge
        });
        Self { items, merges: merges.collect() }
    }

    /// All n − 1 merges, by rising height.
    pub fn merges(&self) -> &[Merge] {
        &self.merges
    }

    /// The height at which each pair of items comes together.
    pub fn cophenetic(&self) -> Distances {
        let mut members: Vec<Vec<usize>> = (0..self.items).map(|item| vec![item]).collect();
        let mut heights = Distances { items: self.items, values: vec![0.0; self.items * self.items] };
        for merge in &self.merges {
            let (left, right) = (std::mem::take(&mut members[merge.left]), std::mem::take(&mut members[merge.right]));
            for &one in &left {
                for &other in &right {
                    heights.values[one * self.items + other] = merge.height;
                    heights.values[other * self.items + one] = merge.height;
                }
            }
            members.push([left, right].concat());
        }
        heights
    }

    /// The cluster of each item when the tree is cut into `clusters` parts, numbered from 0 by their lowest item.
    ///
    /// # Errors
    /// [`Error::Usage`] if there are fewer items than clusters, or no clusters.
    pub fn cut(&self, clusters: usize) -> Result<Vec<usize>> {
        if !(1..=self.items).contains(&clusters) {
            let items = self.items;
            return Err(Error::Usage(format!("{items} items do not divide into {clusters} clusters")));
        }
        let mut forest = Forest::new(self.items);
        // The root of each cluster is one of its items.
        let mut roots: Vec<usize> = (0..self.items).collect();
        for merge in &self.merges[..self.items - clusters] {
            forest.join(roots[merge.left], roots[merge.right]);
            roots.push(roots[merge.left]);
        }
        let mut numbers = vec![None; self.items];
        let mut next = 0;
        let number = |item| {
            *numbers[forest.root(item)].get_or_insert_with(|| {
                next += 1;
                next - 1
            })
        };
        Ok((0..self.items).map(number).collect())
    }

    /// The items as the leaves of the drawn tree stand side by side: members of a cluster next to each other.
    pub fn leaves(&self) -> Vec<usize> {
        let mut members: Vec<Vec<usize>> = (0..self.items).map(|item| vec![item]).collect();
        for merge in &self.merges {
            let joined = [std::mem::take(&mut members[merge.left]), std::mem::take(&mut members[merge.right])].concat();
            members.push(joined);
        }
        members.pop().unwrap_or_default()
    }
}

/// Disjoint sets of items.
struct Forest {
    parents: Vec<usize>,
}

impl Forest {
    fn new(items: usize) -> Self {
        Self { parents: (0..items).collect() }
    }

    fn root(&mut self, mut item: usize) -> usize {
        while self.parents[item] != item {
            self.parents[item] = self.parents[self.parents[item]];
            item = self.parents[item];
        }
        item
    }

    /// Puts the set with root `other` below `root`.
    fn join(&mut self, root: usize, other: usize) {
        self.parents[other] = root;
    }
}

/// How faithfully a tree keeps the distances: the correlation of both over all pairs (Sokal & Rohlf 1962), in −1 … 1.
/// `None` if either does not vary.
pub fn cophenetic_correlation(distances: &Distances, tree: &Dendrogram) -> Option<f64> {
    let heights = tree.cophenetic();
    let items = distances.items;
    let pairs = || (0..items).flat_map(|left| (left + 1..items).map(move |right| (left, right)));
    let count = (items * items.saturating_sub(1) / 2) as f64;
    let mean = |of: &Distances| pairs().map(|(left, right)| of.get(left, right)).sum::<f64>() / count;
    let (mean_distance, mean_height) = (mean(distances), mean(&heights));
    let [mut both, mut of_distances, mut of_heights] = [0.0; 3];
    for (left, right) in pairs() {
        let (distance, height) = (distances.get(left, right) - mean_distance, heights.get(left, right) - mean_height);
        both += distance * height;
        of_distances += distance * distance;
        of_heights += height * height;
    }
    let correlation = both / (of_distances * of_heights).sqrt();
    correlation.is_finite().then_some(correlation)
}
