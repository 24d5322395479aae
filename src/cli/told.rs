//! A new user on the command line.

use clap::Args;

use super::output;
use super::run::OpenRun;
use crate::data::split::NewRows;
use crate::data::{Entity, Interactions, USER, Vocabulary};
use crate::error::{Error, Result};
use crate::solver::Predictions;

/// What is told of a new user.
#[derive(Debug, Args)]
pub struct Told {
    /// A rating of a new user, whom the model takes in: the id or title of an item and a rating, as in "Toy Story
    /// (1995)=5". A model of events takes the item alone.
    #[arg(long, value_name = "ITEM=RATING")]
    pub rating: Vec<String>,
    /// What else a rating depends on, for a model that reads it: NAME=ID.
    #[arg(long, value_name = "NAME=ID")]
    pub context: Vec<String>,
}

impl Told {
    /// The new user.
    ///
    /// # Errors
    /// [`Error::Usage`] for an unknown item, and for what is no rating of this model.
    pub fn user(&self, open: &mut OpenRun) -> Result<NewRows> {
        let context = open.context(&self.context)?;
        let file = &open.file;
        let mut given = Interactions::of_fields(file.fields.len());
        for rating in &self.rating {
            let with_value = rating.rsplit_once('=');
            let with_value = with_value.and_then(|(item, value)| Some((item, value.trim().parse::<f32>().ok()?)));
            let wrong = |cause: &str| Error::Usage(format!("--rating {rating:?}: {cause}"));
            let (name, value) = match with_value {
                Some((item, value)) => (item, value),
                None if file.predictions == Predictions::Targets => {
                    return Err(wrong(&format!("write it as ITEM=RATING, such as \"{rating}=4\"")));
                }
                None => (rating.as_str(), 1.0),
            };
            if !value.is_finite() {
                return Err(wrong("this is no number to rate with"));
            }
            if let Some(reason) = file.predictor.objective.refuses(value) {
                return Err(wrong(reason));
            }
            if let Some((low, high)) = file.predictor.clip.filter(|&(low, high)| value < low || value > high) {
                output::message(&format!("warning: {rating}: the model was trained on ratings from {low} to {high}"));
            }
            let row = [0, open.item(name.trim())?].into_iter().chain(context.iter().copied());
            given.columns.iter_mut().zip(row).for_each(|(column, index)| column.push(index));
            given.targets.push(value);
        }
        let name = &file.entity(USER).name;
        let entity = Entity { ids: Vocabulary::from_ids(["new"]), ..Entity::new(name) };
        Ok(NewRows { entity, given, ..NewRows::default() })
    }
}
