//! Hashes of what was read.

use std::io::{ErrorKind, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::files;

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// The fingerprint of files with these hashes.
pub fn fingerprint(hashes: &[Hash]) -> String {
    match hashes {
        [hash] => hexadecimal(hash),
        hashes => hexadecimal(&Sha256::digest(hashes.as_flattened())),
    }
}

/// The fingerprint of what has the fingerprint `other` and of a file with this hash.
pub fn combined(other: &str, hash: &Hash) -> String {
    let mut both = Sha256::new();
    both.update(other);
    both.update(hash);
    hexadecimal(&both.finalize())
}

/// Two digits a byte, in lower case.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The hash of a file's content, after decompression.
///
/// # Errors
/// [`Error::Io`].
pub fn hash_file(path: &Path) -> Result<Hash> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    let mut source = files::open(path)?;
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok(hash.finalize().into()),
            Ok(count) => hash.update(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::io("read", path, error)),
        }
    }
}
