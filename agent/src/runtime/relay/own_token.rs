//! The relay's own token, which it asks of who comes from other machines as well: read from its file again and again.
//!
//! ```text
//! upstream_token_file --each second--> is it another token? --> Directory with it alone: the old one is worth nothing from here on
//! ```

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::access::{Directory, FirstToken, Record, Role, Roles, Token};
use crate::flags::now;

/// Between two looks at the file.
const LOOK: Duration = Duration::from_secs(1);

/// The file, and what it held last.
#[derive(Debug)]
pub(super) struct OwnToken {
    file: Option<PathBuf>,
    token: Option<Token>,
}

impl OwnToken {
    /// Reads it for the first time.
    pub(super) async fn read(file: Option<PathBuf>) -> Self {
        let token = match &file {
            Some(file) => read(file).await,
            None => None,
        };
        Self { file, token }
    }

    /// Whether nobody from another machine can be let in.
    pub(super) const fn is_missing(&self) -> bool {
        self.token.is_none()
    }

    /// Whom the door knows.
    pub(super) fn directory(&self) -> Arc<Directory> {
        Arc::new(Directory::new(self.token.as_ref().map(record)))
    }

    /// Puts each new token in the place of the old one, for ever.
    pub(super) async fn follow(mut self, tokens: watch::Sender<Arc<Directory>>) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            if self.is_another().await {
                tracing::info!("the relay has a new token, and asks for it from now on");
                tokens.send_replace(self.directory());
            }
        }
    }

    /// Looks whether there is another one now. A file that is away or holds none for a while, as when it is written anew, changes nothing.
    async fn is_another(&mut self) -> bool {
        let Some(file) = &self.file else { return false };
        match read(file).await {
            Some(found) if self.token.as_ref() != Some(&found) => {
                self.token = Some(found);
                true
            }
            _ => false,
        }
    }
}

async fn read(file: &Path) -> Option<Token> {
    tokio::fs::read_to_string(file).await.ok()?.trim().parse().ok()
}

/// Who has the relay's token may do at the relay what the relay may.
fn record(token: &Token) -> Record {
    let first = Record::first(&FirstToken::from(token), now());
    Record { name: "upstream".to_owned(), roles: Roles::of(&[Role::Sdk]), ..first }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_token_in_the_file_is_the_one_that_is_asked_for_also_when_it_is_another_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let tokens = [Token::random().unwrap(), Token::random().unwrap()];
        let mut own = OwnToken::read(Some(file.clone())).await;
        let check = |own: &OwnToken, expected: [bool; 2]| {
            let directory = own.directory();
            let roles = |token: &Token| directory.admit(token, now()).ok().map(|record| record.roles);
            let is_sdk = |token: &Token| roles(token) == Some(Roles::of(&[Role::Sdk]));
            assert_eq!([is_sdk(&tokens[0]), is_sdk(&tokens[1])], expected);
            assert_eq!(own.is_missing(), directory.iter().count() == 0);
        };
        check(&own, [false, false]);
        std::fs::write(&file, tokens[0].reveal() + "\n").unwrap();
        assert!(own.is_another().await && !own.is_another().await);
        check(&own, [true, false]);
        check(&OwnToken::read(Some(file.clone())).await, [true, false]);
        // Written in two steps, or put in the place of the old one.
        std::fs::write(&file, "").unwrap();
        assert!(!own.is_another().await);
        std::fs::remove_file(&file).unwrap();
        assert!(!own.is_another().await);
        check(&own, [true, false]);
        std::fs::write(&file, tokens[1].reveal()).unwrap();
        assert!(own.is_another().await);
        check(&own, [false, true]);
    }
}
