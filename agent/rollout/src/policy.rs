//! The one value of the edge's map: what every request is routed by.
//!
//! ```text
//! v1:<release>.<step>.<verdict>:<stable>:<candidate>:<share>: ... :<salt>:<dead man>
//!    epoch                      one triple a component, in name order
//! ```
//!
//! One value in one map key changes every component in one command, so no request sees a mixture.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::colour::{Colour, Share};

/// How far the judgement of a release has come. It only ever goes up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing is known against the release.
    #[default]
    Open,
    /// The release is bad: everybody routes to the previous colour. Never taken back.
    Bad,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::Bad => "bad",
        })
    }
}

/// The order of all states of an environment: by release, then verdict, then step.
///
/// Every actor keeps the greatest it has seen and refuses to go below it. The derived `Ord` compares the
/// fields in this order, so a BAD release outranks every forward step of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Epoch {
    /// Allocated by a forward compare-and-swap only, never by a rollback. 0 before the first release.
    pub release: u64,
    /// Open or bad.
    pub verdict: Verdict,
    /// Counts the forward changes of share within the release.
    pub step: u32,
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.release, self.step, self.verdict)
    }
}

/// Where one component's traffic goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Route {
    /// The proven colour, the target of a rollback.
    pub stable: Colour,
    /// The colour under release; equal to `stable` when the component takes no part.
    pub candidate: Colour,
    /// The candidate's share.
    pub share: Share,
}

impl Route {
    /// Everything to one colour, no release under way.
    #[must_use]
    pub const fn settled(colour: Colour) -> Self {
        Self { stable: colour, candidate: colour, share: Share::NONE }
    }

    /// Whether `colour` gets any request at all.
    #[must_use]
    pub fn serves(&self, colour: Colour) -> bool {
        (colour == self.stable && (self.share < Share::ALL || self.candidate == self.stable))
            || (colour == self.candidate && self.share > Share::NONE)
    }
}

/// A salt for bucketing: `[A-Za-z0-9_.-]{1,64}`, so that it can stand in a map value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Salt(String);

impl Salt {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Salt {
    /// `teal`.
    fn default() -> Self {
        Self("teal".to_owned())
    }
}

impl TryFrom<String> for Salt {
    type Error = PolicyError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text))
        } else {
            Err(PolicyError::Salt(text))
        }
    }
}

impl From<Salt> for String {
    fn from(salt: Salt) -> Self {
        salt.0
    }
}

impl fmt::Display for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the edge is told: an absolute, repeatable order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Policy {
    /// The state this policy belongs to.
    pub epoch: Epoch,
    /// One route a component, in the order of the components' names.
    pub routes: Vec<Route>,
    /// The salt of the canary buckets.
    pub salt: Salt,
    /// Unix seconds after which the edge ignores the candidate's share by itself; 0 means never.
    pub dead_man: u64,
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v1:{}", self.epoch)?;
        for Route { stable, candidate, share } in &self.routes {
            write!(f, ":{stable}:{candidate}:{}", share.get())?;
        }
        write!(f, ":{}:{}", self.salt, self.dead_man)
    }
}

/// Why a map value is not a policy. The value itself is kept, cut to 200 characters, for the message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Another format or none.
    #[error("`{0}` is not a policy: it must start with `v1:`")]
    Version(String),
    /// Too few or too many fields.
    #[error("a policy has 1 + 1 + 3 x components + 2 fields, `{0}` has {1}")]
    Fields(String, usize),
    /// The epoch, a colour, a share or the dead man's time.
    #[error("`{value}` is not a valid {field} in a policy")]
    Field {
        /// Which part.
        field: &'static str,
        /// What stood there.
        value: String,
    },
    /// Outside `[A-Za-z0-9_.-]{1,64}`.
    #[error("`{0}` is not a salt: it must match [A-Za-z0-9_.-]{{1,64}}")]
    Salt(String),
}

