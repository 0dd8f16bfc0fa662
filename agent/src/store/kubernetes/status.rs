//! The status: what this agent's edges route by, and the leader's story of the release.

use std::time::Duration;

use kube::Api;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{Settings, apply};
use crate::cluster::client::{brief, is_not_found};
use crate::cluster::lease::Lease;
use crate::cluster::resource::{BlueGreen, BlueGreenStatus, Condition, Evidence, SeenByEdge};
use crate::cluster::watch::Watched;

/// Between two writes.
const EVERY: Duration = Duration::from_secs(1);
/// Between two writes of nothing but counts.
const COUNTS_EVERY: Duration = Duration::from_secs(5);
/// Between two signs of life while a release is under way.
const BEAT_EVERY: Duration = Duration::from_secs(2);
/// A deadline is worth a write when it moves by more.
const DEADLINE: time::Duration = time::Duration::seconds(2);
/// The manager of the leader's part, whoever leads.
const LEADER: &str = "teal-leader";

/// What an agent shows: copied from the controller's snapshot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shown {
    /// One for each own edge; `beat` is filled in here.
    pub edges: Vec<SeenByEdge>,
    /// Whether a release is under way.
    pub busy: bool,
    /// Told by the agent that leads.
    pub story: Story,
}

/// The release in words and counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Story {
    /// `api blue v1.2.2, web blue v1.2.2`.
    pub serving: String,
    /// What is going on and what comes next.
    pub message: String,
    /// When the phase ends at the latest, to the second.
    pub deadline: Option<OffsetDateTime>,
    /// What each colour has shown.
    pub evidence: Vec<Evidence>,
    /// `Ready`, `RollbackSafe`, `ReloadSafe`, `Progressing`, `Paused`, `Emergency`.
    pub conditions: Vec<Said>,
}

/// A condition without the times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// `RollbackSafe`.
    pub kind: &'static str,
    /// `None`: unknown.
    pub holds: Option<bool>,
    /// One word in CamelCase.
    pub reason: String,
    /// A sentence.
    pub message: String,
}

/// Keeps the status as `shown` says until `stop`.
pub fn spawn(
    client: &kube::Client,
    settings: Settings,
    watched: Watched<BlueGreen>,
    shown: watch::Receiver<Shown>,
    lease: Option<Lease>,
    stop: CancellationToken,
) -> JoinHandle<()> {
    let api = settings.api(client);
    let now = Instant::now();
    let task = Task { api, settings, watched, shown, lease, beat: now, counted: None, written: None };
    tokio::spawn(async move {
        let _ = stop.run_until_cancelled(task.run()).await;
    })
}

struct Task {
    api: Api<BlueGreen>,
    settings: Settings,
    watched: Watched<BlueGreen>,
    shown: watch::Receiver<Shown>,
    /// None: nobody else is there.
    lease: Option<Lease>,
    beat: Instant,
    counted: Option<Instant>,
    /// What was written last, and how often in vain: a server that does not keep it is not written to each second.
    written: Option<(Shown, u32)>,
}

impl Task {
    async fn run(mut self) {
        loop {
            let shown = self.shown.borrow_and_update().clone();
            let (wrote, next) = self.look(&shown).await;
            if wrote {
                sleep(self.pause(shown)).await;
                continue;
            }
            tokio::select! {
                changed = self.shown.changed() => if changed.is_err() { return },
                is_there = self.watched.changed() => if !is_there { return },
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {}
            }
        }
    }

    fn pause(&mut self, shown: Shown) -> Duration {
        let tries = self.written.as_ref().map_or(0, |(before, tries)| if *before == shown { tries + 1 } else { 0 });
        // Signs of life and counts are written over and over.
        let tries = if shown.busy { 0 } else { tries };
        self.written = Some((shown, tries));
        EVERY * 2_u32.pow(tries.min(6))
    }

