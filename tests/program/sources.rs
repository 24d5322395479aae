//! The source as the rules of `layering` see it: code without comments, texts and tests, and which file names which.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A file below `src/`.
#[derive(Debug)]
pub struct Source {
    /// Its place below `src/`.
    pub path: PathBuf,
    /// Its module from the root of the crate; `lib.rs` and `main.rs` are roots.
    pub module: Vec<String>,
    /// Its lines without comments, without what is in quotes, and without tests, which may use what they like.
    pub lines: Vec<String>,
    /// What it names of its own crate.
    pub references: Vec<Reference>,
    /// What it passes on by `pub use`, and where that comes from.
    passed_on: BTreeMap<String, Vec<String>>,
}

/// Something of the crate that a file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Line, from 1.
    pub line: usize,
    /// From the root of the crate.
    pub path: Vec<String>,
}

impl Source {
    /// Reads the code of the file at `path`, counted from `src/`.
    pub fn of(path: &Path, text: &str) -> Self {
        let module = module(path);
        let code = without_tests(&code(text));
        let References { names, found, .. } = References::of(&module, &tokens(&code));
        let passed_on = names.into_iter().filter(|(_, import)| import.is_public);
        let passed_on = passed_on.map(|(name, import)| (name, import.path)).collect();
        let lines = code.lines().map(String::from).collect();
        Self { path: path.to_path_buf(), references: found, passed_on, lines, module }
    }

    /// The module right below the root: `solver`, `lib`, `main`.
    pub fn top(&self) -> String {
        self.path.iter().next().map_or(String::new(), |part| part.to_string_lossy().trim_end_matches(".rs").into())
    }
}

/// All files below `src/`.
pub fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let read = |path: &PathBuf| {
        Source::of(path.strip_prefix(&root).expect("below"), &fs::read_to_string(path).expect("a source file"))
    };
    let sources: Vec<_> = rust_files(&root).iter().map(read).collect();
    assert!(sources.len() > 50, "the sources are there");
    sources
}

/// Every file of Rust below a folder, sorted.
pub fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// For each file the others that it names something of, with what and where. A name belongs to the file of the longest
/// module in its path, and where that only passes it on, also to the file that it comes from: `crate::solver::Clip` to
/// `solver/mod.rs` and to `solver/gradient.rs`.
pub fn uses(sources: &[Source]) -> Vec<BTreeMap<usize, Vec<&Reference>>> {
    let files: BTreeMap<&[String], usize> =
        sources.iter().enumerate().map(|(at, source)| (&source.module[..], at)).collect();
    let files_of = |path: &[String]| {
        let (mut path, mut found) = (path.to_vec(), BTreeSet::new());
        while let Some(length) = (1..=path.len()).rev().find(|&length| files.contains_key(&path[..length])) {
            let file = files[&path[..length]];
            let origin = path.get(length).and_then(|name| sources[file].passed_on.get(name));
            let Some(origin) = origin.filter(|_| found.insert(file)) else {
                found.insert(file);
                break;
            };
            path = [origin, &path[length + 1..]].concat();
        }
        found
    };
    let of_source = |(at, source): (usize, &'_ Source)| {
        let mut used: BTreeMap<usize, Vec<&Reference>> = BTreeMap::new();
        for reference in &sources[at].references {
            for file in files_of(&reference.path).into_iter().filter(|&file| sources[file].path != source.path) {
                used.entry(file).or_default().push(reference);
            }
        }
        used
    };
    sources.iter().enumerate().map(of_source).collect()
}

/// The groups of files that use each other, be it through others: each has more than one file.
pub fn circles<T>(uses: &[BTreeMap<usize, T>]) -> Vec<Vec<usize>> {
    let reached = |from: usize| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(at) = open.pop() {
            open.extend(uses[at].keys().filter(|next| seen.insert(**next)));
        }
        seen
    };
    let reached: Vec<BTreeSet<usize>> = (0..uses.len()).map(reached).collect();
    let circle = |at: usize| -> Vec<usize> {
        (0..uses.len()).filter(|other| reached[at].contains(other) && reached[*other].contains(&at)).collect()
    };
    let circles: BTreeSet<Vec<usize>> = (0..uses.len()).map(circle).filter(|files| files.len() > 1).collect();
    circles.into_iter().collect()
}

/// The module that a file is.
fn module(path: &Path) -> Vec<String> {
    let mut module: Vec<String> = path.with_extension("").iter().map(|part| part.to_string_lossy().into()).collect();
    if matches!(module.last().map(String::as_str), Some("mod" | "lib")) {
        module.pop();
    }
    module
}

