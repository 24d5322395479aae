//! A graph as a list of its edges, a line each: two nodes and perhaps a weight.

use std::path::Path;

use super::bad_lines::BadLines;
use super::delimited::{self, Delimited};
use super::hash::Hash;
use super::reader::{Reader, ReaderPart, read_lines};
use super::shared_keys::{HeaderLine, bad_lines_key, columns_key, delimiter_key, header_key, skip_key};
use super::text::{Lines, splitter};
use crate::config::{Keys, Problem, Values, is};
use crate::data::{Dataset, Entity, Field, ITEM, Layout, Role, USER};
use crate::error::{Error, Location, Result};

/// A file with an edge a line: two nodes, of one entity, and perhaps a weight. Edges have no direction, and none is between a
/// node and itself. Lines at the start that begin with `#` or `%` are comments.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Edges {
    /// What stands between fields; `None` detects it. `" "` is any run of blanks.
    pub delimiter: Option<String>,
    /// What the columns hold: `"user"` and `"item"` are the two nodes, `"rating"` the weight, and `"-"` skips one. `None` takes
    /// the first two columns for nodes, and a third that is the last for the weight.
    pub columns: Option<Vec<String>>,
    /// Lines at the start of the file to leave out.
    pub skip_lines: usize,
    /// Whether the first line names the columns.
    pub header: HeaderLine,
    /// What becomes of lines that are no edges.
    pub bad_lines: BadLines,
}

/// The name of the entity of nodes.
const NODE: &str = "node";

impl Edges {
    /// How the list that these lines are is read; comments at their start are left out.
    fn list(&self, lines: &mut Lines) -> Result<Delimited> {
        let mut skipped = self.skip_lines;
        while let Some(line) = lines.next()? {
            if !line.bytes.starts_with(b"#") && !line.bytes.starts_with(b"%") {
                lines.again();
                break;
            }
            skipped = line.number as usize;
        }
        let fields = splitter(self.delimiter.as_deref(), lines)?.next(lines)?.map_or(0, |row| row.len());
        if fields > 0 {
            lines.again();
        }
        let by_position = || match fields {
            2 => Some(vec!["user".into(), "item".into()]),
            3 => Some(vec!["user".into(), "item".into(), "rating".into()]),
            _ => None,
        };
        Ok(Delimited {
            delimiter: self.delimiter.clone(),
            columns: self.columns.clone().or_else(by_position),
            skip_lines: skipped,
            header: self.header,
            bad_lines: self.bad_lines,
            ..Delimited::default()
        })
    }
}

impl Reader for Edges {
    fn read(&self, path: &Path, dataset: &mut Dataset) -> Result<Hash> {
        let mut list = Dataset::default();
        // In one pass: a pipe cannot be read again.
        let hash = read_lines(path, self.skip_lines, |mut lines| {
            let options = self.list(&mut lines)?;
            delimited::read(lines, &options, &mut list)
        })?;
        dataset.notes.append(&mut list.notes);
        if dataset.layout != Layout::Graph {
            dataset.entities = vec![Entity::new(NODE)];
            dataset.fields = vec![
                Field { role: Some(Role::User), ..Field::new(NODE, 0) },
                Field { role: Some(Role::Item), ..Field::new("neighbour", 0) },
            ];
            dataset.layout = Layout::Graph;
        }
        let nodes = &mut dataset.entities[0].ids;
        let mut loops = 0;
        for at in 0..list.interactions.len() {
            let ids = [USER, ITEM].map(|field| {
                let row = list.interactions.column(field)[at];
                list.entity(field).ids.id(row as usize)
            });
            let weight = list.interactions.targets[at];
            if weight <= 0.0 {
                let lines = self.lines_of(path, ids[0], ids[1]).unwrap_or_default();
                let line = lines.first().copied().unwrap_or(0);
                let message =
                    format!("the edge of {} and {} has the weight {weight}; weights are above 0", ids[0], ids[1]);
                return Err(Error::Data { location: Location::at(path, line, 0), message });
            }
            if ids[0] == ids[1] {
                loops += 1;
                continue;
            }
            // One of the two ways to write an edge.
            let [one, other] = ids.map(|id| nodes.insert(id));
            dataset.interactions.push([one.min(other), one.max(other)], weight, None);
        }
        if loops > 0 {
            let what = if loops == 1 { "edge from a node to itself is" } else { "edges from nodes to themselves are" };
            dataset.notes.push(format!("{}: {loops} {what} left out", path.display()));
        }
        Ok(hash)
    }

