//! Sparse matrices as `scipy.sparse.save_npz` writes them: several arrays, which depend on the matrix's form.
//!
//! As in scipy, entries for one place add up and explicit zeros are entries, but for zeros on diagonals, which are always
//! stored as a whole.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::super::hash::Hash;
use super::super::places::{add_up, check_size};
use super::archive::Archive;
use super::cells::Cells;
use super::header::Header;
use crate::data::{Dataset, Layout};
use crate::error::{Error, Result};

/// The array that names the form; the others are beside it.
pub(super) const FORMAT: &str = "format";

/// The arrays of a sparse matrix, and the hash of what was read of them.
struct Matrix<'a> {
    path: &'a Path,
    archive: Archive,
    hash: Sha256,
}

/// Adds the entries of the sparse matrix in `archive` to `dataset`.
pub(super) fn read(path: &Path, archive: Archive, dataset: &mut Dataset) -> Result<Hash> {
    let start = dataset.interactions.len();
    let mut matrix = Matrix { path, archive, hash: Sha256::new() };
    let (format, hash) = matrix.archive.array(FORMAT)?.text()?;
    matrix.note(FORMAT, hash);
    let shape = matrix.wholes("shape", u64::from(u32::MAX))?;
    let [rows, columns] = shape[..] else {
        return Err(Error::data(path, format!("has {} dimensions, and a matrix has 2; save one matrix", shape.len())));
    };
    check_size(rows, columns).map_err(|message| Error::data(path, message))?;
    let mut cells = Cells::new(path, dataset, [rows, columns]);
    match format.as_str() {
        "csr" => matrix.compressed([rows, columns], |at| at, &mut cells)?,
        "csc" => matrix.compressed([columns, rows], |[outer, inner]| [inner, outer], &mut cells)?,
        "bsr" => matrix.blocks([rows, columns], &mut cells)?,
        "coo" => matrix.coordinates([rows, columns], &mut cells)?,
        "dia" => matrix.diagonals([rows, columns], &mut cells)?,
        other => {
            return Err(Error::data(
                path,
                format!("is a sparse matrix of the form {other:?}, which is not known; save matrix.tocsr()"),
            ));
        }
    }
    cells.finish(Layout::Matrix);
    add_up(path, start, dataset);
    Ok(matrix.hash.finalize().into())
}

