//! Whether vectors of words say what people say: similarities of pairs, and analogies.

use std::path::Path;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use super::neighbours::nearest;
use crate::data::Vocabulary;
use crate::error::{Error, Location, Result};
use crate::files;
use crate::linalg::dot::{dot, norm};

/// Vectors of words, each of length 1, or 0 for a word without one.
#[derive(Debug, Clone)]
pub struct WordVectors<'a> {
    words: &'a Vocabulary,
    width: usize,
    /// `[words, width]`.
    rows: Vec<f32>,
}

/// Two words, and how similar people find them.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgedPair {
    /// The words.
    pub words: [String; 2],
    /// The higher, the more similar.
    pub score: f64,
}

/// How well cosines of vectors agree with people.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// Pairs that were judged.
    pub pairs: usize,
    /// Those of which both words have a vector.
    pub covered: usize,
    /// Spearman's rank correlation over the covered pairs; `None` where it is not defined.
    pub spearman: Option<f64>,
}

/// Questions "a is to b as c is to …", with their answers.
#[derive(Debug, Clone, PartialEq)]
pub struct AnalogySection {
    /// What they are about.
    pub name: String,
    /// a, b, c and the answer.
    pub questions: Vec<[String; 4]>,
}

/// How many questions of a section were answered.
#[derive(Debug, Clone, PartialEq)]
pub struct AnalogyResult {
    /// What they are about.
    pub name: String,
    /// All questions.
    pub questions: usize,
    /// Those of which all four words have a vector.
    pub covered: usize,
    /// Those with the right answer.
    pub correct: usize,
}

/// Questions that are answered at once.
const TOGETHER: usize = 64;

impl<'a> WordVectors<'a> {
    /// The vectors `values`, `[words, width]`, which need not have length 1.
    ///
    /// # Panics
    /// If there is not one vector for each word, or `width` is 0.
    pub fn new(words: &'a Vocabulary, width: usize, mut values: Vec<f32>) -> Self {
        assert_eq!(values.len(), words.len() * width, "a vector for each word");
        for row in values.chunks_exact_mut(width) {
            let length = norm(row) as f32;
            if length > 0.0 {
                row.iter_mut().for_each(|value| *value /= length);
            }
        }
        Self { words, width, rows: values }
    }

    /// The row of a word, written as it is or else in lower case.
    pub fn find(&self, word: &str) -> Option<usize> {
        let found = self.words.index(word).or_else(|| self.words.index(&word.to_lowercase()));
        found.map(|row| row as usize)
    }

    /// The vector of a word.
    pub fn row(&self, word: usize) -> &[f32] {
        &self.rows[word * self.width..][..self.width]
    }

    /// The `count` words with the largest cosine with `word`, largest first.
    pub fn similar(&self, word: usize, count: usize) -> Vec<(usize, f64)> {
        nearest(self.row(word), &self.rows, self.width, count, Some(word))
    }

    /// The `count` words with the largest cosine with a − b + c, but for these three   (Mikolov, Yih & Zweig 2013).
    pub fn analogy(&self, [a, b, c]: [usize; 3], count: usize) -> Vec<(usize, f64)> {
        let query = self.combined([a, b, c]);
        let found = nearest(&query, &self.rows, self.width, count + 3, None);
        found.into_iter().filter(|(word, _)| ![a, b, c].contains(word)).take(count).collect()
    }

    /// a − b + c.
    fn combined(&self, [a, b, c]: [usize; 3]) -> Vec<f32> {
        let [a, b, c] = [a, b, c].map(|word| self.row(word));
        (0..self.width).map(|at| a[at] - b[at] + c[at]).collect()
    }

    /// How well cosines agree with what people say of pairs of words.
    pub fn agreement(&self, judged: &[JudgedPair]) -> Agreement {
        let covered = judged.iter().filter_map(|pair| {
            let [first, second] = pair.words.each_ref().map(|word| self.find(word));
            Some((dot(self.row(first?), self.row(second?)), pair.score))
        });
        let (cosines, scores): (Vec<f64>, Vec<f64>) = covered.unzip();
        Agreement { pairs: judged.len(), covered: cosines.len(), spearman: spearman(&cosines, &scores) }
    }

    /// How many analogies are answered: for "a is to b as c is to …", the word with the largest cosine with b − a + c, but
    /// for the three, is the answer.
    pub fn answers(&self, sections: &[AnalogySection]) -> Vec<AnalogyResult> {
        let of_section = |section: &AnalogySection| {
            let find = |question: &[String; 4]| {
                let [a, b, c, answer] = question.each_ref().map(|word| self.find(word));
                Some([a?, b?, c?, answer?])
            };
            let covered: Vec<[usize; 4]> = section.questions.iter().filter_map(find).collect();
            AnalogyResult {
                name: section.name.clone(),
                questions: section.questions.len(),
                covered: covered.len(),
                correct: covered.par_chunks(TOGETHER).map(|questions| self.correct(questions)).sum(),
            }
        };
        sections.iter().map(of_section).collect()
    }

