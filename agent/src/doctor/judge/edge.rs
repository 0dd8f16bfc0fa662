//! HAProxy, its socket, its map and its configuration.

use std::time::Duration;

use super::{Facts, Finding};
use crate::doctor::Kind;

/// A queue of datagrams below this loses evidence (measured at 10,000 lines a second).
const DEEP: u64 = 512;
/// After a reload, how much longer than allowed an old process may take to go.
const SLACK: Duration = Duration::from_secs(30);

pub(super) fn program(facts: &Facts) -> Finding {
    let check = "HAProxy";
    match (&facts.program, &facts.proxy.running) {
        (Err(error), _) => Finding::hurts(check, error, "sudo apt install haproxy"),
        (Ok(program), Ok(running)) if !running.version.starts_with(&program.version) => Finding::note(
            check,
            format!(
                "{} runs, and a restart will start {}, version {}",
                running.version,
                program.path.display(),
                program.version
            ),
        ),
        (Ok(program), _) => Finding::fine(check, format!("{}, version {}", program.path.display(), program.version)),
    }
}

pub(super) fn socket(facts: &Facts) -> Finding {
    match &facts.proxy.running {
        Ok(running) if !running.is_operator => Finding::hurts(
            "socket",
            "HAProxy answers, but not to `level operator`, which the request log needs",
            format!(
                "stats socket {} mode 660 level operator   # in HAProxy's `global`, and reload it",
                facts.proxy.socket_path.display()
            ),
        ),
        Ok(running) => Finding::fine("socket", format!("HAProxy {} answers, pid {}", running.version, running.pid)),
        Err(error) => Finding::hurts("socket", error, revive(facts)),
    }
}

/// How an HAProxy that does not answer is made to.
pub(super) const fn revive(facts: &Facts) -> &'static str {
    if facts.proxy.is_detached {
        "sudo systemctl stop haproxy && sudo systemctl start haproxy   # `pgrep -a haproxy` shows what is left after the stop"
    } else {
        "sudo systemctl start haproxy   # the map's file keeps the colour"
    }
}

/// Who may move traffic.
pub(super) fn socket_rights(facts: &Facts) -> Finding {
    let check = "socket rights";
    let Some(node) = &facts.proxy.socket else {
        return Finding::note(check, format!("{} is not there", facts.proxy.socket_path.display()));
    };
    let line = |mode: &str| {
        let group = facts.proxy.socket_group.as_ref().map(|group| format!(" group {group}")).unwrap_or_default();
        format!(
            "stats socket {} mode {mode}{group} level operator   # in HAProxy's `global`, and reload it",
            node.path.display()
        )
    };
    let seen = format!("mode {:03o}, group {}", node.mode & 0o777, node.group);
    if node.kind != Kind::Socket {
        return Finding::hurts(check, format!("{} is no socket", node.path.display()), line("660"));
    }
    if node.everybody(0o002) {
        return Finding::hurts(check, format!("{seen}: everybody on this machine can move traffic"), line("660"));
    }
    if let Some(group) = facts.proxy.socket_group.as_ref().filter(|group| **group != node.group) {
        return Finding::hurts(check, format!("{seen}, and the configuration says group {group}"), line("660"));
    }
    if !node.may(&facts.user, 2) {
        let user = &facts.user.name;
        return Finding::hurts(
            check,
            format!("{seen}: {user} may not use it"),
            format!("sudo usermod -aG {} {user}", node.group),
        );
    }
    Finding::fine(check, seen)
}

/// What HAProxy was started with.
pub(super) fn configuration(facts: &Facts) -> Finding {
    let check = "haproxy.cfg";
    let name = &facts.environment;
    let Some(files) = &facts.proxy.files else {
        return Finding::note(check, "what HAProxy was started with cannot be seen from here");
    };
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let names = names.join(" ");
    let Some(missing) = &facts.proxy.missing else {
        return Finding::note(check, format!("{names} cannot be read by who asks"));
    };
    if let [first, ..] = &missing[..] {
        let seen = format!("{names} has not all of Teal's parts: `{first}` is missing");
        return Finding::hurts(
            check,
            seen,
            format!("teal proxy render {name}   # into it, or --fragment beside it; then reload HAProxy"),
        );
    }
    match &facts.proxy.checked {
        Some(Err(said)) => {
            let said =
                said.lines().find(|line| line.contains("ALERT")).unwrap_or(said.lines().next().unwrap_or_default());
            let seen = format!("a restart will fail: {said}");
            Finding::hurts(
                check,
                seen,
                format!(
                    "haproxy -c {}",
                    names.split(' ').map(|file| format!("-f {file}")).collect::<Vec<_>>().join(" ")
                ),
            )
        }
        _ if !facts.proxy.is_rendered => Finding::note(
            check,
            format!("{names} has Teal's parts, but not as this version and configuration write them"),
        )
        .mend(format!(
            "teal proxy render {name} | diff - {}",
            files.first().map_or("FILE".into(), |file| file.display().to_string())
        )),
        Some(Ok(())) => Finding::fine(check, format!("{names}: Teal's parts are there, `haproxy -c` takes it")),
        None => Finding::note(check, format!("{names}: Teal's parts are there; `haproxy -c` could not be asked")),
    }
}

