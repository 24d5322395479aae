//! Bayesian factorization: instead of one solution, draws from the posterior distribution of all that fit, by Gibbs sampling
//! (Salakhutdinov & Mnih 2008, "Bayesian Probabilistic Matrix Factorization using Markov Chain Monte Carlo"; Freudenthaler,
//! Schmidt-Thieme & Rendle 2011, "Bayesian Factorization Machines"). No λ is chosen: penalties are drawn as well.
//!
//! For models whose score is a sum of biases and of products ⟨z_a, z_b⟩ of two fields, of which z may be the sum of a row's own
//! vector, those of its features and those of what it met. In units of the standard deviation of the training targets,
//!
//! y ~ N(ŝ, 1/α),  x_r ~ N(μ, diag(λ)⁻¹) for the rows x_r = [v_r; w_r] of each table,
//! μ_k ~ N(0, 1/λ_k),  λ_k ~ Γ(½, ½),  α ~ Γ(½, ½).
//!
//! A step, of which an epoch has several, draws α, and then field by field μ and λ of its tables, all rows' own vectors, in parallel,
//! and those of features, one after another. Given all else, the score is linear in x_r: with ĥ the sum of the other fields'
//! vectors and a 1, and t the rest of the target, x_r ~ N(P⁻¹(α Σ t ĥ + diag(λ)μ), P⁻¹) with P = α Σ ĥĥᵀ + diag(λ), over the
//! interactions of r. A row without any becomes μ, as the mean of its draws would.
//!
//! **The model is the mean of its draws**: of the steps after the burn-in, `draws` are kept, evenly, side by side in one wide table, in
//! which each has a share of 1/√draws, so that the product of two rows is the mean of the products of their draws. The
//! biases are means. Before the first is kept, the model is the last draw. All of that is the same for any number of threads.

mod kept;
mod met;
mod part;
mod prior;
mod rows;
mod side;

use std::collections::BTreeMap;

use burn::module::ParamId;
use burn::tensor::{Tensor, TensorData};
use bytemuck::{cast_slice, cast_slice_mut};

use self::kept::Kept;
use self::met::Met;
pub use self::part::GibbsPart;
use self::prior::noise_precision;
use self::rows::DrawnRows;
use self::side::{Members, Side, Streams};
use super::solve::Solver;
use super::step::{StepNumber, StepSums, Stepped};
use crate::data::{Bag, Interactions};
use crate::error::{Error, Result};
use crate::linalg::{Cells, Lane};
use crate::model::{AnyModel, HostTensor, Table, Term, Use, Visited};
use crate::random;

/// How draws are made and kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GibbsConfig {
    /// Epochs before the first draw is kept.
    pub burn_in: u64,
    /// Epochs in all.
    pub epochs: u64,
    /// Steps of an epoch, each a draw of everything.
    pub sweeps: u64,
    /// How many draws the model is the mean of.
    pub draws: usize,
}

impl GibbsConfig {
    /// Whether a draw, counted from 1, is kept: each n-th after the burn-in, with the least n for which there are no more of them
    /// than the model has room for.
    fn keeps(self, draw: u64) -> bool {
        let burn_in = self.burn_in * self.sweeps;
        let every = (self.epochs * self.sweeps).saturating_sub(burn_in).div_ceil(self.draws as u64).max(1);
        draw > burn_in && (draw - burn_in).is_multiple_of(every)
    }
}

/// The solver.
pub struct Gibbs {
    seed: u64,
    config: GibbsConfig,
    /// What a run that goes on had drawn.
    restored: BTreeMap<String, HostTensor>,
    state: Option<State>,
}

struct State {
    sides: Vec<Side>,
    /// Where each table of the sides is in the model, in the order of [`tables`].
    places: Vec<Place>,
    kept: Kept,
    /// The unit of the targets: their standard deviation.
    scale: f32,
    /// Numbers of a vector.
    rank: usize,
}

/// The parameters of a table.
struct Place {
    factors: (ParamId, String),
    biases: Option<(ParamId, String)>,
}

