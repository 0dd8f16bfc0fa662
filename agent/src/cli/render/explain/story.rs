//! What happened, in order: the journal, the probes, and the evidence in some fifteen rows, on one time axis.
//!
//! ```text
//!   03:04:39.240    +120 ms         31      6    15.2  ####################| over the threshold
//!   03:04:39.241    +121 ms   old blue: probes passed (2 of 3) in 4 ms
//! ```

use std::fmt::Write;

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::super::words::{clock, figure, span};
use crate::api::{Asked, Explanation, Line, Mark, Point, Record, Timeline, timestamp};

/// Rows of evidence.
const ROWS: usize = 15;
/// Records of the journal; between more the middle is left out.
const RECORDS: usize = 60;
/// Columns of a bar that reaches the threshold.
const BAR: usize = 20;
/// Where text begins, and how wide it may be.
const MARGIN: usize = 28;
const WIDTH: usize = 52;

/// What stands in one row; in this order where two have the same time.
enum Row<'a> {
    Evidence(&'a Point),
    Asked(&'a Asked),
    Record(&'a Record),
    Gap(usize),
}

/// The time line; of the evidence that of the component that came nearest to its threshold.
pub(super) fn story(explanation: &Explanation) -> String {
    let nothing = Timeline::default();
    let timeline = explanation.timeline.as_ref().unwrap_or(&nothing);
    let line = nearest(timeline);
    let mut rows: Vec<(f64, Row<'_>)> = Vec::new();
    for point in line.map(|line| chosen(&line.points)).unwrap_or_default() {
        rows.push((point.t, Row::Evidence(point)));
    }
    rows.extend(timeline.asked.iter().map(|asked| (asked.t, Row::Asked(asked))));
    let mut before = f64::NEG_INFINITY;
    for row in records(&explanation.events) {
        // A record whose time cannot be read stays where it was written.
        let at = match row {
            Row::Record(record) => timeline.seconds(record).unwrap_or(before),
            _ => before,
        };
        rows.push((at, row));
        before = at;
    }
    // Stable: what has the same time stays in the order above.
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));

    let title = match line {
        Some(line) => format!("time line, UTC, with the evidence on {}", line.component),
        None => "time line, UTC".to_owned(),
    };
    let mut text = format!("{title}\n");
    let mut headed = false;
    for (at, row) in &rows {
        let (time, offset) = when(*at, row, timeline);
        let left = format!("  {time:<12} {offset:>9}");
        match row {
            Row::Evidence(point) => {
                let threshold = line.map_or(0.0, |line| line.threshold);
                if !std::mem::replace(&mut headed, true) {
                    let _ =
                        writeln!(text, "{:MARGIN$}requests    bad   log M{:>BAR$}", "", format!("of {threshold:.1}"));
                }
                let _ = writeln!(text, "{left}    {}", evidence(point, threshold));
            }
            Row::Asked(asked) => wrap(&mut text, &left, &answered(asked)),
            Row::Record(record) => wrap(&mut text, &left, &record.text),
            Row::Gap(left_out) => wrap(&mut text, "", &format!("... {left_out} more; --json has them")),
        }
    }
    text
}

/// The line whose log M came nearest to its threshold.
pub(in crate::cli::render) fn nearest(timeline: &Timeline) -> Option<&Line> {
    let peak = |line: &Line| line.points.iter().map(|p| p.log_m - line.threshold).fold(f64::NEG_INFINITY, f64::max);
    timeline.lines.iter().max_by(|a, b| peak(a).total_cmp(&peak(b)))
}

/// The points that tell the story: those with a mark, then others evenly between. Points are dense where much moved, so
/// that evenly by number is densely by what happened.
fn chosen(points: &[Point]) -> Vec<&Point> {
    let special = |point: &Point| point.mark.as_ref().is_some_and(|mark| !mark.is(&Mark::Jump));
    let (mut marked, plain): (Vec<usize>, Vec<usize>) = (0..points.len()).partition(|at| special(&points[*at]));
    if marked.len() > ROWS {
        marked.drain(ROWS / 2..marked.len() - ROWS.div_ceil(2));
    }
    let room = (ROWS - marked.len()).min(plain.len());
    marked.extend((0..room).map(|n| plain[n * (plain.len() - 1) / (room - 1).max(1)]));
    marked.sort_unstable();
    marked.into_iter().map(|at| &points[at]).collect()
}

fn records(events: &[Record]) -> Vec<Row<'_>> {
    if events.len() <= RECORDS {
        return events.iter().map(Row::Record).collect();
    }
    let (first, rest) = events.split_at(RECORDS / 2);
    let (middle, last) = rest.split_at(rest.len() - RECORDS / 2);
    let first = first.iter().map(Row::Record);
    first.chain([Row::Gap(middle.len())]).chain(last.iter().map(Row::Record)).collect()
}