impl Matrix<'_> {
    /// Adds an array that was read to the hash of all.
    fn note(&mut self, name: &str, hash: Hash) {
        self.hash.update(name.as_bytes());
        self.hash.update([0]);
        self.hash.update(hash);
    }

    /// Gives `take` the numbers of an array, and how many dimensions it has to have.
    fn numbers(
        &mut self,
        name: &str,
        dimensions: usize,
        take: impl FnMut(u64, f64) -> Result<(), String>,
    ) -> Result<()> {
        let array = self.archive.array(name)?;
        let found = array.header.shape.len();
        if found != dimensions {
            return Err(array.error(format!("has {found} dimensions, not {dimensions}; save the matrix anew")));
        }
        let hash = array.numbers(take)?;
        self.note(name, hash);
        Ok(())
    }

    /// All numbers of an array that holds whole ones from 0 to `most`.
    fn wholes(&mut self, name: &str, most: u64) -> Result<Vec<u64>> {
        let mut all = Vec::new();
        self.numbers(name, 1, |at, value| {
            all.push(whole(at, value, most)?);
            Ok(())
        })?;
        Ok(all)
    }

    /// The indices below `size` that an array holds.
    fn indices(&mut self, name: &str, size: u64) -> Result<Vec<u32>> {
        let mut all = Vec::new();
        self.numbers(name, 1, |at, value| {
            let Some(last) = size.checked_sub(1) else { return Err("has entries, but the matrix has none".into()) };
            // A size is below 2³².
            all.push(whole(at, value, last)? as u32);
            Ok(())
        })?;
        Ok(all)
    }

    /// Where the entries of each of `outer` rows begin, and where the last ends: at most `entries`.
    fn starts(&mut self, outer: u64, entries: usize) -> Result<Vec<u64>> {
        let starts = self.wholes("indptr", entries as u64)?;
        let is_sound = starts.len() as u64 == outer + 1 && starts[0] == 0 && starts.is_sorted();
        match is_sound {
            true => Ok(starts),
            false => Err(Error::data(
                self.path,
                format!(
                    "the array \"indptr\" does not hold {} numbers that ascend from 0; save the matrix anew",
                    outer + 1
                ),
            )),
        }
    }

    fn header(&mut self, name: &str) -> Result<Header> {
        Ok(self.archive.array(name)?.header)
    }

    fn count_error(&self, found: u64, expected: u64) -> Error {
        let message =
            format!("the array \"data\" has room for {found} entries, and there are {expected}; save the matrix anew");
        Error::data(self.path, message)
    }

    /// Rows (or columns) one after the other; `place` tells row and column of indices from outer to inner.
    fn compressed(
        &mut self,
        [outer, inner]: [u64; 2],
        place: impl Fn([u64; 2]) -> [u64; 2],
        cells: &mut Cells,
    ) -> Result<()> {
        let indices = self.indices("indices", inner)?;
        let starts = self.starts(outer, indices.len())?;
        let expected = indices.len() as u64;
        self.check_values(expected, cells)?;
        let mut row = 0;
        self.numbers("data", 1, |at, value| {
            // Numbers after the last row do not count.
            while starts.get(row + 1).is_some_and(|&end| end <= at) {
                row += 1;
            }
            if row as u64 == outer {
                return Ok(());
            }
            cells.push(place([row as u64, indices[at as usize].into()]), value)
        })
    }

    /// Refuses an array of values that are not `expected` many.
    fn check_values(&mut self, expected: u64, cells: &Cells) -> Result<()> {
        let shape = self.header("data")?.shape;
        if shape != [expected] {
            return Err(self.count_error(shape.iter().product(), expected));
        }
        cells.check(Some(expected))
    }

    /// Small dense matrices, in rows of them.
    fn blocks(&mut self, [rows, columns]: [u64; 2], cells: &mut Cells) -> Result<()> {
        let shape = self.header("data")?.shape;
        let [blocks, height, width] = shape[..] else {
            return Err(Error::data(self.path, "the array \"data\" is no list of blocks; save the matrix anew"));
        };
        if height == 0 || width == 0 || rows % height != 0 || columns % width != 0 {
            return Err(Error::data(
                self.path,
                format!(
                    "blocks of {height} × {width} do not fill a matrix of {rows} × {columns}; save the matrix anew"
                ),
            ));
        }
        let indices = self.indices("indices", columns / width)?;
        let starts = self.starts(rows / height, indices.len())?;
        if indices.len() as u64 != blocks {
            return Err(self.count_error(blocks, indices.len() as u64));
        }
        let header = self.header("data")?;
        cells.check(header.cells())?;
        self.numbers("data", 3, |at, value| {
            let [block, i, j] = header.indices(at);
            // The last row that begins at or before the block; those without blocks begin where the next does.
            let row = starts.partition_point(|&start| start <= block) as u64 - 1;
            if row == rows / height {
                return Ok(());
            }
            cells.push([row * height + i, u64::from(indices[block as usize]) * width + j], value)
        })
    }

    /// Row, column and value of each entry.
    fn coordinates(&mut self, [rows, columns]: [u64; 2], cells: &mut Cells) -> Result<()> {
        let row = self.indices("row", rows)?;
        let column = self.indices("col", columns)?;
        if row.len() != column.len() {
            return Err(Error::data(
                self.path,
                format!("has {} indices of rows and {} of columns; save the matrix anew", row.len(), column.len()),
            ));
        }
        self.check_values(row.len() as u64, cells)?;
        self.numbers("data", 1, |at, value| cells.push([row[at as usize].into(), column[at as usize].into()], value))
    }

    /// Diagonals: value `j` of the one with offset `o` is in row `j - o` and column `j`.
    fn diagonals(&mut self, [rows, columns]: [u64; 2], cells: &mut Cells) -> Result<()> {
        let mut offsets = Vec::new();
        self.numbers("offsets", 1, |at, value| match value as i64 {
            offset if offset as f64 == value => {
                offsets.push(offset);
                Ok(())
            }
            _ => Err(format!("holds {value} as number {at}, which is not a whole one; save the matrix anew")),
        })?;
        let header = self.header("data")?;
        if header.shape.first() != Some(&(offsets.len() as u64)) {
            return Err(self.count_error(header.shape.first().copied().unwrap_or(0), offsets.len() as u64));
        }
        cells.check(header.cells())?;
        self.numbers("data", 2, |at, value| {
            let [diagonal, column] = header.indices(at);
            let row = i64::try_from(column).ok().and_then(|column| column.checked_sub(offsets[diagonal as usize]));
            match row.and_then(|row| u64::try_from(row).ok()) {
                Some(row) if row < rows && column < columns && value != 0.0 => cells.push([row, column], value),
                _ => Ok(()),
            }
        })
    }
}

