//! Who makes a request, and how far they may reach.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use teal_flags::model::Flag;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::access::{Directory, Record, Role, Roles, TokenId};
use crate::flags::{Author, now};
use crate::http::problem::Refused;

/// How somebody came in.
#[derive(Clone, Debug)]
pub(super) enum Who {
    /// By a token.
    Token(Arc<Record>),
    /// Through the operators' socket, as this user of the machine.
    Operator(String),
    /// From this machine, where that is enough.
    Here,
    /// On a path that is open to everybody.
    Anybody,
}

/// Who makes a request; in its extensions.
#[derive(Clone, Debug)]
pub(in crate::http) struct Caller {
    who: Who,
    address: Option<IpAddr>,
    person: Option<String>,
    /// Those of its roles that let it in.
    granted: Roles,
}

impl Caller {
    pub(super) fn new(who: Who, address: Option<IpAddr>, person: Option<String>) -> Self {
        Self { who, address, person, granted: Roles::NONE }
    }

    /// The same, if one of these roles is theirs.
    pub(super) fn within(self, roles: Roles) -> Result<Self, Refused> {
        let own = match &self.who {
            Who::Token(record) => record.roles,
            // Which paths they are is said elsewhere.
            Who::Operator(_) | Who::Here | Who::Anybody => Roles::of(&[Role::Admin]),
        };
        let granted = own.and(roles);
        if granted.is_empty() {
            return Err(Refused::wrong_role(own, roles));
        }
        Ok(Self { granted, ..self })
    }

    /// What is known of the token that it came by.
    pub(in crate::http) fn record(&self) -> Option<&Record> {
        match &self.who {
            Who::Token(record) => Some(record),
            Who::Operator(_) | Who::Here | Who::Anybody => None,
        }
    }

    /// The token that it came by.
    pub(in crate::http) fn token(&self) -> Option<&TokenId> {
        self.record().map(|record| &record.id)
    }

    /// What changes are written down under.
    pub(in crate::http) fn name(&self) -> &str {
        match &self.who {
            Who::Token(record) => &record.name,
            Who::Operator(user) => user,
            Who::Here => "dev",
            Who::Anybody => "anonymous",
        }
    }

    /// The person whom it acts for, where it may name one.
    fn person(&self) -> Option<&str> {
        let may = match &self.who {
            Who::Token(record) => record.may_name_people,
            Who::Operator(_) | Who::Here | Who::Anybody => true,
        };
        self.person.as_deref().filter(|_| may)
    }

    /// Who changes something, for the audit log.
    pub(in crate::http) fn author(&self, reason: String) -> Author {
        let ip = self.address.map(|address| address.to_string()).unwrap_or_default();
        let person = self.person().unwrap_or_default().to_owned();
        Author { who: self.name().to_owned(), person, ip, reason, environments: self.environments().to_vec() }
    }

    /// The environments that it is confined to; empty: none.
    pub(in crate::http) fn environments(&self) -> &[String] {
        self.record().map_or(&[], |record| &record.environments)
    }

    /// The environment that is meant by a question for this one: who has one alone need not name it.
    ///
    /// # Errors
    /// 403 for another environment than their own.
    pub(in crate::http) fn environment(&self, asked: Option<&str>) -> Result<Option<String>, Refused> {
        match (asked, self.environments()) {
            (asked, []) => Ok(asked.map(str::to_owned)),
            (Some(asked), own) if own.iter().any(|one| one == asked) => Ok(Some(asked.to_owned())),
            (None, [only]) => Ok(Some(only.clone())),
            (asked, own) => Err(Refused::wrong_environment(asked, own)),
        }
    }

    /// What is for all environments is managed and read by who is not confined.
    ///
    /// # Errors
    /// 403 for who is.
    pub(in crate::http) fn everywhere(&self) -> Result<(), Refused> {
        match self.environments() {
            [] => Ok(()),
            own => Err(Refused::confined(own, "")),
        }
    }

    /// All flags and segments in one are for who is not confined, and for SDKs, which need them all (decision 51).
    ///
    /// # Errors
    /// 403 for who is confined and no SDK.
    pub(in crate::http) fn everything(&self) -> Result<(), Refused> {
        match self.environments() {
            own if !own.is_empty() && !self.granted.has(Role::Sdk) => Err(Refused::confined(own, ", or of role sdk")),
            _ => Ok(()),
        }
    }

    /// Whether it may know that there is this flag.
    pub(in crate::http) fn sees(&self, flag: &Flag) -> bool {
        let is_for_all = self.granted != Roles::of(&[Role::Client]) || flag.client_visible;
        is_for_all && self.reaches(&flag.environments)
    }

    /// Whether something that is meant for these environments (none: for all) is meant for one of its own.
    fn reaches(&self, environments: &[String]) -> bool {
        let own = self.environments();
        own.is_empty() || environments.is_empty() || environments.iter().any(|one| own.contains(one))
    }

    /// What ends when its token does.
    pub(super) fn lease(&self, tokens: watch::Receiver<Arc<Directory>>) -> Lease {
        let held = match &self.who {
            Who::Token(record) => Some(record.clone()),
            Who::Operator(_) | Who::Here | Who::Anybody => None,
        };
        Lease { held, tokens }
    }
}

/// Ends when a token is worth nothing any more, or another thing than before.
#[derive(Debug)]
pub(in crate::http) struct Lease {
    held: Option<Arc<Record>>,
    tokens: watch::Receiver<Arc<Directory>>,
}

impl Lease {
    /// Waits until it is over; without a token for ever. May be dropped and asked again.
    pub(in crate::http) async fn over(&mut self) {
        let Some(held) = &self.held else { return std::future::pending().await };
        loop {
            let present = self.tokens.borrow_and_update().get(&held.id).cloned();
            let Some(present) = present else { return };
            let same =
                |one: &Record, other: &Record| (one.roles, &one.environments) == (other.roles, &other.environments);
            let now = now();
            if present.valid(now).is_err() || !same(&present, held) {
                return;
            }
            let left = present.expires.map_or(i64::MAX, |expires| expires.millis() - now.millis());
            let left = Duration::from_millis(left.unsigned_abs()).min(Duration::from_secs(86_400));
            tokio::select! {
                () = sleep(left) => {}
                changed = self.tokens.changed() => if changed.is_err() {
                    // Nobody keeps tokens any more: the agent ends.
                    return;
                },
            }
        }
    }
}
