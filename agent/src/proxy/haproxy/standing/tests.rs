use teal_rollout::document::{Cause, Component, Phase, Slot};
use teal_rollout::policy::Salt;

use super::*;

/// What happens at an edge that only hands write.
enum Happens {
    /// It comes to route by this.
    Runs(&'static str),
    /// The agent kept what serves.
    Kept,
    /// The agent would have rolled back.
    Convicted,
    /// `edge force`, to a colour or back.
    Force(&'static str),
}
use Happens::{Convicted, Force, Kept, Runs};

fn policy(text: &str) -> Policy {
    format!("v1:{text}:s:0").parse().unwrap()
}

/// As the agent that looks on has it: where traffic was before is the stable colour.
fn document(standing: &Standing, outcome: Option<Outcome>, cause: Option<Cause>) -> Document {
    let mut document = Document::new([], Salt::default(), Vec::new());
    let slot = |colour| Slot { colour, version: None };
    let of = |(id, route): (usize, &Route)| {
        let (serving, _) = serves(*route);
        let (stable, candidate) = (slot(serving.other()), slot(serving));
        Component { name: id.to_string(), stable, candidate, share: Share::ALL }
    };
    document.components = standing.means.routes.iter().enumerate().map(of).collect();
    (document.outcome, document.cause, document.phase) = (outcome, cause, Phase::Idle);
    document
}

/// Each step with what the policy means afterwards, without its salt.
fn check(first: &str, steps: &[(Happens, &str)]) {
    let mut standing = Author::Hands(None).standing(policy(first));
    for (happens, means) in steps {
        standing = match happens {
            Runs(text) => standing.follow(&policy(text)),
            Kept => standing.judged(&document(&standing, Some(Outcome::Completed), None)),
            Convicted => standing.judged(&document(&standing, None, Some(Cause::EdgeSilent))),
            Force("back") => standing.follow(&standing.back()),
            Force(colour) => {
                let goal = colour.parse().ok();
                standing.follow(&standing.to(&vec![goal; standing.means.routes.len()]))
            }
        };
        assert_eq!(standing.policy(), &policy(means), "seen {}", standing.seen());
    }
}

#[test]
fn the_way_back_is_the_colour_that_served_before_and_was_not_called_bad() {
    // Two releases by hand, the second bad: the newcomer's evening.
    check(
        "0.0.open:blue:blue:0",
        &[
            (Force("green"), "0.1.open:blue:green:100000"),
            (Kept, "0.1.open:blue:green:100000"),
            (Force("blue"), "1.0.open:green:blue:100000"),
            (Convicted, "1.0.bad:green:blue:100000"),
            (Force("back"), "1.0.bad:green:blue:0"),
            (Force("back"), "1.0.bad:green:blue:0"),
            // The next one on blue carries nothing of what the last one was called.
            (Force("blue"), "2.0.open:green:blue:100000"),
        ],
    );
    // Kept long ago, and bad at night: `back` is never a release.
    check(
        "0.1.open:blue:green:100000",
        &[(Kept, "0.1.open:blue:green:100000"), (Force("back"), "0.1.bad:blue:green:0")],
    );
    // Nobody knows anything good of green: to blue is back.
    check("0.1.open:blue:green:100000", &[(Force("blue"), "0.1.bad:blue:green:0")]);
    check(
        "0.1.open:blue:green:100000",
        &[(Convicted, "0.1.bad:blue:green:100000"), (Force("blue"), "0.1.bad:blue:green:0")],
    );
}

#[test]
fn scripts_that_know_no_stable_colour_are_followed_too() {
    check(
        "0.0.open:blue:blue:0",
        &[
            (Runs("0.0.open:green:green:0"), "0.0.open:blue:green:100000"),
            (Kept, "0.0.open:blue:green:100000"),
            (Runs("0.0.open:blue:blue:0"), "0.0.open:green:blue:100000"),
            (Convicted, "0.0.bad:green:blue:100000"),
            (Runs("0.0.open:green:green:0"), "0.0.bad:green:blue:0"),
        ],
    );
    // Steps of a release stay one release, and a step back is none.
    check(
        "0.0.open:blue:blue:0",
        &[
            (Runs("0.0.open:blue:green:10000"), "0.0.open:blue:green:10000"),
            (Runs("0.0.open:blue:green:100000"), "0.0.open:blue:green:100000"),
            (Runs("0.1.bad:blue:green:0"), "0.1.bad:blue:green:0"),
        ],
    );
}

#[test]
fn each_component_has_its_own_way_back() {
    check(
        "0.0.open:blue:blue:0:green:green:0",
        &[
            (Force("green"), "0.1.open:blue:green:100000:green:green:0"),
            (Kept, "0.1.open:blue:green:100000:green:green:0"),
            (Force("back"), "0.1.bad:blue:green:0:green:green:0"),
        ],
    );
}

#[test]
fn what_the_agent_knows_of_other_traffic_says_nothing() {
    let standing = Author::Hands(None).standing(policy("0.1.open:blue:green:100000"));
    let elsewhere = document(&Author::Hands(None).standing(policy("0.0.open:blue:blue:0")), None, Some(Cause::Manual));
    assert_eq!(standing.judged(&elsewhere), standing);
    let other = Author::Hands(Some(standing)).standing(policy("0.0.open:blue:blue:0:blue:blue:0"));
    assert_eq!(other.policy(), &policy("0.0.open:blue:blue:0:blue:blue:0"), "more components than before");
}

#[test]
fn what_an_agent_wrote_means_what_it_says() {
    let kept = Author::Hands(None).standing(policy("3.0.open:blue:green:100000"));
    let kept = kept.judged(&document(&kept, Some(Outcome::Kept), None));
    assert!(kept.is_way_back(Colour::Blue) && !kept.is_way_back(Colour::Green));
    let acts = Author::Agent.standing(policy("3.0.open:blue:green:100000"));
    assert!(!acts.is_way_back(Colour::Blue));
    assert_eq!(acts.to(&[Some(Colour::Blue)]), policy("3.0.bad:blue:green:0"));
    let bad = Author::Agent.standing(policy("3.0.bad:blue:green:0"));
    assert_eq!(bad.to(&[Some(Colour::Green)]), policy("3.1.bad:blue:green:100000"), "never taken back");
}
