"""Uses everything that the contract has."""

from weir import Append, CheckPlugin, Counter, Duration, Failure, Histogram, Inputs, Refusal, Remove, Request, Set, Store
from weir import Verdict, allow, deny, emit, emit_record, emit_span, log, lookup, request as ask

SEEN = Store("seen")


class Plugin(CheckPlugin):
    def configure(self, config):
        self.greeting, self.limits = config["greeting"], config["limits"]
        self.total = Counter("everything_total", help="An example.", labels=["team"])
        self.size = Histogram("everything_size", [1, 2], help="An example.", unit="By", labels=["team"])

    def check(self, inputs: Inputs, request: Request) -> Verdict:
        user = inputs.request_headers_x_user
        if user is None:
            raise Failure("no user", "invalid-input")
        seen = SEEN.increment(user, 1, ttl_ms=60000)
        SEEN.set("last", user)
        SEEN.insert("first", user)
        SEEN.delete("gone")
        row = lookup("users", user)
        if row is None:
            return deny(f"stranger number {seen}", status=401, message="who are you?")
        answer = ask("auth", "POST", "/ask", headers={"x-user": user}, body=user, timeout_ms=500)
        if answer.status != 200:
            return deny(f"auth said {answer.status}")
        good = answer.json()["ok"] and answer.headers.first("x-ok") == "yes"
        if not good or SEEN.get("last") != user.encode():
            raise Failure("another answer was expected")
        limit = self.limits[-1] if self.limits else 0
        headers = inputs.request_headers_all
        log.info(f"{self.greeting} {limit} {request.get('request.host')} {headers.first('x-a')} {len(headers)}")
        try:
            request.get("request.path")
        except Refusal as refusal:
            log.warn("denied" if refusal.code == "denied" else "?")
        team = row["team"]
        self.total.add([team], 3)
        self.size.observe([team], 1.5, 2.5)
        trace, span = "0123456789abcdef0123456789abcdef", "0123456789abcdef"
        attributes = {"user": user, "seen": seen, "share": 0.5, "good": True}
        emit_record("checked", "warn", inputs.request_time, attributes, trace, span)
        emit_span(
            trace,
            span,
            inputs.request_method,
            inputs.request_time,
            Duration(5_000_000),
            parent_id="1123456789abcdef",
            kind="server",
            attributes={"user": user},
            status="error",
            error="slow",
        )
        emit("audit", f"user={user}")
        return allow(
            reason="known",
            ttl_ms=1000,
            max_uses=5,
            headers=[Set("x-team", team), Append("x-seen", str(seen)), Remove("x-secret")],
            metadata={"team": team, "seen": seen, "age": row.get("age"), "risk": inputs.bound.get("risk")},
        )

    def tick(self):
        SEEN.set("tick", "1")

    def drain(self):
        emit("audit", "bye")

    def self_test(self):
        if not self.greeting:
            raise Failure("no greeting")
