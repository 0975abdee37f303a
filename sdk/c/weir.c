/* What weir.h promises: the host's functions as the canonical ABI has them, the memory of a call, and JSON. */
#include "weir.h"
#include <stdlib.h>

/* A block that grows at the end of the memory: what is above `kept` is forgotten after each call. If somebody else, such as
 * malloc, has grown the memory in between, a new block begins. */
static uintptr_t top, kept, end;

__attribute__((export_name("cabi_realloc"))) void *weir_realloc(void *old, size_t had, size_t align, size_t size) {
    uintptr_t at = (top + align - 1) & ~(uintptr_t)(align - 1);
    if (size > INT32_MAX) __builtin_trap();
    if (at + size > end) {
        uintptr_t room = __builtin_wasm_memory_size(0) * 65536ul;
        if (room != end) at = kept = end = room;
        size_t pages = (at + size - end + 65535) / 65536;
        if (pages && __builtin_wasm_memory_grow(0, pages) == (size_t)-1) __builtin_trap();
        end += pages * 65536;
    }
    top = at + size;
    if (had) memcpy((void *)at, old, had < size ? had : size);
    return (void *)at;
}
void *weir_alloc(size_t size) { return memset(weir_realloc(NULL, 0, 8, size), 0, size); }
void weir_keep(void) { kept = top; }
void weir_forget(void) { top = kept; }

#define IMPORT(module, name) __attribute__((import_module("weir:plugin/" module "@1.0.0"), import_name(name)))
/* result<_, refusal> and the like: the payload begins at 4, or at 8 where a number of 64 bits is in it. */
typedef struct { bool failed; union { struct { uint8_t code; weir_text message; } refusal; uint32_t number; bool flag; weir_opt_bytes bytes; weir_response response; struct { bool there; weir_fields row; } row; }; } result;
typedef struct { bool failed; union { struct { uint8_t code; weir_text message; } refusal; int64_t number; weir_opt_value value; }; } wide;
#define STATUS(r) ((r).failed ? (weir_status){false, (r).refusal.code, (r).refusal.message} : (weir_status){true, 0, {0}})

IMPORT("log", "write") void log_write(int, const char *, size_t, result *);
weir_status weir_log(uint8_t level, weir_text line) { result r; log_write(level, line.at, line.count, &r); return STATUS(r); }
IMPORT("log", "enabled") int log_enabled(int);
bool weir_log_enabled(uint8_t level) { return log_enabled(level); }

IMPORT("metrics", "declare-counter") void declare_counter(const char *, size_t, const char *, size_t, const char *, size_t, const weir_text *, size_t, result *);
weir_status weir_counter(weir_text name, weir_text help, weir_text unit, weir_texts labels, uint32_t *id) {
    result r; declare_counter(name.at, name.count, help.at, help.count, unit.at, unit.count, labels.at, labels.count, &r);
    if (!r.failed) *id = r.number;
    return STATUS(r);
}
IMPORT("metrics", "declare-histogram") void declare_histogram(const char *, size_t, const char *, size_t, const char *, size_t, const weir_text *, size_t, const double *, size_t, result *);
weir_status weir_histogram(weir_text name, weir_text help, weir_text unit, weir_texts labels, const double *buckets, size_t count, uint32_t *id) {
    result r; declare_histogram(name.at, name.count, help.at, help.count, unit.at, unit.count, labels.at, labels.count, buckets, count, &r);
    if (!r.failed) *id = r.number;
    return STATUS(r);
}
typedef struct { uint8_t kind; weir_text text; } label;
static label *labels_of(weir_texts texts) {
    label *all = weir_new(label, texts.count);
    for (size_t i = 0; i < texts.count; i++) all[i].text = texts.at[i];
    return all;
}
IMPORT("metrics", "add") void metrics_add(uint32_t, const label *, size_t, uint64_t, result *);
weir_status weir_add(uint32_t counter, weir_texts labels, uint64_t by) { result r; metrics_add(counter, labels_of(labels), labels.count, by, &r); return STATUS(r); }
IMPORT("metrics", "observe") void metrics_observe(uint32_t, const label *, size_t, const double *, size_t, result *);
weir_status weir_observe(uint32_t histogram, weir_texts labels, const double *values, size_t count) { result r; metrics_observe(histogram, labels_of(labels), labels.count, values, count, &r); return STATUS(r); }

