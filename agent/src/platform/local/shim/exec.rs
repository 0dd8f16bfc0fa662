//! The step between shim and application: the process asks the kernel to be killed with the shim, and then becomes the
//! application.
//!
//! The usual place for this is between fork and exec, which takes `unsafe`; a program of its own does not.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use rustix::process::{Signal, getppid, set_parent_process_death_signal};

/// What tells this step from a shim on the command line.
pub(super) const FLAG: &str = "--exec";

/// The exit status of this step when the application could not be run, as shells have it; why stands in a file.
pub(super) const NOT_RUN: u8 = 127;

/// Becomes `program`, the child of `parent`. Returns only when that fails.
pub(super) fn run(parent: &OsStr, error_file: &Path, program: &[OsString]) -> ExitCode {
    let error = match set_parent_process_death_signal(Some(Signal::KILL)) {
        Err(error) => error.into(),
        // The shim may have died before the kernel knew what we want.
        Ok(()) if !is_parent(parent) => return ExitCode::from(NOT_RUN),
        Ok(()) => Command::new(&program[0]).args(&program[1..]).exec(),
    };
    let reason = format!("cannot run {}: {error}", program[0].display());
    let _also_in_the_output = std::fs::write(error_file, &reason);
    eprintln!("teal: {reason}");
    ExitCode::from(NOT_RUN)
}

fn is_parent(pid: &OsStr) -> bool {
    getppid().is_some_and(|parent| pid.to_str() == Some(parent.as_raw_nonzero().to_string().as_str()))
}
