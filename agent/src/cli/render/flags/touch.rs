//! How many users a change touches, as far as the shares alone tell it.
//!
//! Raising a share only adds users and lowering it only takes some away, because users are dealt by salt and id alone: then the
//! figures are exact. With another salt, function or attribute everybody is dealt anew, and they are what chance makes of it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use teal_flags::model::Flag;

use super::words::places;

/// Everybody, in thousandths of a percent.
const ALL: u64 = 100_000;

/// Who is touched in some environments alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touch {
    /// By name.
    environments: Vec<String>,
    /// And those that the flag does not name.
    elsewhere: bool,
    /// Thousandths of a percent of all users who get it now and did not.
    gain: u64,
    /// Of those who had it and do not now.
    lose: u64,
}

/// What a change does to how many users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    touches: Vec<Touch>,
    /// Everybody is dealt anew.
    anew: bool,
    notes: Vec<&'static str>,
}

/// Compares who gets the flag before and after, those left out whom a rule decides for.
#[must_use]
pub fn touched(before: &Flag, after: &Flag) -> Touched {
    let anew =
        (&before.salt, &before.bucketing, &before.stickiness) != (&after.salt, &after.bucketing, &after.stickiness);
    let named: BTreeSet<&String> = before.environments.iter().chain(&after.environments).collect();
    let mut touches: Vec<Touch> = Vec::new();
    let places = named.into_iter().map(Some).chain([None]);
    for place in places {
        let (gain, lose) = moved(share(before, place), share(after, place), anew);
        let (environments, elsewhere) = match place {
            Some(name) => (vec![name.clone()], false),
            None => (Vec::new(), true),
        };
        match touches.iter_mut().find(|touch| (touch.gain, touch.lose) == (gain, lose)) {
            Some(touch) => {
                touch.environments.extend(environments);
                touch.elsewhere |= elsewhere;
            }
            None => touches.push(Touch { environments, elsewhere, gain, lose }),
        }
    }
    if let [everywhere] = touches.as_mut_slice() {
        everywhere.environments.clear();
        everywhere.elsewhere = false;
    }
    touches.retain(|touch| touch.gain + touch.lose > 0);
    let notes = notes(before, after, !touches.is_empty());
    Touched { touches, anew, notes }
}

/// What the shares do not tell. `touches`: they tell something.
fn notes(before: &Flag, after: &Flag, touches: bool) -> Vec<&'static str> {
    let mut notes = Vec::new();
    if before.rules != after.rules {
        notes.push("whom its rules touch cannot be known here: teal flags check FLAG --users FILE counts");
    } else if !after.rules.is_empty() && touches {
        notes.push("its rules decide before that for whom they match");
    }
    if !after.schedule.ramp.is_empty() || !before.schedule.ramp.is_empty() {
        notes.push("its ramp says which share and when");
    } else if before.schedule != after.schedule || !after.schedule.is_empty() {
        notes.push("its schedule says when");
    }
    if !after.prerequisites.is_empty() || before.prerequisites != after.prerequisites {
        notes.push("only where the flags hold that it needs");
    }
    if before.variants != after.variants {
        notes.push("users may be served another variant");
    }
    notes
}

const fn is_on(flag: &Flag) -> bool {
    flag.enabled && !flag.archived
}

/// The share in a named environment, or in those that no flag names.
fn share(flag: &Flag, place: Option<&String>) -> u64 {
    let applies = flag.environments.is_empty() || place.is_some_and(|name| flag.environments.contains(name));
    if is_on(flag) && applies { flag.rollout_percentage.thousandths().into() } else { 0 }
}

/// Who comes and who goes.
const fn moved(before: u64, after: u64, anew: bool) -> (u64, u64) {
    if anew {
        return (after * (ALL - before) / ALL, before * (ALL - after) / ALL);
    }
    (after.saturating_sub(before), before.saturating_sub(after))
}

/// A line each: `25 % of users get it who did not`.
#[must_use]
pub fn sentences(touched: &Touched) -> Vec<String> {
    let about = if touched.anew { "about " } else { "" };
    let one = |touch: &Touch| {
        let place = match (touch.environments.as_slice(), touch.elsewhere) {
            ([], false) => String::new(),
            ([], true) => "elsewhere: ".to_owned(),
            (some, false) => format!("{}: ", places(some)),
            (some, true) => format!("{} and elsewhere: ", places(some)),
        };
        let parts = [(touch.gain, "get it who did not", "gets it who did not"), (touch.lose, "lose it", "loses it")];
        let parts = parts.into_iter().filter(|(share, ..)| *share > 0).map(|(share, many, all)| match share {
            ALL => format!("everybody {all}"),
            share => format!("{about}{} % of users {many}", percent(share)),
        });
        format!("{place}{}", parts.collect::<Vec<_>>().join(", "))
    };
    let mut lines: Vec<String> = touched.touches.iter().map(one).collect();
    if lines.is_empty() {
        lines.push("nobody gets or loses it".to_owned());
    }
    if touched.anew && !touched.touches.is_empty() {
        lines.push("users are dealt anew: it is chance who".to_owned());
    }
    lines.extend(touched.notes.iter().map(|note| (*note).to_owned()));
    lines
}

