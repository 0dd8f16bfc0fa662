//! The HAProxy in front: asked on its socket, and looked at from outside.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use super::processes::{self, Process};
use super::{blocking, files};
use crate::config::{Environment, Form};
use crate::doctor::{Processes, Proxy, Running};
use crate::proxy::haproxy::force::peek;
use crate::proxy::haproxy::program::HaProxy;
use crate::proxy::haproxy::render;
use crate::proxy::haproxy::runtime::{Runtime, RuntimeError};
use crate::runtime::wiring;

/// How long `haproxy -c` may take; large certificates' lists take a while.
const CHECK: Duration = Duration::from_secs(5);

pub(super) async fn proxy(name: &str, environment: &Environment) -> (Proxy, Option<Processes>) {
    let settings = wiring::edge_settings(name, environment);
    let edge = &environment.edge;
    let peeked = peek(&settings).await;
    let runtime = Runtime::new(&settings);
    let (info, level) = tokio::join!(runtime.ask("show info"), runtime.ask("show env HOME"));
    let is_detached = matches!(peeked.runtime, Err(RuntimeError::Detached { .. }));
    let running = peeked.runtime.map_err(|error| error.to_string()).map(|look| {
        let info = info.unwrap_or_default();
        let number = |field: &str| info.lines().find_map(|line| line.strip_prefix(field)?.trim().parse::<u64>().ok());
        Running {
            pid: look.process.pid,
            started: look.process.started,
            version: look.process.version,
            policy: look.value,
            is_operator: !level.is_ok_and(|said| said.contains("Permission denied")),
            connections: number("CurrConns:").zip(number("Maxconn:")),
            dropped_logs: number("DroppedLogs:").unwrap_or(0),
        }
    });
    let pid = running.as_ref().ok().map(|running| running.pid);
    let wanted = wanted(name, environment);
    let mentions = [edge.map.display().to_string(), edge.socket.display().to_string()];
    let outside = blocking(move || outside(pid, &wanted, &mentions)).await.unwrap_or_default();
    let checked = match &outside.files {
        Some(files) if outside.missing.is_some() => check(files).await,
        _ => None,
    };
    let (map, folder, socket) = (edge.map.clone(), edge.map.parent().map(PathBuf::from), edge.socket.clone());
    let nodes = blocking(move || {
        (files::node(&map).ok(), folder.and_then(|folder| files::node(&folder).ok()), files::node(&socket).ok())
    });
    let (map, map_folder, socket) = nodes.await.unwrap_or_default();
    let proxy = Proxy {
        running,
        is_detached,
        socket,
        socket_path: edge.socket.clone(),
        socket_group: edge.socket_group.clone(),
        map,
        map_path: edge.map.clone(),
        map_folder,
        saved: peeked.file.map_err(|error| error.to_string()),
        files: outside.files,
        missing: outside.missing,
        is_rendered: outside.is_rendered,
        checked,
        hard_stop_after: edge.timeouts.hard_stop_after,
    };
    (proxy, outside.processes)
}

/// The text that belongs into HAProxy's configuration; empty where none can be written.
fn wanted(name: &str, environment: &Environment) -> String {
    let form = match environment.edge.form {
        Form::Whole => render::Form::Whole,
        Form::Fragment => render::Form::Fragment,
    };
    let config = wiring::render_config(name, environment).ok();
    config.and_then(|config| render::render(&config, form).ok()).unwrap_or_default()
}

#[derive(Default)]
struct Outside {
    files: Option<Vec<PathBuf>>,
    missing: Option<Vec<String>>,
    is_rendered: bool,
    processes: Option<Processes>,
}

/// What its process shows without being asked. Without one that answers, any that mentions our map is looked at.
fn outside(pid: Option<u32>, wanted: &str, mentions: &[String]) -> Outside {
    let Some(all) = processes::list() else { return Outside::default() };
    let uses = |process: &Process| {
        processes::text(&process.files()).is_some_and(|text| mentions.iter().any(|path| mentioned(&text, path)))
    };
    let Some(pid) = pid.filter(|pid| all.contains_key(pid)) else {
        return Outside { processes: Some(Processes::default()), ..Outside::default() };
    };
    let files = all.get(&pid).map(Process::files).filter(|files| !files.is_empty());
    let text = files.as_deref().and_then(processes::text);
    Outside {
        missing: text.as_deref().map(|text| missing(wanted, text)),
        is_rendered: text.is_some_and(|text| text.contains(wanted.trim())),
        processes: Some(processes::sort(&all, pid, uses)),
        files,
    }
}

/// Whether the path stands there by itself, and not as the beginning of another one.
fn mentioned(text: &str, path: &str) -> bool {
    text.match_indices(path).any(|(at, _)| {
        let next = text[at + path.len()..].chars().next();
        !next.is_some_and(|c| c.is_ascii_alphanumeric() || "._-/".contains(c))
    })
}

/// Sections of `wanted`, the map and the sockets that `text` does not have.
fn missing(wanted: &str, text: &str) -> Vec<String> {
    let head = |line: &str| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    let is_section = |line: &&str| line.starts_with(|c: char| c.is_ascii_lowercase()) && line.contains(" teal_");
    let there: Vec<String> = text.lines().map(head).collect();
    let sections = wanted.lines().filter(is_section).map(head).filter(|section| !there.contains(section));
    let sockets = wanted.lines().filter_map(|line| line.trim().strip_prefix("stats socket ")?.split(' ').next());
    let map = wanted.split_once("map(").and_then(|(_, rest)| rest.split([',', ')']).next());
    let paths = sockets.chain(map).filter(|path| !mentioned(text, path)).map(str::to_owned);
    sections.chain(paths).collect()
}

/// HAProxy's own word on the files; `None` where it cannot be asked, or may not read them.
async fn check(files: &[PathBuf]) -> Option<Result<(), String>> {
    let haproxy = blocking(|| HaProxy::find(None)).await?.ok()?;
    let mut command = tokio::process::Command::new(haproxy.path);
    command.arg("-c").stdin(Stdio::null()).kill_on_drop(true);
    for file in files {
        command.arg("-f").arg(file);
    }
    let said = tokio::time::timeout(CHECK, command.output()).await.ok()?.ok()?;
    let words = String::from_utf8_lossy(&said.stderr).into_owned();
    if said.status.success() {
        return Some(Ok(()));
    }
    (!words.contains("ermission denied")).then_some(Err(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_is_the_beginning_of_another_is_not_that_other() {
        let check = |text: &str, found: bool| assert_eq!(mentioned(text, "/etc/teal/prod.map"), found, "{text}");
        check("str(policy),map(/etc/teal/prod.map,none)", true);
        check("map(/etc/teal/prod.map.old)", false);
        check("stats socket /etc/teal/prod.map", true);
        check("/etc/teal/prod.mapx /etc/teal/prod.map ", true);
    }

    #[test]
    fn a_part_that_is_not_there_is_named() {
        let wanted = "global\n  stats socket /run/teal.sock mode 660\nring teal_prod_log\nfrontend teal_prod from x\n  \
                      set str(policy),map(/m.map,none)\nbackend teal_prod_api_blue from x\n";
        assert_eq!(missing(wanted, wanted), [""; 0]);
        let check =
            |gone: &str, named: &str| assert_eq!(missing(wanted, &wanted.replace(gone, "x")), [named], "{gone}");
        check("backend teal_prod_api_blue", "backend teal_prod_api_blue");
        check("ring teal_prod_log", "ring teal_prod_log");
        check("/m.map", "/m.map");
        check("/run/teal.sock", "/run/teal.sock");
    }
}
