//! What the crate makes public, read off the source.

use std::collections::BTreeMap;

use crate::sources::sources;

/// The name of the type that a line makes public.
fn public_type(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("pub ")?;
    let keywords = ["struct ", "enum ", "trait ", "type "];
    let name = keywords.iter().find_map(|keyword| rest.strip_prefix(keyword))?;
    name.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

#[test]
fn no_two_public_types_have_one_name() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in sources() {
        for (number, line) in (1..).zip(&source.lines) {
            // A type within a trait is another kind of thing.
            if let Some(name) = public_type(line).filter(|_| !line.starts_with(' ') || line.contains("pub enum")) {
                places.entry(name.into()).or_default().push(format!("{}:{number}", source.path.display()));
            }
        }
    }
    assert!(places.len() > 100, "the source has public types");
    let shared = places.iter().filter(|(_, places)| places.len() > 1);
    let shared: Vec<String> = shared.map(|(name, places)| format!("{name}: {}", places.join(", "))).collect();
    assert!(shared.is_empty(), "one name, several types:\n{}", shared.join("\n"));
}

#[test]
fn a_line_that_makes_a_type_public_is_recognized() {
    for (line, name) in [
        ("pub struct Table {", Some("Table")),
        ("    pub enum Rows {", Some("Rows")),
        ("pub trait Face: Send {", Some("Face")),
        ("pub type Norms = Vec<f64>;", Some("Norms")),
        ("pub(super) struct Table {", None),
        ("struct Table {", None),
        ("pub fn table() {", None),
    ] {
        assert_eq!(public_type(line), name, "{line}");
    }
}
