//! One field's part of the score: its rows, what is known of them, and the interactions that each row has.

use std::ops::Range;

use bytemuck::cast_slice;
use pulp::{Arch, Simd, WithSimd};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::met::{Add, Met, Regressors};
use super::prior::Prior;
use super::rows::{DrawnRows, Evidence, Ridge, Workspace, add_scaled};
use crate::linalg::lanes::{add, mirror, panel_rows};
use crate::linalg::{Cells, Lane};

/// Interactions that one thread adds up: more of a row are divided.
const MOST_AT_ONCE: usize = 8192;

/// Described rows that one thread adds up.
const ROWS_AT_ONCE: usize = 64;

/// Values that describe rows of a field: of a feature, or what each row met.
#[derive(Debug, Clone)]
pub struct Members {
    pub rows: DrawnRows,
    /// Which rows of the field each describes, ascending and each once, and its weight there.
    pub described: Cells,
}

/// A field.
#[derive(Debug, Clone)]
pub struct Side {
    /// The rows' own vectors; `None` if they have none.
    pub own: Option<DrawnRows>,
    /// What is known of them.
    pub members: Vec<Members>,
    /// Each row's vector and bias: its own and those of what is known of it.
    pub whole: DrawnRows,
    /// Numbers of a vector; the bias is behind them.
    pub rank: usize,
    pub met: Met,
}

/// The streams of a sweep over a field.
pub struct Streams {
    /// That of all hyper-parameters and of rows that are drawn one after another.
    pub serial: ChaCha8Rng,
    /// What the streams of single rows are made of.
    pub of_rows: ChaCha8Rng,
}

impl Streams {
    fn of_row(&self, row: usize) -> ChaCha8Rng {
        let mut stream = self.of_rows.clone();
        stream.set_stream(row as u64 + 1);
        stream
    }
}

/// What a thread needs.
struct Work {
    panel: Vec<Lane>,
    scores: Vec<f32>,
    evidence: Evidence,
    right: Vec<Lane>,
    room: Workspace,
}

impl Work {
    fn new(lanes: usize) -> Self {
        let zeros = |count| vec![Lane::ZERO; count];
        Self {
            panel: zeros(lanes * panel_rows(lanes)),
            scores: Vec::new(),
            evidence: Evidence::none(lanes),
            right: zeros(lanes),
            room: Workspace::new(lanes),
        }
    }
}

impl Side {
    /// Adds each row up from its parts.
    pub fn add_up(&mut self) {
        match &self.own {
            Some(own) => self.whole.values.copy_from_slice(&own.values),
            None => self.whole.values.fill(Lane::ZERO),
        }
        let lanes = self.whole.lanes;
        for Members { rows, described } in &self.members {
            for member in 0..rows.count() {
                let (of, weights) = described.row(member);
                for (&row, &weight) in of.iter().zip(weights) {
                    add_scaled(&mut self.whole.values[row as usize * lanes..][..lanes], weight, rows.row(member));
                }
            }
        }
    }

    /// Σ (y − ŝ)² over the interactions of this field.
    pub fn squares(&self, others: &[&DrawnRows]) -> f64 {
        let lanes = self.whole.lanes;
        let of_row = |work: &mut Work, row: usize| {
            let mut sum = 0.0;
            for chunk in chunks(self.met.positions.range(row), panel_rows(lanes)) {
                let Work { panel, scores, .. } = work;
                let own = self.whole.row(row);
                Arch::new().dispatch(self.regressors(others, chunk, panel, scores, Some(own)));
                sum += scores.iter().map(|&rest| f64::from(rest).powi(2)).sum::<f64>();
            }
            sum
        };
        let rows = (0..self.met.positions.count()).into_par_iter();
        let sums: Vec<f64> = rows.map_init(|| Work::new(lanes), of_row).collect();
        sums.into_iter().sum()
    }

