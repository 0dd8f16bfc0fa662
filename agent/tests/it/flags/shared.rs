//! Real agents on one PostgreSQL: killed, cut off, and what applications see of it.

use std::os::unix::fs::PermissionsExt;

use reqwest::{Method, StatusCode, header};
use serde_json::json;
use teal_testkit::{Postgres, PostgresDatabase, until};

use super::{Agent, answers, listens};
use crate::said;

/// Written, and not yet running.
fn on(database: &PostgresDatabase) -> Agent {
    let agent = Agent::new();
    let dsn = agent.path("flags.dsn");
    std::fs::write(&dsn, database.address()).unwrap();
    std::fs::set_permissions(&dsn, std::fs::Permissions::from_mode(0o600)).unwrap();
    let path = agent.path("teal.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replace("\n[flags]\n", &format!("\n[flags]\npostgres_file = \"{}\"\n", dsn.display()));
    std::fs::write(path, text).unwrap();
    agent
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_is_killed_while_it_edits_loses_nothing_that_it_confirmed() {
    let database = teal_testkit::postgres().database();
    let (mut one, mut other) = (on(&database), on(&database));
    one.start().await;
    other.start().await;
    let application = other.application();
    listens(&application, 1).await;
    let mut confirmed = Vec::new();
    for round in 0..3 {
        let editing = {
            let request = one.request(Method::PATCH, "/8");
            tokio::spawn(async move {
                let mut made = Vec::new();
                for number in 0.. {
                    let reason = format!("{round}-{number}");
                    let change = json!({"description": reason, "enabled": number % 2 == 0, "reason": reason});
                    match request.try_clone().unwrap().json(&change).send().await {
                        Ok(answer) if answer.status() == StatusCode::OK => made.push(reason),
                        _ => break,
                    }
                }
                made
            })
        };
        let from = application.status().revision;
        until("edits are heard of elsewhere", || async { (application.status().revision > from + 10).then_some(()) })
            .await;
        one.kill();
        confirmed.extend(editing.await.unwrap());
        other.patch("7", json!({"description": format!("while it is dead {round}")})).await;
        one.start().await;
    }
    assert!(confirmed.len() > 30, "{}", confirmed.len());
    for agent in [&one, &other] {
        let entries = agent.get("/8/audit-log?limit=1000").await["entries"].clone();
        let reasons: Vec<&str> =
            entries.as_array().unwrap().iter().map(|entry| entry["reason"].as_str().unwrap()).collect();
        for reason in &confirmed {
            assert_eq!(reasons.iter().filter(|found| *found == reason).count(), 1, "{reason}");
        }
    }
    until("both say the same", || async {
        let (here, there) = (one.get("/snapshot").await, other.get("/snapshot").await);
        (here == there).then_some(())
    })
    .await;
    let last = one.get("/8").await["enabled"].as_bool().unwrap();
    answers(&application, "telehealth", last).await;
    assert!(application.status().troubles.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_notices_that_the_database_under_running_agents_was_restored() {
    let database = teal_testkit::postgres().database();
    let (mut one, mut other) = (on(&database), on(&database));
    one.start().await;
    other.start().await;
    let applications = [one.application(), other.application()];
    for application in &applications {
        listens(application, 1).await;
    }
    let backup = database.dump("teal");
    one.patch("telehealth", json!({"enabled": true})).await;
    let made = other.request(Method::POST, "").json(&json!({"name": "newest", "enabled": true})).send().await.unwrap();
    assert_eq!(made.status(), StatusCode::CREATED);
    for application in &applications {
        answers(application, "telehealth", true).await;
        answers(application, "newest", true).await;
    }
    let before = applications[0].status().instance;
    database.restore("teal", &backup);
    for application in &applications {
        answers(application, "telehealth", false).await;
        listens(application, 1).await;
        assert_ne!(application.status().instance, before);
        assert!(application.is_enabled("user-7", "newest"), "nobody has deleted it");
    }
    one.patch("telehealth", json!({"enabled": true})).await;
    for application in &applications {
        answers(application, "telehealth", true).await;
    }
    let instances = applications.each_ref().map(|application| application.status().instance);
    assert_eq!(instances[0], instances[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_without_its_database_answers_nothing_old_and_does_all_else() {
    let postgres = Postgres::start();
    let database = postgres.database();
    let mut agent = on(&database);
    agent.start().await;
    let application = agent.application();
    listens(&application, 1).await;
    agent.patch("telehealth", json!({"enabled": true})).await;
    answers(&application, "telehealth", true).await;
    postgres.stop();
    // It runs: all is read from memory, nothing is changed.
    let status = async |method: Method, rest: &str| {
        let answer = agent.request(method, rest).json(&json!({"enabled": false})).send().await.unwrap();
        (answer.status(), answer.headers().contains_key(header::RETRY_AFTER))
    };
    assert_eq!(status(Method::PATCH, "/8").await, (StatusCode::SERVICE_UNAVAILABLE, true));
    assert_eq!(status(Method::GET, "/8/audit-log").await, (StatusCode::SERVICE_UNAVAILABLE, true));
    for rest in ["", "/8", "/8/check?user_id=user-7", "/snapshot"] {
        assert_eq!(status(Method::GET, rest).await.0, StatusCode::OK, "{rest}");
    }
    agent.stop().await;
    // It starts.
    agent.start().await;
    for rest in ["", "/8", "/8/check?user_id=user-7", "/snapshot", "/stream"] {
        let answer = agent.request(Method::GET, rest).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{rest}");
        assert!(answer.headers().contains_key(header::RETRY_AFTER));
    }
    assert!(application.is_enabled("user-7", "telehealth"), "the application knows what it knew");
    until("the agent does all else", || async {
        let status = said::teal(agent.folder.path(), &["status"]).text;
        (status.contains("prod") && !status.contains("no agent")).then_some(())
    })
    .await;
    postgres.resume();
    until("flags are served", || async {
        let answer = agent.request(Method::GET, "/8").send().await.unwrap();
        (answer.status() == StatusCode::OK).then_some(())
    })
    .await;
    listens(&application, 2).await;
    assert_eq!(agent.get("/8").await["enabled"], true);
    let log = std::fs::read_to_string(agent.path("agent.log")).unwrap();
    assert!(
        log.contains("flags will be served when their database answers") && log.contains("the flags' database is back"),
        "{log}"
    );
}

#[test]
fn a_database_that_cannot_be_used_is_said_before_anything_runs() {
    let database = teal_testkit::postgres().database();
    let agent = on(&database);
    let dsn = agent.path("flags.dsn");
    let mode = |mode: u32| std::fs::set_permissions(&dsn, std::fs::Permissions::from_mode(mode)).unwrap();
    let refused = |words: &[&str]| said::teal(agent.folder.path(), &["agent"]).expect(1, words);
    mode(0o644);
    refused(&["`flags.postgres_file`", "flags.dsn", "chmod 0600"]);
    mode(0o600);
    std::fs::write(&dsn, database.address().replace("teal@", "nobody:s3cret@")).unwrap();
    refused(&["role \"nobody\" does not exist"]);
    std::fs::write(&dsn, database.address()).unwrap();
    database.sql("CREATE SCHEMA teal; CREATE TABLE teal.schema_migrations (version BIGINT, name TEXT, checksum TEXT)");
    database.sql("INSERT INTO teal.schema_migrations VALUES (9999, 'later', '')");
    refused(&["the schema has step 9999", "use the newer one"]);
}
