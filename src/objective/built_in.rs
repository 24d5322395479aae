//! The losses that kernels know: one list defines the enum that dispatches them and the kinds that configs name.

use std::any::Any;
use std::sync::Arc;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::absolute::Absolute;
use super::glove::Glove;
use super::huber::Huber;
use super::kind::{Objective, ObjectiveKind};
use super::logistic::Logistic;
use super::pointwise::PointwiseLoss;
use super::poisson::Poisson;
use super::quantile::Quantile;
use super::squared::Squared;

macro_rules! losses {
    ($($name:literal $loss:ident),* $(,)?) => {
        /// Any of the built-in losses.
        #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "kind")]
        pub enum Loss {
            $(
                #[doc = concat!("See [`", stringify!($loss), "`].")]
                #[serde(rename = $name)]
                $loss($loss),
            )*
        }

        $(impl $loss {
            /// `loss.kind`.
            pub const NAME: &'static str = $name;
        })*

        impl Loss {
            /// The kinds of losses that configs can name.
            pub fn kinds() -> Vec<ObjectiveKind> {
                vec![$(ObjectiveKind::new($name, $loss::keys, |values| Ok(Arc::new(Self::$loss($loss::of(values)))))),*]
            }

            /// The objective as one of these, which kernels know; `None` for others, which only autodiff can train.
            pub fn of_objective(objective: &dyn Objective) -> Option<Self> {
                let any: &dyn Any = objective;
                $(if let Some(loss) = any.downcast_ref::<$loss>() {
                    return Some(Self::$loss(*loss));
                })*
                any.downcast_ref::<Self>().copied()
            }

            fn inner(&self) -> &dyn PointwiseLoss {
                match self {
                    $(Self::$loss(loss) => loss,)*
                }
            }

            /// [`value`](PointwiseLoss::value) and [`slope`](PointwiseLoss::slope) of many ratings, in loops without
            /// branches on the loss.
            #[inline(always)]
            pub(crate) fn values_and_slopes<const N: usize>(
                &self,
                scores: &[f32; N],
                ratings: &[f32; N],
            ) -> ([f64; N], [f32; N]) {
                match self {
                    $(Self::$loss(loss) => each(loss, scores, ratings),)*
                }
            }
        }
    };
}

losses! {
    "squared" Squared,
    "absolute" Absolute,
    "huber" Huber,
    "quantile" Quantile,
    "logistic" Logistic,
    "poisson" Poisson,
    "glove" Glove,
}

#[inline(always)]
fn each<const N: usize>(loss: &impl PointwiseLoss, scores: &[f32; N], ratings: &[f32; N]) -> ([f64; N], [f32; N]) {
    let (mut values, mut slopes) = ([0.0; N], [0.0; N]);
    for at in 0..N {
        let (score, rating) = (f64::from(scores[at]), f64::from(ratings[at]));
        values[at] = loss.value(score, rating);
        slopes[at] = loss.slope(score, rating) as f32;
    }
    (values, slopes)
}

impl PointwiseLoss for Loss {
    fn forward(&self, score: Tensor<1>, rating: Tensor<1>) -> Tensor<1> {
        self.inner().forward(score, rating)
    }

    fn value(&self, score: f64, rating: f64) -> f64 {
        self.inner().value(score, rating)
    }

    fn slope(&self, score: f64, rating: f64) -> f64 {
        self.inner().slope(score, rating)
    }

    fn prediction(&self, score: f64) -> f64 {
        self.inner().prediction(score)
    }

    fn score(&self, rating: f64) -> f64 {
        self.inner().score(rating)
    }

    fn as_weighted_square(&self, rating: f32) -> Option<(f32, f32)> {
        self.inner().as_weighted_square(rating)
    }

    fn has_link(&self) -> bool {
        self.inner().has_link()
    }

    fn refuses(&self, rating: f32) -> Option<&'static str> {
        self.inner().refuses(rating)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    fn all() -> Vec<Loss> {
        vec![
            Loss::Squared(Squared {}),
            Loss::Absolute(Absolute {}),
            Loss::Huber(Huber { delta: 0.7 }),
            Loss::Quantile(Quantile { level: 0.2 }),
            Loss::Logistic(Logistic { positive_weight: 1.0 }),
            Loss::Logistic(Logistic { positive_weight: 3.0 }),
            Loss::Poisson(Poisson {}),
            Loss::Glove(Glove { x_max: 0.5, alpha: 0.75 }),
        ]
    }

    /// Two ratings that the loss takes.
    fn ratings(loss: &Loss) -> [f32; 2] {
        if let Loss::Glove(_) = loss { [0.2, 1.0] } else { [0.0, 1.0] }
    }