    /// How many of these questions are answered.
    fn correct(&self, questions: &[[usize; 4]]) -> usize {
        let (words, width) = (self.words.len(), self.width);
        // Always as many, so that the sums of a question have one order, whatever is asked beside it.
        let mut queries = vec![0.0; TOGETHER * width];
        for (query, &[a, b, c, _]) in queries.chunks_exact_mut(width).zip(questions) {
            query.copy_from_slice(&self.combined([b, a, c]));
        }
        let mut scores = vec![0.0; TOGETHER * words];
        let rows = MatRef::from_row_major_slice(&self.rows, words, width);
        let out = MatMut::from_row_major_slice_mut(&mut scores, TOGETHER, words);
        let queries = MatRef::from_row_major_slice(&queries, TOGETHER, width);
        matmul(out, Accum::Replace, queries, rows.transpose(), 1.0, Par::Seq);
        let is_answered = |(scores, &[a, b, c, answer]): (&[f32], &[usize; 4])| {
            let best = (0..words).filter(|word| ![a, b, c].contains(word));
            // The first of equals.
            best.reduce(|best, word| if scores[word] > scores[best] { word } else { best }) == Some(answer)
        };
        scores.chunks_exact(words).zip(questions).filter(|&(scores, question)| is_answered((scores, question))).count()
    }
}

/// Spearman's ρ: the correlation of ranks, equal values sharing the mean of theirs. `None` of fewer than two pairs, or where one
/// side does not differ.
fn spearman(x: &[f64], y: &[f64]) -> Option<f64> {
    let (x, y) = (ranks(x), ranks(y));
    let mean = (x.len() as f64 + 1.0) / 2.0;
    let product = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - mean) * (y - mean)).sum::<f64>();
    let lengths = (product(&x, &x) * product(&y, &y)).sqrt();
    (lengths > 0.0).then(|| product(&x, &y) / lengths)
}

/// The ranks of values from 1 on.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for equal in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let shared = before as f64 + (equal.len() as f64 + 1.0) / 2.0;
        equal.iter().for_each(|&at| ranks[at] = shared);
        before += equal.len();
    }
    ranks
}

/// The pairs of a file with two words and a number a line, such as WordSim-353 and SimLex-999: between tabs, commas or blanks.
/// Further columns before the number are passed over, as are lines that begin with `#` and a first line of names.
///
/// # Errors
/// [`Error::Io`], and [`Error::Data`] for another line.
pub fn read_judged_pairs(path: &Path) -> Result<Vec<JudgedPair>> {
    let text = files::read_text(path)?;
    let mut pairs = Vec::new();
    for (at, (number, line)) in lines(&text).enumerate() {
        let is_first = at == 0;
        let fields: Vec<&str> = match line.contains(['\t', ',']) {
            true => line.split(['\t', ',']).map(|field| field.trim().trim_matches('"')).collect(),
            false => line.split_whitespace().collect(),
        };
        let score = fields.iter().skip(2).find_map(|field| field.parse().ok().filter(|score: &f64| score.is_finite()));
        match (&fields[..], score) {
            (&[first, second, ..], Some(score)) if !(first.is_empty() || second.is_empty()) => {
                pairs.push(JudgedPair { words: [first, second].map(String::from), score });
            }
            // Names of columns.
            _ if is_first && fields.len() >= 3 => {}
            _ => return Err(wrong(path, number, "expected two words and a number")),
        }
    }
    if pairs.is_empty() { Err(Error::data(path, "holds no pairs of words with a number")) } else { Ok(pairs) }
}

/// The questions of a file with four words a line, in sections that begin with a line `: name`, such as Google's
/// `questions-words.txt`.
///
/// # Errors
/// [`Error::Io`], and [`Error::Data`] for another line.
pub fn read_analogies(path: &Path) -> Result<Vec<AnalogySection>> {
    let text = files::read_text(path)?;
    let mut sections: Vec<AnalogySection> = Vec::new();
    for (number, line) in lines(&text) {
        if let Some(name) = line.strip_prefix(':') {
            sections.push(AnalogySection { name: name.trim().into(), questions: Vec::new() });
            continue;
        }
        let words: Vec<String> = line.split_whitespace().map(String::from).collect();
        let question: [String; 4] = words.try_into().map_err(|_| wrong(path, number, "expected four words"))?;
        if sections.is_empty() {
            sections.push(AnalogySection { name: "questions".into(), questions: Vec::new() });
        }
        sections.last_mut().expect("there is one").questions.push(question);
    }
    sections.retain(|section| !section.questions.is_empty());
    if sections.is_empty() { Err(Error::data(path, "holds no questions of four words")) } else { Ok(sections) }
}

