//! Who asks: a user, by id alone or with attributes, borrowed and never copied.

use crate::bytes;

/// Whoever a flag is evaluated for.
///
/// Implemented for ids (`&str`, `String`, integers, `Uuid` with the feature `uuid`), for `()` (nobody), for [`Context`] and
/// [`OwnedContext`], which have attributes, and for `Option` and `Arc` of these. Implement it for your own user type to answer
/// attributes without copying them: they are asked for one at a time, and only those that a flag's conditions name.
pub trait Subject {
    /// The user's id, borrowed or written into `scratch`. `None` or empty: nobody is known, and what is rolled out to a share of
    /// users takes the caller's default.
    fn id<'a>(&'a self, scratch: &'a mut Scratch) -> Option<&'a str>;

    /// An attribute by name; `None` if there is none. The name `user_id` is never asked for: it is the id.
    fn attribute(&self, name: &str) -> Option<Attribute<'_>> {
        let _ = name;
        None
    }
}

/// Room for an id that has to be written out.
#[derive(Default)]
pub struct Scratch {
    integer: itoa::Buffer,
    #[cfg(feature = "uuid")]
    uuid: Option<[u8; uuid::fmt::Hyphenated::LENGTH]>,
}

impl Scratch {
    /// A whole number as decimal text.
    pub fn integer(&mut self, value: impl itoa::Integer) -> &str {
        self.integer.format(value)
    }
}

/// What an attribute may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Attribute<'a> {
    /// Text; also moments (RFC 3339), versions and addresses.
    Text(&'a str),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// Yes or no.
    Bool(bool),
    /// Several texts: a condition holds if it holds of one of them.
    List(&'a [&'a str]),
    /// The same, of owned texts.
    Texts(&'a [String]),
}

impl<'a> From<&'a str> for Attribute<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a String> for Attribute<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value)
    }
}

impl From<bool> for Attribute<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<f64> for Attribute<'_> {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl<'a> From<&'a [&'a str]> for Attribute<'a> {
    fn from(value: &'a [&'a str]) -> Self {
        Self::List(value)
    }
}

impl<'a> From<&'a [String]> for Attribute<'a> {
    fn from(value: &'a [String]) -> Self {
        Self::Texts(value)
    }
}

/// A user with attributes, all borrowed: nothing is allocated.
///
/// ```
/// use teal_flags::Context;
///
/// let (clinic, age) = (String::from("hcm-3"), 42);
/// let attributes = [("clinic", (&clinic).into()), ("age", age.into())];
/// let user = Context::new("user-7", &attributes);
/// # let _ = user;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Context<'a> {
    id: Option<&'a str>,
    attributes: &'a [(&'a str, Attribute<'a>)],
}

impl<'a> Context<'a> {
    /// A user of this id with these attributes. Of two with one name the first counts.
    #[must_use]
    pub const fn new(id: &'a str, attributes: &'a [(&'a str, Attribute<'a>)]) -> Self {
        Self { id: Some(id), attributes }
    }

    /// Somebody unknown with these attributes.
    #[must_use]
    pub const fn anonymous(attributes: &'a [(&'a str, Attribute<'a>)]) -> Self {
        Self { id: None, attributes }
    }
}

impl Subject for Context<'_> {
    fn id<'a>(&'a self, _: &'a mut Scratch) -> Option<&'a str> {
        self.id
    }

    fn attribute(&self, name: &str) -> Option<Attribute<'_>> {
        self.attributes
            .iter()
            .find(|(known, _)| bytes::equal(known.as_bytes(), name.as_bytes()))
            .map(|(_, value)| *value)
    }
}

/// A user whose attributes are owned: for what outlives a request's borrows, or comes from elsewhere as JSON.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OwnedContext {
    /// The user's id.
    pub id: Option<String>,
    /// Attributes by name.
    pub attributes: std::collections::BTreeMap<String, OwnedAttribute>,
}

/// What an owned attribute may be; as [`Attribute`].
#[derive(Clone, Debug, PartialEq)]
pub enum OwnedAttribute {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// Yes or no.
    Bool(bool),
    /// Several texts.
    Texts(Vec<String>),
}

impl OwnedAttribute {
    /// A JSON value as an attribute; `None` for null and objects. Members of arrays that are no texts are written as JSON.
    #[must_use]
    pub fn from_json(value: &serde_json::Value) -> Option<Self> {
        use serde_json::Value;
        Some(match value {
            Value::String(text) => Self::Text(text.clone()),
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => match number.as_i64() {
                Some(integer) => Self::Integer(integer),
                None => Self::Float(number.as_f64()?),
            },
            Value::Array(members) => {
                let text = |member: &Value| member.as_str().map_or_else(|| member.to_string(), str::to_owned);
                Self::Texts(members.iter().map(text).collect())
            }
            Value::Null | Value::Object(_) => return None,
        })
    }

    /// Borrows it.
    #[must_use]
    pub fn borrow(&self) -> Attribute<'_> {
        match self {
            Self::Text(text) => Attribute::Text(text),
            Self::Integer(value) => Attribute::Integer(*value),
            Self::Float(value) => Attribute::Float(*value),
            Self::Bool(value) => Attribute::Bool(*value),
            Self::Texts(texts) => Attribute::Texts(texts),
        }
    }
}

