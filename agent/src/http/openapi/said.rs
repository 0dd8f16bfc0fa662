//! What the document says of one method of one path.

use serde_json::Value;
use utoipa::openapi::path::{Operation, OperationBuilder, Parameter as Described, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::{
    Content, ContentBuilder, KnownFormat, ObjectBuilder, Ref, RefOr, Required, ResponseBuilder, Schema, SchemaFormat,
    Type,
};

use super::headers::Head;
use super::refusals;
use crate::http::query::{Kind, Parameter};

/// Whatever a path does, it may be refused so.
const ALWAYS: [u16; 5] = [400, 401, 403, 429, 503];
/// What reading a body may end in.
const BODY: [u16; 4] = [400, 408, 413, 422];

/// Parts of paths in braces: what they are, a pattern, an example.
const PLACES: [(&str, &str, &str, &str); 4] = [
    ("token", "The token's id; where it is to be revoked, also its name.", "^[A-Za-z0-9._@-]{1,100}$", "0123456789ab"),
    ("flag", "The flag's id or name.", "^([0-9]{1,19}|[a-z][a-z0-9_.-]{0,99})$", "telehealth"),
    ("key", "The flag's name.", "^[a-z][a-z0-9_.-]{0,99}$", "telehealth"),
    ("segment", "The segment's name.", "^[a-z][a-z0-9_.-]{0,99}$", "staff"),
];

/// What is said of one method of one path.
#[derive(Clone)]
pub(in crate::http) struct Said {
    operation: Operation,
}

/// A reference to a schema of the document.
fn schema_of(name: &str) -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(name))
}

impl Said {
    /// `id` is what generated clients call it.
    pub(in crate::http) fn new(tag: &str, id: &str, summary: &str) -> Self {
        let operation = OperationBuilder::new().tag(tag).operation_id(Some(id)).summary(Some(summary)).build();
        Self { operation }.refuses(&ALWAYS)
    }

    /// What else is to be known.
    pub(in crate::http) fn more(mut self, text: &str) -> Self {
        self.operation.description = Some(text.to_owned());
        self
    }

    /// What may stand behind the `?`.
    pub(in crate::http) fn query(self, table: &[Parameter]) -> Self {
        self.asks(table).refuses(&[422])
    }

    /// The same, where it is refused in another way than by a problem.
    pub(in crate::http) fn asks(mut self, table: &[Parameter]) -> Self {
        self.parameters(table.iter().map(parameter));
        self
    }

    /// A header that is read.
    pub(in crate::http) fn reads(mut self, heads: &[Head]) -> Self {
        self.parameters(heads.iter().map(|head| head.parameter()));
        self
    }

    /// The body, of this schema.
    pub(in crate::http) fn body(mut self, schema: &str, example: Value) -> Self {
        self.has_body(schema, example, Required::True);
        self.refuses(&BODY)
    }

    /// A body that need not be there, and what is wrong in it is refused in another way than by a problem.
    pub(in crate::http) fn may_have(mut self, schema: &str, example: Value) -> Self {
        self.has_body(schema, example, Required::False);
        self.refuses(&[408, 413])
    }

    fn has_body(&mut self, schema: &str, example: Value, required: Required) {
        let content = ContentBuilder::new().schema(Some(schema_of(schema))).example(Some(example)).build();
        let body: RequestBody =
            RequestBodyBuilder::new().content("application/json", content).required(Some(required)).build();
        self.operation.request_body = Some(body.into());
    }

    /// An answer with a body of this schema.
    pub(in crate::http) fn answers(self, status: u16, about: &str, schema: &str, heads: &[Head]) -> Self {
        self.answers_with(status, about, Some(("application/json", schema_of(schema))), heads)
    }

    /// An answer without a body.
    pub(in crate::http) fn empty(self, status: u16, about: &str, heads: &[Head]) -> Self {
        self.answers_with(status, about, None, heads)
    }

    /// An answer with a body of another type, or without one.
    pub(in crate::http) fn answers_with(
        mut self,
        status: u16,
        about: &str,
        body: Option<(&str, RefOr<Schema>)>,
        heads: &[Head],
    ) -> Self {
        let mut response = ResponseBuilder::new().description(about);
        if let Some((kind, schema)) = body {
            response = response.content(kind, Content::new(Some(schema)));
        }
        for head in heads {
            let (name, header) = head.header();
            response = response.header(name, header);
        }
        self.operation.responses.responses.insert(status.to_string(), response.build().into());
        self
    }

    /// Statuses with a problem.
    pub(in crate::http) fn refuses(mut self, statuses: &[u16]) -> Self {
        for status in statuses {
            let refusal = refusals::of(*status);
            let problem =
                ContentBuilder::new().schema(Some(schema_of("Problem"))).example(Some(refusal.example)).build();
            let mut response =
                ResponseBuilder::new().description(refusal.about).content("application/problem+json", problem);
            if let Some((name, header)) = refusal.head.map(Head::header) {
                response = response.header(name, header);
            }
            self.operation.responses.responses.insert(status.to_string(), response.build().into());
        }
        self
    }

    /// It, at this path, whose parts in braces are described.
    pub(super) fn operation(&self, path: &str) -> Operation {
        let mut said = self.clone();
        let places = path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
        let places: Vec<Described> = places.map(place).collect();
        said.parameters(places);
        said.operation
    }

    fn parameters(&mut self, more: impl IntoIterator<Item = Described>) {
        self.operation.parameters.get_or_insert_default().extend(more.into_iter().map(RefOr::T));
    }
}

fn place(name: &str) -> Described {
    let known = PLACES.iter().find(|(known, ..)| *known == name);
    let (about, pattern, example) =
        known.map_or(("", ".+", ""), |(_, about, pattern, example)| (about, pattern, example));
    let schema = ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)).build();
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(about))
        .schema(Some(schema))
        .example(Some(example.into()))
        .build()
}

fn parameter(parameter: &Parameter) -> Described {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let schema = match parameter.kind {
        Kind::Text(most) => text().max_length(Some(most)).pattern(Some(r"^[^\u0000-\u001F\u007F-\u009F]*$")),
        Kind::Whole(least, most) => {
            let bound = |bound: u64| Some(usize::try_from(bound).unwrap_or(usize::MAX));
            ObjectBuilder::new().schema_type(Type::Integer).minimum(bound(least)).maximum(bound(most))
        }
        Kind::Truth => ObjectBuilder::new().schema_type(Type::Boolean),
        Kind::OneOf(names) => text().enum_values(Some(names.iter().copied())),
        Kind::Moment => text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))),
        Kind::Anything => text(),
        Kind::Json => text().content_media_type("application/json"),
    };
    ParameterBuilder::new()
        .name(parameter.name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(parameter.about))
        .schema(Some(schema.build()))
        .build()
}
