// What a plugin in JavaScript needs. The host's functions come in with `start`, which the entry that `weir plugin build`
// writes calls: only those that the manifest asks for.

let host = {};

/** The plugin has no answer; the failure policy decides. `kind` is "invalid-input", "unavailable" or "internal". */
export class Failure extends Error {
  constructor(message, kind = "internal") {
    super(message);
    this.kind = kind;
  }
}

/** The host did not do it: `code` is denied, limited, invalid, unavailable, timeout or other. */
export class Refusal extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** Nanoseconds since 1970, as a number: exact to about 256 ns today. */
export class Timestamp {
  constructor(ns) { this.ns = ns; }
  static fromDate(date) { return new Timestamp(date.getTime() * 1e6); }
  get ms() { return this.ns / 1e6; }
  toDate() { return new Date(this.ms); }
}

/** Nanoseconds, as a number. */
export class Duration {
  constructor(ns) { this.ns = ns; }
  static ms(ms) { return new Duration(ms * 1e6); }
  get ms() { return this.ns / 1e6; }
}

/** A number that is a double for the receiver, even if it is whole. */
export class Double {
  constructor(value) { this.value = value; }
}

/** Names and values in the order of the wire; a list_map has a name more than once. */
export class Pairs extends Array {
  static get [Symbol.species]() { return Array; }
  get(name) { const pair = this.find(([n]) => n === name); return pair ? pair[1] : null; }
  all(name) { return this.filter(([n]) => n === name).map(([, value]) => value); }
}

export const set = (name, value) => ({ tag: "set", val: [name, value] });
export const append = (name, value) => ({ tag: "append", val: [name, value] });
export const remove = (name) => ({ tag: "remove", val: name });

const verdict = (decision, reason, more = {}) => ({
  decision, reason, status: more.status ?? null, message: more.message ?? null, ttlMs: more.ttlMs ?? null,
  maxUses: more.maxUses ?? null, headers: more.headers ?? [], metadata: fields(more.metadata ?? {}),
});
export const allow = (more) => verdict("allow", more?.reason ?? "", more);
export const deny = (reason, more) => verdict("deny", reason, more);
export const abstain = () => verdict("abstain", "");

export const defineCheck = (plugin) => plugin;
export const defineEnrich = (plugin) => plugin;
export const defineReport = (plugin) => plugin;

const whole = (n) => Number.isInteger(n) && Math.abs(n) < 2 ** 63;

/** A value for the host. */
function wire(value) {
  if (typeof value === "string") return { tag: "text", val: value };
  if (typeof value === "boolean") return { tag: "boolean", val: value };
  if (typeof value === "bigint") return { tag: "int", val: Number(value) };
  if (typeof value === "number") return whole(value) ? { tag: "int", val: value } : { tag: "double", val: value };
  if (value instanceof Double) return { tag: "double", val: value.value };
  if (value instanceof Timestamp) return { tag: "timestamp", val: Math.trunc(value.ns) };
  if (value instanceof Duration) return { tag: "duration", val: Math.trunc(value.ns) };
  if (value instanceof Uint8Array) return { tag: "bytes", val: value };
  if (value instanceof Pairs) return { tag: "pairs", val: Array.from(value) };
  if (Array.isArray(value)) return { tag: "texts", val: value.map(String) };
  if (value && typeof value === "object") return { tag: "pairs", val: Object.entries(value).map(([n, v]) => [n, String(v)]) };
  throw new Failure(`${value} is no value; give a text, number, boolean, Uint8Array, list, object, Timestamp or Duration`);
}

/** A value of the host. */
function unwire(value) {
  if (value === null || value === undefined) return null;
  switch (value.tag) {
    case "timestamp": return new Timestamp(value.val);
    case "duration": return new Duration(value.val);
    case "pairs": return Pairs.from(value.val);
    case "bytes": return Uint8Array.from(value.val);
    default: return value.val;
  }
}

const entries = (of) => (Array.isArray(of) ? of : Object.entries(of));
const fields = (of) => entries(of).filter(([, value]) => value !== null && value !== undefined).map(([name, value]) => [name, wire(value)]);
const record = (fields) => Object.fromEntries(fields.map(([name, value]) => [name, unwire(value)]));

