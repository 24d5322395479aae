//! Reading through compression: gzip, bzip2, xz, Zstandard, and a zip archive of one file.
//!
//! The first bytes tell which it is, whatever the name says. Streams that were joined, as by `cat a.gz b.gz`, are read one
//! after the other.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Error as IoError, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use bzip2::read::MultiBzDecoder;
use flate2::CrcReader;
use flate2::read::{DeflateDecoder, MultiGzDecoder};
use lzma_rust2::XzReader;
use ruzstd::decoding::FrameDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use zip::{CompressionMethod, ZipArchive};

use super::columnar;
use crate::error::{Error, Result};

/// Bytes that tell a form, at most.
const MAGIC: u64 = 6;

/// Endings that compressed files have after that of their content.
const ENDINGS: [&str; 5] = [".gz", ".bz2", ".xz", ".zst", ".zip"];

/// Memory in KiB that decoding may take: more than any preset of `xz` needs, and less than a file might claim.
const MOST_MEMORY: u32 = 1 << 18;

/// Names of members that a message lists.
const LISTED: usize = 5;

/// The name of a file without the ending that compression gave it: `"a.csv"` of `"a.csv.gz"`.
pub fn inner_name(name: &str) -> &str {
    let without = |ending: &str| {
        let (inner, end) = name.split_at_checked(name.len().checked_sub(ending.len())?)?;
        end.eq_ignore_ascii_case(ending).then_some(inner)
    };
    ENDINGS.into_iter().find_map(without).unwrap_or(name)
}

/// What `file` holds, decompressed if its first bytes say that it is compressed. A Parquet or
/// Arrow file is read as [CSV](columnar::as_csv). Only these and a zip archive are read elsewhere than from the start on, because
/// what a pipe has given does not come again.
///
/// # Errors
/// [`Error::Io`] if it cannot be read, [`Error::Data`] for a zip archive that does not hold one file to be read.
pub fn decompressed(mut file: File, path: &Path) -> Result<Box<dyn Read + Send>> {
    let start = first_bytes(&mut file, path)?;
    if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
        return only_member(file, path);
    }
    if let Some(form) = columnar::Form::of(&start) {
        return columnar::as_csv(form, file, path);
    }
    decoded(start, file)
}

/// [`decompressed`] of what comes through a pipe.
///
/// # Errors
/// Those of [`decompressed`], and [`Error::Data`] for a zip archive, whose list of contents is at its end.
pub fn decompressed_stream(mut stream: impl Read + Send + 'static, path: &Path) -> Result<Box<dyn Read + Send>> {
    let start = first_bytes(&mut stream, path)?;
    if start.starts_with(b"PK\x03\x04") {
        return Err(Error::data(path, "is a zip archive, which is read from a file only; unpack it, or give its path"));
    }
    decoded(start, stream)
}

fn first_bytes(source: &mut impl Read, path: &Path) -> Result<Vec<u8>> {
    let mut start = Vec::new();
    source.take(MAGIC).read_to_end(&mut start).map_err(|e| Error::io("read", path, e))?;
    Ok(start)
}

/// What follows `start`, with it, through the decoder that it asks for.
fn decoded(start: Vec<u8>, rest: impl Read + Send + 'static) -> Result<Box<dyn Read + Send>> {
    let is = |magic: &[u8]| start.starts_with(magic);
    let (gzip, bzip2, xz, zstd) = (is(b"\x1f\x8b"), is(b"BZh"), is(b"\xfd7zXZ\0"), is(b"\x28\xb5\x2f\xfd"));
    let whole = Cursor::new(start).chain(rest);
    Ok(if gzip {
        Box::new(MultiGzDecoder::new(BufReader::new(whole)))
    } else if bzip2 {
        Box::new(MultiBzDecoder::new(BufReader::new(whole)))
    } else if xz {
        Box::new(XzReader::new_mem_limit(BufReader::new(whole), true, MOST_MEMORY))
    } else if zstd {
        Box::new(Frames { source: BufReader::new(whole), decoder: FrameDecoder::new(), is_inside: false })
    } else {
        Box::new(whole)
    })
}

/// The frames of a Zstandard file, one after the other.
struct Frames<R> {
    source: BufReader<R>,
    decoder: FrameDecoder,
    /// Whether a frame has begun.
    is_inside: bool,
}

