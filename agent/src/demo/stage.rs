//! Everything that a demo starts, in one value that ends it.
//!
//! ```text
//! folder/  teal.toml  haproxy.cfg  edge.map  edge.sock  faults/VERSION  state/  agent.log  haproxy.log
//! ends as  agent -> the sample apps (under their shims) -> HAProxy -> folder
//! ```

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::UnixStream;

use super::configuration::{Configuration, free_ports};
use super::fault::Fault;
use super::operator::Operator;
use super::process::Process;
use super::report::Baseline;
use super::{DemoArgs, DemoError, ENVIRONMENT};
use crate::proxy::haproxy::program::HaProxy;

/// How long HAProxy and the agent may take to answer.
const READY: Duration = Duration::from_secs(10);

/// A running edge and agent. The fields are in the order in which they end.
#[derive(Debug)]
pub struct Stage {
    agent: Option<Process>,
    _apps: Apps,
    edge: Process,
    /// What it runs by.
    pub configuration: Configuration,
    _folder: TempDir,
}

impl Stage {
    /// Starts HAProxy and the agent, and waits until both answer. `program` is `teal` itself.
    ///
    /// # Errors
    /// When a port, a file, HAProxy or the agent cannot be had; nothing is left running then.
    pub async fn open<O: Operator>(
        args: &DemoArgs,
        haproxy: &HaProxy,
        program: PathBuf,
        operator: impl FnOnce(&Configuration) -> O,
    ) -> Result<(Self, O), DemoError> {
        let folder = tempfile::Builder::new().prefix("teal-demo-").tempdir()?;
        let first = free_ports(4)?;
        let address = |offset| SocketAddr::from((Ipv4Addr::LOCALHOST, first + offset));
        let configuration = Configuration {
            folder: folder.path().to_owned(),
            program,
            edge: address(2),
            metrics: address(3),
            first_port: first,
            watch: args.watch,
            // Half of what comes in a watch, so that a slow machine's watch can still be proven.
            min_requests: (u64::from(args.rps) * args.watch / 2).clamp(1, 100),
            seed: args.seed,
        };
        std::fs::create_dir(configuration.path("faults"))?;
        let file = configuration.path("teal.toml");
        std::fs::write(&file, configuration.to_string())?;
        std::fs::write(configuration.path("edge.map"), configuration.first_map()?)?;
        let rendered = teal(&configuration.program, &file, &["proxy", "render"])?;
        std::fs::write(configuration.path("haproxy.cfg"), rendered)?;

        let edge_file = configuration.path("haproxy.cfg");
        haproxy.check(&edge_file)?;
        // In the foreground (-db), whatever the file says.
        let mut command = Command::new(&haproxy.path);
        command.arg("-db").arg("-f").arg(&edge_file);
        let edge = Process::start("HAProxy", &mut command, &configuration.path("haproxy.log"))?;
        let mut stage = Self {
            agent: None,
            _apps: Apps { configuration: configuration.clone() },
            edge,
            configuration,
            _folder: folder,
        };
        let socket = stage.configuration.path("edge.sock");
        stage.edge.until(READY, async || UnixStream::connect(&socket).await.is_ok()).await?;

        let Baseline { requests, bad, .. } = Baseline::SEEDED;
        let mut command = Command::new(&stage.configuration.program);
        command.arg("--config").arg(&file).args(["agent", "--seed-baseline", &format!("{requests},{bad}")]);
        let mut agent = Process::start("the agent", &mut command, &stage.configuration.path("agent.log"))?;
        let operator = operator(&stage.configuration);
        let ready = agent.until(READY, async || operator.ready().await.is_ok()).await;
        stage.agent = Some(agent);
        ready?;
        Ok((stage, operator))
    }

    /// Gives `version` its fault, before it is released.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set_fault(&self, version: &str, fault: &Fault) -> Result<(), DemoError> {
        Ok(std::fs::write(self.configuration.path("faults").join(version), fault.to_string())?)
    }

    /// Fails when HAProxy or the agent has ended by itself.
    ///
    /// # Errors
    /// With its last words.
    pub fn check(&mut self) -> Result<(), DemoError> {
        self.edge.check()?;
        self.agent.as_mut().map_or(Ok(()), Process::check)?;
        Ok(())
    }
}

/// The sample apps outlive the agent by design; dropping this ends them.
#[derive(Debug)]
struct Apps {
    configuration: Configuration,
}

impl Drop for Apps {
    fn drop(&mut self) {
        if let Err(error) =
            teal(&self.configuration.program, &self.configuration.path("teal.toml"), &["stop", "--all", "--yes"])
        {
            anstream::eprintln!("the sample apps may still run: {error}");
        }
    }
}

/// Runs one of this program's own commands, as a user would.
fn teal(program: &Path, file: &Path, words: &[&str]) -> Result<Vec<u8>, DemoError> {
    let output = Command::new(program).arg("--config").arg(file).args(words).stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(DemoError::Command { words: words.join(" "), said })
}

