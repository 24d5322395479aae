//! Models whose score is μ + b_u + b_i + p_uᵀ q_i, as plain numbers: for solvers that keep parameters in their own
//! layout while they work.

use std::collections::HashMap;

use burn::module::ParamId;
use burn::tensor::{Tensor, TensorData};

use super::regularization::Regularization;
use crate::data::{FieldId, Interactions, Role};
use crate::error::{Error, Result};
use crate::model::{AnyModel, Constraint, Table, TableGroup, TableKind, Term, Visited};

/// The parameters of these models.
#[derive(Debug, Clone)]
pub(super) struct DotProduct {
    /// μ.
    pub offset: f32,
    /// Numbers in p_u and q_i.
    pub rank: usize,
    /// Whether no parameter may be below zero.
    pub non_negative: bool,
    /// P and b_u.
    pub users: SideTables,
    /// Q and b_i.
    pub items: SideTables,
    /// The role of each parameter of the model.
    pub places: ParameterRoles,
}

/// Parameters of all users, or of all items.
#[derive(Debug, Clone)]
pub(super) struct SideTables {
    /// The field that indexes them.
    pub field: FieldId,
    /// Number of rows.
    pub num_rows: usize,
    /// `[num_rows, rank]`, row by row.
    pub factors: Vec<f32>,
    /// `[num_rows]`, if the model has these biases.
    pub biases: Option<Vec<f32>>,
    /// λ group of the factors; that of the biases has the same entity.
    pub group: TableGroup,
}

impl SideTables {
    fn of(term: &Term) -> Self {
        let [num_rows, _] = term.factors.rows.dims();
        let group = term.factors.group().clone();
        Self {
            field: term.field,
            num_rows,
            factors: term.factors.numbers(),
            biases: term.biases.map(Table::numbers),
            group,
        }
    }

    /// The λ group of factors or biases.
    pub fn group(&self, kind: TableKind) -> TableGroup {
        TableGroup { kind, ..self.group.clone() }
    }

    /// λ of factors or biases.
    pub fn lambda(&self, regularization: &Regularization, kind: TableKind) -> f32 {
        regularization.of(&self.group(kind)) as f32
    }
}

impl DotProduct {
    /// Reads `model` for the solver named `solver` in configs.
    ///
    /// # Errors
    /// [`Error::Usage`] if its score is something else.
    pub fn read(model: &AnyModel, solver: &str) -> Result<Self> {
        let unfit = |what: &str| {
            Err(Error::Usage(format!(
                "the {solver} solver supports only models whose score is a dot product of two factors plus biases, but \
                 this {what}; use adam, sgd or adagrad"
            )))
        };
        let Some(factored) = model.factored() else { return unfit("one's is something else") };
        let [user, item] = &factored.terms[..] else { return unfit("one's is a sum of several dot products") };
        if user.factors.rows.id == item.factors.rows.id {
            return unfit("one has the same table on both sides");
        }
        let mut places = HashMap::new();
        for (role, term) in [(Role::User, user), (Role::Item, item)] {
            places.insert(term.factors.rows.id, (role, TableKind::Factors));
            places.extend(term.biases.map(|biases| (biases.rows.id, (role, TableKind::Biases))));
        }
        Ok(Self {
            offset: factored.offset,
            rank: user.factors.rows.dims()[1],
            non_negative: model.constraint() == Constraint::NonNegative,
            users: SideTables::of(user),
            items: SideTables::of(item),
            places: ParameterRoles(places),
        })
    }

    /// Indices of the users and of the items of `train`.
    pub fn columns<'t>(&self, train: &'t Interactions) -> [&'t [u32]; 2] {
        [train.column(self.users.field), train.column(self.items.field)]
    }
}

/// The roles of the parameters of a model in a dot product.
#[derive(Debug, Clone, Default)]
pub(super) struct ParameterRoles(HashMap<ParamId, (Role, TableKind)>);

impl ParameterRoles {
    /// `model` with these values of every table, row by row.
    pub fn write(&self, model: AnyModel, values: impl Fn(Role, TableKind) -> Vec<f32>) -> AnyModel {
        model.map(None, &mut |Visited { id, rows, .. }| match self.0.get(&id) {
            None => rows,
            Some(&(role, kind)) => Tensor::from_data(TensorData::new(values(role, kind), rows.dims()), &rows.device()),
        })
    }
}
