//! Planted ratings of any size, for benchmarks and for tests that know the true model.
//!
//! r_ui = 3.5 + b_u + b_i + p_u·q_i + N(0, noise²), neither rounded nor clipped, so that no model has a lower RMSE than
//! the noise. Biases and interaction vary about as much as in MovieLens. As in MovieLens, activity and popularity have
//! long tails: users' activity is log-normal, and an item's chance to be rated falls as exp(−k √(rank / items)), with k
//! such that the most popular item is rated by some 30 % of the users and the least popular by one.
//!
//! Each user has a random stream of their own, so that generating a user's ratings takes memory only for the items.

use std::io::Write;
use std::path::Path;

use flate2::{Compression, write::GzEncoder};
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_distr::weighted::WeightedAliasIndex;
use rand_distr::{Distribution, Exp1, StandardNormal};
use sha2::{Digest, Sha256};

use super::{Dataset, UNKNOWN};
use crate::config::{Key, KeyKind, Keys, Values};
use crate::error::{Error, Result};
use crate::{files, random};

/// Mean rating.
const MEAN: f64 = 3.5;
/// Standard deviations of b_u, b_i and p_u·q_i over users and items, in rating units.
const USER_BIAS_STD: f64 = 0.35;
const ITEM_BIAS_STD: f64 = 0.45;
const INTERACTION_STD: f64 = 0.45;
/// Standard deviation of the logarithm of a user's number of ratings.
const ACTIVITY_STD: f64 = 1.1;
/// Least number of ratings per user, if there are enough ratings.
const LEAST_ACTIVITY: u64 = 5;
/// Share of the users that rate the most popular item.
const TOP_POPULARITY: f64 = 0.3;
/// First times of users spread over ten years from the start of 2001, in seconds since 1970.
const FIRST_TIME: i64 = 978_307_200;
const TIME_SPAN: i64 = 10 * 365 * 24 * 3600;
/// Longest time between two ratings of a user, in seconds.
const LONGEST_PAUSE: i64 = 120;
/// Largest rank of a planted matrix.
const MOST_RANK: usize = 4096;
/// Bytes that generating may take beside the ratings.
const MOST_BYTES: u64 = 2_000_000_000;
/// Ratings between two reports of progress.
const REPORT_EVERY: u64 = 1 << 18;

/// The recipe of a planted data set.
#[derive(Debug, Clone, PartialEq)]
pub struct Synthetic {
    /// Number of users, at least 1.
    pub users: usize,
    /// Number of items, at least 1.
    pub items: usize,
    /// Number of ratings, from 1 to half the number of cells. No pair occurs twice.
    pub ratings: u64,
    /// Number of planted latent factors, at most 4096; 0 plants only biases.
    pub rank: usize,
    /// Standard deviation of the noise, in rating units: the lowest RMSE that can be reached.
    pub noise: f64,
    /// Seed of all random draws.
    pub seed: u64,
}

impl Synthetic {
    /// The config keys of a recipe.
    pub fn keys() -> Keys {
        let noise = "Standard deviation of the noise on each rating.";
        Keys::new([
            Key::new("data.synthetic.users", KeyKind::AT_LEAST_ONE, "Number of users.").default("1000"),
            Key::new("data.synthetic.items", KeyKind::AT_LEAST_ONE, "Number of items.").default("500"),
            Key::new("data.synthetic.ratings", KeyKind::AT_LEAST_ONE, "Number of ratings.").default("50000"),
            Key::new("data.synthetic.rank", KeyKind::Int(1..=MOST_RANK as i64), "Rank of the planted matrix.")
                .default("5"),
            Key::new("data.synthetic.noise", KeyKind::NOT_NEGATIVE, noise).default("0.5"),
        ])
    }

    /// The recipe set in a config; its seed is that of the run.
    pub fn of(values: &Values) -> Self {
        Self {
            users: values.get("data.synthetic.users"),
            items: values.get("data.synthetic.items"),
            ratings: values.get("data.synthetic.ratings"),
            rank: values.get("data.synthetic.rank"),
            noise: values.get("data.synthetic.noise"),
            seed: values.get("seed"),
        }
    }

