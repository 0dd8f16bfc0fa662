//! Teal as a contestant: the real agent with its defaults, ordered over its own socket.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::ensure;
use teal_agent::api::{Order, OrderRequest, Status};
use teal_agent::client::Client;
use teal_agent::demo::process::Process;
use teal_agent::demo::report::Baseline;
use teal_rollout::document::{Document, Outcome, Phase};
use teal_rollout::policy::Salt;
use teal_testkit::until;

use super::edge::REPLICAS;
use super::plan::{Cell, Contestant};

/// Its only environment, and its only component.
const ENVIRONMENT: &str = "bench";
const COMPONENT: &str = "app";

/// The defaults of its part of HAProxy's configuration.
pub(crate) const DEFAULTS: &str = "teal_bench_defaults";

/// The agent and its applications. The fields are in the order in which they end.
pub(crate) struct Teal {
    agent: Option<Process>,
    _apps: Apps,
    client: Client,
    folder: PathBuf,
    /// Where its users come in.
    pub(crate) frontend: SocketAddr,
    /// The number of the last version; the next is its successor, and the seed of its dice.
    version: u64,
    /// The version that serves.
    serving: u64,
}

impl Teal {
    /// Ports that it needs, in a row.
    pub(crate) const PORTS: u16 = 2 + 2 * REPLICAS;

    /// Writes `teal.toml` and the map to `folder` and gives the HAProxy configuration that Teal makes of them.
    pub(crate) fn plan(program: &Path, folder: &Path, first: u16, longest: Duration) -> anyhow::Result<(Self, String)> {
        let address = |offset| SocketAddr::from((Ipv4Addr::LOCALHOST, first + offset));
        let frontend = address(2 * REPLICAS);
        fs::create_dir(folder.join("faults"))?;
        fs::write(
            folder.join("teal.toml"),
            configuration(program, folder, first, [frontend, address(2 * REPLICAS + 1)], longest)?,
        )?;
        let salt = Salt::try_from(format!("{ENVIRONMENT}-{ENVIRONMENT}"))?;
        let policy = Document::new([COMPONENT.to_owned()], salt, vec!["edge".to_owned()]).policy();
        fs::write(folder.join("edge.map"), format!("policy {policy}\n"))?;
        let apps = Apps { program: program.to_owned(), folder: folder.to_owned() };
        let rendered = String::from_utf8(apps.command(&["proxy", "render"])?)?;
        let client = Client::new(folder.join("state/agent.sock"));
        Ok((
            Self { agent: None, _apps: apps, client, folder: folder.to_owned(), frontend, version: 0, serving: 0 },
            rendered,
        ))
    }

    /// Starts the agent, behind a running HAProxy, and brings the first version up.
    pub(crate) async fn start(&mut self, program: &Path) -> anyhow::Result<()> {
        let Baseline { requests, bad, .. } = Baseline::SEEDED;
        let mut command = Command::new(program);
        command.arg("--config").arg(self.folder.join("teal.toml"));
        command.args(["agent", "--seed-baseline", &format!("{requests},{bad}")]);
        self.agent = Some(Process::start("the agent", &mut command, &self.folder.join("agent.log"))?);
        self.wait("the agent answers", |_| Some(())).await;
        self.version += 1;
        self.switch().await?;
        self.end(Order::Promote).await?;
        Ok(())
    }

    /// Gives the version that serves and the next one their faults; tells what they are called.
    pub(crate) fn prepare(&mut self, cell: &Cell) -> anyhow::Result<[String; 2]> {
        self.version += 1;
        let versions = [self.serving, self.version].map(|version| version.to_string());
        self.faults(&versions, &cell.faults(Contestant::Teal))?;
        Ok(versions)
    }

    /// Writes the faults of two versions.
    pub(crate) fn faults(&self, versions: &[String; 2], faults: &[String; 2]) -> anyhow::Result<()> {
        for (version, fault) in versions.iter().zip(faults) {
            fs::write(self.folder.join("faults").join(version), fault)?;
        }
        Ok(())
    }

    /// Orders the next version. The agent starts it, tests it and switches by itself.
    pub(crate) async fn switch(&self) -> anyhow::Result<()> {
        let versions = BTreeMap::from([(COMPONENT.to_owned(), self.version.to_string())]);
        self.order(Order::Deploy { versions }).await
    }

