//! The local platform: an application's processes on this machine, blue's and green's side by side.
//!
//! ```text
//! spawn -> ColourTask (component, colour) -> Instance (slot) ~~socket~~ shim -> application
//!               |  ^                            |                                    ^
//!   desired.json   +--- health ------+----------+------- GET ready ------------------+
//! ```
//! The agent holds no process: shims do (see [`shim`]), and they outlive it. A new agent finds them by the folders below
//! its state, proves them by their instance id, and goes on. What is to run stands in `desired.json` from before it is
//! started until before it is ended, so that a reboot brings it back and a stop is final. One agent at a time looks after
//! an environment. Under systemd the agent's unit needs `KillMode=process`, else its end takes the shims along.

mod colour;
mod environment;
mod files;
mod found;
mod instance;
mod inventory;
mod keepers;
mod keeping;
mod named;
mod output;
mod port;
mod process;
mod protocol;
mod ready;
mod settings;
pub mod shim;
mod shims;
mod spec;
mod starting;
mod template;

use std::sync::Arc;

use teal_rollout::colour::Colour;
use teal_rollout::machine::event::Event;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use environment::EnvLineError;
pub use files::FileError;
pub use inventory::{Running, list, stop_all};
pub use process::Process;
pub use protocol::Phase;
pub use settings::{LocalComponent, LocalSettings, LocalSettingsError, RestartPolicy};
pub use shims::ShimError;

use self::colour::ColourTask;
use self::files::ColourDir;
use super::PlatformOrder;

/// Why the local platform cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// Its settings contradict themselves.
    #[error(transparent)]
    Settings(#[from] LocalSettingsError),
    /// Its state folder cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The state folder or the binary cannot be made an absolute path.
    #[error("the current folder cannot be told: {0}")]
    Here(std::io::Error),
    /// Another agent looks after this environment.
    #[error(
        "another agent looks after `{environment}` ({path} is locked): end it first, or give this one its own state folder"
    )]
    Locked {
        /// Which environment.
        environment: String,
        /// The lock.
        path: String,
    },
}

/// The running adapter. Dropping it ends its tasks and leaves every shim and application as it is.
#[derive(Debug)]
pub struct LocalHandle {
    tasks: JoinSet<()>,
    _lock: Option<std::fs::File>,
}

impl LocalHandle {
    /// Waits until the adapter has ended: after its token was cancelled, its orders' last sender dropped, or a part of it
    /// panicked, which ends the rest.
    pub async fn join(mut self) {
        while self.tasks.join_next().await.is_some_and(|ended| !ended.is_err_and(|error| error.is_panic())) {}
    }
}

/// Starts the adapter: adopts what runs, tells each colour's capacity once, then at every change and after every order.
///
/// Orders for components that there are not are logged and dropped.
///
/// # Errors
/// Settings that contradict themselves, a state folder that cannot be used, another agent that is there.
pub fn spawn(
    settings: LocalSettings,
    orders: mpsc::Receiver<PlatformOrder>,
    events: &mpsc::Sender<Event>,
    token: &CancellationToken,
) -> Result<LocalHandle, LocalError> {
    settings.validate()?;
    let settings = Arc::new(LocalSettings {
        state_dir: std::path::absolute(&settings.state_dir).map_err(LocalError::Here)?,
        teal_binary: std::path::absolute(&settings.teal_binary).map_err(LocalError::Here)?,
        ..settings
    });
    let root = files::environment_dir(&settings.state_dir, &settings.environment);
    files::create_dir(&root)?;
    let path = root.join("agent.lock");
    let lock = files::lock(&path)?.ok_or_else(|| LocalError::Locked {
        environment: settings.environment.clone(),
        path: path.display().to_string(),
    })?;

    Ok(start(&settings, Some(lock), orders, events, token))
}

/// Starts an adapter that only looks: what others started on the colours' ports is told as soon as it is found ready. It obeys
/// no order, and needs no folder.
///
/// # Errors
/// Settings that contradict themselves.
pub fn look(
    settings: LocalSettings,
    orders: mpsc::Receiver<PlatformOrder>,
    events: &mpsc::Sender<Event>,
    token: &CancellationToken,
) -> Result<LocalHandle, LocalError> {
    settings.validate()?;
    Ok(start(&Arc::new(settings), None, orders, events, token))
}

/// Who has the lock acts.
fn start(
    settings: &Arc<LocalSettings>,
    lock: Option<std::fs::File>,
    mut orders: mpsc::Receiver<PlatformOrder>,
    events: &mpsc::Sender<Event>,
    token: &CancellationToken,
) -> LocalHandle {
    let mut tasks = JoinSet::new();
    let mut colours = Vec::new();
    for component in 0..settings.components.len() {
        let task = |colour| {
            let (sender, receiver) = mpsc::channel(8);
            let task = ColourTask::new(Arc::clone(settings), (component, colour), lock.is_some(), events.clone());
            let token = token.clone();
            (sender, async move {
                let _cancelled = token.run_until_cancelled(task.run(receiver)).await;
            })
        };
        colours.push(Colour::BOTH.map(|colour| {
            let (sender, task) = task(colour);
            tasks.spawn(task);
            sender
        }));
    }
    let token = token.clone();
    tasks.spawn(async move {
        while let Some(Some(order)) = token.run_until_cancelled(orders.recv()).await {
            let (component, colour) = order.target();
            let Some(both) = colours.get(component) else {
                tracing::error!(component, "an order for a component that there is not");
                continue;
            };
            let sender = &both[usize::from(colour == Colour::Green)];
            let _ended = sender.send(order).await;
        }
    });
    LocalHandle { tasks, _lock: lock }
}

/// The last lines that a colour's instances printed, at most `count` of each, oldest first; for the operator's terminal
/// and nothing else. They are kept after a stop, until the next release takes the colour.
#[must_use]
pub fn last_lines(settings: &LocalSettings, component: usize, colour: Colour, count: usize) -> Vec<String> {
    let Some(config) = settings.components.get(component) else { return Vec::new() };
    let dir = ColourDir::new(&settings.state_dir, &settings.environment, &config.name, colour);
    let instances = dir.instances().unwrap_or_default();
    let several = instances.len() > 1;
    let of = |instance: &files::InstanceDir| {
        let name = instance.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let lines = output::last_lines(&instance.output(), count);
        lines.into_iter().map(move |line| if several { format!("{name} | {line}") } else { line }).collect::<Vec<_>>()
    };
    instances.iter().flat_map(of).collect()
}
