//! A folder becomes a candidate: the one validator, used by the engine and by `weir check-config`.

use std::{fmt, sync::Arc, time::Duration};

use weir_adapters::{Host, HostOptions, World};
use weir_config::{Diagnostic, Diagnostics, Loaded, Options};
use weir_policy::{PolicySet, Scope, document::Document};
use weir_telemetry::Families;

use crate::{
    Setup,
    plugins::{FIRST_WAIT, Plugins, Set, Start, declarations, prepare, ready},
};

/// A configuration that is good: everything is compiled, nothing serves it yet.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) loaded: Loaded,
    pub(crate) policies: PolicySet,
    pub(crate) plugins: Plugins,
    /// What is new of them: it serves when the candidate does, or later.
    pub(crate) starts: Vec<(Arc<str>, Start)>,
    pub(crate) warnings: Diagnostics,
}

/// Compiles what was loaded; what has not changed is taken from what it replaces. Any error refuses the whole.
pub(crate) async fn build(
    mut loaded: Loaded,
    host: &Host,
    running: &Plugins,
    replaced: Option<&PolicySet>,
    patience: u32,
    wait: Duration,
) -> Result<Candidate, Diagnostics> {
    let (Set { plugins, starts }, problems) = prepare(&loaded, host, running, patience, wait).await;
    if !problems.is_empty() {
        // The policies are compiled all the same: their author wants to hear everything at once.
        let mut all = loaded.diagnose(&problems);
        all.extend(loaded.compile().map_or_else(|errors| errors, |(_, warnings)| warnings));
        return Err(all);
    }
    loaded.bind_check_adapters(|document| {
        plugins.get(&*name(document)).is_some_and(|plugin| plugin.world == World::Check)
    });
    let (policies, warnings) = loaded.compile_after(replaced)?;
    match Families::validate(&declarations(&plugins, &ready(&starts))) {
        // What a linter dislikes about names is the plugin author's matter, not the operator's.
        Ok(dislikes) => dislikes.iter().for_each(|dislike| tracing::debug!("{dislike}")),
        Err(error) => {
            let folder = loaded.sources().root().display().to_string();
            return Err(Diagnostic::whole(folder, error.to_string()).into());
        }
    }
    Ok(Candidate { loaded, policies, plugins, starts, warnings })
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
        let candidate = build(loaded, &host, &Plugins::new(), None, setup.plugin_patience, FIRST_WAIT).await?;
        Ok(Summary {
            version: candidate.loaded.version.as_str().to_owned(),
            resources: candidate.loaded.resources(),
            policies: candidate.loaded.policies(),
            adapters: candidate.loaded.adapters.len(),
            warnings: candidate.warnings,
        })
    })
}
