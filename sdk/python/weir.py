"""What a plugin in Python needs: one class to subclass, dataclasses for what it gets and gives, and the host's functions.

The modules of the host are there only if the manifest asks for them; others answer `Refusal("denied", ...)`.
Everything is imported when the plugin is built: inside a call there are no files, so import at the top.
"""

import json as _json
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from importlib import import_module
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple, Union

from componentize_py_types import Err
from weir_inputs import INPUTS, OUTPUTS, Inputs, Outputs
from wit_world.imports import types as _t


def _module(name: str):
    try:
        return import_module("wit_world.imports." + name)
    except ImportError:
        return None


# All at once, when the plugin is built.
_HOST = {name: _module(name) for name in ("log", "metrics", "records", "spans", "kv", "lookup", "http_out", "sinks")}


class Failure(Exception):
    """Raise it: the plugin has no answer, and the failure policy decides.

    `kind` is "internal", "unavailable" or "invalid-input"."""

    def __init__(self, message: str, kind: str = "internal"):
        super().__init__(message)
        self.kind = kind


class Refusal(Exception):
    """The host did not do it: `code` is denied, limited, invalid, unavailable, timeout or other."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Timestamp:
    """Nanoseconds since 1970."""

    ns: int

    @staticmethod
    def of(time: datetime) -> "Timestamp":
        return Timestamp((time - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(microseconds=1) * 1000)

    def datetime(self) -> datetime:
        return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=self.ns // 1000)


@dataclass(frozen=True)
class Duration:
    """Nanoseconds."""

    ns: int

    @staticmethod
    def of(length: timedelta) -> "Duration":
        return Duration(length // timedelta(microseconds=1) * 1000)

    @property
    def ms(self) -> float:
        return self.ns / 1e6

    def timedelta(self) -> timedelta:
        return timedelta(microseconds=self.ns // 1000)


class Pairs(List[Tuple[str, str]]):
    """Names and values in the order of the wire; a list_map has a name more than once."""

    def first(self, name: str) -> Optional[str]:
        return next((value for n, value in self if n == name), None)

    def all(self, name: str) -> List[str]:
        return [value for n, value in self if n == name]


Value = Union[str, int, float, bool, bytes, Timestamp, Duration, Pairs, Dict[str, str], List[str]]


@dataclass(frozen=True)
class Set:
    """Replaces every line of that header."""

    name: str
    value: str


@dataclass(frozen=True)
class Append:
    """Adds a line."""

    name: str
    value: str


@dataclass(frozen=True)
class Remove:
    """Removes every line of that header."""

    name: str


@dataclass
class Verdict:
    """A decision. `reason` is for the decision log, `message` for the client."""

    decision: str
    reason: str = ""
    status: Optional[int] = None
    message: Optional[str] = None
    ttl_ms: Optional[int] = None
    max_uses: Optional[int] = None
    headers: List[Union[Set, Append, Remove]] = field(default_factory=list)
    metadata: Dict[str, Value] = field(default_factory=dict)


def allow(**more: Any) -> Verdict:
    return Verdict("allow", **more)


def deny(reason: str, **more: Any) -> Verdict:
    return Verdict("deny", reason, **more)


def abstain() -> Verdict:
    return Verdict("abstain")


class Request:
    """Attributes beyond the inputs: those under [capabilities] attributes."""

    def __init__(self, bag: Any):
        self._bag = bag

    def get(self, name: str) -> Optional[Value]:
        return _unwire(_asked(lambda: self._bag.get(name)))


class _Plugin:
    def configure(self, config: Dict[str, Any]) -> None:
        """Called once, with what config.schema.json describes."""

    def self_test(self) -> None:
        """If it raises, the old version goes on serving."""

    def tick(self) -> None:
        """Called at the interval of the manifest."""

    def drain(self) -> None:
        """Called before the end."""


class CheckPlugin(_Plugin):
    def check(self, inputs: Inputs, request: Request) -> Optional[Verdict]:
        raise NotImplementedError


class EnrichPlugin(_Plugin):
    def enrich(self, inputs: Inputs, request: Request) -> Outputs:
        raise NotImplementedError


class ReportPlugin(_Plugin):
    def report(self, rows: Iterator[Inputs]) -> None:
        raise NotImplementedError


def _wire(value: Value) -> Any:
    if isinstance(value, str):
        return _t.Value_Text(value)
    if isinstance(value, bool):
        return _t.Value_Boolean(value)
    if isinstance(value, int):
        return _t.Value_Int(value)
    if isinstance(value, float):
        return _t.Value_Double(value)
    if isinstance(value, (bytes, bytearray)):
        return _t.Value_Bytes(bytes(value))
    if isinstance(value, Timestamp):
        return _t.Value_Timestamp(value.ns)
    if isinstance(value, Duration):
        return _t.Value_Duration(value.ns)
    if isinstance(value, Pairs):
        return _t.Value_Pairs(list(value))
    if isinstance(value, dict):
        return _t.Value_Pairs([(name, str(text)) for name, text in value.items()])
    if isinstance(value, (list, tuple)):
        return _t.Value_Texts([str(text) for text in value])
    raise Failure(f"{value!r} is no value; give a text, number, bool, bytes, list, dict, Timestamp or Duration")


def _unwire(value: Any) -> Optional[Value]:
    if value is None:
        return None
    if isinstance(value, _t.Value_Timestamp):
        return Timestamp(value.value)
    if isinstance(value, _t.Value_Duration):
        return Duration(value.value)
    if isinstance(value, _t.Value_Pairs):
        return Pairs(value.value)
    return value.value


def _fields(of: Dict[str, Optional[Value]]) -> List[Tuple[str, Any]]:
    return [(name, _wire(value)) for name, value in of.items() if value is not None]


def _asked(call: Any) -> Any:
    """Calls the host; what it refuses is raised."""
    try:
        return call()
    except Err as refused:
        raise Refusal(refused.value.code.name.lower(), refused.value.message) from None


def _host(name: str, capability: str) -> Any:
    module = _HOST[name]
    if module is None:
        raise Refusal("denied", f"the manifest does not ask for it; add {capability} under [capabilities]")
    return module


class log:
    """Lines in the operator's log. Needs log = true."""

    @staticmethod
    def _line(level: str, message: object) -> None:
        host = _host("log", "log = true")
        _asked(lambda: host.write(host.Level[level], str(message)))

    @staticmethod
    def enabled(level: str) -> bool:
        host = _host("log", "log = true")
        return host.enabled(host.Level[level.upper()])

    @staticmethod
    def trace(message: object) -> None:
        log._line("TRACE", message)

    @staticmethod
    def debug(message: object) -> None:
        log._line("DEBUG", message)

    @staticmethod
    def info(message: object) -> None:
        log._line("INFO", message)

    @staticmethod
    def warn(message: object) -> None:
        log._line("WARN", message)

    @staticmethod
    def error(message: object) -> None:
        log._line("ERROR", message)


