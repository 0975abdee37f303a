//! Every reader of untrusted text or bytes: expressions without types, types, messages, Mixer's language.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_cel::{Env, Type, Value, cexl};
use weir_cel_fuzz::{are_in_place, on_a_small_stack};

const MESSAGES: [&str; 6] = ["Value", "Struct", "ListValue", "Any", "Timestamp", "StringValue"];

fuzz_target!(|data: &[u8]| on_a_small_stack(|| {
    for message in MESSAGES {
        if let Ok(value) = Value::from_message(&format!("google.protobuf.{message}"), data) {
            assert!(!value.to_string().is_empty());
        }
    }
    let source = &*String::from_utf8_lossy(data);
    match Env::builder().lenient().build().compile(source) {
        Ok(program) => assert_eq!(program.source(), source),
        Err(errors) => are_in_place(&errors, source),
    }
    let _ = source.parse::<Type>().map(|ty| ty.to_string()).map_err(|errors| are_in_place(&errors, source));
    let env = cexl::Env::builder().attribute("a", cexl::Type::String).attribute("b.c", cexl::Type::Int64).build();
    match env.compile(source) {
        Ok(program) => drop(program.evaluate(&cexl::Values::of(&env), &mut weir_cel::Scratch::new()).is_ok()),
        Err(errors) => are_in_place(&errors, source),
    }
}));
