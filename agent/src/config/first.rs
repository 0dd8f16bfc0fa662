//! The first `teal.toml` of an application.

use std::path::Path;

use crate::access::FirstToken;

/// The first `teal.toml` that `teal init` writes; `{app}` stands for the application's name.
pub const FIRST: &str = include_str!("first.toml");

/// [`FIRST`] for an application; with everything below `folder`, where one is given, and flags served to who has the
/// `token`, whose file is named.
#[must_use]
pub fn first(app: &str, folder: Option<&Path>, token: Option<(&FirstToken, &str)>) -> String {
    let mut text = FIRST.to_owned();
    if let Some((token, file)) = token {
        let flags = format!(
            "[flags]                             # feature flags for applications\n\
             first_token = \"{token}\"   # the digest of the admin's token in {file}"
        );
        text = text.replace(FLAGS, &flags);
    }
    if let Some(folder) = folder.and_then(Path::to_str).filter(|folder| is_plain(folder)) {
        for (system, own) in PLACES {
            text = text.replace(system, &format!("\"{folder}/{own}"));
        }
    }
    text.replace("{app}", app)
}

/// Where [`FIRST`] puts things on a machine, and in a folder of one's own.
const PLACES: [(&str, &str); 4] = [
    ("\"/var/lib/teal", "state"),
    ("\"/etc/haproxy/teal/prod.map", "edge/prod.map"),
    ("\"/run/haproxy/teal.sock", "edge/teal.sock"),
    ("\"/srv/{app}/{version}/", "{version}/"),
];

/// Whether it may stand in the file as it is, and a socket's name fits below it.
fn is_plain(folder: &str) -> bool {
    folder.len() <= 80 && folder.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-_.+@".contains(&b))
}

/// What stands there where no flags are served.
const FLAGS: &str = "# [flags]                           # serve feature flags to applications";

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn the_readme_shows_what_is_written_in_its_folder() {
        let folder = Path::new("/srv/shop");
        let listing =
            include_str!("../../../README.md").split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
        let read = |text: &str| parse(text, folder).0.unwrap();
        let (shown, written) = (read(listing), read(&first("shop", Some(folder), None)));
        assert_eq!((&shown.app, &shown.state), (&written.app, &written.state));
        let [shown, written] = [&shown, &written].map(|config| &config.environments["prod"]);
        assert_eq!((shown.mode, &shown.edge), (written.mode, &written.edge));
        let ports = |component: &super::super::Component| component.runs.processes().unwrap().ports;
        let [shown, written] = [shown, written].map(|environment| &environment.components["app"]);
        assert_eq!((ports(shown), &shown.ready), (ports(written), &written.ready));
    }
}
