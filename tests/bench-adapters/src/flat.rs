//! The component that the contract is measured against, under the same engine flags as the host's.

use std::path::Path;

use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Config, Engine, Store, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use weir_attributes::{Bag, Value as Held, slot};

use crate::request;

wasmtime::component::bindgen!({
    path: "guest/flat/wit",
    world: "weir:bench/flat",
    exports: { default: async },
    ownership: Borrowing { duplicate_if_necessary: true },
});

/// What the store holds: as little as a component built with Rust can do with.
struct Inside {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Inside {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// One instance of it.
pub(crate) struct Bare {
    store: Store<Inside>,
    flat: Flat,
    buffer: Vec<u8>,
}

impl Bare {
    pub(crate) async fn load(path: &Path) -> Bare {
        // As weir-adapters makes its engine.
        let mut config = Config::new();
        config.wasm_component_model(true);
        config.epoch_interruption(true);
        config.max_wasm_stack(512 << 10);
        config.async_stack_size(1 << 20);
        config.wasm_backtrace_max_frames(None);
        config.concurrency_support(false);
        let engine = Engine::new(&config).unwrap();
        let component = Component::from_file(&engine, path).unwrap();
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).unwrap();
        let inside = Inside { wasi: WasiCtx::builder().build(), table: ResourceTable::new() };
        let mut store = Store::new(&engine, inside);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Yield(1)));
        let flat = Flat::instantiate_async(&mut store, &component, &linker).await.unwrap();
        Bare { store, flat, buffer: Vec::new() }
    }

    /// A call that says nothing.
    pub(crate) async fn empty(&mut self) {
        self.store.set_epoch_deadline(1);
        self.flat.call_empty(&mut self.store).await.unwrap();
    }

    /// The three values of a bag, in one buffer that the host writes.
    pub(crate) async fn flat(&mut self, bag: &Bag) {
        self.buffer.clear();
        for text in [bag.str(slot::REQUEST_METHOD), bag.str(slot::REQUEST_HOST)] {
            let text = text.unwrap();
            self.buffer.extend_from_slice(&(text.len() as u32).to_le_bytes());
            self.buffer.extend_from_slice(text.as_bytes());
        }
        let Some(Held::Int(size)) = bag.get(slot::REQUEST_SIZE) else { panic!("no size") };
        self.buffer.extend_from_slice(&size.to_le_bytes());
        self.store.set_epoch_deadline(1);
        let answer = self.flat.call_check(&mut self.store, &self.buffer).await.unwrap();
        assert_eq!(answer, Ok(1));
    }

    /// Every attribute of a bag, by name.
    pub(crate) async fn all(&mut self, bag: &Bag) {
        let headers = bag.headers();
        let lines: Vec<_> = headers.iter().collect();
        let value = |slot| match bag.get(slot)? {
            Held::String(text) => Some(Value::Text(text)),
            Held::Int(number) => Some(Value::Int(number)),
            Held::Bool(truth) => Some(Value::Boolean(truth)),
            Held::Timestamp(nanos) => Some(Value::Timestamp(nanos)),
            Held::Duration(nanos) => Some(Value::Duration(nanos)),
            Held::Map(_) | Held::ListMap(_) | Held::Struct(_) => Some(Value::Pairs(&lines)),
        };
        let attributes: Vec<_> = request::ATTRIBUTES
            .iter()
            .filter_map(|slot| Some(Attribute { name: slot.attribute().name, value: value(*slot)? }))
            .collect();
        assert_eq!(attributes.len(), 28, "two of the thirty are absent from this request");
        self.store.set_epoch_deadline(1);
        let answer = self.flat.call_all(&mut self.store, &attributes).await.unwrap();
        assert_eq!(answer, Ok(1));
    }

    /// Three values of each bag, row by row.
    pub(crate) async fn rows(&mut self, bags: &[Bag]) {
        let value = |value: Option<Held<'_>>| match value {
            Some(Held::Int(number)) => Some(Value::Int(number)),
            _ => None,
        };
        let rows: Vec<[Option<Value<'_>>; 3]> = bags
            .iter()
            .map(|bag| {
                let method = bag.str(slot::REQUEST_METHOD).map(Value::Text);
                [method, value(bag.get(slot::RESPONSE_CODE)), value(bag.get(slot::RESPONSE_SIZE))]
            })
            .collect();
        let rows: Vec<&[Option<Value<'_>>]> = rows.iter().map(|row| &row[..]).collect();
        self.store.set_epoch_deadline(1);
        self.flat.call_rows(&mut self.store, &rows).await.unwrap().unwrap();
    }
}
