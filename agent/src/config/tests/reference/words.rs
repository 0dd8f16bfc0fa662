//! `keys.toml`, read, and what its rows are put into to be tried.

use serde::Deserialize;
use toml::{Table, Value};

/// A table of the configuration, with its keys in the order of the page.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    /// `components.NAME.routes[]`: NAME is any name, `[]` each of a list.
    pub(super) path: String,
    pub(super) about: String,
    #[serde(default)]
    pub(super) keys: Vec<Key>,
    /// The table whose keys it has.
    pub(super) same: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Key {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) range: String,
    /// In words, where the reader computes it.
    pub(super) default: Option<String>,
    pub(super) meaning: String,
    pub(super) example: Value,
    /// What must stand beside the example.
    #[serde(default)]
    pub(super) with: Table,
    #[serde(default)]
    pub(super) refused: Vec<Value>,
}

pub(super) fn words() -> Vec<Words> {
    #[derive(Deserialize)]
    struct File {
        table: Vec<Words>,
    }
    toml::from_str::<File>(include_str!("keys.toml")).unwrap().table
}

/// With everything that has keys of its own.
const COMMON: &str = r#"
app = "shop"
state = "/var/lib/teal"
[environments.prod.edge]
map = "/etc/haproxy/prod.map"
socket = "/run/haproxy/teal.sock"
[[environments.prod.switch.steps]]
share = "50%"
hold = "1m"
[[watch.retain]]
for = "24h"
[flags]
[[components.api.routes]]
name = "search"
path = "/search"
[components.api]
"#;

/// An agent on a node, which has few of them.
const OBSERVER: &str = r#"
app = "shop"
state = "/var/lib/teal"
[agent]
roles = ["observer"]
report_to = ["https://edge.internal:9464"]
token_file = "/etc/teal/edges/token"
[platform]
kind = "kubernetes"
[environments.prod]
[components.api]
"#;

/// One configuration for each platform, and one of an observer: no key is refused by all.
pub(super) fn bases() -> [Table; 3] {
    let local = "run = [\"api\", \"{port}\"]\nports = \"8100-8109\"\n";
    let cluster = "blue = [\"192.0.2.1:80\"]\ngreen = [\"192.0.2.2:80\"]\n[platform]\nkind = \"kubernetes\"\n\
                   [observers]\ntokens = [\"teal_0123456789ab:60e05bd1b195af2f94112fa7197a5c88289058840ce7c6df9693756bc6250f55\"]\n";
    let [local, cluster] = [local, cluster].map(|own| format!("{COMMON}{own}"));
    [local, cluster, OBSERVER.to_owned()].map(|text| text.parse().unwrap())
}

/// The words of a path in those configurations: `components.NAME.routes[]` is in the first of `components.api.routes`.
fn concrete(path: &str) -> impl Iterator<Item = &str> {
    let mut before = "";
    path.split('.').filter(|word| !word.is_empty()).map(move |word| {
        let name = if before == "environments" { "prod" } else { "api" };
        before = word;
        if word == "NAME" { name } else { word.trim_end_matches("[]") }
    })
}

/// How diagnostics begin the names of what is in it.
pub(super) fn field(path: &str) -> String {
    concrete(path).collect::<Vec<_>>().join(".")
}

/// The table at a path, made where it is missing.
pub(super) fn at<'a>(root: &'a mut Table, path: &str) -> &'a mut Table {
    concrete(path).fold(root, |table, word| {
        let value = table.entry(word).or_insert_with(|| Value::Table(Table::new()));
        if !matches!(value, Value::Table(_) | Value::Array(_)) {
            *value = Value::Table(Table::new());
        }
        match value {
            Value::Array(items) => items[0].as_table_mut().unwrap(),
            value => value.as_table_mut().unwrap(),
        }
    })
}

/// `environments.prod.components.api.routes[0].path` -> `components.NAME.routes[].path`, as it is written in the page.
pub(super) fn written(key: &str) -> String {
    let key = key.replace("[0]", "[]");
    let Some(own) = key.strip_prefix("environments.prod.") else { return key };
    match own.strip_prefix("components.api.") {
        Some(own) => format!("components.NAME.{own}"),
        None if own.starts_with("watch.") || own.starts_with("smoke.") => own.to_owned(),
        None => format!("environments.NAME.{own}"),
    }
}
