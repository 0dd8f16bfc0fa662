//! Counts of what applications served, by flag, version, variant, environment and minute: no user is in them.

use teal_flags::model::Timestamp;

use super::transaction::Transaction;
use crate::flags::error::FlagsError;

/// How long counts are kept, in milliseconds: a flag is stale when it was constant for 30 days.
const KEPT: i64 = 31 * 24 * 60 * 60 * 1000;
const MINUTE: i64 = 60_000;

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

/// The minute that counts are kept under: that of `at`, unless it is in the future or long ago.
pub(in crate::flags) fn minute(at: Timestamp, now: Timestamp) -> Timestamp {
    let millis = if (now.millis() - KEPT..=now.millis()).contains(&at.millis()) { at.millis() } else { now.millis() };
    Timestamp::from_millis(millis.div_euclid(MINUTE) * MINUTE)
}

/// Adds counts, and forgets old ones.
pub(super) async fn add(
    tx: &mut Transaction,
    environment: &str,
    at: Timestamp,
    now: Timestamp,
    served: &[Served],
) -> Result<(), FlagsError> {
    let minute = minute(at, now).to_string();
    // Two agents that add to the same rows must not wait for each other in a circle.
    let mut served: Vec<&Served> = served.iter().collect();
    served.sort_by(|a, b| (&a.flag, a.version, &a.variant).cmp(&(&b.flag, b.version, &b.variant)));
    for one in served {
        tx.execute(
            "INSERT INTO feature_flag_exposures (flag, version, variant, environment, minute, served)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (flag, version, variant, environment, minute) DO UPDATE SET served =
             CASE WHEN feature_flag_exposures.served < 4611686018427387904
             THEN feature_flag_exposures.served + excluded.served ELSE feature_flag_exposures.served END",
            [
                one.flag.as_str().into(),
                one.version.into(),
                one.variant.as_deref().unwrap_or_default().into(),
                environment.into(),
                minute.as_str().into(),
                one.count.min(1 << 50).into(),
            ],
        )
        .await?;
    }
    let oldest = Timestamp::from_millis(now.millis() - KEPT).to_string();
    tx.execute("DELETE FROM feature_flag_exposures WHERE minute < $1", [oldest.into()]).await
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
}
