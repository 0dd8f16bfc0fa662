//! An application follows the service through its changes, its death, and what is done to its database.

use reqwest::Method;
use serde_json::json;
use teal_testkit::until;

use super::{Agent, answers, copy, listens};

#[tokio::test(flavor = "multi_thread")]
async fn an_application_sees_a_change_and_goes_on_where_it_was_after_a_kill() {
    let mut agent = Agent::started().await;
    let application = agent.application();
    listens(&application, 1).await;
    answers(&application, "billing_integration", true).await;
    answers(&application, "telehealth", false).await;
    agent.patch("telehealth", json!({"enabled": true, "reason": "the clinics are ready"})).await;
    answers(&application, "telehealth", true).await;
    let before = application.status();

    agent.kill();
    until("the application has noticed", || async { (!application.status().troubles.is_empty()).then_some(()) }).await;
    assert!(application.is_enabled("user-7", "telehealth"), "it answers on");
    agent.start().await;
    listens(&application, 2).await;
    assert_eq!(application.status().instance, before.instance);
    agent.patch("8", json!({"enabled": false})).await;
    answers(&application, "telehealth", false).await;
    let status = application.status();
    assert_eq!((status.instance, status.revision), (before.instance, 3));

    // A flag is deleted, and its default counts again.
    agent
        .request(Method::DELETE, "/billing_integration?reason=unused")
        .send()
        .await
        .unwrap()
        .error_for_status()
        .unwrap();
    answers(&application, "billing_integration", false).await;

    until("its counts were taken", || async { (application.status().exposures.sent > 0).then_some(()) }).await;
    assert_eq!(application.status().exposures.dropped, 0);
    // The stream does not hold up the end.
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_database_is_noticed_and_makes_no_known_flag_unknown() {
    for beside_is_lost in [false, true] {
        let mut agent = Agent::started().await;
        let application = agent.application();
        listens(&application, 1).await;
        agent.stop().await;
        let backup = agent.path("backup.db");
        copy(&agent.database(), &backup);
        agent.start().await;
        agent.patch("telehealth", json!({"enabled": true})).await;
        let made =
            agent.request(Method::POST, "").json(&json!({"name": "newest", "enabled": true})).send().await.unwrap();
        assert_eq!(made.status(), 201);
        answers(&application, "newest", true).await;
        let before = application.status().instance;

        agent.stop().await;
        copy(&backup, &agent.database());
        if beside_is_lost {
            std::fs::remove_file(agent.database().with_extension("seen")).unwrap();
        }
        agent.start().await;
        answers(&application, "telehealth", false).await;
        listens(&application, 1).await;
        assert_ne!(application.status().instance, before);
        assert!(application.is_enabled("user-7", "newest"), "nobody has deleted it");
        agent.patch("telehealth", json!({"enabled": true})).await;
        answers(&application, "telehealth", true).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emptied_table_makes_no_known_flag_unknown_and_recovers() {
    let mut agent = Agent::started().await;
    let application = agent.application();
    listens(&application, 1).await;
    let before = application.status().instance;
    agent.stop().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(agent.database());
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    sqlx::query("DELETE FROM feature_flags").execute(&pool).await.unwrap();
    pool.close().await;
    agent.start().await;
    until("the application has noticed", || async { (application.status().instance != before).then_some(()) }).await;
    listens(&application, 1).await;
    assert!(application.is_enabled("user-7", "billing_integration"), "nobody has deleted it");
    assert_eq!(agent.get("").await["total"], 0);
    let made = agent.request(Method::POST, "").json(&json!({"name": "billing_integration"})).send().await.unwrap();
    assert_eq!(made.status(), 201);
    answers(&application, "billing_integration", false).await;
}
