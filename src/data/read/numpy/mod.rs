//! Arrays of numpy, `.npy` and `.npz`, and sparse matrices of scipy.
//!
//! Row `[i]` of an array is called `i + 1`, and columns likewise; NaN is a missing cell. An array of one dimension is a
//! column. A sparse matrix has the rows and columns that its shape says, also those without an entry.

mod archive;
mod array;
mod cells;
mod header;
mod sparse;

use std::path::Path;

use archive::Archive;
use array::Array;
use cells::Cells;

use super::folder::has_extension;
use super::hash::Hash;
use super::reader::{Reader, ReaderPart};
use crate::config::{Key, KeyKind, Keys, Values};
use crate::data::{Dataset, Layout};
use crate::error::{Error, Result};
use crate::files;

/// An array of numpy (`.npy`, or one of an `.npz`), of which every cell is a rating; or a sparse matrix of scipy
/// (`save_npz`), of which every entry is one.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Numpy {
    /// Which array of an `.npz` file; `None` takes the only one, or the sparse matrix that all of them make up.
    pub array: Option<String>,
}

impl Reader for Numpy {
    /// The hash is that of the array as an `.npy` file, or for a sparse matrix that of the names, each ended by a zero byte,
    /// and hashes of its arrays.
    fn read(&self, path: &Path, dataset: &mut Dataset) -> Result<Hash> {
        match (Archive::open(path)?, &self.array) {
            (Some(archive), wanted) => read_archive(path, archive, wanted.as_deref(), dataset),
            (None, None) => read_dense(path, Array::open(path, None, files::open(path)?)?, dataset),
            (None, Some(wanted)) => Err(Error::data(
                path,
                format!("is no .npz file, of which the array {wanted:?} could be chosen; leave data.array out"),
            )),
        }
    }

    /// By the name: `.npy` or `.npz`, or that of a compressed file.
    fn recognizes(&self, path: &Path) -> Result<bool> {
        Ok(!path.is_dir() && has_extension(path, &["npy", "npz"]))
    }

    fn is_text(&self) -> bool {
        false
    }
}

impl ReaderPart for Numpy {
    const NAME: &'static str = "numpy";

    fn keys() -> Keys {
        let array = "Which array of an .npz file; if absent, the only one, or the sparse matrix that they make up.";
        Key::new("data.array", KeyKind::Text, array).into()
    }

    fn of(values: &Values) -> Self {
        Self { array: values.find("data.array") }
    }
}

/// Reads the array that is wanted, the only one, or the sparse matrix of all.
fn read_archive(path: &Path, mut archive: Archive, wanted: Option<&str>, dataset: &mut Dataset) -> Result<Hash> {
    let names = archive.names();
    let name = match (wanted, &names[..]) {
        (Some(wanted), _) if names.iter().any(|name| name == wanted) => wanted,
        (None, _) if names.iter().any(|name| name == sparse::FORMAT) => return sparse::read(path, archive, dataset),
        (None, [only]) => only,
        (None, []) => return Err(Error::data(path, "holds no arrays; write one with numpy.savez")),
        (Some(wanted), _) => {
            let message = format!("holds no array {wanted:?}, but {}; correct data.array", names.join(", "));
            return Err(Error::data(path, message));
        }
        (None, _) => {
            let message = format!(
                "holds {} arrays ({}); choose one with data.format = \"numpy\" and data.array",
                names.len(),
                names.join(", ")
            );
            return Err(Error::data(path, message));
        }
    };
    read_dense(path, archive.array(name)?, dataset)
}

