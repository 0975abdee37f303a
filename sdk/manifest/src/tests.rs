#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use serde_json::json;

use super::*;

const PLUGIN: &str = "[plugin]\nname = \"a/b\"\nversion = \"1.2.3\"\nworld = \"check\"\n";

fn read(text: &str) -> Result<(Manifest, Sources), String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("weir-plugin.toml"), text).unwrap();
    std::fs::write(folder.path().join("schema.json"), "{\"type\": \"object\"}").unwrap();
    std::fs::write(folder.path().join("broken.json"), "{").unwrap();
    Manifest::read(folder.path(), "weir-plugin.toml")
}

#[test]
fn inputs_keep_the_order_of_the_manifest() {
    let text = format!(
        "{PLUGIN}[inputs]\n\"request.path\" = \"string\"\n\"request.headers[x-a]\" = \"string?\"\n\
         \"connection.mtls\" = \"bool?\"\n[config]\nschema = \"schema.json\"\n"
    );
    let (manifest, sources) = read(&text).unwrap();
    let json: Json = serde_json::from_str(&manifest.to_json()).unwrap();
    assert_eq!(
        json["inputs"],
        json!([
            {"attribute": "request.path", "key": null, "type": "string", "optional": false},
            {"attribute": "request.headers", "key": "x-a", "type": "string", "optional": true},
            {"attribute": "connection.mtls", "key": null, "type": "bool", "optional": true},
        ])
    );
    assert_eq!(json["config_schema"], json!({"type": "object"}));
    assert_eq!(sources.len(), 2);
}

#[test]
fn what_was_read_from_toml_is_what_the_host_reads() {
    let text = format!(
        "{}tick-ms = 500\n[inputs]\n\"*\" = \"any?\"\n[outputs]\n\"metadata[a.b]\" = \"string?\"\n\
         [capabilities]\nlog = true\nkv = [\"s\"]\nhttp-out = [\"u\"]\nattributes = [\"request.headers\"]\n\
         [needs]\nmemory-mib = 64\n",
        PLUGIN.replace("check", "enrich")
    );
    let (manifest, _) = read(&text).unwrap();
    assert!(manifest.more_inputs && manifest.capabilities.log);
    assert_eq!((manifest.tick_ms, manifest.needs.memory_mib), (Some(500), Some(64)));
    assert_eq!(manifest.capabilities.http_out, ["u"]);
    assert_eq!(Manifest::from_json(manifest.to_json().as_bytes()).unwrap(), manifest);
}

#[test]
fn a_plugin_without_a_schema_takes_no_configuration() {
    let (manifest, _) = read(&format!("{PLUGIN}[inputs]\n")).unwrap();
    assert_eq!(manifest.config_schema, json!({"type": "object", "additionalProperties": false}));
}

#[test]
fn every_mistake_is_named_where_it_is() {
    let cases = [
        (PLUGIN.to_owned(), "the table [inputs] is missing"),
        (PLUGIN.replace("check", "checks") + "[inputs]\n", "world is \"checks\"; write \"check\""),
        (PLUGIN.replace("name", "nome") + "[inputs]\n", "unknown key \"nome\"; known here: name"),
        (PLUGIN.replace("1.2.3", "") + "[inputs]\n", "the text version = \"...\" is missing"),
        (PLUGIN.replace("a/b", "ab") + "[inputs]\n", "name \"ab\" is not of the form publisher/name"),
        (format!("{PLUGIN}[inputs]\n\"a.b\" = 1\n"), "\"a.b\" must be a type in quotes"),
        (
            format!("{PLUGIN}[inputs]\n\"a.b\" = \"text\"\n"),
            "\"a.b\" has the unknown type \"text\"; the types are string",
        ),
        (format!("{PLUGIN}[inputs]\n\"a.b[c]\" = \"map\"\n"), "\"a.b[c]\" is one entry of a map"),
        (format!("{PLUGIN}[inputs]\n\"*\" = \"string\"\n"), "[inputs] \"*\" can only be \"any?\""),
        (format!("{PLUGIN}[inputs]\n[outputs]\n\"a\" = \"int\"\n"), "only enrich plugins have [outputs]"),
        (PLUGIN.replace("check", "enrich") + "[inputs]\n", "an enrich plugin needs [outputs]"),
        (format!("{PLUGIN}tick-ms = 0\n[inputs]\n"), "tick-ms = 0 would never pause"),
        (format!("{PLUGIN}[inputs]\n[capabilities]\nfiles = true\n"), "unknown key \"files\"; known here: log"),
        (format!("{PLUGIN}[inputs]\n[capabilities]\nkv = true\n"), "kv must be a list of names"),
        (format!("{PLUGIN}[inputs]\n[needs]\nmemory-mib = -1\n"), "memory-mib must be a whole number"),
        (format!("{PLUGIN}[inputs]\n[config]\nschema = \"none.json\"\n"), "schema: cannot read none.json"),
        (format!("{PLUGIN}[inputs]\n[config]\nschema = \"broken.json\"\n"), "broken.json: EOF while parsing"),
        ("[plugin\n".to_owned(), "weir-plugin.toml: TOML parse error at line 1"),
    ];
    for (text, expected) in cases {
        let error = read(&text).err().unwrap_or_default();
        assert!(error.contains(expected), "wanted {expected:?} in {error:?}");
    }
}

#[test]
fn the_host_refuses_a_capability_that_it_does_not_know() {
    let json = r#"{"format":1,"name":"a/b","version":"1","world":"check","inputs":[],"config_schema":true,"later":1"#;
    assert!(Manifest::from_json(format!("{json}}}").as_bytes()).is_ok());
    let error = Manifest::from_json(format!("{json},\"capabilities\":{{\"quota\":true}}}}").as_bytes()).unwrap_err();
    assert!(error.contains("unknown field `quota`"), "{error}");
}
