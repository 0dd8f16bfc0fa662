//! What each role may do: one table. docs/flag-service.md shows it, and a test compares the two.

use super::role::{Role, Roles};

/// Who may do one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// As in `GET`, which stands for `HEAD` as well.
    pub method: &'static str,
    /// With its parameters in braces.
    pub path: &'static str,
    /// One of these is enough.
    pub roles: Roles,
}

const READ: Roles = Roles::of(&[Role::Viewer, Role::Editor, Role::Deployer, Role::Admin]);
const EDIT: Roles = Roles::of(&[Role::Editor, Role::Admin]);
/// Answers, without the rules behind them.
const ASK: Roles = Roles::of(&[Role::Sdk, Role::Client, Role::Viewer, Role::Editor, Role::Deployer, Role::Admin]);
/// Everything, to be evaluated elsewhere.
const FOLLOW: Roles = Roles::of(&[Role::Sdk, Role::Viewer, Role::Editor, Role::Deployer, Role::Admin]);
const COUNT: Roles = Roles::of(&[Role::Sdk, Role::Admin]);
const ADMIN: Roles = Roles::of(&[Role::Admin]);
const ANY: Roles = Roles::of(&Role::ALL);

/// What is not listed here, nobody may do.
pub const RULES: &[Rule] = &[
    on("GET", "/api/v1/feature-flags", READ),
    on("POST", "/api/v1/feature-flags", EDIT),
    on("GET", "/api/v1/feature-flags/snapshot", FOLLOW),
    on("GET", "/api/v1/feature-flags/stream", FOLLOW),
    on("POST", "/api/v1/feature-flags/exposures", COUNT),
    on("POST", "/api/v1/feature-flags/import", ADMIN),
    on("GET", "/api/v1/feature-flags/segments", READ),
    on("POST", "/api/v1/feature-flags/segments", EDIT),
    on("GET", "/api/v1/feature-flags/segments/{segment}", READ),
    on("PATCH", "/api/v1/feature-flags/segments/{segment}", EDIT),
    on("DELETE", "/api/v1/feature-flags/segments/{segment}", EDIT),
    on("GET", "/api/v1/feature-flags/audit-log", READ),
    on("GET", "/api/v1/feature-flags/stale", READ),
    on("GET", "/api/v1/feature-flags/{flag}", READ),
    on("PATCH", "/api/v1/feature-flags/{flag}", EDIT),
    on("DELETE", "/api/v1/feature-flags/{flag}", EDIT),
    on("GET", "/api/v1/feature-flags/{flag}/audit-log", READ),
    on("GET", "/api/v1/feature-flags/{flag}/check", ASK),
    on("POST", "/api/v1/feature-flags/{flag}/check", ASK),
    on("GET", "/api/v1/tokens", ADMIN),
    on("POST", "/api/v1/tokens", ADMIN),
    on("GET", "/api/v1/tokens/self", ANY),
    on("GET", "/api/v1/tokens/audit-log", ADMIN),
    on("GET", "/api/v1/tokens/{token}", ADMIN),
    on("DELETE", "/api/v1/tokens/{token}", ADMIN),
    on("GET", "/api/openapi.json", ANY),
    on("POST", "/ofrep/v1/evaluate/flags", ASK),
    on("POST", "/ofrep/v1/evaluate/flags/{key}", ASK),
];

/// What an agent on a node tells the agent of an edge; a door of its own.
pub const OBSERVATIONS: &str = "/api/v1/environments/{environment}/observations";

/// The rules of that door. An admin of flags is none of releases.
pub const OF_OBSERVERS: &[Rule] = &[on("POST", OBSERVATIONS, Roles::of(&[Role::Observer]))];

const fn on(method: &'static str, path: &'static str, roles: Roles) -> Rule {
    Rule { method, path, roles }
}

/// The rule for a method of a path, as the router matched it.
#[must_use]
pub fn rule(method: &str, path: &str) -> Option<&'static Rule> {
    let method = if method == "HEAD" { "GET" } else { method };
    RULES.iter().chain(OF_OBSERVERS).find(|rule| rule.path == path && rule.method == method)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_rule_stands_twice_and_admins_may_do_everything() {
        for (index, one) in RULES.iter().enumerate() {
            assert!(one.roles.has(Role::Admin), "{one:?}");
            assert!(RULES[..index].iter().all(|other| (other.method, other.path) != (one.method, one.path)), "{one:?}");
        }
    }

    #[test]
    fn what_changes_something_is_for_few() {
        let check = |method: &str, path: &str, expected: &str| {
            let found = rule(method, path).map(|rule| rule.roles.to_string());
            assert_eq!(found.as_deref().unwrap_or("nobody"), expected, "{method} {path}");
        };
        check("PATCH", "/api/v1/feature-flags/{flag}", "editor, admin");
        check("HEAD", "/api/v1/feature-flags/stream", "sdk, viewer, editor, deployer, admin");
        check("PUT", "/api/v1/feature-flags/{flag}", "nobody");
        check("GET", "/api/v1/feature-flags/{other}", "nobody");
        for changing in RULES
            .iter()
            .filter(|rule| rule.method != "GET" && !rule.path.ends_with("/check") && !rule.path.starts_with("/ofrep/"))
        {
            let roles = changing.roles;
            assert!(!roles.has(Role::Client) && !roles.has(Role::Viewer) && !roles.has(Role::Deployer), "{changing:?}");
        }
    }
}
