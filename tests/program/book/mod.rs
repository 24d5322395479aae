//! The book in `docs`: its links lead somewhere, its reference is what the program knows, and its commands run.

mod commands;
mod docs;
mod links;
mod pages;
mod reference;

use std::path::{Path, PathBuf};

/// With this in the environment, pages and pictures that are made are written into the book.
const REWRITE: &str = "LOWRANK_REWRITE_BOOK";

/// A path of the repository.
fn repository(path: impl AsRef<Path>) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn rewrites() -> bool {
    std::env::var_os(REWRITE).is_some()
}