    /// Draws everything of this field anew, given all other fields.
    pub fn draw(&mut self, others: &[&DrawnRows], alpha: f64, mut streams: Streams) {
        let alpha = alpha as f32;
        if self.members.is_empty() {
            self.draw_own(others, alpha, &mut streams, None);
            return self.add_up();
        }
        let lanes = self.whole.lanes;
        let mut evidence = vec![Evidence::none(lanes); self.whole.count()];
        self.draw_own(others, alpha, &mut streams, Some(&mut evidence));
        self.add_up();
        // b − Aẑ: what is left to explain.
        evidence.par_iter_mut().enumerate().for_each(|(row, evidence)| take_away(evidence, 1.0, self.whole.row(row)));
        for members in &mut self.members {
            members.draw(&mut evidence, alpha, &mut streams.serial);
        }
        self.add_up();
    }

    /// Draws the rows' own vectors. What the interactions of each say is kept in `kept`, with a whole matrix, if it is asked for.
    fn draw_own(&mut self, others: &[&DrawnRows], alpha: f32, streams: &mut Streams, kept: Option<&mut [Evidence]>) {
        let Some(mut own) = self.own.take() else {
            if let Some(kept) = kept {
                let work = || Work::new(self.whole.lanes);
                kept.par_iter_mut().enumerate().for_each_init(work, |work, (row, kept)| {
                    self.gather(row, others, work);
                    mirror(&mut work.evidence.matrix, self.whole.lanes);
                    kept.clone_from(&work.evidence);
                });
            }
            return;
        };
        let with_interactions = (0..own.count()).filter(|&row| !self.met.positions.range(row).is_empty());
        let lanes = own.lanes;
        let numbers = with_interactions.map(|row| cast_slice::<_, f32>(own.row(row)));
        let prior = Prior::draw(numbers, own.size, &mut streams.serial);
        let ridge = Ridge::new(&prior, lanes);
        let (side, streams) = (&*self, &*streams);
        let draw = |work: &mut Work, row: usize, x: &mut [Lane], kept: Option<&mut Evidence>| {
            if side.met.positions.range(row).is_empty() {
                return x.copy_from_slice(&ridge.mean);
            }
            side.gather(row, others, work);
            let Work { evidence, right, room, .. } = work;
            if let Some(kept) = kept {
                mirror(&mut evidence.matrix, lanes);
                kept.clone_from(evidence);
                // What is known of the row explains its part.
                right.copy_from_slice(side.whole.row(row));
                add_scaled(right, -1.0, x);
                take_away(evidence, 1.0, right);
            }
            room.draw(evidence, alpha, &ridge, &mut streams.of_row(row), x);
        };
        let work = || Work::new(lanes);
        let rows = own.values.par_chunks_mut(lanes).enumerate();
        match kept {
            None => rows.for_each_init(work, |work, (row, x)| draw(work, row, x, None)),
            Some(kept) => {
                let rows = rows.zip(kept.par_iter_mut());
                rows.for_each_init(work, |work, ((row, x), kept)| draw(work, row, x, Some(kept)));
            }
        }
        self.own = Some(own);
    }

    /// What the interactions of a row say, into `work`.
    fn gather(&self, row: usize, others: &[&DrawnRows], work: &mut Work) {
        let range = self.met.positions.range(row);
        if range.len() <= MOST_AT_ONCE {
            return self.gather_some(range, others, work);
        }
        let lanes = self.whole.lanes;
        let pieces: Vec<Evidence> = chunks(range, MOST_AT_ONCE)
            .collect::<Vec<_>>()
            .into_par_iter()
            .map(|piece| {
                let mut work = Work::new(lanes);
                self.gather_some(piece, others, &mut work);
                work.evidence
            })
            .collect();
        work.evidence.clear();
        pieces.iter().for_each(|piece| work.evidence.add(piece));
    }

    fn regressors<'a>(
        &'a self,
        others: &'a [&'a DrawnRows],
        chunk: Range<usize>,
        panel: &'a mut [Lane],
        rests: &'a mut Vec<f32>,
        own: Option<&'a [Lane]>,
    ) -> Regressors<'a> {
        let has_bias = self.whole.size > self.rank;
        Regressors { met: &self.met, others, chunk, rank: self.rank, has_bias, panel, rests, own }
    }

    fn gather_some(&self, range: Range<usize>, others: &[&DrawnRows], work: &mut Work) {
        work.evidence.clear();
        let lanes = self.whole.lanes;
        for chunk in chunks(range, panel_rows(lanes)) {
            let Work { panel, scores: rests, evidence, .. } = work;
            Arch::new().dispatch(self.regressors(others, chunk, panel, rests, None));
            let panel = &panel[..rests.len() * lanes];
            Arch::new().dispatch(Add { panel, rests, columns: self.whole.size, evidence });
        }
    }
}

