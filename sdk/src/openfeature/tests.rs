//! The provider as OpenFeature's own client sees it.

use open_feature::{Client, EvaluationDetails, OpenFeature};
use serde_json::json;

use super::*;
use crate::catalog::Layer;
use crate::model::{Document, Timestamp};

/// Flags of every type.
fn flags() -> Flags {
    let document = json!({"flags": [
        {"name": "telehealth", "enabled": true, "version": 3},
        {"name": "share", "enabled": true, "rollout_percentage": 50},
        {"name": "off", "enabled": false},
        {"name": "nothing", "enabled": false, "variants": [{"name": "dark"}]},
        {"name": "theme", "enabled": true, "variants": [{"name": "dark"}]},
        {"name": "columns", "enabled": true, "variants": [{"name": "three", "value": 3}]},
        {"name": "ratio", "enabled": true, "variants": [{"name": "half", "value": 0.5}]},
        {"name": "page", "enabled": true, "variants": [{"name": "wide", "value":
            {"columns": 3, "title": "Prices", "none": null, "tags": ["a", 1.5, true], "inner": {"x": 1}}}]},
        {"name": "odd", "enabled": true, "variants": [{"name": "odd", "value": {"list": [null]}}]},
        {"name": "ours", "enabled": true, "rollout_percentage": 0, "rules": [
            {"conditions": [{"attribute": "clinic", "values": ["hcm-3"]}, {"attribute": "age", "operator": "gte", "value": 18},
                {"attribute": "weight", "operator": "lt", "value": 80}, {"attribute": "staff", "value": true},
                {"attribute": "joined", "operator": "after", "value": "2026-11-01T00:00:00Z"},
                {"attribute": "roles", "value": "nurse"}]}
        ]},
        {"name": "circle", "enabled": true, "prerequisites": [{"flag": "round"}]},
        {"name": "round", "enabled": true, "prerequisites": [{"flag": "circle"}]}
    ]});
    let flags = Flags::new(None);
    let document = Document::from_value(document).unwrap();
    assert_eq!(document.unreadable, []);
    flags.apply(Layer::File, document, Timestamp::default());
    flags
}

async fn client() -> Client {
    let mut api = OpenFeature::default();
    api.set_provider(Provider::new(flags())).await;
    assert_eq!(api.provider_metadata().await.name, "teal");
    api.create_client()
}

fn user() -> EvaluationContext {
    EvaluationContext::default().with_targeting_key("user-7")
}

/// What the client tells, in short.
fn told<T: std::fmt::Debug>(details: EvaluationResult<EvaluationDetails<T>>) -> String {
    match details {
        Ok(details) => {
            let EvaluationDetails { value, reason, variant, .. } = details;
            format!("{value:?} {} {}", variant.unwrap_or_default(), reason.unwrap())
        }
        Err(error) => error.code.to_string(),
    }
}

#[tokio::test]
async fn every_type_is_served_with_variant_and_reason() {
    let (client, user) = (client().await, user());
    let user = Some(&user);
    assert_eq!(told(client.get_bool_details("telehealth", user, None).await), "true on STATIC");
    assert_eq!(told(client.get_bool_details("off", user, None).await), "false off DISABLED");
    assert_eq!(told(client.get_string_details("theme", user, None).await), "\"dark\" dark STATIC");
    assert_eq!(told(client.get_int_details("columns", user, None).await), "3 three STATIC");
    assert_eq!(told(client.get_float_details("ratio", user, None).await), "0.5 half STATIC");
    assert_eq!(told(client.get_float_details("columns", user, None).await), "3.0 three STATIC");
    let page: StructValue = client.get_struct_value("page", user, None).await.unwrap();
    let expected = StructValue::default()
        .with_field("columns", 3)
        .with_field("title", "Prices")
        .with_field("tags", vec![Value::from("a"), Value::from(1.5), Value::from(true)])
        .with_field("inner", StructValue::default().with_field("x", 1));
    assert_eq!(page, expected);
    let details = client.get_bool_details("telehealth", user, None).await.unwrap();
    assert_eq!(details.flag_metadata.values["version"], FlagMetadataValue::Int(3));
}

#[tokio::test]
async fn what_has_no_answer_says_why() {
    let (client, user) = (client().await, user());
    let (user, nobody) = (Some(&user), None);
    assert_eq!(told(client.get_bool_details("unheard-of", user, None).await), "FLAG_NOT_FOUND");
    assert_eq!(told(client.get_bool_details("theme", user, None).await), "TYPE_MISMATCH");
    assert_eq!(told(client.get_int_details("ratio", user, None).await), "TYPE_MISMATCH");
    assert_eq!(told(client.get_int_details("telehealth", user, None).await), "TYPE_MISMATCH");
    assert_eq!(told(client.get_float_details("theme", user, None).await), "TYPE_MISMATCH");
    assert_eq!(told(client.get_string_details("columns", user, None).await), "TYPE_MISMATCH");
    assert_eq!(told(client.get_struct_details::<StructValue>("theme", user, None).await), "TYPE_MISMATCH");
    assert_eq!(told(client.get_struct_details::<StructValue>("odd", user, None).await), "TYPE_MISMATCH");
    assert_eq!(told(client.get_bool_details("share", nobody, None).await), "TARGETING_KEY_MISSING");
    assert_eq!(told(client.get_bool_details("telehealth", nobody, None).await), "true on STATIC");
    assert_eq!(told(client.get_bool_details("circle", user, None).await), "PARSE_ERROR");
    assert_eq!(told(client.get_string_details("nothing", user, None).await), "FLAG_DISABLED");
}

#[tokio::test]
async fn custom_fields_are_attributes() {
    let client = client().await;
    // 2026-11-28; the crate has no other way to make a moment than the crate `time`.
    let fitting = || {
        user()
            .with_custom_field("clinic", "hcm-3")
            .with_custom_field("age", 42)
            .with_custom_field("weight", 79.9)
            .with_custom_field("staff", true)
            .with_custom_field("joined", 1_795_852_800_000_i64)
            .with_custom_field("roles", EvaluationContextFieldValue::new_struct(vec!["nurse".to_owned()]))
    };
    let asked = |user: EvaluationContext| {
        let client = &client;
        async move { told(client.get_bool_details("ours", Some(&user), None).await) }
    };
    assert_eq!(asked(fitting()).await, "true on TARGETING_MATCH");
    assert_eq!(asked(fitting().with_custom_field("clinic", "hn-1")).await, "false off DEFAULT");
    assert_eq!(asked(fitting().with_custom_field("age", 17)).await, "false off DEFAULT");
    assert_eq!(asked(fitting().with_custom_field("weight", 80.0)).await, "false off DEFAULT");
    assert_eq!(asked(fitting().with_custom_field("staff", false)).await, "false off DEFAULT");
    let unfit = EvaluationContextFieldValue::new_struct(7_u8);
    assert_eq!(asked(fitting().with_custom_field("roles", unfit)).await, "false off DEFAULT");
}