    #[test]
    fn tensor_and_scalar_forms_agree() {
        let device = Device::default();
        let scores = [-30.0, -1.5, -0.2, 0.0, 0.3, 1.0, 2.5, 30.0_f32];
        for loss in all() {
            for rating in ratings(&loss) {
                let tensor =
                    loss.forward(Tensor::from_floats(scores, &device), Tensor::from_floats([rating; 8], &device));
                for (tensor, score) in crate::device::to_vec(tensor).into_iter().zip(scores) {
                    let scalar = loss.value(f64::from(score), f64::from(rating));
                    let error = (f64::from(tensor) - scalar).abs();
                    assert!(error <= 1e-5 * scalar.abs().max(1.0), "{loss:?} at {score}: {tensor} and {scalar}");
                }
            }
        }
    }

    #[test]
    fn slopes_are_those_of_autodiff() {
        let device = Device::default().autodiff();
        let scores = [-30.0, -1.5, -0.2, 0.0, 0.3, 1.0, 2.5, 8.0_f32];
        for loss in all() {
            for rating in ratings(&loss) {
                let score = Tensor::<1>::from_floats(scores, &device).require_grad();
                let sum = loss.forward(score.clone(), Tensor::from_floats([rating; 8], &device)).sum();
                let gradient = crate::device::to_vec(score.grad(&sum.backward()).expect("a gradient"));
                let (values, slopes) = loss.values_and_slopes(&scores, &[rating; 8]);
                for (at, score) in scores.into_iter().enumerate() {
                    let (score, rating) = (f64::from(score), f64::from(rating));
                    assert_eq!(values[at], loss.value(score, rating));
                    assert_eq!(slopes[at], loss.slope(score, rating) as f32);
                    let error = (slopes[at] - gradient[at]).abs();
                    assert!(error <= 1e-5 * gradient[at].abs().max(1.0), "{loss:?} at {score}: {error}");
                }
            }
        }
    }

    #[test]
    fn what_is_said_to_be_a_weighted_square_is_one() {
        for loss in all() {
            for (rating, score) in ratings(&loss).into_iter().flat_map(|rating| [(rating, -0.7), (rating, 2.5)]) {
                let Some((target, weight)) = loss.as_weighted_square(rating) else { continue };
                let square = f64::from(weight) * (f64::from(target) - score).powi(2);
                assert!((square - loss.value(score, f64::from(rating))).abs() < 1e-6 * square, "{loss:?}");
            }
        }
        assert!(all().iter().any(|loss| loss.as_weighted_square(1.0).is_some()));
    }

    #[test]
    fn score_is_the_inverse_of_prediction() {
        for loss in all() {
            for rating in [0.1, 0.5, 0.9] {
                assert!((loss.prediction(loss.score(rating)) - rating).abs() < 1e-12, "{loss:?}");
            }
            assert!(loss.score(0.0).is_finite() && loss.score(1.0).is_finite(), "{loss:?}");
        }
    }

    #[test]
    fn a_weight_of_positives_moves_the_minimum_and_not_the_prediction() {
        for (weight, share) in [(1.0, 0.2), (4.0, 0.2), (0.5, 0.7)] {
            let loss = Logistic { positive_weight: weight };
            let score = loss.score(share);
            // A share of the ratings is positive: no slope is left.
            let slope = share * loss.slope(score, 1.0) + (1.0 - share) * loss.slope(score, 0.0);
            assert!(slope.abs() < 1e-12 && (loss.prediction(score) - share).abs() < 1e-12, "{weight} {share}: {slope}");
        }
    }

    #[test]
    fn a_weight_of_positives_is_pytorchs() {
        // torch 2.15: binary_cross_entropy_with_logits(score, rating, pos_weight=3), and its gradient.
        let loss = Logistic { positive_weight: 3.0 };
        for (score, rating, value, slope) in [
            (0.7, 1.0, 1.209_558_146_656_373_6, -0.995_436_683_495_501_7),
            (-1.2, 0.25, 1.294_923_701_007_047, -0.402_787_175_248_526_4),
            (3.0, 0.0, 3.048_587_351_573_742, 0.952_574_126_822_433_4),
        ] {
            assert!((loss.value(score, rating) - value).abs() < 1e-12, "{score} {rating}");
            assert!((loss.slope(score, rating) - slope).abs() < 1e-12, "{score} {rating}");
        }
    }

    #[test]
    fn no_loss_overflows_on_large_scores() {
        for loss in [Loss::Logistic(Logistic { positive_weight: 1.0 }), Loss::Huber(Huber { delta: 1.0 })] {
            assert!(loss.value(1e4, 0.0).is_finite() && loss.value(-1e4, 1.0).is_finite());
        }
    }
}
