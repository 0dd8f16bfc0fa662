//! The name of a user of this machine.

/// `anna`, or `uid1000` where the machine has no name for the number.
pub(super) fn name(uid: Option<u32>) -> String {
    let Some(uid) = uid else { return "local".to_owned() };
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    found(&users, uid).map_or_else(|| format!("uid{uid}"), str::to_owned)
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
        assert_eq!(name(Some(4_000_000_000)), "uid4000000000");
        assert_eq!(name(None), "local");
    }
}
