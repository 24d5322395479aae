//! The tree-structured Parzen estimator (Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization").
//!
//! Earlier trials are divided into the best ones and the rest, whose densities l(x) and g(x) are estimated. Of some
//! candidates drawn from l, the one with the largest l(x)/g(x) is tried, which maximizes expected improvement (section
//! 4.1 there).
//!
//! A density is a mixture with one component per observation, and one that is uniform. A component is a product of
//! kernels, one per key, so that dependent keys stay together, as in BOHB (Falkner et al. 2018); the paper has a
//! separate mixture for each key. In a key that an observation does not have, its component is uniform: this covers
//! keys that apply only under some choice.
//!
//! Kernels are defined on the unit interval of [`Domain::position`]. Of numbers: normal, reflected at both ends, with
//! the width 0.2 · n^(−1/(d + 4)) for n observations in d keys (Scott 1992), at least 0.01. Of choices with K values:
//! the observed value with probability 1 − K/(n + K), otherwise any.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::space::{Domain, Point, Space};

/// Share of the observations that count as the best, and their largest number.
const BEST: (f64, usize) = (0.15, 25);

/// The next point to try. `history` has at least two points, the best first.
pub fn propose(space: &Space, history: &[&Point], candidates: usize, random: &mut ChaCha8Rng) -> Point {
    let best = ((BEST.0 * history.len() as f64).ceil() as usize).clamp(1, BEST.1);
    let (best, rest) = history.split_at(best.min(history.len()));
    let (good, bad) = (Density::of(space, best), Density::of(space, rest));
    let candidate = |_| {
        let point = good.draw(random);
        (good.log(&point) - bad.log(&point), point)
    };
    let scored = (0..candidates.max(1)).map(candidate);
    let best = scored.reduce(|best, other| if other.0 > best.0 { other } else { best });
    best.map(|(_, point)| point).expect("at least one candidate")
}

/// A mixture of products of kernels.
struct Density<'a> {
    space: &'a Space,
    /// Positions of the observations.
    centers: Vec<Vec<Option<f64>>>,
    /// Standard deviation of kernels of numbers.
    width: f64,
}

impl<'a> Density<'a> {
    fn of(space: &'a Space, points: &[&Point]) -> Self {
        let position = |(at, value): (usize, &Option<_>)| Some(space.dimensions[at].domain.position(value.as_ref()?));
        let centers: Vec<Vec<_>> =
            points.iter().map(|point| point.iter().enumerate().map(position).collect()).collect();
        let (count, dimensions) = (centers.len().max(1) as f64, space.dimensions.len() as f64);
        let width = (0.2 * count.powf(-1.0 / (dimensions + 4.0))).max(0.01);
        Self { space, centers, width }
    }

    /// A random point with this density.
    fn draw(&self, random: &mut ChaCha8Rng) -> Point {
        // One more component than observations: the uniform one.
        let component = random.random_range(0..self.centers.len() as u64 + 1) as usize;
        let centers = self.centers.get(component);
        self.space.walk(|at, domain| {
            let Some(center) = centers.and_then(|centers| centers[at]) else { return domain.draw(random) };
            match domain.choices() {
                Some(count) if random.random::<f64>() < self.any_choice(count) => domain.draw(random),
                Some(_) => domain.at(center),
                None => {
                    let step: f64 = random.sample(StandardNormal);
                    let beyond = (center + self.width * step).abs().rem_euclid(2.0);
                    domain.at(if beyond > 1.0 { 2.0 - beyond } else { beyond })
                }
            }
        })
    }

    /// Logarithm of the density at a point.
    fn log(&self, point: &Point) -> f64 {
        let positions: Vec<_> = (self.space.dimensions.iter().zip(point).enumerate())
            .filter_map(|(at, (dimension, value))| {
                Some((at, &dimension.domain, dimension.domain.position(value.as_ref()?)))
            })
            .collect();
        let uniform: f64 = positions.iter().map(|(_, domain, _)| uniform_density(domain)).product();
        let component = |centers: &Vec<Option<f64>>| -> f64 {
            let kernels = positions.iter().map(|&(at, domain, position)| match centers[at] {
                Some(center) => self.kernel(domain, center, position),
                None => uniform_density(domain),
            });
            kernels.product()
        };
        let sum = uniform + self.centers.iter().map(component).sum::<f64>();
        (sum / (self.centers.len() + 1) as f64).ln()
    }

    fn kernel(&self, domain: &Domain, center: f64, position: f64) -> f64 {
        if let Some(count) = domain.choices() {
            let any = self.any_choice(count);
            let own = if center == position { 1.0 - any } else { 0.0 };
            return own + any / count as f64;
        }
        let normal = |distance: f64| (-0.5 * (distance / self.width).powi(2)).exp();
        let images = [position - center, position + center, 2.0 - position - center];
        images.into_iter().map(normal).sum::<f64>() / (self.width * (2.0 * std::f64::consts::PI).sqrt())
    }

    /// Probability that a kernel of a choice ignores the observed value.
    fn any_choice(&self, count: usize) -> f64 {
        count as f64 / (self.centers.len() + count) as f64
    }
}

