// Uses everything that the contract has.
import { allow, append, counter, defineCheck, deny, Duration, emit, emitRecord, emitSpan, Failure, histogram, log, lookup, remove, request as ask, set, store } from "weir";

const seenStore = store("seen");
let config, total, size;

export default defineCheck({
  configure(given) {
    config = given;
    total = counter("everything_total", { help: "An example.", labels: ["team"] });
    size = histogram("everything_size", [1, 2], { help: "An example.", unit: "By", labels: ["team"] });
  },

  check(inputs, request) {
    const user = inputs.request_headers_x_user;
    if (user === null) throw new Failure("no user", "invalid-input");
    const seen = seenStore.increment(user, 1, 60000);
    seenStore.set("last", user);
    seenStore.insert("first", user);
    seenStore.delete("gone");
    const row = lookup("users", user);
    if (row === null) return deny(`stranger number ${seen}`, { status: 401, message: "who are you?" });
    const answer = ask("auth", { method: "POST", path: "/ask", headers: { "x-user": user }, body: user, timeoutMs: 500 });
    if (answer.status !== 200) return deny(`auth said ${answer.status}`);
    if (!answer.json().ok || answer.header("x-ok") !== "yes" || seenStore.getText("last") !== user) throw new Failure("another answer was expected");
    const limit = config.limits.at(-1) ?? 0;
    log.info(`${config.greeting} ${limit} ${request.get("request.host")} ${inputs.request_headers_all.get("x-a")} ${inputs.request_headers_all.length}`);
    try {
      request.get("request.path");
    } catch (refusal) {
      log.warn(refusal.code === "denied" ? "denied" : "?");
    }
    total.add([row.team], 3);
    size.observe([row.team], 1.5, 2.5);
    const traceId = "0123456789abcdef0123456789abcdef", spanId = "0123456789abcdef";
    const attributes = { user, seen, share: 0.5, good: true };
    emitRecord({ body: "checked", severity: "warn", time: inputs.request_time, attributes, traceId, spanId });
    emitSpan({ traceId, spanId, parentId: "1123456789abcdef", name: inputs.request_method, kind: "server", start: inputs.request_time, duration: Duration.ms(5), attributes: { user }, status: "error", error: "slow" });
    emit("audit", `user=${user}`);
    return allow({
      reason: "known", ttlMs: 1000, maxUses: 5,
      headers: [set("x-team", row.team), append("x-seen", String(seen)), remove("x-secret")],
      metadata: { team: row.team, seen, age: row.age, risk: inputs.bound.risk },
    });
  },

  tick: () => seenStore.set("tick", "1"),
  drain: () => emit("audit", "bye"),
  selfTest() {
    if (!config.greeting) throw new Failure("no greeting");
  },
});
