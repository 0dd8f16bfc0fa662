//! The page.

use std::fmt::Write;
use std::path::Path;

use super::default;
use super::words::{Words, words};

const BEGINNING: &str = "\
# `teal.toml`

Made by a test of the keys that the reader takes and the defaults that it gives. Whole configurations: [examples/config](../../examples/config/README.md).

Looked for in this order: `--config FILE`, `$TEAL_CONFIG`, `./teal.toml`, `/etc/teal/teal.toml`. `teal config check` shows every mistake with
line, column and the nearest name, and so does every command that reads it. `teal config show --effective` shows every value in use and the line that
says it. SIGHUP lets an agent read it again; what cannot be changed while it runs is said in its log.

- No key is taken from an environment variable or an option. A key that nobody knows is a mistake.
- Secrets stand in files of their own: keys that end in `_file` hold a path, and only the path is ever shown.
- Relative paths start from the folder of the file.
- A *duration* is text: whole numbers with `d`, `h`, `m`, `s`, `ms`, as in `\"1h30m\"`. A *percentage* is text with at most three decimals:
  `\"12.5%\"`. *Address and port* is `\"127.0.0.1:9180\"` or `\"[::1]:9180\"`. A *network* is `\"10.0.0.0/8\"` or one address. Text has no line breaks.
- `watch`, `smoke` and `components` may stand below an environment too, `[environments.prod.watch]`: what it says goes before the common
  table key by key. For what candidates are judged by, a component goes before its environment, and that before all.
";

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn heading(path: &str) -> String {
    match path.strip_suffix("[]") {
        Some(list) => format!("`[[{}]]`", list.replace("[]", "")),
        None if path.is_empty() => "At the top".to_owned(),
        None => format!("`[{path}]`"),
    }
}

fn section(page: &mut String, table: &Words) {
    writeln!(page, "\n## {}\n{}", heading(&table.path), table.about).unwrap();
    if table.keys.is_empty() {
        return;
    }
    page.push_str("\n| key | type | default | range | meaning | example |\n|---|---|---|---|---|---|\n");
    for key in &table.keys {
        let example = cell(&format!("{} = {}", key.name, key.example));
        let (default, range) = (cell(&default(table, key)), cell(&key.range));
        let (kind, meaning) = (cell(&key.kind), cell(&key.meaning));
        writeln!(page, "| `{}` | {kind} | {default} | {range} | {meaning} | `{example}` |", key.name).unwrap();
    }
}

#[test]
fn the_page_of_the_configuration_is_the_committed_one() {
    let mut page = BEGINNING.to_owned();
    words().iter().for_each(|table| section(&mut page, table));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/configuration.md");
    if std::env::var_os("TEAL_UPDATE_REFERENCE").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == page,
        "docs/reference/configuration.md is not what the reader takes; this renews it:\n  \
         TEAL_UPDATE_REFERENCE=1 cargo test -p teal reference"
    );
}
