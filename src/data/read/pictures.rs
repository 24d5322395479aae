//! Pictures: one as a matrix of pixels, or a folder of them with a picture a row.
//!
//! Values are from 0 (black) to 255, and every pixel is a cell, also where it is 0. Colours become grey by the luma of
//! ITU-R BT.709, 0.2126 R + 0.7152 G + 0.0722 B, and what is transparent counts as opaque.

use std::io::{Cursor, Read};
use std::path::Path;

use image::{DynamicImage, ImageReader};
use sha2::{Digest, Sha256};

use super::folder::{Folder, Kind};
use super::hash::Hash;
use super::reader::{Reader, ReaderPart};
use super::shared_keys::extension_key;
use crate::config::{Keys, Values};
use crate::data::interactions::check_count;
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

/// A picture as it lies in a file.
struct Opened {
    picture: DynamicImage,
    hash: Hash,
    /// Whether more follows than the pixels that the header of a binary PGM or PPM file promises.
    overlong: bool,
}

impl Opened {
    fn read(path: &Path) -> Result<Self> {
        let mut bytes = Vec::new();
        files::open(path)?.read_to_end(&mut bytes).map_err(|error| Error::io("read", path, error))?;
        let hash = Sha256::digest(&bytes).into();
        let mut cursor = Cursor::new(&bytes);
        let reader = ImageReader::new(&mut cursor).with_guessed_format();
        let picture = reader.map_err(|error| Error::io("read", path, error))?.decode().map_err(|error| {
            Error::data(path, format!("is no picture that can be read: {error}; give PNG, JPEG, PGM or PPM"))
        })?;
        let is_binary = bytes.starts_with(b"P5") || bytes.starts_with(b"P6");
        let rest = &bytes[cursor.position() as usize..];
        // A line feed at the end does no harm.
        let overlong = is_binary && !rest.is_empty() && rest != b"\n";
        Ok(Self { picture, hash, overlong })
    }
}

/// What to tell of [`Opened::overlong`] pictures.
const OVERLONG: &str = "more bytes than pixels, as where a program took the file for text and changed line ends, which \
                        shifts pixels; get the original";

/// Reads one picture: a row for each line of pixels, a column for each of its pixels in each channel.
///
/// Rows are called `"0"`, `"1"`, …, columns of grey pictures likewise, those of colours `"r/0"` … `"b/<width - 1>"`.
fn read_picture(path: &Path, dataset: &mut Dataset) -> Result<Hash> {
    let Opened { picture, hash, overlong } = Opened::read(path)?;
    if overlong {
        dataset.notes.push(format!("{}: has {OVERLONG}", path.display()));
    }
    if picture.color().has_alpha() {
        dataset.notes.push(format!("{}: transparency is left out", path.display()));
    }
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    // Channels of a pixel stand side by side in the picture, and far apart in the matrix.
    let (names, pixels): (&[&str], Vec<u8>) = match picture.color().has_color() {
        true => (&["r/", "g/", "b/"], picture.into_rgb8().into_raw()),
        false => (&[""], picture.into_luma8().into_raw()),
    };
    let channels = names.len();
    check_count(path, pixels.len())?;
    dataset.layout = Layout::Picture { width, channels };
    *dataset.pair_mut().users = Vocabulary::from_ids((0..height).map(|y| y.to_string()));
    *dataset.pair_mut().items =
        Vocabulary::from_ids(names.iter().flat_map(|name| (0..width).map(move |x| format!("{name}{x}"))));
    for (row, line) in (0..).zip(pixels.chunks_exact((width * channels).max(1))) {
        for (column, (channel, x)) in (0..).zip((0..channels).flat_map(|c| (0..width).map(move |x| (c, x)))) {
            dataset.interactions.push([row, column], f32::from(line[x * channels + channel]), None);
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
    let (mut size, mut coloured) = (None, 0);
    let mut overlong = Vec::new();
    for member in &folder.members {
        let Opened { picture, hash, overlong: is_overlong } = Opened::read(&member.path)?;
        hashes.push(hash);
        overlong.extend(is_overlong.then_some(member.path.display()));
        coloured += usize::from(picture.color().has_color());
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
        check_count(path, folder.members.len().saturating_mul(width * height))?;
        let row = dataset.pair_mut().users.insert(&member.id);
        for (column, pixel) in (0..).zip(picture.into_luma8().into_raw()) {
            dataset.interactions.push([row, column], f32::from(pixel), None);
        }
    }
    let (width, height) = size.unwrap_or_default();
    dataset.layout = Layout::Pictures { width, height };
    *dataset.pair_mut().items =
        Vocabulary::from_ids((0..height).flat_map(|y| (0..width).map(move |x| format!("{y},{x}"))));
    if coloured > 0 {
        let count = hashes.len();
        dataset.notes.push(format!("{}: {coloured} of {count} pictures have colours, made grey", path.display()));
    }
    if let Some(first) = overlong.first() {
        let (found, count) = (overlong.len(), hashes.len());
        dataset.notes.push(format!("{first}: {found} of {count} pictures, this one first, have {OVERLONG}"));
    }
    Ok(folder.hash(&hashes))
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, ImageFormat, RgbImage, RgbaImage};

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
        assert!(data.notes.is_empty());
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
        for (name, notes) in [("opaque.png", 0), ("clear.png", 1), ("plain.ppm", 0)] {
            let data = read(&folder.path().join(name)).unwrap();
            assert_eq!(data.layout, Layout::Picture { width: 2, channels: 3 }, "{name}");
            assert_eq!(ids(data.items()), ["r/0", "r/1", "g/0", "g/1", "b/0", "b/1"], "{name}");
            assert_eq!(data.interactions.targets, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0], "{name}");
            assert_eq!(data.notes.len(), notes, "{name}: {:?}", data.notes);
        }
    }

    #[test]
    fn jpeg_is_read() {
        let even = encoded(GrayImage::from_pixel(8, 8, image::Luma([100])), ImageFormat::Jpeg);
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
        assert_eq!(data.notes.len(), 2, "{:?}", data.notes);
        assert!(data.notes[1].ends_with(": 1 of 3 pictures have colours, made grey"));
    }

    #[test]
    fn pictures_that_were_changed_as_text_are_noticed() {
        // The second of two grey values is a line feed.
        let (whole, changed) = (grey(2, 1, b"\x07\n"), b"P5\r\n2 1\r\n255\r\n\x07\r\n");
        let folder = folder([("a.pgm", &whole[..]), ("b.pgm", changed), ("c.pgm", &[&whole[..], b"\n"].concat())]);
        let notes = read(folder.path()).unwrap().notes;
        assert_eq!(notes.len(), 1);
        assert!(notes[0].contains("b.pgm: 1 of 3 pictures, this one first, have more bytes than pixels"), "{notes:?}");
        let notes = read(&folder.path().join("b.pgm")).unwrap().notes;
        assert!(notes.len() == 1 && notes[0].contains("b.pgm: has more bytes than pixels"), "{notes:?}");
        assert!(read(&folder.path().join("c.pgm")).unwrap().notes.is_empty());
        // Only the header had line ends: all pixels are one place off.
        let header = super::super::tests::read("h.pgm", b"P5\r\n2 1\r\n255\r\n\x07\x08", &ReadOptions::default());
        assert_eq!(header.unwrap().notes.len(), 1);
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