    /// Whether the release has been taken back, and nothing of it moves any more.
    pub(crate) async fn is_back(&self) -> anyhow::Result<bool> {
        Ok(ended(&self.client.status(ENVIRONMENT).await?) == Some(Outcome::RolledBack))
    }

    /// Ends a release that is still watched by `order`; gives why it was taken back, where it was.
    pub(crate) async fn end(&mut self, order: Order) -> anyhow::Result<Option<String>> {
        let status = self.wait("the release is past its switch", |status| {
            let before = |phase: &Phase| matches!(phase, Phase::Deploying | Phase::Smoke | Phase::Switching);
            status.phase.known().is_some_and(|phase| !before(phase)).then(|| status.clone())
        });
        let status = status.await;
        if ended(&status).is_none() && status.outcome.is_none() {
            // Refused where the release ends at this very moment.
            let _ = self.order(order).await;
        }
        let (outcome, cause) =
            self.wait("the release has ended", |status| Some((ended(status)?, status.cause.clone()))).await;
        ensure!(outcome != Outcome::Aborted, "the release did not come to its switch: {cause:?}");
        if outcome == Outcome::RolledBack {
            return Ok(cause);
        }
        self.serving = self.version;
        Ok(None)
    }

    async fn order(&self, order: Order) -> anyhow::Result<()> {
        let request = OrderRequest { order, by: "bench".to_owned() };
        self.client.order(ENVIRONMENT, &request).await?;
        Ok(())
    }

    async fn wait<T>(&self, what: &str, wanted: impl Fn(&Status) -> Option<T>) -> T {
        until(what, || async { wanted(&self.client.status(ENVIRONMENT).await.ok()?) }).await
    }
}

/// How the release ended, once nothing of it moves any more.
fn ended(status: &Status) -> Option<Outcome> {
    let busy = status.phase.known().is_none_or(|phase| phase.is_busy());
    status.outcome.as_ref().and_then(|outcome| outcome.known().copied()).filter(|_| !busy)
}

/// The applications outlive their agent by design; dropping this ends them.
struct Apps {
    program: PathBuf,
    folder: PathBuf,
}

impl Apps {
    fn command(&self, words: &[&str]) -> anyhow::Result<Vec<u8>> {
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(self.folder.join("teal.toml")).args(words).stdin(Stdio::null());
        let output = command.output()?;
        ensure!(output.status.success(), "teal {words:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(output.stdout)
    }
}

impl Drop for Apps {
    fn drop(&mut self) {
        if let Err(error) = self.command(&["stop", "--all", "--yes"]) {
            eprintln!("the sample apps may still run: {error}");
        }
    }
}

fn configuration(
    program: &Path,
    folder: &Path,
    first: u16,
    [frontend, metrics]: [SocketAddr; 2],
    longest: Duration,
) -> anyhow::Result<String> {
    let text = |path: &Path| toml::Value::String(path.to_string_lossy().into_owned());
    let [state, map, socket, faults] =
        ["state", "edge.map", "edge.sock", "faults"].map(|name| text(&folder.join(name)));
    let (program, last) = (text(program), first + 2 * REPLICAS - 1);
    let watch = longest.as_secs().max(60) + 60;
    let mut toml = String::new();
    write!(
        toml,
        r#"app = "detection"
state = {state}
[agent]
listen = "{metrics}"
[environments.{ENVIRONMENT}]
mode = "act"
[environments.{ENVIRONMENT}.edge]
bind = ["{frontend}"]
map = {map}
socket = {socket}
# For everybody: shorter than the default of 30 s, which would let a hang pile up longer for those who wait for it.
[environments.{ENVIRONMENT}.edge.timeouts]
server = "5s"
[components.{COMPONENT}]
run = [{program}, "sample-app", "--port", "{{port}}", "--version", "{{version}}", "--colour", "{{colour}}", "--slot", "{{slot}}", "--faults", {faults}, "--seed", "{{version}}"]
ports = "{first}-{last}"
replicas = {REPLICAS}
ready = "/healthz"
grace = "1s"
routes = [
  {{ name = "home", path = "/home", latency = "800ms" }},
  {{ name = "orders", path = "/orders", latency = "800ms" }},
]
[[smoke.checks]]
name = "version"
component = "{COMPONENT}"
path = "/version"
status = 200
# Longer than any cell.
[watch]
min = "{watch}s"
max = "{watch}s"
"#
    )?;
    Ok(toml)
}
