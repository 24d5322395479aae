//! Data that are documents: topics, maps of terms and documents, neighbours.

use std::collections::BTreeMap;

use super::album::Album;
use super::{Factors, Topic};
use crate::data::Ratings;
use crate::data::layout::class_of;
use crate::error::Result;
use crate::eval::coherence::coherence;
use crate::eval::neighbours::precision_at;
use crate::report::plot::{self, Series};

/// Words of a topic.
const WORDS: usize = 10;
/// Terms in the map.
const MAX_TERMS: usize = 40;
/// Most documents that stand in the map of terms by their names.
const MAX_NAMED: usize = 30;
/// Most classes that the map of documents tells apart.
const MAX_CLASSES: usize = 6;

/// `topics.csv`: each component by the terms with the largest |weight|.
pub fn topics(factors: &Factors, train: &Ratings, shares: Option<&[f64]>, album: &mut Album) -> Result<Vec<Topic>> {
    let strongest: Vec<Vec<(usize, f32)>> =
        (0..factors.rank).map(|component| factors.strongest(factors.h, component, WORDS)).collect();
    let terms: Vec<Vec<u32>> =
        strongest.iter().map(|words| words.iter().map(|&(term, _)| term as u32).collect()).collect();
    let coherence = coherence(train, factors.rows.len(), &terms);
    let word = |&(term, weight): &(usize, f32)| {
        let sign = if weight < 0.0 { "−" } else { "" };
        format!("{sign}{}", factors.columns.id(term))
    };
    let topic = |component: usize| Topic {
        share: shares.map(|shares| shares[component]),
        coherence: coherence[component],
        words: strongest[component].iter().map(word).collect(),
    };
    let topics: Vec<Topic> = (0..factors.rank).map(topic).collect();
    let number = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:.4}"));
    let line = |(component, topic): (usize, &Topic)| {
        vec![(component + 1).to_string(), number(topic.share), number(topic.coherence), topic.words.join(" ")]
    };
    let lines: Vec<_> = topics.iter().enumerate().map(line).collect();
    album.table("topics.csv", "topics by their strongest terms", &["topic", "share", "npmi", "words"], &lines)?;
    Ok(topics)
}

/// `terms.png`: the terms with the largest weights on two components, with the documents where those are few; and
/// `documents.png`: the documents on the same components, where there are two to six classes.
pub fn maps(factors: &Factors, shares: Option<&[f64]>, album: &mut Album) -> Result<()> {
    let Some([x, y]) = axes(factors, shares) else { return Ok(()) };
    let place = |values: &[f32], row: usize| {
        let row = &values[row * factors.rank..][..factors.rank];
        (f64::from(row[x]), f64::from(row[y]))
    };
    let (x_label, y_label) = (format!("component {}", x + 1), format!("component {}", y + 1));
    // Components have unit length on either side, so that terms and documents share a scale.
    let lengths = |values: &[f32]| {
        let length = |t: usize| values.iter().skip(t).step_by(factors.rank).map(|v| f64::from(*v).powi(2)).sum::<f64>();
        [x, y].map(|t| length(t).sqrt().max(f64::MIN_POSITIVE))
    };
    let unit = |values: &[f32], rows: &[usize]| -> Vec<(f64, f64)> {
        let [x_length, y_length] = lengths(values);
        let scaled = |&row: &usize| {
            let (x, y) = place(values, row);
            (x / x_length, y / y_length)
        };
        rows.iter().map(scaled).collect()
    };
    let all: Vec<usize> = (0..factors.columns.len()).collect();
    let places = unit(factors.h, &all);
    let mut terms = all;
    let size = |term: usize| places[term].0.hypot(places[term].1);
    terms.sort_by(|&a, &b| size(b).total_cmp(&size(a)).then(a.cmp(&b)));
    terms.truncate(MAX_TERMS);
    let named = |ids: &crate::data::Vocabulary, rows: &[usize]| rows.iter().map(|&row| ids.id(row).into()).collect();
    let mut series = vec![Series { name: "terms".into(), points: terms.iter().map(|&term| places[term]).collect() }];
    let mut names: Vec<Vec<String>> = vec![named(factors.columns, &terms)];
    if factors.rows.len() <= MAX_NAMED {
        let documents: Vec<usize> = (0..factors.rows.len()).collect();
        series.push(Series { name: "documents".into(), points: unit(factors.w, &documents) });
        names.push(named(factors.rows, &documents));
    }
    let what = if series.len() > 1 { "terms and documents" } else { "terms" };
    let title = format!("The strongest {what} of components {} and {}", x + 1, y + 1);
    album.chart("terms.png", &title, &plot::map(&title, &x_label, &y_label, &series, &names))?;

    let Some(classes) = classes(factors) else { return Ok(()) };
    let mut members: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    classes.iter().enumerate().for_each(|(row, class)| members.entry(class).or_default().push(row));
    if !(2..=MAX_CLASSES).contains(&members.len()) {
        return Ok(());
    }
    let points = |rows: &Vec<usize>| rows.iter().map(|&row| place(factors.w, row)).collect();
    let series: Vec<Series> =
        members.iter().map(|(class, rows)| Series { name: class.to_string(), points: points(rows) }).collect();
    let title = format!("Documents on components {} and {}", x + 1, y + 1);
    let names = vec![Vec::new(); series.len()];
    album.chart("documents.png", &title, &plot::map(&title, &x_label, &y_label, &series, &names))
}

/// The share of a document's ten nearest by cosine of their rows of W that have its class; `None` without classes.
pub fn precision(factors: &Factors) -> Option<f64> {
    classes(factors).map(|classes| precision_at(factors.w, factors.rank, &classes, 10))
}

fn classes<'a>(factors: &Factors<'a>) -> Option<Vec<&'a str>> {
    factors.rows.ids().map(class_of).collect()
}

/// The two components of a map, those with the largest shares. The first singular vector of weights that are all
/// positive only says how frequent a term is, so that the second and third are shown where there are as many and no means
/// were subtracted.
fn axes(factors: &Factors, shares: Option<&[f64]>) -> Option<[usize; 2]> {
    let by_frequency = factors.singular_values.is_some() && factors.means.is_none() && factors.rank > 2;
    let order = factors.order(shares);
    let mut components = order.into_iter().skip(usize::from(by_frequency));
    Some([components.next()?, components.next()?])
}
