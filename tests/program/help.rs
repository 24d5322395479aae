//! What the program says about itself: help, completions, man pages.

use super::Place;

#[test]
fn completions_know_the_commands() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = place.call(["completions", shell]).succeeds().stdout;
        assert!(script.contains("recommend") && script.contains("keep-seen"), "{shell}");
    }
}

#[test]
fn man_pages_cover_the_commands() {
    let place = Place::new();
    place.call(["man", "share/man1"]).succeeds();
    for command in listed(&place.call(["--help"]).succeeds().stdout) {
        let page = place.text(format!("share/man1/lowrank-{command}.1"));
        assert!(
            page.contains(".SH SYNOPSIS") && page.contains(&format!("lowrank\\-{}", command.replace('-', "\\-"))),
            "{command}: {page}"
        );
    }
    assert!(place.text("share/man1/lowrank.1").contains("130 interrupted"));
    place.write("taken", "");
    place.call(["man", "taken"]).refuses(&["taken"]);
}

/// The commands that a help text lists.
pub fn listed(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_string).collect()
}

#[test]
fn every_command_has_help_with_every_argument_explained() {
    fn visit(place: &Place, path: &[String], count: &mut usize) {
        let help = place.call(path.iter().map(String::as_str).chain(["--help"])).succeeds();
        assert!(help.stderr.is_empty() && help.stdout.contains("Usage: lowrank"), "{path:?}: {help:#?}");
        assert_eq!(
            place.call(["help"].into_iter().chain(path.iter().map(String::as_str))).succeeds().stdout,
            help.stdout
        );
        *count += 1;
        for name in listed(&help.stdout) {
            visit(place, &[path, &[name]].concat(), count);
        }
    }
    let mut count = 0;
    visit(&Place::new(), &[], &mut count);
    assert!(count >= 12, "{count} help texts");
    let help = Place::new().call(["--help"]).succeeds().stdout;
    assert!(help.contains("Exit codes: 0 done"), "{help}");
    let unknown = Place::new().call(["recomend"]).exits(2);
    assert!(unknown.stderr.contains("'recommend'"), "{unknown:#?}");
}
