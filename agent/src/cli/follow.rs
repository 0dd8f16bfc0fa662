//! Follows a release to the end of its watch: finished phases as lines, the running one live.

use std::time::{Duration, Instant};

use serde::Serialize;
use teal_rollout::colour::Colour;
use teal_rollout::document::{Cause, Outcome, Phase};

use super::context::{Context, client};
use super::remote::LastWords;
use super::render::{Progress, progress};
use super::terminal::Terminal;
use super::{CliError, Exit, engine};
use crate::api::{Explanation, Happening, Known, Record, ReleaseId, Status, timestamp};
use crate::client::{Client, ClientError};
use crate::config::Loaded;
use crate::display::headline;
use crate::display::words::undo;

/// How often the live text is redrawn when nothing happens.
const PACE: Duration = Duration::from_secs(1);

/// How long an agent may be away (an upgrade, say) before following gives up.
const ABSENCE: Duration = Duration::from_secs(30);

/// Lines of a failed process's output that are shown.
const LAST_LINES: usize = 10;

/// What following came to: a word for JSON and the exit code.
type End = (&'static str, Exit);

/// The last line of output in JSON mode.
#[derive(Serialize)]
struct LastLine<'a> {
    release: ReleaseId,
    environment: &'a str,
    result: &'a str,
    exit: u8,
}

/// Follows `release` until it has ended, a human is needed, or Ctrl-C detaches.
pub(super) async fn follow(
    context: &Context,
    loaded: &Loaded,
    environment: &str,
    release: ReleaseId,
) -> Result<Exit, CliError> {
    let mut follow = Follow {
        loaded,
        client: client(loaded),
        environment,
        release,
        progress: Progress::new(release),
        terminal: context.terminal(),
        after: 0,
        candidates: Vec::new(),
        words: LastWords::default(),
        last: None,
        ended: None,
    };
    let (result, exit) = tokio::select! {
        end = follow.until_the_end() => end?,
        _ = tokio::signal::ctrl_c() => follow.detach(),
    };
    follow.terminal.json(&LastLine { release, environment, result, exit: exit.code() });
    Ok(exit)
}

struct Follow<'a> {
    loaded: &'a Loaded,
    client: Client,
    environment: &'a str,
    release: ReleaseId,
    progress: Progress,
    terminal: Terminal,
    /// The last event that was seen.
    after: u64,
    /// What is released where, while the status shows it.
    candidates: Vec<(String, Colour)>,
    /// What Pods wrote last, on a cluster.
    words: LastWords,
    /// Its status when it was last asked for.
    last: Option<Status>,
    ended: Option<(Outcome, Option<Cause>)>,
}

