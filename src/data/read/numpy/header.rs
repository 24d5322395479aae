//! What an `.npy` file says about its numbers, before they come:
//! <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.

use std::io::{ErrorKind, Read};

use burn::tensor::f16;

/// What an `.npy` file begins with.
const MAGIC: &[u8] = b"\x93NUMPY";

/// Bytes that a description may have; that of a plain array has about a hundred.
const LONGEST: u32 = 1 << 16;

/// Type, order and shape of an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub cell: Cell,
    /// Whether the first index runs fastest (Fortran), rather than the last one (C).
    pub first_fastest: bool,
    pub shape: Vec<u64>,
}

/// How one cell is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    kind: Kind,
    /// Bytes.
    pub size: usize,
    is_big_endian: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bool,
    Signed,
    Unsigned,
    Float,
    /// One byte a character, filled up with zeros.
    Ascii,
    /// Four bytes a character, filled up with zeros.
    Unicode,
}

impl Header {
    /// Reads the header at the start of `source`.
    ///
    /// # Errors
    /// The outer ones are those of reading. The inner ones say what is wrong, and what to do.
    pub fn read(source: &mut impl Read) -> std::io::Result<Result<Self, String>> {
        let cut = |error: std::io::Error| match error.kind() {
            ErrorKind::UnexpectedEof => Ok(Err("ends within its header; get the file anew".into())),
            _ => Err(error),
        };
        let mut start = [0; 8];
        let mut known = 0;
        while known < start.len() {
            match source.read(&mut start[known..]) {
                Ok(0) => break,
                Ok(count) => known += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if !start.starts_with(MAGIC) {
            return Ok(Err("is no .npy file; write one with numpy.save or numpy.savez".into()));
        }
        let mut length = [0; 4];
        let digits = match start[6] {
            1 => 2,
            2 | 3 => 4,
            version => {
                return Ok(Err(format!("is of version {version} of .npy files, and 1 to 3 are known; save it anew")));
            }
        };
        if let Err(error) = source.read_exact(&mut length[..digits]) {
            return cut(error);
        }
        let length = u32::from_le_bytes(length);
        if length > LONGEST {
            return Ok(Err(format!(
                "has a header of {length} bytes, longer than that of any array of numbers; save it anew"
            )));
        }
        let mut text = vec![0; length as usize];
        if let Err(error) = source.read_exact(&mut text) {
            return cut(error);
        }
        Ok(Self::parsed(&String::from_utf8_lossy(&text)))
    }

    /// What a description says, such as `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }`.
    fn parsed(text: &str) -> Result<Self, String> {
        let (mut cell, mut first_fastest, mut shape) = (None, None, None);
        let damaged = || format!("has a header that cannot be read ({}); save the array anew", text.trim());
        let mut rest = after(text, "{").ok_or_else(damaged)?;
        while let Some((key, value)) = quoted(rest) {
            let value = after(value, ":").ok_or_else(damaged)?;
            rest = match key {
                "descr" => {
                    let (name, rest) = quoted(value).ok_or_else(|| records(value).unwrap_or_else(damaged))?;
                    cell = Some(Cell::named(name)?);
                    rest
                }
                "fortran_order" => {
                    let (word, is_so) = if value.starts_with("True") { ("True", true) } else { ("False", false) };
                    first_fastest = Some(is_so);
                    after(value, word).ok_or_else(damaged)?
                }
                "shape" => {
                    let (sizes, rest) = value.split_once(')').ok_or_else(damaged)?;
                    let sizes = after(sizes, "(").ok_or_else(damaged)?.split(',').map(str::trim);
                    // Python 2 wrote 3L.
                    let sizes = sizes.filter(|size| !size.is_empty()).map(|size| size.trim_end_matches('L').parse());
                    shape = Some(sizes.collect::<Result<Vec<u64>, _>>().map_err(|_| damaged())?);
                    rest
                }
                _ => return Err(damaged()),
            };
            rest = after(rest, ",").unwrap_or(rest);
        }
        match (cell, first_fastest, shape) {
            (Some(cell), Some(first_fastest), Some(shape)) => Ok(Self { cell, first_fastest, shape }),
            _ => Err(damaged()),
        }
    }

    /// Number of cells; `None` if it has more digits than any file could hold.
    pub fn cells(&self) -> Option<u64> {
        // A side without cells leaves none, however long the others are.
        if self.shape.contains(&0) {
            return Some(0);
        }
        self.shape.iter().try_fold(1_u64, |cells, &size| cells.checked_mul(size))
    }

    /// The indices of the cell that comes as number `at`, from 0, in an array of `N` dimensions.
    pub fn indices<const N: usize>(&self, mut at: u64) -> [u64; N] {
        let mut indices = [0; N];
        let mut next = |dimension: usize| {
            indices[dimension] = at % self.shape[dimension];
            at /= self.shape[dimension];
        };
        match self.first_fastest {
            true => (0..N).for_each(&mut next),
            false => (0..N).rev().for_each(&mut next),
        }
        indices
    }
}

impl Cell {
    /// The type that numpy calls `name`, such as `<f8`.
    fn named(name: &str) -> Result<Self, String> {
        let (is_big_endian, kind) = match name.strip_prefix(['<', '|', '=']) {
            Some(kind) => (false, kind),
            None => name.strip_prefix('>').map_or((false, name), |kind| (true, kind)),
        };
        let (kind, size) = kind.split_at(kind.len().min(1));
        let known = match (kind, size.parse().ok()) {
            ("b", Some(size @ 1)) => Some((Kind::Bool, size)),
            ("i", Some(size @ (1 | 2 | 4 | 8))) => Some((Kind::Signed, size)),
            ("u", Some(size @ (1 | 2 | 4 | 8))) => Some((Kind::Unsigned, size)),
            ("f", Some(size @ (2 | 4 | 8))) => Some((Kind::Float, size)),
            ("S", Some(size @ 1..=64)) => Some((Kind::Ascii, size)),
            ("U", Some(size @ 1..=64)) => Some((Kind::Unicode, 4 * size)),
            _ => None,
        };
        match (known, kind) {
            (Some((kind, size)), _) => Ok(Self { kind, size, is_big_endian }),
            (None, "c") => Err(format!("holds complex numbers ({name}); save their real parts or absolute values")),
            (None, "O") => Err("holds Python objects; save array.astype(\"float64\")".into()),
            _ => Err(format!("holds cells of type {name}, which is no number; save array.astype(\"float64\")")),
        }
    }

    /// Whether it is a number, or true or false.
    pub fn is_number(self) -> bool {
        !matches!(self.kind, Kind::Ascii | Kind::Unicode)
    }

    /// The number that `bytes`, as many as its size, are.
    #[inline]
    pub fn number(self, bytes: &[u8]) -> f64 {
        let mut little_endian = [0; 8];
        little_endian[..self.size].copy_from_slice(bytes);
        if self.is_big_endian {
            little_endian[..self.size].reverse();
        }
        let bits = u64::from_le_bytes(little_endian);
        match (self.kind, self.size) {
            (Kind::Float, 2) => f16::from_bits(bits as u16).to_f64(),
            (Kind::Float, 4) => f32::from_bits(bits as u32).into(),
            (Kind::Float, _) => f64::from_bits(bits),
            (Kind::Signed, size) => {
                let unused = 64 - 8 * size as u32;
                ((bits << unused) as i64 >> unused) as f64
            }
            (Kind::Bool, _) => f64::from(u8::from(bits != 0)),
            (Kind::Unsigned | Kind::Ascii | Kind::Unicode, _) => bits as f64,
        }
    }

    /// The text that `bytes` are; empty if it is none.
    pub fn text(self, bytes: &[u8]) -> String {
        let width = if self.kind == Kind::Unicode { 4 } else { 1 };
        let character = |bytes: &[u8]| {
            let bytes = bytes.iter().copied();
            let digits = |number: u32, byte: u8| number << 8 | u32::from(byte);
            char::from_u32(if self.is_big_endian { bytes.fold(0, digits) } else { bytes.rev().fold(0, digits) })
        };
        bytes.chunks(width).filter_map(character).filter(|&character| character != '\0').collect()
    }
}

/// Why an array is refused whose type is a list of fields.
fn records(descr: &str) -> Option<String> {
    descr.starts_with('[').then(|| {
        "holds records of several fields; save one field of it, as array[\"name\"], or all as a plain array by \
         numpy.lib.recfunctions.structured_to_unstructured(array)"
            .into()
    })
}

/// What follows `word` and the blanks around it, if `text` begins with it.
fn after<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    text.trim_start().strip_prefix(word).map(str::trim_start)
}

/// The text in quotes at the start, and what follows.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|&first| first == '\'' || first == '"')?;
    text[1..].split_once(quote)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Header, String> {
        Header::parsed(text)
    }

