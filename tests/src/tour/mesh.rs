//! The mesh that the tour goes through: one engine, the proxies in front of the cart and the checkout, one upstream.

use crate::Outcome;
use crate::ca::{Authority, Files};
use crate::client::Caller;
use crate::collector::Collector;
use crate::envoy::{Envoy, Places};
use crate::house::sidecar::Sidecar;
use crate::house::{House, Plan, engine};
use crate::tools::Tool;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A running mesh.
#[derive(Debug)]
pub struct Mesh {
    /// Engine, upstream, certificates and configuration.
    pub house: House,
    /// The proxies.
    pub proxies: Proxies,
    /// Where traces go.
    pub collector: Collector,
    /// What the engine's metrics were before it was killed.
    pub scrape: String,
}

/// Which proxies stand in front of the workloads.
#[derive(Debug)]
pub enum Proxies {
    /// A bundled sidecar each.
    Sidecars(Box<[Sidecar; 2]>),
    /// One real Envoy for both.
    Envoy(Box<Envoy>),
}

/// The workloads of the tour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// `shop/cart`.
    Cart,
    /// `shop/checkout`.
    Checkout,
}

impl Workload {
    /// The host that its callers ask for.
    pub fn host(self) -> &'static str {
        match self {
            Self::Cart => "cart.shop.test",
            Self::Checkout => "checkout.shop.test",
        }
    }
}

impl Mesh {
    /// Starts it; `say` is told what happens.
    pub async fn start(envoy: bool, say: impl Fn(&str)) -> Outcome<Self> {
        let collector = Collector::start().await?;
        say("engine: reads the policies, compiles the plugins");
        let plan = Plan::shop()?.without_sidecar().engine(&["--otlp-endpoint", &collector.endpoint()]);
        let house = plan.start().await?;
        let files = |account| {
            let identity = house.authority.identity("shop", account)?;
            house.authority.write(&house.place.path().join("tls"), account, &identity)
        };
        let proxies = if envoy {
            say("envoy: deploy/envoy/envoy.yaml on free ports");
            Proxies::Envoy(Box::new(start_envoy(&house, &files("cart")?).await?))
        } else {
            say("sidecars: one for the cart, one for the checkout");
            let cart = sidecar(&house, "cart", &files("cart")?).await?;
            let checkout = sidecar(&house, "checkout", &files("checkout")?).await?;
            Proxies::Sidecars(Box::new([cart, checkout]))
        };
        Ok(Self { house, proxies, collector, scrape: String::new() })
    }

    /// Where callers of a workload connect.
    pub fn address(&self, workload: Workload) -> Outcome<SocketAddr> {
        match (&self.proxies, workload) {
            (Proxies::Sidecars(both), Workload::Cart) => both[0].http(),
            (Proxies::Sidecars(both), Workload::Checkout) => both[1].http(),
            (Proxies::Envoy(envoy), _) => Ok(envoy.http()),
        }
    }

    /// A caller of a workload with the certificate of `NAMESPACE/ACCOUNT`.
    pub fn caller(&self, workload: Workload, who: &str) -> Outcome<Caller> {
        let (namespace, account) = who.split_once('/').ok_or("callers are NAMESPACE/ACCOUNT")?;
        let identity = self.house.authority.identity(namespace, account)?;
        Caller::to(self.address(workload)?).with_tls(&self.house.authority, Some(&identity))
    }

    /// How many requests the sidecars answered from their caches; 0 with Envoy.
    pub async fn cached(&self) -> Outcome<f64> {
        let Proxies::Sidecars(both) = &self.proxies else { return Ok(0.0) };
        let mut sum = 0.0;
        for sidecar in both.iter() {
            sum += engine::sample(&sidecar.scrape().await?, "weir_sidecar_cache_hits_total", &[]);
        }
        Ok(sum)
    }

    /// What the proxies are called in the table.
    pub fn proxy_name(&self) -> &'static str {
        match self.proxies {
            Proxies::Sidecars(_) => "sidecar",
            Proxies::Envoy(_) => "envoy",
        }
    }

    /// Writes certificates of callers for `curl`; gives the folder.
    pub fn write_callers(&self, callers: &[(&str, &str)]) -> Outcome<PathBuf> {
        let folder = self.house.place.path().join("callers");
        for (namespace, account) in callers {
            let authority: &Authority = &self.house.authority;
            authority.write(&folder, account, &authority.identity(namespace, account)?)?;
        }
        Ok(folder)
    }
}

async fn sidecar(house: &House, account: &str, files: &Files) -> Outcome<Sidecar> {
    let place = house.place.path().join(account);
    std::fs::create_dir_all(&place)?;
    let workload = format!("shop/{account}");
    let flags = ["--workload".to_owned(), workload];
    Sidecar::start(&place, house.echo.address(), house.engine.grpc()?, Some(files), &flags).await
}

async fn start_envoy(house: &House, files: &Files) -> Outcome<Envoy> {
    let binary = Tool::Envoy.find().ok_or_else(|| format!("needs {}: {}", Tool::Envoy.name(), Tool::Envoy.fix()))?;
    let places = Places { upstream: house.echo.address(), engine: house.engine.grpc()?, tls: files };
    Envoy::start(&binary, house.place.path(), &places, |text| text).await
}
