//! Server-sent events, read as bytes arrive (WHATWG HTML, "Server-sent events", section 9.2.6), within a bound.
//!
//! ```text
//! bytes --push--> lines --> fields (event, data, id) --empty line--> Item::Event
//!                      \--> ": comment" ---------------------------> Item::Comment
//! ```
//!
//! However the bytes are cut into chunks, the same items come out. `retry` is not followed: the client has its own back-off.

/// What a stream is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// An event with data.
    Event(Event),
    /// A comment: says that the other side lives.
    Comment,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// Its kind; `message` where the stream does not say.
    pub(super) name: String,
    /// Its lines, joined by newlines.
    pub(super) data: Vec<u8>,
}

/// An event grew beyond the bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLarge;

/// Reads a stream.
#[derive(Debug)]
pub(super) struct Parser {
    limit: usize,
    line: Vec<u8>,
    name: String,
    data: Vec<u8>,
    has_data: bool,
    /// A field has been read since the last empty line.
    within: bool,
    after_cr: bool,
    first_line: bool,
}

impl Parser {
    /// Events of more than `limit` bytes are refused.
    pub(super) const fn new(limit: usize) -> Self {
        Self {
            limit,
            line: Vec::new(),
            name: String::new(),
            data: Vec::new(),
            has_data: false,
            within: false,
            after_cr: false,
            first_line: true,
        }
    }

    /// Whether an event has begun and not ended.
    pub(super) fn is_within_event(&self) -> bool {
        self.within || !self.line.is_empty()
    }

    /// Takes what has arrived; gives what is complete.
    ///
    /// # Errors
    /// When an event is larger than the limit. The parser is of no use afterwards.
    pub(super) fn push(&mut self, mut chunk: &[u8]) -> Result<Vec<Item>, TooLarge> {
        let mut items = Vec::new();
        while !chunk.is_empty() {
            // The end of a line may be CR LF, and a chunk may end between the two.
            if std::mem::take(&mut self.after_cr) && chunk[0] == b'\n' {
                chunk = &chunk[1..];
                continue;
            }
            let end = chunk.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let part = &chunk[..end.unwrap_or(chunk.len())];
            if self.data.len() + self.line.len() + part.len() > self.limit {
                return Err(TooLarge);
            }
            self.line.extend_from_slice(part);
            let Some(end) = end else { break };
            self.after_cr = chunk[end] == b'\r';
            chunk = &chunk[end + 1..];
            items.extend(self.line_ended());
        }
        Ok(items)
    }

    fn line_ended(&mut self) -> Option<Item> {
        let mut line = std::mem::take(&mut self.line);
        let mut content = line.as_slice();
        if std::mem::take(&mut self.first_line) {
            content = content.strip_prefix("\u{feff}".as_bytes()).unwrap_or(content);
        }
        let item = match content.iter().position(|byte| *byte == b':') {
            _ if content.is_empty() => self.event_ended(),
            Some(0) => Some(Item::Comment),
            Some(colon) => {
                let value = &content[colon + 1..];
                self.field(&content[..colon], value.strip_prefix(b" ").unwrap_or(value));
                None
            }
            None => {
                self.field(content, b"");
                None
            }
        };
        // The room is kept for the next line, unless it was a huge one.
        if line.capacity() <= 64 * 1024 {
            line.clear();
            self.line = line;
        }
        item
    }

    fn field(&mut self, name: &[u8], value: &[u8]) {
        self.within = true;
        match name {
            b"event" => self.name = String::from_utf8_lossy(value).into_owned(),
            b"data" => {
                if self.has_data {
                    self.data.push(b'\n');
                }
                self.has_data = true;
                self.data.extend_from_slice(value);
            }
            // `id`: the document says its own revision. `retry`, and whatever else: not for us.
            _ => {}
        }
    }

    fn event_ended(&mut self) -> Option<Item> {
        self.within = false;
        let name = std::mem::take(&mut self.name);
        let data = std::mem::take(&mut self.data);
        if !std::mem::take(&mut self.has_data) {
            return None;
        }
        let name = if name.is_empty() { String::from("message") } else { name };
        Some(Item::Event(Event { name, data }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event(name: &str, data: &str) -> Item {
        Item::Event(Event { name: name.into(), data: data.into() })
    }

    fn check(stream: &str, expected: &[Item]) {
        assert_eq!(Parser::new(1_000).push(stream.as_bytes()).as_deref(), Ok(expected), "{stream:?}");
    }

    #[test]
    fn streams_are_read_as_the_standard_says() {
        check("event: delta\ndata: {\ndata: }\n\n", &[event("delta", "{\n}")]);
        check(
            "data: x\r\n\r\ndata:y\r\rdata:  z\n\n",
            &[event("message", "x"), event("message", "y"), event("message", " z")],
        );
        // A line's end of two characters is one end: the event goes on.
        check("event: delta\r\ndata: {\r\ndata: }\r\n\r\n", &[event("delta", "{\n}")]);
        check(": ping\n\n:\n", &[Item::Comment, Item::Comment]);
        check("\u{feff}data: x\nid: 7\nretry: 10\nunknown\n\n", &[event("message", "x")]);
        check("event: ping\n\ndata\n\n", &[event("message", "")]);
        check("data: unfinished\n", &[]);
        check("", &[]);
    }

    #[test]
    fn what_grows_beyond_the_limit_is_refused() {
        assert_eq!(Parser::new(10).push(b"data: 12345"), Err(TooLarge));
        let mut parser = Parser::new(20);
        assert_eq!(parser.push(b"data: 12345678\n"), Ok(vec![]));
        assert_eq!(parser.push(b"data: 12345678\n"), Err(TooLarge));
        let mut parser = Parser::new(20);
        for _ in 0..100 {
            assert_eq!(parser.push(b"data: 12345678\n\n"), Ok(vec![event("message", "12345678")]));
        }
    }

    proptest! {
        #[test]
        fn however_it_is_cut_the_same_comes_out(
            stream in "((event|data|id|:|x)?(: ?)?[a-c\u{e9}]{0,3}(\n|\r|\r\n|\n\n)){0,12}",
            cuts in prop::collection::vec(1..6_usize, 0..60),
        ) {
            let whole = Parser::new(10_000).push(stream.as_bytes()).unwrap();
            let (mut parser, mut rest, mut items) = (Parser::new(10_000), stream.as_bytes(), Vec::new());
            for cut in cuts {
                let (chunk, left) = rest.split_at(cut.min(rest.len()));
                items.extend(parser.push(chunk).unwrap());
                rest = left;
            }
            items.extend(parser.push(rest).unwrap());
            prop_assert_eq!(items, whole);
        }

        #[test]
        fn no_bytes_make_it_panic_or_grow(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut parser = Parser::new(100);
            for chunk in bytes.chunks(7) {
                if parser.push(chunk).is_err() {
                    break;
                }
                prop_assert!(parser.data.len() + parser.line.len() <= 120);
            }
        }
    }
}
