//! Alternating least squares: with one side fixed, each row of the other is the solution of a small linear system.
//!
//! For models whose score is s_ui = μ + b_u + b_i + p_uᵀ q_i and squared loss. An epoch has two steps: every p_u with its
//! b_u, then every q_i with its b_i. No step raises the objective, and there is no learning rate.
//!
//! **Explicit feedback**: with n_u and n_i ratings of user u and item i, over the observed ratings,
//!
//! Σ_(u,i) (r_ui − s_ui)² + Σ_u n_uᵛ (λ_p‖p_u‖² + λ_bu b_u²) + Σ_i n_iᵛ (λ_q‖q_i‖² + λ_bi b_i²)
//!
//! With ν = 1 a penalty counts once a rating (ALS-WR: Zhou, Wilkinson, Schreiber & Pan 2008), which makes this the
//! objective of the [gradient solvers](super::gradient) on all ratings, times their number. Less weighs rows with many
//! ratings less (partially weighted trace norms: Salakhutdinov & Srebro 2010). The system of user u is
//! [Σ_i q̃_i q̃_iᵀ + n_uᵛ Λ] p̃_u = Σ_i (r_ui − μ − b_i) q̃_i with q̃_i = [q_i; 1] and p̃_u = [p_u; b_u]. A row without ratings
//! stays. With λ = 0 a system may have many solutions: Cholesky factorization then gives the shortest of them, which is
//! where solutions tend to for λ → 0, and counts a pivot of rounding size as zero (`linalg::cholesky`);
//! the other two ways go from the present row to a solution near it.
//!
//! **Without penalties in the config**, a model with biases has the standard deviation σ of the training ratings as λ of
//! factors, 1 as λ of biases and ν = ½. Ratings c times as large have residuals c times as large, which factors √c times as
//! long and biases c times as large follow: λ of factors has to grow with c, λ of biases not at all. With ν = ½ penalties
//! grow more slowly than the ratings of a row, so that rows with few ratings are held back. The constants were chosen on the
//! validation parts of six sets of ratings (benches/README.md). Without biases, factors carry the mean too and cannot be
//! penalized as much: λ is then 0.08 and ν = 1.
//!
//! **Implicit feedback** (Hu, Koren & Volinsky 2008, eq. 3): over all cells, observed or not,
//!
//! Σ_u Σ_i c_ui (π_ui − p_uᵀ q_i)² + Σ_u n_uᵛ λ_p‖p_u‖² + Σ_i n_iᵛ λ_q‖q_i‖²
//!
//! with the preference π_ui = 1 where r_ui > 0, else 0, and the confidence c_ui = 1 + α t(r_ui), where r_ui = 0 for cells
//! that were not observed and t is the transform [`Confidence`]. The paper has ν = 0; without penalties in the config λ = 15
//! and ν = ½. The sum over all cells costs no more than one over the observed ones, because Σ_i q_i q_iᵀ is the same for every
//! user. A row without ratings is zero.
//!
//! Rows are solved in parallel on the CPU, each by one thread, so that the result is the same for any number of threads.

mod confidence;
mod config;
mod kernel;
mod one_side;
mod part;

use bytemuck::{cast_slice, cast_slice_mut};
use rayon::prelude::*;

pub use self::confidence::Confidence;
use self::confidence::Counts;
pub use self::config::{AlsConfig, Feedback, Inner};
use self::kernel::{Equations, Room};
pub use self::one_side::OneSide;
pub use self::part::AlsPart;
use super::dot_product::{DotProduct, ParameterRoles, SideTables};
use super::regularization::Regularization;
use super::solve::Solver;
use super::step::{StepNumber, StepSums, Stepped};
use crate::data::{Interactions, Role};
use crate::error::{Error, Result};
use crate::linalg::lanes::gram;
use crate::linalg::{Cells, Lane};
use crate::model::{AnyModel, TableKind};
use crate::objective::Loss;

/// The solver. It remembers nothing between steps but the parameters.
pub struct Als {
    loss: Loss,
    regularization: Regularization,
    config: AlsConfig,
    /// Whether penalties follow from model and ratings, and not from the fields above.
    chooses_penalties: bool,
    /// Everything that training moves, once it has begun.
    state: Option<State>,
}

struct State {
    users: Side,
    items: Side,
    offset: f32,
    rank: usize,
    /// Where unknowns end at the low side.
    lowest: f32,
    places: ParameterRoles,
}

