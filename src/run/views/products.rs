//! Products of purchases: communities, and what is bought together.

use super::album::Album;
use super::findings::TogetherFindings;
use crate::data::Entity;
use crate::error::Result;
use crate::eval::{Baskets, Completion, Partner};
use crate::linalg::Groups;

/// What products are shown by.
#[derive(Clone, Copy)]
pub struct ProductView<'a> {
    pub entity: &'a Entity,
    /// Of each product.
    pub community_of: &'a [Option<u32>],
    /// How many there are.
    pub communities: usize,
    pub baskets: &'a Baskets,
    pub together: Option<&'a BoughtTogether>,
}

impl<'a> ProductView<'a> {
    /// The title of a product, or its id.
    pub fn name(&self, product: u32) -> &'a str {
        let title = self.entity.title(product as usize).filter(|title| !title.is_empty());
        title.unwrap_or(self.entity.ids.id(product as usize))
    }

    /// The names of several.
    pub fn names(&self, products: &[u32]) -> String {
        products.iter().map(|&product| self.name(product)).collect::<Vec<_>>().join("; ")
    }
}

/// Pairs of products, the strongest first, and what was found about them.
pub struct BoughtTogether {
    pairs: Vec<(u32, Partner)>,
    /// Held-out orders with both products of each, and how many there would be by chance.
    later: Vec<(usize, f64)>,
    pub findings: TogetherFindings,
}

impl BoughtTogether {
    /// Pairs of `baskets`, seen again in `later` ones.
    pub fn new(pairs: Vec<(u32, Partner)>, completion: Option<Completion>, baskets: &Baskets, later: &Groups) -> Self {
        let held_out = Baskets::new(later.clone(), baskets.products());
        let again = |(product, partner): &(u32, Partner)| {
            let [one, other] = [*product as usize, partner.product as usize];
            (held_out.together(one, other), held_out.by_chance(one, other))
        };
        let has_later = held_out.count() > 0;
        let later: Vec<(usize, f64)> = if has_later { pairs.iter().map(again).collect() } else { Vec::new() };
        let ratio = |together: f64, by_chance: f64| (by_chance > 0.0).then(|| together / by_chance);
        let together = pairs.iter().map(|(_, partner)| f64::from(partner.baskets)).sum();
        let by_chance =
            pairs.iter().map(|(product, partner)| baskets.by_chance(*product as usize, partner.product as usize));
        let findings = TogetherFindings {
            pairs: pairs.len(),
            lift: ratio(together, by_chance.sum()),
            held_out_lift: ratio(later.iter().map(|own| own.0 as f64).sum(), later.iter().map(|own| own.1).sum()),
            asked: completion.map_or(0, |completion| completion.asked),
            hit_rate: completion.map(|completion| completion.by_lift),
            popularity_hit_rate: completion.map(|completion| completion.by_popularity),
        };
        Self { pairs, later, findings }
    }
}

/// `communities.csv`.
pub fn communities(view: &ProductView, spend: &[f64], album: &mut Album) -> Result<()> {
    if view.communities == 0 {
        return Ok(());
    }
    let mut products: Vec<(u32, u32)> = (0..)
        .zip(view.community_of)
        .filter_map(|(product, community)| community.map(|community| (community, product)))
        .collect();
    products.sort_by(|a, b| a.0.cmp(&b.0).then(view.baskets.with(b.1 as usize).cmp(&view.baskets.with(a.1 as usize))));
    let line = |&(community, product): &(u32, u32)| {
        vec![
            (community + 1).to_string(),
            view.entity.ids.id(product as usize).into(),
            view.name(product).into(),
            view.baskets.with(product as usize).to_string(),
            format!("{:.2}", spend[product as usize]),
        ]
    };
    let lines: Vec<_> = products.iter().map(line).collect();
    let header = ["community", "product", "title", "orders", "spend"];
    album.table("communities.csv", "products that the same customers buy", &header, &lines)
}

/// `bought-together.csv`.
pub fn bought_together(view: &ProductView, album: &mut Album) -> Result<()> {
    let Some(together) = view.together.filter(|together| !together.pairs.is_empty()) else { return Ok(()) };
    let line = |(at, (product, partner)): (usize, &(u32, Partner))| {
        let confidence = f64::from(partner.baskets) / view.baskets.with(*product as usize) as f64;
        let mut line = vec![
            view.name(*product).into(),
            view.name(partner.product).into(),
            partner.baskets.to_string(),
            format!("{confidence:.4}"),
            format!("{:.2}", partner.lift),
            format!("{:.2}", partner.cautious_lift),
        ];
        if let Some((again, by_chance)) = together.later.get(at) {
            line.push(again.to_string());
            line.push(format!("{by_chance:.3}"));
        }
        line
    };
    let lines: Vec<_> = together.pairs.iter().enumerate().map(line).collect();
    let mut header = vec!["product", "with", "orders", "confidence", "lift", "cautious_lift"];
    if !together.later.is_empty() {
        header.extend(["held_out_orders", "held_out_by_chance"]);
    }
    album.table("bought-together.csv", "pairs of products that are bought together", &header, &lines)
}
