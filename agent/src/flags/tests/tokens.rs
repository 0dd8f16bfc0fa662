//! Tokens on real databases: made, revoked, told to the other agents, and never in clear.

use teal_testkit::until;

use super::{Kept, On, Running, author};
use crate::access::{FirstToken, Refusal, Role, Roles, Token};
use crate::flags::*;

/// A service with its tokens.
struct Open {
    running: Running,
    tokens: Tokens,
    task: tokio::task::JoinHandle<()>,
}

impl Open {
    async fn on(kept: &Kept, first: Option<FirstToken>) -> Self {
        let running = kept.open().await;
        let (tokens, task) = running.service.keep_tokens(first, running.stop.clone()).await;
        Self { running, tokens, task }
    }

    fn admits(&self, token: &Token) -> Result<String, Refusal> {
        self.tokens.directory().admit(token, now()).map(|record| record.name.clone())
    }

    async fn end(self) {
        self.running.stop.cancel();
        self.task.await.unwrap();
        self.running.end().await;
    }
}

fn new(name: &str) -> NewToken {
    NewToken {
        name: name.into(),
        roles: Roles::of(&[Role::Editor, Role::Sdk]),
        environments: vec!["prod".into()],
        expires: None,
        may_name_people: true,
    }
}

async fn tokens_are_kept_by_their_digests_and_what_was_revoked_stays_so(on: On) {
    let kept = Kept::new(on);
    let open = Open::on(&kept, None).await;
    let (token, made) = open.tokens.create(new("ci"), author()).await.unwrap();
    assert_eq!(open.admits(&token), Ok("ci".into()));
    let same_name = open.tokens.create(new("ci"), author()).await.unwrap_err();
    assert!(matches!(same_name, FlagsError::TokenExists(_)), "{same_name}");
    let (other, _) = open.tokens.create(new("app"), author()).await.unwrap();
    let secret = token.reveal().split('_').nth(2).unwrap().to_owned();
    let stored = kept.everything();
    let has = |text: &str| stored.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(has(token.id().as_str()) && !has(&secret), "the secret is nowhere");
    let revoked = open.tokens.revoke("ci", author()).await.unwrap();
    assert!(revoked.revoked.is_some());
    assert_eq!((open.admits(&token), open.admits(&other)), (Err(Refusal::Revoked), Ok("app".into())));
    // Once more is no change, and its name is free again.
    open.tokens.revoke(token.id().as_str(), author()).await.unwrap();
    open.tokens.create(new("ci"), author()).await.unwrap();
    let told: Vec<String> = open
        .tokens
        .audit(None, 10)
        .await
        .unwrap()
        .iter()
        .map(|entry| {
            format!("{} {} {} {} {}", entry.action, entry.token_name, entry.who, entry.roles, entry.environments)
        })
        .collect();
    let line = |action: &str, name: &str| format!("{action} {name} ops@box sdk, editor [\"prod\"]");
    assert_eq!(told, [line("create", "ci"), line("revoke", "ci"), line("create", "app"), line("create", "ci")]);
    let page = open.tokens.audit(Some(3), 1).await.unwrap();
    assert_eq!((page.len(), page[0].id), (1, 2));
    open.end().await;

    let again = Open::on(&kept, None).await;
    assert_eq!((again.admits(&token), again.admits(&other)), (Err(Refusal::Revoked), Ok("app".into())));
    let found = again.tokens.directory().get(&made.id).cloned().unwrap();
    assert_eq!((found.roles, &found.environments, found.may_name_people), (made.roles, &made.environments, true));
    assert!(again.tokens.directory().get(other.id()).unwrap().used.last().is_some(), "it was used");
    again.end().await;
}

async fn the_first_token_is_adopted_once_and_not_again_after_it_was_revoked(on: On) {
    let kept = Kept::new(on);
    let token = Token::random().unwrap();
    let first = || Some(FirstToken::from(&token));
    let open = Open::on(&kept, first()).await;
    assert_eq!(open.admits(&token), Ok("first".into()));
    open.end().await;
    let open = Open::on(&kept, first()).await;
    assert_eq!(open.tokens.audit(None, 10).await.unwrap().len(), 1);
    open.tokens.revoke("first", author()).await.unwrap();
    open.end().await;
    let open = Open::on(&kept, first()).await;
    assert_eq!(open.admits(&token), Err(Refusal::Revoked));
    open.end().await;
    // Another one that is brought later has a name of its own.
    let other = Token::random().unwrap();
    let open = Open::on(&kept, Some(FirstToken::from(&other))).await;
    assert_eq!(open.admits(&other), Ok("first".into()));
    open.end().await;
    let third = Token::random().unwrap();
    let open = Open::on(&kept, Some(FirstToken::from(&third))).await;
    assert_eq!(open.admits(&third), Ok(format!("first-{}", third.id())));
    open.end().await;
}

on_both! {
    tokens_are_kept_by_their_digests_and_what_was_revoked_stays_so,
    the_first_token_is_adopted_once_and_not_again_after_it_was_revoked,
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_agent_revokes_the_other_refuses() {
    let kept = Kept::new(On::Postgres);
    let (one, other) = (Open::on(&kept, None).await, Open::on(&kept, None).await);
    let (token, _) = one.tokens.create(new("app"), author()).await.unwrap();
    until("the other agent knows the token", || async { other.admits(&token).ok() }).await;
    one.tokens.revoke("app", author()).await.unwrap();
    until("the other agent refuses it", || async { (other.admits(&token) == Err(Refusal::Revoked)).then_some(()) })
        .await;
    // Also what somebody takes out of the table by hand.
    let (token, _) = one.tokens.create(new("app"), author()).await.unwrap();
    until("the other agent knows the token", || async { other.admits(&token).ok() }).await;
    kept.by_hand(&format!("DELETE FROM feature_flag_tokens WHERE id = '{}' RETURNING id", token.id())).await;
    for agent in [&one, &other] {
        until("it is refused", || async { (agent.admits(&token) == Err(Refusal::Unknown)).then_some(()) }).await;
    }
    one.end().await;
    other.end().await;
}
