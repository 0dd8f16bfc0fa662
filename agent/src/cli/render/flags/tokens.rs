//! `teal token`: who may do what with flags, and until when. No secret is in it.

use teal_flags::model::Timestamp;

use super::style::Tone;
use super::table::{Cell, Column, Kind, table};
use super::words::{ago, places};
use crate::api::TokenInfo;

const COLUMNS: [Column; 6] = [
    Column { title: "TOKEN", most: 15, kind: Kind::Name },
    Column { title: "ID", most: 12, kind: Kind::Name },
    Column { title: "MAY", most: 12, kind: Kind::Text },
    Column { title: "WHERE", most: 11, kind: Kind::Text },
    Column { title: "UNTIL", most: 10, kind: Kind::Text },
    Column { title: "USED", most: 10, kind: Kind::Text },
];

/// The table of these tokens.
#[must_use]
pub fn tokens(tokens: &[TokenInfo], now: Timestamp) -> String {
    if tokens.is_empty() {
        return "no tokens\n".to_owned();
    }
    let rows: Vec<[Cell; 6]> = tokens.iter().map(|token| row(token, now)).collect();
    table(COLUMNS, &rows)
}

fn row(token: &TokenInfo, now: Timestamp) -> [Cell; 6] {
    let used = token
        .last_used_at
        .as_deref()
        .map_or_else(|| "never".to_owned(), |at| at.parse().map_or_else(|_| at.to_owned(), |at| ago(at, now)));
    let (tone, until) = match (&token.revoked_at, &token.expires_at) {
        (Some(_), _) => (Tone::Bad, "revoked"),
        (None, Some(at)) => (Tone::Plain, day(at)),
        (None, None) => (Tone::Plain, "no end"),
    };
    [
        Cell(Tone::Name, token.name.clone()),
        Cell(Tone::Faint, token.id.clone()),
        token.roles.join(", ").into(),
        places(&token.environments).into(),
        Cell(tone, until.to_owned()),
        Cell(Tone::Faint, used),
    ]
}

/// `ci (3f9a...) for editor in staging, until 2026-12-01`
#[must_use]
pub fn described(token: &TokenInfo) -> String {
    let until = token.expires_at.as_deref().map(|at| format!(", until {}", day(at))).unwrap_or_default();
    let places =
        if token.environments.is_empty() { "all environments".to_owned() } else { token.environments.join(", ") };
    format!("{} ({}) for {} in {places}{until}", token.name, token.id, token.roles.join(", "))
}

fn day(moment: &str) -> &str {
    moment.split('T').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::style::plain;
    use super::super::table::{WIDTH, length};
    use super::*;

    #[test]
    fn tokens_are_a_table_that_fits_a_terminal() {
        let token = |name: &str, environments: &[&str]| TokenInfo {
            id: "0123456789ab".into(),
            name: name.into(),
            roles: vec!["sdk".into()],
            environments: environments.iter().map(|name| (*name).to_owned()).collect(),
            ..TokenInfo::default()
        };
        let all = [
            TokenInfo { last_used_at: Some("2026-11-28T09:00:00Z".into()), ..token("api", &["prod"]) },
            TokenInfo { revoked_at: Some("2026-11-27T09:10:00Z".into()), ..token("old-api", &[]) },
            TokenInfo {
                expires_at: Some("2027-02-26T09:10:00Z".into()),
                roles: vec!["editor".into(), "deployer".into()],
                ..token("a-pipeline-with-a-long-name", &["staging", "prod"])
            },
        ];
        let now = "2026-11-28T09:08:01Z".parse().unwrap();
        let text = plain(&(tokens(&all, now) + &tokens(&[], now)));
        insta::assert_snapshot!(format!("{text}{}\n", described(&all[2])));
        assert!(text.lines().all(|line| length(line) <= WIDTH), "{text}");
    }
}
