//! What is wrong with Teal itself, or holds it back, while a release is shown.

use teal_rollout::settings::Mode;

use super::super::line::Line;
use super::super::words::count;
use crate::api::{EdgeStatus, Safe, Status};

/// A line for each trouble, the worst first.
pub(super) fn lines(status: &Status) -> Vec<Line> {
    let mut lines = Vec::new();
    if !status.emergency.is_empty() {
        let components = status.emergency.join(", ");
        lines.push(format!("!!  EMERGENCY {components}: served by a colour that should not serve"));
    }
    if let Some(component) = &status.shared_outage {
        lines.push(format!("!!  both colours of {component} fail; nothing is switched"));
    }
    lines.extend(no(&status.store, "!!  the store cannot be written"));
    lines.extend(no(&status.reload_safe, "!!  a reload of the proxy would switch"));
    lines.extend(status.edges.iter().flat_map(edge));
    if let Some(by) = &status.paused {
        lines.push(format!("--  paused by {by}   end it: teal resume {}", status.environment));
    }
    if !status.mode.is(&Mode::Act) {
        lines.push(format!("--  mode {}: Teal moves no traffic", status.mode));
    }
    lines.iter().map(|line| Line::marked(line)).collect()
}

/// A no without a reason is an agent that does not know the question.
fn no(safe: &Safe, what: &str) -> Option<String> {
    (!safe.yes && !safe.reason.is_empty()).then(|| format!("{what}: {}", safe.reason))
}

fn edge(edge: &EdgeStatus) -> Vec<String> {
    let name = &edge.name;
    let mut lines = Vec::new();
    match &edge.problem {
        Some(problem) => lines.push(format!("!!  {name}: {problem}")),
        None if edge.feed == "lost" => lines.push(format!("!!  {name}: no evidence comes in")),
        None => {}
    }
    if edge.evidence_lost > 0 {
        lines.push(format!("--  {name}: evidence of {} lost", count(edge.evidence_lost, "request")));
    }
    if edge.old_workers > 0 {
        lines.push(format!("--  {name}: {} after a reload", count(edge.old_workers.into(), "old worker")));
    }
    lines
}
