//! The one direction of dependence, who may do what, and how long a file may be, read off the source.

use std::fmt::Write as _;
use std::path::Path;

use crate::sources::{Source, circles, rust_files, sources, uses};

/// Each module may use those before it, and itself.
const ORDER: [&str; 20] = [
    "error",
    "tables",
    "random",
    "files",
    "linalg",
    "config",
    "device",
    "data",
    "objective",
    "model",
    "metric",
    "eval",
    "solver",
    "train",
    "report",
    "run",
    "sweep",
    "cli",
    "lib",
    "main",
];

#[test]
fn each_module_uses_only_those_to_its_left() {
    let rank = |module: &str| ORDER.iter().position(|other| *other == module);
    let mut faults = Vec::new();
    for source in sources() {
        let (module, path) = (source.top(), source.path.display());
        let own = rank(&module).unwrap_or_else(|| panic!("{path}: say in ORDER where it stands"));
        let allowed = |other: &str| rank(other).is_none_or(|other| other <= own);
        for reference in &source.references {
            faults.extend(
                (reference.path.first().filter(|other| !allowed(other)))
                    .map(|other| format!("{path}:{}: {other}", reference.line)),
            );
        }
    }
    assert!(faults.is_empty(), "backwards:\n{}", faults.join("\n"));
}

#[test]
fn no_files_use_each_other() {
    let sources = sources();
    let uses = uses(&sources);
    let mut report = String::new();
    for files in circles(&uses) {
        let name = |file: usize| sources[file].path.display();
        let names: Vec<String> = files.iter().map(|&file| name(file).to_string()).collect();
        let _ = writeln!(report, "a circle of {} files: {}", files.len(), names.join(", "));
        for &file in &files {
            for (other, references) in uses[file].iter().filter(|(other, _)| files.contains(other)) {
                for reference in references {
                    let line = reference.line;
                    let _ = writeln!(
                        report,
                        "  {}:{line} uses {} of {}",
                        name(file),
                        reference.path.join("::"),
                        name(*other)
                    );
                }
            }
        }
    }
    assert!(report.is_empty(), "move what both sides need to a file of its own:\n{report}");
}

#[test]
fn only_some_may_print_exit_or_know_the_backend_and_nobody_gives_up() {
    let mut faults = Vec::new();
    for source in sources() {
        let module = source.top();
        let Source { path, lines, .. } = source;
        let is_program = ["cli", "main"].contains(&module.as_str());
        for (number, line) in (1..).zip(&lines) {
            let mut forbid = |unless: bool, what: &str| {
                if !unless && line.contains(what) {
                    faults.push(format!("{}:{number}: {what}", path.display()));
                }
            };
            for what in ["println!", "print!", "process::exit", "ExitCode"] {
                forbid(is_program, what);
            }
            // A form of files that is built in or not is known where files are opened.
            forbid(module == "device" || path.ends_with("files/columnar.rs"), "cfg(feature");
            forbid(module == "device", "cfg!(feature");
            for what in [".unwrap()", "todo!", "unimplemented!", "dbg!"] {
                forbid(false, what);
            }
        }
    }
    assert!(faults.is_empty(), "not allowed there:\n{}", faults.join("\n"));
}

/// What is computed, watched and shown goes by a metric's own name.
#[test]
fn only_metrics_name_metrics() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut faults = Vec::new();
    for source in sources().iter().filter(|source| source.top() != "metric") {
        let text = std::fs::read_to_string(src.join(&source.path)).expect("a source file");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default().lines();
        for (number, line) in (1..).zip(code).filter(|(_, line)| !line.trim_start().starts_with("//")) {
            let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
            if let Some(word) = words.find(|word| ["rmse", "mae"].contains(word)) {
                faults.push(format!("{}:{number}: {word}", source.path.display()));
            }
        }
    }
    assert!(faults.is_empty(), "named outside their files:\n{}", faults.join("\n"));
}

/// What is longer holds more than one idea.
#[test]
fn no_file_has_more_than_400_lines_before_its_tests() {
    const MOST: usize = 400;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut faults = Vec::new();
    for path in ["src", "tests"].iter().flat_map(|folder| rust_files(&root.join(folder))) {
        let text = std::fs::read_to_string(&path).expect("a source file");
        let lines: Vec<&str> = text.lines().collect();
        let begins = |pair: &[&str]| pair[0] == "#[cfg(test)]" && pair[1].contains("mod tests {");
        let count = lines.windows(2).position(begins).unwrap_or(lines.len());
        if count > MOST {
            faults.push(format!("{}: {count}", path.strip_prefix(root).expect("below").display()));
        }
    }
    assert!(faults.is_empty(), "take an idea out into a file of its own:\n{}", faults.join("\n"));
}
