use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use teal_rollout::colour::Colour;
use teal_rollout::document::{Outcome, Phase};
use teal_rollout::machine::action::News;
use tokio::net::TcpListener;

use super::*;

fn message() -> Message {
    Message {
        app: "physioflow".to_owned(),
        environment: "prod".to_owned(),
        release: "r-0043".to_owned(),
        kind: Kind::RolledBack,
        colour: Some(Colour::Blue),
        counts: Some((188, 7)),
        link: Some("https://physioflow.example".to_owned()),
    }
}

/// `sh -c SCRIPT`, with `$1` the folder.
fn command(folder: &Path, script: &str) -> CommandSettings {
    let argv = ["/bin/sh", "-c", script, "sh", folder.to_str().unwrap()];
    CommandSettings::new(&argv.map(str::to_owned)).unwrap()
}

fn only_command(command: CommandSettings) -> Settings {
    Settings { command: Some(command), webhook: None }
}

fn only_webhook(webhook: WebhookSettings) -> Settings {
    Settings { command: None, webhook: Some(webhook) }
}

/// A receiver that answers with these statuses in turn, the last one for ever; `None` hangs.
struct Receiver {
    url: String,
    posts: mpsc::UnboundedReceiver<(HeaderMap, String)>,
    _task: AbortOnDropHandle<()>,
}

async fn receiver(answers: &'static [Option<u16>]) -> Receiver {
    let (sender, posts) = mpsc::unbounded_channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook?token=s3cret", listener.local_addr().unwrap());
    let turn = Arc::new(AtomicUsize::new(0));
    let take = async move |headers: HeaderMap, body: String| {
        sender.send((headers, body)).unwrap();
        let turn = turn.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
        match answers[turn] {
            Some(status) => StatusCode::from_u16(status).unwrap(),
            None => std::future::pending().await,
        }
    };
    let app = Router::new().route("/hook", post(take));
    let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    Receiver { url, posts, _task: AbortOnDropHandle::new(task) }
}

/// Retries at once, with a limit that only a receiver that hangs exceeds.
fn webhook(receiver: &Receiver) -> WebhookSettings {
    WebhookSettings::new(&receiver.url).unwrap().pauses(vec![Duration::ZERO; 2])
}

/// Waits until `condition` holds, for at most 10 s.
async fn until(condition: impl Fn() -> bool) {
    let waited = timeout(Duration::from_secs(10), async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    });
    waited.await.expect("it never came true");
}

fn is_alive(pid: &str) -> bool {
    // A zombie's command line is empty.
    fs::read(format!("/proc/{}/cmdline", pid.trim())).is_ok_and(|line| !line.is_empty())
}

#[test]
fn a_message_is_release_colour_counts_and_link_in_json_and_in_a_sentence() {
    let expected = json!({
        "app": "physioflow", "environment": "prod", "release": "r-0043", "kind": "rolled_back", "page": false,
        "colour": "blue", "requests": 188, "bad": 7, "link": "https://physioflow.example",
        "text": "physioflow prod r-0043: rolled back, blue serves, 7 of 188 requests bad",
    });
    assert_eq!(serde_json::from_str::<Value>(&message().to_json()).unwrap(), expected);
    let least =
        Message { release: String::new(), kind: Kind::Test, colour: None, counts: None, link: None, ..message() };
    let expected = json!({
        "app": "physioflow", "environment": "prod", "kind": "test", "page": false, "text": "physioflow prod: this is a test",
    });
    assert_eq!(serde_json::from_str::<Value>(&least.to_json()).unwrap(), expected);
}

#[test]
fn news_that_people_act_on_are_told_and_routine_is_not() {
    assert_eq!(Kind::of(&News::Ended(Outcome::RolledBack, None)), Some(Kind::RolledBack));
    assert_eq!(Kind::of(&News::Emergency { component: "api".to_owned() }), Some(Kind::Emergency));
    assert_eq!(Kind::of(&News::Entered(Phase::Deploying)), None);
}

