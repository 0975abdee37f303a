//! The bag of facts about one request: names, types, slots.
//!
//! A door fills a [`Bag`]; policies, expressions and adapters read it. What can be in it is the [`vocabulary`], one file
//! (`vocabulary.yaml`) that everything else is made from.
//!
//! ```
//! use weir_attributes::{Bag, slot};
//! let bag = Bag::builder().text(slot::REQUEST_METHOD, "GET").header("X-Role", "user").header("x-role", "admin").build();
//! assert_eq!(bag.str(slot::REQUEST_METHOD), Some("GET"));
//! assert_eq!(bag.headers().lines("x-role").collect::<Vec<_>>(), ["user", "admin"]);
//! assert_eq!(bag.headers().joined("x-role").as_deref(), Some("user,admin"));
//! ```
#![forbid(unsafe_code)]

mod bag;
mod derive;
mod framing;
mod headers;
mod json;
mod value;
mod vocabulary;
mod world;

pub use bag::{Bag, Builder};
pub use derive::{Spiffe, remote_ip, split_address};
pub use framing::is_framing;
pub use headers::{Headers, Lines};
pub use json::{JSON_BYTES_MAX, JSON_DEPTH_MAX, Json, JsonError, List, Struct};
pub use value::{Labels, Map, Value};
pub use vocabulary::{Attribute, Phase, Slot, Type, by_wire, lookup, slot, vocabulary};
pub use world::{SPLITS_MAX, Splits, World};
