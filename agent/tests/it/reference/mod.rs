//! The pages in `docs/reference` are made of the code, or held against it.

mod cli;
mod examples;
mod metrics;

use std::path::Path;

/// Fails unless the committed page is this one; with TEAL_UPDATE_REFERENCE it becomes this one.
fn committed(page: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference").join(page);
    if std::env::var_os("TEAL_UPDATE_REFERENCE").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    let is_first_difference = |(is, was): &(&str, &str)| is != was;
    let difference = text.lines().zip(committed.lines()).find(is_first_difference);
    assert!(
        committed == text,
        "docs/reference/{page} is not what the code says, first in {difference:?}; this renews it:\n  \
         TEAL_UPDATE_REFERENCE=1 cargo test -p teal reference"
    );
}
