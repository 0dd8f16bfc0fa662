//! `teal status` out of the resource: what the agents wrote there last.

use serde::Serialize;

use super::Remote;
use crate::api::{Known, ReleaseId};
use crate::client::ClientError;
use crate::cluster::resource::{BlueGreen, BlueGreenStatus, Condition, State};

/// What the resource says, in JSON.
#[derive(Serialize)]
pub(in crate::cli) struct Shown {
    environment: String,
    source: &'static str,
    #[serde(skip)]
    place: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<State>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<BlueGreenStatus>,
}

impl Remote {
    /// What it says just now.
    pub(in crate::cli) async fn look(&self) -> Result<Shown, ClientError> {
        let BlueGreen { spec, status, .. } = self.environment.read().await?;
        Ok(Shown {
            environment: self.name.clone(),
            source: "api_server",
            place: self.place(),
            state: spec.state,
            status,
        })
    }
}

impl Shown {
    /// For people.
    pub(in crate::cli) fn text(&self) -> String {
        let mut lines = Vec::new();
        let head = match &self.state {
            Some(state) => {
                let paused = state.paused_by.as_ref().map(|by| format!(", paused by {by}")).unwrap_or_default();
                format!("{} {}   {}{paused}", self.environment, ReleaseId(state.release), phase(state))
            }
            None => format!("{}   nothing was released yet", self.environment),
        };
        lines.push(head);
        lines.push(format!("    {}", self.place));
        let status = self.status.clone().unwrap_or_default();
        lines.extend(status.serving.map(|serving| format!("    serves     {serving}")));
        lines.extend(status.evidence.iter().map(|seen| {
            let (component, colour) = (&seen.component, seen.colour);
            format!("    evidence   {component} {colour}: {} requests, {} bad", seen.requests, seen.bad)
        }));
        lines.extend(status.edges.iter().map(|edge| {
            let epoch = format!("{}.{}", ReleaseId(edge.release), edge.step);
            let not = |yes: bool, word: &str| if yes { String::new() } else { format!(", not {word}") };
            let notes = not(edge.saved, "saved") + &not(edge.watched, "watched");
            format!("    edge       {} routes by {epoch}{notes}", edge.name)
        }));
        lines.extend(status.conditions.iter().filter_map(condition));
        lines.extend(status.message.map(|message| format!("    {message}")));
        lines.join("\n")
    }
}

/// `watching`, or how it ended.
pub(super) fn phase(state: &State) -> String {
    match state.outcome {
        Some(outcome) => Known::Known(outcome).to_string(),
        None => Known::Known(state.phase).to_string(),
    }
}

/// A condition that tells something: whether there is a way back always, others when they say more than their names.
fn condition(condition: &Condition) -> Option<String> {
    let Condition { kind, status, message, .. } = condition;
    match kind.as_str() {
        "RollbackSafe" if status == "True" => Some("    way back   yes".to_owned()),
        "RollbackSafe" => Some(format!("    way back   no: {message}")),
        _ if message.is_empty() => None,
        _ => Some(format!("    {kind} {status}: {message}")),
    }
}
