//! Writes the text of HAProxy's configuration for one environment, whole or as a fragment beside somebody else's.
//!
//! ```text
//! EdgeConfig --check--> (every value fits) --fill--> whole.cfg    + edge.cfg + backend.cfg x components x colours
//!                                                    fragment.cfg +          the same          + entry.cfg
//! ```
//!
//! Pure: the templates are compiled in, nothing is read or written. The text routes each request by the policy
//! in the map (see [`teal_rollout::policy`]) and never needs to be rendered again in order to switch.

mod check;
mod config;
mod leave;
pub(super) mod lines;
mod rules;
mod template;

#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::time::Duration;

pub use check::RenderError;
pub use config::{
    Cidr, EdgeComponent, EdgeConfig, EdgeRoute, Endpoint, InvalidCidr, JwtAlgorithm, Listener, RunAs,
    ServerConnections, Timeouts, UserSource,
};
pub use leave::leave;
use teal_rollout::colour::Colour;
use template::fill;

const WHOLE: &str = include_str!("../../../../../proxy-config/whole.cfg");
const FRAGMENT: &str = include_str!("../../../../../proxy-config/fragment.cfg");
const ENTRY: &str = include_str!("../../../../../proxy-config/entry.cfg");
const EDGE: &str = include_str!("../../../../../proxy-config/edge.cfg");
const BACKEND: &str = include_str!("../../../../../proxy-config/backend.cfg");
const UNAVAILABLE: &str = include_str!("../../../../../proxy-config/unavailable.html");

/// What is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// All that a HAProxy of its own needs.
    Whole,
    /// For `haproxy -f THEIRS -f THIS`: own names, own defaults, a listener of its own behind theirs.
    Fragment,
}

/// The configuration's text, ending in a newline.
///
/// # Errors
/// The first value that does not fit; nothing that was configured ever becomes a directive of its own.
pub fn render(config: &EdgeConfig, form: Form) -> Result<String, RenderError> {
    check::check(config, form)?;
    let mut text = head(config, form);
    text += &edge(config, form);
    for component in &config.components {
        for colour in Colour::BOTH {
            text += &backend(config, component, colour);
        }
    }
    if form == Form::Fragment {
        text += &entry(config);
    }
    Ok(text)
}

fn entry(config: &EdgeConfig) -> String {
    fill(
        ENTRY,
        &[
            ("environment", &config.environment),
            ("entry", &lines::address(&config.listeners[0].endpoint)),
            ("entry_timeout", &lines::time(config.timeouts.server + Duration::from_secs(5))),
        ],
    )
}

fn head(config: &EdgeConfig, form: Form) -> String {
    let template = match form {
        Form::Whole => WHOLE,
        Form::Fragment => FRAGMENT,
    };
    head_with(config, template)
}

fn head_with(config: &EdgeConfig, template: &str) -> String {
    let run_as = config.run_as.as_ref().map(|RunAs { user, group }| format!("user {user}\ngroup {group}"));
    let encrypted = config.listeners.iter().any(|listener| listener.certificate.is_some());
    fill(
        template,
        &[
            ("environment", &config.environment),
            ("map", &lines::file(&config.map)),
            ("runtime_socket", &lines::file(&config.runtime_socket)),
            ("admin_socket", &lines::file(&config.admin_socket)),
            ("master_socket", &lines::file(&config.master_socket)),
            ("socket_group", &config.socket_group.as_ref().map_or_else(String::new, |group| format!(" group {group}"))),
            ("hard_stop_after", &lines::time(config.timeouts.hard_stop_after)),
            ("run_as", &run_as.unwrap_or_default()),
            ("tls", if encrypted { "ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets" } else { "" }),
        ],
    )
}

fn edge(config: &EdgeConfig, form: Form) -> String {
    // v1, epoch, three a component, salt, dead man; HAProxy counts fields from 1.
    let salt = 3 + 3 * config.components.len();
    let timeouts = &config.timeouts;
    let (connections, reuse) = match config.connections {
        ServerConnections::Kept => ("http-keep-alive", "safe"),
        ServerConnections::Fresh => ("http-server-close", "never"),
    };
    fill(
        EDGE,
        &[
            ("environment", &config.environment),
            ("map", &lines::file(&config.map)),
            ("timeout_client", &lines::time(timeouts.client)),
            ("timeout_connect", &lines::time(timeouts.connect)),
            ("timeout_server", &lines::time(timeouts.server)),
            ("timeout_check", &lines::time(timeouts.check)),
            ("timeout_request", &lines::time(timeouts.request)),
            ("timeout_keep_alive", &lines::time(timeouts.keep_alive)),
            ("timeout_tunnel", &lines::time(timeouts.tunnel)),
            ("connections", connections),
            ("reuse", reuse),
            ("errors", &lines::errors(UNAVAILABLE)),
            ("binds", &lines::binds(config, form)),
            ("forwarded", &lines::forwarded(config, form)),
            ("distrust", &lines::distrust(&config.user)),
            ("components", &lines::components(&config.components)),
            ("groups", &lines::groups(&config.components)),
            ("ignored", &lines::ignored(&config.components)),
            ("routes", &lines::routes(&config.components)),
            ("fallbacks", &lines::fallbacks(config)),
            ("user", &lines::user(&config.user)),
            ("salt_field", &salt.to_string()),
            ("dead_man_field", &(salt + 1).to_string()),
            ("field_after", &(salt + 2).to_string()),
        ],
    )
}

fn backend(config: &EdgeConfig, component: &EdgeComponent, colour: Colour) -> String {
    let servers = match colour {
        Colour::Blue => &component.blue,
        Colour::Green => &component.green,
    };
    let mut list = String::new();
    for (index, server) in servers.iter().enumerate() {
        let _ = writeln!(list, "server s{} {server}", index + 1);
    }
    fill(
        BACKEND,
        &[
            ("environment", &config.environment),
            ("component", &component.name),
            ("colour", colour.as_str()),
            ("ready", &component.ready),
            ("check_host", component.hosts.first().map_or("localhost", String::as_str)),
            ("servers", &list),
        ],
    )
}
