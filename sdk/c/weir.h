/* The host of Weir for plugins in C: types, what a plugin may ask of the host, and the memory of a call. They lie in memory
 * exactly as the canonical ABI of weir:plugin@1.0.0 (sdk/wit) wants them. plugin.h, which `weir plugin build` writes from the
 * manifest, includes this and adds the typed inputs.
 *
 * Memory: everything that a call is given or allocates is gone after it. What `weir_configure` was given or allocated stays. */
#ifndef WEIR_H
#define WEIR_H
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef struct { const char *at; size_t count; } weir_text; /* no zero at its end */
typedef struct { const uint8_t *at; size_t count; } weir_bytes;
typedef struct { weir_text name, value; } weir_pair;
typedef struct { const weir_pair *at; size_t count; } weir_pairs;
typedef struct { const weir_text *at; size_t count; } weir_texts;
enum { WEIR_TEXT, WEIR_INT, WEIR_DOUBLE, WEIR_BOOL, WEIR_BYTES, WEIR_TIMESTAMP, WEIR_DURATION, WEIR_PAIRS, WEIR_TEXTS };
/* Timestamps are nanoseconds since 1970, durations nanoseconds; both are in `integer`. */
typedef struct { uint8_t kind; union { weir_text text; int64_t integer; double number; bool boolean; weir_bytes bytes; weir_pairs pairs; weir_texts texts; }; } weir_value;
typedef struct { weir_text name; weir_value value; } weir_field;
typedef struct { const weir_field *at; size_t count; } weir_fields;
typedef struct { bool there; weir_value of; } weir_opt_value;
typedef struct { bool there; weir_text of; } weir_opt_text;
typedef struct { bool there; int64_t of; } weir_opt_int;
typedef struct { bool there; uint32_t of; } weir_opt_u32;
typedef struct { bool there; double of; } weir_opt_double;
typedef struct { bool there; bool of; } weir_opt_bool;
typedef struct { bool there; weir_bytes of; } weir_opt_bytes;
typedef struct { bool there; weir_pairs of; } weir_opt_pairs;
typedef struct { bool there; weir_texts of; } weir_opt_texts;

/* A plugin's answer when it has none: WEIR_OK, or one of the weir_invalid, weir_unavailable, weir_internal. */
typedef struct { uint8_t kind; weir_text message; } weir_failure;
enum { WEIR_DENIED, WEIR_LIMITED, WEIR_INVALID, WEIR_UNAVAILABLE, WEIR_TIMEOUT, WEIR_OTHER };
/* What the host did: ok, or the code and the message of why not. */
typedef struct { bool ok; uint8_t code; weir_text message; } weir_status;

enum { WEIR_ALLOW, WEIR_DENY, WEIR_ABSTAIN };
enum { WEIR_SET, WEIR_APPEND, WEIR_REMOVE };
typedef struct { uint8_t op; weir_text name, value; } weir_header; /* a removal has no value */
typedef struct {
    uint8_t decision; weir_opt_u32 status; weir_opt_text message; weir_text reason; weir_opt_u32 ttl_ms, max_uses;
    struct { const weir_header *at; size_t count; } headers; weir_fields metadata;
} weir_verdict; /* all zero is: allow */
typedef struct { weir_text name; uint8_t kind; } weir_binding;
typedef struct { uint8_t kind; struct { const void *at; size_t count; } data; struct { const bool *at; size_t count; } present; } weir_column;
typedef struct { uint32_t rows; weir_texts symbols; const weir_column *columns; size_t column_count; } weir_batch;
typedef int32_t weir_bag;

/* Memory of this call; never null: a plugin that takes too much traps. */
void *weir_alloc(size_t size);
#define weir_new(type, n) ((type *)weir_alloc(sizeof(type) * (n)))
static inline weir_text weir_str(const char *text) { return (weir_text){text, strlen(text)}; }
#define T(literal) ((weir_text){"" literal, sizeof(literal) - 1})
static inline bool weir_eq(weir_text a, weir_text b) { return a.count == b.count && !memcmp(a.at, b.at, a.count); }
/* As printf writes it; a weir_text is "%.*s" with WEIR_F(text). */
#define WEIR_F(text) (int)(text).count, (text).at
__attribute__((format(printf, 1, 2))) static inline weir_text weir_fmt(const char *format, ...) {
    va_list once, twice; va_start(once, format); va_copy(twice, once);
    int count = vsnprintf(NULL, 0, format, once); char *at = weir_new(char, count < 0 ? 1 : count + 1);
    if (count > 0) vsnprintf(at, (size_t)count + 1, format, twice);
    va_end(once); va_end(twice); return (weir_text){at, count < 0 ? 0 : (size_t)count};
}
#define WEIR_OK ((weir_failure){0})
static inline weir_failure weir_invalid(weir_text why) { return (weir_failure){1, why}; }
static inline weir_failure weir_unavailable(weir_text why) { return (weir_failure){2, why}; }
static inline weir_failure weir_internal(weir_text why) { return (weir_failure){3, why}; }
/* if (!(status = ...).ok) return weir_failed(status); */
static inline weir_failure weir_failed(weir_status s) { return (weir_failure){s.code == WEIR_UNAVAILABLE || s.code == WEIR_TIMEOUT ? 2 : 3, s.message}; }
/* The first value of that name. */
static inline weir_opt_text weir_pair_of(weir_pairs all, weir_text name) {
    for (size_t i = 0; i < all.count; i++) if (weir_eq(all.at[i].name, name)) return (weir_opt_text){true, all.at[i].value};
    return (weir_opt_text){0};
}
static inline weir_opt_value weir_field_of(weir_fields all, weir_text name) {
    for (size_t i = 0; i < all.count; i++) if (weir_eq(all.at[i].name, name)) return (weir_opt_value){true, all.at[i].value};
    return (weir_opt_value){0};
}
static inline weir_value weir_text_value(weir_text text) { return (weir_value){WEIR_TEXT, {.text = text}}; }
static inline weir_value weir_int_value(int64_t n) { return (weir_value){WEIR_INT, {.integer = n}}; }
static inline weir_value weir_double_value(double n) { return (weir_value){WEIR_DOUBLE, {.number = n}}; }
static inline weir_value weir_bool_value(bool b) { return (weir_value){WEIR_BOOL, {.boolean = b}}; }
/* Adds to a verdict; they return it. */
weir_verdict *weir_add_header(weir_verdict *verdict, uint8_t op, weir_text name, weir_text value);
weir_verdict *weir_add_metadata(weir_verdict *verdict, weir_text name, weir_value value);

