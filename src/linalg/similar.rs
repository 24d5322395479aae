//! The rows of a sparse matrix of zeros and ones that are most similar to each of its rows.
//!
//! With n_c ones in column c, n_r in row r, N rows and the weight w_c of a column, rows r and s have
//! d_rs = Σ_c w_c over the columns that both have a one in, and n_r^w = d_rr:
//!
//! | similarity | w_c | s_rs |
//! |---|---|---|
//! | [`Cosine`](Similarity::Cosine) | 1 | d_rs / (√(d_rr·d_ss) + h) (Salton & McGill 1983) |
//! | [`TfIdf`](Similarity::TfIdf) | ln²(N / (1 + n_c)) | the same |
//! | [`Bm25`](Similarity::Bm25) | ln²(N / (1 + n_c)) | a_r·a_s·d_rs, a_r = (k₁ + 1) / (k₁·(1 − b + b·n_r / mean n) + 1) (Robertson et al. 1994) |
//!
//! The product of the matrix with its transpose is computed row by row and never kept. Sums are in f64, over columns in
//! the order given, each by one thread.

use rayon::prelude::*;

use super::groups::{Cells, Groups};

/// How similar two rows are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Similarity {
    /// Columns in common, of as many as the two could have.
    Cosine {
        /// h: how much is added to the denominator, so that rows with few ones are less similar.
        shrinkage: f64,
    },
    /// The same with less weight on columns with many ones.
    TfIdf {
        /// As for the cosine.
        shrinkage: f64,
    },
    /// The same weights, with a correction for rows with many ones instead of a norm.
    Bm25 {
        /// k₁: how soon more ones count no more.
        k1: f64,
        /// b: how much the number of a row's ones counts, from 0 to 1.
        b: f64,
    },
}

/// TF-IDF, which is best or close to it on the validation parts of six logs (benches/README.md).
impl Default for Similarity {
    fn default() -> Self {
        Self::TfIdf { shrinkage: Self::SHRINKAGE_OF_TF_IDF }
    }
}

impl Similarity {
    /// h of the cosine if nothing else is said.
    pub const SHRINKAGE_OF_COSINE: f64 = 10.0;
    /// h of TF-IDF, whose sums have larger terms.
    pub const SHRINKAGE_OF_TF_IDF: f64 = 100.0;

    /// w_c, by the number of ones in a column.
    fn weight(self, of_column: usize, rows: usize) -> f64 {
        match self {
            Self::Cosine { .. } => 1.0,
            Self::TfIdf { .. } | Self::Bm25 { .. } => (rows as f64 / (1.0 + of_column as f64)).ln().powi(2),
        }
    }
}

/// Additions that [`most_similar`] needs: Σ_c n_c², given the rows of each column.
pub fn operations(columns: &Groups) -> u64 {
    columns.iter().map(|rows| (rows.len() as u64).pow(2)).sum()
}

/// For each row the `count` others that are most similar, and how similar they are: most similar first, of equals the
/// first. Others are not similar at all. `columns` has the rows of each column, `rows` the columns of each row, both
/// ascending.
pub fn most_similar(rows: &Groups, columns: &Groups, similarity: Similarity, count: usize) -> Cells {
    let num_rows = rows.count();
    let weights: Vec<f64> = columns.iter().map(|column| similarity.weight(column.len(), num_rows)).collect();
    // Of each row √d_rr, or a_r.
    let mean = rows.members().len() as f64 / num_rows.max(1) as f64;
    let scale = |row: &[u32]| match similarity {
        Similarity::Cosine { .. } | Similarity::TfIdf { .. } => {
            row.iter().map(|&column| weights[column as usize]).sum::<f64>().sqrt()
        }
        Similarity::Bm25 { k1, b } => (k1 + 1.0) / (k1 * (1.0 - b + b * row.len() as f64 / mean) + 1.0),
    };
    let scales: Vec<f64> = rows.iter().map(scale).collect();
    let similar = |dot: f64, row: usize, other: usize| match similarity {
        Similarity::Cosine { shrinkage } | Similarity::TfIdf { shrinkage } => {
            dot / (scales[row] * scales[other] + shrinkage)
        }
        Similarity::Bm25 { .. } => dot * scales[row] * scales[other],
    };
    let scratch = || (vec![0.0_f64; num_rows], Vec::<u32>::new());
    let of_row = |(sums, met): &mut (Vec<f64>, Vec<u32>), row: usize| {
        for &column in rows.get(row) {
            let weight = weights[column as usize];
            if weight == 0.0 {
                continue;
            }
            for &other in columns.get(column as usize) {
                let sum = &mut sums[other as usize];
                if *sum == 0.0 {
                    met.push(other);
                }
                *sum += weight;
            }
        }
        let mut found: Vec<(u32, f32)> = Vec::with_capacity(met.len());
        for other in met.drain(..) {
            let dot = std::mem::take(&mut sums[other as usize]);
            let similarity = similar(dot, row, other as usize) as f32;
            if other as usize != row && similarity > 0.0 {
                found.push((other, similarity));
            }
        }
        let falling = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        if found.len() > count && count > 0 {
            found.select_nth_unstable_by(count - 1, falling);
        }
        found.truncate(count);
        found.sort_unstable_by(falling);
        found.shrink_to_fit();
        found
    };
    let found: Vec<Vec<(u32, f32)>> = (0..num_rows).into_par_iter().map_init(scratch, of_row).collect();
    let cells = (0..).zip(&found).flat_map(|(row, found)| found.iter().map(move |&(other, value)| (row, other, value)));
    Cells::new(num_rows, cells)
}

