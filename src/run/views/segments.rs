//! Purchases: segments of customers, communities of products, and what is bought together.
//!
//! | file | what it holds |
//! |---|---|
//! | `segments.csv`, `segments.png` | size, spend, habits and typical products of each segment; the same beside the average |
//! | `seasons.png` | the months in which each segment spends |
//! | `stability.png` | how well each number of segments comes out again |
//! | `customers.csv` | the segment and habits of each customer, and what to offer |
//! | `mail.csv` | the products that a segment is likely to buy first |
//! | `communities.csv` | the community of each product |
//! | `bought-together.csv` | pairs of products by their lift |

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{DateTime, Datelike};

use super::album::{Album, Shown};
use super::products::{self, ProductView};
use crate::data::{Entity, Habits, Purchases, UNKNOWN};
use crate::error::Result;
use crate::eval::GroupStability;
use crate::linalg::{Dense, Groups};
use crate::report::plot::{self, Series};

/// Typical products that a segment or community is described by.
const TYPICAL: usize = 5;
/// Products that a customer's line offers.
const OFFERED: usize = 3;
/// Products that the list of a segment has.
const LISTED: usize = 20;
/// Months that are shown, the newest.
const MONTHS: usize = 24;
/// Logarithms to base 2, and standard deviations, from which on shades are full.
const FULL: f64 = 1.5;

/// A product to tell a segment about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mail {
    pub product: u32,
    /// Of those of the segment who have not bought it, the share that is expected to, within as many days as were looked at.
    pub chance: f64,
    /// How many of the segment have bought it.
    pub bought: usize,
    /// How many have not.
    pub waiting: usize,
}

/// What there is to be shown.
pub struct SegmentView<'a> {
    pub customers: &'a Entity,
    pub products: ProductView<'a>,
    /// Without what is held out.
    pub known: &'a Purchases,
    /// Of each customer.
    pub habits: &'a [Option<Habits>],
    /// Of each customer.
    pub segment_of: &'a [Option<u32>],
    /// How many there are.
    pub segments: usize,
    /// The products that each customer bought, ascending.
    pub bought: &'a Groups,
    pub tried: &'a [GroupStability],
    pub tried_by_habits: &'a [GroupStability],
    /// For each segment all products, the likeliest first.
    pub mail: &'a [Vec<Mail>],
}

/// Writes the tables and pictures of segments into `folder`.
///
/// # Errors
/// Those of [`views`](super::views).
pub fn segment_views(view: &SegmentView, folder: &Path) -> Result<Vec<Shown>> {
    let mut album = Album::new(folder);
    let buyers = view.buyers();
    let described: Vec<Described> = (0..view.segments).map(|segment| view.described(segment, &buyers)).collect();
    let monthly = monthly(view);
    segments(view, &described, &monthly, &mut album)?;
    profile(view, &described, &mut album)?;
    seasons(&described, &monthly, &mut album)?;
    stability(view, &mut album)?;
    customers(view, &mut album)?;
    mail(view, &mut album)?;
    products::communities(&view.products, &view.spend_on_products(), &mut album)?;
    products::bought_together(&view.products, &mut album)?;
    Ok(album.files)
}

/// A segment in numbers.
struct Described {
    customers: usize,
    share: f64,
    spend: f64,
    share_of_spend: f64,
    /// Medians.
    habits: Habits,
    typical: Vec<u32>,
    /// Means of the habits less those of all, over the standard deviation of all.
    distances: [f64; 3],
}

impl Described {
    fn name(&self, segment: usize) -> String {
        let percent = |share: f64| format!("{:.0} %", 100.0 * share);
        format!("{}: {}, {} of spend", segment + 1, percent(self.share), percent(self.share_of_spend))
    }

