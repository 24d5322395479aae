//! The pages of reference: made from the schema, the lists of parts, the help texts and the documentation of the source.
//!
//! `LOWRANK_REWRITE_BOOK=1 cargo test --test program book` writes them, and the pictures, into the book.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use lowrank::Parts;
use lowrank::config::{Key, Otherwise, Schema};
use lowrank::metric::{Direction, Metric};

use super::super::Place;
use super::pages::anchor;
use super::{REWRITE, docs, repository, rewrites};

/// The first line of each of these pages.
const MADE: &str = "<!-- Made by tests/program/book/reference.rs: change what it is made from, and write it anew. -->";

#[test]
fn pages_are_what_the_program_knows() {
    let parts = Parts::built_in();
    let schema = parts.schema();
    let names = |names: Vec<&str>| names.into_iter().map(str::to_string).collect::<Vec<_>>();
    let models = names(parts.models.iter().map(|kind| kind.name).collect());
    let losses = names(parts.objectives.iter().map(|kind| kind.name).collect());
    let solvers = names(parts.solvers.iter().map(|part| part.name()).collect());
    let formats = names(parts.readers.iter().map(|kind| kind.name).collect());
    check_readme(&[
        ("models", "models", &models),
        ("losses", "losses", &losses),
        ("solvers", "solvers", &solvers),
        ("metrics", "metrics", &names(parts.metrics.names().collect())),
        ("forms of data", "formats", &formats),
        ("commands", "commands", &super::super::help::listed(&Place::new().call(["--help"]).succeeds().stdout)),
    ]);
    let pages = [
        ("keys", keys(&schema)),
        ("models", of_kinds(&schema, "Models", "model.kind", "model", &models)),
        ("losses", of_kinds(&schema, "Losses", "loss.kind", "objective", &losses)),
        ("solvers", of_kinds(&schema, "Solvers", "solver.kind", "solver", &solvers)),
        ("metrics", metrics(&parts)),
        ("formats", of_kinds(&schema, "Forms of data", "data.format", "data/read", &formats)),
        ("commands", commands()),
        ("exit-codes", exit_codes()),
    ];
    let folder = repository("docs/src/reference");
    let mut written: Vec<_> =
        fs::read_dir(&folder).expect("a folder").map(|file| file.expect("a file").path()).collect();
    for (name, text) in pages {
        let (path, text) = (folder.join(name).with_extension("md"), format!("{MADE}\n\n{}\n", text.trim()));
        written.retain(|other| *other != path);
        check(&path, &text);
    }
    assert!(written.is_empty(), "nothing makes {written:?}");
}

/// The table of names in the README: what it is about, the page about it, the names.
fn check_readme(rows: &[(&str, &str, &Vec<String>)]) {
    let path = repository("README.md");
    let text = docs::read(&path);
    let made = "<!-- made by tests/program/book/reference.rs -->\n";
    let (before, rest) = text.split_once(made).expect("the place of the table");
    let (_, after) = rest.split_once("<!-- end -->").expect("the end of the table");
    let mut table = String::from("\n| | |\n|---|---|\n");
    for (what, page, names) in rows {
        let names: Vec<String> = names.iter().map(code).collect();
        let _ = writeln!(table, "| [{what}](docs/src/reference/{page}.md) | {} |", names.join(", "));
    }
    check(&path, &format!("{before}{made}{table}\n<!-- end -->{after}"));
}

