//! Sheets of pictures: components as pictures, reconstructions beside the original.

use std::io::Cursor;

use image::imageops::{self, FilterType};
use image::{ImageFormat, Rgb, RgbImage};
use kuva::backend::raster::RasterBackend;
use kuva::render::render::{Primitive, Scene, TextAnchor};

use super::plot::{Png, label};
use crate::error::{Error, Result};

/// Pixels around and between tiles.
const MARGIN: u32 = 10;
const TITLE_SIZE: u32 = 20;
const CAPTION_SIZE: u32 = 14;
const CAPTION_COLOR: &str = "#444444";
/// Color of the line around a tile, which may itself be white.
const FRAME_COLOR: &str = "#c8c8c8";
/// Widths of a tile on the sheet. Smaller pictures are enlarged by a whole factor, larger ones reduced.
const TILE_WIDTHS: (u32, u32) = (80, 480);

/// How values become shades of grey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shades {
    /// Black at 0 and below, white at 255 and above: a picture.
    Bytes,
    /// Black at the smallest value, white at the largest.
    Range,
    /// Black at −a, grey at 0, white at a, the largest magnitude: positive and negative contributions.
    Symmetric,
    /// White at 0 and below, black at the largest value: parts, as Lee and Seung (1999) show them.
    Parts,
}

/// One picture of a [`sheet`].
#[derive(Debug, Clone)]
pub struct Tile {
    caption: String,
    pixels: RgbImage,
}

impl Tile {
    /// A grey picture of `values`, line after line of `width`.
    ///
    /// # Panics
    /// If the values do not fill lines of `width`.
    pub fn grey(caption: impl Into<String>, values: &[f32], width: usize, shades: Shades) -> Self {
        assert!(width > 0 && values.len().is_multiple_of(width), "whole lines");
        let finite = values.iter().copied().filter(|value| value.is_finite());
        let (least, most) = finite.fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
        let (black, white) = match shades {
            Shades::Bytes => (0.0, 255.0),
            Shades::Range => (least, most),
            Shades::Symmetric => (-least.abs().max(most.abs()), least.abs().max(most.abs())),
            Shades::Parts => (most.max(0.0), 0.0),
        };
        let pixels = RgbImage::from_fn(width as u32, (values.len() / width) as u32, |x, y| {
            let value = values[y as usize * width + x as usize];
            // Without a range there is nothing to distinguish.
            let share = if black == white { 0.5 } else { (value - black) / (white - black) };
            Rgb([(255.0 * share.clamp(0.0, 1.0)).round() as u8; 3])
        });
        Self { caption: caption.into(), pixels }
    }

    /// A picture of 0 … 255 in 1 (grey) or 3 (red, green, blue) channels: each line of the first channel is followed by
    /// those of the others. Values outside the range are clipped.
    ///
    /// # Panics
    /// If there are other numbers of channels, or the values do not fill lines.
    pub fn picture(caption: impl Into<String>, values: &[f32], width: usize, channels: usize) -> Self {
        assert!([1, 3].contains(&channels), "grey or red, green and blue");
        let line = width * channels;
        assert!(width > 0 && values.len().is_multiple_of(line), "whole lines");
        let pixels = RgbImage::from_fn(width as u32, (values.len() / line) as u32, |x, y| {
            let byte = |channel: usize| values[y as usize * line + channel * width + x as usize].round() as u8;
            Rgb([byte(0), byte(channels / 2), byte(channels - 1)])
        });
        Self { caption: caption.into(), pixels }
    }

    /// The picture alone, pixel for pixel and without a caption.
    ///
    /// # Errors
    /// [`Error::Failed`] if the encoder fails.
    pub fn png(&self) -> Result<Png> {
        encode(&self.pixels)
    }
}

