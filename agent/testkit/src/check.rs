//! What HAProxy says of a configuration without running it.

use std::path::Path;

use tokio::process::Command;

use crate::haproxy::{haproxy_path, write};

/// `haproxy -c` on one text.
///
/// # Errors
/// What HAProxy said, warnings included, when it refuses the text.
pub async fn check(config: &str) -> Result<(), String> {
    let folder = crate::folder();
    let path = write(folder.path(), "main.cfg", config);
    check_files(&[&path]).await
}

/// `haproxy -c -f FIRST -f SECOND ...`
///
/// # Errors
/// What HAProxy said when it refuses the files, and also when it merely warns.
pub async fn check_files(files: &[&Path]) -> Result<(), String> {
    let mut command = Command::new(haproxy_path());
    command.arg("-c");
    for file in files {
        command.arg("-f").arg(file);
    }
    let output = command.output().await.unwrap_or_else(|error| panic!("{}: {error}", haproxy_path().display()));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() && !said.contains("[WARNING]") { Ok(()) } else { Err(said) }
}
