#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::atomic::AtomicUsize;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::*;

const KEY: &str = r#"{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}"#;

/// A server that gives that answer to everybody, and counts them.
async fn server(answer: String) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = format!("http://{}/keys?a=b", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::Relaxed);
            let mut head = [0; 1024];
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (place, asked)
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

async fn fetched(answer: String) -> Result<Jwks, fetch::Error> {
    let (place, _) = server(answer).await;
    Fetcher::new().fetch(&place, true).await
}

#[tokio::test]
async fn keys_are_taken_from_a_200_and_nothing_else() {
    assert!(fetched(ok(KEY)).await.is_ok());
    let moved = "HTTP/1.1 302 Found\r\nlocation: http://example.com/\r\ncontent-length: 0\r\n\r\n";
    assert!(matches!(fetched(moved.to_owned()).await, Err(fetch::Error::Status(_))));
    assert!(matches!(fetched(ok("{}")).await, Err(fetch::Error::Jwks(_))));
    assert!(matches!(fetched(ok(&" ".repeat(KEYS_BYTES_MAX + 1))).await, Err(fetch::Error::Body)));
    assert!(matches!(fetched("nonsense\r\n\r\n".to_owned()).await, Err(fetch::Error::Http(_))));
}

#[tokio::test]
async fn this_machine_and_link_are_not_asked_unless_that_is_allowed() {
    let (place, asked) = server(ok(KEY)).await;
    let port = place.split([':', '/']).nth(4).unwrap();
    let places =
        ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "0.0.0.0", "[fe80::1]", "[::]"];
    for host in places.into_iter().chain(["[fd00:ec2::254]", "[::127.0.0.1]", "2130706433", "0x7f.1"]) {
        let outcome = Fetcher::new().fetch(&format!("http://{host}:{port}/"), false).await;
        let refused = matches!(outcome, Err(fetch::Error::Forbidden(_) | fetch::Error::Resolve(_) | fetch::Error::Uri));
        assert!(refused, "{host}: {outcome:?}");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    assert!(Fetcher::new().fetch(&place, true).await.is_ok());
}

#[test]
fn a_place_is_asked_at_once_then_when_old_or_missed_and_never_twice_within_the_pause() {
    let mut places = Places::default();
    let name: Arc<str> = "https://id.example/keys".into();
    assert!(places.keep([&name].into_iter()));
    assert!(!places.keep([&name, &name].into_iter()));
    let start = Instant::now();
    assert_eq!(places.begin(start).as_ref(), Some(&name));
    assert_eq!(places.begin(start + REFRESH), None, "it is being fetched");
    places.end(&name, None);
    assert_eq!(places.begin(start + PAUSE / 2), None);
    assert_eq!(places.begin(start + PAUSE).as_ref(), Some(&name), "it has no keys yet");
    let start = start + PAUSE;
    places.end(&name, Some(Jwks::parse(KEY.as_bytes()).unwrap()));
    assert_eq!(places.begin(start + REFRESH - PAUSE), None);
    let wanted = || places.0.get(&name).unwrap().fetched.wanted.clone();
    wanted().store(true, Ordering::Relaxed);
    assert_eq!(places.begin(start + PAUSE / 2), None, "an unknown key asks once a pause");
    assert_eq!(places.begin(start + PAUSE).as_ref(), Some(&name));
    let place = places.0.get(&name).unwrap();
    assert!(!place.fetched.wanted.load(Ordering::Relaxed));
    places.end(&name, None);
    assert!(places.0.get(&name).unwrap().fetched.jwks.is_some(), "old keys stay after a failure");
    assert_eq!(places.begin(start + PAUSE + REFRESH).as_ref(), Some(&name));
    assert!(places.keep(std::iter::empty()));
    places.end(&name, None);
    assert_eq!(places.begin(start + REFRESH * 9), None);
}
