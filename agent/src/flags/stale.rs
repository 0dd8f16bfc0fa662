//! Flags that can go: nobody asks for them, or everybody gets the same and nobody changes them.
//!
//! ```text
//! history began ------------------- since = now - days -------------------- now
//!                 flag changed X                         not asked, or one variant  --> it is stale
//! ```
//! What is not remembered for as long as that is said not to be sure.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};
use teal_flags::model::{Flag, Kind, Timestamp};

use super::state::State;
use super::store::Asked;

/// Why a flag is stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// No application asked for it.
    NotAsked,
    /// Everybody got the same variant, and nobody changed it.
    Constant,
}

/// A flag that can go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StaleFlag {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// What is the matter.
    pub finding: Finding,
    /// Since when it has been so, as far as is remembered.
    #[serde(serialize_with = "text")]
    pub since: Timestamp,
    /// Whether it is remembered for as long as was asked.
    pub sure: bool,
    /// When an application last asked for it, to the minute; `None`: never, as far as is remembered.
    #[serde(serialize_with = "optional_text")]
    pub last_asked: Option<Timestamp>,
    /// The variants that were served in the time that was asked for; `None`: the callers' default.
    pub variants: Vec<Option<String>>,
    /// Where they were served; empty where applications named no environment.
    pub environments: Vec<String>,
    /// What to do.
    pub advice: String,
}

/// The report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stale {
    /// For how many days a flag has to be so.
    pub days: u32,
    /// From this moment on.
    #[serde(serialize_with = "text")]
    pub since: Timestamp,
    /// Since when it is remembered what applications asked for, at least; `None`: none ever told.
    #[serde(serialize_with = "optional_text")]
    pub remembered_since: Option<Timestamp>,
    /// By id.
    pub flags: Vec<StaleFlag>,
}

const DAY: i64 = 24 * 60 * 60 * 1000;

/// Makes the report.
pub(super) fn report(state: &State, asked: &[Asked], days: u32, now: Timestamp) -> Stale {
    let since = Timestamp::from_millis(now.millis() - i64::from(days) * DAY);
    let remembered_since: Option<Timestamp> = asked.iter().map(|one| one.first.as_str()).min().and_then(moment);
    let mut by_flag: BTreeMap<&str, Vec<&Asked>> = BTreeMap::new();
    for one in asked {
        by_flag.entry(&one.flag).or_default().push(one);
    }
    // Where no application ever told anything, silence says nothing of a flag.
    let flags = remembered_since.map_or_else(Vec::new, |remembered| {
        let of = |flag: &Flag| {
            let asked = by_flag.get(flag.name.as_str()).map_or(&[][..], Vec::as_slice);
            stale(flag, asked, since, remembered)
        };
        state.flags().filter_map(|flag| of(flag)).collect()
    });
    Stale { days, since, remembered_since, flags }
}

fn text<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(at)
}

fn optional_text<S: Serializer>(at: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
    at.as_ref().map(ToString::to_string).serialize(to)
}

fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

fn stale(flag: &Flag, asked: &[&Asked], since: Timestamp, remembered: Timestamp) -> Option<StaleFlag> {
    let changed = flag.updated_at.or(flag.created_at).unwrap_or(since);
    // What was changed may be asked for, or differ, only from now on.
    if changed > since {
        return None;
    }
    let last = |one: &Asked| moment(&one.last);
    let last_asked = asked.iter().filter_map(|one| last(one)).max();
    let (recent, before): (Vec<&Asked>, Vec<&Asked>) = asked.iter().partition(|one| last(one) >= Some(since));
    let variants: BTreeSet<Option<&str>> = recent.iter().map(|one| one.variant.as_deref()).collect();
    let (finding, from) = match variants.len() {
        0 => (Finding::NotAsked, last_asked.unwrap_or(remembered)),
        // It served something else until then.
        1 => (
            Finding::Constant,
            before
                .iter()
                .filter(|one| !variants.contains(&one.variant.as_deref()))
                .filter_map(|one| last(one))
                .max()
                .unwrap_or(remembered),
        ),
        _ => return None,
    };
    let from = from.max(changed);
    let environments: BTreeSet<&str> =
        recent.iter().map(|one| one.environment.as_str()).filter(|name| !name.is_empty()).collect();
    Some(StaleFlag {
        id: flag.id,
        name: flag.name.clone(),
        finding,
        since: from,
        sure: remembered <= since,
        last_asked,
        advice: advice(flag, finding, variants.first().copied().flatten()),
        variants: variants.into_iter().map(|name| name.map(str::to_owned)).collect(),
        environments: environments.into_iter().map(str::to_owned).collect(),
    })
}

