//! The program `lowrank` with one more part of each kind. Everything here is written as another crate would write it.

mod hit_rate;
mod log_cosh;
mod mf_history;
mod pairs;
mod rprop;

use lowrank::Parts;

fn main() -> std::process::ExitCode {
    lowrank::cli::main(
        Parts::built_in()
            .model::<mf_history::HistoryMf>()
            .objective::<log_cosh::LogCosh>()
            .metric(hit_rate::HitRate::default())
            .reader::<pairs::Pairs>()
            .solver(rprop::RpropPart),
    )
}
