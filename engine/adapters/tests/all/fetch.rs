//! Components from elsewhere: believed by digest and signature only.

use std::collections::HashMap;
use std::path::Path;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use weir_adapters::{FetchError, Host, HostOptions, Origin, Trust, Wanted, signed_text};

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A server that knows these paths: status, more headers, body.
async fn server(pages: HashMap<String, (u16, String, Vec<u8>)>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let Ok((mut stream, _)) = listener.accept().await else { return };
            let pages = pages.clone();
            tokio::spawn(async move {
                let mut bytes = vec![0; 8192];
                while let Ok(read) = stream.read(&mut bytes).await
                    && read > 0
                {
                    let text = String::from_utf8_lossy(&bytes[..read]).into_owned();
                    let path = text.split(' ').nth(1).unwrap_or_default();
                    let wants_token = path.starts_with("/v2/closed/") && !text.contains("authorization: Bearer t0ken");
                    let (status, headers, body) = match pages.get(path) {
                        _ if wants_token => {
                            let host = text.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
                            (
                                401,
                                format!("www-authenticate: Bearer realm=\"http://{host}/token\",service=\"s\"\r\n"),
                                vec![],
                            )
                        }
                        Some(page) => page.clone(),
                        None => (404, String::new(), Vec::new()),
                    };
                    let head = format!("HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\n\r\n", body.len());
                    let _ = stream.write_all(&[head.as_bytes(), &body].concat()).await;
                }
            });
        }
    });
    base
}

/// The pages of an image of one layer.
fn image(repository: &str, component: &[u8], signature: &str) -> HashMap<String, (u16, String, Vec<u8>)> {
    let layer = json!({"mediaType": "application/wasm", "digest": format!("sha256:{}", hex(component)), "size": component.len()});
    let manifest = json!({"schemaVersion": 2, "layers": [layer], "annotations": {"dev.weir.signature": signature}});
    let manifest = manifest.to_string().into_bytes();
    let index = json!({"schemaVersion": 2, "manifests": [{"digest": format!("sha256:{}", hex(&manifest))}]});
    let page = |body: &[u8]| (200, String::new(), body.to_vec());
    [
        (format!("/v2/{repository}/manifests/1"), page(index.to_string().as_bytes())),
        (format!("/v2/{repository}/manifests/sha256:{}", hex(&manifest)), page(&manifest)),
        (format!("/v2/{repository}/blobs/sha256:{}", hex(component)), page(component)),
    ]
    .into()
}

fn host() -> Host {
    Host::new(HostOptions::default()).unwrap()
}

fn wanted(origin: Origin, sha256: &str) -> Wanted {
    Wanted { origin, sha256: Some(sha256.to_owned()), trust: None }
}

#[tokio::test]
async fn a_component_comes_from_a_url_a_registry_a_layout_or_a_file_and_must_have_its_digest() {
    let temp = tempfile::tempdir().unwrap();
    let component = b"\0asm a component".to_vec();
    let mut pages = image("open/a", &component, "none");
    pages.extend(image("closed/a", &component, "none"));
    pages.insert("/x.wasm".into(), (200, String::new(), component.clone()));
    pages.insert("/moved.wasm".into(), (302, "location: /x.wasm\r\n".into(), Vec::new()));
    pages.insert(
        "/token?service=s&scope=repository:closed/a:pull".into(),
        (200, String::new(), br#"{"token":"t0ken"}"#.to_vec()),
    );
    let base = server(pages).await;
    let file = temp.path().join("x.wasm");
    std::fs::write(&file, &component).unwrap();
    let layout = temp.path().join("layout");
    write_layout(&layout, &component, "none");
    let origins = [
        Origin::File(file),
        Origin::Http(format!("{base}/x.wasm")),
        Origin::Http(format!("{base}/moved.wasm")),
        Origin::Oci(format!("{base}/open/a:1")),
        Origin::Oci(format!("{base}/closed/a:1")),
        Origin::Layout { path: layout.clone(), reference: None },
        Origin::Layout { path: layout, reference: Some("1".into()) },
    ];
    for origin in origins {
        let got = host().fetch(&wanted(origin.clone(), &hex(&component))).await;
        assert_eq!(got.as_deref(), Ok(&*component), "{origin}");
        let error = host().fetch(&wanted(origin.clone(), &hex(b"other"))).await.unwrap_err();
        assert_eq!(error, FetchError::Digest { found: hex(&component), wanted: hex(b"other") }, "{origin}");
    }
}

fn write_layout(folder: &Path, component: &[u8], signature: &str) {
    let blobs = folder.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).unwrap();
    for (path, (_, _, body)) in image("a", component, signature) {
        match path.ends_with("/manifests/1") {
            true => {
                let mut index: serde_json::Value = serde_json::from_slice(&body).unwrap();
                index["manifests"][0]["annotations"] = json!({"org.opencontainers.image.ref.name": "1"});
                std::fs::write(folder.join("index.json"), index.to_string()).unwrap();
            }
            false => std::fs::write(blobs.join(hex(&body)), &body).unwrap(),
        }
    }
}

