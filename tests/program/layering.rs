//! The one direction of dependence, and who may do what, read off the source.

use std::fs;
use std::path::{Path, PathBuf};

/// Each module may use those before it, and itself.
const ORDER: [&str; 19] = [
    "error", "random", "files", "linalg", "config", "device", "data", "loss", "model", "metric", "eval", "solver",
    "train", "report", "run", "sweep", "cli", "lib", "main",
];

/// A source file: its top module, its depth (0 for `src/x.rs` and `src/x/mod.rs`), and its lines with their numbers,
/// without comments and without tests, which may use what they like.
struct Source {
    path: PathBuf,
    module: String,
    depth: usize,
    lines: Vec<(usize, String)>,
}

fn sources() -> Vec<Source> {
    fn visit(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                visit(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    visit(&root, &mut paths);
    paths.sort();
    let source = |path: PathBuf| {
        let inside = path.strip_prefix(&root).expect("below").to_path_buf();
        let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        let module = parts[0].trim_end_matches(".rs").to_string();
        let depth = parts.len() - 1 - usize::from(inside.ends_with("mod.rs"));
        let text = fs::read_to_string(&path).expect("a source file");
        let code_ends = text.find("\n#[cfg(test)]\nmod ").unwrap_or(text.len());
        let lines = text[..code_ends].lines().map(code).enumerate().map(|(at, line)| (at + 1, line)).collect();
        Source { path: inside, module, depth, lines }
    };
    let sources: Vec<_> = paths.into_iter().map(source).collect();
    assert!(sources.len() > 50, "the sources are there");
    sources
}

/// A line without its comment and without what is in quotes.
fn code(line: &str) -> String {
    let mut code = String::new();
    let (mut quoted, mut escaped) = (false, false);
    let mut characters = line.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' if line[..at].ends_with('\'') && line[at + 1..].starts_with('\'') => {}
            '"' => quoted = !quoted,
            '/' if !quoted && matches!(characters.peek(), Some((_, '/'))) => break,
            _ if quoted => {}
            _ => code.push(c),
        }
    }
    code
}

/// The modules named right after each `prefix` in a line: `prefix::a` or `prefix::{a, b::c}`.
fn named_after(line: &str, prefix: &str) -> Vec<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut names = Vec::new();
    for (at, _) in line.match_indices(prefix) {
        let before = line[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let rest = &line[at + prefix.len()..];
        match rest.strip_prefix('{') {
            None => names.push(word(rest)),
            Some(group) => {
                let mut depth = 0;
                let mut start = 0;
                for (at, c) in group.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth > 0 => depth -= 1,
                        ',' | '}' if depth == 0 => {
                            names.push(word(group[start..at].trim()));
                            start = at + 1;
                            if c == '}' {
                                break;
                            }
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    names
}

#[test]
fn the_reader_of_sources_sees_what_it_should() {
    assert_eq!(code(r#"let a = "crate::x // \" y"; // crate::z"#), "let a = ; ");
    assert_eq!(code(r#"'"' => b, // "c"#), "'' => b, ");
    assert_eq!(named_after("use crate::{files, random::{a, b}};", "crate::"), ["files", "random"]);
    assert_eq!(named_after("fn f(x: crate::error::Error) -> crate::data::Dataset", "crate::"), ["error", "data"]);
    assert_eq!(named_after("use other_crate::x;", "crate::"), Vec::<String>::new());
}

#[test]
fn each_module_uses_only_those_to_its_left() {
    let rank = |module: &str| ORDER.iter().position(|other| *other == module);
    let mut faults = Vec::new();
    for Source { path, module, depth, lines } in sources() {
        let own = rank(&module).unwrap_or_else(|| panic!("{}: say in ORDER where it stands", path.display()));
        // Config has to be usable without anything that trains.
        let allowed = |other: &str| match module.as_str() {
            "config" => ["error", "random", "files", "config"].contains(&other),
            _ => rank(other).is_none_or(|other| other <= own),
        };
        let up_to_root = "super::".repeat(depth + 1);
        for (number, line) in &lines {
            let mut names = named_after(line, "crate::");
            names.extend(named_after(line, &up_to_root));
            faults.extend(
                names.iter().filter(|name| !allowed(name)).map(|name| format!("{}:{number}: {name}", path.display())),
            );
        }
    }
    assert!(faults.is_empty(), "backwards:\n{}", faults.join("\n"));
}

#[test]
fn only_some_may_print_exit_or_know_the_backend_and_nobody_gives_up() {
    let mut faults = Vec::new();
    for Source { path, module, lines, .. } in sources() {
        let is_program = ["cli", "main"].contains(&module.as_str());
        for (number, line) in &lines {
            let mut forbid = |unless: bool, what: &str| {
                if !unless && line.contains(what) {
                    faults.push(format!("{}:{number}: {what}", path.display()));
                }
            };
            for what in ["println!", "print!", "process::exit", "ExitCode"] {
                forbid(is_program, what);
            }
            forbid(module == "device", "cfg(feature");
            forbid(module == "device", "cfg!(feature");
            for what in [".unwrap()", "todo!", "unimplemented!", "dbg!"] {
                forbid(false, what);
            }
        }
    }
    assert!(faults.is_empty(), "not allowed there:\n{}", faults.join("\n"));
}