/// A file has this text, or gets it.
fn check(path: &Path, text: &str) {
    if rewrites() {
        fs::write(path, text).expect("a file written");
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    let difference = (1..).zip(text.lines().zip(found.lines())).find(|(_, (new, old))| new != old);
    assert!(
        found == text,
        "{} is not what the program knows now ({difference:?}); write it anew: {REWRITE}=1 cargo test --test program book",
        path.display()
    );
}

/// Every key by section.
fn keys(schema: &Schema) -> String {
    let mut text = String::from(
        "# Keys\n\nEvery key of a config, by section: its type and range, its default, and when it applies; a key that is set \
         where it does not apply is an error. `lowrank config explain` prints the same, `lowrank config schema` a JSON schema. \
         `<entity>` stands for `user`, `item`, or a column of `data.context`.\n",
    );
    let mut sections: Vec<&str> = Vec::new();
    for key in schema.keys().iter().filter(|key| !key.path.contains('.')).chain(schema.keys()) {
        if !sections.contains(&key.section()) {
            sections.push(key.section());
        }
    }
    // Sections inside others follow them.
    let top = |section: &str| section.split('.').next().unwrap_or_default().to_string();
    let first = |section: &str| sections.iter().position(|other| top(other) == top(section));
    let mut sorted = sections.clone();
    sorted.sort_by_key(|section| first(section));
    for section in sorted {
        let title = if section.is_empty() { "Above all sections".into() } else { format!("`[{section}]`") };
        let _ = write!(text, "\n## {title}\n");
        for key in schema.keys().iter().filter(|key| key.section() == section) {
            let _ = write!(text, "\n### `{}`\n\n{}\n\n{}\n", key.path, facts(key), escaped(&key.meaning));
        }
    }
    text
}

/// Type and range, default, conditions.
fn facts(key: &Key) -> String {
    let mut facts = vec![format!("- {}", code_in_quotes(&key.kind.to_string()))];
    let value = |toml: &str| format!("`{}`", toml.replace('\'', "\""));
    let cases: String =
        key.default.cases.iter().map(|(when, toml)| format!("{} with {}, else ", value(toml), code(when))).collect();
    facts.push(match &key.default.otherwise {
        Otherwise::Absent if cases.is_empty() => "- optional".into(),
        Otherwise::Absent => format!("- default: {cases}absent"),
        Otherwise::Toml(toml) => format!("- default: {cases}{}", value(toml)),
        Otherwise::FileName => format!("- default: {cases}the name of the config file"),
    });
    if !key.when.is_empty() {
        let conditions: Vec<String> = key.when.iter().map(code).collect();
        facts.push(format!("- only with {}", conditions.join(" and ")));
    }
    facts.join("\n")
}

fn code(text: impl ToString) -> String {
    format!("`{}`", text.to_string())
}

/// Words in quotes as code: `one of "a" or "b"`.
fn code_in_quotes(text: &str) -> String {
    let parts = text.split('"').enumerate();
    parts.map(|(at, part)| if at % 2 == 0 { part.to_string() } else { format!("`\"{part}\"`") }).collect()
}

/// Placeholders such as `<entity>` would be taken for tags, except in code.
fn escaped(text: &str) -> String {
    let outside = |part: &str| part.replace('<', "\\<").replace("\\<https", "<https");
    let parts = text.split('`').enumerate();
    parts.map(|(at, part)| if at % 2 == 0 { outside(part) } else { part.into() }).collect::<Vec<_>>().join("`")
}

/// The kinds among which a key chooses: what the source says about each, and its keys.
fn of_kinds(schema: &Schema, title: &str, choice: &str, folder: &str, kinds: &[String]) -> String {
    let key = schema.find(choice).expect(choice);
    let mut text = format!(
        "# {title}\n\nValues of [`{choice}`](keys.md#{}). {}\n\n| | |\n|---|---|\n",
        anchor(choice),
        escaped(&key.meaning)
    );
    let about: Vec<String> = kinds.iter().map(|kind| docs::of_part(folder, kind)).collect();
    for (kind, about) in kinds.iter().zip(&about) {
        let _ = writeln!(text, "| [`{kind}`](#{}) | {} |", anchor(kind), first_sentence(about).replace('|', "\\|"));
    }
    let section = choice.split_once('.').map_or("", |(section, _)| section);
    for (kind, about) in kinds.iter().zip(&about) {
        let _ = write!(text, "\n## `{kind}`\n\n{}\n", escaped(about));
        let keys =
            schema.keys().iter().filter(|key| key.path.starts_with(&format!("{section}.")) && key.path != choice);
        let links: Vec<String> = keys
            .filter(|key| is_of(key, choice, kind))
            .map(|key| format!("[`{}`](keys.md#{})", key.path, anchor(&key.path)))
            .collect();
        if !links.is_empty() {
            let _ = write!(text, "\nKeys: {}.\n", links.join(", "));
        }
    }
    text
}

/// Whether a condition on a key names this kind, or it has no condition beside keys that differ.
fn is_of(key: &Key, choice: &str, kind: &str) -> bool {
    if key.when.is_empty() && !choice.starts_with("data.") {
        return true;
    }
    let mut conditions = key.when.iter().flat_map(|when| &when.0);
    conditions.any(|is| is.key == choice && is.values.iter().any(|value| value == kind))
}

/// The first sentence, without where to read more.
fn first_sentence(text: &str) -> String {
    let text = text.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    let ends = text.match_indices(". ").find(|(at, _)| {
        let before = &text[..*at];
        !before.ends_with(" al") && !before.ends_with(" eq")
    });
    let sentence = ends.map_or(&text[..], |(at, _)| &text[..=at]).trim_end_matches(['.', ':']);
    sentence.split("; see `").next().unwrap_or_default().to_string()
}

/// Metrics with their formulas.
fn metrics(parts: &Parts) -> String {
    let mut text = String::from(
        "# Metrics\n\nWords of [`evaluation.metrics`](keys.md#evaluationmetrics) and \
         [`train.early_stopping.metric`](keys.md#trainearly_stoppingmetric), and of `lowrank evaluate --metrics`. Any number \
         may follow `@`.\n\n| | better | unit |\n|---|---|---|\n",
    );
    let stem = |metric: &dyn Metric| metric.name().split('@').next().unwrap_or_default().to_string();
    for metric in &parts.metrics.0 {
        let better = match metric.direction() {
            Direction::Smaller => "smaller",
            Direction::Larger => "larger",
        };
        let _ = writeln!(
            text,
            "| [`{0}`](#{1}) | {better} | {2} |",
            metric.name(),
            anchor(&stem(&**metric)),
            metric.unit()
        );
    }
    let mut lists = 0;
    for metric in &parts.metrics.0 {
        if metric.needs().list_length().is_some() && lists == 0 {
            lists += 1;
            let about = docs::of_source("metric/ranking/mod.rs");
            let _ = write!(text, "\n## Ranked lists\n\n{}\n", escaped(&about));
        }
        let name = stem(&**metric);
        let level = if lists == 0 { "##" } else { "###" };
        let _ = write!(text, "\n{level} `{name}`\n\n{}\n", escaped(&docs::of_part("metric", &name)));
    }
    text
}

/// The help text of every command.
fn commands() -> String {
    let place = Place::new();
    let help = |path: &[String]| {
        let mut command = place.command(super::super::PROGRAM);
        command.args(path).arg("--help").env_remove("COLUMNS");
        super::super::outcome(&mut command).succeeds().stdout
    };
    fn visit(path: &[String], help: &dyn Fn(&[String]) -> String, text: &mut String) {
        let own = help(path);
        let level = "#".repeat(path.len().min(2) + 1);
        let _ = write!(
            text,
            "\n{level} `{}`\n\n```text\n{}\n```\n",
            ["lowrank"].into_iter().chain(path.iter().map(String::as_str)).collect::<Vec<_>>().join(" "),
            own.trim_end()
        );
        for name in super::super::help::listed(&own) {
            visit(&[path, &[name]].concat(), help, text);
        }
    }
    let mut pages = String::new();
    visit(&[], &help, &mut pages);
    let pages = pages.trim_start().trim_start_matches("# `lowrank`");
    format!(
        "# Commands\n\nEach command prints this with `--help`; `lowrank man FOLDER` writes it as man pages.\n{pages}"
    )
}

/// Exit codes as the help text has them, with the errors that have them.
fn exit_codes() -> String {
    let help = Place::new().call(["--help"]).succeeds().stdout;
    let help = help.split("\n\n").find_map(|paragraph| paragraph.split_once("Exit codes: ")).expect("exit codes").1;
    let mut codes: Vec<(u8, String)> = Vec::new();
    for part in help.replace('\n', " ").trim_end_matches('.').split(", ") {
        match (part.split_once(' ').and_then(|(code, meaning)| Some((code.parse().ok()?, meaning))), codes.last_mut()) {
            (Some((code, meaning)), _) => codes.push((code, meaning.into())),
            (None, Some((_, before))) => *before += &format!(", {part}"),
            (None, None) => panic!("no code: {part}"),
        }
    }
    let errors = errors();
    let mut text = String::from(
        "# Exit codes\n\nWhat a command returns to whoever called it. Messages go to standard error, results to standard \
         output.\n\n| code | meaning | errors |\n|---|---|---|\n",
    );
    for (code, meaning) in &codes {
        let own: Vec<&str> =
            errors.iter().filter(|(other, _)| other == code).map(|(_, about)| about.as_str()).collect();
        let _ = writeln!(text, "| {code} | {meaning} | {} |", own.join("<br>"));
    }
    assert!(errors.iter().all(|(code, _)| codes.iter().any(|(other, _)| other == code)), "{codes:?} {errors:?}");
    text
}

/// The errors of `src/error.rs`, each with its exit code and what it is.
fn errors() -> Vec<(u8, String)> {
    let text = docs::read(&repository("src/error.rs"));
    let lines: Vec<&str> = text.lines().collect();
    let start = lines.iter().position(|line| line.contains("fn exit_code")).expect("the function");
    let mut errors = Vec::new();
    let mut open = Vec::new();
    for line in lines[start..].iter().map(|line| line.trim()).take_while(|line| *line != "}") {
        let names = line.match_indices("Self::").map(|(at, found)| &line[at + found.len()..]);
        open.extend(names.map(|rest| rest.split([' ', '(', '{']).next().unwrap_or_default()));
        if let Some(code) = line.split("=> ").nth(1) {
            let code: u8 = code.trim_end_matches(',').parse().expect("a code");
            for name in open.drain(..) {
                let is_declared = |line: &&str| line.starts_with(&format!("    {name}"));
                let at = lines.iter().position(is_declared).expect(name);
                errors.push((code, docs::above(&lines, at).replace('\n', " ")));
            }
        }
    }
    assert!(errors.len() > 5, "{errors:?}");
    errors
}
