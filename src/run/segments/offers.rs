//! What to tell a segment about: products that its customers are likely to buy for the first time.
//!
//! Of those of a segment who had not bought a product, some did so within the last days; that share is what is expected of those who
//! still have not. It is (new + c · share of all segments) / (waiting + c), so that what few customers say is drawn to what all say.
//! How many days are looked at is decided by the newest tenth of the known purchases, which lists of the others are judged by.

use std::collections::HashMap;

use crate::data::{Purchases, UNKNOWN};
use crate::linalg::Groups;
use crate::run::views::{ListFindings, Mail};

/// Days that are tried; `None` is all.
const DAYS: [Option<u32>; 5] = [None, Some(180), Some(90), Some(30), Some(14)];
/// c.
const PRIOR: f64 = 10.0;
/// Products of a list that are looked at where lists are judged.
const JUDGED: usize = 10;
/// Of ten purchases, so many make the lists that decide how many days are looked at.
const KNOWN_OF_TEN: usize = 9;
const DAY: i64 = 86_400;

/// The lists of all segments.
pub(super) struct Offers {
    /// For each segment all products, the likeliest first.
    pub lists: Vec<Vec<Mail>>,
    /// How well they do, if orders are held out.
    pub findings: Option<ListFindings>,
}

/// When each customer bought a product first.
struct FirstPurchases {
    /// Customer, product, moment; ascending.
    all: Vec<(u32, u32, i64)>,
    newest: i64,
}

impl FirstPurchases {
    fn of(purchases: &Purchases) -> Self {
        let mut first: HashMap<(u32, u32), i64> = HashMap::new();
        for line in (0..purchases.len()).filter(|&line| purchases.is_order(line)) {
            let pair = (purchases.customers[line], purchases.products[line]);
            if pair.0 != UNKNOWN && pair.1 != UNKNOWN {
                let time = purchases.times[line];
                first.entry(pair).and_modify(|first| *first = time.min(*first)).or_insert(time);
            }
        }
        let mut all: Vec<(u32, u32, i64)> =
            first.into_iter().map(|((customer, product), time)| (customer, product, time)).collect();
        all.sort_unstable();
        Self { newest: purchases.newest().unwrap_or_default(), all }
    }

    /// Those before a moment, and those from it on.
    fn cut(&self, from: i64) -> (Self, Self) {
        let (before, after): (Vec<_>, Vec<_>) = self.all.iter().copied().partition(|own| own.2 < from);
        let newest = |all: &[(u32, u32, i64)]| all.iter().map(|own| own.2).max().unwrap_or_default();
        (Self { newest: newest(&before), all: before }, Self { newest: newest(&after), all: after })
    }

    /// The products of each customer, ascending.
    fn products(&self, num_customers: usize) -> Groups {
        Groups::new(num_customers, self.all.iter().map(|&(customer, product, _)| (customer as usize, product)))
    }
}

/// How many customers of a group bought each product before, and first, within the days that are looked at.
struct Counts {
    size: usize,
    before: Vec<usize>,
    new: Vec<usize>,
}

impl Counts {
    fn chance(&self, product: usize, prior: f64) -> f64 {
        let waiting = (self.size - self.before[product]) as f64;
        let all = waiting + PRIOR;
        (self.new[product] as f64 + PRIOR * prior) / all
    }
}

/// The segments of all customers.
#[derive(Clone, Copy)]
struct Segments<'a> {
    of: &'a [Option<u32>],
    count: usize,
    num_products: usize,
}

