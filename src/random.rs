//! Named streams of random numbers.
//!
//! Every random draw of a run comes from a ChaCha8 stream whose key is SHA-256(seed, name). A stream is created where
//! it is used (`"shuffle/7"`, `"init/user_factors"`), so no state is passed around: the same seed gives the same
//! numbers on every device and thread count, and after a resume.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// The stream called `name` of a run seeded with `seed`.
pub fn stream(seed: u64, name: &str) -> ChaCha8Rng {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    hash.update(name.as_bytes());
    ChaCha8Rng::from_seed(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    #[test]
    fn a_stream_is_a_function_of_seed_and_name() {
        let first = |seed, name| stream(seed, name).next_u64();
        assert_eq!(first(1, "init"), first(1, "init"));
        assert_ne!(first(1, "init"), first(2, "init"));
        assert_ne!(first(1, "init"), first(1, "shuffle"));
    }

    #[test]
    fn the_numbers_never_change_between_versions() {
        assert_eq!(stream(42, "init/user_factors").next_u64(), GOLDEN);
    }

    /// Printed once by this test; a change means that every seeded result changes.
    const GOLDEN: u64 = 12_993_660_488_638_989_055;
}
