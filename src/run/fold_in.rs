//! Users or items that training never saw, taken into a trained model: their rows are found, and nothing else changes.

use std::collections::HashMap;
use std::sync::Arc;

use burn::module::ParamId;
use burn::tensor::{Device, Tensor, TensorData};

use super::model_file::ModelFile;
use super::parts::Parts;
use crate::data::split::{NewRows, Split};
use crate::data::unseen::met_items;
use crate::data::{Bag, Entity, HISTORY, Interactions, Role, Vocabulary};
use crate::device::to_vec;
use crate::error::{Error, Result};
use crate::eval::{Evaluation, Evaluator, Predictor};
use crate::linalg::Groups;
use crate::model::{AnyModel, Table, Visited};
use crate::solver::{Setup, SolverPart, StepNumber, Stepped};

/// Interactions whose rows are found together, about: what gradients pass through the layers of a model for each of them
/// has to be in memory at once.
const BLOCK: usize = 1 << 17;

/// Seed of what is drawn while rows are found.
const SEED: u64 = 42;

impl ModelFile {
    /// A model of these new rows alone: it has them in place of its own users, or items, and is otherwise the same. A row
    /// without interactions becomes the mean of all that training found, or what the solver makes of nothing.
    ///
    /// # Errors
    /// [`Error::Usage`] for a model that cannot take them in; those of its solver.
    pub fn of_new(&self, role: Role, new: &NewRows, device: &Device, parts: &Parts) -> Result<Self> {
        let fold = FoldIn::new(self, role, device, parts)?;
        let count = new.entity.ids.len();
        let rows = fold.rows(&new.given, count)?;
        let mut entities = self.entities.clone();
        entities[fold.entity] = new.entity.clone();
        let bags = fold.with_histories(new.given.clone(), count).train.bags;
        let model = self.model.clone().map(None, &mut |Visited { id, rows: old, .. }| match rows.get(&id) {
            None => old,
            Some(values) => {
                let width = old.dims()[1];
                Tensor::from_data(TensorData::new(values.clone(), [count, width]), &old.device())
            }
        });
        let baseline = self.predictor.baseline.folded_in(role, count, &new.given);
        let predictor = Predictor { baseline, ..self.predictor.clone() };
        Ok(Self { model, by_features: None, entities, bags, predictor, ..self.clone() })
    }

    /// This model with the rows of `new`, which is [`of_new`](Self::of_new) of it, behind its own.
    pub fn with_new(&self, role: Role, new: &Self) -> Self {
        let field = role.field();
        let entity = self.fields[field.0].entity;
        let (own, added) = (&self.entities[entity], &new.entities[entity]);
        let titles = (own.titles.is_some() || added.titles.is_some()).then(|| {
            let of = |entity: &Entity| -> Vec<String> {
                entity.titles.clone().unwrap_or_else(|| vec![String::new(); entity.ids.len()])
            };
            [of(own), of(added)].concat()
        });
        let ids = Vocabulary::from_ids(own.ids.ids().chain(added.ids.ids()));
        let mut entities = self.entities.clone();
        entities[entity] = Entity { ids, titles, ..own.clone() };
        let of_side = |model: &AnyModel| -> Vec<(ParamId, Tensor<2>)> {
            let tables = model.tables().into_iter().filter(|table| table.is_indexed_by(field));
            tables.map(|table| (table.rows.id, table.rows.val())).collect()
        };
        let added = of_side(&new.model);
        let with_added = |model: &AnyModel| {
            let both = of_side(model).into_iter().zip(&added);
            let mut tables: HashMap<ParamId, Tensor<2>> =
                both.map(|((id, own), (_, added))| (id, Tensor::cat(vec![own, added.clone()], 0))).collect();
            model.clone().map(None, &mut |visited| tables.remove(&visited.id).unwrap_or(visited.rows))
        };
        // A new row is what was found, and has no features.
        let (model, by_features) = (with_added(&self.model), self.by_features.as_ref().map(with_added));
        let bags = self.bags.iter().zip(&*new.bags).map(|(own, new)| match own.frame.owner == entity {
            true => own.followed_by(new),
            false => own.clone(),
        });
        let mut baseline = self.predictor.baseline.clone();
        let (own, added) = match role {
            Role::User => (&mut baseline.user_offsets, &new.predictor.baseline.user_offsets),
            Role::Item => (&mut baseline.item_offsets, &new.predictor.baseline.item_offsets),
        };
        own.extend(added);
        let bags = Arc::new(bags.collect());
        let predictor = Predictor { baseline, ..self.predictor.clone() };
        Self { model, by_features, entities, bags, predictor, ..self.clone() }
    }
}

