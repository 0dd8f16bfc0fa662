//! What the OpenAPI document says of the door's paths.

use serde_json::json;
use utoipa::openapi::{ObjectBuilder, Type};

use super::{audit as log, check, list as lists, rest, sdk, segments as groups, stale, tokens};
use crate::http::openapi::{Head, Said};

const PEOPLE: &str = "flags";
const SDKS: &str = "sdk";
const TOKENS: &str = "tokens";

pub(super) fn list() -> Said {
    Said::new(PEOPLE, "listFlags", "All flags, by id")
        .more(
            "Filters narrow the list together. `total` counts what they let through; `Link` leads to the other pages.",
        )
        .query(&lists::ASKED)
        .reads(&[Head::IfNoneMatch])
        .answers(200, "A page of flags.", "FlagList", &[Head::Etag, Head::Link])
        .empty(304, "Nothing has changed.", &[Head::Etag])
}

pub(super) fn create() -> Said {
    Said::new(PEOPLE, "createFlag", "A new flag")
        .more("Without `enabled` it is off.")
        .reads(&[Head::TealUser])
        .body(
            "NewFlag",
            json!({"name": "new-editor", "enabled": true, "rollout_percentage": 5, "reason": "first users"}),
        )
        .answers(201, "It is made.", "Flag", &[Head::Etag, Head::Location])
        .refuses(&[409, 503])
}

pub(super) fn show() -> Said {
    Said::new(PEOPLE, "getFlag", "One flag")
        .reads(&[Head::IfNoneMatch])
        .answers(200, "The flag.", "Flag", &[Head::Etag])
        .empty(304, "It has not changed.", &[Head::Etag])
        .refuses(&[404])
}

pub(super) fn change() -> Said {
    Said::new(PEOPLE, "changeFlag", "A change of some of its fields")
        .more("Without `If-Match` the last writer wins.")
        .reads(&[Head::IfMatch, Head::TealUser])
        .body("FlagChange", json!({"rollout_percentage": 25, "reason": "first clinics"}))
        .answers(200, "The flag as it is now. A change that changes nothing is no change.", "Flag", &[Head::Etag])
        .refuses(&[404, 412, 503])
}

pub(super) fn delete() -> Said {
    Said::new(PEOPLE, "deleteFlag", "No more of it")
        .more("SDKs forget it, and their callers' defaults count. Refused with 409 while another flag has it as a prerequisite.")
        .query(&rest::WHY)
        .reads(&[Head::IfMatch, Head::TealUser])
        .empty(204, "It is gone.", &[])
        .refuses(&[400, 404, 409, 412, 503])
}

pub(super) fn segments() -> Said {
    Said::new(PEOPLE, "listSegments", "All segments, by name")
        .more("With how many are on their lists, and the flags that have rules on them.")
        .query(&groups::ASKED)
        .reads(&[Head::IfNoneMatch])
        .answers(200, "A page of segments.", "SegmentList", &[Head::Etag, Head::Link])
        .empty(304, "Nothing has changed.", &[Head::Etag])
}

pub(super) fn create_segment() -> Said {
    Said::new(PEOPLE, "createSegment", "A new segment")
        .reads(&[Head::TealUser])
        .body("NewSegment", json!({"name": "staff", "include": ["user-17"], "reason": "they test first"}))
        .answers(201, "It is made.", "Segment", &[Head::Etag, Head::Location])
        .refuses(&[409, 503])
}

pub(super) fn show_segment() -> Said {
    Said::new(PEOPLE, "getSegment", "One segment")
        .reads(&[Head::IfNoneMatch])
        .answers(200, "The segment.", "Segment", &[Head::Etag])
        .empty(304, "It has not changed.", &[Head::Etag])
        .refuses(&[404])
}

pub(super) fn change_segment() -> Said {
    Said::new(PEOPLE, "changeSegment", "A change of some of its fields")
        .more("Without `If-Match` the last writer wins.")
        .reads(&[Head::IfMatch, Head::TealUser])
        .body("SegmentChange", json!({"exclude": ["user-4"], "reason": "left"}))
        .answers(200, "The segment as it is now. A change that changes nothing is no change.", "Segment", &[Head::Etag])
        .refuses(&[404, 412, 503])
}

pub(super) fn delete_segment() -> Said {
    Said::new(PEOPLE, "deleteSegment", "No more of it")
        .more("Refused with 409 while a flag has a rule on it.")
        .query(&rest::WHY)
        .reads(&[Head::IfMatch, Head::TealUser])
        .empty(204, "It is gone.", &[])
        .refuses(&[400, 404, 409, 412, 503])
}

pub(super) fn audit() -> Said {
    Said::new(PEOPLE, "getFlagAuditLog", "Who changed it, when, why, and from what to what")
        .more("Newest first, also of a flag that was deleted.")
        .query(&log::OF_ONE)
        .answers(200, "A page of entries; `next` is where the next one begins.", "AuditLog", &[Head::Link])
        .refuses(&[404, 503])
}

pub(super) fn audit_of_all() -> Said {
    Said::new(PEOPLE, "getAuditLog", "Who changed which flag or segment, when, why, and from what to what")
        .more("Newest first.")
        .query(&log::OF_ALL)
        .answers(200, "A page of entries; `next` is where the next one begins.", "AuditLog", &[Head::Link])
        .refuses(&[404, 503])
}

