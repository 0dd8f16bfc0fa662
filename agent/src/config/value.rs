//! How each kind of value is read from TOML, with the sentence for a wrong one.

mod edge;
mod flags;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use teal_rollout::colour::Share;
use teal_rollout::policy::Salt;
use teal_rollout::retention::Replicas;
use teal_rollout::settings::{Mode, OnUnknown};
use toml::de::DeValue;

use super::criteria::{Latency, Statuses};
use super::diagnostic::suggest;
use super::observing::AgentRole;
use super::ports::PortRange;
use super::text::{parse_duration, parse_percent, parse_thousandths};
use super::types::{PlatformKind, SwitchBy};

/// A value that can stand behind a key. `base` is the folder that relative paths start from.
pub(super) trait Decode: Sized {
    /// The value, or one sentence that names it and the way out.
    fn decode(value: &DeValue<'_>, base: &Path) -> Result<Self, String>;
}

impl Decode for String {
    fn decode(value: &DeValue<'_>, _: &Path) -> Result<Self, String> {
        match value {
            DeValue::String(text) if text.is_empty() => Err("this must not be empty".to_owned()),
            // Everything here may end in a HAProxy configuration, a map or a header.
            DeValue::String(text) if text.chars().any(char::is_control) => {
                Err("this must not contain control characters or line breaks".to_owned())
            }
            DeValue::String(text) => Ok(text.to_string()),
            other => Err(format!("this must be text in quotes, not {}", show(other))),
        }
    }
}

impl Decode for bool {
    fn decode(value: &DeValue<'_>, _: &Path) -> Result<Self, String> {
        value.as_bool().ok_or_else(|| format!("this must be true or false, not {}", show(value)))
    }
}

impl Decode for u64 {
    fn decode(value: &DeValue<'_>, _: &Path) -> Result<Self, String> {
        let number = value.as_integer().and_then(|n| Self::from_str_radix(n.as_str(), n.radix()).ok());
        number.ok_or_else(|| format!("this must be a whole number, not {}", show(value)))
    }
}

impl Decode for u16 {
    fn decode(value: &DeValue<'_>, base: &Path) -> Result<Self, String> {
        let wide = u64::decode(value, base)?;
        Self::try_from(wide).map_err(|_| format!("this must be at most {}, not {wide}", Self::MAX))
    }
}

impl Decode for f64 {
    fn decode(value: &DeValue<'_>, _: &Path) -> Result<Self, String> {
        let text = match value {
            DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
            DeValue::Float(number) => number.as_str(),
            // So that "0.000001" can be written as it is shown.
            DeValue::String(text) => text,
            _ => "",
        };
        let wrong = || format!("this must be a number, not {}", show(value));
        text.parse().ok().filter(|number: &Self| number.is_finite()).ok_or_else(wrong)
    }
}

impl Decode for Duration {
    fn decode(value: &DeValue<'_>, base: &Path) -> Result<Self, String> {
        match value {
            DeValue::Integer(number) => {
                Err(format!("a duration needs its unit, in quotes: \"{0}s\" or \"{0}ms\"", number.as_str()))
            }
            _ => parse_duration(&String::decode(value, base)?),
        }
    }
}

impl Decode for Share {
    fn decode(value: &DeValue<'_>, base: &Path) -> Result<Self, String> {
        match value {
            DeValue::Integer(number) => Err(format!("a percentage is text: \"{}%\"", number.as_str())),
            DeValue::Float(number) => Err(format!("a percentage is text: \"{}%\"", number.as_str())),
            _ => parse_percent(&String::decode(value, base)?),
        }
    }
}

impl Decode for Latency {
    fn decode(value: &DeValue<'_>, base: &Path) -> Result<Self, String> {
        let text = match value {
            DeValue::Integer(number) => Err(format!("a percentage is text: \"{}%\"", number.as_str())),
            DeValue::Float(number) => Err(format!("a percentage is text: \"{}%\"", number.as_str())),
            _ => String::decode(value, base),
        }?;
        if text == "off" {
            return Ok(Self::Off);
        }
        let slower = parse_thousandths(&text).filter(|thousandths| *thousandths <= 9_900_000).map(Self::Slower);
        slower.ok_or_else(|| {
            format!("`{text}` does not say how much slower is tolerated: write \"20%\", at most \"9900%\", or \"off\"")
        })
    }
}

impl Decode for Statuses {
    fn decode(value: &DeValue<'_>, base: &Path) -> Result<Self, String> {
        let text = match value {
            DeValue::Integer(number) => number.as_str().to_owned(),
            _ => String::decode(value, base)?,
        };
        Self::parse(&text).ok_or_else(|| {
            format!("`{text}` is no status: write one from 100 to 599, \"5xx\", or a range such as \"520-529\"")
        })
    }
}

impl Decode for Salt {
    fn decode(value: &DeValue<'_>, base: &Path) -> Result<Self, String> {
        Self::try_from(String::decode(value, base)?).map_err(|error| error.to_string())
    }
}

impl Decode for PathBuf {
    fn decode(value: &DeValue<'_>, base: &Path) -> Result<Self, String> {
        Ok(base.join(String::decode(value, base)?))
    }
}

impl Decode for SocketAddr {
    fn decode(value: &DeValue<'_>, base: &Path) -> Result<Self, String> {
        let text = String::decode(value, base)?;
        text.parse().map_err(|_| format!("`{text}` is not an address and port, for instance \"127.0.0.1:9180\""))
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(value: &DeValue<'_>, base: &Path) -> Result<Self, String> {
        let items = value.as_array().ok_or_else(|| format!("this must be a list [...], not {}", show(value)))?;
        items.iter().map(|item| T::decode(item.get_ref(), base)).collect()
    }
}

impl Decode for PortRange {
    fn decode(value: &DeValue<'_>, base: &Path) -> Result<Self, String> {
        let text = String::decode(value, base)?;
        let wrong = || format!("`{text}` is not a port range: write first and last, for instance \"8100-8109\"");
        let (first, last) = text.split_once('-').ok_or_else(wrong)?;
        let port = |part: &str| part.trim().parse::<u16>().ok().filter(|port| *port > 0).ok_or_else(wrong);
        let range = Self { first: port(first)?, last: port(last)? };
        if range.first >= range.last {
            return Err(format!("`{text}` must rise and have at least 2 ports, one for each colour"));
        }
        Ok(range)
    }
}

impl Decode for Replicas {
    fn decode(value: &DeValue<'_>, base: &Path) -> Result<Self, String> {
        match value {
            DeValue::String(text) if text == "full" => Ok(Self::Full),
            DeValue::Integer(_) => u16::decode(value, base).map(Self::Count),
            other => Err(format!("this must be \"full\" or a number, not {}", show(other))),
        }
    }
}

/// A closed list of words.
fn word<T: Copy>(value: &DeValue<'_>, base: &Path, words: &[(&str, T)]) -> Result<T, String> {
    let text = String::decode(value, base)?;
    words.iter().find(|(name, _)| *name == text).map(|(_, meaning)| *meaning).ok_or_else(|| {
        let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
        let near = suggest(&text, names.iter().copied());
        let near = if near.contains("did you mean") { near } else { String::new() };
        format!("`{text}` is not one of {}{near}", names.join(", "))
    })
}

impl Decode for Mode {
    fn decode(value: &DeValue<'_>, base: &Path) -> Result<Self, String> {
        word(value, base, &[("observe", Self::Observe), ("advise", Self::Advise), ("act", Self::Act)])
    }
}

impl Decode for OnUnknown {
    fn decode(value: &DeValue<'_>, base: &Path) -> Result<Self, String> {
        word(value, base, &[("keep", Self::Keep), ("rollback", Self::Rollback), ("ask", Self::Ask)])
    }
}

impl Decode for SwitchBy {
    fn decode(value: &DeValue<'_>, base: &Path) -> Result<Self, String> {
        word(value, base, &[("edge", Self::Edge), ("selector", Self::Selector)])
    }
}

impl Decode for AgentRole {
    fn decode(value: &DeValue<'_>, base: &Path) -> Result<Self, String> {
        word(value, base, &Self::ALL)
    }
}

impl Decode for PlatformKind {
    fn decode(value: &DeValue<'_>, base: &Path) -> Result<Self, String> {
        word(value, base, &[("local", Self::Local), ("kubernetes", Self::Kubernetes)])
    }
}

/// A value as a reader of the message recognises it, short.
fn show(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("\"{}\"", text.chars().take(60).collect::<String>()),
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(yes) => yes.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
