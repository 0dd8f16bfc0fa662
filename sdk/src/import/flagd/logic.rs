//! Conditions of JsonLogic, and how they are written out as alternatives.

use crate::model::{Condition, limits};

use super::Unsaid;

/// A condition without `not`: that is within the single tests.
#[derive(Clone)]
pub(super) enum Logic {
    Always,
    Never,
    Test(Condition),
    All(Vec<Logic>),
    Any(Vec<Logic>),
}

impl Logic {
    /// All or any of these; turned round where it stands under a `not`.
    pub(super) fn all(members: Vec<Self>, negate: bool) -> Self {
        if negate { Self::Any(members) } else { Self::All(members) }
    }

    pub(super) fn truth(truth: bool) -> Self {
        if truth { Self::Always } else { Self::Never }
    }

    /// Alternatives, for each of which all its conditions must hold. None: it never holds.
    pub(super) fn alternatives(&self) -> Result<Vec<Vec<Condition>>, Unsaid> {
        let alternatives = match self {
            Self::Always => vec![vec![]],
            Self::Never => vec![],
            Self::Test(condition) => vec![vec![condition.clone()]],
            Self::Any(members) => {
                let mut all = Vec::new();
                for member in members {
                    all.extend(member.alternatives()?);
                    bounded(&all)?;
                }
                all
            }
            Self::All(members) => {
                let mut all = vec![vec![]];
                for member in members {
                    all = product(&all, &member.alternatives()?)?;
                }
                all
            }
        };
        bounded(&alternatives)?;
        Ok(alternatives)
    }
}

/// Each of these together with each of those.
pub(super) fn product(these: &[Vec<Condition>], those: &[Vec<Condition>]) -> Result<Vec<Vec<Condition>>, Unsaid> {
    if these.len().saturating_mul(those.len()) > limits::RULES {
        return Err(too_many());
    }
    let both = |this: &Vec<Condition>, that: &Vec<Condition>| this.iter().chain(that).cloned().collect();
    let all: Vec<Vec<Condition>> =
        these.iter().flat_map(|this| those.iter().map(move |that| both(this, that))).collect();
    bounded(&all)?;
    Ok(all)
}

fn bounded(alternatives: &[Vec<Condition>]) -> Result<(), Unsaid> {
    let too_long = alternatives.iter().any(|conditions| conditions.len() > limits::CONDITIONS);
    if alternatives.len() > limits::RULES || too_long { Err(too_many()) } else { Ok(()) }
}

pub(super) fn too_many() -> Unsaid {
    Unsaid(format!("written out it takes more than {} rules of {} conditions", limits::RULES, limits::CONDITIONS))
}