/// A text of Rust without comments and without what is in quotes, line by line as it was.
pub fn code(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    // Takes what ends `at` bytes further; of what is left out, the ends of lines stay.
    let take = |code: &mut String, rest: &mut &str, at: usize, is_code: bool| {
        let (taken, after) = rest.split_at(at.min(rest.len()));
        code.extend(taken.chars().filter(|&c| is_code || c == '\n'));
        *rest = after;
    };
    let end_of = |rest: &str, end: &str, from: usize| {
        rest.get(from..).and_then(|after| after.find(end)).map_or(rest.len(), |at| from + at + end.len())
    };
    while let Some(next) = rest.chars().next() {
        let follows_word = code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let raw = rest.strip_prefix('r').map(|after| after.len() - after.trim_start_matches('#').len());
        let raw = raw.filter(|hashes| !follows_word && rest[1 + hashes..].starts_with('"'));
        if rest.starts_with("//") {
            let end = rest.find('\n').unwrap_or(rest.len());
            take(&mut code, &mut rest, end, false);
        } else if rest.starts_with("/*") {
            let end = end_of(rest, "*/", 2);
            take(&mut code, &mut rest, end, false);
        } else if let Some(hashes) = raw {
            let end = end_of(rest, &format!("\"{}", "#".repeat(hashes)), hashes + 2);
            take(&mut code, &mut rest, end, false);
        } else if next == '"' {
            let mut is_escaped = false;
            let ends = |&(_, c): &(usize, char)| {
                let was_escaped = is_escaped;
                is_escaped = c == '\\' && !was_escaped;
                c == '"' && !was_escaped
            };
            let end = rest.char_indices().skip(1).find(ends).map_or(rest.len(), |(at, _)| at + 1);
            take(&mut code, &mut rest, end, false);
        } else if let Some(length) = character(rest) {
            take(&mut code, &mut rest, length, false);
        } else {
            take(&mut code, &mut rest, next.len_utf8(), true);
        }
    }
    code
}

/// Bytes of the character in quotes that `text` begins with; `None` for anything else, a lifetime for instance.
fn character(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('\'')?;
    let first = inside.chars().next()?;
    let after = if first == '\\' { 2 } else { first.len_utf8() };
    let end = inside.get(after..)?.find('\'')?;
    (first == '\\' || end == 0).then_some(1 + after + end + 1)
}

/// Code without what stands behind `#[cfg(test)]`.
fn without_tests(code: &str) -> String {
    const TEST: &str = "#[cfg(test)]";
    let mut kept = String::new();
    let mut rest = code;
    while let Some(at) = rest.find(TEST) {
        kept.push_str(&rest[..at]);
        let item = &rest[at + TEST.len()..];
        let mut depth = 0;
        let ends = |&(_, c): &(usize, char)| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            depth == 0 && (c == '}' || c == ';')
        };
        let end = item.char_indices().find(ends).map_or(item.len(), |(at, _)| at + 1);
        kept.extend(item[..end].chars().filter(|&c| c == '\n'));
        rest = &item[end..];
    }
    kept + rest
}

/// A word, `::`, or any other character, and the line it is in.
#[derive(Debug, Clone, Copy)]
struct Token<'a> {
    text: &'a str,
    line: usize,
}

impl Token<'_> {
    fn is_word(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

fn tokens(code: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    for (line, text) in (1..).zip(code.lines()) {
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let in_word = |c: char| c.is_alphanumeric() || c == '_';
            let length = match rest.find(|c| !in_word(c)).unwrap_or(rest.len()) {
                0 if rest.starts_with("::") => 2,
                0 => first.len_utf8(),
                length => length,
            };
            tokens.push(Token { text: &rest[..length], line });
            rest = rest[length..].trim_start();
        }
    }
    tokens
}

/// A name that a `use` brings in.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Import {
    path: Vec<String>,
    name: String,
    line: usize,
    /// Whether it is passed on by `pub use`.
    is_public: bool,
}

/// Collects what a file names.
struct References<'a> {
    module: &'a [String],
    /// Modules that the file declares.
    children: BTreeSet<&'a str>,
    /// Names brought in, and what they stand for.
    names: BTreeMap<String, Import>,
    found: Vec<Reference>,
}

