//! What a contestant is, and how it is asked many questions without a virtual call for each.

use std::sync::Arc;
use std::time::Instant;

use hdrhistogram::Histogram;

use crate::world::{Question, World};

/// One question, with all that an application has in hand when it asks.
pub struct Ask<'a> {
    /// The flag's name.
    pub name: &'a str,
    /// The flag's index: what a handle is made from.
    pub flag: usize,
    /// The user's id.
    pub id: &'a str,
    /// The user's index: by it, contexts that are made once a request are found.
    pub user: usize,
}

/// A way to ask for flags.
pub trait Contestant: Send + Sync {
    /// What a thread keeps: a cache, a scratch buffer, or nothing.
    type Thread<'a>
    where
        Self: 'a;

    /// What one thread starts with.
    fn thread(&self) -> Self::Thread<'_>;

    /// Whether the flag is on for the user.
    fn ask(&self, thread: &mut Self::Thread<'_>, ask: &Ask<'_>) -> bool;
}

/// Which answers were given: how many yes, and all of them in order, as a hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// Answers that were yes.
    pub on: u64,
    /// Equal when the same answers came in the same order.
    pub hash: u64,
}

impl Answers {
    #[inline]
    fn add(&mut self, on: bool) {
        self.on += u64::from(on);
        self.hash = self.hash.rotate_left(1) ^ u64::from(on);
    }
}

/// A contestant that is given many questions at once.
pub trait Player: Send + Sync {
    /// Answers `questions`, `rounds` times.
    fn play(&self, world: &World, questions: &[Question], rounds: usize) -> Answers;

    /// The same for as long as `go_on` says, `batch` questions between two looks at the clock; the mean of each batch is kept, in
    /// tenths of a nanosecond.
    fn play_batches(&self, world: &World, batch: usize, go_on: &dyn Fn() -> bool, into: &mut Histogram<u64>)
    -> Answers;
}

impl<C: Contestant> Player for C {
    fn play(&self, world: &World, questions: &[Question], rounds: usize) -> Answers {
        let mut thread = self.thread();
        let mut answers = Answers::default();
        for _ in 0..rounds {
            for question in questions {
                answers.add(one(self, &mut thread, world, *question));
            }
        }
        answers
    }

    fn play_batches(
        &self,
        world: &World,
        batch: usize,
        go_on: &dyn Fn() -> bool,
        into: &mut Histogram<u64>,
    ) -> Answers {
        let mut thread = self.thread();
        let mut answers = Answers::default();
        while go_on() {
            for questions in world.questions.chunks_exact(batch) {
                let start = Instant::now();
                for question in questions {
                    answers.add(one(self, &mut thread, world, *question));
                }
                let tenths = start.elapsed().as_nanos() as u64 * 10 / batch as u64;
                into.saturating_record(tenths);
            }
        }
        answers
    }
}

#[inline]
fn one<'a, C: Contestant + ?Sized + 'a>(
    contestant: &'a C,
    thread: &mut C::Thread<'a>,
    world: &World,
    question: Question,
) -> bool {
    let (flag, user) = (question.flag as usize, question.user as usize);
    contestant.ask(thread, &Ask { name: &world.names[flag], flag, id: &world.users[user].id, user })
}

/// One update of flags, by the way that the contestant offers.
pub type Update = Box<dyn FnMut() + Send>;

/// The share of yes that is right for a contestant.
#[derive(Clone, Copy)]
pub enum Expect {
    /// The case's.
    Case,
    /// Another one, for who cannot do all of the case.
    Share(f64),
    /// None: it answers no question.
    Unchecked,
}

/// A contestant that is ready to play.
pub struct Entry {
    /// The crate, or what else it is.
    pub name: &'static str,
    /// Contestants with the same bucketing must give the same answers; `None`: it does not bucket.
    pub bucketing: Option<&'static str>,
    /// What its answers are checked against.
    pub expects: Expect,
    /// Who answers.
    pub player: Arc<dyn Player>,
    /// Replaces all flags once; `None` where that takes a file or a network.
    pub update: Option<Update>,
    /// Replaces one flag among all; `None` where there is no other way in than for all.
    pub change: Option<Update>,
}
