//! What a module exports, and calls to it.

use wasmtime::{ExternType, Instance, Module, Store, TypedFunc};

use crate::AbiVersion;
use crate::guest::Guest;

/// What the exports of a module say, without running it.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) abi: AbiVersion,
    pub(crate) request_body: bool,
    pub(crate) response_body: bool,
    pub(crate) request_trailers: bool,
    pub(crate) response_trailers: bool,
}

impl Shape {
    /// # Errors
    /// What is missing, or there too much.
    pub(crate) fn of(module: &Module) -> Result<Self, String> {
        let mut versions = module.exports().filter_map(|export| AbiVersion::of_export(export.name()));
        let abi = versions.next().ok_or("exports no proxy_abi_version_* that is known")?;
        if versions.next().is_some() {
            return Err("exports more than one proxy_abi_version_*".to_owned());
        }
        let is_function = |name: &str| matches!(module.get_export(name), Some(ExternType::Func(_)));
        if !["malloc", "proxy_on_memory_allocate"].into_iter().any(is_function) {
            return Err("exports neither malloc nor proxy_on_memory_allocate".to_owned());
        }
        if !matches!(module.get_export("memory"), Some(ExternType::Memory(_))) {
            return Err("exports no memory".to_owned());
        }
        Ok(Self {
            abi,
            request_body: is_function("proxy_on_request_body"),
            response_body: is_function("proxy_on_response_body"),
            request_trailers: is_function("proxy_on_request_trailers"),
            response_trailers: is_function("proxy_on_response_trailers"),
        })
    }
}

type One = Option<TypedFunc<u32, ()>>;
type Asks<P> = Option<TypedFunc<P, u32>>;

type CallResponse = TypedFunc<(u32, u32, u32, u32, u32), ()>;

/// The functions of one instance. What a module does not export, or with other types, it is not asked.
pub(crate) struct Exports {
    pub(crate) context_create: Option<TypedFunc<(u32, u32), ()>>,
    pub(crate) vm_start: Asks<(u32, u32)>,
    pub(crate) configure: Asks<(u32, u32)>,
    pub(crate) tick: One,
    pub(crate) queue_ready: Option<TypedFunc<(u32, u32), ()>>,
    pub(crate) request_headers: HeadersCallback,
    pub(crate) response_headers: HeadersCallback,
    pub(crate) request_body: Asks<(u32, u32, u32)>,
    pub(crate) response_body: Asks<(u32, u32, u32)>,
    pub(crate) request_trailers: Asks<(u32, u32)>,
    pub(crate) response_trailers: Asks<(u32, u32)>,
    pub(crate) call_response: Option<CallResponse>,
    pub(crate) done: Asks<u32>,
    pub(crate) log: One,
    pub(crate) delete: One,
}

/// A header callback: with `end_of_stream` since 0.2.0.
pub(crate) enum HeadersCallback {
    None,
    Short(TypedFunc<(u32, u32), u32>),
    Long(TypedFunc<(u32, u32, u32), u32>),
}

impl Exports {
    pub(crate) fn of(instance: &Instance, store: &mut Store<Guest>, abi: AbiVersion) -> Self {
        macro_rules! export {
            ($name:literal) => {
                instance.get_typed_func(&mut *store, $name).ok()
            };
        }
        let mut headers = |name: &str| match abi {
            AbiVersion::V0_1_0 => {
                instance.get_typed_func(&mut *store, name).map_or(HeadersCallback::None, HeadersCallback::Short)
            }
            _ => instance.get_typed_func(&mut *store, name).map_or(HeadersCallback::None, HeadersCallback::Long),
        };
        let request_headers = headers("proxy_on_request_headers");
        let response_headers = headers("proxy_on_response_headers");
        Self {
            context_create: export!("proxy_on_context_create"),
            vm_start: export!("proxy_on_vm_start"),
            configure: export!("proxy_on_configure"),
            tick: export!("proxy_on_tick"),
            queue_ready: export!("proxy_on_queue_ready"),
            request_headers,
            response_headers,
            request_body: export!("proxy_on_request_body"),
            response_body: export!("proxy_on_response_body"),
            request_trailers: export!("proxy_on_request_trailers"),
            response_trailers: export!("proxy_on_response_trailers"),
            call_response: export!("proxy_on_http_call_response"),
            done: export!("proxy_on_done"),
            log: export!("proxy_on_log"),
            delete: export!("proxy_on_delete"),
        }
    }
}