/// Numbers and text of the lines that say something.
fn lines(text: &str) -> impl Iterator<Item = (u64, &str)> {
    let text = text.trim_start_matches('\u{feff}');
    let lines = (1..).zip(text.lines().map(str::trim));
    lines.filter(|(_, line)| !(line.is_empty() || line.starts_with('#')))
}

fn wrong(path: &Path, line: u64, expected: &str) -> Error {
    Error::Data { location: Location::at(path, line, 0), message: expected.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> Vocabulary {
        Vocabulary::from_ids(["king", "man", "woman", "queen", "tree", "nothing"])
    }

    /// King and queen differ as man and woman do.
    fn vectors(words: &Vocabulary) -> WordVectors<'_> {
        let rows = [[2.0, 2.0, 0.2], [0.0, 2.0, 0.0], [0.0, 0.0, 2.0], [2.0, 0.2, 2.0], [-3.0, 0.1, 0.1], [0.0; 3]];
        WordVectors::new(words, 3, rows.concat())
    }

    fn file(content: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), content).expect("write");
        file
    }

    #[test]
    fn an_analogy_is_answered_by_the_nearest_other_word() {
        let words = words();
        let vectors = vectors(&words);
        let [king, man, woman] = ["King", "man", "WOMAN"].map(|word| vectors.find(word).expect("known"));
        let found = vectors.analogy([king, man, woman], 2);
        assert_eq!(words.id(found[0].0), "queen");
        assert!(found.iter().all(|(word, _)| ![king, man, woman].contains(word)), "{found:?}");
        assert_eq!(words.id(vectors.similar(king, 1)[0].0), "man");
        let file = file(": kin\nman king woman queen\nman king woman tree\nman king woman unknown\n: empty\n");
        let results = vectors.answers(&read_analogies(file.path()).expect("questions"));
        let expected = AnalogyResult { name: "kin".into(), questions: 3, covered: 2, correct: 1 };
        assert_eq!(results, [expected]);
    }

    #[test]
    fn ranks_of_equals_are_their_mean_and_their_correlation_is_spearmans() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
        assert_eq!(spearman(&[1.0, 2.0, 3.0], &[10.0, 100.0, 1000.0]), Some(1.0));
        // As scipy.stats.spearmanr has it.
        let found = spearman(&[1.0, 2.0, 3.0, 4.0, 5.0], &[5.0, 6.0, 7.0, 8.0, 7.0]).expect("differ");
        assert!((found - 0.820_782_681_668_123_3).abs() < 1e-12, "{found}");
        assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), None);
        assert_eq!(spearman(&[1.0], &[1.0]), None);
    }

    #[test]
    fn pairs_are_read_in_the_forms_that_are_about() {
        let pair = |first: &str, second: &str, score| JudgedPair { words: [first.into(), second.into()], score };
        for content in [
            "# judged\nking\tqueen\t8.5\nman\ttree\t1\n",
            "Word 1,Word 2,Human (mean)\nking,queen,8.5\nman,tree,1\n",
            "\"word1\",\"word2\",\"score\"\n\"king\",\"queen\",\"8.5\"\nman,tree,1\n",
            "word1\tword2\tPOS\tSimLex999\tconc(w1)\nking\tqueen\tN\t8.5\t4\nman\ttree\tA\t1\t3\n",
            "\u{feff}king queen 8.5\r\n\r\nman tree 1",
        ] {
            let file = file(content);
            let pairs = read_judged_pairs(file.path()).expect("pairs");
            assert_eq!(pairs, [pair("king", "queen", 8.5), pair("man", "tree", 1.0)], "{content}");
        }
        let words = words();
        let judged = [pair("king", "queen", 8.0), pair("man", "tree", 1.0), pair("man", "unknown", 5.0)];
        let agreement = vectors(&words).agreement(&judged);
        assert_eq!(agreement, Agreement { pairs: 3, covered: 2, spearman: Some(1.0) });
    }

    #[test]
    fn what_is_no_pair_or_question_is_refused_with_its_line() {
        let message = |error: Error| error.to_string().rsplit('/').next().expect("a part").to_owned();
        let pairs = |content: &str| message(read_judged_pairs(file(content).path()).expect_err("refused"));
        assert!(pairs("king queen 8\nman tree\n").ends_with(":2: expected two words and a number"));
        assert!(pairs("a b c\nd e f\nking queen 8\n").ends_with(":2: expected two words and a number"));
        assert!(pairs("king queen\n").ends_with(":1: expected two words and a number"));
        assert!(pairs("# nothing\n").ends_with("holds no pairs of words with a number"));
        let questions = |content: &str| message(read_analogies(file(content).path()).expect_err("refused"));
        assert!(questions(": a\none two three\n").ends_with(":2: expected four words"));
        assert!(questions(": a\n").ends_with("holds no questions of four words"));
    }
}
