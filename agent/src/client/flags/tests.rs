use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;

use super::*;

/// A service that answers every request by `answer(line, body)`, and notes the headers that it saw.
struct Fake {
    url: String,
    seen: Arc<Mutex<Vec<http::HeaderMap>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Fake {
    async fn new(answer: impl Fn(&str, &str) -> (u16, &'static str, String) + Clone + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::<Mutex<Vec<_>>>::default();
        let notes = seen.clone();
        let app = Router::new().fallback(move |request: Request| async move {
            let (head, body) = request.into_parts();
            notes.lock().unwrap().push(head.headers);
            let body = body.collect().await.unwrap().to_bytes();
            let (status, tag, said) = answer(&format!("{} {}", head.method, head.uri), &String::from_utf8_lossy(&body));
            let mut response: Response = Bytes::from(said).into_response();
            *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
            if !tag.is_empty() {
                response.headers_mut().insert("etag", tag.parse().unwrap());
            }
            response
        });
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        });
        Self { url, seen, task }
    }

    fn client(&self) -> FlagClient {
        let token = Token::read("t0ken", "a test").unwrap();
        FlagClient::new(Address::parse(&self.url, None).unwrap(), Some(token), "ops@box", false).unwrap()
    }
}

#[tokio::test]
async fn each_call_asks_its_path_with_token_author_and_tag() {
    let fake = Fake::new(|line, body| {
        let flag = r#"{"id":8,"name":"telehealth","enabled":true,"new_field":1}"#.to_owned();
        match line {
            "GET /api/v1/feature-flags/telehealth" => (200, "\"8-1-0\"", flag),
            "PATCH /api/v1/feature-flags/telehealth" => {
                assert_eq!(body, r#"{"enabled":true,"reason":"why"}"#);
                (200, "\"8-2-0\"", flag)
            }
            "POST /api/v1/feature-flags" => (201, "", flag),
            "DELETE /api/v1/feature-flags/8?reason=no+more" => (204, "", String::new()),
            "GET /api/v1/feature-flags/8/audit-log?limit=5&before=9" => {
                (200, "", r#"{"entries":[{"id":7,"who":"ops","after":null}]}"#.to_owned())
            }
            "POST /api/v1/feature-flags/8/check" => {
                assert_eq!(body, r#"{"attributes":{},"environment":"prod","user_id":"user-7"}"#);
                (200, "", r#"{"enabled":true,"variant":"on","reason":"SPLIT","value":true}"#.to_owned())
            }
            _ => (404, "", format!(r#"{{"title":"no path {line}"}}"#)),
        }
    })
    .await;
    let client = fake.client();
    let fetched = client.flag("telehealth").await.unwrap();
    assert_eq!((fetched.flag.id, fetched.tag.as_deref()), (8, Some("\"8-1-0\"")));
    let changed = client.patch("telehealth", &json!({"enabled": true}), "why", fetched.tag.as_deref()).await.unwrap();
    assert_eq!(changed.tag.as_deref(), Some("\"8-2-0\""));
    client.create(&json!({"name": "x"}), "").await.unwrap();
    client.delete("8", "no more", None).await.unwrap();
    assert_eq!(client.audit("8", Some(9), 5).await.unwrap()[0].who, "ops");
    let question = Question { user: Some("user-7".into()), environment: Some("prod".into()), ..Question::default() };
    assert_eq!(client.check("8", &question).await.unwrap().variant.as_deref(), Some("on"));
    let seen = fake.seen.lock().unwrap();
    assert!(
        seen.iter().all(|headers| headers["authorization"] == "Bearer t0ken" && headers["x-teal-user"] == "ops@box")
    );
    assert_eq!(seen[1]["if-match"], "\"8-1-0\"");
}

#[tokio::test]
async fn a_list_is_read_page_by_page_and_what_is_not_understood_is_named() {
    let fake = Fake::new(|line, _| match line {
        "GET /api/v1/feature-flags?limit=1000&offset=0" => (
            200,
            "",
            r#"{"flags":[{"name":"a"},{"name":"b","rules":[{"new":"?","percentage":"all"}]}],"total":3,"revision":4}"#
                .into(),
        ),
        "GET /api/v1/feature-flags?limit=1000&offset=2" => {
            (200, "", r#"{"flags":[{"name":"c"}],"total":3,"revision":4}"#.into())
        }
        _ => (404, "", String::new()),
    })
    .await;
    let listing = fake.client().list().await.unwrap();
    let names: Vec<_> = listing.document.flags.iter().map(|flag| flag.name.as_str()).collect();
    assert_eq!((names, listing.revision, listing.json.len()), (vec!["a", "c"], 4, 3));
    assert_eq!(listing.document.unreadable[0].name.as_deref(), Some("b"));
}

#[tokio::test]
async fn a_refusal_carries_the_field_and_what_is_no_service_is_shown() {
    let fake = Fake::new(|line, _| match line {
        "PATCH /api/v1/feature-flags/a" => (
            422,
            "",
            r#"{"title":"a field cannot be taken","detail":"is more than 100","field":"rollout_percentage","exit":2}"#
                .into(),
        ),
        "GET /api/v1/feature-flags/b" => (502, "", "<html>bad gateway".into()),
        "GET /api/v1/feature-flags/c" => (200, "", "hello".into()),
        _ => (412, "", r#"{"title":"the flag was changed since","status":412,"version":7}"#.into()),
    })
    .await;
    let client = fake.client();
    let error = client.patch("a", &json!({}), "", None).await.unwrap_err();
    assert_eq!(error.to_string(), "rollout_percentage: is more than 100");
    let error = client.flag("b").await.unwrap_err();
    assert_eq!(error.to_string(), "the flag service answered 502 Bad Gateway: <html>bad gateway");
    let error = client.flag("c").await.unwrap_err().to_string();
    assert!(error.contains("did not answer like a flag service") && error.contains("`hello`"), "{error}");
    assert!(client.delete("d", "", Some("\"1\"")).await.unwrap_err().is_stale());
}

#[tokio::test]
async fn nobody_there_is_said_with_the_place_and_a_token_is_not_sent_in_the_clear() {
    let address = Address::parse("http://127.0.0.1:1", None).unwrap();
    let error = FlagClient::new(address, None, "", false).unwrap().list().await.unwrap_err();
    assert!(error.to_string().starts_with("the flag service at http://127.0.0.1:1 cannot be reached: "), "{error}");

    let token = || Some(Token::read("t0ken", "a test").unwrap());
    let elsewhere = || Address::parse("http://flags.internal", None).unwrap();
    let error = FlagClient::new(elsewhere(), token(), "", false).unwrap_err().to_string();
    assert!(error.contains("unencrypted to http://flags.internal") && !error.contains("t0ken"), "{error}");
    assert!(FlagClient::new(elsewhere(), token(), "", true).is_ok());

    // Nor is a user's id, and then nobody has to be there to say so.
    let client = FlagClient::new(elsewhere(), None, "", false).unwrap();
    let user = Question { user: Some("user-7".into()), ..Question::default() };
    let error = client.check("f", &user).await.unwrap_err().to_string();
    assert!(error.starts_with("the users' ids would travel unencrypted") && !error.contains("user-7"), "{error}");
}

#[tokio::test]
async fn a_unix_socket_serves_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.sock");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let app = Router::new().fallback(async || r#"{"flags":[],"total":0,"revision":3}"#);
    let task = tokio::spawn(async move { axum::serve(listener, app).await });
    let client = FlagClient::new(Address::socket(&path).unwrap(), None, "", false).unwrap();
    assert_eq!(client.list().await.unwrap().revision, 3);
    assert_eq!(client.at(), path.display().to_string());
    task.abort();
}

#[test]
fn authorities_that_cannot_be_used_are_named() {
    let check = |content: &str, words: &str| {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        let address = Address::parse("https://flags.internal", Some(file.path().into())).unwrap();
        let error = FlagClient::new(address, None, "", false).unwrap_err().to_string();
        assert!(error.contains(words) && error.contains(&file.path().display().to_string()), "{error}");
    };
    check("", "holds no certificate");
    check("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "authorities to trust");
}
