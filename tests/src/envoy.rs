//! A real Envoy that runs `deploy/envoy/envoy.yaml` as it stands: only addresses, ports and file paths are put in.

use crate::Outcome;
use crate::ca::Files;
use crate::client::Caller;
use crate::patience;
use crate::process::Program;
use crate::repository;
use std::net::SocketAddr;
use std::path::Path;

/// A running Envoy.
#[derive(Debug)]
pub struct Envoy {
    /// The process.
    pub program: Program,
    http: SocketAddr,
    admin: SocketAddr,
}

/// What stands where in the deployed file.
#[derive(Debug)]
pub struct Places<'a> {
    /// The upstream that it guards.
    pub upstream: SocketAddr,
    /// The engine's gRPC port.
    pub engine: SocketAddr,
    /// Its certificate, key and the CA of its callers.
    pub tls: &'a Files,
}

impl Envoy {
    /// Starts `envoy` with the deployed configuration after `edit` had a look at its text, and waits until it serves.
    ///
    /// Both ports are the kernel's choice: Envoy writes its admin address to a file, and its admin names the listener.
    pub async fn start(
        envoy: &Path,
        place: &Path,
        places: &Places<'_>,
        edit: impl FnOnce(String) -> String,
    ) -> Outcome<Self> {
        Self::start_with(envoy, place, &edit(render(places)?)).await
    }

    /// Starts `envoy` with that configuration, whose ports are 0, and waits until it serves.
    pub async fn start_with(envoy: &Path, place: &Path, configuration: &str) -> Outcome<Self> {
        let file = place.join("envoy.yaml");
        let told = place.join("envoy-admin");
        std::fs::write(&file, configuration)?;
        let file = file.display().to_string();
        let told_to = told.display().to_string();
        let arguments = [
            "--config-path",
            file.as_str(),
            "--admin-address-path",
            told_to.as_str(),
            "--concurrency",
            "1",
            "--use-dynamic-base-id",
            "--disable-hot-restart",
            "--log-level",
            "warning",
        ];
        let mut program = Program::new("envoy", envoy, arguments);
        program.spawn()?;
        let found = patience::until("envoy is ready", || {
            let over = !program.runs();
            let told = &told;
            async move {
                match addresses(told).await {
                    Some(addresses) => Some(Ok(addresses)),
                    None => over.then_some(Err(())),
                }
            }
        })
        .await;
        match found {
            Ok(Ok((http, admin))) => Ok(Self { program, http, admin }),
            _ => Err(format!("envoy does not serve: {}", program.said()).into()),
        }
    }

    /// Where it takes requests, over mTLS.
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// Where its admin pages are.
    pub fn admin(&self) -> SocketAddr {
        self.admin
    }
}

/// The listener's and the admin's address, once Envoy is ready.
async fn addresses(told: &Path) -> Option<(SocketAddr, SocketAddr)> {
    let admin: SocketAddr = std::fs::read_to_string(told).ok()?.trim().parse().ok()?;
    let caller = Caller::to(admin);
    caller.get("/ready").await.ok().filter(|answer| answer.status == 200)?;
    let listeners = caller.get("/listeners?format=json").await.ok()?.json();
    let socket = listeners.pointer("/listener_statuses/0/local_address/socket_address")?;
    let port = u16::try_from(socket.get("port_value")?.as_u64()?).ok()?;
    Some((SocketAddr::from(([127, 0, 0, 1], port)), admin))
}

/// The deployed file with this house's addresses and paths.
fn render(places: &Places<'_>) -> Outcome<String> {
    let file = repository::root().join("deploy/envoy/envoy.yaml");
    let mut text = std::fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    let addresses = [
        ("0.0.0.0, port_value: 8443", free),
        ("127.0.0.1, port_value: 9901", free),
        ("127.0.0.1, port_value: 8080", places.upstream),
        ("127.0.0.1, port_value: 8081", places.upstream),
        ("127.0.0.1, port_value: 9091", places.engine),
    ];
    let paths = [
        ("/etc/weir/tls/cart.pem", &places.tls.certificate),
        ("/etc/weir/tls/cart-key.pem", &places.tls.key),
        ("/etc/weir/tls/ca.pem", &places.tls.authority),
    ];
    for (from, to) in addresses {
        text = replace(&text, from, &format!("{}, port_value: {}", to.ip(), to.port()))?;
    }
    for (from, to) in paths {
        text = replace(&text, from, &to.display().to_string())?;
    }
    Ok(text)
}

fn replace(text: &str, from: &str, to: &str) -> Outcome<String> {
    match text.matches(from).count() {
        0 => Err(format!("deploy/envoy/envoy.yaml has no `{from}` to put this house's in").into()),
        _ => Ok(text.replace(from, to)),
    }
}
