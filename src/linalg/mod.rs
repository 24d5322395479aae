//! Linear algebra in main memory: matrices and their products, Gram matrices, groups, small systems, trees.
//!
//! Nothing here knows of ratings, models or devices. Results have the same bytes for any number of threads, and each sum
//! says in which order and precision it adds: in another order the same terms have another sum.
//!
//! | file | what it holds |
//! |---|---|
//! | [`dot`] | dot products, lengths, sums of columns |
//! | [`dense`], [`sparse`], [`matrix`] | a matrix with all its cells; with those that are not zero (CSR); either |
//! | [`product`] | matrix × tall matrix, from both sides |
//! | [`gram`] | XᵀX |
//! | [`lanes`] | rows padded to cache lines, for kernels that are written for vector registers |
//! | [`groups`] | counting sort: positions, or cells, by row |
//! | [`symmetric`] | functions of a symmetric matrix, its pseudo-inverse among them |
//! | [`least_squares`] | non-negative least squares |
//! | [`linkage`] | hierarchical clustering with average linkage |

pub mod dense;
pub mod dot;
pub mod gram;
pub mod groups;
pub mod lanes;
pub mod least_squares;
pub mod linkage;
pub mod matrix;
pub mod product;
pub mod sparse;
pub mod symmetric;

pub use dense::Dense;
pub use groups::{Cells, Groups};
pub use lanes::Lane;
pub use matrix::Matrix;
pub use product::{Sides, View};
pub use sparse::Csr;
