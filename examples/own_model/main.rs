//! A program with its own model: a factorization machine over all columns of a rating (Rendle 2010),
//! r̂ = μ + Σ_f b_f + Σ_(f<g) v_fᵀ v_g.
//! `cargo run --release --example own_model -- train examples/own_model/own_model.toml`

use lowrank::burn::module::{Module, Param};
use lowrank::burn::tensor::Tensor;
use lowrank::config::{Keys, Values};
use lowrank::data::FieldId;
use lowrank::data::batch::Batch;
use lowrank::error::Result;
use lowrank::model::{Declaration, FactorInit, Factorization, ModelPart, Start, Table, rank_key};
use lowrank::{Parts, burn};

#[derive(Module, Debug)]
struct FactorizationMachine {
    /// v_f: `[rows of f, rank]`, in the order of the fields.
    factors: Vec<Table>,
    /// b_f: `[rows of f, 1]`.
    biases: Vec<Table>,
    /// μ, frozen.
    global_mean: Param<Tensor<1>>,
}

impl Factorization for FactorizationMachine {
    fn forward(&self, batch: &Batch) -> Tensor<1> {
        let gather = |(at, table): (usize, &Table)| table.gather(batch, FieldId(at));
        let sum = |terms: Vec<Tensor<2>>| terms.into_iter().reduce(|a, b| a + b).expect("two fields at least");
        let rows: Vec<Tensor<2>> = self.factors.iter().enumerate().map(gather).collect(); // each [batch, rank]
        let squares = sum(rows.iter().map(|row| row.clone() * row.clone()).collect());
        let whole = sum(rows);
        let pairs = (whole.clone() * whole - squares).sum_dim(1) * 0.5; // [batch, 1]
        let biases = sum(self.biases.iter().enumerate().map(gather).collect());
        self.global_mean.val() + (pairs + biases).squeeze_dim(1) // [batch]
    }

    fn tables(&self) -> Vec<&Table> {
        self.factors.iter().chain(&self.biases).collect()
    }
}

impl ModelPart for FactorizationMachine {
    const NAME: &'static str = "factorization-machine";
    const DECLARATION: Declaration = Declaration { has_biases: true, uses_context: true, ..Declaration::NONE };

    fn keys() -> Keys {
        Keys::new([rank_key()]).and(FactorInit::keys())
    }

    fn init(values: &Values, start: &Start) -> Result<Self> {
        let fields: Vec<FieldId> = start.frame.ids().collect();
        let tables = start.tables(&fields, values.get("model.rank"), FactorInit::of(values));
        let (factors, biases) = tables.into_iter().unzip();
        Ok(Self { factors, biases, global_mean: start.offset() })
    }
}

fn main() -> std::process::ExitCode {
    lowrank::cli::main(Parts::built_in().model::<FactorizationMachine>())
}
