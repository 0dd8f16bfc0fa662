//! Plays the releases under live traffic and takes down what the users saw of each.
//!
//! ```text
//! order -> look, look, look ... ended -> a second more -> every request sent so far has ended -> cut
//!   mark                                          mark
//! ```

use std::fmt;
use std::time::{Duration, Instant};

use teal_rollout::document::{Outcome, Phase};

use super::DemoError;
use super::fault::Fault;
use super::load::{Counts, Load, Stretch};
use super::operator::{Look, Operator};
use super::report::{ReleaseReport, Told};
use super::screen::{Screen, Seen, Sign};
use crate::display::words::count;

/// How often the agent is looked at. The figures do not depend on it: requests are counted by when they were sent.
const LOOK: Duration = Duration::from_millis(100);

/// How much longer the traffic is watched after the agent calls a release ended.
const AFTERMATH: Duration = Duration::from_secs(1);

/// One release to play.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// The version to release.
    pub version: String,
    /// What is wrong with it.
    pub fault: Fault,
}

/// Plays one release.
///
/// # Errors
/// When the agent refuses it, or does not answer any more.
pub async fn play(act: &Act, agent: &impl Operator, load: &Load, screen: &Screen) -> Result<ReleaseReport, DemoError> {
    let (begun, before) = (load.mark(), load.counts());
    let fault = act.fault.to_string();
    let release = agent.release(&act.version).await?;
    let mut phases = Phases::new(screen);
    let (told, status) = loop {
        let look = agent.look(release).await?;
        phases.show(&look, || watch_line(&look, &before, &load.counts(), &act.version));
        screen.release(&look.status, &Seen::since(&before, &load.counts()));
        if let Some((result, cause)) = look.ended {
            let Look { status, from, judged, exclude_above_percent, .. } = look;
            break (Told { from, result, cause, judged, exclude_above_percent }, status);
        }
        tokio::time::sleep(LOOK).await;
    };
    tokio::time::sleep(AFTERMATH).await;
    let ended = load.mark();
    load.settle(ended).await;
    let report = taken_down(act, fault, told, &load.stretch(begun, ended));
    let (sign, result) = result_line(&report);
    screen.line(sign, result, &Figures(&report).to_string());
    if let Some(invalid) = &report.invalid {
        screen.line(Sign::Mind, "invalid", invalid);
    }
    screen.release(&status, &Seen::since(&before, &load.counts()));
    screen.keep();
    Ok(report)
}

fn taken_down(act: &Act, fault: String, told: Told, sent: &Stretch) -> ReleaseReport {
    ReleaseReport::new(act.version.clone(), fault, told, &sent.cut(), sent.exposure(&act.version))
}

/// Brings the first version up: there is nothing to compare it with, so its watch is cut short.
///
/// # Errors
/// When the agent refuses it, or it does not get as far as serving.
pub async fn first(version: &str, agent: &impl Operator, screen: &Screen) -> Result<(), DemoError> {
    let begun = Instant::now();
    let release = agent.release(version).await?;
    let mut promoted = false;
    loop {
        let look = agent.look(release).await?;
        match &look.ended {
            Some((Outcome::Completed | Outcome::Kept, _)) => break,
            Some((result, cause)) => {
                let cause = cause.clone().unwrap_or_else(|| format!("{result:?}"));
                return Err(DemoError::First { version: version.to_owned(), cause });
            }
            None => {}
        }
        if look.phase == Phase::Watching && !promoted {
            // Refused when its watch ends at this very moment: the next look tells.
            promoted = agent.promote().await.is_ok();
        }
        tokio::time::sleep(LOOK).await;
    }
    screen.line(Sign::Ok, "first", &format!("{version} serves; {:.1} s", begun.elapsed().as_secs_f64()));
    Ok(())
}

/// Shows each phase once, when it is over, with how long it took.
struct Phases<'a> {
    screen: &'a Screen,
    now: Option<(Phase, Instant)>,
}

impl<'a> Phases<'a> {
    const fn new(screen: &'a Screen) -> Self {
        Self { screen, now: None }
    }

    fn show(&mut self, look: &Look, watch: impl Fn() -> String) {
        let phase = look.ended.is_none().then_some(look.phase);
        match self.now {
            Some((before, _)) if Some(before) == phase => {}
            before => {
                if let Some((before, since)) = before {
                    let took = since.elapsed().as_secs_f64();
                    match word(before) {
                        "watch" => self.screen.line(Sign::Ok, "watch", &watch()),
                        "roll back" => self.screen.line(Sign::Ok, "roll back", &format!("{took:.1} s, drained")),
                        name => self.screen.line(Sign::Ok, name, &format!("{}; {took:.1} s", look.candidate)),
                    }
                }
                self.now = phase.map(|phase| (phase, Instant::now()));
                if phase == Some(Phase::RollingBack) {
                    self.screen.line(Sign::No, "bad", "traffic goes back to the old colour");
                }
            }
        }
    }
}

const fn word(phase: Phase) -> &'static str {
    match phase {
        Phase::Idle => "idle",
        Phase::Deploying => "deploy",
        Phase::Smoke => "smoke",
        Phase::Switching => "switch",
        Phase::Watching => "watch",
        Phase::Held => "held",
        Phase::Retaining => "retain",
        Phase::RollingBack => "roll back",
    }
}

/// Goes on below the text of a line.
const NEXT: &str = "\n              ";

/// `green 188 requests, 0 bad, 0 lost`, and below it `log M -1.9 of 14.5   could exclude > 6.1 %`.
fn watch_line(look: &Look, before: &Counts, now: &Counts, version: &str) -> String {
    let seen = now.version(version);
    // Bad requests that name no version are most likely its own (see `Exposure`).
    let nobody = now.nobody.bad - before.nobody.bad;
    let (requests, bad, lost) = (seen.requests + nobody, seen.bad + nobody, now.all.lost - before.all.lost);
    let mut line = format!("{} {requests} requests, {bad} bad, {lost} lost", look.candidate);
    if now.in_flight > 20 {
        line += &format!(", {} waiting", now.in_flight);
    }
    if let Some((log_m, threshold)) = look.log_m {
        line += &format!("{NEXT}log M {log_m:.1} of {threshold:.1}");
    }
    if let Some(percent) = look.exclude_above_percent {
        line += &format!("   could exclude > {percent:.1} %");
    }
    line
}

fn result_line(report: &ReleaseReport) -> (Sign, &'static str) {
    let result = match report.result {
        Outcome::Completed => "completed",
        Outcome::Kept => "kept",
        Outcome::RolledBack => "back",
        Outcome::Aborted => "aborted",
    };
    (if report.is_as_expected() && report.lost == 0 { Sign::Ok } else { Sign::Mind }, result)
}

/// A line of figures, or two.
struct Figures<'a>(&'a ReleaseReport);

impl fmt::Display for Figures<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.0;
        write!(f, "{} requests, {} bad, {} lost", report.requests, report.bad, report.lost)?;
        if let Some(cause) = &report.cause {
            write!(f, " ({cause})")?;
        }
        if let Some(off) = report.time_to_off_ms {
            write!(f, "{NEXT}{} off {off:.0} ms after its first bad request", report.to)?;
        }
        if let Some(requests) = report.requests_to_detect {
            write!(f, ", {} to be sure", count(requests, "request"))?;
        }
        if report.result == Outcome::Completed && report.fault != "none" {
            write!(f, "{NEXT}the fault was not noticed: watch longer (--watch) or send more (--rps)")?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "script_tests.rs"]
mod tests;
