//! How far two divisions of the same things into groups agree.

/// How far two divisions of the same things into groups agree: the share of pairs that both put together or both apart, less what
/// chance would give, over the most that it could be (Hubert & Arabie 1985). 1 for the same groups, about 0 for groups that have
/// nothing to do with each other; 1 as well if both put everything together, or everything apart.
///
/// # Panics
/// If one has more things than the other.
pub fn adjusted_rand_index(one: &[u32], other: &[u32]) -> f64 {
    assert_eq!(one.len(), other.len(), "the same things");
    let count = |groups: &[u32]| groups.iter().max().map_or(0, |&most| most as usize + 1);
    let (rows, columns) = (count(one), count(other));
    let mut table = vec![0_u64; rows * columns];
    one.iter().zip(other).for_each(|(&a, &b)| table[a as usize * columns + b as usize] += 1);
    let pairs = |count: u64| count as f64 * (count as f64 - 1.0) / 2.0;
    let together: f64 = table.iter().map(|&cell| pairs(cell)).sum();
    let of_row = |row: usize| table[row * columns..][..columns].iter().sum::<u64>();
    let of_column = |column: usize| table.iter().skip(column).step_by(columns).sum::<u64>();
    let in_rows: f64 = (0..rows).map(|row| pairs(of_row(row))).sum();
    let in_columns: f64 = (0..columns).map(|column| pairs(of_column(column))).sum();
    let all = pairs(one.len() as u64);
    let by_chance = if all > 0.0 { in_rows * in_columns / all } else { 0.0 };
    let most = (in_rows + in_columns) / 2.0;
    if most == by_chance { 1.0 } else { (together - by_chance) / (most - by_chance) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreement_is_that_of_hubert_and_arabie() {
        // scikit-learn 1.9: adjusted_rand_score.
        for (one, other, expected) in [
            (&[0, 0, 1, 1][..], &[1, 1, 0, 0][..], 1.0),
            (&[0, 0, 1, 2], &[0, 0, 1, 1], 0.571_428_571_428_571_4),
            (&[0, 0, 0, 0], &[0, 1, 2, 3], 0.0),
            (&[0, 0, 1, 1], &[0, 1, 0, 1], -0.5),
            (&[0, 0, 0], &[0, 0, 0], 1.0),
            (&[0, 1, 2, 0, 1, 2, 2], &[1, 1, 2, 0, 0, 2, 1], -0.05),
            (&[], &[], 1.0),
        ] {
            let index = adjusted_rand_index(one, other);
            assert!((index - expected).abs() < 1e-12, "{one:?} {other:?}: {index}");
        }
    }
}
