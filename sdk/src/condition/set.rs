//! Whether an attribute is one of many values.
//!
//! Equal are: texts letter for letter; numbers by value; bools; a number and a text that reads as that number (`7`, `"7"`,
//! `"7.0"`); a bool and the text `true` or `false`. Two texts are never compared as numbers: `"7"` is not `"7.0"`.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use super::Wrong;
use super::number::Number;
use super::text::{compare_lower, lower};
use crate::bytes;
use crate::context::Attribute;

/// Up to so many texts are compared one by one, which is faster than to hash.
const FEW: usize = 8;

/// The values, by what they are compared with.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Set {
    texts: Texts,
    /// The values that are numbers, ascending: for attributes that are texts.
    numbers: Box<[Number]>,
    /// These, and the values that are texts and read as numbers: for attributes that are numbers.
    all_numbers: Box<[Number]>,
    /// Whether false and true are among the values: for attributes that are texts.
    bools: [bool; 2],
    /// Or are texts among them: for attributes that are bools.
    all_bools: [bool; 2],
    ignore_case: bool,
}

#[derive(Debug)]
enum Texts {
    One(bytes::Text),
    Few(Box<[bytes::Text]>),
    Many(HashSet<Box<str>, BuildHasherDefault<TextHasher>>),
    /// In lower case, ascending.
    IgnoringCase(Box<[Box<str>]>),
}

impl Set {
    pub(super) fn compile(values: &[Value], ignore_case: bool) -> Result<Self, Wrong> {
        let (mut texts, mut numbers, mut written) = (Vec::new(), Vec::new(), Vec::new());
        let (mut bools, mut all_bools) = ([false; 2], [false; 2]);
        for (index, value) in values.iter().enumerate() {
            match value {
                Value::String(text) => {
                    written.extend(Number::read(text));
                    if let Some(value) = read_bool(text, ignore_case) {
                        all_bools[usize::from(value)] = true;
                    }
                    texts.push(text.as_str());
                }
                Value::Number(number) => {
                    let number = Number::of_json(number);
                    numbers.push(
                        number.ok_or_else(|| Wrong::value(index, value, "is too large a number; make it a text"))?,
                    );
                }
                Value::Bool(value) => {
                    bools[usize::from(*value)] = true;
                    all_bools[usize::from(*value)] = true;
                }
                Value::Null | Value::Array(_) | Value::Object(_) => {
                    return Err(Wrong::value(index, value, "must be a text, a number, true or false"));
                }
            }
        }
        written.extend(&numbers);
        let texts = Texts::new(texts, ignore_case);
        Ok(Self { texts, numbers: ascending(numbers), all_numbers: ascending(written), bools, all_bools, ignore_case })
    }

    #[inline]
    pub(super) fn contains(&self, attribute: Attribute<'_>) -> bool {
        let among = |numbers: &[Number], number: Option<Number>| {
            number.is_some_and(|number| numbers.binary_search(&number).is_ok())
        };
        match attribute {
            Attribute::Text(text) => {
                self.texts.contain(text)
                    || (!self.numbers.is_empty() && among(&self.numbers, Number::read(text)))
                    || (self.bools != [false; 2]
                        && read_bool(text, self.ignore_case).is_some_and(|value| self.bools[usize::from(value)]))
            }
            Attribute::Integer(_) | Attribute::Float(_) => among(&self.all_numbers, Number::of(attribute)),
            Attribute::Bool(value) => self.all_bools[usize::from(value)],
            Attribute::List(_) | Attribute::Texts(_) => false,
        }
    }
}

fn ascending<T: Ord>(mut values: Vec<T>) -> Box<[T]> {
    values.sort_unstable();
    values.dedup();
    values.into()
}

fn read_bool(text: &str, ignore_case: bool) -> Option<bool> {
    let is = |word: &str| if ignore_case { text.eq_ignore_ascii_case(word) } else { text == word };
    if is("true") { Some(true) } else { is("false").then_some(false) }
}

impl Texts {
    fn new(values: Vec<&str>, ignore_case: bool) -> Self {
        if ignore_case {
            return Self::IgnoringCase(ascending(values.into_iter().map(|value| lower(value).collect()).collect()));
        }
        if let [only] = *values {
            return Self::One(only.into());
        }
        if values.len() <= FEW {
            return Self::Few(values.into_iter().map(Into::into).collect());
        }
        Self::Many(values.into_iter().map(Into::into).collect())
    }

    #[inline]
    fn contain(&self, text: &str) -> bool {
        match self {
            Self::One(value) => value.is(text),
            Self::Few(values) => values.iter().any(|value| value.is(text)),
            Self::Many(values) => values.contains(text),
            Self::IgnoringCase(values) => values.binary_search_by(|value| compare_lower(value, text)).is_ok(),
        }
    }
}

/// Hashes one text. The values are an editor's and few, so that nobody can make them collide to any effect; what this saves over
/// the standard library's keyed hash is most of the time of a look-up.
#[derive(Default)]
struct TextHasher(u64);

impl Hasher for TextHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0 ^= xxh3_64(bytes);
    }

    /// What `str` adds to mark its end.
    fn write_u8(&mut self, _: u8) {}

    fn finish(&self) -> u64 {
        self.0
    }
}
