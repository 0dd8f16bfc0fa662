//! A release at this moment, as a small block of lines.
//!
//! ```text
//! ..  watch  03:12         ━━━━━━━━━━━━━╸─────── of 05:00  ends in 01:48           what runs, until when
//!     api    blue  v1.2.2  ─────────────────────      0 %  usually 0.2 % bad       traffic per colour
//!            green v1.2.3  ━━━━━━━━━━━━━━━━━━━━━    100 %  150 requests, 0 bad
//!            log M -1.9    ───────────────────── of 14.5   could exclude > 6.1 %   evidence, up to its threshold
//!     undo: teal rollback prod
//! ```

mod component;
mod grid;
mod trouble;

use anstyle::Style;
use teal_rollout::colour::Share;
use teal_rollout::document::{Outcome, Phase};

use self::grid::{Grid, Row};
use super::bar::Glyphs;
use super::line::Line;
use super::words::{changes, clock, undo};
use crate::api::{Safe, Status, WatchStatus, between};

/// A block of lines, none wider than was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Panel {
    /// What runs or how it ended, and what is wrong with Teal itself.
    pub head: Vec<Line>,
    /// Traffic and evidence of each component.
    pub body: Vec<Line>,
    /// What can be done, where that is anything.
    pub way_on: Vec<Line>,
}

impl Panel {
    /// All of it.
    #[must_use]
    pub fn lines(self) -> Vec<Line> {
        self.head.into_iter().chain(self.body).chain(self.way_on).collect()
    }

    /// All but what runs or how it ended.
    #[must_use]
    pub fn below(self) -> Vec<Line> {
        self.body.into_iter().chain(self.way_on).collect()
    }
}

/// The first line: what is released where, and by whom.
#[must_use]
pub fn headline(status: &Status) -> String {
    let release = status.release.unwrap_or_default();
    let changes = changes(&status.components);
    let changes = if changes.is_empty() { "nothing changes".to_owned() } else { changes.join("; ") };
    format!("{release} {}  {changes}   {}", status.environment, status.by).trim_end().to_owned()
}

/// `status` as it stands at `now` (RFC 3339), in at most `width` columns.
#[must_use]
pub fn panel(status: &Status, now: &str, width: usize, glyphs: Glyphs) -> Panel {
    let mut grid = Grid::default();
    match (&status.watch, status.phase.known()) {
        (Some(watch), Some(Phase::Watching | Phase::Retaining)) => grid.row(running(status, watch)),
        _ => grid.line(Line::marked(&standing(status, now))),
    }
    trouble::lines(status).into_iter().for_each(|line| grid.line(line));
    let head = grid.len();
    for component in &status.components {
        component::rows(&mut grid, component, status);
    }
    let body = grid.len();
    if let Some(line) = way_on(status) {
        grid.line(Line::of(format!("    {line}")));
    }
    let mut head_lines = grid.lay(width, glyphs);
    let way_on = head_lines.split_off(body);
    let body = head_lines.split_off(head);
    Panel { head: head_lines, body, way_on }
}

/// A time that runs out.
fn running(status: &Status, watch: &WatchStatus) -> Row {
    let left = watch.deadline.map(clock);
    let retaining = status.phase.is(&Phase::Retaining);
    let partly = status.components.iter().any(|c| c.candidate.is_some() && c.share < Share::ALL);
    let tail = match left {
        _ if !retaining && status.paused.is_some() => "stands still".to_owned(),
        Some(left) if retaining => format!("way back for {left}"),
        Some(left) if partly => format!("next share in {left}"),
        Some(left) => format!("ends in {left}"),
        None => String::new(),
    };
    let (mark, name) = match (retaining, status.outcome.as_ref().and_then(|outcome| outcome.known())) {
        (true, Some(Outcome::Kept)) => ("--", "kept"),
        (true, _) => ("ok", "kept"),
        (false, _) => ("..", "watch"),
    };
    Row {
        mark,
        name: name.to_owned(),
        label: clock(watch.elapsed),
        bar: Some((if watch.min > 0.0 { watch.elapsed / watch.min } else { 1.0 }, Style::new())),
        figure: Line::of(format!("of {}", clock(watch.min))),
        tail: Line::of(tail),
    }
}

/// A phase without a clock of its own, or the end, in one line.
#[must_use]
pub fn standing(status: &Status, now: &str) -> String {
    let took = clock(between(&status.since, now).unwrap_or_default());
    let cause = status.cause.as_ref().map(|cause| format!("   {cause}")).unwrap_or_default();
    let outcome = status.outcome.as_ref().and_then(|outcome| outcome.known());
    let next = if status.next.is_empty() { String::new() } else { format!("   {}", status.next) };
    match (status.phase.known(), outcome) {
        (Some(Phase::Idle), Some(Outcome::RolledBack)) => format!("!!  rolled back{cause}"),
        (Some(Phase::Idle), Some(Outcome::Aborted)) => format!("!!  aborted, traffic never moved{cause}"),
        (Some(Phase::Idle), Some(Outcome::Completed)) => format!("ok  completed{next}"),
        (Some(Phase::Idle), Some(Outcome::Kept)) => format!("--  kept, not proven{next}"),
        (Some(Phase::Idle), None) => format!("    idle{next}"),
        (Some(Phase::RollingBack), _) => format!("!!  rolling back {took}{cause}"),
        (Some(Phase::Held), _) => format!("--  held {took}   nothing moves until a human decides"),
        (Some(Phase::Deploying), _) => format!("..  deploy {took}{next}"),
        (Some(Phase::Smoke), _) => format!("..  smoke {took}{next}"),
        (Some(Phase::Switching), _) => format!("..  switch {took}{next}"),
        _ => format!("..  {} {took}{next}", status.phase),
    }
}

/// What to type: the way back, or what is decided by a human, or where the reasons stand.
fn way_on(status: &Status) -> Option<String> {
    let environment = &status.environment;
    let longest = |watch: &WatchStatus| watch.max > watch.min;
    Some(match status.phase.known()? {
        Phase::Deploying | Phase::Smoke => format!("undo: teal abort {environment}"),
        Phase::Held => format!("decide: teal promote {environment} | teal rollback {environment}"),
        Phase::Switching | Phase::Watching | Phase::Retaining => match &status.rollback_safe {
            Safe { yes: false, reason } if !reason.is_empty() => format!("no way back: {reason}"),
            Safe { yes: true, reason } if !reason.is_empty() => {
                format!("undo: {}   {reason}", undo(&status.mode, environment))
            }
            _ => {
                let watch = status.watch.as_ref().filter(|watch| longest(watch));
                let longest = watch.map(|watch| format!("   longest watch {}", clock(watch.max))).unwrap_or_default();
                format!("undo: {}{longest}", undo(&status.mode, environment))
            }
        },
        Phase::RollingBack => return None,
        Phase::Idle => {
            let bad = [Outcome::RolledBack, Outcome::Aborted];
            let outcome = status.outcome.as_ref().and_then(|outcome| outcome.known());
            let release = status.release.filter(|_| outcome.is_some_and(|outcome| bad.contains(outcome)))?;
            format!("why: teal explain {release} --env {environment}")
        }
    })
}

#[cfg(test)]
mod tests;
