//! What goes wrong on order: which requests, how often, and how.

use std::time::Duration;

use super::record::Used;

/// How a request fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// 429 with a `Retry-After` of so many seconds: nothing is done.
    TooManyRequests(u64),
    /// An error of this HTTP status (500, 503, 504, ...): nothing is done.
    Error(u16),
    /// 409, as if somebody else had just written: nothing is done.
    Conflict,
    /// No answer, until the caller or the server goes away: nothing is done.
    Hang,
    /// The connection is closed without an answer: nothing is done.
    Reset,
    /// It is done, and the connection is closed before the answer.
    Lost,
    /// It is done, and answered only after this time.
    Slow(Duration),
}

/// A [`Failure`], and whom it strikes. Without further words it strikes every request, for ever.
#[derive(Debug, Clone)]
pub struct Fault {
    failure: Failure,
    verbs: Vec<String>,
    resource: Option<String>,
    user: Option<String>,
    left: Option<u32>,
}

impl Fault {
    /// That strikes every request.
    #[must_use]
    pub fn new(failure: Failure) -> Self {
        Self { failure, verbs: vec![], resource: None, user: None, left: None }
    }

    /// Only requests of these verbs (`get`, `list`, `watch`, `create`, `update`, `patch`, `delete`).
    #[must_use]
    pub fn on(mut self, verbs: &[&str]) -> Self {
        self.verbs = verbs.iter().map(|verb| (*verb).to_owned()).collect();
        self
    }

    /// Only requests about `resource` (`leases`, `pods/log`).
    #[must_use]
    pub fn about(mut self, resource: &str) -> Self {
        self.resource = Some(resource.to_owned());
        self
    }

    /// Only requests by this user.
    #[must_use]
    pub fn by(mut self, user: &str) -> Self {
        self.user = Some(user.to_owned());
        self
    }

    /// Only the next `count` of them.
    #[must_use]
    pub fn times(mut self, count: u32) -> Self {
        self.left = Some(count);
        self
    }

    fn strikes(&self, used: &Used) -> bool {
        self.left != Some(0)
            && (self.verbs.is_empty() || self.verbs.contains(&used.verb))
            && self.resource.as_ref().is_none_or(|resource| *resource == used.resource)
            && self.user.as_ref().is_none_or(|user| *user == used.user)
    }
}

/// The faults in force, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// What this request suffers; the first fault that strikes is one time closer to its end.
    pub(super) fn strike(&mut self, used: &Used) -> Option<Failure> {
        let fault = self.0.iter_mut().find(|fault| fault.strikes(used))?;
        if let Some(left) = &mut fault.left {
            *left -= 1;
        }
        Some(fault.failure)
    }
}
