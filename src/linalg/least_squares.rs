//! Non-negative least squares.

use faer::Mat;

/// Sweeps over the unknowns at most.
const MAX_SWEEPS: usize = 1_000;

/// The w ≥ 0 with the least ½wᵀGw − bᵀw: with G = HᵀH and b = Hᵀa that with the least ‖H·w − a‖. By coordinate descent
/// from 0, until a sweep changes nothing by more than 1e-9 of the largest.
///
/// # Shapes
/// - `gram`: G, `[n, n]`, symmetric and without negative eigenvalues
/// - `right`: b, `[n]`
pub fn non_negative(gram: &Mat<f64>, right: &[f64]) -> Vec<f64> {
    let mut w = vec![0.0; right.len()];
    for _ in 0..MAX_SWEEPS {
        let (mut moved, mut most) = (0.0f64, 0.0f64);
        for t in 0..w.len() {
            let curvature = gram[(t, t)];
            if curvature <= 0.0 {
                continue;
            }
            let slope: f64 = gram.col(t).iter().zip(&w).map(|(g, w)| g * w).sum::<f64>() - right[t];
            let next = (w[t] - slope / curvature).max(0.0);
            // In units of H·w.
            moved = moved.max((next - w[t]).abs() * curvature.sqrt());
            most = most.max(next * curvature.sqrt());
            w[t] = next;
        }
        if moved <= 1e-9 * most {
            break;
        }
    }
    w
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_solution_is_that_of_the_system_where_it_has_no_negative_entry() {
        let gram = faer::mat![[2.0, 1.0], [1.0, 3.0]];
        let found = non_negative(&gram, &[4.0, 7.0]);
        assert!((found[0] - 1.0).abs() < 1e-8 && (found[1] - 2.0).abs() < 1e-8, "{found:?}");
        // Without the bound, (2, −1).
        let found = non_negative(&gram, &[3.0, -1.0]);
        assert!((found[0] - 1.5).abs() < 1e-12 && found[1] == 0.0, "{found:?}");
    }

    #[test]
    fn unknowns_that_nothing_depends_on_stay_zero() {
        assert_eq!(non_negative(&faer::mat![[0.0, 0.0], [0.0, 4.0]], &[1.0, 2.0]), [0.0, 0.5]);
        assert_eq!(non_negative(&Mat::zeros(0, 0), &[]), [0.0; 0]);
    }
}
