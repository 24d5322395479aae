//! Files of other programs that are not read, known by their first bytes, each with what to do about it.

use std::io::Read;
use std::path::Path;

use crate::error::{Error, Result};
use crate::files;

/// First bytes, what they tell, and what to do.
const KNOWN: [(&[u8], &str, &str); 3] = [
    (
        b"\x89HDF\r\n\x1a\n",
        "an HDF5 file (.h5, .h5ad, .loom, .mat)",
        "save its matrix in Python by scipy.sparse.save_npz or numpy.save; scanpy.read_10x_h5(path).X is that of 10x Genomics",
    ),
    (b"FEA1", "a Feather file", TO_CSV),
    (
        b"MATLAB ",
        "a file of MATLAB",
        "save its matrix in Python: numpy.save(\"matrix.npy\", scipy.io.loadmat(path)[name])",
    ),
];

const TO_CSV: &str = "convert it in Python, as by pandas.read_feather(path).to_csv(\"ratings.csv\", index=False)";

/// Refuses what is known not to be read. What cannot be opened is left to the reader, and a pipe gives its bytes only once.
///
/// # Errors
/// [`Error::Data`].
pub(super) fn refuse(path: &Path) -> Result<()> {
    let mut start = Vec::new();
    if path.is_file()
        && let Ok(source) = files::open(path)
    {
        // Half a file is not this function's to tell.
        let _ = source.take(16).read_to_end(&mut start);
    }
    match KNOWN.iter().find(|(magic, ..)| start.starts_with(magic)) {
        Some((_, what, remedy)) => Err(Error::data(path, format!("is {what}, which is not read; {remedy}"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::ReadOptions;
    use super::super::tests::read;

    #[test]
    fn what_is_not_read_comes_with_a_remedy() {
        for (name, content, expected) in [
            (
                "a.h5",
                &b"\x89HDF\r\n\x1a\n\0\0"[..],
                "is an HDF5 file (.h5, .h5ad, .loom, .mat), which is not read; save its",
            ),
            ("a", b"FEA1\0\0", "is a Feather file, which is not read; convert it"),
            (
                "a.mat",
                b"MATLAB 5.0 MAT-file",
                "is a file of MATLAB, which is not read; save its matrix in Python: numpy.save",
            ),
        ] {
            let error = read(name, content, &ReadOptions::default()).unwrap_err();
            assert!(error.starts_with(&format!("{name}: {expected}")), "{error}");
        }
        for content in ["PAR,a,3\n", "MATLAB,a,3\n", "1,a,3\n"] {
            assert!(read("a.h5", content, &ReadOptions::default()).is_ok(), "{content:?}");
        }
    }
}
