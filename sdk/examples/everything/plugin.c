/* Uses everything that the contract has. */
#include "plugin.h"

static weir_text greeting;
static int64_t limit;
static uint32_t total, size;
static const weir_text label[] = {{"team", 4}};

weir_failure weir_configure(weir_text json) {
    greeting = weir_json_text(weir_json(json, "greeting"));
    size_t limits = weir_json_count(weir_json(json, "limits"));
    if (limits) limit = weir_json_int(weir_json(json, weir_fmt("limits.%zu", limits - 1).at));
    weir_status status = weir_counter(T("everything_total"), T("An example."), T(""), (weir_texts){label, 1}, &total);
    if (!status.ok) return weir_failed(status);
    const double buckets[] = {1, 2};
    status = weir_histogram(T("everything_size"), T("An example."), T("By"), (weir_texts){label, 1}, buckets, 2, &size);
    return status.ok ? WEIR_OK : weir_failed(status);
}

static weir_bytes bytes(weir_text text) { return (weir_bytes){(const uint8_t *)text.at, text.count}; }

/* What goes wrong ends the call: the host's message is the plugin's. */
#define TRY(call) do { weir_status status_ = (call); if (!status_.ok) return weir_failed(status_); } while (0)

static weir_failure tell(const weir_inputs *in, weir_text user, weir_text team, int64_t seen) {
    TRY(weir_add(total, (weir_texts){&team, 1}, 3));
    const double sizes[] = {1.5, 2.5};
    TRY(weir_observe(size, (weir_texts){&team, 1}, sizes, 2));
    const weir_field fields[] = {
        {T("user"), weir_text_value(user)}, {T("seen"), weir_int_value(seen)},
        {T("share"), weir_double_value(0.5)}, {T("good"), weir_bool_value(true)},
    };
    weir_text trace = T("0123456789abcdef0123456789abcdef"), span = T("0123456789abcdef");
    weir_record record = {in->request_time, WEIR_WARN, T("checked"), {fields, 4}, trace, span};
    TRY(weir_emit_record(&record));
    weir_span whole = {
        .trace_id = trace, .span_id = span, .parent_id = T("1123456789abcdef"), .name = in->request_method, .kind = WEIR_SERVER,
        .start = in->request_time.of, .duration = 5000000, .attributes = {fields, 1}, .status = WEIR_SPAN_ERROR, .error = T("slow"),
    };
    TRY(weir_emit_span(&whole));
    TRY(weir_emit(T("audit"), bytes(weir_fmt("user=%.*s", WEIR_F(user)))));
    return WEIR_OK;
}

weir_failure weir_check(const weir_inputs *in, weir_bag request, weir_verdict *verdict) {
    if (!in->request_headers_x_user.there) return weir_invalid(T("no user"));
    weir_text user = in->request_headers_x_user.of;
    int64_t seen;
    TRY(weir_kv_increment(T("seen"), user, 1, WEIR_MS(60000), &seen));
    TRY(weir_kv_set(T("seen"), T("last"), bytes(user), WEIR_FOREVER));
    TRY(weir_kv_insert(T("seen"), T("first"), bytes(user), WEIR_FOREVER, NULL));
    TRY(weir_kv_delete(T("seen"), T("gone"), NULL));
    bool found;
    weir_fields row;
    TRY(weir_lookup(T("users"), user, &found, &row));
    verdict->decision = WEIR_DENY;
    if (!found) {
        verdict->status = (weir_opt_u32){true, 401};
        verdict->message = (weir_opt_text){true, T("who are you?")};
        verdict->reason = weir_fmt("stranger number %lld", (long long)seen);
        return WEIR_OK;
    }
    const weir_pair headers[] = {{T("x-user"), user}};
    weir_request ask = {T("auth"), T("POST"), T("/ask"), {headers, 1}, bytes(user), WEIR_MS(500)};
    weir_response answer;
    TRY(weir_http(&ask, &answer));
    if (answer.status != 200) {
        verdict->reason = weir_fmt("auth said %d", answer.status);
        return WEIR_OK;
    }
    weir_opt_bytes last;
    TRY(weir_kv_get(T("seen"), T("last"), &last));
    weir_text said = {(const char *)answer.body.at, answer.body.count};
    bool good = weir_eq(said, T("{\"ok\":true}")) && weir_eq(weir_pair_of(answer.headers, T("x-ok")).of, T("yes"));
    if (!good || !last.there) return weir_internal(T("another answer was expected"));
    weir_text team = weir_field_of(row, T("team")).of.text;
    weir_opt_value host;
    TRY(weir_get(request, T("request.host"), &host));
    weir_text a = weir_pair_of(in->request_headers_all, T("x-a")).of;
    weir_log(WEIR_LOG_INFO, weir_fmt("%.*s %lld %.*s %.*s %zu", WEIR_F(greeting), (long long)limit, WEIR_F(host.of.text), WEIR_F(a), in->request_headers_all.count));
    weir_status refused = weir_get(request, T("request.path"), &host);
    if (!refused.ok) weir_log(WEIR_LOG_WARN, refused.code == WEIR_DENIED ? T("denied") : T("?"));
    weir_failure failure = tell(in, user, team, seen);
    if (failure.kind) return failure;
    verdict->decision = WEIR_ALLOW;
    verdict->reason = T("known");
    verdict->ttl_ms = WEIR_MS(1000);
    verdict->max_uses = (weir_opt_u32){true, 5};
    weir_add_header(verdict, WEIR_SET, T("x-team"), team);
    weir_add_header(verdict, WEIR_APPEND, T("x-seen"), weir_fmt("%lld", (long long)seen));
    weir_add_header(verdict, WEIR_REMOVE, T("x-secret"), T(""));
    weir_add_metadata(verdict, T("team"), weir_text_value(team));
    weir_add_metadata(verdict, T("seen"), weir_int_value(seen));
    weir_opt_value age = weir_field_of(row, T("age"));
    if (age.there) weir_add_metadata(verdict, T("age"), age.of);
    for (size_t i = 0; i < weir_binding_count; i++)
        if (in->bound[i].there) weir_add_metadata(verdict, weir_bindings[i].name, in->bound[i].of);
    return WEIR_OK;
}

weir_failure weir_tick(void) {
    TRY(weir_kv_set(T("seen"), T("tick"), bytes(T("1")), WEIR_FOREVER));
    return WEIR_OK;
}

weir_failure weir_drain(void) {
    TRY(weir_emit(T("audit"), bytes(T("bye"))));
    return WEIR_OK;
}

weir_failure weir_self_test(void) { return greeting.count ? WEIR_OK : weir_internal(T("no greeting")); }
