//! Who holds how many connections: one address alone cannot take them all.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use super::Peer;

/// Connections by address. There are never more entries than connections.
#[derive(Clone, Debug)]
pub(super) struct Slots {
    most_each: usize,
    held: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One connection's place; given back when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Slots,
    address: IpAddr,
}

impl Slots {
    pub(super) fn new(most_each: usize) -> Self {
        Self { most_each, held: Arc::default() }
    }

    /// A place for one more connection; `None`: its address has all that it may have. Those of a unix socket need none.
    pub(super) fn take(&self, peer: Peer) -> Option<Option<Slot>> {
        let Peer::Address(address) = peer else { return Some(None) };
        let address = network(address);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(address).or_insert(0);
        if *count >= self.most_each {
            return None;
        }
        *count += 1;
        Some(Some(Slot { slots: self.clone(), address }))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut held = self.slots.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.address);
            }
        }
    }
}

/// Whose an address is: anybody with IPv6 has a whole /64 to choose from.
pub(in crate::http) fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_share_and_gets_it_back() {
        let slots = Slots::new(2);
        let take = |address: &str| slots.take(Peer::Address(address.parse().unwrap()));
        let first = take("192.0.2.1");
        let _second = take("192.0.2.1").unwrap();
        assert!(take("192.0.2.1").is_none(), "it has two");
        assert!(take("192.0.2.2").is_some(), "somebody else");
        drop(first);
        assert!(take("192.0.2.1").is_some());
        let _six = [take("2001:db8::1").unwrap(), take("2001:db8::ffff:1").unwrap()];
        assert!(take("2001:db8::2").is_none(), "one network, one share");
        assert!(take("2001:db8:0:1::2").is_some());
        assert!(slots.take(Peer::Local(None)).is_some_and(|slot| slot.is_none()));
    }

    #[test]
    fn who_has_gone_leaves_nothing_behind() {
        let slots = Slots::new(2);
        drop(slots.take(Peer::Address("192.0.2.1".parse().unwrap())));
        assert!(slots.held.lock().unwrap().is_empty());
    }
}
