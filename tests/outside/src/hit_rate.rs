//! A metric of ranked lists.

use std::sync::Arc;

use lowrank::config::{Key, KeyKind, Keys, Values};
use lowrank::metric::{Direction, Metric, Needs, RankedList};

/// Share of the users whose first `length` items hold one that they met in the split.
#[derive(Debug, Clone, Copy)]
pub struct HitRate {
    length: usize,
}

impl Default for HitRate {
    fn default() -> Self {
        Self { length: 3 }
    }
}

impl Metric for HitRate {
    fn name(&self) -> &str {
        "hit-rate"
    }

    fn direction(&self) -> Direction {
        Direction::Larger
    }

    fn needs(&self) -> Needs {
        Needs::Lists { length: self.length }
    }

    fn of_list(&self, list: &RankedList) -> Option<f64> {
        Some(f64::from(u8::from(list.items.iter().any(|item| list.relevant.contains(item)))))
    }

    fn keys(&self) -> Keys {
        Key::new("evaluation.hit_length", KeyKind::AT_LEAST_ONE, "Items of a list that hit-rate looks at.")
            .default(&self.length.to_string())
            .into()
    }

    fn of_config(&self, values: &Values) -> Option<Arc<dyn Metric>> {
        Some(Arc::new(Self { length: values.get("evaluation.hit_length") }))
    }
}
