//! Pages as their readers see them: blocks of code, links, headings.

use std::fs;
use std::path::{Path, PathBuf};

use super::repository;

/// Before a block that needs real data.
const NEEDS_DATA: &str = "<!-- real data -->";

/// A page of the book, or the README.
#[derive(Debug)]
pub struct Page {
    /// Its place below `docs/src` without extension, or `README`.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
}

/// A block of code between fences.
#[derive(Debug)]
pub struct Block<'p> {
    /// The line of its fence, from 1.
    pub line: usize,
    /// What follows the fence.
    pub language: &'p str,
    /// Whether it needs real data.
    pub needs_data: bool,
    /// Its lines.
    pub lines: Vec<&'p str>,
}

/// A link or a picture.
#[derive(Debug)]
pub struct Link<'p> {
    /// Its line, from 1.
    pub line: usize,
    /// What is shown.
    pub text: &'p str,
    /// Where it leads.
    pub target: &'p str,
    /// Whether it is a picture.
    pub is_picture: bool,
}

impl Page {
    /// The page in a file of the repository.
    pub fn read(name: &str, path: &str) -> Self {
        let path = repository(path);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { name: name.into(), path, text }
    }

    /// Its blocks of code.
    pub fn blocks(&self) -> Vec<Block<'_>> {
        let mut blocks = Vec::new();
        let mut open: Option<Block> = None;
        let mut before = "";
        for (number, line) in (1..).zip(self.text.lines()) {
            match (line.trim_start().strip_prefix("```"), open.take()) {
                (Some(language), None) => {
                    let needs_data = before == NEEDS_DATA;
                    open = Some(Block { line: number, language, needs_data, lines: Vec::new() });
                }
                (Some(_), Some(block)) => blocks.push(block),
                (None, Some(mut block)) => {
                    block.lines.push(line);
                    open = Some(block);
                }
                (None, None) => {}
            }
            before = line.trim();
        }
        assert!(open.is_none(), "{}: a block is not closed", self.name);
        blocks
    }

    /// Its lines outside of blocks, each with its number from 1.
    fn prose(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut is_code = false;
        (1..).zip(self.text.lines()).filter(move |(_, line)| {
            let is_fence = line.trim_start().starts_with("```");
            is_code ^= is_fence;
            !is_code && !is_fence
        })
    }

    /// Its links and pictures.
    pub fn links(&self) -> Vec<Link<'_>> {
        let mut links = Vec::new();
        for (number, line) in self.prose() {
            let mut rest = line;
            while let Some(at) = rest.find("](") {
                let (before, after) = (&rest[..at], &rest[at + 2..]);
                let (Some(start), Some(end)) = (before.rfind('['), after.find(')')) else { break };
                let is_picture = before[..start].ends_with('!');
                links.push(Link { line: number, text: &before[start + 1..], target: &after[..end], is_picture });
                rest = &after[end..];
            }
        }
        links
    }

    /// The names by which links lead to its headings, as renderers of Markdown make them.
    pub fn anchors(&self) -> Vec<String> {
        let headings = self.prose().filter(|(_, line)| line.starts_with('#'));
        headings.map(|(_, line)| anchor(line.trim_start_matches('#').trim())).collect()
    }
}

/// The name of a heading in links.
pub fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

/// Every page of the book, sorted by name; that of contents is not among them.
pub fn book() -> Vec<Page> {
    fn visit(folder: &Path, root: &Path, found: &mut Vec<Page>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                visit(&path, root, found);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                let name = path.strip_prefix(root).expect("below").with_extension("");
                let name = name.to_str().expect("UTF-8").replace('\\', "/");
                if name != "SUMMARY" {
                    found.push(Page::read(&name, &format!("docs/src/{name}.md")));
                }
            }
        }
    }
    let root = repository("docs/src");
    let mut found = Vec::new();
    visit(&root, &root, &mut found);
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// The README.
pub fn readme() -> Page {
    Page::read("README", "README.md")
}
