//! `weir plugin dev`: the plugin behind a port, built again whenever a file is saved.

mod seen;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use clap::Args;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value as Json;
use tokio::net::TcpListener;

use super::project::{Folder, Project, newest};
use super::test::Stage;
use super::{build, test, wait};
use crate::failure::Failure;
use crate::terminal::say;

/// How often files are looked at.
const LOOK: Duration = Duration::from_millis(250);

/// Runs the plugin behind a port, in the engine's own host: every HTTP request is asked about, and printed with what the plugin
/// saw and said. When a file is saved it is built again, its tests are run, and it is swapped in; what fails is said, and the
/// old one goes on.
///
/// The configuration is that of adapter.yaml; upstreams, tables and stores are the mocks of the first case of test.yaml. An
/// engine that has adapter.yaml in its folder reloads dist/NAME.wasm by itself as well.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  weir plugin dev &
  curl -i -H 'x-team: red' http://127.0.0.1:8181/cart")]
pub(super) struct Dev {
    #[command(flatten)]
    folder: Folder,
    /// Where to listen; port 0 picks a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8181")]
    listen: SocketAddr,
}

/// The one that serves.
type Serving = Arc<Mutex<Arc<Stage>>>;

impl Dev {
    pub(super) fn run(self) -> Result<(), Failure> {
        let project = self.folder.open()?;
        let heard = test::listen();
        wait(async {
            let mut changed = changes(&project);
            let first = stage(&project, &heard).await?;
            let serving: Serving = Arc::new(Mutex::new(Arc::new(first)));
            let listener = TcpListener::bind(self.listen).await.map_err(Failure::unreachable)?;
            let address = listener.local_addr().map_err(Failure::unreachable)?;
            say(&format!("listening on http://{address}; save a file to build it again, Ctrl-C ends it\n"));
            tokio::spawn(serve(listener, serving.clone()));
            loop {
                tokio::time::sleep(LOOK).await;
                let now = changes(&project);
                if now == changed {
                    continue;
                }
                changed = now;
                let reopened = Project::open(&project.root);
                let next = match reopened {
                    Ok(project) => stage(&project, &heard).await,
                    Err(failure) => Err(failure),
                };
                match next {
                    Ok(next) => *serving.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(next),
                    Err(Failure::Usage(text) | Failure::Unreachable(text)) => say(&format!("{text}\n")),
                    Err(Failure::Finding) => {}
                }
            }
        })
    }
}

/// When sources, tests and the operator's side were changed.
fn changes(project: &Project) -> Vec<Option<SystemTime>> {
    let time = |name: &str| std::fs::metadata(project.root.join(name)).and_then(|file| file.modified()).ok();
    vec![newest(&project.root).ok(), time("test.yaml"), time("adapter.yaml")]
}

/// Builds what is stale, runs the tests, and starts the plugin.
async fn stage(project: &Project, heard: &test::Heard) -> Result<Stage, Failure> {
    let wasm = tokio::task::block_in_place(|| build::fresh(project))?;
    let cases = test::read(&project.root.join("test.yaml"), project.manifest.world)?;
    let stage = Stage::new(wasm, heard, &cases, config(project)?).await?;
    let (passed, problems) = stage.tested(&cases).await?;
    problems.iter().for_each(|problem| say(&format!("{problem}\n")));
    say(&format!("serving {}: {passed} of {} cases pass\n", project.manifest.name, cases.len()));
    Ok(stage)
}

/// What adapter.yaml configures.
fn config(project: &Project) -> Result<Json, Failure> {
    let file = project.root.join("adapter.yaml");
    let text = std::fs::read_to_string(&file).map_err(|e| Failure::Usage(format!("{}: {e}", file.display())))?;
    let documents = test::documents_of(&file, &text)?;
    let adapter = documents.iter().find(|one| one.get("kind").and_then(Json::as_str) == Some("Adapter"));
    let config = adapter.and_then(|adapter| adapter.get("spec")?.get("config"));
    Ok(config.cloned().unwrap_or_default())
}

async fn serve(listener: TcpListener, serving: Serving) {
    while let Ok((stream, from)) = listener.accept().await {
        let serving = serving.clone();
        tokio::spawn(async move {
            let service = service_fn(|request: Request<Incoming>| {
                let stage = serving.lock().unwrap_or_else(PoisonError::into_inner).clone();
                async move { Ok::<_, std::convert::Infallible>(answer(&stage, &request, from).await) }
            });
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// Asks the plugin, prints what it saw and said, and answers as a proxy would.
async fn answer(stage: &Stage, request: &Request<Incoming>, from: SocketAddr) -> Response<Full<Bytes>> {
    let bag = match seen::bag(request, from) {
        Ok(bag) => bag,
        Err(why) => return plain(400, format!("{why}\n")),
    };
    let actual = stage.ask(&bag).await;
    let inputs = seen::inputs(&stage.manifest, &bag);
    let said: Vec<String> =
        actual.iter().filter(|(_, value)| tells(value)).map(|(name, of)| format!("{name}: {of}")).collect();
    say(&format!("{} {}\n  saw  {}\n  said {}\n", request.method(), request.uri(), inputs.join(", "), said.join(", ")));
    let text = |name: &str| actual.get(name).and_then(Json::as_str);
    let failed = text("failure").is_some();
    let denied = failed || text("decision") == Some("deny");
    let status = actual.get("status").and_then(Json::as_u64).unwrap_or(403);
    match denied {
        true => plain(u16::try_from(status).unwrap_or(403), format!("{}\n", text("message").unwrap_or("denied"))),
        false => plain(200, format!("{}\n", Json::Object(actual))),
    }
}

/// Whether a part of an outcome is worth a word.
fn tells(value: &Json) -> bool {
    match value {
        Json::Null => false,
        Json::Array(items) => !items.is_empty(),
        Json::Object(entries) => !entries.is_empty(),
        Json::String(text) => !text.is_empty(),
        _ => true,
    }
}

fn plain(status: u16, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::FORBIDDEN);
    response
}
