//! Generated from `sdk/wit`, one module for each world; what both share is generated once.

pub mod check {
    wasmtime::component::bindgen!({
        path: "../../sdk/wit",
        world: "weir:plugin/check-plugin",
        exports: { default: async },
        ownership: Borrowing { duplicate_if_necessary: true },
        require_store_data_send: true,
    });
}

pub mod report {
    wasmtime::component::bindgen!({
        path: "../../sdk/wit",
        world: "weir:plugin/report-plugin",
        exports: { default: async },
        ownership: Borrowing { duplicate_if_necessary: true },
        require_store_data_send: true,
        with: {
            "weir:plugin/types": super::check::weir::plugin::types,
            "weir:plugin/log": super::check::weir::plugin::log,
        },
    });
}
