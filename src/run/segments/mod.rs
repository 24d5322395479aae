//! Segments: customers who buy alike, what they buy, and what to tell them about.
//!
//! Customers are points by their habits and their taste ([`CustomerSpace`]), and are put in segments by k-means, as many as are
//! stable ([`stabilities`]). Communities of products are made in the same way from the products' vectors.

mod assign;
mod offers;
mod options;
mod space;

use std::ops::RangeInclusive;

use super::directory::RunDirectory;
use super::model_file::ModelFile;
use super::views::{
    BoughtTogether, CommunityFindings, Fitted, ProductView, SegmentFindings, SegmentView, Shown, segment_views,
};
use crate::data::{Habits, Purchases, Role, UNKNOWN};
use crate::error::Result;
use crate::eval::{Baskets, GroupStability, largest_stable, stabilities, within_groups};
use crate::linalg::Groups;
use crate::linalg::k_means::{Centres, Points};
use crate::random;
pub(crate) use assign::{Assigned, assign};
use offers::Offers;
use options::SegmentFeature;
pub(super) use options::SegmentOptions;
use space::{CustomerSpace, direction};

/// The adjusted Rand index below which segments are doubtful.
const STABLE: f64 = 0.6;
/// Starts of k-means on all customers or products.
const STARTS: usize = 10;
/// Pairs of products that are listed as bought together.
const PAIRS: usize = 200;
/// Steps up to which pairs of products are counted.
const MOST_OPERATIONS: u64 = 1 << 36;
/// Numbers of communities that are tried.
const COMMUNITIES: RangeInclusive<usize> = 4..=16;

/// The file that new customers are assigned by.
pub(super) const SPACE: &str = "segments.json";

/// Things in groups, and how stable their number is.
struct Grouped {
    centres: Centres,
    /// The group of each.
    group: Vec<u32>,
    /// Of each number of groups that was tried.
    tried: Vec<GroupStability>,
    chosen: GroupStability,
}

impl Grouped {
    /// Groups of `rows`: `count` of them, or as many of those tried as are stable.
    fn of(
        rows: Points,
        (count, tried): (Option<usize>, RangeInclusive<usize>),
        pairs: usize,
        (seed, name): (u64, &str),
    ) -> Self {
        let tried = stabilities(rows, count.map_or(tried, |count| count..=count), pairs, (seed, name));
        let mut chosen = largest_stable(&tried).expect("one number of groups at least");
        let mut random = random::stream(seed, &format!("{name}/centres"));
        let (centres, _) = Centres::of(rows, chosen.groups, STARTS, &mut random);
        let group = centres.nearest(rows).into_iter().map(|(group, _)| group).collect();
        // Fewer rows than groups make fewer.
        chosen.groups = centres.count();
        Self { centres, group, tried, chosen }
    }

    /// The groups in another order: from the one with the largest sum of `weights` on.
    fn heaviest_first(mut self, weights: impl Iterator<Item = f64>) -> Self {
        let mut sums = vec![0.0; self.centres.count()];
        self.group.iter().zip(weights).for_each(|(&group, weight)| sums[group as usize] += weight);
        let mut order: Vec<usize> = (0..sums.len()).collect();
        order.sort_by(|&a, &b| sums[b].total_cmp(&sums[a]));
        let mut new = vec![0; sums.len()];
        order.iter().enumerate().for_each(|(place, &group)| new[group] = place as u32);
        self.group.iter_mut().for_each(|group| *group = new[*group as usize]);
        let width = self.centres.width;
        let old = self.centres.values;
        let values = order.iter().flat_map(|&group| old[group * width..][..width].iter().copied()).collect();
        self.centres = Centres { values, width };
        self
    }
}

/// The rows of taste of a model's users: the rows that it expects, in fewer coordinates; a zero each if taste does not count.
fn taste(file: &ModelFile, counts: bool) -> Result<(Vec<f32>, usize)> {
    match Fitted::of(file).filter(|_| counts) {
        Some(fitted) => {
            let factors = fitted.factors();
            Ok((factors.in_products(Role::User)?, factors.rank))
        }
        None => Ok((vec![0.0; file.users().len()], 1)),
    }
}