fn advice(flag: &Flag, finding: Finding, variant: Option<&str>) -> String {
    let stays = matches!(flag.kind, Kind::Operational | Kind::Permission);
    match (finding, variant) {
        _ if stays && finding == Finding::Constant => "a flag of its kind may stay as it is".to_owned(),
        (Finding::NotAsked, _) if flag.archived => "it is archived and nobody asks: delete it".to_owned(),
        (Finding::NotAsked, _) => {
            "look whether any code still asks for it (one that reports no counts is not seen here); if none does, archive it, and delete it later".to_owned()
        }
        (Finding::Constant, None) => {
            "applications only ever use their own default: see why (their status says), or take the flag out of the code and delete it".to_owned()
        }
        (Finding::Constant, Some("off")) if flag.variants.is_empty() => {
            "nobody has it: roll it out, or take what is behind it out of the code and delete the flag".to_owned()
        }
        (Finding::Constant, Some(variant)) => {
            format!("everybody gets `{variant}`: keep only that way in the code, then delete the flag")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::state::{Kept, Position};
    use super::*;

    const NOW: &str = "2026-11-28T12:00:00Z";

    fn state(flags: Vec<Flag>) -> State {
        let position = Position { instance: "i".into(), revision: 1 };
        let kept = flags.into_iter().map(|flag| Kept { flag: Arc::new(flag), revision: 1 }).collect();
        State::new(position, kept, BTreeMap::new(), Vec::new())
    }

    fn flag(id: i64, name: &str, updated: &str) -> Flag {
        Flag { id, updated_at: Some(updated.parse().unwrap()), ..Flag::new(name) }
    }

    fn asked(flag: &str, variant: Option<&str>, environment: &str, first: &str, last: &str) -> Asked {
        Asked {
            flag: flag.into(),
            variant: variant.map(Into::into),
            environment: environment.into(),
            first: first.into(),
            last: last.into(),
        }
    }

    const LONG_AGO: &str = "2026-01-05T00:00:00Z";

    #[test]
    fn a_flag_is_stale_when_nobody_asks_or_everybody_gets_the_same_and_nobody_changes_it() {
        let flags = [
            flag(1, "constant", LONG_AGO),
            flag(2, "mixed", LONG_AGO),
            flag(3, "forgotten", LONG_AGO),
            flag(4, "never", LONG_AGO),
            flag(5, "changed", "2026-11-20T00:00:00Z"),
            flag(6, "settled", LONG_AGO),
            flag(7, "defaulted", LONG_AGO),
            flag(8, "by_place", LONG_AGO),
        ];
        let told = [
            asked("constant", Some("on"), "prod", LONG_AGO, NOW),
            asked("constant", Some("on"), "dev", LONG_AGO, NOW),
            asked("mixed", Some("on"), "prod", LONG_AGO, NOW),
            asked("mixed", Some("off"), "prod", LONG_AGO, "2026-11-01T00:00:00Z"),
            asked("forgotten", Some("on"), "prod", LONG_AGO, "2026-10-01T08:30:00Z"),
            asked("changed", Some("on"), "prod", LONG_AGO, NOW),
            asked("settled", Some("on"), "", LONG_AGO, NOW),
            asked("settled", Some("off"), "", LONG_AGO, "2026-09-01T00:00:00Z"),
            asked("defaulted", None, "prod", LONG_AGO, NOW),
            asked("by_place", Some("on"), "prod", LONG_AGO, NOW),
            asked("by_place", Some("off"), "dev", LONG_AGO, NOW),
        ];
        let report = report(&state(flags.to_vec()), &told, 30, NOW.parse().unwrap());
        assert_eq!(report.since.to_string(), "2026-10-29T12:00:00Z");
        let said: Vec<String> = report
            .flags
            .iter()
            .map(|one| {
                let last = one.last_asked.map(|at| at.to_string()).unwrap_or_default();
                assert!(one.sure, "{}", one.name);
                format!(
                    "{} {:?} {} [{last}] {:?} {:?}",
                    one.name, one.finding, one.since, one.variants, one.environments
                )
            })
            .collect();
        assert_eq!(
            said,
            [
                format!(r#"constant Constant {LONG_AGO} [{NOW}] [Some("on")] ["dev", "prod"]"#),
                "forgotten NotAsked 2026-10-01T08:30:00Z [2026-10-01T08:30:00Z] [] []".to_owned(),
                format!("never NotAsked {LONG_AGO} [] [] []"),
                format!(r#"settled Constant 2026-09-01T00:00:00Z [{NOW}] [Some("on")] []"#),
                format!(r#"defaulted Constant {LONG_AGO} [{NOW}] [None] ["prod"]"#),
            ]
        );
    }

    #[test]
    fn what_is_not_remembered_for_so_long_is_not_sure_and_silence_alone_says_nothing() {
        let flags = vec![flag(1, "constant", LONG_AGO), flag(2, "never", LONG_AGO)];
        let now: Timestamp = NOW.parse().unwrap();
        let told = [asked("constant", Some("on"), "", "2026-11-25T00:00:00Z", NOW)];
        let found = report(&state(flags.clone()), &told, 30, now);
        assert_eq!(found.remembered_since, Some("2026-11-25T00:00:00Z".parse().unwrap()));
        let sure: Vec<(&str, bool, String)> =
            found.flags.iter().map(|one| (one.name.as_str(), one.sure, one.since.to_string())).collect();
        let since = "2026-11-25T00:00:00Z".to_owned();
        assert_eq!(sure, [("constant", false, since.clone()), ("never", false, since)]);
        assert!(report(&state(flags.clone()), &told, 2, now).flags.iter().all(|one| one.sure));
        let silent = report(&state(flags), &[], 30, now);
        assert_eq!((silent.remembered_since, silent.flags.len()), (None, 0));
    }
}
