//! Update rules for single ratings, which remember something of each row.

use pulp::Simd;
use serde::{Deserialize, Serialize};

use super::grid::GROUP;
use crate::config::{Choice, Key, KeyKind, Keys, Values};
use crate::model::TableKind;
use crate::solver::rule;

/// How the gradient of one rating becomes a step of its rows. Moments start at 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum RowRule {
    /// See [`AdaGrad`].
    AdaGrad(AdaGrad),
    /// See [`Adam`].
    Adam(Adam),
}

impl RowRule {
    /// Its config keys.
    pub(crate) fn keys() -> Keys {
        let rule = "How a rating's gradient becomes a step: \"adagrad\" has one rate a row, \"adam\" one a number.";
        let start =
            "Where the sums of squared gradients start; the larger, the more the first steps are those of plain SGD.";
        let start = Key::new("solver.initial_accumulator", KeyKind::NOT_NEGATIVE, start).default("1.0");
        Choice::new("solver.rule", rule)
            .with(|key| key.default("'adagrad'"))
            .part("adagrad", rule::UpdateRule::adagrad_keys().and(start))
            .part("adam", rule::UpdateRule::adam_keys())
            .into()
    }

    /// The rule that a config asks for.
    pub(crate) fn of(values: &Values) -> Self {
        match values.get::<String>("solver.rule").as_str() {
            "adam" => Self::Adam(Adam {
                beta1: values.get("solver.beta1"),
                beta2: values.get("solver.beta2"),
                epsilon: values.get("solver.epsilon"),
            }),
            _ => Self::AdaGrad(AdaGrad {
                initial_accumulator: values.get("solver.initial_accumulator"),
                epsilon: values.get("solver.epsilon"),
            }),
        }
    }
}

impl RowRule {
    /// Names of the moments kept of each factor.
    pub(super) fn moments(&self) -> &'static [&'static str] {
        match self {
            Self::AdaGrad(_) => AdaGrad::MOMENTS,
            Self::Adam(_) => Adam::MOMENTS,
        }
    }

    /// The numbers kept of each row beside its bias.
    pub(super) fn memory(&self) -> Vec<Memory> {
        match self {
            Self::AdaGrad(rule) => rule.memory(),
            Self::Adam(rule) => rule.memory(),
        }
    }
}

/// Row-wise AdaGrad: G ← G + ‖g‖²/k, θ ← θ − ηg / (√G + ε), with one G for the k factors of a row and one for its bias
/// (Duchi, Hazan & Singer 2011; one rate a row as in Chin, Zhuang, Juan & Lin 2015).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AdaGrad {
    /// Where every G starts: the larger, the more the first steps are those of plain SGD.
    pub initial_accumulator: f32,
    /// ε.
    pub epsilon: f32,
}

/// Adam (Kingma & Ba 2015) with a moment of each number and a count t of the steps of each row:
/// m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², θ ← θ − η/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Adam {
    /// β₁.
    pub beta1: f32,
    /// β₂.
    pub beta2: f32,
    /// ε.
    pub epsilon: f32,
}

/// A number that a rule remembers of each row: of which parameter it is, its name in checkpoints, where it starts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Memory {
    /// Whether it belongs to the row's factors or to its bias.
    pub of: TableKind,
    /// Name.
    pub name: &'static str,
    /// First value.
    pub start: f32,
}

/// Most single numbers of a row: its bias and what a rule remembers.
pub const MOST_SCALARS: usize = 5;

/// The bias and the remembered numbers of rows of one side, by row: of the ratings of a group.
pub type Scalars<const N: usize = GROUP> = [[f32; N]; MOST_SCALARS];

/// Numbers that a step of a row's factors is made of, by row.
pub type StepPlan<const N: usize = GROUP> = [[f32; N]; 3];

/// What steps have in common on one side, that of the users or that of the items.
#[derive(Debug, Clone, Copy, Default)]
pub struct SideCoefficients {
    /// λ of the factors.
    pub lambda: f32,
    /// λ of the bias.
    pub bias_lambda: f32,
    /// Learning rate of the factors.
    pub rate: f32,
    /// Learning rate of the bias; 0 if there are no biases.
    pub bias_rate: f32,
}

/// What is known of the gradients ℓ · other + 2λ · own of rows of one side, by row.
pub struct Slopes<'a, const N: usize = GROUP> {
    /// ℓ.
    pub slopes: &'a [f32; N],
    /// The gradients of the biases without their penalty: ℓ for a rating.
    pub of_biases: &'a [f32; N],
    /// own · other.
    pub dots: &'a [f32; N],
    /// ‖own‖².
    pub own: &'a [f32; N],
    /// ‖other‖².
    pub other: &'a [f32; N],
    /// Factors of a row.
    pub rank: f32,
}

/// A rule as the kernel sees it.
pub trait Rule: Copy + Send + Sync {
    /// Names of the moments kept of each factor.
    const MOMENTS: &'static [&'static str];
    /// How many numbers are kept of each row beside its bias.
    const SCALARS: usize;
    /// Whether a gradient of zero changes nothing.
    const RESTS_AT_ZERO: bool;

    /// What those numbers are.
    fn memory(&self) -> Vec<Memory>;

    /// Steps of the biases and of the remembered numbers; what the steps of the factors need.
    fn plan<const N: usize>(
        &self,
        side: &SideCoefficients,
        slopes: &Slopes<N>,
        scalars: &mut Scalars<N>,
    ) -> StepPlan<N>;

    /// The step of some factors of a row; `row` holds its moments, the first of `vectors` vectors after its factors.
    fn step<S: Simd>(&self, simd: S, of: Step<S>, row: &mut [S::f32s], at: usize, vectors: usize) -> S::f32s;
}