/// New users as a model takes them in, and how well it does what it is asked about them.
pub struct TestedUsers {
    /// The model of these users alone.
    pub file: ModelFile,
    /// Evaluates it: what was given is not recommended again.
    pub evaluator: Evaluator,
    /// What is asked.
    pub asked: Interactions,
}

impl TestedUsers {
    /// Takes new users into a model whose own are evaluated by `evaluator`.
    ///
    /// # Errors
    /// Those of [`ModelFile::of_new`]; [`Error::Usage`] if nothing is asked.
    pub fn new(file: &ModelFile, evaluator: &Evaluator, new: NewRows, device: &Device, parts: &Parts) -> Result<Self> {
        if new.asked.is_empty() {
            return Err(Error::Usage(
                "no new user has enough ratings to be asked about some of them; give more, or a smaller share".into(),
            ));
        }
        let folded = file.of_new(Role::User, &new, device, parts)?;
        let met = met_items([&new.given], new.entity.ids.len());
        let evaluator = evaluator.of_others(folded.predictor.clone(), met);
        let asked = Interactions { bags: Arc::clone(&folded.bags), ..new.asked };
        Ok(Self { file: folded, evaluator, asked })
    }

    /// The metrics of what is asked.
    pub fn evaluate(&self, device: &Device) -> Evaluation {
        self.evaluator.evaluate(&self.file.model, device, &self.asked)
    }
}

/// What it takes to find new rows.
struct FoldIn<'a> {
    file: &'a ModelFile,
    role: Role,
    /// That of the rows.
    entity: usize,
    /// The tables that have the rows.
    tables: Vec<ParamId>,
    solver: Arc<dyn SolverPart>,
    device: &'a Device,
}

impl<'a> FoldIn<'a> {
    fn new(file: &'a ModelFile, role: Role, device: &'a Device, parts: &Parts) -> Result<Self> {
        let (kind, field) = (&file.kind, role.field());
        let refused = |cause: &str| Err(Error::Usage(format!("model.kind = {:?} {cause}", kind.name)));
        if !crate::data::has_roles(&file.fields) {
            return refused("has no users and items here, of which there could be new ones");
        }
        let entity = file.fields[field.0].entity;
        if file.fields.iter().filter(|own| own.entity == entity).count() > 1 {
            return refused("has the same rows on both sides; train anew with the new ones");
        }
        if role == Role::Item && !kind.declaration.histories.is_empty() {
            return refused("scores items by what all users met; train anew with the new items");
        }
        if role == Role::Item && file.predictor.objective.candidates().is_some() {
            return Err(Error::Usage(format!(
                "loss.kind = {:?} compares what users met with what they did not meet, which a model does not know of its users; \
                 train anew with the new items",
                file.objective_kind.name
            )));
        }
        let solver = parts.find_solver(&file.solver).cloned();
        let solver = solver.ok_or_else(|| {
            Error::Usage(format!(
                "the model was trained by {:?}, a solver that this program does not have",
                file.solver
            ))
        })?;
        let indexed = file.model.tables().into_iter().filter(|table| table.is_indexed_by(field));
        let tables: Vec<ParamId> = indexed.map(|table: &Table| table.rows.id).collect();
        if !tables.is_empty() && !file.settled.contains("solver.kind") {
            return Err(Error::Usage(
                "the model was written by an earlier version of this program, which did not keep what it takes to find new \
                 rows; train it anew"
                    .into(),
            ));
        }
        Ok(Self { file, role, entity, tables, solver, device })
    }

