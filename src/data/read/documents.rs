//! Texts as a matrix: a row a document, a column a term, a cell how much of the document the term makes.
//!
//! A term is a word, a run of two letters or more in lower case; and if asked for, a run of words. Which terms count and
//! what their cells hold is said by [`DocumentOptions`]. Terms are in alphabetical order, cells that would be 0 are not
//! stored, and documents without any term that counts are left out.

use std::collections::HashSet;
use std::path::Path;

use super::document_options::{DocumentOptions, MOST_OF_A_RUN, StopWords, Weighting};
use super::folder::{Folder, Kind};
use super::hash::Hash;
use super::reader::{Reader, ReaderPart, read_lines};
use super::shared_keys::{extension_key, skip_key};
use super::words::{Unspaced, lowered, words};
use crate::config::{Keys, Values};
use crate::data::interactions::check_count;
use crate::data::{Dataset, Layout, Vocabulary};
use crate::error::{Error, Result};

/// Words that [`StopWords::English`] leaves out; those like `ll` and `doesn` are what an apostrophe cuts.
const ENGLISH: &str = "\
    a about above after again against all also although am among an and another any are aren around as at \
    be because been before being below between both but by can cannot could couldn \
    did didn do does doesn doing don done down during each either else ever every few for from further \
    had hadn has hasn have haven having he her here hers herself him himself his how however \
    if in into is isn it its itself just ll many may me might more most much must mustn my myself \
    neither no nor not now of off on once one only onto or other our ours ourselves out over own per \
    re same shall shan she should shouldn since so some such than that the their theirs them themselves then there \
    these they this those though through thus to too under until up upon us \
    ve very was wasn we were weren what when where whether which while who whom whose why will with within without won \
    would wouldn yet you your yours yourself yourselves";

/// The terms of one text and how often each occurs, by alphabet: its words that are no stop words, and runs of them. Which of
/// them a model has is another matter.
pub fn terms(text: &str, options: &DocumentOptions) -> Vec<(String, u32)> {
    let mut corpus = Corpus::new(options);
    corpus.read(text.as_bytes());
    corpus.end(String::new());
    let counts = corpus.documents.iter().flatten();
    let mut terms: Vec<_> = counts.map(|&(term, count)| (corpus.terms.id(term as usize).to_owned(), count)).collect();
    terms.sort_unstable();
    terms
}

/// The words that are no terms.
fn stop_words(options: &DocumentOptions) -> HashSet<String> {
    let known = match options.stop_words {
        StopWords::None => "",
        StopWords::English => ENGLISH,
    };
    let extra = options.extra_stop_words.iter().map(|text| lowered(text.as_bytes()));
    let extra: Vec<String> = extra.flat_map(|text| words(&text).map(str::to_owned).collect::<Vec<_>>()).collect();
    known.split_whitespace().map(str::to_owned).chain(extra).collect()
}

/// Documents as they are collected: which terms, and how often.
struct Corpus {
    stop_words: HashSet<String>,
    max_ngram: usize,
    unspaced: Unspaced,
    /// Terms in order of first appearance.
    terms: Vocabulary,
    ids: Vec<String>,
    /// Term indices of each document with counts, by index.
    documents: Vec<Vec<(u32, u32)>>,
    /// Words of the document that is being read, in its order.
    pending: Vec<u32>,
}

impl Corpus {
    fn new(options: &DocumentOptions) -> Self {
        Self {
            stop_words: stop_words(options),
            max_ngram: options.max_ngram,
            unspaced: Unspaced::default(),
            terms: Vocabulary::default(),
            ids: Vec::new(),
            documents: Vec::new(),
            pending: Vec::new(),
        }
    }

    /// Adds text to the document that is being read.
    fn read(&mut self, text: &[u8]) {
        let text = lowered(text);
        for word in words(&text) {
            self.unspaced.see(word);
            if !self.stop_words.contains(word) {
                self.pending.push(self.terms.insert(word));
            }
        }
    }

