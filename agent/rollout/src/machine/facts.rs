//! What the machine was last told about the platform and the edges; lost in a crash and told anew.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::colour::Colour;
use crate::document::Document;
use crate::machine::event::{Backend, Capacity, EdgeReport, Feed};
use crate::policy::Policy;
use crate::time::Time;

/// How long a colour must be ready again before an emergency is left (decision section 7).
pub(crate) const RECOVERED_AFTER: Duration = Duration::from_secs(5);

/// An edge reports at least once a second; after this long without a word nothing is known of its feed.
const QUIET_AFTER: Duration = Duration::from_secs(5);

#[derive(Clone, Debug)]
pub(crate) struct Facts {
    /// By component, then colour.
    colours: Vec<[ColourFacts; 2]>,
    edges: Vec<Option<EdgeReport>>,
    /// When each edge last spoke.
    heard: Vec<Time>,
    /// The last block's sequence, by observer.
    sequences: BTreeMap<u16, u64>,
}

#[derive(Clone, Debug, Default)]
struct ColourFacts {
    /// The platform's last word.
    capacity: Option<Capacity>,
    /// Since when something is ready without a gap.
    ready_since: Option<Time>,
    /// The release the platform has yet to speak of, because it was ordered to run there just now.
    expected: Option<u64>,
    /// Whether anything was ever ready there, since this machine started.
    was_ready: bool,
}

impl Facts {
    pub(crate) fn new(components: usize, edges: usize) -> Self {
        Self {
            colours: vec![<[ColourFacts; 2]>::default(); components],
            edges: vec![None; edges],
            heard: vec![Time::ZERO; edges],
            sequences: BTreeMap::new(),
        }
    }

    pub(crate) fn capacity(&mut self, capacity: Capacity, now: Time) {
        let Some(facts) = self.colours.get_mut(capacity.component).map(|both| &mut both[index(capacity.colour)]) else {
            return;
        };
        let ready = capacity.ready > 0;
        facts.was_ready |= ready;
        facts.ready_since = ready.then(|| facts.ready_since.unwrap_or(now));
        facts.expected = facts.expected.filter(|release| (1..*release).contains(&capacity.release));
        facts.capacity = Some(capacity);
    }

    /// Whether a block was not seen before; remembers it.
    pub(crate) fn is_new(&mut self, observer: u16, sequence: u64) -> bool {
        let last = self.sequences.entry(observer).or_default();
        let new = sequence > *last;
        *last = sequence.max(*last);
        new
    }

    pub(crate) fn edge(&mut self, report: EdgeReport, now: Time) {
        let index = report.edge;
        if let (Some(slot), Some(heard)) = (self.edges.get_mut(index), self.heard.get_mut(index)) {
            *slot = Some(report);
            *heard = now;
        }
    }

    /// An edge that cannot be asked, or of which another agent has not told for a while.
    pub(crate) fn silent(&self, now: Time, owns: impl Fn(usize) -> bool) -> Option<usize> {
        let mut edges = self.edges().zip(&self.heard).enumerate();
        let silent = |(_, (e, heard)): &(usize, (Option<&EdgeReport>, &Time)), own: bool| {
            e.is_none_or(|e| e.running.is_none()) || !own && now.since(**heard) >= QUIET_AFTER
        };
        edges.find(|edge| silent(edge, owns(edge.0))).map(|(edge, _)| edge)
    }

    /// Whether every edge of another agent has spoken since.
    pub(crate) fn heard_since(&self, since: Time, owns: impl Fn(usize) -> bool) -> bool {
        let mut edges = self.edges().zip(&self.heard).enumerate();
        edges.all(|(edge, (e, heard))| owns(edge) || e.is_some() && *heard >= since)
    }

    /// A new release begins with these edges.
    pub(crate) fn resize_edges(&mut self, edges: usize) {
        self.edges.resize(edges, None);
        self.heard.resize(edges, Time::ZERO);
    }

    /// Something else is about to run there for this release: what is said of an earlier one is not about it.
    pub(crate) fn expect(&mut self, component: usize, colour: Colour, release: u64) {
        if let Some(both) = self.colours.get_mut(component) {
            both[index(colour)].expected = Some(release);
        }
    }

    /// The platform's word on what was started last.
    pub(crate) fn of_started(&self, component: usize, colour: Colour) -> Option<&Capacity> {
        self.colour(component, colour).filter(|facts| facts.expected.is_none())?.capacity.as_ref()
    }

