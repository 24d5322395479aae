//! Links, pictures and the table of contents.

use std::fs;

use super::pages::{Page, book, readme};
use super::repository;

/// Largest picture, in bytes: a page has to open at once.
const LARGEST_PICTURE: u64 = 150_000;

#[test]
fn every_page_is_in_the_contents_once() {
    let contents = Page::read("SUMMARY", "docs/src/SUMMARY.md");
    let mut listed: Vec<_> =
        contents.links().iter().map(|link| link.target.trim_end_matches(".md").to_string()).collect();
    listed.sort();
    let pages: Vec<_> = book().into_iter().map(|page| page.name).collect();
    assert_eq!(listed, pages);
}

#[test]
fn links_lead_somewhere() {
    let mut faults = Vec::new();
    for page in book().into_iter().chain([readme()]) {
        let folder = page.path.parent().expect("a folder").to_path_buf();
        for link in page.links().iter().filter(|link| !link.target.starts_with("https://")) {
            let mut fault =
                |what: &str| faults.push(format!("{}.md:{}: {}: {what}", page.name, link.line, link.target));
            let (file, anchor) = link.target.split_once('#').unwrap_or((link.target, ""));
            let path = if file.is_empty() { page.path.clone() } else { folder.join(file) };
            let Ok(path) = path.canonicalize() else {
                fault("there is no such file");
                continue;
            };
            // The built book holds nothing else.
            if page.name != "README" && !path.starts_with(repository("docs/src").canonicalize().expect("a folder")) {
                fault("leads out of the book; name the file instead");
            }
            let target = path.strip_prefix(repository("").canonicalize().expect("a folder")).expect("below");
            if !anchor.is_empty() {
                let target = Page::read("", target.to_str().expect("UTF-8"));
                if !target.anchors().iter().any(|other| other == anchor) {
                    fault("there is no such heading");
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn pictures_are_small_described_and_shown() {
    let root = repository("docs/src/images");
    let mut shown = Vec::new();
    for page in book().into_iter().chain([readme()]) {
        for picture in page.links().iter().filter(|link| link.is_picture) {
            let words = picture.text.split_whitespace().count();
            assert!(words > 3, "{}:{}: say what the picture shows", page.name, picture.line);
            let path = page.path.parent().expect("a folder").join(picture.target).canonicalize().expect(picture.target);
            let size = fs::metadata(&path).expect("a picture").len();
            assert!(size <= LARGEST_PICTURE, "{}: {size} bytes", picture.target);
            shown.push(path);
        }
    }
    fn visit(folder: &std::path::Path, shown: &[std::path::PathBuf]) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path().canonicalize().expect("it is there");
            match path.is_dir() {
                true => visit(&path, shown),
                false => assert!(shown.contains(&path), "{}: no page shows it", path.display()),
            }
        }
    }
    visit(&root, &shown);
}