def _labels(labels: Iterable[object]) -> List[Any]:
    host = _host("metrics", "metrics = true")
    return [host.Label_Text(str(label)) for label in labels]


class Counter:
    """A counter; make it in `configure`. Needs metrics = true."""

    def __init__(self, name: str, help: str = "", unit: str = "", labels: Iterable[str] = ()):
        host = _host("metrics", "metrics = true")
        self._id = _asked(lambda: host.declare_counter(host.Family(name, help, unit, list(labels))))

    def add(self, labels: Iterable[object] = (), by: int = 1) -> None:
        host = _host("metrics", "metrics = true")
        _asked(lambda: host.add(self._id, _labels(labels), by))


class Histogram:
    """A histogram; make it in `configure`. Buckets are upper bounds in rising order. Needs metrics = true."""

    def __init__(self, name: str, buckets: Iterable[float], help: str = "", unit: str = "", labels: Iterable[str] = ()):
        host = _host("metrics", "metrics = true")
        family, bounds = host.Family(name, help, unit, list(labels)), [float(bound) for bound in buckets]
        self._id = _asked(lambda: host.declare_histogram(family, bounds))

    def observe(self, labels: Iterable[object], *values: float) -> None:
        host = _host("metrics", "metrics = true")
        _asked(lambda: host.observe(self._id, _labels(labels), [float(value) for value in values]))


