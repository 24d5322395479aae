//! Area under the ROC curve of all interactions: the share of pairs of a positive and a negative interaction of which the positive
//! one has the higher prediction, a tie counting half (Fawcett 2006, section 7). In 0 … 1, and ½ by chance.

use super::positive::{OfClasses, Positive};
use crate::metric::measure::Placed;

/// Area under the ROC curve of all interactions.
pub struct AreaUnderRoc;

impl OfClasses for AreaUnderRoc {
    const NAME: &'static str = "roc-auc";

    fn of_order(pairs: &[Placed], positive: Positive) -> Option<f64> {
        // Twice the pairs in the right order, so that a tie is one.
        let (mut above, mut below, mut right) = (0_u64, 0_u64, 0_u128);
        for tied in pairs.chunk_by(|one, other| one.prediction == other.prediction) {
            let own = tied.iter().filter(|pair| positive.holds(pair.target)).count() as u64;
            let others = tied.len() as u64 - own;
            right += u128::from(others) * u128::from(2 * above + own);
            above += own;
            below += others;
        }
        let all = 2 * u128::from(above) * u128::from(below);
        (all > 0).then(|| right as f64 / all as f64)
    }
}
