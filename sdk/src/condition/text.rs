//! Texts that begin, end, or have within them one of several others.

use std::cmp::Ordering;

use serde_json::Value;

use crate::model::limits::SEARCHED_TEXT;

/// Where in the attribute a value is looked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Affix {
    Start,
    End,
    Anywhere,
}

/// Texts, one of which suffices.
#[derive(Debug)]
pub(super) struct Texts {
    affix: Affix,
    ignore_case: bool,
    /// In lower case where case is ignored.
    values: Box<[Box<str>]>,
}

pub(super) fn compile(value: &Value) -> Result<Box<str>, &'static str> {
    value.as_str().map(Into::into).ok_or("must be a text; put it in quotes")
}

impl Texts {
    pub(super) fn new(affix: Affix, values: Vec<Box<str>>, ignore_case: bool) -> Self {
        let values =
            values.into_iter().map(|value| if ignore_case { lower(&value).collect() } else { value }).collect();
        Self { affix, ignore_case, values }
    }

    pub(super) fn fit(&self, text: &str) -> bool {
        let mut values = self.values.iter();
        match (self.affix, self.ignore_case) {
            (Affix::Start, false) => values.any(|value| text.starts_with(&**value)),
            (Affix::End, false) => values.any(|value| text.ends_with(&**value)),
            (Affix::Start, true) => values.any(|value| begins(lower(text), value.chars())),
            (Affix::End, true) => values.any(|value| begins(lower(text).rev(), value.chars().rev())),
            (Affix::Anywhere, _) if text.len() > SEARCHED_TEXT => false,
            (Affix::Anywhere, false) => values.any(|value| text.contains(&**value)),
            (Affix::Anywhere, true) => lowered(text, |text| values.any(|value| text.contains(&**value))),
        }
    }
}

/// Lower case, character by character (so a sigma is a sigma wherever it stands).
pub(super) fn lower(text: &str) -> impl DoubleEndedIterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}

/// How a text in lower case stands to one in any case.
pub(super) fn compare_lower(lowered: &str, text: &str) -> Ordering {
    lowered.chars().cmp(lower(text))
}

fn begins(mut text: impl Iterator<Item = char>, mut value: impl Iterator<Item = char>) -> bool {
    value.all(|expected| text.next() == Some(expected))
}

/// A text of at most [`SEARCHED_TEXT`] bytes in lower case, on the stack.
fn lowered(text: &str, ask: impl FnOnce(&str) -> bool) -> bool {
    // Lower case can be longer: two bytes become three at most.
    if text.len() <= 256 {
        lowered_in(&mut [0; 384], text, ask)
    } else {
        lowered_in(&mut [0; SEARCHED_TEXT * 3 / 2], text, ask)
    }
}

fn lowered_in(room: &mut [u8], text: &str, ask: impl FnOnce(&str) -> bool) -> bool {
    let mut length = 0;
    for letter in lower(text) {
        let Some(place) = room.get_mut(length..length + letter.len_utf8()) else { return false };
        length += letter.encode_utf8(place).len();
    }
    str::from_utf8(&room[..length]).is_ok_and(ask)
}
