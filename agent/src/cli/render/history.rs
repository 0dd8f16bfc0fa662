//! `teal history`: a line a release, the newest first.

use teal_rollout::settings::Mode;

use super::words::{moment, outcome, span, versions};
use crate::api::{Release, between};

/// The table; a sentence when there is nothing in it.
#[must_use]
pub fn history(environment: &str, mode: Mode, releases: &[Release]) -> String {
    if releases.is_empty() {
        let next = match mode {
            Mode::Act => format!("teal deploy {environment} VERSION"),
            Mode::Observe | Mode::Advise => {
                format!(
                    "release as you are used to (or: teal edge force {environment} COLOUR --reason \"why\"), Teal watches"
                )
            }
        };
        return format!("nothing was released to {environment} yet: {next}\n");
    }
    releases.iter().map(line).collect()
}

fn line(release: &Release) -> String {
    let outcome = outcome(release);
    let took =
        release.ended.as_deref().and_then(|ended| between(&release.started, ended)).map(span).unwrap_or_default();
    let changes = versions(&release.from, &release.to);
    let id = release.id;
    let text = format!("{id}  {}  {outcome:<16}  {took:>9}  {changes}   {}", moment(&release.started), release.by);
    let cause = release.cause.as_ref().map(|cause| format!("\n        {cause}")).unwrap_or_default();
    format!("{}{cause}\n", text.trim_end())
}

#[cfg(test)]
mod tests {
    use teal_rollout::document::Outcome;

    use super::*;
    use crate::api::{ReleaseId, Versions};

    #[test]
    fn releases_are_listed_with_their_end_and_cause() {
        let to = |version: &str| Versions::from(["api", "web"].map(|name| (name.to_owned(), version.to_owned())));
        let first = Release {
            id: ReleaseId(42),
            environment: "prod".into(),
            to: to("v1"),
            by: "ops@laptop".into(),
            started: "2026-01-02T03:04:05.000Z".into(),
            ended: Some("2026-01-02T03:09:06.000Z".into()),
            outcome: Some(Outcome::Completed.into()),
            ..Release::default()
        };
        let bad = Release {
            id: ReleaseId(43),
            from: to("v1"),
            to: to("v2"),
            ended: Some("2026-01-02T03:04:47.000Z".into()),
            outcome: Some(Outcome::RolledBack.into()),
            cause: Some("errors of api".into()),
            ..first.clone()
        };
        let observed = Release { id: ReleaseId(41), outcome: None, by: "somebody else".into(), ..bad.clone() };
        let running = Release { id: ReleaseId(44), ended: None, outcome: None, cause: None, ..bad.clone() };
        insta::assert_snapshot!(
            history("prod", Mode::Act, &[running, bad, first, observed])
                + &history("staging", Mode::Act, &[])
                + &history("staging", Mode::Observe, &[])
        );
    }
}
