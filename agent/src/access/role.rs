//! What a token may be.

use std::fmt;
use std::str::FromStr;

/// What a token is for. A token may have several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// An application's SDK, or a relay: everything that is to be evaluated, and counts back.
    Sdk,
    /// A client that its users hold in their hands, such as a web page: answers of flags that are `client_visible`, never rules.
    Client,
    /// An agent that reports what it sees of releases: nothing of flags.
    Observer,
    /// Reads flags, rules and the audit log.
    Viewer,
    /// Changes flags as well.
    Editor,
    /// A pipeline that releases: reads flags.
    Deployer,
    /// Everything, tokens included.
    Admin,
}

impl Role {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Self; 7] =
        [Self::Sdk, Self::Client, Self::Observer, Self::Viewer, Self::Editor, Self::Deployer, Self::Admin];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sdk => "sdk",
            Self::Client => "client",
            Self::Observer => "observer",
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Deployer => "deployer",
            Self::Admin => "admin",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A word that is no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no role: sdk, client, observer, viewer, editor, deployer and admin are")]
pub struct UnknownRole(pub String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let found = Self::ALL.into_iter().find(|role| role.name() == text);
        found.ok_or_else(|| UnknownRole(text.chars().filter(|c| !c.is_control()).take(40).collect()))
    }
}

/// Several roles.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Roles(u8);

impl Roles {
    /// No role.
    pub const NONE: Self = Self(0);

    /// These.
    #[must_use]
    pub const fn of(roles: &[Role]) -> Self {
        let (mut bits, mut index) = (0, 0);
        while index < roles.len() {
            bits |= roles[index].bit();
            index += 1;
        }
        Self(bits)
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether it is one of them.
    #[must_use]
    pub const fn has(self, role: Role) -> bool {
        self.0 & role.bit() != 0
    }

    /// Those that are in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Each of them, in the order in which they are listed.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.has(*role))
    }
}

/// `viewer, editor`
impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.iter().map(Role::name).collect();
        f.write_str(&names.join(", "))
    }
}

impl fmt::Debug for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// As [`Roles`] are shown.
impl FromStr for Roles {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let roles: Vec<Role> = text.split(',').map(|word| word.trim().parse()).collect::<Result<_, _>>()?;
        Ok(Self::of(&roles))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_read_as_they_are_shown() {
        let roles = Roles::of(&[Role::Editor, Role::Sdk]);
        assert_eq!(roles.to_string(), "sdk, editor");
        assert_eq!(roles.to_string().parse(), Ok(roles));
        assert_eq!(Roles::of(&Role::ALL).iter().count(), 7);
        assert!(!roles.has(Role::Admin) && !roles.is_empty() && Roles::NONE.is_empty());
        assert_eq!("root".parse::<Roles>(), Err(UnknownRole("root".into())));
    }
}
