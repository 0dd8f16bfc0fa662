//! What a client is to do, said before it starts.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;

use super::address::{Address, Addresses};
use super::core::{Flags, Outcome};
use super::http::Service;
use super::limits::{LONGEST, Limits};
use super::relay::Tap;
use super::runtime::{self, Plan};
use super::shared::{Awaited, Shared};
use super::snapshot::SnapshotFile;
use super::status::{Area, Readiness};
use super::stop::Stop;
use super::token::Token;
use super::{Client, disk};
use crate::model::Document;

/// Nothing is done more often than this, whatever is asked for.
const SHORTEST: Duration = Duration::from_millis(100);

/// Says what a client is to do.
#[derive(Clone, Debug)]
#[must_use = "nothing happens before start()"]
pub struct Builder {
    address: Option<String>,
    replicas: Vec<String>,
    environment: Option<String>,
    token: Token,
    plain_http: bool,
    authority: Option<PathBuf>,
    file: Option<PathBuf>,
    documents: Vec<Document>,
    known: Option<(Document, Duration)>,
    tap: Option<Tap>,
    snapshot: Option<Kept>,
    poll_every: Duration,
    report_every: Option<Duration>,
    #[cfg(feature = "unique-users")]
    unique_users: bool,
    limits: Limits,
    runtime: Option<Handle>,
}

/// Where the snapshot on disk is to be.
#[derive(Clone, Debug)]
enum Kept {
    In(PathBuf),
    At(PathBuf),
}

impl Builder {
    pub(super) fn new(address: Option<&str>) -> Self {
        Self {
            address: address.map(str::to_owned),
            replicas: Vec::new(),
            environment: None,
            token: Token::None,
            plain_http: false,
            authority: None,
            file: None,
            documents: Vec::new(),
            known: None,
            tap: None,
            snapshot: None,
            poll_every: Duration::from_secs(15),
            report_every: Some(Duration::from_secs(60)),
            #[cfg(feature = "unique-users")]
            unique_users: false,
            limits: Limits::default(),
            runtime: None,
        }
    }

    /// Another address of the same service: where one does not answer, the next is tried, round and round.
    pub fn replica(mut self, address: impl Into<String>) -> Self {
        self.replicas.push(address.into());
        self
    }

    /// The environment, such as `prod`. Without one, flags that are meant for some environments only are off.
    pub fn environment(mut self, name: impl Into<String>) -> Self {
        self.environment = Some(name.into());
        self
    }

