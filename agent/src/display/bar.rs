//! Bars, to half a column.

use anstyle::Style;

use super::line::Line;

/// What bars are drawn with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Glyphs {
    /// Lines: `━━╸──`.
    #[default]
    Lines,
    /// For terminals that know ASCII only: `##+--`.
    Ascii,
}

impl Glyphs {
    /// By the locale, of which the first of these that is set counts: `LC_ALL`, `LC_CTYPE`, `LANG`.
    #[must_use]
    pub fn of_locale(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| variable(name).filter(|v| !v.is_empty()));
        // None set means a bare environment (a container, ssh without SendEnv) more often than a terminal of old.
        let Some(set) = set.map(|set| set.to_ascii_lowercase()) else { return Self::Lines };
        if set.contains("utf-8") || set.contains("utf8") { Self::Lines } else { Self::Ascii }
    }

    /// Stands where something was cut off.
    #[must_use]
    pub const fn ellipsis(self) -> &'static str {
        match self {
            Self::Lines => "…",
            Self::Ascii => "...",
        }
    }

    /// Full column, half a column, and what is left empty.
    const fn parts(self) -> [&'static str; 3] {
        match self {
            Self::Lines => ["━", "╸", "─"],
            Self::Ascii => ["#", "+", "-"],
        }
    }
}

/// A bar of `columns`, full to `fraction`: a little is at least half a column, and all but everything is not all.
pub(super) fn bar(fraction: f64, columns: usize, style: Style, glyphs: Glyphs) -> Line {
    let [full, half, empty] = glyphs.parts();
    let halves = halves(fraction, columns);
    let filled = full.repeat(halves / 2) + if halves % 2 == 1 { half } else { "" };
    let rest = columns - halves.div_ceil(2);
    Line::default().styled(style, filled).styled(Style::new().dimmed(), empty.repeat(rest))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and twice the columns")]
#[expect(clippy::cast_precision_loss, reason = "columns of a terminal")]
fn halves(fraction: f64, columns: usize) -> usize {
    let most = 2 * columns;
    let fraction = if fraction.is_finite() { fraction.clamp(0.0, 1.0) } else { 0.0 };
    let halves = (fraction * most as f64).round() as usize;
    match halves {
        0 if fraction > 0.0 => most.min(1),
        halves if halves == most && fraction < 1.0 => most.saturating_sub(1),
        halves => halves,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_shows_a_little_as_a_little_and_not_quite_all_as_not_all() {
        let check = |fraction, lines: &str, ascii: &str| {
            let draw = |glyphs| bar(fraction, 4, Style::new(), glyphs).plain();
            assert_eq!((draw(Glyphs::Lines).as_str(), draw(Glyphs::Ascii).as_str()), (lines, ascii), "{fraction}");
        };
        check(0.0, "────", "----");
        check(0.0001, "╸───", "+---");
        check(0.5, "━━──", "##--");
        check(0.6, "━━╸─", "##+-");
        check(0.9999, "━━━╸", "###+");
        check(1.0, "━━━━", "####");
        check(-3.0, "────", "----");
        check(7.0, "━━━━", "####");
        check(f64::NAN, "────", "----");
        assert_eq!(bar(0.5, 0, Style::new(), Glyphs::Lines).width(), 0);
    }

    #[test]
    fn the_locale_says_what_the_terminal_can_draw() {
        let check = |set: &[(&str, &str)], expected| {
            let find = |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
            assert_eq!(Glyphs::of_locale(find), expected, "{set:?}");
        };
        check(&[], Glyphs::Lines);
        check(&[("LANG", "vi_VN.UTF-8")], Glyphs::Lines);
        check(&[("LANG", "C.utf8"), ("LC_ALL", "")], Glyphs::Lines);
        check(&[("LANG", "en_GB.UTF-8"), ("LC_ALL", "C")], Glyphs::Ascii);
        check(&[("LC_CTYPE", "de_DE.ISO-8859-1")], Glyphs::Ascii);
    }
}
