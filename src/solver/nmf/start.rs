//! Where W and H begin.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use super::config::{NmfInit, NmfOptions};
use super::factors::Factors;
use super::problem::Zeros;
use crate::error::{Error, Result};
use crate::linalg::{Dense, Sides};
use crate::random::stream;
use crate::solver::svd::{SvdConfig, decompose};

/// The factors that `config` begins with.
///
/// # Errors
/// [`Error::Usage`] for given ones that do not fit, or a rank above a side for an NNDSVD.
pub(super) fn start(sides: &Sides<'_>, config: &NmfOptions) -> Result<Factors> {
    let matrix = sides.matrix();
    let (rows, columns, rank) = (matrix.rows(), matrix.columns(), config.rank);
    let cells = match config.problem.zeros {
        Zeros::Data => rows * columns,
        Zeros::Missing => matrix.stored(),
    };
    let mean = matrix.sum() / cells as f64;
    let density = cells as f64 / (rows * columns) as f64;
    match &config.start {
        NmfInit::Given(w, h) => {
            for (name, factor, shape) in [("W", w, (rows, rank)), ("H", h, (rank, columns))] {
                if (factor.rows(), factor.columns()) != shape {
                    let ((given, by), (needed, width)) = ((factor.rows(), factor.columns()), shape);
                    return Err(Error::Usage(format!(
                        "the given {name} is {given} × {by}; it has to be {needed} × {width}"
                    )));
                }
                if let Some(value) = factor.values().iter().find(|value| !(value.is_finite() && **value >= 0.0)) {
                    return Err(Error::Usage(format!("the given {name} holds {value}; all are finite numbers ≥ 0")));
                }
            }
            Ok(Factors { w: w.clone(), ht: h.transposed() })
        }
        NmfInit::Random => {
            let scale = (mean / rank as f64).sqrt() as f32;
            Ok(Factors {
                w: random(rows, rank, scale, &mut stream(config.seed, "nmf/w")),
                ht: random(columns, rank, scale, &mut stream(config.seed, "nmf/h")),
            })
        }
        NmfInit::Nndsvd => double_svd(sides, config, density),
        NmfInit::Nndsvda => {
            let mut factors = double_svd(sides, config, density)?;
            for factor in [&mut factors.w, &mut factors.ht] {
                let zeros = factor.values_mut().iter_mut().filter(|value| **value == 0.0);
                zeros.for_each(|value| *value = mean as f32);
            }
            Ok(factors)
        }
    }
}

fn random(rows: usize, rank: usize, scale: f32, random: &mut impl Rng) -> Dense {
    Dense::from_fn(rows, rank, |_, _| {
        let value: f32 = StandardNormal.sample(random);
        scale * value.abs()
    })
}

/// Non-negative double SVD. Missing cells are zeros in it, for which the factors are made larger: by 1/√`density` each.
fn double_svd(sides: &Sides<'_>, config: &NmfOptions, density: f64) -> Result<Factors> {
    // A start need not be accurate.
    let svd = decompose(sides, &SvdConfig { tolerance: 1e-3, seed: config.seed, ..SvdConfig::new(config.rank) })?;
    let mut w = Dense::zeros(svd.left.rows(), config.rank);
    let mut ht = Dense::zeros(svd.right.rows(), config.rank);
    for (component, &singular_value) in svd.singular_values.iter().enumerate() {
        let column = |of: &Dense, sign: f64| -> (Vec<f64>, f64) {
            let entries = of.values().iter().skip(component).step_by(config.rank);
            // The leading pair has one sign but for rounding: all of it counts.
            let part =
                |&value: &f32| if component == 0 { f64::from(value.abs()) } else { (sign * f64::from(value)).max(0.0) };
            let mut part: Vec<f64> = entries.map(part).collect();
            // Rounding leaves traces if the vector is zero.
            let trace = f64::from(f32::EPSILON) * part.iter().copied().fold(0.0, f64::max);
            part.iter_mut().filter(|value| **value < trace).for_each(|value| *value = 0.0);
            let norm = part.iter().map(|value| value * value).sum::<f64>().sqrt();
            (part, norm)
        };
        let [(product, u, v), other] = [1.0, -1.0].map(|sign| {
            let ((left, left_norm), (right, right_norm)) = (column(&svd.left, sign), column(&svd.right, sign));
            (left_norm * right_norm, (left, left_norm), (right, right_norm))
        });
        let (product, u, v) = if other.0 > product { other } else { (product, u, v) };
        let scale = (singular_value * product / density).sqrt();
        for (factor, (part, norm)) in [(&mut w, u), (&mut ht, v)] {
            let entries = factor.values_mut().iter_mut().skip(component).step_by(config.rank);
            // A pair without either sign in common starts as zeros.
            entries.zip(part).filter(|_| norm > 0.0).for_each(|(entry, value)| *entry = (scale * value / norm) as f32);
        }
    }
    Ok(Factors { w, ht })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::Matrix;

    #[test]
    fn the_double_svd_is_that_of_scikit_learn() {
        let cell = |i: usize, j: usize| {
            let (i, j) = (i as f64, j as f64);
            ((1.0 + 0.7 * i * i + 1.3 * j * (i + 1.0)).sin() + 0.4).max(0.0) as f32
        };
        let matrix = Matrix::Dense(Dense::from_fn(13, 9, cell));
        let sides = Sides::new(&matrix);
        let config = |kind| NmfOptions { start: kind, ..NmfOptions::new(3) };
        let Factors { w, ht } = start(&sides, &config(NmfInit::Nndsvd)).expect("fits");
        let close =
            |ours: f32, theirs: f64| assert!((f64::from(ours) - theirs).abs() < 1e-5, "{ours} against {theirs}");
        (0..13).for_each(|row| close(w.row(row)[1], NNDSVD_W[row]));
        (0..9).for_each(|row| close(ht.row(row)[2], NNDSVD_H[row]));
        let mean = matrix.sum() / 117.0;
        let filled = start(&sides, &config(NmfInit::Nndsvda)).expect("fits");
        for (plain, filled) in w.values().iter().zip(filled.w.values()) {
            close(*filled, if *plain == 0.0 { mean } else { f64::from(*plain) });
        }
    }

    // Printed by tests/scripts/reference_matrix.py.

    const NNDSVD_W: [f64; 13] = [
        0.448039091,
        0.0,
        0.82909741,
        0.151537537,
        0.0502960865,
        0.75981311,
        0.0,
        0.331172212,
        0.0,
        0.12510353,
        0.0,
        0.295471471,
        0.0,
    ];
    const NNDSVD_H: [f64; 9] = [0.0, 0.253768685, 0.0, 0.369413695, 0.663390544, 0.0, 0.0, 0.709264285, 0.448243532];
}
