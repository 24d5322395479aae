//! What the names of columns tell of what they hold.

use super::roles::Role;

/// What headers call the rows of tables.
const KINDS: [&str; 32] = [
    "gene",
    "symbol",
    "probe",
    "probeset",
    "transcript",
    "protein",
    "sample",
    "patient",
    "subject",
    "cell",
    "barcode",
    "feature",
    "variable",
    "term",
    "word",
    "document",
    "doc",
    "row",
    "record",
    "name",
    "label",
    "country",
    "state",
    "city",
    "region",
    "station",
    "species",
    "compound",
    "year",
    "date",
    "time",
    "month",
];

/// The words of a name, in lower case: `entrez`, `gene` and `id` of `entrezGene_ID`.
fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || after_lower && c.is_uppercase() {
            words.push(String::new());
        }
        after_lower = c.is_lowercase();
        if c.is_alphanumeric() {
            words.last_mut().expect("one at least").extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a column called so holds ids or the numbers of rows: `id`, `Entrez_Gene_Id`, `Unnamed: 0`.
pub(super) fn names_ids(name: &str) -> bool {
    let words = words_of(name);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        [] | ["index" | "rownames" | "rowname" | "rowid"] | ["row", "names" | "name"] => true,
        ["unnamed", ref numbers @ ..] => numbers.concat().bytes().all(|byte| byte.is_ascii_digit()),
        [.., "id" | "ids" | "identifier" | "accession" | "entrez"] => true,
        [.., last] => last.strip_suffix("id").is_some_and(|kind| KINDS.contains(&kind)),
    }
}

/// Whether the text in the corner of a table can only be a header's.
pub(super) fn is_corner(text: &str) -> bool {
    let words = words_of(text);
    let is_kind =
        |word: &String| KINDS.contains(&word.strip_suffix('s').unwrap_or(word)) || KINDS.contains(&word.as_str());
    names_ids(text) || Role::of(text).is_some() || words.last().is_some_and(is_kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_ids_end_in_the_word() {
        for name in [
            "id",
            "ID",
            "Entrez_Gene_Id",
            "GeneID",
            "geneid",
            "patient id",
            "Unnamed: 0",
            "Unnamed: 0.1",
            "index",
            "",
            "Accession",
        ] {
            assert!(names_ids(name), "{name:?}");
        }
        for name in ["paid", "acid", "refractive index", "idea", "Unnamed: x", "2001", "width"] {
            assert!(!names_ids(name), "{name:?}");
        }
    }

    #[test]
    fn a_corner_names_a_kind_of_row() {
        for text in ["gene", "Genes", "Country Name", "probe_id", "user", "SAMPLE"] {
            assert!(is_corner(text), "{text:?}");
        }
        for text in ["TP53", "ABC1", "x", "NW-12"] {
            assert!(!is_corner(text), "{text:?}");
        }
    }
}