pub(super) fn stale() -> Said {
    Said::new(PEOPLE, "getStaleFlags", "Flags that can go")
        .more("Nobody asked for them, or everybody got the same and nobody changed them, for so many days. Made of what SDKs report, and of answers that are given here.")
        .query(&stale::ASKED)
        .answers(200, "By id. What is not remembered for so long is not `sure`.", "StaleFlags", &[])
        .refuses(&[503])
}

pub(super) fn check_by_query() -> Said {
    Said::new(PEOPLE, "checkFlagByQuery", "What it answers to somebody")
        .query(&check::ASKED)
        .answers(200, "The answer. It is counted, and not for whom.", "Answer", &[])
        .refuses(&[404])
}

pub(super) fn check() -> Said {
    Said::new(PEOPLE, "checkFlag", "What it answers to somebody")
        .body("Check", json!({"user_id": "user-7", "environment": "prod", "attributes": {"clinic": "hcm-3"}}))
        .answers(200, "The answer. It is counted, and not for whom.", "Answer", &[])
        .refuses(&[404])
}

pub(super) fn snapshot() -> Said {
    Said::new(SDKS, "getSnapshot", "Everything, as one document")
        .query(&sdk::ASKED)
        .reads(&[Head::IfNoneMatch])
        .answers(200, "All flags, and what was deleted.", "Document", &[Head::Etag])
        .empty(304, "Nothing has changed.", &[Head::Etag])
}

pub(super) fn stream() -> Said {
    let events = ObjectBuilder::new().schema_type(Type::String).description(Some(
        "Events `snapshot` and `delta` with a Document each, and `ping` each 15 s; ids are `INSTANCE:REVISION`.",
    ));
    Said::new(SDKS, "streamChanges", "Changes as they are made, as server-sent events")
        .query(&sdk::ASKED)
        .reads(&[Head::LastEventId])
        .answers_with(
            200,
            "It ends after 40 to 50 minutes: come back with the last id.",
            Some(("text/event-stream", events.build().into())),
            &[],
        )
        .refuses(&[503])
}

pub(super) fn exposures() -> Said {
    Said::new(SDKS, "reportExposures", "Counts of what an application served")
        .body(
            "Report",
            json!({
                "report": "0c1f6f0e9d3b4a7f8e2d5c6b7a891234-1",
                "environment": "prod",
                "from": "2026-11-28T09:00:00Z",
                "until": "2026-11-28T09:01:00Z",
                "counts": [{"flag": "telehealth", "version": 1, "variant": "off", "count": 12}],
            }),
        )
        .empty(204, "They are counted.", &[])
        .refuses(&[503])
}

pub(super) fn import() -> Said {
    Said::new(PEOPLE, "importFlags", "What another application kept of its flags, all of it or nothing")
        .more(
            "Under the ids that it gave, with its history. Nothing is overwritten but default flags that nobody touched; what is there just so \
             is left alone. At most 32 MiB.",
        )
        .reads(&[Head::TealUser])
        .body(
            "Import",
            json!({
                "flags": [{"id": 8, "name": "telehealth", "enabled": true, "rollout_percentage": 12.5, "created_at": "2024-03-01T08:00:00Z"}],
                "history": [{"flag_id": 8, "flag_name": "telehealth", "action": "update", "at": "2024-04-01T08:00:00Z", "who": "anna"}],
                "reason": "moved",
            }),
        )
        .answers(200, "What was done.", "Imported", &[])
        .refuses(&[409, 503])
}

pub(super) fn document() -> Said {
    let any = ObjectBuilder::new().schema_type(Type::Object).build();
    Said::new("about", "getOpenApi", "This document").answers_with(
        200,
        "OpenAPI 3.1.",
        Some(("application/json", any.into())),
        &[],
    )
}

pub(super) fn tokens() -> Said {
    Said::new(TOKENS, "listTokens", "All tokens, also those that were revoked").answers(
        200,
        "Tokens.",
        "TokenList",
        &[],
    )
}

pub(super) fn create_token() -> Said {
    Said::new(TOKENS, "createToken", "A new token")
        .body("NewToken", json!({"name": "shop", "roles": ["sdk"], "environments": ["prod"], "reason": "the shop"}))
        .answers(201, "It is made, and shown this once.", "MadeToken", &[])
        .refuses(&[409, 503])
}

pub(super) fn token() -> Said {
    Said::new(TOKENS, "getToken", "One token").answers(200, "The token.", "Token", &[]).refuses(&[404])
}

pub(super) fn revoke_token() -> Said {
    Said::new(TOKENS, "revokeToken", "No more of it")
        .more("Streams that it holds end. Once more is no change.")
        .query(&tokens::WHY)
        .answers(200, "It is revoked.", "Token", &[])
        .refuses(&[400, 404, 503])
}

pub(super) fn own_token() -> Said {
    Said::new(TOKENS, "getOwnToken", "What the caller may do").answers(200, "The caller's token.", "OwnToken", &[])
}

pub(super) fn token_audit() -> Said {
    Said::new(TOKENS, "getTokenAuditLog", "Who made and revoked tokens, when, and why")
        .more("Newest first. The next page is `before` the last entry.")
        .query(&tokens::ENTRIES)
        .answers(200, "Entries.", "TokenAuditLog", &[])
        .refuses(&[503])
}
