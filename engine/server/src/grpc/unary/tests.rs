#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::convert::Infallible;

use futures::stream;
use http_body::Frame;
use http_body_util::StreamBody;

use super::*;

async fn received(pieces: &[&[u8]]) -> Result<Bytes, Refused> {
    let frames = pieces.iter().map(|piece| Ok::<_, Infallible>(Frame::data(Bytes::copy_from_slice(piece))));
    receive(StreamBody::new(stream::iter(frames.collect::<Vec<_>>()))).await
}

#[tokio::test]
async fn a_message_is_the_same_in_one_piece_and_in_many() {
    for pieces in [&[&b"\0\0\0\0\x02hi"[..]][..], &[b"\0\0", b"\0\0\x02h", b"i"], &[b"", b"\0\0\0\0\x02", b"hi", b""]] {
        assert_eq!(received(pieces).await.unwrap(), "hi");
    }
    assert_eq!(received(&[b"\0\0\0\0\0"]).await.unwrap(), "");
}

#[tokio::test]
async fn what_is_not_one_whole_message_is_refused_with_a_status() {
    let large = vec![0; MESSAGE_MAX + PREFIX + 1];
    for (pieces, code, says) in [
        (&[][..], 3, "0 bytes"),
        (&[&b"\0\0\0"[..]][..], 3, "3 bytes"),
        (&[b"\0\0\0\0\x03hi"], 3, "says 3 bytes at offset 1 and has 2"),
        (&[b"\0\0\0\0\x01hi"], 3, "says 1 bytes at offset 1 and has 2"),
        (&[b"\x01\0\0\0\x02hi"], 12, "compressed"),
        (&[b"\x02\0\0\0\x02hi"], 3, "flag 2"),
        (&[&large], 8, "larger than 4194304"),
    ] {
        let refused = received(pieces).await.unwrap_err();
        assert_eq!(refused.code, code, "{refused:?}");
        assert!(refused.message.contains(says), "{refused:?}");
    }
}

#[tokio::test]
async fn an_answer_is_framed_and_ends_with_its_status() {
    let response = framed(b"\0\0\0\0\0hello".to_vec());
    assert_eq!(response.headers()["content-type"], "application/grpc");
    let collected = response.into_body().collect().await.unwrap();
    assert_eq!(collected.trailers().unwrap()["grpc-status"], "0");
    assert_eq!(collected.to_bytes(), &b"\0\0\0\0\x05hello"[..]);
}

#[test]
fn a_status_is_a_head_without_a_body() {
    let response = Refused::invalid("100%\né").into_response();
    assert_eq!(response.headers()["grpc-status"], "3");
    assert_eq!(response.headers()["grpc-message"], "100%25%0A%C3%A9");
    assert!(response.body().is_end_stream());
}
