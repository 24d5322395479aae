//! Shifted positive pointwise mutual information: how much more often than by chance two words are near each other.

use crate::data::{ITEM, Interactions, USER};

/// Makes of counts max(0, ln(P(w, c) / (P(w) P(c))) − ln shift), where P(c) is the share of context c among all, each
/// raised to the power `smoothing`   (Levy & Goldberg 2014; Levy, Goldberg & Dagan 2015). Cells of 0 are taken out.
pub fn positive_pointwise_information(cells: &mut Interactions, words: usize, shift: f64, smoothing: f64) {
    let sums = |column: &[u32]| {
        let mut sums = vec![0.0; words];
        column.iter().zip(&cells.targets).for_each(|(&word, &count)| sums[word as usize] += f64::from(count));
        sums
    };
    let of_words = sums(cells.column(USER));
    let of_contexts: Vec<f64> = sums(cells.column(ITEM)).iter().map(|sum| sum.powf(smoothing)).collect();
    let all_contexts: f64 = of_contexts.iter().sum();
    let kept: Vec<bool> = (0..cells.len())
        .map(|at| {
            let (word, context) = (cells.column(USER)[at] as usize, cells.column(ITEM)[at] as usize);
            let ratio = f64::from(cells.targets[at]) * all_contexts / (of_words[word] * of_contexts[context] * shift);
            cells.targets[at] = ratio.ln() as f32;
            cells.targets[at] > 0.0
        })
        .collect();
    cells.retain_from(0, &kept);
    cells.shrink_to_fit();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_more_frequent_than_by_chance_is_kept_as_a_logarithm() {
        let mut cells = Interactions::default();
        for (word, context, count) in [(0, 0, 2.0), (0, 1, 6.0), (1, 0, 6.0), (1, 2, 2.0)] {
            cells.push([word, context], count, None);
        }
        let of = |shift, smoothing| {
            let mut cells = cells.clone();
            positive_pointwise_information(&mut cells, 3, shift, smoothing);
            let pairs: Vec<_> = cells.column(USER).iter().copied().zip(cells.column(ITEM).iter().copied()).collect();
            (pairs, cells.targets)
        };
        // P(0, 1) = 6/16, P(0) = 1/2, P(1) = 6/16.
        let (pairs, values) = of(1.0, 1.0);
        assert_eq!(pairs, [(0, 1), (1, 0), (1, 2)]);
        for (value, expected) in values.iter().zip([2.0_f32, 1.5, 2.0]) {
            assert!((value - expected.ln()).abs() < 1e-6, "{values:?}");
        }
        let (pairs, values) = of(1.6, 1.0);
        assert_eq!(pairs, [(0, 1), (1, 2)]);
        assert!((values[0] - (2.0_f32 / 1.6).ln()).abs() < 1e-6);
        // Shares of contexts are √8, √6, √2 over their sum.
        let (_, values) = of(1.0, 0.5);
        let sum = 8.0_f32.sqrt() + 6.0_f32.sqrt() + 2.0_f32.sqrt();
        assert!((values[0] - (6.0 * sum / (8.0 * 6.0_f32.sqrt())).ln()).abs() < 1e-6, "{values:?}");
    }
}
