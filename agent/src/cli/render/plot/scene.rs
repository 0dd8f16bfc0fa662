//! What is to be drawn: the curves, the events with their labels, shared windows and phases, on the axis of seconds.

use teal_rollout::colour::Share;
use teal_rollout::document::{Outcome, Phase};

use super::super::words::span;
use crate::api::{Asked, Explanation, Happening, Line, LinePart, Mark, PartKind, Timeline};

/// Magnified where the last moments are less than this part of the time from the switch.
const MAGNIFY: f64 = 0.35;
/// The climb begins where log M was last below this part of the threshold.
const FOOT: f64 = 0.1;

/// Everything that a panel draws.
pub(super) struct Scene<'a> {
    pub(super) line: &'a Line,
    /// The part that M comes from in the end, where that is not the errors of all requests.
    pub(super) part: Option<LeadingPart>,
    /// In the order of time.
    pub(super) events: Vec<Mention>,
    /// Shared windows.
    pub(super) windows: Vec<(f64, f64)>,
    /// Phases after the switch, and whether it is the way back.
    pub(super) phases: Vec<(f64, f64, String, bool)>,
    end: f64,
    back: Option<f64>,
}

pub(super) struct LeadingPart {
    pub(super) title: String,
    pub(super) index: usize,
    /// What its log M loses by its weight: on the axis of the whole one threshold holds for both.
    pub(super) offset: f64,
}

/// An event with a label.
#[derive(Clone, Debug)]
pub(super) struct Mention {
    pub(super) t: f64,
    pub(super) label: String,
    /// Drawn as something bad.
    pub(super) bad: bool,
}

impl<'a> Scene<'a> {
    pub(super) fn new(explanation: &Explanation, timeline: &Timeline, line: &'a Line) -> Self {
        let last = line.points.iter().map(|point| point.t).filter(|t| t.is_finite()).fold(0.0, f64::max);
        let mut scene = Self {
            line,
            part: leading(line),
            events: Vec::new(),
            windows: Vec::new(),
            phases: Vec::new(),
            end: last,
            back: None,
        };
        let mut phase: Option<(f64, Phase)> = None;
        for record in &explanation.events {
            let Some((t, happening)) = timeline.seconds(record).zip(record.happening()) else { continue };
            if let Happening::Entered { phase: entered } = happening {
                if let Some((since, before)) = phase.replace((t, entered)) {
                    scene.phase(since, t, before);
                }
            } else if t > -0.05 {
                scene.take(t.max(0.0), &happening);
            }
        }
        // An open window, and the phase that goes on, end with the picture.
        let end = scene.end;
        scene.windows.iter_mut().filter(|(_, to)| to.is_infinite()).for_each(|(_, to)| *to = end);
        if let Some((since, phase)) = phase {
            scene.phase(since, f64::INFINITY, phase);
        }
        let asked = timeline.asked.iter().filter(|asked| asked.component == line.component);
        for asked in asked.filter(|asked| asked.rounds == 1) {
            scene.events.push(mention(asked));
        }
        let resumed = line.points.iter().filter(|p| p.mark.as_ref().is_some_and(|mark| mark.is(&Mark::Resumed)));
        scene.events.extend(resumed.map(|p| Mention { t: p.t, label: "agent back".to_owned(), bad: false }));
        for (from, to) in &scene.windows {
            let label = format!("shared outage, {}", span(to - from));
            scene.events.push(Mention { t: *from, label, bad: true });
        }
        scene.events.sort_by(|a, b| a.t.total_cmp(&b.t));
        scene
    }

    fn phase(&mut self, from: f64, to: f64, phase: Phase) {
        let to = to.min(self.whole().1);
        if to > from.max(0.0) && !matches!(phase, Phase::Deploying | Phase::Smoke) {
            self.phases.push((from.max(0.0), to, phase.words().to_owned(), phase == Phase::RollingBack));
        }
    }

