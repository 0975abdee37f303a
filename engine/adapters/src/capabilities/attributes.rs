//! A look at the attributes of the request beyond the declared inputs.

use wasmtime::component::Resource;
use weir_attributes::World as Reading;

use crate::contract::v1::weir::plugin::attributes::{Host, HostBag};
use crate::contract::v1::weir::plugin::types::{Refusal, ValueResult};
use crate::guest::{Guest, Request};
use crate::inputs::{Held, held};
use crate::manifest::attribute;
use crate::services::{denied, invalid};

impl Host for Guest {}

impl HostBag for Guest {
    fn get(&mut self, _: Resource<Request>, name: String) -> Result<Option<ValueResult>, Refusal> {
        let input = attribute(&name).map_err(invalid)?;
        let covers = |asked: &crate::Input| {
            asked.slot() == input.slot() && (asked.key().is_none() || asked.key() == input.key())
        };
        if !self.services.attributes.iter().any(covers) {
            return Err(denied(format!("the manifest does not list {name} under [capabilities] attributes")));
        }
        let Some(request) = &self.request else { return Err(denied("there is no request in this call")) };
        Ok(held(&input, request.reading(), None).map(owned))
    }

    /// The handle is the plugin's; what it stands for ends with the call.
    fn drop(&mut self, _: Resource<Request>) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl Request {
    fn reading(&self) -> Reading<'_> {
        let reading = self.bag.as_told().with_path(self.path);
        match &self.splits {
            Some(splits) => reading.with_splits(splits),
            None => reading,
        }
    }
}

fn owned(held: Held<'_>) -> ValueResult {
    match held {
        Held::Text(text) => ValueResult::Text(text.into_owned()),
        Held::Int(number) => ValueResult::Int(number),
        Held::Double(number) => ValueResult::Double(number),
        Held::Bool(flag) => ValueResult::Boolean(flag),
        Held::Bytes(bytes) => ValueResult::Bytes(bytes.into_owned()),
        Held::Timestamp(nanos) => ValueResult::Timestamp(nanos),
        Held::Duration(nanos) => ValueResult::Duration(nanos),
        Held::Pairs(pairs) => {
            ValueResult::Pairs(pairs.into_iter().map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
        }
        Held::Texts(texts) => ValueResult::Texts(texts.into_iter().map(|text| text.into_owned()).collect()),
    }
}
