//! What is bought together: lift of pairs of products, and how well it completes baskets.
//!
//! lift(a, b) = n_ab · n / (n_a · n_b): how many times more often two products are in one basket than if they had nothing to do with
//! each other (Brin, Motwani, Ullman & Tsur 1997). Of rare pairs it is large by chance; pairs are therefore put in order by a
//! cautious lift, in which n_ab is less by √n_ab, its standard deviation if it is one of rare events.

use rand::seq::index;
use rayon::prelude::*;

use crate::linalg::Groups;
use crate::random;

/// Products of a basket that are asked about, and baskets that are asked about, at most.
const ASKED_OF_BASKET: usize = 10;
const ASKED_BASKETS: usize = 5_000;
/// Partners of a product that complete baskets.
const PARTNERS: usize = 200;

/// Baskets, counted.
pub(crate) struct Baskets {
    baskets: Groups,
    /// The baskets of each product.
    of_products: Groups,
}

/// A product that is often in baskets with another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Partner {
    pub product: u32,
    /// Baskets with both.
    pub baskets: u32,
    pub lift: f64,
    /// The lift that is left if `baskets` is less by its square root.
    pub cautious_lift: f64,
}

/// How often the missing product of a basket is among the first ten of a list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Completion {
    /// Baskets without one of their products.
    pub asked: usize,
    /// By the cautious lifts of the products that are there, added up.
    pub by_lift: f64,
    /// By how many baskets a product is in.
    pub by_popularity: f64,
}

/// Length of the lists of [`Completion`].
const LIST: usize = 10;

impl Baskets {
    /// Baskets of these products, ascending.
    pub fn new(baskets: Groups, num_products: usize) -> Self {
        let members = baskets
            .iter()
            .enumerate()
            .flat_map(|(at, basket)| basket.iter().map(move |&product| (product as usize, at as u32)));
        let of_products = Groups::new(num_products, members);
        Self { baskets, of_products }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.baskets.count()
    }

    /// How many products there are.
    pub fn products(&self) -> usize {
        self.of_products.count()
    }

    /// In how many of them a product is.
    pub fn with(&self, product: usize) -> usize {
        self.of_products.get(product).len()
    }

    /// Steps that finding all partners takes.
    pub fn operations(&self) -> u64 {
        self.baskets.iter().map(|basket| (basket.len() as u64).pow(2)).sum()
    }

    /// For each product those that are in `least` baskets with it or more, the most cautious lift first, and `most` at most.
    pub fn partners(&self, least: u32, most: usize) -> Vec<Vec<Partner>> {
        let products = self.of_products.count();
        let of = |counts: &mut Vec<u32>, product: usize| {
            counts.resize(products, 0);
            let mut touched = Vec::new();
            for &basket in self.of_products.get(product) {
                for &other in self.baskets.get(basket as usize) {
                    if counts[other as usize] == 0 {
                        touched.push(other);
                    }
                    counts[other as usize] += 1;
                }
            }
            let mut partners: Vec<Partner> = Vec::new();
            for other in touched {
                let together = std::mem::take(&mut counts[other as usize]);
                if other as usize != product && together >= least.max(1) {
                    partners.push(self.partner(product, other, together));
                }
            }
            let first =
                |a: &Partner, b: &Partner| b.cautious_lift.total_cmp(&a.cautious_lift).then(a.product.cmp(&b.product));
            partners.sort_unstable_by(first);
            partners.truncate(most);
            partners
        };
        (0..products).into_par_iter().map_init(Vec::new, of).collect()
    }

    fn partner(&self, product: usize, other: u32, together: u32) -> Partner {
        let by_chance = self.by_chance(product, other as usize);
        let count = f64::from(together);
        Partner {
            product: other,
            baskets: together,
            lift: count / by_chance,
            cautious_lift: (count - count.sqrt()) / by_chance,
        }
    }

    /// Baskets with both products if they had nothing to do with each other.
    pub fn by_chance(&self, one: usize, other: usize) -> f64 {
        self.with(one) as f64 * self.with(other) as f64 / self.count() as f64
    }

    /// Baskets with both products.
    pub fn together(&self, one: usize, other: usize) -> usize {
        let (mut own, mut count) = (self.of_products.get(other).iter().peekable(), 0);
        for basket in self.of_products.get(one) {
            while own.next_if(|&next| next < basket).is_some() {}
            count += usize::from(own.next_if_eq(&basket).is_some());
        }
        count
    }

