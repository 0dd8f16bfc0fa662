//! The rules, each a table where it can be one.

use std::path::Path;

use super::Source;
use super::paths::{code, has_word, module, named, product};

/// A module of `agent/src` and the modules there that it must not name.
///
/// main -> cli -> runtime -> controller -> teal-rollout, with the ports below and beside each other.
const MUST_NOT_NAME: [(&str, &[&str]); 16] = [
    ("access", &["platform", "proxy", "store", "notifier", "controller", "runtime", "http", "cli", "flags", "config"]),
    ("break_glass", &["platform", "store", "notifier", "controller", "runtime", "http", "cli", "flags"]),
    ("doctor", &["platform", "store", "controller", "http", "cli", "flags"]),
    ("cluster", &["platform", "proxy", "store", "notifier", "controller", "runtime", "http", "cli", "flags", "config"]),
    ("platform", &["proxy", "store", "notifier", "controller", "runtime", "http", "cli"]),
    ("proxy", &["platform", "store", "notifier", "controller", "runtime", "http", "cli"]),
    ("store", &["platform", "proxy", "notifier", "controller", "runtime", "http", "cli"]),
    ("notifier", &["platform", "proxy", "store", "controller", "runtime", "http", "cli"]),
    (
        "observer",
        &["platform", "proxy", "store", "notifier", "controller", "runtime", "http", "cli", "flags", "config"],
    ),
    ("probe", &["platform", "proxy", "store", "notifier", "controller", "runtime", "http", "cli"]),
    ("smoke", &["platform", "proxy", "store", "notifier", "controller", "runtime", "http", "cli"]),
    ("controller", &["runtime", "http", "cli"]),
    ("http", &["platform", "cli"]),
    ("flags", &["platform", "proxy", "store", "notifier", "controller", "runtime", "http", "cli"]),
    ("foreign", &["platform", "proxy", "store", "notifier", "controller", "runtime", "http", "cli", "flags"]),
    ("cli", &["store", "flags"]),
];

/// Those who see only what `controller/mod.rs` exports, never its inner modules, and who do not reach round it: they may
/// show what a port publishes, and never give it an order themselves.
const OUTSIDE_THE_CONTROLLER: [&str; 4] = ["http", "cli", "doctor", "break_glass"];

/// What a port is ordered with.
const ORDERS: [&str; 5] = ["EdgeOrder", "PlatformOrder", "Sqlite", "Write", "Writer"];

/// Crates that take time as an argument and touch nothing.
const PURE: [&str; 2] = ["agent/rollout", "sdk"];

/// Parts of them that stand behind a feature and may touch the world.
const FEATURES: [&str; 2] = ["sdk/src/client/", "sdk/src/pseudonym.rs"];

const IMPURE_WORDS: [&str; 16] = [
    "tokio",
    "async_std",
    "Instant",
    "SystemTime",
    "UNIX_EPOCH",
    "std::fs",
    "std::env",
    "std::process",
    "std::thread",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "ToSocketAddrs",
    "rand",
    "fastrand",
    "getrandom",
];

const IMPURE_CRATES: [&str; 12] = [
    "tokio",
    "hyper",
    "reqwest",
    "rustix",
    "mio",
    "rand",
    "fastrand",
    "getrandom",
    "time",
    "chrono",
    "tempfile",
    "tracing",
];

/// The most lines of code a file may have, its test module not counted; files of tests alone are free.
const MAX_LINES: usize = 300;

/// Files that may be longer, up to so many lines, and why.
const LONGER: [(&str, usize, &str); 0] = [];

/// Which modules of the agent a file names although it must not.
pub(super) fn arrows(source: &Source) -> Vec<String> {
    let Some(file) = source.path.strip_prefix("agent/src/").filter(|file| file.ends_with(".rs")) else { return vec![] };
    let module = module(file);
    let Some(layer) = module.first() else { return vec![] };
    let forbidden = MUST_NOT_NAME.iter().find(|(name, _)| name == layer).map_or(&[][..], |(_, forbidden)| forbidden);
    let mut wrong = Vec::new();
    for path in named(&code(&source.text), &module) {
        let Some(first) = path.first() else { continue };
        if forbidden.contains(&first.as_str()) {
            wrong.push(format!("{}: `{layer}` must not name `{first}`", source.path));
        }
        if !OUTSIDE_THE_CONTROLLER.contains(&layer.as_str()) {
            continue;
        }
        let inner = path.get(1).filter(|second| second.starts_with(|c: char| c.is_lowercase()) && path.len() > 2);
        if let Some(inner) = inner.filter(|_| first == "controller") {
            wrong.push(format!(
                "{}: `{layer}` reaches into `controller::{inner}`; take what `controller` exports",
                source.path
            ));
        }
        if let Some(order) = path.last().filter(|leaf| first != "controller" && ORDERS.contains(&leaf.as_str())) {
            wrong.push(format!("{}: `{layer}` reaches round the controller with `{order}`", source.path));
        }
    }
    wrong.sort();
    wrong.dedup();
    wrong
}

