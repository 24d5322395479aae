//! Pictures: one as a matrix of pixels, or a folder of them with a picture a row.
//!
//! Values are from 0 (black) to 255, those of 16 bits with fractions, and every pixel is a cell, also if it is 0. Pictures are
//! turned as they say that they are to be seen. In folders, colours become grey by the luma of ITU-R BT.709, 0.2126 R +
//! 0.7152 G + 0.0722 B; what is transparent counts as opaque.

use std::fmt;
use std::io::Cursor;
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader};
use memchr::memchr;
use sha2::{Digest, Sha256};

use super::folder::{Folder, Kind};
use super::hash::Hash;
use super::reader::{Reader, ReaderPart};
use super::shared_keys::extension_key;
use crate::config::{Keys, Values};
use crate::data::{Dataset, Layout, Vocabulary};
use crate::error::{Error, Result};
use crate::files;

/// One picture: a row for each line of pixels, a column for each of its pixels; see
/// [`Layout::Picture`].
#[derive(Debug, Clone, Default)]
pub struct Picture;

impl Reader for Picture {
    fn read(&self, path: &Path, dataset: &mut Dataset) -> Result<Hash> {
        read_picture(path, dataset)
    }

    /// By the name: `.png`, `.jpg`, `.jpeg`, `.pgm`, `.ppm` or `.pnm`.
    fn recognizes(&self, path: &Path) -> Result<bool> {
        Ok(!path.is_dir() && Kind::Pictures.names(path))
    }

    fn is_list(&self) -> bool {
        false
    }
}

impl ReaderPart for Picture {
    const NAME: &'static str = "picture";

    fn of(_: &Values) -> Self {
        Self
    }
}

/// A folder of pictures of one size: a row a picture, a column a pixel; see
/// [`Layout::Pictures`].
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Pictures {
    /// Extension, with or without the dot, of the files that are rows; `None` takes all pictures.
    pub extension: Option<String>,
}

impl Reader for Pictures {
    fn read(&self, path: &Path, dataset: &mut Dataset) -> Result<Hash> {
        read_folder(path, self.extension.as_deref(), dataset)
    }

    /// A folder with more pictures than texts.
    fn recognizes(&self, path: &Path) -> Result<bool> {
        Ok(path.is_dir() && Kind::of_most(path)? == Kind::Pictures)
    }

    fn is_list(&self) -> bool {
        false
    }
}

impl ReaderPart for Pictures {
    const NAME: &'static str = "pictures";

    fn keys() -> Keys {
        extension_key().into()
    }

    fn of(values: &Values) -> Self {
        Self { extension: values.find("data.extension") }
    }
}

/// Values that pictures may have together, one for each pixel and channel. A small file can claim any size.
const MOST_VALUES: usize = 100_000_000;

/// A picture as it lies in a file.
struct Opened {
    picture: DynamicImage,
    hash: Hash,
    /// Whether more follows than the pixels that the header of a binary PGM or PPM file promises.
    overlong: bool,
}

impl Opened {
    /// Reads a picture that has at most `most` values, turned as it says that it is to be seen.
    fn read(path: &Path, most: usize) -> Result<Self> {
        let bytes = files::read_bytes(path)?;
        let hash = Sha256::digest(&bytes).into();
        let unreadable = |reason: &dyn fmt::Display| {
            Error::data(path, format!("is no picture that can be read: {reason}; give PNG, JPEG, PGM or PPM"))
        };
        let mut cursor = Cursor::new(&bytes);
        let mut reader = ImageReader::new(&mut cursor).with_guessed_format().map_err(|e| Error::io("read", path, e))?;
        // The number of values, below, is the limit.
        reader.no_limits();
        let is_jpeg = reader.format() == Some(ImageFormat::Jpeg);
        let mut decoder = reader.into_decoder().map_err(|error| unreadable(&error))?;
        let (width, height) = decoder.dimensions();
        let channels = if decoder.color_type().has_color() { 3 } else { 1 };
        if u64::from(width) * u64::from(height) * channels > most as u64 {
            return Err(Error::data(
                path,
                format!(
                    "has {width} × {height} pixels, and {MOST_VALUES} values are read at most, one for each pixel and colour \
                     of all pictures; scale it down"
                ),
            ));
        }
        if is_jpeg && !has_end(&bytes) {
            return Err(unreadable(&"it ends before its last line"));
        }
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| unreadable(&error))?;
        picture.apply_orientation(orientation);
        let is_binary = bytes.starts_with(b"P5") || bytes.starts_with(b"P6");
        let rest = &bytes[(cursor.position() as usize).min(bytes.len())..];
        // A line feed at the end does no harm.
        let overlong = is_binary && !rest.is_empty() && rest != b"\n";
        Ok(Self { picture, hash, overlong })
    }
}

