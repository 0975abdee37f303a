//! `weir:plugin@1`: every import and every export of every world; an instance is asked only for those of its own.

wasmtime::component::bindgen!({
    path: "../../sdk/wit",
    inline: "
        package weir:engine;
        world everything {
            include weir:plugin/host@1.0.0;
            import weir:plugin/attributes@1.0.0;
            export weir:plugin/lifecycle@1.0.0;
            export weir:plugin/check@1.0.0;
            export weir:plugin/enrich@1.0.0;
            export weir:plugin/report@1.0.0;
        }
    ",
    world: "weir:engine/everything",
    imports: { "weir:plugin/http-out@1.0.0.send": async },
    exports: { default: async },
    ownership: Borrowing { duplicate_if_necessary: true },
    require_store_data_send: true,
    with: { "weir:plugin/attributes.bag": crate::guest::Request },
});
