//! `make install`, the `.deb`, the tarball and the workflow that publishes them, with a stand-in for the program.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use teal_testkit::{Folder, folder};

use crate::said::Said;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Somewhere to build, with a program that knows how to write its manual and completions.
struct Scratch(Folder);

impl Scratch {
    fn new() -> Self {
        let folder = folder();
        let program = folder.path().join("program");
        let script = "#!/bin/sh\ncase \"$*\" in\n*--help) ;;\n--version) echo teal 9.9.9 ;;\n\
                      'manual --dir '*) echo page > \"$3/teal.1\" ;;\n'completions '*) echo \"for $2\" ;;\nesac\n";
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// `make WORDS` in the folder of the source, with the stand-in.
    fn make(&self, words: &[&str]) -> Said {
        let mut command = Command::new("make");
        command.arg("-C").arg(root()).arg(format!("TEAL_BIN={}", self.path("program").display())).args(words);
        run(command)
    }
}

fn run(mut command: Command) -> Said {
    for name in ["MAKEFLAGS", "MAKELEVEL", "DESTDIR", "PREFIX", "PLATFORM", "SOURCE_DATE_EPOCH"] {
        command.env_remove(name);
    }
    Said::from(command.stdin(Stdio::null()).output().unwrap())
}

/// Each file below a folder, with its mode.
fn files(folder: &Path) -> BTreeMap<String, u32> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(one) = folders.pop() {
        for entry in fs::read_dir(one).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                found.insert(name, fs::metadata(&path).unwrap().permissions().mode() & 0o777);
            }
        }
    }
    found
}

const INSTALLED: [(&str, u32); 14] = [
    ("bin/teal", 0o755),
    ("lib/systemd/system/teal.service", 0o644),
    ("lib/systemd/system/teal.service.d/local.conf", 0o644),
    ("lib/sysusers.d/teal.conf", 0o644),
    ("lib/tmpfiles.d/teal.conf", 0o644),
    ("share/bash-completion/completions/teal", 0o644),
    ("share/doc/teal/CHANGELOG.md", 0o644),
    ("share/doc/teal/LICENSE", 0o644),
    ("share/doc/teal/README.md", 0o644),
    ("share/fish/vendor_completions.d/teal.fish", 0o644),
    ("share/man/man1/teal.1", 0o644),
    ("share/teal/smoke.toml", 0o644),
    ("share/teal/teal.toml", 0o644),
    ("share/zsh/site-functions/_teal", 0o644),
];

#[test]
fn what_is_installed_can_be_uninstalled_and_the_configuration_is_never_touched() {
    let check = |prefix: &str| {
        let scratch = Scratch::new();
        let words = |target: &str| {
            let destination = format!("DESTDIR={}", scratch.path("root").display());
            scratch.make(&[target, &destination, &format!("PREFIX={prefix}")])
        };
        words("install").expect(0, &[]);
        let mut wanted: BTreeMap<String, u32> =
            INSTALLED.iter().map(|(name, mode)| (format!("{}/{name}", &prefix[1..]), *mode)).collect();
        for name in ["smoke.toml", "teal.toml"] {
            wanted.insert(format!("etc/teal/{name}"), 0o640);
        }
        assert_eq!(files(&scratch.path("root")), wanted);
        let under = |name: &str| fs::read_to_string(scratch.path("root").join(&prefix[1..]).join(name)).unwrap();
        let unit = under("lib/systemd/system/teal.service");
        assert!(
            unit.contains(&format!("\nExecStart={prefix}/bin/teal --config /etc/teal/teal.toml agent\n")),
            "{unit}"
        );
        assert_eq!(under("share/bash-completion/completions/teal"), "for bash\n");

        let configuration = scratch.path("root/etc/teal/teal.toml");
        fs::write(&configuration, "mine").unwrap();
        words("install").expect(0, &["is there already and stays as it is"]);
        words("uninstall").expect(0, &["they are yours"]);
        assert_eq!(
            files(&scratch.path("root")).into_keys().collect::<Vec<_>>(),
            ["etc/teal/smoke.toml", "etc/teal/teal.toml"]
        );
        assert_eq!(fs::read_to_string(configuration).unwrap(), "mine");
    };
    check("/usr/local");
    check("/usr");
}

