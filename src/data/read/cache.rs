//! Binary copies of large rating files: the second start reads numbers where the first one parsed text.
//!
//! A copy is found by the paths and the options of a reading, and it counts only where the files have the content that
//! it was made from, by SHA-256. Nothing cheaper tells: an edit can keep both size and time of a file. The files are
//! hashed while the copy is read, and their fingerprint has to be known anyway. So a copy is never
//! out of date; one of another version, cut short or damaged is passed over and made anew.
//!
//! # Layout
//! [`MAGIC`], the header's length (u64), the [`Header`] in JSON, then the columns back to back: indices of each field,
//! ratings, timestamps where there are any, and for each entity the ends (u64) and the text of its ids.
//! Last comes the CRC-32 of all before it. Numbers are in this machine's byte order.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bytemuck::Pod;
use flate2::Crc;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::copies::{MOST_BYTES, shrink};
use super::hash::{fingerprint, hash_file, hexadecimal};
use super::options::ReadOptions;
use super::reader::Reader;
use crate::data::{Dataset, Entity, Field, Interactions, Layout, UNKNOWN, Vocabulary};
use crate::error::{Error, Result};
use crate::files;

/// What a copy begins with. The number at the end counts up whenever the layout changes, or the readers come to see a
/// file in another way.
const MAGIC: &[u8; 16] = b"lowrank ratings4";

/// Bytes of a file, as it lies on disk, below which parsing takes no time to speak of.
const WORTHWHILE: u64 = 16 << 20;

/// Bytes that are read and checked at a time: what stays in a processor's cache in between.
const CHUNK: usize = 1 << 18;

/// Where the binary copy of one reading lies, whether or not it is there.
pub(super) struct BinaryCopy {
    path: PathBuf,
    /// What was read, and how.
    key: String,
    sources: Vec<PathBuf>,
    /// That all copies may have together.
    most_bytes: u64,
}

/// What columns follow, and all that is not a column.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    key: String,
    /// The first file that was read, for people.
    source: String,
    fingerprint: String,
    ratings: usize,
    has_timestamps: bool,
    test_start: Option<usize>,
    fields: Vec<Field>,
    entities: Vec<(String, Size)>,
    layout: Layout,
    notes: Vec<String>,
}

/// Size of a vocabulary.
#[derive(Debug, Serialize, Deserialize)]
struct Size {
    ids: usize,
    /// Bytes.
    text: usize,
}

impl BinaryCopy {
    /// The copy that belongs to a reading, if `options` and the size of the files ask for one.
    pub fn of(path: &Path, test: Option<&Path>, reader: &dyn Reader, options: &ReadOptions) -> Option<Self> {
        Self::above(WORTHWHILE, path, test, reader, options)
    }

    /// [`of`](Self::of) files with together `least` bytes.
    fn above(least: u64, path: &Path, test: Option<&Path>, reader: &dyn Reader, options: &ReadOptions) -> Option<Self> {
        // Titles are read from their own file every time. Whatever else is added to the options belongs to the key.
        let ReadOptions { readers: _, duplicates, binarize, cache, titles: _ } = options;
        if !reader.is_text() {
            return None;
        }
        let folder = cache.as_ref()?;
        let sources: Vec<PathBuf> = [path].into_iter().chain(test).map(Into::into).collect();
        let mut size = 0;
        let mut places = Vec::new();
        for source in &sources {
            // A pipe can be read only once.
            let metadata = fs::metadata(source).ok().filter(fs::Metadata::is_file)?;
            size += metadata.len();
            places.push(fs::canonicalize(source).ok()?);
        }
        if size < least {
            return None;
        }
        // Notes repeat the files' names as they were given.
        let read = (&sources, places, test.is_some());
        let how = (reader, duplicates, binarize.map(f32::to_bits));
        let machine = (env!("CARGO_PKG_VERSION"), cfg!(target_endian = "big"));
        let key = format!("{read:?} {how:?} {machine:?}");
        let name = hexadecimal(&Sha256::digest(&key));
        Some(Self { path: folder.join(&name[..32]), key, sources, most_bytes: MOST_BYTES })
    }