/// Users or items.
struct Side {
    /// Factors of each row and then, if the other side has biases, a 1 that they are multiplied by.
    rows: Vec<Lane>,
    /// Zeros if there are none.
    biases: Vec<f32>,
    has_biases: bool,
    /// What each row was rated, as cells whose columns are rows of the other side.
    ratings: Cells,
    /// λ of each unknown.
    lambda: Vec<Lane>,
}

/// Sums over ratings, or cells.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    loss: f64,
    penalty: f64,
    /// Σ (r − s)² over the observed ratings.
    squared: f64,
}

impl Als {
    /// A solver for squared loss that has seen nothing yet.
    pub fn new(loss: Loss, regularization: Regularization, config: AlsConfig) -> Self {
        Self { loss, regularization, config, chooses_penalties: false, state: None }
    }

    /// The same for explicit feedback, with the penalties that the module names for configs without any.
    pub fn with_default_penalties(loss: Loss, config: AlsConfig) -> Self {
        Self { chooses_penalties: true, ..Self::new(loss, Regularization::default(), config) }
    }

    /// Refuses what this solver has no meaning for.
    fn check(&self, model: &DotProduct, train: &Interactions) -> Result<()> {
        let AlsConfig { feedback, inner, .. } = self.config;
        let is_implicit = matches!(feedback, Feedback::Implicit { .. });
        let refused = if !matches!(self.loss, Loss::Squared(_)) {
            Some("the als solver supports only squared loss")
        } else if is_implicit && (model.users.biases.is_some() || model.items.biases.is_some()) {
            Some("implicit feedback supports only models without biases (mf, nmf)")
        } else if model.non_negative && !matches!(inner, Inner::CoordinateDescent { .. }) {
            Some("a non-negative model is solved by coordinate descent only")
        } else {
            train.targets.iter().find_map(|&rating| feedback.refuses(rating))
        };
        refused.map_or(Ok(()), |reason| Err(Error::Usage(reason.into())))
    }

    /// One side; `ratings` are its indices, those of the other side, and the values.
    fn side(
        &self,
        tables: &SideTables,
        others: &SideTables,
        rank: usize,
        ratings: [&[u32]; 2],
        values: &[f32],
    ) -> Side {
        let lanes = lanes(rank, tables, others);
        let width = lanes * Lane::WIDTH;
        let mut rows = vec![Lane::ZERO; tables.num_rows * lanes];
        let numbers: &mut [f32] = cast_slice_mut(&mut rows);
        for (row, factors) in numbers.chunks_exact_mut(width).zip(tables.factors.chunks_exact(rank)) {
            row[..rank].copy_from_slice(factors);
            if others.biases.is_some() {
                row[rank] = 1.0;
            }
        }
        let mut lambda = vec![Lane::ZERO; lanes];
        let numbers: &mut [f32] = cast_slice_mut(&mut lambda);
        numbers[..rank].fill(tables.lambda(&self.regularization, TableKind::Factors));
        if tables.biases.is_some() {
            numbers[rank] = tables.lambda(&self.regularization, TableKind::Biases);
        }
        let ratings = by_row(tables.num_rows, ratings, values);
        let has_biases = tables.biases.is_some();
        let biases = tables.biases.clone().unwrap_or_else(|| vec![0.0; tables.num_rows]);
        Side { rows, biases, has_biases, ratings, lambda }
    }
}

/// Ratings by the rows of one side.
fn by_row(num_rows: usize, [rows, others]: [&[u32]; 2], values: &[f32]) -> Cells {
    let cells = rows.iter().zip(others).zip(values);
    Cells::new(num_rows, cells.map(|((&row, &other), &value)| (row, other, value)))
}

/// Lanes that hold the factors of one side and a number of the other's biases.
fn lanes(rank: usize, tables: &SideTables, others: &SideTables) -> usize {
    let has_biases = tables.biases.is_some() || others.biases.is_some();
    Lane::count(rank + usize::from(has_biases))
}