/// Puts the customers of a model in segments, and writes what describes them into the run directory.
///
/// # Errors
/// [`Error::Io`](crate::error::Error::Io); those of factors that are not finite.
pub(super) fn segment(
    seed: u64,
    options: &SegmentOptions,
    directory: &RunDirectory,
    file: &ModelFile,
    purchases: &Purchases,
) -> Result<(Vec<Shown>, SegmentFindings)> {
    let (known, held_out) = (purchases.known(), purchases.held_out());
    let (num_customers, num_products) = (file.users().len(), file.items().len());
    let today = known.newest().unwrap_or_default();
    let habits = known.habits(num_customers, today);
    let who: Vec<u32> = (0..num_customers as u32).filter(|&customer| habits[customer as usize].is_some()).collect();
    let own: Vec<Habits> = habits.iter().flatten().copied().collect();
    let (all_tastes, rank) = taste(file, options.by.contains(&SegmentFeature::Taste))?;
    let tastes = Points::new(&all_tastes, rank).taken(&who);
    let tastes = Points::new(&tastes, rank);

    // Of segments of one customer, nothing comes out again.
    let most = (*options.tried.end()).min(who.len() / 2).max(2);
    let tried = (*options.tried.start()).min(most)..=most;
    let counts = || (options.count, tried.clone());
    let mut space = CustomerSpace::of(options, &options.by, today, &own, tastes);
    let points = space.points(&own, tastes)?;
    let points = Points::new(&points, space.width());
    let customers = Grouped::of(points, counts(), options.pairs, (seed, "segments"))
        .heaviest_first(own.iter().map(|habits| habits.monetary));
    space.set_centres(customers.centres.clone());
    space.write(&directory.path().join(SPACE))?;
    // Beside it, what habits alone would give.
    let of_habits: Vec<SegmentFeature> =
        options.by.iter().copied().filter(|feature| *feature != SegmentFeature::Taste).collect();
    let by_habits = if of_habits.len() < options.by.len() && !of_habits.is_empty() {
        let space = CustomerSpace::of(options, &of_habits, today, &own, tastes);
        let points = space.points(&own, tastes)?;
        let tried = options.count.map_or(tried, |count| count..=count);
        stabilities(Points::new(&points, space.width()), tried, options.pairs, (seed, "segments"))
    } else {
        Vec::new()
    };
    let mut segment_of = vec![None; num_customers];
    who.iter().zip(&customers.group).for_each(|(&customer, &segment)| segment_of[customer as usize] = Some(segment));

    let all_baskets = known.baskets(1);
    let baskets = Baskets::new(all_baskets, num_products);
    let later = held_out.baskets(2);
    let communities = communities(seed, options, file, &known, &baskets)?;
    let community_of = communities.as_ref().map_or(vec![None; num_products], |(_, of)| of.clone());
    let together = bought_together(seed, options, &baskets, &later);
    let offers = Offers::of(&known, &held_out, &segment_of, customers.centres.count(), num_products);
    let view = SegmentView {
        customers: file.entity(Role::User.field()),
        products: ProductView {
            entity: file.entity(Role::Item.field()),
            community_of: &community_of,
            communities: communities.as_ref().map_or(0, |(grouped, _)| grouped.centres.count()),
            baskets: &baskets,
            together: together.as_ref(),
        },
        known: &known,
        habits: &habits,
        segment_of: &segment_of,
        segments: customers.centres.count(),
        bought: &known.bought(num_customers),
        tried: &customers.tried,
        tried_by_habits: &by_habits,
        mail: &offers.lists,
    };
    let shown = segment_views(&view, directory.path())?;
    let within = within_groups(&later, &community_of);
    let findings = SegmentFindings {
        customers: who.len(),
        stability: customers.chosen,
        stability_of_habits: by_habits.into_iter().find(|own| own.groups == customers.chosen.groups),
        communities: communities.map(|(grouped, _)| CommunityFindings {
            stability: grouped.chosen,
            held_out_pairs_within: within.map(|(within, _)| within),
            by_chance: within.map(|(_, by_chance)| by_chance),
        }),
        bought_together: together.map(|together| together.findings),
        lists: offers.findings,
    };
    Ok((shown, findings))
}

