//! plugin.h: typed inputs from the manifest, and the exports of the component around the author's functions.

use std::fmt::Write as _;

use weir_manifest::{Input, Manifest, Type, World};

use crate::plugin::project::ident;

/// The header that a plugin in C includes.
pub(super) fn header(manifest: &Manifest) -> String {
    let mut text = format!(
        "/* Written by `weir plugin build` from weir-plugin.toml: do not edit. {} {} */\n#ifndef PLUGIN_H\n#define PLUGIN_H\n#include \"weir.h\"\n\n",
        manifest.name, manifest.version
    );
    text.push_str("/* What the manifest asks for, of one request. */\ntypedef struct {\n");
    manifest.inputs.iter().for_each(|input| field(&mut text, input));
    text.push_str("    const weir_opt_value *bound; /* what the operator bound beyond these, as weir_bindings */\n} weir_inputs;\n\n");
    if manifest.world == World::Enrich {
        text.push_str("/* What the manifest promises to find out. */\ntypedef struct {\n");
        manifest.outputs.iter().for_each(|output| field(&mut text, output));
        text.push_str("} weir_outputs;\n\n");
    }
    text.push_str("/* The plugin: write these. */\nweir_failure weir_configure(weir_text config);\n");
    text.push_str(match manifest.world {
        World::Check => {
            "weir_failure weir_check(const weir_inputs *inputs, weir_bag request, weir_verdict *verdict);\n"
        }
        World::Enrich => {
            "weir_failure weir_enrich(const weir_inputs *inputs, weir_bag request, weir_outputs *outputs);\n"
        }
        World::Report => "weir_failure weir_report(const weir_batch *batch);\n",
    });
    text.push_str("/* And these if they are needed. */\n");
    for function in ["self_test", "tick", "drain"] {
        let _ = writeln!(text, "weir_failure weir_{function}(void) __attribute__((weak));");
    }
    text.push_str("\nstatic inline weir_inputs weir_read(const weir_opt_value *v) {\n    weir_inputs in = {0};\n");
    for (at, input) in manifest.inputs.iter().enumerate() {
        let (name, member) = (ident(input), member(input.ty));
        let _ = match input.optional {
            true => writeln!(text, "    in.{name}.there = v[{at}].there; in.{name}.of = v[{at}].of.{member};"),
            false => writeln!(text, "    in.{name} = v[{at}].of.{member};"),
        };
    }
    let count = manifest.inputs.len();
    let _ = writeln!(text, "    in.bound = v + {count};\n    return in;\n}}\n");
    text.push_str(match manifest.world {
        World::Report => ROWS,
        _ => "",
    });
    text.push_str(LIFE);
    match manifest.world {
        World::Check => text.push_str(CHECK),
        World::Enrich => {
            text.push_str(ENRICH);
            let _ = writeln!(text, "    weir_opt_value *found = weir_new(weir_opt_value, {});", manifest.outputs.len());
            for (at, output) in manifest.outputs.iter().enumerate() {
                let (name, member, kind) = (ident(output), member(output.ty), kind(output.ty));
                let (there, of) = match output.optional {
                    true => (format!("out.{name}.there"), format!("out.{name}.of")),
                    false => ("true".to_owned(), format!("out.{name}")),
                };
                let _ =
                    writeln!(text, "    found[{at}] = (weir_opt_value){{{there}, {{{kind}, {{.{member} = {of}}}}}}};");
            }
            let _ = writeln!(
                text,
                "    weir_answer.found.at = found; weir_answer.found.count = {};",
                manifest.outputs.len()
            );
            text.push_str("    return &weir_answer;\n}\n#endif\n");
        }
        World::Report => text.push_str(REPORT),
    }
    text.push_str("#endif\n");
    text
}

fn field(text: &mut String, input: &Input) {
    let (name, ty) = (ident(input), c_type(input.ty, input.optional));
    let _ = writeln!(text, "    {ty} {name}; /* {input} */");
}

fn c_type(ty: Type, optional: bool) -> &'static str {
    match (ty, optional) {
        (Type::String, false) => "weir_text",
        (Type::String, true) => "weir_opt_text",
        (Type::Int | Type::Timestamp | Type::Duration, false) => "int64_t",
        (Type::Int | Type::Timestamp | Type::Duration, true) => "weir_opt_int",
        (Type::Double, false) => "double",
        (Type::Double, true) => "weir_opt_double",
        (Type::Bool, false) => "bool",
        (Type::Bool, true) => "weir_opt_bool",
        (Type::Bytes, false) => "weir_bytes",
        (Type::Bytes, true) => "weir_opt_bytes",
        (Type::Map | Type::ListMap | Type::Struct, false) => "weir_pairs",
        (Type::Map | Type::ListMap | Type::Struct, true) => "weir_opt_pairs",
        (Type::List, false) => "weir_texts",
        (Type::List, true) => "weir_opt_texts",
    }
}

fn member(ty: Type) -> &'static str {
    match ty {
        Type::String => "text",
        Type::Int | Type::Timestamp | Type::Duration => "integer",
        Type::Double => "number",
        Type::Bool => "boolean",
        Type::Bytes => "bytes",
        Type::Map | Type::ListMap | Type::Struct => "pairs",
        Type::List => "texts",
    }
}

