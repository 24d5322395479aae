//! Folders of counts as Cell Ranger of 10x Genomics writes them: `matrix.mtx`, `barcodes.tsv` and `features.tsv`, or
//! `genes.tsv` before version 3, each plain or compressed.
//!
//! The file's matrix has a row for each gene. Here, as in scanpy, a row is a cell, whose id is its barcode, and a column is
//! a gene (or another feature), whose id is that of the annotation and whose title is its symbol.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::hash::Hash;
use super::matrix_market::MatrixMarket;
use super::reader::{Reader, ReaderPart, read_lines};
use super::text::{Row, Splitter};
use crate::config::Values;
use crate::data::{Dataset, ITEM, Vocabulary};
use crate::error::{Error, Result};
use crate::files;

/// A folder of counts of genes in cells, as Cell Ranger of 10x Genomics writes it.
#[derive(Debug, Clone, Default)]
pub struct TenX;

impl Reader for TenX {
    /// The hash is that of the names, each ended by a zero byte, and hashes of the three files.
    fn read(&self, path: &Path, dataset: &mut Dataset) -> Result<Hash> {
        read(path, dataset)
    }

    /// A folder with `matrix.mtx` and `barcodes.tsv`, plain or compressed.
    fn recognizes(&self, path: &Path) -> Result<bool> {
        Ok(path.is_dir() && find(path, MATRIX)?.is_some() && find(path, BARCODES)?.is_some())
    }

    fn is_list(&self) -> bool {
        false
    }
}

impl ReaderPart for TenX {
    const NAME: &'static str = "10x";

    fn of(_: &Values) -> Self {
        Self
    }
}

const MATRIX: &str = "matrix.mtx";
const BARCODES: &str = "barcodes.tsv";
const FEATURES: &str = "features.tsv";
/// What Cell Ranger 2 called [`FEATURES`].
const GENES: &str = "genes.tsv";

/// The file called `name` in a folder, plain or compressed.
fn find(folder: &Path, name: &str) -> Result<Option<PathBuf>> {
    let failed = |error| Error::io("list the folder", folder, error);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?.file_name();
        if entry.to_str().is_some_and(|entry| files::inner_name(entry) == name) {
            found.push(folder.join(entry));
        }
    }
    found.sort();
    match &found[..] {
        [one, other, ..] => {
            Err(Error::data(folder, format!("holds both {} and {}; remove one", shown(one), shown(other))))
        }
        _ => Ok(found.pop()),
    }
}

