#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;

fn fields(frame: &[u8]) -> Result<Vec<u32>, String> {
    let mut message = Message::of(frame);
    let mut numbers = Vec::new();
    loop {
        match message.tag().and_then(|tag| tag.map(|tag| message.skip(tag).map(|()| tag.number)).transpose()) {
            Ok(Some(number)) => numbers.push(number),
            Ok(None) => return Ok(numbers),
            Err(fault) => return Err(fault.to_string()),
        }
    }
}

#[test]
fn unknown_fields_of_every_wire_type_are_passed_over() {
    assert_eq!(fields(&[]), Ok(vec![]));
    let frame = [0x08, 0x96, 0x01, 0x11, 1, 2, 3, 4, 5, 6, 7, 8, 0x1a, 2, b'h', b'i', 0x25, 1, 2, 3, 4];
    assert_eq!(fields(&frame), Ok(vec![1, 2, 3, 4]));
}

#[test]
fn a_fault_says_what_and_where() {
    for (frame, expected) in [
        (&[0x0a, 5, b'h'][..], "(field 1): truncated length at offset 1"),
        (&[0x08], "(field 1): truncated length at offset 1"),
        (&[0x08, 0x80], "(field 1): truncated length at offset 1"),
        (&[0x80], "truncated length at offset 0"),
        (&[0x09, 1, 2], "(field 1): truncated length at offset 1"),
        (&[0x0d, 1, 2], "(field 1): truncated length at offset 1"),
        (&[0x00], "field number out of range at offset 0"),
        (&[0x08, 1, 0x0b], "a group, which proto3 does not have, at offset 2"),
        (&[0x0f], "unknown wire type at offset 0"),
        (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02], "varint of more than 64 bits at offset 0"),
        (&[0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], "field number out of range at offset 0"),
    ] {
        assert_eq!(fields(frame).unwrap_err(), expected, "{frame:x?}");
    }
    assert!(fields(&[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]).is_ok(), "2^64-1 is a varint");
}

#[test]
fn values_are_typed() {
    let frame = [0x0a, 2, 0xc3, 0x28];
    let mut message = Message::of(&frame);
    let tag = message.tag().unwrap().unwrap();
    assert_eq!(message.text(tag).within("path").unwrap_err().to_string(), "path: string is not UTF-8 at offset 2");
    let mut message = Message::of(&frame);
    let tag = message.tag().unwrap().unwrap();
    let fault = message.varint(tag).within_item("size", 3).unwrap_err().to_string();
    assert_eq!(fault, "size[3]: wire type Length where Varint is due at offset 0");
}

#[test]
fn what_is_written_is_read_back_at_every_length() {
    for length in [0, 1, 126, 127, 128, 129, 16_383, 16_384, 70_000] {
        let text = vec![b'x'; length];
        let mut writer = Writer::default();
        writer.message_field(7, |inner| inner.bytes_field(1, &text));
        writer.varint_field(2, 1 << 40);
        let frame = writer.into_bytes();
        let mut message = Message::of(&frame);
        let tag = message.tag().unwrap().unwrap();
        let mut inner = message.message(tag).unwrap();
        let inner_tag = inner.tag().unwrap().unwrap();
        assert_eq!((tag.number, inner_tag.number), (7, 1));
        assert_eq!(inner.bytes(inner_tag).unwrap(), text);
        let tag = message.tag().unwrap().unwrap();
        assert_eq!(message.varint(tag).unwrap(), 1 << 40);
        assert!(message.tag().unwrap().is_none());
        assert_eq!(message.offset(), frame.len());
    }
}
