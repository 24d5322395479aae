//! Why a user gets an item: what biases and factors add to the score, and what each item does that the user rated.

use burn::tensor::Device;

use super::model_file::ModelFile;
use super::parts::Parts;
use crate::data::split::NewRows;
use crate::data::{Entity, FieldId, ITEM, Interactions, Role, USER, Vocabulary};
use crate::device::to_vec;
use crate::error::{Error, Result};
use crate::eval::Queries;
use crate::model::{Table, TableKind, Term, Use};
use crate::solver::Setup;

/// Rated items without which a model is asked once more; if there are more, those most like the explained one.
const MOST_WITHOUT: usize = 200;

/// How the parts of a score were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attribution {
    /// They add up to the part of the user.
    Exact,
    /// Each is by how much the score falls if the model is not told of the rating.
    LeaveOneOut,
}

/// A part of a score: its name and value.
pub type NamedTerm = (&'static str, f64);
/// A factor, counted from 0, and what it adds.
pub type FactorTerm = (usize, f64);

/// The score of an item for a user, in its parts.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The score, of the user as found from the ratings alone.
    pub score: f32,
    /// The mean, the biases and the dot product of a model that has nothing else: name and value.
    pub terms: Vec<NamedTerm>,
    /// What each factor adds: factor and value, the largest magnitude first.
    pub factors: Vec<FactorTerm>,
    /// What each value of the item's features adds, as part of the item's bias and factors: feature, value and what it adds,
    /// the largest magnitude first.
    pub features: Vec<(String, String, f64)>,
    /// What each rated item adds: item, rating and value, the largest value first.
    pub items: Vec<(u32, f32, f64)>,
    /// How the last were found.
    pub attribution: Attribution,
}

/// Explains the score of `item` for the single user of `user`. `likeness` says how much a rated item is like another.
///
/// # Errors
/// Those of [`ModelFile::of_new`]; [`Error::Usage`] for a user without a rating of an item that the model knows.
pub fn explain(
    file: &ModelFile,
    user: &NewRows,
    item: u32,
    device: &Device,
    parts: &Parts,
    likeness: impl Fn(u32, u32) -> f64,
) -> Result<Explanation> {
    let given = &user.given;
    if given.is_empty() {
        return Err(Error::Usage("the user rated no item that the model knows".into()));
    }
    let folded = file.of_new(Role::User, user, device, parts)?;
    let score = scores(&folded, given, item, device)[0];
    let (terms, factors) = terms(&folded, item);
    let features = of_features(file, &folded, item);
    let has_own_solvers = file.kind.declaration.has_own_solvers();
    let linear = match parts.find_solver(&file.solver) {
        Some(solver) if !has_own_solvers => {
            let setup = Setup { objective: file.predictor.objective.clone(), seed: 0, device };
            solver.linear(&file.settled, &setup, Role::User, &folded.model)?
        }
        _ => None,
    };
    let exact = linear.map(|linear| linear.contributions(&folded.model, given, item)).transpose()?.flatten();
    let rated = |at: usize| (given.column(ITEM)[at], given.targets[at]);
    let (mut items, attribution): (Vec<(u32, f32, f64)>, _) = match exact {
        Some(values) => {
            let items = values.into_iter().enumerate().map(|(at, value)| (rated(at).0, rated(at).1, value)).collect();
            (items, Attribution::Exact)
        }
        // Where the score is a sum over what was met, each item alone has its own term.
        None if !file.kind.declaration.histories.is_empty() && has_own_solvers => {
            let each: Vec<usize> = (0..given.len()).collect();
            let alone = file.of_new(Role::User, &told(user, &each, |at, row| at == row), device, parts)?;
            let value = |(at, value): (usize, f32)| (rated(at).0, rated(at).1, f64::from(value));
            let items = scores(&alone, given, item, device).into_iter().enumerate().map(value).collect();
            (items, Attribution::Exact)
        }
        None => {
            let mut left_out: Vec<usize> = (0..given.len()).collect();
            let like = |at: &usize| likeness(rated(*at).0, item);
            left_out.sort_by(|one, other| like(other).total_cmp(&like(one)).then(one.cmp(other)));
            left_out.truncate(MOST_WITHOUT);
            let all = file.of_new(Role::User, &told(user, &left_out, |at, without| at != without), device, parts)?;
            let value =
                |(&at, without): (&usize, f32)| (rated(at).0, rated(at).1, f64::from(score) - f64::from(without));
            let items = left_out.iter().zip(scores(&all, given, item, device)).map(value).collect();
            (items, Attribution::LeaveOneOut)
        }
    };
    items.sort_by(|one, other| other.2.total_cmp(&one.2).then(one.0.cmp(&other.0)));
    Ok(Explanation { score, terms, factors, features, items, attribution })
}

