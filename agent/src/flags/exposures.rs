//! Counts of what applications served, by flag, version, variant, environment and minute: no user is in them.

use sqlx::SqliteConnection;
use teal_flags::model::Timestamp;

use super::error::FlagsError;

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
fn minute(at: Timestamp, now: Timestamp) -> Timestamp {
    let millis = if (now.millis() - KEPT..=now.millis()).contains(&at.millis()) { at.millis() } else { now.millis() };
    Timestamp::from_millis(millis.div_euclid(MINUTE) * MINUTE)
}

/// Adds counts, and forgets old ones.
pub(super) async fn add(
    connection: &mut SqliteConnection,
    environment: &str,
    at: Timestamp,
    now: Timestamp,
    served: &[Served],
) -> Result<(), FlagsError> {
    let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let minute = minute(at, now).to_string();
    for one in served {
        sqlx::query(
            "INSERT INTO feature_flag_exposures (flag, version, variant, environment, minute, served) VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET served = min(served + excluded.served, 4611686018427387904)",
        )
        .bind(&one.flag)
        .bind(signed(one.version))
        .bind(one.variant.as_deref().unwrap_or_default())
        .bind(environment)
        .bind(&minute)
        .bind(signed(one.count).min(1 << 50))
        .execute(&mut *connection)
        .await?;
    }
    let oldest = Timestamp::from_millis(now.millis() - KEPT).to_string();
    sqlx::query("DELETE FROM feature_flag_exposures WHERE minute < ?").bind(oldest).execute(connection).await?;
    Ok(())
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
