//! The commands of each page run, in a folder that looks like a checkout, and print and draw what the page shows.
//!
//! Blocks of a page share a folder and run in their order:
//!
//! - `sh`: each line is a command; one that does not exit with 0 is a fault. What another test runs is in [`ELSEWHERE`].
//! - `toml` with a first line such as `# my.toml` is written to that file.
//! - `text`: each line is part of the output of the commands before it, in this order; `…` stands for anything.
//! - `python` is run by `python/tests/test_book.py`; `rust,ignore` is an excerpt.
//!
//! A picture `images/PAGE/PATH` is the file PATH that the commands of PAGE have made. Blocks after `<!-- real data -->` need
//! `LOWRANK_DATA`.

use std::fs;
use std::path::Path;

use super::super::{Outcome, PROGRAM, Place, outcome};
use super::pages::{Block, Page, book, readme};
use super::{repository, rewrites};

/// Commands that are not run here, by how they begin, and the step of `.ci/run` that runs such a command.
const ELSEWHERE: [(&str, &str); 8] = [
    ("cargo test --release", "tests: the README's command"),
    // Without a network: an archive stands in for what is downloaded.
    ("lowrank data fetch", "tests: the README's command"),
    ("cargo run --release --no-default-features --features wgpu", "ndarray, and wgpu on a software Vulkan device"),
    ("cargo run --release --features cuda", "cuda compiles"),
    ("maturin build", "a wheel, in an environment of its own: the Python package, book and notebooks"),
    ("pip install", "a wheel, in an environment of its own: the Python package, book and notebooks"),
    ("tensorboard --logdir", "TensorBoard reads what a run wrote"),
    (".ci/release", "an archive to release"),
];

/// How the program of the example is called.
const OWN_MODEL: &str = "cargo run --release --example own_model -- ";

/// What a checkout has that commands read.
const CHECKOUT: [&str; 4] = ["configs", "docs", "examples", "src"];

macro_rules! pages {
    ($($name:ident = $page:literal),* $(,)?) => {
        const PAGES: &[&str] = &[$($page),*];
        $(
            #[test]
            fn $name() {
                run($page, false);
            }
        )*
    };
}

pages! {
    readme_runs = "README",
    configs_run = "configs",
    devices_run = "devices",
    first_run_runs = "index",
    data_run = "data",
    ratings_run = "ratings",
    implicit_feedback_runs = "implicit",
    recommendations_run = "recommendations",
    pictures_run = "pictures",
    texts_run = "texts",
    genes_run = "genes",
    links_run = "links",
    segments_run = "segments",
    tuning_runs = "tuning",
    features_run = "features",
    contexts_run = "context",
    draws_run = "bayes",
    own_model_runs = "own-model",
    research_runs = "research",
    reproducible_runs = "reproducible",
    results_run = "results",
}

/// Pages with blocks that need real data run once more with all of their blocks.
#[test]
#[cfg_attr(not(lowrank_data), ignore = "set LOWRANK_DATA to a folder with the data sets and rebuild")]
fn commands_on_real_data_run() {
    for page in PAGES.iter().filter(|page| read(page).blocks().iter().any(|block| block.needs_data)) {
        run(page, true);
    }
}

#[test]
fn every_page_with_commands_is_run() {
    let has_commands = |page: &Page| page.blocks().iter().any(|block| block.language == "sh");
    for page in book().iter().filter(|page| has_commands(page)) {
        assert!(PAGES.contains(&page.name.as_str()), "add {:?} to the pages that are run", page.name);
    }
}

#[test]
fn what_is_run_elsewhere_is_run_there() {
    let steps = fs::read_to_string(repository(".ci/run")).expect("a script");
    let pages: Vec<Page> = PAGES.iter().map(|page| read(page)).collect();
    for (command, step) in ELSEWHERE {
        assert!(steps.contains(&format!("step \"{step}\"\n")), "no step {step:?}");
        let has_it = |block: &Block| commands(block).iter().any(|(_, other)| other.starts_with(command));
        assert!(pages.iter().any(|page| page.blocks().iter().any(has_it)), "no page has {command:?}");
    }
}

fn read(name: &str) -> Page {
    match name {
        "README" => readme(),
        name => Page::read(name, &format!("docs/src/{name}.md")),
    }
}

/// The commands of a block, each with its line, without comments and with continued lines joined.
fn commands(block: &Block) -> Vec<(usize, String)> {
    if block.language != "sh" {
        return Vec::new();
    }
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut is_continued = false;
    for (number, line) in (block.line + 1..).zip(&block.lines) {
        let line = line.split("  #").next().unwrap_or_default().trim();
        let (part, continues) = line.strip_suffix('\\').map_or((line, false), |part| (part, true));
        match found.last_mut() {
            Some((_, command)) if is_continued => *command += part,
            _ if part.is_empty() || part.starts_with('#') => {}
            _ => found.push((number, part.into())),
        }
        is_continued = continues;
    }
    found
}

