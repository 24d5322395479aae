//! One form for each text, however its accents were typed.
//!
//! Unicode writes é as one character or as e and an accent, and the two look alike. Ids, titles and words are kept in the
//! composed form, NFC (Unicode Standard Annex 15), and looked up in it.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// `text` in its composed form.
#[inline]
pub(super) fn composed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { Cow::Borrowed(text) } else { composed_beyond_ascii(text) }
}

/// Kept out of line: most ids are ASCII, and reading them should stay a small loop.
#[cold]
fn composed_beyond_ascii(text: &str) -> Cow<'_, str> {
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => Cow::Borrowed(text),
        IsNormalized::No | IsNormalized::Maybe => Cow::Owned(text.nfc().collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_alike_becomes_alike() {
        for (typed, expected) in [("e\u{301}", "é"), ("A\u{30a}", "Å"), ("\u{212b}", "Å"), ("각", "각")] {
            assert_eq!(composed(typed), expected);
        }
        for as_it_is in ["", "plain", "é", "\u{fb01}", "日本", "q\u{301}"] {
            assert_eq!(composed(as_it_is), as_it_is);
        }
        assert!(matches!(composed("café"), Cow::Borrowed(_)));
    }
}
