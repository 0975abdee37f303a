//! Something to protect: answers every request with what it saw. `echo-upstream 127.0.0.1:8081`
#![allow(clippy::expect_used)] // a program for trying things out

use std::net::SocketAddr;

use weir_tests::echo::Echo;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let address = address.parse::<SocketAddr>().expect("usage: echo-upstream IP:PORT");
    let echo = Echo::start_at(address).await.expect("the port is free");
    println!("http {}\nready", echo.address());
    std::future::pending::<()>().await;
}
