//! The reader as a whole, by subject.

mod cluster;
mod common;
mod criteria;
mod effective;
mod flags;
mod mistakes;
mod observing;
mod reference;

use std::path::Path;
use std::time::Duration;

use teal_rollout::colour::{Colour, Share};
use teal_rollout::settings::Mode;

use super::*;

/// The smallest configuration: what has no default.
pub(super) const LEAST: &str = r#"
app = "shop"
state = "/var/lib/teal"
[environments.prod.edge]
map = "/etc/haproxy/prod.map"
socket = "/run/haproxy/teal.sock"
[components.api]
run = ["api", "{port}"]
ports = "8100-8109"
"#;

fn read(text: &str) -> Config {
    parse(text, Path::new("/etc/teal")).0.unwrap_or_else(|errors| {
        panic!("{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    })
}

fn mistakes(text: &str) -> Vec<String> {
    let errors = parse(text, Path::new("/etc/teal")).0.expect_err("must be refused");
    errors.iter().map(ToString::to_string).collect()
}
