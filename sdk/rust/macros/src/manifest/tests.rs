#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;

const PLUGIN: &str = "[plugin]\nname = \"a/b\"\nversion = \"1.2.3\"\nworld = \"check\"\n";

fn read(text: &str) -> Result<Manifest, String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("weir-plugin.toml"), text).unwrap();
    std::fs::write(folder.path().join("schema.json"), "{\"type\": \"object\"}").unwrap();
    std::fs::write(folder.path().join("broken.json"), "{").unwrap();
    Manifest::read(folder.path(), "weir-plugin.toml", World::Check)
}

#[test]
fn inputs_keep_the_order_of_the_manifest() {
    let text = format!(
        "{PLUGIN}[inputs]\n\"request.path\" = \"string\"\n\"request.headers[x-a]\" = \"string?\"\n\
         \"connection.mtls\" = \"bool?\"\n[config]\nschema = \"schema.json\"\n"
    );
    let manifest = read(&text).unwrap();
    let json: Json = serde_json::from_str(&manifest.json).unwrap();
    assert_eq!(
        json["inputs"],
        json!([
            {"attribute": "request.path", "key": null, "type": "string", "optional": false},
            {"attribute": "request.headers", "key": "x-a", "type": "string", "optional": true},
            {"attribute": "connection.mtls", "key": null, "type": "bool", "optional": true},
        ])
    );
    assert_eq!(json["config_schema"], json!({"type": "object"}));
    assert_eq!(manifest.files.len(), 2);
}

#[test]
fn a_plugin_without_a_schema_takes_no_configuration() {
    let json: Json = serde_json::from_str(&read(&format!("{PLUGIN}[inputs]\n")).unwrap().json).unwrap();
    assert_eq!(json["config_schema"], json!({"type": "object", "additionalProperties": false}));
}

#[test]
fn every_mistake_is_named_where_it_is() {
    let cases = [
        (PLUGIN.to_owned(), "the table [inputs] is missing"),
        (PLUGIN.replace("check", "report") + "[inputs]\n", "write world = \"check\""),
        (PLUGIN.replace("name", "nome") + "[inputs]\n", "unknown key \"nome\"; known here: name"),
        (PLUGIN.replace("1.2.3", "") + "[inputs]\n", "the text version = \"...\" is missing"),
        (format!("{PLUGIN}[inputs]\n\"a.b\" = 1\n"), "\"a.b\" must be a type in quotes"),
        (
            format!("{PLUGIN}[inputs]\n\"a.b\" = \"text\"\n"),
            "\"a.b\" has the unknown type \"text\"; the types are string",
        ),
        (format!("{PLUGIN}[inputs]\n\"a.b[c]\" = \"map\"\n"), "\"a.b[c]\" is one entry of a map"),
        (format!("{PLUGIN}[inputs]\n[config]\nschema = \"none.json\"\n"), "schema: cannot read none.json"),
        (format!("{PLUGIN}[inputs]\n[config]\nschema = \"broken.json\"\n"), "broken.json: EOF while parsing"),
        ("[plugin\n".to_owned(), "weir-plugin.toml: TOML parse error at line 1"),
    ];
    for (text, expected) in cases {
        let error = read(&text).err().unwrap_or_default();
        assert!(error.contains(expected), "wanted {expected:?} in {error:?}");
    }
}
