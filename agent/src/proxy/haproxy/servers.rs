//! Whether anybody is there to serve where traffic is to go, by HAProxy's own checks.

use teal_rollout::colour::{Colour, Share};
use teal_rollout::policy::Policy;

use super::runtime::BackendRow;
use super::settings::EdgeSettings;

/// What the goals of a move have of servers.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Servers {
    /// Each has one.
    Fine,
    /// One has none, and the other colour of its component has.
    Dead(String),
    /// One has none, and neither has the other.
    Nowhere(String),
    /// HAProxy does not say.
    Unknown(String),
}

/// Of the components `named`, each going where `to` says.
pub(super) fn servers(settings: &EdgeSettings, rows: &[BackendRow], to: &Policy, named: &[usize]) -> Servers {
    let up = |component: usize, colour: Colour| {
        rows.iter().find(|row| row.component == component && row.colour == colour).map(|row| row.up)
    };
    let (mut dead, mut nowhere) = (Vec::new(), Vec::new());
    for &id in named {
        let (Some(route), Some(component)) = (to.routes.get(id), settings.components.get(id)) else { continue };
        let goal = if route.share == Share::NONE { route.stable } else { route.candidate };
        let name = &component.name;
        match (up(id, goal), up(id, goal.other())) {
            (None, _) => return Servers::Unknown(format!("HAProxy has no back end {goal} of {name}")),
            (Some(0), Some(other @ 1..)) => {
                dead.push(format!("{name} has 0 servers UP on {goal}, and {other} on {}", goal.other()));
            }
            (Some(0), _) => nowhere.push(format!("{name} has no server UP on either colour")),
            (Some(_), _) => {}
        }
    }
    match (dead.is_empty(), nowhere.is_empty()) {
        (false, _) => Servers::Dead(dead.join("; ")),
        (true, false) => Servers::Nowhere(nowhere.join("; ")),
        (true, true) => Servers::Fine,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::tests::settings;
    use super::*;

    #[test]
    fn a_colour_without_a_server_is_told_from_an_application_that_is_down_and_from_not_knowing() {
        let row =
            |colour, up| BackendRow { component: 0, colour, up, in_flight: 0, started: 0, answered: 0, failed: 0 };
        let check = |up: &[(Colour, u32)], policy: &str, wanted: &Servers| {
            let rows: Vec<BackendRow> = up.iter().map(|(colour, up)| row(*colour, *up)).collect();
            let to = policy.parse().unwrap();
            assert_eq!(&servers(&settings(Path::new("/x")), &rows, &to, &[0]), wanted, "{policy}");
        };
        let (to_green, to_blue) = ("v1:1.0.open:blue:green:100000:s:0", "v1:1.0.bad:blue:green:0:s:0");
        let stopped = [(Colour::Blue, 0), (Colour::Green, 2)];
        check(&stopped, to_green, &Servers::Fine);
        check(&stopped, to_blue, &Servers::Dead("api has 0 servers UP on blue, and 2 on green".into()));
        let neither = [(Colour::Blue, 0), (Colour::Green, 0)];
        check(&neither, to_blue, &Servers::Nowhere("api has no server UP on either colour".into()));
        check(&stopped[1..], to_blue, &Servers::Unknown("HAProxy has no back end blue of api".into()));
    }
}
