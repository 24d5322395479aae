//! `lowrank evaluate` of a model of words.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::output;
use crate::error::Result;
use crate::eval::{Agreement, AnalogyResult, read_analogies, read_judged_pairs};
use crate::run::{ModelFile, VectorKind};

/// What to evaluate words by.
pub struct WordTests<'a> {
    /// Files of pairs that people judged.
    pub similarity: &'a [PathBuf],
    /// A file of analogies.
    pub analogies: Option<&'a Path>,
    /// Which vectors to compare.
    pub vectors: VectorKind,
}

/// Prints how well cosines agree with people, and how many analogies are answered.
pub fn evaluate_words(file: &ModelFile, tests: &WordTests, as_json: bool) -> Result<()> {
    let vectors = file.compared_words(tests.vectors)?;
    let agreements: Vec<(&Path, Agreement)> = tests
        .similarity
        .iter()
        .map(|path| Ok((path.as_path(), vectors.agreement(&read_judged_pairs(path)?))))
        .collect::<Result<_>>()?;
    let sections = tests.analogies.map(read_analogies).transpose()?.unwrap_or_default();
    let mut results = vectors.answers(&sections);
    if results.len() > 1 {
        let sum = |count: fn(&AnalogyResult) -> usize| results.iter().map(count).sum();
        let (questions, covered, correct) = (sum(|of| of.questions), sum(|of| of.covered), sum(|of| of.correct));
        results.push(AnalogyResult { name: "all".into(), questions, covered, correct });
    }
    let accuracy = |of: &AnalogyResult| (of.covered > 0).then(|| of.correct as f64 / of.covered as f64);
    if as_json {
        let agreement = |(path, of): &(&Path, Agreement)| json!({ "file": path, "pairs": of.pairs, "covered": of.covered, "spearman": of.spearman });
        let result = |of: &AnalogyResult| {
            json!({ "section": of.name, "questions": of.questions, "covered": of.covered, "correct": of.correct,
                    "accuracy": accuracy(of) })
        };
        return output::print_json(&json!({
            "similarity": agreements.iter().map(agreement).collect::<Vec<_>>(),
            "analogies": results.iter().map(result).collect::<Vec<_>>(),
        }));
    }
    let number = |value: Option<f64>| value.map_or("-".into(), |value| format!("{value:.4}"));
    let mut tables = Vec::new();
    if !agreements.is_empty() {
        let line = |(path, of): &(&Path, Agreement)| {
            vec![path.display().to_string(), of.pairs.to_string(), of.covered.to_string(), number(of.spearman)]
        };
        let lines: Vec<_> = agreements.iter().map(line).collect();
        tables.push(output::table(&["similarity", "pairs", "covered", "Spearman"], &lines));
    }
    if !results.is_empty() {
        let line = |of: &AnalogyResult| {
            let [questions, covered, correct] = [of.questions, of.covered, of.correct].map(|count| count.to_string());
            vec![of.name.clone(), questions, covered, correct, number(accuracy(of))]
        };
        let lines: Vec<_> = results.iter().map(line).collect();
        tables.push(output::table(&["analogies", "questions", "covered", "correct", "accuracy"], &lines));
    }
    output::print(&tables.join("\n"))
}
