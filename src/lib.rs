#![warn(missing_docs)]
//! wip

pub mod cli;
pub mod config;
pub mod data;
pub mod device;
pub mod error;
pub mod eval;
pub mod files;
pub mod loss;
pub mod metric;
pub mod model;
pub mod random;
pub mod report;
pub mod run;
pub mod solver;
pub mod train;