fn uniform_density(domain: &Domain) -> f64 {
    domain.choices().map_or(1.0, |count| 1.0 / count as f64)
}

#[cfg(test)]
mod tests {
    use super::super::space::{Condition, Dimension, Requirement};
    use super::*;
    use crate::random;

    fn dimension(key: &str, domain: Domain) -> Dimension {
        Dimension { key: key.into(), domain, when: vec![], requirement: Requirement::ALWAYS }
    }

    fn number(value: &Option<toml::Value>) -> f64 {
        let value = value.as_ref().expect("it applies");
        value.as_float().or(value.as_integer().map(|integer| integer as f64)).expect("a number")
    }

    /// The lowest value of `f` in `trials` trials, the first ten of them (or all, without TPE) random.
    fn search(space: &Space, f: &dyn Fn(&Point) -> f64, trials: usize, tpe: bool, seed: u64) -> f64 {
        let mut tried: Vec<(f64, Point)> = Vec::new();
        for trial in 0..trials {
            let mut random = random::stream(seed, &format!("trial/{trial}"));
            tried.sort_by(|a, b| a.0.total_cmp(&b.0));
            let history: Vec<&Point> = tried.iter().map(|(_, point)| point).collect();
            let point =
                if tpe && trial >= 10 { propose(space, &history, 24, &mut random) } else { space.draw(&mut random) };
            tried.push((f(&point), point));
        }
        tried.into_iter().map(|(value, _)| value).fold(f64::INFINITY, f64::min)
    }

    /// How often TPE ends lower than a random search of the same length, of 20 seeds, and the mean of both.
    fn contest(space: &Space, f: &dyn Fn(&Point) -> f64, trials: usize) -> (usize, f64, f64) {
        let pairs = (0..20).map(|seed| (search(space, f, trials, true, seed), search(space, f, trials, false, seed)));
        let pairs: Vec<(f64, f64)> = pairs.collect();
        let wins = pairs.iter().filter(|(tpe, random)| tpe < random).count();
        (wins, pairs.iter().map(|pair| pair.0).sum::<f64>() / 20.0, pairs.iter().map(|pair| pair.1).sum::<f64>() / 20.0)
    }

    #[test]
    fn it_beats_random_search_on_a_narrow_valley() {
        let unit = || Domain::Uniform { low: 0.0, high: 1.0 };
        let space = Space { dimensions: ["a", "b"].map(|key| dimension(key, unit())).into(), ties: vec![] };
        // The keys depend on each other, and the lowest point is near one end of both.
        let valley = |point: &Point| {
            let (a, b) = (number(&point[0]), number(&point[1]));
            10.0 * (a - b).powi(2) + (a + b - 1.8).powi(2)
        };
        let (wins, tpe, random) = contest(&space, &valley, 60);
        assert!(wins >= 15 && tpe < 0.3 * random, "{wins} of 20; {tpe} against {random}");
    }

    #[test]
    fn it_beats_random_search_where_keys_depend_on_a_choice() {
        let when = |word: &str| vec![Condition { key: "kind".into(), values: vec![word.into()] }];
        let space = Space {
            dimensions: vec![
                dimension("kind", Domain::Choice(["x", "y", "z"].map(toml::Value::from).into())),
                Dimension { when: when("x"), ..dimension("a", Domain::LogUniform { low: 1e-5, high: 1.0 }) },
                Dimension { when: when("y"), ..dimension("b", Domain::Int { low: 1, high: 100, step: 1, log: false }) },
                dimension("c", Domain::Uniform { low: 0.0, high: 1.0 }),
            ],
            ties: vec![],
        };
        let tree = |point: &Point| {
            let c = (number(&point[3]) - 0.7).powi(2);
            match (&point[1], &point[2]) {
                (a @ Some(_), None) => (number(a).log10() + 3.0).powi(2) / 4.0 + c,
                (None, b @ Some(_)) => 0.2 + (number(b) / 100.0 - 0.5).powi(2) + c,
                _ => 0.5 + c,
            }
        };
        let (wins, tpe, random) = contest(&space, &tree, 60);
        assert!(wins >= 15 && tpe < 0.3 * random, "{wins} of 20; {tpe} against {random}");
    }

    #[test]
    fn a_density_sums_to_one() {
        let space = Space {
            dimensions: vec![
                dimension("kind", Domain::Choice(["x", "y", "z"].map(toml::Value::from).into())),
                dimension("a", Domain::Uniform { low: 0.0, high: 1.0 }),
            ],
            ties: vec![],
        };
        let point = |kind: &str, a: f64| vec![Some(kind.into()), Some(a.into())];
        let observed = [point("x", 0.02), point("x", 0.5), point("z", 0.99)];
        let density = Density::of(&space, &observed.iter().collect::<Vec<_>>());
        let steps = 1000;
        let middles = (0..steps).map(|step| (f64::from(step) + 0.5) / f64::from(steps));
        let total: f64 =
            middles.flat_map(|a| ["x", "y", "z"].map(|kind| density.log(&point(kind, a)).exp())).sum::<f64>()
                / f64::from(steps);
        assert!((total - 1.0).abs() < 1e-6, "{total}");
    }
}