/// The command as it is run here; `None` if it is run elsewhere.
fn runnable(command: &str) -> Option<String> {
    if ELSEWHERE.iter().any(|(other, _)| command.starts_with(other)) {
        return None;
    }
    for (as_built, installed) in [("cargo run --release -- ", "lowrank "), (OWN_MODEL, "own_model ")] {
        if let Some(arguments) = command.strip_prefix(as_built) {
            return Some(format!("{installed}{arguments}"));
        }
    }
    let is_known = ["lowrank ", "awk ", "head ", "printf ", "cmp "].iter().any(|program| command.starts_with(program));
    assert!(is_known, "say in ELSEWHERE what runs it: {command}");
    Some(command.into())
}

/// Runs the blocks of a page, those that need real data only `with_data`.
fn run(name: &str, with_data: bool) {
    let (page, place) = (read(name), Place::new());
    CHECKOUT.iter().for_each(|folder| link(&repository(folder), &place.path(folder)));
    let mut printed: Option<String> = None;
    let mut has_run_all = true;
    for block in page.blocks() {
        let at = |line: usize| format!("{}.md:{line}", page.name);
        match block.language {
            _ if block.needs_data && !with_data => {
                has_run_all = false;
                printed = None;
            }
            "sh" => {
                let mut output = String::new();
                for (line, command) in commands(&block) {
                    if let Some(command) = runnable(&command) {
                        let Outcome { code, stdout, stderr } = call(&place, &command);
                        assert_eq!(code, Some(0), "{}: {command}\n{stdout}{stderr}", at(line));
                        output += &(stderr + &stdout);
                    }
                }
                printed = Some(output);
            }
            "toml" => {
                let first = block.lines.first().and_then(|line| line.strip_prefix("# "));
                let file = first.filter(|name| name.ends_with(".toml") && !name.contains(' '));
                let file = file.unwrap_or_else(|| panic!("{}: the first line names no file", at(block.line)));
                place.write(file, block.lines.join("\n") + "\n");
            }
            "text" => {
                if let Some(printed) = &printed {
                    check_output(&block, printed).unwrap_or_else(|line| {
                        panic!("{}: not printed, or not here: {line}\n{printed}", at(block.line))
                    });
                }
            }
            "python" | "rust,ignore" => {}
            other => panic!("{}: nothing checks a block of {other:?}", at(block.line)),
        }
    }
    if has_run_all {
        check_pictures(&page, &place);
    }
}

/// Runs a command in a shell, as somebody would in a checkout with the program installed.
fn call(place: &Place, command: &str) -> Outcome {
    let folder = Path::new(PROGRAM).parent().expect("a folder");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = [folder.to_path_buf(), folder.join("examples")].into_iter().chain(std::env::split_paths(&path));
    let mut shell = place.command("sh");
    shell.args(["-c", command]).env("PATH", std::env::join_paths(folders).expect("a path")).env_remove("COLUMNS");
    if let Some(data) = std::env::var_os("LOWRANK_DATA") {
        shell.env("LOWRANK_DATA", data);
    }
    outcome(&mut shell)
}

/// Whether all lines were printed in this order.
///
/// # Errors
/// The first that was not.
fn check_output(block: &Block, printed: &str) -> Result<(), String> {
    let mut lines = printed.lines();
    for wanted in block.lines.iter().map(|line| line.trim()).filter(|line| !["", "…"].contains(line)) {
        let parts: Vec<&str> = wanted.split('…').map(str::trim).collect();
        let is_it = |line: &str| {
            let mut rest = line;
            parts.iter().all(|part| match rest.find(part) {
                Some(at) => {
                    rest = &rest[at + part.len()..];
                    true
                }
                None => false,
            })
        };
        if !lines.any(is_it) {
            return Err(wanted.into());
        }
    }
    Ok(())
}

/// The pictures of a page are there, or go into the book. Those that Python draws are checked by its tests.
fn check_pictures(page: &Page, place: &Place) {
    let draws =
        page.blocks().iter().any(|block| block.language == "python" && block.lines.join("").contains("savefig"));
    for picture in page.links().iter().filter(|link| link.is_picture) {
        let Some(file) = picture.target.strip_prefix(&format!("images/{}/", page.name)) else { continue };
        if draws && !file.contains('/') {
            continue;
        }
        let made = place.path(file);
        assert!(made.is_file(), "{}.md:{}: no command of this page makes {file}", page.name, picture.line);
        if rewrites() {
            let target = repository("docs/src").join(picture.target);
            fs::create_dir_all(target.parent().expect("a folder")).expect("a folder");
            fs::copy(&made, target).expect("a copy");
        }
    }
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) {
    std::os::unix::fs::symlink(from, to).expect("a link");
}

#[cfg(windows)]
fn link(from: &Path, to: &Path) {
    std::os::windows::fs::symlink_dir(from, to).expect("a link");
}
