//! Purchases: the lines of customers' orders, from which cells are counted, and habits and baskets follow.

use std::collections::HashMap;

use super::entity::UNKNOWN;
use super::interactions::Interactions;
use super::vocabulary::Vocabulary;
use crate::config::choice;
use crate::linalg::Groups;

choice! {
    /// What a cell of a customer and a product holds. Logarithms are ln(1 + x).
    #[derive(Default)]
    pub enum CellValue {
        /// 1.
        Bought = "bought",
        /// Orders of the customer that the product was in.
        Orders = "orders",
        /// Their logarithm.
        #[default]
        LogOrders = "log-orders",
        /// Pieces, less those that came back.
        Quantity = "quantity",
        /// Their logarithm.
        LogQuantity = "log-quantity",
        /// Quantity times price, less what was paid back.
        Spend = "spend",
        /// Its logarithm.
        LogSpend = "log-spend",
    }
}

/// Seconds of a day.
const DAY: f64 = 86_400.0;

/// The lines of orders, as a structure of arrays in the order of the file. A line with a quantity of 0 or less brings something
/// back: it counts in pieces and spend, but makes no order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Purchases {
    /// Who bought, a user of the data or [`UNKNOWN`].
    pub customers: Vec<u32>,
    /// What, an item of the data or [`UNKNOWN`].
    pub products: Vec<u32>,
    /// In which order, counted from 0.
    pub orders: Vec<u32>,
    /// When, in seconds since 1970.
    pub times: Vec<i64>,
    /// How many pieces; below 0 for what came back.
    pub quantities: Vec<f32>,
    /// Quantity times price; the quantity where there are no prices.
    pub spend: Vec<f64>,
    /// What cells hold.
    pub value: CellValue,
    /// The moment from which on orders are held out, if there is one.
    pub held_out_from: Option<i64>,
}

/// Recency, frequency and monetary value of a customer (Hughes 1994).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Habits {
    /// Days from the last order to the newest of all.
    pub recency: f64,
    /// Orders.
    pub frequency: f64,
    /// All that was spent, less what was paid back, and at least 0.
    pub monetary: f64,
}

/// What a customer's lines of a product add up to.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    orders: u32,
    quantity: f64,
    spend: f64,
    first: Option<i64>,
}