impl<R: Read> Frames<R> {
    /// Begins the next frame; false at the end of the file.
    fn begin(&mut self) -> std::io::Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.source) {
                Ok(()) => return Ok(true),
                // A frame of something else, which has no content.
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    std::io::copy(&mut (&mut self.source).take(length.into()), &mut std::io::sink())?;
                }
                Err(error) => return Err(IoError::new(ErrorKind::InvalidData, error)),
            }
        }
        Ok(false)
    }
}

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        use ruzstd::decoding::BlockDecodingStrategy::UptoBlocks;
        let damaged = |error| IoError::new(ErrorKind::InvalidData, error);
        loop {
            if !self.is_inside && !self.begin()? {
                return Ok(0);
            }
            self.is_inside = true;
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                self.decoder.decode_blocks(&mut self.source, UptoBlocks(1)).map_err(damaged)?;
            }
            let read = self.decoder.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let sums = (self.decoder.get_checksum_from_data(), self.decoder.get_calculated_checksum());
            if let (Some(given), Some(found)) = sums
                && given != found
            {
                return Err(IoError::new(ErrorKind::InvalidData, "the checksum does not match"));
            }
            self.is_inside = false;
        }
    }
}

/// The only file in a zip archive.
fn only_member(file: File, path: &Path) -> Result<Box<dyn Read + Send>> {
    let unreadable = |error: zip::result::ZipError| match error {
        zip::result::ZipError::Io(error) => Error::io("read", path, error),
        error => Error::data(path, format!("is no zip archive that can be read: {error}; get it anew, or unpack it")),
    };
    let mut archive = ZipArchive::new(file).map_err(unreadable)?;
    // What programs add of their own: folders, and files whose names begin with a dot.
    let is_hidden = |name: &str| {
        name.ends_with('/') || name.starts_with("__MACOSX/") || name.rsplit('/').next().unwrap_or(name).starts_with('.')
    };
    let names: Vec<String> =
        archive.file_names().flatten().filter(|name| !is_hidden(name)).map(Cow::into_owned).collect();
    let [name] = &names[..] else {
        let listed = names.iter().take(LISTED).cloned().collect::<Vec<_>>().join(", ");
        let more = if names.len() > LISTED { ", …" } else { "" };
        let what = if names.is_empty() { "no files".into() } else { format!("{} files ({listed}{more})", names.len()) };
        return Err(Error::data(path, format!("holds {what}, and an archive of one is read; unpack it and name one")));
    };
    let index = archive.index_for_name(name).expect("a name of the archive");
    let member = archive.by_index_raw(index).map_err(unreadable)?;
    let (method, size, sum) = (member.compression(), member.compressed_size(), member.crc32());
    let start = member.data_start();
    if member.encrypted() {
        return Err(Error::data(path, "is encrypted; unpack it with its password"));
    }
    drop(member);
    let start = start.ok_or_else(|| Error::data(path, "does not say where its file begins; unpack it"))?;
    let mut file = archive.into_inner();
    file.seek(SeekFrom::Start(start)).map_err(|e| Error::io("read", path, e))?;
    let body = BufReader::new(file.take(size));
    match method {
        CompressionMethod::Stored => Ok(Box::new(Summed { source: CrcReader::new(body), sum })),
        CompressionMethod::Deflated => Ok(Box::new(Summed { source: CrcReader::new(DeflateDecoder::new(body)), sum })),
        other => Err(Error::data(path, format!("is compressed with {other}, which is not supported; unpack it"))),
    }
}

/// A source whose end is compared with a checksum.
struct Summed<R> {
    source: CrcReader<R>,
    sum: u32,
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.source.read(buffer)?;
        if read == 0 && !buffer.is_empty() && self.source.crc().sum() != self.sum {
            return Err(IoError::new(ErrorKind::InvalidData, "the checksum does not match"));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const TEXT: &[u8] = b"user,item,rating\n1,a,4\n1,a,4\n1,a,4\n2,b,3.5\n";

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        writer.write_all(text).expect("written");
        writer.finish().expect("finished")
    }

    fn bzip2(text: &[u8]) -> Vec<u8> {
        let mut writer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        writer.write_all(text).expect("written");
        writer.finish().expect("finished")
    }

    fn zstd(text: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(text, ruzstd::encoding::CompressionLevel::Fastest)
    }