impl FromStr for Epoch {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || PolicyError::Field { field: "epoch", value: cut(text) };
        let mut parts = text.split('.');
        let (Some(release), Some(step), Some(verdict), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(error());
        };
        let verdict = match verdict {
            "open" => Verdict::Open,
            "bad" => Verdict::Bad,
            _ => return Err(error()),
        };
        Ok(Self { release: number(release).ok_or_else(error)?, step: number(step).ok_or_else(error)?, verdict })
    }
}

impl FromStr for Policy {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text.strip_prefix("v1:").ok_or_else(|| PolicyError::Version(cut(text)))?;
        let fields: Vec<&str> = rest.split(':').collect();
        let [epoch, routes @ .., salt, dead_man] = fields.as_slice() else {
            return Err(PolicyError::Fields(cut(text), fields.len() + 1));
        };
        if routes.is_empty() || routes.len() % 3 != 0 {
            return Err(PolicyError::Fields(cut(text), fields.len() + 1));
        }
        let bad = |field, value: &str| PolicyError::Field { field, value: cut(value) };
        let routes = routes
            .chunks_exact(3)
            .map(|field| {
                Ok(Route {
                    stable: field[0].parse().map_err(|_| bad("stable colour", field[0]))?,
                    candidate: field[1].parse().map_err(|_| bad("candidate colour", field[1]))?,
                    share: number(field[2]).and_then(Share::new).ok_or_else(|| bad("share", field[2]))?,
                })
            })
            .collect::<Result<_, PolicyError>>()?;
        Ok(Self {
            epoch: epoch.parse()?,
            routes,
            salt: Salt::try_from((*salt).to_owned())?,
            dead_man: number(dead_man).ok_or_else(|| bad("dead man's time", dead_man))?,
        })
    }
}

/// Digits only: `str::parse` alone would take a leading `+`, which the edge does not.
fn number<T: FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn cut(text: &str) -> String {
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_policy_reads_back_what_it_wrote() {
        let text = "v1:43.2.open:blue:green:10000:green:green:0:r-43:0";
        let policy: Policy = text.parse().unwrap();
        assert_eq!(policy.to_string(), text);
        assert_eq!(policy.epoch, Epoch { release: 43, verdict: Verdict::Open, step: 2 });
        assert!(policy.routes[0].serves(Colour::Blue) && policy.routes[0].serves(Colour::Green));
        assert!(policy.routes[1].serves(Colour::Green) && !policy.routes[1].serves(Colour::Blue));
    }

    #[test]
    fn garbage_is_refused_with_its_field() {
        let check = |text: &str, words: &str| {
            let error = text.parse::<Policy>().unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        };
        check("", "must start with `v1:`");
        check("v2:1.0.open:blue:green:0:s:0", "must start with `v1:`");
        check("v1:1.0.open:s:0", "fields");
        check("v1:1.0.open:blue:green:s:0", "fields");
        check("v1:1.0.good:blue:green:0:s:0", "epoch");
        check("v1:+1.0.open:blue:green:0:s:0", "epoch");
        check("v1:1.0.open:purple:green:0:s:0", "`purple` is not a valid stable colour");
        check("v1:1.0.open:blue:green:100001:s:0", "share");
        check("v1:1.0.open:blue:green:0::0", "salt");
        check("v1:1.0.open:blue:green:0:s:-1", "dead man");
    }

    #[test]
    fn a_bad_release_outranks_each_of_its_own_steps_and_no_later_release() {
        let epoch = |release, verdict, step| Epoch { release, verdict, step };
        assert!(epoch(7, Verdict::Bad, 1) > epoch(7, Verdict::Open, 9));
        assert!(epoch(8, Verdict::Open, 0) > epoch(7, Verdict::Bad, 9));
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "(v1:)?[a-z0-9:.]{0,80}") {
            if let Ok(policy) = text.parse::<Policy>() {
                prop_assert_eq!(policy.to_string().parse::<Policy>().unwrap(), policy);
            }
        }
    }
}