    /// The values of each table for `count` rows with these interactions.
    fn rows(&self, given: &Interactions, count: usize) -> Result<HashMap<ParamId, Vec<f32>>> {
        let mut rows: HashMap<ParamId, Vec<f32>> = self.tables.iter().map(|&id| (id, Vec::new())).collect();
        if self.tables.is_empty() {
            return Ok(rows);
        }
        let column = given.column(self.role.field());
        let of_rows = Groups::of_positions(count, column.iter().map(|&row| row as usize));
        let mut start = 0;
        while start < count {
            let mut end = start + 1;
            let size = |end: usize| of_rows.starts()[end] - of_rows.starts()[start];
            while end < count && size(end + 1) <= BLOCK {
                end += 1;
            }
            let positions = &of_rows.members()[of_rows.starts()[start]..of_rows.starts()[end]];
            let own = self.role.field().0;
            let column = |(field, column): (usize, &Vec<u32>)| {
                let shift = if field == own { start as u32 } else { 0 };
                positions.iter().map(|&at| column[at as usize] - shift).collect()
            };
            let columns = given.columns.iter().enumerate().map(column).collect();
            let targets = positions.iter().map(|&at| given.targets[at as usize]).collect();
            let block = Interactions { columns, targets, ..Interactions::of_fields(0) };
            let found = self.block(block, end - start)?;
            found.visit(None, &mut |Visited { id, rows: found, .. }| {
                if let Some(rows) = rows.get_mut(&id) {
                    rows.extend(to_vec(found));
                }
            });
            start = end;
        }
        match rows.values().flatten().all(|value| value.is_finite()) {
            true => Ok(rows),
            false => Err(Error::Failed("the new rows are not finite numbers".into())),
        }
    }

    /// The model with rows for these interactions, the mean of its own at first.
    fn block(&self, given: Interactions, count: usize) -> Result<AnyModel> {
        let split = self.with_histories(given, count);
        let is_own = |id: ParamId| self.tables.contains(&id);
        let model = self.file.model.clone().map(None, &mut |Visited { id, rows, .. }| match is_own(id) {
            true => rows.mean_dim(0).repeat(&[count, 1]),
            false => rows,
        });
        if split.train.is_empty() {
            return Ok(model);
        }
        let setup = Setup { objective: self.file.predictor.objective.clone(), seed: SEED, device: self.device };
        let mut solver = self.solver.fold_in(&self.file.settled, &setup, self.role, &model)?;
        let mut model = model.to_training(self.device).with_trained(&is_own);
        let steps = solver.begin(&model, &split.train)?;
        for number in (1..).flat_map(|epoch| (0..steps).map(move |step| StepNumber { epoch, step, steps })) {
            let stepped: Stepped = solver.step(model, &split.train, number);
            model = stepped.model;
            if stepped.outcome?.is_converged {
                break;
            }
        }
        Ok(solver.write_back(model).valid())
    }

    /// The interactions of `count` new rows with their histories, where the model reads any.
    fn with_histories(&self, given: Interactions, count: usize) -> Split {
        let ModelFile { entities, fields, bags, kind, .. } = self.file;
        let mut entities: Vec<Entity> = entities.clone();
        entities[self.entity].ids = Vocabulary::numbered(count);
        // Histories are collected anew, and the new rows have no other bags.
        let other = |bag: &Bag| if bag.frame.owner == self.entity { bag.of_none(count) } else { bag.clone() };
        let others: Vec<Bag> = bags.iter().filter(|bag| bag.frame.name != HISTORY).map(other).collect();
        let train = Interactions { bags: Arc::new(others), ..given };
        let mut split = Split { train, entities, fields: fields.clone(), ..Split::default() };
        split.add_histories(kind.declaration.histories, kind.declaration.histories_above_zero);
        split
    }
}

#[cfg(test)]
mod tests {
    use faer::Mat;
    use rand::RngExt;

