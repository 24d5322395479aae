//! Area under the ROC curve of each user: the share of pairs of a relevant and another candidate of which the relevant one
//! has the higher score, 1 − Σ_j (r_j − j) / (R (N − R)), mean over users (Rendle et al. 2009, section 6.2). In 0 … 1, and ½
//! for scores by chance; a tie counts against the model. Users without another candidate are not measured.

use crate::metric::list::RankedList;
use crate::metric::measure::{Direction, Metric, Needs};

/// Area under each user's ROC curve.
#[derive(Debug, Clone, Copy)]
pub struct Auc;

impl Metric for Auc {
    fn name(&self) -> &str {
        "auc"
    }

    fn direction(&self) -> Direction {
        Direction::Larger
    }

    fn needs(&self) -> Needs {
        Needs::Lists { length: 0 }
    }

    fn of_list(&self, list: &RankedList) -> Option<f64> {
        let others = list.candidates - list.places.len();
        let before = (0..).zip(list.places).map(|(earlier, &place): (u64, _)| u64::from(place) - earlier);
        let wrong = before.sum::<u64>() as f64 + (list.unknown * others) as f64;
        (others > 0).then(|| 1.0 - wrong / (list.num_relevant() * others) as f64)
    }
}
