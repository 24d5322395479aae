//! Average precision of all interactions: Σ_n (R_n − R_{n−1}) P_n over the thresholds n from the highest prediction down, with
//! recall R_n and precision P_n of what is predicted at least as high (Manning, Raghavan & Schütze 2008, section 8.4; ties are one
//! threshold). In 0 … 1, and P / (P + N) by chance.

use super::positive::{OfClasses, Positive};
use crate::metric::measure::Placed;

/// Average precision of all interactions.
pub struct PrecisionRecall;

impl OfClasses for PrecisionRecall {
    const NAME: &'static str = "average-precision";

    fn of_order(pairs: &[Placed], positive: Positive) -> Option<f64> {
        let (mut above, mut found, mut sum) = (0_u64, 0_u64, 0.0);
        for tied in pairs.chunk_by(|one, other| one.prediction == other.prediction) {
            let own = tied.iter().filter(|pair| positive.holds(pair.target)).count() as u64;
            above += tied.len() as u64;
            found += own;
            sum += own as f64 * found as f64 / above as f64;
        }
        (found > 0 && found < above).then(|| sum / found as f64)
    }
}
