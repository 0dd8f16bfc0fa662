//! One panel: axes, curves, bad requests, phases, and the labels of events above, none over another.

use std::fmt::Write;

use super::scale::{Scale, mark, ticks};
use super::scene::{Mention, Scene};
use super::svg::{Svg, width};
use crate::api::{Mark, Point};

/// Height of the curves, of the bad requests below, of the axis' marks and of the phases.
const CURVES: f64 = 280.0;
const BAD: f64 = 34.0;
const AXIS: f64 = 22.0;
const PHASES: f64 = 20.0;
/// All of it with the spaces between.
pub(super) const HEIGHT: f64 = CURVES + 6.0 + BAD + AXIS + 4.0 + PHASES;
/// Height of a row of labels.
const LANE: f64 = 17.0;

/// A stretch of time in its place.
pub(super) struct Panel<'a> {
    scene: &'a Scene<'a>,
    range: (f64, f64),
    left: f64,
    width: f64,
    /// A stretch that another panel shows in detail.
    lens: Option<(f64, f64)>,
}

/// A label with its place.
struct Label<'a> {
    event: &'a Mention,
    x: f64,
    lane: usize,
    /// Written to the left of its line, where there is no room to the right.
    leftwards: bool,
}

impl<'a> Panel<'a> {
    pub(super) const fn new(scene: &'a Scene<'a>, range: (f64, f64), left: f64, width: f64) -> Self {
        Self { scene, range, left, width, lens: None }
    }

    /// The same, with a stretch marked whose events another panel names.
    pub(super) fn magnified(self, lens: (f64, f64)) -> Self {
        Self { lens: Some(lens), ..self }
    }

    fn x(&self) -> Scale {
        Scale::new(self.range, (self.left, self.left + self.width))
    }

    fn shows(&self, t: f64) -> bool {
        t >= self.range.0 && t <= self.range.1 && self.lens.is_none_or(|(from, to)| t < from || t > to)
    }

    /// Room that the labels take above the curves.
    pub(super) fn labels_height(&self) -> f64 {
        let lanes = self.labels().iter().map(|label| label.lane + 1).max().unwrap_or(0);
        LANE * f64::from(u32::try_from(lanes).unwrap_or(0)) + 8.0
    }