    #[test]
    fn keys_come_in_any_order_and_blanks_do_not_count() {
        let expected = Header { cell: Cell::named("<f8").unwrap(), first_fastest: false, shape: vec![3, 4] };
        for text in [
            "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }   \n",
            "{\"shape\":(3L,4L),\"descr\":\"<f8\",\"fortran_order\":False}",
        ] {
            assert_eq!(parsed(text).as_ref(), Ok(&expected), "{text}");
        }
        let column = parsed("{'descr': '|b1', 'fortran_order': True, 'shape': (3,), }").unwrap();
        assert_eq!((column.shape, column.first_fastest), (vec![3], true));
        assert!(parsed("{'descr': '|S3', 'fortran_order': False, 'shape': ()}").unwrap().shape.is_empty());
    }

    #[test]
    fn other_headers_are_refused() {
        for (descr, expected) in [
            ("'<c16'", "holds complex numbers (<c16); save their real parts"),
            ("'|O'", "holds Python objects; save array.astype"),
            ("'<M8[ns]'", "holds cells of type <M8[ns], which is no number"),
            ("'<f16'", "holds cells of type <f16, which is no number"),
            ("''", "holds cells of type , which is no number"),
            ("[('a', '<i4'), ('b', '<f4')]", "holds records of several fields; save one field"),
            ("7", "has a header that cannot be read"),
        ] {
            let error = parsed(&format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (3,)}}")).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
        for text in [
            "",
            "{}",
            "{'descr': '<f8'}",
            "{'descr': '<f8', 'fortran_order': 0, 'shape': (3,)}",
            "{'descr': '<f8', 'fortran_order': True, 'shape': (-3,)}",
            "{'descr': '<f8', 'fortran_order': True, 'shape': (3",
            "{'descr': '<f8', 'fortran_order': True, 'shape': 3, 'x': 1}",
            "{'ä",
        ] {
            assert!(parsed(text).unwrap_err().starts_with("has a header that cannot be read"), "{text}");
        }
    }

