//! From seconds and log M to pixels, and where an axis has its marks.

/// A straight line from values to pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    from: f64,
    pixel: f64,
    per_value: f64,
}

impl Scale {
    /// `values` onto `pixels`, both from their first to their last.
    pub(super) fn new(values: (f64, f64), pixels: (f64, f64)) -> Self {
        let span = (values.1 - values.0).max(1e-9);
        Self { from: values.0, pixel: pixels.0, per_value: (pixels.1 - pixels.0) / span }
    }

    pub(super) fn at(&self, value: f64) -> f64 {
        self.pixel + (value - self.from) * self.per_value
    }
}

/// Round values within `range`, about `count` of them.
pub(super) fn ticks((from, to): (f64, f64), count: f64) -> Vec<f64> {
    let step = step((to - from) / count);
    let first = (from / step).ceil();
    #[expect(clippy::cast_possible_truncation, reason = "a handful")]
    let number = ((to / step).floor() - first).clamp(-1.0, 100.0) as i32 + 1;
    (0..number).map(|n| (first + f64::from(n)) * step).collect()
}

/// The next round step: 1, 2 or 5 times a power of ten; from a minute on what clocks know.
fn step(least: f64) -> f64 {
    const CLOCK: [f64; 9] = [15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0, 7_200.0];
    if least > 10.0 {
        return CLOCK.into_iter().find(|step| *step >= least).unwrap_or_else(|| (least / 86_400.0).ceil() * 86_400.0);
    }
    let power = 10_f64.powf(least.max(1e-9).log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|step| *step >= least * 0.999).unwrap_or(power)
}

/// A mark of the axis of time, for marks so far apart: `250 ms`, `1.5 s`, `45 s`, `2:30`.
pub(super) fn mark(seconds: f64, range: f64) -> String {
    if seconds.abs() < 1e-9 {
        "0".to_owned()
    } else if range > 100.0 {
        minutes(seconds)
    } else if seconds.abs() < 0.9999 {
        number(seconds * 1_000.0, 1, " ms")
    } else {
        number(seconds, 3, " s")
    }
}

/// A moment in words, as exact as is worth while: `4.254 s`, `2:30`.
pub(super) fn instant(seconds: f64) -> String {
    if seconds >= 100.0 { minutes(seconds) } else { mark(seconds, 0.0) }
}

fn minutes(seconds: f64) -> String {
    let whole = seconds.round();
    format!("{}:{:02}", (whole / 60.0).trunc(), (whole % 60.0).abs())
}

fn number(value: f64, digits: usize, unit: &str) -> String {
    let text = format!("{value:.digits$}");
    format!("{}{unit}", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_few() {
        let check = |range: (f64, f64), marks: &[&str]| {
            let found: Vec<String> = ticks(range, 6.0).into_iter().map(|t| mark(t, range.1 - range.0)).collect();
            assert_eq!(found, marks, "{range:?}");
        };
        check((0.0, 0.31), &["0", "100 ms", "200 ms", "300 ms"]);
        check((0.0, 5.2), &["0", "1 s", "2 s", "3 s", "4 s", "5 s"]);
        check((3.66, 4.31), &["3.8 s", "4 s", "4.2 s"]);
        check((0.0, 310.0), &["0", "1:00", "2:00", "3:00", "4:00", "5:00"]);
        check((0.0, 1_800.0), &["0", "5:00", "10:00", "15:00", "20:00", "25:00", "30:00"]);
        check((41.0, 41.02), &["41 s", "41.005 s", "41.01 s", "41.015 s", "41.02 s"]);
        assert!(ticks((0.0, 1e7), 6.0).len() < 10);
    }
}