/// For scripts.
#[must_use]
pub fn json(touched: &Touched) -> Value {
    let one = |touch: &Touch| {
        json!({
            "environments": touch.environments,
            "elsewhere": touch.elsewhere,
            "everywhere": touch.environments.is_empty() && !touch.elsewhere,
            "gain_percent": number(touch.gain),
            "lose_percent": number(touch.lose),
        })
    };
    json!({"exact": !touched.anew && touched.notes.is_empty(), "shares": touched.touches.iter().map(one).collect::<Vec<_>>()})
}

fn percent(thousandths: u64) -> String {
    let text = format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The same as a number of JSON.
fn number(thousandths: u64) -> Value {
    serde_json::from_str(&percent(thousandths)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &str) -> Flag {
        Flag::from_value(serde_json::from_str(&format!(r#"{{"name":"f",{fields}}}"#)).unwrap()).unwrap()
    }

    #[test]
    fn who_comes_and_who_goes_is_told_exactly_where_it_can_be() {
        let check = |before: &str, after: &str, expected: &[&str]| {
            assert_eq!(sentences(&touched(&read(before), &read(after))), expected, "{before} {after}");
        };
        let on = r#""enabled":true"#;
        check(r#""enabled":false"#, on, &["everybody gets it who did not"]);
        check(r#""enabled":false"#, r#""enabled":true,"rollout_percentage":25"#, &["25 % of users get it who did not"]);
        check(on, r#""enabled":true,"rollout_percentage":12.345"#, &["87.655 % of users lose it"]);
        check(on, r#""enabled":true,"archived":true"#, &["everybody loses it"]);
        check(on, r#""enabled":true,"description":"x""#, &["nobody gets or loses it"]);
        check(r#""enabled":false"#, r#""enabled":false,"rollout_percentage":5"#, &["nobody gets or loses it"]);
        check(on, r#""enabled":true,"environments":["prod"]"#, &["elsewhere: everybody loses it"]);
        check(
            r#""enabled":true,"environments":["dev"]"#,
            r#""enabled":true,"environments":["dev","prod","staging"],"rollout_percentage":10"#,
            &["dev: 90 % of users lose it", "prod, staging: 10 % of users get it who did not"],
        );
        check(
            r#""enabled":true,"rollout_percentage":50"#,
            r#""enabled":true,"rollout_percentage":50,"salt":"other""#,
            &[
                "about 25 % of users get it who did not, about 25 % of users lose it",
                "users are dealt anew: it is chance who",
            ],
        );
        let rules = |rollout: u8| format!(r#""enabled":true,"rules":[{{"off":true}}],"rollout_percentage":{rollout}"#);
        check(
            &rules(10),
            &rules(50),
            &["40 % of users get it who did not", "its rules decide before that for whom they match"],
        );
        check(&rules(10), &format!(r#"{},"description":"x""#, rules(10)), &["nobody gets or loses it"]);
        let ramp = |rollout: u8| {
            format!(
                r#""enabled":true,"rollout_percentage":{rollout},"schedule":{{"ramp":[{{"at":"2026-12-01T00:00:00Z","percentage":5}}]}}"#
            )
        };
        check(&ramp(10), &ramp(50), &["40 % of users get it who did not", "its ramp says which share and when"]);
        let until = |rollout: u8| {
            format!(r#""enabled":true,"rollout_percentage":{rollout},"schedule":{{"until":"2027-01-01T00:00:00Z"}}"#)
        };
        check(&until(10), &until(50), &["40 % of users get it who did not", "its schedule says when"]);
        check(
            on,
            r#""enabled":false,"rules":[{"off":true}],"prerequisites":[{"flag":"x"}]"#,
            &[
                "everybody loses it",
                "whom its rules touch cannot be known here: teal flags check FLAG --users FILE counts",
                "only where the flags hold that it needs",
            ],
        );
    }

    #[test]
    fn scripts_get_numbers_and_whether_they_are_exact() {
        let rules = r#""enabled":true,"rules":[{"off":true}]"#;
        let told = json(&touched(&read(&format!(r#"{rules},"rollout_percentage":1"#)), &read(rules)));
        assert_eq!((&told["exact"], &told["shares"][0]["gain_percent"]), (&json!(false), &json!(99)));

        let told = json(&touched(&read(r#""enabled":false"#), &read(r#""enabled":true,"rollout_percentage":0.001"#)));
        assert_eq!(
            told.to_string(),
            r#"{"exact":true,"shares":[{"elsewhere":false,"environments":[],"everywhere":true,"gain_percent":0.001,"lose_percent":0}]}"#
        );
    }
}
