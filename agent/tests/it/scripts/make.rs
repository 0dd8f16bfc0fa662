//! `make deploy-blue-green ENV=... API_TAG=... WEB_TAG=...` and its like: what `teal` is called with.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use clap::CommandFactory as _;
use teal_agent::cli::Cli;
use teal_testkit::{Folder, folder};

use crate::said::Said;

pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A repository of somebody else, whose Makefile includes ours first of all, and a `teal` that writes down how it is called.
pub(super) fn repository() -> Folder {
    let folder = folder();
    let include =
        format!("include {}\nbuild:\n\t@echo built\n", root().join("examples/from-scripts/teal.mk").display());
    fs::write(folder.path().join("Makefile"), include).unwrap();
    let teal = folder.path().join("teal");
    fs::write(&teal, "#!/bin/sh\nprintf '%s\\n' \"$@\" >> called\nexit ${TEAL_EXIT:-0}\n").unwrap();
    fs::set_permissions(&teal, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

pub(super) fn make(folder: &Path, more: &[&str], words: &[&str]) -> Said {
    let mut command = Command::new("make");
    command.args(more).args(words).current_dir(folder).stdin(Stdio::null());
    for name in ["ENV", "API_TAG", "WEB_TAG", "RELEASE", "URL", "TEAL", "TEAL_CONFIG", "MAKEFLAGS", "MAKELEVEL"] {
        command.env_remove(name);
    }
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    Said::from(command.env("PATH", path).output().unwrap())
}

#[test]
fn each_old_target_is_one_command_of_teal() {
    let check = |line: &str, called: &str| {
        let folder = repository();
        let words: Vec<&str> = line.split(' ').collect();
        make(folder.path(), &[], &words).expect(0, &[]);
        let written = fs::read_to_string(folder.path().join("called")).unwrap();
        let written: Vec<&str> = written.lines().collect();
        assert_eq!(written.join(" "), called, "make {line}");
        let parsed = Cli::command().try_get_matches_from([&["teal"][..], &written].concat());
        assert!(parsed.is_ok(), "teal {called}: {}", parsed.unwrap_err());
    };
    check("deploy-blue-green ENV=prod API_TAG=v1.2.3 WEB_TAG=v1.2.4", "deploy prod --set api=v1.2.3 --set web=v1.2.4");
    check("deploy-blue-green-api ENV=dev API_TAG=v1.2.3", "deploy dev --set api=v1.2.3");
    check("deploy-blue-green-web ENV=dev WEB_TAG=v1.2.3", "deploy dev --set web=v1.2.3");
    check("deploy-blue-green-api ENV=dev API_TAG=v1 TEAL_API=backend", "deploy dev --set backend=v1");
    check("deploy-blue-green-api ENV=dev API_TAG=v1 DEPLOY_FLAGS=--yes", "deploy dev --set api=v1 --yes");
    check("deploy-rollback ENV=prod TEAL_FLAGS=--json", "--json rollback prod");
    check("deploy-rollback ENV=prod", "rollback prod");
    check("deploy-rollback ENV=prod RELEASE=r-0004", "rollback prod --to r-0004");
    check("deploy-smoke-test ENV=staging", "smoke staging");
    check("deploy-smoke-test ENV=staging URL=https://new.example", "smoke https://new.example --env staging");
}

#[test]
fn a_variable_that_is_missing_is_named_with_the_way_out_and_nothing_is_called() {
    let check = |line: &str, said: &[&str]| {
        let folder = repository();
        let words: Vec<&str> = line.split(' ').collect();
        make(folder.path(), &[], &words).expect(2, said);
        assert!(!folder.path().join("called").exists(), "make {line}");
    };
    let both = "make deploy-blue-green ENV=prod API_TAG=v1.2.3 WEB_TAG=v1.2.3";
    check("deploy-blue-green API_TAG=v1 WEB_TAG=v1", &["ENV is missing", both]);
    check("deploy-blue-green ENV=prod WEB_TAG=v1", &["API_TAG is missing", both, "make deploy-blue-green-web"]);
    check("deploy-blue-green ENV=prod API_TAG=v1 WEB_TAG=", &["WEB_TAG is missing", both]);
    check("deploy-blue-green-api ENV=prod", &["API_TAG is missing", "make deploy-blue-green-api ENV=prod API_TAG="]);
    check("deploy-blue-green-web ENV=prod", &["WEB_TAG is missing"]);
    check("deploy-rollback", &["ENV is missing: make deploy-rollback ENV=prod"]);
    check("deploy-smoke-test", &["ENV is missing: make deploy-smoke-test ENV=staging"]);
}

#[test]
fn what_a_variable_holds_is_one_word_and_no_command() {
    let folder = repository();
    let tag = "API_TAG=v1'; touch pwned; echo '";
    make(folder.path(), &[], &["deploy-blue-green-api", "ENV=prod", tag]).expect(0, &[]);
    let called = fs::read_to_string(folder.path().join("called")).unwrap();
    assert_eq!(called.lines().last(), Some("api=v1'; touch pwned; echo '"));
    assert!(!folder.path().join("pwned").exists());
}

#[test]
fn make_alone_is_never_a_release_and_a_failure_of_teal_is_one_of_make() {
    let folder = repository();
    make(folder.path(), &[], &[]).expect(0, &["built"]);
    let root = root().to_str().unwrap();
    make(folder.path(), &["-C", root], &[])
        .expect(0, &["make help ", "make deploy-blue-green ", "make deploy-rollback "]);
    assert!(!folder.path().join("called").exists());
    make(folder.path(), &["TEAL=false"], &["deploy-rollback", "ENV=prod"]).expect(2, &["Error 1"]);
    make(folder.path(), &["TEAL=TEAL_EXIT=3 teal"], &["deploy-rollback", "ENV=prod"]).expect(2, &["Error 3"]);
}

#[test]
fn our_own_makefile_has_them_too() {
    let folder = repository();
    let words = ["-n", "deploy-blue-green", "ENV=prod", "API_TAG=v1.2.3", "WEB_TAG=v1.2.3"];
    let said = make(folder.path(), &["-C", root().to_str().unwrap()], &words);
    said.expect(0, &["teal  deploy 'prod' --set 'api=v1.2.3' --set 'web=v1.2.3'"]);
}
