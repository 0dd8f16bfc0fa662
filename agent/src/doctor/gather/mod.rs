//! Looks at everything at once, each look with a limit of its own, and changes nothing.

mod certificate;
mod clock;
mod files;
mod processes;
mod proxy;

use std::path::{Path, PathBuf};
use std::time::Duration;

use time::OffsetDateTime;

use super::{Agent, Certificate, Facts, Program, Secret};
use crate::client::Client;
use crate::config::{Config, Environment, Evidence, Loaded, NoSettings, SwitchBy};
use crate::proxy::haproxy::owner::Owner;
use crate::proxy::haproxy::program::HaProxy;
use crate::runtime::wiring;

/// How long any one look may take.
const LIMIT: Duration = Duration::from_secs(2);

/// What can be seen of an environment from this machine, within some seconds.
///
/// # Errors
/// No such environment.
pub async fn gather(loaded: &Loaded, name: &str) -> Result<Facts, NoSettings> {
    let config = &loaded.config;
    let environment = config.environment(name)?;
    let (answer, seen, proxy, synchronised, checks) = tokio::join!(
        agent(config, name),
        blocking({
            let (config, environment) = (config.clone(), environment.clone());
            move || seen(&config, &environment)
        }),
        proxy::proxy(name, environment),
        clock::is_synchronised(),
        blocking({
            let (name, smoke) = (name.to_owned(), environment.smoke.clone());
            move || {
                wiring::suite(&name, &smoke)
                    .map(|suite| suite.map(|suite| suite.checks.len()))
                    .map_err(|e| e.to_string())
            }
        }),
    );
    let in_time = |what: &str| format!("{what} could not be read within {LIMIT:?}");
    let seen = seen.unwrap_or_default();
    let (proxy, processes) = proxy;
    Ok(Facts {
        environment: name.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        now: OffsetDateTime::now_utc(),
        configuration: loaded.path.clone(),
        warnings: loaded.warnings.iter().filter(|warning| warning.field != "notify").map(ToString::to_string).collect(),
        user: seen.user,
        state: seen.state,
        state_path: config.state.clone(),
        space: seen.space,
        agent: Agent { answer, holder: seen.holder, files: seen.open_files },
        program: seen.program.unwrap_or_else(|| Err(in_time("the HAProxy program"))),
        has_proxy: environment.switch.by == SwitchBy::Edge,
        proxy,
        processes,
        queue: matches!(environment.edge.evidence, Evidence::Datagram(_)).then(queue),
        told: told(config),
        smoke: checks.unwrap_or_else(|| Err(in_time("the smoke suite"))),
        secrets: seen.secrets,
        certificates: seen.certificates,
        clock: super::Clock { is_synchronised: synchronised, ahead: seen.ahead },
    })
}

/// What files and `/proc` say.
#[derive(Default)]
struct Seen {
    user: super::User,
    state: Option<super::Node>,
    space: Option<super::Space>,
    holder: Option<u32>,
    open_files: Option<super::OpenFiles>,
    program: Option<Result<Program, String>>,
    secrets: Vec<Secret>,
    certificates: Vec<Certificate>,
    ahead: Option<(PathBuf, Duration)>,
}

fn seen(config: &Config, environment: &Environment) -> Seen {
    let map = &environment.edge.map;
    let holder = Owner::holder(map);
    let kept = ["teal.db", "teal.db-wal", "break-glass"].map(|file| config.state.join(file));
    Seen {
        user: files::user(holder),
        state: files::node(&config.state).ok(),
        space: files::space(&config.state),
        holder,
        open_files: holder.and_then(processes::open_files),
        program: Some(
            HaProxy::find(None)
                .map(|found| Program { path: found.path, version: found.version })
                .map_err(|error| error.to_string()),
        ),
        secrets: secrets(config, environment),
        certificates: certificates(config, environment),
        ahead: clock::ahead(kept.into_iter().chain([map.clone()])),
    }
}

/// A look that may block, given up after a while.
async fn blocking<T: Send + 'static>(look: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::time::timeout(LIMIT, tokio::task::spawn_blocking(look)).await.ok()?.ok()
}

async fn agent(config: &Config, name: &str) -> Result<Box<crate::api::Status>, String> {
    let client = Client::new(&config.agent.socket).patience(LIMIT);
    client.status(name).await.map(Box::new).map_err(|error| error.to_string())
}

fn queue() -> Result<u64, String> {
    let text = std::fs::read_to_string("/proc/sys/net/unix/max_dgram_qlen").map_err(|error| error.to_string())?;
    text.trim().parse().map_err(|_| format!("`{}` is no number", text.trim()))
}

fn told(config: &Config) -> Result<String, String> {
    let settings = wiring::notifier_settings(config).map_err(|error| error.to_string())?;
    let program = config.notify.command.first();
    if let Some(program) = program {
        files::executable(Path::new(program)).ok_or_else(|| format!("notify.command: `{program}` is no program"))?;
    }
    match (program, settings.webhook) {
        (Some(program), Some(_)) => Ok(format!("{program}, and a webhook")),
        (Some(program), None) => Ok(program.clone()),
        (None, Some(_)) => Ok("a webhook".to_owned()),
        (None, None) => Err("[notify] has neither `command` nor `webhook`".to_owned()),
    }
}

fn secrets(config: &Config, environment: &Environment) -> Vec<Secret> {
    let flags = config.flags.as_ref();
    let upstream = flags.and_then(|flags| flags.upstream.as_ref());
    let fixed = [
        ("notify.webhook_file", config.notify.webhook_file.as_ref()),
        ("flags.postgres_file", flags.and_then(|flags| flags.postgres_file.as_ref())),
        ("flags.tls_key_file", flags.and_then(|flags| flags.tls_key_file.as_ref())),
        ("flags.upstream_token_file", upstream.and_then(|upstream| upstream.token_file.as_ref())),
        ("platform.kubeconfig", config.platform.kubeconfig.as_ref()),
    ];
    let processes = environment.components.values().filter_map(|component| component.runs.processes());
    let of_components = processes.map(|processes| ("components.*.env_file", processes.env_file.as_ref()));
    let all = fixed.into_iter().chain(of_components).filter_map(|(key, path)| Some((key, path?)));
    let file = |path: &Path| files::node(path).map_err(|error| format!("{}: {error}", path.display()));
    all.map(|(key, path)| Secret { key, file: file(path) }).collect()
}

fn certificates(config: &Config, environment: &Environment) -> Vec<Certificate> {
    let door = config.flags.as_ref().and_then(|flags| flags.tls_certificate_file.as_ref());
    let door = door.map(|path| ("flags.tls_certificate_file", path));
    let edge = environment.edge.bind.iter().filter_map(|bind| bind.certificate.as_ref());
    let all = door.into_iter().chain(edge.map(|path| ("edge.bind", path)));
    all.map(|(key, path)| Certificate { key, path: path.clone(), until: certificate::until(path) }).collect()
}