/// The scores of an item for all users of a model of new ones, in the context of the first interaction given.
fn scores(file: &ModelFile, given: &Interactions, item: u32, device: &Device) -> Vec<f32> {
    let count = file.users().len();
    let columns = given.columns.iter().enumerate().map(|(field, column)| match FieldId(field) {
        USER => (0..count as u32).collect(),
        _ => vec![column[0]; count],
    });
    let queries = Queries { columns: columns.collect(), field: ITEM, num_rows: file.items().len(), bags: &file.bags };
    queries.map(&file.model, device, |_, scores| scores[item as usize])
}

/// The same user once for each of the interactions `about`, told of those that `keeps` holds for, given one of them and that.
fn told(user: &NewRows, about: &[usize], keeps: impl Fn(usize, usize) -> bool) -> NewRows {
    let given = &user.given;
    let mut kept: Vec<(usize, u32)> = Vec::new();
    for (row, &about) in (0..).zip(about) {
        kept.extend((0..given.len()).filter(|&at| keeps(at, about)).map(|at| (at, row)));
    }
    let column = |(field, column): (usize, &Vec<u32>)| {
        kept.iter().map(|&(at, row)| if field == USER.0 { row } else { column[at] }).collect()
    };
    let columns = given.columns.iter().enumerate().map(column).collect();
    let targets = kept.iter().map(|&(at, _)| given.targets[at]).collect();
    let ids = Vocabulary::numbered(about.len());
    let entity = Entity { ids, ..Entity::new(&user.entity.name) };
    NewRows { entity, given: Interactions { columns, targets, ..Interactions::of_fields(0) }, ..NewRows::default() }
}

/// What each value of the item's features adds to the score of the first user of `folded`, if that is a sum of dot products
/// and biases: w (b_v + ⟨p_u, e_v⟩).
fn of_features(file: &ModelFile, folded: &ModelFile, item: u32) -> Vec<(String, String, f64)> {
    let (Some(factored), Some(apart)) = (folded.model.factored(), &file.by_features) else { return Vec::new() };
    let Some(user) = factored.terms.iter().find(|term| term.field == USER) else { return Vec::new() };
    let user = to_vec(user.factors.rows.val().narrow(0, 0, 1));
    let mut found: Vec<(String, String, f64)> = Vec::new();
    for table in apart.tables() {
        let [Use::Bag(ITEM, bag)] = table.uses()[..] else { continue };
        let bag = &file.bags[bag.0];
        let values = &file.entities[bag.frame.of].ids;
        let (members, weights) = bag.of_row(item);
        for (at, &member) in members.iter().enumerate() {
            let row = to_vec(table.rows.val().narrow(0, member as usize, 1));
            let product: f64 = match table.group().kind {
                TableKind::Factors => user.iter().zip(&row).map(|(&p, &e)| f64::from(p) * f64::from(e)).sum(),
                TableKind::Biases => f64::from(row[0]),
            };
            let adds = product * weights.map_or(1.0, |weights| f64::from(weights[at]));
            let (feature, value) = (bag.frame.name.clone(), values.id(member as usize).to_string());
            match found.iter_mut().find(|(own, other, _)| (own, other) == (&feature, &value)) {
                Some((.., sum)) => *sum += adds,
                None => found.push((feature, value, adds)),
            }
        }
    }
    found.sort_by(|one, other| other.2.abs().total_cmp(&one.2.abs()));
    found
}

/// The terms of the score of the first user and an item, and what each factor adds, if it is a sum of these.
fn terms(file: &ModelFile, item: u32) -> (Vec<NamedTerm>, Vec<FactorTerm>) {
    let Some(factored) = file.model.factored() else { return Default::default() };
    let [user, other] = &factored.terms[..] else { return Default::default() };
    let row = |table: &Table, at: usize| -> Vec<f32> { to_vec(table.rows.val().narrow(0, at, 1)) };
    let bias = |term: &Term, at: usize| term.biases.map(|biases| f64::from(row(biases, at)[0]));
    let products: Vec<f64> = row(user.factors, 0)
        .iter()
        .zip(row(other.factors, item as usize))
        .map(|(&p, q)| f64::from(p) * f64::from(q))
        .collect();
    let mut terms = Vec::new();
    if factored.offset != 0.0 {
        terms.push(("mean", f64::from(factored.offset)));
    }
    terms.extend(bias(user, 0).map(|bias| ("user", bias)));
    terms.extend(bias(other, item as usize).map(|bias| ("item", bias)));
    terms.push(("factors", products.iter().sum()));
    let mut factors: Vec<FactorTerm> = products.into_iter().enumerate().collect();
    factors.sort_by(|one, other| other.1.abs().total_cmp(&one.1.abs()).then(one.0.cmp(&other.0)));
    (terms, factors)
}