impl Place {
    fn names(&self) -> (&str, Option<&str>) {
        (&self.factors.1, self.biases.as_ref().map(|(_, name)| name.as_str()))
    }
}

/// The tables of all sides that are drawn.
fn tables(sides: &[Side]) -> impl Iterator<Item = &DrawnRows> {
    sides.iter().flat_map(|side| side.own.iter().chain(side.members.iter().map(|members| &members.rows)))
}

/// The same, to be changed.
fn tables_mut(sides: &mut [Side]) -> impl Iterator<Item = &mut DrawnRows> {
    sides
        .iter_mut()
        .flat_map(|side| side.own.iter_mut().chain(side.members.iter_mut().map(|members| &mut members.rows)))
}

/// Hands out one side, and the rows of all others.
fn split<T>(sides: &mut [Side], own: usize, work: impl FnOnce(&mut Side, &[&DrawnRows]) -> T) -> T {
    let (before, rest) = sides.split_at_mut(own);
    let (own, after) = rest.split_first_mut().expect("a side of this number");
    let others: Vec<&DrawnRows> = before.iter().chain(after.iter()).map(|side| &side.whole).collect();
    work(own, &others)
}

/// What the last draw is called in the memory of the solver.
const MOMENT: &str = "last";

impl State {
    /// The last draw and those kept.
    fn memory(&self) -> BTreeMap<String, HostTensor> {
        let mut memory = BTreeMap::new();
        for (at, (place, rows)) in self.places.iter().zip(tables(&self.sides)).enumerate() {
            let shape = vec![rows.count(), rows.lanes * Lane::WIDTH];
            let data = cast_slice::<_, f32>(&rows.values).to_vec();
            memory.insert(format!("{}/{MOMENT}", place.factors.1), HostTensor { shape, data });
            self.kept.remember(at, place.names(), &mut memory);
        }
        memory
    }

    fn restore(&mut self, memory: &BTreeMap<String, HostTensor>) {
        for (at, (place, rows)) in self.places.iter().zip(tables_mut(&mut self.sides)).enumerate() {
            if let Some(last) = memory.get(&format!("{}/{MOMENT}", place.factors.1)) {
                cast_slice_mut::<_, f32>(&mut rows.values).copy_from_slice(&last.data);
            }
            self.kept.recall(at, place.names(), memory);
        }
    }
}

impl Gibbs {
    /// A solver that has seen nothing yet.
    pub fn new(seed: u64, config: GibbsConfig) -> Self {
        Self { seed, config, restored: BTreeMap::new(), state: None }
    }
}

/// Reads the first `rank` numbers of each row, and the biases behind them, in units of `scale`.
fn rows(factors: &Table, biases: Option<&Table>, rank: usize, lanes: usize, scale: f32) -> DrawnRows {
    let [count, width] = factors.rows.dims();
    let (factors, biases) = (factors.numbers(), biases.map(Table::numbers));
    let mut padded = vec![Lane::ZERO; count * lanes];
    let numbers = cast_slice_mut::<_, f32>(&mut padded).chunks_exact_mut(lanes * Lane::WIDTH);
    for (at, (own, factors)) in numbers.zip(factors.chunks_exact(width)).enumerate() {
        own[..rank].iter_mut().zip(factors).for_each(|(own, factor)| *own = factor / scale.sqrt());
        if let Some(biases) = &biases {
            own[rank] = biases[at] / scale;
        }
    }
    DrawnRows { values: padded, lanes, size: rank + usize::from(biases.is_some()) }
}

/// What each member of a bag describes: each row once, with the sum of its weights.
fn described(bag: &Bag, members: usize) -> Cells {
    let of_row = |row: usize| {
        let (of, weights) = bag.of_row(row as u32);
        let weight = |at: usize| weights.map_or(1.0, |weights| weights[at]);
        let mut own: Vec<(u32, f32)> = of.iter().enumerate().map(|(at, &member)| (member, weight(at))).collect();
        own.sort_by_key(|(member, _)| *member);
        own.dedup_by(|next, kept| {
            let is_same = next.0 == kept.0;
            kept.1 += if is_same { next.1 } else { 0.0 };
            is_same
        });
        own.into_iter().map(move |(member, weight)| (member, row as u32, weight))
    };
    Cells::new(members, (0..bag.rows()).flat_map(of_row))
}

