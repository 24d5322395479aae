//! Dot products, lengths and sums of columns.
//!
//! One sum after another waits for itself, several side by side fill the vector registers. Both have their place, and
//! they round differently, so each is a function of its own:
//!
//! | function | precision | order |
//! |---|---|---|
//! | [`dot`] | f64 | one term after the other |
//! | [`dot_in_eight`] | f64 | eight sums, then one after the other |
//! | [`dot_f32_in_eight`] | f32 | eight sums, then in pairs |
//! | [`dot_f32_in_sixteen`] | f32 | sixteen sums, then one after the other |

/// xᵀy in f64, one term after the other. What one vector has more than the other does not count.
pub fn dot(x: &[f32], y: &[f32]) -> f64 {
    x.iter().zip(y).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum()
}

/// xᵀy in f64, in eight sums.
#[inline(always)]
pub fn dot_in_eight(x: &[f32], y: &[f32]) -> f64 {
    let ((x, x_rest), (y, y_rest)) = (x.as_chunks::<8>(), y.as_chunks::<8>());
    let mut sums = [0.0; 8];
    for (x, y) in x.iter().zip(y) {
        for lane in 0..8 {
            sums[lane] += f64::from(x[lane]) * f64::from(y[lane]);
        }
    }
    for (&x, &y) in x_rest.iter().zip(y_rest) {
        sums[0] += f64::from(x) * f64::from(y);
    }
    sums.iter().sum()
}

/// xᵀy in f32, in eight sums.
#[inline(always)]
pub fn dot_f32_in_eight(x: &[f32], y: &[f32]) -> f32 {
    let ((x, x_rest), (y, y_rest)) = (x.as_chunks::<8>(), y.as_chunks::<8>());
    let mut sums = [0.0f32; 8];
    for (x, y) in x.iter().zip(y) {
        for lane in 0..8 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    let rest: f32 = x_rest.iter().zip(y_rest).map(|(x, y)| x * y).sum();
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + e) + (b + f)) + ((c + g) + (d + h)) + rest
}

/// xᵀy in f32, in sixteen sums.
#[inline]
pub fn dot_f32_in_sixteen(x: &[f32], y: &[f32]) -> f32 {
    let ((x, x_rest), (y, y_rest)) = (x.as_chunks::<16>(), y.as_chunks::<16>());
    let mut sums = [0.0f32; 16];
    for (x, y) in x.iter().zip(y) {
        for ((sum, x), y) in sums.iter_mut().zip(x).zip(y) {
            *sum += x * y;
        }
    }
    let rest: f32 = x_rest.iter().zip(y_rest).map(|(x, y)| x * y).sum();
    sums.iter().sum::<f32>() + rest
}

/// ‖x‖ in f64, the squares added one after the other.
pub fn norm(x: &[f32]) -> f64 {
    dot(x, x).sqrt()
}

/// Σ over the rows of a matrix, `values` being its rows of `width` numbers: `[width]`, in f64 and in the order of the
/// rows.
///
/// # Panics
/// If `width` is 0.
pub fn column_sums(values: &[f32], width: usize) -> Vec<f64> {
    sums_of(values, width, |value| value)
}

/// ‖column‖² of each column of a matrix, as [`column_sums`].
///
/// # Panics
/// If `width` is 0.
pub fn column_squares(values: &[f32], width: usize) -> Vec<f64> {
    sums_of(values, width, |value| value * value)
}

fn sums_of(values: &[f32], width: usize, term: impl Fn(f64) -> f64) -> Vec<f64> {
    let mut sums = vec![0.0; width];
    for row in values.chunks_exact(width) {
        sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum += term(f64::from(value)));
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Products of small integers are exact in f32, so that all orders agree.
    #[test]
    fn every_order_gives_the_naive_sum_at_every_length() {
        for length in (0..=35).chain([64, 100]) {
            let x: Vec<f32> = (0..length).map(|at| (at * 7 % 11) as f32 - 5.0).collect();
            let y: Vec<f32> = (0..length).map(|at| (at * 5 % 13) as f32 - 6.0).collect();
            let expected: f64 = (0..length).map(|at| f64::from(x[at] * y[at])).sum();
            let wide = [dot(&x, &y), dot_in_eight(&x, &y)];
            let narrow = [dot_f32_in_eight(&x, &y), dot_f32_in_sixteen(&x, &y)].map(f64::from);
            assert_eq!([wide, narrow], [[expected; 2]; 2], "length {length}");
        }
        assert_eq!(norm(&[3.0, -4.0]), 5.0);
    }

    #[test]
    fn columns_are_summed_over_rows() {
        let values = [1.0, 2.0, -3.0, 4.0, 5.0, 6.0];
        assert_eq!(column_sums(&values, 3), [5.0, 7.0, 3.0]);
        assert_eq!(column_squares(&values, 3), [17.0, 29.0, 45.0]);
        assert_eq!(column_sums(&[], 2), [0.0; 2]);
    }
}