/// The cells of a square matrix by column: for each its row and its value, rows ascending.
pub fn by_column(cells: &Cells) -> Cells {
    let of_row = |row: usize| {
        let (columns, values) = cells.row(row);
        columns.iter().zip(values).map(move |(&column, &value)| (column, row as u32, value))
    };
    Cells::new(cells.rows(), (0..cells.rows()).flat_map(of_row))
}

/// Adds the cells of some rows to `sums`, which has one for each column, row after row.
pub fn add_rows(cells: &Cells, rows: &[u32], sums: &mut [f32]) {
    for &row in rows {
        let (columns, values) = cells.row(row as usize);
        columns.iter().zip(values).for_each(|(&column, &value)| sums[column as usize] += value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows {0, 1, 2}, {0, 1}, {2}, {0, 1, 2} and none.
    fn matrix() -> (Groups, Groups) {
        let ones = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (2, 2), (3, 0), (3, 1), (3, 2)];
        let rows = Groups::new(5, ones.into_iter());
        let columns = Groups::new(3, ones.into_iter().map(|(row, column)| (column as usize, row as u32)));
        (rows, columns)
    }

    fn lists(similarity: Similarity, count: usize) -> Vec<Vec<(u32, f32)>> {
        let (rows, columns) = matrix();
        let cells = most_similar(&rows, &columns, similarity, count);
        (0..5).map(|row| cells.row(row).0.iter().copied().zip(cells.row(row).1.iter().copied()).collect()).collect()
    }

    fn assert_close(found: &[(u32, f32)], expected: &[(u32, f64)]) {
        let rows = |list: &[(u32, f64)]| list.iter().map(|pair| pair.0).collect::<Vec<_>>();
        assert_eq!(found.iter().map(|pair| pair.0).collect::<Vec<_>>(), rows(expected));
        for (found, expected) in found.iter().zip(expected) {
            assert!((f64::from(found.1) - expected.1).abs() < 1e-6, "{found:?} {expected:?}");
        }
    }

    #[test]
    fn similarities_of_a_case_by_hand() {
        let cosine = lists(Similarity::Cosine { shrinkage: 0.0 }, 9);
        let (two_of_six, one_of_three) = (2.0 / 6.0_f64.sqrt(), 1.0 / 3.0_f64.sqrt());
        assert_close(&cosine[0], &[(3, 1.0), (1, two_of_six), (2, one_of_three)]);
        assert_close(&cosine[1], &[(0, two_of_six), (3, two_of_six)]);
        assert_close(&cosine[4], &[]);
        let shrunk = lists(Similarity::Cosine { shrinkage: 2.0 }, 9);
        assert_close(&shrunk[2], &[(0, 1.0 / (3.0_f64.sqrt() + 2.0)), (3, 1.0 / (3.0_f64.sqrt() + 2.0))]);
        // Three columns of three rows each: one weight, which the norm takes out again.
        let idf = lists(Similarity::TfIdf { shrinkage: 0.0 }, 9);
        assert_close(&idf[0], &[(3, 1.0), (1, two_of_six), (2, one_of_three)]);
        let weight = (5.0_f64 / 4.0).ln().powi(2);
        let scale = |ones: f64| 2.2 / (1.2 * (0.25 + 0.75 * ones / 1.8) + 1.0);
        let bm25 = lists(Similarity::Bm25 { k1: 1.2, b: 0.75 }, 9);
        let (whole, part) = (3.0 * weight * scale(3.0).powi(2), 2.0 * weight * scale(3.0) * scale(2.0));
        assert_close(&bm25[0], &[(3, whole), (1, part), (2, weight * scale(3.0) * scale(1.0))]);
    }

    #[test]
    fn only_the_most_similar_are_kept_and_of_equals_the_first() {
        let all = lists(Similarity::Cosine { shrinkage: 0.0 }, 9);
        for count in 0..4 {
            for (few, all) in lists(Similarity::Cosine { shrinkage: 0.0 }, count).iter().zip(&all) {
                assert_eq!(few[..], all[..count.min(all.len())]);
            }
        }
    }

    #[test]
    fn a_column_without_weight_changes_nothing() {
        // With two rows and one in the only column, idf is ln 1.
        let cells = most_similar(
            &Groups::new(2, [(0, 0)].into_iter()),
            &Groups::new(1, [(0, 0)].into_iter()),
            Similarity::TfIdf { shrinkage: 0.0 },
            3,
        );
        assert!(cells.values().is_empty());
    }

    #[test]
    fn rows_are_added_and_turned() {
        let (rows, columns) = matrix();
        assert_eq!(operations(&columns), 27);
        let cells = most_similar(&rows, &columns, Similarity::Cosine { shrinkage: 0.0 }, 1);
        let turned = by_column(&cells);
        assert_eq!([turned.row(0).0, turned.row(3).0, turned.row(1).0], [&[1, 2, 3][..], &[0], &[]]);
        let mut sums = [0.0; 5];
        add_rows(&turned, &[0, 3], &mut sums);
        let expected = [1.0, 2.0 / 6.0_f32.sqrt(), 1.0 / 3.0_f32.sqrt(), 1.0, 0.0];
        assert!(sums.iter().zip(expected).all(|(sum, expected)| (sum - expected).abs() < 1e-6), "{sums:?}");
    }
}
