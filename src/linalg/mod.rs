//! Linear algebra in main memory: matrices and their products, Gram matrices, groups, small systems, trees.
//!
//! Nothing here knows of ratings, models or devices. Results have the same bytes for any number of threads, and each sum
//! says in which order and precision it adds: in another order the same terms have another sum.
//!
//! | file | what it holds |
//! |---|---|
//! | `dot` | dot products, lengths, sums of columns |
//! | `dense`, `sparse`, `matrix` | a matrix with all its cells; with those that are not zero (CSR); either |
//! | `product` | matrix × tall matrix, from both sides |
//! | `gram` | XᵀX |
//! | `lanes` | rows padded to cache lines, for kernels that are written for vector registers |
//! | `groups` | counting sort: positions, or cells, by row |
//! | `symmetric` | functions of a symmetric matrix, its pseudo-inverse among them |
//! | `least_squares` | non-negative least squares |
//! | [`linkage`] | hierarchical clustering with average linkage |

mod dense;
pub(crate) mod dot;
pub(crate) mod gram;
pub(crate) mod groups;
pub(crate) mod lanes;
pub(crate) mod least_squares;
pub mod linkage;
mod matrix;
pub(crate) mod product;
mod sparse;
pub(crate) mod symmetric;

pub use dense::Dense;
pub(crate) use groups::{Cells, Groups};
pub(crate) use lanes::Lane;
pub use matrix::Matrix;
pub(crate) use product::{Sides, View};
pub use sparse::Csr;
