//! Semantic versions (semver.org 2.0), read and compared where they stand.

use std::cmp::Ordering;

use serde_json::Value;

/// A version: the three numbers, and the pre-release, empty for a release. Build metadata is read and forgotten.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version<T> {
    core: [u64; 3],
    pre: T,
}

pub(super) fn compile(value: &Value) -> Result<Version<Box<str>>, &'static str> {
    let version = value.as_str().and_then(Version::read);
    let version = version.ok_or("is not a semantic version; write it as a text such as \"1.4.0\" or \"2.0.0-rc.1\"")?;
    Ok(Version { core: version.core, pre: version.pre.into() })
}

impl<'a> Version<&'a str> {
    /// As semver.org says; a leading `v` is ignored, and missing numbers are zeros: `v1`, `1.2-rc.1`.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
        let (text, build) = text.split_once('+').map_or((text, None), |(text, build)| (text, Some(build)));
        let (numbers, pre) = text.split_once('-').map_or((text, None), |(text, pre)| (text, Some(pre)));
        let mut core = [0; 3];
        let mut places = core.iter_mut();
        for part in numbers.split('.') {
            *places.next()? = number(part)?;
        }
        let well_formed = build.is_none_or(|build| build.split('.').all(is_identifier))
            && pre.is_none_or(|pre| pre.split('.').all(is_pre_identifier));
        well_formed.then_some(Self { core, pre: pre.unwrap_or("") })
    }
}

impl<T: AsRef<str>> Version<T> {
    /// How it stands to another: semver.org 2.0, section 11.
    pub(super) fn precedence<U: AsRef<str>>(&self, other: &Version<U>) -> Ordering {
        self.core.cmp(&other.core).then_with(|| pre_release(self.pre.as_ref(), other.pre.as_ref()))
    }
}

/// A release is above its pre-releases; else the first identifiers that differ decide, and more of them are above fewer.
fn pre_release(left: &str, right: &str) -> Ordering {
    match (left.is_empty(), right.is_empty()) {
        (false, false) => left.split('.').map(Identifier).cmp(right.split('.').map(Identifier)),
        (left, right) => left.cmp(&right),
    }
}

/// A number is below a word; numbers compare by value, words by their bytes.
#[derive(PartialEq, Eq)]
struct Identifier<'a>(&'a str);

impl Ord for Identifier<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (is_number(self.0), is_number(other.0)) {
            // Without leading zeros the longer number is the greater, however long.
            (true, true) => self.0.len().cmp(&other.0.len()).then_with(|| self.0.cmp(other.0)),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => self.0.cmp(other.0),
        }
    }
}

impl PartialOrd for Identifier<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn has_leading_zero(text: &str) -> bool {
    text.len() > 1 && text.starts_with('0')
}

fn number(text: &str) -> Option<u64> {
    (is_number(text) && !has_leading_zero(text)).then(|| text.parse().ok())?
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_pre_identifier(text: &str) -> bool {
    is_identifier(text) && !(is_number(text) && has_leading_zero(text))
}

impl<T: AsRef<str>> Ord for Version<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.precedence(other)
    }
}

impl<T: AsRef<str>> PartialOrd for Version<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: AsRef<str>> PartialEq for Version<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T: AsRef<str>> Eq for Version<T> {}