    /// [`TEXT`] as `xz -9` writes it.
    fn xz() -> Vec<u8> {
        const HEX: &str = include_str!("text.xz.hex");
        let digits: Vec<u8> = HEX.bytes().filter(u8::is_ascii_hexdigit).collect();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("digits"), 16).expect("a byte");
        digits.chunks(2).map(byte).collect()
    }

    fn zip(members: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default().compression_method(method);
        for (name, content) in members {
            writer.start_file(*name, options).expect("a member");
            writer.write_all(content).expect("written");
        }
        writer.finish().expect("finished").into_inner()
    }

    fn read(bytes: &[u8]) -> std::result::Result<Vec<u8>, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x");
        std::fs::write(&path, bytes).expect("written");
        let mut content = Vec::new();
        let file = File::open(&path).expect("opened");
        let mut source = decompressed(file, Path::new("x")).map_err(|error| error.to_string())?;
        source.read_to_end(&mut content).map_err(|error| format!("{:?}", error.kind()))?;
        Ok(content)
    }

    #[test]
    fn every_form_is_read_as_what_it_holds() {
        let methods = [CompressionMethod::Stored, CompressionMethod::Deflated];
        let zips = methods.map(|method| zip(&[("data/r.csv", TEXT)], method));
        for packed in [TEXT.to_vec(), gzip(TEXT), bzip2(TEXT), xz(), zstd(TEXT)].iter().chain(&zips) {
            assert_eq!(read(packed).as_deref(), Ok(TEXT));
        }
        for short in [&b""[..], b"1", b"PK", b"BZ"] {
            assert_eq!(read(short).as_deref(), Ok(short));
        }
    }

    #[test]
    fn joined_streams_are_read_to_the_end() {
        let skipped = [&b"\x50\x2a\x4d\x18\x03\0\0\0abc"[..], &zstd(TEXT)].concat();
        let twice = [TEXT, TEXT].concat();
        for packed in [gzip(TEXT), bzip2(TEXT), xz(), zstd(TEXT)] {
            assert_eq!(read(&packed.repeat(2)).as_deref(), Ok(&twice[..]));
        }
        assert_eq!(read(&[zstd(TEXT), skipped].concat()).as_deref(), Ok(&twice[..]));
    }

    #[test]
    fn what_is_cut_or_damaged_is_an_error() {
        for packed in [gzip(TEXT), bzip2(TEXT), xz(), zstd(TEXT), zip(&[("r", TEXT)], CompressionMethod::Deflated)] {
            for end in [packed.len() - 1, packed.len() / 2, 8] {
                let error = read(&packed[..end]).expect_err("cut");
                assert!(
                    ["UnexpectedEof", "InvalidData"].contains(&&*error) || error.contains("zip archive"),
                    "{error}"
                );
            }
        }
        for (packed, at) in [(gzip(TEXT), 30), (bzip2(TEXT), 30), (xz(), 40), (zstd(TEXT), 20)] {
            let mut packed = packed;
            packed[at] ^= 0x55;
            assert!(read(&packed).is_err());
        }
        let mut stored = zip(&[("r", TEXT)], CompressionMethod::Stored);
        let at = stored.windows(TEXT.len()).position(|window| window == TEXT).expect("as it is");
        stored[at] ^= 1;
        assert_eq!(read(&stored), Err("InvalidData".into()));
    }

    #[test]
    fn an_archive_holds_one_file() {
        let of = |names: &[&str]| {
            let members: Vec<(&str, &[u8])> = names.iter().map(|name| (*name, TEXT)).collect();
            read(&zip(&members, CompressionMethod::Deflated))
        };
        assert_eq!(of(&["__MACOSX/._r.csv", "r/.DS_Store", "r/r.csv"]).as_deref(), Ok(TEXT));
        assert_eq!(
            of(&["a", "b"]),
            Err("x: holds 2 files (a, b), and an archive of one is read; unpack it and name one".into())
        );
        assert!(of(&["a", "b", "c", "d", "e", "f"]).unwrap_err().contains("6 files (a, b, c, d, e, …)"));
        assert!(of(&[]).unwrap_err().starts_with("x: holds no files"));
        let piped = decompressed_stream(Cursor::new(zip(&[("r", TEXT)], CompressionMethod::Stored)), Path::new("x"));
        assert!(piped.err().expect("refused").to_string().contains("which is read from a file only"));
    }

    #[test]
    fn names_inside_of_endings() {
        for (name, inner) in [("B.mtx.GZ", "B.mtx"), ("r.csv", "r.csv"), ("r.tar.zst", "r.tar"), ("ä", "ä"), ("", "")]
        {
            assert_eq!(inner_name(name), inner);
        }
    }
}