    /// What stands out, in words.
    fn words(&self) -> String {
        const STANDS_OUT: f64 = 0.5;
        let words = [["long ago", "recently"], ["seldom", "often"], ["for little", "for much"]];
        let found = self.distances.iter().zip(words).filter(|(distance, _)| distance.abs() > STANDS_OUT);
        let found: Vec<&str> = found.map(|(distance, words)| words[usize::from(*distance > 0.0)]).collect();
        if found.is_empty() { "average".into() } else { found.join(", ") }
    }
}

/// The value in the middle, or the lower one of two.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

/// ln(1 + days), negative, ln(orders) and ln(1 + spend).
fn logarithms(habits: &Habits) -> [f64; 3] {
    [-habits.recency.ln_1p(), habits.frequency.max(1.0).ln(), habits.monetary.ln_1p()]
}

impl SegmentView<'_> {
    fn members(&self, segment: usize) -> Vec<usize> {
        (0..self.segment_of.len()).filter(|&customer| self.segment_of[customer] == Some(segment as u32)).collect()
    }

    fn described(&self, segment: usize, buyers: &[Vec<usize>]) -> Described {
        let members = self.members(segment);
        let own: Vec<Habits> = members.iter().filter_map(|&customer| self.habits[customer]).collect();
        let all: Vec<Habits> = self.habits.iter().flatten().copied().collect();
        let spend: f64 = own.iter().map(|habits| habits.monetary).sum();
        let whole: f64 = all.iter().map(|habits| habits.monetary).sum();
        let mean = |habits: &[Habits], at: usize| {
            habits.iter().map(|own| logarithms(own)[at]).sum::<f64>() / habits.len().max(1) as f64
        };
        let distances = [0, 1, 2].map(|at| {
            let middle = mean(&all, at);
            let squares: f64 = all.iter().map(|own| (logarithms(own)[at] - middle).powi(2)).sum();
            let deviation = (squares / all.len().max(1) as f64).sqrt();
            if deviation > 0.0 { (mean(&own, at) - middle) / deviation } else { 0.0 }
        });
        let of = |value: fn(&Habits) -> f64| median(own.iter().map(value).collect());
        Described {
            customers: members.len(),
            share: members.len() as f64 / all.len().max(1) as f64,
            spend,
            share_of_spend: if whole > 0.0 { spend / whole } else { 0.0 },
            habits: Habits {
                recency: of(|habits| habits.recency),
                frequency: of(|habits| habits.frequency),
                monetary: of(|habits| habits.monetary),
            },
            typical: self.typical(&buyers[segment], buyers, members.len()),
            distances,
        }
    }

    /// The products that are bought by more customers of a segment than of all, by their cautious lift.
    fn typical(&self, own: &[usize], buyers: &[Vec<usize>], size: usize) -> Vec<u32> {
        let all = |product: usize| buyers.iter().map(|segment| segment[product]).sum::<usize>();
        let share = size as f64 / self.habits.iter().flatten().count().max(1) as f64;
        let lift = |product: usize| {
            let count = own[product] as f64;
            (count - count.sqrt()) / (share * all(product).max(1) as f64)
        };
        let mut products: Vec<usize> = (0..own.len()).filter(|&product| own[product] > 1).collect();
        products.sort_by(|&a, &b| lift(b).total_cmp(&lift(a)));
        products.into_iter().take(TYPICAL).map(|product| product as u32).collect()
    }

    /// How many customers of each segment bought each product.
    fn buyers(&self) -> Vec<Vec<usize>> {
        let mut buyers = vec![vec![0; self.products.entity.ids.len()]; self.segments];
        for (segment, products) in self.segment_of.iter().zip(self.bought.iter()) {
            if let Some(segment) = segment {
                products.iter().for_each(|&product| buyers[*segment as usize][product as usize] += 1);
            }
        }
        buyers
    }

    fn spend_on_products(&self) -> Vec<f64> {
        let mut spend = vec![0.0; self.products.entity.ids.len()];
        self.lines().for_each(|line| spend[self.known.products[line] as usize] += self.known.spend[line]);
        spend
    }

    /// The lines that buy a known product for a known customer.
    fn lines(&self) -> impl Iterator<Item = usize> {
        (0..self.known.len()).filter(|&line| {
            self.known.is_order(line) && self.known.customers[line] != UNKNOWN && self.known.products[line] != UNKNOWN
        })
    }

    /// What each segment spends on each of `count` things, `[segments, count]`, over what it would spend on it if it spent like all; in
    /// logarithms to base 2.
    fn index(&self, count: usize, of_line: impl Fn(usize) -> Option<usize>) -> Vec<Vec<f64>> {
        let mut spend = vec![vec![0.0; count]; self.segments];
        for line in self.lines() {
            let segment = self.segment_of[self.known.customers[line] as usize];
            if let Some((segment, thing)) = segment.zip(of_line(line)) {
                spend[segment as usize][thing] += self.known.spend[line].max(0.0);
            }
        }
        let whole: f64 = spend.iter().flatten().sum();
        let of_thing: Vec<f64> = (0..count).map(|thing| spend.iter().map(|row| row[thing]).sum()).collect();
        let row = |own: &Vec<f64>| -> Vec<f64> {
            let all: f64 = own.iter().sum();
            let index = |(own, thing): (&f64, &f64)| {
                let expected = all * thing / whole;
                if expected > 0.0 { (own / expected).max(2.0_f64.powf(-FULL)).log2() } else { 0.0 }
            };
            own.iter().zip(&of_thing).map(index).collect()
        };
        spend.iter().map(row).collect()
    }
}

