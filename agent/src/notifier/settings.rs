//! `[notify]`: which channels there are, checked once.

use std::fmt;
use std::time::Duration;

use reqwest::Url;

use super::message::Message;
use super::{DeliveryError, command, webhook};

/// `[notify]`. With neither channel nobody is told, which `doctor` and deploys say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `notify.command`.
    pub command: Option<CommandSettings>,
    /// `notify.webhook`.
    pub webhook: Option<WebhookSettings>,
}

/// A program that is started once for each message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandSettings {
    pub(super) program: String,
    pub(super) arguments: Vec<String>,
    pub(super) limit: Duration,
}

/// A URL that each message is posted to.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSettings {
    pub(super) url: Url,
    pub(super) limit: Duration,
    pub(super) pauses: Vec<Duration>,
}

/// Why `[notify]` is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// `command = []`.
    #[error(
        "notify.command is empty; write the program and its arguments, for instance [\"/usr/local/bin/ntfy-send\"]"
    )]
    Command,
    /// Not a URL. The value is not repeated: such URLs often hold a token.
    #[error("notify.webhook is not an http or https URL")]
    Webhook,
}

impl CommandSettings {
    /// The program and its arguments, no shell in between, with 10 s to end.
    ///
    /// # Errors
    /// When there is no program.
    pub fn new(argv: &[String]) -> Result<Self, SettingsError> {
        match argv {
            [program, arguments @ ..] if !program.is_empty() => {
                let limit = Duration::from_secs(10);
                Ok(Self { program: program.clone(), arguments: arguments.to_vec(), limit })
            }
            _ => Err(SettingsError::Command),
        }
    }

    /// With another time limit.
    #[must_use]
    pub fn limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }
}

impl WebhookSettings {
    /// A POST with 5 s to answer, tried again after 0.5 s and 2 s.
    ///
    /// # Errors
    /// When it is not an `http` or `https` URL.
    pub fn new(url: &str) -> Result<Self, SettingsError> {
        let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let pauses = vec![Duration::from_millis(500), Duration::from_secs(2)];
        Ok(Self { url: url.ok_or(SettingsError::Webhook)?, limit: Duration::from_secs(5), pauses })
    }

    /// With another time limit for each attempt.
    #[must_use]
    pub fn limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// With other pauses between the attempts; there is one attempt more than pauses.
    #[must_use]
    pub fn pauses(self, pauses: Vec<Duration>) -> Self {
        Self { pauses, ..self }
    }
}

impl fmt::Debug for WebhookSettings {
    /// Without the URL's path and query, where tokens are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookSettings").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

/// One way to people.
#[derive(Clone, Debug)]
pub enum Channel {
    /// Start a program.
    Command(CommandSettings),
    /// Post to a URL.
    Webhook(WebhookSettings),
}

impl Settings {
    pub(super) fn channels(&self) -> Vec<Channel> {
        let command = self.command.clone().map(Channel::Command);
        command.into_iter().chain(self.webhook.clone().map(Channel::Webhook)).collect()
    }
}

impl Channel {
    pub(super) async fn deliver(&self, message: &Message) -> Result<(), DeliveryError> {
        match self {
            Self::Command(settings) => command::run(settings, message).await,
            Self::Webhook(settings) => webhook::post(settings, message).await,
        }
    }
}
