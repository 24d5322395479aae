//! What separates the columns of a file that does not say it.

use memchr::memmem;

use super::lines::{Line, Lines};
use super::splitter::Splitter;
use crate::error::Result;

/// Lines that are looked at.
const LOOKED_AT: usize = 20;

/// Delimiters that hardly stand for anything else, the most telling first.
const TELLING: [&str; 2] = ["::", "\t"];
/// Delimiters that may also stand within a field, as the comma of a number and the bar of a list do.
const DOUBTFUL: [&str; 3] = [",", ";", "|"];
/// Any run of blanks, which stand within texts and times.
const BLANKS: &str = " ";

/// A splitter at `delimiter` if it is given, else at what separates the next lines.
///
/// # Errors
/// [`Error::Usage`](crate::error::Error::Usage) if it is empty, and [`Error::Data`](crate::error::Error::Data) if several
/// separate the lines equally well.
pub(crate) fn splitter(delimiter: Option<&str>, lines: &Lines) -> Result<Splitter> {
    match delimiter {
        Some(delimiter) => Splitter::new(delimiter),
        None => Splitter::new(detected(lines)?),
    }
}

/// What separates the columns of the next lines: what cuts them into equally many fields, and of several commas, semicolons
/// or bars what cuts them into the most; if nothing does, the first known delimiter of the first line.
///
/// # Errors
/// [`Error::Data`](crate::error::Error::Data) if two cut them into as many.
fn detected(lines: &Lines) -> Result<&'static str> {
    let ahead = lines.ahead(LOOKED_AT);
    let Some(first) = ahead.first() else { return Ok(DOUBTFUL[0]) };
    let width = |delimiter: &&str| width(&ahead, delimiter);
    if let Some(delimiter) = TELLING.into_iter().find(|delimiter| width(delimiter).is_some()) {
        return Ok(delimiter);
    }
    let widths = DOUBTFUL.into_iter().filter_map(|delimiter| Some((width(&delimiter)?, delimiter)));
    let mut widths: Vec<(usize, &str)> = widths.collect();
    widths.sort_by_key(|&(width, _)| std::cmp::Reverse(width));
    match widths[..] {
        [(most, one), (next, other), ..] if most == next => Err(first.error(format!(
            "both {one:?} and {other:?} cut the first lines into {most} columns; say in data.delimiter which separates them"
        ))),
        [(_, delimiter), ..] => Ok(delimiter),
        [] if width(&BLANKS).is_some() => Ok(BLANKS),
        [] => {
            let known = TELLING.into_iter().chain(DOUBTFUL).chain([BLANKS]);
            let text = first.bytes.trim_ascii();
            // A line of one field can be cut at anything.
            Ok(known.into_iter().find(|known| memmem::find(text, known.as_bytes()).is_some()).unwrap_or(DOUBTFUL[0]))
        }
    }
}

/// Into how many fields `delimiter` cuts the first line and nearly all others, if it is more than one.
fn width(lines: &[Line], delimiter: &str) -> Option<usize> {
    let mut splitter = Splitter::new(delimiter).ok()?;
    // A line with quotes that are not closed fits nothing.
    let mut fields = |line: &Line| splitter.split(*line).map_or(0, |row| row.len());
    let width = fields(lines.first()?);
    let same = lines.iter().filter(|line| fields(line) == width).count();
    (width > 1 && 10 * same >= 9 * lines.len()).then_some(width)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use sha2::{Digest, Sha256};

    use super::*;

    fn detected_in(content: &str) -> Result<&'static str, String> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("x");
        fs::write(&path, content).expect("a file");
        let mut hash = Sha256::new();
        let lines = Lines::open(&path, &mut hash).expect("a text file");
        detected(&lines).map_err(|error| error.to_string().replace(&path.display().to_string(), "x"))
    }

    #[test]
    fn what_makes_columns_fit_separates_them() {
        for (content, delimiter) in [
            ("1,a,3\n2,b,4\n", ","),
            ("1;2;3,5\n1;3;4,5\n", ";"),
            ("user;item;rating\n1;2;3,5\n1;3;4,5\n", ";"),
            ("1;2,5\n\n1;3\n2;4,5\n", ";"),
            ("1\t2,5\t3\n1\t3,5\t4\n", "\t"),
            ("1::Story, The::a|b\n2::Tale, The::c\n", "::"),
            ("a|1|x,y\nb|2|z\n", "|"),
            ("\"a;b\",3\n\"c;d\",4\n", ","),
            ("1,5\" disk,3\n2,7\" disk,4\n", ","),
            ("1 2 3\n1  3\t4\n", " "),
            ("1,a b\n2,c\n", ","),
            ("alone\n", ","),
            ("", ","),
            // No delimiter fits both lines, and the first line has a bar.
            ("a|b\nc|d|e\n", "|"),
        ] {
            assert_eq!(detected_in(content), Ok(delimiter), "{content:?}");
        }
    }

    #[test]
    fn a_few_bad_lines_do_not_hide_what_separates_the_others() {
        let lines: String = (0..20).map(|at| if at == 7 { "1,2\n".into() } else { format!("{at},5,3|4\n") }).collect();
        assert_eq!(detected_in(&lines), Ok(","));
    }

    #[test]
    fn two_that_fit_as_well_are_a_question() {
        for (content, one, other) in [("7;3,5\n8;4,5\n", ",", ";"), ("a|b,c\nd|e,f\n", ",", "|")] {
            let error = detected_in(content).expect_err(content);
            let expected =
                format!("x:1: both {one:?} and {other:?} cut the first lines into 2 columns; say in data.delimiter");
            assert!(error.starts_with(&expected), "{error}");
        }
    }
}