impl Segments<'_> {
    /// Counts of each segment, and of all.
    fn counts(self, first: &FirstPurchases, days: Option<u32>) -> (Vec<Counts>, Counts) {
        let none = || Counts { size: 0, before: vec![0; self.num_products], new: vec![0; self.num_products] };
        let (mut segments, mut all): (Vec<Counts>, Counts) = ((0..self.count).map(|_| none()).collect(), none());
        for segment in self.of.iter().flatten() {
            segments[*segment as usize].size += 1;
            all.size += 1;
        }
        let start = days.map_or(i64::MIN, |days| first.newest - i64::from(days) * DAY);
        for &(customer, product, time) in &first.all {
            let Some(segment) = self.of[customer as usize] else { continue };
            for counts in [&mut segments[segment as usize], &mut all] {
                let which = if time < start { &mut counts.before } else { &mut counts.new };
                which[product as usize] += 1;
            }
        }
        (segments, all)
    }

    /// For each segment all products, the likeliest first.
    fn lists(self, first: &FirstPurchases, days: Option<u32>) -> Vec<Vec<Mail>> {
        let (segments, all) = self.counts(first, days);
        let of_segment = |counts: &Counts| {
            let mail = |product: usize| {
                let bought = counts.before[product] + counts.new[product];
                let chance = counts.chance(product, all.chance(product, 0.0));
                Mail { product: product as u32, chance, bought, waiting: counts.size - bought }
            };
            let mut list: Vec<Mail> = (0..self.num_products).map(mail).collect();
            // Stable: of equals, the first by index.
            list.sort_by(|a, b| b.chance.total_cmp(&a.chance));
            list
        };
        segments.iter().map(of_segment).collect()
    }

    /// Products from the most frequent first purchases on, of these days.
    fn popular(self, first: &FirstPurchases, days: Option<u32>) -> Vec<u32> {
        let (_, all) = self.counts(first, days);
        let mut products: Vec<u32> = (0..self.num_products as u32).collect();
        products.sort_by_key(|&product| std::cmp::Reverse(all.new[product as usize]));
        products
    }

    /// How many customers buy something for the first time, and the share that finds it among the first ten of the list of `list`
    /// without what the customer has.
    fn hit_rate<'l>(
        self,
        first: &FirstPurchases,
        later: &FirstPurchases,
        list: impl Fn(usize) -> Box<dyn Iterator<Item = u32> + 'l>,
    ) -> Option<(usize, f64)> {
        let (own, new) = (first.products(self.of.len()), later.products(self.of.len()));
        let (mut asked, mut hits) = (0, 0);
        for (customer, segment) in self.of.iter().enumerate() {
            let Some(segment) = segment else { continue };
            let is_new = |product: &u32| own.get(customer).binary_search(product).is_err();
            let wanted: Vec<u32> = new.get(customer).iter().copied().filter(is_new).collect();
            if wanted.is_empty() {
                continue;
            }
            asked += 1;
            let mut shown = list(*segment as usize).filter(is_new).take(JUDGED);
            hits += usize::from(shown.any(|product| wanted.binary_search(&product).is_ok()));
        }
        (asked > 0).then(|| (asked, hits as f64 / asked as f64))
    }

    fn hit_rate_of_lists(
        self,
        first: &FirstPurchases,
        later: &FirstPurchases,
        lists: &[Vec<Mail>],
    ) -> Option<(usize, f64)> {
        self.hit_rate(first, later, |segment| Box::new(lists[segment].iter().map(|mail| mail.product)))
    }

    /// The days whose lists tell the newest purchases best.
    fn best_days(self, first: &FirstPurchases) -> Option<u32> {
        let mut times: Vec<i64> = first.all.iter().map(|own| own.2).collect();
        times.sort_unstable();
        let from = *times.get(times.len() * KNOWN_OF_TEN / 10)?;
        let (before, after) = first.cut(from);
        let mut best = (None, 0.0);
        for days in DAYS {
            let lists = self.lists(&before, days);
            let Some((_, hit_rate)) = self.hit_rate_of_lists(&before, &after, &lists) else { continue };
            if hit_rate > best.1 {
                best = (days, hit_rate);
            }
        }
        best.0
    }
}

