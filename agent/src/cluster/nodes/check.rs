//! What a telling must be to be believed.

use std::collections::BTreeSet;

use crate::api::{Observation, PodGroup};

/// Groups of one node, at most: far more than a node's Pods come to.
const GROUPS: usize = 256;
/// Pods of a group, at most.
const PODS: u32 = 10_000;
/// Containers of a Pod, at most.
const CONTAINERS: usize = 64;

/// A field that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct Wrong {
    /// Which one, as in `groups[0].ready`.
    pub field: String,
    /// What is wrong there, and the way out. Never quotes what was sent.
    pub problem: String,
}

/// Looks at every field; `workloads` are those of the environment.
///
/// # Errors
/// The first field that is out of its bounds.
pub fn check(observation: &Observation, workloads: &[String]) -> Result<(), Wrong> {
    for (field, name) in [("observer", &observation.observer), ("node", &observation.node)] {
        require(is_name(name), field, "this must be a node's name: letters, digits, `.`, `_` and `-`, at most 253")?;
    }
    require(is_hex(&observation.boot, 32), "boot", "this must be 32 hexadecimal digits")?;
    require(observation.sequence > 0, "sequence", "this must be at least 1")?;
    let Some(groups) = &observation.groups else { return Ok(()) };
    require(groups.len() <= GROUPS, "groups", &format!("{} are too many, the most is {GROUPS}", groups.len()))?;
    let mut seen = BTreeSet::new();
    for (index, group) in groups.iter().enumerate() {
        of_group(group, workloads).map_err(|(field, problem)| wrong(&format!("groups[{index}].{field}"), &problem))?;
        let is_new = seen.insert((&group.workload, group.colour, &group.templates));
        require(is_new, &format!("groups[{index}]"), "workload, colour and templates stand here twice")?;
    }
    Ok(())
}

fn of_group(group: &PodGroup, workloads: &[String]) -> Result<(), (&'static str, String)> {
    let fail = |field, problem: &str| Err((field, problem.to_owned()));
    if !workloads.contains(&group.workload) {
        let known = workloads.join(", ");
        return Err(("workload", format!("the environment has none of this name here, only {known}")));
    }
    if group.templates.len() > CONTAINERS || !group.templates.iter().all(|mark| is_hex(mark, 16)) {
        return fail("templates", "these must be at most 64 digests of 16 hexadecimal digits");
    }
    if group.pods == 0 || group.pods > PODS {
        return fail("pods", "this must be from 1 to 10000");
    }
    if group.ready > group.pods {
        return fail("ready", "this must not be more than `pods`");
    }
    if group.crash_looping > group.pods {
        return fail("crash_looping", "this must not be more than `pods`");
    }
    let is_word = |word: &String| (1..=64).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_alphanumeric());
    if !group.reason.as_ref().is_none_or(is_word) {
        return fail("reason", "this must be one word of at most 64 letters and digits");
    }
    Ok(())
}

fn require(is_fine: bool, field: &str, problem: &str) -> Result<(), Wrong> {
    if is_fine { Ok(()) } else { Err(wrong(field, problem)) }
}

fn wrong(field: &str, problem: &str) -> Wrong {
    Wrong { field: field.to_owned(), problem: problem.to_owned() }
}

fn is_name(text: &str) -> bool {
    (1..=253).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}
