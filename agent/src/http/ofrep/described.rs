//! What the OpenAPI document says of it.

use serde_json::{Value, json};

use super::scope::ASKED;
use crate::http::openapi::{Head, Said};

const TAG: &str = "ofrep";

pub(super) fn one() -> Said {
    Said::new(TAG, "ofrepEvaluateFlag", "What a flag answers, by OFREP")
        .asks(&ASKED)
        .reads(&[Head::TealEnvironment])
        .may_have("OfrepQuestion", example())
        .answers(200, "The answer. It is counted, and not for whom.", "OfrepAnswer", &[])
        .answers(400, "The question cannot be answered.", "OfrepError", &[])
        .answers(404, "There is no such flag.", "OfrepError", &[])
}

pub(super) fn all() -> Said {
    Said::new(TAG, "ofrepEvaluateFlags", "What all flags answer, by OFREP")
        .asks(&ASKED)
        .reads(&[Head::TealEnvironment, Head::IfNoneMatch])
        .may_have("OfrepQuestion", example())
        .answers(
            200,
            "Answers and errors, by id. Each is counted, also where nothing is new.",
            "OfrepAnswers",
            &[Head::Etag],
        )
        .empty(304, "The answers are the same.", &[Head::Etag])
        .answers(400, "The question cannot be answered.", "OfrepError", &[])
}

fn example() -> Value {
    json!({"context": {"targetingKey": "user-7", "clinic": "hcm-3"}})
}
