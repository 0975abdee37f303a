//! Calls with frames that no client would send.

use bytes::{Buf as _, Bytes};
use http::uri::PathAndQuery;
use tonic::{
    Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    transport::Channel,
};

use crate::engine::Engine;

/// A method called with bytes.
pub(crate) struct Raw {
    client: Grpc<Channel>,
    path: PathAndQuery,
}

impl Raw {
    pub(crate) async fn to(engine: &Engine, path: &'static str) -> Self {
        Self { client: Grpc::new(engine.channel().await), path: PathAndQuery::from_static(path) }
    }

    /// Sends one message and gives the last answer. On the wire a unary call is a stream of one message.
    pub(crate) async fn call(&mut self, frame: Vec<u8>) -> Result<Bytes, Status> {
        self.client.ready().await.unwrap();
        let request = tonic::Request::new(tokio_stream::iter([Bytes::from(frame)]));
        let mut answers = self.client.streaming(request, self.path.clone(), AsIs).await?.into_inner();
        let mut last = Bytes::new();
        while let Some(answer) = answers.message().await? {
            last = answer;
        }
        Ok(last)
    }
}

/// The same damage in every run: cut, a bit turned, a byte put in between.
pub(crate) fn damaged(whole: &[u8], count: usize) -> Vec<Vec<u8>> {
    let mut seed = 7_u64;
    let mut below = |limit: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % limit
    };
    let damage = |_| {
        let mut frame = whole.to_vec();
        let place = below(frame.len());
        match below(3) {
            0 => frame.truncate(place),
            1 => frame[place] ^= 1 << below(8),
            _ => frame.insert(place, below(256) as u8),
        }
        frame
    };
    (0..count).map(damage).collect()
}

/// Bytes as they are.
#[derive(Clone, Copy, Debug, Default)]
struct AsIs;

impl Codec for AsIs {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;
    fn encoder(&mut self) -> Self {
        *self
    }
    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for AsIs {
    type Item = Bytes;
    type Error = Status;
    fn encode(&mut self, item: Bytes, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        bytes::BufMut::put(into, item);
        Ok(())
    }
}

impl Decoder for AsIs {
    type Item = Bytes;
    type Error = Status;
    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}