IMPORT("records", "emit") void records_emit(int, int64_t, int, const char *, size_t, const weir_field *, size_t, const char *, size_t, const char *, size_t, result *);
weir_status weir_emit_record(const weir_record *o) {
    result r; records_emit(o->time.there, o->time.of, o->severity, o->body.at, o->body.count, o->attributes.at, o->attributes.count, o->trace_id.at, o->trace_id.count, o->span_id.at, o->span_id.count, &r);
    return STATUS(r);
}
IMPORT("spans", "emit") void spans_emit(const char *, size_t, const char *, size_t, const char *, size_t, const char *, size_t, int, int64_t, int64_t, const weir_field *, size_t, int, const char *, size_t, result *);
weir_status weir_emit_span(const weir_span *o) {
    result r; spans_emit(o->trace_id.at, o->trace_id.count, o->span_id.at, o->span_id.count, o->parent_id.at, o->parent_id.count, o->name.at, o->name.count, o->kind, o->start, o->duration, o->attributes.at, o->attributes.count, o->status, o->error.at, o->error.count, &r);
    return STATUS(r);
}

IMPORT("kv", "get") void kv_get(const char *, size_t, const char *, size_t, result *);
weir_status weir_kv_get(weir_text store, weir_text key, weir_opt_bytes *value) {
    result r; kv_get(store.at, store.count, key.at, key.count, &r);
    *value = r.failed ? (weir_opt_bytes){0} : r.bytes;
    return STATUS(r);
}
IMPORT("kv", "set") void kv_set(const char *, size_t, const char *, size_t, const uint8_t *, size_t, int, uint32_t, result *);
weir_status weir_kv_set(weir_text store, weir_text key, weir_bytes value, weir_opt_u32 ttl) { result r; kv_set(store.at, store.count, key.at, key.count, value.at, value.count, ttl.there, ttl.of, &r); return STATUS(r); }
IMPORT("kv", "insert") void kv_insert(const char *, size_t, const char *, size_t, const uint8_t *, size_t, int, uint32_t, result *);
weir_status weir_kv_insert(weir_text store, weir_text key, weir_bytes value, weir_opt_u32 ttl, bool *was_new) {
    result r; kv_insert(store.at, store.count, key.at, key.count, value.at, value.count, ttl.there, ttl.of, &r);
    if (was_new) *was_new = !r.failed && r.flag;
    return STATUS(r);
}
IMPORT("kv", "increment") void kv_increment(const char *, size_t, const char *, size_t, int64_t, int, uint32_t, wide *);
weir_status weir_kv_increment(weir_text store, weir_text key, int64_t by, weir_opt_u32 ttl, int64_t *sum) {
    wide r; kv_increment(store.at, store.count, key.at, key.count, by, ttl.there, ttl.of, &r);
    if (sum) *sum = r.failed ? 0 : r.number;
    return STATUS(r);
}
IMPORT("kv", "delete") void kv_delete(const char *, size_t, const char *, size_t, result *);
weir_status weir_kv_delete(weir_text store, weir_text key, bool *was_there) {
    result r; kv_delete(store.at, store.count, key.at, key.count, &r);
    if (was_there) *was_there = !r.failed && r.flag;
    return STATUS(r);
}
IMPORT("lookup", "get") void lookup_get(const char *, size_t, const char *, size_t, result *);
weir_status weir_lookup(weir_text table, weir_text key, bool *found, weir_fields *row) {
    result r; lookup_get(table.at, table.count, key.at, key.count, &r);
    *found = !r.failed && r.row.there;
    *row = *found ? r.row.row : (weir_fields){0};
    return STATUS(r);
}
IMPORT("http-out", "send") void http_send(const char *, size_t, const char *, size_t, const char *, size_t, const weir_pair *, size_t, const uint8_t *, size_t, int, uint32_t, result *);
weir_status weir_http(const weir_request *q, weir_response *response) {
    result r; http_send(q->upstream.at, q->upstream.count, q->method.at, q->method.count, q->path.at, q->path.count, q->headers.at, q->headers.count, q->body.at, q->body.count, q->timeout.there, q->timeout.of, &r);
    *response = r.failed ? (weir_response){0} : r.response;
    return STATUS(r);
}
IMPORT("sinks", "emit") void sinks_emit(const char *, size_t, const uint8_t *, size_t, result *);
weir_status weir_emit(weir_text sink, weir_bytes payload) { result r; sinks_emit(sink.at, sink.count, payload.at, payload.count, &r); return STATUS(r); }
IMPORT("attributes", "[method]bag.get") void bag_get(weir_bag, const char *, size_t, wide *);
weir_status weir_get(weir_bag request, weir_text name, weir_opt_value *value) {
    wide r; bag_get(request, name.at, name.count, &r);
    *value = r.failed ? (weir_opt_value){0} : r.value;
    return STATUS(r);
}

