//! A folder becomes a candidate: the one validator, used by the engine and by `weir check-config`.

use std::{collections::BTreeMap, fmt, fs::File, io::Read as _, path::Path, sync::Arc, time::Duration};

use sha2::{Digest as _, Sha256};
use weir_adapters::{
    Adapter, AdapterSpec, COMPONENT_BYTES_MAX, Error as AdapterError, Grants, Host, HostOptions, Limits, StoreSize,
};
use weir_config::{Diagnostic, Diagnostics, Loaded, Options};
use weir_policy::{PolicySet, Problem, Scope, Severity, document::Document};
use weir_telemetry::{Declaration, Families};

use crate::{Setup, snapshot::Plugin, translate};

/// A configuration that is good: everything is compiled, nothing serves it yet.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) loaded: Loaded,
    pub(crate) policies: PolicySet,
    pub(crate) plugins: BTreeMap<Arc<str>, Plugin>,
    /// The metric families of its report adapters, adapter by adapter.
    pub(crate) declarations: Vec<Declaration>,
    pub(crate) warnings: Diagnostics,
}

/// The plugins that already run, by `NAMESPACE/NAME`.
pub(crate) type Running = BTreeMap<Arc<str>, Plugin>;

/// Compiles what was loaded; what has not changed is taken from what it replaces. Any error refuses the whole.
pub(crate) async fn build(
    mut loaded: Loaded,
    host: &Host,
    running: &Running,
    replaced: Option<&PolicySet>,
    patience: u32,
) -> Result<Candidate, Diagnostics> {
    let (plugins, problems) = load_plugins(&loaded, host, running, patience).await;
    if !problems.is_empty() {
        // The policies are compiled all the same: their author wants to hear everything at once.
        let mut all = loaded.diagnose(&problems);
        all.extend(loaded.compile().map_or_else(|errors| errors, |(_, warnings)| warnings));
        return Err(all);
    }
    loaded.bind_check_adapters(|document| plugins.get(&*name(document)).is_some_and(Plugin::is_check));
    let (policies, warnings) = loaded.compile_after(replaced)?;
    let declarations = declarations(&plugins);
    match Families::validate(&declarations) {
        // What a linter dislikes about names is the plugin author's matter, not the operator's.
        Ok(dislikes) => dislikes.iter().for_each(|dislike| tracing::debug!("{dislike}")),
        Err(error) => {
            let folder = loaded.sources().root().display().to_string();
            return Err(Diagnostic::whole(folder, error.to_string()).into());
        }
    }
    Ok(Candidate { loaded, policies, plugins, declarations, warnings })
}

async fn load_plugins(loaded: &Loaded, host: &Host, running: &Running, patience: u32) -> (Running, Vec<Problem>) {
    let (mut plugins, mut problems) = (Running::new(), Vec::new());
    for document in &loaded.adapters {
        match load_plugin(document, host, running, patience).await {
            Ok(plugin) => drop(plugins.insert(name(document), plugin)),
            Err((path, message, help)) => problems.push(Problem {
                severity: Severity::Error,
                document: document.id,
                path: path.to_owned(),
                span: None,
                message,
                help: Some(help.to_owned()),
            }),
        }
    }
    (plugins, problems)
}

/// The field at fault, what is wrong, and the fix.
type Fault = (&'static str, String, &'static str);

async fn load_plugin(
    document: &Document<weir_config::Adapter>,
    host: &Host,
    running: &Running,
    patience: u32,
) -> Result<Plugin, Fault> {
    let spec = &document.spec;
    let name = name(document);
    let path = spec.source.path.clone();
    let read = tokio::task::spawn_blocking(move || read_limited(&path)).await;
    let wasm = read
        .map_err(|error| error.to_string())
        .and_then(|read| read)
        .map_err(|message| ("spec.source.file", message, "give a component that this process may read"))?;
    let digest = Sha256::digest(&wasm);
    if let Some(wanted) = &spec.source.sha256 {
        let found = digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        if !wanted.eq_ignore_ascii_case(&found) {
            let message = format!("the file's SHA-256 is {found}");
            return Err((
                "spec.source.sha256",
                message,
                "fetch the plugin again, or write this digest if you trust the file",
            ));
        }
    }
    let fingerprint = fingerprint(&digest, spec, patience);
    if let Some(same) = running.get(&name).filter(|plugin| plugin.fingerprint == fingerprint) {
        return Ok(same.clone());
    }
    let spec = AdapterSpec {
        name: name.to_string(),
        wasm: wasm.into(),
        origin: spec.source.path.display().to_string(),
        config: spec.config.clone(),
        grants: grants(&spec.capabilities),
        limits: limits(&spec.limits, patience),
        failure_policy: match spec.failure_policy {
            weir_config::FailurePolicy::Closed => weir_adapters::FailurePolicy::Closed,
            weir_config::FailurePolicy::Open => weir_adapters::FailurePolicy::Open,
        },
    };
    let adapter = host.load(spec).await.map_err(|error| fault(&error))?;
    Ok(Plugin { fingerprint, adapter })
}

