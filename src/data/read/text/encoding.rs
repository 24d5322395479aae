//! Bytes of a file as text.

use std::borrow::Cow;

/// Bytes of a wrong value that a message repeats.
const QUOTED: usize = 60;

/// `bytes` as text: UTF-8, or else Latin-1, which any bytes are.
pub(crate) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().map(|&byte| char::from(byte)).collect()),
    }
}

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
    fn latin_1_where_it_is_not_utf_8() {
        assert_eq!(decode(b"caf\xe9"), "café");
        assert_eq!(decode("café".as_bytes()), "café");
    }
}