    fn take(&mut self, t: f64, happening: &Happening) {
        let (label, bad) = match happening {
            Happening::Switched { share, .. } if *share == Share::ALL => ("switched".to_owned(), false),
            Happening::Switched { share, .. } => (format!("switched, {share}"), false),
            Happening::Bad { .. } => ("called bad".to_owned(), true),
            Happening::WouldRollBack { .. } => ("would go back".to_owned(), true),
            Happening::NoWayBack { .. } => ("bad, no way back".to_owned(), true),
            Happening::Back { took_us } => {
                self.back = Some(t);
                let took = took_us.map(|us| format!(" in {}", span(us as f64 / 1e6))).unwrap_or_default();
                (format!("traffic back{took}"), false)
            }
            Happening::Ended { outcome: Outcome::Completed, .. } => ("found good".to_owned(), false),
            Happening::Ended { outcome: Outcome::Kept, .. } => ("kept, not proven".to_owned(), false),
            Happening::OutageSuspected { .. } => ("short outage".to_owned(), true),
            Happening::SharedOutage { .. } => return self.windows.push((t, f64::INFINITY)),
            Happening::SharedOutageOver => {
                if let Some(window) = self.windows.last_mut().filter(|(_, to)| to.is_infinite()) {
                    window.1 = t;
                }
                return;
            }
            Happening::Emergency { .. } => ("emergency".to_owned(), true),
            Happening::KeptIn { .. } => ("old colour scaled".to_owned(), false),
            Happening::ScalingUp { .. } => ("scaling up".to_owned(), false),
            Happening::NotScaledUp { .. } => ("not scaled up".to_owned(), true),
            Happening::Paused { .. } => ("paused".to_owned(), false),
            Happening::Resumed { .. } => ("resumed".to_owned(), false),
            Happening::Extended => ("watch extended".to_owned(), false),
            Happening::ManualAdopted | Happening::ManualPutBack | Happening::SelectorDrift { .. } => {
                ("moved by hand".to_owned(), false)
            }
            Happening::Entered { .. }
            | Happening::Smoke { .. }
            | Happening::Ended { .. }
            | Happening::Observed
            | Happening::ByHand { .. }
            | Happening::EmergencyOver { .. } => return,
        };
        self.end = self.end.max(t);
        self.events.push(Mention { t, label, bad });
    }

    /// From the switch to a little after the end; where the last moments are not shown apart, with room for their labels.
    pub(super) fn whole(&self) -> (f64, f64) {
        let after = if self.moments().is_some() { 0.05 } else { 0.18 };
        (0.0, (self.end * (1.0 + after)).max(0.01))
    }

    /// The climb over the threshold and what followed, where it would be too narrow to see in the whole.
    pub(super) fn moments(&self) -> Option<(f64, f64)> {
        let points = &self.line.points;
        let over = points.iter().position(|point| point.log_m >= self.line.threshold)?;
        let back = self.back.filter(|back| *back >= points[over].t)?;
        let foot = points[..over].iter().rposition(|point| point.log_m < self.line.threshold * FOOT).unwrap_or(0);
        let (from, to) = (points[foot].t, back);
        let length = (to - from).max(0.002);
        // Room for the labels of what comes last.
        let range = ((from - 0.1 * length).max(0.0), to + 0.65 * length);
        (range.1 - range.0 < MAGNIFY * self.end).then_some(range)
    }
}

fn mention(asked: &Asked) -> Mention {
    let passed = match asked.passed {
        Some(passed) if passed >= asked.enough => "probes pass".to_owned(),
        Some(passed) => format!("{passed}/{} probes pass", asked.requests),
        None => "no answer".to_owned(),
    };
    Mention { t: asked.t, label: format!("{} {}: {passed}", asked.arm, asked.colour), bad: false }
}

fn leading(line: &Line) -> Option<LeadingPart> {
    let highest = |index: usize, part: &LinePart| {
        let values = line.points.iter().filter_map(|point| *point.parts.get(index)?);
        values.fold(f64::NEG_INFINITY, f64::max) - part.threshold
    };
    let parts = line.parts.iter().enumerate().map(|(index, part)| (highest(index, part), index, part));
    let (_, index, part) = parts.max_by(|a, b| a.0.total_cmp(&b.0))?;
    let offset = part.threshold - line.threshold;
    (!part.kind.is(&PartKind::Errors)).then(|| LeadingPart { title: part.title(), index, offset })
}
