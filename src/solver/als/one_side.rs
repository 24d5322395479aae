//! The rows of one side alone, each solved for once: users or items that training never saw.

use bytemuck::cast_slice;
use faer::Mat;

use super::{Als, AlsConfig, Confidence, Feedback, Inner};
use crate::data::{Interactions, Role};
use crate::error::Result;
use crate::linalg::symmetric::pseudo_inverse;
use crate::model::{AnyModel, Constraint};
use crate::objective::Loss;
use crate::solver::regularization::Regularization;
use crate::solver::solve::Solver;
use crate::solver::step::{StepNumber, StepOutcome, StepSums, Stepped};

/// Sweeps of coordinate descent at most; it ends when a sweep changes nothing.
const SWEEPS: usize = 1000;

/// A solver that has converged after its first step, in which every row of one side with a rating is found exactly, and
/// nothing else changes. The systems are those of [`Als`].
pub struct OneSide {
    als: Als,
    role: Role,
}

impl OneSide {
    /// A solver of the rows of `role`.
    pub fn new(loss: Loss, regularization: Regularization, config: AlsConfig, role: Role) -> Self {
        Self { als: Als::new(loss, regularization, config), role }
    }

    /// The same for explicit feedback, in which λ counts √n times for a row with n ratings.
    pub(in crate::solver) fn half_counted(loss: Loss, regularization: Regularization, role: Role) -> Self {
        let (feedback, inner) = (Feedback::Explicit, Inner::Cholesky);
        let config = AlsConfig { feedback, inner, count_exponent: 0.5, confidence: Confidence::default() };
        Self::new(loss, regularization, config, role)
    }

    /// What each interaction of a single row adds to its score with a row of the other side: of user u with item i, that with
    /// item j adds t_j q̃_jᵀ A⁻¹ q̃_i, where A p̃_u = Σ_j t_j q̃_j is the system of the user. These add up to p_uᵀ q_i + b_u.
    /// `None` if rows are at least 0, because they are then no linear function of what was rated.
    ///
    /// # Errors
    /// Those of [`Als`] for the model; [`Error::Failed`](crate::error::Error::Failed) for factors that are not finite.
    pub fn contributions(mut self, model: &AnyModel, given: &Interactions, other: u32) -> Result<Option<Vec<f64>>> {
        if model.constraint() == Constraint::NonNegative {
            return Ok(None);
        }
        self.begin(model, given)?;
        let state = self.als.state.as_ref().expect("begun");
        let config = self.als.config;
        let (own, others) = match self.role {
            Role::User => (&state.users, &state.items),
            Role::Item => (&state.items, &state.users),
        };
        let size = state.rank + usize::from(own.has_biases);
        let width = own.lambda.len();
        let row = |at: u32| -> &[f32] { &cast_slice(&others.rows[at as usize * width..][..width])[..size] };
        let (indices, ratings) = own.ratings.row(0);
        let mut system: Mat<f64> = Mat::zeros(size, size);
        let mut add = |row: &[f32], weight: f64| {
            for (s, &left) in row.iter().enumerate() {
                for (t, &right) in row.iter().enumerate() {
                    system[(s, t)] += weight * f64::from(left) * f64::from(right);
                }
            }
        };
        if matches!(config.feedback, Feedback::Implicit { .. }) {
            (0..others.biases.len() as u32).for_each(|at| add(row(at), 1.0));
        }
        let terms: Vec<(f32, f32)> = indices
            .iter()
            .zip(ratings)
            .map(|(&at, &rating)| config.feedback.terms(rating, state.offset + others.biases[at as usize]))
            .collect();
        indices.iter().zip(&terms).for_each(|(&at, &(weight, _))| add(row(at), weight.into()));
        let times = config.times_penalized(ratings.len());
        for (t, &lambda) in cast_slice::<_, f32>(&own.lambda)[..size].iter().enumerate() {
            system[(t, t)] += times * f64::from(lambda);
        }
        let inverse = pseudo_inverse(&system)?;
        let asked = row(other);
        let solved: Vec<f64> =
            (0..size).map(|s| asked.iter().enumerate().map(|(t, &q)| inverse[(s, t)] * f64::from(q)).sum()).collect();
        let product = |at: u32| row(at).iter().zip(&solved).map(|(&q, x)| f64::from(q) * x).sum::<f64>();
        Ok(Some(indices.iter().zip(&terms).map(|(&at, &(_, target))| f64::from(target) * product(at)).collect()))
    }
}

impl Solver for OneSide {
    fn begin(&mut self, model: &AnyModel, train: &Interactions) -> Result<u64> {
        self.als.config.inner = match model.constraint() {
            Constraint::None => Inner::Cholesky,
            Constraint::NonNegative => Inner::CoordinateDescent { sweeps: SWEEPS },
        };
        self.als.begin(model, train)?;
        Ok(1)
    }

    fn step(&mut self, model: AnyModel, _: &Interactions, _: StepNumber) -> Stepped {
        let config = self.als.config;
        self.als.state.as_mut().expect("begun").solve(self.role, config, false);
        let sums = StepSums::on_host([0.0; 3], 0, &model.device());
        Stepped { model, outcome: Ok(StepOutcome { sums, norms: None, is_converged: true }) }
    }

    fn write_back(&self, model: AnyModel) -> AnyModel {
        self.als.write_back(model)
    }
}