/// What makes these segments doubtful.
pub(super) fn doubt(found: &SegmentFindings) -> Option<String> {
    let (segments, agreement) = (found.stability.groups, found.stability.agreement);
    (agreement < STABLE).then(|| {
        format!(
            "{segments} segments are not stable: two samples of the customers agree on them by an adjusted Rand index of {agreement:.2}; \
             try another model.rank or segments.by, or take them for a cut through customers who do not fall into groups"
        )
    })
}

/// Communities of the products that are in enough orders, and that of each product; `None` where there are too few, or products have
/// no vectors.
fn communities(
    seed: u64,
    options: &SegmentOptions,
    file: &ModelFile,
    known: &Purchases,
    baskets: &Baskets,
) -> Result<Option<(Grouped, Vec<Option<u32>>)>> {
    let num_products = file.items().len();
    let often: Vec<u32> = (0..num_products as u32)
        .filter(|&product| baskets.with(product as usize) >= options.least_orders as usize)
        .collect();
    let Some(fitted) = Fitted::of(file) else { return Ok(None) };
    let factors = fitted.factors();
    let all = factors.in_products(Role::Item)?;
    let all = Points::new(&all, factors.rank);
    // Of a product that is expected nowhere, the direction says nothing.
    let often: Vec<u32> =
        often.into_iter().filter(|&product| all.row(product as usize).iter().any(|&value| value != 0.0)).collect();
    let most = *COMMUNITIES.end();
    if often.len() < 2 * options.communities.unwrap_or(most) {
        return Ok(None);
    }
    let directions: Vec<f32> =
        often.iter().flat_map(|&product| direction(all.row(product as usize))).map(|value| value as f32).collect();
    let mut spend = vec![0.0; num_products];
    for (line, &product) in known.products.iter().enumerate().filter(|(_, product)| **product != UNKNOWN) {
        spend[product as usize] += known.spend[line];
    }
    let rows = Points::new(&directions, factors.rank);
    let counts = (options.communities, COMMUNITIES);
    let grouped = Grouped::of(rows, counts, options.pairs, (seed, "communities"))
        .heaviest_first(often.iter().map(|&product| spend[product as usize]));
    let mut community_of = vec![None; num_products];
    often
        .iter()
        .zip(&grouped.group)
        .for_each(|(&product, &community)| community_of[product as usize] = Some(community));
    Ok(Some((grouped, community_of)))
}

/// What is bought together, and how well it completes the baskets that are held out; `None` if it would take long.
fn bought_together(seed: u64, options: &SegmentOptions, baskets: &Baskets, later: &Groups) -> Option<BoughtTogether> {
    if baskets.operations() > MOST_OPERATIONS {
        return None;
    }
    let partners = baskets.partners(options.least_orders, PAIRS);
    let pairs = partners.into_iter().enumerate().flat_map(|(product, partners)| {
        let after = partners.into_iter().filter(move |partner| partner.product as usize > product);
        after.map(move |partner| (product as u32, partner))
    });
    let mut pairs: Vec<_> = pairs.collect();
    // Stable: of equals, the first by index.
    pairs.sort_by(|a, b| b.1.cautious_lift.total_cmp(&a.1.cautious_lift));
    pairs.truncate(PAIRS);
    let completion = (!pairs.is_empty()).then(|| baskets.completion(later, options.least_orders, seed));
    Some(BoughtTogether::new(pairs, completion.flatten(), baskets, later))
}