    /// The platform's last word; `None` until it has spoken, which is not the same as zero.
    pub(crate) fn of(&self, component: usize, colour: Colour) -> Option<&Capacity> {
        self.colour(component, colour)?.capacity.as_ref()
    }

    pub(crate) fn is_ready(&self, component: usize, colour: Colour) -> bool {
        self.of(component, colour).is_some_and(|c| c.ready > 0)
    }

    /// Known to have nothing ready.
    pub(crate) fn is_gone(&self, component: usize, colour: Colour) -> bool {
        self.of(component, colour).is_some_and(|c| c.ready == 0)
    }

    pub(crate) fn was_ready(&self, component: usize, colour: Colour) -> bool {
        self.colour(component, colour).is_some_and(|facts| facts.was_ready)
    }

    pub(crate) fn ready_since(&self, component: usize, colour: Colour) -> Option<Time> {
        self.colour(component, colour)?.ready_since
    }

    fn colour(&self, component: usize, colour: Colour) -> Option<&ColourFacts> {
        Some(&self.colours.get(component)?[index(colour)])
    }

    pub(crate) fn edges(&self) -> impl Iterator<Item = Option<&EdgeReport>> {
        self.edges.iter().map(Option::as_ref)
    }

    pub(crate) fn manual_handled(&mut self) {
        for report in self.edges.iter_mut().flatten() {
            report.manual = false;
        }
    }

    /// Every edge routes by `policy` and would after a restart.
    pub(crate) fn acknowledged(&self, policy: &Policy) -> bool {
        self.edges().all(|e| e.is_some_and(|e| e.running.as_ref() == Some(policy) && e.saved.as_ref() == Some(policy)))
    }

    /// Every edge routes by `policy`, or is down and will when it comes back.
    pub(crate) fn moved_back(&self, policy: &Policy) -> bool {
        self.edges().all(|e| {
            e.is_some_and(|e| match &e.running {
                Some(running) => running == policy,
                None => e.saved.as_ref() == Some(policy),
            })
        })
    }

    /// An edge was last heard to give a colour requests.
    pub(crate) fn serves(&self, component: usize, colour: Colour) -> bool {
        let route = |e: &EdgeReport| e.running.as_ref()?.routes.get(component).copied();
        self.edges().flatten().filter_map(route).any(|route| route.serves(colour))
    }

    /// Every edge sees a server of this colour pass its own checks.
    pub(crate) fn edges_see(&self, component: usize, colour: Colour) -> bool {
        self.edges().all(|e| e.and_then(|e| backend(e, component, colour)).is_some_and(|b| b.up > 0))
    }

    /// Servers of a colour that pass the checks of every edge that can be asked; 0 where none can.
    pub(crate) fn servers_up(&self, component: usize, colour: Colour) -> u32 {
        let backends = self.edges().flatten().filter_map(|e| backend(e, component, colour));
        backends.map(|backend| backend.up).min().unwrap_or(0)
    }

    /// No edge has a request in flight on this colour; an edge that cannot be asked has none.
    pub(crate) fn is_drained(&self, component: usize, colour: Colour) -> bool {
        self.edges().all(|e| e.and_then(|e| backend(e, component, colour)).is_none_or(|b| b.in_flight == 0))
    }

    pub(crate) fn feeds_live(&self, now: Time) -> bool {
        let live = |e: Option<&EdgeReport>| e.is_some_and(|e| e.feed == Feed::Live);
        self.edges().zip(&self.heard).all(|(e, heard)| live(e) && now.since(*heard) < QUIET_AFTER)
    }

    /// When an emergency may be left.
    pub(crate) fn deadline(&self, doc: &Document, waits: impl Fn(usize, Colour) -> bool) -> Option<Time> {
        doc.components
            .iter()
            .enumerate()
            .filter(|(id, c)| doc.emergency.contains(&c.name) && !waits(*id, c.stable.colour))
            .filter_map(|(id, c)| self.ready_since(id, c.stable.colour))
            .map(|since| since + RECOVERED_AFTER)
            .min()
    }
}

fn backend(report: &EdgeReport, component: usize, colour: Colour) -> Option<&Backend> {
    report.backends.iter().find(|b| b.component == component && b.colour == colour)
}

const fn index(colour: Colour) -> usize {
    match colour {
        Colour::Blue => 0,
        Colour::Green => 1,
    }
}