fn kind(ty: Type) -> &'static str {
    match ty {
        Type::String => "WEIR_TEXT",
        Type::Int => "WEIR_INT",
        Type::Double => "WEIR_DOUBLE",
        Type::Bool => "WEIR_BOOL",
        Type::Bytes => "WEIR_BYTES",
        Type::Timestamp => "WEIR_TIMESTAMP",
        Type::Duration => "WEIR_DURATION",
        Type::Map | Type::ListMap | Type::Struct => "WEIR_PAIRS",
        Type::List => "WEIR_TEXTS",
    }
}

const ROWS: &str = "/* One row of a batch. */
static inline weir_inputs weir_row(const weir_batch *batch, uint32_t row) {
    weir_opt_value *v = weir_new(weir_opt_value, batch->column_count);
    for (size_t i = 0; i < batch->column_count; i++) v[i] = weir_cell(batch, i, row);
    return weir_read(v);
}

";

/// Only the file of the plugin itself has the exports, others include the header too.
const LIFE: &str = r#"#ifndef PLUGIN_PART
void weir_keep(void);
void weir_forget(void);
const weir_binding *weir_bindings;
size_t weir_binding_count;
typedef struct { bool failed; weir_failure failure; } weir_ended;
static weir_ended weir_answer_of(weir_failure failure) { weir_ended e = {failure.kind != 0, failure}; e.failure.kind--; return e; }
#define WEIR_EXPORT(interface, name) __attribute__((export_name("weir:plugin/" interface "@1.0.0#" name), used))
#define WEIR_AFTER(interface, name) __attribute__((export_name("cabi_post_weir:plugin/" interface "@1.0.0#" name), used))
static weir_ended weir_lived;
WEIR_EXPORT("lifecycle", "configure") weir_ended *weir_export_configure(const char *at, size_t count, const weir_binding *bindings, size_t bound) {
    weir_bindings = bindings; weir_binding_count = bound;
    weir_lived = weir_answer_of(weir_configure((weir_text){at, count}));
    weir_keep();
    return &weir_lived;
}
WEIR_EXPORT("lifecycle", "self-test") weir_ended *weir_export_self_test(void) { weir_lived = weir_answer_of(weir_self_test ? weir_self_test() : WEIR_OK); return &weir_lived; }
WEIR_EXPORT("lifecycle", "tick") weir_ended *weir_export_tick(void) { weir_lived = weir_answer_of(weir_tick ? weir_tick() : WEIR_OK); return &weir_lived; }
WEIR_EXPORT("lifecycle", "drain") weir_ended *weir_export_drain(void) { weir_lived = weir_answer_of(weir_drain ? weir_drain() : WEIR_OK); return &weir_lived; }
WEIR_AFTER("lifecycle", "self-test") void weir_after_self_test(void *answer) { (void)answer; weir_forget(); }
WEIR_AFTER("lifecycle", "tick") void weir_after_tick(void *answer) { (void)answer; weir_forget(); }
WEIR_AFTER("lifecycle", "drain") void weir_after_drain(void *answer) { (void)answer; weir_forget(); }
"#;

const CHECK: &str = r#"__attribute__((import_module("weir:plugin/attributes@1.0.0"), import_name("[resource-drop]bag"))) void weir_drop_bag(weir_bag);
static struct { bool failed; union { weir_verdict verdict; weir_failure failure; }; } weir_answer;
WEIR_EXPORT("check", "check") void *weir_export_check(const weir_opt_value *values, size_t count, weir_bag request) {
    (void)count;
    weir_inputs in = weir_read(values);
    weir_verdict verdict = {0};
    weir_failure failure = weir_check(&in, request, &verdict);
    weir_drop_bag(request);
    weir_answer.failed = failure.kind != 0;
    if (weir_answer.failed) { weir_answer.failure = failure; weir_answer.failure.kind--; } else weir_answer.verdict = verdict;
    return &weir_answer;
}
WEIR_AFTER("check", "check") void weir_after_check(void *answer) { (void)answer; weir_forget(); }
#endif
"#;

/// The rest is written from the outputs.
const ENRICH: &str = r#"__attribute__((import_module("weir:plugin/attributes@1.0.0"), import_name("[resource-drop]bag"))) void weir_drop_bag(weir_bag);
static struct { bool failed; union { struct { const weir_opt_value *at; size_t count; } found; weir_failure failure; }; } weir_answer;
WEIR_AFTER("enrich", "enrich") void weir_after_enrich(void *answer) { (void)answer; weir_forget(); }
WEIR_EXPORT("enrich", "enrich") void *weir_export_enrich(const weir_opt_value *values, size_t count, weir_bag request) {
    (void)count;
    weir_inputs in = weir_read(values);
    weir_outputs out = {0};
    weir_failure failure = weir_enrich(&in, request, &out);
    weir_drop_bag(request);
    weir_answer.failed = failure.kind != 0;
    if (weir_answer.failed) { weir_answer.failure = failure; weir_answer.failure.kind--; return &weir_answer; }
"#;

const REPORT: &str = r#"WEIR_EXPORT("report", "report") void *weir_export_report(uint32_t rows, const weir_text *symbols, size_t symbol_count, const weir_column *columns, size_t count) {
    weir_batch batch = {rows, {symbols, symbol_count}, columns, count};
    weir_lived = weir_answer_of(weir_report(&batch));
    return &weir_lived;
}
WEIR_AFTER("report", "report") void weir_after_report(void *answer) { (void)answer; weir_forget(); }
#endif
"#;