/// Number `at` of an array as a whole number from 0 to `most`.
fn whole(at: u64, value: f64, most: u64) -> Result<u64, String> {
    // What is below 0 or no number at all becomes 0.
    let number = value as u64;
    if number as f64 == value && number <= most {
        return Ok(number);
    }
    Err(format!("holds {value} as number {at}, which is not a whole one from 0 to {most}; save the matrix anew"))
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::{file, read as read_named, triple, triples};
    use super::super::super::{ReadOptions, read_dataset};
    use super::super::tests::{doubles, npy, npz};
    use crate::data::{Dataset, Layout};

    fn read(content: &[u8]) -> Result<Dataset, String> {
        read_named("s.npz", content, &ReadOptions::default())
    }

    fn ints(cells: &[i32]) -> Vec<u8> {
        npy(
            "<i4",
            &format!("({},)", cells.len()),
            &cells.iter().flat_map(|cell| cell.to_le_bytes()).collect::<Vec<_>>(),
        )
    }

    fn longs(cells: &[i64]) -> Vec<u8> {
        npy(
            "<i8",
            &format!("({},)", cells.len()),
            &cells.iter().flat_map(|cell| cell.to_le_bytes()).collect::<Vec<_>>(),
        )
    }

    /// The arrays of a matrix as scipy orders them.
    fn sparse(format: &str, shape: [i64; 2], values: Vec<u8>, indices: &[(&str, &[i32])]) -> Vec<u8> {
        let mut arrays: Vec<_> = indices.iter().map(|&(name, cells)| (name, ints(cells))).collect();
        arrays.push(("format", npy("|S3", "()", format.as_bytes())));
        arrays.push(("shape", longs(&shape)));
        arrays.push(("data", values));
        npz(&arrays)
    }

    fn values(cells: &[f64]) -> Vec<u8> {
        doubles(&format!("({},)", cells.len()), cells)
    }

    /// ```python
    /// from scipy.sparse import csr_matrix
    /// m = csr_matrix(([5., 0., 2., 1., 4.], [0, 2, 1, 1, 0], [0, 2, 2, 4, 5]), shape=(4, 3))
    /// print(m.toarray())  # [[5. 0. 0.] [0. 0. 0.] [0. 3. 0.] [4. 0. 0.]]
    /// ```
    #[test]
    fn rows_one_after_the_other() {
        let csr = |indptr| {
            let (indices, values) = (&[0, 2, 1, 1, 0], values(&[5.0, 0.0, 2.0, 1.0, 4.0]));
            sparse("csr", [4, 3], values, &[("indices", indices), ("indptr", indptr)])
        };
        let data = read(&csr(&[0, 2, 2, 4, 5])).unwrap();
        let expected = [triple("1", "1", 5.0), triple("1", "3", 0.0), triple("3", "2", 3.0), triple("4", "1", 4.0)];
        assert_eq!(triples(&data), expected);
        assert_eq!((data.users().len(), data.items().len(), data.layout), (4, 3, Layout::Matrix));
        let has = |text: &str| data.notes.iter().any(|note| note.contains(text));
        assert!(has("1 of 4 rows and 0 of 3 columns have no entry"), "{:?}", data.notes);
        assert!(has("1 entry repeats the place of another"), "{:?}", data.notes);
        // What lies after the last row is no entry: scipy leaves room there.
        assert_eq!(triples(&read(&csr(&[0, 2, 2, 4, 4])).unwrap()), expected[..3]);
    }

    /// ```python
    /// from scipy.sparse import csc_matrix
    /// print(csc_matrix(([1., 2., 3.], [1, 0, 1], [0, 1, 1, 3]), shape=(2, 3)).toarray())  # [[0. 0. 2.] [1. 0. 3.]]
    /// ```
    #[test]
    fn columns_one_after_the_other() {
        let indices: &[(&str, &[i32])] = &[("indices", &[1, 0, 1]), ("indptr", &[0, 1, 1, 3])];
        let data = read(&sparse("csc", [2, 3], values(&[1.0, 2.0, 3.0]), indices)).unwrap();
        assert_eq!(triples(&data), [triple("2", "1", 1.0), triple("1", "3", 2.0), triple("2", "3", 3.0)]);
        assert_eq!((data.users().len(), data.items().len()), (2, 3));
    }

    #[test]
    fn coordinates_add_up() {
        let indices: &[(&str, &[i32])] = &[("row", &[1, 0, 1, 1]), ("col", &[0, 1, 0, 1])];
        let data = read(&sparse("coo", [2, 2], values(&[1.5, 2.0, 0.5, f64::NAN]), indices)).unwrap();
        assert_eq!(triples(&data), [triple("2", "1", 2.0), triple("1", "2", 2.0)]);
        assert!(data.notes.iter().any(|note| note.contains("1 cell is missing (nan)")), "{:?}", data.notes);
    }

    /// ```python
    /// import numpy
    /// from scipy.sparse import bsr_matrix
    /// blocks = numpy.arange(1., 9.).reshape(2, 2, 2)
    /// print(bsr_matrix((blocks, [1, 0], [0, 1, 1, 2]), shape=(6, 4)).toarray()[[0, 1, 4, 5]])
    /// # [[0. 0. 1. 2.] [0. 0. 3. 4.] [5. 6. 0. 0.] [7. 8. 0. 0.]]
    /// ```
    #[test]
    fn blocks_of_rows() {
        let blocks = doubles("(2, 2, 2)", &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        let data = read(&sparse("bsr", [6, 4], blocks, &[("indices", &[1, 0]), ("indptr", &[0, 1, 1, 2])])).unwrap();
        let expected = [
            triple("1", "3", 1.0),
            triple("1", "4", 2.0),
            triple("2", "3", 3.0),
            triple("2", "4", 4.0),
            triple("5", "1", 5.0),
            triple("5", "2", 6.0),
            triple("6", "1", 7.0),
            triple("6", "2", 8.0),
        ];
        assert_eq!(triples(&data), expected);
        assert_eq!((data.users().len(), data.items().len()), (6, 4));
    }

    /// ```python
    /// from scipy.sparse import dia_matrix
    /// print(dia_matrix(([[1., 0., 3.], [4., 5., 6.]], [0, -1]), shape=(4, 3)).toarray())
    /// # [[1. 0. 0.] [4. 0. 0.] [0. 5. 3.] [0. 0. 6.]]
    /// ```
    #[test]
    fn diagonals_without_their_zeros() {
        let diagonals = doubles("(2, 3)", &[1.0, 0.0, 3.0, 4.0, 5.0, 6.0]);
        let data = read(&sparse("dia", [4, 3], diagonals, &[("offsets", &[0, -1])])).unwrap();
        let expected = [
            triple("1", "1", 1.0),
            triple("3", "3", 3.0),
            triple("2", "1", 4.0),
            triple("3", "2", 5.0),
            triple("4", "3", 6.0),
        ];
        assert_eq!(triples(&data), expected);
        // What lies above the matrix, or right of it, is none of it.
        let wide = doubles("(2, 3)", &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let data = read(&sparse("dia", [2, 2], wide, &[("offsets", &[1, -2])])).unwrap();
        assert_eq!(triples(&data), [triple("1", "2", 2.0)]);
    }

    #[test]
    fn a_test_file_of_another_size_has_its_own_places() {
        let one = |shape, row, value| sparse("coo", shape, values(&[value]), &[("row", &[row]), ("col", &[0])]);
        let (_train, train) = file("train.npz", one([2, 2], 1, 5.0));
        let (_test, test) = file("test.npz", one([3, 1], 2, 4.0));
        let data = read_dataset(&train, Some(&test), &ReadOptions::default()).unwrap();
        assert_eq!((data.users().len(), data.items().len(), data.test_start), (3, 2, Some(1)));
        assert_eq!(triples(&data), [triple("2", "1", 5.0), triple("3", "1", 4.0)]);
    }

    #[test]
    fn the_hash_follows_every_array() {
        let hash = |format, value| {
            let indices: &[(&str, &[i32])] = &[("indices", &[0]), ("indptr", &[0, 1])];
            read(&sparse(format, [1, 1], values(&[value]), indices)).unwrap().fingerprint
        };
        assert_eq!(hash("csr", 1.0), hash("csr", 1.0));
        assert!(hash("csr", 1.0) != hash("csc", 1.0) && hash("csr", 1.0) != hash("csr", 2.0));
    }

    #[test]
    fn damaged_matrices_are_refused() {
        let coo = |shape, row, column, count: usize| {
            sparse("coo", shape, values(&vec![1.0; count]), &[("row", row), ("col", column)])
        };
        let csr =
            |indices, indptr| sparse("csr", [2, 2], values(&[1.0, 2.0]), &[("indices", indices), ("indptr", indptr)]);
        let block = |shape: &str, indices, indptr| {
            sparse("bsr", [2, 2], doubles(shape, &[1.0; 4]), &[("indices", indices), ("indptr", indptr)])
        };
        let dia = |shape: &str, offsets| sparse("dia", [2, 2], doubles(shape, &[1.0; 2]), offsets);
        let huge = [30_000_000, 30_000_000];
        for (content, expected) in [
            (
                coo([2, 2], &[0, 2], &[0, 0], 2),
                "the array \"row\" holds 2 as number 1, which is not a whole one from 0 to 1",
            ),
            (
                coo([2, 2], &[0, 1], &[0, -1], 2),
                "the array \"col\" holds -1 as number 1, which is not a whole one from 0",
            ),
            (coo([2, 2], &[0], &[0, 1], 2), "has 1 indices of rows and 2 of columns"),
            (coo([2, 2], &[0, 1], &[0, 1], 3), "the array \"data\" has room for 3 entries, and there are 2"),
            (coo([0, 2], &[0], &[0], 1), "the array \"row\" has entries, but the matrix has none"),
            (coo(huge, &[0], &[0], 1), "a matrix of 30000000 × 30000000 has more than 20000000 rows and columns"),
            (coo([-1, 2], &[0], &[0], 1), "the array \"shape\" holds -1 as number 0"),
            (coo([2, 2], &[], &[], 0), "holds no ratings"),
            (csr(&[0, 1], &[0, 2]), "the array \"indptr\" does not hold 3 numbers that ascend from 0"),
            (csr(&[0, 1], &[1, 1, 2]), "the array \"indptr\" does not hold 3 numbers that ascend from 0"),
            (csr(&[0, 1], &[0, 2, 1]), "the array \"indptr\" does not hold 3 numbers that ascend from 0"),
            (
                csr(&[0, 1], &[0, 1, 3]),
                "the array \"indptr\" holds 3 as number 2, which is not a whole one from 0 to 2",
            ),
            (csr(&[0, 2], &[0, 1, 2]), "the array \"indices\" holds 2 as number 1"),
            (block("(1, 4, 1)", &[0], &[0, 1]), "blocks of 4 × 1 do not fill a matrix of 2 × 2"),
            (block("(4, 0, 1)", &[0], &[0, 1]), "blocks of 0 × 1 do not fill a matrix of 2 × 2"),
            (block("(4,)", &[0], &[0, 1]), "the array \"data\" is no list of blocks"),
            (block("(1, 2, 2)", &[0, 0], &[0, 2]), "the array \"data\" has room for 1 entries, and there are 2"),
            (dia("(1, 2)", &[("offsets", &[0, 1])]), "the array \"data\" has room for 1 entries, and there are 2"),
            (dia("(2,)", &[("offsets", &[0, 1])]), "the array \"data\" has 1 dimensions, not 2"),
            (dia("(1, 2)", &[]), "holds no array \"offsets\"; get the file anew"),
            (sparse("lil", [1, 1], values(&[1.0]), &[]), "is a sparse matrix of the form \"lil\", which is not known"),
            (npz(&[("format", longs(&[1]))]), "the array \"format\" is not one text"),
            (
                npz(&[("format", npy("|S3", "()", b"coo")), ("shape", longs(&[1, 1, 1]))]),
                "has 3 dimensions, and a matrix has 2",
            ),
            (
                npz(&[("format", npy("|S3", "()", b"coo")), ("shape", values(&[1.5, 1.0]))]),
                "the array \"shape\" holds 1.5 as number 0",
            ),
        ] {
            let error = read(&content).unwrap_err();
            assert!(error.starts_with(&format!("s.npz: {expected}")), "{error}");
        }
    }
}
