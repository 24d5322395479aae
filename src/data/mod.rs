//! What models are trained on: ratings, their vocabularies, where they come from and how they are divided.

mod bag;
pub mod batch;
mod candidate_list;
pub mod catalog;
pub mod context;
mod core;
mod entity;
mod features;
mod interactions;
mod layout;
mod normal_form;
mod purchases;
pub mod read;
mod source;
pub mod split;
pub(crate) mod statistics;
pub mod synthetic;
mod times;
pub mod unseen;
mod values;
mod vocabulary;

pub use bag::Bag;
pub use candidate_list::CandidateList;
pub use context::{CellForm, Context};
pub use entity::{
    BagFrame, BagId, Entity, EntityFrame, Field, FieldId, Frame, HISTORY, ITEM, PAIR, Role, UNKNOWN, USER, has_roles,
    pair_fields,
};
pub use features::Features;

pub use interactions::Interactions;
pub use layout::{Layout, class_of};
pub use purchases::{CellValue, Habits, Purchases};
pub use source::Source;
pub(crate) use times::moment;
pub use vocabulary::Vocabulary;

/// Everything that was read for one run, before it is divided into training, validation and test.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// All interactions, in file order, test files after training files.
    pub interactions: Interactions,
    /// What the fields index. Bags may use further entities.
    pub entities: Vec<Entity>,
    /// The columns of the interactions. The first two are the rows and columns of the data as a matrix: users and
    /// items, if it has them.
    pub fields: Vec<Field>,
    /// Where ready-made test interactions begin; `None` without a test file.
    pub test_start: Option<usize>,
    /// SHA-256 (hexadecimal) of the data read (see [`read`]), or of the recipe of synthetic data.
    pub fingerprint: String,
    /// For planted data, the error of the model that generated it (its noise), which no model can beat.
    pub reachable_error: Option<f64>,
    /// What the rows and columns are.
    pub layout: Layout,
    /// The lines of orders that the interactions were counted from, if they were; users are customers, items products.
    pub purchases: Option<Purchases>,
    /// Things the user should know about: duplicates merged, titles missing.
    pub notes: Vec<String>,
}

impl Default for Dataset {
    /// Users and items without interactions.
    fn default() -> Self {
        Self {
            interactions: Interactions::default(),
            entities: ["user", "item"].map(Entity::new).into(),
            fields: pair_fields(),
            test_start: None,
            fingerprint: String::new(),
            reachable_error: None,
            layout: Layout::default(),
            purchases: None,
            notes: Vec::new(),
        }
    }
}

impl Dataset {
    /// The entity that a field indexes.
    pub fn entity(&self, field: FieldId) -> &Entity {
        &self.entities[self.fields[field.0].entity]
    }

    /// Ids of the first field: the users, if there are any.
    pub fn users(&self) -> &Vocabulary {
        &self.entity(USER).ids
    }

    /// Ids of the second field: the items, if there are any.
    pub fn items(&self) -> &Vocabulary {
        &self.entity(ITEM).ids
    }

    /// The lines of orders, told by the ids of other data or of a model: users and items of `entities`, which `fields` index.
    pub fn purchases_among(&self, entities: &[Entity], fields: &[Field]) -> Option<Purchases> {
        let new = [USER, ITEM].map(|field| &entities[fields[field.0].entity].ids);
        self.purchases.clone().map(|purchases| purchases.renumbered([self.users(), self.items()], new))
    }

    /// Adds a field, with an entity of its own, for each of these names that is missing.
    pub fn add_fields(&mut self, names: &[String]) {
        for name in names {
            if !self.fields.iter().any(|field| field.name == *name) {
                self.fields.push(Field::new(name, self.entities.len()));
                self.entities.push(Entity::new(name));
                self.interactions.columns.push(vec![UNKNOWN; self.interactions.len()]);
            }
        }
    }

    /// Both sides of a matrix of users and items, to be filled.
    pub(crate) fn pair_mut(&mut self) -> PairMut<'_> {
        let [users, items, ..] = &mut self.entities[..] else { unreachable!("readers begin with users and items") };
        PairMut {
            interactions: &mut self.interactions,
            users: &mut users.ids,
            items: &mut items.ids,
            notes: &mut self.notes,
        }
    }
}

/// A matrix of users and items that is being read.
pub(crate) struct PairMut<'a> {
    pub interactions: &'a mut Interactions,
    pub users: &'a mut Vocabulary,
    pub items: &'a mut Vocabulary,
    pub notes: &'a mut Vec<String>,
}