impl Purchases {
    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.customers.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.customers.is_empty()
    }

    /// The number of orders, those of other lines included.
    pub fn num_orders(&self) -> usize {
        self.orders.iter().max().map_or(0, |&last| last as usize + 1)
    }

    /// Whether a line makes an order.
    pub fn is_order(&self, line: usize) -> bool {
        self.quantities[line] > 0.0
    }

    /// The lines that are not held out.
    pub fn known(&self) -> Self {
        self.kept(|line| self.held_out_from.is_none_or(|from| self.times[line] < from))
    }

    /// The lines that are held out.
    pub fn held_out(&self) -> Self {
        self.kept(|line| self.held_out_from.is_some_and(|from| self.times[line] >= from))
    }

    fn kept(&self, keep: impl Fn(usize) -> bool) -> Self {
        fn of<T: Copy>(values: &[T], lines: &[usize]) -> Vec<T> {
            lines.iter().map(|&line| values[line]).collect()
        }
        let lines: Vec<usize> = (0..self.len()).filter(|&line| keep(line)).collect();
        Self {
            customers: of(&self.customers, &lines),
            products: of(&self.products, &lines),
            orders: of(&self.orders, &lines),
            times: of(&self.times, &lines),
            quantities: of(&self.quantities, &lines),
            spend: of(&self.spend, &lines),
            ..*self
        }
    }

    /// The same lines, told by other vocabularies of customers and products; what these do not have becomes [`UNKNOWN`].
    pub fn renumbered(mut self, old: [&Vocabulary; 2], new: [&Vocabulary; 2]) -> Self {
        for (column, (old, new)) in [&mut self.customers, &mut self.products].into_iter().zip(old.into_iter().zip(new))
        {
            let rows: Vec<u32> = old.ids().map(|id| new.index(id).unwrap_or(UNKNOWN)).collect();
            column.iter_mut().for_each(|row| *row = rows.get(*row as usize).copied().unwrap_or(UNKNOWN));
        }
        self
    }

    /// A cell for each product that a customer bought and did not bring back whole, in the order in which they were bought first, as
    /// the file has it: its value, and the moment of the first purchase.
    pub fn cells(&self) -> Interactions {
        let sums = self.sums();
        let mut cells = Interactions::default();
        for ((customer, product), sum) in sums {
            if sum.orders > 0 && sum.quantity > 0.0 {
                cells.push([customer, product], self.value_of(&sum), sum.first);
            }
        }
        cells
    }

    /// The values of these cells by the lines that are not held out; 0 for a cell that is all held out.
    pub fn known_values(&self, customers: &[u32], products: &[u32]) -> Vec<f32> {
        let sums: HashMap<(u32, u32), Sum> = self.known().sums().into_iter().collect();
        let value = |(&customer, &product)| sums.get(&(customer, product)).map_or(0.0, |sum| self.value_of(sum));
        customers.iter().zip(products).map(value).collect()
    }

    fn value_of(&self, sum: &Sum) -> f32 {
        let (quantity, spend) = (sum.quantity.max(0.0), sum.spend.max(0.0));
        let orders = f64::from(sum.orders);
        let value = match self.value {
            CellValue::Bought => 1.0,
            CellValue::Orders => orders,
            CellValue::LogOrders => orders.ln_1p(),
            CellValue::Quantity => quantity,
            CellValue::LogQuantity => quantity.ln_1p(),
            CellValue::Spend => spend,
            CellValue::LogSpend => spend.ln_1p(),
        };
        value as f32
    }

    fn sums(&self) -> Vec<((u32, u32), Sum)> {
        let mut places: HashMap<(u32, u32), usize> = HashMap::new();
        let mut sums: Vec<((u32, u32), Sum)> = Vec::new();
        // The orders that each cell is in.
        let mut visits: Vec<(usize, u32)> = Vec::new();
        for line in 0..self.len() {
            let pair = (self.customers[line], self.products[line]);
            if pair.0 == UNKNOWN || pair.1 == UNKNOWN {
                continue;
            }
            let place = *places.entry(pair).or_insert_with(|| {
                sums.push((pair, Sum::default()));
                sums.len() - 1
            });
            let sum = &mut sums[place].1;
            sum.quantity += f64::from(self.quantities[line]);
            sum.spend += self.spend[line];
            if self.is_order(line) {
                let time = self.times[line];
                sum.first = sum.first.map_or(Some(time), |first| Some(first.min(time)));
                visits.push((place, self.orders[line]));
            }
        }
        visits.sort_unstable();
        visits.dedup();
        visits.into_iter().for_each(|(place, _)| sums[place].1.orders += 1);
        sums
    }

    /// The newest moment of an order; `None` without one.
    pub fn newest(&self) -> Option<i64> {
        (0..self.len()).filter(|&line| self.is_order(line)).map(|line| self.times[line]).max()
    }

    /// The habits of each of so many customers, seen from the moment `today`; `None` for those without an order.
    pub fn habits(&self, customers: usize, today: i64) -> Vec<Option<Habits>> {
        let mut newest = vec![i64::MIN; customers];
        let mut spend = vec![0.0; customers];
        let mut orders: Vec<Vec<u32>> = vec![Vec::new(); customers];
        for line in (0..self.len()).filter(|&line| self.customers[line] != UNKNOWN) {
            let customer = self.customers[line] as usize;
            spend[customer] += self.spend[line];
            if self.is_order(line) {
                newest[customer] = newest[customer].max(self.times[line]);
                orders[customer].push(self.orders[line]);
            }
        }
        let of = |(customer, mut orders): (usize, Vec<u32>)| {
            orders.sort_unstable();
            orders.dedup();
            (!orders.is_empty()).then(|| Habits {
                recency: (today.saturating_sub(newest[customer]) as f64 / DAY).max(0.0),
                frequency: orders.len() as f64,
                monetary: spend[customer].max(0.0),
            })
        };
        orders.into_iter().enumerate().map(of).collect()
    }

    /// The products that each of so many customers bought, ascending, each once; without those that are [`UNKNOWN`].
    pub fn bought(&self, customers: usize) -> Groups {
        let lines = (0..self.len()).filter(|&line| self.is_order(line));
        let pairs = lines.map(|line| (self.customers[line], self.products[line]));
        let known = pairs.filter(|(customer, product)| *customer != UNKNOWN && *product != UNKNOWN);
        Groups::new(customers, known.map(|(customer, product)| (customer as usize, product))).sorted_and_distinct()
    }

    /// The products of each order, ascending, each once, without those that are [`UNKNOWN`]; orders of less than `least` products
    /// are left out.
    pub fn baskets(&self, least: usize) -> Groups {
        let lines = (0..self.len()).filter(|&line| self.is_order(line) && self.products[line] != UNKNOWN);
        let members = lines.map(|line| (self.orders[line] as usize, self.products[line]));
        let all = Groups::new(self.num_orders(), members).sorted_and_distinct();
        let large: Vec<&[u32]> = all.iter().filter(|basket| basket.len() >= least).collect();
        let members =
            large.iter().enumerate().flat_map(|(at, basket)| basket.iter().map(move |&product| (at, product)));
        Groups::new(large.len(), members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{ITEM, USER};

    /// Customer, product, order, day, quantity, price.
    fn of(lines: &[(u32, u32, u32, i64, f32, f64)]) -> Purchases {
        let mut purchases = Purchases::default();
        for &(customer, product, order, day, quantity, price) in lines {
            purchases.customers.push(customer);
            purchases.products.push(product);
            purchases.orders.push(order);
            purchases.times.push(day * 86_400);
            purchases.quantities.push(quantity);
            purchases.spend.push(f64::from(quantity) * price);
        }
        purchases
    }

    /// Customer 0 buys product 0 twice in one order and again later, product 1 once, and brings half of that back; customer 1
    /// brings back what was bought before the data begin, and all of product 1.
    fn example() -> Purchases {
        of(&[
            (0, 0, 0, 1, 2.0, 5.0),
            (1, 2, 1, 2, -3.0, 1.0),
            (0, 0, 0, 1, 1.0, 5.0),
            (0, 1, 2, 3, 4.0, 2.0),
            (0, 0, 2, 3, 1.0, 5.0),
            (1, 1, 3, 4, 1.0, 2.0),
            (0, 1, 4, 5, -2.0, 2.0),
            (1, 1, 5, 6, -1.0, 2.0),
        ])
    }

    #[test]
    fn cells_are_what_was_bought_and_kept() {
        for (value, expected) in [
            (CellValue::Bought, [1.0, 1.0]),
            (CellValue::Orders, [2.0, 1.0]),
            (CellValue::LogOrders, [3.0_f32.ln(), 2.0_f32.ln()]),
            (CellValue::Quantity, [4.0, 2.0]),
            (CellValue::Spend, [20.0, 4.0]),
            (CellValue::LogSpend, [21.0_f32.ln(), 5.0_f32.ln()]),
        ] {
            let cells = Purchases { value, ..example() }.cells();
            assert_eq!((cells.column(USER), cells.column(ITEM)), (&[0, 0][..], &[0, 1][..]), "{value}");
            assert_eq!(cells.targets, expected, "{value}");
            assert_eq!(cells.timestamps, Some(vec![86_400, 3 * 86_400]));
        }
    }

    #[test]
    fn habits_are_counted_in_days_orders_and_money() {
        let habits = example().habits(3, 6 * 86_400);
        let first = Habits { recency: 3.0, frequency: 2.0, monetary: 24.0 };
        // What came back was worth more than what was bought.
        let second = Habits { recency: 2.0, frequency: 1.0, monetary: 0.0 };
        assert_eq!(habits, [Some(first), Some(second), None]);
    }

    #[test]
    fn what_is_held_out_counts_nowhere_else() {
        let purchases = Purchases { held_out_from: Some(3 * 86_400), value: CellValue::Orders, ..example() };
        assert_eq!((purchases.known().len(), purchases.held_out().len()), (3, 5));
        assert_eq!(purchases.known_values(&[0, 0], &[0, 1]), [1.0, 0.0]);
        assert_eq!(purchases.known().newest(), Some(86_400));
    }

    #[test]
    fn baskets_are_sets_of_known_products() {
        let ids = |ids: &[&str]| Vocabulary::from_ids(ids.iter().copied());
        let (old, new) = (ids(&["a", "b", "c"]), ids(&["b", "a"]));
        let customers = ids(&["x", "y"]);
        let purchases = example().renumbered([&customers, &old], [&customers, &new]);
        let baskets = |least| purchases.baskets(least).iter().map(<[u32]>::to_vec).collect::<Vec<_>>();
        assert_eq!(baskets(1), [vec![1], vec![0, 1], vec![0]]);
        assert_eq!(baskets(2), [vec![0, 1]]);
        let bought = purchases.bought(2);
        assert_eq!((bought.get(0), bought.get(1)), (&[0, 1][..], &[0][..]));
        assert_eq!(purchases.products[1], UNKNOWN);
    }
}
