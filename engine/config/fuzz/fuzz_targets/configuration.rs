//! Any text as a configuration: it is compiled, or every complaint has a place in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_config_fuzz::{compiled, on_a_small_stack};

fn run(text: &str) {
    match compiled(&[("fuzz.yaml", text)], None) {
        Ok(set) => {
            assert!(compiled(&[("fuzz.yaml", text)], Some(&set)).is_ok(), "good once, good again");
        }
        Err(diagnostics) => {
            assert!(!diagnostics.is_empty());
            assert!(!diagnostics.to_string().is_empty());
            for diagnostic in diagnostics.iter() {
                let place = &diagnostic.place;
                assert!(!diagnostic.message.is_empty() && place.line <= text.lines().count() + 1, "{diagnostic:?}");
            }
        }
    }
}

fuzz_target!(|text: &str| on_a_small_stack(|| run(text)));