/// The time of day, and how long after the switch.
fn when(at: f64, row: &Row<'_>, timeline: &Timeline) -> (String, String) {
    let of_day = |at: &str| at.get(11..23).unwrap_or(at).to_owned();
    let since = OffsetDateTime::parse(&timeline.since, &Rfc3339).ok().filter(|_| at.is_finite());
    match (row, since) {
        (Row::Record(record), None) => (of_day(&record.at), String::new()),
        (Row::Record(record), Some(_)) => (of_day(&record.at), offset(at)),
        (Row::Evidence(_) | Row::Asked(_), Some(since)) => {
            (of_day(&timestamp(since + Duration::seconds_f64(at))), offset(at))
        }
        (Row::Evidence(_) | Row::Asked(_), None) => (String::new(), offset(at)),
        (Row::Gap(_), _) => (String::new(), String::new()),
    }
}

/// `+120 ms`, `-1.9 s`, `+03:12`.
fn offset(seconds: f64) -> String {
    let sign = if seconds < 0.0 { '-' } else { '+' };
    match seconds.abs() {
        s if s < 1.0 => format!("{sign}{:.0} ms", s * 1000.0),
        s if s < 100.0 => format!("{sign}{s:.3} s"),
        s => format!("{sign}{}", clock(s)),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the bar's length")]
fn evidence(point: &Point, threshold: f64) -> String {
    let Point { requests, bad, log_m, .. } = point;
    let part = if threshold > 0.0 { (log_m / threshold).clamp(0.0, 1.0) } else { 0.0 };
    let bar = "#".repeat((part * BAR as f64).round() as usize);
    let mark = point.mark.as_ref().filter(|mark| !mark.is(&Mark::Jump));
    let mark = match mark {
        Some(mark) if mark.is(&Mark::Crossed) => " over".to_owned(),
        Some(mark) if mark.is(&Mark::Restarted) => " anew".to_owned(),
        Some(mark) if mark.is(&Mark::Resumed) => " resumed".to_owned(),
        Some(mark) if mark.is(&Mark::Verdict) => " end".to_owned(),
        Some(mark) => format!(" {mark}"),
        None => String::new(),
    };
    format!("{requests:>8}{bad:>7}{:>8}  {bar:<BAR$}|{mark}", figure(*log_m))
}

fn answered(asked: &Asked) -> String {
    let mut text = asked.to_string();
    if let Some(until) = asked.until {
        let _ = write!(text, " {} {}", if asked.rounds > 1 { "within" } else { "in" }, span(until - asked.t));
    }
    let routes: Vec<&str> = asked.routes.iter().map(String::as_str).filter(|route| !route.is_empty()).collect();
    if !routes.is_empty() {
        let _ = write!(text, ", on {}", routes.join(", "));
    }
    text
}

/// Text beside the margin, broken between words.
fn wrap(text: &mut String, left: &str, sentence: &str) {
    let mut line = String::new();
    let mut left = left;
    for word in sentence.split(' ') {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(text, "{left:<MARGIN$}{line}");
            (left, line) = ("", String::new());
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(text, "{}", format!("{left:<MARGIN$}{line}").trim_end());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_as_exact_as_they_need_to_be() {
        for (seconds, text) in
            [(0.1204, "+120 ms"), (-39.12, "-39.120 s"), (1.234, "+1.234 s"), (192.4, "+03:12"), (0.0, "+0 ms")]
        {
            assert_eq!(offset(seconds), text);
        }
    }

    #[test]
    fn marked_points_are_always_among_the_rows() {
        let check = |points: u32, marked: &[u32], rows: usize| {
            let point = |at: u32| {
                let mark = marked.contains(&at).then_some(Mark::Restarted.into());
                Point { t: f64::from(at), mark, ..Point::default() }
            };
            let points: Vec<Point> = (0..points).map(point).collect();
            let chosen = chosen(&points);
            assert_eq!(chosen.len(), rows, "{marked:?}");
            assert!(chosen.is_sorted_by(|a, b| a.t < b.t), "{chosen:?}");
            let shown = chosen.iter().filter(|p| p.mark.is_some()).count();
            assert_eq!(shown, marked.len().min(ROWS));
        };
        check(0, &[], 0);
        check(1, &[], 1);
        check(2, &[1], 2);
        check(400, &[], 15);
        check(400, &[3, 399], 15);
        check(400, &(0..400).step_by(4).collect::<Vec<_>>(), 15);
        check(16, &(0..15).collect::<Vec<_>>(), 15);
    }

    #[test]
    fn of_very_many_records_the_middle_is_left_out() {
        let record = |seq: u64| Record { seq, text: format!("event {seq}"), ..Record::default() };
        let explanation = Explanation { events: (1..=100).map(record).collect(), ..Explanation::default() };
        let text = story(&explanation);
        assert_eq!(text.lines().count(), 62, "{text}");
        assert!(text.contains("... 40 more") && text.contains("event 30\n") && text.contains("event 71\n"), "{text}");
    }
}
