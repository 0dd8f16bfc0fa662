//! Lists of flags: filtered, sorted, and in pages that link to each other.

use std::cmp::Ordering;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use teal_flags::model::{Flag, Kind, Timestamp, limits};

use super::{ALL, Door, rest};
use crate::http::access::Caller;
use crate::http::page::{self, Page};
use crate::http::problem::Refused;
use crate::http::query::{self, Asked, Parameter};

const KINDS: [&str; 4] = ["release", "experiment", "operational", "permission"];
const SORTS: [&str; 8] = ["id", "-id", "name", "-name", "created_at", "-created_at", "updated_at", "-updated_at"];

/// What can be asked of the list.
pub(super) const ASKED: [Parameter; 10] = [
    page::LIMIT,
    page::OFFSET,
    Parameter { name: "enabled", about: "Only flags whose main switch is so.", kind: query::Kind::Truth },
    Parameter { name: "archived", about: "Only flags that are archived, or that are not.", kind: query::Kind::Truth },
    Parameter {
        name: "client_visible",
        about: "Only flags that browsers may be told, or that they may not.",
        kind: query::Kind::Truth,
    },
    Parameter {
        name: "environment",
        about: "Only flags that apply in this environment: those that name it, and those that name none.",
        kind: query::Kind::Text(limits::LABEL),
    },
    Parameter { name: "kind", about: "Only flags of this kind.", kind: query::Kind::OneOf(&KINDS) },
    Parameter {
        name: "q",
        about: "Only flags with this in their name or description, whatever the case.",
        kind: query::Kind::Text(limits::LABEL),
    },
    Parameter {
        name: "updated_since",
        about: "Only flags that were made or changed at this moment or later.",
        kind: query::Kind::Moment,
    },
    Parameter {
        name: "sort",
        about: "By what; with `-` the other way round. By id unless said.",
        kind: query::Kind::OneOf(&SORTS),
    },
];

pub(super) async fn list(
    State(door): State<Door>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let asked = Asked::of(query.as_deref(), &ASKED)?;
    let state = door.reads.state();
    let tag = format!("\"{}\"", state.position());
    if rest::is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    let filter = Filter::of(&asked);
    let mut flags: Vec<&Arc<Flag>> =
        state.flags().filter(|flag| caller.sees(flag) && filter.lets_through(flag)).collect();
    sort(&mut flags, asked.text("sort").unwrap_or("id"));
    let page = Page::of(&asked, flags.len());
    let shown: Vec<Value> = page.cut(&flags).iter().map(|flag| flag.to_value()).collect();
    let all = json!({"flags": shown, "total": flags.len(), "revision": state.position().revision});
    Ok(([(header::ETAG, tag)], page.links(ALL, query.as_deref()), Json(all)).into_response())
}

/// What a flag must be.
#[derive(Default)]
struct Filter<'a> {
    enabled: Option<bool>,
    archived: Option<bool>,
    client_visible: Option<bool>,
    environment: Option<&'a str>,
    kind: Option<&'a str>,
    words: Option<String>,
    updated_since: Option<Timestamp>,
}

impl<'a> Filter<'a> {
    fn of(asked: &'a Asked) -> Self {
        Self {
            enabled: asked.parsed("enabled"),
            archived: asked.parsed("archived"),
            client_visible: asked.parsed("client_visible"),
            environment: asked.text("environment"),
            kind: asked.text("kind"),
            words: asked.text("q").map(str::to_lowercase),
            updated_since: asked.parsed("updated_since"),
        }
    }

    fn lets_through(&self, flag: &Flag) -> bool {
        let is = |wanted: Option<bool>, so: bool| wanted.is_none_or(|wanted| wanted == so);
        let applies = |name: &str| flag.environments.is_empty() || flag.environments.iter().any(|one| one == name);
        let has = |words: &String| flag.name.contains(words) || flag.description.to_lowercase().contains(words);
        is(self.enabled, flag.enabled)
            && is(self.archived, flag.archived)
            && is(self.client_visible, flag.client_visible)
            && self.environment.is_none_or(applies)
            && self.kind.is_none_or(|kind| kind == name_of(flag.kind))
            && self.words.as_ref().is_none_or(has)
            && self.updated_since.is_none_or(|since| flag.updated_at >= Some(since))
    }
}

fn name_of(kind: Kind) -> &'static str {
    Kind::ALL.iter().find(|(known, _)| *known == kind).map_or("", |(_, name)| name)
}

/// They come by id. Flags that are alike stay so, also the other way round.
fn sort(flags: &mut [&Arc<Flag>], by: &str) {
    let (field, back) = by.strip_prefix('-').map_or((by, false), |field| (field, true));
    let compare = |a: &Flag, b: &Flag| -> Ordering {
        match field {
            "name" => a.name.cmp(&b.name),
            "created_at" => a.created_at.cmp(&b.created_at),
            "updated_at" => a.updated_at.cmp(&b.updated_at),
            _ => a.id.cmp(&b.id),
        }
    };
    flags.sort_by(|a, b| {
        let order = compare(a, b);
        if back { order.reverse() } else { order }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags() -> Vec<Arc<Flag>> {
        let flag = |id: i64, name: &str| Flag { id, enabled: false, ..Flag::new(name) };
        [
            Flag {
                enabled: true,
                environments: vec!["prod".into()],
                updated_at: Some("2026-11-28T09:00:00Z".parse().unwrap()),
                ..flag(1, "beta")
            },
            Flag { description: "Über das Labor".into(), archived: true, ..flag(2, "alpha") },
            Flag {
                kind: Kind::Permission,
                client_visible: true,
                environments: vec!["dev".into(), "prod".into()],
                ..flag(3, "lab")
            },
        ]
        .map(Arc::new)
        .to_vec()
    }

    #[test]
    fn filters_and_orders_are_those_that_were_asked_for() {
        let flags = flags();
        let check = |query: &str, expected: &[i64]| {
            let asked = Asked::of(Some(query), &ASKED).unwrap();
            let filter = Filter::of(&asked);
            let mut found: Vec<&Arc<Flag>> = flags.iter().filter(|flag| filter.lets_through(flag)).collect();
            sort(&mut found, asked.text("sort").unwrap_or("id"));
            assert_eq!(found.iter().map(|flag| flag.id).collect::<Vec<_>>(), expected, "{query}");
        };
        check("", &[1, 2, 3]);
        check("enabled=true", &[1]);
        check("archived=false", &[1, 3]);
        check("client_visible=true", &[3]);
        check("environment=prod", &[1, 2, 3]);
        check("environment=dev", &[2, 3]);
        check("environment=Dev", &[2]);
        check("kind=permission&enabled=false", &[3]);
        check("q=LAB", &[2, 3]);
        check("q=%C3%BCber", &[2]);
        check("q=nothing", &[]);
        check("updated_since=2026-11-28T09:00:00Z", &[1]);
        check("updated_since=2026-11-28T09:00:01Z", &[]);
        check("sort=name", &[2, 1, 3]);
        check("sort=-id", &[3, 2, 1]);
        check("sort=-updated_at", &[1, 2, 3]);
        check("sort=updated_at", &[2, 3, 1]);
    }

    #[test]
    fn the_kinds_are_the_models() {
        assert_eq!(KINDS, Kind::ALL.map(|(_, name)| name));
    }
}