/// Pieces of a range of at most so many.
fn chunks(range: Range<usize>, most: usize) -> impl Iterator<Item = Range<usize>> {
    let end = range.end;
    range.step_by(most).map(move |start| start..(start + most).min(end))
}

/// b − `factor` · Ax in the place of b, for a whole A.
fn take_away(evidence: &mut Evidence, factor: f32, x: &[Lane]) {
    let Evidence { matrix, right } = evidence;
    Arch::new().dispatch(TakeAway { matrix, factor, x, right });
}

struct TakeAway<'a> {
    matrix: &'a [Lane],
    factor: f32,
    x: &'a [Lane],
    right: &'a mut [Lane],
}

impl WithSimd for TakeAway<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { matrix, factor, x, right } = self;
        let lanes = right.len();
        for (column, &x) in matrix.chunks_exact(lanes).zip(cast_slice::<_, f32>(x)) {
            add(simd, right, 1.0, -factor * x, column);
        }
    }
}

impl Members {
    /// Draws each in turn, given what is left to explain of the rows that it describes.
    fn draw(&mut self, evidence: &mut [Evidence], alpha: f32, stream: &mut ChaCha8Rng) {
        let Self { rows, described } = self;
        let lanes = rows.lanes;
        let in_use = (0..rows.count()).filter(|&member| !described.row(member).0.is_empty());
        let numbers = in_use.map(|member| cast_slice::<_, f32>(rows.row(member)));
        let ridge = Ridge::new(&Prior::draw(numbers, rows.size, stream), lanes);
        let mut room = Workspace::new(lanes);
        let mut change = vec![Lane::ZERO; lanes];
        for (member, x) in rows.values.chunks_exact_mut(lanes).enumerate() {
            let (of, weights) = described.row(member);
            if of.is_empty() {
                x.copy_from_slice(&ridge.mean);
                continue;
            }
            let mut of = picked(evidence, of, weights);
            // In pieces of one length, whatever the number of threads.
            let pieces: Vec<Evidence> = of.par_chunks(ROWS_AT_ONCE).map(|rows| weighted_sum(rows, lanes)).collect();
            let mut pieces = pieces.into_iter();
            let mut sum = pieces.next().expect("described rows");
            pieces.for_each(|piece| sum.add(&piece));
            // Without what it explains itself.
            change.copy_from_slice(x);
            take_away(&mut sum, -1.0, x);
            room.draw(&sum, alpha, &ridge, stream, x);
            // Before and after: what is left to explain grows by the old part and falls by the new one.
            add_scaled(&mut change, -1.0, x);
            let rows = of.par_iter_mut().with_min_len(ROWS_AT_ONCE);
            rows.for_each(|(evidence, weight)| take_away(evidence, -*weight, &change));
        }
    }
}

/// The evidence of some rows, in ascending order, each with its weight.
fn picked<'a>(evidence: &'a mut [Evidence], rows: &[u32], weights: &[f32]) -> Vec<(&'a mut Evidence, f32)> {
    let (mut rest, mut next) = (evidence, 0);
    let pick = |(&row, &weight): (&u32, &f32)| {
        let (own, after) = std::mem::take(&mut rest)[row as usize - next..].split_first_mut().expect("a row");
        (rest, next) = (after, row as usize + 1);
        (own, weight)
    };
    rows.iter().zip(weights).map(pick).collect()
}

/// Σ w² A and Σ w b.
fn weighted_sum(rows: &[(&mut Evidence, f32)], lanes: usize) -> Evidence {
    let mut sum = Evidence::none(lanes);
    for (evidence, weight) in rows {
        add_scaled(&mut sum.matrix, weight * weight, &evidence.matrix);
        add_scaled(&mut sum.right, *weight, &evidence.right);
    }
    sum
}

