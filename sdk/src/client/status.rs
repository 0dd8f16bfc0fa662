//! What the client has and how it fares, for readiness probes, metrics and people.

use std::time::Duration;

use super::core::Problem;
use super::error::ClientError;

/// The best source of flags that has been heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Readiness {
    /// None: every answer is the caller's default.
    #[default]
    DefaultsOnly,
    /// A file, or a document that was handed over.
    File,
    /// The snapshot on disk, from the last time that the service was heard.
    Snapshot,
    /// The service itself, since this client started. It need not be reachable right now: see [`Status::staleness`].
    Live,
}

/// How the client is joined to the service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Link {
    /// There is no service, or its address cannot be used.
    #[default]
    Off,
    /// Changes come as they are made.
    Streaming,
    /// No stream is to be had; the service is asked now and then.
    Polling,
    /// Not joined; the next attempt is being made, or comes after a pause.
    Waiting,
}

/// A part of the client that can be in trouble on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Area {
    /// Getting flags from the service.
    Service,
    /// The file with flags.
    File,
    /// The snapshot on disk.
    Snapshot,
    /// Sending counts to the service.
    Exposures,
    /// The client as a whole.
    Client,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Where.
    pub area: Area,
    /// What.
    pub error: ClientError,
    /// How long ago it was last seen.
    pub ago: Duration,
}

/// Counts of exposures on their way to the service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExposureStatus {
    /// Taken by the service.
    pub sent: u64,
    /// Kept for the next attempt.
    pub waiting: u64,
    /// Lost: the service does not want them, or there were too many kinds to keep.
    pub dropped: u64,
    /// Answers whose users were not looked at for [`Builder::unique_users`](super::Builder), because there were too many; 0 without.
    pub overlooked: u64,
}

/// How the client fares.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Status {
    /// The best source that has been heard.
    pub source: Readiness,
    /// How it is joined to the service.
    pub link: Link,
    /// The service's instance, as far as known.
    pub instance: Option<String>,
    /// Up to which revision of it.
    pub revision: u64,
    /// How long ago the service last said that this is the newest state; for a snapshot on disk, since it was written.
    /// `None`: never.
    pub staleness: Option<Duration>,
    /// What is wrong now; at most one an area. Empty when all is well.
    pub troubles: Vec<Trouble>,
    /// The newest trouble, also when it is over.
    pub last_error: Option<Trouble>,
    /// Flags and segments that could not be used as they came last. Each says what is served instead.
    pub unusable: Vec<Problem>,
    /// Counts on their way.
    pub exposures: ExposureStatus,
    /// The client does not work any more: it was closed, or its runtime has ended. Flags answer as they last did.
    pub stopped: bool,
}
