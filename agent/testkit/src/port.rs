//! Ports that no other test on this machine gets.
//!
//! A port taken by "bind 0, close" can be given away again before the program under test binds it. These come from
//! below the range that the kernel gives out by itself, and a locked file keeps each for the life of this process.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::RangeInclusive;
use std::sync::Mutex;

const FIRST: u16 = 12_000;
const COUNT: u16 = 20_000;

/// The locks of this process and where the search goes on.
static HELD: Mutex<(Vec<File>, u16)> = Mutex::new((Vec::new(), 0));

/// A TCP port on loopback that nobody listens on and that no other test process is given while this one lives.
///
/// # Panics
/// When no port is free.
#[must_use]
pub fn free_port() -> u16 {
    *free_ports(1).start()
}

/// `count` such ports in a row, for configurations that want a range.
///
/// # Panics
/// When there is no such row, or `count` is 0.
#[must_use]
pub fn free_ports(count: u16) -> RangeInclusive<u16> {
    assert!(count > 0, "a range of no ports");
    let folder = std::env::temp_dir().join("teal-test-ports");
    fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("cannot make {}: {error}", folder.display()));
    let mut held = HELD.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (locks, cursor) = &mut *held;
    if locks.is_empty() {
        // Processes start their search at different places.
        *cursor = u16::try_from(std::process::id().wrapping_mul(37) % u32::from(COUNT)).unwrap_or_default();
    }
    let mut row: Vec<File> = Vec::new();
    for _ in 0..2 * COUNT {
        let port = FIRST + *cursor;
        *cursor = (*cursor + 1) % COUNT;
        if port == FIRST {
            row.clear();
        }
        match File::create(folder.join(port.to_string())) {
            Ok(lock) if lock.try_lock().is_ok() && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() => {
                row.push(lock);
            }
            _ => row.clear(),
        }
        if row.len() == usize::from(count) {
            locks.append(&mut row);
            return port + 1 - count..=port;
        }
    }
    panic!("no {count} free ports in a row between {FIRST} and {}", FIRST + COUNT);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_port_is_given_twice() {
        let mut ports: BTreeSet<u16> = (0..20).map(|_| free_port()).collect();
        let row = free_ports(10);
        assert_eq!(row.len(), 10);
        ports.extend(row);
        assert_eq!(ports.len(), 30);
    }
}
