//! Whether a port is free, and if not, whose it is.

use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4};

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with, sockopt};

/// Says who has the port, `None` when it is free: `port 8104 is in use by pid 4242 (python3)`.
///
/// The port is bound for a moment and not listened on, so that no client can meet the check.
pub(super) fn taken(port: u16) -> Option<String> {
    let attempt = || {
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        // As servers do: connections of the last owner that linger are no obstacle, a listener is.
        sockopt::set_socket_reuseaddr(&socket, true)?;
        bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))
    };
    match attempt() {
        Ok(()) => None,
        Err(rustix::io::Errno::ADDRINUSE) => Some(match owner(port) {
            Some((pid, name)) => format!("port {port} is in use by pid {pid} ({name})"),
            None => format!("port {port} is in use by another user's process"),
        }),
        Err(rustix::io::Errno::ACCESS) => {
            Some(format!("port {port} is not allowed to this user: ports below 1024 need a privilege"))
        }
        Err(error) => Some(format!("port {port} cannot be used: {error}")),
    }
}

/// The process that listens on a port and its name, as far as this user may know.
pub(super) fn owner(port: u16) -> Option<(i32, String)> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| fs::read_to_string(path).unwrap_or_default());
    let sockets: Vec<String> =
        tables.iter().flat_map(|table| table.lines()).filter_map(|line| inode(line, port)).collect();
    let entries = fs::read_dir("/proc").ok()?.flatten();
    let mut pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let pid = pids.find(|pid| {
        let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        let mut links = files.filter_map(|file| fs::read_link(file.path()).ok());
        links.any(|link| sockets.iter().any(|socket| link.as_os_str() == socket.as_str()))
    })?;
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    Some((pid, name.trim().to_owned()))
}

/// `socket:[INODE]` of a line of `/proc/net/tcp` that is a listener on this port.
fn inode(line: &str, port: u16) -> Option<String> {
    const LISTEN: &str = "0A";
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let (local, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
    let here = u16::from_str_radix(local.rsplit_once(':')?.1, 16).ok()?;
    (*state == LISTEN && here == port).then(|| format!("socket:[{inode}]"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_taken_port_is_reported_with_its_owner() {
        for address in ["127.0.0.1:0", "0.0.0.0:0"] {
            let listener = TcpListener::bind(address).unwrap();
            let port = listener.local_addr().unwrap().port();
            let taken_by = taken(port).unwrap();
            assert!(taken_by.contains(&format!("port {port} is in use by pid {} (", std::process::id())), "{taken_by}");
            drop(listener);
            assert_eq!(taken(port), None);
        }
    }
}