/// The tiles in rows of `columns`, each above its caption, all below the title and scaled by the same factor.
///
/// # Errors
/// [`Error::Failed`] if the encoder fails.
pub fn sheet(title: &str, tiles: &[Tile], columns: usize) -> Result<Png> {
    let columns = columns.clamp(1, tiles.len().max(1)) as u32;
    let largest = |of: fn(&RgbImage) -> u32| tiles.iter().map(|tile| of(&tile.pixels)).max().unwrap_or(1).max(1);
    let (width, height) = (largest(RgbImage::width), largest(RgbImage::height));
    let (least, most) = TILE_WIDTHS;
    let scaled = |length: u32| match width {
        _ if width < least => length * least.div_ceil(width),
        _ if width > most => (length * most).div_ceil(width),
        _ => length,
    };
    let (cell_width, cell_height) = (scaled(width), scaled(height));
    let captioned = tiles.iter().any(|tile| !tile.caption.is_empty());
    let caption_height = if captioned { CAPTION_SIZE + 8 } else { 0 };
    let top = 2 * MARGIN + TITLE_SIZE + 4;
    let place = |at: usize| {
        let (row, column) = (at as u32 / columns, at as u32 % columns);
        let y = top + row * (cell_height + caption_height + MARGIN);
        (MARGIN + column * (cell_width + MARGIN), y)
    };
    let (_, last) = place(tiles.len().saturating_sub(1));
    // A title needs some room even above a single small tile.
    let sheet_width = (MARGIN + columns * (cell_width + MARGIN)).max(title.chars().count() as u32 * 11 + 2 * MARGIN);
    let sheet_height = last + cell_height + caption_height + MARGIN;

    let mut scene = Scene::new(f64::from(sheet_width), f64::from(sheet_height));
    let text = |x: u32, y: u32, text: &str, size: u32, anchor: TextAnchor, color: Option<&str>| {
        let (x, y, content, color) = (x.into(), y.into(), label(text), color.map(Into::into));
        Primitive::Text { x, y, content, size, anchor, rotate: None, bold: false, color }
    };
    scene.add(text(MARGIN, MARGIN + TITLE_SIZE, title, TITLE_SIZE, TextAnchor::Start, None));
    for (at, tile) in tiles.iter().enumerate() {
        let (x, y) = place(at);
        // About the number of letters that fit.
        let letters = (cell_width / (CAPTION_SIZE / 2)) as usize;
        let caption: String = tile.caption.chars().take(letters).collect();
        let baseline = y + cell_height + CAPTION_SIZE + 2;
        scene.add(text(x + cell_width / 2, baseline, &caption, CAPTION_SIZE, TextAnchor::Middle, Some(CAPTION_COLOR)));
        // A frame is a grey box with a white one in it.
        for (edge, color) in [(1.0, FRAME_COLOR), (0.0, "#ffffff")] {
            let (x, y) = (f64::from(x) - edge, f64::from(y) - edge);
            let (width, height) = (f64::from(cell_width) + 2.0 * edge, f64::from(cell_height) + 2.0 * edge);
            let fill = color.into();
            scene.add(Primitive::Rect { x, y, width, height, fill, stroke: None, stroke_width: None, opacity: None });
        }
    }
    let failed = |what: &dyn std::fmt::Display| Error::Failed(format!("cannot draw the pictures: {what}"));
    let drawn = RasterBackend::new().with_scale(1.0).render_scene(&scene).map_err(|e| failed(&e))?;
    let mut sheet = image::load_from_memory(&drawn).map_err(|e| failed(&e))?.to_rgb8();
    for (at, tile) in tiles.iter().enumerate() {
        let (own_width, own_height) = (scaled(tile.pixels.width()), scaled(tile.pixels.height()));
        let filter = if width < least { FilterType::Nearest } else { FilterType::CatmullRom };
        let (x, y) = place(at);
        let x = x + (cell_width - own_width) / 2;
        if (own_width, own_height) == tile.pixels.dimensions() {
            imageops::replace(&mut sheet, &tile.pixels, x.into(), y.into());
        } else {
            let pixels = imageops::resize(&tile.pixels, own_width, own_height, filter);
            imageops::replace(&mut sheet, &pixels, x.into(), y.into());
        }
    }
    encode(&sheet)
}

fn encode(pixels: &RgbImage) -> Result<Png> {
    let mut bytes = Cursor::new(Vec::new());
    let failed = |e| Error::Failed(format!("cannot draw the pictures: {e}"));
    pixels.write_to(&mut bytes, ImageFormat::Png).map_err(failed)?;
    Ok(Png { width: pixels.width(), height: pixels.height(), bytes: bytes.into_inner() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shades(values: &[f32], shades: Shades) -> Vec<u8> {
        Tile::grey("", values, values.len(), shades).pixels.pixels().map(|pixel| pixel.0[1]).collect()
    }

    #[test]
    fn shades_say_where_zero_is() {
        assert_eq!(shades(&[-3.0, 0.0, 128.0, 300.0], Shades::Bytes), [0, 0, 128, 255]);
        assert_eq!(shades(&[-1.0, 1.0, 3.0], Shades::Range), [0, 128, 255]);
        assert_eq!(shades(&[-1.0, 0.0, 4.0], Shades::Symmetric), [96, 128, 255]);
        assert_eq!(shades(&[0.0, 1.0, 2.0], Shades::Parts), [255, 128, 0]);
        for kind in [Shades::Range, Shades::Symmetric, Shades::Parts] {
            assert_eq!(shades(&[0.0, 0.0], kind), [128, 128], "{kind:?}");
        }
        assert_eq!(shades(&[f32::NAN, 0.0, 1.0], Shades::Range), [0, 0, 255]);
    }

    #[test]
    fn channels_lie_side_by_side_in_a_line() {
        let tile = Tile::picture("", &[1.0, 2.0, 3.0, 4.0, 255.4, 999.0, -7.0, 0.4, 0.5, 1.5, 5.0, 6.0], 2, 3);
        let pixels: Vec<[u8; 3]> = tile.pixels.pixels().map(|pixel| pixel.0).collect();
        assert_eq!(pixels, [[1, 3, 255], [2, 4, 255], [0, 1, 5], [0, 2, 6]]);
        let grey = Tile::picture("", &[7.0, 8.0], 1, 1);
        assert_eq!(grey.pixels.pixels().map(|pixel| pixel.0).collect::<Vec<_>>(), [[7; 3], [8; 3]]);
    }

    #[test]
    fn tiles_stand_in_reading_order_at_one_scale() {
        let tile = |value: f32, width: usize| Tile::grey("", &vec![value; 2 * width], width, Shades::Bytes);
        let png = sheet("t", &[tile(10.0, 48), tile(20.0, 24), tile(30.0, 48)], 2).expect("a sheet");
        let found = image::load_from_memory(&png.bytes).expect("a PNG").to_rgb8();
        assert_eq!((found.width(), found.height()), (png.width, png.height));
        let top = 2 * MARGIN + TITLE_SIZE + 4;
        let shade = |x: u32, y: u32| found.get_pixel(x, y).0[0];
        assert_eq!([shade(10, top), shade(105, top + 3), shade(106, top), shade(110, top)], [10, 10, 200, 255]);
        // The smaller one in the middle of its cell.
        assert_eq!([shade(139, top), shade(140, top), shade(187, top), shade(188, top)], [255, 20, 20, 255]);
        assert_eq!(shade(10, top + 4 + MARGIN), 30);
        assert!(sheet("nothing", &[], 3).is_ok());
        let wide = sheet("t", &[tile(0.0, 960)], 1).expect("a sheet");
        assert_eq!(wide.width, 480 + 2 * MARGIN);
    }
}
