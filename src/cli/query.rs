//! `lowrank query`.

use clap::{ArgGroup, Args};
use serde_json::json;

use super::arguments::{RunArg, VectorArg};
use super::{output, run};
use crate::config::words::{did_you_mean, nearest as nearest_word};
use crate::data::read::terms;
use crate::data::{Layout, Role};
use crate::error::{Error, Result};
use crate::eval::neighbours::nearest;
use crate::run::{ModelFile, Parts};

/// Arguments of `lowrank query`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["user", "item", "text", "term", "analogy"]))]
pub struct QueryArgs {
    #[command(flatten)]
    run: RunArg,
    /// The id of a user, document or picture, to find similar ones.
    #[arg(long, alias = "row", allow_hyphen_values = true)]
    user: Option<String>,
    /// The id of an item or term, to find similar ones.
    #[arg(long, alias = "column", allow_hyphen_values = true)]
    item: Option<String>,
    /// Words, for a model of documents: documents about them, and related terms. Each counts as often as it occurs,
    /// whatever the weights of the documents are; words that are not terms of the model are ignored.
    #[arg(long, allow_hyphen_values = true)]
    text: Option<String>,
    /// A word, to find those used like it, for a model of words near each other.
    #[arg(long, allow_hyphen_values = true)]
    term: Option<String>,
    /// Three words A B C of such a model, to find what is to C as A is to B: the words nearest to A - B + C. With king man
    /// woman, queen.
    #[arg(long, num_args = 3, value_names = ["A", "B", "C"], allow_hyphen_values = true)]
    analogy: Option<Vec<String>>,
    #[command(flatten)]
    vectors: VectorArg,
    /// Number of results.
    #[arg(long, short, default_value_t = 10)]
    number: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Prints the nearest results, by the cosine of rows or columns of the factorization's product.
pub fn query(args: QueryArgs, parts: &Parts) -> Result<()> {
    let open = run::open(&args.run, parts)?;
    let file = &open.file;
    if args.term.is_some() || args.analogy.is_some() {
        return query_words(&args, file);
    }
    let fitted = open.fitted(parts)?;
    let factors = fitted.factors();
    let rank = factors.rank;
    let (row_noun, column_noun) = factors.layout.nouns();
    let side = |role: Role| match role {
        Role::User => (file.users(), row_noun),
        Role::Item => (file.items(), column_noun),
    };
    let mut lists = Vec::new();
    if let Some(text) = &args.text {
        if factors.layout != Layout::Documents {
            return Err(Error::Usage("--text is for models of documents; use --user, --item or --term".into()));
        }
        let mut row = vec![0.0; file.items().len()];
        let terms = terms(text, &open.documents()?);
        let known: Vec<(u32, u32)> =
            terms.iter().filter_map(|(term, count)| Some((file.items().index(term)?, *count))).collect();
        if known.is_empty() {
            return Err(Error::Usage(format!("none of the words is among the {} terms of this model", row.len())));
        }
        known.iter().for_each(|&(term, count)| row[term as usize] = count as f32);
        let query = factors.project(&row)?;
        let turned = factors.others_in_products(&query)?;
        lists.push((Role::User, nearest(&turned, &factors.in_products(Role::User)?, rank, args.number, None)));
        // The terms with which the text would be reconstructed.
        let expected = |h: &[f32]| query.iter().zip(h).map(|(q, h)| f64::from(q * h)).sum::<f64>();
        let mut terms: Vec<(usize, f64)> = factors.h.chunks_exact(rank).map(expected).enumerate().collect();
        terms.sort_by(|a, b| b.1.total_cmp(&a.1));
        terms.truncate(args.number);
        lists.push((Role::Item, terms));
    } else {
        let (column, id) = match (&args.user, &args.item) {
            (Some(id), _) => (Role::User, id),
            (_, Some(id)) => (Role::Item, id),
            _ => unreachable!("one of the group is required"),
        };
        let (ids, noun) = side(column);
        let at = ids.index(id).ok_or_else(|| {
            Error::Usage(format!("{noun} {id:?} is not among the {} {noun}s of this model", ids.len()))
        })? as usize;
        let rows = factors.in_products(column)?;
        lists.push((column, nearest(&rows[at * rank..][..rank], &rows, rank, args.number, Some(at))));
    }
    let title = |column, at: usize| if column == Role::Item { file.title(at) } else { None };
    if args.json {
        let list = |(column, found): &(Role, Vec<(usize, f64)>)| {
            let (ids, noun) = side(*column);
            let entry =
                |&(at, score): &(usize, f64)| json!({ "id": ids.id(at), "title": title(*column, at), "score": score });
            (format!("{noun}s"), found.iter().map(entry).collect::<serde_json::Value>())
        };
        return output::print_json(&lists.iter().map(list).collect::<serde_json::Map<_, _>>());
    }
    let tables = lists.iter().map(|(column, found)| {
        let (ids, noun) = side(*column);
        let line = |&(at, score): &(usize, f64)| {
            vec![ids.id(at).to_string(), format!("{score:.3}"), title(*column, at).unwrap_or_default().to_string()]
        };
        let lines: Vec<_> = found.iter().map(line).collect();
        output::table(&[noun, "score", ""], &lines)
    });
    output::print(&tables.collect::<Vec<_>>().join("\n"))
}

/// Prints the words nearest to another, or to a combination of three.
fn query_words(args: &QueryArgs, file: &ModelFile) -> Result<()> {
    let vectors = file.compared_words(args.vectors.vectors)?;
    let words = file.users();
    let find = |word: &String| {
        let hint = || did_you_mean(nearest_word(&word.to_lowercase(), words.ids()));
        let cause = || format!("{word:?} is not among the {} words of this model{}", words.len(), hint());
        vectors.find(word).ok_or_else(|| Error::Usage(cause()))
    };
    let found = match (&args.term, args.analogy.as_deref()) {
        (_, Some([a, b, c])) => vectors.analogy([find(a)?, find(b)?, find(c)?], args.number),
        (Some(term), _) => vectors.similar(find(term)?, args.number),
        _ => unreachable!("one of the group is required"),
    };
    if args.json {
        let entry = |&(word, score): &(usize, f64)| json!({ "id": words.id(word), "score": score });
        return output::print_json(&json!({ "words": found.iter().map(entry).collect::<Vec<_>>() }));
    }
    let line = |&(word, score): &(usize, f64)| vec![words.id(word).to_string(), format!("{score:.3}")];
    output::print(&output::table(&["word", "score"], &found.iter().map(line).collect::<Vec<_>>()))
}
