use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use weir_proto::v1::{
    CheckRequest, policy_client::PolicyClient, snapshots_client::SnapshotsClient, telemetry_client::TelemetryClient,
};

use crate::engine::Engine;

/// The drain time of these engines is longer than a test may take: a stream that does not end by itself fails it.
#[tokio::test]
async fn open_streams_end_when_the_engine_is_asked_to_stop() {
    let engine = Engine::start().await;
    let channel = engine.channel().await;
    let (_checks, receiver) = mpsc::channel::<CheckRequest>(1);
    let mut policy = PolicyClient::new(channel.clone());
    let mut answers = policy.check_stream(ReceiverStream::new(receiver)).await.unwrap().into_inner();
    assert!(answers.message().await.unwrap().is_some(), "the first notice");
    let (watches, receiver) = mpsc::channel(1);
    watches.send(Default::default()).await.unwrap();
    let mut watched =
        SnapshotsClient::new(channel.clone()).watch(ReceiverStream::new(receiver)).await.unwrap().into_inner();
    assert!(watched.message().await.unwrap().is_some());
    let (reports, receiver) = mpsc::channel(1);
    let reporting =
        tokio::spawn(async move { TelemetryClient::new(channel).report(ReceiverStream::new(receiver)).await });
    reports.send(Default::default()).await.unwrap();
    // Taken: the channel is empty again.
    let _room = reports.reserve().await.unwrap();

    let Engine { serving, at, .. } = engine;
    let stopping = tokio::spawn(serving.shutdown());
    assert!(answers.message().await.unwrap().is_none());
    assert!(watched.message().await.unwrap().is_none());
    let sum = reporting.await.unwrap().unwrap().into_inner();
    assert_eq!((sum.accepted, sum.lost), (0, 0));
    stopping.await.unwrap();
    assert!(tokio::net::TcpStream::connect(at.grpc).await.is_err());
}
