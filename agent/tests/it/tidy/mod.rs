//! Keeps the arrows of `docs/architecture.md`: who may name whom, what pure crates may touch, how long a file may be.
//!
//! ```text
//! files -> code (comments and texts blanked) -> paths of every `crate::`, `super::` -> rules -> sentences
//! ```
//! A reader of text and not of Rust: it sees what people write, not what a macro hides.

mod paths;
mod rules;

use std::fs;
use std::path::{Path, PathBuf};

/// One file of the repository.
struct Source {
    /// From the repository's root, with `/`.
    path: String,
    /// As it stands.
    text: String,
}

/// Every file under `folders`, sorted by path; hidden ones and build output left out.
fn sources(root: &Path, folders: &[&str]) -> Vec<Source> {
    let mut waiting: Vec<PathBuf> = folders.iter().map(|folder| root.join(folder)).collect();
    let mut found = Vec::new();
    while let Some(path) = waiting.pop() {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') || name == "target" {
            continue;
        }
        if path.is_dir() {
            waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if let Ok(text) = fs::read_to_string(&path) {
            let path = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            found.push(Source { path, text });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Everything that is not as it should be, one sentence each.
fn untidy(root: &Path) -> Vec<String> {
    let sources = sources(root, &["agent", "sdk", "benches", "docs"]);
    let mut wrong = Vec::new();
    for source in &sources {
        wrong.extend(rules::arrows(source));
        wrong.extend(rules::purity(source));
        wrong.extend(rules::length(source));
        wrong.extend(rules::unfinished(source));
        wrong.extend(rules::named_paths(root, source));
    }
    wrong.extend(rules::stale_exceptions(root, &sources));
    wrong
}

#[test]
fn the_repository_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let wrong = untidy(root);
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn every_planted_violation_is_caught_and_harmless_code_is_not() {
    let check = |path: &str, text: &str, words: Option<&str>| {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        let wrong = untidy(root.path());
        match words {
            None => assert!(wrong.is_empty(), "{path}: {text}: {wrong:?}"),
            Some(words) => {
                assert_eq!(wrong.len(), 1, "{path}: {text}: {wrong:?}");
                assert!(wrong[0].starts_with(path) && wrong[0].contains(words), "{path}: {text}: {wrong:?}");
            }
        }
    };

    // Ports do not know each other, nor who uses them.
    let arrow = Some("`platform` must not name `proxy`");
    check("agent/src/platform/local/mod.rs", "use crate::proxy::Edge;", arrow);
    check("agent/src/platform/local/mod.rs", "fn f() { crate::proxy::f() }", arrow);
    check("agent/src/platform/local/mod.rs", "use crate::{\n    config,\n    proxy::{Edge, Order},\n};", arrow);
    check("agent/src/platform/local/mod.rs", "use super::super::proxy::Edge;", arrow);
    check("agent/src/platform/mod.rs", "use super::proxy::Edge;", arrow);
    check("agent/src/platform.rs", "use super::proxy::Edge;", arrow);
    check("agent/src/platform/local/tests.rs", "use crate::proxy;", arrow);
    check("agent/src/platform/local/mod.rs", "// use crate::proxy::Edge;\n/* crate::proxy */", None);
    check("agent/src/platform/local/mod.rs", "const TEXT: &str = \"use crate::proxy::Edge;\";", None);
    check("agent/src/platform/local/mod.rs", "use crate::proxying::Edge;\nuse super::proxy;", None);
    check("agent/src/platform/mod.rs", "#[cfg(test)]\nmod tests { use super::proxy; }", None);
    check("agent/src/notifier/mod.rs", "use crate::controller::Handle;", Some("`notifier` must not name `controller`"));
    check("agent/src/store/mod.rs", "use crate::{cli, config};", Some("`store` must not name `cli`"));
    check("agent/src/probe.rs", "use crate::proxy;", Some("`probe` must not name `proxy`"));

    // Nobody reaches round the controller, or into it.
    check(
        "agent/src/http/mod.rs",
        "use crate::store::{Entry, Writer};",
        Some("reaches round the controller with `Writer`"),
    );
    check(
        "agent/src/cli/force.rs",
        "use crate::proxy::EdgeOrder;",
        Some("reaches round the controller with `EdgeOrder`"),
    );
    check("agent/src/http/status.rs", "use crate::proxy::EdgeMonitor;", None);
    check("agent/src/cli/deploy.rs", "use crate::store::Store;", Some("`cli` must not name `store`"));
    check("agent/src/controller/mod.rs", "use crate::http;", Some("`controller` must not name `http`"));
    check("agent/src/http/mod.rs", "use crate::controller::{self, Handle, Snapshot};\ncontroller::start();", None);
    check("agent/src/http/mod.rs", "use crate::controller::desk::Handle;", Some("`controller::desk`"));

    // Pure crates see no world.
    for word in ["tokio::spawn(f)", "std::fs::read(p)", "use std::time::{Duration, Instant};", "SystemTime::now()"] {
        check("agent/rollout/src/machine/mod.rs", word, Some("is pure"));
    }
    check("sdk/src/lib.rs", "let n = rand::random();", Some("is pure"));
    check("sdk/src/lib.rs", "use std::net::IpAddr;\nlet operand = 1;", None);
    check("sdk/src/lib.rs", "use std::net::TcpStream;", Some("is pure"));
    check("sdk/src/flags/tests.rs", "use std::thread;", None);
    check("sdk/src/client/http.rs", "use std::net::TcpStream;", None);
    check("sdk/Cargo.toml", "[dependencies]\ntokio = \"1\"\n", Some("depends on `tokio`"));
    check("sdk/Cargo.toml", "[dependencies]\ntokio = { version = \"1\", optional = true }\n", None);
    check("sdk/Cargo.toml", "[dependencies]\nserde = \"1\"\n[dev-dependencies]\ntokio = \"1\"\n", None);

    // Files are short, finished, and the map is true.
    let long = "fn f() {}\n".repeat(301);
    check("agent/src/long.rs", &long, Some("301 lines of code"));
    check("agent/src/long/tests.rs", &long, None);
    check("agent/src/short.rs", &format!("#[cfg(test)]\nmod tests {{\n{long}}}\n"), None);
    check("agent/src/a.rs", concat!("fn f() { to", "do!() }"), Some("a stub"));
    check("agent/tests/it/a.rs", concat!("#[ig", "nore]\nfn f() {}"), Some("does not test"));
    check("docs/architecture.md", "see `agent/src/gone.rs`", Some("`agent/src/gone.rs` is not there"));
    check("docs/architecture.md", "see `docs/architecture.md`, `a/b c`, `/etc/teal/x` and `GET /api/v1`", None);
}
