//! Refuses what does not fit into the text, so that no configured value can become a directive of its own.

use std::collections::BTreeMap;

use super::Form;
use super::config::{EdgeComponent, EdgeConfig, Endpoint, Listener, RunAs, UserSource};
use super::rules::{self, abstract_name, account, count, file, name, port, socket, token, url_path};

/// Why nothing was rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// A value with characters or of a length that its place cannot hold.
    #[error("{field} `{}` does not fit: {rule}", .value.escape_debug())]
    Value {
        /// Which one, as in `path of api`.
        field: String,
        /// What stood there.
        value: String,
        /// What would fit.
        rule: &'static str,
    },
    /// A list that is empty or too long.
    #[error("{field}: {count} given, {rule}")]
    Count {
        /// Which list.
        field: String,
        /// How many there are.
        count: usize,
        /// How many there may be.
        rule: &'static str,
    },
    /// The components' order is their order in the policy, so it must be by name and without doubles.
    #[error("component `{0}` is out of order or there twice: components are sorted by name")]
    Order(String),
    /// Two components answer the same.
    #[error("`{first}` and `{second}` both answer {what}: give one of them other hosts or paths")]
    Overlap {
        /// One.
        first: String,
        /// The other.
        second: String,
        /// Host and path.
        what: String,
    },
    /// A fragment believes its peer about the client's address, so only this machine may connect to it.
    #[error("a fragment listens on loopback or a unix socket, without a certificate, not on `{0}`")]
    Exposed(String),
}

pub(super) fn check(config: &EdgeConfig, form: Form) -> Result<(), RenderError> {
    name("environment", &config.environment)?;
    listeners(&config.listeners, form)?;
    file("map", &config.map)?;
    for (field, path) in [
        ("runtime_socket", &config.runtime_socket),
        ("admin_socket", &config.admin_socket),
        ("master_socket", &config.master_socket),
    ] {
        socket(field, path)?;
    }
    if let Some(RunAs { user, group }) = &config.run_as {
        account("user", user)?;
        account("group", group)?;
    }
    if let Some(group) = &config.socket_group {
        account("socket_group", group)?;
    }
    components(&config.components)?;
    user(&config.user)?;
    let times = &config.timeouts;
    for (field, time) in [
        ("timeout client", times.client),
        ("timeout connect", times.connect),
        ("timeout server", times.server),
        ("timeout check", times.check),
        ("timeout request", times.request),
        ("timeout keep_alive", times.keep_alive),
        ("timeout tunnel", times.tunnel),
        ("hard_stop_after", times.hard_stop_after),
    ] {
        rules::time(field, time)?;
    }
    Ok(())
}

fn listeners(listeners: &[Listener], form: Form) -> Result<(), RenderError> {
    let count = listeners.len();
    let wrong = |rule| Err(RenderError::Count { field: "listeners".to_owned(), count, rule });
    match form {
        Form::Whole if count == 0 => return wrong("at least one is needed"),
        Form::Fragment if count != 1 => return wrong("a fragment has one"),
        Form::Whole | Form::Fragment => {}
    }
    for Listener { endpoint, certificate } in listeners {
        match endpoint {
            Endpoint::Tcp(address) => {
                port("listener", *address)?;
                if form == Form::Fragment && !address.ip().is_loopback() {
                    return Err(RenderError::Exposed(address.to_string()));
                }
            }
            Endpoint::Unix(path) => socket("listener", path)?,
            Endpoint::Abstract(name) => abstract_name("listener", name)?,
        }
        if let Some(path) = certificate {
            file("certificate", path)?;
            if form == Form::Fragment {
                return Err(RenderError::Exposed(path.display().to_string()));
            }
        }
    }
    Ok(())
}

fn components(components: &[EdgeComponent]) -> Result<(), RenderError> {
    if components.is_empty() {
        let rule = "at least one is needed";
        return Err(RenderError::Count { field: "components".to_owned(), count: 0, rule });
    }
    for (index, component) in components.iter().enumerate() {
        let of = |what: &str| format!("{what} of {}", component.name);
        name("component", &component.name)?;
        if index > 0 && components[index - 1].name >= component.name {
            return Err(RenderError::Order(component.name.clone()));
        }
        for host in &component.hosts {
            rules::host(&of("host"), host)?;
        }
        for path in component.paths.iter().chain([&component.ready]) {
            url_path(&of("path"), path)?;
        }
        for path in &component.ignore_paths {
            url_path(&of("ignore_paths"), path)?;
        }
        for (field, servers) in [("blue servers", &component.blue), ("green servers", &component.green)] {
            count(&of(field), servers.len(), 1..=1000, "1 to 1000 are needed")?;
            for server in servers {
                port(&of("server"), *server)?;
            }
        }
        count(&of("routes"), component.routes.len(), 0..=32, "at most 32 fit")?;
        for route in &component.routes {
            name(&of("route"), &route.name)?;
            url_path(&of("route's path"), &route.path)?;
        }
    }
    overlaps(components)
}

/// Two components with the same host and path: the order of the lines would decide, silently.
fn overlaps(components: &[EdgeComponent]) -> Result<(), RenderError> {
    let everything = [String::new()];
    let or_all = |list: &'_ Vec<String>| if list.is_empty() { everything.to_vec() } else { list.clone() };
    let mut answered: BTreeMap<(String, String), &str> = BTreeMap::new();
    for component in components {
        for host in or_all(&component.hosts) {
            for path in or_all(&component.paths) {
                let what = match (host.as_str(), path.as_str()) {
                    ("", "") => "everything".to_owned(),
                    ("", path) => path.to_owned(),
                    (host, path) => format!("{host}{path}"),
                };
                if let Some(first) = answered.insert((host.clone(), path), &component.name)
                    && first != component.name
                {
                    return Err(RenderError::Overlap { first: first.to_owned(), second: component.name.clone(), what });
                }
            }
        }
    }
    Ok(())
}

fn user(user: &UserSource) -> Result<(), RenderError> {
    match user {
        UserSource::None => Ok(()),
        UserSource::Header { name, trusted } => {
            token("user header", name)?;
            count("trusted proxies of the user header", trusted.len(), 1..=100, "1 to 100 are needed")
        }
        UserSource::Cookie { name } => token("user cookie", name),
        UserSource::Jwt { claim, algorithm: _, key } => {
            rules::claim("user claim", claim)?;
            file("key of the user's token", key)
        }
    }
}
