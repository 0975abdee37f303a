//! The transaction: a folder is read, built, and swapped in as a whole, or refused as a whole.

use std::{
    sync::{Arc, PoisonError, Weak},
    time::SystemTime,
};

use arc_swap::ArcSwap;
use weir_adapters::World;
use weir_config::{Change, Diagnostic, Diagnostics, Options, Sources, Watch, load_sources};
use weir_providers::Clients;

use crate::{
    Runtime,
    build::{self, Candidate, build},
    plugins::{self, FIRST_WAIT, Start, WAIT},
    snapshot::{Bound, EnrichBinding, ReadsOfRulesets, ReportBinding, Snapshot, Wider},
};

/// What became of the newest configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Applied {
    /// Why the newest is refused, while it is.
    pub(crate) refused: Option<Refused>,
    /// Where the one that serves came from.
    pub(crate) source: Source,
    /// When it was swapped in.
    pub(crate) since: Option<SystemTime>,
    /// What it was warned of.
    pub(crate) warnings: Diagnostics,
    /// Its files.
    pub(crate) sources: Option<Sources>,
}

/// A configuration that was refused.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) version: String,
    pub(crate) at: SystemTime,
    pub(crate) diagnostics: Diagnostics,
}

/// Where the configuration that serves came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Source {
    /// Nothing serves.
    #[default]
    None,
    /// The folder.
    Folder,
    /// The copy of the last good one: the folder was refused when this process started.
    LastGood,
}

/// The first configuration: the folder's, or what was last good when that is refused.
pub(crate) async fn first(runtime: &Arc<Runtime>) {
    let config = runtime.setup.config.clone();
    let Ok(sources) = tokio::task::spawn_blocking(move || Sources::read_steady(&config)).await else { return };
    if take(runtime, sources, Source::Folder).await {
        return;
    }
    match runtime.last_good.load(&runtime.setup.config) {
        Ok(Some(sources)) => {
            let refused = runtime.applied().refused.clone();
            take(runtime, sources, Source::LastGood).await;
            // What is on the disk is still refused: say so as long as it is.
            runtime.applied().refused = refused;
        }
        Ok(None) => tracing::error!("no good configuration: every check is denied until there is one"),
        Err(error) => tracing::error!(%error, "the last good configuration cannot be used: every check is denied"),
    }
}

/// Takes every change of the folder until the runtime is gone.
pub(crate) async fn watch(runtime: Weak<Runtime>) {
    let Some(start) = runtime.upgrade() else { return };
    let known = start.applied().sources.as_ref().map(|sources| sources.version().clone());
    let known = known.filter(|_| start.applied().refused.is_none());
    let mut watch = Watch::start(&start.setup.config, known);
    drop(start);
    while let Some(change) = watch.next().await {
        let Some(runtime) = runtime.upgrade() else { return };
        match change {
            Change::Settled(sources) => drop(take(&runtime, sources, Source::Folder).await),
            Change::Gone(path) => {
                let message = "the configuration folder is gone; the last good configuration goes on serving";
                refuse(&runtime, String::new(), Diagnostic::whole(path.display().to_string(), message).into());
            }
        }
    }
}

/// Builds a candidate and swaps it in, or refuses it; says whether it serves.
async fn take(runtime: &Arc<Runtime>, sources: Sources, source: Source) -> bool {
    let version = sources.version().as_str().to_owned();
    let previous = runtime.snapshot.load_full();
    let options = Options {
        allow_empty: runtime.setup.allow_empty,
        previous_policies: previous.as_ref().map_or(0, |snapshot| snapshot.policy_count),
        plugin_dir: runtime.setup.plugin_dir.clone(),
    };
    let running = previous.as_ref().map(|snapshot| snapshot.plugins.clone()).unwrap_or_default();
    let loaded = tokio::task::spawn_blocking(move || load_sources(sources, &options)).await;
    let candidate = match loaded {
        Ok(Ok(loaded)) => {
            let replaced = previous.as_deref().map(|snapshot| &snapshot.policies);
            let wait = if previous.is_some() { WAIT } else { FIRST_WAIT };
            build(loaded, &runtime.host, &running, replaced, runtime.setup.plugin_patience, wait).await
        }
        Ok(Err(diagnostics)) => Err(diagnostics),
        Err(panic) => {
            Err(Diagnostic::whole("weir", format!("reading the configuration failed: {panic}; report this")).into())
        }
    };
    match candidate {
        Ok(candidate) => {
            swap(runtime, candidate, source).await;
            true
        }
        Err(diagnostics) => {
            refuse(runtime, version, diagnostics);
            false
        }
    }
}

