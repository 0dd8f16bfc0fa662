//! The lines that depend on the configuration, one function a gap in the templates. Values were checked before.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use super::Form;
use super::config::{EdgeComponent, EdgeConfig, Endpoint, JwtAlgorithm, UserSource};

pub(in crate::proxy::haproxy) fn time(duration: Duration) -> String {
    let millis = duration.as_millis();
    if millis.is_multiple_of(1000) { format!("{}s", millis / 1000) } else { format!("{millis}ms") }
}

pub(super) fn file(path: &Path) -> String {
    path.display().to_string()
}

pub(super) fn address(endpoint: &Endpoint) -> String {
    match endpoint {
        Endpoint::Tcp(address) => address.to_string(),
        Endpoint::Unix(path) => format!("unix@{}", path.display()),
        Endpoint::Abstract(name) => format!("abns@{name}"),
    }
}

pub(super) fn binds(config: &EdgeConfig, form: Form) -> String {
    let mut text = String::new();
    for listener in &config.listeners {
        let _ = write!(text, "bind {}", address(&listener.endpoint));
        match &listener.endpoint {
            Endpoint::Tcp(SocketAddr::V6(v6)) => {
                // Alone, [::]:80 takes both families; beside 0.0.0.0:80 it must leave one to it.
                let shared = config
                    .listeners
                    .iter()
                    .any(|other| matches!(other.endpoint, Endpoint::Tcp(SocketAddr::V4(v4)) if v4.port() == v6.port()));
                text += if shared { " v6only" } else { "" };
            }
            Endpoint::Unix(_) => {
                text += " mode 660";
                if let Some(group) = &config.socket_group {
                    let _ = write!(text, " group {group}");
                }
            }
            Endpoint::Tcp(SocketAddr::V4(_)) | Endpoint::Abstract(_) => {}
        }
        if let Some(certificate) = &listener.certificate {
            let _ = write!(text, " ssl crt {} alpn h2,http/1.1", certificate.display());
        }
        text += if form == Form::Fragment { " accept-proxy\n" } else { "\n" };
    }
    text
}

/// Who the client is, for the application. Beside another configuration that is the other one's business.
pub(super) fn forwarded(config: &EdgeConfig, form: Form) -> String {
    if form == Form::Fragment {
        return String::new();
    }
    let mut text = "option forwardfor\n".to_owned();
    if config.listeners.iter().any(|listener| listener.certificate.is_some()) {
        text += "http-request set-header x-forwarded-proto https if { ssl_fc }\n";
    }
    text
}

pub(super) fn distrust(user: &UserSource) -> String {
    let UserSource::Header { name, trusted } = user else { return String::new() };
    let mut text = "acl teal_trusted src".to_owned();
    for range in trusted {
        let _ = write!(text, " {}/{}", range.address, range.prefix);
    }
    let _ = write!(text, "\nhttp-request del-header {name} unless teal_trusted");
    text
}

/// `/api` fits `/api` and `/api/x` but not `/apiary`: with a slash behind the path, that is one comparison.
pub(in crate::proxy::haproxy) fn path_is(prefix: &str) -> String {
    if prefix.ends_with('/') {
        format!("{{ path -m beg {prefix} }}")
    } else {
        format!("{{ path,concat(/) -m beg {prefix}/ }}")
    }
}

fn component_is(component: &EdgeComponent) -> String {
    format!("{{ var(txn.teal_component) -m str {} }}", component.name)
}

pub(super) fn components(components: &[EdgeComponent]) -> String {
    let mut rules: Vec<(bool, usize, String)> = Vec::new();
    for EdgeComponent { name, hosts, paths, .. } in components {
        let host = if hosts.is_empty() {
            String::new()
        } else {
            format!(" {{ req.hdr(host),host_only -m str -i {} }}", hosts.join(" "))
        };
        let set = format!("http-request set-var(txn.teal_component) str({name})");
        if paths.is_empty() {
            let condition = if hosts.is_empty() { String::new() } else { format!(" if{host}") };
            rules.push((!hosts.is_empty(), 0, format!("{set}{condition}\n")));
        }
        for path in paths {
            rules.push((!hosts.is_empty(), path.len(), format!("{set} if{host} {}\n", path_is(path))));
        }
    }
    rules.sort_by_key(|(host, length, _)| (*host, *length));
    rules.into_iter().map(|(_, _, rule)| rule).collect()
}

pub(super) fn groups(components: &[EdgeComponent]) -> String {
    let mut text = "http-request set-var(txn.teal_group) int(0)\n".to_owned();
    for component in components {
        let mut routes: Vec<_> = component.routes.iter().zip(1..).collect();
        routes.sort_by_key(|(route, _)| route.path.len());
        for (route, group) in routes {
            let (component, path) = (component_is(component), path_is(&route.path));
            let _ = writeln!(text, "http-request set-var(txn.teal_group) int({group}) if {component} {path}");
        }
    }
    text
}

/// What counts for neither colour still leaves a line, without a group: that it ended has to be known, so that it does
/// not look like a request that hangs.
pub(super) fn ignored(components: &[EdgeComponent]) -> String {
    let mut text = String::new();
    for component in components {
        for path in &component.ignore_paths {
            let (component, path) = (component_is(component), path_is(path));
            let _ = writeln!(text, "http-request unset-var(txn.teal_group) if {component} {path}");
        }
    }
    text
}

pub(super) fn routes(components: &[EdgeComponent]) -> String {
    let mut text = String::new();
    for (component, first) in components.iter().zip((3..).step_by(3)) {
        let is = component_is(component);
        for (field, name) in (first..).zip(["stable", "candidate", "share"]) {
            let _ =
                writeln!(text, "http-request set-var(txn.teal_{name}) var(txn.teal_policy),field({field},:) if {is}");
        }
    }
    text
}

pub(super) fn fallbacks(config: &EdgeConfig) -> String {
    let mut text = String::new();
    for component in &config.components {
        let blue = format!("teal_{}_{}_blue", config.environment, component.name);
        let is = component_is(component);
        let _ = writeln!(
            text,
            "http-request set-var(txn.teal_colour) str(green) if !teal_policy {is} {{ nbsrv({blue}) eq 0 }}"
        );
    }
    text
}

pub(super) fn user(user: &UserSource) -> String {
    let set = "http-request set-var(txn.teal_user)";
    match user {
        UserSource::None => String::new(),
        UserSource::Header { name, .. } => format!("{set} req.fhdr({name}) if teal_some"),
        UserSource::Cookie { name } => format!("{set} req.cook({name}) if teal_some"),
        UserSource::Jwt { claim, algorithm, key } => {
            let algorithm = match algorithm {
                JwtAlgorithm::Rs256 => "RS256",
                JwtAlgorithm::Rs384 => "RS384",
                JwtAlgorithm::Rs512 => "RS512",
                JwtAlgorithm::Es256 => "ES256",
                JwtAlgorithm::Es384 => "ES384",
                JwtAlgorithm::Es512 => "ES512",
            };
            let verified = format!("http_auth_bearer,jwt_verify({algorithm},{}) -m int 1", key.display());
            format!("{set} http_auth_bearer,jwt_payload_query('$.{claim}') if teal_some {{ {verified} }}")
        }
    }
}

/// The error page in one line; HAProxy takes everything between single quotes as it is.
pub(super) fn errors(page: &str) -> String {
    let page: String = page.lines().map(str::trim).collect();
    let mut text = String::new();
    for status in [502, 503, 504] {
        let _ = writeln!(
            text,
            "http-error status {status} content-type 'text/html; charset=utf-8' hdr cache-control no-store string '{page}'"
        );
    }
    text
}
