//! What stands behind the `?` of a request: read by a table that also describes it in the OpenAPI document.
//!
//! A parameter that is not in the table is refused, because a filter that is misspelt would otherwise show everything. So is one
//! that is there twice.

use teal_flags::model::Timestamp;

use super::problem::Refused;
use crate::flags::FieldError;

/// One parameter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parameter {
    /// Its name.
    pub(super) name: &'static str,
    /// What it does, for the document.
    pub(super) about: &'static str,
    /// What it may be.
    pub(super) kind: Kind,
}

/// What a parameter may be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// A text of at most so many characters, none of them a control character.
    Text(usize),
    /// A whole number of this range.
    Whole(u64, u64),
    /// `true` or `false`.
    Truth,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// RFC 3339.
    Moment,
    /// JSON, as text.
    Json,
    /// Any text.
    Anything,
}

/// The parameters of a request, each of its kind.
#[derive(Debug, Default)]
pub(super) struct Asked(Vec<(&'static str, String)>);

impl Asked {
    /// Reads a query by its table.
    ///
    /// # Errors
    /// 422 with the parameter's name.
    pub(super) fn of(query: Option<&str>, table: &[Parameter]) -> Result<Self, Refused> {
        Self::read(query, table, true)
    }

    /// The same for those who may be newer than this service: what it does not know is left out.
    ///
    /// # Errors
    /// As [`Asked::of`].
    pub(super) fn known(query: Option<&str>, table: &[Parameter]) -> Result<Self, Refused> {
        Self::read(query, table, false)
    }

    fn read(query: Option<&str>, table: &[Parameter], only: bool) -> Result<Self, Refused> {
        let mut found: Vec<(&'static str, String)> = Vec::new();
        for (name, value) in pairs(query.unwrap_or_default())? {
            let Some(parameter) = table.iter().find(|parameter| parameter.name == name) else {
                if only {
                    return Err(unknown(&name, table));
                }
                continue;
            };
            let wrong = |problem: String| Refused::from(FieldError::new(parameter.name, problem));
            if found.iter().any(|(known, _)| *known == parameter.name) {
                return Err(wrong("is there twice".to_owned()));
            }
            parameter.kind.check(&value).map_err(wrong)?;
            found.push((parameter.name, value));
        }
        Ok(Self(found))
    }

    /// A text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// A number or moment.
    pub(super) fn parsed<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.text(name)?.parse().ok()
    }

    /// A number of items, which there is always a usual one of.
    pub(super) fn limit(&self, usual: u32) -> u32 {
        self.parsed("limit").unwrap_or(usual)
    }
}

/// Names and values, decoded.
fn pairs(query: &str) -> Result<Vec<(String, String)>, Refused> {
    let wrong = || Refused::from(FieldError::new("", "what stands behind the `?` is no list of NAME=VALUE"));
    let uri = format!("/?{query}").parse().map_err(|_| wrong())?;
    let read = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&uri);
    read.map(|axum::extract::Query(pairs)| pairs).map_err(|_| wrong())
}

fn unknown(name: &str, table: &[Parameter]) -> Refused {
    let known: Vec<&str> = table.iter().map(|parameter| parameter.name).collect();
    let way =
        if known.is_empty() { "there is none here".to_owned() } else { format!("there are {}", known.join(", ")) };
    let shown: String = name.chars().take(100).collect();
    Refused::from(FieldError::new(shown, format!("is no parameter of this path; {way}")))
}

impl Kind {
    /// What is wrong with a value.
    fn check(self, value: &str) -> Result<(), String> {
        match self {
            Self::Text(most) if value.chars().count() > most => Err(format!("is longer than {most} characters")),
            Self::Text(_) if value.contains(char::is_control) => Err("has a control character".to_owned()),
            Self::Text(_) | Self::Json | Self::Anything => Ok(()),
            Self::Whole(least, most) => {
                let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
                let number = value.parse::<u64>().ok().filter(|number| digits && (least..=most).contains(number));
                number.map(drop).ok_or_else(|| format!("is no whole number from {least} to {most}"))
            }
            Self::Truth if matches!(value, "true" | "false") => Ok(()),
            Self::Truth => Err("is neither true nor false".to_owned()),
            Self::OneOf(names) if names.contains(&value) => Ok(()),
            Self::OneOf(names) => Err(format!("is none of {}", names.join(", "))),
            Self::Moment => value.parse::<Timestamp>().map(drop).map_err(|error| format!("{error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: [Parameter; 6] = [
        Parameter { name: "limit", about: "", kind: Kind::Whole(1, 1_000) },
        Parameter { name: "enabled", about: "", kind: Kind::Truth },
        Parameter { name: "q", about: "", kind: Kind::Text(5) },
        Parameter { name: "kind", about: "", kind: Kind::OneOf(&["release", "permission"]) },
        Parameter { name: "since", about: "", kind: Kind::Moment },
        Parameter { name: "attributes", about: "", kind: Kind::Json },
    ];

    #[test]
    fn what_is_asked_is_of_its_kind_or_named() {
        let check = |query: &str, expected: Option<(&str, &str)>| {
            let refused = Asked::of(Some(query), &TABLE).err().map(|refused| refused.problem().clone());
            let said = refused.map(|problem| (problem.field.unwrap_or_default(), problem.detail));
            match (said, expected) {
                (None, None) => {}
                (Some((field, detail)), Some((name, words))) => {
                    assert_eq!(field, name, "{query}: {detail}");
                    assert!(detail.contains(words), "{query}: {detail}");
                }
                (said, _) => panic!("{query}: {said:?}"),
            }
        };
        check("", None);
        check("limit=1&enabled=true&q=h%C3%A9llo&kind=permission&since=2026-11-28T00:00:00Z", None);
        check("limit=0", Some(("limit", "from 1 to 1000")));
        check("limit=1001", Some(("limit", "from 1 to 1000")));
        check("limit=%2B5", Some(("limit", "whole number")));
        check("limit=-1", Some(("limit", "whole number")));
        check("limit=1e3", Some(("limit", "whole number")));
        check("limit=99999999999999999999999", Some(("limit", "whole number")));
        check("limit=", Some(("limit", "whole number")));
        check("limit=5&limit=5", Some(("limit", "twice")));
        check("enabled=TRUE", Some(("enabled", "neither true nor false")));
        check("q=123456", Some(("q", "longer than 5")));
        check("q=a%00b", Some(("q", "control")));
        check("kind=Release", Some(("kind", "none of release, permission")));
        check("since=yesterday", Some(("since", "")));
        check("enabeld=true", Some(("enabeld", "there are limit, enabled, q")));
        check("&&=", Some(("", "")));
    }

    #[test]
    fn who_may_be_newer_may_ask_what_is_not_known() {
        let asked = Asked::known(Some("limit=7&future=1"), &TABLE).unwrap();
        assert_eq!((asked.limit(100), asked.text("future")), (7, None));
        assert!(Asked::known(Some("limit=x"), &TABLE).is_err());
    }
}
