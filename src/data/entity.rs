//! Entities, whose rows parameters have rows for, and the columns of the data that index them.

use std::ops::Index;

use super::context::CellForm;
use super::vocabulary::Vocabulary;

/// A kind of thing: users, items, hours, words.
#[derive(Debug, Clone, Default)]
pub struct Entity {
    /// Its name in the singular, as in config keys: `user`.
    pub name: String,
    /// Their ids; the position of an id is its row.
    pub ids: Vocabulary,
    /// A title of each row, for people; `None` if there are none. Unknown titles are empty.
    pub titles: Option<Vec<String>>,
    /// How many rows, the first ones, training has interactions of. The others are known by their features alone. `None`
    /// for all.
    pub trained: Option<usize>,
}

impl Entity {
    /// An entity without rows.
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// The title of a row, if it has one.
    pub fn title(&self, row: usize) -> Option<&str> {
        self.titles.as_ref().map(|titles| titles[row].as_str()).filter(|title| !title.is_empty())
    }
}

/// The role of a column: the two sides of a recommendation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Who rates, and is recommended to.
    User,
    /// What is rated, and recommended.
    Item,
}

/// A column of the interactions: indices into one entity. Two fields may share an entity.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Field {
    /// Its name: `user`, `context_word`.
    pub name: String,
    /// The entity it indexes.
    pub entity: usize,
    /// Its role, if it has one. The user is the first field of all, the item the second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// What a cell of its column says, if it is more than the name of a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<CellForm>,
}

impl Field {
    /// A column without a role, that indexes the entity at this place.
    pub fn new(name: &str, entity: usize) -> Self {
        Self { name: name.into(), entity, role: None, form: None }
    }
}

/// The position of a field among all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldId(pub usize);

/// The first field: the user, or whatever the rows of the data's matrix are.
pub const USER: FieldId = FieldId(0);
/// The second field: the item, or whatever the columns of the data's matrix are.
pub const ITEM: FieldId = FieldId(1);
/// An index that no vocabulary has: the id was not seen in training.
pub const UNKNOWN: u32 = u32::MAX;

/// The position of a bag among all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BagId(pub usize);

/// The name of the bag of rated items: [`Bag::history`](super::Bag::history).
pub const HISTORY: &str = "history";

/// The two sides of a matrix.
pub const PAIR: [FieldId; 2] = [USER, ITEM];

/// Names and numbers of rows of all entities, and the fields that index them: what models and solvers know about the
/// data.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Frame {
    /// The entities.
    pub entities: Vec<EntityFrame>,
    /// The columns.
    pub fields: Vec<Field>,
    /// Name, owner and members' entity of each bag.
    pub bags: Vec<BagFrame>,
}

/// An entity without its ids; see [`Entity`].
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct EntityFrame {
    /// Its name.
    pub name: String,
    /// Number of its rows.
    pub rows: usize,
    /// See [`Entity::trained`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trained: Option<usize>,
    /// Whether rows have no parameters of their own, but only those of their features.
    #[serde(skip)]
    pub by_features_alone: bool,
}

impl EntityFrame {
    /// An entity all of whose rows are trained.
    pub fn new(name: &str, rows: usize) -> Self {
        Self { name: name.into(), rows, trained: None, by_features_alone: false }
    }

    /// How many rows, the first ones, training has interactions of.
    pub fn trained(&self) -> usize {
        self.trained.unwrap_or(self.rows).min(self.rows)
    }
}

/// A bag without its members; see [`Bag`](super::Bag).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct BagFrame {
    /// Its name: `history`.
    pub name: String,
    /// The entity whose rows each have one.
    pub owner: usize,
    /// The entity whose rows are in it.
    pub of: usize,
    /// Whether its members describe the owner, so that their vectors are added to the owner's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_feature: bool,
}

impl Frame {
    /// The frame of `users` users and `items` items only.
    pub fn pair(users: usize, items: usize) -> Self {
        let fields = pair_fields();
        let entities = vec![EntityFrame::new("user", users), EntityFrame::new("item", items)];
        Self { entities, fields, bags: Vec::new() }
    }

    /// The frame of these entities and fields.
    pub fn of(entities: &[Entity], fields: &[Field]) -> Self {
        let frame = |entity: &Entity| EntityFrame {
            trained: entity.trained,
            ..EntityFrame::new(&entity.name, entity.ids.len())
        };
        let entities = entities.iter().map(frame).collect();
        Self { entities, fields: fields.to_vec(), bags: Vec::new() }
    }

    /// Number of rows of the entity that a field indexes.
    pub fn rows(&self, field: FieldId) -> usize {
        self.entities[self[field].entity].rows
    }

    /// Name of the entity that a field indexes.
    pub fn entity(&self, field: FieldId) -> &str {
        &self.entities[self[field].entity].name
    }

    /// The field of this name.
    pub fn field(&self, name: &str) -> Option<FieldId> {
        self.fields.iter().position(|field| field.name == name).map(FieldId)
    }

    /// All fields.
    pub fn ids(&self) -> impl Iterator<Item = FieldId> + use<> {
        (0..self.fields.len()).map(FieldId)
    }

    /// The bag of this name that the rows of a field's entity have.
    pub fn bag(&self, field: FieldId, name: &str) -> Option<BagId> {
        let owner = self[field].entity;
        self.bags.iter().position(|bag| bag.name == name && bag.owner == owner).map(BagId)
    }

    /// Whether the first two fields are users and items.
    pub fn has_roles(&self) -> bool {
        has_roles(&self.fields)
    }
}

impl Index<FieldId> for Frame {
    type Output = Field;

    fn index(&self, field: FieldId) -> &Field {
        &self.fields[field.0]
    }
}

/// Whether the first two of these fields are users and items.
pub fn has_roles(fields: &[Field]) -> bool {
    let role = |at: usize| fields.get(at).and_then(|field| field.role);
    (role(0), role(1)) == (Some(Role::User), Some(Role::Item))
}

/// The fields of a matrix of users and items.
pub fn pair_fields() -> Vec<Field> {
    vec![
        Field { role: Some(Role::User), ..Field::new("user", 0) },
        Field { role: Some(Role::Item), ..Field::new("item", 1) },
    ]
}