impl OwnedContext {
    /// A user of this id, with the members of a JSON object as attributes. What is no attribute, null and objects, is left out.
    ///
    /// ```
    /// use teal_flags::{Attribute, OwnedContext, Subject};
    ///
    /// let json: serde_json::Value = serde_json::from_str(r#"{"clinic": "hcm-3", "nothing": null}"#)?;
    /// let user = OwnedContext::from_json(Some("user-7"), json.as_object().into_iter().flatten());
    /// assert_eq!(user.attribute("clinic"), Some(Attribute::Text("hcm-3")));
    /// assert_eq!(user.attributes.len(), 1);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn from_json<'a>(
        id: Option<&str>,
        attributes: impl IntoIterator<Item = (&'a String, &'a serde_json::Value)>,
    ) -> Self {
        let attribute = |(name, value): (&String, _)| Some((name.clone(), OwnedAttribute::from_json(value)?));
        Self { id: id.map(str::to_owned), attributes: attributes.into_iter().filter_map(attribute).collect() }
    }
}

impl Subject for OwnedContext {
    fn id<'a>(&'a self, _: &'a mut Scratch) -> Option<&'a str> {
        self.id.as_deref()
    }

    fn attribute(&self, name: &str) -> Option<Attribute<'_>> {
        self.attributes.get(name).map(OwnedAttribute::borrow)
    }
}

impl Subject for str {
    fn id<'a>(&'a self, _: &'a mut Scratch) -> Option<&'a str> {
        Some(self)
    }
}

impl Subject for String {
    fn id<'a>(&'a self, _: &'a mut Scratch) -> Option<&'a str> {
        Some(self)
    }
}

/// Nobody.
impl Subject for () {
    fn id<'a>(&'a self, _: &'a mut Scratch) -> Option<&'a str> {
        None
    }
}

impl<S: Subject + ?Sized> Subject for &S {
    fn id<'a>(&'a self, scratch: &'a mut Scratch) -> Option<&'a str> {
        (**self).id(scratch)
    }

    fn attribute(&self, name: &str) -> Option<Attribute<'_>> {
        (**self).attribute(name)
    }
}

impl<S: Subject + ?Sized> Subject for std::sync::Arc<S> {
    fn id<'a>(&'a self, scratch: &'a mut Scratch) -> Option<&'a str> {
        (**self).id(scratch)
    }

    fn attribute(&self, name: &str) -> Option<Attribute<'_>> {
        (**self).attribute(name)
    }
}

impl<S: Subject> Subject for Option<S> {
    fn id<'a>(&'a self, scratch: &'a mut Scratch) -> Option<&'a str> {
        self.as_ref()?.id(scratch)
    }

    fn attribute(&self, name: &str) -> Option<Attribute<'_>> {
        self.as_ref()?.attribute(name)
    }
}

/// Integers: as ids in decimal text, as attributes where they fit.
macro_rules! integers {
    ($($id:ty),*; $($attribute:ty),*) => {
        $(impl Subject for $id {
            fn id<'a>(&'a self, scratch: &'a mut Scratch) -> Option<&'a str> {
                Some(scratch.integer(*self))
            }
        })*
        $(impl From<$attribute> for Attribute<'_> {
            fn from(value: $attribute) -> Self {
                Self::Integer(i64::from(value))
            }
        })*
    };
}

integers!(u32, u64, u128, i32, i64, i128; u8, u16, u32, i8, i16, i32, i64);

/// In lower case with hyphens, as it is written everywhere.
#[cfg(feature = "uuid")]
impl Subject for uuid::Uuid {
    fn id<'a>(&'a self, scratch: &'a mut Scratch) -> Option<&'a str> {
        let room = scratch.uuid.insert([0; uuid::fmt::Hyphenated::LENGTH]);
        Some(self.hyphenated().encode_lower(room))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(subject: impl Subject, expected: Option<&str>) {
        assert_eq!(subject.id(&mut Scratch::default()), expected);
    }

    #[test]
    fn anything_that_names_a_user_is_an_id() {
        check("user-7", Some("user-7"));
        check(String::from("user-7"), Some("user-7"));
        let owned = String::from("user-7");
        check(&owned, Some("user-7"));
        check(7_u64, Some("7"));
        check(-7, Some("-7"));
        check(u128::MAX, Some("340282366920938463463374607431768211455"));
        check(Some(7_u32), Some("7"));
        check(None::<&str>, None);
        check(std::sync::Arc::<str>::from("user-7"), Some("user-7"));
        check((), None);
        check(Context::new("user-7", &[]), Some("user-7"));
        check(Context::anonymous(&[]), None);
        check(OwnedContext::default(), None);
        #[cfg(feature = "uuid")]
        check(uuid::Uuid::from_u128(7), Some("00000000-0000-0000-0000-000000000007"));
    }

    #[test]
    fn attributes_are_found_by_name() {
        let attributes = [("clinic", "hcm-3".into()), ("clinic", "other".into()), ("age", 42.into())];
        let user = Some(Context::new("user-7", &attributes));
        assert_eq!(user.attribute("clinic"), Some(Attribute::Text("hcm-3")));
        assert_eq!(Subject::attribute(&&user, "age"), Some(Attribute::Integer(42)));
        assert_eq!(user.attribute("name"), None);
        let shared = std::sync::Arc::new(OwnedContext {
            attributes: [("age".to_owned(), OwnedAttribute::Integer(42))].into(),
            ..OwnedContext::default()
        });
        assert_eq!(Subject::attribute(&shared, "age"), Some(Attribute::Integer(42)));
        let json = serde_json::json!({"a": [1, "x"], "b": 1.5, "c": null});
        let read = |name| OwnedAttribute::from_json(&json[name]);
        assert_eq!(read("a"), Some(OwnedAttribute::Texts(vec!["1".into(), "x".into()])));
        assert_eq!(read("b"), Some(OwnedAttribute::Float(1.5)));
        assert_eq!(read("c"), None);
    }
}