    /// ```python
    /// import numpy
    /// print(numpy.array([-2], ">i4").tobytes())
    /// ```
    #[test]
    fn every_type_is_decoded_from_either_end() {
        for (name, bytes, expected) in [
            ("|b1", &b"\x01"[..], 1.0),
            ("|b1", b"\0", 0.0),
            ("|i1", b"\xfe", -2.0),
            ("|u1", b"\xfe", 254.0),
            ("<i2", b"\xfe\xff", -2.0),
            (">i4", b"\xff\xff\xff\xfe", -2.0),
            ("<i8", b"\xfe\xff\xff\xff\xff\xff\xff\xff", -2.0),
            (">u2", b"\x01\x02", 258.0),
            ("<u4", b"\x02\x01\0\0", 258.0),
            (">u8", b"\0\0\0\0\0\0\x01\x02", 258.0),
            ("<f2", b"\0\xc1", -2.5),
            (">f2", b"\xc1\0", -2.5),
            ("<f4", b"\0\0\x20\xc0", -2.5),
            (">f4", b"\xc0\x20\0\0", -2.5),
            ("<f8", b"\0\0\0\0\0\0\x04\xc0", -2.5),
            ("=f8", b"\0\0\0\0\0\0\x04\xc0", -2.5),
            (">f8", b"\xc0\x04\0\0\0\0\0\0", -2.5),
        ] {
            let cell = Cell::named(name).unwrap();
            assert_eq!((cell.size, cell.number(bytes)), (bytes.len(), expected), "{name}");
        }
        for (name, bytes) in
            [("|S4", &b"csr\0"[..]), ("<U3", b"c\0\0\0s\0\0\0r\0\0\0"), (">U3", b"\0\0\0c\0\0\0s\0\0\0r")]
        {
            let cell = Cell::named(name).unwrap();
            assert!(!cell.is_number() && cell.size == bytes.len());
            assert_eq!(cell.text(bytes), "csr", "{name}");
        }
    }

    #[test]
    fn the_order_says_which_index_runs_fastest() {
        let mut header = Header { cell: Cell::named("|u1").unwrap(), first_fastest: false, shape: vec![2, 3] };
        let all = |header: &Header| (0..6).map(|at| header.indices::<2>(at)).collect::<Vec<_>>();
        assert_eq!(all(&header), [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]);
        header.first_fastest = true;
        assert_eq!(all(&header), [[0, 0], [1, 0], [0, 1], [1, 1], [0, 2], [1, 2]]);
    }
}
