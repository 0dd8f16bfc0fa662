//! The configuration of `teal agent --dev` where there is no file: a flag service on loopback, and no environment.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use super::flags::FlagService;
use super::types::{Agent, Config, Notify, Platform};

/// The folder of everything that it keeps, below the present one.
pub const DEV_STATE: &str = ".teal-dev";

impl Config {
    /// Flags on this port, metrics on the one before; everything it keeps in `state`.
    #[must_use]
    pub fn dev(state: PathBuf, flags_port: u16) -> Self {
        let here = |port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Self {
            app: "dev".to_owned(),
            agent: Agent {
                socket: state.join("agent.sock"),
                listen: here(flags_port.saturating_sub(1)),
                observer: None,
            },
            state,
            platform: Platform::default(),
            notify: Notify::default(),
            flags: Some(FlagService { listen: here(flags_port), ..FlagService::default() }),
            observers: None,
            environments: BTreeMap::new(),
            observed: BTreeMap::new(),
        }
    }
}

/// Makes the folder, which no version control is to look at.
///
/// # Errors
/// Those of making it.
pub fn make_dev_state(folder: &Path) -> std::io::Result<PathBuf> {
    let state = std::path::absolute(folder.join(DEV_STATE))?;
    std::fs::create_dir_all(&state)?;
    std::fs::write(state.join(".gitignore"), "*\n")?;
    Ok(state)
}