    /// The file with the token (role `sdk`). It is read again at each connection, and watched while the token is refused, so a
    /// new token needs no restart.
    pub fn token_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.token = Token::File(path.into());
        self
    }

    /// The token itself, where it does not come in a file.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Token::Given(token.into());
        self
    }

    /// Lets the token and the flags travel in clear to another machine. Only where the network itself is trusted, such as
    /// behind a service mesh. `http` to this machine is always allowed.
    pub fn allow_plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// A PEM file with the only certificate authorities to trust, instead of the system's. Read again when it changes.
    pub fn certificate_authority(mut self, path: impl Into<PathBuf>) -> Self {
        self.authority = Some(path.into());
        self
    }

    /// A file with flags, such as a mounted ConfigMap's; watched. What the service says goes before it, flag by flag.
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(path.into());
        self
    }

    /// Flags from memory, as if they came from a file; for tests. A file, when it is there, takes their place.
    pub fn document(mut self, document: Document) -> Self {
        self.documents.push(document);
        self
    }

    /// What the service last said, kept by who starts the client, and how old that is: as if it came from a snapshot on disk.
    pub fn known(mut self, document: Document, age: Duration) -> Self {
        self.known = Some((document, age));
        self
    }

    /// Hears each document of the service that was taken over, and what became of it, in this order and before anybody else is
    /// told: for who hands flags on. What is [`Builder::known`] comes first. It is called on the task that keeps flags current.
    pub fn on_document(mut self, listener: impl FnMut(&Document, Outcome) + Send + 'static) -> Self {
        self.tap = Some(Tap::new(listener));
        self
    }

    /// Keeps what the service said in this folder for the next start, readable by this user only. The file's name tells
    /// services and environments apart. Processes with the same folder share the file; the last one to write is read.
    pub fn snapshot_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.snapshot = Some(Kept::In(path.into()));
        self
    }

    /// The same, in this file.
    pub fn snapshot_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.snapshot = Some(Kept::At(path.into()));
        self
    }

    /// How often the service is asked while no stream is to be had; 100 ms at least. 15 s.
    pub fn poll_every(mut self, pause: Duration) -> Self {
        self.poll_every = pause.clamp(SHORTEST, LONGEST);
        self
    }

    /// How often counts of what was served are sent; 100 ms at least. `None`: never. Once a minute.
    pub fn report_every(mut self, pause: Option<Duration>) -> Self {
        self.report_every = pause.map(|pause| pause.clamp(SHORTEST, LONGEST));
        self
    }

    /// Also reports how many different users each variant of a flag was served to; off unless asked for. Only their number leaves
    /// the process: ids are hashed with a random key of this client's, and the hashes are forgotten with each report.
    ///
    /// Where more than about 10,000 answers a second are given in one thread, or more than 100,000 users come between two
    /// reports, the numbers are too low: [`ExposureStatus::overlooked`](super::ExposureStatus::overlooked) says how many answers
    /// were not looked at.
    #[cfg(feature = "unique-users")]
    pub fn unique_users(mut self, wanted: bool) -> Self {
        self.unique_users = wanted;
        self
    }

    /// Other bounds on time and size.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits.within_reason();
        self
    }

    /// The runtime for the client's tasks, with time and I/O enabled. Without it: the runtime in which [`Builder::start`] is
    /// called, or, if there is none, a small one of its own in one thread.
    pub fn runtime(mut self, runtime: Handle) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// Starts. Never waits and never fails: what is wrong is said by [`Client::status`] and in the log, and flags answer with what
    /// there is. [`Client::ready`] waits for the first flags.
    #[must_use = "the client stops when it is dropped"]
    pub fn start(self) -> Client {
        let texts = self.address.iter().chain(&self.replicas);
        let addresses: Result<Vec<Address>, _> = texts.map(|text| Address::parse(text, self.plain_http)).collect();
        let (addresses, wrong) = match addresses {
            Ok(addresses) => (Addresses::new(addresses), None),
            Err(error) => (None, Some(error)),
        };
        let place = self.place();
        let awaited = Awaited { service: addresses.is_some(), snapshot: place.is_some(), file: self.file.is_some() };
        let flags = Flags::new(self.environment.as_deref());
        // Without reports nobody would empty what is noted.
        #[cfg(feature = "unique-users")]
        let noting = (self.unique_users && addresses.is_some()).then_some(self.report_every).flatten();
        #[cfg(feature = "unique-users")]
        let flags = match noting {
            Some(_) => Flags::noting_users(self.environment.as_deref(), std::hash::RandomState::new()),
            None => flags,
        };
        let shared = Shared::new(flags, awaited, self.tap);
        #[cfg(feature = "unique-users")]
        if let Some(every) = noting {
            shared.pending().note_users(every);
        }
        if let Some(error) = wrong {
            shared.trouble(Area::Service, error);
        }
        for document in self.documents {
            shared.apply(Readiness::File, document);
        }
        if let Some((document, age)) = self.known {
            shared.aged(age);
            shared.apply(Readiness::Snapshot, document);
        }
        let size = self.limits.size;
        let service = addresses.map(|addresses| {
            Arc::new(Service::new(addresses, self.environment, self.token, self.authority, self.limits.clone()))
        });
        let plan = Plan {
            service: service.clone(),
            file: self.file,
            place,
            poll_every: self.poll_every,
            report_every: self.report_every,
            size,
        };
        let (stop, stopped) = watch::channel(false);
        let handle = runtime::start(&shared, plan, Stop(stopped), self.runtime);
        Client::new(shared, service, stop, handle, self.limits.close)
    }

    /// Where the snapshot is kept: without a service there is none.
    fn place(&self) -> Option<SnapshotFile> {
        let (service, environment) = (self.address.as_deref()?, self.environment.as_deref());
        let path = match self.snapshot.as_ref()? {
            Kept::At(path) => path.clone(),
            Kept::In(folder) => folder.join(name(environment, disk::scope(service, environment))),
        };
        let addresses = std::iter::once(service).chain(self.replicas.iter().map(String::as_str));
        Some(SnapshotFile::of(addresses, environment, path, self.limits.size))
    }
}

/// `teal-flags-prod-0123456789abcdef.snapshot`; an environment's name is a file's name only as far as it is harmless.
fn name(environment: Option<&str>, scope: u64) -> PathBuf {
    let harmless = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    let environment: String = environment.unwrap_or("all").chars().filter(harmless).take(40).collect();
    Path::new(&format!("teal-flags-{environment}-{scope:016x}.snapshot")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_cannot_lead_out_of_the_folder() {
        assert_eq!(name(Some("../../etc/x"), 1), Path::new("teal-flags-etcx-0000000000000001.snapshot"));
        assert_eq!(name(None, 1), Path::new("teal-flags-all-0000000000000001.snapshot"));
    }

    #[test]
    fn a_builder_does_not_show_its_token() {
        let builder = Builder::new(Some("https://flags.internal")).token("s3cret");
        assert!(!format!("{builder:?}").contains("s3cret"));
    }
}
