//! No flag at all: what the harness itself costs. It is part of every figure and is taken off none.

use std::sync::Arc;

use crate::player::{Ask, Contestant, Entry, Expect};
use crate::shape::Shape;
use crate::world::World;

struct Nothing;

impl Contestant for Nothing {
    type Thread<'a> = ();

    fn thread(&self) {}

    #[inline]
    fn ask(&self, (): &mut (), ask: &Ask<'_>) -> bool {
        // The first byte of each, so that both have been fetched, as whoever hashes them must.
        ask.name.as_bytes()[0] ^ ask.id.as_bytes()[0] == 0
    }
}

pub(super) fn build(_: &Arc<World>, _: &Shape) -> Entry {
    Entry {
        name: "(nothing)",
        bucketing: None,
        expects: Expect::Unchecked,
        player: Arc::new(Nothing),
        update: None,
        change: None,
    }
}