/// One field of the score, and where its tables are.
struct Read<'a> {
    term: &'a Term<'a>,
    rank: usize,
    scale: f32,
    train: &'a Interactions,
    names: &'a BTreeMap<ParamId, String>,
}

impl Read<'_> {
    fn place(&self, factors: &Table, biases: Option<&Table>) -> Place {
        let named = |table: &Table| (table.rows.id, self.names[&table.rows.id].clone());
        Place { factors: named(factors), biases: biases.map(named) }
    }

    /// The side, given the columns of the score's fields, of which it is number `own`.
    fn side(&self, own: usize, columns: &[&[u32]], targets: &[f32]) -> (Side, Vec<Place>) {
        let &Read { term: Term { factors, biases, beside, .. }, rank, scale, train, .. } = self;
        let lanes = Lane::count(rank + 1);
        let whole = rows(factors, *biases, rank, lanes, scale);
        let count = whole.count();
        let mut places = Vec::new();
        let has_own = factors.rows.is_require_grad();
        if has_own {
            places.push(self.place(factors, *biases));
        }
        let features = factors.features().iter().enumerate();
        let features = features.map(|(at, (_, table))| (table, biases.map(|biases| &biases.features()[at].1)));
        let members: Vec<Members> = features
            .chain(beside.iter().map(|&table| (table, None)))
            .map(|(factors, biases)| {
                let bag = match factors.uses() {
                    [Use::Bag(_, bag)] => train.bag(*bag),
                    uses => unreachable!("one bag indexes what describes rows, but these are {uses:?}"),
                };
                places.push(self.place(factors, biases));
                let rows = rows(factors, biases, rank, lanes, scale);
                let described = described(bag, rows.count());
                Members { rows, described }
            })
            .collect();
        let met = Met::new(count, own, columns, targets);
        (Side { own: has_own.then(|| whole.clone()), members, whole, rank, met }, places)
    }
}

impl Solver for Gibbs {
    fn begin(&mut self, model: &AnyModel, train: &Interactions) -> Result<u64> {
        let draws = self.config.draws;
        let unfit = |what: &str| Error::Usage(format!("the gibbs solver {what}; use adam, sgd or adagrad"));
        let sum =
            model.terms().ok_or_else(|| unfit("supports only models whose score is a sum of products of two rows"))?;
        if !model.products_within().is_empty() && sum.terms.iter().any(|term| !term.factors.features().is_empty()) {
            return Err(unfit("has no products of a row's features with each other"));
        }
        let width = sum.terms[0].factors.rows.dims()[1];
        if width % draws != 0 {
            return Err(Error::Usage(format!("factors of {width} numbers are no {draws} draws")));
        }
        let rank = width / draws;
        // Targets that do not differ have no unit of their own.
        let scale = Some(train.standard_deviation() as f32).filter(|scale| scale.is_normal()).unwrap_or(1.0);
        let targets: Vec<f32> = train.targets.iter().map(|&target| (target - sum.offset) / scale).collect();
        let columns: Vec<&[u32]> = sum.terms.iter().map(|term| train.column(term.field)).collect();
        let mut names = BTreeMap::new();
        model.visit(None, &mut |Visited { name, id, .. }| {
            names.insert(id, name);
        });
        let (mut sides, mut places) = (Vec::new(), Vec::new());
        for (own, term) in sum.terms.iter().enumerate() {
            let (side, of_side) = Read { term, rank, scale, train, names: &names }.side(own, &columns, &targets);
            sides.push(side);
            places.extend(of_side);
        }
        let kept = Kept::new(tables(&sides).count());
        let mut state = State { sides, places, kept, scale, rank };
        state.restore(&std::mem::take(&mut self.restored));
        state.sides.iter_mut().for_each(Side::add_up);
        self.state = Some(state);
        Ok(self.config.sweeps)
    }

