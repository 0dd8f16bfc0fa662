//! `teal flags list`: a line a flag.

use teal_flags::model::{Flag, Timestamp};

use super::super::words::count;
use super::style::{Tone, paint};
use super::table::{Cell, Column, Kind, table};
use super::words::{ago, brief, places};

const COLUMNS: [Column; 6] = [
    Column { title: "ID", most: 6, kind: Kind::Number },
    Column { title: "FLAG", most: 26, kind: Kind::Name },
    Column { title: "STATE", most: 11, kind: Kind::Text },
    Column { title: "WHERE", most: 11, kind: Kind::Text },
    Column { title: "CHANGED", most: 10, kind: Kind::Text },
    Column { title: "AND", most: 40, kind: Kind::Text },
];

/// The table of these flags, and a line that says what it is a part of. `hidden`: archived ones that are not shown.
#[must_use]
pub fn list(flags: &[&Flag], hidden: usize, now: Timestamp) -> String {
    let rows: Vec<[Cell; 6]> = flags.iter().map(|flag| row(flag, now)).collect();
    let mut text = if rows.is_empty() { String::new() } else { table(COLUMNS, &rows) };
    let on = flags.iter().filter(|flag| flag.enabled && !flag.archived).count() as u64;
    let total = flags.len() as u64;
    let mut summary = match total {
        0 => "no flags".to_owned(),
        _ => format!("{}, {on} on", count(total, "flag")),
    };
    if hidden > 0 {
        summary += &format!("; {hidden} archived: --archived");
    }
    text += &format!("{}\n", paint(Tone::Faint, &summary));
    text
}

fn row(flag: &Flag, now: Timestamp) -> [Cell; 6] {
    let id = if flag.id == 0 { String::new() } else { flag.id.to_string() };
    let changed = flag.updated_at.map(|at| ago(at, now)).unwrap_or_default();
    [
        Cell(Tone::Faint, id),
        Cell(Tone::Name, flag.name.clone()),
        Cell(tone(flag), brief(flag)),
        places(&flag.environments).into(),
        Cell(Tone::Faint, changed),
        also(flag).into(),
    ]
}

/// On for all, on for some, or off.
pub(super) fn tone(flag: &Flag) -> Tone {
    let is_partial = flag.rollout_percentage != teal_flags::model::Percentage::ALL || !flag.schedule.ramp.is_empty();
    match (flag.enabled && !flag.archived, is_partial) {
        (true, false) => Tone::Good,
        (true, true) => Tone::Mild,
        (false, _) => Tone::Faint,
    }
}

/// What else decides: `2 rules, 3 variants`.
fn also(flag: &Flag) -> String {
    let mut parts = Vec::new();
    for (number, what) in
        [(flag.rules.len(), "rule"), (flag.variants.len(), "variant"), (flag.prerequisites.len(), "need")]
    {
        if number > 0 {
            parts.push(count(number as u64, what));
        }
    }
    if !flag.schedule.is_empty() {
        parts.push("scheduled".to_owned());
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::style::plain;
    use super::super::table::{WIDTH, length};
    use super::*;

    #[test]
    fn flags_are_a_table_that_fits_a_terminal() {
        let read = |json: &str| Flag::from_value(serde_json::from_str(json).unwrap()).unwrap();
        let flags = [
            read(
                r#"{"id": 1, "name": "bhyt_insurance_validation", "enabled": true, "updated_at": "2026-11-28T07:00:00Z"}"#,
            ),
            read(
                r#"{"id": 8, "name": "telehealth", "enabled": true, "rollout_percentage": 12.345, "environments": ["prod", "staging", "dev"],
                "updated_at": "2026-11-01T07:00:00Z", "rules": [{"off": true}], "variants": [{"name": "a"}, {"name": "b"}],
                "schedule": {"until": "2027-01-01T00:00:00Z"}, "prerequisites": [{"flag": "x"}]}"#,
            ),
            read(
                r#"{"id": 9, "name": "mobile_app_sync", "environments": ["dev"], "updated_at": "2026-01-01T07:00:00Z"}"#,
            ),
            read(
                r#"{"id": 123456, "name": "a_very_long_name_of_a_flag_that_somebody_made_up_for_a_good_reason", "enabled": true,
                "schedule": {"ramp": [{"at": "2026-12-01T00:00:00Z", "percentage": 1}, {"at": "2026-12-08T00:00:00Z", "percentage": 100}]}}"#,
            ),
        ];
        let now = "2026-11-28T09:08:01Z".parse().unwrap();
        let shown: Vec<&Flag> = flags.iter().collect();
        let text = plain(&(list(&shown, 2, now) + &list(&[], 0, now)));
        insta::assert_snapshot!(text);
        assert!(text.lines().all(|line| length(line) <= WIDTH));
    }
}
