use super::*;
use crate::proxy::haproxy::runtime::{Runtime, RuntimeError};

#[tokio::test]
async fn a_policy_is_set_read_back_and_routed_by() {
    let lab = Lab::start(Mode::Single).await;
    let runtime = Runtime::new(&lab.settings);
    assert_eq!(teal_testkit::get(lab.front, "/").await.unwrap().body, "blue");
    let process = runtime.set(NEW).await.unwrap();
    assert_eq!((process.pid, process.stopping), (lab.proxy.pid(), false));
    assert_eq!(teal_testkit::get(lab.front, "/").await.unwrap().body, "green");
    let look = runtime.look().await.unwrap();
    assert_eq!(look.value.as_deref(), Some(NEW));
    let row = |colour| *look.backends.iter().find(|row| row.colour == colour).unwrap();
    assert_eq!(look.backends.len(), 2);
    let (blue, green) = (row(Colour::Blue), row(Colour::Green));
    assert_eq!((blue.started, blue.answered, blue.in_flight, blue.up), (1, 1, 0, 1));
    assert_eq!((green.started, green.answered, green.in_flight, green.up), (1, 1, 0, 1));
}

#[tokio::test]
async fn a_missing_key_is_created_once() {
    let lab = Lab::start(Mode::Single).await;
    let map = lab.settings.map.display().to_string();
    let runtime = Runtime::new(&lab.settings);
    for command in [format!("del map {map} policy"), format!("clear map {map}")] {
        lab.proxy.runtime(&command).await;
        assert_eq!(runtime.look().await.unwrap().value, None);
        runtime.set(NEW).await.unwrap();
        let keys = lab.proxy.runtime(&format!("show map {map}")).await;
        assert_eq!(keys.lines().filter(|line| line.contains("policy")).count(), 1, "{keys}");
    }
}

#[tokio::test]
async fn a_path_with_spaces_and_semicolons_is_one_word() {
    let folder = teal_testkit::folder();
    let lab = Lab::in_folder(folder, Mode::Single, |settings| {
        settings.map = settings.map.with_file_name("a;b.map");
    })
    .await;
    Runtime::new(&lab.settings).set(NEW).await.unwrap();
    assert_eq!(teal_testkit::get(lab.front, "/").await.unwrap().body, "green");
}

#[tokio::test]
async fn requests_count_as_started_at_once_and_as_answered_with_their_headers() {
    let lab = Lab::start(Mode::Single).await;
    lab.blue.answer(teal_testkit::Answer::Hang);
    let hanging = AbortOnDropHandle::new(tokio::spawn(teal_testkit::get(lab.front, "/")));
    let runtime = Runtime::new(&lab.settings);
    let counts = until("the request is in flight", || async {
        let look = runtime.look().await.unwrap();
        look.backends.into_iter().find(|row| row.colour == Colour::Blue && row.in_flight == 1)
    })
    .await;
    assert_eq!((counts.started, counts.answered), (1, 0));
    drop(hanging);
}

#[tokio::test]
async fn a_map_that_haproxy_does_not_know_is_named() {
    let mut lab = Lab::start(Mode::Single).await;
    lab.settings.map = lab.settings.map.with_file_name("other.map");
    let runtime = Runtime::new(&lab.settings);
    for error in [runtime.set(NEW).await.unwrap_err(), runtime.look().await.unwrap_err()] {
        assert!(matches!(&error, RuntimeError::UnknownMap { map } if map.ends_with("other.map")), "{error}");
    }
}

#[tokio::test]
async fn a_frozen_haproxy_is_an_error_in_time_and_not_a_hang() {
    let lab = Lab::start(Mode::Single).await;
    lab.proxy.freeze();
    let runtime = Runtime::new(&lab.settings);
    let error = runtime.set(NEW).await.unwrap_err();
    assert!(matches!(error, RuntimeError::TimedOut { .. }), "{error}");
    // A listen queue that is full is the same to us.
    let error = until("the queue is full or it times out", || async { runtime.look().await.err() }).await;
    assert!(matches!(error, RuntimeError::TimedOut { .. }), "{error}");
}

#[tokio::test]
async fn a_socket_that_nobody_serves_is_told_from_one_that_is_not_there() {
    let folder = teal_testkit::folder();
    let settings = settings(folder.path());
    let runtime = Runtime::new(&settings);
    let error = runtime.look().await.unwrap_err();
    assert!(matches!(error, RuntimeError::NotFound(_)), "{error}");
    drop(tokio::net::UnixListener::bind(&settings.socket).unwrap());
    let error = runtime.look().await.unwrap_err();
    assert!(matches!(error, RuntimeError::Refused(_)), "{error}");
    assert!(error.to_string().contains("teal.sock"), "{error}");
}

#[tokio::test]
async fn strange_answers_are_typed_errors() {
    async fn check(answer: &'static str, words: &str) {
        let folder = teal_testkit::folder();
        // What is answered is meant here, not how soon: a busy machine may take its time.
        let settings = EdgeSettings { timeout: Duration::from_secs(10), ..settings(folder.path()) };
        let fake = FakeSocket::start(settings.socket.clone(), move |_| Some(answer.to_owned()));
        let error = Runtime::new(&settings).set(NEW).await.unwrap_err();
        assert!(error.to_string().contains(words), "{}: {error}", fake.path.display());
    }
    const INFO: &str = "Name: HAProxy\nVersion: 2.6.12\nPid: 7\nStopping: 0\n\n";
    let value = |value: &str| format!("\ntype=str, found=yes, key=\"policy\", value=\"{value}\", type=\"str\"\n\n");
    let leak = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    check("", "nothing").await;
    check("Permission denied\n\n", "level operator").await;
    check(leak(value("v1:other") + INFO), "somebody else writes this map").await;
    check(leak(value(NEW) + &INFO.replace("2.6.12", "2.4.22")), "too old").await;
    check(leak(value(NEW) + &INFO.replace("Stopping: 0", "Stopping: 1")), "replaced by a reload").await;
    check(leak(value(NEW)), "show info").await;
    check(leak(format!("Out of memory!\n{}{INFO}", value(NEW))), "Out of memory").await;
}
