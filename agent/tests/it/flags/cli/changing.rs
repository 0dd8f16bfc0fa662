//! `set`, `create`, `delete`, `audit`, `check`.

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use reqwest::StatusCode;
use serde_json::json;

use super::super::Agent;
use crate::said;

#[tokio::test(flavor = "multi_thread")]
async fn a_change_shows_what_was_what_is_and_whom_it_touches() {
    let agent = Agent::started().await;
    let change = ["set", "telehealth", "--on", "--rollout", "25", "--environment", "dev"];
    agent
        .flags(&[&change[..], &["--dry-run"]].concat())
        .expect(0, &["off -> on", "--  dry run: telehealth is as it was"]);
    assert_eq!(agent.get("/telehealth").await["version"], 1);

    let said = agent.flags(&[&change[..], &["--reason", "first clinics"]].concat());
    said.expect(
        0,
        &[
            "enabled               off -> on",
            "rollout_percentage    100 % -> 25 %",
            "environments          everywhere -> dev",
            "dev: 25 % of users get it who did not",
            "ok  telehealth version 2\n    undo: teal flags set telehealth --off --rollout 100 --everywhere",
        ],
    );
    assert!(!said.text.contains("description") && !said.text.contains("warning"), "{}", said.text);
    agent.flags(&change).expect(0, &["ok  telehealth is so already: nothing was changed"]);
    let changed = agent.flags_json(&["set", "8", "--rollout", "12.345"]);
    assert_eq!(changed["changes"], json!({"rollout_percentage": {"before": 25, "after": 12.345}}));
    assert_eq!(changed["touched"]["shares"][0]["lose_percent"], 12.655);
    assert_eq!((&changed["flag"]["version"], &changed["changed"]), (&json!(3), &json!(true)));
    agent.flags(&["set", "8", "--environment", "prdo"]).expect(0, &["warning: ", "did you mean prod?"]);

    agent.flags(&["audit", "telehealth"]).expect(
        0,
        &["\"first clinics\"", "enabled               off -> on", "changed it, version 3", "made it, version 1"],
    );
    let entries = agent.flags_json(&["audit", "telehealth", "-n", "2"]);
    assert_eq!(entries["entries"].as_array().unwrap().len(), 2);
    assert!(entries["entries"][1]["who"].as_str().unwrap().contains('@'), "{entries}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_taken_names_the_field_and_the_way_out() {
    let agent = Agent::started().await;
    let check = |words: &[&str], exit: i32, expected: &[&str]| agent.flags(words).expect(exit, expected);
    check(&["set", "telehealth"], 2, &["what is to be different?", "--rollout 25"]);
    check(&["set", "telehealth", "--rollout", "101"], 2, &["--rollout: `101` is more than 100"]);
    check(&["set", "telehealth", "--field", "kind=\"odd\""], 2, &["kind: "]);
    check(&["set", "telehealth", "--field", "colour=1"], 2, &["colour: is no field of a flag"]);
    let rules = r#"rules=[{"conditions": [{"segment": "nobody"}]}]"#;
    check(&["set", "telehealth", "--field", rules], 2, &["rules[0]", "nobody"]);
    check(&["set", "telehelth", "--on"], 2, &["did you mean telehealth?"]);
    check(&["audit", "telehelth"], 2, &["did you mean telehealth?"]);
    check(&["check", "telehelth"], 2, &["did you mean telehealth?"]);
    check(&["create", "telehealth"], 4, &["there is a flag `telehealth` already", "teal flags set telehealth"]);
    check(&["create", "Upper"], 2, &["name: "]);
    check(&["delete", "telehealth", "--reason", "x"], 2, &["telehealth  off", "nobody is at the terminal", "--yes"]);
    let said = agent.flags(&["set", "telehealth", "--rollout", "x", "--json"]);
    said.expect(2, &[r#"{"error":"--rollout: `x` is not a percentage"#]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flag_is_made_asked_and_deleted() {
    let agent = Agent::started().await;
    agent.flags(&["create", "new-editor", "--dry-run"]).expect(0, &["--  dry run: there is no new-editor yet"]);
    let made =
        ["create", "new-editor", "--on", "--rollout", "30", "--description", "The editor", "--reason", "asked for"];
    agent.flags(&made).expect(0, &["new-editor  on for 30 %", "30 % of users", "ok  new-editor is made, number 11"]);

    let ids: Vec<String> = (0..200).map(|number| format!("user-{number}")).collect();
    let file = agent.path("users.txt");
    std::fs::write(&file, ids.join("\n")).unwrap();
    let counted =
        agent.flags_json(&["check", "new-editor", "--users", file.to_str().unwrap(), "--environment", "prod"]);
    let mut on = 0;
    for id in &ids {
        let answer = agent.get(&format!("/new-editor/check?user_id={id}&environment=prod")).await;
        on += u64::from(answer["enabled"].as_bool().unwrap());
    }
    assert_eq!(counted["users"], 200);
    let share = json!({"variant": "on", "reason": "SPLIT", "users": on});
    assert!(on > 0 && counted["answers"].as_array().unwrap().contains(&share), "{on}: {counted}");
    let said = agent.flags(&["check", "new-editor", "--user", "user-7", "--attribute", "clinic=hcm-3"]);
    said.expect(0, &["new-editor is ", " for user-7", "SPLIT: the user's bucket decides"]);
    agent.flags(&["check", "new-editor"]).expect(0, &["for somebody unknown", "the caller's default", "--user"]);

    let gone = ["delete", "new-editor", "--reason", "no more", "--yes"];
    agent.flags(&gone).expect(0, &["ok  new-editor is deleted"]);
    agent.flags(&gone).expect(2, &["there is no flag `new-editor`"]);
    agent.flags(&["audit", "new-editor"]).expect(0, &["deleted it", "\"no more\"", "\"asked for\""]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_ask_and_not_look_at_all_flags_is_answered_with_an_environment_too() {
    let agent = Agent::started().await;
    agent.patch("telehealth", json!({"client_visible": true})).await;
    let (url, users) = (format!("http://{}", agent.address), agent.path("users.txt").display().to_string());
    std::fs::write(&users, "user-7\nuser-8\n").unwrap();
    let by = |role: &str, words: &[&str]| {
        let file = agent.path(role).display().to_string();
        std::fs::write(&file, agent.new_token(&format!("{role}-{}", words.len()), &["--role", role])).unwrap();
        agent.flags(&[&["--url", &url, "--token-file", &file, "check", "telehealth", "-e", "prod"], words].concat())
    };
    by("client", &["--user", "user-7"]).expect(0, &["telehealth is "]);
    by("sdk", &["--user", "user-7"]).expect(0, &["telehealth is "]);
    by("sdk", &["--users", &users, "-a", "clinic=hcm-3"]).expect(0, &["2 users"]);
    agent.flags(&["check", "telehelth", "--users", &users]).expect(2, &["did you mean telehealth?"]);
    let unknown = ["check", "8", "--users", &users, "--environment", "prdo"];
    agent.flags(&unknown).expect(0, &["warning: ", "did you mean prod?"]);
}

/// Hands everything on to the agent, but is outrun by somebody at each change.
async fn outrun(agent: &Agent) -> (String, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = format!("http://{}", listener.local_addr().unwrap());
    let (http, there) = (agent.http.clone(), format!("http://{}", agent.address));
    let app = Router::new().fallback(move |request: Request| async move {
        let (head, body) = request.into_parts();
        let url = format!("{there}{}", head.uri);
        if head.method == "PATCH" || head.method == "DELETE" {
            let faster = json!({"rollout_percentage": 50, "reason": "in a hurry"});
            let answer = http.patch(&url).header("x-teal-user", "ann@laptop").json(&faster).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
        }
        let mut headers = head.headers;
        headers.remove("host");
        let body = body.collect().await.unwrap().to_bytes();
        let answer = http.request(head.method, url).headers(headers).body(body).send().await.unwrap();
        let (status, tag) = (answer.status(), answer.headers().get("etag").cloned());
        let mut response: Response = answer.bytes().await.unwrap().into_response();
        *response.status_mut() = status;
        if let Some(tag) = tag {
            response.headers_mut().insert("etag", tag);
        }
        response
    });
    let task = tokio::spawn(async move {
        let _ = axum::serve(listener, app).await;
    });
    (here, task)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_faster_is_named_and_nothing_is_overwritten() {
    let agent = Agent::started().await;
    let (url, task) = outrun(&agent).await;
    let change = ["flags", "--url", &url, "set", "telehealth", "--description", "On video", "--reason", "a name"];
    said::teal(agent.folder.path(), &change).expect(
        4,
        &[
            "telehealth was changed meanwhile; nothing was done",
            "first, just now: rollout_percentage (\"in a hurry\")",
            &format!("teal flags --url {url} get telehealth   shows it as it is now"),
            &format!("teal flags --url {url} set telehealth --description 'On video' --reason 'a name'   tries again"),
        ],
    );
    let flag = agent.get("/telehealth").await;
    assert_eq!((&flag["description"], &flag["rollout_percentage"]), (&json!("Telehealth"), &json!(50)));
    said::teal(agent.folder.path(), &[&change[..], &["--overwrite"]].concat()).expect(0, &["ok  telehealth version 3"]);

    let switch = ["flags", "set", "telehealth", "--on", "--overwrite", "--url", &url];
    let undo = format!("undo: teal flags --url {url} set telehealth --off");
    said::teal(agent.folder.path(), &switch).expect(0, &[&undo]);
    let gone = ["flags", "--url", &url, "delete", "telehealth", "--reason", "no more", "--yes"];
    agent.patch("telehealth", json!({"rollout_percentage": 40})).await;
    said::teal(agent.folder.path(), &gone).expect(4, &["telehealth was changed meanwhile", "   tries again"]);
    agent.patch("telehealth", json!({"rollout_percentage": 40})).await;
    let story = format!("teal flags --url {url} audit telehealth still tells its story");
    said::teal(agent.folder.path(), &[&gone[..], &["--overwrite"]].concat()).expect(0, &[&story]);
    task.abort();
}