#[tokio::test]
async fn a_command_gets_the_message_on_stdin_and_in_its_environment() {
    let folder = tempfile::tempdir().unwrap();
    let script = r#"cat > "$1/in"; env | grep ^TEAL_ | sort > "$1/env""#;
    let failed = deliver(&only_command(command(folder.path(), script)), &message()).await;
    assert!(failed.is_empty(), "{failed:?}");
    assert_eq!(fs::read_to_string(folder.path().join("in")).unwrap(), format!("{}\n", message().to_json()));
    let variables = fs::read_to_string(folder.path().join("env")).unwrap();
    for line in ["TEAL_RELEASE=r-0043", "TEAL_COLOUR=blue", "TEAL_BAD=7", "TEAL_REQUESTS=188", "TEAL_KIND=rolled_back"]
    {
        assert!(variables.lines().any(|l| l == line), "{line} in {variables}");
    }
}

#[tokio::test]
async fn a_command_that_fails_or_is_not_there_says_why() {
    let check = async |script: &str, words: &str| {
        let folder = tempfile::tempdir().unwrap();
        let failed = deliver(&only_command(command(folder.path(), script)), &message()).await;
        assert!(failed[0].to_string().contains(words), "{script}: {}", failed[0]);
    };
    check("echo no route >&2; exit 3", "`/bin/sh` ended with exit status: 3, saying `no route`").await;
    check("exec <&-; exit 4", "ended with exit status: 4").await;
    check("kill -9 $$", "ended with signal: 9").await;
    check("head -c 300000 /dev/zero | tr '\\0' x >&2; echo >&2; echo last >&2; exit 1", "saying `last`").await;
    let missing = CommandSettings::new(&["/nonexistent/ntfy".to_owned()]).unwrap();
    let failed = deliver(&only_command(missing), &message()).await;
    assert!(failed[0].to_string().contains("cannot start `/nonexistent/ntfy`: No such file"), "{}", failed[0]);
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain");
    fs::write(&plain, "").unwrap();
    fs::set_permissions(&plain, fs::Permissions::from_mode(0o644)).unwrap();
    let plain = CommandSettings::new(&[plain.to_str().unwrap().to_owned()]).unwrap();
    let failed = deliver(&only_command(plain), &message()).await;
    assert!(failed[0].to_string().contains("Permission denied"), "{}", failed[0]);
}

#[tokio::test]
async fn a_command_that_leaves_something_behind_is_done_when_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let script = r#"sleep 60 & echo $! > "$1/pid"; exit 0"#;
    assert!(deliver(&only_command(command(folder.path(), script)), &message()).await.is_empty());
    let pid = fs::read_to_string(folder.path().join("pid")).unwrap();
    assert!(is_alive(&pid));
    let pid = rustix::process::Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

#[tokio::test]
async fn a_command_that_hangs_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let hangs = command(folder.path(), "sleep 60").limit(Duration::from_millis(50));
    let failed = deliver(&only_command(hangs), &message()).await;
    assert!(failed[0].to_string().contains("did not end within 50ms and was killed"), "{}", failed[0]);
}

#[tokio::test]
async fn a_command_that_is_given_up_is_killed_with_its_children() {
    let folder = tempfile::tempdir().unwrap();
    let script = r#"sleep 60 & echo $! > "$1/new"; echo $$ >> "$1/new"; mv "$1/new" "$1/pids"; wait"#;
    let (settings, pids) = (only_command(command(folder.path(), script)), folder.path().join("pids"));
    let task = tokio::spawn(async move { deliver(&settings, &message()).await });
    until(|| pids.exists()).await;
    task.abort();
    for pid in fs::read_to_string(&pids).unwrap().lines() {
        until(|| !is_alive(pid)).await;
    }
}

#[tokio::test]
async fn a_webhook_gets_the_message_once_as_json() {
    let mut receiver = receiver(&[Some(204)]).await;
    assert!(deliver(&only_webhook(webhook(&receiver)), &message()).await.is_empty());
    let (headers, body) = receiver.posts.recv().await.unwrap();
    assert_eq!((headers["content-type"].to_str().unwrap(), body), ("application/json", message().to_json()));
    assert!(receiver.posts.try_recv().is_err());
}