    fn lines_of(&self, path: &Path, user: &str, item: &str) -> Result<Vec<u64>> {
        let mut list = Delimited::default();
        read_lines(path, self.skip_lines, |mut lines| {
            list = self.list(&mut lines)?;
            Ok(())
        })?;
        let mut lines = list.lines_of(path, user, item)?;
        lines.extend(list.lines_of(path, item, user)?);
        lines.sort_unstable();
        Ok(lines)
    }
}

impl ReaderPart for Edges {
    const NAME: &'static str = "edges";

    fn keys() -> Keys {
        let whole = || is("data.format", [Self::NAME]);
        Keys::new([delimiter_key(), header_key(), columns_key(), skip_key(), bad_lines_key()])
            // Pairs that are no edges have 0.
            .default_for_if("evaluation.relevant_from", whole(), "1e-6")
            .rule(check)
    }

    fn of(values: &Values) -> Self {
        Self {
            delimiter: values.find("data.delimiter"),
            columns: values.find("data.columns"),
            skip_lines: values.get("data.skip_lines"),
            header: values.get("data.header"),
            bad_lines: values.get("data.bad_lines"),
        }
    }
}

/// What has no meaning for edges.
fn check(values: &Values) -> Vec<Problem> {
    const KINDS: [&str; 4] = ["none", "random", "k-fold", "files"];
    const KIND: &str = "data.split.kind";
    let mut problems = Vec::new();
    let kind: String = values.get(KIND);
    if !KINDS.contains(&kind.as_str()) {
        let message = format!(
            "{KIND} = {kind:?} divides users or items, but the two ends of an edge are alike (data.format = \"edges\"); take \
             \"random\", \"k-fold\", \"files\" or \"none\""
        );
        problems.push(Problem::new([KIND, "data.format"], message));
    }
    if values.contains("data.binarize") {
        let message = "data.binarize would make edges of small weights pairs that are no edges (data.format = \"edges\"); take such \
                       lines out of the file";
        problems.push(Problem::new(["data.binarize", "data.format"], message));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::super::tests::{file, problem};
    use super::super::{ReadOptions, read_dataset};
    use super::*;

    fn read(content: &str) -> Result<Dataset> {
        let (_folder, path) = file("edges.tsv", content);
        read_dataset(&path, None, &ReadOptions::of_reader(Edges::default()))
    }

    fn edges(dataset: &Dataset) -> Vec<(&str, &str, f32)> {
        let id = |field, at: usize| dataset.entity(field).ids.id(dataset.interactions.column(field)[at] as usize);
        (0..dataset.interactions.len())
            .map(|at| (id(USER, at), id(ITEM, at), dataset.interactions.targets[at]))
            .collect()
    }

    #[test]
    fn an_edge_counts_once_whichever_way_it_is_written() {
        let dataset = read("a\tb\n346\t0\n11\t1\n0\t346\n7\t7\n1\t346\n").expect("edges");
        assert_eq!(edges(&dataset), [("346", "0", 1.0), ("11", "1", 1.0), ("346", "1", 1.0)]);
        assert_eq!(dataset.entities.len(), 1);
        assert!(dataset.notes.iter().any(|note| note.contains("1 edge from a node to itself is left out")));
        assert!(dataset.notes.iter().any(|note| note.contains("1 rating repeated")), "{:?}", dataset.notes);
    }

    #[test]
    fn comments_and_weights_are_known_by_their_place() {
        let dataset = read("# nodes: 3\n% edges: 2\nx y 0.5\ny z 2\n").expect("edges");
        assert_eq!(edges(&dataset), [("x", "y", 0.5), ("y", "z", 2.0)]);
    }

    #[test]
    fn weights_are_above_zero() {
        let (folder, path) = file("edges.tsv", "a b 1\nb c 0\n");
        let read = read_dataset(&path, None, &ReadOptions::of_reader(Edges::default()));
        assert_eq!(problem(&folder, read), "edges.tsv:2: the edge of b and c has the weight 0; weights are above 0");
    }

    #[test]
    fn other_lines_are_refused_with_their_place() {
        let (folder, path) = file("edges.tsv", "# comment\na b\nc\n");
        let read = read_dataset(&path, None, &ReadOptions::of_reader(Edges::default()));
        let message = problem(&folder, read);
        assert!(message.starts_with("edges.tsv:3"), "{message}");
    }
}
