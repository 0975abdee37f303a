// Counts requests by code, and writes a record about each that was slow.
import { counter, defineReport, emitRecord } from "weir";

let slowMs, requests;

export default defineReport({
  // What config.schema.json describes; it has been checked.
  configure(config) {
    slowMs = config.slowMs;
    requests = counter("{{ident}}_requests_total", { help: "Requests by code.", labels: ["code"] });
  },

  // Each row has what [inputs] of weir-plugin.toml asks for; null where it is absent.
  report(rows) {
    for (const row of rows) {
      requests.add([row.response_code ?? "unknown"]);
      const milliseconds = row.request_duration?.ms ?? 0;
      if (milliseconds >= slowMs) {
        emitRecord({ severity: "warn", body: "slow request", attributes: { path: row.request_url_path ?? "-", milliseconds } });
      }
    }
  },
});