/// Whether a JPEG has the marker that ends it (ITU-T T.81, annex B). The decoder fills up what is missing.
fn has_end(bytes: &[u8]) -> bool {
    let mut at = 2;
    loop {
        // In the coded data between segments a byte FF is followed by 0 or by the number of a restart.
        let Some(offset) = memchr(0xff, bytes.get(at..).unwrap_or_default()) else { return false };
        at += offset;
        match bytes.get(at + 1) {
            None => return false,
            Some(0xd9) => return true,
            Some(0xff) => at += 1,
            Some(0x00 | 0x01 | 0xd0..=0xd8) => at += 2,
            Some(_) => {
                let Some(&[high, low]) = bytes.get(at + 2..at + 4) else { return false };
                at += 2 + usize::from(u16::from_be_bytes([high, low]));
            }
        }
    }
}

/// The values of a picture from 0 to 255, channels of a pixel side by side, in grey or else as they are. Sixteen bits keep
/// their fractions.
fn values(picture: DynamicImage, grey: bool) -> Box<dyn Iterator<Item = f32>> {
    let color = picture.color();
    let is_deep = color.bytes_per_pixel() > color.channel_count();
    let bytes = |raw: Vec<u8>| -> Box<dyn Iterator<Item = f32>> { Box::new(raw.into_iter().map(f32::from)) };
    let words = |raw: Vec<u16>| -> Box<dyn Iterator<Item = f32>> {
        Box::new(raw.into_iter().map(|value| (f64::from(value) / 257.0) as f32))
    };
    match (is_deep, grey || !color.has_color()) {
        (false, true) => bytes(picture.into_luma8().into_raw()),
        (false, false) => bytes(picture.into_rgb8().into_raw()),
        (true, true) => words(picture.into_luma16().into_raw()),
        (true, false) => words(picture.into_rgb16().into_raw()),
    }
}

/// What to tell of [`Opened::overlong`] pictures.
const OVERLONG: &str = "more bytes than pixels, as where a program took the file for text and changed line ends, which \
                        shifts pixels; get the original";

/// Reads one picture: a row for each line of pixels, a column for each of its pixels in each channel.
///
/// Rows are called `"0"`, `"1"`, …, columns of grey pictures likewise, those of colours `"r/0"` … `"b/<width - 1>"`.
fn read_picture(path: &Path, dataset: &mut Dataset) -> Result<Hash> {
    let Opened { picture, hash, overlong } = Opened::read(path, MOST_VALUES)?;
    if overlong {
        dataset.notes.push(format!("{}: has {OVERLONG}", path.display()));
    }
    if picture.color().has_alpha() {
        dataset.notes.push(format!("{}: transparency is left out", path.display()));
    }
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    // Channels of a pixel stand side by side in the picture, and far apart in the matrix.
    let names: &[&str] = if picture.color().has_color() { &["r/", "g/", "b/"] } else { &[""] };
    let channels = names.len();
    let kind = if channels == 1 { "grey" } else { "in colour: red, green and blue side by side" };
    dataset.notes.push(format!("{}: {width} × {height} pixels, {kind}; each line is a row", path.display()));
    dataset.layout = Layout::Picture { width, channels };
    *dataset.pair_mut().users = Vocabulary::from_ids((0..height).map(|y| y.to_string()));
    *dataset.pair_mut().items =
        Vocabulary::from_ids(names.iter().flat_map(|name| (0..width).map(move |x| format!("{name}{x}"))));
    dataset.interactions = dataset.interactions.like(width * height * channels);
    let mut values = values(picture, false);
    let mut line = Vec::with_capacity(width * channels);
    for row in 0..height {
        line.clear();
        line.extend(values.by_ref().take(width * channels));
        for (column, (channel, x)) in (0..).zip((0..channels).flat_map(|c| (0..width).map(move |x| (c, x)))) {
            dataset.interactions.push([row as u32, column], line[x * channels + channel], None);
        }
    }
    Ok(hash)
}