    /// The data from the copy, or from `read` where there is none that counts; then the copy is made for the next time.
    ///
    /// # Errors
    /// Those of `read`. That a copy cannot be written is only noted.
    pub fn read_or(&self, read: impl FnOnce() -> Result<Dataset>) -> Result<Dataset> {
        if let Some(dataset) = self.read() {
            return Ok(dataset);
        }
        let mut dataset = read()?;
        let source = self.sources[0].display();
        dataset.notes.push(match self.write(&dataset) {
            Ok(()) => format!("{source}: the next start reads the binary copy {}", self.path.display()),
            Err(error) => format!("{source}: no binary copy is kept for the next start: {error}"),
        });
        Ok(dataset)
    }

    fn read(&self) -> Option<Dataset> {
        if !self.path.is_file() {
            return None;
        }
        let hashes = || self.sources.iter().map(|source| hash_file(source)).collect::<Result<Vec<_>>>();
        let (dataset, hashes) = rayon::join(|| self.decode(), hashes);
        // Where a file cannot be read, the reader says so.
        let dataset = dataset.filter(|dataset| hashes.is_ok_and(|hashes| fingerprint(&hashes) == dataset.fingerprint));
        if dataset.is_some() {
            // What was used last goes last. If the time cannot be set, the copy is as good.
            let _ = File::options().append(true).open(&self.path).and_then(|file| file.set_modified(SystemTime::now()));
        }
        dataset
    }

    /// What the copy holds; `None` where anything about it is not as it was written.
    fn decode(&self) -> Option<Dataset> {
        let file = File::open(&self.path).ok()?;
        let left = file.metadata().ok()?.len();
        let mut input = Input { file, left, checksum: Crc::new() };
        let header = input.header()?;
        if header.key != self.key {
            return None;
        }
        let mut interactions = Interactions::of_fields(0);
        for _ in &header.fields {
            interactions.columns.push(input.column(header.ratings)?);
        }
        interactions.targets = input.column(header.ratings)?;
        interactions.timestamps = if header.has_timestamps { Some(input.column(header.ratings)?) } else { None };
        let mut entities = Vec::new();
        for (name, size) in header.entities {
            let ends = input.column(size.ids)?;
            let ids = Vocabulary::from_parts(String::from_utf8(input.bytes(size.text)?).ok()?, ends)?;
            entities.push(Entity { ids, ..Entity::new(&name) });
        }
        let checksum = input.checksum.sum();
        let is_whole = input.column::<u32>(1)? == [checksum] && input.left == 0;

        // A rating has a user and an item; a context may be missing.
        let is_known = |(at, (field, indices)): (usize, (&Field, &Vec<u32>))| {
            let rows = entities.get(field.entity).map_or(0, |entity| entity.ids.len());
            indices.iter().all(|&index| (index as usize) < rows || at > 1 && index == UNKNOWN)
        };
        let is_sound = header.fields.len() >= 2
            && header.fields.iter().zip(&interactions.columns).enumerate().all(is_known)
            && interactions.targets.iter().all(|value| value.is_finite())
            && header.test_start.is_none_or(|start| start <= interactions.len());
        let Header { fingerprint, test_start, fields, layout, notes, .. } = header;
        (is_whole && is_sound).then(|| Dataset {
            interactions,
            entities,
            fields,
            test_start,
            fingerprint,
            layout,
            notes,
            ..Dataset::default()
        })
    }

