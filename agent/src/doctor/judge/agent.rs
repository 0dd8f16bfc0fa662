//! The agent, and what only it knows.

use teal_rollout::document::Phase;
use teal_rollout::settings::Mode;

use super::edge::revive;
use super::{Facts, Finding};
use crate::api::Status;

/// The least number of files that an agent may have open and be at ease.
const FEW_FILES: u64 = 1024;
/// Of so many requests one may be lost before it hurts.
const TOLERATED: u64 = 100;

fn status(facts: &Facts) -> Option<&Status> {
    facts.agent.answer.as_deref().ok()
}

fn no_agent(check: &'static str) -> Finding {
    Finding::note(check, "not to be told without an agent")
}

pub(super) fn agent(facts: &Facts) -> Finding {
    let start = "sudo systemctl start teal   # or: teal agent";
    match (&facts.agent.answer, facts.agent.holder) {
        (Ok(_), Some(pid)) => Finding::fine("agent", format!("it answers, pid {pid}")),
        (Ok(_), None) => Finding::fine("agent", "it answers"),
        (Err(error), Some(pid)) => Finding::hurts(
            "agent",
            format!("pid {pid} drives this edge and does not answer: {error}"),
            "sudo systemctl restart teal   # what serves does not notice",
        ),
        (Err(error), None) => Finding::hurts("agent", format!("nobody watches, nothing is taken back: {error}"), start),
    }
}

pub(super) fn version(facts: &Facts) -> Finding {
    let Some(status) = status(facts) else { return no_agent("version") };
    let ours = &facts.version;
    match status.agent.as_str() {
        "" => Finding::note("version", format!("this is teal {ours}; the agent does not say what it is")),
        theirs if theirs == ours => Finding::fine("version", format!("agent and command line are {ours}")),
        theirs => Finding::hurts(
            "version",
            format!("the agent is {theirs}, this command line {ours}"),
            "sudo systemctl restart teal   # what serves does not notice",
        ),
    }
}

/// Whether anything stands still that should not.
pub(super) fn at_rest(facts: &Facts) -> Finding {
    let check = "environment";
    let Some(status) = status(facts) else { return no_agent(check) };
    let name = &facts.environment;
    if !status.store.yes {
        let seen = format!("the store cannot be written: {}", status.store.reason);
        return Finding::hurts(check, seen, format!("df -h {}", facts.state_path.display()));
    }
    if !status.emergency.is_empty() {
        let seen = format!("{} served by a colour that should not serve", status.emergency.join(", "));
        return Finding::hurts(check, seen, format!("teal status {name}   # says what is not ready"));
    }
    if let Some(by) = &status.paused {
        return Finding::hurts(check, format!("paused by {by}: nothing moves forward"), format!("teal resume {name}"));
    }
    if status.phase.is(&Phase::Held) {
        let seen = format!("{}: a person is waited for", status.phase);
        return Finding::hurts(check, seen, format!("teal promote {name}   # or: teal rollback {name}"));
    }
    Finding::fine(check, format!("{}, mode {}", status.phase, status.mode))
}

pub(super) fn way_back(facts: &Facts) -> Finding {
    let check = "way back";
    let Some(status) = status(facts) else { return no_agent(check) };
    if status.rollback_safe.yes {
        let first = Some(&status.rollback_safe.reason).filter(|reason| !reason.is_empty());
        let first = first.map(|reason| format!(" ({reason})")).unwrap_or_default();
        return Finding::fine(check, format!("teal rollback {}{first}", facts.environment));
    }
    let seen = format!("`teal rollback` would do nothing now: {}", status.rollback_safe.reason);
    let again = format!(
        "teal history {0}; teal rollback {0} --to RELEASE   # releases an older version again",
        facts.environment
    );
    // A first release has nothing behind it, and long after a release its old colour is gone: both are meant so.
    let is_first = status.components.iter().all(|component| component.stable.version.is_none());
    if is_first || status.phase.is(&Phase::Idle) || !status.mode.is(&Mode::Act) {
        Finding::note(check, seen).mend(again)
    } else {
        Finding::hurts(check, seen, again)
    }
}

pub(super) fn told(facts: &Facts) -> Finding {
    match &facts.told {
        Ok(who) => Finding::fine("notify", format!("{who}; `teal notify test` tries it")),
        Err(why) => Finding::hurts(
            "notify",
            format!("nobody will be told: {why}"),
            format!("[notify] command = [\"/usr/local/bin/ntfy-send\"]   # in {}", facts.configuration.display()),
        ),
    }
}

pub(super) fn evidence(facts: &Facts) -> Finding {
    let check = "evidence";
    let Some(status) = status(facts) else { return no_agent(check) };
    let requests: u64 = status
        .components
        .iter()
        .flat_map(|component| [Some(&component.stable), component.candidate.as_ref()])
        .flatten()
        .map(|colour| colour.requests)
        .sum();
    let mut lost = 0;
    for edge in &status.edges {
        if edge.feed != "live" {
            let why = edge.problem.as_deref().unwrap_or("the request log cannot be read");
            let mend = match &facts.proxy.running {
                // Its configuration may be as it should be.
                Err(_) => revive(facts).to_owned(),
                Ok(_) => {
                    format!("teal proxy render {}   # into HAProxy's configuration, and reload it", facts.environment)
                }
            };
            let seen = format!("none comes from {}, so that no release can be judged: {why}", edge.name);
            return Finding::hurts(check, seen, mend);
        }
        lost += edge.evidence_lost;
    }
    match lost {
        0 => Finding::fine(check, "live, none lost since the agent started"),
        lost if lost * TOLERATED <= requests => {
            Finding::note(check, format!("live; of {lost} requests it was lost, of {requests} it was not"))
        }
        lost => Finding::hurts(
            check,
            format!("of {lost} requests it was lost, of {requests} in this release it was not"),
            format!(
                "[environments.{}.edge] evidence = \"ring\"   # and more processor time for the agent",
                facts.environment
            ),
        ),
    }
}

pub(super) fn open_files(facts: &Facts) -> Finding {
    let check = "open files";
    let Some(files) = facts.agent.files else {
        return Finding::note(check, "the agent's limit cannot be seen from here: ask as root, with an agent running");
    };
    let mend = "LimitNOFILE=65536   # under [Service] in: sudo systemctl edit teal";
    let used = files.used.map(|used| format!(", has {used}")).unwrap_or_default();
    let seen = format!("the agent may have {}{used}", files.limit);
    let is_near = files.used.is_some_and(|used| used * 5 > files.limit * 4);
    if files.limit < FEW_FILES || is_near { Finding::hurts(check, seen, mend) } else { Finding::fine(check, seen) }
}
