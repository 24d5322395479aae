//! Words of texts.

use std::borrow::Cow;

use unicode_normalization::char::is_combining_mark;

use super::text::decode;

/// Not seen, but parts of a word: they keep the letters around them from being joined, or join them.
const JOINERS: [char; 2] = ['\u{200c}', '\u{200d}'];

/// Where a word may be hyphenated.
const SOFT_HYPHEN: char = '\u{ad}';

/// A text as words are compared: its accents composed and in lower case, without soft hyphens.
pub(super) fn lowered(bytes: &[u8]) -> String {
    let text = decode(bytes);
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let text = if text.contains(SOFT_HYPHEN) { Cow::Owned(text.replace(SOFT_HYPHEN, "")) } else { text };
    // Its lower case by Unicode, i and a dot above, is a word of its own beside the i of other words.
    text.replace('İ', "i").to_lowercase()
}

/// The words of a [`lowered`] text, in its order: runs of two letters or more. Marks and joiners belong to the letter before
/// them; whatever else there is separates words, also an apostrophe.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_alphabetic() || !c.is_ascii() && (is_combining_mark(c) || JOINERS.contains(&c));
    text.split(move |c| !is_part(c))
        .map(|run| run.trim_matches(|c: char| !c.is_alphabetic() && !is_combining_mark(c)))
        // Two letters, not two bytes.
        .filter(|word| word.chars().filter(|c| c.is_alphabetic()).nth(1).is_some())
}

/// How many letters a word of a script without blanks has at most, as far as words are cut; `None` for other scripts.
fn longest_without_blanks(c: char) -> Option<usize> {
    match c {
        // Thai, Lao, Myanmar, Khmer.
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' => Some(10),
        // Hiragana, Katakana, Han.
        '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}' => {
            Some(4)
        }
        _ => None,
    }
}

/// Whether texts seem to have no blanks between words.
#[derive(Debug, Default)]
pub(super) struct Unspaced {
    words: usize,
    /// Those in a script without blanks.
    in_script: usize,
    /// Of those, the ones that are longer than words are.
    long: usize,
}

impl Unspaced {
    /// Takes in a word.
    pub fn see(&mut self, word: &str) {
        self.words += 1;
        if word.is_ascii() {
            return;
        }
        if let Some(longest) = word.chars().find_map(longest_without_blanks) {
            self.in_script += 1;
            self.long += usize::from(word.chars().nth(longest).is_some());
        }
    }

    /// Takes in what another has seen.
    pub fn add(&mut self, other: &Self) {
        self.words += other.words;
        self.in_script += other.in_script;
        self.long += other.long;
    }

    /// What to do if so.
    pub fn remedy(&self) -> Option<&'static str> {
        (2 * self.in_script > self.words && 2 * self.long > self.in_script).then_some(
            "the texts seem to be in a language that is written without blanks between words; cut them into words with blanks \
             between them first, as programs such as jieba, MeCab and PyThaiNLP do",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words_of(text: &str) -> Vec<String> {
        words(&lowered(text.as_bytes())).map(Into::into).collect()
    }

    #[test]
    fn a_word_keeps_its_marks_and_joiners() {
        for (text, expected) in [
            ("It's 3pm: x-ray mode_2 U.S.A.", &["it", "pm", "ray", "mode"][..]),
            ("cafe\u{301} CAFÉ", &["café", "café"]),
            ("İstanbul ISTANBUL I\u{307}stanbul", &["istanbul", "istanbul", "istanbul"]),
            ("Do\u{ad}nau", &["donau"]),
            // A virama, which is no letter, within a word; a joiner within and at the end of one.
            ("हिन्दी", &["हिन्दी"]),
            ("می\u{200c}خواهم\u{200c} ab\u{200d}", &["می\u{200c}خواهم", "ab"]),
            ("M\u{304}q\u{303} q\u{303}", &["m\u{304}q\u{303}"]),
            ("ΟΔΌΣ ẞß", &["οδός", "ßß"]),
            ("机器 学习 书", &["机器", "学习"]),
        ] {
            assert_eq!(words_of(text), expected, "{text}");
        }
    }

    #[test]
    fn texts_without_blanks_are_noticed() {
        let has_remedy = |text: &str| {
            let mut unspaced = Unspaced::default();
            words_of(text).iter().for_each(|word| unspaced.see(word));
            unspaced.remedy().is_some()
        };
        for text in [
            "今天天气很好。我喜欢看电影，他也喜欢看书。",
            "私は学生です。昨日は雨が降りました。",
            "วันนี้อากาศดีมากและฉันชอบดูหนัง",
        ] {
            assert!(has_remedy(text), "{text}");
        }
        for text in [
            "今天 天气 很好 喜欢 电影",
            "昨日 コンピューター 雨 降り まし",
            "วันนี้ อากาศ ดี มาก",
            "Donaudampfschifffahrt today",
            "",
            "a 今天天气很好 in an English text",
        ] {
            assert!(!has_remedy(text), "{text}");
        }
    }
}
