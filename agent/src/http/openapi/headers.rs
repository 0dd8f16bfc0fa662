//! Headers that the door reads and sends, once each.

use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, Required, Type};

/// A header of a request or an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Head {
    /// Of requests: only if it is still this one.
    IfMatch,
    /// Of requests: only if it is another one.
    IfNoneMatch,
    /// Of requests: how far a stream was read.
    LastEventId,
    /// Of requests: the environment that is asked for.
    TealEnvironment,
    /// Of requests: for whom something is changed.
    TealUser,
    /// Of answers: how to prove who one is.
    Challenge,
    /// Of answers: which version this is.
    Etag,
    /// Of answers: the next and the previous page.
    Link,
    /// Of answers: where a new one is.
    Location,
    /// Of answers: when to come back.
    RetryAfter,
}

impl Head {
    const fn name(self) -> &'static str {
        match self {
            Self::IfMatch => "If-Match",
            Self::IfNoneMatch => "If-None-Match",
            Self::LastEventId => "Last-Event-ID",
            Self::TealEnvironment => "X-Teal-Environment",
            Self::TealUser => "X-Teal-User",
            Self::Challenge => "WWW-Authenticate",
            Self::Etag => "ETag",
            Self::Link => "Link",
            Self::Location => "Location",
            Self::RetryAfter => "Retry-After",
        }
    }

    const fn about(self) -> &'static str {
        match self {
            Self::IfMatch => {
                "Do it only if one of these entity tags is the present one (`*`: any). Weak ones never are."
            }
            Self::IfNoneMatch => "Answer 304 if one of these entity tags is the present one.",
            Self::LastEventId => "`INSTANCE:REVISION` of the last event that was read: what changed since comes first.",
            Self::TealEnvironment => {
                "The environment. Without it, here or in the query, flags that are meant for some environments are off."
            }
            Self::TealUser => {
                "The person behind a token that may name people, for the audit log: at most 200 characters."
            }
            Self::Challenge => "That a token is needed, and what is wrong with the one that came.",
            Self::Etag => "The entity tag, for `If-Match` and `If-None-Match`.",
            Self::Link => "Where there are more: the next page (`rel=\"next\"`) and the previous one (`rel=\"prev\"`).",
            Self::Location => "Where it is.",
            Self::RetryAfter => "In so many seconds.",
        }
    }

    /// As a parameter of a request. Nobody has to send any.
    pub(super) fn parameter(self) -> Parameter {
        let text = ObjectBuilder::new().schema_type(Type::String).build();
        ParameterBuilder::new()
            .name(self.name())
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(self.about()))
            .schema(Some(text))
            .build()
    }

    /// As a header of an answer, with its name.
    pub(super) fn header(self) -> (&'static str, Header) {
        let kind = if self == Self::RetryAfter { Type::Integer } else { Type::String };
        let schema = ObjectBuilder::new().schema_type(kind).build();
        (self.name(), HeaderBuilder::new().schema(Some(schema)).description(Some(self.about())).build())
    }
}
