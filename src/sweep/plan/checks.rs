//! Which keys may be searched, set and repeated, and which metrics can compare trials.

use toml::Value;

use super::parser::{Parser, Written};
use super::ranges::Entry;
use crate::config::words::any_of;
use crate::config::{Config, Effect, Key, Override};
use crate::data::split::SplitSpec;
use crate::metric::Needs;

impl Parser<'_> {
    /// Rules about which keys are allowed where.
    pub(super) fn check_keys(
        &mut self,
        space: &[Written<Entry>],
        repeat: &[Written<Vec<Value>>],
        fixed: &[Override],
        metric: Option<&str>,
    ) {
        // Values of different losses are not comparable.
        let compares_losses = metric.and_then(|name| self.metrics.find(name)).is_some_and(|m| m.needs() == Needs::Loss);
        let others: Vec<&str> = self.metrics.0.iter().filter(|m| m.needs() != Needs::Loss).map(|m| m.name()).collect();
        let others = compares_losses.then(|| any_of(&others));
        for Written { key, offset, .. } in space {
            let path = &key.path;
            if let Some(reason) = not_searchable(key, others.as_deref()) {
                self.report(*offset, format!("{path} cannot be searched: {reason}"));
            }
            if fixed.iter().any(|setting| setting.key() == path) {
                self.report(*offset, format!("{path} is searched and set to a value; remove one"));
            }
        }
        for Written { key, offset, .. } in repeat {
            if fixed.iter().any(|setting| setting.key() == key.path) {
                self.report(*offset, format!("{} is repeated and set to a value; remove one", key.path));
            }
        }
    }

    pub(super) fn check_validation(&mut self, base: &Config) {
        if SplitSpec::without_validation(base.values()).is_some() {
            let message = "the base config has no validation part to compare trials by; choose a data.split.kind that \
                           has one and set data.split.validation, in it or in [set]";
            self.report(0, message);
        }
    }
}

/// Why a key cannot be searched; `others` are the metrics to use if trials are compared by the loss itself.
fn not_searchable(key: &Key, others: Option<&str>) -> Option<String> {
    let reason = match key.effect {
        Effect::Pairing if key.section().is_empty() => "the best seed is luck; repeat trials over seeds in [repeat]",
        Effect::Pairing | Effect::Data => {
            "trials are compared on the same validation ratings; set it in [set] or repeat it in [repeat]"
        }
        Effect::Input => "it is read once for all trials; set it in [set]",
        Effect::Nothing | Effect::Name | Effect::Refit => "it does not affect how good a trial is; set it in [set]",
        Effect::Result if key.path == "train.early_stopping.metric" => "trials are compared by it; set metric",
        Effect::Result => {
            let others = others.filter(|_| key.path.starts_with("loss."))?;
            return Some(format!("values of different losses are not comparable; set metric to {others}"));
        }
    };
    Some(reason.into())
}
