//! How many files this process may have open: each connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that the rest of the agent needs: databases, HAProxy's sockets, processes' outputs, operators.
const OTHERS: usize = 512;

/// Makes room for so many connections, as far as the system lets us; says how many there can be.
pub(in crate::http) fn room_for(connections: usize) -> usize {
    let wanted = u64::try_from(connections + OTHERS).unwrap_or(u64::MAX);
    let now = getrlimit(Resource::Nofile);
    let Some(soft) = now.current else { return connections };
    if soft >= wanted {
        return connections;
    }
    let raised = now.maximum.map_or(wanted, |hard| hard.min(wanted));
    let soft = match setrlimit(Resource::Nofile, Rlimit { current: Some(raised), ..now }) {
        Ok(()) => raised,
        Err(_) => soft,
    };
    fitting(connections, soft)
}

/// How many connections so many files leave.
fn fitting(connections: usize, files: u64) -> usize {
    let files = usize::try_from(files).unwrap_or(usize::MAX);
    // With very few, half of them each.
    let room = files.saturating_sub(OTHERS).max(files / 2);
    if room < connections {
        tracing::warn!(
            connections = room,
            wanted = connections,
            "this process may open {files} files only, which leaves fewer connections for flags; raise LimitNOFILE (systemd) or ulimit -n"
        );
    }
    room.min(connections)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_fit_into_the_files_that_there_may_be() {
        let check = |files: u64, expected: usize| assert_eq!(fitting(2048, files), expected, "{files}");
        check(1_048_576, 2048);
        check(2560, 2048);
        check(1024, 512);
        check(256, 128);
    }
}