impl<'a> References<'a> {
    fn of(module: &'a [String], tokens: &[Token<'a>]) -> Self {
        let declared = tokens.windows(3).filter(|window| window[0].text == "mod" && window[2].text == ";");
        let children = declared.map(|window| window[1].text).collect();
        let mut references = Self { module, children, names: BTreeMap::new(), found: Vec::new() };
        let mut is_import = vec![false; tokens.len()];
        let mut imports = Vec::new();
        for at in 0..tokens.len() {
            // `use<…>` in a type brings in nothing.
            if tokens[at].text != "use" || tokens.get(at + 1).is_none_or(|next| next.text == "<") {
                continue;
            }
            let length = tokens[at..].iter().position(|token| token.text == ";").unwrap_or(0);
            is_import[at..at + length].fill(true);
            let is_public = at > 0 && ["pub", ")"].contains(&tokens[at - 1].text);
            tree(&mut tokens[at + 1..at + length].iter().peekable(), &[], is_public, &mut imports);
        }
        for import in imports {
            references.import(import);
        }
        let mut at = 0;
        while at < tokens.len() {
            let path = path_at(tokens, at);
            if !is_import[at] && !path.is_empty() {
                references.name(&path, tokens[at].line, is_taken(tokens, at));
            }
            at += (2 * path.len()).saturating_sub(1).max(1);
        }
        references
    }

    /// What a `use` names. Passing on what a child has is no use of it: others may, through this module.
    fn import(&mut self, import: Import) {
        let Some(path) = self.absolute(&import.path) else { return };
        let passes_on = import.is_public && path.starts_with(self.module);
        if !passes_on {
            self.found.push(Reference { line: import.line, path: path.clone() });
        }
        self.names.insert(import.name.clone(), Import { path, ..import });
    }

    /// What a path in code names. A single word does only if it was brought in, and counts if nothing else does.
    fn name(&mut self, path: &[String], line: usize, is_taken: bool) {
        let absolute = match path {
            [word] => {
                let import = self.names.get(word).filter(|import| import.is_public && is_taken);
                import.map(|import| import.path.clone())
            }
            _ => self.absolute(path),
        };
        self.found.extend(absolute.map(|path| Reference { line, path }));
    }

    /// A path from the root of the crate; `None` for one that leads out of it.
    fn absolute(&self, path: &[String]) -> Option<Vec<String>> {
        let (first, rest) = path.split_first()?;
        let base = match first.as_str() {
            "crate" | "lowrank" => Vec::new(),
            "self" => self.module.to_vec(),
            "super" => {
                let ups = path.iter().take_while(|part| *part == "super").count();
                let base = &self.module[..self.module.len().checked_sub(ups)?];
                return Some([base, &path[ups..]].concat());
            }
            child if self.children.contains(child) => [self.module, &path[..1]].concat(),
            name => self.names.get(name)?.path.clone(),
        };
        Some([base, rest.to_vec()].concat())
    }
}

/// The words of the path that begins at a token; none if one goes on or nothing begins.
fn path_at(tokens: &[Token], at: usize) -> Vec<String> {
    let is_start = tokens[at].is_word() && (at == 0 || !["::", "."].contains(&tokens[at - 1].text));
    if !is_start {
        return Vec::new();
    }
    let mut path = vec![tokens[at].text.to_string()];
    for pair in tokens[at + 1..].chunks_exact(2) {
        if pair[0].text != "::" || !pair[1].is_word() {
            break;
        }
        path.push(pair[1].text.to_string());
    }
    path
}

/// Whether a word stands for an item: it has a capital, or is called and not defined.
fn is_taken(tokens: &[Token], at: usize) -> bool {
    let is_defined = at > 0 && ["fn", "let"].contains(&tokens[at - 1].text);
    let is_called = tokens.get(at + 1).is_some_and(|next| ["(", "!"].contains(&next.text));
    tokens[at].text.starts_with(char::is_uppercase) || (is_called && !is_defined)
}