    /// Ends the document that was being read.
    fn end(&mut self, id: String) {
        let words = self.pending.len();
        for length in 2..=self.max_ngram.min(words) {
            for start in 0..=words - length {
                let run = self.pending[start..start + length].iter().map(|&word| self.terms.id(word as usize));
                let run = run.collect::<Vec<_>>().join(" ");
                self.pending.push(self.terms.insert(&run));
            }
        }
        self.pending.sort_unstable();
        let counts = self.pending.chunk_by(PartialEq::eq).map(|equal| (equal[0], equal.len() as u32));
        self.documents.push(counts.collect());
        self.ids.push(id);
        self.pending.clear();
    }

    /// The terms that count, in alphabetical order.
    fn columns(&self, options: &DocumentOptions, spread: &[u32]) -> Vec<u32> {
        let mut occurrences = vec![0_u64; self.terms.len()];
        for &(term, count) in self.documents.iter().flatten() {
            occurrences[term as usize] += u64::from(count);
        }
        let most = options.max_share * self.documents.len() as f64;
        let counts = |&term: &u32| {
            let documents = spread[term as usize];
            documents as usize >= options.min_documents && f64::from(documents) <= most
        };
        let mut columns: Vec<u32> = (0..self.terms.len() as u32).filter(counts).collect();
        columns.sort_unstable_by_key(|&term| self.terms.id(term as usize));
        if let Some(most) = options.max_terms {
            // Stable: the first by alphabet of equals.
            columns.sort_by_key(|&term| std::cmp::Reverse(occurrences[term as usize]));
            columns.truncate(most);
            columns.sort_unstable_by_key(|&term| self.terms.id(term as usize));
        }
        columns
    }

    /// Adds the cells of all documents to `dataset`.
    fn weigh(&self, path: &Path, options: &DocumentOptions, dataset: &mut Dataset) -> Result<()> {
        let mut spread = vec![0_u32; self.terms.len()];
        for &(term, _) in self.documents.iter().flatten() {
            spread[term as usize] += 1;
        }
        let columns = self.columns(options, &spread);
        let remedy = self.unspaced.remedy();
        if columns.is_empty() {
            let remedy = remedy.map(|remedy| format!("; {remedy}")).unwrap_or_default();
            return Err(Error::data(
                path,
                format!(
                    "none of the {} terms of {} documents counts; lower min_documents ({}) or raise \
                     max_share ({}){remedy}",
                    self.terms.len(),
                    self.documents.len(),
                    options.min_documents,
                    options.max_share
                ),
            ));
        }
        dataset.notes.extend(remedy.map(|remedy| format!("{}: {remedy}", path.display())));
        let number = self.documents.len() as f64;
        // Column and weight of each term.
        let mut weights = vec![None; self.terms.len()];
        for (column, &term) in (0..).zip(&columns) {
            let idf = ((1.0 + number) / (1.0 + f64::from(spread[term as usize]))).ln() + 1.0;
            weights[term as usize] = Some((column, idf));
        }
        dataset.layout = Layout::Documents;
        *dataset.pair_mut().items = Vocabulary::from_ids(columns.iter().map(|&term| self.terms.id(term as usize)));
        let mut left_out = 0;
        for (id, document) in self.ids.iter().zip(&self.documents) {
            let weigh = |&(term, count): &(u32, u32)| {
                let (column, idf) = weights[term as usize]?;
                let count = f64::from(count);
                let weight = match options.weighting {
                    Weighting::Counts => count,
                    Weighting::LogCounts => count.ln_1p(),
                    Weighting::TfIdf => count * idf,
                    Weighting::LogTfIdf => (1.0 + count.ln()) * idf,
                };
                Some((column, weight))
            };
            let mut cells: Vec<(u32, f64)> = document.iter().filter_map(weigh).collect();
            if cells.is_empty() {
                left_out += 1;
                continue;
            }
            cells.sort_unstable_by_key(|&(column, _)| column);
            let length = match options.weighting {
                Weighting::Counts | Weighting::LogCounts => 1.0,
                Weighting::TfIdf | Weighting::LogTfIdf => {
                    cells.iter().map(|(_, weight)| weight * weight).sum::<f64>().sqrt()
                }
            };
            let row = dataset.pair_mut().users.insert(id);
            for (column, weight) in cells {
                dataset.interactions.push([row, column], (weight / length) as f32, None);
            }
        }
        let (rows, terms) = (self.documents.len() - left_out, columns.len());
        if left_out > 0 {
            let what = if left_out == 1 {
                "document has no term that counts and is"
            } else {
                "documents have no term that counts and are"
            };
            dataset.notes.push(format!("{}: {left_out} {what} left out", path.display()));
        }
        dataset.notes.push(format!(
            "{}: {rows} documents are rows, {terms} of {} terms are columns, weighted as {}",
            path.display(),
            self.terms.len(),
            options.weighting
        ));
        check_count(path, dataset.interactions.len())
    }
}

