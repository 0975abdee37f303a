//! HTTP: damaged requests to the sidecar, and to the engine's own HTTP ports.

use super::{generator, inputs, serves_on};
use crate::story::{allow, deny, workload};
use weir_tests::client::Caller;
use weir_tests::house::{House, Plan};

async fn house() -> House {
    Plan::empty()
        .document("cart.yaml", &workload("cart", "shop"))
        .document("open.yaml", &allow("open", "shop", "/open"))
        .document("closed.yaml", &deny("closed", "shop", "/closed"))
        .plaintext()
        .start()
        .await
        .unwrap()
}

const SEEDS: [&str; 8] = [
    "GET /open HTTP/1.1\r\nHost: a.test\r\n\r\n",
    "GET /closed/%2e%2e/open?x=%00 HTTP/1.1\r\nHost: a.test\r\nX-A: b\r\n\r\n",
    "POST /open HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello",
    "POST /open HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "POST /open HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "GET http://b.test/open HTTP/1.1\r\nHost: a.test\r\nConnection: close, host\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: a.test\r\nX-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n folded\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
];

#[tokio::test]
async fn damaged_requests_are_answered_with_4xx_and_never_pass_as_something_else() {
    let mut house = house().await;
    let mut random = generator(6);
    let ports = [
        house.front().unwrap().http().unwrap(),
        house.front().unwrap().http().unwrap(),
        house.engine.admin().unwrap(),
        house.engine.health().unwrap(),
        house.engine.metrics_address().unwrap(),
        house.front().unwrap().admin().unwrap(),
    ];
    let mut waiting = tokio::task::JoinSet::new();
    for at in 0..inputs() {
        let caller = Caller::to(ports[at % ports.len()]);
        let seed = *random.pick(&SEEDS);
        let mut bytes = random.damage(seed.as_bytes());
        // One that is whole is damage too: to the connection's memory of where requests end.
        bytes.extend_from_slice(if at % 3 == 0 { b"\r\n\r\n" } else { b"" });
        waiting.spawn(async move { (bytes.clone(), caller.raw(&bytes).await.map_err(|trouble| trouble.to_string())) });
        if waiting.len() >= 32 {
            answered(waiting.join_next().await.unwrap().unwrap());
        }
    }
    while let Some(done) = waiting.join_next().await {
        answered(done.unwrap());
    }
    for seen in house.echo.seen() {
        let path = seen["target"].as_str().unwrap().split('?').next().unwrap();
        assert_eq!(path, "/open", "only what the policy allows reaches the upstream: {seen}");
    }
    serves_on(&mut house).await;
}

/// What comes back is HTTP, or nothing.
fn answered((sent, heard): (Vec<u8>, Result<Vec<u8>, String>)) {
    let heard = heard.unwrap_or_default();
    let frames = heard.first().is_some_and(|first| *first == 0) || sent.starts_with(b"PRI");
    let fine = heard.is_empty() || heard.starts_with(b"HTTP/1.") || frames;
    assert!(fine, "{:?}\nsaid to\n{:?}", String::from_utf8_lossy(&heard), String::from_utf8_lossy(&sent));
}

#[tokio::test]
async fn what_the_sidecar_refuses_names_the_header_or_the_path() {
    let mut house = house().await;
    let caller = house.plain_caller().unwrap();
    let many: String = (0..300).map(|at| format!("x-{at}: y\r\n")).collect();
    let table = [
        ("GET /open HTTP/1.1\r\n\r\n".to_owned(), 400, "host"),
        ("GET /open HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".to_owned(), 400, "host"),
        ("GET /open HTTP/1.1\r\nHost: a b\r\n\r\n".to_owned(), 400, "host"),
        ("GET /op%00en HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), 400, "path"),
        ("GET /open HTTP/1.1\r\nHost: a\r\nConnection: host\r\n\r\n".to_owned(), 400, "connection"),
        ("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n".to_owned(), 405, "connect"),
        (format!("GET /open HTTP/1.1\r\nHost: a\r\n{many}\r\n"), 431, ""),
        (format!("GET /open HTTP/1.1\r\nHost: a\r\nx: {}\r\n\r\n", "y".repeat(200_000)), 431, ""),
        ("POST /open HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab".to_owned(), 400, ""),
    ];
    for (request, status, word) in table {
        let heard = String::from_utf8_lossy(&caller.raw(request.as_bytes()).await.unwrap()).to_lowercase();
        let shown: String = request.chars().take(80).collect();
        assert!(heard.starts_with(&format!("http/1.1 {status}")), "{shown:?}: {heard}");
        assert!(heard.contains(word), "{shown:?}: {heard}");
    }
    assert_eq!(house.echo.count(), 0);
    serves_on(&mut house).await;
}