impl Offers {
    /// The lists for these segments, of what is known, judged by what is held out.
    pub fn of(
        known: &Purchases,
        held_out: &Purchases,
        segment_of: &[Option<u32>],
        segments: usize,
        num_products: usize,
    ) -> Self {
        let segments = Segments { of: segment_of, count: segments, num_products };
        let (first, later) = (FirstPurchases::of(known), FirstPurchases::of(held_out));
        let days = segments.best_days(&first);
        let lists = segments.lists(&first, days);
        let of_popular = |days: Option<u32>| {
            let popular = segments.popular(&first, days);
            let found = segments.hit_rate(&first, &later, |_| Box::new(popular.clone().into_iter()));
            found.map_or(0.0, |(_, hit_rate)| hit_rate)
        };
        let findings = segments.hit_rate_of_lists(&first, &later, &lists).map(|(customers, hit_rate)| ListFindings {
            days,
            customers,
            hit_rate,
            recent_hit_rate: of_popular(days),
            popularity_hit_rate: of_popular(None),
        });
        Self { lists, findings }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Customers 0 to 9 are of segment 0, 10 to 19 of segment 1. On day 1 each buys half of products 0 to 23. Around day 385 half of
    /// segment 0 buys products 24 to 27, and half of segment 1 products 28 to 31; on day 410 the others do.
    fn example() -> (Purchases, Vec<Option<u32>>) {
        let mut purchases = Purchases { held_out_from: Some(405 * DAY), ..Purchases::default() };
        let mut add = |customer: u32, product: u32, day: i64| {
            purchases.orders.push(purchases.customers.len() as u32);
            purchases.customers.push(customer);
            purchases.products.push(product);
            purchases.times.push(day * DAY);
            purchases.quantities.push(1.0);
            purchases.spend.push(1.0);
        };
        for customer in 0..20 {
            (0..24).filter(|product| (customer + product) % 2 == 0).for_each(|product| add(customer, product, 1));
            let day = if customer % 2 == 0 { 380 + i64::from(customer % 10) } else { 410 };
            (0..4).for_each(|product| add(customer, 24 + 4 * (customer / 10) + product, day));
        }
        (purchases, (0..20).map(|customer| Some(customer / 10)).collect())
    }

    #[test]
    fn a_segment_is_told_what_others_of_it_bought_for_the_first_time_of_late() {
        let (purchases, segments) = example();
        // The newest tenth of what is known has some of both.
        let offers = Offers::of(&purchases.known(), &purchases.held_out(), &segments, 2, 32);
        assert_eq!((offers.lists[0][0].product, offers.lists[1][0].product), (24, 28));
        assert_eq!((offers.lists[0][0].bought, offers.lists[0][0].waiting), (5, 5));
        let found = offers.findings.expect("orders that are held out");
        assert!(found.days.is_some(), "{found:?}");
        assert_eq!((found.customers, found.hit_rate, found.popularity_hit_rate), (10, 1.0, 0.0));
    }

    #[test]
    fn chances_are_those_of_customers_who_have_not_bought_drawn_to_those_of_all() {
        let (purchases, of) = example();
        let segments = Segments { of: &of, count: 2, num_products: 32 };
        let first = FirstPurchases::of(&purchases.known());
        let lists = segments.lists(&first, Some(30));
        let of_product = |product: u32| *lists[0].iter().find(|mail| mail.product == product).expect("in the list");
        // Of all, 5 of 20 bought product 24; of the segment 5 of 10.
        let of_all = 5.0 / (20.0 + PRIOR);
        assert!((of_product(24).chance - (5.0 + PRIOR * of_all) / (10.0 + PRIOR)).abs() < 1e-12);
        // Product 0 was bought before.
        assert_eq!((of_product(0).chance, of_product(0).waiting), (0.0, 5));
        assert_eq!(segments.popular(&first, None)[0], 0);
        assert_eq!(segments.popular(&first, Some(30))[0], 24);
    }
}
