//! What a person at the edge asks for, whatever the edge is made of.

use teal_rollout::colour::Colour;
use teal_rollout::policy::Policy;

/// What to move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Move {
    /// Every component to this colour.
    All(Colour),
    /// These components, by name; the others stay.
    Some(Vec<(String, Colour)>),
    /// Every component to its last good colour, which need not be the same for all.
    Back,
}

/// For the record.
#[derive(Clone, Copy, Debug)]
pub struct Why<'a> {
    /// Move there even where it is known that nobody would answer.
    pub anyway: bool,
    /// What moved somebody to it.
    pub reason: &'a str,
    /// Who: `user@host`.
    pub by: &'a str,
}

/// A name that is not configured.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown component `{name}`: this environment has {known}")]
pub struct UnknownComponent {
    /// The name given.
    pub name: String,
    /// The names there are.
    pub known: String,
}

/// Where everybody is already.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "nothing was moved: everything is on its last good colour already, {colours}. If that is what fails, name the other one"
)]
pub struct Nowhere {
    /// The colour, or each component's.
    pub colours: String,
    /// The colour that nobody is on; `None` where that is not the same for all.
    pub other: Option<Colour>,
}

impl Nowhere {
    /// With every component where `to` takes it back to.
    pub(super) fn at(names: &[&str], to: &Policy) -> Self {
        let stable = || to.routes.iter().map(|route| route.stable);
        let first = stable().next().filter(|first| stable().all(|colour| colour == *first));
        let each = || names.iter().zip(stable()).map(|(name, colour)| format!("{name} {colour}"));
        Self {
            colours: first.map_or_else(|| each().collect::<Vec<_>>().join(", "), |colour| colour.to_string()),
            other: first.map(Colour::other),
        }
    }
}

impl Move {
    /// For each of these components the colour it is to go to; `None` leaves it. Nothing at all for the way back: where that
    /// goes only a policy says.
    pub(super) fn goals(&self, names: &[&str]) -> Result<Vec<Option<Colour>>, UnknownComponent> {
        let named = match self {
            Self::All(colour) => return Ok(vec![Some(*colour); names.len()]),
            Self::Back => return Ok(Vec::new()),
            Self::Some(named) => named,
        };
        let mut goals = vec![None; names.len()];
        for (name, colour) in named {
            let Some(index) = names.iter().position(|known| known == name) else {
                return Err(UnknownComponent { name: name.clone(), known: names.join(", ") });
            };
            goals[index] = Some(*colour);
        }
        Ok(goals)
    }

    /// The components that are asked for, by their places.
    pub(super) fn named(&self, goals: &[Option<Colour>], components: usize) -> Vec<usize> {
        match self {
            Self::Some(_) => (0..components).filter(|id| goals[*id].is_some()).collect(),
            Self::All(_) | Self::Back => (0..components).collect(),
        }
    }
}
