//! Purchases that a moment divides: the lines of orders, beside the cells that were counted from them.

use super::Part;
use crate::data::{Dataset, ITEM, USER};

/// Of purchases, everything from the first held-out one on is held out: cells that are known before hold what was bought before.
pub(super) fn hold_orders_out(dataset: &mut Dataset, parts: &[Part]) {
    let Dataset { interactions, purchases: Some(purchases), .. } = dataset else { return };
    let times = interactions.timestamps.iter().flatten().zip(parts);
    let Some(from) = times.filter(|(_, part)| **part == Part::Test).map(|(&time, _)| time).min() else { return };
    purchases.held_out_from = Some(from);
    let known = purchases.known_values(interactions.column(USER), interactions.column(ITEM));
    for ((target, known), part) in interactions.targets.iter_mut().zip(known).zip(parts) {
        if *part != Part::Test {
            *target = known;
        }
    }
}
