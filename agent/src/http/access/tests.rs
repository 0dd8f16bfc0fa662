use axum::body::Body;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use futures_util::FutureExt;

use super::*;
use crate::access::{FirstToken, Record, Role, Roles, Token};
use crate::flags::now;

const ALL: &str = "/api/v1/feature-flags";
const ONE: &str = "/api/v1/feature-flags/{flag}";
const STREAM: &str = "/api/v1/feature-flags/stream";

/// A door with tokens.
struct Door {
    access: Access,
    tokens: watch::Sender<Arc<Directory>>,
}

/// A token and what is known of it.
fn token(roles: &[Role], environments: &[&str]) -> (String, Record) {
    let token = Token::random().unwrap();
    let environments = environments.iter().map(|name| (*name).to_owned()).collect();
    let first = Record::first(&FirstToken::from(&token), now());
    (token.reveal(), Record { roles: Roles::of(roles), environments, ..first })
}

fn door(records: impl IntoIterator<Item = Record>, change: impl FnOnce(&mut Settings)) -> Door {
    let (sender, tokens) = watch::channel(Arc::new(Directory::new(records)));
    let mut settings = Settings {
        tokens,
        from_here: FromHere::Token,
        legacy: Vec::new(),
        trusted_proxies: Vec::new(),
        person_header: HeaderName::from_static("x-teal-user"),
        hosts: Vec::new(),
        origins: Vec::new(),
        per_token: 1000,
        per_address: 1000,
    };
    change(&mut settings);
    Door { access: Access::new(settings, false, Arc::default()), tokens: sender }
}

fn request(method: &str, headers: &[(&str, &str)]) -> Request {
    let mut request = Request::builder().method(method).uri("/");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap()
}

/// What becomes of a request from another machine.
fn ask(door: &Door, method: &str, path: &str, headers: &[(&str, &str)]) -> Result<Caller, Box<Response>> {
    let peer = Peer::Address([192, 0, 2, 1].into());
    door.access.caller(&request(method, headers), peer, Some(path)).map_err(|refused| Box::new(refused.into_response()))
}

fn with(door: &Door, method: &str, path: &str, token: &str) -> Result<Caller, StatusCode> {
    ask(door, method, path, &[("authorization", &format!("Bearer {token}"))]).map_err(|refused| refused.status())
}

