"""Counts requests by code, and writes a record about each that was slow."""

from weir import Counter, ReportPlugin, emit_record


class Plugin(ReportPlugin):
    def configure(self, config):
        # What config.schema.json describes; it has been checked.
        self.slow_ms = config["slowMs"]
        self.requests = Counter("{{ident}}_requests_total", help="Requests by code.", labels=["code"])

    def report(self, rows):
        # Each row has what [inputs] of weir-plugin.toml asks for; None where it is absent.
        for row in rows:
            self.requests.add([row.response_code or "unknown"])
            milliseconds = int(row.request_duration.ms) if row.request_duration else 0
            if milliseconds >= self.slow_ms:
                attributes = {"path": row.request_url_path or "-", "milliseconds": milliseconds}
                emit_record("slow request", severity="warn", attributes=attributes)