#[cfg(test)]
mod tests {
    use bytemuck::cast_slice_mut;
    use rand::RngExt;

    use super::*;
    use crate::data::UNKNOWN;
    use crate::random;

    const RANK: usize = 3;

    fn random_rows(name: &str, count: usize, size: usize) -> DrawnRows {
        let mut stream = random::stream(5, name);
        let mut values = vec![Lane::ZERO; count];
        for row in cast_slice_mut::<_, f32>(&mut values).chunks_exact_mut(Lane::WIDTH) {
            row[..size].iter_mut().for_each(|number| *number = stream.random_range(-1.0..1.0));
        }
        DrawnRows { values, lanes: 1, size }
    }

    /// Three fields of 6, 5 and 4 rows, some unknown; rows of the second are described by three values, with weights.
    fn sides(columns: &[Vec<u32>], targets: &[f32], name: &str) -> Vec<Side> {
        let described = [(0, 0, 0.5), (0, 2, -1.0), (1, 2, 2.0), (2, 4, 1.0), (0, 3, 1.5)];
        let columns: Vec<&[u32]> = columns.iter().map(|column| &column[..]).collect();
        let side = |(field, count): (usize, usize)| {
            let own = random_rows(&format!("{name}/{field}"), count, RANK + 1);
            let members = Members {
                rows: random_rows(&format!("{name}/members"), 3, RANK + 1),
                described: Cells::new(3, described.into_iter()),
            };
            let members = if field == 1 { vec![members] } else { Vec::new() };
            let met = Met::new(count, field, &columns, targets);
            let mut side = Side { whole: own.clone(), own: Some(own), members, rank: RANK, met };
            side.add_up();
            side
        };
        [6, 5, 4].into_iter().enumerate().map(side).collect()
    }

    fn columns() -> Vec<Vec<u32>> {
        let mut columns = vec![Vec::new(); 3];
        for (user, item, hour) in
            (0..6).flat_map(|user| (0..5).flat_map(move |item| (0..4).map(move |h| (user, item, h))))
        {
            columns[0].push(user);
            columns[1].push(item);
            columns[2].push(if (user + item + hour) % 7 == 3 { UNKNOWN } else { hour });
        }
        columns
    }

    fn score(sides: &[Side], cell: [u32; 3]) -> f64 {
        let rows: Vec<Vec<f64>> = (0..3)
            .filter(|&field| cell[field] != UNKNOWN)
            .map(|field| {
                let row = cast_slice::<_, f32>(sides[field].whole.row(cell[field] as usize));
                row.iter().map(|&number| f64::from(number)).collect()
            })
            .collect();
        let product = |a: &[f64], b: &[f64]| (0..RANK).map(|k| a[k] * b[k]).sum::<f64>();
        let pairs = (0..rows.len()).flat_map(|b| (0..b).map(move |a| (a, b)));
        rows.iter().map(|row| row[RANK]).sum::<f64>() + pairs.map(|(a, b)| product(&rows[a], &rows[b])).sum::<f64>()
    }

    fn with_others<T>(sides: &mut [Side], own: usize, work: impl FnOnce(&mut Side, &[&DrawnRows]) -> T) -> T {
        let mut side = sides[own].clone();
        let others: Vec<Side> =
            sides.iter().enumerate().filter(|(at, _)| *at != own).map(|(_, side)| side.clone()).collect();
        let result = work(&mut side, &others.iter().map(|other| &other.whole).collect::<Vec<_>>());
        sides[own] = side;
        result
    }

    #[test]
    fn squares_are_those_of_the_scores() {
        let columns = columns();
        let targets: Vec<f32> = (0..columns[0].len()).map(|at| (at as f32 * 0.7).sin()).collect();
        let mut sides = sides(&columns, &targets, "start");
        let expected: f64 = (0..targets.len())
            .map(|at| (f64::from(targets[at]) - score(&sides, [0, 1, 2].map(|field| columns[field][at]))).powi(2))
            .sum();
        for field in 0..2 {
            let found = with_others(&mut sides, field, |side, others| side.squares(others));
            assert!((found - expected).abs() < 1e-4 * expected, "{found}, {expected}");
        }
    }

