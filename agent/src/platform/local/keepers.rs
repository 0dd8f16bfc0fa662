//! The tasks that keep a colour's instances, one for each.

use std::path::Path;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::files::ColourDir;
use super::instance::{Health, Instance};
use super::spec::Desired;

/// The tasks that keep the instances, and what they say.
pub(super) struct Keepers {
    tasks: JoinSet<()>,
    release: CancellationToken,
    pub(super) reports: mpsc::Receiver<(usize, Health)>,
}

impl Keepers {
    pub(super) fn none() -> Self {
        Self { tasks: JoinSet::new(), release: CancellationToken::new(), reports: mpsc::channel(1).1 }
    }

    pub(super) fn of(teal: &Path, dir: &ColourDir, desired: &Desired) -> Self {
        let (sender, reports) = mpsc::channel(16);
        let (mut tasks, release) = (JoinSet::new(), CancellationToken::new());
        for (index, spec) in desired.running().iter().enumerate() {
            let instance = Instance {
                teal: teal.to_owned(),
                colour_dir: dir.clone(),
                dir: dir.instance(spec.slot),
                spec: spec.clone(),
                index,
                reports: sender.clone(),
                release: release.clone(),
            };
            tasks.spawn(instance.keep());
        }
        Self { tasks, release, reports }
    }

    pub(super) async fn let_go(&mut self) {
        self.release.cancel();
        self.reports.close();
        while self.tasks.join_next().await.is_some() {}
    }
}