    use super::*;
    use crate::config::Config;
    use crate::data::batch::Samples;
    use crate::data::{Bag, Frame, ITEM, Layout, USER, pair_fields};
    use crate::eval::Baseline;
    use crate::linalg::symmetric::pseudo_inverse;
    use crate::model::Start;
    use crate::random;
    use crate::solver::nmf::Zeros;
    use crate::solver::{Components, Predictions};

    const USERS: usize = 9;
    const ITEMS: usize = 12;
    const RANK: usize = 3;

    /// A model with random rows, as it would be trained with these settings.
    fn file(settings: &[&str]) -> ModelFile {
        let (parts, device) = (Parts::built_in(), Device::default());
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("c.toml");
        std::fs::write(&path, format!("data.path = \"r.csv\"\nmodel.rank = {RANK}\n")).expect("written");
        let settings: Vec<String> = settings.iter().map(|setting| setting.to_string()).collect();
        let config = Config::load(&parts.schema(), &path, &settings).expect("a config");
        let own = config.values();
        let kind = *parts.find_model(&own.get::<String>("model.kind")).expect("built in");
        let objective_kind = *parts.find_objective(&own.get::<String>("loss.kind")).expect("built in");
        let mut interactions = history(USERS, 1);
        let frame = Frame::pair(USERS, ITEMS);
        let histories = kind.declaration.histories;
        let bags: Vec<Bag> = histories
            .iter()
            .map(|&(owner, of)| Bag::history(|field| interactions.column(field), &frame, owner, of))
            .collect();
        interactions.bags = Arc::new(bags);
        let frame = Frame { bags: interactions.bags.iter().map(|bag| bag.frame.clone()).collect(), ..frame };
        let start = Start { frame: &frame, mean_score: 3.0, offsets: [&[], &[]], seed: Some(3), device: &device };
        let model = kind.init(own, &start).expect("a model");
        let mut random = random::stream(7, "rows");
        let model = model.map(None, &mut |visited| {
            let [rows, width] = visited.rows.dims();
            let values: Vec<f32> = (0..rows * width).map(|_| random.random_range(0.0..1.0)).collect();
            let values =
                if visited.name.contains("bias") { values.iter().map(|value| value - 0.5).collect() } else { values };
            Tensor::from_data(TensorData::new(values, [rows, width]), &visited.rows.device())
        });
        ModelFile {
            kind,
            objective_kind,
            predictor: Predictor {
                objective: objective_kind.make(own).expect("a loss"),
                clip: None,
                baseline: Baseline { global_mean: 3.0, user_offsets: vec![0.1; USERS], item_offsets: vec![0.2; ITEMS] },
            },
            values: own.clone(),
            model,
            by_features: None,
            entities: vec![
                Entity { ids: Vocabulary::numbered(USERS), ..Entity::new("user") },
                Entity { ids: Vocabulary::numbered(ITEMS), ..Entity::new("item") },
            ],
            fields: pair_fields(),
            bags: interactions.bags,
            layout: Layout::Cells,
            solver: own.get("solver.kind"),
            components: Components::Factors,
            zeros: Zeros::Missing,
            predictions: Predictions::Targets,
            settled: own.section("solver"),
        }
    }

    /// Ratings of some items by each of `count` users.
    fn history(count: usize, seed: u64) -> Interactions {
        let mut random = random::stream(seed, "history");
        let mut interactions = Interactions::default();
        for user in 0..count as u32 {
            for item in 0..ITEMS as u32 {
                if random.random_bool(0.5) {
                    interactions.push([user, item], random.random_range(1..=5) as f32, None);
                }
            }
        }
        interactions
    }

    fn new_rows(role: Role, given: Interactions, count: usize) -> NewRows {
        let name = if role == Role::User { "user" } else { "item" };
        let ids = Vocabulary::from_ids((0..count).map(|at| format!("n{at}")));
        NewRows { entity: Entity { ids, ..Entity::new(name) }, given, ..NewRows::default() }
    }