    /// The ratings in memory, user by user, each user's in order of time.
    ///
    /// # Errors
    /// [`Error::Usage`] if a number of the recipe is out of range.
    pub fn dataset(&self) -> Result<Dataset> {
        self.check()?;
        let mut dataset = Dataset {
            fingerprint: Sha256::digest(format!("{self:?}")).iter().map(|byte| format!("{byte:02x}")).collect(),
            reachable_error: Some(self.noise),
            ..Dataset::default()
        };
        let mut indices = vec![UNKNOWN; self.items];
        let pair = dataset.pair_mut();
        self.generate(|rating| {
            let user = match rating.first {
                true => pair.users.insert(&(rating.user + 1).to_string()),
                false => pair.users.len() as u32 - 1,
            };
            let item = &mut indices[rating.item];
            if *item == UNKNOWN {
                *item = pair.items.insert(&(rating.item + 1).to_string());
            }
            pair.interactions.push([user, *item], rating.value as f32, Some(rating.timestamp));
            Ok(())
        })?;
        Ok(dataset)
    }

    /// Writes the same ratings as [`dataset`](Self::dataset), to four decimals, as a CSV file with the header
    /// `user,item,rating,timestamp`; gzip-compressed if the name ends in `.gz`. Memory grows only with users and items.
    ///
    /// `progress` is given the number of ratings written from time to time.
    ///
    /// # Errors
    /// [`Error::Usage`] if a number of the recipe is out of range, [`Error::Io`] if the file cannot be written.
    pub fn write(&self, path: &Path, progress: &mut dyn FnMut(u64)) -> Result<()> {
        self.check()?;
        let compressed = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
        files::write_atomic(path, |writer| {
            if compressed {
                let mut encoder = GzEncoder::new(writer, Compression::fast());
                self.write_csv(path, &mut encoder, progress)?;
                encoder.finish().map(drop).map_err(|e| Error::io("write", path, e))
            } else {
                self.write_csv(path, writer, progress)
            }
        })
    }

    fn write_csv(&self, path: &Path, writer: &mut dyn Write, progress: &mut dyn FnMut(u64)) -> Result<()> {
        let mut text = b"user,item,rating,timestamp\n".to_vec();
        let mut written = 0;
        self.generate(|rating| {
            let sign = if rating.value < 0.0 { "-" } else { "" };
            // Much faster than formatting floats.
            let scaled = (rating.value.abs() * 1e4).round() as u64;
            let (whole, decimals) = (scaled / 10_000, scaled % 10_000);
            let (user, item, time) = (rating.user + 1, rating.item + 1, rating.timestamp);
            writeln!(text, "{user},{item},{sign}{whole}.{decimals:04},{time}").expect("memory takes any text");
            written += 1;
            if text.len() >= 1 << 16 {
                writer.write_all(&text).map_err(|e| Error::io("write", path, e))?;
                text.clear();
            }
            if written % REPORT_EVERY == 0 {
                progress(written);
            }
            Ok(())
        })?;
        writer.write_all(&text).map_err(|e| Error::io("write", path, e))?;
        progress(written);
        Ok(())
    }

    fn check(&self) -> Result<()> {
        let refuse = |message: String| Err(Error::Usage(format!("synthetic data: {message}")));
        for (name, count) in [("users", self.users), ("items", self.items)] {
            if !(1..UNKNOWN as usize).contains(&count) {
                return refuse(format!("{name} = {count}; it must be from 1 to {}", UNKNOWN - 1));
            }
        }
        let limit = self.users as u64 * self.items as u64 / 2;
        if !(1..=limit).contains(&self.ratings) {
            let (users, items) = (self.users, self.items);
            return refuse(format!(
                "ratings = {}; with {users} users and {items} items it must be from 1 to {limit}, half of the cells",
                self.ratings
            ));
        }
        if self.rank > MOST_RANK {
            return refuse(format!("rank = {}; it must be from 0 to {MOST_RANK}", self.rank));
        }
        // Factors and bias of each item, and what its popularity takes; the activity of each user.
        let bytes = self.items as u64 * (4 * self.rank as u64 + 40) + self.users as u64 * 24;
        if bytes > MOST_BYTES {
            return refuse(format!(
                "users = {}, items = {} and rank = {} take {bytes} bytes of memory, and at most {MOST_BYTES} are used; lower \
                 one of them",
                self.users, self.items, self.rank
            ));
        }
        if !(self.noise.is_finite() && self.noise >= 0.0) {
            return refuse(format!("noise = {}; it must be finite and at least 0", self.noise));
        }
        Ok(())
    }

