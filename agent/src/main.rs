//! The `teal` binary.

fn main() -> std::process::ExitCode {
    teal_agent::cli::run()
}
