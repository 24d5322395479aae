//! A program with its own model: a tensor of ratings as a sum of products over all of its columns, user, item and context
//! (CANDECOMP/PARAFAC: Carroll & Chang 1970, Harshman 1970), r̂ = μ + Σ_f b_f + Σ_k Π_f v_fk.
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
struct TensorFactorization {
    /// v_f: `[rows of f, rank]`, in the order of the fields.
    factors: Vec<Table>,
    /// b_f: `[rows of f, 1]`.
    biases: Vec<Table>,
    /// μ, frozen.
    global_mean: Param<Tensor<1>>,
}

impl Factorization for TensorFactorization {
    fn forward(&self, batch: &Batch) -> Tensor<1> {
        let rows = |tables: &[Table]| -> Vec<Tensor<2>> {
            tables.iter().enumerate().map(|(at, table)| table.gather(batch, FieldId(at))).collect() // each [batch, width]
        };
        let product = rows(&self.factors).into_iter().reduce(|a, b| a * b).expect("two fields at least").sum_dim(1); // [batch, 1]
        let score = rows(&self.biases).into_iter().fold(product, |sum, bias| sum + bias);
        self.global_mean.val() + score.squeeze_dim(1) // [batch]
    }

    fn tables(&self) -> Vec<&Table> {
        self.factors.iter().chain(&self.biases).collect()
    }
}

impl ModelPart for TensorFactorization {
    const NAME: &'static str = "tensor-factorization";
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
    lowrank::cli::main(Parts::built_in().model::<TensorFactorization>())
}