    /// Passes every rating to `emit`, user by user.
    fn generate(&self, mut emit: impl FnMut(Rating) -> Result<()>) -> Result<()> {
        self.check()?;
        let activities = self.activities();
        let mut popularity = Popularity::new(self);
        let factor_std = if self.rank > 0 { (INTERACTION_STD / (self.rank as f64).sqrt()).sqrt() } else { 0.0 };
        let factors = |random: &mut ChaCha8Rng, into: &mut Vec<f32>, count: usize| {
            into.extend((0..count).map(|_| (factor_std * normal(random)) as f32));
        };
        let mut random = random::stream(self.seed, "synthetic/items");
        let item_biases: Vec<f32> = (0..self.items).map(|_| (ITEM_BIAS_STD * normal(&mut random)) as f32).collect();
        let mut item_factors = Vec::new();
        factors(&mut random, &mut item_factors, self.items * self.rank);

        let mut user_factors = Vec::with_capacity(self.rank);
        for (user, &activity) in activities.iter().enumerate() {
            let mut random = random::stream(self.seed, &format!("synthetic/user/{user}"));
            let user_bias = USER_BIAS_STD * normal(&mut random);
            user_factors.clear();
            factors(&mut random, &mut user_factors, self.rank);
            let mut timestamp = FIRST_TIME + random.random_range(0..TIME_SPAN);
            for (place, &item) in popularity.draw(user, activity as usize, &mut random).iter().enumerate() {
                let item = item as usize;
                let q_i = &item_factors[item * self.rank..][..self.rank];
                let interaction: f32 = user_factors.iter().zip(q_i).map(|(p, q)| p * q).sum();
                let planted = MEAN + user_bias + f64::from(item_biases[item]) + f64::from(interaction);
                let value = planted + self.noise * normal(&mut random);
                timestamp += random.random_range(1..=LONGEST_PAUSE);
                emit(Rating { user, item, value, timestamp, first: place == 0 })?;
            }
        }
        Ok(())
    }

    /// Number of ratings of each user, log-normal between a least number and the number of items; the sum is exact.
    fn activities(&self) -> Vec<u64> {
        let mut random = random::stream(self.seed, "synthetic/activity");
        let weights: Vec<f64> = (0..self.users).map(|_| (ACTIVITY_STD * normal(&mut random)).exp()).collect();
        let (most, total) = (self.items as u64, self.ratings);
        let least = LEAST_ACTIVITY.min(total / self.users as u64).min(most);
        let at = |scale: f64, weight: f64| ((least as f64 + scale * weight) as u64).min(most);
        let sum = |scale: f64| weights.iter().map(|&weight| at(scale, weight)).sum::<u64>();
        let (mut low, mut high) = (0.0, 1.0);
        while sum(high) < total {
            high *= 2.0;
        }
        // Fifty halvings leave practically no difference.
        for _ in 0..50 {
            let middle = 0.5 * (low + high);
            if sum(middle) > total { high = middle } else { low = middle }
        }
        let mut activities: Vec<u64> = weights.iter().map(|&weight| at(low, weight)).collect();
        let mut left = total - activities.iter().sum::<u64>();
        // The ratings left over from rounding down, one each; at most half of the cells are filled, so there is room.
        while left > 0 {
            for activity in &mut activities {
                let more = u64::from(*activity < most && left > 0);
                *activity += more;
                left -= more;
            }
        }
        activities
    }
}

fn normal(random: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(random)
}

/// One rating, with indices from 0.
struct Rating {
    user: usize,
    item: usize,
    value: f64,
    timestamp: i64,
    /// Whether it is the user's first.
    first: bool,
}

/// Draws items by popularity, none twice for one user.
struct Popularity {
    weights: Vec<f64>,
    alias: WeightedAliasIndex<f64>,
    /// `taken_by[i]` is the last user that drew item `i`, or [`UNKNOWN`].
    taken_by: Vec<u32>,
    drawn: Vec<u32>,
    /// A time for each item, and the item, for [`draw_many`](Self::draw_many).
    arrivals: Vec<(f64, u32)>,
}

