//! Where the client's tasks run, and in which order they begin and end.
//!
//! ```text
//! load snapshot -> +- live -----+                     stop
//!                  +- file      +--------------------> X
//!                  +- ticker ---+
//!                  +- keep (snapshot on disk) ---------> write what is unwritten
//!                  +- report (exposures) --------------> send what is unsent
//!                  +- users (if they are counted) -----> X
//! ```

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};

use super::error::ClientError;
use super::http::Service;
use super::shared::Shared;
use super::snapshot::SnapshotFile;
use super::status::{Area, Link};
use super::stop::Stop;
#[cfg(feature = "unique-users")]
use super::users;
use super::{file, live, report, snapshot, ticker};

/// What the tasks are to do.
pub(super) struct Plan {
    pub(super) service: Option<Arc<Service>>,
    pub(super) file: Option<PathBuf>,
    pub(super) place: Option<SnapshotFile>,
    pub(super) poll_every: Duration,
    /// `None`: counts are not sent.
    pub(super) report_every: Option<Duration>,
    pub(super) size: usize,
}

/// Starts the tasks: on this runtime, on the one that the caller is in, or in a thread of their own.
pub(super) fn start(shared: &Arc<Shared>, plan: Plan, stop: Stop, given: Option<Handle>) -> Option<Handle> {
    let ending = Ending(shared.clone());
    let run = run(ending, plan, stop);
    if let Some(handle) = given.or_else(|| Handle::try_current().ok()) {
        handle.spawn(run);
        return Some(handle);
    }
    let started = Builder::new_current_thread().enable_all().build().and_then(|runtime| {
        let handle = runtime.handle().clone();
        std::thread::Builder::new().name("teal-flags".into()).spawn(move || runtime.block_on(run))?;
        Ok(handle)
    });
    match started {
        Ok(handle) => Some(handle),
        Err(error) => {
            shared.trouble(Area::Client, ClientError::Stopped(format!("cannot start a thread for flags: {error}")));
            None
        }
    }
}

/// Says that it is over, however it came.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.stopped();
    }
}

async fn run(ending: Ending, plan: Plan, stop: Stop) {
    let shared = &ending.0;
    if let Some(place) = &plan.place {
        snapshot::load(shared, place).await;
    }
    let work = async {
        let live = async {
            if let Some(service) = &plan.service {
                shared.link(Link::Waiting);
                live::run(shared, service, plan.poll_every).await;
            }
        };
        let file = async {
            if let Some(path) = plan.file.clone() {
                file::watch(shared, path, plan.size).await;
            }
        };
        tokio::join!(live, file, ticker::run(shared));
    };
    let work = async {
        tokio::select! {
            () = work => {}
            () = stop.wait() => {}
        }
    };
    let keep = async {
        if let Some(place) = &plan.place {
            snapshot::keep(shared, place, stop.clone()).await;
        }
    };
    let report = async {
        if let (Some(service), Some(every)) = (&plan.service, plan.report_every) {
            report::run(shared, service, every, stop.clone()).await;
        }
    };
    #[cfg(feature = "unique-users")]
    let report = async {
        tokio::join!(report, users::run(shared, stop.clone()));
    };
    tokio::join!(work, keep, report);
}