impl State {
    /// Solves for every row of one side. Returns the sums after that if `measures`, else nothing.
    fn solve(&mut self, role: Role, config: AlsConfig, measures: bool) -> Sums {
        let (own, other) = match role {
            Role::User => (&mut self.users, &self.items),
            Role::Item => (&mut self.items, &self.users),
        };
        let Side { rows, biases, has_biases, ratings, lambda } = own;
        let lanes = lambda.len();
        let half = Half {
            config,
            other,
            gram: matches!(config.feedback, Feedback::Implicit { .. }).then(|| gram(&other.rows, lanes)),
            ratings,
            lambda,
            offset: self.offset,
            rank: self.rank,
            size: self.rank + usize::from(*has_biases),
            lowest: self.lowest,
            measures,
        };
        let rows = rows.par_chunks_mut(lanes).zip(biases.par_iter_mut()).enumerate();
        let sums: Vec<Sums> = rows
            .map_init(|| Scratch::new(lanes), |work, (index, (row, bias))| half.solve(index, row, bias, work))
            .collect();
        // In the order of the rows, whatever thread was first.
        sums.into_iter().fold(Sums::default(), |sum, of_row| Sums {
            loss: sum.loss + of_row.loss,
            penalty: sum.penalty + of_row.penalty,
            squared: sum.squared + of_row.squared,
        })
    }

    /// Penalty of the users, whose rows are not those that were solved for last.
    fn penalty_of_users(&self, config: AlsConfig) -> f64 {
        let Side { rows, biases, has_biases, ratings, lambda } = &self.users;
        let (factors, bias) = cast_slice::<_, f32>(lambda).split_at(self.rank);
        let bias = if *has_biases { bias[0] } else { 0.0 };
        let term = |lambda: f32, x: f32| f64::from(lambda) * f64::from(x) * f64::from(x);
        let of_row = |(index, row): (usize, &[Lane])| {
            let of_factors: f64 = factors.iter().zip(cast_slice(row)).map(|(&lambda, &x)| term(lambda, x)).sum();
            config.times_penalized(ratings.row(index).0.len()) * (of_factors + term(bias, biases[index]))
        };
        rows.chunks_exact(lambda.len()).enumerate().map(of_row).sum()
    }
}

/// What the rows of one side need to be solved for.
struct Half<'a> {
    config: AlsConfig,
    other: &'a Side,
    /// Σ qqᵀ over all rows of the other side, for implicit feedback.
    gram: Option<Vec<Lane>>,
    ratings: &'a Cells,
    lambda: &'a [Lane],
    offset: f32,
    rank: usize,
    /// Unknowns of a row.
    size: usize,
    lowest: f32,
    measures: bool,
}

/// What a thread needs for one row.
struct Scratch {
    room: Room,
    /// Factors and bias.
    x: Vec<Lane>,
    /// λ, as often as it counts.
    ridge: Vec<Lane>,
    weights: Vec<f32>,
    targets: Vec<f32>,
    scores: Vec<f32>,
}

impl Scratch {
    fn new(lanes: usize) -> Self {
        let zeros = || vec![Lane::ZERO; lanes];
        Self { room: Room::new(lanes), x: zeros(), ridge: zeros(), weights: vec![], targets: vec![], scores: vec![] }
    }
}

