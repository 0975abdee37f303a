#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::{
    Mutex,
    atomic::{AtomicBool, AtomicUsize},
};

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

async fn fetch_from(uri: &str, local: bool) -> Result<Jwks, fetch::Error> {
    Fetcher::new().fetch(&KeyPlace::Jwks(uri.into()), local).await
}

async fn fetched(answer: String) -> Result<Jwks, fetch::Error> {
    let (place, _) = server(answer).await;
    fetch_from(&place, true).await
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
        let outcome = fetch_from(&format!("http://{host}:{port}/"), false).await;
        let refused = matches!(outcome, Err(fetch::Error::Forbidden(_) | fetch::Error::Resolve(_) | fetch::Error::Uri));
        assert!(refused, "{host}: {outcome:?}");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    assert!(fetch_from(&place, true).await.is_ok());
}

#[tokio::test]
async fn an_issuers_configuration_says_where_its_keys_are_and_the_same_addresses_are_out_of_bounds() {
    let discover = async |configuration: &str, local| {
        let (uri, asked) = server(ok(configuration)).await;
        let outcome = Fetcher::new().fetch(&KeyPlace::Discovery(uri.into()), local).await;
        (outcome, asked.load(Ordering::Relaxed))
    };
    let (keys, asked) = server(ok(KEY)).await;
    let configuration = format!(r#"{{"issuer": "https://id.example", "jwks_uri": "{keys}"}}"#);
    assert!(discover(&configuration, true).await.0.is_ok());
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    assert!(matches!(discover(&configuration, false).await, (Err(fetch::Error::Forbidden(_)), 0)));
    for bad in ["{}", r#"{"jwks_uri": 5}"#, "[]", "nonsense"] {
        assert!(matches!(discover(bad, true).await.0, Err(fetch::Error::Discovery)), "{bad}");
    }
    for uri in ["file:///etc/passwd", "keys", "gopher://127.0.0.1/"] {
        let outcome = discover(&format!(r#"{{"jwks_uri": "{uri}"}}"#), true).await.0;
        assert!(matches!(outcome, Err(fetch::Error::Uri)), "{uri}: {outcome:?}");
    }
}

/// The loop with an issuer that answers as told: what is published, and when it is asked.
struct Issuer {
    published: Arc<Mutex<Keys>>,
    asked: Arc<Mutex<Vec<(Instant, bool)>>>,
    answers: Arc<AtomicBool>,
    needed: Arc<AtomicBool>,
    place: KeyPlace,
}

impl Issuer {
    fn start() -> Self {
        let place = KeyPlace::Jwks("https://id.example/keys".into());
        let me = Self {
            published: Arc::default(),
            asked: Arc::default(),
            answers: Arc::new(AtomicBool::new(true)),
            needed: Arc::new(AtomicBool::new(true)),
            place: place.clone(),
        };
        let (published, asked, answers, is_needed) =
            (me.published.clone(), me.asked.clone(), me.answers.clone(), me.needed.clone());
        let needed = move || {
            let places = is_needed.load(Ordering::Relaxed).then(|| (place.clone(), PAUSE));
            Some(Needed { places: places.into_iter().collect(), local: false })
        };
        let fetch = move |_, local| {
            asked.lock().unwrap().push((Instant::now(), local));
            let answer = answers.load(Ordering::Relaxed).then(|| Jwks::parse(KEY.as_bytes()).unwrap());
            std::future::ready(answer.ok_or(fetch::Error::Body))
        };
        tokio::spawn(follow(needed, fetch, |_, _| {}, move |keys| *published.lock().unwrap() = keys));
        me
    }

    fn fetched(&self) -> Option<Fetched> {
        self.published.lock().unwrap().fetched(&self.place).cloned()
    }

    fn asked(&self) -> Vec<(Instant, bool)> {
        self.asked.lock().unwrap().clone()
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_that_no_key_fits_start_one_fetch_a_pause() {
    let issuer = Issuer::start();
    tokio::time::sleep(TICK * 2).await;
    assert_eq!(issuer.asked().len(), 1, "asked at once");
    for _ in 0..300 {
        issuer.fetched().unwrap().wanted.store(true, Ordering::Relaxed);
        tokio::time::sleep(TICK / 5).await;
    }
    let asked = issuer.asked();
    assert_eq!(asked.len(), 1 + 3, "15 seconds of such tokens");
    assert!(asked.windows(2).all(|pair| pair[1].0 - pair[0].0 >= PAUSE));
    assert!(asked.iter().all(|(_, local)| !local));
    issuer.fetched().unwrap().wanted.store(false, Ordering::Relaxed);
    tokio::time::sleep(REFRESH - PAUSE).await;
    assert_eq!(issuer.asked().len(), 4, "nobody misses a key");
    tokio::time::sleep(PAUSE * 2).await;
    assert_eq!(issuer.asked().len(), 5, "old keys are fetched again");
}

#[tokio::test(start_paused = true)]
async fn keys_stay_while_fetches_fail_and_go_with_the_rule_that_named_them() {
    let issuer = Issuer::start();
    tokio::time::sleep(TICK * 2).await;
    issuer.answers.store(false, Ordering::Relaxed);
    tokio::time::sleep(REFRESH * 3).await;
    assert!(issuer.asked().len() > 2);
    assert!(issuer.fetched().unwrap().jwks.is_some());
    issuer.needed.store(false, Ordering::Relaxed);
    tokio::time::sleep(TICK * 2).await;
    assert!(issuer.fetched().is_none());
}

#[test]
fn a_place_is_asked_at_once_then_when_old_or_missed_and_never_twice_within_the_pause() {
    let mut places = Places::default();
    let name = KeyPlace::Jwks("https://id.example/keys".into());
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
