//! What is no plugin is refused, and the error says where to look.

use bytes::Bytes;
use serde_json::Value as Json;
use weir_adapters::{AdapterSpec, Error, Limits};

use crate::guests::{host, spec, wasm};

async fn refused(bytes: impl Into<Bytes>) -> Error {
    let spec = AdapterSpec { wasm: bytes.into(), origin: "x.wasm".into(), ..spec("misbehave", Json::Null) };
    host().load("test-misbehave", spec).await.expect_err("it was loaded")
}

fn component(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

/// A component with that manifest and these imports and exports.
fn with_manifest(manifest: &str, rest: &str) -> Vec<u8> {
    component(&format!("(component (@custom \"weir:manifest\" {manifest:?}) {rest})"))
}

/// Exports of the right names, which is as far as it is looked before the manifest.
const EXPORTS: &str = r#"(instance $i) (export "weir:plugin/lifecycle@1.0.0" (instance $i)) (export "weir:plugin/check@1.0.0" (instance $i))"#;

const CHECK: &str = r#"{"format":1,"name":"a/b","version":"1","world":"check","inputs":[],"config_schema":true}"#;

#[tokio::test]
async fn each_kind_of_wrong_file_has_its_own_error() {
    let manifest =
        |inputs: &str| with_manifest(&CHECK.replace("\"inputs\":[]", &format!("\"inputs\":[{inputs}]")), EXPORTS);
    let input = |name: &str, ty: &str| manifest(&format!(r#"{{"attribute":"{name}","type":"{ty}","optional":true}}"#));
    let asks = |more: &str| with_manifest(&CHECK.replace("\"inputs\"", &format!("{more},\"inputs\"")), EXPORTS);
    let outputs = |name: &str| {
        let output =
            format!(r#""outputs":[{{"attribute":"{name}","key":null,"type":"string","optional":true}}],"inputs""#);
        with_manifest(&CHECK.replace("\"inputs\"", &output).replace("check", "enrich"), EXPORTS)
    };
    let import = |name: &str| with_manifest(CHECK, &format!("(import \"{name}\" (instance))"));
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (b"".to_vec(), "at offset 0x0 found nothing: the file is empty"),
        (b"(module)".to_vec(), "at offset 0x0 found text"),
        (b"\x7fELF\x02\x01\x01\x00".to_vec(), "found the bytes [7f, 45, 4c, 46, 02, 01, 01, 00]"),
        (wat::parse_str("(module)").unwrap(), "a core module, not a component (offset 0x4)"),
        (b"\0asm".to_vec(), "(at offset 0x4)"),
        (b"\0asm\x63\0\x01\0".to_vec(), "(at offset 0x"),
        (component("(component)"), "no section weir:manifest"),
        (with_manifest("not json", ""), "section weir:manifest: expected ident at line 1"),
        (with_manifest(&CHECK.replace("a/b", "ab"), ""), "name \"ab\" is not of the form publisher/name"),
        (with_manifest(&CHECK.replace(":1,", ":2,"), ""), "format 2 is newer than this host"),
        (input("request.methods", "string"), "input \"request.methods\" is not in the vocabulary"),
        (input("request.method", "int"), "input \"request.method\" is of type string, not int"),
        (input("response.code", "int"), "input \"response.code\" is known only when the request is reported"),
        (import("wasi:imaginary/thing@9.9.9"), "export weir:plugin/lifecycle is missing"),
        (import("acme:db/query@1.0.0"), "import acme:db/query@1.0.0: unknown to this host"),
        (import("weir:plugin/log@2.0.0"), "import weir:plugin/log@2.0.0: this host speaks weir:plugin@1"),
        (import("weir:plugin/log@0.1.0"), "import weir:plugin/log@0.1.0: this host speaks weir:plugin@1"),
        (import("weir:plugin/files@1.0.0"), "import weir:plugin/files@1.0.0: this host's weir:plugin@1 has no such"),
        (asks(r#""needs":{"memory_mib":17}"#), "the plugin needs 17 MiB of memory; raise spec.limits.memoryMiB"),
        (asks(r#""needs":{"timeout_ms":99999}"#), "needs 99999 ms for a call; raise spec.limits.timeoutMs"),
        (asks(r#""capabilities":{"http_out":["a"]}"#), "asks for httpOut a, which is not granted"),
        (asks(r#""capabilities":{"files":true}"#), "section weir:manifest: unknown field `files`"),
        (asks(r#""capabilities":{"attributes":["a.b"]}"#), "attribute \"a.b\" is not in the vocabulary"),
        (outputs("source.principal"), "output \"source.principal\" cannot be found out by a plugin"),
        (with_manifest(CHECK, ""), "found no exported interface"),
    ];
    for (bytes, expected) in cases {
        let error = refused(bytes).await.to_string();
        let named = error.starts_with("x.wasm: ") || error.starts_with("adapter test-misbehave: ");
        assert!(named && error.contains(expected), "wanted {expected:?} in {error:?}");
    }
}

#[tokio::test]
async fn the_manifest_and_the_exports_must_be_of_one_world() {
    let mut bytes = wasm("deny-list").to_vec();
    let at = bytes.windows(15).position(|window| window == b"\"world\":\"check\"").unwrap();
    let len = bytes.len();
    // Same length: the section's size stays right.
    bytes[at..at + 15].copy_from_slice(b"\"world\":\"repor\"");
    let error = refused(bytes).await.to_string();
    assert!(error.contains("section weir:manifest: unknown variant `repor`"), "{len} {error}");
}

#[tokio::test]
async fn exports_of_the_right_name_and_the_wrong_type_are_refused() {
    let bytes = with_manifest(
        CHECK,
        r#"(instance $i) (export "weir:plugin/lifecycle@1.0.0" (instance $i)) (export "weir:plugin/check@1.0.0" (instance $i))"#,
    );
    let error = refused(bytes).await.to_string();
    assert!(error.contains("weir:plugin"), "{error}");
}

#[tokio::test]
async fn limits_that_make_no_sense_are_refused() {
    let spec = AdapterSpec { limits: Limits { instances: 0, ..Limits::default() }, ..spec("misbehave", Json::Null) };
    let error = host().load("test-misbehave", spec).await.unwrap_err().to_string();
    assert_eq!(error, "adapter test-misbehave: limits.instances must be at least 1");
}

/// A small generator with a fixed beginning: the same files in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

fn damaged(good: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = good.to_vec();
    match random.below(5) {
        // Cut off somewhere, but after the header.
        0 => bytes.truncate(8 + random.below(good.len() - 9)),
        // A section's length or kind, near the beginning.
        1 => bytes[8 + random.below(64)] ^= 1 + random.below(255) as u8,
        // Noise over a stretch.
        2 => {
            let at = random.below(good.len() - 64);
            bytes[at..at + 64].iter_mut().for_each(|byte| *byte = random.below(256) as u8);
        }
        // A stretch is missing.
        3 => {
            let at = 8 + random.below(good.len() - 80);
            bytes.drain(at..at + 1 + random.below(64));
        }
        // Nothing but noise behind the header.
        _ => bytes[8..].iter_mut().for_each(|byte| *byte = random.below(256) as u8),
    }
    bytes
}

#[tokio::test]
async fn two_hundred_damaged_files_are_refused_with_an_offset_an_import_or_a_section() {
    let (good, host) = (wasm("misbehave"), host());
    let (mut random, mut refused, mut tried) = (Random(0x5eed_0001), 0, 0);
    while refused < 200 {
        tried += 1;
        assert!(tried < 2000, "only {refused} of {tried} were refused");
        let bytes = damaged(&good, &mut random);
        // Noise in the code may well be code, and a hole in a name section hurts nobody: those are not damaged.
        let Err(error) = weir_adapters::inspect(&bytes, "x.wasm") else { continue };
        refused += 1;
        let text = error.to_string();
        let located = ["offset 0x", "import ", "section ", "export "].iter().any(|place| text.contains(place));
        assert!(text.starts_with("x.wasm: ") && located, "file {tried}: {text}");
        let spec = AdapterSpec { wasm: bytes.into(), ..spec("misbehave", Json::Null) };
        assert!(
            host.load("test-misbehave", spec).await.is_err(),
            "file {tried} was refused by inspect and loaded all the same"
        );
    }
}