/// The names in the tree of a `use`, which go on from `base`.
fn tree<'t, 'a: 't>(
    tokens: &mut std::iter::Peekable<impl Iterator<Item = &'t Token<'a>>>,
    base: &[String],
    is_public: bool,
    found: &mut Vec<Import>,
) {
    let mut path = base.to_vec();
    let mut name = None;
    let mut line = 0;
    while let Some(token) = tokens.next_if(|token| ![",", "}"].contains(&token.text)) {
        match token.text {
            "::" => {}
            "{" => {
                while tokens.peek().is_some_and(|token| token.text != "}") {
                    tree(tokens, &path, is_public, found);
                    tokens.next_if(|token| token.text == ",");
                }
                tokens.next();
                return;
            }
            "as" => name = tokens.next().map(|token| token.text.to_string()),
            "self" if !path.is_empty() => line = token.line,
            word => {
                path.push(word.to_string());
                line = token.line;
            }
        }
    }
    if let Some(last) = path.last().cloned() {
        found.push(Import { path, name: name.unwrap_or(last), line, is_public });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> Source {
        Source::of(Path::new(path), text)
    }

    /// `line path` of each reference.
    fn named(path: &str, text: &str) -> Vec<String> {
        let found = file(path, text).references;
        found.iter().map(|Reference { line, path }| format!("{line} {}", path.join("::"))).collect()
    }

    #[test]
    fn comments_texts_and_tests_are_no_code() {
        assert_eq!(code(r#"let a = "crate::x // \" y"; // crate::z"#), "let a = ; ");
        assert_eq!(code(r#"'"' => b, // "c"#), " => b, ");
        assert_eq!(code("a /* b\nc */ d \"e\nf\" 'x' '\\'' &'g h"), "a \n d \n   &'g h");
        assert_eq!(code(r##"r#"a " b"# c bar"d""##), " c bar");
        let text = "a\n#[cfg(test)]\npub mod tests {\n b { }\n}\n#[cfg(test)]\nuse b;\nc";
        assert_eq!(without_tests(text), "a\n\n\n\n\n\n\nc");
    }

    #[test]
    fn a_file_is_a_module() {
        for (path, expected) in
            [("lib.rs", ""), ("main.rs", "main"), ("a.rs", "a"), ("a/mod.rs", "a"), ("a/b.rs", "a::b")]
        {
            assert_eq!(module(Path::new(path)).join("::"), expected);
        }
    }

    #[test]
    fn imports_are_named_wherever_they_begin() {
        let text =
            "use crate::{files, random::{a, b as c}};\nuse super::x::Y;\nuse super::super::z;\nuse self::w::{self, V};";
        let expected = ["1 files", "1 random::a", "1 random::b", "2 m::x::Y", "3 z", "4 m::n::w", "4 m::n::w::V"];
        assert_eq!(named("m/n.rs", text), expected);
        assert_eq!(named("m/n.rs", "use std::fmt;\nuse other_crate::x;\nfn f() -> impl Sized + use<> {}"), [""; 0]);
        assert_eq!(named("m/n.rs", "use crate::{\n    a::B,\n    c::*,\n};"), ["2 a::B", "3 c::*"]);
        assert_eq!(named("main.rs", "use lowrank::cli;"), ["1 cli"]);
    }

    #[test]
    fn paths_in_code_are_named() {
        let text = "fn f(x: crate::error::Error) -> super::Dataset {\n    other::g(x.crate_name, std::mem::take(y))\n}";
        assert_eq!(named("m/n.rs", text), ["1 error::Error", "1 m::Dataset"]);
        let text = "use super::nmf;\nfn f() { nmf::consensus::held_out() }";
        assert_eq!(named("m/n.rs", text), ["1 m::nmf", "2 m::nmf::consensus::held_out"]);
        assert_eq!(named("m/mod.rs", "mod n;\nfn f() { n::g(); nothing::g() }"), ["2 m::n::g"]);
    }

    #[test]
    fn passing_on_is_no_use_until_the_name_is_used() {
        assert_eq!(named("m/mod.rs", "pub mod n;\npub use n::{A, g};"), [""; 0]);
        assert_eq!(named("m/mod.rs", "mod n;\npub(crate) use n::A;\nstruct B(A);"), ["3 m::n::A"]);
        assert_eq!(named("m/mod.rs", "mod n;\npub use n::g;\nfn f() { let g = 1; x.g() }"), [""; 0]);
        assert_eq!(named("m/mod.rs", "mod n;\npub use n::g;\nfn f() { g() }"), ["3 m::n::g"]);
        assert_eq!(named("m/mod.rs", "mod n;\nuse n::A;"), ["2 m::n::A"]);
        assert_eq!(named("m/mod.rs", "pub use crate::x::A;"), ["1 x::A"]);
    }

    #[test]
    fn a_name_belongs_to_the_file_of_its_longest_module_and_to_where_that_has_it_from() {
        let sources = [
            file("m/mod.rs", "mod a;\nmod b;\npub use a::A;"),
            file("m/a.rs", "use super::b::B;"),
            file("m/b.rs", "use crate::m::a::c::D;\nuse crate::m::A;"),
            file("x.rs", "use super::m::A;"),
        ];
        let uses = uses(&sources);
        let files: Vec<Vec<usize>> = uses.iter().map(|used| used.keys().copied().collect()).collect();
        assert_eq!(files, [vec![], vec![2], vec![0, 1], vec![0, 1]]);
        assert_eq!(uses[2][&1].iter().map(|reference| reference.line).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn circles_are_found_whole_and_apart() {
        let graph = |edges: &[(usize, usize)]| {
            let mut uses = vec![BTreeMap::new(); 6];
            edges.iter().for_each(|&(from, to)| {
                uses[from].insert(to, ());
            });
            circles(&uses)
        };
        assert_eq!(graph(&[(0, 1), (1, 2), (0, 2), (3, 2)]), [[0; 0]; 0]);
        assert_eq!(graph(&[(0, 1), (1, 0), (1, 2), (2, 3), (3, 4), (4, 2), (0, 5)]), [vec![0, 1], vec![2, 3, 4]]);
    }
}
