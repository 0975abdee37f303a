//! Uses everything that the contract has.

use std::time::Duration;

use weir::http::Request;
use weir::kv::Store;
use weir::{Bag, Configure, Counter, Failure, Family, Histogram, Label, LogRecord, RefusalCode, Severity, Span, SpanKind};
use weir::{HeaderOp, SpanStatus, Value, Verdict, emit, log, lookup};

#[derive(serde::Deserialize)]
struct Config {
    greeting: String,
    limits: Vec<i64>,
}

struct State {
    config: Config,
    total: Counter,
    size: Histogram,
}

impl Configure for State {
    fn configure(json: &str) -> Result<Self, Failure> {
        let family = |name| Family::new(name, "An example.").labels(&["team"]);
        Ok(State {
            config: Config::configure(json)?,
            total: family("everything_total").counter()?,
            size: family("everything_size").unit("By").histogram(&[1.0, 2.0])?,
        })
    }
}

const SEEN: Store<'_> = Store::new("seen");

#[weir::check(tick = tick, drain = drain, self_test = self_test)]
fn check(inputs: Inputs, state: &State, request: &Bag) -> Result<Verdict, Failure> {
    let Some(user) = inputs.request_headers_x_user else { return Err(Failure::InvalidInput("no user".into())) };
    let seen = SEEN.increment(&user, 1, Some(Duration::from_secs(60)))?;
    SEEN.set("last", user.as_bytes(), None)?;
    SEEN.insert("first", user.as_bytes(), None)?;
    SEEN.delete("gone")?;
    let Some(row) = lookup("users", &user)? else {
        return Ok(Verdict::deny(format!("stranger number {seen}")).status(401).message("who are you?"));
    };
    let answer = Request::post("auth", "/ask", user.as_bytes()).header("x-user", &user).timeout(Duration::from_millis(500)).send()?;
    if answer.status != 200 {
        return Ok(Verdict::deny(format!("auth said {}", answer.status)));
    }
    if answer.text() != r#"{"ok":true}"# || answer.header("x-ok") != Some("yes") || SEEN.get("last")?.is_none() {
        return Err("another answer was expected".into());
    }
    let team = row.get("team").and_then(Value::as_text).unwrap_or_default().to_owned();
    let host = request.get("request.host")?;
    let host = host.as_ref().and_then(Value::as_text).unwrap_or("nowhere");
    let limit = state.config.limits.last().copied().unwrap_or_default();
    let a = inputs.request_headers_all.get("x-a").unwrap_or_default();
    log::info(format!("{} {limit} {host} {a} {}", state.config.greeting, inputs.request_headers_all.0.len()));
    if let Err(refusal) = request.get("request.path") {
        log::warn(if refusal.code == RefusalCode::Denied { "denied" } else { "?" });
    }
    state.total.add(&[Label::from(&*team)], 3)?;
    state.size.observe_all(&[Label::from(&*team)], &[1.5, 2.5])?;
    let (trace, span) = ("0123456789abcdef0123456789abcdef", "0123456789abcdef");
    let record = LogRecord::new("checked").severity(Severity::Warn).time(inputs.request_time).trace(trace, span);
    record.attribute("user", &*user).attribute("seen", seen).attribute("share", 0.5).attribute("good", true).emit()?;
    let whole = Span::new(trace, span, &*inputs.request_method).kind(SpanKind::Server).parent("1123456789abcdef");
    let whole = whole.time(inputs.request_time.unwrap_or_default(), Duration::from_millis(5));
    whole.attribute("user", &*user).status(SpanStatus::Error("slow".into())).emit()?;
    emit("audit", format!("user={user}").as_bytes())?;
    let verdict = Verdict::allow().set_header("x-team", &team).header(HeaderOp::Append(("x-seen".into(), seen.to_string())));
    let mut verdict = verdict.header(HeaderOp::Remove("x-secret".into())).ttl(Duration::from_secs(1)).max_uses(5);
    verdict.reason = "known".into();
    let verdict = verdict.metadata("team", &*team).metadata("seen", seen);
    let more = [("age", row.get("age")), ("risk", inputs.bound.get("risk"))];
    Ok(more.into_iter().fold(verdict, |verdict, (name, value)| match value {
        Some(value) => verdict.metadata(name, value.clone()),
        None => verdict,
    }))
}

fn tick(_: &State) -> Result<(), Failure> {
    Ok(SEEN.set("tick", b"1", None)?)
}

fn drain(_: &State) -> Result<(), Failure> {
    Ok(emit("audit", b"bye")?)
}

fn self_test(state: &State) -> Result<(), Failure> {
    if state.config.greeting.is_empty() { Err("no greeting".into()) } else { Ok(()) }
}