weir_verdict *weir_add_header(weir_verdict *verdict, uint8_t op, weir_text name, weir_text value) {
    weir_header *all = weir_new(weir_header, verdict->headers.count + 1);
    if (verdict->headers.count) memcpy(all, verdict->headers.at, verdict->headers.count * sizeof *all);
    all[verdict->headers.count++] = (weir_header){op, name, value};
    verdict->headers.at = all;
    return verdict;
}
weir_verdict *weir_add_metadata(weir_verdict *verdict, weir_text name, weir_value value) {
    weir_field *all = weir_new(weir_field, verdict->metadata.count + 1);
    if (verdict->metadata.count) memcpy(all, verdict->metadata.at, verdict->metadata.count * sizeof *all);
    all[verdict->metadata.count++] = (weir_field){name, value};
    verdict->metadata.at = all;
    return verdict;
}

typedef struct { uint32_t name, value; } symbol_pair;
typedef struct { const void *at; size_t count; } list;
weir_opt_value weir_cell(const weir_batch *batch, size_t column, uint32_t row) {
    if (column >= batch->column_count) return (weir_opt_value){0};
    const weir_column *c = &batch->columns[column];
    if ((row < c->present.count && !c->present.at[row]) || row >= c->data.count) return (weir_opt_value){0};
    const weir_text *symbols = batch->symbols.at;
    weir_value v = {c->kind, {0}};
    switch (c->kind) { /* the cases of `data` in report.wit */
    case 0: v.text = symbols[((const uint32_t *)c->data.at)[row]]; break;
    case 1: case 5: case 6: v.integer = ((const int64_t *)c->data.at)[row]; break;
    case 2: v.number = ((const double *)c->data.at)[row]; break;
    case 3: v.boolean = ((const bool *)c->data.at)[row]; break;
    case 4: v.bytes = ((const weir_bytes *)c->data.at)[row]; break;
    case 7: {
        list of = ((const list *)c->data.at)[row];
        weir_pair *pairs = weir_new(weir_pair, of.count);
        for (size_t i = 0; i < of.count; i++) { symbol_pair p = ((const symbol_pair *)of.at)[i]; pairs[i] = (weir_pair){symbols[p.name], symbols[p.value]}; }
        v.pairs = (weir_pairs){pairs, of.count};
        break;
    }
    default: {
        list of = ((const list *)c->data.at)[row];
        weir_text *texts = weir_new(weir_text, of.count);
        for (size_t i = 0; i < of.count; i++) texts[i] = symbols[((const uint32_t *)of.at)[i]];
        v.texts = (weir_texts){texts, of.count};
    } }
    return (weir_opt_value){true, v};
}