#[test]
fn every_role_may_do_what_the_table_says_and_nothing_else() {
    for role in Role::ALL {
        let (text, record) = token(&[role], &[]);
        let door = door([record], |_| {});
        for rule in RULES {
            let expected = if rule.roles.has(role) { Ok(()) } else { Err(StatusCode::FORBIDDEN) };
            assert_eq!(with(&door, rule.method, rule.path, &text).map(|_| ()), expected, "{role:?} {rule:?}");
        }
        assert_eq!(with(&door, "PUT", ONE, &text).unwrap_err(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(with(&door, "GET", "/not/in/the/table", &text).unwrap_err(), StatusCode::FORBIDDEN);
    }
}

#[test]
fn without_a_good_token_there_is_a_challenge() {
    let (text, record) = token(&[Role::Admin], &[]);
    let (revoked, gone) = token(&[Role::Admin], &[]);
    let (expired, over) = token(&[Role::Admin], &[]);
    let gone = Record { revoked: Some(now()), ..gone };
    let over = Record { expires: Some(now()), ..over };
    let door = door([record, gone, over], |_| {});
    let check = |header: Option<(&str, String)>, expected: &str| {
        let headers: Vec<(&str, &str)> = header.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let refused = ask(&door, "GET", ALL, &headers).unwrap_err();
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
        let challenge = refused.headers()["www-authenticate"].to_str().unwrap();
        assert!(challenge.starts_with("Bearer realm=\"teal\"") && challenge.contains(expected), "{challenge}");
    };
    let bearer = |token: &str| Some(("authorization", format!("Bearer {token}")));
    check(None, "");
    check(bearer("eyJhbGciOiJIUzI1NiJ9.somebody.elses"), "");
    check(Some(("authorization", format!("Basic {text}"))), "");
    check(bearer(&format!("{text}0")), "the token is not known here");
    check(bearer(&Token::random().unwrap().reveal()), "the token is not known here");
    check(bearer(&revoked), "the token was revoked");
    check(bearer(&expired), "the token has expired");
    // As good as `Bearer`, and as OFREP's clients may send it.
    for headers in [[("authorization", format!("bearer {text}"))], [("x-api-key", text)]] {
        let [(name, value)] = &headers;
        assert!(ask(&door, "GET", ALL, &[(name, value)]).is_ok());
    }
}

#[test]
fn a_wrong_role_is_told_which_one_is_needed() {
    let (text, record) = token(&[Role::Viewer], &[]);
    let caller = Caller::new(caller::Who::Token(Arc::new(record)), None, None);
    let refused = caller.within(rule("PATCH", ONE).unwrap().roles).unwrap_err();
    assert!(format!("{refused:?}").contains("the token is for viewer; this needs one of editor, admin"), "{refused:?}");
    assert!(!format!("{refused:?}").contains(&text));
}

#[test]
fn an_address_that_only_guesses_is_told_to_wait_and_hinders_nobody_behind_it() {
    let (text, record) = token(&[Role::Viewer], &[]);
    let door = door([record], |_| {});
    let wrong = Token::random().unwrap().reveal();
    let answers: Vec<StatusCode> = (0..40).map(|_| with(&door, "GET", ALL, &wrong).unwrap_err()).collect();
    let limited = answers.iter().filter(|status| **status == StatusCode::TOO_MANY_REQUESTS).count();
    assert!((1..=10).contains(&limited) && answers[0] == StatusCode::UNAUTHORIZED, "{answers:?}");
    assert!(with(&door, "GET", ALL, &text).is_ok(), "from the same address");
}

#[test]
fn too_many_requests_of_a_token_are_told_when_to_come_back() {
    let (text, record) = token(&[Role::Viewer], &[]);
    let (other, another) = token(&[Role::Viewer], &[]);
    let door = door([record, another], |settings| settings.per_token = 2);
    let bearer = format!("Bearer {text}");
    let refused = (0..9).find_map(|_| ask(&door, "GET", ALL, &[("authorization", &bearer)]).err()).unwrap();
    assert_eq!(
        (refused.status(), &refused.headers()["retry-after"]),
        (StatusCode::TOO_MANY_REQUESTS, &"1".parse().unwrap())
    );
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
    assert!(with(&door, "GET", ALL, &other).is_ok());
    assert_eq!(door.access.counters.limited.get(), 1);
}

#[test]
fn nobody_is_let_in_without_a_token_but_where_that_was_said() {
    let closed = door([], |_| {});
    let open = door([], |settings| {
        settings.from_here = FromHere::Nothing;
        settings.legacy = vec!["GET /api/v1/feature-flags/{flag}".parse().unwrap()];
    });
    let come = |door: &Door, from: [u8; 4], method: &str, path: &str, headers: &[(&str, &str)]| {
        let found = door.access.caller(&request(method, headers), Peer::Address(from.into()), Some(path));
        found.map(|caller| caller.name().to_owned()).map_err(|refused| refused.into_response().status())
    };
    let (here, there) = ([127, 0, 0, 1], [192, 0, 2, 1]);
    assert_eq!(come(&closed, here, "GET", ALL, &[]), Err(StatusCode::UNAUTHORIZED));
    assert_eq!(come(&open, here, "PATCH", ONE, &[]), Ok("dev".into()));
    assert_eq!(come(&open, there, "PATCH", ONE, &[]), Err(StatusCode::UNAUTHORIZED));
    assert_eq!(come(&open, there, "GET", ONE, &[]), Ok("anonymous".into()));
    assert_eq!(come(&open, there, "HEAD", ONE, &[]), Ok("anonymous".into()));
    assert_eq!(come(&open, there, "GET", STREAM, &[]), Err(StatusCode::UNAUTHORIZED));
    // Tokens of others mean nothing here; one of ours that is wrong is not overlooked.
    let wrong = format!("Bearer {}", Token::random().unwrap().reveal());
    assert_eq!(come(&open, there, "GET", ONE, &[("authorization", "Bearer eyJhbGciOi")]), Ok("anonymous".into()));
    assert_eq!(come(&open, there, "GET", ONE, &[("authorization", &wrong)]), Err(StatusCode::UNAUTHORIZED));
    assert_eq!(come(&open, there, "GET", ONE, &[("host", "evil.example")]), Err(StatusCode::FORBIDDEN));
    assert_eq!(open.access.counters.legacy.get(), 4);
}

/// Who comes from an address with these headers to a door that is open on this machine; `Err`: what they are answered.
fn come_here(door: &Door, from: [u8; 4], headers: &[(&str, &str)]) -> Result<String, StatusCode> {
    let found = door.access.caller(&request("PATCH", headers), Peer::Address(from.into()), Some(ONE));
    found.map(|caller| caller.name().to_owned()).map_err(|refused| refused.into_response().status())
}

#[test]
fn nobody_is_on_this_machine_by_a_header() {
    for from_here in [FromHere::Nothing, FromHere::AnyToken] {
        let door = door([], |settings| {
            settings.from_here = from_here;
            settings.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap(), "127.0.0.0/8".parse().unwrap()];
        });
        let check = |from: [u8; 4], forwarded: Option<&str>, expected: Result<&str, StatusCode>| {
            let headers: Vec<_> = forwarded.iter().map(|forwarded| ("x-forwarded-for", *forwarded)).collect();
            assert_eq!(come_here(&door, from, &headers).as_deref(), expected.as_deref(), "{from:?} {forwarded:?}");
        };
        let refused = Err(StatusCode::UNAUTHORIZED);
        check([127, 0, 0, 1], None, Ok("dev"));
        check([10, 0, 0, 2], None, refused);
        check([10, 0, 0, 2], Some("127.0.0.1"), refused);
        check([10, 0, 0, 2], Some("127.0.0.1, 10.0.0.3"), refused);
        // What a proxy on this machine hands on comes from anywhere.
        check([127, 0, 0, 1], Some("203.0.113.9"), refused);
        check([127, 0, 0, 1], Some("127.0.0.1"), refused);
        check([127, 0, 0, 1], Some("nonsense"), refused);
    }
}

#[test]
fn here_a_wrong_token_is_refused_by_a_service_and_means_nothing_to_a_relay() {
    let (text, record) = token(&[Role::Editor], &[]);
    let wrong = Token::random().unwrap().reveal();
    let check = |from_here: FromHere, token: &str, expected: Result<&str, StatusCode>| {
        let door = door([record.clone()], |settings| settings.from_here = from_here);
        let bearer = format!("Bearer {token}");
        let found = come_here(&door, [127, 0, 0, 1], &[("authorization", &bearer)]);
        assert_eq!(found.as_deref(), expected.as_deref(), "{from_here:?}");
    };
    check(FromHere::Token, &wrong, Err(StatusCode::UNAUTHORIZED));
    check(FromHere::Nothing, &wrong, Err(StatusCode::UNAUTHORIZED));
    check(FromHere::AnyToken, &wrong, Ok("dev"));
    for from_here in [FromHere::Token, FromHere::Nothing, FromHere::AnyToken] {
        check(from_here, &text, Ok("first"));
    }
    // Somebody else's is none of ours.
    check(FromHere::Nothing, "eyJhbGciOi", Ok("dev"));
}

#[test]
fn all_of_it_is_for_who_is_not_confined_and_for_sdks() {
    let check = |roles: &[Role], own: &[&str], expected: [bool; 2]| {
        let caller = Caller::new(caller::Who::Token(Arc::new(token(roles, own).1)), None, None);
        let caller = caller.within(rule("GET", STREAM).unwrap().roles).unwrap();
        assert_eq!([caller.everything().is_ok(), caller.everywhere().is_ok()], expected, "{roles:?} {own:?}");
    };
    for role in [Role::Sdk, Role::Viewer, Role::Editor, Role::Deployer, Role::Admin] {
        check(&[role], &[], [true, true]);
        check(&[role], &["prod"], [role == Role::Sdk, false]);
    }
    check(&[Role::Viewer, Role::Sdk], &["prod"], [true, false]);
}

#[test]
fn who_comes_through_the_socket_is_the_machines_user() {
    let door = door([], |_| {});
    let from = |headers: &[(&str, &str)]| {
        let caller = door.access.caller(&request("DELETE", headers), Peer::Local(Some(0)), Some(ONE)).unwrap();
        let author = caller.author("why".into());
        (author.who, author.person, author.ip, author.reason)
    };
    assert_eq!(from(&[("host", "teal")]), ("root".into(), String::new(), String::new(), "why".into()));
    assert_eq!(from(&[("x-teal-user", "anna@laptop")]).1, "anna@laptop");
}

#[test]
fn a_person_is_named_only_by_tokens_that_may() {
    let (text, record) = token(&[Role::Editor], &[]);
    let (other, trusted) = token(&[Role::Editor], &[]);
    let door = door([record, Record { may_name_people: true, ..trusted }], |_| {});
    let person = |token: &str, name: &str| {
        let bearer = format!("Bearer {token}");
        let caller = ask(&door, "PATCH", ONE, &[("authorization", &bearer), ("x-teal-user", name)]);
        caller.map(|caller| caller.author(String::new()).person).map_err(|refused| refused.status())
    };
    assert_eq!(person(&text, "anna"), Ok(String::new()));
    assert_eq!(person(&other, "anna"), Ok("anna".into()));
    assert_eq!(person(&other, &"a".repeat(201)), Err(StatusCode::BAD_REQUEST));
}

#[test]
fn a_token_of_environments_asks_for_these_alone() {
    let check = |own: &[&str], asked: Option<&str>, expected: Result<Option<&str>, StatusCode>| {
        let caller = Caller::new(caller::Who::Token(Arc::new(token(&[Role::Sdk], own).1)), None, None);
        let found = caller.environment(asked).map_err(|refused| refused.into_response().status());
        assert_eq!(found.as_ref().map(Option::as_deref), expected.as_ref().map(|found| *found), "{own:?} {asked:?}");
    };
    check(&[], None, Ok(None));
    check(&[], Some("prod"), Ok(Some("prod")));
    check(&["prod"], Some("prod"), Ok(Some("prod")));
    check(&["prod"], None, Ok(Some("prod")));
    check(&["prod"], Some("dev"), Err(StatusCode::FORBIDDEN));
    check(&["prod", "dev"], Some("dev"), Ok(Some("dev")));
    check(&["prod", "dev"], None, Err(StatusCode::FORBIDDEN));
}

#[test]
fn clients_see_what_is_meant_for_them_and_tokens_of_environments_what_is_meant_there() {
    let flag = |environments: &[&str], client_visible: bool| teal_flags::model::Flag {
        environments: environments.iter().map(|name| (*name).to_owned()).collect(),
        client_visible,
        ..teal_flags::model::Flag::from_value(serde_json::json!({"name": "x"})).unwrap()
    };
    let check = |roles: &[Role], own: &[&str], expected: [bool; 4]| {
        let caller = Caller::new(caller::Who::Token(Arc::new(token(roles, own).1)), None, None);
        let caller = caller.within(rule("GET", "/api/v1/feature-flags/{flag}/check").unwrap().roles).unwrap();
        let flags = [flag(&[], true), flag(&[], false), flag(&["dev"], true), flag(&["prod", "dev"], false)];
        assert_eq!(flags.map(|flag| caller.sees(&flag)), expected, "{roles:?} {own:?}");
    };
    check(&[Role::Viewer], &[], [true, true, true, true]);
    check(&[Role::Viewer], &["prod"], [true, true, false, true]);
    check(&[Role::Client], &[], [true, false, true, false]);
    check(&[Role::Client], &["prod"], [true, false, false, false]);
    check(&[Role::Client, Role::Viewer], &[], [true, true, true, true]);
}

#[tokio::test]
async fn a_lease_ends_with_its_token() {
    let (_, record) = token(&[Role::Sdk], &["prod"]);
    let ends = |after: Option<Record>| {
        let door = door([record.clone()], |_| {});
        let caller = Caller::new(caller::Who::Token(Arc::new(record.clone())), None, None);
        let mut lease = door.access.lease(&caller);
        assert_eq!(lease.over().now_or_never(), None, "it is good");
        door.tokens.send_replace(Arc::new(Directory::new(after)));
        lease.over().now_or_never().is_some()
    };
    assert!(!ends(Some(record.clone())), "nothing is different");
    assert!(!ends(Some(Record { name: "renamed".into(), ..record.clone() })));
    assert!(ends(None), "it is gone");
    assert!(ends(Some(Record { revoked: Some(now()), ..record.clone() })));
    assert!(ends(Some(Record { expires: Some(now()), ..record.clone() })));
    assert!(ends(Some(Record { environments: vec!["dev".into()], ..record.clone() })));
    assert!(ends(Some(Record { roles: Roles::of(&[Role::Observer]), ..record.clone() })));
}
