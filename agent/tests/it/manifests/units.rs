//! systemd units and the image, as far as they can be read.

use std::collections::BTreeMap;
use std::process::Command;

use super::{folder, read};

/// `Section.Key` and its values in the order of the file.
fn unit(file: &str) -> BTreeMap<String, Vec<String>> {
    let text = read(file);
    let mut section = String::new();
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            name.clone_into(&mut section);
        } else {
            let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("{file}: {line}"));
            found.entry(format!("{section}.{key}")).or_default().push(value.to_owned());
        }
    }
    found
}

#[test]
fn the_agent_on_the_box_is_confined_and_comes_back() {
    let unit = unit("systemd/teal.service");
    let check = |key: &str, value: &str| {
        let found = unit.get(&format!("Service.{key}"));
        assert!(found.is_some_and(|found| found.iter().any(|found| found == value)), "{key}={value}: {found:?}");
    };
    for key in [
        "NoNewPrivileges",
        "PrivateTmp",
        "PrivateDevices",
        "ProtectHome",
        "ProtectKernelTunables",
        "ProtectKernelModules",
        "ProtectKernelLogs",
        "ProtectControlGroups",
        "ProtectClock",
        "ProtectHostname",
        "RestrictNamespaces",
        "RestrictRealtime",
        "RestrictSUIDSGID",
        "LockPersonality",
        "MemoryDenyWriteExecute",
    ] {
        check(key, "yes");
    }
    check("ProtectSystem", "strict");
    check("CapabilityBoundingSet", "");
    check("Restart", "always");
    check("User", "teal");
    check("UMask", "0027");
    let writable = &unit["Service.ReadWritePaths"].join(" ");
    assert_eq!(writable, "/etc/haproxy/teal", "all that it writes beside its own state");
    let local = self::unit("systemd/teal.service.d/local.conf");
    assert_eq!(local["Service.KillMode"], ["process"], "the application outlives the agent");
}

#[test]
fn systemd_finds_no_mistake_in_the_unit() {
    let scratch = teal_testkit::folder();
    // The program is not installed here, and its absence is not what is asked about.
    let program = scratch.path().join("teal");
    std::fs::copy("/bin/true", &program).unwrap();
    let text = read("systemd/teal.service").replace("/usr/local/bin/teal", program.to_str().unwrap());
    let path = scratch.path().join("teal.service");
    std::fs::write(&path, text).unwrap();
    let Ok(output) = Command::new("systemd-analyze").arg("verify").arg("--man=no").arg(&path).output() else {
        println!("there is no systemd-analyze: the unit was read by this test alone");
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let about_it: Vec<&str> = said.lines().filter(|line| line.contains("teal.service")).collect();
    assert!(about_it.is_empty(), "{said}");
}

/// What a linter of Dockerfiles would say, of what is used here.
#[test]
fn the_image_is_small_static_and_of_no_root() {
    let text = std::fs::read_to_string(folder().join("../Dockerfile")).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let from: Vec<&str> = lines.iter().filter(|line| line.starts_with("FROM ")).copied().collect();
    assert!(from.iter().all(|line| line.contains(" AS ") || *line == "FROM scratch"), "{from:?}");
    assert!(from.iter().all(|line| !line.contains(":latest")), "{from:?}");
    assert_eq!(from.last(), Some(&"FROM scratch"), "nothing but the program");
    let last = text.rsplit("FROM scratch").next().unwrap();
    let user = last.lines().find_map(|line| line.strip_prefix("USER ")).unwrap();
    assert_eq!(user, "65532:65532", "numbers, so that runAsNonRoot can see that it is not root");
    assert!(last.contains("ENTRYPOINT [\"/teal\"]"), "as a list: there is no shell");
    assert!(text.contains("target-feature=+crt-static"), "{text}");
    assert!(lines.iter().all(|line| !line.starts_with("ADD ")), "COPY says what it does");
    assert!(lines.iter().filter(|line| line.contains("cargo build")).all(|line| line.contains("--locked")), "{text}");
    let rust = std::fs::read_to_string(folder().join("../Cargo.toml")).unwrap();
    let wanted =
        rust.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap().trim_matches('"').to_owned();
    assert!(text.contains(&format!("rust:{wanted}")), "the image is built by Rust {wanted}");
    let ignored = std::fs::read_to_string(folder().join("../.dockerignore")).unwrap();
    assert!(["target", ".git"].iter().all(|name| ignored.lines().any(|line| line == *name)), "{ignored}");
}
