//! The name of a user of this machine.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A name may be another one after this.
const KEPT: Duration = Duration::from_secs(60);
/// Users whose names are kept; of more, all are looked up anew.
const MOST: usize = 100;

/// Names of users who came lately: a program may ask a thousand times a second, and the file is not read each time.
#[derive(Debug, Default)]
pub(super) struct Users(Mutex<HashMap<u32, (Instant, String)>>);

impl Users {
    /// `anna`, or `uid1000` where the machine has no name for the number.
    pub(super) fn name(&self, uid: Option<u32>) -> String {
        let looked_up = |uid: u32| {
            let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
            found(&users, uid).map_or_else(|| format!("uid{uid}"), str::to_owned)
        };
        uid.map_or_else(|| "local".to_owned(), |uid| self.kept(uid, Instant::now(), looked_up))
    }

    fn kept(&self, uid: u32, now: Instant, look_up: impl FnOnce(u32) -> String) -> String {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, name)) = names.get(&uid)
            && now.duration_since(*at) < KEPT
        {
            return name.clone();
        }
        if names.len() >= MOST {
            names.clear();
        }
        let name = look_up(uid);
        names.insert(uid, (now, name.clone()));
        name
    }
}

/// `name:password:uid:...`
fn found(users: &str, uid: u32) -> Option<&str> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        (fields.nth(1)?.parse() == Ok(uid)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_a_name_or_at_least_a_number() {
        let users = "root:x:0:0:root:/root:/bin/sh\nbroken\nanna:x:1000:1000::/home/anna:/bin/sh\n";
        assert_eq!((found(users, 1000), found(users, 7)), (Some("anna"), None));
        let users = Users::default();
        assert_eq!(users.name(Some(4_000_000_000)), "uid4000000000");
        assert_eq!(users.name(None), "local");
    }

    #[test]
    fn a_name_is_looked_up_once_a_minute() {
        let (users, start) = (Users::default(), Instant::now());
        let at = |after: Duration, is_now: &str| users.kept(7, start + after, |_| is_now.to_owned());
        assert_eq!(at(Duration::ZERO, "anna"), "anna");
        assert_eq!(at(KEPT / 2, "berta"), "anna");
        assert_eq!(at(KEPT, "berta"), "berta");
        for uid in 0..1000 {
            users.kept(uid, start, |_| String::new());
        }
        assert!(users.0.lock().unwrap().len() <= MOST);
    }
}
