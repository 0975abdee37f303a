/* Counts requests by code, and writes a record about each that was slow. */
#include "plugin.h" /* weir_inputs, written from [inputs] of weir-plugin.toml, and the SDK */

static int64_t slow_ms;
static uint32_t requests;

/* What it is given and allocates stays; what config.schema.json asks for has been checked. */
weir_failure weir_configure(weir_text json) {
    slow_ms = weir_json_int(weir_json(json, "slowMs"));
    const weir_text labels[] = {T("code")};
    weir_status status = weir_counter(T("{{ident}}_requests_total"), T("Requests by code."), T(""), (weir_texts){labels, 1}, &requests);
    return status.ok ? WEIR_OK : weir_failed(status);
}

weir_failure weir_report(const weir_batch *batch) {
    for (uint32_t i = 0; i < batch->rows; i++) {
        weir_inputs row = weir_row(batch, i);
        weir_text code = row.response_code.there ? weir_fmt("%lld", (long long)row.response_code.of) : T("unknown");
        weir_status status = weir_add(requests, (weir_texts){&code, 1}, 1);
        if (!status.ok) return weir_failed(status);
        int64_t milliseconds = row.request_duration.there ? row.request_duration.of / 1000000 : 0;
        if (milliseconds < slow_ms) continue;
        weir_text path = row.request_url_path.there ? row.request_url_path.of : T("-");
        const weir_field fields[] = {{T("path"), weir_text_value(path)}, {T("milliseconds"), weir_int_value(milliseconds)}};
        weir_record record = {.severity = WEIR_WARN, .body = T("slow request"), .attributes = {fields, 2}};
        status = weir_emit_record(&record);
        if (!status.ok) return weir_failed(status);
    }
    return WEIR_OK;
}
