//! What is known of all flags, and how it becomes a snapshot: merging, compiling only what changed, time.
//!
//! ```text
//! Document --Told (by layer)--> which flags changed --compile--> Entry of each number --copied--> Snapshot
//! ```

mod circles;
mod compile;
mod known;
mod layer;
mod names;
mod problem;
mod revision;
mod schedule;
mod segments;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::flags::slots::Slots;
use crate::model::{Document, ModelError, Timestamp};
use crate::snapshot::Snapshot;
use crate::snapshot::compiled::Segment;
use crate::snapshot::entry::{Entry, Plan, UNCOUNTED};
use compile::{Surroundings, Words};
pub use known::Known;
pub use layer::Layer;
use layer::{Changes, Told};
use names::{Frozen, Names};
pub use problem::Problem;
pub use revision::{Applied, Outcome, Revision};

/// How long, in milliseconds, a condition on the current time may go by the last moment.
const CLOCK: i64 = 1000;

/// All flags, of all layers.
#[derive(Debug)]
pub(crate) struct Catalog {
    environment: Option<String>,
    file: Told,
    live: Told,
    revision: Revision,
    segments: HashMap<String, Arc<Segment>>,
    names: Names,
    words: Words,
    /// By number.
    entries: Vec<Entry>,
    /// When a flag, by number, has to be compiled again.
    timed: BTreeMap<u32, Timestamp>,
    /// Flags, by number, with a condition on the current time.
    clocked: BTreeSet<u32>,
    /// Why flags, by number, cannot be used as they are.
    problems: BTreeMap<u32, ModelError>,
    /// Flags, by number, that were usable but for the circle they are in.
    endless: BTreeSet<u32>,
}

/// Where compiled flags are counted from.
struct Count<'a> {
    slots: &'a mut Slots,
    /// The number of the snapshot that is made next.
    sequence: u64,
}

impl Catalog {
    pub(crate) fn new(environment: Option<&str>) -> Self {
        Self {
            environment: environment.map(str::to_owned),
            file: Told::default(),
            live: Told::default(),
            revision: Revision::default(),
            segments: HashMap::new(),
            names: Names::default(),
            words: Words::default(),
            entries: Vec::new(),
            timed: BTreeMap::new(),
            clocked: BTreeSet::new(),
            problems: BTreeMap::new(),
            endless: BTreeSet::new(),
        }
    }

    /// Takes over a document. Returns what came of it, and whether there is a new snapshot to be made.
    pub(crate) fn apply(
        &mut self,
        layer: Layer,
        document: Document,
        now: Timestamp,
        slots: &mut Slots,
        sequence: u64,
    ) -> (Applied, bool) {
        let unreadable: Vec<Problem> = document.unreadable.iter().map(Problem::unreadable).collect();
        let mut outcome = Outcome::Changed;
        if layer == Layer::Live {
            outcome = self.revision.meet(&document);
            if matches!(outcome, Outcome::Older | Outcome::Gap) {
                return (Applied { outcome, changed: Vec::new(), problems: Vec::new() }, false);
            }
        }
        let changes = match layer {
            Layer::File => self.file.take(document, true),
            Layer::Live => self.live.take(document, false),
        };
        if changes.flags.is_empty() && changes.segments.is_empty() {
            if outcome == Outcome::Changed {
                outcome = Outcome::Unchanged;
            }
            return (Applied { outcome, changed: Vec::new(), problems: unreadable }, false);
        }
        let (changed, mut problems) = self.compile(changes, now, &mut Count { slots, sequence });
        problems.splice(..0, unreadable);
        (Applied { outcome, changed, problems }, true)
    }

    /// Compiles again what has become due. Returns whether there is a new snapshot to be made.
    pub(crate) fn tick(&mut self, now: Timestamp, slots: &mut Slots, sequence: u64) -> bool {
        let due: Vec<u32> = self.timed.iter().filter(|(_, at)| **at <= now).map(|(number, _)| *number).collect();
        let name = |number: &u32| self.names.name(*number).map(ToString::to_string);
        let flags: BTreeSet<String> = due.iter().filter_map(name).collect();
        let is_due = !flags.is_empty();
        if is_due {
            self.compile(Changes { flags, ..Changes::default() }, now, &mut Count { slots, sequence });
        }
        is_due || !self.clocked.is_empty()
    }

    /// When to call [`Catalog::tick`] next.
    pub(crate) fn next_tick(&self, now: Timestamp) -> Option<Timestamp> {
        let clock = (!self.clocked.is_empty()).then(|| Timestamp::from_millis(now.millis() + CLOCK));
        self.timed.values().copied().chain(clock).min()
    }

    /// The number of a name, and whether it was given just now. Where there are too many names, one that no flag has.
    pub(crate) fn number(&mut self, name: &str) -> (u32, bool) {
        if let Some(number) = self.names.number(name) {
            return (number, false);
        }
        let Some(number) = self.names.add(name) else { return (u32::MAX, false) };
        self.entries.push(Entry::unknown(name));
        (number, true)
    }

