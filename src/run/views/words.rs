//! Data that are co-occurrences: a map of words, and the nearest of each.

use bhtsne::tSNE;

use super::album::Album;
use crate::data::Vocabulary;
use crate::error::{Error, Result};
use crate::eval::WordVectors;
use crate::linalg::gram::gram_in_order;
use crate::linalg::symmetric::eigen;
use crate::report::plot::{self, Series};

/// Words in the map.
const MAX_WORDS: usize = 150;
/// The most frequent words of a language, in every text the same, are left out of the map where there are enough others.
const COMMON: usize = 100;
/// Words of which `neighbours.csv` lists the nearest.
const LISTED: usize = 500;
/// How many it lists.
const NEAREST: usize = 10;
/// Iterations of the map.
const EPOCHS: usize = 1000;
/// How many neighbours of a word the map minds.
const PERPLEXITY: f32 = 10.0;

/// `neighbours.csv`: the words nearest to the most frequent ones.
pub fn neighbours(words: &Vocabulary, vectors: &WordVectors, album: &mut Album) -> Result<()> {
    let mut lines = Vec::new();
    for word in 0..words.len().min(LISTED) {
        for (place, (near, cosine)) in vectors.similar(word, NEAREST).into_iter().enumerate() {
            let (place, cosine) = ((place + 1).to_string(), format!("{cosine:.4}"));
            lines.push(vec![words.id(word).into(), place, words.id(near).into(), cosine]);
        }
    }
    album.table("neighbours.csv", "the nearest words of frequent ones", &["word", "place", "near", "cosine"], &lines)
}

/// `words.png`: frequent words on a plane, near ones near each other, by t-SNE   (van der Maaten & Hinton 2008).
pub fn map(words: &Vocabulary, vectors: &WordVectors, album: &mut Album) -> Result<()> {
    let first = words.len().saturating_sub(MAX_WORDS).min(COMMON);
    let shown: Vec<usize> = (first..words.len().min(first + MAX_WORDS)).collect();
    // Fewer words have too few neighbours.
    if (shown.len() as f32) < 3.0 * PERPLEXITY + 2.0 {
        return Ok(());
    }
    let rows: Vec<&[f32]> = shown.iter().map(|&word| vectors.row(word)).collect();
    let start = principal_components(&rows)?;
    let distance = |a: &&[f32], b: &&[f32]| a.iter().zip(*b).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
    // Its sums have one order on one thread only.
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let alone = alone.map_err(|error| Error::Failed(format!("no thread for the map of words: {error}")))?;
    let places = alone.install(|| {
        let mut places = tSNE::<f32, &[f32]>::new(&rows);
        places.perplexity(PERPLEXITY).epochs(EPOCHS).initial_embedding(start).exact(distance).embedding()
    });
    let points = places.chunks_exact(2).map(|place| (f64::from(place[0]), f64::from(place[1]))).collect();
    let names = shown.iter().map(|&word| words.id(word).to_owned()).collect();
    let title = format!("Words {} to {} by frequency, near ones together", first + 1, first + shown.len());
    let series = [Series { name: "words".into(), points }];
    album.chart("words.png", &title, &plot::map(&title, "", "", &series, &[names]))
}

/// The rows on their two principal components, made small: where the map starts.
fn principal_components(rows: &[&[f32]]) -> Result<Vec<f32>> {
    let width = rows[0].len();
    let means: Vec<f32> =
        (0..width).map(|at| rows.iter().map(|row| row[at]).sum::<f32>() / rows.len() as f32).collect();
    let centred: Vec<f32> =
        rows.iter().flat_map(|row| row.iter().zip(&means).map(|(value, mean)| value - mean)).collect();
    let eigen = eigen(&gram_in_order(&centred, width))?;
    let vectors = eigen.U();
    // Eigenvalues rise.
    let on = |row: &[f32], component: usize| -> f64 {
        let column = width.saturating_sub(component + 1);
        row.iter().enumerate().map(|(at, &value)| f64::from(value) * vectors[(at, column)]).sum()
    };
    let places: Vec<f64> = centred.chunks_exact(width).flat_map(|row| [on(row, 0), on(row, 1)]).collect();
    let size = places.iter().fold(f64::MIN_POSITIVE, |size, place| size.max(place.abs()));
    Ok(places.into_iter().map(|place| (1e-3 * place / size) as f32).collect())
}
