//! What HAProxy says on the Runtime API, taken apart.

use super::runtime::RuntimeError;

/// The process that answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its pid, as it sees itself.
    pub pid: u32,
    /// When it started, Unix seconds: in a container every process may have the same pid.
    pub started: u64,
    /// `2.6.12-1+deb12u4`.
    pub version: String,
    /// Whether it is on its way out after a reload.
    pub stopping: bool,
}

impl Process {
    /// Whether both are the same run of the same process.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.pid == other.pid && self.started == other.started
    }
}

/// The oldest version that is supported.
const OLDEST: (u32, u32) = (2, 6);

/// Reads `show info` out of an answer.
///
/// # Errors
/// [`RuntimeError::TooOld`] before 2.6, [`RuntimeError::Unexpected`] without the lines that are needed.
pub(super) fn process(text: &str) -> Result<Process, RuntimeError> {
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).map(str::trim);
    let number = |name: &str| field(name).and_then(|value| value.parse::<u64>().ok());
    let (Some(version), Some(pid)) = (field("Version"), number("Pid").and_then(|pid| u32::try_from(pid).ok())) else {
        return Err(RuntimeError::unexpected("show info", text));
    };
    if parse_version(version).is_some_and(|version| version < OLDEST) {
        return Err(RuntimeError::TooOld { version: version.to_owned() });
    }
    Ok(Process {
        pid,
        started: number("Start_time_sec").unwrap_or(0),
        version: version.to_owned(),
        stopping: number("Stopping").is_some_and(|stopping| stopping != 0),
    })
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split(['.', '-']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// What stands before the answer to `get map`: empty when the command before it succeeded.
pub(super) fn before_value(text: &str) -> &str {
    text.split("type=").next().unwrap_or(text).trim()
}

/// The value in an answer to `get map`; `None` when the key is missing.
///
/// # Errors
/// [`RuntimeError::UnknownMap`], [`RuntimeError::NotAllowed`] or [`RuntimeError::Unexpected`].
pub(super) fn map_value(text: &str, map: &str) -> Result<Option<String>, RuntimeError> {
    let Some(line) = text.lines().find(|line| line.starts_with("type=")) else {
        return Err(refusal("get map", text, map));
    };
    if line.contains("found=no") {
        return Ok(None);
    }
    let value =
        line.split_once(", value=\"").and_then(|(_, rest)| rest.rsplit_once("\", type=")).map(|(value, _)| value);
    value.map(|value| Some(value.to_owned())).ok_or_else(|| RuntimeError::unexpected("get map", line))
}

/// The typed form of a refusal to do something with a map.
pub(super) fn refusal(command: &'static str, said: &str, map: &str) -> RuntimeError {
    if said.contains("Unknown map identifier") {
        RuntimeError::UnknownMap { map: map.to_owned() }
    } else if said.contains("Permission denied") {
        RuntimeError::NotAllowed { command }
    } else {
        RuntimeError::unexpected(command, said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: &str =
        "Name: HAProxy\nVersion: 2.6.12-1+deb12u4\nPid: 42\nStopping: 0\nStart_time_sec: 1795402265\nTainted: 0\n\n";

    #[test]
    fn show_info_names_the_process() {
        let process = process(INFO).unwrap();
        assert_eq!((process.pid, process.started, process.stopping), (42, 1_795_402_265, false));
    }

    #[test]
    fn versions_are_compared_by_number() {
        let check = |version: &str, taken: bool| {
            let info = INFO.replace("2.6.12-1+deb12u4", version);
            assert_eq!(process(&info).is_ok(), taken, "{version}");
        };
        check("2.6.0", true);
        check("2.10.1", true);
        check("3.2-dev5", true);
        check("2.4.22-1", false);
        check("1.8.30", false);
    }

    #[test]
    fn a_map_value_is_told_from_a_missing_key_and_a_refusal() {
        let found = "\ntype=str, case=sensitive, found=yes, idx=tree, key=\"policy\", value=\"v1:a\", type=\"str\"\n\n";
        assert_eq!(map_value(found, "M").unwrap().as_deref(), Some("v1:a"));
        assert_eq!(before_value(found), "");
        let missing = "entry not found.\n\ntype=str, case=sensitive, found=no\n\n";
        assert_eq!(map_value(missing, "M").unwrap(), None);
        assert_eq!(before_value(missing), "entry not found.");
        let check = |text: &str, words: &str| {
            let error = map_value(text, "/etc/t.map").unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        };
        check("Unknown map identifier. Please use #<id> or <file>.\n\n", "/etc/t.map");
        check("Permission denied\n", "level operator");
        check("Unknown command, but maybe one of...", "Unknown command");
        check("", "nothing");
    }
}
