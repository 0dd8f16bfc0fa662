//! Counts of what applications served, by flag, version, variant, environment and minute: no user is in them.
//!
//! ```text
//! report --new by its id?--> counts by minute (31 days, 1,000,000 rows)      how much, for charts
//!                       '--> asked: variant and environment, first and last   what, for the report of stale flags
//! ```
//! Applications name environments, so that there must be an end of them: those beyond a hundred are counted as one.

use std::collections::BTreeMap;

use teal_flags::model::{Flag, Timestamp};

use super::transaction::Transaction;
use crate::flags::error::FlagsError;

/// How long counts are kept, in milliseconds.
const KEPT: i64 = 31 * DAY;
/// How long it is known who asked, in milliseconds.
const ASKED: i64 = 400 * DAY;
/// How long a report's id is known, in milliseconds: an application that gets no answer asks again each minute.
const KNOWN: i64 = 7 * DAY;
const DAY: i64 = 24 * 60 * MINUTE;
const MINUTE: i64 = 60_000;

/// Rows of counts, the newest; more are forgotten by the minute.
const ROWS: u32 = if cfg!(test) { 1_000 } else { 1_000_000 };
/// Reporters, those that were heard last.
const REPORTERS: u32 = 100_000;
/// Environments that are told apart.
const ENVIRONMENTS: u64 = 100;
/// Versions of a flag that are told apart, the newest.
const VERSIONS: u64 = 100;
/// What stands for an environment beyond those, and for a variant that the flag never had.
pub(in crate::flags) const OTHER: &str = "(other)";

/// So many answers of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// The flag's name.
    pub flag: String,
    /// Its version then.
    pub version: u64,
    /// What was served; `None`: the caller's default.
    pub variant: Option<String>,
    /// How often.
    pub count: u64,
}

impl Served {
    /// The same, as far as the flag could serve it: what it never had would make rows without end.
    pub(in crate::flags) fn within(mut self, flag: &Flag) -> Self {
        let is_switch = flag.variants.is_empty();
        let has = |name: &str| match name {
            "on" | "off" if is_switch => true,
            name => flag.variants.iter().any(|variant| variant.name == name),
        };
        if self.variant.as_deref().is_some_and(|name| !has(name)) {
            self.variant = Some(OTHER.to_owned());
        }
        self.version = self.version.clamp(flag.version.saturating_sub(VERSIONS), flag.version);
        self
    }
}

/// The minute that counts are kept under: that of `at`, unless it is in the future or long ago.
pub(in crate::flags) fn minute(at: Timestamp, now: Timestamp) -> Timestamp {
    let millis = if (now.millis() - KEPT..=now.millis()).contains(&at.millis()) { at.millis() } else { now.millis() };
    Timestamp::from_millis(millis.div_euclid(MINUTE) * MINUTE)
}

/// Adds counts, unless a report of this id was counted before, and forgets old ones.
pub(super) async fn add(
    tx: &mut Transaction,
    report: Option<&str>,
    environment: &str,
    at: Timestamp,
    now: Timestamp,
    served: &[Served],
) -> Result<(), FlagsError> {
    if let Some(report) = report
        && !is_new(tx, report, now).await?
    {
        return Ok(());
    }
    let environment = known(tx, environment).await?;
    let minute = minute(at, now).to_string();
    // Added up, so that each row is touched once. In order: two agents that add to the same rows must not wait for each other in
    // a circle.
    let mut counts: BTreeMap<(&str, &str, u64), u64> = BTreeMap::new();
    for one in served {
        let kind = (one.flag.as_str(), one.variant.as_deref().unwrap_or_default(), one.version);
        let count = counts.entry(kind).or_default();
        *count = count.saturating_add(one.count.min(1 << 50)).min(1 << 50);
    }
    if is_first_of(tx, &minute).await? {
        forget(tx, now).await?;
    }
    for ((flag, variant, version), count) in counts {
        tx.execute(
            "INSERT INTO feature_flag_exposures (flag, version, variant, environment, minute, served)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (flag, version, variant, environment, minute) DO UPDATE SET served =
             CASE WHEN feature_flag_exposures.served < 4611686018427387904
             THEN feature_flag_exposures.served + excluded.served ELSE feature_flag_exposures.served END",
            [flag.into(), version.into(), variant.into(), environment.into(), minute.as_str().into(), count.into()],
        )
        .await?;
        tx.execute(
            "INSERT INTO feature_flag_asked (flag, variant, environment, first_asked, last_asked) VALUES ($1, $2, $3, $4, $4)
             ON CONFLICT (flag, variant, environment) DO UPDATE SET
             first_asked = CASE WHEN excluded.first_asked < feature_flag_asked.first_asked
                 THEN excluded.first_asked ELSE feature_flag_asked.first_asked END,
             last_asked = CASE WHEN excluded.last_asked > feature_flag_asked.last_asked
                 THEN excluded.last_asked ELSE feature_flag_asked.last_asked END
             WHERE excluded.first_asked < feature_flag_asked.first_asked OR excluded.last_asked > feature_flag_asked.last_asked",
            [flag.into(), variant.into(), environment.into(), minute.as_str().into()],
        )
        .await?;
    }
    Ok(())
}

