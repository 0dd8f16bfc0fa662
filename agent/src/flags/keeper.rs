//! Who keeps the flags that a door shows: the service itself, or a relay of one that is elsewhere.

use teal_flags::model::Timestamp;

use super::error::FlagsError;
use super::reads::Reads;
use super::relay::Relay;
use super::service::Service;
use super::state::Position;
use super::store::Served;

/// Who keeps the flags. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Keeper {
    /// With a database of its own.
    Service(Service),
    /// Which changes nothing.
    Relay(Relay),
}

impl Keeper {
    /// For who only asks.
    #[must_use]
    pub const fn reads(&self) -> &Reads {
        match self {
            Self::Service(service) => service.reads(),
            Self::Relay(relay) => relay.reads(),
        }
    }

    /// Who makes changes and knows who made them.
    ///
    /// # Errors
    /// [`FlagsError::Relay`], with where to go instead.
    pub fn service(&self) -> Result<&Service, FlagsError> {
        match self {
            Self::Service(service) => Ok(service),
            Self::Relay(relay) => Err(FlagsError::Relay { upstream: relay.upstream().to_owned() }),
        }
    }

    /// The relay, where it is one.
    #[must_use]
    pub const fn relay(&self) -> Option<&Relay> {
        match self {
            Self::Service(_) => None,
            Self::Relay(relay) => Some(relay),
        }
    }

    /// An application knows this of the service. What it should be told instead stands when this returns, as far as it is known here.
    pub async fn heard(&self, known: Position) {
        match self {
            Self::Service(service) => service.heard(known).await,
            Self::Relay(relay) => relay.heard(known).await,
        }
    }

    /// Whether who knows another instance may be told this one instead.
    #[must_use]
    pub fn supersedes(&self, instance: &str) -> bool {
        self.relay().is_none_or(|relay| relay.supersedes(instance))
    }

    /// Adds counts of what an application served, under the id of its report.
    ///
    /// # Errors
    /// What keeps the service from keeping them.
    pub async fn count(
        &self,
        report: Option<String>,
        environment: String,
        at: Timestamp,
        served: Vec<Served>,
    ) -> Result<(), FlagsError> {
        match self {
            Self::Service(service) => service.count(report, environment, at, served).await,
            Self::Relay(relay) => {
                relay.count(report.as_deref(), &environment, at, served);
                Ok(())
            }
        }
    }
}