#[tokio::test]
async fn what_is_not_there_or_not_what_it_says_is_refused_with_the_reason() {
    let temp = tempfile::tempdir().unwrap();
    write_layout(temp.path(), b"component", "none");
    let blob = temp.path().join("blobs/sha256").join(hex(b"component"));
    std::fs::write(&blob, b"tampered").unwrap();
    let base = server([("/loop".into(), (302, "location: /loop\r\n".into(), Vec::new()))].into()).await;
    let cases = [
        (Origin::File(temp.path().join("none.wasm")), "none.wasm: No such file"),
        (Origin::Http(format!("{base}/none.wasm")), "the answer was 404"),
        (Origin::Http(format!("{base}/loop")), "more than 3 redirects"),
        (Origin::Http("http://127.0.0.1:9/x".into()), "Connection refused"),
        (Origin::Oci(format!("{base}/a/b:1")), "the answer was 404"),
        (Origin::Oci("nothing".into()), "that is no image; write REGISTRY/REPOSITORY:TAG"),
        (Origin::Layout { path: temp.path().into(), reference: None }, "what came has the digest"),
        (Origin::Layout { path: temp.path().into(), reference: Some("2".into()) }, "there is no image \"2\""),
    ];
    for (origin, expected) in cases {
        let error = host().fetch(&wanted(origin.clone(), &hex(b"component"))).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{origin}: {error}");
    }
}

#[tokio::test]
async fn a_signature_is_looked_for_beside_the_component_and_must_be_of_a_trusted_key() {
    let (component, mine) = (b"component".to_vec(), Ed25519KeyPair::generate().unwrap());
    let other = Ed25519KeyPair::generate().unwrap();
    let key = |pair: &Ed25519KeyPair| STANDARD.encode(pair.public_key().as_ref());
    let signature = STANDARD.encode(mine.sign(signed_text(&hex(&component)).as_bytes()).as_ref());
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("x.wasm");
    std::fs::write(&file, &component).unwrap();
    std::fs::write(temp.path().join("x.wasm.sig"), &signature).unwrap();
    let layout = temp.path().join("layout");
    write_layout(&layout, &component, &signature);
    let mut pages = image("a/b", &component, &signature);
    pages.insert("/x.wasm".into(), (200, String::new(), component.clone()));
    pages.insert("/x.wasm.sig".into(), (200, String::new(), signature.clone().into_bytes()));
    let base = server(pages).await;
    let origins = [
        Origin::File(file),
        Origin::Http(format!("{base}/x.wasm")),
        Origin::Oci(format!("{base}/a/b:1")),
        Origin::Layout { path: layout, reference: None },
    ];
    for origin in origins {
        for (pair, trusted) in [(&mine, true), (&other, false)] {
            let trust = Some(Trust { keys: vec![key(pair)], value: None });
            let got = host().fetch(&Wanted { trust, ..wanted(origin.clone(), &hex(&component)) }).await;
            assert_eq!(got.is_ok(), trusted, "{origin}: {got:?}");
            assert!(trusted || matches!(got, Err(FetchError::Signature(_))), "{origin}");
        }
    }
}

#[tokio::test]
async fn a_signature_that_is_longer_than_one_can_be_is_none() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("x.wasm");
    std::fs::write(&file, b"component").unwrap();
    let pair = Ed25519KeyPair::generate().unwrap();
    let signature = STANDARD.encode(pair.sign(signed_text(&hex(b"component")).as_bytes()).as_ref());
    let trust = Some(Trust { keys: vec![STANDARD.encode(pair.public_key().as_ref())], value: None });
    let wanted = Wanted { trust, ..wanted(Origin::File(file), &hex(b"component")) };
    for (padding, good) in
        [(weir_adapters::SIGNATURE_BYTES_MAX - 200, true), (weir_adapters::SIGNATURE_BYTES_MAX, false)]
    {
        // What stands around a signature counts too.
        std::fs::write(temp.path().join("x.wasm.sig"), format!("{}{signature}", " ".repeat(padding))).unwrap();
        assert_eq!(host().fetch(&wanted).await.is_ok(), good, "{padding} bytes before it");
    }
}

#[tokio::test]
async fn what_was_fetched_once_comes_from_the_cache_and_a_tampered_copy_does_not() {
    let temp = tempfile::tempdir().unwrap();
    let host = Host::new(HostOptions { cache_dir: Some(temp.path().join("cache")), ..HostOptions::default() }).unwrap();
    let component = b"component".to_vec();
    let base = server([("/x.wasm".into(), (200, String::new(), component.clone()))].into()).await;
    let digest = hex(&component);
    host.fetch(&wanted(Origin::Http(format!("{base}/x.wasm")), &digest)).await.unwrap();
    let gone = wanted(Origin::Http("http://127.0.0.1:9/x.wasm".into()), &digest);
    assert_eq!(host.fetch(&gone).await.as_deref(), Ok(&*component));
    std::fs::write(temp.path().join("cache").join(format!("{digest}.wasm")), b"tampered").unwrap();
    assert!(matches!(host.fetch(&gone).await, Err(FetchError::Fetch { .. })));
}