/// Whether a report was not counted yet. The ids of one reporter end in `-1`, `-2` and so on: it is enough to know the last.
async fn is_new(tx: &mut Transaction, report: &str, now: Timestamp) -> Result<bool, FlagsError> {
    let (reporter, number) = numbered(report);
    let new = tx.optional(
        "INSERT INTO feature_flag_reporters (reporter, number, at) VALUES ($1, $2, $3)
         ON CONFLICT (reporter) DO UPDATE SET number = excluded.number, at = excluded.at
         WHERE feature_flag_reporters.number < excluded.number RETURNING number",
        [reporter.into(), number.into(), now.to_string().into()],
    );
    Ok(new.await?.is_some())
}

/// Whose report it is and which; one without a number is its own reporter's only one.
fn numbered(report: &str) -> (&str, i64) {
    let number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten();
    let split = report.rsplit_once('-').and_then(|(reporter, digits)| Some((reporter, number(digits)?)));
    split.filter(|(reporter, _)| !reporter.is_empty()).unwrap_or((report, 0))
}

/// The environment, or what stands for all that are too many.
async fn known<'a>(tx: &mut Transaction, environment: &'a str) -> Result<&'a str, FlagsError> {
    let sql = "SELECT 1 FROM feature_flag_asked WHERE environment = $1 LIMIT 1";
    if tx.optional(sql, [environment.into()]).await?.is_some() {
        return Ok(environment);
    }
    let row = tx.row("SELECT COUNT(DISTINCT environment) FROM feature_flag_asked", []).await?;
    Ok(if row.count(0)? < ENVIRONMENTS { environment } else { OTHER })
}

async fn is_first_of(tx: &mut Transaction, minute: &str) -> Result<bool, FlagsError> {
    let sql = "SELECT 1 FROM feature_flag_exposures WHERE minute = $1 LIMIT 1";
    Ok(tx.optional(sql, [minute.into()]).await?.is_none())
}

/// Forgets what is old, or too much.
async fn forget(tx: &mut Transaction, now: Timestamp) -> Result<(), FlagsError> {
    let before = |kept: i64| Timestamp::from_millis(now.millis() - kept).to_string();
    tx.execute("DELETE FROM feature_flag_exposures WHERE minute < $1", [before(KEPT).into()]).await?;
    tx.execute(
        "DELETE FROM feature_flag_exposures WHERE minute <=
         (SELECT minute FROM feature_flag_exposures ORDER BY minute DESC LIMIT 1 OFFSET $1)",
        [ROWS.into()],
    )
    .await?;
    tx.execute("DELETE FROM feature_flag_asked WHERE last_asked < $1", [before(ASKED).into()]).await?;
    tx.execute("DELETE FROM feature_flag_reporters WHERE at < $1", [before(KNOWN).into()]).await?;
    tx.execute(
        "DELETE FROM feature_flag_reporters WHERE at <=
         (SELECT at FROM feature_flag_reporters ORDER BY at DESC LIMIT 1 OFFSET $1)",
        [REPORTERS.into()],
    )
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_go_to_their_own_minute_and_impossible_ones_to_the_present() {
        let now: Timestamp = "2026-11-28T09:10:11.5Z".parse().unwrap();
        let check = |at: &str, expected: &str| {
            assert_eq!(minute(at.parse().unwrap(), now).to_string(), expected, "{at}");
        };
        check("2026-11-28T09:09:59Z", "2026-11-28T09:09:00Z");
        check("2026-11-20T00:00:00Z", "2026-11-20T00:00:00Z");
        check("2026-11-28T09:10:12Z", "2026-11-28T09:10:00Z");
        check("2020-01-01T00:00:00Z", "2026-11-28T09:10:00Z");
    }

    #[test]
    fn what_a_flag_never_served_is_counted_as_one() {
        let variants = |names: &[&str]| {
            let variants = names.iter().map(|name| serde_json::json!({"name": name})).collect::<Vec<_>>();
            Flag::from_value(serde_json::json!({"name": "x", "version": 500, "variants": variants})).unwrap()
        };
        let check = |flag: &Flag, served: (Option<&str>, u64), expected: (Option<&str>, u64)| {
            let one = Served { flag: "x".into(), version: served.1, variant: served.0.map(Into::into), count: 1 };
            let one = one.within(flag);
            assert_eq!((one.variant.as_deref(), one.version), expected, "{served:?}");
        };
        let (switch, prices) = (variants(&[]), variants(&["wide", "narrow"]));
        check(&switch, (Some("on"), 500), (Some("on"), 500));
        check(&switch, (None, 499), (None, 499));
        check(&switch, (Some("wide"), u64::MAX), (Some(OTHER), 500));
        check(&prices, (Some("wide"), 0), (Some("wide"), 400));
        check(&prices, (Some("on"), 500), (Some(OTHER), 500));
    }

    #[test]
    fn a_reports_id_is_its_reporters_and_a_number() {
        let check =
            |report: &str, reporter: &str, number: i64| assert_eq!(numbered(report), (reporter, number), "{report}");
        check("0c1f6f0e-1", "0c1f6f0e", 1);
        check("a-b-007", "a-b", 7);
        check("a-9223372036854775807", "a", i64::MAX);
        check("a-9223372036854775808", "a-9223372036854775808", 0);
        check("a-", "a-", 0);
        check("-5", "-5", 0);
        check("a-1b", "a-1b", 0);
        check("a-+1", "a-+1", 0);
        check("once", "once", 0);
    }
}
