//! The readers of this crate, in one list.

use super::baskets::Baskets;
use super::co_occurrences::CoOccurrences;
use super::delimited::Delimited;
use super::dense::DenseTable;
use super::documents::Documents;
use super::edges::Edges;
use super::json_lines::JsonObjects;
use super::libsvm::Libsvm;
use super::matrix_market::MatrixMarket;
use super::numpy::Numpy;
use super::pictures::{Picture, Pictures};
use super::purchases::OrderLines;
use super::reader::ReaderKind;
use super::ten_x::TenX;

/// The readers that every config can name, in the order of the documentation. If a config leaves the form open, those
/// further down are asked first.
pub fn built_in() -> Vec<ReaderKind> {
    vec![
        ReaderKind::of::<Delimited>(),
        ReaderKind::of::<JsonObjects>(),
        ReaderKind::of::<Libsvm>(),
        ReaderKind::of::<Edges>(),
        ReaderKind::of::<MatrixMarket>(),
        ReaderKind::of::<DenseTable>(),
        ReaderKind::of::<Numpy>(),
        ReaderKind::of::<Baskets>(),
        ReaderKind::of::<OrderLines>(),
        ReaderKind::of::<Picture>(),
        ReaderKind::of::<Pictures>(),
        ReaderKind::of::<CoOccurrences>(),
        ReaderKind::of::<Documents>(),
        ReaderKind::of::<TenX>(),
    ]
}