    /// What the interactions of a row say changes the score of none by more than they say: along any change of the row, −2 ln of their
    /// density is the sum of the squares.
    #[test]
    fn evidence_is_the_square_of_what_is_left() {
        let columns = columns();
        let targets: Vec<f32> = (0..columns[0].len()).map(|at| (at as f32 * 0.7).sin()).collect();
        let mut sides = sides(&columns, &targets, "start");
        for field in 0..3 {
            let squares = |sides: &mut [Side]| with_others(sides, field, |side, others| side.squares(others));
            let mut work = Work::new(1);
            with_others(&mut sides, field, |side, others| side.gather(1, others, &mut work));
            mirror(&mut work.evidence.matrix, 1);
            let before = squares(&mut sides);
            let (old, new) = (sides[field].whole.row(1).to_vec(), random_rows("other", 1, RANK + 1).values);
            sides[field].whole.values[1] = new[0];
            let energy = |x: &[Lane]| {
                let mut evidence = work.evidence.clone();
                take_away(&mut evidence, 0.5, x);
                let product = cast_slice::<_, f32>(x).iter().zip(cast_slice::<_, f32>(&evidence.right));
                -2.0 * product.map(|(x, rest)| f64::from(*x) * f64::from(*rest)).sum::<f64>()
            };
            let (found, expected) = (energy(&new) - energy(&old), squares(&mut sides) - before);
            assert!((found - expected).abs() < 1e-4 * before, "{field}: {found}, {expected}");
            sides[field].whole.values[1] = old[0];
        }
    }

    #[test]
    fn without_noise_draws_explain_what_was_planted() {
        let columns = columns();
        let planted = sides(&columns, &vec![0.0; columns[0].len()], "planted");
        let targets: Vec<f32> =
            (0..columns[0].len()).map(|at| score(&planted, [0, 1, 2].map(|field| columns[field][at])) as f32).collect();
        let mut sides = sides(&columns, &targets, "start");
        for sweep in 0..400 {
            for field in 0..3 {
                let stream = |name: &str| random::stream(7, &format!("{name}/{field}/{sweep}"));
                let streams = Streams { serial: stream("serial"), of_rows: stream("rows") };
                with_others(&mut sides, field, |side, others| side.draw(others, 1e4, streams));
            }
        }
        // The noise of 120 targets with the precision 10⁴ would have squares of 0.012.
        let left = with_others(&mut sides, 0, |side, others| side.squares(others));
        assert!(left < 0.02, "{left}");
        // Every row is still the sum of its parts.
        let before = sides[1].whole.values.clone();
        sides[1].add_up();
        assert_eq!(before, sides[1].whole.values);
    }

    #[test]
    fn rows_with_many_interactions_are_added_up_in_pieces() {
        let count = 3 * MOST_AT_ONCE + 5;
        let columns = [vec![0; count], (0..count as u32).map(|at| at % 5).collect()];
        let targets: Vec<f32> = (0..count).map(|at| (at as f32 * 0.7).sin()).collect();
        let columns: Vec<&[u32]> = columns.iter().map(|column| &column[..]).collect();
        let side = |field: usize, count: usize| {
            let own = random_rows(&field.to_string(), count, RANK + 1);
            let met = Met::new(count, field, &columns, &targets);
            Side { whole: own.clone(), own: Some(own), members: Vec::new(), rank: RANK, met }
        };
        let (users, items) = (side(0, 1), side(1, 5));
        let (mut whole, mut pieces) = (Work::new(1), Work::new(1));
        users.gather_some(0..count, &[&items.whole], &mut whole);
        users.gather(0, &[&items.whole], &mut pieces);
        let [whole, pieces] = [&whole, &pieces].map(|work| cast_slice::<_, f32>(&work.evidence.matrix).to_vec());
        assert_eq!(pieces[RANK * Lane::WIDTH + RANK], count as f32);
        whole.iter().zip(&pieces).for_each(|(a, b)| assert!((a - b).abs() <= 1e-4 * a.abs(), "{a}, {b}"));
    }
}
