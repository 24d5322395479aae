//! Data that are documents: topics, maps of terms and documents, neighbours.

use std::collections::BTreeMap;

use super::album::Album;
use super::factors::Factors;
use super::findings::{HeldOut, Recognition, Topic};
use crate::data::Interactions;
use crate::data::class_of;
use crate::error::Result;
use crate::eval::coherence::coherence;
use crate::eval::neighbours::{nearest_class_accuracy, precision_at};
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
pub fn topics(
    factors: &Factors,
    train: &Interactions,
    shares: Option<&[f64]>,
    album: &mut Album,
) -> Result<Vec<Topic>> {
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

/// `terms.png`: the most prominent terms on two singular vectors of W·Hᵀ, with the documents if those are few; and
/// `documents.png`: the documents on the same, if there are two to six classes.
///
/// Singular vectors are the same for all factors of the same product, so that maps of different models compare. The
/// first only says how frequent a term is if nothing is negative and no means were subtracted, so that the second and
/// third are shown if there are as many.
pub fn maps(factors: &Factors, album: &mut Album) -> Result<()> {
    let first = usize::from(factors.means.is_none() && factors.rank > 2);
    if factors.rank < 2 {
        return Ok(());
    }
    let (terms, documents) = factors.singular_vectors([first, first + 1])?;
    let size = |term: usize| terms[term].0.hypot(terms[term].1);
    let mut strongest: Vec<usize> = (0..terms.len()).collect();
    strongest.sort_by(|&a, &b| size(b).total_cmp(&size(a)).then(a.cmp(&b)));
    strongest.truncate(MAX_TERMS);
    let points = strongest.iter().map(|&term| terms[term]).collect();
    let mut series = vec![Series { name: "terms".into(), points }];
    let mut names: Vec<Vec<String>> = vec![strongest.iter().map(|&term| factors.columns.id(term).into()).collect()];
    if documents.len() <= MAX_NAMED {
        series.push(Series { name: "documents".into(), points: documents.clone() });
        names.push(factors.rows.ids().map(String::from).collect());
    }
    let what = if series.len() > 1 { "Terms and documents" } else { "Terms" };
    let labels = [first, first + 1].map(|vector| format!("singular vector {}", vector + 1));
    let on = format!("on singular vectors {} and {}", first + 1, first + 2);
    let mut draw = |file: &str, title: &str, series: &[Series], names: &[Vec<String>]| {
        album.chart(file, title, &plot::map(title, &labels[0], &labels[1], series, names))
    };
    draw("terms.png", &format!("{what} {on}"), &series, &names)?;

    let mut members: BTreeMap<&str, Vec<(f64, f64)>> = BTreeMap::new();
    for (class, place) in classes(factors).unwrap_or_default().into_iter().zip(documents) {
        members.entry(class).or_default().push(place);
    }
    if !(2..=MAX_CLASSES).contains(&members.len()) {
        return Ok(());
    }
    let series: Vec<Series> =
        members.into_iter().map(|(class, points)| Series { name: class.into(), points }).collect();
    draw("documents.png", &format!("Documents {on}"), &series, &vec![Vec::new(); series.len()])
}

/// The share of a document's ten nearest by cosine of their rows of W that have its class; `None` without classes.
pub fn precision(factors: &Factors) -> Option<f64> {
    classes(factors).map(|classes| precision_at(factors.w, factors.rank, &classes, 10))
}

/// The class of each row; `None` if a row has none, or all have the same, so that there are none to tell apart.
pub(super) fn classes<'a>(factors: &Factors<'a>) -> Option<Vec<&'a str>> {
    let classes: Vec<&str> = factors.rows.ids().map(class_of).collect::<Option<_>>()?;
    classes.iter().any(|class| *class != classes[0]).then_some(classes)
}

/// How many held-out documents have the class of the training document that is nearest to them, as of pictures. `None`
/// if a document has no class.
pub fn recognition(factors: &Factors, (held_out, projected): (HeldOut, &[f32])) -> Option<Recognition> {
    let own_classes: Option<Vec<&str>> = held_out.ids.iter().map(|id| class_of(id)).collect();
    let (known_classes, own_classes) = classes(factors).zip(own_classes)?;
    let accuracy = nearest_class_accuracy(
        &factors.scaled(factors.w),
        &known_classes,
        &factors.scaled(projected),
        &own_classes,
        factors.rank,
    );
    accuracy.map(|accuracy| Recognition { count: own_classes.len(), accuracy })
}