/* JSON that the host has parsed before: it is well-formed. */
static const char *blank(const char *p, const char *end) { while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r' || *p == ',' || *p == ':')) p++; return p; }
static const char *past(const char *p, const char *end) {
    if (p < end && *p == '"') {
        for (p++; p < end && *p != '"'; p++) if (*p == '\\') p++;
        return p < end ? p + 1 : end;
    }
    if (p < end && (*p == '{' || *p == '[')) {
        for (p = blank(p + 1, end); p < end && *p != '}' && *p != ']'; p = blank(p, end)) p = past(p, end);
        return p < end ? p + 1 : end;
    }
    while (p < end && !strchr(" \t\r\n,:]}", *p)) p++;
    return p;
}
weir_text weir_json(weir_text json, const char *path) {
    const char *end = json.at + json.count, *p = blank(json.at, end);
    while (*path) {
        size_t length = strcspn(path, ".");
        if (p >= end || (*p != '{' && *p != '[')) return (weir_text){0};
        bool object = *p == '{', found = false;
        long wanted = object ? 0 : strtol(path, NULL, 10);
        for (p = blank(p + 1, end); p < end && *p != '}' && *p != ']' && !found; p = found ? p : blank(past(p, end), end)) {
            if (!object) { found = wanted-- == 0; continue; }
            weir_text key = weir_json_text((weir_text){p, (size_t)(past(p, end) - p)});
            p = blank(past(p, end), end);
            found = key.count == length && !memcmp(key.at, path, length);
        }
        if (!found) return (weir_text){0};
        path += length + (path[length] == '.');
    }
    return (weir_text){p, (size_t)(past(p, end) - p)};
}
static size_t utf8(char *to, uint32_t c) {
    if (c < 0x80) { to[0] = (char)c; return 1; }
    if (c < 0x800) { to[0] = (char)(0xc0 | c >> 6); to[1] = (char)(0x80 | (c & 63)); return 2; }
    if (c < 0x10000) { to[0] = (char)(0xe0 | c >> 12); to[1] = (char)(0x80 | (c >> 6 & 63)); to[2] = (char)(0x80 | (c & 63)); return 3; }
    to[0] = (char)(0xf0 | c >> 18); to[1] = (char)(0x80 | (c >> 12 & 63)); to[2] = (char)(0x80 | (c >> 6 & 63)); to[3] = (char)(0x80 | (c & 63)); return 4;
}
static uint32_t hex4(const char *p) { char digits[5] = {p[0], p[1], p[2], p[3], 0}; return (uint32_t)strtoul(digits, NULL, 16); }
weir_text weir_json_text(weir_text value) {
    if (value.count < 2 || value.at[0] != '"') return (weir_text){0};
    char *at = weir_new(char, value.count);
    size_t count = 0;
    const char *end = value.at + value.count - 1;
    for (const char *p = value.at + 1; p < end; p++) {
        if (*p != '\\') { at[count++] = *p; continue; }
        switch (*++p) {
        case 'n': at[count++] = '\n'; break; case 't': at[count++] = '\t'; break; case 'r': at[count++] = '\r'; break;
        case 'b': at[count++] = '\b'; break; case 'f': at[count++] = '\f'; break;
        case 'u': {
            if (end - p < 5) break;
            uint32_t c = hex4(p + 1); p += 4;
            if (c >= 0xd800 && c < 0xdc00 && end - p > 6 && p[1] == '\\' && p[2] == 'u') { c = 0x10000 + ((c - 0xd800) << 10) + (hex4(p + 3) - 0xdc00); p += 6; }
            if (c >= 0xd800 && c < 0xe000) c = 0xfffd;
            count += utf8(at + count, c);
            break;
        }
        default: at[count++] = *p;
        }
    }
    return (weir_text){at, count};
}
int64_t weir_json_int(weir_text value) {
    bool minus = value.count && value.at[0] == '-';
    uint64_t n = 0;
    for (size_t i = minus; i < value.count && value.at[i] >= '0' && value.at[i] <= '9'; i++) n = n * 10 + (uint64_t)(value.at[i] - '0');
    return minus ? -(int64_t)n : (int64_t)n;
}
double weir_json_double(weir_text value) {
    char digits[64] = {0};
    memcpy(digits, value.at, value.count < 63 ? value.count : 63);
    return strtod(digits, NULL);
}
size_t weir_json_count(weir_text value) {
    const char *end = value.at + value.count, *p = value.at;
    if (!value.count || (*p != '{' && *p != '[')) return 0;
    bool object = *p == '{';
    size_t count = 0;
    for (p = blank(p + 1, end); p < end && *p != '}' && *p != ']'; p = blank(past(p, end), end)) {
        if (object) p = blank(past(p, end), end);
        count++;
    }
    return count;
}
