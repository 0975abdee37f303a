//! The floor of the proxy path: hyper 1 and hyper-util's legacy client on one thread, nothing else.
#![allow(clippy::unwrap_used)] // a benchmark that cannot run must stop

use hyper::{Request, Uri, body::Incoming, service::service_fn};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let upstream = std::env::args().nth(1).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("http {}\nready", listener.local_addr().unwrap());
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Client<_, Incoming> = Client::builder(TokioExecutor::new()).build(connector);
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let _ = stream.set_nodelay(true);
        let (client, upstream) = (client.clone(), upstream.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            let path = request.uri().path_and_query().map_or("/", |target| target.as_str());
            *request.uri_mut() =
                Uri::builder().scheme("http").authority(upstream.as_str()).path_and_query(path).build().unwrap();
            client.request(request)
        });
        tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}
