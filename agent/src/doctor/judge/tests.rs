use std::path::PathBuf;
use std::time::Duration;

use teal_rollout::colour::Colour;
use teal_rollout::document::Phase;
use teal_rollout::settings::Mode;
use time::macros::datetime;

use super::*;
use crate::api::{ColourStatus, ComponentStatus, EdgeStatus, Known, Safe, Status};
use crate::doctor::{
    Agent, Certificate, Clock, Kind, Level, Node, OpenFiles, Processes, Program, Proxy, Running, Secret, Space, Stray,
    User,
};

const POLICY: &str = "v1:43.1.open:blue:green:100000:shop-prod:0";

fn node(path: &str, kind: Kind, mode: u32) -> Node {
    Node { path: path.into(), kind, mode, uid: 998, gid: 997, group: "haproxy".into() }
}

/// An environment of which nothing is wrong, as the user `teal` sees it.
fn healthy() -> Facts {
    let user = User { name: "teal".into(), uid: 998, gids: vec![998, 997] };
    let status = Status {
        mode: Known::Known(Mode::Act),
        phase: Known::Known(Phase::Watching),
        components: vec![ComponentStatus {
            name: "api".into(),
            stable: ColourStatus { version: Some("v1".into()), ..ColourStatus::default() },
            candidate: Some(ColourStatus {
                colour: Known::Known(Colour::Green),
                requests: 10_000,
                ..ColourStatus::default()
            }),
            ..ComponentStatus::default()
        }],
        rollback_safe: Safe::yes(),
        reload_safe: Safe::yes(),
        store: Safe::yes(),
        edges: vec![EdgeStatus { name: "edge".into(), feed: "live".into(), ..EdgeStatus::default() }],
        agent: "0.1.0".into(),
        ..Status::default()
    };
    Facts {
        environment: "prod".into(),
        version: "0.1.0".into(),
        now: datetime!(2026-11-28 02:00 UTC),
        configuration: "/etc/teal/teal.toml".into(),
        warnings: vec![],
        user,
        state: Some(Node { path: "/var/lib/teal".into(), uid: 998, gid: 998, ..node("", Kind::Folder, 0o750) }),
        state_path: "/var/lib/teal".into(),
        space: Some(Space { bytes: 10 << 30, files: Some(1_000_000) }),
        agent: Agent {
            answer: Ok(Box::new(status)),
            holder: Some(7),
            files: Some(OpenFiles { limit: 65_536, used: Some(40) }),
        },
        program: Ok(Program { path: "/usr/sbin/haproxy".into(), version: "2.6.12".into() }),
        has_proxy: true,
        proxy: Proxy {
            running: Ok(Running {
                pid: 12,
                started: datetime!(2026-11-28 01:00 UTC).unix_timestamp().cast_unsigned(),
                version: "2.6.12-1+deb12u4".into(),
                policy: Some(POLICY.into()),
                is_operator: true,
                connections: Some((20, 4000)),
                dropped_logs: 0,
            }),
            is_detached: false,
            socket: Some(node("/run/haproxy/teal.sock", Kind::Socket, 0o660)),
            socket_path: "/run/haproxy/teal.sock".into(),
            socket_group: Some("haproxy".into()),
            map: Some(node("/etc/haproxy/teal/prod.map", Kind::File, 0o640)),
            map_path: "/etc/haproxy/teal/prod.map".into(),
            map_folder: Some(node("/etc/haproxy/teal", Kind::Folder, 0o750)),
            saved: Ok(POLICY.parse().unwrap()),
            files: Some(vec!["/etc/haproxy/haproxy.cfg".into()]),
            missing: Some(vec![]),
            is_rendered: true,
            checked: Some(Ok(())),
            hard_stop_after: Duration::from_secs(60),
        },
        processes: Some(Processes { is_here: true, ..Processes::default() }),
        queue: None,
        told: Ok("/usr/local/bin/ntfy-send".into()),
        smoke: Ok(Some(7)),
        secrets: vec![Secret { key: "notify.webhook_file", file: Ok(node("/etc/teal/webhook", Kind::File, 0o640)) }],
        certificates: vec![Certificate {
            key: "edge.bind",
            path: "/etc/haproxy/shop.pem".into(),
            until: Ok(datetime!(2027-02-01 0:00 UTC)),
        }],
        clock: Clock { is_synchronised: Some(true), ahead: None },
    }
}

fn status(facts: &mut Facts) -> &mut Status {
    facts.agent.answer.as_mut().unwrap()
}

