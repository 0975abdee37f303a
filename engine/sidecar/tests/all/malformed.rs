//! Seeded nonsense over a socket: refused or closed, never forwarded as something it is not.

use crate::support::{Engine, Upstream, allow, checked, raw, request, single, text};

const CASES: usize = 300;
const SEED: u64 = 0x5eed_2026;

struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

/// A request that has at least one thing wrong with it.
fn malformed(random: &mut Random) -> Vec<u8> {
    let fault = random.below(9);
    let method = if fault == 0 { random.of(&["", "G T", "GET\0", "G\u{e9}T", "{}"]) } else { "POST" };
    let target =
        if fault == 1 { random.of(&["", "a", "*", "/\0", "/ x", "http://", "//[::", "/%00", "\\"]) } else { "/p" };
    let version =
        if fault == 2 { random.of(&["HTTP/9.9", "HTTP/1.", "http/1.1", "", "HTTP/1.1 x"]) } else { "HTTP/1.1" };
    let host = if fault == 3 { random.of(&["", "a b", "a/b", "u@a", "a:x", "a\0", "a\r\nhost: b"]) } else { "a" };
    let header = match fault {
        4 => random.of(&["x: \0", "x : 1", " x: 1", "x\r\n", ": 1", "x: 1\r y", "\u{7f}: 1", "x(: 1", "x: \u{1}"]),
        5 => random.of(&[
            "content-length: x",
            "content-length: -1",
            "content-length: 1\r\ncontent-length: 2",
            "content-length: 99999999999999999999",
            "content-length: 1 1",
            "content-length: ",
        ]),
        6 => random.of(&[
            "transfer-encoding: x",
            "transfer-encoding: chunked, x",
            "transfer-encoding: chunked\r\ntransfer-encoding: x",
        ]),
        7 => "transfer-encoding: chunked",
        _ => "x: 1",
    };
    let body = if fault == 7 {
        random.of(&["x\r\n", "-1\r\n", "ffffffffffffffffff\r\n", "1\r\nab\r\n", "1;\0\n", "\r\n"])
    } else {
        ""
    };
    let mut bytes =
        format!("{method} {target} {version}\r\nhost: {host}\r\nconnection: close\r\n{header}\r\n\r\n{body}")
            .into_bytes();
    if fault == 8 {
        // Noise in the head, which may leave it well-formed: then it must arrive as it is.
        for _ in 0..1 + random.below(8) {
            let (place, byte) = (random.below(bytes.len()), random.below(256) as u8);
            bytes[place] = byte;
        }
        bytes.extend_from_slice(b"\r\n\r\n");
    }
    bytes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_requests_are_refused_and_the_sidecar_serves_on() {
    let upstream = Upstream::echo().await;
    let engine = Engine::start(|_| allow()).await;
    let mut options = crate::support::options(&upstream);
    options.engine = Some(engine.uri());
    options.cache = false;
    options.timeouts.header = std::time::Duration::from_millis(300);
    options.timeouts.first_byte = options.timeouts.header;
    options.timeouts.stall = options.timeouts.header;
    options.timeouts.idle = options.timeouts.header;
    let sidecar = crate::support::start(options).await;
    let mut random = Random(SEED);
    let mut refused = 0;
    for case in 0..CASES {
        let bytes = malformed(&mut random);
        let answer = raw(sidecar.addresses().http, &bytes).await;
        let shown = String::from_utf8_lossy(&bytes);
        let forwarded = answer.starts_with("HTTP/1.1 200");
        refused += usize::from(!forwarded);
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.1 200"),
            "case {case} of seed {SEED:#x}:\n{shown:?}\n{answer}"
        );
    }
    assert!(refused >= 200, "{refused} of {CASES}");
    assert_eq!(single(sidecar.addresses().http, request("/still-there")).await.status, 200);
    // Everything that arrived had been allowed under the very same path.
    let allowed: Vec<_> =
        engine.asked().iter().map(|asked| text(asked.attributes.as_ref().unwrap(), "request.path")).collect();
    for seen in upstream.seen() {
        assert!(allowed.contains(&Some(seen.target())), "{seen:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn noise_is_no_request_in_any_protocol() {
    let upstream = Upstream::echo().await;
    let engine = Engine::start(|_| allow()).await;
    let sidecar = checked(&upstream, &engine).await;
    let mut random = Random(SEED);
    for case in 0..100 {
        let mut bytes = match case % 3 {
            0 => b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
            1 => b"\x16\x03\x01".to_vec(),
            _ => Vec::new(),
        };
        bytes.extend((0..64 + random.below(256)).map(|_| random.below(256) as u8));
        bytes.extend_from_slice(b"\r\n\r\n");
        let mut stream = tokio::net::TcpStream::connect(sidecar.addresses().http).await.unwrap();
        use tokio::io::AsyncWriteExt as _;
        let _ = stream.write_all(&bytes).await;
    }
    assert_eq!(single(sidecar.addresses().http, request("/still-there")).await.status, 200);
    assert_eq!(upstream.seen().len(), 1);
}
