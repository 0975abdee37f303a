use envoy_types::pb::envoy::{
    config::core::v3::Node,
    data::accesslog::v3::{HttpAccessLogEntry, TcpAccessLogEntry},
    service::accesslog::v3::{
        StreamAccessLogsMessage,
        access_log_service_client::AccessLogServiceClient,
        stream_access_logs_message::{HttpAccessLogEntries, Identifier, LogEntries, TcpAccessLogEntries},
    },
};

use crate::engine::Engine;

#[tokio::test]
async fn envoys_access_log_is_reported() {
    let engine = Engine::start().await;
    let mut client = AccessLogServiceClient::new(engine.channel().await);
    let identifier =
        Identifier { node: Some(Node { id: "cart-envoy".into(), ..Default::default() }), log_name: "shop/cart".into() };
    let http = HttpAccessLogEntries { log_entry: vec![HttpAccessLogEntry::default(); 5] };
    let tcp = TcpAccessLogEntries { log_entry: vec![TcpAccessLogEntry::default(); 2] };
    let messages = [
        StreamAccessLogsMessage { identifier: Some(identifier), log_entries: Some(LogEntries::HttpLogs(http.clone())) },
        StreamAccessLogsMessage { identifier: None, log_entries: Some(LogEntries::HttpLogs(http)) },
        StreamAccessLogsMessage { identifier: None, log_entries: Some(LogEntries::TcpLogs(tcp)) },
    ];
    client.stream_access_logs(tokio_stream::iter(messages)).await.unwrap();
    let status = serde_json::to_value(engine.runtime.status()).unwrap();
    assert_eq!(status["reports"]["observed"], 10);
    assert!(engine.metrics().await.contains("weir_access_log_skipped_total{reason=\"tcp\"} 2"));
}