impl Follow<'_> {
    async fn until_the_end(&mut self) -> Result<End, CliError> {
        self.catch_up().await?;
        while self.ended.is_none() && !self.progress.held {
            let status = self.step().await?;
            if status.release == Some(self.release)
                && (status.phase.is(&Phase::Deploying) || status.phase.is(&Phase::RollingBack))
            {
                self.words.keep(self.loaded, self.environment, &self.candidates).await;
            }
            if status.release > Some(self.release) && self.ended.is_none() {
                // Another release is under way already; how this one ended stands in its explanation.
                self.catch_up().await?;
                break;
            }
        }
        Ok(self.end())
    }

    /// Takes in everything that was recorded before.
    async fn catch_up(&mut self) -> Result<(), CliError> {
        let explanation = self.client.explain(self.environment, self.release).await?;
        let status = self.client.status(self.environment).await?;
        if self.after == 0 && status.release == Some(self.release) && explanation.release.ended.is_none() {
            self.terminal.print(&headline(&status));
        }
        let missed: Vec<Record> = explanation.events.iter().filter(|record| record.seq > self.after).cloned().collect();
        self.tell(&missed, &status);
        self.ended = self.ended.take().or_else(|| outcome(&explanation));
        Ok(())
    }

    /// Waits for the next events and shows them; an agent that restarts is waited for.
    async fn step(&mut self) -> Result<Status, CliError> {
        let mut absent: Option<Instant> = None;
        loop {
            match self.poll().await {
                Ok(status) => return Ok(status),
                Err(error @ ClientError::Refused(_)) => return Err(error.into()),
                Err(error) if absent.is_some_and(|since| since.elapsed() > ABSENCE) => {
                    let hint = format!("teal status {}   asks the edge itself", self.environment);
                    return Err(CliError::from(error).hint(hint));
                }
                Err(error) => {
                    absent.get_or_insert_with(Instant::now);
                    self.terminal.live(&format!("..  waiting for the agent: {error}"));
                    tokio::time::sleep(Duration::from_millis(250)).await;
                }
            }
        }
    }

    async fn poll(&mut self) -> Result<Status, ClientError> {
        let records = self.client.events(self.environment, self.after, PACE).await?;
        let status = self.client.status(self.environment).await?;
        self.tell(&records, &status);
        if self.ended.is_none() && status.release == Some(self.release) {
            let now = timestamp(time::OffsetDateTime::now_utc());
            self.terminal.draw(self.terminal.panel(&status).lines());
            self.terminal.plain(self.environment, &progress::live(&status, &now));
        }
        Ok(status)
    }

    fn tell(&mut self, records: &[Record], status: &Status) {
        if status.release == Some(self.release) {
            self.last = Some(status.clone());
            let candidate = |component: &crate::api::ComponentStatus| {
                Some((component.name.clone(), *component.candidate.as_ref()?.colour.known()?))
            };
            let candidates: Vec<_> = status.components.iter().filter_map(candidate).collect();
            if !candidates.is_empty() {
                self.candidates = candidates;
            }
        }
        for record in records {
            self.after = self.after.max(record.seq);
            if record.release == self.release {
                self.terminal.json(record);
            }
            if let Some(line) = self.progress.record(record, status) {
                self.terminal.print(&line);
            }
        }
        if let Some(Happening::Ended { outcome, cause }) = &self.progress.ended {
            self.ended = Some((*outcome, cause.clone()));
        }
    }

    /// Says what the release came to and what can be done next.
    fn end(&mut self) -> End {
        let (environment, release) = (self.environment, self.release);
        self.last_frame();
        let Some((outcome, cause)) = self.ended.clone() else {
            return if self.progress.held { ("held", Exit::Held) } else { ("unknown", Exit::Failed) };
        };
        if matches!(outcome, Outcome::RolledBack | Outcome::Aborted) {
            self.last_lines(cause.as_ref());
            if !self.terminal.draws() {
                self.terminal.print(&format!("    next: teal explain {release} --env {environment}"));
            }
        } else if !self.terminal.draws() {
            self.terminal.print(&format!("    undo: {}", self.undo()));
        }
        result(outcome, cause.as_ref())
    }

    /// How things stand now stays on the terminal.
    fn last_frame(&mut self) {
        if let Some(status) = self.last.take() {
            let panel = self.terminal.panel(&status);
            // How it ended stands above already.
            let lines = if status.phase.is(&Phase::Idle) { panel.below() } else { panel.lines() };
            self.terminal.draw(lines);
        }
        self.terminal.keep();
    }

    /// What the failed processes wrote last: on the terminal only, never in JSON or a log.
    fn last_lines(&mut self, cause: Option<&Cause>) {
        let guilty = match cause {
            Some(
                Cause::Errors { component }
                | Cause::Latency { component }
                | Cause::Gone { component }
                | Cause::CrashLoop { component },
            ) => Some(component),
            Some(Cause::NotReady { .. } | Cause::Smoke { .. }) => None,
            _ => return,
        };
        for (component, colour) in self.candidates.iter().filter(|(name, _)| guilty.is_none_or(|guilty| guilty == name))
        {
            self.words.of(component).iter().for_each(|line| self.terminal.print(line));
            let lines = engine::last_lines(self.loaded, self.environment, component, *colour, LAST_LINES);
            if !lines.is_empty() {
                self.terminal.print(&format!("    {component}-{colour} wrote last:"));
                lines.iter().for_each(|line| self.terminal.print(&format!("    | {line}")));
            }
        }
    }

    fn undo(&self) -> String {
        let mode = self.loaded.config.environment(self.environment).map(|one| one.mode);
        undo(&Known::Known(mode.unwrap_or_default()), self.environment)
    }

    fn detach(&mut self) -> End {
        let (environment, release) = (self.environment, self.release);
        let text = format!(
            "--  detached   {release} goes on without this terminal\n    follow: teal wait {release} --env {environment}   undo: {}",
            self.undo()
        );
        self.terminal.keep();
        self.terminal.print(&text);
        ("detached", Exit::Done)
    }
}

/// How a release of the past ended.
fn outcome(explanation: &Explanation) -> Option<(Outcome, Option<Cause>)> {
    let release = &explanation.release;
    release.ended.as_ref()?;
    Some((*release.outcome.as_ref()?.known()?, None))
}

/// The word and exit code of an outcome.
pub(super) fn result(outcome: Outcome, cause: Option<&Cause>) -> End {
    match (outcome, cause) {
        (Outcome::Completed, _) => ("completed", Exit::Done),
        (Outcome::Kept, _) => ("kept", Exit::NotProven),
        (Outcome::RolledBack, _) => ("rolled_back", Exit::RolledBack),
        (Outcome::Aborted, Some(Cause::Smoke { .. })) => ("aborted", Exit::Refused),
        (Outcome::Aborted, _) => ("aborted", Exit::Failed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_has_its_exit_code() {
        let smoke = Cause::Smoke { reason: "login".into() };
        let check = |outcome, cause, exit: Exit| assert_eq!(result(outcome, cause).1, exit);
        check(Outcome::Completed, None, Exit::Done);
        check(Outcome::Kept, None, Exit::NotProven);
        check(Outcome::RolledBack, Some(&Cause::Manual), Exit::RolledBack);
        check(Outcome::Aborted, Some(&smoke), Exit::Refused);
        check(Outcome::Aborted, Some(&Cause::Order { by: "ops".into() }), Exit::Failed);
    }
}
