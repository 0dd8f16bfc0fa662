//! What ends a command early: one sentence, perhaps the next thing to do, and the exit code.

use serde::Serialize;

use super::exit::Exit;
use crate::client::ClientError;
use crate::client::flags::FlagClientError;
use crate::cluster::orders::OrderError;
use crate::config::{LoadError, NoSettings};

/// A command that did not do as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CliError {
    /// What to exit with.
    pub exit: Exit,
    /// What is wrong.
    pub message: String,
    /// What to do next, a line each.
    pub hints: Vec<String>,
}

/// A [`CliError`] in JSON.
#[derive(Serialize)]
pub(super) struct Json<'a> {
    error: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    hints: &'a [String],
    exit: u8,
}

impl CliError {
    /// An error without a hint.
    #[must_use]
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hints: Vec::new() }
    }

    /// Wrong arguments.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Something went wrong on the way.
    #[must_use]
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// With what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    pub(super) fn json(&self) -> Json<'_> {
        Json { error: &self.message, hints: &self.hints, exit: self.exit.code() }
    }
}

impl From<ClientError> for CliError {
    fn from(error: ClientError) -> Self {
        let exit = match &error {
            ClientError::Refused(problem) => problem.exit.map_or(Exit::Failed, Exit::from_code),
            ClientError::Order(OrderError::Busy { .. } | OrderError::Replaced { .. }) => Exit::Locked,
            ClientError::Order(OrderError::Refused(_)) => Exit::Failed,
            ClientError::Order(OrderError::Unknown { .. }) => Exit::Usage,
            _ => Exit::Unreachable,
        };
        let locked_by = match &error {
            ClientError::Refused(problem) if exit == Exit::Locked => problem.release,
            _ => None,
        };
        let failure = Self::new(exit, error.to_string());
        match locked_by {
            Some(release) => failure.hint(format!("teal wait {release}   follows it")),
            None => failure,
        }
    }
}

impl From<FlagClientError> for CliError {
    fn from(error: FlagClientError) -> Self {
        let exit = match &error {
            FlagClientError::Refused(problem) => {
                problem.exit.map_or_else(|| by_status(problem.status), Exit::from_code)
            }
            FlagClientError::Unreachable { .. } | FlagClientError::Garbled { .. } => Exit::Unreachable,
            FlagClientError::Address { .. }
            | FlagClientError::Token { .. }
            | FlagClientError::Exposed { .. }
            | FlagClientError::Trust { .. } => Exit::Usage,
        };
        let hint = match &error {
            FlagClientError::Unreachable { .. } => Some("teal agent   serves flags where teal.toml has a line [flags]"),
            FlagClientError::Refused(problem) if matches!(problem.status, 401 | 403) => {
                Some("--token-file FILE, $TEAL_TOKEN_FILE or $TEAL_TOKEN   says who you are")
            }
            _ => None,
        };
        let failure = Self::new(exit, error.to_string());
        hint.map_or(failure.clone(), |hint| failure.hint(hint))
    }
}

/// For who does not say with what to exit.
const fn by_status(status: u16) -> Exit {
    match status {
        401 | 403 | 409 | 412 => Exit::Refused,
        408 | 429 | 500.. => Exit::Unreachable,
        400..500 => Exit::Usage,
        _ => Exit::Failed,
    }
}

impl From<LoadError> for CliError {
    fn from(error: LoadError) -> Self {
        let hints = match &error {
            LoadError::Invalid { errors, .. } => errors.iter().map(ToString::to_string).collect(),
            LoadError::Missing | LoadError::Unreadable { .. } => Vec::new(),
        };
        Self { exit: Exit::Usage, message: error.to_string(), hints }
    }
}

impl From<NoSettings> for CliError {
    fn from(error: NoSettings) -> Self {
        Self::usage(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Problem, ReleaseId};

    #[test]
    fn each_error_has_its_exit_code() {
        let refused = |exit| ClientError::Refused(Problem { title: "no".into(), exit, ..Problem::default() });
        let check = |error: CliError, exit| assert_eq!(error.exit, exit, "{error}");
        check(ClientError::NoSocket("/run/x.sock".into()).into(), Exit::Unreachable);
        check(refused(Some(4)).into(), Exit::Refused);
        check(refused(Some(200)).into(), Exit::Failed);
        check(refused(None).into(), Exit::Failed);
        check(LoadError::Missing.into(), Exit::Usage);
        let flags = |status, exit| FlagClientError::Refused(Box::new(Problem { status, exit, ..Problem::default() }));
        check(flags(412, Some(4)).into(), Exit::Refused);
        check(flags(401, None).into(), Exit::Refused);
        check(flags(422, None).into(), Exit::Usage);
        check(flags(503, None).into(), Exit::Unreachable);
        check(FlagClientError::Exposed { what: "the token", at: String::new() }.into(), Exit::Usage);
        check(NoSettings::Unknown { name: "prd".into(), near: String::new() }.into(), Exit::Usage);
    }

    #[test]
    fn a_release_in_the_way_can_be_followed() {
        let problem = Problem { exit: Some(8), release: Some(ReleaseId(42)), ..Problem::default() };
        assert_eq!(CliError::from(ClientError::Refused(problem)).hints, ["teal wait r-0042   follows it"]);
    }
}
