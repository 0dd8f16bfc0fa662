//! `teal flags compare`: how many users would change side, by flag and in all.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Value, json};

use super::style::Tone;
use super::table::{self, Cell, Column, cut};
use super::words::value;

/// Characters of a value that are shown as a side.
const SIDE: usize = 30;

/// A side in words: `on`, `off`, a value; null is the caller's default.
#[must_use]
pub fn side(served: &Value) -> String {
    match served {
        Value::Null => "the caller's default".to_owned(),
        Value::Bool(true) => "on".to_owned(),
        Value::Bool(false) => "off".to_owned(),
        other => value(other),
    }
}

/// Somebody who would change side; numbers of the user and the flag, in the order in which they were given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mover {
    /// Which user.
    pub user: usize,
    /// Of which flag.
    pub flag: usize,
    /// Their side there.
    pub before: String,
    /// Their side here.
    pub after: String,
}

#[derive(Clone, Debug, Default)]
struct OfFlag {
    name: String,
    compared: u64,
    unknown: u64,
    moved: u64,
    ways: BTreeMap<(String, String), u64>,
}

/// What was found so far.
#[derive(Clone, Debug, Default)]
pub struct Compared {
    users: usize,
    flags: Vec<OfFlag>,
    movers: Vec<Mover>,
    people: BTreeSet<usize>,
}

impl Compared {
    /// Nobody yet, of these flags.
    #[must_use]
    pub fn new(flags: Vec<String>) -> Self {
        let flags = flags.into_iter().map(|name| OfFlag { name, ..OfFlag::default() }).collect();
        Self { flags, ..Self::default() }
    }

    /// One more user: of each flag the sides there and here; `None` where it is not known there.
    pub fn add(&mut self, answers: Vec<Option<(String, String)>>) {
        for (number, (flag, answer)) in self.flags.iter_mut().zip(answers).enumerate() {
            let Some((before, after)) = answer else {
                flag.unknown += 1;
                continue;
            };
            flag.compared += 1;
            if before == after {
                continue;
            }
            flag.moved += 1;
            *flag.ways.entry((before.clone(), after.clone())).or_default() += 1;
            self.people.insert(self.users);
            self.movers.push(Mover { user: self.users, flag: number, before, after });
        }
        self.users += 1;
    }

    /// Users so far.
    #[must_use]
    pub const fn users(&self) -> usize {
        self.users
    }

    /// Who would change side, in the order of users.
    #[must_use]
    pub fn movers(&self) -> &[Mover] {
        &self.movers
    }

    /// Flags that the old service never answered for.
    pub fn unknown(&self) -> impl Iterator<Item = &str> {
        self.flags.iter().filter(|flag| flag.compared == 0 && flag.unknown > 0).map(|flag| flag.name.as_str())
    }
}

/// `..  1200 of 20000 users   3 would change side`.
#[must_use]
pub fn progress(compared: &Compared, users: usize) -> String {
    format!("..  {} of {users} users   {} would change side", compared.users, compared.people.len())
}

const COLUMNS: [Column; 5] = [
    Column { title: "FLAG", most: 34, kind: table::Kind::Name },
    Column { title: "USERS", most: 10, kind: table::Kind::Number },
    Column { title: "SAME", most: 10, kind: table::Kind::Number },
    Column { title: "CHANGE", most: 10, kind: table::Kind::Number },
    Column { title: "HOW", most: 60, kind: table::Kind::Text },
];

/// A line a flag.
#[must_use]
pub fn table(compared: &Compared) -> String {
    let row = |flag: &OfFlag| -> [Cell; 5] {
        let ways: Vec<String> = flag
            .ways
            .iter()
            .map(|((before, after), count)| format!("{} -> {} {count}", cut(before, SIDE), cut(after, SIDE)))
            .collect();
        let tone = if flag.moved > 0 { Tone::Bad } else { Tone::Faint };
        let how = if flag.compared == 0 { "not known there".to_owned() } else { ways.join(", ") };
        [
            Cell(Tone::Name, flag.name.clone()),
            flag.compared.to_string().into(),
            (flag.compared - flag.moved).to_string().into(),
            Cell(tone, flag.moved.to_string()),
            how.into(),
        ]
    };
    table::table(COLUMNS, &compared.flags.iter().map(row).collect::<Vec<_>>())
}

/// What it comes to; `ids`: whom the numbers of users mean, where they may be named.
#[must_use]
pub fn end(compared: &Compared, ids: &[&str], most: usize) -> String {
    let people = compared.people.len();
    if people == 0 {
        return format!("ok  nobody changes side: {} users\n", compared.users);
    }
    let mut text = format!("!!  {people} of {} users would change side\n", compared.users);
    let named = if ids.is_empty() { 0 } else { most };
    for mover in compared.movers.iter().take(named) {
        let Mover { user, flag, before, after } = mover;
        let (id, flag) = (ids.get(*user).copied().unwrap_or_default(), self::flag(compared, *flag));
        let _ = writeln!(text, "    {id}   {flag}   {} -> {}", cut(before, SIDE), cut(after, SIDE));
    }
    match compared.movers.len().saturating_sub(named) {
        0 => {}
        more if named > 0 => {
            let _ = writeln!(text, "    and {more} more: --json names all");
        }
        _ => text.push_str("    --json names them\n"),
    }
    text
}

fn flag(compared: &Compared, number: usize) -> &str {
    compared.flags.get(number).map_or("", |flag| flag.name.as_str())
}

/// For scripts.
#[must_use]
pub fn json(compared: &Compared) -> Value {
    let one = |flag: &OfFlag| {
        let ways: Vec<Value> =
            flag.ways.iter().map(|((old, new), users)| json!({"old": old, "new": new, "users": users})).collect();
        json!({"flag": flag.name, "compared": flag.compared, "unknown": flag.unknown, "changed": flag.moved, "ways": ways})
    };
    compared.flags.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::super::style::plain;
    use super::*;

    #[test]
    fn who_would_change_side_is_counted_and_named_only_where_that_is_wanted() {
        let sides = |before: &str, after: &str| Some((before.to_owned(), after.to_owned()));
        let mut compared = Compared::new(vec!["telehealth".into(), "price-page".into(), "gone".into()]);
        compared.add(vec![sides("on", "on"), sides("wide", "wide"), None]);
        compared.add(vec![sides("off", "on"), sides("wide", "narrow"), None]);
        compared.add(vec![sides("off", "on"), sides("wide", "wide"), None]);
        assert_eq!(progress(&compared, 5), "..  3 of 5 users   2 would change side");
        assert_eq!(compared.unknown().collect::<Vec<_>>(), ["gone"]);
        let text = [
            table(&compared),
            end(&compared, &["user-0", "user-1", "user-2"], 2),
            end(&compared, &[], 2),
            end(&Compared::new(vec![]), &[], 2),
        ]
        .join("---\n");
        insta::assert_snapshot!(plain(&text));
        assert_eq!(json(&compared)[0]["ways"][0]["users"], 2);
    }
}