/// Reads a folder of pictures of one size, all or those with `extension`: a row for each, called like its file without
/// extension, a column for each pixel, called `"y,x"`.
fn read_folder(path: &Path, extension: Option<&str>, dataset: &mut Dataset) -> Result<Hash> {
    let folder = Folder::list(path, Kind::Pictures, extension)?;
    dataset.notes.extend(folder.note());
    let mut hashes = Vec::with_capacity(folder.members.len());
    let (mut size, mut coloured, mut transparent) = (None, 0, 0);
    let mut overlong = Vec::new();
    for member in &folder.members {
        let left = MOST_VALUES - dataset.interactions.len();
        let Opened { picture, hash, overlong: is_overlong } = Opened::read(&member.path, left)?;
        hashes.push(hash);
        overlong.extend(is_overlong.then_some(member.path.display()));
        coloured += usize::from(picture.color().has_color());
        transparent += usize::from(picture.color().has_alpha());
        let found = (picture.width() as usize, picture.height() as usize);
        let (width, height) = *size.get_or_insert(found);
        if found != (width, height) {
            return Err(Error::data(
                &member.path,
                format!(
                    "is {} × {} pixels, but {} is {width} × {height}; give pictures of one size",
                    found.0,
                    found.1,
                    folder.members[0].path.display()
                ),
            ));
        }
        let row = dataset.pair_mut().users.insert(&member.id);
        for (column, pixel) in (0..).zip(values(picture, true)) {
            dataset.interactions.push([row, column], pixel, None);
        }
    }
    let (width, height) = size.unwrap_or_default();
    dataset.layout = Layout::Pictures { width, height };
    *dataset.pair_mut().items =
        Vocabulary::from_ids((0..height).flat_map(|y| (0..width).map(move |x| format!("{y},{x}"))));
    let count = hashes.len();
    let (place, notes) = (path.display(), &mut dataset.notes);
    notes.push(format!("{place}: {count} pictures of {width} × {height} pixels; each picture is a row"));
    if coloured > 0 {
        notes.push(format!("{place}: {coloured} of {count} pictures have colours, made grey"));
    }
    if transparent > 0 {
        notes.push(format!("{place}: {transparent} of {count} pictures have transparency, left out"));
    }
    if let Some(first) = overlong.first() {
        let found = overlong.len();
        notes.push(format!("{first}: {found} of {count} pictures, this one first, have {OVERLONG}"));
    }
    Ok(folder.hash(&hashes))
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, ImageBuffer, Luma, Rgb, RgbImage, RgbaImage};

    use super::super::hash::hexadecimal;
    use super::super::tests::{folder, problem, triples};
    use super::super::{ReadOptions, read_dataset};
    use super::*;
    use crate::data::{ITEM, USER};

    fn encoded(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.into().write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn grey(width: u32, height: u32, pixels: &[u8]) -> Vec<u8> {
        encoded(GrayImage::from_raw(width, height, pixels.to_vec()).unwrap(), ImageFormat::Pnm)
    }

    fn read(path: &Path) -> Result<Dataset> {
        read_dataset(path, None, &ReadOptions::default())
    }

    fn ids(vocabulary: &Vocabulary) -> Vec<&str> {
        vocabulary.ids().collect()
    }

    #[test]
    fn a_grey_picture_is_its_pixels() {
        let bytes = grey(3, 2, &[0, 1, 2, 128, 254, 255]);
        let folder = folder([("x.pgm", &bytes)]);
        let data = read(&folder.path().join("x.pgm")).unwrap();
        assert_eq!(data.layout, Layout::Picture { width: 3, channels: 1 });
        assert_eq!((ids(data.users()), ids(data.items())), (vec!["0", "1"], vec!["0", "1", "2"]));
        assert_eq!(data.interactions.column(USER), [0, 0, 0, 1, 1, 1]);
        assert_eq!(data.interactions.column(ITEM), [0, 1, 2, 0, 1, 2]);
        assert_eq!(data.interactions.targets, [0.0, 1.0, 2.0, 128.0, 254.0, 255.0]);
        assert_eq!(data.fingerprint, hexadecimal(&Sha256::digest(&bytes)));
        assert_eq!(data.notes.len(), 1);
        assert!(data.notes[0].ends_with("x.pgm: 3 × 2 pixels, grey; each line is a row"), "{:?}", data.notes);
    }

    #[test]
    fn the_channels_of_a_colour_picture_stand_side_by_side() {
        let rgb = RgbImage::from_raw(2, 1, vec![1, 2, 3, 4, 5, 6]).unwrap();
        let rgba = RgbaImage::from_raw(2, 1, vec![1, 2, 3, 9, 4, 5, 6, 9]).unwrap();
        let folder = folder([
            ("opaque.png", encoded(rgb.clone(), ImageFormat::Png)),
            ("clear.png", encoded(rgba, ImageFormat::Png)),
            ("plain.ppm", encoded(rgb, ImageFormat::Pnm)),
        ]);
        for (name, notes) in [("opaque.png", 1), ("clear.png", 2), ("plain.ppm", 1)] {
            let data = read(&folder.path().join(name)).unwrap();
            assert_eq!(data.layout, Layout::Picture { width: 2, channels: 3 }, "{name}");
            assert_eq!(ids(data.items()), ["r/0", "r/1", "g/0", "g/1", "b/0", "b/1"], "{name}");
            assert_eq!(data.interactions.targets, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0], "{name}");
            assert_eq!(data.notes.len(), notes, "{name}: {:?}", data.notes);
        }
    }

    #[test]
    fn jpeg_is_read() {
        let even = encoded(GrayImage::from_pixel(8, 8, Luma([100])), ImageFormat::Jpeg);
        let folder = folder([("x.JPG", even)]);
        let data = read(&folder.path().join("x.JPG")).unwrap();
        assert_eq!((data.layout, data.interactions.len()), (Layout::Picture { width: 8, channels: 1 }, 64));
        assert!(data.interactions.targets.iter().all(|value| (value - 100.0).abs() <= 1.0));
    }

    #[test]
    fn each_picture_of_a_folder_is_a_row() {
        let coloured = RgbImage::from_raw(2, 1, vec![255, 0, 0, 0, 255, 0]).unwrap();
        let folder = folder([
            ("s10/1.png", encoded(coloured, ImageFormat::Png)),
            ("s2/10.pgm", grey(2, 1, &[5, 6])),
            ("s2/1.pgm", grey(2, 1, &[0, 4])),
            ("s2/info.csv", b"x".to_vec()),
        ]);
        let data = read(folder.path()).unwrap();
        assert_eq!(data.layout, Layout::Pictures { width: 2, height: 1 });
        let cell = |user: &str, item: &str, value| (user.to_owned(), item.to_owned(), value);
        assert_eq!(
            triples(&data),
            [
                cell("s2/1", "0,0", 0.0),
                cell("s2/1", "0,1", 4.0),
                cell("s2/10", "0,0", 5.0),
                cell("s2/10", "0,1", 6.0),
                // 0.2126 · 255 and 0.7152 · 255, without their fractions
                cell("s10/1", "0,0", 54.0),
                cell("s10/1", "0,1", 182.0),
            ]
        );
        assert_eq!(data.notes.len(), 3, "{:?}", data.notes);
        assert!(data.notes[1].ends_with(": 3 pictures of 2 × 1 pixels; each picture is a row"));
        assert!(data.notes[2].ends_with(": 1 of 3 pictures have colours, made grey"));
    }

    #[test]
    fn pictures_that_were_changed_as_text_are_noticed() {
        // The second of two grey values is a line feed.
        let (whole, changed) = (grey(2, 1, b"\x07\n"), b"P5\r\n2 1\r\n255\r\n\x07\r\n");
        let folder = folder([("a.pgm", &whole[..]), ("b.pgm", changed), ("c.pgm", &[&whole[..], b"\n"].concat())]);
        let changed = |path: &Path| -> Vec<String> {
            let notes = read(path).unwrap().notes;
            notes.into_iter().filter(|note| note.contains("more bytes than pixels")).collect()
        };
        let notes = changed(folder.path());
        assert_eq!(notes.len(), 1);
        assert!(notes[0].contains("b.pgm: 1 of 3 pictures, this one first, have more bytes than pixels"), "{notes:?}");
        let notes = changed(&folder.path().join("b.pgm"));
        assert!(notes.len() == 1 && notes[0].contains("b.pgm: has more bytes than pixels"), "{notes:?}");
        assert!(changed(&folder.path().join("c.pgm")).is_empty());
        // Only the header had line ends: all pixels are one place off.
        let header = super::super::tests::file("h.pgm", b"P5\r\n2 1\r\n255\r\n\x07\x08");
        assert_eq!(changed(&header.1).len(), 1);
    }

    #[test]
    fn sixteen_bits_keep_their_fractions() {
        let deep =
            |values: &[u16]| ImageBuffer::<Luma<u16>, _>::from_raw(values.len() as u32, 1, values.to_vec()).unwrap();
        let grey = [0, 1, 257, 4095, 65_535];
        let colours = ImageBuffer::<Rgb<u16>, _>::from_raw(1, 1, vec![100_u16, 20_000, 65_535]).unwrap();
        let alike = ImageBuffer::<Rgb<u16>, _>::from_pixel(5, 1, Rgb([4095_u16; 3]));
        let folder = folder([
            ("grey.png", encoded(deep(&grey), ImageFormat::Png)),
            ("grey.pgm", encoded(deep(&grey), ImageFormat::Pnm)),
            ("colours.png", encoded(colours, ImageFormat::Png)),
            ("folder/1.png", encoded(deep(&grey), ImageFormat::Png)),
            ("folder/2.png", encoded(alike, ImageFormat::Png)),
        ]);
        let values = |name: &str| read(&folder.path().join(name)).unwrap().interactions.targets;
        let scaled = |values: &[u16]| values.iter().map(|&value| (f64::from(value) / 257.0) as f32).collect::<Vec<_>>();
        assert_eq!(values("grey.png"), scaled(&grey));
        assert_eq!(values("grey.pgm"), scaled(&grey));
        assert_eq!(values("colours.png"), scaled(&[100, 20_000, 65_535]));
        let rows = values("folder");
        assert_eq!(rows[..5], scaled(&grey));
        assert!(rows[5..].iter().all(|value| (value - 4095.0 / 257.0).abs() < 0.01), "{rows:?}");
    }

    /// A JPEG of 8 × 16 pixels, dark above and bright below, that says in Exif how it is to be seen.
    fn turned(orientation: u8) -> Vec<u8> {
        let plain = encoded(GrayImage::from_fn(8, 16, |_, y| Luma([if y < 8 { 10 } else { 240 }])), ImageFormat::Jpeg);
        let exif = [b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".as_slice(), &[orientation], &[0; 6]]
            .concat();
        let length = (exif.len() as u16 + 2).to_be_bytes();
        [&plain[..2], &[0xff, 0xe1], &length, &exif, &plain[2..]].concat()
    }

    #[test]
    fn pictures_are_turned_as_they_say() {
        for (orientation, layout, first) in [(1, 8, 10.0), (3, 8, 240.0), (6, 16, 240.0), (8, 16, 10.0)] {
            let folder = folder([("x.jpg", turned(orientation))]);
            let data = read(&folder.path().join("x.jpg")).unwrap();
            assert_eq!(data.layout, Layout::Picture { width: layout, channels: 1 }, "{orientation}");
            assert!(
                (data.interactions.targets[0] - first).abs() < 4.0,
                "{orientation}: {:?}",
                data.interactions.targets
            );
        }
    }

    #[test]
    fn a_picture_that_ends_early_is_refused() {
        let shade = |x, y| Luma([((x * 7 + y * 13) % 251) as u8]);
        let picture = GrayImage::from_fn(64, 64, shade);
        for (name, format) in [("x.jpg", ImageFormat::Jpeg), ("x.png", ImageFormat::Png), ("x.pgm", ImageFormat::Pnm)] {
            let whole = encoded(picture.clone(), format);
            for bytes in [&whole[..whole.len() / 2], &whole[..whole.len() * 9 / 10]] {
                let folder = folder([(name, bytes)]);
                let message = problem(&folder, read(&folder.path().join(name)));
                assert!(message.starts_with(&format!("{name}: is no picture that can be read: ")), "{message}");
            }
        }
        let plain = folder([("x.pgm", "P2\n2 2\n255\n1 2 3")]);
        assert!(
            problem(&plain, read(&plain.path().join("x.pgm"))).starts_with("x.pgm: is no picture that can be read")
        );
        // What follows the end does no harm, and an end within a segment is none.
        let jpeg = encoded(picture, ImageFormat::Jpeg);
        assert!(has_end(&jpeg) && has_end(&[&jpeg[..], &[0; 40]].concat()) && !has_end(&jpeg[..jpeg.len() - 1]));
        let comment = [&jpeg[..2], b"\xff\xfe\0\x06\xff\xd9\xff\xd9", &jpeg[2..jpeg.len() / 2]].concat();
        assert!(!has_end(&comment));
    }

    #[test]
    fn what_is_left_out_of_a_folder_is_told() {
        let clear = RgbaImage::from_raw(1, 1, vec![1, 2, 3, 9]).unwrap();
        let folder = folder([
            ("1.png", encoded(clear.clone(), ImageFormat::Png)),
            ("2.png", encoded(clear, ImageFormat::Png)),
            ("3.pgm", grey(1, 1, &[5])),
        ]);
        let notes = read(folder.path()).unwrap().notes;
        for expected in ["2 of 3 pictures have transparency, left out", "2 of 3 pictures have colours, made grey"] {
            assert!(notes.iter().any(|note| note.ends_with(expected)), "{notes:?}");
        }
    }

    #[test]
    fn a_picture_that_claims_too_much_is_refused() {
        let folder =
            folder([("x.png", blank_png(22_000, 22_000)), ("x.pgm", b"P5 4000000000 4000000000 255\n".to_vec())]);
        let message = problem(&folder, read(&folder.path().join("x.png")));
        assert!(
            message.starts_with("x.png: has 22000 × 22000 pixels, and 100000000 values are read at most"),
            "{message}"
        );
        let message = problem(&folder, read(&folder.path().join("x.pgm")));
        assert!(
            message.starts_with("x.pgm: has 4000000000 × 4000000000 pixels") || message.contains("no picture"),
            "{message}"
        );
        let two = super::super::tests::folder([("1.png", blank_png(8_000, 8_000)), ("2.png", blank_png(8_000, 8_000))]);
        assert!(Opened::read(&two.path().join("1.png"), 8_000 * 8_000 - 1).is_err());
    }

    /// The header of a grey PNG of this size; its pixels are never looked at.
    fn blank_png(width: u32, height: u32) -> Vec<u8> {
        let chunk = |kind: &[u8], content: &[u8]| {
            let body = [kind, content].concat();
            let mut checksum = flate2::Crc::new();
            checksum.update(&body);
            [&(content.len() as u32).to_be_bytes()[..], &body, &checksum.sum().to_be_bytes()].concat()
        };
        let size = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 0, 0, 0, 0]].concat();
        [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"IHDR", &size), chunk(b"IDAT", &[]), chunk(b"IEND", &[])].concat()
    }

    #[test]
    fn errors_name_the_file() {
        let odd = folder([("a/1.pgm", grey(2, 1, &[0, 4])), ("a/2.pgm", grey(1, 2, &[0, 4]))]);
        assert_eq!(
            problem(&odd, read(odd.path())),
            "a/2.pgm: is 1 × 2 pixels, but a/1.pgm is 2 × 1; give pictures of one size"
        );
        let cut = folder([("1.pgm", &grey(2, 2, &[0; 4])[..12]), ("2.png", b"no picture")]);
        let message = problem(&cut, read(cut.path()));
        assert!(message.starts_with("1.pgm: is no picture that can be read: "), "{message}");
        let message = problem(&cut, read(&cut.path().join("2.png")));
        assert!(message.starts_with("2.png: is no picture that can be read: "), "{message}");
        let options = ReadOptions::of_reader(Pictures::default());
        let none = folder([("x.txt", "word")]);
        assert_eq!(
            problem(&none, read_dataset(none.path(), None, &options)),
            ".: holds no pictures (.png, .jpg, .jpeg, .pgm, .ppm, .pnm); give their extension if it is another"
        );
        let message = problem(&none, read_dataset(&none.path().join("x.txt"), None, &options));
        assert!(message.starts_with("x.txt: cannot list the folder: "), "{message}");
        let options = ReadOptions::of_reader(Picture);
        let message = problem(&none, read_dataset(none.path(), None, &options));
        assert_eq!(message, ".: is a folder; name a file in it");
    }
}
