#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use http::Request;

use super::*;

fn line(target: &str) -> Box<Line> {
    let connection = Connection::new(([10, 0, 0, 9], 4000).into(), ([10, 0, 0, 1], 80).into(), None, None);
    let head = Request::get(target)
        .header("host", "shop.example")
        .header("user-agent", "a\"b\\c")
        .header("x-request-id", "id-1")
        .header("authorization", "Bearer canary-3")
        .header("cookie", "s=canary-4")
        .body(());
    let mut line = Line::read(&head.unwrap().into_parts().0, Arc::new(connection));
    line.time = 1_700_000_000_123_456_789;
    (line.protocol, line.code, line.details) = ("HTTP/1.1", 200, "via_upstream");
    (line.received, line.sent, line.took) = (3, 5, Duration::from_millis(7));
    line.served = Some(Served {
        peer: ([10, 0, 0, 2], 8080).into(),
        local: ([10, 0, 0, 1], 5000).into(),
        latency: Duration::from_millis(4),
    });
    line.decided = Some(Decided { decision: "allow", id: "d1".into(), reason: "allowed-by-rule".into(), cached: true });
    Box::new(line)
}

fn render(form: LogFormat, line: Box<Line>) -> String {
    let mut buffer = Vec::new();
    Format::new(form, 8080).render(&line, &mut buffer);
    String::from_utf8(buffer).unwrap()
}

#[test]
fn a_text_line_is_istios_default_format() {
    assert_eq!(
        render(LogFormat::Text, line("/cart?token=canary-1")),
        "[2023-11-14T22:13:20.123Z] \"GET /cart HTTP/1.1\" 200 - via_upstream - \"-\" 3 5 7 4 \"-\" \"a\\\"b\\\\c\" \
         \"id-1\" \"shop.example\" \"10.0.0.2:8080\" inbound|8080|| 10.0.0.1:5000 10.0.0.1:80 10.0.0.9:4000 - default\n"
    );
}

#[test]
fn a_json_line_has_istios_keys_and_the_decision() {
    let text = render(LogFormat::Json, line("/cart?token=canary-1"));
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
    let keys = "start_time route_name method path protocol response_code response_flags response_code_details \
                connection_termination_details bytes_received bytes_sent duration upstream_service_time x_forwarded_for \
                user_agent request_id authority upstream_host upstream_cluster upstream_local_address \
                downstream_local_address downstream_remote_address requested_server_name \
                upstream_transport_failure_reason";
    for key in keys.split_whitespace() {
        assert!(object.contains_key(key), "{key}");
    }
    assert_eq!(object["path"], "/cart");
    assert_eq!(object["response_code"], 200);
    assert_eq!(object["check_decision"], "allow");
    assert_eq!(object["check_cached"], true);
    assert_eq!(text.lines().count(), 1);
}

#[test]
fn no_line_tells_a_secret() {
    for form in [LogFormat::Text, LogFormat::Json] {
        assert!(!render(form, line("/cart?token=canary-1&x=canary-2")).contains("canary"));
    }
}