fn refuse(runtime: &Runtime, version: String, diagnostics: Diagnostics) {
    tracing::error!("configuration refused, the last good one serves on:\n{diagnostics}");
    runtime.metrics.config_loaded(None);
    runtime.applied().refused = Some(Refused { version, at: SystemTime::now(), diagnostics });
}

async fn swap(runtime: &Arc<Runtime>, mut candidate: Candidate, source: Source) {
    if !candidate.warnings.is_empty() {
        tracing::warn!("configuration accepted, with warnings:\n{}", candidate.warnings);
    }
    let (sources, warnings) = (candidate.loaded.sources().clone(), candidate.warnings.clone());
    let starts = std::mem::take(&mut candidate.starts);
    runtime.host.set_table("workloads", plugins::workloads(&candidate.loaded.documents.workloads));
    let snapshot = Arc::new(snapshot(runtime, candidate));
    let version = snapshot.version.clone();
    let later = install(runtime, &snapshot, starts).await;
    if let Some(previous) = runtime.snapshot.swap(Some(snapshot)) {
        previous.tell_errors(&runtime.metrics);
    }
    for (plugin, starting) in later {
        plugins::install_later(runtime, plugin, starting);
    }
    let now = SystemTime::now();
    {
        let mut applied = runtime.applied();
        *applied = Applied { refused: None, source, since: Some(now), warnings, sources: Some(sources.clone()) };
    }
    runtime.metrics.config_loaded(now.duration_since(SystemTime::UNIX_EPOCH).ok().map(|since| since.as_secs_f64()));
    runtime.metrics.ready(true);
    runtime.announce();
    runtime.ready.send_replace(true);
    tracing::info!(%version, "configuration serves");
    if source == Source::Folder {
        let last_good = runtime.last_good.clone();
        let saved = tokio::task::spawn_blocking(move || last_good.save(&sources)).await;
        if let Ok(Err(error)) = saved {
            tracing::error!(%error, "the last good configuration cannot be kept: a restart will depend on the folder");
        }
    }
}

/// Lets what is ready of a candidate serve, just before its snapshot does; what is not ready is given back.
async fn install(
    runtime: &Runtime,
    snapshot: &Snapshot,
    starts: Vec<(Arc<str>, Start)>,
) -> Vec<(plugins::Plugin, plugins::Starting)> {
    let _one_at_a_time = runtime.installing.lock().await;
    // Not as the candidate was validated: a plugin may have changed in place since.
    runtime.declare(&plugins::declarations(&snapshot.plugins, &plugins::ready(&starts)));
    let mut later = Vec::new();
    for (name, start) in starts {
        let Some(plugin) = snapshot.plugins.get(&name) else { continue };
        match start {
            Start::Ready(generation) => plugin.adapter.install(generation),
            Start::Later(starting) => {
                tracing::info!(adapter = &*name, "plugin not ready yet: the configuration does not wait for it");
                later.push((plugin.clone(), starting));
            }
        }
    }
    later
}

fn snapshot(runtime: &Runtime, candidate: Candidate) -> Snapshot {
    let (mut enriches, mut checks, mut reports) = (Vec::new(), Vec::new(), Vec::new());
    for document in &candidate.loaded.adapters {
        let name = build::name(document);
        let Some(plugin) = candidate.plugins.get(&name) else { continue };
        let (adapter, failure_policy) = (plugin.adapter.clone(), plugin.recipe.failure_policy);
        let metrics = runtime.metrics.adapter(&name, plugin.phase());
        let scope = || build::scope(&candidate, document);
        match plugin.world {
            World::Enrich => enriches.push(EnrichBinding { adapter, failure_policy, metrics, scope: scope() }),
            World::Check => checks.push(Bound { adapter, failure_policy, metrics }),
            World::Report => reports.push(ReportBinding { adapter, metrics, scope: scope() }),
        }
    }
    let previous = runtime.snapshot.load_full();
    let clients = |previous: &Clients| Clients::new(candidate.policies.mesh().providers(), previous);
    Snapshot {
        providers: previous.map_or_else(|| clients(&Clients::default()), |previous| clients(&previous.providers)),
        version: candidate.loaded.version.as_str().into(),
        policy_count: candidate.loaded.policies(),
        plugins: candidate.plugins,
        enriches,
        checks,
        reports,
        reads: ReadsOfRulesets::default(),
        wider: Wider::default(),
        served: ArcSwap::from_pointee(((0, 0), "".into())),
        policies: candidate.policies,
    }
}

impl Runtime {
    pub(crate) fn applied(&self) -> std::sync::MutexGuard<'_, Applied> {
        self.applied.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
