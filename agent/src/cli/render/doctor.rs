//! `teal doctor`: a line a check, and what mends it below.

use crate::doctor::{Finding, Level};

/// The findings of an environment; the last line counts them.
#[must_use]
pub fn findings(environment: Option<&str>, findings: &[Finding]) -> String {
    let mut text = environment.map(|name| format!("{name}\n")).unwrap_or_default();
    for Finding { check, level, seen, mend } in findings {
        let mark = match level {
            Level::Fine => "ok",
            Level::Note => "--",
            Level::Hurts => "!!",
        };
        text += &format!("{mark}  {check:<15} {seen}\n");
        for line in mend {
            text += &format!("    {:<15} {line}\n", "mend:");
        }
    }
    let of = |level| findings.iter().filter(|finding| finding.level == level).count();
    let (hurts, notes) = (of(Level::Hurts), of(Level::Note));
    text += &match hurts {
        0 => format!("ok  nothing would hurt ({notes} to know, marked --)\n"),
        1 => format!("!!  1 would hurt a night ({notes} more to know, marked --)\n"),
        hurts => format!("!!  {hurts} would hurt a night ({notes} more to know, marked --)\n"),
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hurts_is_marked_and_what_mends_it_stands_below() {
        let all = [
            Finding::fine("agent", "it answers, pid 7"),
            Finding::note("clock", "nothing says whether it is held to other clocks (NTP)"),
            Finding::hurts("notify", "nobody will be told", "[notify] command = [\"x\"]").mend("teal notify test"),
        ];
        insta::assert_snapshot!(findings(Some("prod"), &all));
        assert!(findings(None, &all[..2]).ends_with("ok  nothing would hurt (1 to know, marked --)\n"));
    }
}
