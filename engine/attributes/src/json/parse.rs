//! JSON text (RFC 8259) to a value, strictly, in one pass, within the limits.

use super::{JSON_BYTES_MAX, JSON_DEPTH_MAX, Json, JsonError, List, Struct};

pub(super) fn value(text: &[u8]) -> Result<Json, JsonError> {
    if text.len() > JSON_BYTES_MAX {
        return Err(JsonError::TooLarge);
    }
    let mut reader = Reader { text, at: 0, bytes: 0 };
    let value = reader.value(0)?;
    reader.space();
    if reader.at == text.len() { Ok(value) } else { Err(reader.wrong()) }
}

struct Reader<'t> {
    text: &'t [u8],
    at: usize,
    /// What the values made so far take.
    bytes: usize,
}

impl Reader<'_> {
    fn wrong(&self) -> JsonError {
        JsonError::Syntax(self.at)
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn charge(&mut self, bytes: usize) -> Result<(), JsonError> {
        self.bytes += bytes;
        if self.bytes > JSON_BYTES_MAX { Err(JsonError::TooLarge) } else { Ok(()) }
    }

    /// A value that is inside of `depth` lists and maps.
    fn value(&mut self, depth: usize) -> Result<Json, JsonError> {
        self.charge(size_of::<Json>())?;
        self.space();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => Ok(Json::String(self.string()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true", Json::Bool(true)),
            Some(b'f') => self.word(b"false", Json::Bool(false)),
            Some(b'n') => self.word(b"null", Json::Null),
            _ => Err(self.wrong()),
        }
    }

    fn word(&mut self, word: &[u8], value: Json) -> Result<Json, JsonError> {
        if !self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(self.wrong());
        }
        self.at += word.len();
        Ok(value)
    }

    fn array(&mut self, depth: usize) -> Result<Json, JsonError> {
        if depth >= JSON_DEPTH_MAX {
            return Err(JsonError::TooDeep);
        }
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if !self.eat(b']') {
            loop {
                items.push(self.value(depth + 1)?);
                self.space();
                if self.eat(b']') {
                    break;
                }
                if !self.eat(b',') {
                    return Err(self.wrong());
                }
            }
        }
        List::new(items).map(Json::List)
    }

    fn object(&mut self, depth: usize) -> Result<Json, JsonError> {
        if depth >= JSON_DEPTH_MAX {
            return Err(JsonError::TooDeep);
        }
        self.at += 1;
        let mut entries = Vec::new();
        self.space();
        if !self.eat(b'}') {
            loop {
                self.space();
                self.charge(size_of::<Box<str>>())?;
                let key = self.string()?;
                self.space();
                if !self.eat(b':') {
                    return Err(self.wrong());
                }
                entries.push((key, self.value(depth + 1)?));
                self.space();
                if self.eat(b'}') {
                    break;
                }
                if !self.eat(b',') {
                    return Err(self.wrong());
                }
            }
        }
        Struct::new(entries).map(Json::Map)
    }

    fn digits(&mut self) -> bool {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at > start
    }

    fn number(&mut self) -> Result<Json, JsonError> {
        let start = self.at;
        self.eat(b'-');
        if !self.eat(b'0') && !self.digits() {
            return Err(self.wrong());
        }
        let mut whole = true;
        if self.eat(b'.') {
            whole = false;
            if !self.digits() {
                return Err(self.wrong());
            }
        }
        if self.eat(b'e') || self.eat(b'E') {
            whole = false;
            let _ = self.eat(b'+') || self.eat(b'-');
            if !self.digits() {
                return Err(self.wrong());
            }
        }
        let text = self.text.get(start..self.at).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default();
        if whole && let Ok(number) = text.parse() {
            return Ok(Json::Int(number));
        }
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Json::Double(number)),
            _ => Err(JsonError::Syntax(start)),
        }
    }

    fn string(&mut self) -> Result<Box<str>, JsonError> {
        if !self.eat(b'"') {
            return Err(self.wrong());
        }
        let mut text = Vec::new();
        loop {
            let start = self.at;
            while !matches!(self.peek(), None | Some(b'"' | b'\\' | 0..=0x1f)) {
                self.at += 1;
            }
            text.extend_from_slice(self.text.get(start..self.at).unwrap_or_default());
            if self.eat(b'"') {
                break;
            }
            if !self.eat(b'\\') {
                return Err(self.wrong());
            }
            let letter = self.escape()?;
            text.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
        }
        self.charge(text.len())?;
        String::from_utf8(text).map(Into::into).map_err(|_| self.wrong())
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let byte = self.peek().ok_or_else(|| self.wrong())?;
        self.at += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let mut code = self.hex()?;
                if (0xd800..0xdc00).contains(&code) {
                    if !(self.eat(b'\\') && self.eat(b'u')) {
                        return Err(self.wrong());
                    }
                    let low = self.hex()?;
                    if !(0xdc00..0xe000).contains(&low) {
                        return Err(self.wrong());
                    }
                    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                }
                char::from_u32(code).ok_or_else(|| self.wrong())?
            }
            _ => return Err(self.wrong()),
        })
    }

    fn hex(&mut self) -> Result<u32, JsonError> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16)).ok_or_else(|| self.wrong())?;
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }
}