    /// How well these baskets complete others: each product of a basket of two or more is left out in turn, ten of large ones, and
    /// all products that are not in the basket are put in order. `None` if nothing can be asked.
    pub fn completion(&self, others: &Groups, least: u32, seed: u64) -> Option<Completion> {
        let partners = self.partners(least, PARTNERS);
        let products = self.of_products.count();
        let known: Vec<Vec<u32>> = others
            .iter()
            .map(|basket| basket.iter().copied().filter(|&product| self.with(product as usize) > 0).collect())
            .filter(|basket: &Vec<u32>| basket.len() >= 2)
            .collect();
        let asked =
            index::sample(&mut random::stream(seed, "baskets/asked"), known.len(), known.len().min(ASKED_BASKETS));
        let of_basket = |at: usize| {
            let basket = &known[at];
            let mut scores = vec![0.0; products];
            let add = |scores: &mut [f64], product: u32, sign: f64| {
                partners[product as usize]
                    .iter()
                    .for_each(|own| scores[own.product as usize] += sign * own.cautious_lift);
            };
            basket.iter().for_each(|&product| add(&mut scores, product, 1.0));
            let mut random = random::stream(seed, &format!("baskets/{at}"));
            let left_out = index::sample(&mut random, basket.len(), basket.len().min(ASKED_OF_BASKET));
            let mut hits = [0, 0, 0];
            for missing in left_out.iter().map(|place| basket[place]) {
                add(&mut scores, missing, -1.0);
                let is_candidate =
                    |product: &usize| *product == missing as usize || basket.binary_search(&(*product as u32)).is_err();
                // Of equals, the one that is asked about is last.
                let is_hit = |score: &dyn Fn(usize) -> f64| {
                    let own = score(missing as usize);
                    let before =
                        (0..products).filter(is_candidate).filter(|&product| score(product) >= own).count() - 1;
                    own > 0.0 && before < LIST
                };
                hits[0] += 1;
                hits[1] += usize::from(is_hit(&|product| scores[product]));
                hits[2] += usize::from(is_hit(&|product| self.with(product) as f64));
                add(&mut scores, missing, 1.0);
            }
            hits
        };
        let hits: Vec<[usize; 3]> = asked.into_vec().into_par_iter().map(of_basket).collect();
        let [asked, by_lift, by_popularity] = [0, 1, 2].map(|which| hits.iter().map(|hits| hits[which]).sum::<usize>());
        let share = |hits: usize| hits as f64 / asked as f64;
        (asked > 0).then(|| Completion { asked, by_lift: share(by_lift), by_popularity: share(by_popularity) })
    }
}

/// Of all pairs of products that are together in a basket, the share that is of one group, and the share if the products of baskets
/// were drawn with the same frequencies but had nothing to do with each other. Products without a group count as no pair. `None`
/// without a pair.
pub(crate) fn within_groups(baskets: &Groups, group: &[Option<u32>]) -> Option<(f64, f64)> {
    let count = group.iter().flatten().max().map_or(0, |&most| most as usize + 1);
    let (mut within, mut pairs) = (0.0, 0.0);
    let mut sizes = vec![0.0_f64; count];
    for basket in baskets.iter() {
        let mut own = vec![0.0_f64; count];
        basket.iter().filter_map(|&product| group[product as usize]).for_each(|group| own[group as usize] += 1.0);
        let all: f64 = own.iter().sum();
        pairs += all * (all - 1.0);
        within += own.iter().map(|size| size * (size - 1.0)).sum::<f64>();
        // A product counts as often as it has partners.
        sizes.iter_mut().zip(&own).for_each(|(size, own)| *size += own * (all - 1.0).max(0.0));
    }
    let by_chance: f64 = sizes.iter().map(|size| (size / pairs).powi(2)).sum();
    (pairs > 0.0).then(|| (within / pairs, by_chance))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(baskets: &[&[u32]]) -> Groups {
        let members =
            baskets.iter().enumerate().flat_map(|(at, basket)| basket.iter().map(move |&product| (at, product)));
        Groups::new(baskets.len(), members)
    }

    /// 0 and 1 are always together, 2 is everywhere, 3 is alone.
    fn example() -> Baskets {
        Baskets::new(groups(&[&[0, 1, 2], &[0, 1, 2], &[0, 1, 2], &[0, 1, 2], &[2, 3], &[2], &[2], &[2]]), 4)
    }

    #[test]
    fn lift_is_what_there_is_over_chance() {
        let partners = example().partners(2, 10);
        let found: Vec<(u32, u32, f64)> = partners[0].iter().map(|own| (own.product, own.baskets, own.lift)).collect();
        assert_eq!(found, [(1, 4, 2.0), (2, 4, 1.0)]);
        assert_eq!(partners[0][0].cautious_lift, 1.0);
        assert_eq!(partners[3], []);
        assert_eq!(example().partners(1, 10)[3].len(), 1);
        assert_eq!((example().together(0, 1), example().together(0, 3), example().together(3, 2)), (4, 0, 1));
    }

    #[test]
    fn baskets_are_completed_by_what_goes_with_the_rest() {
        // Twenty products that come in pairs; the first pair is everywhere.
        let pair = |at: u32| vec![0, 1, 2 * at, 2 * at + 1];
        let baskets: Vec<Vec<u32>> = (0..200).map(|at| pair(at % 30 + 1)).collect();
        let of = |baskets: &[Vec<u32>]| groups(&baskets.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let known = Baskets::new(of(&baskets), 62);
        let asked: Vec<Vec<u32>> = (1..=30).map(|at| vec![2 * at, 2 * at + 1]).collect();
        let found = known.completion(&of(&asked), 2, 1).expect("baskets");
        assert_eq!((found.asked, found.by_lift), (60, 1.0));
        assert!(found.by_popularity < 0.4, "{found:?}");
        assert_eq!(known.completion(&of(&[vec![3]]), 2, 1), None);
    }

    #[test]
    fn pairs_within_groups_are_counted_beside_chance() {
        let baskets = groups(&[&[0, 1], &[0, 1], &[2, 3], &[0, 2, 4]]);
        // Pairs, both ways: 2 + 2 + 2 and, without 4, 2; 6 within.
        let (within, by_chance) = within_groups(&baskets, &[Some(0), Some(0), Some(1), Some(1), None]).expect("pairs");
        assert_eq!(within, 0.75);
        assert!((by_chance - ((5.0 / 8.0_f64).powi(2) + (3.0 / 8.0_f64).powi(2))).abs() < 1e-12);
        assert_eq!(within_groups(&groups(&[&[0]]), &[Some(0)]), None);
    }
}