/** Calls the host; what it refuses is thrown. */
function ask(module, capability, call) {
  const functions = host[module];
  if (!functions) throw new Refusal("denied", `the manifest does not ask for it; add ${capability} under [capabilities]`);
  try {
    return call(functions);
  } catch (thrown) {
    const told = thrown?.payload ?? thrown;
    throw told?.code ? new Refusal(told.code, told.message) : thrown;
  }
}

const bytes = (value) => (typeof value === "string" ? utf8(value) : value);

/** UTF-8 of a text: what the sandbox has no TextEncoder for. */
export function utf8(text) {
  const out = [];
  for (const char of text) {
    const c = char.codePointAt(0);
    if (c < 0x80) out.push(c);
    else if (c < 0x800) out.push(0xc0 | (c >> 6), 0x80 | (c & 63));
    else if (c < 0x10000) out.push(0xe0 | (c >> 12), 0x80 | ((c >> 6) & 63), 0x80 | (c & 63));
    else out.push(0xf0 | (c >> 18), 0x80 | ((c >> 12) & 63), 0x80 | ((c >> 6) & 63), 0x80 | (c & 63));
  }
  return Uint8Array.from(out);
}

/** The text of bytes; what is no UTF-8 is replaced. */
export function text(of) {
  let out = "";
  for (let i = 0; i < of.length; ) {
    const b = of[i++];
    const more = b < 0x80 ? 0 : b >= 0xf0 && b < 0xf8 ? 3 : b >= 0xe0 ? 2 : b >= 0xc0 ? 1 : -1;
    let c = more === 0 ? b : more > 0 ? b & (0x3f >> more) : -1;
    for (let n = 0; n < more; n++) c = c >= 0 && (of[i] & 0xc0) === 0x80 ? (c << 6) | (of[i++] & 63) : -1;
    out += c < 0 || c > 0x10ffff ? "\ufffd" : String.fromCodePoint(c);
  }
  return out;
}

const line = (level) => (message) => ask("log", "log = true", (h) => h.write(level, String(message)));
export const log = {
  trace: line("trace"), debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error"),
  enabled: (level) => ask("log", "log = true", (h) => h.enabled(level)),
};

const labelled = (labels) => labels.map((label) => ({ tag: "text", val: String(label) }));
const family = (name, { help = "", unit = "", labels = [] } = {}) => ({ name, help, unit, labels });
/** Only inside `configure`. */
export function counter(name, about) {
  const id = ask("metrics", "metrics = true", (h) => h.declareCounter(family(name, about)));
  return { add: (labels = [], by = 1) => ask("metrics", "metrics = true", (h) => h.add(id, labelled(labels), by)) };
}
/** Only inside `configure`. Upper bounds in rising order. */
export function histogram(name, buckets, about) {
  const id = ask("metrics", "metrics = true", (h) => h.declareHistogram(family(name, about), buckets));
  return {
    observe: (labels, ...values) => ask("metrics", "metrics = true", (h) => h.observe(id, labelled(labels), values)),
  };
}

export function emitRecord({ body = "", severity = "info", time = null, attributes = {}, traceId = "", spanId = "" }) {
  const rec = { time: time ? Math.trunc(time.ns) : null, severity, body, attributes: fields(attributes), traceId, spanId };
  ask("records", "records = true", (h) => h.emit(rec));
}

export function emitSpan({ traceId, spanId, parentId = "", name, kind = "internal", start, duration, attributes = {}, status = "unset", error = "" }) {
  const told = status === "error" ? { tag: "error", val: error } : { tag: status };
  const span = { traceId, spanId, parentId, name, kind, start: Math.trunc(start.ns), duration: Math.trunc(duration.ns), attributes: fields(attributes), status: told };
  ask("spans", "spans = true", (h) => h.emit(span));
}

export function store(name) {
  const use = (call) => ask("kv", `kv = ["${name}"]`, call);
  const ttl = (ms) => ms ?? null;
  return {
    get: (key) => { const value = use((h) => h.get(name, key)); return value === null || value === undefined ? null : Uint8Array.from(value); },
    getText: (key) => { const value = use((h) => h.get(name, key)); return value === null || value === undefined ? null : text(value); },
    set: (key, value, ttlMs) => use((h) => h.set(name, key, bytes(value), ttl(ttlMs))),
    insert: (key, value, ttlMs) => use((h) => h.insert(name, key, bytes(value), ttl(ttlMs))),
    increment: (key, by = 1, ttlMs) => use((h) => h.increment(name, key, by, ttl(ttlMs))),
    delete: (key) => use((h) => h.delete(name, key)),
  };
}

