//! New customers in the segments of a run, by their purchases.

use burn::tensor::Device;

use super::space::CustomerSpace;
use super::{SPACE, taste};
use crate::data::split::NewRows;
use crate::data::{Dataset, Habits, Role};
use crate::error::{Error, Result};
use crate::linalg::k_means::Points;
use crate::run::directory::RunDirectory;
use crate::run::model_file::ModelFile;
use crate::run::parts::Parts;

/// A customer in a segment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Assigned {
    /// The id.
    pub customer: String,
    /// The segment, from 0.
    pub segment: u32,
    /// Recency as seen from the newest order there is, in training or in these purchases.
    pub habits: Habits,
}

/// Puts the customers of `dataset` in the segments of a run: by all of their purchases there, as if the run did not know them.
///
/// # Errors
/// [`Error::Usage`] if the run has no segments or the data are no purchases; those of taking in new users.
pub(crate) fn assign(
    directory: &RunDirectory,
    file: &ModelFile,
    dataset: &Dataset,
    device: &Device,
    parts: &Parts,
) -> Result<Vec<Assigned>> {
    let path = directory.path().join(SPACE);
    if !path.is_file() {
        return Err(Error::Usage(format!(
            "{}: this run has no segments; train with data.format = \"purchases\"",
            directory.path().display()
        )));
    }
    let mut space = CustomerSpace::read(&path)?;
    let new = NewRows::of(dataset, Role::User, |_| true, (&file.entities, &file.fields), 1.0, 0)?;
    if new.entity.ids.is_empty() {
        return Err(Error::Usage(
            "none of these customers bought a product that the model knows; are these purchases of the same shop?"
                .into(),
        ));
    }
    let folded = if space.has_taste() { file.of_new(Role::User, &new, device, parts)? } else { file.clone() };
    let entities: Vec<_> = file
        .entities
        .iter()
        .enumerate()
        .map(
            |(at, entity)| {
                if at == file.fields[Role::User.field().0].entity { new.entity.clone() } else { entity.clone() }
            },
        )
        .collect();
    let Some(purchases) = dataset.purchases_among(&entities, &file.fields) else {
        return Err(Error::Usage("segments are told by purchases, and these data are none".into()));
    };
    space.today = purchases.newest().map_or(space.today, |newest| newest.max(space.today));
    let habits = purchases.habits(new.entity.ids.len(), space.today);
    let who: Vec<u32> = (0..habits.len() as u32).filter(|&customer| habits[customer as usize].is_some()).collect();
    let own: Vec<Habits> = habits.iter().flatten().copied().collect();
    let (tastes, rank) = if space.has_taste() { taste(&folded, true)? } else { (vec![0.0; habits.len()], 1) };
    let tastes = Points::new(&tastes, rank).taken(&who);
    let points = space.points(&own, Points::new(&tastes, rank))?;
    let nearest = space.centres().nearest(Points::new(&points, space.width()));
    let assigned = who.iter().zip(own).zip(nearest).map(|((&customer, habits), (segment, _))| Assigned {
        customer: new.entity.ids.id(customer as usize).to_owned(),
        segment,
        habits,
    });
    Ok(assigned.collect())
}
