//! Items that are like what a user met, by their features alone.

use crate::data::Bag;

/// Cosines of feature vectors, in which a value weighs ln(items / items that have it)   (Pazzani & Billsus 2007).
///
/// The score of an item for a user is the sum of its cosines with everything that the user met: content-based k-NN whose
/// neighbours are all items. It ranks items that nobody met, too.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    /// Where the values of each item begin.
    starts: Vec<usize>,
    /// The values of each item, those of several features numbered one after the other, and their shares of a unit vector.
    entries: Vec<(u32, f32)>,
    num_values: usize,
}

impl Content {
    /// The vectors of `num_items` items whose features are in `bags`; `None` if there are none.
    pub fn new<'a>(bags: impl Iterator<Item = &'a Bag>, num_items: usize) -> Option<Self> {
        let bags: Vec<&Bag> = bags.collect();
        let mut firsts = Vec::new();
        let mut num_values = 0;
        for bag in &bags {
            firsts.push(num_values);
            num_values += bag.parts().1.iter().max().map_or(0, |&last| last as usize + 1);
        }
        let of_item = |item: u32| {
            bags.iter().zip(&firsts).flat_map(move |(bag, first)| {
                let (values, weights) = bag.of_row(item);
                let weight = move |at: usize| weights.map_or(1.0, |weights| f64::from(weights[at]));
                values.iter().enumerate().map(move |(at, &value)| ((first + value as usize) as u32, weight(at)))
            })
        };
        let mut holders = vec![0_u32; num_values];
        (0..num_items as u32).flat_map(of_item).for_each(|(value, _)| holders[value as usize] += 1);
        let rarity = |value: u32| (num_items as f64 / f64::from(holders[value as usize])).ln();
        let (mut starts, mut entries) = (vec![0], Vec::new());
        for item in 0..num_items as u32 {
            let own: Vec<(u32, f64)> = of_item(item).map(|(value, weight)| (value, weight * rarity(value))).collect();
            let length = own.iter().map(|(_, share)| share * share).sum::<f64>().sqrt();
            entries.extend(own.iter().filter(|_| length > 0.0).map(|&(value, share)| (value, (share / length) as f32)));
            starts.push(entries.len());
        }
        (num_values > 0).then_some(Self { starts, entries, num_values })
    }

    /// Writes the score of every item for a user who met the items `met`.
    pub fn write_scores(&self, met: &[u32], scores: &mut [f32]) {
        let of = |item: usize| &self.entries[self.starts[item]..self.starts[item + 1]];
        let mut profile = vec![0.0_f32; self.num_values];
        for &item in met {
            of(item as usize).iter().for_each(|&(value, share)| profile[value as usize] += share);
        }
        for (item, score) in scores.iter_mut().enumerate() {
            *score = of(item).iter().map(|&(value, share)| share * profile[value as usize]).sum();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::BagFrame;

    fn bag(starts: &[u64], members: &[u32]) -> Bag {
        let frame = BagFrame { name: "genre".into(), owner: 1, of: 2, is_feature: true };
        Bag::new(frame, starts.to_vec(), members.to_vec(), None).expect("parts that fit")
    }

    #[test]
    fn scores_are_sums_of_cosines() {
        // Items {0}, {0, 1}, {2}, {}, {3 of another feature}; of five items two have 0, one each the others.
        let (genres, years) = (bag(&[0, 1, 3, 4, 4, 4], &[0, 0, 1, 2]), bag(&[0, 0, 0, 0, 0, 1], &[0]));
        let content = Content::new([&genres, &years].into_iter(), 5).expect("features");
        let (common, rare) = ((5.0_f32 / 2.0).ln(), 5.0_f32.ln());
        let cosine = common / (common * common + rare * rare).sqrt();
        let mut scores = [9.0; 5];
        content.write_scores(&[0, 4], &mut scores);
        for (score, expected) in scores.iter().zip([1.0, cosine, 0.0, 0.0, 1.0]) {
            assert!((score - expected).abs() < 1e-6, "{scores:?}");
        }
        assert_eq!(Content::new(std::iter::empty(), 3), None);
    }
}
