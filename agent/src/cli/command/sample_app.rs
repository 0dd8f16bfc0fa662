//! `teal sample-app`, hidden: the demo's application.

use std::ffi::OsString;

/// Arguments of `teal sample-app`: its own, read by the app.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(in crate::cli) arguments: Vec<OsString>,
}
