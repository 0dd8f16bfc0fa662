//! How often somebody may come: by token, by address, and by failures of an address. Bounded in memory, whoever comes.

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::access::TokenId;
use crate::http::serve::network;

/// Wrong tokens of one address: so many at once, then one each two seconds.
const FAILURES: (u32, Duration) = (30, Duration::from_secs(2));
/// So many seconds' worth may come at once.
const BURST: u32 = 2;
/// Keys that are remembered. When there are more that came lately, all start afresh: that is kinder than refusing strangers.
const MOST: usize = 10_000;
/// Keys are counted each so many requests: that looks at every shard of their map.
const COUNT_EACH: u32 = 256;

/// All limits of a door.
#[derive(Debug)]
pub(super) struct Rates {
    tokens: Limiter<TokenId>,
    addresses: Limiter<IpAddr>,
    failures: Limiter<IpAddr>,
}

impl Rates {
    /// So many requests a second each.
    pub(super) fn new(per_token: u32, per_address: u32) -> Self {
        let each_second = |count: u32| {
            let count = NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
            Quota::per_second(count).allow_burst(count.saturating_mul(NonZeroU32::MIN.saturating_add(BURST - 1)))
        };
        let (burst, period) = FAILURES;
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        let failures = Quota::with_period(period).unwrap_or(Quota::per_minute(burst)).allow_burst(burst);
        Self {
            tokens: Limiter::new(each_second(per_token)),
            addresses: Limiter::new(each_second(per_address)),
            failures: Limiter::new(failures),
        }
    }

    /// One more request of a token; an error says how long to wait.
    pub(super) fn token(&self, token: &TokenId) -> Result<(), Duration> {
        self.tokens.check(token)
    }

    /// One more request of an address. This machine's own are not limited: who is here can do worse.
    pub(super) fn address(&self, address: IpAddr) -> Result<(), Duration> {
        if address.is_loopback() { Ok(()) } else { self.addresses.check(&network(address)) }
    }

    /// One more wrong token of an address.
    pub(super) fn failure(&self, address: IpAddr) -> Result<(), Duration> {
        self.failures.check(&network(address))
    }
}

/// One limit for each key.
#[derive(Debug)]
struct Limiter<K: Hash + Eq + Clone> {
    quota: Quota,
    limiter: RwLock<Arc<DefaultKeyedRateLimiter<K>>>,
    asked: AtomicU32,
    clock: DefaultClock,
}

impl<K: Hash + Eq + Clone> Limiter<K> {
    fn new(quota: Quota) -> Self {
        let limiter = RwLock::new(Arc::new(RateLimiter::keyed(quota)));
        Self { quota, limiter, asked: AtomicU32::new(0), clock: DefaultClock::default() }
    }

    fn check(&self, key: &K) -> Result<(), Duration> {
        let limiter = self.limiter.read().unwrap_or_else(PoisonError::into_inner).clone();
        if self.asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(COUNT_EACH) && limiter.len() >= MOST {
            self.forget(&limiter);
        }
        limiter.check_key(key).map_err(|until| until.wait_time_from(self.clock.now()))
    }

    fn forget(&self, limiter: &DefaultKeyedRateLimiter<K>) {
        limiter.retain_recent();
        if limiter.len() >= MOST / 2 {
            let fresh = Arc::new(RateLimiter::keyed(self.quota));
            *self.limiter.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
    }

    #[cfg(test)]
    fn remembered(&self) -> usize {
        self.limiter.read().unwrap().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_own_share_and_is_told_when_to_come_back() {
        let rates = Rates::new(1, 1);
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        for _ in 0..FAILURES.0 {
            rates.failure(address("192.0.2.1")).unwrap();
        }
        let wait = rates.failure(address("192.0.2.1")).unwrap_err();
        assert!(wait > Duration::ZERO && wait <= FAILURES.1, "{wait:?}");
        rates.failure(address("192.0.2.2")).unwrap();
        let tries = |address: IpAddr| (0..3).map(|_| rates.address(address)).filter(Result::is_ok).count();
        assert_eq!(tries(address("192.0.2.1")), 2);
        assert_eq!(tries(address("127.0.0.1")), 3, "this machine");
        assert_eq!(tries(address("2001:db8::1")) + tries(address("2001:db8::2")), 2, "one network");
    }

    #[test]
    fn no_number_of_strangers_fills_the_memory() {
        let rates = Rates::new(1000, 1000);
        for number in 0..3 * u32::try_from(MOST).unwrap() {
            rates.address(IpAddr::V4((0x0b00_0000 + number).into())).unwrap();
            assert!(rates.addresses.remembered() <= MOST + COUNT_EACH as usize);
        }
    }
}