/// Where a pure crate touches the world, by its words or by its dependencies.
pub(super) fn purity(source: &Source) -> Vec<String> {
    let Some((pure, file)) =
        PURE.iter().find_map(|pure| Some((pure, source.path.strip_prefix(pure)?.strip_prefix('/')?)))
    else {
        return vec![];
    };
    if file == "Cargo.toml" {
        let manifest: toml::Table = source.text.parse().unwrap();
        let dependencies = manifest.get("dependencies").and_then(toml::Value::as_table).cloned().unwrap_or_default();
        let is_always_there =
            |dependency: &toml::Value| dependency.get("optional") != Some(&toml::Value::Boolean(true));
        let always = dependencies.iter().filter(|(_, dependency)| is_always_there(dependency)).map(|(name, _)| name);
        let impure = always.filter(|name| IMPURE_CRATES.contains(&name.as_str()));
        return impure.map(|name| format!("{}: a pure crate depends on `{name}`", source.path)).collect();
    }
    let is_feature = FEATURES.iter().any(|feature| source.path.starts_with(feature));
    let is_test = file.ends_with("/tests.rs") || file.contains("/tests/");
    if is_feature || is_test || !file.starts_with("src/") || !file.ends_with(".rs") {
        return vec![];
    }
    let code = code(&source.text);
    let words = IMPURE_WORDS.iter().filter(|word| has_word(&code, word));
    words
        .map(|word| format!("{}: `{pure}` is pure; `{word}` is not (pass it in as an argument)", source.path))
        .collect()
}

/// Files that are too long to be read in one go.
pub(super) fn length(source: &Source) -> Vec<String> {
    let lines = lines_of_code(source);
    let most = LONGER.iter().find(|(path, ..)| *path == source.path).map_or(MAX_LINES, |(_, most, _)| *most);
    if lines <= most {
        return vec![];
    }
    vec![format!("{}: {lines} lines of code, the most is {most}: split it by what it does", source.path)]
}

/// 0 for files of tests alone and for what is not Rust.
fn lines_of_code(source: &Source) -> usize {
    let path = &source.path;
    if !path.ends_with(".rs") || path.contains("/tests/") || path.ends_with("/tests.rs") {
        return 0;
    }
    product(&code(&source.text)).lines().count()
}

/// Exceptions for files that are gone or short again.
pub(super) fn stale_exceptions(root: &Path, sources: &[Source]) -> Vec<String> {
    let is_long = |path: &str| sources.iter().any(|source| source.path == path && lines_of_code(source) > MAX_LINES);
    let stale = LONGER.iter().filter(|(path, ..)| root.join("Cargo.toml").exists() && !is_long(path));
    stale.map(|(path, ..)| format!("{path}: needs no exception from the line limit any more")).collect()
}

/// Code that is not written yet, and tests that are not run.
pub(super) fn unfinished(source: &Source) -> Vec<String> {
    if !source.path.ends_with(".rs") {
        return vec![];
    }
    let code = code(&source.text);
    let signs = [
        (concat!("to", "do!"), "is a stub"),
        (concat!("unimple", "mented!"), "is a stub"),
        (concat!("#[ig", "nore"), "does not test"),
    ];
    let found = signs.into_iter().filter(|(sign, _)| code.contains(sign));
    found.map(|(sign, what)| format!("{}: `{sign}` {what}", source.path)).collect()
}

/// Files and folders that the map of the code base names and that are not there.
pub(super) fn named_paths(root: &Path, source: &Source) -> Vec<String> {
    if source.path != "docs/architecture.md" {
        return vec![];
    }
    let quoted = source.text.split('`').skip(1).step_by(2);
    let is_path = |text: &&str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_');
        text.contains('/') && !text.starts_with('/') && text.chars().all(plain)
    };
    let gone = quoted.filter(is_path).filter(|path| !root.join(path).exists());
    gone.map(|path| format!("{}: `{path}` is not there", source.path)).collect()
}