fn running(facts: &mut Facts) -> &mut Running {
    facts.proxy.running.as_mut().unwrap()
}

#[test]
fn of_a_healthy_environment_every_check_is_fine() {
    let findings = judge(&healthy());
    assert!(findings.iter().all(|finding| finding.level == Level::Fine && finding.mend.is_empty()), "{findings:#?}");
    assert_eq!(findings.len(), 24);
}

#[test]
fn each_fault_is_the_one_finding_that_hurts_with_its_value_and_what_mends_it() {
    let check = |fault: fn(&mut Facts), name: &str, seen: &str, mend: &str| {
        let mut facts = healthy();
        fault(&mut facts);
        let hurts: Vec<Finding> = judge(&facts).into_iter().filter(|finding| finding.level == Level::Hurts).collect();
        let [finding] = &hurts[..] else { panic!("{name}: {hurts:#?}") };
        assert_eq!(finding.check, name, "{finding:?}");
        assert!(finding.seen.contains(seen), "`{seen}` is not in {finding:?}");
        assert!(finding.mend.join("\n").contains(mend), "`{mend}` is not in {finding:?}");
    };
    let dead = |facts: &mut Facts| facts.agent = Agent { answer: Err("no agent: x".into()), holder: None, files: None };
    check(dead, "agent", "nobody watches", "systemctl start teal");
    check(
        |f| f.agent.answer = Err("within 2s".into()),
        "agent",
        "pid 7 drives this edge and does not answer",
        "restart teal",
    );
    check(
        |f| status(f).agent = "0.0.9".into(),
        "version",
        "the agent is 0.0.9, this command line 0.1.0",
        "restart teal",
    );
    check(|f| status(f).store = Safe::no("disk full"), "environment", "disk full", "df -h /var/lib/teal");
    check(|f| status(f).emergency = vec!["api".into()], "environment", "api served by", "teal status prod");
    check(|f| status(f).paused = Some("ops".into()), "environment", "paused by ops", "teal resume prod");
    check(|f| status(f).phase = Known::Known(Phase::Held), "environment", "a person", "teal promote prod");
    check(|f| status(f).rollback_safe = Safe::no("blue is gone"), "way back", "blue is gone", "--to RELEASE");
    check(|f| f.told = Err("[notify] is empty".into()), "notify", "nobody will be told", "[notify] command = ");
    check(|f| status(f).edges[0].feed = "lost".into(), "evidence", "none comes from edge", "teal proxy render prod");
    check(
        |f| status(f).edges[0].evidence_lost = 101,
        "evidence",
        "of 101 requests it was lost, of 10000",
        "evidence = \"ring\"",
    );
    check(|f| f.queue = Some(Ok(10)), "evidence queue", "max_dgram_qlen is 10", "max_dgram_qlen=512");
    let dropped = |f: &mut Facts| {
        f.queue = Some(Ok(512));
        running(f).dropped_logs = 3;
    };
    check(dropped, "evidence queue", "could not send 3 lines", "restart teal");
    check(|f| f.agent.files = Some(OpenFiles { limit: 256, used: None }), "open files", "may have 256", "LimitNOFILE");
    let near = |f: &mut Facts| f.agent.files = Some(OpenFiles { limit: 1024, used: Some(820) });
    check(near, "open files", "may have 1024, has 820", "LimitNOFILE");

    check(|f| f.program = Err("HAProxy is not installed".into()), "HAProxy", "not installed", "apt install haproxy");
    check(|f| f.proxy.running = Err("nothing answers".into()), "socket", "nothing answers", "systemctl start haproxy");
    let detached = |f: &mut Facts| (f.proxy.running, f.proxy.is_detached) = (Err("nobody".into()), true);
    check(detached, "socket", "nobody", "stop haproxy && sudo systemctl start haproxy");
    check(|f| running(f).is_operator = false, "socket", "not to `level operator`", "level operator");
    let socket = |f: &mut Facts, mode| f.proxy.socket = Some(node("/run/haproxy/teal.sock", Kind::Socket, mode));
    let open: fn(&mut Facts) = |f| f.proxy.socket.as_mut().unwrap().mode = 0o666;
    check(open, "socket rights", "mode 666, group haproxy: everybody", "mode 660 group haproxy level operator");
    check(
        |f| f.proxy.socket.as_mut().unwrap().group = "root".into(),
        "socket rights",
        "says group haproxy",
        "group haproxy",
    );
    let foreign: fn(&mut Facts) = |f| {
        let socket = f.proxy.socket.as_mut().unwrap();
        (socket.uid, socket.gid) = (0, 0);
    };
    check(foreign, "socket rights", "teal may not use it", "usermod -aG haproxy teal");
    check(|f| f.proxy.socket.as_mut().unwrap().kind = Kind::File, "socket rights", "is no socket", "stats socket");
    let mut facts = healthy();
    socket(&mut facts, 0o600);
    assert!(judge(&facts).iter().all(|finding| finding.level == Level::Fine), "its owner may");
    check(
        |f| f.proxy.missing = Some(vec!["ring teal_prod_log".into()]),
        "haproxy.cfg",
        "`ring teal_prod_log` is missing",
        "teal proxy render prod",
    );
    check(
        |f| f.proxy.checked = Some(Err("[NOTICE] x\n[ALERT] (1) : parsing [h.cfg:3] : unknown keyword".into())),
        "haproxy.cfg",
        "a restart will fail: [ALERT] (1) : parsing [h.cfg:3]",
        "haproxy -c -f /etc/haproxy/haproxy.cfg",
    );
    check(|f| f.proxy.map = None, "map", "is not there, and HAProxy cannot start", "teal edge force prod blue");
    check(
        |f| f.proxy.map.as_mut().unwrap().mode = 0o666,
        "map",
        "mode 666: everybody",
        "sudo chmod 640 /etc/haproxy/teal/prod.map",
    );
    check(|f| f.proxy.map.as_mut().unwrap().mode = 0o040, "map", "its owner may not read it", "sudo chmod 640");
    check(
        |f| f.proxy.map_folder.as_mut().unwrap().mode = 0o550,
        "map",
        "teal may not write in /etc/haproxy/teal (mode 550)",
        "sudo chown teal",
    );
    check(
        |f| f.proxy.map_folder.as_mut().unwrap().mode = 0o777,
        "map",
        "everybody on this machine can replace",
        "chmod o-w",
    );
    check(|f| f.proxy.saved = Err("no line `policy v1:`".into()), "map", "no line `policy", "teal edge force prod");
    check(
        |f| running(f).policy = Some("v1:43.2.open:blue:green:0:shop-prod:0".into()),
        "reload",
        "from v1:43.2.open:blue:green:0:shop-prod:0 to v1:43.1.open",
        "echo 'policy v1:43.2.open:blue:green:0:shop-prod:0' | sudo tee /etc/haproxy/teal/prod.map",
    );
    check(
        |f| f.processes.as_mut().unwrap().strays = vec![Stray { pid: 99, command: "haproxy -f x".into() }],
        "second HAProxy",
        "pid 99: haproxy -f x",
        "sudo kill -USR1 99",
    );
    check(
        |f| f.processes.as_mut().unwrap().old = vec![5, 6],
        "old workers",
        "2 since the last reload, pid 5 6",
        "sudo kill 5 6",
    );
    check(|f| running(f).connections = Some((3300, 4000)), "connections", "has 3300 and may have 4000", "LimitNOFILE");

    check(|f| f.state = None, "state", "/var/lib/teal is not there", "install -d -m 750 -o teal /var/lib/teal");
    check(|f| f.state.as_mut().unwrap().mode = 0o755, "state", "mode 755: everybody", "sudo chmod 750 /var/lib/teal");
    check(|f| f.state.as_mut().unwrap().uid = 0, "state", "teal may not write there", "sudo chown teal /var/lib/teal");
    check(|f| f.space = Some(Space { bytes: 12 << 20, files: None }), "disk", "12 MiB free", "df -h /var/lib/teal");
    check(|f| f.space = Some(Space { bytes: 1 << 40, files: Some(3) }), "disk", "and 3 files free", "df -i");
    check(|f| f.clock.is_synchronised = Some(false), "clock", "not held", "timedatectl set-ntp true");
    let ahead = |f: &mut Facts| f.clock.ahead = Some((PathBuf::from("/m"), Duration::from_secs(90)));
    check(ahead, "clock", "/m was written 90 s in the future", "set-ntp");
    check(|f| f.smoke = Err("cannot read x".into()), "smoke suite", "cannot read x", "teal smoke prod");
    check(
        |f| f.certificates[0].until = Ok(datetime!(2026-12-18 0:00 UTC)),
        "certificates",
        "ends on 2026-12-18, in 19 days",
        "certbot",
    );
    check(
        |f| f.certificates[0].until = Err("no PEM".into()),
        "certificates",
        "/etc/haproxy/shop.pem: no PEM",
        "openssl x509",
    );
    let second = |f: &mut Facts| {
        let one = f.certificates[0].clone();
        f.certificates.push(Certificate { until: Err("gone".into()), ..one });
    };
    check(second, "certificates", "gone", "openssl");
    check(
        |f| f.secrets[0].file.as_mut().unwrap().mode = 0o644,
        "secrets",
        "/etc/teal/webhook, has mode 644",
        "sudo chmod 640 /etc/teal/webhook",
    );
    check(|f| f.secrets[0].file.as_mut().unwrap().mode = 0o200, "secrets", "teal may not read it", "sudo chown teal");
    check(|f| f.secrets[0].file = Err("gone".into()), "secrets", "notify.webhook_file: gone", "must be there");
}

