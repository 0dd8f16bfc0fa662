//! Documents that were good once: pieces of good ones, put together wrongly.

use std::mem;

use serde_json::{Value, json};

use crate::random::Random;

/// Good documents, small enough to be mutated by the thousand.
pub(super) struct Corpus {
    flags: Vec<Value>,
    segments: Vec<Value>,
    /// Every value in them, and what nobody would write.
    pieces: Vec<Value>,
    /// Every field's name.
    names: Vec<String>,
}

impl Corpus {
    /// The flags of the vectors and of the page on flags.
    pub(super) fn new() -> Self {
        let vectors: Value = serde_json::from_str(include_str!("../../vectors/evaluations.json")).unwrap();
        let page = include_str!("../../../../docs/flags.md").split("```json\n").skip(1);
        let examples = page.filter_map(|rest| serde_json::from_str(rest.split("```").next()?).ok());
        let documents: Vec<Value> = vectors["groups"]
            .as_array()
            .unwrap()
            .iter()
            .map(|group| group["document"].clone())
            .chain(examples)
            .collect();
        let mut corpus = Self { flags: Vec::new(), segments: Vec::new(), pieces: odd(), names: Vec::new() };
        for document in &documents {
            let members = |field: &str| document[field].as_array().cloned().unwrap_or_default();
            corpus.flags.extend(members("flags"));
            corpus.segments.extend(members("segments"));
            corpus.flags.extend(document.get("name").map(|_| document.clone()));
            collect(document, &mut corpus.pieces, &mut corpus.names);
        }
        corpus.names.sort();
        corpus.names.dedup();
        corpus
    }

    /// A document of a few good flags and segments, wrong in a few places.
    pub(super) fn document(&self, random: &mut Random) -> Value {
        let some = |all: &[Value], most: usize, random: &mut Random| -> Vec<Value> {
            (0..random.below(most)).map(|_| all[random.below(all.len())].clone()).collect()
        };
        let mut document = json!({
            "revision": random.below(5),
            "flags": some(&self.flags, 10, random),
            "segments": some(&self.segments, 4, random),
        });
        if random.below(4) == 0 {
            document["instance"] = "a".into();
        }
        if random.below(6) == 0 {
            document["since"] = random.below(5).into();
        }
        for _ in 0..random.below(4) {
            let place = pick(&mut document, random);
            self.spoil(place, random);
        }
        document
    }

    /// Does something to a value.
    fn spoil(&self, value: &mut Value, random: &mut Random) {
        let piece = || self.pieces[0].clone();
        match random.below(8) {
            0 => *value = json!([mem::take(value)]),
            1 => *value = json!({self.names[random.below(self.names.len())].as_str(): mem::take(value)}),
            2 => {
                if let Value::Array(members) = value {
                    let more = members.get(random.below(members.len().max(1))).cloned().unwrap_or_else(piece);
                    members.extend(std::iter::repeat_n(more, random.below(300)));
                }
            }
            3 => {
                if let Value::Object(fields) = value {
                    let name = fields.keys().nth(random.below(fields.len().max(1))).cloned().unwrap_or_default();
                    let was = fields.remove(&name).unwrap_or_default();
                    fields.insert(self.names[random.below(self.names.len())].clone(), was);
                }
            }
            4 => {
                for _ in 0..random.below(140) {
                    *value = json!([mem::take(value)]);
                }
            }
            _ => *value = self.pieces[random.below(self.pieces.len())].clone(),
        }
    }
}

/// A place anywhere in a value.
fn pick<'a>(mut value: &'a mut Value, random: &mut Random) -> &'a mut Value {
    loop {
        let count = match &*value {
            Value::Array(members) => members.len(),
            Value::Object(fields) => fields.len(),
            _ => 0,
        };
        if count == 0 || random.below(9) == 0 {
            return value;
        }
        let which = random.below(count);
        value = match value {
            Value::Array(members) => &mut members[which],
            Value::Object(fields) => fields.iter_mut().nth(which).unwrap().1,
            _ => unreachable!("it has members"),
        };
    }
}

fn collect(value: &Value, pieces: &mut Vec<Value>, names: &mut Vec<String>) {
    pieces.push(value.clone());
    match value {
        Value::Array(members) => members.iter().for_each(|member| collect(member, pieces, names)),
        Value::Object(fields) => {
            for (name, member) in fields {
                names.push(name.clone());
                collect(member, pieces, names);
            }
        }
        _ => {}
    }
}

/// Values at every edge, each often enough to be met.
fn odd() -> Vec<Value> {
    let texts = [
        "",
        " ",
        "\0",
        "ﬀ",
        "İ",
        "ß",
        "\u{feff}",
        "\u{202e}",
        "-0",
        "1e400",
        "-1e-400",
        "9007199254740993",
        "NaN",
        "v1",
        "1.2.3-",
        "1.2.3-00",
        "1.2.3+",
        "99999999999999999999.0.0",
        "::ffff:10.0.0.1/8",
        "::/0",
        "0.0.0.0/0",
        "10.0.0.0/33",
        "fe80::1%eth0",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:60Z",
        "2016-12-31T23:59:60.999999999Z",
        "0000-01-01T00:00:00+23:59",
        "100.001",
        "100.000",
        "0.0001",
        "(a*)*$",
        "(x+x+)+y",
        "[ab]{600}c",
        "((((((((((a{9}){9}){9}){9}){9}){9}){9}){9}){9}){9})",
        "(",
        "\\p{L}",
        "^",
        "$^",
        "teal1",
        "unleash",
        "flagd",
        "{user}",
        "{name}{user}{",
        "current_time",
        "user_id",
        "on",
        "off",
        "next",
        "exists",
    ];
    let mut odd: Vec<Value> = texts.map(Value::from).to_vec();
    odd.extend([i64::MIN, i64::MAX, -1, 0, 1, 100, 101].map(Value::from));
    odd.extend([u64::MAX, 1 << 63, 1 << 53, u64::from(u32::MAX), 1 << 32].map(Value::from));
    odd.extend([-0.0, 0.0005, 99.9995, 1e300, -1e300, 5e-324, f64::MAX, 9.223_372_036_854_776e18].map(Value::from));
    odd.extend([
        Value::Null,
        true.into(),
        false.into(),
        json!([]),
        json!({}),
        "a".repeat(5000).into(),
        "é".repeat(101).into(),
    ]);
    // They weigh as much as a fifth of the good ones, of which there are some ten thousand.
    std::iter::repeat_n(odd, 30).flatten().collect()
}

/// Changes a few bytes, or where the text ends.
pub(super) fn bytes(text: String, random: &mut Random) -> Vec<u8> {
    let mut bytes = text.into_bytes();
    for _ in 0..random.below(4) {
        let at = random.below(bytes.len().max(1));
        match random.below(5) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at.min(bytes.len()), b"{}[]\",:\\0e-\xff"[random.below(12)]),
            2 => drop(bytes.splice(at..(at + random.below(20)).min(bytes.len()), [])),
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
        }
    }
    bytes
}
