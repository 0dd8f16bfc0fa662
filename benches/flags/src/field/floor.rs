//! The floor: what any SDK has to do at the very least, written as well as we can and with nothing around it.
//!
//! By name: one look-up in a hash map behind `arc_swap::Cache`, `salt:user` put together in a buffer, one xxh3 of it, one comparison.
//! Ready: the same look-up, and the hash of a text that is already there: what putting it together costs is the difference. Bare:
//! that hash alone. None knows rules: in the rule's case they answer half instead of a quarter.

use std::sync::Arc;

use arc_swap::{ArcSwap, Cache};
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use xxhash_rust::xxh3::xxh3_64;

use crate::player::{Ask, Contestant, Entry, Expect, Update};
use crate::shape::{Shape, WHOLE};
use crate::world::World;

const BY_NAME: &str = "floor";
const READY: &str = "floor, text ready";
const BARE: &str = "one xxh3";
/// The bucketing of Teal, version 1.
pub(super) const TEAL: &str = "teal1";
/// Room for `salt:`, a constant so that copying it takes no loop.
const PREFIX: usize = 64;

struct Flag {
    prefix: [u8; PREFIX],
    length: usize,
    threshold: u64,
}

type Flags = HashMap<Box<str>, Flag, FxBuildHasher>;

fn flags(world: &World, threshold: u64) -> Flags {
    let flag = |name: &String| {
        let mut prefix = [0; PREFIX];
        prefix[..name.len()].copy_from_slice(name.as_bytes());
        prefix[name.len()] = b':';
        (name.as_str().into(), Flag { prefix, length: name.len() + 1, threshold })
    };
    world.names.iter().map(flag).collect()
}

/// A rule is not understood: its percentage is taken for everybody.
fn threshold(shape: &Shape) -> u64 {
    u64::from(shape.rules.first().map_or(shape.rollout, |rule| rule.rollout))
}

fn expects(shape: &Shape) -> Expect {
    shape.rules.first().map_or(Expect::Case, |rule| Expect::Share(f64::from(rule.rollout) / f64::from(WHOLE)))
}

fn below(hash: u64, threshold: u64) -> bool {
    (hash & 0x7fff_ffff_ffff_ffff) % u64::from(WHOLE) < threshold
}

struct ByName(ArcSwap<Flags>);

struct Thread<'a> {
    flags: Cache<&'a ArcSwap<Flags>, Arc<Flags>>,
    text: [u8; 256],
}

impl Contestant for ByName {
    type Thread<'a> = Thread<'a>;

    fn thread(&self) -> Thread<'_> {
        Thread { flags: Cache::new(&self.0), text: [0; 256] }
    }

    #[inline]
    fn ask(&self, thread: &mut Thread<'_>, ask: &Ask<'_>) -> bool {
        let Some(flag) = thread.flags.load().get(ask.name) else { return false };
        let end = flag.length + ask.id.len();
        thread.text[..PREFIX].copy_from_slice(&flag.prefix);
        thread.text[flag.length..end].copy_from_slice(ask.id.as_bytes());
        below(xxh3_64(&thread.text[..end]), flag.threshold)
    }
}

pub(super) fn by_name(world: &Arc<World>, shape: &Shape) -> Entry {
    let threshold = threshold(shape);
    let floor = Arc::new(ByName(ArcSwap::from_pointee(flags(world, threshold))));
    let (writer, world) = (Arc::clone(&floor), Arc::clone(world));
    let update: Update = Box::new(move || writer.0.store(Arc::new(flags(&world, threshold))));
    Entry {
        name: BY_NAME,
        bucketing: shape.rules.is_empty().then_some(TEAL),
        expects: expects(shape),
        player: floor,
        update: Some(update),
        change: None,
    }
}

/// `salt:user` for each user, one salt for all flags.
fn texts(world: &World) -> Vec<String> {
    let salt = world.names.first().map_or("", String::as_str);
    world.users.iter().map(|user| format!("{salt}:{}", user.id)).collect()
}

struct Ready {
    flags: ArcSwap<Flags>,
    texts: Vec<String>,
}

impl Contestant for Ready {
    type Thread<'a> = Cache<&'a ArcSwap<Flags>, Arc<Flags>>;

    fn thread(&self) -> Self::Thread<'_> {
        Cache::new(&self.flags)
    }

    #[inline]
    fn ask(&self, thread: &mut Self::Thread<'_>, ask: &Ask<'_>) -> bool {
        let Some(flag) = thread.load().get(ask.name) else { return false };
        below(xxh3_64(self.texts[ask.user].as_bytes()), flag.threshold)
    }
}

pub(super) fn ready(world: &Arc<World>, shape: &Shape) -> Entry {
    let flags = ArcSwap::from_pointee(flags(world, threshold(shape)));
    let player = Arc::new(Ready { flags, texts: texts(world) });
    Entry { name: READY, bucketing: None, expects: expects(shape), player, update: None, change: None }
}

struct Bare {
    texts: Vec<String>,
    threshold: u64,
}

impl Contestant for Bare {
    type Thread<'a> = ();

    fn thread(&self) {}

    #[inline]
    fn ask(&self, (): &mut (), ask: &Ask<'_>) -> bool {
        below(xxh3_64(self.texts[ask.user].as_bytes()), self.threshold)
    }
}

pub(super) fn bare(world: &Arc<World>, shape: &Shape) -> Entry {
    let player = Arc::new(Bare { texts: texts(world), threshold: threshold(shape) });
    Entry { name: BARE, bucketing: None, expects: expects(shape), player, update: None, change: None }
}
