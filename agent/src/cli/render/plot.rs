//! `teal explain --svg`: the evidence over time as a picture, written by hand so that it needs no library to make or see.
//!
//! ```text
//! +- title ------------------------------------------------+
//! | labels of events         |  the moments before the end |
//! | log M against threshold  |  the same, magnified        |
//! | bad requests             |                             |
//! | phases                   |                             |
//! +- legend -----------------------------------------------+
//! ```
//! Readable on light and dark paper (`prefers-color-scheme`), text as text, described for who does not see it.

mod panel;
mod scale;
mod scene;
mod svg;

use self::panel::Panel;
use self::scene::Scene;
use self::svg::Svg;
use super::words::{figure, outcome, versions};
use crate::api::Explanation;

/// Width of the picture, and what surrounds the panels.
const WIDTH: f64 = 1120.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 28.0;
/// Between two panels.
const GAP: f64 = 72.0;
const TITLE: f64 = 66.0;
const LEGEND: f64 = 36.0;
/// Part of the width that the first panel has where there are two.
const FIRST: f64 = 0.56;

/// The picture of a release; `None` where there is no evidence over time to show.
#[must_use]
pub fn plot(explanation: &Explanation) -> Option<String> {
    let timeline = explanation.timeline.as_ref()?;
    let line = super::explain::nearest(timeline).filter(|line| !line.points.is_empty())?;
    let scene = Scene::new(explanation, timeline, line);
    let all = WIDTH - LEFT - RIGHT;
    let panels = match scene.moments() {
        None => vec![Panel::new(&scene, scene.whole(), LEFT, all)],
        Some(moments) => {
            let first = (all - GAP) * FIRST;
            let whole = Panel::new(&scene, scene.whole(), LEFT, first).magnified(moments);
            vec![whole, Panel::new(&scene, moments, LEFT + first + GAP, all - GAP - first)]
        }
    };
    let labels = panels.iter().map(Panel::labels_height).fold(0.0, f64::max);
    let top = TITLE + labels;
    let bottom = top + panel::HEIGHT;

    let mut svg = Svg::new(WIDTH, bottom + LEGEND, &title(explanation), &description(explanation, &scene));
    svg.text(LEFT, 28.0, "title ink", &title(explanation));
    svg.text(LEFT, 48.0, "ink", &subtitle(explanation, &scene));
    for panel in &panels {
        panel.draw(&mut svg, top);
    }
    legend(&mut svg, &scene, bottom + LEGEND - 12.0);
    Some(svg.finish())
}

/// `r-0043 prod: api v1.2.2 -> v1.2.3, rolled back`.
fn title(explanation: &Explanation) -> String {
    let release = &explanation.release;
    let changes = versions(&release.from, &release.to);
    format!("{} {}: {changes}, {}", release.id, release.environment, outcome(release))
}

/// What failed, in one line.
fn subtitle(explanation: &Explanation, scene: &Scene<'_>) -> String {
    let component = &scene.line.component;
    let judged = explanation.judgements.iter().find(|judged| judged.component == *component);
    let suspect = judged.and_then(|judged| judged.evidence.suspects.first());
    let what = match (suspect, judged) {
        (Some(suspect), _) => suspect.to_string(),
        (None, Some(judged)) => format!("{} of {} requests bad", judged.bad, judged.requests),
        (None, None) => String::new(),
    };
    let cause = explanation.release.cause.as_ref().map(|cause| format!("{cause}.  ")).unwrap_or_default();
    format!("{cause}Evidence on {component}: {what}")
}

/// The picture in a few sentences, for who does not see it.
fn description(explanation: &Explanation, scene: &Scene<'_>) -> String {
    let threshold = scene.line.threshold;
    let log_m = scene.line.points.iter().map(|point| point.log_m).filter(|log_m| log_m.is_finite());
    let highest = log_m.reduce(f64::max).unwrap_or(0.0);
    let mut text = format!(
        "Log M, the evidence against the new colour, over {} from the switch; it is bad from {} on and came to {}.",
        super::words::span(scene.whole().1.max(0.0)),
        figure(threshold),
        figure(highest)
    );
    for event in &scene.events {
        text += &format!(" At {}: {}.", scale::instant(event.t), event.label);
    }
    if let Some(ended) = &explanation.release.ended {
        text += &format!(" The release ended at {ended}.");
    }
    text
}

fn legend(svg: &mut Svg, scene: &Scene<'_>, y: f64) {
    let part = scene.part.as_ref().map(|part| format!("{}, as it counts towards log M", part.title));
    let entries = [
        ("line whole", Some("log M, all parts together".to_owned())),
        ("line part", part),
        ("tick", Some("bad requests".to_owned())),
        ("window", (!scene.windows.is_empty()).then(|| "both colours failed: set aside".to_owned())),
    ];
    let mut x = LEFT;
    for (class, text) in entries.into_iter().filter_map(|(class, text)| Some((class, text?))) {
        match class {
            "window" => svg.rect((x, y - 9.0), (18.0, 10.0), class),
            "tick" => svg.path(class, &format!("M{:.1} {:.1}v-9m5 9v-6m5 6v-9", x + 4.0, y + 1.0)),
            _ => svg.path(class, &format!("M{x:.1} {:.1}h18", y - 4.0)),
        }
        svg.text(x + 24.0, y, "ink", &text);
        x += 24.0 + svg::width(&text) + 28.0;
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{explained, kept_through_an_outage};
    use super::*;

    #[test]
    fn a_rollback_is_a_picture_with_its_last_moments_magnified() {
        insta::assert_snapshot!(plot(&explained()).unwrap());
    }

    #[test]
    fn a_shared_outage_is_a_shaded_window() {
        let svg = plot(&kept_through_an_outage()).unwrap();
        insta::assert_snapshot!(svg);
        assert_eq!(svg.matches("class=\"window\"").count(), 2, "the window and its legend");
        assert!(svg.contains(">shared outage, 6.1 s<"), "{svg}");
    }

    #[test]
    fn names_cannot_break_the_picture() {
        let mut explanation = explained();
        explanation.release.environment = "<prod & \"co\">".into();
        let svg = plot(&explanation).unwrap();
        assert!(svg.contains("&lt;prod &amp; &quot;co&quot;&gt;") && !svg.contains("<prod"), "{svg}");
    }

    #[test]
    fn where_nothing_was_judged_there_is_no_picture() {
        let mut explanation = explained();
        explanation.timeline.as_mut().unwrap().lines.clear();
        assert_eq!(plot(&explanation), None);
        assert_eq!(plot(&Explanation::default()), None);
    }

    #[test]
    fn a_line_of_one_point_and_one_of_hostile_numbers_are_pictures_too() {
        let mut explanation = explained();
        let timeline = explanation.timeline.as_mut().unwrap();
        timeline.lines.truncate(1);
        timeline.lines[0].points.truncate(1);
        assert!(plot(&explanation).is_some());
        let points = &mut explanation.timeline.as_mut().unwrap().lines[0].points;
        (points[0].log_m, points[0].t) = (f64::NEG_INFINITY, f64::NAN);
        let svg = plot(&explanation).unwrap();
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}
