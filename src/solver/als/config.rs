//! What ratings mean to ALS, and how it solves its systems.

/// What ratings say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Feedback {
    /// How much a user likes an item; what is not there is unknown.
    Explicit,
    /// How sure it is that a user likes an item; what is not there is a weak sign of dislike.
    Implicit {
        /// α: confidence that a rating of 1 adds to the 1 of every cell. At least 0.
        confidence_alpha: f64,
    },
}

impl Feedback {
    /// What ratings must be, where this has no meaning for `rating`.
    pub fn refuses(self, rating: f32) -> Option<&'static str> {
        match self {
            Self::Implicit { .. } if rating < 0.0 => {
                Some("implicit feedback counts how often, from 0 up; use explicit feedback, or data.binarize")
            }
            _ => None,
        }
    }

    /// Weight and target of a rating in the equations; `offset` is what the score is before the dot product.
    pub(super) fn terms(self, rating: f32, offset: f32) -> (f32, f32) {
        match self {
            Self::Explicit => (1.0, rating - offset),
            // Every cell has weight 1 already, in the Gram matrix.
            Self::Implicit { confidence_alpha } => {
                let more = confidence_alpha as f32 * rating;
                (more, if rating > 0.0 { 1.0 + more } else { 0.0 })
            }
        }
    }
}

/// How the system of a row is solved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inner {
    /// Exactly, by Cholesky factorization.
    Cholesky,
    /// Nearly, by steps of conjugate gradients from the present row (Takács, Pilászy & Tikk 2011): less work at high
    /// ranks.
    ConjugateGradient {
        /// Steps for each row.
        steps: usize,
    },
    /// Nearly, one unknown at a time from the present row, none below zero where the model says so: non-negative least
    /// squares.
    CoordinateDescent {
        /// Most rounds through the unknowns of each row.
        sweeps: usize,
    },
}

/// What ratings mean, and how systems are solved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AlsConfig {
    /// What ratings say.
    pub feedback: Feedback,
    /// How the system of a row is solved.
    pub inner: Inner,
    /// ν: λ counts nᵛ times for a row with n ratings.
    pub count_exponent: f64,
}

impl AlsConfig {
    /// How often λ counts for a row with so many ratings; not at all where there are none.
    pub(super) fn times_penalized(self, count: usize) -> f64 {
        if count == 0 { 0.0 } else { (count as f64).powf(self.count_exponent) }
    }
}
