//! The `teal` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    match args.next() {
        Some(word) if word == "sample-app" => teal_agent::demo::sample_app::main(args),
        Some(word) if word == "shim" => teal_agent::platform::local::shim::main(args),
        _ => ExitCode::from(2),
    }
}
