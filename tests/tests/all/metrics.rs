//! The scrape is what Prometheus' own checker calls clean, and its counts are the requests.

use std::io::Write;
use std::process::{Command, Stdio};
use weir_tests::house::Plan;
use weir_tests::patience;
use weir_tests::tools::{Tool, need};

#[tokio::test]
async fn promtool_finds_nothing_to_say_about_the_scrapes() {
    let Some(promtool) = need(Tool::Promtool, "promtool check metrics") else { return };
    let house = Plan::shop().unwrap().start().await.unwrap();
    let frontend = house.caller("shop", "frontend").unwrap();
    frontend.get("/api/v1/items").await.unwrap();
    frontend.get("/admin").await.unwrap();
    patience::until("the requests are counted", async || {
        (house.engine.metric("istio_requests_total", &[]).await.ok()? >= 2.0).then_some(())
    })
    .await
    .unwrap();
    let scrapes = [house.engine.scrape().await.unwrap(), house.front().unwrap().scrape().await.unwrap()];
    for scrape in scrapes {
        let mut child = Command::new(&promtool)
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(scrape.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        // The names of Istio's metrics are not ours to choose.
        let ours: Vec<_> = said.lines().filter(|line| !line.starts_with("istio_")).collect();
        assert!(ours.is_empty(), "{}", ours.join("\n"));
    }
}

#[tokio::test]
async fn each_request_is_counted_once_with_who_and_what() {
    let house = Plan::shop().unwrap().start().await.unwrap();
    let frontend = house.caller("shop", "frontend").unwrap();
    for _ in 0..3 {
        frontend.get("/api/v1/items").await.unwrap();
    }
    frontend.get("/admin").await.unwrap();
    let who = "source_principal=\"cluster.local/ns/shop/sa/frontend\"";
    let count = async |code: &str| house.engine.metric("istio_requests_total", &[who, code]).await.unwrap();
    patience::until("all four are counted", async || {
        (count("response_code=\"200\"").await + count("response_code=\"403\"").await >= 4.0).then_some(())
    })
    .await
    .unwrap();
    assert_eq!((count("response_code=\"200\"").await, count("response_code=\"403\"").await), (3.0, 1.0));
}
