//! Generated from `sdk/wit`.
//!
//! The worlds share the interface `lifecycle`, and its export macro can exist only once in a crate:
//! so each world is generated in two parts, and the linker joins what a plugin uses of them.

pub mod life {
    wit_bindgen::generate!({
        path: "../wit",
        inline: "
            package weir:sdk;
            world life {
                include weir:plugin/host@1.0.0;
                import weir:plugin/attributes@1.0.0;
                export weir:plugin/lifecycle@1.0.0;
            }
        ",
        world: "weir:sdk/life",
        generate_all,
        pub_export_macro: true,
        export_macro_name: "export_lifecycle",
        default_bindings_module: "weir::__rt::life",
        additional_derives: [PartialEq, Clone],
    });
}

pub mod check {
    wit_bindgen::generate!({
        path: "../wit",
        inline: "
            package weir:sdk;
            world checks {
                export weir:plugin/check@1.0.0;
            }
        ",
        world: "weir:sdk/checks",
        generate_all,
        pub_export_macro: true,
        export_macro_name: "export_check",
        default_bindings_module: "weir::__rt::check_world",
        additional_derives: [PartialEq, Clone],
        with: {
            "weir:plugin/types@1.0.0": crate::bindings::life::weir::plugin::types,
            "weir:plugin/attributes@1.0.0": crate::bindings::life::weir::plugin::attributes,
        },
    });
}

pub mod enrich {
    wit_bindgen::generate!({
        path: "../wit",
        inline: "
            package weir:sdk;
            world enriches {
                export weir:plugin/enrich@1.0.0;
            }
        ",
        world: "weir:sdk/enriches",
        generate_all,
        pub_export_macro: true,
        export_macro_name: "export_enrich",
        default_bindings_module: "weir::__rt::enrich_world",
        additional_derives: [PartialEq, Clone],
        with: {
            "weir:plugin/types@1.0.0": crate::bindings::life::weir::plugin::types,
            "weir:plugin/attributes@1.0.0": crate::bindings::life::weir::plugin::attributes,
        },
    });
}

pub mod report {
    wit_bindgen::generate!({
        path: "../wit",
        inline: "
            package weir:sdk;
            world reports {
                export weir:plugin/report@1.0.0;
            }
        ",
        world: "weir:sdk/reports",
        generate_all,
        pub_export_macro: true,
        export_macro_name: "export_report",
        default_bindings_module: "weir::__rt::report_world",
        additional_derives: [PartialEq, Clone],
        with: { "weir:plugin/types@1.0.0": crate::bindings::life::weir::plugin::types },
    });
}