#[test]
fn what_cannot_be_told_or_is_meant_so_is_a_note_and_hurts_nobody() {
    let check = |fault: fn(&mut Facts), name: &str, seen: &str| {
        let mut facts = healthy();
        fault(&mut facts);
        let others: Vec<Finding> = judge(&facts).into_iter().filter(|finding| finding.level != Level::Fine).collect();
        let [finding] = &others[..] else { panic!("{name}: {others:#?}") };
        assert_eq!((finding.check, finding.level), (name, Level::Note), "{finding:?}");
        assert!(finding.seen.contains(seen), "`{seen}` is not in {finding:?}");
    };
    check(|f| f.clock.is_synchronised = None, "clock", "it says 02:00 UTC; nothing here says");
    check(|f| f.smoke = Ok(None), "smoke suite", "there is none");
    check(|f| f.agent.files = None, "open files", "as root");
    check(|f| f.proxy.files = None, "haproxy.cfg", "cannot be seen");
    check(|f| f.proxy.missing = None, "haproxy.cfg", "cannot be read");
    check(|f| f.proxy.is_rendered = false, "haproxy.cfg", "not as this version and configuration write them");
    check(|f| f.proxy.checked = None, "haproxy.cfg", "could not be asked");
    check(|f| f.warnings = vec!["line 3: x".into()], "configuration", "line 3: x");
    check(|f| status(f).edges[0].evidence_lost = 100, "evidence", "of 100 requests it was lost");
    check(|f| status(f).agent.clear(), "version", "does not say");
    check(|f| f.space = None, "disk", "cannot be told");
    check(|f| f.queue = Some(Err("gone".into())), "evidence queue", "gone");
    check(|f| running(f).version = "2.8.1".into(), "HAProxy", "2.8.1 runs, and a restart will start");
    let over = |f: &mut Facts| {
        status(f).phase = Known::Known(Phase::Idle);
        status(f).rollback_safe = Safe::no("nothing to roll back");
    };
    check(over, "way back", "nothing to roll back");
    let first = |f: &mut Facts| {
        status(f).components[0].stable.version = None;
        status(f).rollback_safe = Safe::no("first release");
    };
    check(first, "way back", "first release");
    let recent = |f: &mut Facts| {
        f.processes.as_mut().unwrap().old = vec![5];
        running(f).started = datetime!(2026-11-28 01:59 UTC).unix_timestamp().cast_unsigned();
    };
    check(recent, "old workers", "1 since the last reload");
}

#[test]
fn where_no_proxy_switches_none_is_looked_at() {
    let mut facts = healthy();
    facts.has_proxy = false;
    facts.proxy.running = Err("no socket".into());
    facts.proxy.map = None;
    let findings = judge(&facts);
    assert!(findings.iter().all(|finding| finding.level == Level::Fine && finding.check != "map"), "{findings:#?}");
}

#[test]
fn rights_are_those_of_owner_group_and_others_and_root_may_everything() {
    let check = |uid: u32, gids: &[u32], mode: u32, bit: u32, may: bool| {
        let user = User { name: String::new(), uid, gids: gids.to_vec() };
        assert_eq!(node("/x", Kind::File, mode).may(&user, bit), may, "{uid} {gids:?} {mode:o} {bit}");
    };
    check(998, &[1], 0o200, 2, true);
    // The owner is not helped by what the group may.
    check(998, &[997], 0o070, 4, false);
    check(1, &[5, 997], 0o020, 2, true);
    check(1, &[997], 0o002, 2, false);
    check(1, &[1], 0o002, 2, true);
    check(1, &[1], 0o770, 4, false);
    check(0, &[0], 0o000, 2, true);
}