    fn write(&self, dataset: &Dataset) -> Result<()> {
        // Titles are read beside the copy.
        let Dataset { interactions, entities, fields, test_start, fingerprint, layout, notes, .. } = dataset;
        let size = |ids: &Vocabulary| Size { ids: ids.len(), text: ids.parts().0.len() };
        let header = Header {
            key: self.key.clone(),
            source: self.sources[0].display().to_string(),
            fingerprint: fingerprint.clone(),
            ratings: interactions.len(),
            has_timestamps: interactions.timestamps.is_some(),
            test_start: *test_start,
            fields: fields.clone(),
            entities: entities.iter().map(|entity| (entity.name.clone(), size(&entity.ids))).collect(),
            layout: *layout,
            notes: notes.clone(),
        };
        let header = serde_json::to_vec(&header).map_err(|e| Error::data(&self.path, e.to_string()))?;
        let length = (header.len() as u64).to_ne_bytes();
        let mut sections: Vec<&[u8]> = vec![MAGIC, &length, &header];
        sections.extend(interactions.columns.iter().map(|indices| bytemuck::cast_slice::<_, u8>(indices)));
        sections.push(bytemuck::cast_slice(&interactions.targets));
        sections.extend(interactions.timestamps.as_ref().map(|timestamps| bytemuck::cast_slice::<_, u8>(timestamps)));
        for entity in entities {
            let (text, ends) = entity.ids.parts();
            sections.extend([bytemuck::cast_slice(ends), text.as_bytes()]);
        }
        if let Some(folder) = self.path.parent() {
            files::create_folder(folder)?;
            let size = sections.iter().map(|section| section.len() as u64).sum();
            let others = self.most_bytes.checked_sub(size).ok_or_else(|| {
                Error::Failed(format!(
                    "it would have {size} bytes, and all copies together at most {}",
                    self.most_bytes
                ))
            })?;
            // The one that is replaced counts no more than it will.
            let _ = fs::remove_file(&self.path);
            shrink(folder, others)?;
        }
        files::write_expendable(&self.path, |writer| {
            let mut checksum = Crc::new();
            let mut write = |bytes: &[u8]| writer.write_all(bytes).map_err(|e| Error::io("write", &self.path, e));
            for chunk in sections.iter().flat_map(|section| section.chunks(CHUNK)) {
                checksum.update(chunk);
                write(chunk)?;
            }
            write(&checksum.sum().to_ne_bytes())
        })
    }
}

/// The file that the copy at `path` is of, as it was named; `None` if this program does not know such copies.
pub fn source_of(path: &Path) -> Option<String> {
    let file = File::open(path).ok()?;
    let left = file.metadata().ok()?.len();
    Input { file, left, checksum: Crc::new() }.header().map(|header| header.source)
}

/// A file that is read in order, with as many bytes left as it is long.
struct Input {
    file: File,
    left: u64,
    /// Of all bytes read.
    checksum: Crc,
}

impl Input {
    fn header(&mut self) -> Option<Header> {
        if self.bytes(MAGIC.len())? != MAGIC {
            return None;
        }
        let length = self.column::<u64>(1)?[0];
        serde_json::from_slice(&self.bytes(usize::try_from(length).ok()?)?).ok()
    }

    fn bytes(&mut self, count: usize) -> Option<Vec<u8>> {
        self.column(count)
    }