#[test]
fn what_is_installed_is_a_configuration_and_units_that_their_programs_take() {
    let scratch = Scratch::new();
    scratch.make(&["install", &format!("DESTDIR={}", scratch.path("root").display())]).expect(0, &[]);
    let configuration = scratch.path("root/etc/teal/teal.toml");
    crate::said::teal(scratch.0.path(), &["config", "check", "--config", configuration.to_str().unwrap()])
        .expect(0, &["is valid", "/usr/local/bin/ntfy-send is not there on this machine"]);
    let config = teal_agent::config::load(Some(&configuration)).unwrap().config;
    for (name, environment) in &config.environments {
        assert_eq!(environment.mode, teal_rollout::settings::Mode::Observe, "{name}");
        let bind = format!("{:?}", environment.edge.bind);
        assert!(bind.contains("127.0.0.1:808"), "{name}: {bind}");
    }
    let readme = fs::read_to_string(scratch.path("root/usr/local/share/doc/teal/README.md")).unwrap();
    assert!(!readme.contains("](docs/") && readme.contains("/blob/v0.1.0/docs/flags.md)"), "its links lead somewhere");
    // Without what is only for processes on this box.
    let other = format!("DESTDIR={}", scratch.path("other").display());
    scratch.make(&["install", &other, "PLATFORM=kubernetes"]).expect(0, &[]);
    assert!(!files(&scratch.path("other")).keys().any(|name| name.ends_with("local.conf")));
    let mut missing = Command::new("make");
    missing.arg("-C").arg(root()).args(["install", &other, "TEAL_BIN=/nowhere/teal"]);
    run(missing).expect(2, &["/nowhere/teal is not there: make build, as yourself, then sudo make install"]);
    for (program, file) in [("systemd-sysusers", "sysusers"), ("systemd-tmpfiles", "tmpfiles")] {
        // Parsed for a root of its own: it changes nothing here.
        let mut command = Command::new(program);
        command.arg(format!("--root={}", scratch.path("other").display()));
        command.args(if file == "sysusers" { &["--dry-run"][..] } else { &["--cat-config"] });
        command.arg(root().join(format!("manifests/systemd/{file}.conf")));
        match command.output() {
            Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
            Err(_) => println!("there is no {program}: {file}.conf was not tried"),
        }
    }
}

#[test]
fn the_deb_holds_what_is_installed_and_its_scripts_overwrite_nothing() {
    let scratch = Scratch::new();
    scratch.make(&["package", &format!("PACKAGES={}", scratch.path("out").display())]).expect(0, &[]);
    let mut deb = fs::read_dir(scratch.path("out")).unwrap().map(|entry| entry.unwrap().path());
    let deb = deb.find(|path| path.extension().is_some_and(|extension| extension == "deb")).unwrap();
    let dpkg = |words: &[&str]| {
        let mut command = Command::new("dpkg-deb");
        command.args(words);
        run(command)
    };
    let (deb, to) = (deb.to_str().unwrap(), scratch.path("root"));
    dpkg(&["--raw-extract", deb, to.to_str().unwrap()]).expect(0, &[]);
    let installed: Vec<String> = INSTALLED.iter().map(|(name, _)| format!("usr/{name}")).collect();
    let held: Vec<String> = files(&to).into_keys().filter(|name| !name.starts_with("DEBIAN/")).collect();
    assert_eq!(held, installed);
    assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o755, "it would be that of /");
    dpkg(&["--field", deb]).expect(0, &["Package: teal", &format!("Version: {}", env!("CARGO_PKG_VERSION"))]);

    // Its scripts, with programs that write down how they are called.
    let bin = scratch.path("bin");
    fs::create_dir(&bin).unwrap();
    for name in ["systemctl", "systemd-sysusers", "systemd-tmpfiles"] {
        let called = scratch.path("called");
        fs::write(bin.join(name), format!("#!/bin/sh\necho {name} \"$@\" >> {}\n", called.display())).unwrap();
        fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::create_dir_all(to.join("run/systemd/system")).unwrap();
    let script = |name: &str, words: &[&str]| {
        let _ = fs::remove_file(scratch.path("called"));
        let mut command = Command::new(to.join("DEBIAN").join(name));
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        command.args(words).env("PATH", path).env("DPKG_ROOT", &to);
        run(command).expect(0, &[]);
        fs::read_to_string(scratch.path("called")).unwrap_or_default().replace(to.to_str().unwrap(), "ROOT")
    };
    let configured = script("postinst", &["configure"]);
    let expected = "systemd-sysusers --root=ROOT teal.conf\nsystemd-tmpfiles --root=ROOT --create teal.conf\n\
                    systemctl daemon-reload\nsystemctl try-restart teal.service\n";
    assert_eq!(configured, expected);
    let configuration = to.join("etc/teal/teal.toml");
    let example = fs::read_to_string(to.join("usr/share/teal/teal.toml")).unwrap();
    assert_eq!(fs::read_to_string(&configuration).unwrap(), example);
    fs::write(&configuration, "mine").unwrap();
    assert_eq!(script("prerm", &["upgrade", "0.2.0"]), "", "the agent goes on until the new one is there");
    script("postinst", &["configure", "0.1.0"]);
    assert_eq!(script("prerm", &["remove"]), "systemctl disable --now teal.service\n");
    script("postrm", &["purge"]);
    assert_eq!(fs::read_to_string(configuration).unwrap(), "mine");
}