fn check(options: &DocumentOptions) -> Result<()> {
    let &DocumentOptions { min_documents, max_share, max_terms, max_ngram, .. } = options;
    if let Some(text) = options.extra_stop_words.iter().find(|text| words(&lowered(text.as_bytes())).next().is_none()) {
        return Err(Error::Usage(format!(
            "documents: extra_stop_words names {text:?}, which has no word of two letters or more, so that it is no term \
             anyway; remove it"
        )));
    }
    if !MOST_OF_A_RUN.contains(&max_ngram) {
        return Err(Error::Usage(format!(
            "documents: max_ngram = {max_ngram}; it is from {} to {}",
            MOST_OF_A_RUN.start(),
            MOST_OF_A_RUN.end()
        )));
    }
    if min_documents == 0 || max_terms == Some(0) || !(max_share > 0.0 && max_share <= 1.0) {
        return Err(Error::Usage(format!(
            "documents: min_documents = {min_documents} and max_terms are at least 1, max_share = {max_share} is above \
             0 and at most 1"
        )));
    }
    Ok(())
}

/// A folder of texts, a document each, called like its file without extension; or a file with a document a line, called by
/// the number of the line from 1.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Documents {
    /// Which terms count, and what their cells hold.
    pub options: DocumentOptions,
    /// Extension, with or without the dot, of the files of a folder that are documents; `None` takes all texts.
    pub extension: Option<String>,
    /// Lines to leave out at the start of every file.
    pub skip_lines: usize,
}

impl Reader for Documents {
    fn read(&self, path: &Path, dataset: &mut Dataset) -> Result<Hash> {
        read(path, self, dataset)
    }

    /// A folder with as many texts as pictures, or more.
    fn recognizes(&self, path: &Path) -> Result<bool> {
        Ok(path.is_dir() && Kind::of_most(path)? == Kind::Texts)
    }

    fn is_list(&self) -> bool {
        false
    }
}

impl ReaderPart for Documents {
    const NAME: &'static str = "documents";

    fn keys() -> Keys {
        Keys::new([skip_key(), extension_key()]).and(DocumentOptions::keys())
    }

    fn of(values: &Values) -> Self {
        Self {
            options: DocumentOptions::of(values),
            extension: values.find("data.extension"),
            skip_lines: values.get("data.skip_lines"),
        }
    }
}

fn read(path: &Path, Documents { options, extension, skip_lines }: &Documents, dataset: &mut Dataset) -> Result<Hash> {
    check(options)?;
    let mut corpus = Corpus::new(options);
    let hash = if path.is_dir() {
        let folder = Folder::list(path, Kind::Texts, extension.as_deref())?;
        dataset.notes.extend(folder.note());
        let mut hashes = Vec::with_capacity(folder.members.len());
        for member in &folder.members {
            hashes.push(lines(&member.path, *skip_lines, |_, text| corpus.read(text))?);
            corpus.end(member.id.clone());
        }
        folder.hash(&hashes)
    } else {
        lines(path, *skip_lines, |number, text| {
            corpus.read(text);
            corpus.end(number.to_string());
        })?
    };
    corpus.weigh(path, options, dataset)?;
    Ok(hash)
}

