//! The `teal` binary.

fn main() -> std::process::ExitCode {
    teal_agent::version::stamp(option_env!("TEAL_COMMIT"), option_env!("TEAL_DATE"));
    teal_agent::cli::run()
}
