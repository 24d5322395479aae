//! Least squares: non-negative, and with the least norm.

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

/// The shortest of all x with the least ½xᵀGx − bᵀx, G⁺b: the limit of (G + λI)⁻¹b for λ → 0. In f64.
///
/// From G = L·Lᵀ with as many columns in L as G has independent ones, x = L·(LᵀL)⁻²·Lᵀb. The next column of L is the one
/// with the largest pivot as a part of its place in the diagonal of G, until none is above `least_pivot`.
///
/// # Shapes
/// - `gram`: the columns of G, `[n, n]`, from the diagonal down; symmetric and without negative eigenvalues
/// - `right`: b, `[n]`
pub fn least_norm<'a>(gram: impl Iterator<Item = &'a [f32]>, right: &[f32], least_pivot: f32) -> Vec<f32> {
    let size = right.len();
    let mut cells = vec![0.0; size * size];
    for (column, numbers) in gram.enumerate() {
        for row in column..size {
            cells[column * size + row] = f64::from(numbers[row]);
            cells[row * size + column] = f64::from(numbers[row]);
        }
    }
    let diagonal: Vec<f64> = (0..size).map(|at| cells[at * size + at]).collect();
    let mut pivots = diagonal.clone();
    let mut factor: Vec<Vec<f64>> = Vec::new();
    while factor.len() < size {
        let part = |at: usize| if diagonal[at] > 0.0 { pivots[at] / diagonal[at] } else { 0.0 };
        let largest = (0..size).fold(0, |largest, at| if part(at) > part(largest) { at } else { largest });
        if part(largest) <= f64::from(least_pivot) {
            break;
        }
        let mut column = cells[largest * size..][..size].to_vec();
        for before in &factor {
            column.iter_mut().zip(before).for_each(|(number, other)| *number -= before[largest] * other);
        }
        let root = pivots[largest].sqrt();
        for (number, pivot) in column.iter_mut().zip(&mut pivots) {
            *number /= root;
            *pivot -= *number * *number;
        }
        pivots[largest] = 0.0;
        factor.push(column);
    }
    let inner = |left: &[f64], right: &[f64]| left.iter().zip(right).map(|(left, right)| left * right).sum::<f64>();
    let right: Vec<f64> = right.iter().map(|&number| f64::from(number)).collect();
    let small: Vec<Vec<f64>> =
        factor.iter().map(|row| factor.iter().map(|column| inner(row, column)).collect()).collect();
    let triangle = triangle(small);
    let mut weights: Vec<f64> = factor.iter().map(|column| inner(column, &right)).collect();
    (0..2).for_each(|_| solve(&triangle, &mut weights));
    let unknown = |at: usize| factor.iter().zip(&weights).map(|(column, weight)| column[at] * weight).sum::<f64>();
    (0..size).map(|at| unknown(at) as f32).collect()
}

/// L of A = L·Lᵀ for a positive definite A, row by row.
fn triangle(mut rows: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    for at in 0..rows.len() {
        let (before, rest) = rows.split_at_mut(at);
        let row = &mut rest[0];
        for (column, other) in before.iter().enumerate() {
            let taken: f64 = row[..column].iter().zip(other).map(|(left, right)| left * right).sum();
            row[column] = (row[column] - taken) / other[column];
        }
        let taken: f64 = row[..at].iter().map(|number| number * number).sum();
        row[at] = (row[at] - taken).sqrt();
    }
    rows
}

/// Solves L·Lᵀ·x = b in the place of b.
fn solve(triangle: &[Vec<f64>], x: &mut [f64]) {
    for at in 0..x.len() {
        let taken: f64 = triangle[at][..at].iter().zip(&*x).map(|(number, x)| number * x).sum();
        x[at] = (x[at] - taken) / triangle[at][at];
    }
    for at in (0..x.len()).rev() {
        let taken: f64 = (at + 1..x.len()).map(|later| triangle[later][at] * x[later]).sum();
        x[at] = (x[at] - taken) / triangle[at][at];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of three unknowns, two are tied to each other, in other units, and nothing depends on a fourth.
    #[test]
    fn of_many_solutions_the_shortest_is_found() {
        let gram = [[1.0f32, 1e-4, 0.0, 0.0], [1e-4, 1e-8, 0.0, 0.0], [0.0, 0.0, 4.0, 0.0], [0.0; 4]];
        let found = least_norm(gram.iter().map(|column| &column[..]), &[2.0, 2e-4, 8.0, 0.0], 4.0 * f32::EPSILON);
        // x₀ + 1e-4 x₁ = 2.
        let expected = [2.0 / (1.0 + 1e-8), 2e-4 / (1.0 + 1e-8), 2.0, 0.0];
        for (found, expected) in found.iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() <= 1e-6 * expected.abs(), "{found} for {expected}");
        }
        assert_eq!(least_norm([].into_iter(), &[], 1e-6), [0.0f32; 0]);
    }

    #[test]
    fn of_one_solution_that_is_found() {
        let gram = [[4.0f32, 2.0, 0.0], [2.0, 3.0, 1.0], [0.0, 1.0, 2.0]];
        let x = [1.0f32, -2.0, 0.5];
        let right = gram.map(|row| row.iter().zip(x).map(|(g, x)| g * x).sum());
        let found = least_norm(gram.iter().map(|column| &column[..]), &right, 3.0 * f32::EPSILON);
        for (found, expected) in found.iter().zip(x) {
            assert!((found - expected).abs() < 1e-6, "{found} for {expected}");
        }
    }

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