impl Popularity {
    fn new(recipe: &Synthetic) -> Self {
        let (users, items) = (recipe.users as f64, recipe.items as f64);
        let density = recipe.ratings as f64 / (users * items);
        // The mean of exp(−k√x) over [0, 1] is about 2/k², which gives the k of the top share; the second bound keeps
        // the least popular item at one rating.
        let steepness = (2.0 * TOP_POPULARITY / density).sqrt().min((TOP_POPULARITY * users).ln().max(0.0));
        let mut weights: Vec<f64> =
            (0..recipe.items).map(|rank| (-steepness * (rank as f64 / items).sqrt()).exp()).collect();
        weights.shuffle(&mut random::stream(recipe.seed, "synthetic/popularity"));
        let alias = WeightedAliasIndex::new(weights.clone()).expect("positive, finite weights");
        let taken_by = vec![UNKNOWN; recipe.items];
        Self { weights, alias, taken_by, drawn: Vec::new(), arrivals: Vec::new() }
    }

    /// `count` distinct items for `user`, drawn one by one in proportion to popularity among those left.
    fn draw(&mut self, user: usize, count: usize, random: &mut ChaCha8Rng) -> &[u32] {
        self.drawn.clear();
        // Beyond this, redrawing taken items costs more than giving every item a time.
        if count > self.weights.len() / 8 {
            self.draw_many(count, random);
        } else {
            while self.drawn.len() < count {
                let item = self.alias.sample(random);
                if self.taken_by[item] != user as u32 {
                    self.taken_by[item] = user as u32;
                    self.drawn.push(item as u32);
                }
            }
        }
        &self.drawn
    }

