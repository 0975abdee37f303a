//! The admin and health ports, and ports that are taken.

use http::StatusCode;
use serde_json::Value;

use crate::support::{Engine, Upstream, allow, checked, options, request, single};

#[tokio::test]
async fn the_admin_port_tells_state_configuration_limits_and_metrics() {
    let upstream = Upstream::echo().await;
    let engine = Engine::start(|_| allow()).await;
    let sidecar = checked(&upstream, &engine).await;
    single(sidecar.addresses().http, request("/secret-path?canary")).await;
    let admin = sidecar.addresses().admin;
    let mut all = String::new();
    for path in ["/status", "/config", "/limits", "/cache", "/stats/prometheus"] {
        let answer = single(admin, request(path)).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        let text = String::from_utf8(answer.body.to_vec()).unwrap();
        if path != "/stats/prometheus" {
            let _: Value = serde_json::from_str(&text).expect(path);
        }
        all.push_str(&text);
    }
    assert!(!all.contains("canary") && !all.contains("secret-path"), "{all}");
    assert!(all.contains("weir_sidecar_requests_total{code=\"200\"} 1"), "{all}");
    let status: Value = serde_json::from_slice(&single(admin, request("/status")).await.body).unwrap();
    assert_eq!(status["ready"], true);
    assert_eq!(status["engine"]["reached"], true);
    let limits: Value = serde_json::from_slice(&single(admin, request("/limits")).await.body).unwrap();
    assert_eq!(limits.as_array().unwrap().len(), weir_sidecar::limits().len());
}

#[tokio::test]
async fn ready_means_that_the_engine_was_reached() {
    let upstream = Upstream::echo().await;
    let mut options = options(&upstream);
    options.engine = Some(Upstream::absent().await.uri());
    let sidecar = weir_sidecar::start(options).await.unwrap();
    let health = sidecar.addresses().health;
    assert_eq!(single(health, request("/healthz/live")).await.status, StatusCode::OK);
    assert_eq!(single(health, request("/healthz/ready")).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(single(health, request("/metrics")).await.status, StatusCode::OK);
    let engine = Engine::start(|_| allow()).await;
    let sidecar = checked(&upstream, &engine).await;
    assert_eq!(single(sidecar.addresses().health, request("/healthz/ready")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_busy_port_is_named_with_its_flag() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    let upstream = Upstream::echo().await;
    for flag in ["--listen", "--admin", "--health"] {
        let mut options = options(&upstream);
        match flag {
            "--listen" => options.listen = address,
            "--admin" => options.admin = address,
            _ => options.health = address,
        }
        let error = weir_sidecar::start(options).await.unwrap_err().to_string();
        assert!(error.contains(&address.to_string()) && error.contains(flag), "{error}");
    }
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_at_the_start() {
    let upstream = Upstream::echo().await;
    for bad in ["https://a:1", "http://a:1/path", "http://user@a:1"] {
        let mut options = options(&upstream);
        options.upstream = bad.parse().unwrap();
        assert!(weir_sidecar::start(options).await.unwrap_err().to_string().contains("--upstream"), "{bad}");
    }
    for bad in ["https://a:1", "ftp://a:1"] {
        let mut options = options(&upstream);
        options.engine = Some(bad.parse().unwrap());
        assert!(weir_sidecar::start(options).await.unwrap_err().to_string().contains("--engine"), "{bad}");
    }
}
