//! Bytes of a file as text.

use std::borrow::Cow;

use encoding_rs::WINDOWS_1252;

use crate::data::normal_form::composed;

/// Bytes of a wrong value that a message repeats.
const QUOTED: usize = 60;

/// U+FEFF in UTF-8, with which some programs begin a file.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// `bytes` as text in its composed form: UTF-8, or else Windows-1252, which any bytes are.
///
/// The latter is what browsers take Latin-1 for. It has letters and quotes where Latin-1 has control characters that no
/// text uses; the five bytes that it leaves open stay such characters.
#[inline]
pub(crate) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => composed(text),
        Err(_) => Cow::Owned(composed(&WINDOWS_1252.decode_without_bom_handling(bytes).0).into_owned()),
    }
}

/// Whether a file that begins with `start` is UTF-16, by its byte order mark.
pub(crate) fn is_utf_16(start: &[u8]) -> bool {
    start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff])
}

/// What to say of a file that [is UTF-16](is_utf_16).
pub(crate) const UTF_16: &str = "is UTF-16 text; save it as UTF-8";

/// `bytes` as a message shows them: in quotes, and not too much of them.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let text = decode(bytes);
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{:?}", format!("{}…", &text[..end])),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_1252_if_it_is_not_utf_8() {
        for (bytes, expected) in [
            (&b"caf\xe9"[..], "café"),
            ("café".as_bytes(), "café"),
            (b"c\x9cur \x8akoda \x8ei\x9eka", "cœur Škoda Žižka"),
            (b"Ocean\x92s \x93Eleven\x94 \x8b\x9b \x80 \x85", "Ocean’s “Eleven” ‹› € …"),
        ] {
            assert_eq!(decode(bytes), expected);
        }
    }

    #[test]
    fn every_byte_has_a_character_of_its_own() {
        // An é after each, which makes it no UTF-8.
        let characters: std::collections::HashSet<String> =
            (0..=255_u8).map(|byte| decode(&[byte, 0xe9, b'.']).into_owned()).collect();
        assert_eq!(characters.len(), 256);
    }

    #[test]
    fn accents_are_composed_in_any_encoding() {
        assert_eq!(decode("cafe\u{301}".as_bytes()), "café");
        assert!(matches!(decode("café".as_bytes()), Cow::Borrowed(_)));
    }
}