/// Adds every cell of an array to `dataset`.
fn read_dense(path: &Path, array: Array, dataset: &mut Dataset) -> Result<Hash> {
    let (rows, columns) = match array.header.shape[..] {
        [rows] => (rows, 1),
        [rows, columns] => (rows, columns),
        _ => {
            let found = array.header.shape.len();
            return Err(array.error(format!(
                "has {found} dimensions, and a matrix has 2; save a part of it, or array.reshape(len(array), -1)"
            )));
        }
    };
    let header = array.header.clone();
    if header.cells() == Some(0) {
        return Err(array.error(format!("holds no cells: its shape is {rows} × {columns}")));
    }
    let mut cells = Cells::new(path, dataset, [rows, columns]);
    cells.check(header.cells())?;
    let is_matrix = header.shape.len() == 2;
    let hash = array.numbers(|at, value| {
        let place = if is_matrix { header.indices(at) } else { [at, 0] };
        cells.push(place, value)
    })?;
    cells.finish(Layout::Table);
    Ok(hash)
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use zip::CompressionMethod;

    use super::super::tests::{read as read_named, triple, triples};
    use super::super::{ReadOptions, hash};
    use super::*;

    /// An array as `numpy.save` writes it, with cells that are given as bytes.
    pub(super) fn npy(descr: &str, shape: &str, cells: &[u8]) -> Vec<u8> {
        npy_in_order("False", descr, shape, cells)
    }

    fn npy_in_order(first_fastest: &str, descr: &str, shape: &str, cells: &[u8]) -> Vec<u8> {
        let header = format!("{{'descr': '{descr}', 'fortran_order': {first_fastest}, 'shape': {shape}, }}\n");
        let length = (header.len() as u16).to_le_bytes();
        [&b"\x93NUMPY\x01\0"[..], &length, header.as_bytes(), cells].concat()
    }

    /// An array of doubles.
    pub(super) fn doubles(shape: &str, cells: &[f64]) -> Vec<u8> {
        npy("<f8", shape, &cells.iter().flat_map(|cell| cell.to_le_bytes()).collect::<Vec<_>>())
    }

    /// An archive as `numpy.savez` writes it.
    pub(super) fn npz(arrays: &[(&str, Vec<u8>)]) -> Vec<u8> {
        npz_by(CompressionMethod::Stored, arrays)
    }

    fn npz_by(method: CompressionMethod, arrays: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default().compression_method(method);
        for (name, content) in arrays {
            writer.start_file(format!("{name}.npy"), options).unwrap();
            writer.write_all(content).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn read(name: &str, content: impl AsRef<[u8]>) -> Result<Dataset, String> {
        read_named(name, content, &ReadOptions::default())
    }

    fn choose(array: &str, content: Vec<u8>) -> Result<Dataset, String> {
        read_named("a.npz", content, &ReadOptions::of_reader(Numpy { array: Some(array.into()) }))
    }

    fn cells(content: &[u8]) -> Vec<(String, String, f32)> {
        triples(&read("a.npy", content).unwrap())
    }

    #[test]
    fn every_cell_is_a_rating_unless_it_is_nan() {
        let data = read("a.npy", doubles("(2, 3)", &[1.0, f64::NAN, 0.0, -2.5, 4.0, f64::NAN])).unwrap();
        let expected = [triple("1", "1", 1.0), triple("1", "3", 0.0), triple("2", "1", -2.5), triple("2", "2", 4.0)];
        assert_eq!(triples(&data), expected);
        assert_eq!((data.users().len(), data.items().len(), data.layout), (2, 3, Layout::Table));
        assert!(data.notes[0].contains("a.npy: rows and columns are numbered from 1"), "{:?}", data.notes);
        assert!(data.notes[1].ends_with("a.npy: 2 cells are missing (nan)"), "{:?}", data.notes);
        assert_eq!(cells(&npy("|u1", "(2,)", b"\x07\xff")), [triple("1", "1", 7.0), triple("2", "1", 255.0)]);
    }

    #[test]
    fn columns_may_come_first_and_numbers_from_the_other_end() {
        let expected = [triple("1", "1", 1.0), triple("2", "1", 2.0), triple("1", "2", 3.0), triple("2", "2", -4.0)];
        let big = b"\0\x01\0\x02\0\x03\xff\xfc";
        assert_eq!(cells(&npy_in_order("True", ">i2", "(2, 2)", big)), expected);
        assert_eq!(cells(&npy(">i2", "(2, 2)", big))[1], triple("1", "2", 2.0));
    }

    #[test]
    fn later_versions_have_longer_headers() {
        let header = b"{'descr': '|b1', 'fortran_order': False, 'shape': (1, 2)}";
        for version in [2, 3] {
            let start = [&b"\x93NUMPY"[..], &[version, 0], &(header.len() as u32).to_le_bytes(), header].concat();
            let expected = [triple("1", "1", 1.0), triple("1", "2", 0.0)];
            assert_eq!(cells(&[&start[..], b"\x01\0"].concat()), expected);
        }
    }

    /// Longer than what is decoded at a time.
    #[test]
    fn large_arrays_are_read_to_the_end() {
        let values: Vec<f64> = (0..30_000).map(f64::from).collect();
        let data = read("a.npy", doubles("(300, 100)", &values)).unwrap();
        assert!(data.interactions.targets.iter().map(|&value| f64::from(value)).eq(values));
        assert_eq!(triples(&data)[29_901], triple("300", "2", 29_901.0));
    }

    #[test]
    fn an_archive_holds_the_array_that_is_read() {
        let (one, other) = (doubles("(1, 2)", &[1.0, 2.0]), doubles("(1, 1)", &[3.0]));
        let expected = [triple("1", "1", 1.0), triple("1", "2", 2.0)];
        let hash = hash::fingerprint(&[<sha2::Sha256 as sha2::Digest>::digest(&one).into()]);
        for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
            for (name, packed) in [("a.npz", npz_by(method, &[("x", one.clone())])), ("a.npy", one.clone())] {
                let data = read(name, packed).unwrap();
                assert_eq!((triples(&data), data.fingerprint), (expected.to_vec(), hash.clone()));
            }
            let both = npz_by(method, &[("y", other.clone()), ("x", one.clone())]);
            let data = choose("x", both.clone()).unwrap();
            assert_eq!((triples(&data), data.fingerprint), (expected.to_vec(), hash.clone()));
            assert_eq!(triples(&choose("y", both.clone()).unwrap()), [triple("1", "1", 3.0)]);
            assert_eq!(
                read("a.npz", &both).unwrap_err(),
                "a.npz: holds 2 arrays (y, x); choose one with data.format = \"numpy\" and data.array"
            );
            assert_eq!(choose("z", both).unwrap_err(), "a.npz: holds no array \"z\", but y, x; correct data.array");
        }
        assert_eq!(read("a.npz", npz(&[])).unwrap_err(), "a.npz: holds no arrays; write one with numpy.savez");
        assert!(choose("x", one).unwrap_err().starts_with("a.npz: is no .npz file, of which the array \"x\" could be"));
    }

    #[test]
    fn a_compressed_array_is_recognized() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&doubles("(1, 1)", &[3.0])).unwrap();
        assert_eq!(triples(&read("A.NPY.gz", gzip.finish().unwrap()).unwrap()), [triple("1", "1", 3.0)]);
    }

    #[test]
    fn errors_say_what_to_do() {
        for (content, expected) in [
            (b"1,2,3\n".to_vec(), "is no .npy file; write one with numpy.save"),
            (vec![], "is no .npy file"),
            (b"\x93NUMPY\x04\0".to_vec(), "is of version 4 of .npy files"),
            (b"\x93NUMPY\x01\0\x50\0{'descr'".to_vec(), "ends within its header"),
            (b"\x93NUMPY\x01\0\x50".to_vec(), "ends within its header"),
            (b"\x93NUMPY\x02\0\xff\xff\xff\xff{".to_vec(), "has a header of 4294967295 bytes"),
            (npy("|O", "(2,)", b""), "holds Python objects; save array.astype(\"float64\")"),
            (npy("<U2", "(1, 1)", b"a\0\0\0b\0\0\0"), "holds texts; save array.astype(\"float64\")"),
            (doubles("(1, 1, 2)", &[1.0, 2.0]), "has 3 dimensions, and a matrix has 2; save a part of it"),
            (doubles("()", &[1.0]), "has 0 dimensions"),
            (doubles("(0, 4000000000)", &[]), "holds no cells: its shape is 0 × 4000000000"),
            (doubles("(2, 2)", &[1.0, 2.0]), "ends before the last of the 4 cells that its header announces"),
            (doubles("(1, 2)", &[1.0, 2.0, 3.0]), "goes on after the 2 cells that its header announces"),
            (doubles("(1, 2)", &[1.0, f64::INFINITY]), "holds inf in row 1, column 2, and numbers have to be finite"),
            (doubles("(2, 1)", &[1.0, 1e39]), "holds 1e39 in row 2, column 1, and the largest number is 3.4028235e38"),
            (doubles("(1, 1)", &[f64::NAN]), "holds no ratings"),
        ] {
            let error = read("a.npy", &content).unwrap_err();
            assert!(error.starts_with(&format!("a.npy: {expected}")), "{error}");
        }
    }

    /// A header that announces more than there is costs no memory and no time.
    #[test]
    fn a_shape_is_not_believed() {
        for (shape, expected) in [
            ("(4000000000, 1)", "ends before the last of the 4000000000 cells"),
            ("(1, 4000000000)", "ends before the last"),
            ("(4000000000, 4000000000)", "more than 4294967295 ratings"),
            ("(18446744073709551615, 18446744073709551615)", "more than 4294967295 ratings"),
        ] {
            let error = read("a.npy", doubles(shape, &[1.0])).unwrap_err();
            assert!(error.starts_with(&format!("a.npy: {expected}")), "{error}");
        }
    }

    #[test]
    fn damaged_archives_are_refused() {
        let good = npz(&[("x", doubles("(2, 2)", &[1.0, 2.0, 3.0, 4.0]))]);
        for end in [good.len() - 1, good.len() / 2, 10, 4] {
            let error = read("a.npz", &good[..end]).unwrap_err();
            assert!(error.starts_with("a.npz: is no .npz file that can be read: "), "{error}");
        }
        // The last cell is another one, which the checksum tells.
        let mut changed = good.clone();
        let at = good.windows(8).position(|bytes| bytes == 4.0_f64.to_le_bytes()).unwrap();
        changed[at] ^= 1;
        let error = read("a.npz", &changed).unwrap_err();
        assert!(error.starts_with("a.npz: cannot read: ") && error.ends_with("so get it anew"), "{error}");
    }
}
