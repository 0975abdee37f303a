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
                import weir:plugin/log@0.1.0;
                export weir:plugin/lifecycle@0.1.0;
            }
        ",
        world: "weir:sdk/life",
        generate_all,
        pub_export_macro: true,
        export_macro_name: "export_lifecycle",
        default_bindings_module: "weir_sdk::__rt::life",
        additional_derives: [PartialEq, Clone],
    });
}

pub mod check {
    wit_bindgen::generate!({
        path: "../wit",
        inline: "
            package weir:sdk;
            world checks {
                export weir:plugin/check@0.1.0;
            }
        ",
        world: "weir:sdk/checks",
        generate_all,
        pub_export_macro: true,
        export_macro_name: "export_check",
        default_bindings_module: "weir_sdk::__rt::check_world",
        additional_derives: [PartialEq, Clone],
        with: { "weir:plugin/types@0.1.0": crate::bindings::life::weir::plugin::types },
    });
}

pub mod report {
    wit_bindgen::generate!({
        path: "../wit",
        inline: "
            package weir:sdk;
            world reports {
                import weir:plugin/records@0.1.0;
                import weir:plugin/metrics@0.1.0;
                import weir:plugin/spans@0.1.0;
                export weir:plugin/report@0.1.0;
            }
        ",
        world: "weir:sdk/reports",
        generate_all,
        pub_export_macro: true,
        export_macro_name: "export_report",
        default_bindings_module: "weir_sdk::__rt::report_world",
        additional_derives: [PartialEq, Clone],
        with: { "weir:plugin/types@0.1.0": crate::bindings::life::weir::plugin::types },
    });
}
