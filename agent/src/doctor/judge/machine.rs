//! The machine, and the files that the configuration names.

use time::Duration;

use super::{Facts, Finding};
use crate::doctor::{Kind, Level};

/// Less than this on the state's disk is little, in bytes.
const LITTLE: u64 = 256 << 20;
/// The same in files.
const FEW: u64 = 1_000;
/// A certificate that ends sooner than this is not renewed by itself.
const SOON: Duration = Duration::days(21);

pub(super) fn configuration(facts: &Facts) -> Finding {
    let path = facts.configuration.display();
    match &facts.warnings[..] {
        [] => Finding::fine("configuration", path.to_string()),
        warnings => {
            Finding::note("configuration", format!("{path}: {}", warnings.join("; "))).mend(format!("sudoedit {path}"))
        }
    }
}

pub(super) fn state(facts: &Facts) -> Finding {
    let (check, user, path) = ("state", &facts.user.name, facts.state_path.display());
    let Some(node) = &facts.state else {
        let mend = format!("sudo install -d -m 750 -o {user} {path}");
        return Finding::hurts(check, format!("{path} is not there"), mend);
    };
    let seen = format!("{path}, mode {:03o}", node.mode & 0o777);
    if node.kind != Kind::Folder {
        return Finding::hurts(check, format!("{path} is no folder"), format!("sudo mv {path} {path}.old"));
    }
    if node.everybody(0o007) {
        return Finding::hurts(
            check,
            format!("{seen}: everybody on this machine may look into it"),
            format!("sudo chmod 750 {path}"),
        );
    }
    if !node.may(&facts.user, 2) {
        return Finding::hurts(
            check,
            format!("{seen}: {user} may not write there"),
            format!("sudo chown {user} {path}"),
        );
    }
    Finding::fine(check, seen)
}

pub(super) fn space(facts: &Facts) -> Finding {
    let Some(space) = facts.space else { return Finding::note("disk", "its free space cannot be told") };
    let files = space.files.map(|files| format!(" and {files} files")).unwrap_or_default();
    let seen = format!("{} MiB{files} free for the state", space.bytes >> 20);
    if space.bytes < LITTLE || space.files.is_some_and(|files| files < FEW) {
        let mend = format!("df -h {0}; df -i {0}; sudo journalctl --vacuum-size=200M", facts.state_path.display());
        return Finding::hurts("disk", seen, mend);
    }
    Finding::fine("disk", seen)
}

pub(super) fn clock(facts: &Facts) -> Finding {
    let clock = &facts.clock;
    if let Some((path, by)) = &clock.ahead {
        let seen = format!(
            "{} was written {} s in the future: this clock was set back, or is behind",
            path.display(),
            by.as_secs()
        );
        return Finding::hurts("clock", seen, "sudo timedatectl set-ntp true");
    }
    let time = facts.now.time();
    match clock.is_synchronised {
        Some(true) => Finding::fine("clock", "held to other clocks (NTP)"),
        Some(false) => Finding::hurts("clock", "not held to other clocks (NTP)", "sudo timedatectl set-ntp true"),
        None => Finding::note(
            "clock",
            format!(
                "it says {:02}:{:02} UTC; nothing here says whether it is held to other clocks (NTP)",
                time.hour(),
                time.minute()
            ),
        ),
    }
}

pub(super) fn smoke(facts: &Facts) -> Finding {
    match &facts.smoke {
        Ok(Some(checks)) => Finding::fine("smoke suite", format!("{checks} checks")),
        Ok(None) => Finding::note("smoke suite", "there is none: a new colour gets traffic as soon as it is ready")
            .mend("[smoke] suite = \"/etc/teal/smoke.toml\""),
        Err(error) => Finding::hurts("smoke suite", error, format!("teal smoke {}", facts.environment)),
    }
}

/// The one that is worst off.
pub(super) fn certificates(facts: &Facts) -> Finding {
    let check = "certificates";
    let judged = facts.certificates.iter().map(|certificate| {
        let (key, path) = (certificate.key, certificate.path.display());
        match &certificate.until {
            Err(error) => Finding::hurts(
                check,
                format!("{key}, {path}: {error}"),
                format!("openssl x509 -noout -enddate -in {path}"),
            ),
            Ok(until) => {
                let seen = format!("{path} ends on {}, in {} days", until.date(), (*until - facts.now).whole_days());
                if *until - facts.now < SOON {
                    Finding::hurts(check, format!("{key}: {seen}"), "sudo certbot renew   # or as it came there")
                } else {
                    Finding::fine(check, seen)
                }
            }
        }
    });
    let worst = judged.reduce(|worst, one| if worst.level == Level::Hurts { worst } else { one });
    worst.unwrap_or_else(|| Finding::fine(check, "none is served"))
}

/// One finding for each file that is open to too many, or cannot be read; one for all when none is.
pub(super) fn secrets(facts: &Facts) -> Vec<Finding> {
    let check = "secrets";
    let judged = facts.secrets.iter().filter_map(|secret| match &secret.file {
        Err(error) => {
            Some(Finding::hurts(check, format!("{}: {error}", secret.key), "the file it names must be there"))
        }
        Ok(node) if node.everybody(0o007) || node.mode & 0o020 != 0 => Some(Finding::hurts(
            check,
            format!("{}, {}, has mode {:03o}", secret.key, node.path.display(), node.mode & 0o777),
            format!("sudo chmod 640 {}", node.path.display()),
        )),
        Ok(node) if !node.may(&facts.user, 4) => Some(Finding::hurts(
            check,
            format!("{}, {}: {} may not read it", secret.key, node.path.display(), facts.user.name),
            format!("sudo chown {} {}", facts.user.name, node.path.display()),
        )),
        Ok(_) => None,
    });
    let wrong: Vec<Finding> = judged.collect();
    match (wrong.is_empty(), facts.secrets.len()) {
        (false, _) => wrong,
        (true, 0) => vec![Finding::fine(check, "no file holds one")],
        (true, files) => vec![Finding::fine(check, format!("{files} files, open to nobody else"))],
    }
}
