//! Models whose score is μ + b_u + b_i + p_uᵀ q_i, as plain numbers: for solvers that keep parameters in a layout of
//! their own while they work.

use std::collections::BTreeMap;

use burn::module::{ModuleMapper, Param, ParamId};
use burn::tensor::{Tensor, TensorData};

use crate::device::to_vec;
use crate::error::{Error, Result};
use crate::model::{Constraint, Factorization, Group, Table};

/// Everything of such a model.
#[derive(Debug, Clone)]
pub(super) struct DotProduct {
    /// μ.
    pub offset: f32,
    /// Numbers in p_u and q_i.
    pub rank: usize,
    /// Whether no parameter may be below zero.
    pub non_negative: bool,
    /// P and b_u.
    pub users: Tables,
    /// Q and b_i.
    pub items: Tables,
}

/// Parameters of all users, or of all items.
#[derive(Debug, Clone)]
pub(super) struct Tables {
    /// Number of rows.
    pub num_rows: usize,
    /// `[num_rows, rank]`, row by row.
    pub factors: Vec<f32>,
    /// `[num_rows]`, where the model has such biases.
    pub biases: Option<Vec<f32>>,
}

impl DotProduct {
    /// Reads `model` for the solver that configs call `solver`.
    ///
    /// # Errors
    /// [`Error::Usage`] where its score is something else.
    pub fn read<M: Factorization>(model: &M, solver: &str) -> Result<Self> {
        let unfit = || {
            Error::Usage(format!(
                "the {solver} solver is for models whose score is a dot product plus biases (mf, biased-mf, nmf); \
                 use adam, sgd or adagrad for others"
            ))
        };
        let offset = model.dot_product().ok_or_else(unfit)?;
        let tables = model.tables();
        let table = |group: Group| tables.iter().copied().find(|table| table.group() == group);
        let values = |table: &Table| to_vec(table.rows.val().inner());
        let side = |factors: Group, biases: Group| {
            let factors = table(factors).ok_or_else(unfit)?;
            let [num_rows, _] = factors.rows.dims();
            Ok(Tables { num_rows, factors: values(factors), biases: table(biases).map(values) })
        };
        let users = side(Group::USER_FACTORS, Group::USER_BIASES)?;
        let items = side(Group::ITEM_FACTORS, Group::ITEM_BIASES)?;
        let [_, rank] = table(Group::USER_FACTORS).ok_or_else(unfit)?.rows.dims();
        let non_negative = model.constraint() == Constraint::NonNegative;
        Ok(Self { offset, rank, non_negative, users, items })
    }
}

/// `model` with the values of every table, row by row.
pub(super) fn write<M: Factorization>(model: M, values: impl Fn(Group) -> Vec<f32>) -> M {
    let tables = model.tables().into_iter().map(|table| (table.rows.id, values(table.group()))).collect();
    model.map(&mut Writer { tables })
}

/// Gives tables new values.
struct Writer {
    tables: BTreeMap<ParamId, Vec<f32>>,
}

impl ModuleMapper for Writer {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(values) = self.tables.remove(&param.id) else { return param };
        let is_trained = param.is_require_grad();
        let (id, tensor, mapper) = param.consume();
        let device = tensor.device();
        let tensor = Tensor::from_data(TensorData::new(values, tensor.dims()), &device);
        Param::from_mapped_value(id, tensor.set_require_grad(is_trained), mapper)
    }
}
