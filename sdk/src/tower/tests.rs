//! Requests that are asked about, through a real stack of services.

use std::convert::Infallible;

use ::tower::{ServiceExt, service_fn};
use http::Response;
use serde_json::json;

use super::*;
use crate::context::OwnedContext;
use crate::model::{Document, Flag, Percentage, Timestamp};
use crate::{ErrorCode, OwnedAttribute};

crate::flags! {
    #[expect(unreachable_pub, reason = "a module of one's own is meant to be seen from outside")]
    mod flag {
        telehealth = false;
    }
}

fn apply(flags: &Flags, list: Vec<Flag>) {
    let document = Document { flags: list, ..Document::default() };
    flags.apply(crate::Layer::File, document, Timestamp::default());
}

fn flags(list: Vec<Flag>) -> Flags {
    let flags = Flags::new(None);
    apply(&flags, list);
    flags
}

/// The id is what a header says; only a test may do that.
fn by_header(parts: &Parts) -> Option<String> {
    Some(parts.headers.get("x-user")?.to_str().ok()?.to_owned())
}

/// What a request is told by a service that asks this.
async fn told<F, U>(
    layer: FlagsLayer<F>,
    user: Option<&str>,
    ask: impl Fn(&RequestFlags) -> String + Clone + Send,
) -> String
where
    F: Fn(&Parts) -> Option<U> + Clone,
    U: Subject + Send + Sync + 'static,
{
    let service = layer.layer(service_fn(move |request: Request<()>| {
        let answer = ask(request.extensions().get::<RequestFlags>().unwrap());
        async move { Ok::<_, Infallible>(Response::new(answer)) }
    }));
    let mut request = Request::new(());
    if let Some(user) = user {
        request.headers_mut().insert("x-user", user.parse().unwrap());
    }
    service.oneshot(request).await.unwrap().into_body()
}

#[tokio::test]
async fn a_request_is_answered_for_its_user() {
    let half = Flag { rollout_percentage: Percentage::from_whole(50).unwrap(), ..Flag::new("telehealth") };
    let flags = flags(vec![half]);
    for id in 0..50 {
        let id = format!("user-{id}");
        let expected = flags.is_enabled(&id, "telehealth");
        let layer = FlagsLayer::new(flags.clone(), by_header);
        let told = told(layer, Some(&id), |flags| {
            let declared = flags.is_enabled(&flag::telehealth);
            assert_eq!(declared, flags.is_enabled("telehealth"));
            assert_eq!(flags.evaluate("telehealth").enabled, Some(declared));
            declared.to_string()
        });
        assert_eq!(told.await, expected.to_string(), "{id}");
    }
}

#[tokio::test]
async fn nobody_takes_the_default_of_what_is_dealt() {
    let half = Flag { rollout_percentage: Percentage::from_whole(50).unwrap(), ..Flag::new("half") };
    let layer = FlagsLayer::new(flags(vec![half, Flag::new("all")]), by_header);
    let told = told(layer, None, |flags| {
        assert_eq!(flags.evaluate("half").error, Some(ErrorCode::TargetingKeyMissing));
        assert!(flags.is_enabled("all") && flags.is_enabled_or("half", true) && !flags.is_enabled("half"));
        "asked".to_owned()
    });
    assert_eq!(told.await, "asked");
}

#[tokio::test]
async fn an_update_in_the_middle_of_a_request_is_for_the_next_one() {
    let flags = flags(vec![Flag::new("a")]);
    let layer = FlagsLayer::new(flags.clone(), by_header);
    let ask = move |asked: &RequestFlags| {
        let before = asked.is_enabled("a");
        apply(&flags, vec![Flag { enabled: false, ..Flag::new("a") }]);
        format!("{before} {} {}", asked.is_enabled("a"), asked.clone().is_enabled("a"))
    };
    assert_eq!(told(layer.clone(), Some("user-7"), ask.clone()).await, "true true true");
    assert_eq!(told(layer, Some("user-7"), ask).await, "false false false");
}

#[tokio::test]
async fn attributes_and_types_go_with_a_request() {
    let document = json!({"flags": [
        {"name": "theme", "enabled": true, "off_variant": "light",
         "variants": [{"name": "light"}, {"name": "dark"}], "rollout_percentage": 0,
         "rules": [{"conditions": [{"attribute": "clinic", "value": "hcm-3"}], "variant": "dark"}]},
        {"name": "columns", "enabled": true, "variants": [{"name": "three", "value": 3}]},
        {"name": "on", "enabled": true}
    ]});
    let flags = Flags::new(None);
    flags.apply(crate::Layer::File, Document::from_value(document).unwrap(), Timestamp::default());
    let user = |_: &Parts| {
        let attributes = [("clinic".to_owned(), OwnedAttribute::Text("hcm-3".to_owned()))].into();
        Some(OwnedContext { id: Some("user-7".to_owned()), attributes })
    };
    let told = told(FlagsLayer::new(flags, user), None, |flags| {
        assert_eq!(flags.integer("columns", 1).value, 3);
        assert_eq!(flags.float("columns", 1.0).value, 3.0);
        assert_eq!(flags.json("columns", json!(null)).value, json!(3));
        assert_eq!(flags.bool("columns", true).error, Some(ErrorCode::TypeMismatch));
        assert!(flags.bool("on", false).value);
        assert_eq!(&*flags.pinned().text("user-8", "theme", "none").value, "light");
        assert_eq!(format!("{flags:?}"), "RequestFlags { .. }");
        flags.text("theme", "none").value.to_string()
    });
    assert_eq!(told.await, "dark");
}