def emit_record(
    body: str,
    severity: str = "info",
    time: Optional[Timestamp] = None,
    attributes: Dict[str, Optional[Value]] = {},
    trace_id: str = "",
    span_id: str = "",
) -> None:
    """A log record about a request. Needs records = true."""
    host = _host("records", "records = true")
    at = None if time is None else time.ns
    record = host.LogRecord(at, host.Severity[severity.upper()], body, _fields(attributes), trace_id, span_id)
    _asked(lambda: host.emit(record))


def emit_span(
    trace_id: str,
    span_id: str,
    name: str,
    start: Timestamp,
    duration: Duration,
    parent_id: str = "",
    kind: str = "internal",
    attributes: Dict[str, Optional[Value]] = {},
    status: str = "unset",
    error: str = "",
) -> None:
    """A finished span. `status` is unset, ok or error. Needs spans = true."""
    host = _host("spans", "spans = true")
    ended = {"unset": host.Status_Unset, "ok": host.Status_Ok}.get(status, lambda: host.Status_Error(error))()
    side = host.SpanKind[kind.upper()]
    span = host.Span(trace_id, span_id, parent_id, name, side, start.ns, duration.ns, _fields(attributes), ended)
    _asked(lambda: host.emit(span))


def _bytes(value: Union[str, bytes]) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)


class Store:
    """A store that all instances share. Needs its name under kv."""

    def __init__(self, name: str):
        self._name = name

    def _use(self, call: Any) -> Any:
        host = _host("kv", f'kv = ["{self._name}"]')
        return _asked(lambda: call(host))

    def get(self, key: str) -> Optional[bytes]:
        return self._use(lambda kv: kv.get(self._name, key))

    def set(self, key: str, value: Union[str, bytes], ttl_ms: Optional[int] = None) -> None:
        self._use(lambda kv: kv.set(self._name, key, _bytes(value), ttl_ms))

    def insert(self, key: str, value: Union[str, bytes], ttl_ms: Optional[int] = None) -> bool:
        """Only if there is none; says whether it did."""
        return self._use(lambda kv: kv.insert(self._name, key, _bytes(value), ttl_ms))

    def increment(self, key: str, by: int = 1, ttl_ms: Optional[int] = None) -> int:
        """Adds to a number, 0 at first, and gives the sum."""
        return self._use(lambda kv: kv.increment(self._name, key, by, ttl_ms))

    def delete(self, key: str) -> bool:
        return self._use(lambda kv: kv.delete(self._name, key))


def lookup(table: str, key: str) -> Optional[Dict[str, Value]]:
    """The row of that key. Needs the table's name under lookup."""
    host = _host("lookup", f'lookup = ["{table}"]')
    row = _asked(lambda: host.get(table, key))
    return None if row is None else {name: _unwire(value) for name, value in row}


@dataclass
class Answer:
    status: int
    headers: Pairs
    body: bytes

    def text(self) -> str:
        return self.body.decode(errors="replace")

    def json(self) -> Any:
        return _json.loads(self.body)