fn fault(error: &AdapterError) -> Fault {
    let message = error.to_string();
    match error {
        AdapterError::Config { .. } => ("spec.config", message, "the plugin's README lists its fields"),
        AdapterError::NotGranted { .. } => ("spec.capabilities", message, "grant it, or use another plugin"),
        AdapterError::Unbound { .. } => ("spec.source.file", message, "use a plugin whose inputs are attributes"),
        AdapterError::Needs { .. } => ("spec.limits", message, "the plugin's manifest says what it needs"),
        AdapterError::Limit { .. } => ("spec.limits", message, "leave the limit out for the default"),
        AdapterError::Start(_) => {
            ("spec.config", message, "correct the configuration, or give the plugin more in spec.limits")
        }
        _ => ("spec.source.file", message, "give a component that the SDK of this version built"),
    }
}

fn read_limited(path: &Path) -> Result<Vec<u8>, String> {
    let named = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut bytes = Vec::new();
    // One byte more than the limit: the host then refuses it and says how large it may be.
    File::open(path).map_err(named)?.take(COMPONENT_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(named)?;
    Ok(bytes)
}

/// Digest of everything that the running instances depend on.
fn fingerprint(wasm: &[u8], spec: &weir_config::Adapter, patience: u32) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(wasm);
    hash.update(spec.config.to_string());
    hash.update(format!("{:?} {:?} {:?} {patience}", spec.limits, spec.failure_policy, spec.capabilities));
    hash.finalize().into()
}

fn limits(asked: &weir_config::AdapterLimits, patience: u32) -> Limits {
    let mut limits = Limits::default();
    if let Some(mib) = asked.memory_mib {
        limits.memory_bytes = mib as usize * 1024 * 1024;
    }
    if let Some(ms) = asked.timeout_ms {
        limits.check_time = Duration::from_millis(ms.into());
        limits.report_time = limits.check_time;
    }
    if let Some(kib) = asked.output_kib {
        limits.output_bytes = kib as usize * 1024;
    }
    limits.check_time *= patience.max(1);
    limits.report_time *= patience.max(1);
    limits
}

fn grants(granted: &weir_config::Capabilities) -> Grants {
    let usual = StoreSize::default();
    let size = |store: &weir_config::Store| StoreSize {
        entries: store.entries.map_or(usual.entries, |entries| entries as usize),
        bytes: store.kib.map_or(usual.bytes, |kib| kib as usize * 1024),
    };
    Grants {
        log: granted.log,
        metrics: granted.metrics,
        records: granted.records,
        spans: granted.spans,
        kv: granted.kv.iter().map(|store| (store.name.clone(), size(store))).collect(),
        lookup: granted.lookup.iter().cloned().collect(),
        ..Grants::default()
    }
}

fn declarations(plugins: &Running) -> Vec<Declaration> {
    let families = |adapter: &Adapter| adapter.metric_families().iter().map(translate::family).collect::<Vec<_>>();
    let owned = |(name, plugin): (&Arc<str>, &Plugin)| {
        let owner = name.clone();
        families(&plugin.adapter).into_iter().map(move |family| Declaration { owner: owner.clone(), family })
    };
    plugins.iter().flat_map(owned).collect()
}

pub(crate) fn name<T>(document: &Document<T>) -> Arc<str> {
    format!("{}/{}", document.namespace, document.name).into()
}

pub(crate) fn scope(candidate: &Candidate, document: &Document<weir_config::Adapter>) -> Scope {
    Scope::new(candidate.policies.mesh(), &document.namespace, document.spec.selector.as_ref())
}

/// What a good folder holds.
#[derive(Debug)]
pub struct Summary {
    version: String,
    resources: usize,
    policies: usize,
    adapters: usize,
    warnings: Diagnostics,
}

impl Summary {
    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "accepted": true, "version": self.version, "resources": self.resources, "policies": self.policies,
            "adapters": self.adapters, "diagnostics": self.warnings,
        })
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.warnings.is_empty() {
            writeln!(f, "{}", self.warnings)?;
        }
        let Self { version, resources, policies, adapters, .. } = self;
        write!(f, "accepted: version {version}, {resources} resources, {policies} policies, {adapters} adapters")
    }
}

/// Validates a folder exactly as the engine does. Blocks.
///
/// # Errors
/// Everything that is wrong with it.
pub fn validate(setup: &Setup) -> Result<Summary, Diagnostics> {
    let options =
        Options { allow_empty: setup.allow_empty, previous_policies: 0, plugin_dir: setup.plugin_dir.clone() };
    let loaded = weir_config::load(&setup.config, &options)?;
    let cannot =
        |error: &dyn fmt::Display| Diagnostics::from(Diagnostic::whole("weir", format!("cannot validate: {error}")));
    let executor =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| cannot(&error))?;
    executor.block_on(async {
        let host = Host::new(HostOptions::default()).map_err(|error| cannot(&error))?;
        let candidate = build(loaded, &host, &Running::new(), None, setup.plugin_patience).await?;
        Ok(Summary {
            version: candidate.loaded.version.as_str().to_owned(),
            resources: candidate.loaded.resources(),
            policies: candidate.loaded.policies(),
            adapters: candidate.loaded.adapters.len(),
            warnings: candidate.warnings,
        })
    })
}
