//! Linear algebra in main memory: matrices and their products, Gram matrices, groups, small systems, trees.
//!
//! Nothing here knows of ratings, models or devices. Results have the same bytes for any number of threads, and each sum
//! says in which order and precision it adds: in another order the same terms have another sum. Sums of our own have the
//! same bytes on every processor too; those that faer computes may differ with the width of its vector registers.
//!
//! | file | what it holds |
//! |---|---|
//! | `dot` | dot products, lengths, sums of columns |
//! | `dense`, `sparse`, `matrix` | a matrix with all its cells; with those that are not zero (CSR); either |
//! | `product` | matrix × tall matrix, from both sides |
//! | `gram` | XᵀX |
//! | `lanes` | rows padded to cache lines, for kernels that are written for vector registers |
//! | `cholesky` | systems with a symmetric matrix on such rows |
//! | `inverse` | the inverse of a large symmetric matrix |
//! | `similar` | rows of a sparse matrix that are most alike |
//! | `groups` | counting sort: positions, or cells, by row |
//! | `symmetric` | functions of a symmetric matrix, its pseudo-inverse among them |
//! | `least_squares` | non-negative least squares; the solution of least norm |
//! | `k_means`, `rand_index` | groups around their means, and how far two divisions into groups agree |
//! | [`linkage`] | hierarchical clustering with average linkage |
//! | `processor` | which vector instructions there are |

pub(crate) mod cholesky;
mod dense;
pub(crate) mod dot;
pub(crate) mod gram;
pub(crate) mod groups;
#[cfg(test)]
pub(crate) mod instruction_sets;
pub(crate) mod inverse;
pub(crate) mod k_means;
pub(crate) mod lanes;
pub(crate) mod least_squares;
pub mod linkage;
mod matrix;
pub(crate) mod processor;
pub(crate) mod product;
pub(crate) mod rand_index;
pub(crate) mod similar;
mod sparse;
pub(crate) mod symmetric;

pub use dense::Dense;
pub(crate) use groups::{Cells, Groups};
pub(crate) use lanes::Lane;
pub use matrix::Matrix;
pub(crate) use product::{Sides, View};
pub use similar::Similarity;
pub use sparse::Csr;
