//! Plugins that change while a configuration serves: those that were not ready in time, and files that are written anew.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Weak, atomic::Ordering::Relaxed},
    time::SystemTime,
};

use weir_adapters::{Generation, Origin};
use weir_telemetry::{Declaration, Families};

use super::{Failed, LOOK, Plugin, Starting, started};
use crate::{Runtime, translate};

/// Installs a generation when it is ready, unless its adapter has become another one meanwhile: then the start ends.
pub(crate) fn install_later(runtime: &Arc<Runtime>, plugin: Plugin, mut starting: Starting) {
    let fingerprint = **plugin.fingerprint.load();
    let mut versions = runtime.versions.subscribe();
    let runtime = Arc::downgrade(runtime);
    tokio::spawn(async move {
        let ended = loop {
            tokio::select! {
                ended = starting.ended() => break ended,
                changed = versions.changed() => {
                    let runtime = runtime.upgrade().filter(|_| changed.is_ok());
                    if runtime.is_none_or(|runtime| !runtime.wants(&plugin, fingerprint)) {
                        return;
                    }
                }
            }
        };
        let Some(runtime) = runtime.upgrade() else { return };
        let installed = match ended {
            Ok(generation) => runtime.install(&plugin, fingerprint, generation).await,
            Err(failed) => Err(failed.to_string()),
        };
        if let Err(why) = installed {
            tracing::error!(adapter = &*plugin.recipe.name, "plugin refused, what served before goes on: {why}");
            plugin.adapter.refuse(why);
        }
    });
}

impl Runtime {
    /// Whether that plugin is still to be what its adapter is made from.
    fn wants(&self, plugin: &Plugin, fingerprint: [u8; 32]) -> bool {
        let snapshot = self.snapshot.load();
        let served = snapshot.as_ref().and_then(|snapshot| snapshot.plugins.get(&plugin.recipe.name));
        served.is_some_and(|served| **served.fingerprint.load() == fingerprint)
    }

    /// Lets a generation serve, with its metrics.
    async fn install(&self, plugin: &Plugin, fingerprint: [u8; 32], generation: Generation) -> Result<(), String> {
        let _one_at_a_time = self.installing.lock().await;
        let Some(snapshot) = self.snapshot.load_full() else { return Ok(()) };
        let name = &plugin.recipe.name;
        if !self.wants(plugin, fingerprint) {
            tracing::info!(adapter = &**name, "plugin ready too late: its adapter is another one now");
            return Ok(());
        }
        let declared = declarations(&snapshot.plugins, &[(name.clone(), &generation)]);
        Families::validate(&declared).map_err(|error| error.to_string())?;
        self.declare(&declared);
        plugin.adapter.install(generation);
        // Verdicts that proxies keep are of the generation before.
        self.swaps.fetch_add(1, Relaxed);
        self.announce();
        tracing::info!(adapter = &**name, generation = plugin.adapter.status().generation, "plugin serves");
        Ok(())
    }

    /// Makes exactly those metric families live.
    pub(crate) fn declare(&self, declared: &[Declaration]) {
        // Validated before: an error here would mean that two sets were mixed.
        let ids = self.sinks.families().replace(declared).unwrap_or_default();
        let named = declared.iter().zip(ids);
        let named = named.map(|(one, id)| ((one.owner.clone(), one.family.name.as_str().into()), id));
        self.families.store(Arc::new(named.collect()));
    }
}

/// The metric families of all adapters: those of the given generations instead of what serves.
pub(crate) fn declarations(plugins: &super::Plugins, new: &[(Arc<str>, &Generation)]) -> Vec<Declaration> {
    let owned = |(name, plugin): (&Arc<str>, &Plugin)| {
        let newer = new.iter().find(|(owner, _)| owner == name);
        let families =
            newer.map_or_else(|| plugin.adapter.metric_families(), |(_, generation)| generation.metric_families());
        let owner = name.clone();
        families
            .iter()
            .map(|family| Declaration { owner: owner.clone(), family: translate::family(family) })
            .collect::<Vec<_>>()
    };
    plugins.iter().flat_map(owned).collect()
}

/// What the disk says of a file: when this changes, the file is read.
type Stamp = Option<(SystemTime, u64)>;

/// Looks at the files of all plugins until the runtime is gone; a file that has changed and stands still becomes a new
/// generation.
pub(crate) async fn watch(runtime: Weak<Runtime>) {
    // For each adapter its file, what it looked like, and whether that is what runs.
    let mut known: HashMap<Arc<str>, (PathBuf, Stamp, bool)> = HashMap::new();
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(runtime) = runtime.upgrade() else { return };
        let Some(snapshot) = runtime.snapshot.load_full() else { continue };
        known.retain(|name, _| snapshot.plugins.contains_key(name));
        let files = snapshot.plugins.values().filter_map(|plugin| match &plugin.recipe.wanted.origin {
            Origin::File(path) => Some((plugin, path.clone())),
            _ => None,
        });
        for (plugin, path) in files {
            let stamp = stamp(path.clone()).await;
            let name = plugin.recipe.name.clone();
            // What is seen first may be newer than what was loaded: it is read once.
            let entry = known.entry(name).or_insert_with(|| (path.clone(), stamp, false));
            if entry.0 != path {
                *entry = (path, stamp, false);
            } else if entry.1 != stamp {
                // It may still be being written: it is read when it stands still.
                (entry.1, entry.2) = (stamp, false);
            } else if !entry.2 && stamp.is_some() {
                entry.2 = true;
                changed(&runtime, plugin).await;
            }
        }
    }
}

async fn stamp(path: PathBuf) -> Stamp {
    let metadata = tokio::fs::metadata(path).await.ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

async fn changed(runtime: &Arc<Runtime>, plugin: &Plugin) {
    let wasm = match runtime.host.fetch(&plugin.recipe.wanted).await {
        Ok(wasm) => wasm,
        Err(error) => {
            tracing::error!(
                adapter = &*plugin.recipe.name,
                "changed plugin refused, what served before goes on: {error}"
            );
            return plugin.adapter.refuse(error.to_string());
        }
    };
    let fingerprint = plugin.recipe.fingerprint(&wasm);
    if **plugin.fingerprint.load() == fingerprint {
        return;
    }
    let sound = runtime.host.look_at(&plugin.recipe.name, plugin.recipe.spec(wasm)).map_err(Failed::Adapter);
    let sound = sound.and_then(|sound| match sound.manifest().world == plugin.world {
        true => Ok(sound),
        false => Err(Failed::Phase(sound.manifest().world)),
    });
    match sound {
        Ok(sound) => {
            plugin.fingerprint.store(Arc::new(fingerprint));
            install_later(runtime, plugin.clone(), started(&runtime.host, plugin, Some(sound)));
        }
        Err(failed) => {
            tracing::error!(
                adapter = &*plugin.recipe.name,
                "changed plugin refused, what served before goes on: {failed}"
            );
            plugin.adapter.refuse(failed.to_string());
        }
    }
}