/* The host. Each needs its name under [capabilities]. */
enum { WEIR_LOG_TRACE, WEIR_LOG_DEBUG, WEIR_LOG_INFO, WEIR_LOG_WARN, WEIR_LOG_ERROR };
weir_status weir_log(uint8_t level, weir_text line);
bool weir_log_enabled(uint8_t level);
weir_status weir_counter(weir_text name, weir_text help, weir_text unit, weir_texts labels, uint32_t *id); /* in weir_configure */
weir_status weir_histogram(weir_text name, weir_text help, weir_text unit, weir_texts labels, const double *buckets, size_t count, uint32_t *id);
weir_status weir_add(uint32_t counter, weir_texts labels, uint64_t by);
weir_status weir_observe(uint32_t histogram, weir_texts labels, const double *values, size_t count);
enum { WEIR_TRACE, WEIR_DEBUG, WEIR_INFO, WEIR_WARN, WEIR_ERROR, WEIR_FATAL };
typedef struct { weir_opt_int time; uint8_t severity; weir_text body; weir_fields attributes; weir_text trace_id, span_id; } weir_record;
weir_status weir_emit_record(const weir_record *record);
enum { WEIR_INTERNAL, WEIR_SERVER, WEIR_CLIENT, WEIR_PRODUCER, WEIR_CONSUMER };
enum { WEIR_UNSET, WEIR_SPAN_OK, WEIR_SPAN_ERROR };
typedef struct { weir_text trace_id, span_id, parent_id, name; uint8_t kind; int64_t start, duration; weir_fields attributes; uint8_t status; weir_text error; } weir_span;
weir_status weir_emit_span(const weir_span *span);
#define WEIR_FOREVER ((weir_opt_u32){0})
#define WEIR_MS(n) ((weir_opt_u32){true, (n)})
weir_status weir_kv_get(weir_text store, weir_text key, weir_opt_bytes *value);
weir_status weir_kv_set(weir_text store, weir_text key, weir_bytes value, weir_opt_u32 ttl);
weir_status weir_kv_insert(weir_text store, weir_text key, weir_bytes value, weir_opt_u32 ttl, bool *was_new);
weir_status weir_kv_increment(weir_text store, weir_text key, int64_t by, weir_opt_u32 ttl, int64_t *sum);
weir_status weir_kv_delete(weir_text store, weir_text key, bool *was_there);
weir_status weir_lookup(weir_text table, weir_text key, bool *found, weir_fields *row);
typedef struct { weir_text upstream, method, path; weir_pairs headers; weir_bytes body; weir_opt_u32 timeout; } weir_request;
typedef struct { uint16_t status; weir_pairs headers; weir_bytes body; } weir_response;
weir_status weir_http(const weir_request *request, weir_response *response);
weir_status weir_emit(weir_text sink, weir_bytes payload);
/* Another attribute of the request: needs its name under [capabilities] attributes. */
weir_status weir_get(weir_bag request, weir_text name, weir_opt_value *value);

/* The value of a row in a column of a report. */
weir_opt_value weir_cell(const weir_batch *batch, size_t column, uint32_t row);
/* What the operator bound beyond the manifest's inputs: names and kinds, in the order of weir_inputs.bound. */
extern const weir_binding *weir_bindings;
extern size_t weir_binding_count;

/* JSON, of the configuration for instance: a value is the text that it is written as. `path` is "a.b.0"; nothing found is empty. */
weir_text weir_json(weir_text json, const char *path);
weir_text weir_json_text(weir_text value); /* a string's text; empty when it is none */
int64_t weir_json_int(weir_text value);
double weir_json_double(weir_text value);
size_t weir_json_count(weir_text value); /* elements of an array, or members of an object */
#endif