pub(super) fn map(facts: &Facts) -> Finding {
    let (check, user) = ("map", &facts.user.name);
    let proxy = &facts.proxy;
    let path = proxy.map_path.display();
    let folder = proxy.map_path.parent().map(|folder| folder.display().to_string()).unwrap_or_default();
    let Some(node) = &proxy.map else {
        let mend = format!("teal edge force {} blue --reason 'the map was gone'", facts.environment);
        return Finding::hurts(check, format!("{path} is not there, and HAProxy cannot start without it"), mend);
    };
    let seen = format!("{path}, mode {:03o}", node.mode & 0o777);
    if let Err(error) = &proxy.saved {
        let mend = format!("teal edge force {} COLOUR --reason 'the map was broken'", facts.environment);
        return Finding::hurts(check, error, mend);
    }
    if node.everybody(0o002) {
        let seen = format!("{seen}: everybody on this machine can choose what a restart serves");
        return Finding::hurts(check, seen, format!("sudo chmod 640 {path}"));
    }
    if node.mode & 0o400 == 0 {
        let seen = format!("{seen}: its owner may not read it");
        return Finding::hurts(check, seen, format!("sudo chmod 640 {path}"));
    }
    match &proxy.map_folder {
        // It is replaced as a whole, so it is the folder that has to be written.
        Some(node) if !node.may(&facts.user, 2) => Finding::hurts(
            check,
            format!(
                "{user} may not write in {folder} (mode {:03o}), so that a restart brings back what stands there",
                node.mode & 0o777
            ),
            format!("sudo chown {user} {folder}"),
        ),
        Some(node) if node.everybody(0o002) && node.mode & 0o1000 == 0 => Finding::hurts(
            check,
            format!("{folder} has mode {:03o}: everybody on this machine can replace the map", node.mode & 0o777),
            format!("sudo chmod o-w {folder}"),
        ),
        _ => Finding::fine(check, format!("{seen}, writable")),
    }
}

/// Whether a reload would change who serves.
pub(super) fn reload(facts: &Facts) -> Finding {
    let check = "reload";
    let (Ok(running), Ok(saved)) = (&facts.proxy.running, &facts.proxy.saved) else {
        return Finding::note(check, "not to be told: running map or map file cannot be read");
    };
    let (running, saved) = (running.policy.clone().unwrap_or_else(|| "nothing".to_owned()), saved.to_string());
    if running == saved {
        return Finding::fine(check, "the map's file and the running map are the same");
    }
    Finding::hurts(
        check,
        format!("a reload would go from {running} to {saved}"),
        format!("echo 'policy {running}' | sudo tee {}", facts.proxy.map_path.display()),
    )
}

pub(super) fn second(facts: &Facts) -> Finding {
    let check = "second HAProxy";
    match &facts.processes {
        None => Finding::note(check, "the processes of this machine cannot be listed"),
        Some(processes) if !processes.is_here => {
            Finding::note(check, "the HAProxy that answers is not among this machine's processes (a container?)")
        }
        Some(processes) => match &processes.strays[..] {
            [] => Finding::fine(check, "there is one"),
            strays => {
                let seen: Vec<String> =
                    strays.iter().map(|stray| format!("pid {}: {}", stray.pid, stray.command)).collect();
                let pids: Vec<String> = strays.iter().map(|stray| stray.pid.to_string()).collect();
                let seen = format!(
                    "another one has the same map or socket and may take half the connections: {}",
                    seen.join("; ")
                );
                Finding::hurts(check, seen, format!("sudo kill -USR1 {}", pids.join(" ")))
            }
        },
    }
}

pub(super) fn old_workers(facts: &Facts) -> Finding {
    let check = "old workers";
    let Some(old) = facts.processes.as_ref().filter(|processes| processes.is_here).map(|processes| &processes.old)
    else {
        return Finding::note(check, "not to be told from here");
    };
    if old.is_empty() {
        return Finding::fine(check, "none");
    }
    let pids: Vec<String> = old.iter().map(ToString::to_string).collect();
    let pids = pids.join(" ");
    let seen =
        format!("{} since the last reload, pid {pids}: they finish connections by the policy they know", old.len());
    let since = facts.proxy.running.as_ref().ok().and_then(|running| {
        u64::try_from(facts.now.unix_timestamp()).ok()?.checked_sub(running.started).map(Duration::from_secs)
    });
    if since.is_some_and(|since| since > facts.proxy.hard_stop_after + SLACK) {
        return Finding::hurts(
            check,
            format!("{seen}, for longer than `hard-stop-after`"),
            format!("sudo kill {pids}"),
        );
    }
    Finding::note(check, seen)
}

pub(super) fn connections(facts: &Facts) -> Finding {
    let check = "connections";
    let Some((has, may)) = facts.proxy.running.as_ref().ok().and_then(|running| running.connections) else {
        return Finding::note(check, "HAProxy does not say");
    };
    let seen = format!("HAProxy has {has} and may have {may}");
    if has * 5 > may * 4 || may < 100 {
        let mend =
            "LimitNOFILE=524288   # under [Service] in: sudo systemctl edit haproxy; or `maxconn` in its `global`";
        return Finding::hurts(check, seen, mend);
    }
    Finding::fine(check, seen)
}

/// Where evidence comes by datagrams, whether they have room to wait.
pub(super) fn queue(facts: &Facts) -> Finding {
    let check = "evidence queue";
    let dropped = facts.proxy.running.as_ref().map_or(0, |running| running.dropped_logs);
    match &facts.queue {
        None => Finding::fine(check, "HAProxy's own ring"),
        Some(Err(error)) => Finding::note(check, format!("net.unix.max_dgram_qlen cannot be read: {error}")),
        Some(Ok(depth)) if *depth < DEEP || dropped > 0 => Finding::hurts(
            check,
            format!("net.unix.max_dgram_qlen is {depth}; HAProxy could not send {dropped} lines"),
            "echo net.unix.max_dgram_qlen=512 | sudo tee /etc/sysctl.d/50-teal.conf",
        )
        .mend("sudo sysctl --system; sudo systemctl restart teal"),
        Some(Ok(depth)) => Finding::fine(check, format!("net.unix.max_dgram_qlen is {depth}, nothing lost")),
    }
}