    /// What evaluations read.
    pub(crate) fn snapshot(&mut self, now: Timestamp) -> Snapshot {
        let Frozen { index, names } = self.names.freeze();
        Snapshot::new(self.entries.as_slice().into(), index, names, now)
    }

    /// All that the service has told.
    pub(crate) fn document(&self) -> Document {
        Document {
            instance: self.revision.instance.clone(),
            revision: self.revision.revision,
            flags: self.live.flags.values().cloned().collect(),
            segments: self.live.segments.values().cloned().collect(),
            ..Document::default()
        }
    }

    pub(crate) const fn revision(&self) -> &Revision {
        &self.revision
    }

    /// Compiles what changed and what stands on it. Returns the names of flags that answer differently, and what cannot be used.
    fn compile(&mut self, changes: Changes, now: Timestamp, count: &mut Count<'_>) -> (Vec<String>, Vec<Problem>) {
        let Changes { mut flags, segments } = changes;
        let mut problems = self.compile_segments(&segments);
        flags.extend(self.flags_that_name(&segments));
        flags.extend(self.endless.iter().filter_map(|number| Some(self.names.name(*number)?.to_string())));
        let mut changed = BTreeSet::new();
        for name in flags {
            let (number, _) = self.number(&name);
            if self.names.name(number).is_none() {
                let error = ModelError::new("name", "is one too many; names that were known are kept until a restart");
                problems.push(Problem { flag: Some(name), error, kept: false });
            } else if self.compile_flag(&name, number, now, count) {
                changed.insert(name);
            }
        }
        changed.extend(self.cut_circles(count));
        let problem = |name: &String| {
            let (number, error) = self.problems.get_key_value(&self.names.number(name)?)?;
            let usable = self.entries.get(*number as usize).is_some_and(|entry| entry.plan() != Plan::Broken);
            Some(Problem { flag: Some(name.clone()), error: error.clone(), kept: usable })
        };
        problems.extend(changed.iter().filter_map(problem));
        (changed.into_iter().collect(), problems)
    }

    /// Compiles one flag, or forgets it. Returns whether anything may be different.
    fn compile_flag(&mut self, name: &str, number: u32, now: Timestamp, count: &mut Count<'_>) -> bool {
        self.endless.remove(&number);
        let told = self.live.flags.get(name).or_else(|| self.file.flags.get(name)).cloned();
        let Some(flag) = told else {
            self.replace(number, Entry::unknown(name), count);
            self.problems.remove(&number);
            self.timed.remove(&number);
            self.clocked.remove(&number);
            return true;
        };
        let (segments, mut words) = (std::mem::take(&mut self.segments), std::mem::take(&mut self.words));
        let environment = self.environment.clone();
        let mut interned = |name: &str| self.number(name).0;
        let mut around = Surroundings {
            environment: environment.as_deref(),
            now,
            segments: &segments,
            number: &mut interned,
            words: &mut words,
        };
        let done = compile::flag(&flag, &mut around);
        (self.segments, self.words) = (segments, words);
        match done {
            Ok(compile::Done { compiled, next, asks_time }) => {
                self.problems.remove(&number);
                match next {
                    Some(at) => drop(self.timed.insert(number, at)),
                    None => drop(self.timed.remove(&number)),
                }
                if asks_time {
                    self.clocked.insert(number)
                } else {
                    self.clocked.remove(&number)
                };
                self.replace(number, Entry::known(name, compiled), count);
            }
            Err(error) => {
                self.problems.insert(number, error);
                self.timed.remove(&number);
                let was_usable = self.entries.get(number as usize).is_some_and(|entry| entry.compiled().is_some());
                if !was_usable {
                    self.replace(number, Entry::broken(name), count);
                }
            }
        }
        true
    }

    /// Puts a flag's new entry in its place, and gives it counts of its own where it counts something else.
    fn replace(&mut self, number: u32, entry: Entry, count: &mut Count<'_>) {
        let Some((place, name)) = self.entries.get_mut(number as usize).zip(self.names.name(number)) else {
            return;
        };
        let was = place.counter();
        let counter = entry.compiled().map_or(UNCOUNTED, |flag| {
            let variants: Box<[Arc<str>]> = flag.variants.iter().map(|variant| variant.name.clone()).collect();
            if was != UNCOUNTED && count.slots.is_of(was, flag.version, &variants) {
                return was;
            }
            count.slots.allocate(name.clone(), flag.version, variants, count.sequence)
        });
        if was != counter && was != UNCOUNTED {
            count.slots.retire(was, count.sequence);
        }
        *place = entry.counted_at(counter);
    }

    /// Flags whose prerequisites have no end are taken out of use until one of them changes. Returns their names.
    fn cut_circles(&mut self, count: &mut Count<'_>) -> Vec<String> {
        let mut cut = Vec::new();
        for (number, endless) in circles::find(&self.entries) {
            let Some(name) = self.names.name(number).cloned() else { continue };
            self.replace(number, Entry::broken(&name), count);
            self.problems.insert(number, ModelError::new("prerequisites", endless.problem()));
            self.endless.insert(number);
            cut.push(name.to_string());
        }
        cut
    }
}

#[cfg(test)]
mod tests;