    /// The next `count` numbers; `None` where the file has not that many.
    fn column<T: Pod>(&mut self, count: usize) -> Option<Vec<T>> {
        let size = count.checked_mul(size_of::<T>())?;
        // Before memory is asked for: a wrong header can name any count.
        self.left = self.left.checked_sub(size as u64)?;
        let mut numbers = vec![T::zeroed(); count];
        for chunk in bytemuck::cast_slice_mut(&mut numbers).chunks_mut(CHUNK) {
            self.file.read_exact(chunk).ok()?;
            self.checksum.update(chunk);
        }
        Some(numbers)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::tests::file;
    use super::super::{
        BadLines, Delimited, DenseTable, Documents, Duplicates, HeaderLine, MatrixMarket, TitleFile, read_dataset,
        read_lists,
    };
    use super::*;
    use crate::data::ITEM;

    const CSV: &[u8] = b"user,item,rating,when\n1,a,2.5,10\n2,caf\xe9,3,11\n1,a,4,12\n3,\"x, y\",-1e-3,-5\n";

    /// Options with a cache in `folder`.
    fn with_cache(folder: &Path, options: ReadOptions) -> ReadOptions {
        ReadOptions { cache: Some(folder.join("cache")), ..options }
    }

    fn copy_of(path: &Path, test: Option<&Path>, options: &ReadOptions) -> BinaryCopy {
        BinaryCopy::above(0, path, test, options.reader(path).unwrap(), options).unwrap()
    }

    fn read_files(path: &Path, test: Option<&Path>, options: &ReadOptions) -> Result<Dataset> {
        read_lists(path, test, options.reader(path)?, options)
    }

    #[track_caller]
    fn assert_same(a: &Dataset, b: &Dataset) {
        assert_eq!(a.interactions, b.interactions);
        assert!(a.users().ids().eq(b.users().ids()) && a.items().ids().eq(b.items().ids()));
        assert!(a.users().ids().all(|id| a.users().index(id) == b.users().index(id)));
        assert_eq!((a.test_start, &a.fields, &a.fingerprint), (b.test_start, &b.fields, &b.fingerprint));
        assert_eq!((a.reachable_error, a.layout, &a.notes), (b.reachable_error, b.layout, &b.notes));
    }

    #[test]
    fn a_copy_is_what_every_reader_reads() {
        let folder = tempfile::tempdir().unwrap();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(CSV).unwrap();
        let zipped = gzip.finish().unwrap();
        let matrix = b"%%MatrixMarket matrix coordinate pattern general\n3 2 2\n3 2\n1 1\n";
        let columns = Some(["user", "item", "rating", "timestamp"].map(String::from).to_vec());
        let options = ReadOptions::of_reader(Delimited { columns, ..Default::default() });
        let cases: [(&str, &[u8], ReadOptions); 7] = [
            ("r.csv", CSV, options.clone()),
            ("r.csv.gz", &zipped, options.clone()),
            ("binary.csv", CSV, ReadOptions { binarize: Some(2.5), ..options.clone() }),
            ("all.csv", CSV, ReadOptions { duplicates: Duplicates::Keep, ..options }),
            ("pairs.tsv", b"7\tx\n8\ty\n", ReadOptions::default()),
            ("m.mtx", matrix, ReadOptions::default()),
            ("d.txt", b"a b\n1 NA\n2 3\n", ReadOptions::of_reader(DenseTable::default())),
        ];
        let mut notes = 0;
        for (name, content, options) in cases {
            let path = folder.path().join(name);
            fs::write(&path, content).unwrap();
            let options = with_cache(folder.path(), options);
            for test in [None, Some(path.as_path())] {
                let copy = copy_of(&path, test, &options);
                assert!(copy.read().is_none(), "{name}");
                let expected = read_files(&path, test, &options).unwrap();
                let mut first = copy.read_or(|| read_files(&path, test, &options)).unwrap();
                assert!(first.notes.pop().unwrap().contains("the next start reads the binary copy"), "{name}");
                assert_same(&first, &expected);
                assert_same(&copy.read().expect(name), &expected);
                notes += expected.notes.len();
            }
        }
        assert!(notes > 6, "notes are among what is compared");
    }

    #[test]
    fn only_large_files_are_copied_and_titles_are_read_anew() {
        let (folder, path) = file("r.csv", CSV);
        let titles = folder.path().join("titles.csv");
        fs::write(&titles, "a,First\n").unwrap();
        let file = TitleFile { path: titles.clone(), ..Default::default() };
        let options = with_cache(folder.path(), ReadOptions { titles: Some(file), ..Default::default() });
        let copies = || fs::read_dir(folder.path().join("cache")).map_or(0, Iterator::count);
        let small = read_dataset(&path, None, &options).unwrap();
        assert_eq!(copies(), 0);

        // Blank lines count as little as they should.
        fs::write(&path, [&b"\n".repeat(WORTHWHILE as usize), CSV].concat()).unwrap();
        let first = read_dataset(&path, None, &options).unwrap();
        assert_eq!((copies(), first.notes.len()), (1, small.notes.len() + 1));
        fs::write(&titles, "a,Second\n").unwrap();
        let second = read_dataset(&path, None, &options).unwrap();
        // Reading the text again would have been noted.
        assert_eq!((&second.interactions, &second.notes), (&small.interactions, &small.notes));
        assert_eq!(second.entity(ITEM).titles.as_ref().unwrap()[0], "Second");
        assert!(read_dataset(&path, None, &ReadOptions { cache: None, ..options }).is_ok());
        assert_eq!(copies(), 1);
    }

    #[test]
    fn an_edit_that_keeps_size_and_time_is_seen() {
        let (folder, path) = file("r.csv", "1,a,3\n2,b,4\n");
        let options = with_cache(folder.path(), ReadOptions::default());
        let copy = copy_of(&path, None, &options);
        copy.read_or(|| read_files(&path, None, &options)).unwrap();
        let time = fs::metadata(&path).unwrap().modified().unwrap();
        fs::write(&path, "1,a,3\n2,b,5\n").unwrap();
        File::options().append(true).open(&path).unwrap().set_modified(time).unwrap();
        assert!(copy.read().is_none());
        let changed = copy.read_or(|| read_files(&path, None, &options)).unwrap();
        assert_eq!(changed.interactions.targets, [3.0, 5.0]);
        assert_eq!(copy.read().unwrap().interactions.targets, [3.0, 5.0]);
        assert_eq!(fs::read_dir(folder.path().join("cache")).unwrap().count(), 1, "the new copy replaced the old one");
    }

    #[test]
    fn a_line_that_moves_to_the_test_file_is_seen() {
        let (folder, train) = file("train.csv", "1,a,3\n2,b,4\n");
        let test = folder.path().join("test.csv");
        fs::write(&test, "1,b,5\n").unwrap();
        let options = with_cache(folder.path(), ReadOptions::default());
        let copy = copy_of(&train, Some(&test), &options);
        copy.read_or(|| read_files(&train, Some(&test), &options)).unwrap();
        assert_eq!(copy.read().unwrap().test_start, Some(2));
        fs::write(&train, "1,a,3\n").unwrap();
        fs::write(&test, "2,b,4\n1,b,5\n").unwrap();
        assert!(copy.read().is_none());
    }

    #[test]
    fn every_option_that_matters_has_a_copy_of_its_own() {
        let (folder, path) = file("r.csv", CSV);
        let plain = || with_cache(folder.path(), ReadOptions::default());
        fn of(reader: &(impl Reader + Clone + 'static)) -> ReadOptions {
            ReadOptions { cache: Some("cache".into()), ..ReadOptions::of_reader(reader.clone()) }
        }
        let variants = [
            plain(),
            of(&Delimited { delimiter: Some(",".into()), ..Default::default() }),
            of(&Delimited { columns: Some(vec!["user".into(), "item".into()]), ..Default::default() }),
            of(&Delimited { context: vec!["hour".into()], ..Default::default() }),
            of(&Delimited { skip_lines: 1, ..Default::default() }),
            of(&Delimited { header: HeaderLine::No, ..Default::default() }),
            of(&Delimited { time_format: Some("%Y".into()), ..Default::default() }),
            of(&Delimited { bad_lines: BadLines::Skip, ..Default::default() }),
            of(&MatrixMarket::default()),
            of(&MatrixMarket { skip_lines: 1 }),
            of(&DenseTable::default()),
            of(&DenseTable { delimiter: Some(",".into()), ..Default::default() }),
            of(&DenseTable { class_column: Some(1), ..Default::default() }),
            of(&DenseTable { skip_lines: 1, ..Default::default() }),
            ReadOptions { duplicates: Duplicates::Mean, ..plain() },
            ReadOptions { binarize: Some(1.0), ..plain() },
        ];
        let name_of = |path: &Path, test, options: &ReadOptions| {
            let copy = copy_of(path, test, options).path;
            copy.file_name().unwrap().to_owned()
        };
        let mut names: Vec<_> = variants.iter().map(|options| name_of(&path, None, options)).collect();
        names.push(name_of(&path, Some(&path), &plain()));
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
        let titled = ReadOptions { titles: Some(TitleFile::default()), ..plain() };
        assert!(names.contains(&name_of(&path, None, &titled)), "titles are not in the copy");
        let is_copied = |path: &Path, reader: &dyn Reader, options: &ReadOptions| {
            BinaryCopy::above(0, path, None, reader, options).is_some()
        };
        let lines = Delimited::default();
        assert!(is_copied(&path, &lines, &plain()));
        assert!(!is_copied(&path, &lines, &ReadOptions::default()), "no cache is asked for");
        assert!(!is_copied(folder.path(), &lines, &plain()), "a folder is no file");
        assert!(!is_copied(&path, &Documents::default(), &plain()), "documents are no list");
    }

    #[test]
    fn damage_of_any_byte_is_noticed() {
        let (folder, path) = file("r.csv", "1,a,3,7\n2,b,4,8\n");
        let options = with_cache(folder.path(), ReadOptions::default());
        let copy = copy_of(&path, None, &options);
        copy.read_or(|| read_files(&path, None, &options)).unwrap();
        let whole = fs::read(&copy.path).unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            fs::write(&copy.path, &damaged).unwrap();
            assert!(copy.read().is_none(), "byte {at}");
            fs::write(&copy.path, &whole[..at]).unwrap();
            assert!(copy.read().is_none(), "cut at {at}");
        }
        fs::write(&copy.path, [&whole[..], &[0]].concat()).unwrap();
        assert!(copy.read().is_none(), "longer");
        fs::write(&copy.path, &whole).unwrap();
        assert!(copy.read().is_some());
    }

    #[test]
    fn numbers_that_training_could_not_bear_are_refused() {
        let (folder, path) = file("r.csv", "1,a,3\n2,b,4\n");
        let options = with_cache(folder.path(), ReadOptions::default());
        let copy = copy_of(&path, None, &options);
        let good = read_files(&path, None, &options).unwrap();
        let spoilt = |spoil: &dyn Fn(&mut Dataset)| {
            let mut dataset = good.clone();
            spoil(&mut dataset);
            copy.write(&dataset).unwrap();
            copy.read().is_none()
        };
        assert!(!spoilt(&|_| ()));
        assert!(spoilt(&|dataset| dataset.interactions.columns[0][1] = 2));
        assert!(spoilt(&|dataset| dataset.interactions.columns[1][0] = u32::MAX));
        assert!(spoilt(&|dataset| dataset.interactions.targets[0] = f32::NAN));
        assert!(spoilt(&|dataset| dataset.test_start = Some(3)));
    }

    #[test]
    fn a_copy_takes_the_place_of_those_read_longest_ago() {
        let (folder, path) = file("r.csv", "1,a,3\n2,b,4\n");
        let options = with_cache(folder.path(), ReadOptions::default());
        let read = |test: Option<&Path>, most_bytes| {
            let copy = BinaryCopy { most_bytes, ..copy_of(&path, test, &options) };
            (copy.read_or(|| read_files(&path, test, &options)).unwrap(), copy.path)
        };
        let age = |path: &Path| {
            let old = SystemTime::now() - std::time::Duration::from_secs(1000);
            File::options().append(true).open(path).unwrap().set_modified(old).unwrap();
        };
        let (_, one) = read(None, MOST_BYTES);
        let size = fs::metadata(&one).unwrap().len();
        assert_eq!(source_of(&one), Some(path.display().to_string()));
        age(&one);
        // Reading makes it the latest.
        read(None, MOST_BYTES);
        assert!(fs::metadata(&one).unwrap().modified().unwrap().elapsed().unwrap().as_secs() < 500);
        age(&one);
        let (_, two) = read(Some(&path), 3 * size / 2);
        assert!(two.exists() && !one.exists());
        let (dataset, three) = read(None, size / 2);
        assert!(!three.exists() && dataset.notes[1].contains("all copies together at most"), "{:?}", dataset.notes);
    }

    #[test]
    fn a_copy_that_cannot_be_written_is_noted() {
        let (folder, path) = file("r.csv", "1,a,3\n");
        fs::write(folder.path().join("cache"), "in the way").unwrap();
        let options = with_cache(folder.path(), ReadOptions::default());
        let dataset = copy_of(&path, None, &options).read_or(|| read_files(&path, None, &options)).unwrap();
        assert_eq!(dataset.interactions.targets, [3.0]);
        assert!(dataset.notes[1].contains("r.csv: no binary copy is kept for the next start: "), "{:?}", dataset.notes);
    }

    #[test]
    fn many_at_once_agree_and_leave_one_copy() {
        let text: String = (0..20_000).map(|at| format!("{},{},{}\n", at % 997, at % 131, at % 5)).collect();
        let (folder, path) = file("r.csv", text);
        let options = with_cache(folder.path(), ReadOptions::default());
        let expected = read_files(&path, None, &options).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..5 {
                        let copy = copy_of(&path, None, &options);
                        let read = copy.read_or(|| read_files(&path, None, &options)).unwrap();
                        assert_eq!(read.interactions, expected.interactions);
                        // Others go on writing while this one reads.
                        copy.write(&expected).unwrap();
                    }
                });
            }
        });
        assert_eq!(fs::read_dir(folder.path().join("cache")).unwrap().count(), 1);
    }
}