/// `segments.csv`.
fn segments(view: &SegmentView, described: &[Described], monthly: &Monthly, album: &mut Album) -> Result<()> {
    let header = [
        "segment",
        "customers",
        "share_of_customers",
        "spend",
        "share_of_spend",
        "median_days_since_order",
        "median_orders",
        "median_spend",
        "buy",
        "typical_products",
        "strongest_month",
    ];
    let Monthly { months, index } = monthly;
    let line = |(segment, own): (usize, &Described)| {
        let strongest = index[segment].iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        vec![
            (segment + 1).to_string(),
            own.customers.to_string(),
            format!("{:.4}", own.share),
            format!("{:.2}", own.spend),
            format!("{:.4}", own.share_of_spend),
            format!("{:.1}", own.habits.recency),
            own.habits.frequency.to_string(),
            format!("{:.2}", own.habits.monetary),
            own.words(),
            view.products.names(&own.typical),
            strongest.map_or(String::new(), |(month, _)| months[month].clone()),
        ]
    };
    let lines: Vec<_> = described.iter().enumerate().map(line).collect();
    album.table("segments.csv", "segments of customers, the one that spends most first", &header, &lines)
}

/// `segments.png`.
fn profile(view: &SegmentView, described: &[Described], album: &mut Album) -> Result<()> {
    let by_community = view.index(view.products.communities, |line| {
        view.products.community_of[view.known.products[line] as usize].map(|community| community as usize)
    });
    let columns: Vec<String> = ["recent", "orders", "spend"]
        .map(String::from)
        .into_iter()
        .chain((1..=view.products.communities).map(|community| format!("com. {community}")))
        .collect();
    let rows: Vec<Vec<f64>> = described
        .iter()
        .zip(by_community)
        .map(|(own, index)| own.distances.into_iter().chain(index).collect())
        .collect();
    let title = "Segments: habits, and communities of products";
    heat_map(album, "segments.png", title, described, &rows, &columns)
}

/// `seasons.png`.
fn seasons(described: &[Described], Monthly { months, index }: &Monthly, album: &mut Album) -> Result<()> {
    let first = months.len().saturating_sub(MONTHS);
    let rows: Vec<Vec<f64>> = index.iter().map(|row| row[first..].to_vec()).collect();
    heat_map(album, "seasons.png", "Segments: the months they spend in", described, &rows, &months[first..])
}

/// The months in which something was bought, and how much each segment spends in them.
struct Monthly {
    months: Vec<String>,
    /// As [`SegmentView::index`] gives it.
    index: Vec<Vec<f64>>,
}

