//! `teal shim`, hidden: supervises one process of the local platform.

use std::ffi::OsString;

/// Arguments of `teal shim`: its own, read by the shim.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    pub(in crate::cli) arguments: Vec<OsString>,
}
