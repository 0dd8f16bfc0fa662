//! What every contestant is asked about: names of flags, users, and a shuffled list of questions.

use fastrand::Rng;

/// Users of the application: more than a first-level cache holds with their contexts.
pub const USERS: usize = 4_096;
/// Questions in the list, which is walked again and again.
pub const QUESTIONS: usize = 8_192;

const AREAS: [&str; 10] =
    ["billing", "telehealth", "search", "calendar", "patients", "reports", "login", "export", "messages", "settings"];
const THINGS: [&str; 10] =
    ["new_form", "dark_mode", "fast_path", "second_factor", "upload", "preview", "history", "wizard", "limits", "beta"];

/// A user, as an application knows one.
pub struct User {
    /// 36 bytes, shaped like a UUID.
    pub id: String,
    /// `pro` for every other user, by chance: what the rule asks for.
    pub plan: &'static str,
}

/// One question: is this flag on for this user?
#[derive(Clone, Copy)]
pub struct Question {
    /// Index of the flag.
    pub flag: u32,
    /// Index of the user.
    pub user: u32,
}

/// Names, users and questions, the same in every run: all chance comes from one seed.
pub struct World {
    /// Names of flags, each in memory of its own, as after parsing.
    pub names: Vec<String>,
    /// The users.
    pub users: Vec<User>,
    /// Every flag equally often, in an order that no prefetcher guesses, each with a user by chance.
    pub questions: Vec<Question>,
}

impl World {
    /// A world with `flags` flags.
    #[must_use]
    pub fn new(flags: usize) -> Self {
        let mut rng = Rng::with_seed(0x7ea1);
        let users = (0..USERS).map(|_| user(&mut rng)).collect();
        let names = (0..flags).map(name).collect();
        let mut order: Vec<u32> = (0..flags as u32).collect();
        let mut questions = Vec::with_capacity(QUESTIONS);
        while questions.len() < QUESTIONS && flags > 0 {
            rng.shuffle(&mut order);
            questions.extend(order.iter().map(|&flag| Question { flag, user: rng.u32(..USERS as u32) }));
        }
        questions.truncate(QUESTIONS);
        Self { names, users, questions }
    }
}

fn user(rng: &mut Rng) -> User {
    let (a, b) = (rng.u64(..), rng.u64(..));
    let id = format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        a >> 32,
        a >> 16 & 0xffff,
        a & 0xfff,
        b >> 48 & 0x3fff | 0x8000,
        b & 0xffff_ffff_ffff
    );
    User { id, plan: if rng.bool() { "pro" } else { "free" } }
}

fn name(index: usize) -> String {
    format!("{}.{}-{index:03}", AREAS[index % 10], THINGS[index / 10 % 10])
}