/// Hands out number and bytes of the lines of a file that are not blank, and returns the hash of its content.
fn lines(path: &Path, skip: usize, mut each: impl FnMut(u64, &[u8])) -> Result<Hash> {
    read_lines(path, skip, |mut lines| {
        while let Some(line) = lines.next()? {
            each(line.number, line.bytes);
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use sha2::{Digest, Sha256};

    use super::super::hash::hexadecimal;
    use super::super::tests::{folder, problem, triple, triples};
    use super::super::{ReadOptions, built_in, read_dataset};
    use super::*;

    /// Every term that any document has, counted.
    const COUNTED: DocumentOptions = DocumentOptions {
        stop_words: StopWords::None,
        min_documents: 1,
        max_share: 1.0,
        max_terms: None,
        weighting: Weighting::Counts,
        extra_stop_words: Vec::new(),
        max_ngram: 1,
    };

    fn options(documents: DocumentOptions) -> ReadOptions {
        ReadOptions::of_reader(Documents { options: documents, ..Default::default() })
    }

    /// A dataset of documents, a line each.
    fn read(content: impl AsRef<[u8]>, documents: DocumentOptions) -> Result<Dataset, String> {
        super::super::tests::read("d.txt", content, &options(documents))
    }

    fn terms(content: &str, documents: DocumentOptions) -> Vec<String> {
        read(content, documents).unwrap().items().ids().map(Into::into).collect()
    }

    #[test]
    fn terms_are_runs_of_letters_in_lower_case() {
        let text = "It's 3pm: ÄRGER, naïve x-ray\nÀ LA mode_2; ΟΔΌΣ e.g. \u{fb01}t";
        assert_eq!(terms(text, COUNTED), ["it", "la", "mode", "naïve", "pm", "ray", "ärger", "οδός", "\u{fb01}t"]);
    }

    #[test]
    fn a_line_is_a_document_called_by_its_number() {
        let data = read("bb aa bb\n\n!! 12\naa cc\r\n", COUNTED).unwrap();
        assert_eq!(
            triples(&data),
            [triple("1", "aa", 1.0), triple("1", "bb", 2.0), triple("4", "aa", 1.0), triple("4", "cc", 1.0)]
        );
        assert_eq!(data.layout, Layout::Documents);
        assert!(data.notes[0].ends_with("d.txt: 1 document has no term that counts and is left out"));
        assert_eq!(data.fingerprint, hexadecimal(&Sha256::digest("bb aa bb\n\n!! 12\naa cc\r\n")));
    }

    #[test]
    fn common_and_rare_terms_do_not_count() {
        // aa is in four of four documents, bb in three, cc in two, dd in one.
        let text = "aa bb cc dd\naa bb cc\naa bb\naa\n";
        for (min_documents, max_share, expected) in [
            (1, 1.0, &["aa", "bb", "cc", "dd"][..]),
            (2, 1.0, &["aa", "bb", "cc"]),
            (2, 0.75, &["bb", "cc"]),
            (1, 0.74, &["cc", "dd"]),
            (2, 0.5, &["cc"]),
        ] {
            assert_eq!(terms(text, DocumentOptions { min_documents, max_share, ..COUNTED }), expected);
        }
        assert_eq!(
            read(text, DocumentOptions { min_documents: 3, max_share: 0.5, ..COUNTED }).unwrap_err(),
            "d.txt: none of the 4 terms of 4 documents counts; lower min_documents (3) or raise max_share (0.5)"
        );
    }

    #[test]
    fn stop_words_of_ones_own_are_no_terms() {
        let extra = |words: &[&str]| DocumentOptions {
            extra_stop_words: words.iter().map(ToString::to_string).collect(),
            ..COUNTED
        };
        assert_eq!(terms("The cat, the DOG\nÉté cat\n", extra(&["dog", "E\u{301}TE\u{301}"])), ["cat", "the"]);
        let both = DocumentOptions { stop_words: StopWords::English, ..extra(&["cat"]) };
        assert_eq!(terms("The cat, the DOG\n", both), ["dog"]);
        let error = read("aa bb\n", extra(&["aa", "42"])).unwrap_err();
        assert!(error.starts_with("documents: extra_stop_words names \"42\", which has no word"), "{error}");
    }

    #[test]
    fn runs_of_words_are_terms_if_asked_for() {
        let runs = |max_ngram| DocumentOptions { max_ngram, stop_words: StopWords::English, ..COUNTED };
        // As scikit-learn has it: stop words are left out first, and what stood between them is one run.
        let text = "State of the art machine-learning\n";
        assert_eq!(terms(text, runs(1)), ["art", "learning", "machine", "state"]);
        assert_eq!(
            terms(text, runs(2)),
            ["art", "art machine", "learning", "machine", "machine learning", "state", "state art"]
        );
        assert_eq!(terms(text, runs(3)).len(), 9);
        assert_eq!(terms("aa\n", runs(9)), ["aa"]);
        let data = read("aa bb aa bb\n", runs(2)).unwrap();
        let counted = [("aa", 2.0), ("aa bb", 2.0), ("bb", 2.0), ("bb aa", 1.0)];
        assert_eq!(triples(&data), counted.map(|(term, count)| triple("1", term, count)));
        // A document of a folder goes on from line to line.
        let folder = folder([("a", "aa\nbb\n"), ("b", "cc")]);
        let data = read_dataset(folder.path(), None, &options(runs(2))).unwrap();
        assert!(data.items().index("aa bb").is_some() && data.items().index("bb cc").is_none());
        assert_eq!(super::terms("The bb, aa bb", &runs(2))[..2], [("aa".to_owned(), 1), ("aa bb".to_owned(), 1)]);
        assert!(read("aa\n", runs(0)).unwrap_err().starts_with("documents: max_ngram = 0; it is from 1 to"));
    }

    #[test]
    fn texts_without_blanks_have_a_remedy() {
        let text = "今天天气很好。我喜欢看电影。\n他也喜欢看书，不喜欢下雨。\n";
        let error = read(text, DocumentOptions { min_documents: 2, ..COUNTED }).unwrap_err();
        assert!(error.contains("none of the 4 terms") && error.contains("without blanks between words"), "{error}");
        let notes = read(text, COUNTED).unwrap().notes;
        assert!(notes.iter().any(|note| note.contains("without blanks between words")), "{notes:?}");
    }

    #[test]
    fn words_are_the_same_in_any_encoding() {
        let windows = b"c\x9cur \x9cuvre\n\x8akoda \x8ei\x9eka\n";
        let found = read(windows, COUNTED).unwrap();
        assert_eq!(found.items().ids().collect::<Vec<_>>(), ["cœur", "œuvre", "škoda", "žižka"]);
        assert_eq!(terms("cafe\u{301} café\n", COUNTED), ["café"]);
    }

    #[test]
    fn the_most_frequent_terms_stay() {
        let text = "dd cc cc bb\nbb aa aa\ncc\n";
        for (most, expected) in
            [(1, &["cc"][..]), (2, &["aa", "cc"]), (3, &["aa", "bb", "cc"]), (9, &["aa", "bb", "cc", "dd"])]
        {
            assert_eq!(terms(text, DocumentOptions { max_terms: Some(most), ..COUNTED }), expected);
        }
    }

    #[test]
    fn english_function_words_do_not_count() {
        let text = "The cat didn't sit on its mat, because they'll have moved it";
        let english = DocumentOptions { stop_words: StopWords::English, ..COUNTED };
        assert_eq!(terms(text, english), ["cat", "mat", "moved", "sit"]);
        let words: Vec<_> = ENGLISH.split_whitespace().collect();
        assert!(words.is_sorted() && words.iter().all(|word| word.chars().all(|c| c.is_ascii_lowercase())));
    }

    /// ```python
    /// from sklearn.feature_extraction.text import TfidfVectorizer
    /// print(TfidfVectorizer().fit_transform(["aa bb bb", "aa cc", "aa"]).toarray())
    /// ```
    /// That is 1 for the idf of aa, and ln(4 / 2) + 1 for those of bb and cc.
    #[test]
    fn tf_idf_is_that_of_scikit_learn() {
        let data = read("aa bb bb\naa cc\naa\n", DocumentOptions { weighting: Weighting::TfIdf, ..COUNTED }).unwrap();
        let expected = [0.283_216_92, 0.959_055_9, 0.508_542_3, 0.861_037, 1.0];
        for (value, expected) in data.interactions.targets.iter().zip(expected) {
            assert!((value - expected).abs() < 1e-6, "{:?}", data.interactions.targets);
        }
        assert_eq!(data.interactions.len(), expected.len());
    }

    #[test]
    fn log_counts() {
        let data = read("aa bb bb\n", DocumentOptions { weighting: Weighting::LogCounts, ..COUNTED }).unwrap();
        assert_eq!(data.interactions.targets, [2.0_f32.ln(), 3.0_f32.ln()]);
    }

    #[test]
    fn in_log_tf_idf_a_term_that_comes_back_says_less() {
        let data = read("aa bb bb\n", DocumentOptions { weighting: Weighting::LogTfIdf, ..COUNTED }).unwrap();
        let (once, twice) = (1.0, 1.0 + 2.0_f32.ln());
        let length = (once * once + twice * twice).sqrt();
        for (value, expected) in data.interactions.targets.iter().zip([once / length, twice / length]) {
            assert!((value - expected).abs() < 1e-6, "{:?}", data.interactions.targets);
        }
    }

    #[test]
    fn each_text_of_a_folder_is_a_document() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all("bb\n\nÜber\n".as_bytes()).unwrap();
        let folder = folder([
            ("sport/10.txt", b"aa\nbb aa".to_vec()),
            ("sport/9.txt.gz", gzip.finish().unwrap()),
            ("business/note", b"caf\xe9".to_vec()),
            ("business/empty.md", Vec::new()),
            ("business/.draft.txt", b"zz".to_vec()),
            ("list.csv", b"zz".to_vec()),
        ]);
        // Without a word about the format, too.
        let mut values = Values::default();
        values.insert("data.documents.min_documents", 1);
        values.insert("data.documents.max_share", 1.0);
        values.insert("data.documents.weighting", "counts");
        let data = read_dataset(folder.path(), None, &ReadOptions::of(&values, &built_in())).unwrap();
        assert_eq!(
            triples(&data),
            [
                triple("business/note", "café", 1.0),
                triple("sport/9", "bb", 1.0),
                triple("sport/9", "über", 1.0),
                triple("sport/10", "aa", 2.0),
                triple("sport/10", "bb", 1.0)
            ]
        );
        assert_eq!(data.notes.len(), 3, "{:?}", data.notes);
        assert!(
            data.notes[0].ends_with(": 1 file is left out: it is called otherwise than the others"),
            "{:?}",
            data.notes
        );
        let skipped = Documents { options: COUNTED, skip_lines: 1, ..Default::default() };
        let skipped = ReadOptions::of_reader(skipped);
        let data = read_dataset(folder.path(), None, &skipped).unwrap();
        assert_eq!(
            triples(&data),
            [triple("sport/9", "über", 1.0), triple("sport/10", "aa", 1.0), triple("sport/10", "bb", 1.0)]
        );
    }

    #[test]
    fn wrong_files_and_options_are_refused() {
        let zero = folder([("a.txt", &b"aa"[..]), ("b.txt", b"\0\x01")]);
        let message = problem(&zero, read_dataset(zero.path(), None, &options(COUNTED)));
        assert!(message.starts_with("b.txt: is not a text file"), "{message}");
        let none = folder([("a.csv", "aa")]);
        assert_eq!(
            problem(&none, read_dataset(none.path(), None, &options(COUNTED))),
            ".: holds no texts (.txt, .text, .md or without extension); give their extension if it is another"
        );
        assert!(read("12 34\n", COUNTED).unwrap_err().contains("none of the 0 terms of 1 documents counts"));
        for wrong in [
            DocumentOptions { min_documents: 0, ..COUNTED },
            DocumentOptions { max_terms: Some(0), ..COUNTED },
            DocumentOptions { max_share: 0.0, ..COUNTED },
            DocumentOptions { max_share: 1.1, ..COUNTED },
        ] {
            assert!(read("aa\n", wrong).unwrap_err().starts_with("documents: "));
        }
    }
}