    /// From the last to the first, each in the lowest lane with room: a line from a label then passes left of those below.
    fn labels(&self) -> Vec<Label<'a>> {
        let (x, right) = (self.x(), self.left + self.width);
        let mut lanes: Vec<Vec<(f64, f64)>> = Vec::new();
        let mut labels = Vec::new();
        for event in self.scene.events.iter().rev().filter(|event| self.shows(event.t)) {
            let (x, length) = (x.at(event.t), width(&event.label) + 6.0);
            let leftwards = x + length > right + 8.0;
            let span = if leftwards { (x - length, x) } else { (x, x + length) };
            let free = |lane: &Vec<(f64, f64)>| lane.iter().all(|(from, to)| span.1 + 6.0 < *from || span.0 > to + 6.0);
            let lane = lanes.iter().position(free).unwrap_or(lanes.len());
            if lane == lanes.len() {
                lanes.push(Vec::new());
            }
            lanes[lane].push(span);
            labels.push(Label { event, x, lane, leftwards });
        }
        labels
    }

    pub(super) fn draw(&self, svg: &mut Svg, top: f64) {
        let bottom = top + CURVES;
        let points = &self.scene.line.points;
        let finite = || points.iter().map(|point| point.log_m).filter(|log_m| log_m.is_finite());
        let threshold = self.scene.line.threshold;
        let lowest = finite().fold(-3.0, f64::min) - 0.5;
        let highest = finite().fold(threshold * 1.1, f64::max) + 0.5;
        let y = Scale::new((lowest, highest), (bottom, top));
        self.grid(svg, y, (lowest, highest), (top, bottom));
        self.backgrounds(svg, top, bottom);
        self.events(svg, top, bottom);
        let limit = y.at(threshold);
        svg.path("limit", &format!("M{:.1} {limit:.1}h{:.1}", self.left, self.width));
        svg.text(self.left + 6.0, limit - 6.0, "label bad small", &format!("bad from {threshold:.1} on"));
        self.curves(svg, y, lowest);
        self.bad(svg, bottom + 6.0);
        self.axis(svg, bottom + 6.0 + BAD);
        self.phases(svg, bottom + 6.0 + BAD + AXIS + 4.0);
    }

    fn grid(&self, svg: &mut Svg, y: Scale, range: (f64, f64), (top, bottom): (f64, f64)) {
        for value in ticks(range, 5.0) {
            svg.path("grid", &format!("M{:.1} {:.1}h{:.1}", self.left, y.at(value), self.width));
            svg.text(self.left - 8.0, y.at(value) + 4.0, "end soft small", &format!("{}", value.round()));
        }
        svg.text(self.left - 8.0, top - 8.0, "end soft small", "log M");
        svg.path("rule", &format!("M{:.1} {top:.1}V{bottom:.1}h{:.1}", self.left, self.width));
    }

    fn backgrounds(&self, svg: &mut Svg, top: f64, bottom: f64) {
        let windows = self.scene.windows.iter().map(|window| (*window, "window"));
        for ((from, to), class) in windows.chain(self.lens.map(|lens| (lens, "lens"))) {
            let (from, to) = (from.max(self.range.0), to.min(self.range.1));
            if to > from {
                let (x, end) = (self.x().at(from), self.x().at(to));
                svg.rect((x, top), ((end - x).max(2.0), bottom - top + 6.0 + BAD), class);
            }
        }
    }

    fn events(&self, svg: &mut Svg, top: f64, bottom: f64) {
        let labels = self.labels();
        let y = |lane: usize| top - 8.0 - LANE * f64::from(u32::try_from(lane).unwrap_or(0));
        // All lines before all text, so that none goes through a label.
        for Label { x, lane, .. } in &labels {
            svg.path("rule", &format!("M{x:.1} {:.1}V{bottom:.1}", y(*lane) - 9.0));
        }
        for Label { event, x, lane, leftwards } in labels {
            let y = y(lane);
            let class = if event.bad { "label bad" } else { "label ink" };
            if leftwards {
                svg.text(x - 4.0, y, &format!("{class} end"), &event.label);
            } else {
                svg.text(x + 4.0, y, class, &event.label);
            }
        }
    }

    fn curves(&self, svg: &mut Svg, y: Scale, floor: f64) {
        if let Some(part) = &self.scene.part {
            let value = |point: &Point| Some((*point.parts.get(part.index)?)? - part.offset);
            self.curve(svg, (y, floor), "line part", value);
        }
        self.curve(svg, (y, floor), "line whole", |point| Some(point.log_m));
    }

    /// A polyline, cut at the panel's sides, dotted where nobody watched.
    fn curve(&self, svg: &mut Svg, (y, floor): (Scale, f64), class: &str, value: impl Fn(&Point) -> Option<f64>) {
        let x = self.x();
        let mut path = String::new();
        let mut before: Option<(f64, f64)> = None;
        for point in &self.scene.line.points {
            let Some(log_m) = value(point).filter(|log_m| log_m.is_finite() && point.t.is_finite()) else { continue };
            // What matters is near the threshold, not how far below it a part is.
            let here = (point.t, log_m.max(floor));
            let gap = point.mark.as_ref().is_some_and(|mark| mark.is(&Mark::Resumed));
            if let Some((from, to)) = before.and_then(|before| cut(before, here, self.range)) {
                let [from, to] = [from, to].map(|(t, v)| (x.at(t), y.at(v)));
                if gap {
                    let dotted = format!("M{:.1} {:.1}L{:.1} {:.1}", from.0, from.1, to.0, to.1);
                    svg.path(&format!("{class} gap"), &dotted);
                    path.clear();
                }
                if path.is_empty() || gap {
                    let _ = write!(path, "M{:.1} {:.1}", from.0, from.1);
                }
                let _ = write!(path, "L{:.1} {:.1}", to.0, to.1);
            }
            before = Some(here);
        }
        if !path.is_empty() {
            svg.path(class, &path);
        }
    }

    /// A tick a look that found bad requests, the longer the more.
    fn bad(&self, svg: &mut Svg, top: f64) {
        let points = &self.scene.line.points;
        let found = points.windows(2).map(|pair| (pair[1].t, pair[1].bad.saturating_sub(pair[0].bad)));
        let found: Vec<(f64, u64)> =
            found.filter(|(t, bad)| *bad > 0 && *t >= self.range.0 && *t <= self.range.1).collect();
        let most = found.iter().map(|(_, bad)| *bad).max().unwrap_or(1);
        let mut path = String::new();
        for (t, bad) in found {
            let height = (BAD - 4.0) * (bad as f64 / most as f64).sqrt();
            let _ = write!(path, "M{:.1} {:.1}v-{height:.1}", self.x().at(t), top + BAD);
        }
        if !path.is_empty() {
            svg.path("tick", &path);
        }
        svg.text(self.left - 8.0, top + BAD - 8.0, "end soft small", "bad");
    }

    fn axis(&self, svg: &mut Svg, top: f64) {
        let range = self.range.1 - self.range.0;
        svg.path("rule", &format!("M{:.1} {top:.1}h{:.1}", self.left, self.width));
        for value in ticks(self.range, (self.width / 85.0).floor().max(2.0)) {
            let x = self.x().at(value);
            svg.path("rule", &format!("M{x:.1} {top:.1}v4"));
            svg.text(x, top + 16.0, "middle soft small", &mark(value, range));
        }
    }

    fn phases(&self, svg: &mut Svg, top: f64) {
        for (from, to, name, back) in &self.scene.phases {
            let (from, to) = (self.x().at(from.max(self.range.0)), self.x().at(to.min(self.range.1)));
            if to - from < 1.0 {
                continue;
            }
            svg.rect((from, top), (to - from - 1.0, PHASES), if *back { "back" } else { "phase" });
            if to - from > width(name) + 8.0 {
                svg.text(from + 6.0, top + 14.0, "ink small", name);
            }
        }
    }
}

/// The part of the stretch between two points that lies within the range.
fn cut(a: (f64, f64), b: (f64, f64), range: (f64, f64)) -> Option<((f64, f64), (f64, f64))> {
    if b.0 < range.0 || a.0 > range.1 || b.0 < a.0 {
        return None;
    }
    let at = |t: f64| if b.0 - a.0 < 1e-9 { b.1 } else { a.1 + (b.1 - a.1) * (t - a.0) / (b.0 - a.0) };
    let from = if a.0 < range.0 { (range.0, at(range.0)) } else { a };
    let to = if b.0 > range.1 { (range.1, at(range.1)) } else { b };
    Some((from, to))
}
