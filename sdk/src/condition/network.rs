//! Whether an address is within one of many networks: merged ranges, searched by halves.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde_json::Value;

/// First and last address of a network, both of one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Range {
    first: IpAddr,
    last: IpAddr,
}

/// Ranges in ascending order, none of which touch another.
#[derive(Debug)]
pub(super) struct Networks(Box<[Range]>);

pub(super) fn compile(value: &Value) -> Result<Range, &'static str> {
    let range = value.as_str().and_then(read);
    range.ok_or("is not a network; write it as \"10.0.0.0/8\", \"2001:db8::/32\", or one address")
}

/// A network, or one address. What lies beyond its length is ignored: `10.1.2.3/8` is `10.0.0.0/8`.
fn read(text: &str) -> Option<Range> {
    let Some((address, length)) = text.split_once('/') else {
        let address = address(text)?;
        return Some(Range { first: address, last: address });
    };
    let digits = (1..=3).contains(&length.len()) && length.bytes().all(|byte| byte.is_ascii_digit());
    let length: u32 = if digits { length.parse().ok()? } else { return None };
    match address.parse().ok()? {
        IpAddr::V4(address) => v4(address, length),
        IpAddr::V6(address) => match (address.to_ipv4_mapped(), length.checked_sub(96)) {
            (Some(address), Some(length)) => v4(address, length),
            _ => v6(address, length),
        },
    }
}

fn v4(address: Ipv4Addr, length: u32) -> Option<Range> {
    let host = if length <= 32 { u32::MAX.checked_shr(length).unwrap_or(0) } else { return None };
    let bits = address.to_bits();
    Some(Range { first: Ipv4Addr::from_bits(bits & !host).into(), last: Ipv4Addr::from_bits(bits | host).into() })
}

fn v6(address: Ipv6Addr, length: u32) -> Option<Range> {
    let host = if length <= 128 { u128::MAX.checked_shr(length).unwrap_or(0) } else { return None };
    let bits = address.to_bits();
    Some(Range { first: Ipv6Addr::from_bits(bits & !host).into(), last: Ipv6Addr::from_bits(bits | host).into() })
}

/// An IPv4 address that was written as IPv6 (`::ffff:10.0.0.1`) is the IPv4 address.
fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok().map(|address: IpAddr| address.to_canonical())
}

impl Networks {
    pub(super) fn new(mut ranges: Vec<Range>) -> Self {
        ranges.sort_unstable();
        // `next` begins at or after `kept`; all IPv4 addresses are below all IPv6 ones, so families do not run together.
        ranges.dedup_by(|next, kept| {
            let overlap = next.first <= kept.last;
            if overlap {
                kept.last = kept.last.max(next.last);
            }
            overlap
        });
        Self(ranges.into())
    }

    pub(super) fn contain(&self, text: &str) -> bool {
        let Some(address) = address(text) else { return false };
        let after = self.0.partition_point(|range| range.first <= address);
        after.checked_sub(1).and_then(|before| self.0.get(before)).is_some_and(|range| address <= range.last)
    }
}
