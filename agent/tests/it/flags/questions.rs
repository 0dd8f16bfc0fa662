//! Questions of who has no SDK: what was answered is counted as if an SDK had reported it.

use reqwest::Method;
use sqlx::Row;
use teal_testkit::until;

use super::{Agent, TOKEN};

const SOMEBODY: &str = r#"{"context": {"targetingKey": "user-7"}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_check_and_ofrep_are_in_the_counts_after_the_end() {
    let mut agent = Agent::started().await;
    let ofrep = async |flag: &str| {
        let url = format!("http://{}/ofrep/v1/evaluate/flags{flag}?environment=prod", agent.address);
        let asked = reqwest::Client::builder().no_proxy().build().unwrap().post(url).bearer_auth(TOKEN.reveal());
        asked.body(SOMEBODY).send().await.unwrap().status().as_u16()
    };
    for _ in 0..3 {
        assert_eq!(ofrep("/billing_integration").await, 200);
    }
    assert_eq!(ofrep("/nothing").await, 404);
    assert_eq!(ofrep("").await, 200);
    agent.get("/billing_integration/check?user_id=user-7&environment=prod").await;
    let body = serde_json::json!({"user_id": "user-7"});
    assert_eq!(agent.request(Method::POST, "/3/check").json(&body).send().await.unwrap().status(), 200);
    agent.stop().await;

    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(agent.database());
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    let counted =
        "SELECT flag, environment, variant, SUM(served) FROM feature_flag_exposures GROUP BY 1, 2, 3 ORDER BY 1, 2";
    let rows = sqlx::query(counted).fetch_all(&pool).await.unwrap();
    pool.close().await;
    let line = |row: &sqlx::sqlite::SqliteRow| {
        let text = |at: usize| row.get::<String, _>(at);
        format!("{} {} {} {}", text(0), text(1), text(2), row.get::<i64, _>(3))
    };
    let told: Vec<String> = rows.iter().map(line).collect();
    let has = |line: &str| assert!(told.iter().any(|told| told == line), "{line}: {told:?}");
    has("billing_integration prod on 5");
    has("outcome_measures_tracking prod on 1");
    assert!(!told.iter().any(|told| told.starts_with("nothing")), "{told:?}");
    assert_eq!(told.len(), 11, "ten flags of all at once, and one asked for without an environment: {told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_of_stale_flags_learns_of_questions_while_the_agent_runs() {
    let agent = Agent::started().await;
    agent.get("/billing_integration/check?user_id=user-7&environment=prod").await;
    // Within the seconds that counts wait in memory.
    until("it is known to be asked for", || async {
        agent.get("/stale").await["remembered_since"].is_string().then_some(())
    })
    .await;
}
