//! prost's messages, with an error that says where a frame is wrong: `attributes.headers.name: invalid wire type … at
//! offset 17`.

use std::{fmt, marker::PhantomData, sync::Arc};

use bytes::Buf as _;
use prost::Message;
use tonic::{
    Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
};

/// What prost says before the place.
const PREAMBLE: &str = "failed to decode Protobuf message: ";

/// A codec that counts the frames that it cannot read.
pub(crate) struct Located<Q, A> {
    refused: Arc<dyn Fn() + Send + Sync>,
    messages: PhantomData<fn(Q) -> A>,
}

impl<Q, A> Located<Q, A> {
    /// `refused` is called for each frame that cannot be read.
    pub(crate) fn new(refused: impl Fn() + Send + Sync + 'static) -> Self {
        Self::shared(&(Arc::new(refused) as _))
    }

    fn shared(refused: &Arc<dyn Fn() + Send + Sync>) -> Self {
        Self { refused: Arc::clone(refused), messages: PhantomData }
    }
}

impl<Q: Message + Default + 'static, A: Message + 'static> Codec for Located<Q, A> {
    type Encode = A;
    type Decode = Q;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self::shared(&self.refused)
    }

    fn decoder(&mut self) -> Self {
        Self::shared(&self.refused)
    }
}

impl<Q, A: Message> Encoder for Located<Q, A> {
    type Item = A;
    type Error = Status;

    fn encode(&mut self, answer: A, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        answer.encode(into).map_err(|problem| Status::internal(problem.to_string()))
    }
}

impl<Q: Message + Default, A> Decoder for Located<Q, A> {
    type Item = Q;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Q>, Status> {
        let length = from.remaining();
        // prost reads in order: what is left tells where it stopped.
        Q::decode(&mut *from).map(Some).map_err(|problem| {
            (self.refused)();
            let offset = length - from.remaining();
            Status::invalid_argument(format!("{} at offset {offset}", placed(&problem.to_string())))
        })
    }
}

/// prost names the innermost field first, each with its message: `Attribute.number: Attributes.attributes: what`. The place
/// as other doors write it is `attributes.number: what`.
fn placed(problem: &str) -> String {
    let mut rest = problem.strip_prefix(PREAMBLE).unwrap_or(problem);
    let mut fields = Vec::new();
    while let Some((field, behind)) = rest.split_once(": ").and_then(|(head, behind)| Some((field(head)?, behind))) {
        fields.push(field);
        rest = behind;
    }
    fields.reverse();
    match fields.is_empty() {
        true => rest.to_owned(),
        false => format!("{}: {rest}", fields.join(".")),
    }
}

/// The field of `Message.field`.
fn field(head: &str) -> Option<&str> {
    let (message, field) = head.split_once('.')?;
    let word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (message.starts_with(|first: char| first.is_ascii_uppercase()) && word(message) && word(field)).then_some(field)
}

impl<Q, A> fmt::Debug for Located<Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Located")
    }
}

#[cfg(test)]
mod tests {
    use super::placed;

    #[test]
    fn a_place_reads_from_the_outermost_field_inwards() {
        for (told, expected) in [
            (
                "failed to decode Protobuf message: Attribute.number: Attributes.attributes: CheckRequest.attributes: invalid wire type: X (expected Y)",
                "attributes.attributes.number: invalid wire type: X (expected Y)",
            ),
            ("failed to decode Protobuf message: invalid tag value: 0", "invalid tag value: 0"),
            ("something else", "something else"),
        ] {
            assert_eq!(placed(told), expected);
        }
    }
}
