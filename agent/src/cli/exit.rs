//! The exit codes: the same for every command, so that a script needs one table.

/// What a command ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exit {
    /// Done as asked; with `--detach` or after Ctrl-C: taken, and going on without the terminal.
    Done = 0,
    /// Failed; nothing of the more precise codes fits.
    Failed = 1,
    /// Wrong arguments or configuration; nothing was done.
    Usage = 2,
    /// The release was bad, and traffic is back on the old colour.
    RolledBack = 3,
    /// A gate (smoke suite, approval, mode) refused; traffic did not move.
    Refused = 4,
    /// The agent, proxy or target cannot be reached.
    Unreachable = 5,
    /// Kept on the new colour, but there was too little traffic to prove it good.
    NotProven = 6,
    /// Held or frozen: a human is needed.
    Held = 7,
    /// Another release holds the environment.
    Locked = 8,
}

/// Each code in a few words.
const MEANINGS: [(Exit, &str); 9] = [
    (Exit::Done, "done"),
    (Exit::Failed, "failed"),
    (Exit::Usage, "usage or configuration"),
    (Exit::RolledBack, "rolled back"),
    (Exit::Refused, "refused by a gate"),
    (Exit::Unreachable, "not reachable"),
    (Exit::NotProven, "kept but not proven"),
    (Exit::Held, "held (a human is needed)"),
    (Exit::Locked, "another release is under way"),
];

/// The line under `--help`.
pub(super) fn help() -> String {
    let codes: Vec<String> = Exit::all().map(|(code, meaning)| format!("{code} {meaning}")).collect();
    format!("Exit codes: {}", codes.join(", "))
}

impl Exit {
    /// Every code with what it means in a few words, in order.
    pub fn all() -> impl Iterator<Item = (u8, &'static str)> {
        MEANINGS.iter().map(|(exit, meaning)| (exit.code(), *meaning))
    }

    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The code an agent of this or a neighbouring version asks for; unknown ones count as failed.
    #[must_use]
    pub const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Done,
            2 => Self::Usage,
            3 => Self::RolledBack,
            4 => Self::Refused,
            5 => Self::Unreachable,
            6 => Self::NotProven,
            7 => Self::Held,
            8 => Self::Locked,
            _ => Self::Failed,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_itself_and_has_a_meaning() {
        for code in 0..=8 {
            assert_eq!(Exit::from_code(code).code(), code);
        }
        assert!(Exit::all().map(|(code, _)| code).eq(0..=8));
        assert_eq!(Exit::from_code(77), Exit::Failed);
    }
}