fn shown(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn read(folder: &Path, dataset: &mut Dataset) -> Result<Hash> {
    let expect = |found: Option<PathBuf>, names: &str| {
        found
            .ok_or_else(|| Error::data(folder, format!("holds no {names}, plain or compressed; copy the whole folder")))
    };
    let matrix = expect(find(folder, MATRIX)?, MATRIX)?;
    let barcodes = expect(find(folder, BARCODES)?, BARCODES)?;
    let features = match find(folder, FEATURES)? {
        None => find(folder, GENES)?,
        found => found,
    };
    let features = expect(features, "features.tsv or genes.tsv")?;

    let matrix_hash = MatrixMarket::default().read(&matrix, dataset)?;
    if dataset.interactions.is_empty() {
        return Err(Error::data(matrix, "holds no counts; expected at least one"));
    }
    // Ids are numbers in order, so that indices are places.
    let counted = [dataset.users().len(), dataset.items().len()];
    dataset.interactions.columns.swap(0, 1);
    let (genes, genes_hash) = Genes::read(&features)?;
    let (cells, cells_hash) = ids(&barcodes, "barcode", |_| ())?;
    for ((file, ids), (count, what)) in
        [(&features, &genes.ids), (&barcodes, &cells)].into_iter().zip(counted.into_iter().zip(["rows", "columns"]))
    {
        if ids.len() != count {
            return Err(Error::data(
                file,
                format!(
                    "has {} lines, and {} has {count} {what}; take all files from one run",
                    ids.len(),
                    shown(&matrix)
                ),
            ));
        }
    }
    dataset.notes.push(format!(
        "{}: a row is a cell ({}), a column a feature ({})",
        folder.display(),
        shown(&barcodes),
        shown(&features)
    ));
    dataset.notes.extend(genes.note(&features));
    dataset.entities[0].ids = cells;
    let items = dataset.fields[ITEM.0].entity;
    dataset.entities[items].ids = genes.ids;
    dataset.entities[items].titles = Some(genes.symbols);

    let mut hash = Sha256::new();
    for (name, file) in [(MATRIX, matrix_hash), (BARCODES, cells_hash), (FEATURES, genes_hash)] {
        hash.update(name.as_bytes());
        hash.update([0]);
        hash.update(file);
    }
    Ok(hash.finalize().into())
}

/// What the columns are.
#[derive(Default)]
struct Genes {
    ids: Vocabulary,
    symbols: Vec<String>,
    /// How many there are of each type, such as `Gene Expression`, if the file says it.
    types: BTreeMap<String, usize>,
}

impl Genes {
    /// Id and symbol of each line, and from version 3 on its type.
    fn read(path: &Path) -> Result<(Self, Hash)> {
        let mut genes = Self::default();
        let (ids, hash) = ids(path, "feature", |row| {
            genes.symbols.push(if row.len() > 1 { row.text(1).into_owned() } else { String::new() });
            if row.len() > 2 {
                *genes.types.entry(row.text(2).into_owned()).or_default() += 1;
            }
        })?;
        Ok((Self { ids, ..genes }, hash))
    }

    /// What to tell of features of several types.
    fn note(&self, path: &Path) -> Option<String> {
        let types: Vec<String> = self.types.iter().map(|(name, count)| format!("{count} of {name:?}")).collect();
        (types.len() > 1)
            .then(|| format!("{}: features of several types are columns: {}", path.display(), types.join(", ")))
    }
}

/// The first field of each line, all different; `take` gets the whole lines.
fn ids(path: &Path, name: &str, mut take: impl FnMut(&Row)) -> Result<(Vocabulary, Hash)> {
    let mut ids = Vocabulary::default();
    let mut splitter = Splitter::new("\t")?;
    let hash = read_lines(path, 0, |mut lines| {
        while let Some(line) = lines.next()? {
            let row = splitter.split(line)?;
            let known = ids.len();
            let id = row.id(0, name)?;
            if (ids.insert(&id) as usize) < known {
                return Err(
                    row.line_error(format!("the {name} {id:?} is on an earlier line too; give it another name"))
                );
            }
            take(&row);
        }
        Ok(())
    })?;
    Ok((ids, hash))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::tests::{folder, problem, triple, triples};
    use super::super::{ReadOptions, read_dataset};
    use super::*;
    use crate::data::Layout;

    const COUNTS: &str = "%%MatrixMarket matrix coordinate integer general\n%\n3 2 3\n1 1 4\n3 1 1\n2 2 7\n";
    const CELLS: &str = "AAAC-1\nAAAG-1\n";
    const VERSION_3: &str = "ENSG1\tTP53\tGene Expression\nENSG2\tTP53\tGene Expression\nCD3\tCD3\tAntibody Capture\n";
    const VERSION_2: &str = "ENSG1\tTP53\nENSG2\tTP53\nCD3\tCD3\n";

    fn gzip(text: &str) -> Vec<u8> {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        writer.write_all(text.as_bytes()).unwrap();
        writer.finish().unwrap()
    }

    #[test]
    fn a_row_is_a_cell_and_a_column_a_gene() {
        let plain = folder([(MATRIX, COUNTS), (BARCODES, CELLS), (FEATURES, VERSION_3)]);
        let packed = folder([
            ("matrix.mtx.gz", gzip(COUNTS)),
            ("barcodes.tsv.gz", gzip(CELLS)),
            ("features.tsv.gz", gzip(VERSION_3)),
            // Of the same name as a text, by which a folder is taken for documents.
            ("readme.txt", b"counts".to_vec()),
        ]);
        let old = folder([(MATRIX, COUNTS), (BARCODES, CELLS), (GENES, VERSION_2)]);
        for (folder, types) in [(&plain, true), (&packed, true), (&old, false)] {
            let data = read_dataset(folder.path(), None, &ReadOptions::default()).unwrap();
            let expected =
                [triple("AAAC-1", "ENSG1", 4.0), triple("AAAC-1", "CD3", 1.0), triple("AAAG-1", "ENSG2", 7.0)];
            assert_eq!(triples(&data), expected);
            let titles = ["TP53", "TP53", "CD3"].map(String::from).to_vec();
            assert_eq!((data.layout, &data.entities[1].titles), (Layout::Matrix, &Some(titles)));
            let has = |text: &str| data.notes.iter().any(|note| note.contains(text));
            assert!(has(": a row is a cell (barcodes.tsv"), "{:?}", data.notes);
            assert_eq!(has("columns: 1 of \"Antibody Capture\", 2 of \"Gene Expression\""), types, "{:?}", data.notes);
        }
    }

    #[test]
    fn cells_and_genes_without_counts_are_there() {
        let counts = "%%MatrixMarket matrix coordinate integer general\n3 2 1\n2 1 4\n";
        let some = folder([(MATRIX, counts), (BARCODES, CELLS), (GENES, VERSION_2)]);
        let data = read_dataset(some.path(), None, &ReadOptions::default()).unwrap();
        assert_eq!((data.users().len(), data.items().len()), (2, 3));
        assert_eq!(triples(&data), [triple("AAAC-1", "ENSG2", 4.0)]);
    }

    #[test]
    fn the_hash_does_not_depend_on_compression() {
        let hash = |files: [(&str, Vec<u8>); 3]| {
            read_dataset(folder(files).path(), None, &ReadOptions::default()).unwrap().fingerprint
        };
        let of = |cells: &str| [(MATRIX, COUNTS.into()), (BARCODES, cells.into()), (FEATURES, VERSION_3.into())];
        let packed = [("matrix.mtx.gz", gzip(COUNTS)), ("barcodes.tsv", CELLS.into()), (FEATURES, VERSION_3.into())];
        assert_eq!(hash(of(CELLS)), hash(packed));
        assert_ne!(hash(of(CELLS)), hash(of("AAAC-1\nAAAT-1\n")));
    }

    #[test]
    fn errors_name_the_file() {
        let empty = "%%MatrixMarket matrix coordinate integer general\n3 2 0\n";
        let cut = "%%MatrixMarket matrix coordinate integer general\n3 2 2\n1 1 4\n";
        for (files, expected) in [
            (
                vec![(MATRIX, COUNTS), (BARCODES, CELLS)],
                ".: holds no features.tsv or genes.tsv, plain or compressed; copy",
            ),
            (
                vec![(MATRIX, COUNTS), (BARCODES, "A\n"), (GENES, VERSION_2)],
                "barcodes.tsv: has 1 lines, and matrix.mtx has 2 columns; take all files from one run",
            ),
            (
                vec![(MATRIX, COUNTS), (BARCODES, CELLS), (GENES, "a\tb\n")],
                "genes.tsv: has 1 lines, and matrix.mtx has 3 rows; take all files from one run",
            ),
            (
                vec![(MATRIX, COUNTS), (BARCODES, "A\nA\n"), (GENES, VERSION_2)],
                "barcodes.tsv:2: the barcode \"A\" is on an earlier line too; give it another name",
            ),
            (
                vec![(MATRIX, COUNTS), (BARCODES, CELLS), (GENES, "a\tb\nc\td\na\te\n")],
                "genes.tsv:3: the feature \"a\" is on an earlier line too",
            ),
            (
                vec![(MATRIX, COUNTS), (BARCODES, CELLS), (GENES, "a\tb\n\td\nc\te\n")],
                "genes.tsv:2:1: column \"feature\": the id is empty",
            ),
            (vec![(MATRIX, empty), (BARCODES, CELLS), (GENES, VERSION_2)], "matrix.mtx: holds no counts"),
            (vec![(MATRIX, cut), (BARCODES, CELLS), (GENES, VERSION_2)], "matrix.mtx: ends after 1 of 2 entries"),
            (
                vec![(MATRIX, COUNTS), (BARCODES, CELLS), ("barcodes.tsv.gz", CELLS), (GENES, VERSION_2)],
                ".: holds both barcodes.tsv",
            ),
        ] {
            let folder = folder(files);
            let error = problem(&folder, read_dataset(folder.path(), None, &ReadOptions::default()));
            assert!(error.starts_with(expected), "{error}");
        }
        let none = folder([(MATRIX, COUNTS)]);
        assert_eq!(
            problem(&none, read_dataset(none.path(), None, &ReadOptions::of_reader(TenX))),
            ".: holds no barcodes.tsv, plain or compressed; copy the whole folder"
        );
    }
}