    /// The sums are those of the draw before the step, so that an epoch's are the mean of its draws'.
    fn step(&mut self, model: AnyModel, train: &Interactions, number: StepNumber) -> Stepped {
        let State { sides, kept, scale, rank, .. } = self.state.as_mut().expect("begun");
        let squares = split(sides, 0, |first, others| first.squares(others));
        let draw = (number.epoch - 1) * number.steps + number.step + 1;
        let stream = |name: &str| random::stream(self.seed, &format!("gibbs/{draw}/{name}"));
        let alpha = noise_precision(squares, train.len(), &mut stream("noise"));
        for field in 0..sides.len() {
            let streams =
                Streams { serial: stream(&format!("field/{field}")), of_rows: stream(&format!("rows/{field}")) };
            split(sides, field, |side, others| side.draw(others, alpha, streams));
        }
        if self.config.keeps(draw) {
            kept.keep(tables(sides), *rank);
        }
        let squares = squares * f64::from(*scale).powi(2);
        let sums = StepSums::on_host([squares, 0.0, squares], train.len(), &model.device());
        Stepped::new(model, sums)
    }

    fn write_back(&self, model: AnyModel) -> AnyModel {
        let Some(State { sides, places, kept, scale, rank }) = &self.state else { return model };
        let last;
        let kept = match kept.count() {
            0 => {
                let mut only = Kept::new(places.len());
                only.keep(tables(sides), *rank);
                last = only;
                &last
            }
            _ => kept,
        };
        let mut found = BTreeMap::new();
        for (at, place) in places.iter().enumerate() {
            found.insert(place.factors.0, kept.factors(at, *rank, self.config.draws, scale.sqrt()));
            found.extend(place.biases.as_ref().map(|(id, _)| (*id, kept.biases(at, *scale))));
        }
        model.map(None, &mut |Visited { id, rows, .. }| match found.remove(&id) {
            Some(values) => Tensor::from_data(TensorData::new(values, rows.dims()), &rows.device()),
            None => rows,
        })
    }

    fn memory(&self) -> BTreeMap<String, HostTensor> {
        self.state.as_ref().map(State::memory).unwrap_or_default()
    }

    fn restore(&mut self, _: u64, memory: &BTreeMap<String, HostTensor>) {
        self.restored = memory.clone();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::BagFrame;

    #[test]
    fn a_member_that_a_bag_has_twice_describes_its_row_once() {
        let frame = BagFrame { name: "genre".into(), owner: 0, of: 1, is_feature: true };
        let bag = Bag::new(frame, vec![0, 3, 3, 4], vec![2, 0, 2, 2], Some(vec![0.5, 1.0, 0.25, 2.0])).expect("fits");
        let described = described(&bag, 3);
        assert_eq!(described.row(0), (&[0][..], &[1.0][..]));
        assert_eq!(described.row(1), (&[][..], &[][..]));
        assert_eq!(described.row(2), (&[0, 2][..], &[0.75, 2.0][..]));
    }

    #[test]
    fn draws_are_kept_evenly_after_the_burn_in() {
        let kept = |burn_in, epochs, sweeps, draws| {
            let config = GibbsConfig { burn_in, epochs, sweeps, draws };
            (1..=epochs * sweeps).filter(|&draw| config.keeps(draw)).collect::<Vec<_>>()
        };
        assert_eq!(kept(2, 8, 1, 3), [4, 6, 8]);
        assert_eq!(kept(0, 3, 1, 100), [1, 2, 3]);
        assert_eq!(kept(1, 3, 4, 4), [6, 8, 10, 12]);
        assert_eq!(kept(4, 10, 1, 4), [6, 8, 10]);
        assert_eq!(kept(9, 10, 1, 1), [10]);
    }
}
