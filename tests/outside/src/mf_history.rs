//! A model of three fields whose users are also what they rated.

use lowrank::burn;
use lowrank::burn::module::{Module, Param};
use lowrank::burn::tensor::Tensor;
use lowrank::config::{Key, KeyKind, Keys, Values};
use lowrank::data::batch::Batch;
use lowrank::data::{BagId, FieldId, HISTORY, ITEM, USER};
use lowrank::error::{Error, Result};
use lowrank::model::{Declaration, FactorInit, Factorization, ModelPart, Start, Table, Use, dot, rank_key};

/// The first column of the context.
const CONTEXT: FieldId = FieldId(2);

/// r̂ = μ + b_u + b_i + b_c + ⟨p_u + h·Σ_{j ∈ N(u)} w_j q_j + v_c, q_i⟩: SVD++ (Koren 2008, eq. 15) with one table for
/// the items of both kinds, and a context.
#[derive(Module, Debug)]
pub struct HistoryMf {
    /// p: `[users, rank]`.
    user_factors: Table,
    /// q: `[items, rank]`, indexed by items and by the histories of users.
    item_factors: Table,
    /// v: `[rows of the context, rank]`.
    context_factors: Table,
    /// b: `[rows, 1]` of user, item and context.
    biases: Vec<Table>,
    /// μ, frozen.
    global_mean: Param<Tensor<1>>,
    /// h.
    #[module(skip)]
    history_weight: f32,
    /// N.
    #[module(skip)]
    history: usize,
}

impl Factorization for HistoryMf {
    fn forward(&self, batch: &Batch) -> Tensor<1> {
        let history = self.item_factors.gather_bag(batch, USER, BagId(self.history)) * self.history_weight;
        let users = self.user_factors.gather(batch, USER) + history; // [batch, rank]
        let whose = users + self.context_factors.gather(batch, CONTEXT); // [batch, rank]
        let score = dot(whose, self.item_factors.gather(batch, ITEM)); // [batch, 1]
        let fields = [USER, ITEM, CONTEXT].into_iter().zip(&self.biases);
        let score = fields.fold(score, |score, (field, biases)| score + biases.gather(batch, field));
        score.squeeze_dim(1) + self.global_mean.val() // [batch]
    }

    fn tables(&self) -> Vec<&Table> {
        [&self.user_factors, &self.item_factors, &self.context_factors].into_iter().chain(&self.biases).collect()
    }

    /// Without the context there is still a user and an item.
    fn can_score(&self, unknown: &[FieldId]) -> bool {
        unknown == [CONTEXT]
    }
}

impl ModelPart for HistoryMf {
    const NAME: &'static str = "mf-history";
    const DECLARATION: Declaration =
        Declaration { has_biases: true, uses_context: true, histories: &[(USER, ITEM)], ..Declaration::NONE };

    fn keys() -> Keys {
        let weight = "How much of a user is what the user rated.";
        let weight = Key::new("model.history_weight", KeyKind::NOT_NEGATIVE, weight).default("1.0");
        Keys::new([rank_key(), weight]).and(FactorInit::keys())
    }

    fn init(values: &Values, start: &Start) -> Result<Self> {
        if start.frame.fields.len() != 3 {
            return Err(Error::Usage("model.kind = \"mf-history\" needs one column in data.context".into()));
        }
        let history = start.frame.bag(USER, HISTORY).expect("the declaration asks for it");
        let (rank, init) = (values.get("model.rank"), FactorInit::of(values));
        Ok(Self {
            user_factors: start.factors("user_factors", USER, rank, init, false),
            item_factors: start.shared_factors(
                "item_factors",
                &[Use::Field(ITEM), Use::Bag(USER, history)],
                rank,
                init,
            ),
            context_factors: start.factors("context_factors", CONTEXT, rank, init, false),
            biases: [USER, ITEM, CONTEXT].map(|field| start.biases(field)).into(),
            global_mean: start.offset(),
            history_weight: values.get("model.history_weight"),
            history: history.0,
        })
    }
}