    /// The same distribution by exponential clocks: the first `count` items to ring, each at the rate of its weight
    /// (Efraimidis & Spirakis 2006).
    fn draw_many(&mut self, count: usize, random: &mut ChaCha8Rng) {
        self.arrivals.clear();
        self.arrivals.extend((0..).zip(&self.weights).map(|(item, weight)| {
            let wait: f64 = Exp1.sample(random);
            (wait / weight, item)
        }));
        if count < self.arrivals.len() {
            self.arrivals.select_nth_unstable_by(count, |a, b| a.0.total_cmp(&b.0));
            self.arrivals.truncate(count);
        }
        self.arrivals.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        self.drawn.extend(self.arrivals.iter().map(|&(_, item)| item));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::data::read::{ReadOptions, read_dataset};
    use crate::data::{ITEM, USER};

    fn recipe() -> Synthetic {
        Synthetic { users: 600, items: 400, ratings: 12_000, rank: 4, noise: 0.5, seed: 3 }
    }

    fn counts(indices: &[u32], length: usize) -> Vec<usize> {
        let mut counts = vec![0; length];
        indices.iter().for_each(|&index| counts[index as usize] += 1);
        counts.sort_unstable_by(|a, b| b.cmp(a));
        counts
    }

    #[test]
    fn as_many_different_pairs_as_asked_for() {
        for (users, items, ratings) in
            [(600, 400, 12_000), (10, 10, 50), (2, 1, 1), (1, 2, 1), (7, 1000, 3500), (50, 3, 7)]
        {
            let recipe = Synthetic { users, items, ratings, ..recipe() };
            let ratings = recipe.dataset().unwrap().interactions;
            let pairs: HashSet<(u32, u32)> =
                ratings.column(USER).iter().copied().zip(ratings.column(ITEM).iter().copied()).collect();
            assert_eq!((ratings.len() as u64, pairs.len() as u64), (recipe.ratings, recipe.ratings), "{recipe:?}");
        }
    }

    #[test]
    fn the_file_holds_the_same_ratings() {
        let folder = tempfile::tempdir().unwrap();
        let data = recipe().dataset().unwrap();
        for name in ["r.csv", "r.csv.gz"] {
            let path = folder.path().join(name);
            let mut reported = 0;
            recipe().write(&path, &mut |written| reported = written).unwrap();
            assert_eq!(reported, recipe().ratings);
            let read = read_dataset(&path, None, &ReadOptions::default()).unwrap();
            assert!(read.users().ids().eq(data.users().ids()) && read.items().ids().eq(data.items().ids()));
            assert_eq!(read.interactions.column(USER), data.interactions.column(USER));
            assert_eq!(read.interactions.column(ITEM), data.interactions.column(ITEM));
            assert_eq!(read.interactions.timestamps, data.interactions.timestamps);
            assert!(
                read.interactions.targets.iter().zip(&data.interactions.targets).all(|(a, b)| (a - b).abs() <= 5.1e-5)
            );
        }
    }

    #[test]
    fn the_spread_is_that_of_biases_interaction_and_noise() {
        let recipe = Synthetic { users: 2000, items: 1500, ratings: 100_000, rank: 8, ..recipe() };
        let ratings = recipe.dataset().unwrap().interactions;
        let mean = ratings.mean().unwrap();
        let variance = ratings.targets.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / 1e5;
        let expected = USER_BIAS_STD.powi(2) + ITEM_BIAS_STD.powi(2) + INTERACTION_STD.powi(2) + 0.25;
        assert!((mean - MEAN).abs() < 0.15, "{mean}");
        assert!((variance / expected - 1.0).abs() < 0.15, "{variance} {expected}");
    }

    #[test]
    fn without_noise_and_rank_only_biases_are_left() {
        let recipe = Synthetic { users: 20, items: 20, ratings: 200, rank: 0, noise: 0.0, seed: 1 };
        let data = recipe.dataset().unwrap();
        assert_eq!(data.reachable_error, Some(0.0));
        // The difference between two users is the same for every item that both rated.
        let value = |user: u32, item: u32| {
            (0..200)
                .find(|&r| (data.interactions.column(USER)[r], data.interactions.column(ITEM)[r]) == (user, item))
                .map(|r| data.interactions.targets[r])
        };
        let differences: Vec<f32> =
            (0..data.items().len() as u32).filter_map(|item| Some(value(0, item)? - value(1, item)?)).collect();
        assert!(differences.len() > 1 && differences.iter().all(|d| (d - differences[0]).abs() < 1e-5));
    }

    #[test]
    fn activity_and_popularity_have_long_tails() {
        let recipe = Synthetic { users: 6040, items: 3706, ratings: 200_000, rank: 1, ..recipe() };
        let data = recipe.dataset().unwrap();
        let users = counts(data.interactions.column(USER), data.users().len());
        assert!(users[users.len() - 1] >= 5 && users[0] > 10 * users[users.len() / 2], "{}", users[0]);
        let items = counts(data.interactions.column(ITEM), recipe.items);
        assert!((1000..2200).contains(&items[0]), "{}", items[0]);
        assert!(items[recipe.items - 1] <= 5);
        let (head, all): (usize, usize) = (items[..371].iter().sum(), items.iter().sum());
        assert!((0.35..0.85).contains(&(head as f64 / all as f64)));
    }

    #[test]
    fn both_ways_of_drawing_agree() {
        let recipe = Synthetic { users: 100, items: 12, ratings: 100, ..recipe() };
        let mut popularity = Popularity::new(&recipe);
        let mut random = random::stream(5, "test");
        let mut second = [[0_f64; 12]; 2];
        for turn in 0..20_000 {
            // Only the second draw shows whether taken items are excluded correctly.
            popularity.drawn.clear();
            popularity.draw_many(2, &mut random);
            second[0][popularity.drawn[1] as usize] += 1.0;
            popularity.drawn.clear();
            while popularity.drawn.len() < 2 {
                let item = popularity.alias.sample(&mut random);
                if popularity.taken_by[item] != turn {
                    popularity.taken_by[item] = turn;
                    popularity.drawn.push(item as u32);
                }
            }
            second[1][popularity.drawn[1] as usize] += 1.0;
        }
        for (many, few) in second[0].iter().zip(&second[1]) {
            assert!((many - few).abs() < 5.0 * (many + few + 1.0).sqrt(), "{many} {few}");
        }
    }

    #[test]
    fn recipes_out_of_range_are_refused() {
        for (recipe, expected) in [
            (Synthetic { ratings: 120_001, ..recipe() }, "it must be from 1 to 120000, half of the cells"),
            (Synthetic { ratings: 0, ..recipe() }, "ratings = 0"),
            (Synthetic { users: 0, ..recipe() }, "users = 0"),
            (Synthetic { noise: f64::NAN, ..recipe() }, "noise = NaN"),
        ] {
            let error = recipe.dataset().unwrap_err();
            assert!(matches!(error, Error::Usage(_)) && error.to_string().contains(expected), "{error}");
        }
    }

    #[test]
    fn the_seed_changes_everything() {
        let other = Synthetic { seed: 4, ..recipe() };
        assert_eq!(recipe().dataset().unwrap().interactions, recipe().dataset().unwrap().interactions);
        assert_ne!(
            recipe().dataset().unwrap().interactions.column(ITEM),
            other.dataset().unwrap().interactions.column(ITEM)
        );
        assert_ne!(recipe().dataset().unwrap().fingerprint, other.dataset().unwrap().fingerprint);
    }
}