    /// Writes what is not as it should be. Says whether anything was tried, and when to look again at the latest.
    async fn look(&mut self, shown: &Shown) -> (bool, Option<Instant>) {
        let now = Instant::now();
        let found = self.watched.look_and_note(|view| {
            let object = view.named(&self.settings.name).filter(|_| view.is_current())?;
            Some((object.status.clone().unwrap_or_default(), object.metadata.generation))
        });
        let Some((there, generation)) = found else { return (false, None) };
        let is_beat = shown.busy && !shown.edges.is_empty() && now >= self.beat + BEAT_EVERY;
        let mut wrote = false;
        if is_beat || shown.edges.iter().any(|own| !is_told(&there, own)) {
            self.beat = now;
            let edges: Vec<SeenByEdge> = shown.edges.iter().map(|own| with_beat(&there, own)).collect();
            self.apply(&format!("teal-{}", self.settings.agent), json!({"edges": edges})).await;
            wrote = true;
        }
        let leads = self.lease.as_ref().is_none_or(Lease::leads);
        let counts_are_due = self.counted.is_none_or(|at| now >= at + COUNTS_EVERY);
        if leads && is_another_story(&there, &shown.story, counts_are_due) {
            self.counted = Some(now);
            self.apply(LEADER, story(&there, &shown.story, generation)).await;
            wrote = true;
        }
        // A beat to come, or counts that were held back.
        let next = (shown.busy && (!shown.edges.is_empty() || leads)).then(|| now + EVERY);
        (wrote, next)
    }

    async fn apply(&self, manager: &str, status: Value) {
        if let Err(error) = apply::status(&self.api, &self.settings, manager, None, status).await {
            if is_not_found(&error) {
                // The writer makes it.
                return;
            }
            tracing::debug!(error = brief(&error), "the status was not written");
        }
    }
}

fn is_told(there: &BlueGreenStatus, own: &SeenByEdge) -> bool {
    there.edges.iter().any(|told| SeenByEdge { beat: 0, ..told.clone() } == SeenByEdge { beat: 0, ..own.clone() })
}

/// A beat differs from all that others saw before, also after a restart.
fn with_beat(there: &BlueGreenStatus, own: &SeenByEdge) -> SeenByEdge {
    let before = there.edges.iter().find(|told| told.name == own.name).map_or(0, |told| told.beat);
    SeenByEdge { beat: before.wrapping_add(1) & (u64::MAX >> 1), ..own.clone() }
}

fn is_another_story(there: &BlueGreenStatus, story: &Story, counts_are_due: bool) -> bool {
    let text = |there: &Option<String>, wanted: &str| there.as_deref().unwrap_or_default() != clipped(wanted);
    text(&there.serving, &story.serving)
        || text(&there.message, &story.message)
        || is_another_moment(there.deadline.as_deref(), story.deadline)
        || story.conditions.len() != there.conditions.len()
        || story.conditions.iter().any(|said| !there.conditions.iter().any(|told| says(told, said)))
        || counts_are_due && there.evidence != story.evidence
}

fn is_another_moment(there: Option<&str>, wanted: Option<OffsetDateTime>) -> bool {
    let there = there.and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
    match (there, wanted) {
        (Some(there), Some(wanted)) => (there - wanted).abs() > DEADLINE,
        (there, wanted) => there != wanted,
    }
}

fn says(told: &Condition, said: &Said) -> bool {
    told.kind == said.kind
        && told.status == word(said.holds)
        && told.reason == said.reason
        && told.message == clipped(&said.message)
}

fn story(there: &BlueGreenStatus, story: &Story, generation: Option<i64>) -> Value {
    let now = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap_or_else(|_| OffsetDateTime::now_utc());
    let text = |moment: OffsetDateTime| moment.format(&Rfc3339).unwrap_or_default();
    let condition = |said: &Said| {
        let before = there.conditions.iter().find(|told| told.kind == said.kind && told.status == word(said.holds));
        Condition {
            kind: said.kind.to_owned(),
            status: word(said.holds).to_owned(),
            reason: said.reason.clone(),
            message: clipped(&said.message).to_owned(),
            last_transition_time: before.map_or_else(|| text(now), |before| before.last_transition_time.clone()),
            observed_generation: generation,
        }
    };
    let mut status = json!({
        "observedGeneration": generation,
        "serving": clipped(&story.serving),
        "message": clipped(&story.message),
        "evidence": story.evidence,
        "conditions": story.conditions.iter().map(condition).collect::<Vec<_>>(),
    });
    if let Some(deadline) = story.deadline {
        let deadline = deadline.replace_nanosecond(0).unwrap_or(deadline);
        status["deadline"] = json!(text(deadline));
    }
    status
}

fn word(holds: Option<bool>) -> &'static str {
    match holds {
        Some(true) => "True",
        Some(false) => "False",
        None => "Unknown",
    }
}

/// What the server takes: 1,024 characters.
fn clipped(text: &str) -> &str {
    text.char_indices().nth(1_024).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests;
