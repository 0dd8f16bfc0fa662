//! Whether anybody listens on a port of this machine. Nobody is disturbed: the kernel's own list is read.

/// The kernel's lists, and the state in them that is `LISTEN`.
const LISTS: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];
const LISTEN: &str = "0A";

/// The first of these ports that somebody listens on; `None` also where it cannot be seen.
pub(super) fn first(ports: &[u16]) -> Option<u16> {
    if ports.is_empty() {
        return None;
    }
    let lists: String = LISTS.iter().filter_map(|list| std::fs::read_to_string(list).ok()).collect();
    ports.iter().copied().find(|port| listens(&lists, *port))
}

/// `  0: 0100007F:1F90 00000000:0000 0A ...`: the address and port in hexadecimal, the other side's, the state.
fn listens(list: &str, port: u16) -> bool {
    let ending = format!(":{port:04X}");
    list.lines().any(|line| {
        let mut words = line.split_whitespace().skip(1);
        words.next().is_some_and(|local| local.ends_with(&ending)) && words.nth(1) == Some(LISTEN)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_somebody_listens_on_is_found_and_no_other() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(first(&[port]), Some(port));
        drop(listener);
        assert_eq!((first(&[port]), first(&[])), (None, None));
        let connected = "  sl  local_address rem_address   st\n   0: 0100007F:1F90 0100007F:C000 01 00000000\n";
        assert!(!listens(connected, 8080) && !listens(connected, 0xC000));
        assert!(listens(
            "   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 0",
            8080
        ));
    }
}
