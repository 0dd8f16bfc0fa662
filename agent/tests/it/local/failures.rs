//! What does not start or does not stay, and what the operator is told.

use std::fs;
use std::net::TcpListener;
use std::time::Duration;

use teal_rollout::colour::Colour::Blue;

use super::site::Site;

#[tokio::test]
async fn a_crash_is_counted_and_a_crash_loop_reported_with_its_last_words() {
    let site = Site::shell("echo cannot read config; exit 3");
    let mut agent = site.agent();
    agent.start(Blue, "v1", 1).await;
    let (looping, before) = agent.until(Blue, |capacity| capacity.crash_looping == 1).await;
    assert_eq!((looping.ready, looping.failure.as_deref()), (0, Some("exit status 3")));
    assert!(before.iter().any(|c| c.crash_looping == 0 && c.failure.as_deref() == Some("exit status 3")), "{before:?}");
    assert!(site.only().await.restarts >= 2);
    assert!(site.last_lines(Blue).contains("cannot read config"));
}

#[tokio::test]
async fn a_run_that_settles_ends_a_crash_loop() {
    let mut site = Site::shell("echo again >> runs; [ $(wc -l < runs) -gt 3 ] || exit 3; exec $APP");
    site.component().working_dir = Some(site.dir.path().to_owned());
    site.component().restart.settled = Duration::from_millis(500);
    let mut agent = site.agent();
    agent.start(Blue, "v1", 1).await;
    agent.until(Blue, |capacity| capacity.crash_looping == 1).await;
    let (recovered, _) = agent.until(Blue, |capacity| capacity.crash_looping == 0).await;
    assert_eq!((recovered.ready, recovered.failure), (1, None));
    let running = site.only().await;
    assert_eq!((running.restarts, running.crash_looping, running.failure), (3, false, None));
}

#[tokio::test]
async fn a_taken_port_is_named_with_its_owner_and_taken_when_free() {
    let site = Site::new();
    let port = site.port(Blue);
    let squatter = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let mut agent = site.agent();
    agent.start(Blue, "v1", 1).await;
    let failure = agent.failure(Blue).await.failure.unwrap();
    assert!(failure.starts_with(&format!("port {port} is in use by pid {} (", std::process::id())), "{failure}");
    drop(squatter);
    assert_eq!(agent.ready(Blue, "v1").await.failure, None);
}

#[tokio::test]
async fn a_version_whose_binary_is_missing_says_which_file() {
    let site = Site::running(&["/srv/api/{version}/api", "--port", "{port}"]);
    let mut agent = site.agent();
    agent.start(Blue, "v9", 1).await;
    let (looping, _) = agent.until(Blue, |capacity| capacity.crash_looping == 1).await;
    assert_eq!(looping.failure.as_deref(), Some("no such file: /srv/api/v9/api"));
    assert_eq!(site.only().await.restarts, 0);
}

#[tokio::test]
async fn a_program_that_cannot_be_run_says_why() {
    let site = Site::running(&["{environment}-app"]);
    let mut agent = site.agent();
    agent.start(Blue, "v1", 1).await;
    assert_eq!(agent.failure(Blue).await.failure.as_deref(), Some("no program `prod-app` in PATH"));
    agent.end().await;

    let mut site = Site::running(&["./app"]);
    let program = site.dir.path().join("app");
    let script = format!("echo '#!/no/such/interpreter' > {0}; chmod +x {0}", program.display());
    assert!(std::process::Command::new("/bin/sh").args(["-c", &script]).status().unwrap().success());
    site.component().working_dir = Some(site.dir.path().to_owned());
    let mut agent = site.agent();
    agent.start(Blue, "v1", 1).await;
    let failure = agent.failure(Blue).await.failure.unwrap();
    assert!(failure.starts_with("cannot run ") && failure.contains("/app: No such file"), "{failure}");
}

#[tokio::test]
async fn an_order_that_cannot_be_carried_out_is_refused_at_once() {
    let mut site = Site::new();
    let env_file = site.dir.path().join("env");
    site.component().env_file = Some(env_file.clone());
    let mut agent = site.agent();
    agent.start(Blue, "../../etc", 1).await;
    let refused = agent.failure(Blue).await;
    assert_eq!((refused.version.as_deref(), refused.wanted), (Some("../../etc"), 0));
    assert!(refused.failure.unwrap().contains("`../../etc` is not a version"));
    agent.start(Blue, "v1", 2).await;
    let failure = agent.until(Blue, |c| c.version.as_deref() == Some("v1")).await.0.failure.unwrap();
    assert!(failure.starts_with(&format!("env_file: cannot read {}", env_file.display())), "{failure}");
    fs::write(&env_file, "A=1\nhunter2\n").unwrap();
    agent.start(Blue, "v2", 3).await;
    let failure = agent.until(Blue, |c| c.version.as_deref() == Some("v2")).await.0.failure.unwrap();
    assert!(failure.contains("line 2 is not KEY=VALUE") && !failure.contains("hunter2"), "{failure}");
    fs::write(&env_file, "A=1\n").unwrap();
    agent.start(Blue, "v2", 3).await;
    agent.ready(Blue, "v2").await;
}

#[tokio::test]
async fn a_program_that_answers_nothing_is_told_as_such() {
    let site = Site::shell("sleep 1000");
    let mut agent = site.agent();
    agent.start(Blue, "v1", 1).await;
    let told = agent.failure(Blue).await;
    let expected = format!("GET /healthz on port {}: connection refused", site.port(Blue));
    assert_eq!((told.failure.as_deref(), told.crash_looping), (Some(expected.as_str()), 0));
}

#[tokio::test]
async fn a_missing_teal_binary_is_told() {
    let mut site = Site::new();
    site.settings.teal_binary = site.dir.path().join("no-teal");
    let mut agent = site.agent();
    agent.start(Blue, "v1", 1).await;
    let failure = agent.failure(Blue).await.failure.unwrap();
    assert!(failure.contains("no-teal shim: No such file"), "{failure}");
}