/** The row of that key as an object, or null. */
export function lookup(table, key) {
  const row = ask("lookup", `lookup = ["${table}"]`, (h) => h.get(table, key));
  return row === null || row === undefined ? null : record(row);
}

/** Asks an upstream; any status is an answer. */
export function request(upstream, { method = "GET", path = "/", headers = {}, body = "", timeoutMs = null } = {}) {
  const asked = { upstream, method, path, headers: entries(headers), body: bytes(body), timeoutMs };
  const answer = ask("http-out", `http-out = ["${upstream}"]`, (h) => h.send(asked));
  const got = Pairs.from(answer.headers);
  return {
    status: answer.status, headers: got, body: Uint8Array.from(answer.body), text: () => text(answer.body),
    json: () => JSON.parse(text(answer.body)), header: (name) => got.get(name.toLowerCase()),
  };
}

export const emit = (sink, payload) => ask("sinks", `sinks = ["${sink}"]`, (h) => h.emit(sink, bytes(payload)));

/** What the operator bound beyond the manifest's inputs: names and kinds. */
export let bindings = [];

/** Whatever is thrown becomes the contract's failure. */
function guarded(call) {
  return (...given) => {
    try {
      return call(...given);
    } catch (thrown) {
      if (thrown instanceof Failure) throw { tag: thrown.kind, val: thrown.message };
      if (thrown instanceof Refusal) {
        throw { tag: ["unavailable", "timeout"].includes(thrown.code) ? "unavailable" : "internal", val: thrown.message };
      }
      throw { tag: "internal", val: `${thrown}${thrown?.stack ? `\n${thrown.stack}` : ""}`.slice(0, 2000) };
    }
  };
}

const readers = {
  texts: (batch, val) => batch.symbols[val], timestamps: (_, val) => new Timestamp(val), durations: (_, val) => new Duration(val),
  pairs: (batch, val) => Pairs.from(val.map(([n, v]) => [batch.symbols[n], batch.symbols[v]])),
  lists: (batch, val) => val.map((n) => batch.symbols[n]), bytes: (_, val) => Uint8Array.from(val),
};

/** The rows of a batch, one object at a time. */
function* rows(batch, names) {
  const all = [...names, ...bindings.map((binding) => binding.name)];
  for (let row = 0; row < batch.rows; row++) {
    const inputs = { bound: {} };
    batch.columns.forEach(({ data, present }, column) => {
      const there = present.length === 0 || present[row];
      const read = readers[data.tag] ?? ((_, val) => val);
      const value = there ? read(batch, data.val[row]) : null;
      if (column < names.length) inputs[names[column]] = value;
      else inputs.bound[all[column]] = value;
    });
    yield inputs;
  }
}

/** The exports of the component around a plugin. Called by the entry that is written from the manifest. */
export function start(plugin, world, functions, { inputs: names, outputs }) {
  host = functions;
  const read = (values) => {
    const inputs = { bound: {} };
    names.forEach((name, at) => { inputs[name] = unwire(values[at]); });
    bindings.forEach((binding, at) => { inputs.bound[binding.name] = unwire(values[names.length + at]); });
    return inputs;
  };
  const look = (request) => ({ get: (name) => { try { return unwire(request.get(name)); } catch (thrown) { const told = thrown?.payload ?? thrown; throw told?.code ? new Refusal(told.code, told.message) : thrown; } } });
  const life = (call) => guarded(() => { call?.call(plugin); });
  const lifecycle = {
    configure: guarded((setup) => {
      bindings = setup.bindings;
      plugin.configure?.(JSON.parse(setup.config));
    }),
    selfTest: life(plugin.selfTest), tick: life(plugin.tick), drain: life(plugin.drain),
  };
  const given = (found) => outputs.map((name) => (found?.[name] === null || found?.[name] === undefined ? null : wire(found[name])));
  const own = {
    check: { check: guarded((values, request) => plugin.check(read(values), look(request)) ?? abstain()) },
    enrich: { enrich: guarded((values, request) => given(plugin.enrich(read(values), look(request)))) },
    report: { report: guarded((batch) => { plugin.report(rows(batch, names)); }) },
  };
  return { lifecycle, [world]: own[world] };
}
