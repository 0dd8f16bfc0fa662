//! One component's points: taken at a pace, and at once where the evidence moves; bounded in number.
//!
//! ```text
//! log M                         . crossed           full: every other plain point goes and the pace halves,
//!                             . jump                or, where jumps are most of them, every other jump,
//!   .    .    .    .    .   . passing               and only greater ones count from then on
//!   +----+----+----+----+----> t
//!    pace
//! ```
//! Pure: time and evidence come in.

use teal_rollout::colour::Share;
use teal_rollout::statistics::{Evidence, Samples};

use crate::api::{Known, Line, LinePart, Mark, Part, PartKind, Point, Seen};

/// The most points of a component.
pub(super) const MOST: usize = 400;
/// Seconds between two plain points, at first.
const PACE: f64 = 0.05;
/// How far log M moves before a point is due at once, at first and at most.
const JUMP: f64 = 1.0;
const GREATEST_JUMP: f64 = 8.0;
/// A part is kept where its own log M came this high: a good release gets there once in twenty.
const NEAR: f64 = 3.0;
/// Parts that are kept beside the errors of all requests.
const MOST_PARTS: usize = 5;

/// A component's line while it grows. It holds every part; [`Self::line`] leaves out those that never came near.
#[derive(Clone, Debug)]
pub(super) struct Track {
    line: Line,
    pace: f64,
    jump: f64,
    /// When the next plain point is due.
    due: f64,
    /// The newest look, where it was not worth a point.
    passing: Option<Point>,
    /// At the newest look: requests since the last start, and whether M was over.
    judged: u64,
    over: bool,
}

impl Track {
    pub(super) fn new(component: String) -> Self {
        Self::resume(Line { component, ..Line::default() })
    }

    /// Goes on with a line that was kept.
    pub(super) fn resume(mut line: Line) -> Self {
        line.points.truncate(MOST);
        let length = line.points.last().map_or(0.0, |last| last.t);
        let pace = (length / float(MOST / 2)).max(PACE);
        Self { line, pace, jump: JUMP, due: 0.0, passing: None, judged: 0, over: false }
    }

    pub(super) fn component(&self) -> &str {
        &self.line.component
    }

    /// Takes a look at `t` seconds, not decreasing; `special` says that this moment is to be kept, `parts` gives the parts
    /// where a point is taken, which is returned. Cheap where none is: no allocation, one logarithm.
    pub(super) fn look(
        &mut self,
        t: f64,
        evidence: &Evidence,
        samples: Option<&Samples>,
        share: Share,
        special: Option<Mark>,
        parts: impl FnOnce() -> Vec<Part>,
    ) -> bool {
        let (requests, bad) = (evidence.requests(), evidence.bad());
        let aside = evidence.excused();
        // With a verdict the document's share is already what it will be.
        let before = self.line.points.last().map(|last| last.share);
        let share = before.filter(|_| special == Some(Mark::Verdict)).unwrap_or(share);
        let point = Point {
            t: round(t, 1e4),
            requests: requests + aside.requests,
            bad: bad + aside.bad,
            log_m: round(evidence.log_m(), 1e2),
            share,
            probes: samples.map(Samples::counts).filter(|c| c.n0 > 0).map(|c| Seen { requests: c.n0, bad: c.k0 }),
            ..Point::default()
        };
        let over = evidence.is_bad() || samples.is_some_and(Samples::is_bad);
        let crossed = over && !self.over;
        let restarted = requests < self.judged;
        (self.judged, self.over) = (requests, over);
        let last = self.line.points.last();
        let moved = last.is_some_and(|last| (point.log_m - last.log_m).abs() > self.jump);
        let mark = match special {
            Some(mark) => Some(mark),
            None if crossed => Some(Mark::Crossed),
            None if restarted => Some(Mark::Restarted),
            None => moved.then_some(Mark::Jump),
        };
        if mark.is_none() {
            let same =
                last.is_some_and(|l| (l.requests, l.share, l.probes) == (point.requests, point.share, point.probes));
            if same || last.is_some() && t < self.due {
                self.passing = (!same).then_some(point);
                return false;
            }
        } else if let Some(before) = self.passing.take().filter(|p| (point.log_m - p.log_m).abs() > self.jump / 2.0) {
            // Where it came from, so that a leap is not drawn as a slope.
            self.push(Point { mark: Some(Known::Known(Mark::Jump)), ..before });
        }
        let parts = self.parts(&parts());
        self.push(Point { parts, mark: mark.map(Known::Known), ..point });
        self.line.threshold = round(evidence.log_threshold(), 1e2);
        (self.passing, self.due) = (None, t + self.pace);
        true
    }