    fn table(model: &AnyModel, name: &str) -> Vec<f32> {
        let all = crate::model::parameters::collect(model);
        all.into_iter().find(|(own, _)| own == name).map(|(_, values)| values.data).unwrap_or_default()
    }

    /// The row of the normal equations: (Σ w q̃q̃ᵀ + Gram + n^ν Λ) x = Σ t q̃.
    fn solved(rows: &[Vec<f64>], terms: &[(usize, f64, f64)], gram: bool, ridge: &[f64]) -> Vec<f64> {
        let size = ridge.len();
        let mut system: Mat<f64> = Mat::zeros(size, size);
        let mut right = vec![0.0; size];
        let mut add = |row: &[f64], weight: f64| {
            for s in 0..size {
                for t in 0..size {
                    system[(s, t)] += weight * row[s] * row[t];
                }
            }
        };
        if gram {
            rows.iter().for_each(|row| add(row, 1.0));
        }
        terms.iter().for_each(|&(at, weight, _)| add(&rows[at], weight));
        for (at, _, target) in terms {
            right.iter_mut().zip(&rows[*at]).for_each(|(sum, q)| *sum += target * q);
        }
        (0..size).for_each(|t| system[(t, t)] += ridge[t]);
        let inverse = pseudo_inverse(&system).expect("finite");
        (0..size).map(|s| (0..size).map(|t| inverse[(s, t)] * right[t]).sum()).collect()
    }