fn monthly(view: &SegmentView) -> Monthly {
    let month = |line: usize| {
        let date = DateTime::from_timestamp(view.known.times[line], 0).unwrap_or_default();
        (date.year(), date.month())
    };
    let mut places: BTreeMap<(i32, u32), usize> = view.lines().map(|line| (month(line), 0)).collect();
    places.values_mut().enumerate().for_each(|(at, place)| *place = at);
    let months = places.keys().map(|(year, month)| format!("{:02}-{month:02}", year.rem_euclid(100))).collect();
    let index = view.index(places.len(), |line| places.get(&month(line)).copied());
    Monthly { months, index }
}

/// Shades from far below (white) to far above (dark) the average.
fn heat_map(
    album: &mut Album,
    file: &str,
    title: &str,
    described: &[Described],
    rows: &[Vec<f64>],
    columns: &[String],
) -> Result<()> {
    let names: Vec<String> = described.iter().enumerate().map(|(segment, own)| own.name(segment)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let matrix = Dense::from_fn(rows.len(), columns.len(), |row, column| rows[row][column] as f32);
    let caption = format!("{title}; white below the average of all customers, dark above it");
    let chart = plot::heat_map(title, &matrix, [&names, &columns], (-FULL, FULL));
    album.chart(file, &caption, &chart)
}

/// `stability.png`, where several numbers of segments were tried.
fn stability(view: &SegmentView, album: &mut Album) -> Result<()> {
    if view.tried.len() < 2 {
        return Ok(());
    }
    let series = |(name, tried): (&str, &[GroupStability])| Series {
        name: name.into(),
        points: tried.iter().map(|own| (own.groups as f64, own.agreement)).collect(),
    };
    let curves = [("segments", view.tried), ("by habits alone", view.tried_by_habits)].into_iter();
    let curves: Vec<Series> = curves.filter(|(_, tried)| !tried.is_empty()).map(series).collect();
    let title = "How well segments come out again";
    let chart = plot::curves(title, "number of segments", "adjusted Rand index of bootstrap pairs", &curves);
    album.chart("stability.png", "how well each number of segments comes out again", &chart)
}

/// `customers.csv`.
fn customers(view: &SegmentView, album: &mut Album) -> Result<()> {
    let mut lines = Vec::new();
    for (customer, habits) in view.habits.iter().enumerate() {
        let Some((segment, habits)) = view.segment_of[customer].zip(*habits) else { continue };
        let list = view.mail[segment as usize].iter().map(|mail| mail.product);
        let new = list.filter(|product| view.bought.get(customer).binary_search(product).is_err());
        lines.push(vec![
            view.customers.ids.id(customer).into(),
            (segment + 1).to_string(),
            format!("{:.1}", habits.recency),
            habits.frequency.to_string(),
            format!("{:.2}", habits.monetary),
            view.products.names(&new.take(OFFERED).collect::<Vec<_>>()),
        ]);
    }
    let header = ["customer", "segment", "days_since_order", "orders", "spend", "offer"];
    album.table("customers.csv", "the segment of each customer, and what to offer", &header, &lines)
}

/// `mail.csv`.
fn mail(view: &SegmentView, album: &mut Album) -> Result<()> {
    let mut lines = Vec::new();
    for (segment, list) in view.mail.iter().enumerate() {
        for (place, mail) in list.iter().filter(|mail| mail.waiting > 0).take(LISTED).enumerate() {
            lines.push(vec![
                (segment + 1).to_string(),
                (place + 1).to_string(),
                view.products.entity.ids.id(mail.product as usize).into(),
                view.products.name(mail.product).into(),
                mail.bought.to_string(),
                mail.waiting.to_string(),
                format!("{:.5}", mail.chance),
            ]);
        }
    }
    let header = ["segment", "place", "product", "title", "customers_with_it", "customers_without_it", "chance"];
    album.table("mail.csv", "what to tell a segment about: products that many are likely to buy first", &header, &lines)
}
