//! What the source says about a part: the documentation beside the line that gives the part its name.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::sources::rust_files;
use super::repository;

/// The documentation of the part that is called `name` in configs, found below a folder of `src/`.
///
/// It is that of the item which the line of the name declares, else that of the file, else that of the file's folder.
pub fn of_part(folder: &str, name: &str) -> String {
    let files = rust_files(&repository("src").join(folder));
    let quoted = format!("\"{name}\"");
    for file in &files {
        let text = read(file);
        let lines: Vec<&str> = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().lines().collect();
        for (at, line) in lines.iter().map(|line| line.trim()).enumerate() {
            if line == format!("const NAME: &'static str = {quoted};")
                || line == quoted && lines[at - 1].contains("fn name(&self)")
            {
                let names = lines.iter().filter(|line| line.contains("const NAME: &'static str")).count();
                return if names > 1 { of_type(&lines, at) } else { of_file(file) };
            }
            if line.starts_with("pub const ") && line.contains(&format!("name: {quoted}")) {
                return above(&lines, at);
            }
            let variant = line.strip_prefix("Self::").and_then(|line| line.strip_suffix(&format!(" => {quoted},")));
            let declared = |variant: &str| lines.iter().position(|line| line.trim() == format!("{variant},"));
            if let Some(at) = variant.and_then(declared) {
                return above(&lines, at);
            }
            if let Some(item) = line.strip_prefix(&format!("{quoted} ")).and_then(|item| item.strip_suffix(',')) {
                return of_item(&files, item);
            }
        }
    }
    panic!("nothing below src/{folder} is called {quoted}");
}

/// The documentation of the type whose implementation a line is in.
fn of_type(lines: &[&str], at: usize) -> String {
    let head = lines[..at].iter().rev().find(|line| line.starts_with("impl")).expect("an implementation");
    let item = head.split(" for ").nth(1).and_then(|rest| rest.split([' ', '<']).next()).expect("its type");
    let at = lines.iter().position(|line| declares(line, item)).unwrap_or_else(|| panic!("no {item}"));
    above(lines, at)
}

fn declares(line: &str, item: &str) -> bool {
    line.strip_prefix("pub struct ").is_some_and(|rest| rest.split([' ', ';', '(', '<']).next() == Some(item))
}

/// The documentation of a file below `src/`.
pub fn of_source(path: &str) -> String {
    of_file(&repository("src").join(path))
}

/// The documentation of a file; a part's keys may stand in a file beside what they are about.
fn of_file(file: &Path) -> String {
    let about = match file.file_name().is_some_and(|name| name == "part.rs") {
        true => file.with_file_name("mod.rs"),
        false => file.to_path_buf(),
    };
    joined(read(&about).lines().map_while(|line| line.strip_prefix("//!")))
}

/// The documentation of the file of a type, and of the type.
fn of_item(files: &[PathBuf], item: &str) -> String {
    for file in files {
        let text = read(file);
        let lines: Vec<&str> = text.lines().collect();
        if let Some(at) = lines.iter().position(|line| declares(line, item)) {
            return format!("{}\n\n{}", of_file(file), above(&lines, at));
        }
    }
    panic!("no file declares {item}");
}

/// The documentation above a line, and above its attributes.
pub fn above(lines: &[&str], at: usize) -> String {
    let before = lines[..at].iter().rev().map(|line| line.trim()).skip_while(|line| line.starts_with("#["));
    let mut found: Vec<&str> = before.map_while(|line| line.strip_prefix("///")).collect();
    found.reverse();
    joined(found.into_iter())
}

/// Lines of documentation as a text, in which links to items are but their names.
fn joined<'l>(lines: impl Iterator<Item = &'l str>) -> String {
    let lines: Vec<&str> = lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    assert!(!lines.is_empty(), "no documentation");
    without_links(lines.join("\n").trim())
}

/// `[text](super::item)` and `` [`item`] `` without their brackets; other links stay.
fn without_links(text: &str) -> String {
    let mut found = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('[') {
        found += &rest[..at];
        rest = &rest[at..];
        let Some(end) = rest.find(']') else { break };
        let (inside, after) = (&rest[1..end], &rest[end + 1..]);
        let target = after.strip_prefix('(').and_then(|after| after.split_once(')'));
        match target {
            Some((target, after)) if !target.starts_with("https://") => {
                found += inside;
                rest = after;
            }
            None if inside.starts_with('`') && inside.ends_with('`') => {
                found += inside;
                rest = after;
            }
            _ => {
                found.push('[');
                rest = &rest[1..];
            }
        }
    }
    found + rest
}

pub fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

#[test]
fn links_to_items_become_their_names() {
    assert_eq!(without_links("see [`Gmf`](super::Gmf), [`Loss`] and [p_u; q_i]"), "see `Gmf`, `Loss` and [p_u; q_i]");
    assert_eq!(without_links("[the form](https://a.b) [x"), "[the form](https://a.b) [x");
}
