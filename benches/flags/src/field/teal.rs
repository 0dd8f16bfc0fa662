//! `teal-flags`: `is_enabled` by name, by a handle that was looked up once, and of flags that the code declares. Every answer is
//! counted, as always. A user's attributes are made once; a context of id and attributes is put together at each question, as it
//! only borrows them.

use std::sync::Arc;

use teal_flags::model::{Condition, Document, Flag, Operator, Percentage, Rule, Timestamp};
use teal_flags::{Attribute, Context, Declared, Flags, Handle, Layer, Outcome};

use super::floor;
use crate::player::{Ask, Contestant, Entry, Expect, Update};
use crate::shape::{self, Shape};
use crate::world::World;

type Attributes = [(&'static str, Attribute<'static>); 1];

struct Teal<N> {
    flags: Flags,
    users: Vec<Attributes>,
    named: N,
}

/// A way to name flags.
trait Named: Send + Sync + 'static {
    fn is_enabled(&self, flags: &Flags, user: Context<'_>, ask: &Ask<'_>) -> bool;
}

struct ByName;

impl Named for ByName {
    #[inline]
    fn is_enabled(&self, flags: &Flags, user: Context<'_>, ask: &Ask<'_>) -> bool {
        flags.is_enabled(user, ask.name)
    }
}

impl Named for Vec<Handle> {
    #[inline]
    fn is_enabled(&self, _: &Flags, user: Context<'_>, ask: &Ask<'_>) -> bool {
        self[ask.flag].is_enabled(user)
    }
}

impl Named for Vec<Declared> {
    #[inline]
    fn is_enabled(&self, flags: &Flags, user: Context<'_>, ask: &Ask<'_>) -> bool {
        flags.is_enabled(user, &self[ask.flag])
    }
}

impl<N: Named> Contestant for Teal<N> {
    type Thread<'a> = ();

    fn thread(&self) {}

    #[inline]
    fn ask(&self, (): &mut (), ask: &Ask<'_>) -> bool {
        self.named.is_enabled(&self.flags, Context::new(ask.id, &self.users[ask.user]), ask)
    }
}

fn percentage(share: u32) -> Percentage {
    Percentage::from_thousandths(share).expect("a share of the whole")
}

fn flag(name: &str, shape: &Shape) -> Flag {
    let rule = |rule: &shape::Rule| Rule {
        percentage: percentage(rule.rollout),
        ..Rule::new(vec![Condition::new(rule.attribute, Operator::In, [rule.value.as_str()])])
    };
    Flag {
        enabled: shape.enabled,
        rules: shape.rules.iter().map(rule).collect(),
        rollout_percentage: percentage(shape.rollout),
        ..Flag::new(name)
    }
}

/// The next revision, with these flags in new versions: without that nothing would have changed, and nothing would be done.
fn renew(flags: &Flags, document: &mut Document, which: std::ops::Range<usize>) {
    let since = (which.len() < document.flags.len()).then_some(document.revision);
    document.revision += 1;
    let renewed = &mut document.flags[which];
    renewed.iter_mut().for_each(|flag| flag.version += 1);
    let told = Document { flags: renewed.to_vec(), revision: document.revision, since, ..Document::default() };
    let applied = flags.apply(Layer::Live, told, Timestamp::from_millis(0));
    assert_eq!((applied.outcome, applied.problems.len()), (Outcome::Changed, 0), "a document was not taken");
}

fn build<N: Named>(world: &World, shape: &Shape, name: &'static str, named: impl FnOnce(&Flags) -> N) -> Entry {
    let flags = Flags::new(None);
    let mut document =
        Document { flags: world.names.iter().map(|name| flag(name, shape)).collect(), ..Document::default() };
    if !document.flags.is_empty() {
        let all = 0..document.flags.len();
        renew(&flags, &mut document, all);
    }
    let users = world.users.iter().map(|user| [("plan", user.plan.into())]).collect();
    let player = Arc::new(Teal { named: named(&flags), flags: flags.clone(), users });
    // Both tell of one service's revisions, and may be used in turn.
    let document = Arc::new(std::sync::Mutex::new(document));
    let update = |which: fn(&Document) -> std::ops::Range<usize>| -> Update {
        let (flags, document) = (flags.clone(), Arc::clone(&document));
        Box::new(move || {
            let mut document = document.lock().expect("no update panicked");
            let which = which(&document);
            renew(&flags, &mut document, which);
        })
    };
    let one = |document: &Document| {
        let at = document.revision as usize % document.flags.len();
        at..at + 1
    };
    Entry {
        name,
        bucketing: Some(floor::TEAL),
        expects: Expect::Case,
        player,
        update: Some(update(|document| 0..document.flags.len())),
        change: Some(update(one)),
    }
}

pub(super) fn by_name(world: &Arc<World>, shape: &Shape) -> Entry {
    build(world, shape, "teal-flags", |_| ByName)
}

pub(super) fn by_handle(world: &Arc<World>, shape: &Shape) -> Entry {
    let handles = |flags: &Flags| world.names.iter().map(|name| flags.handle(name)).collect::<Vec<_>>();
    build(world, shape, "teal-flags, handle", handles)
}

/// What the macro `flags!` makes, for names that are known here only while the program runs.
pub(super) fn declared(world: &Arc<World>, shape: &Shape) -> Entry {
    let declare = |name: &String| Declared::new(name.clone().leak(), false);
    build(world, shape, "teal-flags, declared", |_| world.names.iter().map(declare).collect::<Vec<_>>())
}