impl Half<'_> {
    /// Solves for one row. Returns its sums after that if they are asked for.
    fn solve(&self, index: usize, row: &mut [Lane], bias: &mut f32, work: &mut Scratch) -> Sums {
        let Self { other, rank, size, .. } = *self;
        let AlsConfig { feedback, inner, .. } = self.config;
        let (others, values) = self.ratings.row(index);
        if values.is_empty() {
            if matches!(feedback, Feedback::Implicit { .. }) {
                row.fill(Lane::ZERO);
            }
            return Sums::default();
        }
        let times = self.config.times_penalized(values.len()) as f32;
        let Scratch { room, x, ridge, weights, targets, scores } = work;
        weights.clear();
        targets.clear();
        for (&at, &rating) in others.iter().zip(values) {
            let (weight, target) = feedback.terms(rating, self.offset + other.biases[at as usize]);
            weights.push(weight);
            targets.push(target);
        }
        let scaled = cast_slice_mut::<_, f32>(ridge).iter_mut().zip(cast_slice::<_, f32>(self.lambda));
        scaled.for_each(|(ridge, lambda)| *ridge = times * lambda);
        let unknowns: &mut [f32] = cast_slice_mut(x);
        unknowns[..rank].copy_from_slice(&cast_slice(row)[..rank]);
        unknowns[rank..size].fill(*bias);
        let equations = Equations {
            rows: &other.rows,
            lanes: row.len(),
            indices: others,
            weights,
            targets,
            gram: self.gram.as_deref(),
            ridge,
            size,
        };
        match inner {
            Inner::Cholesky => room.cholesky(equations, x),
            Inner::ConjugateGradient { steps } => room.conjugate_gradient(equations, x, steps),
            Inner::CoordinateDescent { sweeps } => room.coordinate_descent(equations, x, sweeps, self.lowest),
        }
        let unknowns: &[f32] = cast_slice(x);
        cast_slice_mut(row)[..rank].copy_from_slice(&unknowns[..rank]);
        if let [found] = unknowns[rank..size] {
            *bias = found;
        }
        if !self.measures {
            return Sums::default();
        }
        room.scores(equations, x, scores);
        // Without a Gram matrix, unobserved cells count nothing; with it, this counts all cells as such.
        let mut sums = Sums { loss: room.energy(equations, x), ..Sums::default() };
        for ((&score, &target), &rating) in scores.iter().zip(&*targets).zip(values) {
            let (score, target, rating) = (f64::from(score), f64::from(target), f64::from(rating));
            match feedback {
                Feedback::Explicit => {
                    sums.loss += (target - score).powi(2);
                    sums.squared += (target - score).powi(2);
                }
                Feedback::Implicit { confidence_alpha } => {
                    let preference = if rating > 0.0 { 1.0 } else { 0.0 };
                    sums.loss += (1.0 + confidence_alpha * rating) * (preference - score).powi(2) - score * score;
                    sums.squared += (rating - score).powi(2);
                }
            }
        }
        let terms = cast_slice::<_, f32>(ridge).iter().zip(unknowns);
        sums.penalty = terms.map(|(&ridge, &x)| f64::from(ridge) * f64::from(x) * f64::from(x)).sum();
        sums
    }
}

impl Solver for Als {
    fn begin(&mut self, model: &AnyModel, train: &Interactions) -> Result<u64> {
        let model = DotProduct::read(model, "als")?;
        self.check(&model, train)?;
        let [of_users, of_items] = model.columns(train);
        let DotProduct { offset, rank, non_negative, users, items, places } = &model;
        let lowest = if *non_negative { 0.0 } else { f32::NEG_INFINITY };
        if self.chooses_penalties {
            let has_biases = users.biases.is_some() && items.biases.is_some();
            (self.regularization, self.config.count_exponent) = config::default_penalties(has_biases, train);
        }
        let confidences = matches!(self.config.feedback, Feedback::Implicit { .. }).then(|| {
            let (num_users, num_items) = (users.num_rows, items.num_rows);
            let counted = Counts { users: of_users, items: of_items, counts: &train.targets, num_users, num_items };
            self.config.confidence.transformed(counted)
        });
        let ratings = confidences.as_deref().unwrap_or(&train.targets);
        self.state = Some(State {
            users: self.side(users, items, *rank, [of_users, of_items], ratings),
            items: self.side(items, users, *rank, [of_items, of_users], ratings),
            offset: *offset,
            rank: *rank,
            lowest,
            places: places.clone(),
        });
        Ok(2)
    }

    /// The sums of an epoch are those after its second step, in which alone its ratings count.
    fn step(&mut self, model: AnyModel, train: &Interactions, number: StepNumber) -> Stepped {
        let state = self.state.as_mut().expect("begun");
        let is_last = number.is_last();
        let role = if is_last { Role::Item } else { Role::User };
        let mut sums = state.solve(role, self.config, is_last);
        if is_last {
            sums.penalty += state.penalty_of_users(self.config);
        }
        let count = if is_last { train.len() } else { 0 };
        let sums = StepSums::on_host([sums.loss, sums.penalty, sums.squared], count, &model.device());
        Stepped::new(model, sums)
    }

    fn write_back(&self, model: AnyModel) -> AnyModel {
        let Some(state) = &self.state else { return model };
        state.places.write(model, |role, kind| {
            let side = match role {
                Role::User => &state.users,
                Role::Item => &state.items,
            };
            match kind {
                TableKind::Biases => side.biases.clone(),
                TableKind::Factors => {
                    let rows = cast_slice::<_, f32>(&side.rows).chunks_exact(side.lambda.len() * Lane::WIDTH);
                    rows.flat_map(|row| &row[..state.rank]).copied().collect()
                }
            }
        })
    }
}