/// Vectors of one step.
#[derive(Clone, Copy)]
pub struct Step<S: Simd> {
    /// Of the rating's [`StepPlan`].
    pub plan: [S::f32s; 3],
    /// 2λ.
    pub shrink: S::f32s,
    /// The row's own factors.
    pub own: S::f32s,
    /// The other row's factors.
    pub other: S::f32s,
}

impl Rule for AdaGrad {
    const MOMENTS: &'static [&'static str] = &[];
    const SCALARS: usize = 2;
    const RESTS_AT_ZERO: bool = true;

    fn memory(&self) -> Vec<Memory> {
        [TableKind::Factors, TableKind::Biases]
            .map(|of| Memory { of, name: "squared_sum", start: self.initial_accumulator })
            .into()
    }

    #[inline(always)]
    fn plan<const N: usize>(
        &self,
        side: &SideCoefficients,
        slopes: &Slopes<N>,
        scalars: &mut Scalars<N>,
    ) -> StepPlan<N> {
        let [biases, sums, bias_sums, ..] = scalars;
        let mut plan = [[0.0; N]; 3];
        let (shrink, share) = (2.0 * side.lambda, 1.0 / slopes.rank);
        for at in 0..N {
            let slope = slopes.slopes[at];
            // ‖ℓ · other + 2λ · own‖², which rounding may put a hair below zero.
            let square = slope * slope * slopes.other[at]
                + 2.0 * slope * shrink * slopes.dots[at]
                + shrink * shrink * slopes.own[at];
            sums[at] += square.max(0.0) * share;
            let rate = side.rate / (sums[at].sqrt() + self.epsilon);
            plan[0][at] = 1.0 - rate * shrink;
            plan[1][at] = -rate * slope;
            let gradient = slopes.of_biases[at] + 2.0 * side.bias_lambda * biases[at];
            bias_sums[at] += gradient * gradient;
            biases[at] -= side.bias_rate * gradient / (bias_sums[at].sqrt() + self.epsilon);
        }
        plan
    }

    #[inline(always)]
    fn step<S: Simd>(&self, simd: S, of: Step<S>, _: &mut [S::f32s], _: usize, _: usize) -> S::f32s {
        let [keep, take, _] = of.plan;
        simd.mul_add_f32s(take, of.other, simd.mul_f32s(keep, of.own))
    }
}

impl Rule for Adam {
    const MOMENTS: &'static [&'static str] = &["first_moment", "second_moment"];
    const SCALARS: usize = 4;
    const RESTS_AT_ZERO: bool = false;

    fn memory(&self) -> Vec<Memory> {
        let of_bias = |name| Memory { of: TableKind::Biases, name, start: 0.0 };
        let of_row = |name| Memory { of: TableKind::Factors, name, start: 1.0 };
        vec![of_bias("first_moment"), of_bias("second_moment"), of_row("first_decay"), of_row("second_decay")]
    }

    #[inline(always)]
    fn plan<const N: usize>(
        &self,
        side: &SideCoefficients,
        slopes: &Slopes<N>,
        scalars: &mut Scalars<N>,
    ) -> StepPlan<N> {
        let [biases, first, second, first_decay, second_decay] = scalars;
        let mut plan = [[0.0; N]; 3];
        for at in 0..N {
            // β₁ᵗ and β₂ᵗ.
            first_decay[at] *= self.beta1;
            second_decay[at] *= self.beta2;
            let correction = 1.0 / (1.0 - first_decay[at]);
            let root = (1.0 / (1.0 - second_decay[at])).sqrt();
            plan[0][at] = slopes.slopes[at];
            plan[1][at] = -side.rate * correction;
            plan[2][at] = root;
            let gradient = slopes.of_biases[at] + 2.0 * side.bias_lambda * biases[at];
            first[at] = self.beta1 * first[at] + (1.0 - self.beta1) * gradient;
            second[at] = self.beta2 * second[at] + (1.0 - self.beta2) * gradient * gradient;
            biases[at] -= side.bias_rate * correction * first[at] / (second[at].sqrt() * root + self.epsilon);
        }
        plan
    }

    #[inline(always)]
    fn step<S: Simd>(&self, simd: S, of: Step<S>, row: &mut [S::f32s], at: usize, vectors: usize) -> S::f32s {
        let splat = |value| simd.splat_f32s(value);
        let [slope, rate, root] = of.plan;
        let gradient = simd.mul_add_f32s(slope, of.other, simd.mul_f32s(of.shrink, of.own));
        let new = simd.mul_f32s(splat(1.0 - self.beta1), gradient);
        let first = simd.mul_add_f32s(splat(self.beta1), row[vectors + at], new);
        let new = simd.mul_f32s(splat(1.0 - self.beta2), simd.mul_f32s(gradient, gradient));
        let second = simd.mul_add_f32s(splat(self.beta2), row[2 * vectors + at], new);
        (row[vectors + at], row[2 * vectors + at]) = (first, second);
        let size = simd.mul_add_f32s(simd.sqrt_f32s(second), root, splat(self.epsilon));
        simd.mul_add_f32s(rate, simd.div_f32s(first, size), of.own)
    }
}
