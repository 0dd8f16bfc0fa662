//! Follows a release in the resource to the end of its watch: a line a phase, and what the agents say meanwhile.

use std::time::Duration;

use serde::Serialize;
use teal_rollout::colour::Colour;
use teal_rollout::document::{Outcome, Phase};
use teal_rollout::policy::Verdict;

use super::scaling_up::{ScalingUp, Step};
use super::show::phase;
use super::{LastWords, Remote};
use crate::api::{Known, ReleaseId, why};
use crate::cli::command::rollback::HANDOVER;
use crate::cli::context::Context;
use crate::cli::follow::result;
use crate::cli::terminal::Terminal;
use crate::cli::{CliError, Exit};
use crate::cluster::orders::OrderError;
use crate::cluster::resource::{BlueGreen, BlueGreenStatus, State};
use crate::config::Loaded;

/// How often the resource is read: a person looks on, and the API server is everybody's.
const PACE: Duration = Duration::from_secs(1);
/// The same while a deploy may fail.
const HASTE: Duration = Duration::from_millis(250);
/// How long the API server may be away before following gives up.
const ABSENCE: u32 = 60;

/// One step, in JSON; the last line has `result` and `exit`.
#[derive(Serialize)]
struct Line<'a> {
    release: ReleaseId,
    environment: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<Phase>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit: Option<u8>,
}

impl Remote {
    /// Until it has ended, a human is needed, or Ctrl-C detaches.
    pub(in crate::cli) async fn follow(
        &self,
        context: &Context,
        loaded: &Loaded,
        release: ReleaseId,
    ) -> Result<Exit, CliError> {
        self.follow_from(context, loaded, release, Verdict::Open).await
    }

    /// A rollback, which edges carry out before the resource has it: what stands there until then is of the time before.
    pub(in crate::cli) async fn follow_back(
        &self,
        context: &Context,
        loaded: &Loaded,
        release: ReleaseId,
    ) -> Result<Exit, CliError> {
        self.follow_from(context, loaded, release, Verdict::Bad).await
    }

    /// From the moment at which the release has this verdict.
    async fn follow_from(
        &self,
        context: &Context,
        loaded: &Loaded,
        release: ReleaseId,
        verdict: Verdict,
    ) -> Result<Exit, CliError> {
        let mut terminal = context.terminal();
        terminal.print(&format!("{release} {}   {}", self.name, self.place()));
        let (word, exit) = tokio::select! {
            end = self.until_the_end(&mut terminal, loaded, release, verdict) => end?,
            _ = tokio::signal::ctrl_c() => {
                let (name, undo) = (&self.name, self.undo());
                terminal.print(&format!(
                    "--  detached   {release} goes on without this terminal\n    follow: teal wait {release} --env {name}   {undo}"
                ));
                ("detached", Exit::Done)
            }
        };
        let last = Line { result: Some(word), exit: Some(exit.code()), ..self.line(release) };
        terminal.json(&last);
        Ok(exit)
    }

    async fn until_the_end(
        &self,
        terminal: &mut Terminal,
        loaded: &Loaded,
        release: ReleaseId,
        verdict: Verdict,
    ) -> Result<(&'static str, Exit), CliError> {
        let (mut before, mut absent) = (None, 0);
        let longest = loaded.config.environment(&self.name)?.longest_start() + HANDOVER;
        let (mut words, mut scaling_up) = (LastWords::default(), ScalingUp::within(longest));
        loop {
            match self.environment.read().await {
                Ok(BlueGreen { metadata, spec, status }) => {
                    absent = 0;
                    let goes_back = spec.state.as_ref().filter(|it| verdict == Verdict::Bad && it.release == release.0);
                    match goes_back.map_or(Step::Goes, |state| scaling_up.look(state, &self.name)) {
                        Step::Begins(text) => terminal.print(&format!("..  scale up   {text}")),
                        Step::Goes => {}
                        Step::Stays(text) => {
                            terminal.print(&format!("!!  rollback   {text}"));
                            return Ok(("not_scaled_up", Exit::Failed));
                        }
                    }
                    let state = spec.state.filter(|state| (state.release, state.verdict) >= (release.0, verdict));
                    let mut status = status.unwrap_or_default();
                    if status.observed_generation != metadata.generation {
                        // It speaks of what was before: agents write it at most once a second.
                        status = BlueGreenStatus::default();
                    }
                    if let Some(state) = state {
                        if matches!(state.phase, Phase::Deploying | Phase::RollingBack) {
                            words.keep(loaded, &self.name, &candidates(&state)).await;
                        }
                        if let Some(end) = self.take(terminal, release, &state, &status, &mut before) {
                            if matches!(state.outcome, Some(Outcome::RolledBack | Outcome::Aborted)) {
                                words.keep(loaded, &self.name, &candidates(&state)).await;
                                let all =
                                    candidates(&state).into_iter().flat_map(|(component, _)| words.of(&component));
                                all.for_each(|line| terminal.print(&line));
                            }
                            return Ok(end);
                        }
                    }
                }
                Err(OrderError::Away(reason)) if absent < ABSENCE => {
                    absent += 1;
                    terminal.live(&format!("..  waiting for the API server: {reason}"));
                }
                Err(error) => return Err(crate::client::ClientError::from(error).into()),
            }
            // Pods that fail are soon gone, and their last words with them.
            let is_hasty = words.is_empty() && before == Some(Phase::Deploying);
            tokio::time::sleep(if is_hasty { HASTE } else { PACE }).await;
        }
    }

