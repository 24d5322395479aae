//! The `lowrank` program.

fn main() -> std::process::ExitCode {
    lowrank::cli::main(lowrank::Parts::built_in())
}