#[test]
fn the_tarball_installs_itself() {
    let scratch = Scratch::new();
    scratch.make(&["package", &format!("PACKAGES={}", scratch.path("out").display())]).expect(0, &[]);
    let mut unpack = Command::new("sh");
    unpack.args(["-ec", "tar -xzf out/*.tar.gz && cd teal-*-linux && make install DESTDIR=\"$OLDPWD/root\""]);
    unpack.current_dir(scratch.0.path());
    run(unpack).expect(0, &[]);
    let installed = files(&scratch.path("root"));
    assert_eq!(installed.len(), INSTALLED.len() + 2, "{installed:?}");
    assert_eq!(installed["usr/local/bin/teal"], 0o755);
}

#[test]
fn a_release_is_of_a_tag_of_this_version_and_is_tried_before_it_is_published() {
    let text = fs::read_to_string(root().join(".github/workflows/release.yml")).unwrap();
    let workflow: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
    assert_eq!(workflow["on"]["push"]["tags"], serde_json::json!(["v*"]));
    assert_eq!(workflow["permissions"], serde_json::json!({ "contents": "read" }));
    assert_eq!(workflow["jobs"]["publish"]["needs"], "build");
    let steps = workflow["jobs"]["build"]["steps"].as_array().unwrap();
    let runs: Vec<&str> = steps.iter().filter_map(|step| step["run"].as_str()).collect();
    let place =
        |what: &str| runs.iter().position(|run| run.contains(what)).unwrap_or_else(|| panic!("no step `{what}`"));
    assert!(place("make --no-print-directory version") < place("make build"));
    assert!(place("make build") < place("make package"));
    assert!(place("make package") < place("apt-get install --yes --no-install-recommends /package/teal_*.deb"));
    let scratch = Scratch::new();
    scratch.make(&["--no-print-directory", "-s", "version"]).expect(0, &[env!("CARGO_PKG_VERSION")]);
    let dry = scratch.make(&["-n", "build", "TEAL_COMMIT=1a2b", "TEAL_DATE=2026-11-28"]);
    dry.expect(0, &["TEAL_COMMIT='1a2b' TEAL_DATE='2026-11-28' ", "cargo build --locked --release --package teal"]);
}

#[test]
fn the_program_says_which_it_is_or_that_it_does_not_know() {
    let said = crate::said::teal(folder().path(), &["--version"]);
    let commit = option_env!("TEAL_COMMIT").filter(|commit| !commit.is_empty()).unwrap_or("unknown");
    said.expect(0, &[&format!("teal {} (commit {commit}", env!("CARGO_PKG_VERSION"))]);
    crate::said::teal(folder().path(), &["-V"]).expect(0, &[&format!("teal {}\n", env!("CARGO_PKG_VERSION"))]);
}