#[tokio::test]
async fn a_webhook_is_tried_again_as_long_as_that_may_help_and_never_shows_its_url() {
    let check = async |answers: &'static [Option<u16>], tries: usize, words: Option<&str>| {
        let mut receiver = receiver(answers).await;
        // Short only where no attempt is to be answered: a busy machine must not turn an answer into none.
        let limit = if answers == [None] { Duration::from_millis(100) } else { Duration::from_secs(2) };
        let settings = webhook(&receiver).limit(limit);
        assert!(!format!("{settings:?}").contains("s3cret"));
        let failed = deliver(&only_webhook(settings), &message()).await;
        let failed = failed.first().map(ToString::to_string);
        assert_eq!(failed.as_deref(), words);
        let mut ids = Vec::new();
        while let Ok((headers, _)) = receiver.posts.try_recv() {
            ids.push(headers["x-teal-delivery"].clone());
        }
        assert_eq!(ids.len(), tries, "{answers:?}");
        assert!(ids.iter().all(|id| *id == ids[0]));
    };
    check(&[Some(500), Some(429), Some(200)], 3, None).await;
    check(&[Some(503)], 3, Some("notify.webhook: answered 503 (tried 3x)")).await;
    check(&[Some(404)], 1, Some("notify.webhook: answered 404 (tried 1x)")).await;
    check(&[Some(302)], 1, Some("notify.webhook: answered 302 (tried 1x)")).await;
    check(&[None], 3, Some("notify.webhook: no answer in time (tried 3x)")).await;
    check(&[None, Some(200)], 2, None).await;
}

#[tokio::test]
async fn nobody_at_the_webhook_is_an_error_with_its_reason() {
    let bound = tokio::net::TcpSocket::new_v4().unwrap();
    bound.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}/s3cret", bound.local_addr().unwrap());
    let settings = WebhookSettings::new(&url).unwrap().pauses(vec![]);
    let failed = deliver(&only_webhook(settings), &message()).await;
    assert_eq!(failed[0].to_string(), "notify.webhook: Connection refused (os error 111) (tried 1x)");
}

#[tokio::test]
async fn a_command_that_hangs_delays_no_webhook_and_no_sender() {
    let folder = tempfile::tempdir().unwrap();
    let mut receiver = receiver(&[Some(200)]).await;
    let settings = Settings { command: Some(command(folder.path(), "sleep 60")), webhook: Some(webhook(&receiver)) };
    let (outbox, messages) = channel(8);
    let cancel = CancellationToken::new();
    let task = spawn(settings, messages, outbox.counters().clone(), cancel.clone());
    for release in ["r-0001", "r-0002", "r-0003"] {
        outbox.send(Message { release: release.to_owned(), ..message() });
        let (_, body) = receiver.posts.recv().await.unwrap();
        assert!(body.contains(release), "{body}");
    }
    until(|| outbox.counters().delivered() == 3).await;
    let start = Instant::now();
    cancel.cancel();
    task.await.unwrap();
    assert!(start.elapsed() >= GRACE, "the command's queue got its grace");
}

#[tokio::test]
async fn a_full_queue_drops_and_counts_and_never_waits() {
    let (outbox, messages) = channel(2);
    for _ in 0..5 {
        outbox.send(message());
    }
    assert_eq!(outbox.counters().dropped(), 3);
    drop(messages);
    outbox.send(message());
    assert_eq!(outbox.counters().dropped(), 4);
}

#[tokio::test]
async fn a_channel_that_hangs_fills_its_own_queue_and_drops_are_counted() {
    let receiver = receiver(&[None]).await;
    let (outbox, messages) = channel(1000);
    let cancel = CancellationToken::new();
    let task = spawn(only_webhook(webhook(&receiver)), messages, outbox.counters().clone(), cancel.clone());
    for _ in 0..QUEUE + 10 {
        outbox.send(message());
    }
    until(|| outbox.counters().dropped() >= 9).await;
    task.abort();
}

#[tokio::test]
async fn what_was_queued_when_the_agent_ends_still_goes_out() {
    let mut receiver = receiver(&[Some(500), Some(200)]).await;
    let (outbox, messages) = channel(8);
    let cancel = CancellationToken::new();
    outbox.send(message());
    outbox.send(message());
    cancel.cancel();
    spawn(only_webhook(webhook(&receiver)), messages, outbox.counters().clone(), cancel).await.unwrap();
    assert_eq!((outbox.counters().delivered(), outbox.counters().failed()), (2, 0));
    receiver.posts.close();
    assert_eq!(receiver.posts.len(), 3);
}

#[test]
fn settings_without_a_program_or_url_are_refused_without_repeating_a_token() {
    assert!(CommandSettings::new(&[]).is_err());
    assert!(CommandSettings::new(&[String::new()]).is_err());
    for wrong in ["", "s3cret", "ftp://a/s3cret", "https://"] {
        let error = WebhookSettings::new(wrong).unwrap_err().to_string();
        assert!(error.contains("notify.webhook") && !error.contains("s3cret"), "{error}");
    }
}
