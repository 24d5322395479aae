//! What describes an interaction beside user and item: columns of the file that hold more than one value a cell, and columns made of
//! the time.
//!
//! A cell with several values, or with a number, is a row whose features these are (see [`Bag`](super::Bag)) and that has no
//! parameters of its own; every other column has a row a value.

mod form;
mod keys;
mod moment;
mod understand;

pub use form::CellForm;
pub(crate) use form::{Bins, JOINT, Scale, WEIGHT, parts, share};
pub use keys::Context;
pub use understand::{at_moment, members_of, typed, understand_as};