    fn close(found: &[f32], expected: &[f64], tolerance: f64) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() < tolerance, "{found} {expected}");
        }
    }

    /// Rows of users, or items, by ALS with biases: the solution of their equations, whatever else is new.
    #[test]
    fn rows_of_als_solve_their_equations() {
        let file = file(&[
            "model.kind=biased-mf",
            "solver.kind=als",
            "solver.regularization.count_exponent=0.5",
            "solver.regularization.user_factors=0.7",
            "solver.regularization.item_factors=0.7",
            "solver.regularization.user_biases=0.3",
            "solver.regularization.item_biases=0.3",
        ]);
        let (parts, device) = (Parts::built_in(), Device::default());
        for (role, own, other) in [(Role::User, "user", "item"), (Role::Item, "item", "user")] {
            let mut given = history(4, 5);
            if role == Role::Item {
                given.columns.swap(0, 1);
                given.columns[0].iter_mut().for_each(|user| *user %= USERS as u32);
            }
            let new = new_rows(role, given.clone(), 4);
            let folded = file.of_new(role, &new, &device, &parts).expect("rows");
            let (factors, biases) =
                (table(&file.model, &format!("{other}_factors")), table(&file.model, &format!("{other}_biases")));
            let rows: Vec<Vec<f64>> = factors
                .chunks_exact(RANK)
                .map(|row| row.iter().map(|&q| f64::from(q)).chain([1.0]).collect())
                .collect();
            for row in 0..4_u32 {
                let of_row = (0..given.len()).filter(|&at| given.column(role.field())[at] == row);
                let offset = file.model.factored().expect("a dot product").offset;
                let term = |at: usize| {
                    let other = given.column(role.other().field())[at] as usize;
                    (other, 1.0, f64::from(given.targets[at]) - f64::from(offset) - f64::from(biases[other]))
                };
                let terms: Vec<_> = of_row.map(term).collect();
                let times = (terms.len() as f64).sqrt();
                let expected = solved(&rows, &terms, false, &[0.7 * times, 0.7 * times, 0.7 * times, 0.3 * times]);
                let found = &table(&folded.model, &format!("{own}_factors"))[row as usize * RANK..][..RANK];
                close(found, &expected[..RANK], 1e-4);
                close(&[table(&folded.model, &format!("{own}_biases"))[row as usize]], &expected[RANK..], 1e-4);
                // Alone it becomes the same.
                let alone: Vec<usize> = (0..given.len()).filter(|&at| given.column(role.field())[at] == row).collect();
                let columns = given.columns.iter().enumerate().map(|(field, column)| {
                    alone.iter().map(|&at| if field == role.field().0 { 0 } else { column[at] }).collect()
                });
                let targets = alone.iter().map(|&at| given.targets[at]).collect();
                let alone = Interactions { columns: columns.collect(), targets, ..Interactions::default() };
                let alone = file.of_new(role, &new_rows(role, alone, 1), &device, &parts).expect("a row");
                assert_eq!(table(&alone.model, &format!("{own}_factors")), found);
            }
            let unchanged = table(&folded.model, &format!("{other}_factors"));
            assert_eq!(unchanged, factors);
            // Behind the rows that are there.
            let grown = file.with_new(role, &folded);
            let all = [table(&file.model, &format!("{own}_factors")), table(&folded.model, &format!("{own}_factors"))]
                .concat();
            assert_eq!(table(&grown.model, &format!("{own}_factors")), all);
            assert_eq!(
                grown.entity(role.field()).ids.index("n3"),
                Some(3 + if role == Role::User { USERS } else { ITEMS } as u32)
            );
        }
    }

    #[test]
    fn rows_of_implicit_als_solve_their_equations() {
        let file = file(&[
            "model.kind=mf",
            "solver.kind=als",
            "solver.feedback=implicit",
            "solver.confidence_alpha=4",
            "solver.regularization.user_factors=0.7",
        ]);
        let (parts, device) = (Parts::built_in(), Device::default());
        let given = history(3, 5);
        let folded = file.of_new(Role::User, &new_rows(Role::User, given.clone(), 3), &device, &parts).expect("rows");
        let factors = table(&file.model, "item_factors");
        let rows: Vec<Vec<f64>> =
            factors.chunks_exact(RANK).map(|row| row.iter().map(|&q| f64::from(q)).collect()).collect();
        for user in 0..3 {
            let of_user = (0..given.len()).filter(|&at| given.column(USER)[at] == user);
            let term = |at: usize| {
                let more = 4.0 * (1.0 + f64::from(given.targets[at])).log2();
                (given.column(ITEM)[at] as usize, more, 1.0 + more)
            };
            let terms: Vec<_> = of_user.map(term).collect();
            let times = (terms.len() as f64).sqrt();
            let expected = solved(&rows, &terms, true, &[0.7 * times; RANK]);
            close(&table(&folded.model, "user_factors")[user as usize * RANK..][..RANK], &expected, 1e-4);
        }
        let mut bm25 = file.clone();
        bm25.settled.insert("solver.confidence", "bm25");
        let refused = bm25.of_new(Role::User, &new_rows(Role::User, given, 3), &device, &parts);
        assert!(refused.expect_err("refused").to_string().contains("bm25"));
    }

    /// What the new users did not meet is drawn from for each of them.
    #[test]
    fn there_may_be_more_new_users_than_users_of_training() {
        let (parts, device) = (Parts::built_in(), Device::default());
        let count = 2 * USERS + 1;
        for solver in ["adam", "stratified"] {
            let file = file(&["model.kind=mf", "loss.kind=bpr", &format!("solver.kind={solver}")]);
            let new = new_rows(Role::User, history(count, 8), count);
            let folded = file.of_new(Role::User, &new, &device, &parts).expect("rows");
            assert_eq!(table(&folded.model, "user_factors").len(), count * RANK, "{solver}");
        }
    }

    /// Huber's loss with a threshold that nothing reaches is half the squared loss, but not one that systems are known for.
    #[test]
    fn gradients_come_to_the_solution_of_the_equations() {
        let (parts, device) = (Parts::built_in(), Device::default());
        let given = history(5, 6);
        let new = new_rows(Role::User, given, 5);
        let [exact, near] = [("loss.kind=squared", 0.2), ("loss.kind=huber", 0.1)].map(|(loss, lambda)| {
            let lambdas =
                ["user_factors", "user_biases"].map(|group| format!("solver.regularization.{group}={lambda}"));
            let delta = if lambda == 0.1 { &["loss.delta=1000000"][..] } else { &[] };
            let file = file(&[&["model.kind=biased-mf", loss, &lambdas[0], &lambdas[1]], delta].concat());
            let folded = file.of_new(Role::User, &new, &device, &parts).expect("rows");
            [table(&folded.model, "user_factors"), table(&folded.model, "user_biases")].concat()
        });
        let exact: Vec<f64> = exact.into_iter().map(f64::from).collect();
        close(&near, &exact, 2e-3);
    }

    /// Scores of all items for the first user.
    fn scores(file: &ModelFile) -> Vec<f32> {
        let columns = vec![vec![0; ITEMS], (0..ITEMS as u32).collect()];
        let samples = Arc::new(Samples::of_columns(columns, &file.bags));
        to_vec(file.model.forward(&samples.to_device(&Device::default())))
    }

    #[test]
    fn every_model_and_objective_takes_in_new_users() {
        let (parts, device) = (Parts::built_in(), Device::default());
        let given = history(3, 8);
        for (model, loss, solver) in [
            ("mf", "bpr", "adam"),
            ("mf", "warp", "sgd"),
            ("biased-mf", "sampled-softmax", "stratified"),
            ("mf", "sampled-logistic", "adam"),
            ("nmf", "squared", "adam"),
            ("nmf", "poisson", "adam"),
            ("gmf", "squared", "adam"),
            ("mlp", "squared", "adamw"),
            ("neumf", "absolute", "adagrad"),
            ("ease", "squared", "ease"),
            ("item-knn", "squared", "item-knn"),
            ("popularity", "squared", "popularity"),
        ] {
            let settings = [("model.kind", model), ("loss.kind", loss), ("solver.kind", solver)];
            let settings = settings.map(|(key, value)| format!("{key}={value}"));
            let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
            let file = file(&settings);
            let fold = |given: &Interactions, count| {
                file.of_new(Role::User, &new_rows(Role::User, given.clone(), count), &device, &parts)
            };
            let folded = fold(&given, 3).unwrap_or_else(|error| panic!("{model} {loss}: {error}"));
            let found = scores(&folded);
            assert!(found.iter().all(|score| score.is_finite()), "{model} {loss}: {found:?}");
            if model == "nmf" {
                assert!(table(&folded.model, "user_factors").iter().all(|&p| p >= 0.0));
            }
            let again = scores(&fold(&given, 3).expect("again"));
            assert_eq!(found, again, "{model} {loss}: the same twice");
            if loss == "squared" && !file.kind.declaration.histories.is_empty() {
                // What a known user met gives what the model says of that user.
                let mut own = history(USERS, 1);
                let first = own.column(USER).iter().filter(|&&user| user == 0).count();
                own.columns.iter_mut().for_each(|column| column.truncate(first));
                own.targets.truncate(first);
                assert_eq!(scores(&fold(&own, 1).expect("a known user")), scores(&file), "{model}");
                let refused = file.of_new(Role::Item, &new_rows(Role::Item, own, ITEMS), &device, &parts);
                assert!(refused.expect_err("refused").to_string().contains("train anew with the new items"));
            }
        }
    }

    #[test]
    fn rows_of_whole_matrices_are_projected() {
        let (parts, device) = (Parts::built_in(), Device::default());
        let given = history(3, 5);
        for (model, solver) in [("mf", "svd"), ("nmf", "hals")] {
            let mut file = file(&[&format!("model.kind={model}"), &format!("solver.kind={solver}")]);
            file.zeros = Zeros::Data;
            let folded =
                file.of_new(Role::User, &new_rows(Role::User, given.clone(), 3), &device, &parts).expect("rows");
            let fitted = crate::run::views::Fitted::of(&file).expect("a dot product");
            let mut dense = vec![0.0; 3 * ITEMS];
            for (at, &target) in given.targets.iter().enumerate() {
                dense[given.column(USER)[at] as usize * ITEMS + given.column(ITEM)[at] as usize] = target;
            }
            let expected = fitted.factors().project(&dense).expect("finite");
            let expected: Vec<f64> = expected.into_iter().map(f64::from).collect();
            close(&table(&folded.model, "user_factors"), &expected, 1e-4);
        }
    }
}
