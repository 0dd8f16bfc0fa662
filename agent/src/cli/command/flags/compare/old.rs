//! The service that answers today, and what side an answer puts somebody on.

use serde_json::{Map, Value};
use teal_flags::Evaluation;

use super::Pair;
use crate::cli::CliError;
use crate::cli::command::flags::users::User;
use crate::cli::render::flags::compare::side;
use crate::client::flags::FlagClientError;
use crate::client::old::{Kind, OldAnswer, OldClient};

/// Flags that are tried to find out how a service is asked: it may not know each of them.
const TRIED: usize = 50;
/// Who is asked for then. Nobody.
const NOBODY: &str = "teal-compare-nobody";

/// How the old service is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum OldKind {
    /// Like PhysioFlow's check.
    Rest,
    /// The OpenFeature Remote Evaluation Protocol.
    Ofrep,
}

/// The service that answers today, and how it is asked.
pub(super) struct Old {
    client: OldClient,
    kind: Kind,
}

impl Old {
    /// Finds out how it is asked.
    pub(super) async fn found(
        client: OldClient,
        said: Option<OldKind>,
        pairs: &[Pair],
        environment: Option<&str>,
    ) -> Result<Self, CliError> {
        let kinds: &[Kind] = match said {
            Some(OldKind::Ofrep) => &[Kind::Ofrep],
            Some(OldKind::Rest) => &[Kind::RestPost, Kind::RestGet],
            None => &[Kind::RestPost, Kind::RestGet, Kind::Ofrep],
        };
        let mut refused = None;
        for pair in pairs.iter().take(TRIED) {
            for kind in kinds {
                match client.ask(*kind, &pair.old, NOBODY, &Map::new(), environment).await {
                    // A path that is not there looks the same.
                    Ok(OldAnswer::Unknown) if *kind != Kind::Ofrep => {}
                    Ok(_) => return Ok(Self { client, kind: *kind }),
                    Err(error) if error.status().is_none() => return Err(without_hints(error)),
                    Err(error) if matches!(error.status(), Some(401 | 403)) => {
                        return Err(without_hints(error).hint("--old-token-file FILE   says who you are there"));
                    }
                    Err(error) => refused = Some(error),
                }
            }
        }
        let why = refused.map(|error| format!(" ({error})")).unwrap_or_default();
        let error = CliError::failed(format!(
            "{} answers for none of these flags, neither by REST nor by OFREP{why}",
            client.at()
        ));
        Err(error.hint("--old-kind and --flag OLD=NEW   say how it is asked and what a flag is called there"))
    }

    pub(super) fn at(&self) -> String {
        self.client.at()
    }

    pub(super) const fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) async fn ask(&self, flag: &str, user: &User, environment: Option<&str>) -> Result<OldAnswer, CliError> {
        let answer = self.client.ask(self.kind, flag, &user.id, &user.attributes, environment).await;
        answer.map_err(without_hints)
    }
}

/// What helps with our own service is of no use with another one.
fn without_hints(error: FlagClientError) -> CliError {
    CliError { hints: Vec::new(), ..CliError::from(error) }
}

/// The sides that both answers put somebody on, in words; `None`: the old service does not know the flag.
///
/// Of a REST answer only on and off are known, so that is what is compared.
pub(super) fn sides(old: &OldAnswer, new: &Evaluation) -> Option<(String, String)> {
    let served = |value: Option<Value>| value.map_or_else(|| side(&Value::Null), |value| side(&settled(value)));
    match old {
        OldAnswer::Unknown => None,
        OldAnswer::Switch(on) => Some((side(&(*on).into()), side(&new.enabled.unwrap_or(false).into()))),
        OldAnswer::Value(value) => {
            Some((served(Some(value.clone())), served(new.value.as_ref().map(teal_flags::FlagValue::to_json))))
        }
        OldAnswer::Default => Some((served(None), served(new.value.as_ref().map(teal_flags::FlagValue::to_json)))),
    }
}

/// Numbers that are equal are written alike: some services say `1.0` for 1.
fn settled(value: Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64() {
            #[expect(clippy::cast_possible_truncation, reason = "whole numbers below 2^53 are exact")]
            Some(float) if float.fract() == 0.0 && float.abs() < 9e15 => Value::from(float as i64),
            _ => Value::Number(number),
        },
        Value::Array(members) => members.into_iter().map(settled).collect(),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (name, settled(value))).collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use teal_flags::model::{Document, Timestamp};
    use teal_flags::{Flags, Layer};

    use super::*;

    #[test]
    fn sides_are_compared_by_what_the_old_service_tells() {
        let flags = Flags::new(None);
        let document = json!({"flags": [
            {"name": "on", "enabled": true},
            {"name": "off"},
            {"name": "one", "enabled": true, "variants": [{"name": "one", "value": {"n": 1}}]},
            {"name": "none", "enabled": false, "variants": [{"name": "one", "value": 1}]}]});
        flags.apply(Layer::File, Document::from_value(document).unwrap(), Timestamp::from_millis(0));
        let check = |old: OldAnswer, flag: &str, expected: Option<(&str, &str)>| {
            let sides = sides(&old, &flags.snapshot().evaluate("user-7", flag));
            assert_eq!(sides.as_ref().map(|(a, b)| (a.as_str(), b.as_str())), expected, "{old:?} {flag}");
        };
        check(OldAnswer::Switch(true), "on", Some(("on", "on")));
        check(OldAnswer::Switch(true), "off", Some(("on", "off")));
        check(OldAnswer::Switch(true), "one", Some(("on", "on")));
        check(OldAnswer::Value(json!(true)), "on", Some(("on", "on")));
        check(OldAnswer::Value(json!({"n": 1.0})), "one", Some(("{\"n\":1}", "{\"n\":1}")));
        check(OldAnswer::Value(json!("x")), "none", Some(("x", "the caller's default")));
        check(OldAnswer::Default, "none", Some(("the caller's default", "the caller's default")));
        check(OldAnswer::Unknown, "on", None);
    }
}