    /// Shows what has changed; what the release came to, once it has.
    fn take(
        &self,
        terminal: &mut Terminal,
        release: ReleaseId,
        state: &State,
        status: &BlueGreenStatus,
        before: &mut Option<Phase>,
    ) -> Option<(&'static str, Exit)> {
        if state.release > release.0 {
            terminal.print(&format!(
                "--  {release} was followed by {}; how it ended: teal history {}, where its agent runs",
                ReleaseId(state.release),
                self.name
            ));
            return Some(("unknown", Exit::Failed));
        }
        let message = status.message.as_deref().unwrap_or_default();
        if *before != Some(state.phase) {
            if let Some(done) = before.replace(state.phase) {
                terminal.print(&format!("ok  {}", Known::Known(done)));
            }
            if state.phase == Phase::RollingBack {
                let reason = state.cause.as_ref().map(why).unwrap_or_default();
                terminal.print(&format!("!!  bad   {reason}: traffic goes back to the old colour"));
            }
            terminal.json(&Line { phase: Some(state.phase), message: Some(message), ..self.line(release) });
        }
        // Until requests in flight have ended on the colour that is left, no other release is taken.
        let is_over = state.phase != Phase::RollingBack;
        if let Some(outcome) = state.outcome.filter(|_| is_over) {
            let reason = state.cause.as_ref().map(|cause| format!(": {}", why(cause))).unwrap_or_default();
            let mark = if matches!(outcome, Outcome::Completed | Outcome::Kept) { "ok" } else { "!!" };
            terminal.print(&format!("{mark}  {}{reason}", phase(state)));
            let next = match outcome {
                Outcome::Completed | Outcome::Kept => self.undo(),
                Outcome::RolledBack | Outcome::Aborted => {
                    format!("next: kubectl describe bg   or   teal status {}", self.name)
                }
            };
            terminal.print(&format!("    {next}"));
            return Some(result(outcome, state.cause.as_ref()));
        }
        if state.phase == Phase::Held {
            terminal.print(&format!("!!  held   {message}\n    teal promote {0}   or   teal rollback {0}", self.name));
            return Some(("held", Exit::Held));
        }
        let seen = status.evidence.iter().map(|seen| {
            format!("\n    {} {}: {} requests, {} bad", seen.component, seen.colour, seen.requests, seen.bad)
        });
        let seen: String = seen.collect();
        let undo = if is_over { format!("\n    {}", self.undo()) } else { String::new() };
        terminal.live(&format!("..  {}   {message}{seen}{undo}", Known::Known(state.phase)));
        None
    }

    fn undo(&self) -> String {
        format!("undo: teal rollback {}", self.name)
    }

    fn line(&self, release: ReleaseId) -> Line<'_> {
        Line { release, environment: &self.name, phase: None, message: None, result: None, exit: None }
    }
}

/// What is released where.
fn candidates(state: &State) -> Vec<(String, Colour)> {
    let taking_part = state.components.iter().filter(|it| it.candidate.colour != it.stable.colour);
    taking_part.map(|it| (it.name.clone(), it.candidate.colour)).collect()
}