def request(
    upstream: str,
    method: str = "GET",
    path: str = "/",
    headers: Union[Dict[str, str], List[Tuple[str, str]]] = {},
    body: Union[str, bytes] = b"",
    timeout_ms: Optional[int] = None,
) -> Answer:
    """Asks an upstream; any status is an answer. Needs its name under http-out."""
    host = _host("http_out", f'http-out = ["{upstream}"]')
    lines = list(headers.items()) if isinstance(headers, dict) else list(headers)
    asked = host.Request(upstream, method, path, lines, _bytes(body), timeout_ms)
    answer = _asked(lambda: host.send(asked))
    return Answer(answer.status, Pairs(answer.headers), answer.body)


def emit(sink: str, payload: Union[str, bytes]) -> None:
    """One message to a sink. Needs its name under sinks."""
    host = _host("sinks", f'sinks = ["{sink}"]')
    _asked(lambda: host.emit(sink, _bytes(payload)))


@dataclass(frozen=True)
class Binding:
    """An input that the operator bound beyond those of the manifest."""

    name: str
    kind: str


bindings: List[Binding] = []


# What follows is for the entry that is written from the manifest.


def guarded(call: Any) -> Any:
    """Whatever is raised becomes the contract's failure."""
    try:
        return call()
    except Failure as failure:
        case = {"unavailable": _t.Failure_Unavailable, "invalid-input": _t.Failure_InvalidInput}
        raise Err(case.get(failure.kind, _t.Failure_Internal)(str(failure))) from None
    except Refusal as refusal:
        gone = refusal.code in ("unavailable", "timeout")
        raise Err((_t.Failure_Unavailable if gone else _t.Failure_Internal)(str(refusal))) from None
    except Err:
        raise
    except Exception as bug:
        trace, place = bug.__traceback__, ""
        while trace is not None:
            place = f" ({trace.tb_frame.f_code.co_filename}:{trace.tb_lineno})"
            trace = trace.tb_next
        raise Err(_t.Failure_Internal(f"{type(bug).__name__}: {bug}{place}")) from None


def configure(plugin: _Plugin, setup: Any) -> None:
    bindings[:] = [Binding(bound.name, bound.kind.name.lower()) for bound in setup.bindings]
    plugin.configure(_json.loads(setup.config))


def read(values: List[Any]) -> Inputs:
    given = [_unwire(value) for value in values]
    bound = {binding.name: value for binding, value in zip(bindings, given[len(INPUTS) :])}
    return Inputs(**dict(zip(INPUTS, given)), bound=bound)


def found(outputs: Optional[Outputs]) -> List[Any]:
    values = [getattr(outputs, name, None) for name in OUTPUTS]
    return [None if value is None else _wire(value) for value in values]


def rows(batch: Any) -> Iterator[Inputs]:
    symbols = batch.symbols
    readers = {
        "Data_Texts": lambda of: symbols[of],
        "Data_Timestamps": Timestamp,
        "Data_Durations": Duration,
        "Data_Pairs": lambda of: Pairs((symbols[name], symbols[value]) for name, value in of),
        "Data_Lists": lambda of: [symbols[text] for text in of],
    }
    columns = [(readers.get(type(c.data).__name__, lambda of: of), c.data.value, c.present) for c in batch.columns]
    for row in range(batch.rows):
        given = [None if there and not there[row] else read(data[row]) for read, data, there in columns]
        bound = {binding.name: value for binding, value in zip(bindings, given[len(INPUTS) :])}
        yield Inputs(**dict(zip(INPUTS, given)), bound=bound)


def verdict(said: Optional[Verdict], check: Any) -> Any:
    said = said or abstain()

    def header(op: Any) -> Any:
        if isinstance(op, Set):
            return check.HeaderOp_Set((op.name, op.value))
        if isinstance(op, Append):
            return check.HeaderOp_Append((op.name, op.value))
        return check.HeaderOp_Remove(op.name)

    return check.Verdict(
        check.Decision[said.decision.upper()],
        said.status,
        said.message,
        said.reason,
        said.ttl_ms,
        said.max_uses,
        [header(op) for op in said.headers],
        _fields(said.metadata),
    )
