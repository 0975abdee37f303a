//! An author's way: from `weir plugin new` to a component that others fetch.

use std::collections::HashMap;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use weir_tests::repository;
use weir_tests::tools::{Tool, need};

use crate::readme::keeps_its_word;

/// Runs `weir plugin` in a folder.
fn plugin(folder: &Path, arguments: &[&str]) -> Output {
    let mut weir = Command::new(repository::weir().unwrap());
    weir.arg("plugin").args(arguments).current_dir(folder).env("WEIR_CACHE", repository::plugin_tools());
    // What others have built for plugins in Rust is not built again.
    weir.env("CARGO_TARGET_DIR", repository::target().join("author")).output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// What it prints, and that it ended well.
fn well(folder: &Path, arguments: &[&str]) -> String {
    let output = plugin(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}\n{}", output.status, said(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What it says when it has a finding.
fn finds(folder: &Path, arguments: &[&str]) -> String {
    let output = plugin(folder, arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", said(&output));
    said(&output)
}

/// A new plugin's folder.
fn new(within: &Path, language: &str, world: &str, name: &str) -> PathBuf {
    well(within, &["new", "--lang", language, "--world", world, &format!("acme/{name}")]);
    within.join(name)
}

/// The tutorial's commands in a language, run from its text.
async fn tutorial(language: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (tools, target) = (repository::plugin_tools(), repository::target().join("author"));
    let environment = [
        ("LANGUAGE", language),
        ("WEIR_CACHE", tools.to_str().unwrap()),
        // What others have built for plugins in Rust is not built again.
        ("CARGO_TARGET_DIR", target.to_str().unwrap()),
    ];
    let heading = "Write one, in any of four languages";
    keeps_its_word(Path::new("sdk/README.md"), heading, 9, folder.path(), &environment).await;
}

#[tokio::test]
async fn the_tutorial_does_what_it_says_in_rust() {
    tutorial("rust").await;
}

#[tokio::test]
async fn the_tutorial_does_what_it_says_in_c() {
    if need(Tool::PluginC, "the tutorial in C").is_some() {
        tutorial("c").await;
    }
}

#[tokio::test]
async fn the_tutorial_does_what_it_says_in_javascript() {
    if need(Tool::PluginJs, "the tutorial in JavaScript").is_some() {
        tutorial("js").await;
    }
}

#[tokio::test]
async fn the_tutorial_does_what_it_says_in_python() {
    if need(Tool::PluginPy, "the tutorial in Python").is_some() {
        tutorial("py").await;
    }
}

/// The plugin that uses everything of the contract, with its source in one language.
fn everything(language: &str, sources: &[&str]) {
    let from = repository::root().join("sdk/examples/everything");
    let folder = tempfile::tempdir().unwrap();
    let shared = ["weir-plugin.toml", "config.schema.json", "test.yaml"];
    for file in shared.iter().chain(sources) {
        let to = folder.path().join(file);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from.join(file), to).unwrap();
    }
    let tested = well(folder.path(), &["test"]);
    assert!(tested.contains("5 passed, 0 failed"), "{language}: {tested}");
    assert!(well(folder.path(), &["test", "--chaos"]).contains(" 0 failed"), "{language}");
}

#[test]
fn the_whole_contract_is_there_in_rust() {
    everything("rust", &["Cargo.toml", "src/lib.rs"]);
}

#[test]
fn the_whole_contract_is_there_in_c() {
    if need(Tool::PluginC, "the whole contract in C").is_some() {
        everything("c", &["plugin.c"]);
    }
}

#[test]
fn the_whole_contract_is_there_in_javascript() {
    if need(Tool::PluginJs, "the whole contract in JavaScript").is_some() {
        everything("js", &["plugin.js"]);
    }
}

#[test]
fn the_whole_contract_is_there_in_python() {
    if need(Tool::PluginPy, "the whole contract in Python").is_some() {
        everything("py", &["plugin.py"]);
    }
}

/// The C plugin, the quickest to build.
fn built(within: &Path) -> PathBuf {
    let root = new(within, "c", "check", "teams");
    well(&root, &["build"]);
    root
}

#[test]
fn a_case_that_is_not_so_is_a_finding_with_its_place() {
    if need(Tool::PluginC, "cases of plugins").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let root = built(folder.path());
    for (yaml, problem) in [
        (
            "case: wrong\nconfig: {teams: []}\nrequest: {request: {method: GET, headers: {x-team: a}}}\nexpect: {decision: allow, status: 401}\n",
            "c.yaml:1: decision: expected \"allow\", was \"deny\"",
        ),
        (
            "case: wrong\nrequest: {request: {method: GET}}\nexpect: {decision: deny}\n",
            "config: \"teams\" is a required",
        ),
        ("case: wrong\nconfig: {teams: []}\nexpect: {decisio: deny}\n", "expect.decisio is not known"),
        ("case: wrong\nconfig: {teams: []}\nrequest: {request: {methud: GET}}\n", "request.methud"),
        ("case: wrong\nconfig: {teams: []}\nrequest: {source: {principal: a}}\n", "the request has no request.method"),
    ] {
        std::fs::write(root.join("c.yaml"), yaml).unwrap();
        let told = finds(&root, &["test", "--file", "c.yaml"]);
        assert!(told.contains(problem), "{problem}\n{told}");
    }
    assert!(well(&root, &["bench", "--ms", "20"]).contains("no team, no opinion"));
    let unknown = plugin(&root, &["test", "--case", "no such case"]);
    assert_eq!(unknown.status.code(), Some(2), "{}", said(&unknown));
}

#[test]
fn a_source_that_does_not_compile_is_a_finding() {
    if need(Tool::PluginC, "sources of plugins").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let root = new(folder.path(), "c", "check", "teams");
    std::fs::write(root.join("plugin.c"), "#include \"plugin.h\"\nint x = ;\n").unwrap();
    assert!(finds(&root, &["build"]).contains("plugin.c:2"));
}

#[test]
fn only_the_trusted_signature_and_the_digest_verify() {
    if need(Tool::PluginC, "signatures of plugins").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let root = built(folder.path());
    let mine = well(&root, &["keygen", "mine.key"]);
    let other = well(&root, &["keygen", "other.key"]);
    let again = plugin(&root, &["keygen", "mine.key"]);
    assert_eq!(again.status.code(), Some(3), "a key is never overwritten");
    let file = "dist/teams.wasm";
    assert!(finds(&root, &["verify", file, "--key", mine.trim()]).contains("signature"));
    let signed = well(&root, &["sign", "--key", "mine.key"]);
    let digest = signed.trim().rsplit(' ').next().unwrap().to_owned();
    assert!(well(&root, &["verify", file, "--key", mine.trim(), "--sha256", &digest]).contains("of a trusted key"));
    assert!(finds(&root, &["verify", file, "--key", other.trim()]).contains("none of the trusted keys"));
    assert!(finds(&root, &["verify", file, "--sha256", &"0".repeat(64)]).contains(&digest));
    well(&root, &["push", "--to", "layout:image:1.0"]);
    well(&root, &["push", "--to", "layout:image:2.0"]);
    for name in ["1.0", "2.0"] {
        well(&root, &["verify", &format!("layout:image:{name}"), "--key", mine.trim()]);
    }
    assert_eq!(plugin(&root, &["verify", "layout:image:3.0"]).status.code(), Some(3));
}

/// A process that ends with its story.
struct Running(std::process::Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What is answered to a GET of `x-team`: the status line and the body.
fn ask(address: &str, team: &str) -> String {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(stream, "GET / HTTP/1.1\r\nhost: a\r\nx-team: {team}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn dev_swaps_in_what_is_saved_and_keeps_the_old_one_when_it_does_not_build() {
    if need(Tool::PluginC, "weir plugin dev").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let root = built(folder.path());
    let mut dev = Command::new(repository::weir().unwrap());
    dev.args(["plugin", "dev", "--listen", "127.0.0.1:0"]).current_dir(&root);
    dev.env("WEIR_CACHE", repository::plugin_tools()).stdout(std::process::Stdio::piped());
    let mut dev = Running(dev.stderr(std::process::Stdio::null()).spawn().unwrap());
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(dev.0.stdout.take().unwrap())).map(Result::unwrap);
    let listening = lines.by_ref().find(|line| line.starts_with("listening on http://")).unwrap();
    let address = listening.trim_start_matches("listening on http://").split(';').next().unwrap().to_owned();
    assert!(ask(&address, "red").starts_with("HTTP/1.1 200"));
    assert!(ask(&address, "green").contains("team green is not known here"));
    let seen = lines.by_ref().find(|line| line.contains("x-team]=\"green\"")).unwrap();
    assert!(seen.contains("request.method=\"GET\""), "{seen}");
    let source = std::fs::read_to_string(root.join("plugin.c")).unwrap();
    std::fs::write(root.join("plugin.c"), source.replace("is not known here", "is a stranger")).unwrap();
    lines.by_ref().find(|line| line.contains("2 of 3 cases pass")).unwrap();
    assert!(ask(&address, "green").contains("team green is a stranger"));
    std::fs::write(root.join("plugin.c"), "no C at all").unwrap();
    assert!(ask(&address, "green").contains("team green is a stranger"));
}

type Kept = Arc<Mutex<HashMap<String, Bytes>>>;

/// A registry: uploads in one piece, manifests and blobs by name.
async fn registry(request: Request<Incoming>, kept: Kept) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let path = head.uri.path().to_owned();
    let answer = |status| Response::builder().status(status);
    let mut kept = kept.lock().unwrap();
    let response = match head.method {
        Method::POST if path.ends_with("/blobs/uploads/") => {
            answer(StatusCode::ACCEPTED).header("location", format!("{path}7?state=x")).body(Full::default())
        }
        Method::PUT => {
            let digest = head.uri.query().and_then(|query| query.split("digest=").nth(1));
            let name = match digest {
                Some(digest) => format!("/v2/acme/teams/blobs/{digest}"),
                None => path,
            };
            kept.insert(name, body);
            answer(StatusCode::CREATED).body(Full::default())
        }
        _ => match kept.get(&path) {
            Some(bytes) => answer(StatusCode::OK).body(Full::new(bytes.clone())),
            None => answer(StatusCode::NOT_FOUND).body(Full::default()),
        },
    };
    Ok(response.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pushed_to_a_registry_is_what_an_engine_fetches() {
    if need(Tool::PluginC, "plugins in a registry").is_none() {
        return;
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let kept = Kept::default();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let kept = kept.clone();
            let service = hyper::service::service_fn(move |request| registry(request, kept.clone()));
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    let story = move || {
        let folder = tempfile::tempdir().unwrap();
        let root = built(folder.path());
        let key = well(&root, &["keygen", "mine.key"]);
        well(&root, &["sign", "--key", "mine.key"]);
        let image = format!("http://{address}/acme/teams:1.0");
        assert!(well(&root, &["push", "--to", &image]).contains("signed"));
        let verified = well(&root, &["verify", &format!("oci://{image}"), "--key", key.trim()]);
        assert!(verified.contains("acme/teams 0.1.0, a check plugin"), "{verified}");
        let absent = plugin(&root, &["verify", &format!("oci://http://{address}/acme/teams:9")]);
        assert_eq!(absent.status.code(), Some(3), "{}", said(&absent));
    };
    tokio::task::spawn_blocking(story).await.unwrap();
}
