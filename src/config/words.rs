//! Words in messages: lists, and the nearest word to a misspelled one.

/// `"a", "b" or "c"`.
pub(crate) fn any_of(words: &[impl AsRef<str>]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("\"{}\"", word.as_ref())).collect();
    joined(&quoted, "or")
}

/// `a, b or c`, with any word before the last.
pub(crate) fn joined(words: &[impl AsRef<str>], last: &str) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match words.split_last() {
        Some((end, rest)) if !rest.is_empty() => format!("{} {last} {end}", rest.join(", ")),
        _ => words.concat(),
    }
}

/// The candidate most like `word`, if any is similar.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let score = |candidate: &str| strsim::jaro_winkler(&word, candidate);
    candidates
        .into_iter()
        .map(|candidate| (score(candidate), candidate))
        .filter(|&(score, _)| score >= 0.8)
        // The first of equals, so that the order of the candidates decides.
        .reduce(|best, other| if other.0 > best.0 { other } else { best })
        .map(|(_, candidate)| candidate)
}

/// `; did you mean "x"?`, or nothing.
pub(crate) fn did_you_mean(word: Option<&str>) -> String {
    word.map_or_else(String::new, |word| format!("; did you mean \"{word}\"?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suggestion_needs_some_likeness() {
        assert_eq!(nearest("Weight_Deacy", ["colour", "weight_decay"]), Some("weight_decay"));
        assert_eq!(nearest("colour", ["kind", "weight_decay"]), None);
    }

    #[test]
    fn lists_read_like_sentences() {
        assert_eq!(any_of(&["a", "b", "c"]), "\"a\", \"b\" or \"c\"");
        assert_eq!((any_of(&["a"]), joined(&["a", "b"], "and")), ("\"a\"".into(), "a and b".into()));
    }
}