    /// Each part's log M, in the order of the line's parts, which grow by those that were not met before.
    fn parts(&mut self, parts: &[Part]) -> Vec<Option<f64>> {
        let mut values = vec![None; self.line.parts.len()];
        for part in parts {
            let at = self.line.parts.iter().position(|known| (&known.kind, &known.name) == (&part.kind, &part.name));
            let at = at.unwrap_or_else(|| {
                let (kind, name) = (part.kind.clone(), part.name.clone());
                self.line.parts.push(LinePart { kind, name, threshold: round(part.threshold, 1e2) });
                values.push(None);
                values.len() - 1
            });
            values[at] = Some(round(part.log_m, 1e2));
        }
        values
    }

    fn push(&mut self, point: Point) {
        if self.line.points.len() >= MOST {
            self.thin();
        }
        self.line.points.push(point);
    }

    fn thin(&mut self) {
        let points = &mut self.line.points;
        let plain = points.iter().filter(|point| point.mark.is_none()).count();
        let of_plain = plain * 2 >= points.len();
        let droppable = |point: &Point| {
            if of_plain {
                point.mark.is_none()
            } else {
                point.mark.as_ref().is_some_and(|mark| !mark.is(&Mark::Verdict))
            }
        };
        let mut odd = false;
        points.retain(|point| {
            odd ^= droppable(point);
            !droppable(point) || odd
        });
        if of_plain {
            self.pace *= 2.0;
        } else {
            self.jump = (self.jump * 2.0).min(GREATEST_JUMP);
        }
    }

    /// The line as it is kept and sent: with the parts that came near, and at most so many.
    pub(super) fn line(&self) -> Line {
        let peak = |at: usize| {
            let values = self.line.points.iter().filter_map(|point| *point.parts.get(at)?);
            values.fold(f64::NEG_INFINITY, f64::max)
        };
        let is_errors = |part: &LinePart| part.kind.is(&PartKind::Errors);
        let parts = self.line.parts.iter().enumerate();
        let mut near: Vec<(f64, usize)> = parts
            .filter(|(_, part)| !is_errors(part))
            .map(|(at, part)| (peak(at), part.threshold, at))
            .filter(|(peak, ..)| *peak >= NEAR)
            .map(|(peak, threshold, at)| (threshold - peak, at))
            .collect();
        near.sort_by(|a, b| a.0.total_cmp(&b.0));
        near.truncate(MOST_PARTS);
        let errors = self.line.parts.iter().position(is_errors);
        let chosen: Vec<usize> = errors.into_iter().chain(near.into_iter().map(|(_, at)| at)).collect();
        let pick = |point: &Point| {
            let parts = if point.parts.is_empty() {
                Vec::new()
            } else {
                chosen.iter().map(|at| point.parts.get(*at).copied().flatten()).collect()
            };
            Point { parts, ..point.clone() }
        };
        Line {
            component: self.line.component.clone(),
            threshold: self.line.threshold,
            parts: chosen.iter().map(|at| self.line.parts[*at].clone()).collect(),
            points: self.line.points.iter().map(pick).collect(),
        }
    }
}

/// To so many parts of one: what is kept is for people and has to be small.
fn round(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred")]
const fn float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