/// The commands to try while the demo stays.
#[must_use]
pub fn suggestions(configuration: &Configuration) -> String {
    let Configuration { program, folder, edge, metrics, .. } = configuration;
    let (program, folder) = (program.display(), folder.display());
    let teal = format!("{program} --config {folder}/teal.toml");
    format!(
        "the app       http://{edge}/\n\
         the agent     http://{metrics}/metrics\n\
         look          {teal} status {ENVIRONMENT} --watch\n\
         a good one    {teal} deploy {ENVIRONMENT} w1\n\
         a bad one     echo errors=5% > {folder}/faults/w2; {teal} deploy {ENVIRONMENT} w2\n\
         take it back  {teal} rollback {ENVIRONMENT}\n\
         why           {teal} explain"
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use clap::Parser;

    use super::super::operator::{Look, Refused};
    use super::*;

    /// Stands in for `teal`: renders a small edge, is an agent that only waits, and takes down what it was told.
    const PROGRAM: &str = r#"#!/bin/sh
echo "$*" >> "$0.told"
file=$2
case "$3" in
proxy)
    sed -n 's/^bind = ."\(.*\)".$/frontend f\n  bind \1\n  mode http\n  timeout client 5s/p' "$file"
    sed -n 's/^socket = "\(.*\)"$/global\n  stats socket \1/p' "$file"
    ;;
agent)
    trap 'echo ended >> "$0.told"; exit' TERM
    [ -e "$0.broken" ] && echo 'no such table: releases' >&2 && exit 1
    echo ready > "$0.ready"
    while :; do sleep 0.01; done
    ;;
esac
"#;

    struct Waits(PathBuf);

    impl Operator for Waits {
        async fn ready(&self) -> Result<(), Refused> {
            if self.0.exists() { Ok(()) } else { Err(Refused("not yet".to_owned())) }
        }

        async fn release(&self, _: &str) -> Result<u64, Refused> {
            Err(Refused("not asked".to_owned()))
        }

        async fn look(&self, _: u64) -> Result<Look, Refused> {
            Err(Refused("not asked".to_owned()))
        }

        async fn promote(&self) -> Result<(), Refused> {
            Ok(())
        }
    }

    struct Fixture {
        program: PathBuf,
        _folder: TempDir,
    }

    impl Fixture {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let program = folder.path().join("teal");
            std::fs::write(&program, PROGRAM).unwrap();
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
            Self { program, _folder: folder }
        }

        async fn open(&self) -> Result<(Stage, Waits), DemoError> {
            #[derive(Parser)]
            struct Line {
                #[command(flatten)]
                args: DemoArgs,
            }
            let Line { args } = Line::parse_from(["demo"]);
            let ready = self.program.with_extension("ready");
            let haproxy = HaProxy::find(None).unwrap();
            Stage::open(&args, &haproxy, self.program.clone(), |_| Waits(ready)).await
        }

        /// The commands it was given, without the configuration.
        fn told(&self) -> Vec<String> {
            let told = std::fs::read_to_string(self.program.with_extension("told")).unwrap();
            told.lines()
                .map(|line| line.rsplit_once("teal.toml ").map_or(line, |(_, words)| words).to_owned())
                .collect()
        }
    }

    #[tokio::test]
    async fn what_a_stage_starts_ends_with_it_in_order_and_leaves_no_folder() {
        let fixture = Fixture::new();
        let (stage, _) = fixture.open().await.unwrap();
        let (folder, edge, pid) = (stage.configuration.folder.clone(), stage.configuration.edge, stage.edge.id());
        assert!(tokio::net::TcpStream::connect(edge).await.is_ok());
        stage.set_fault("v3", &"errors=100%".parse().unwrap()).unwrap();
        assert_eq!(std::fs::read_to_string(folder.join("faults/v3")).unwrap(), "errors=100%");
        drop(stage);
        assert_eq!(fixture.told(), ["proxy render", "agent --seed-baseline 30000,150", "ended", "stop --all --yes"]);
        assert!(!folder.exists() && !Path::new(&format!("/proc/{pid}")).exists());
        assert!(tokio::net::TcpStream::connect(edge).await.is_err());
    }

    #[tokio::test]
    async fn an_agent_that_does_not_start_is_shown_with_its_last_words_and_nothing_stays() {
        let fixture = Fixture::new();
        std::fs::write(fixture.program.with_extension("broken"), "").unwrap();
        let error = fixture.open().await.err().unwrap().to_string();
        assert!(error.contains("the agent ended by itself (exit status: 1)"), "{error}");
        assert!(error.contains("no such table: releases"), "{error}");
        assert_eq!(fixture.told().last().map(String::as_str), Some("stop --all --yes"));
    }
}
