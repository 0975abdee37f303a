//! The adapters of a configuration: what is needed to start them, what of them runs, and how they change while it serves.
//!
//! A configuration never waits for a plugin. What can be known at once (the file, its manifest, the configuration against
//! its schema, what it asks for) is part of the transaction and may refuse it; compiling and starting goes on behind it for
//! longer than [`WAIT`] only: then a new adapter is pending and an old one keeps its generation.

mod change;
mod exposed;
mod source;
mod spec;
mod table;

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use tokio::{
    task::{JoinError, JoinHandle},
    time::Instant,
};
use weir_adapters::{Adapter, Error as AdapterError, FetchError, Generation, Host, Sound, Stats, World};
use weir_config::{Loaded, Phase};
use weir_policy::{Problem, Severity, document::Document};

pub(crate) use change::{declarations, install_later, watch};
pub(crate) use exposed::Exposed;
pub(crate) use spec::Recipe;
pub(crate) use table::workloads;

/// How long a new configuration waits for its plugins: those that are small or in the cache are ready by then. A compiler
/// that is not optimised needs longer for the same.
pub(crate) const WAIT: Duration = Duration::from_millis(if cfg!(debug_assertions) { 5000 } else { 500 });
/// How long the first configuration of a process waits: nothing serves before it.
pub(crate) const FIRST_WAIT: Duration = Duration::from_secs(60);
/// How often plugin files are looked at.
pub(crate) const LOOK: Duration = Duration::from_secs(1);
/// Pause after the first fetch that failed; each after it is twice as long.
pub(crate) const RETRY: Duration = Duration::from_secs(2);
/// The longest.
pub(crate) const RETRY_MAX: Duration = Duration::from_secs(60);

/// The adapters of a configuration, by `NAMESPACE/NAME`.
pub(crate) type Plugins = BTreeMap<Arc<str>, Plugin>;

/// One adapter of a configuration.
#[derive(Clone, Debug)]
pub(crate) struct Plugin {
    /// Everything that it is made from.
    pub(crate) recipe: Arc<Recipe>,
    /// Digest of what was last made from it: equal means that nothing has to be done.
    pub(crate) fingerprint: Arc<ArcSwap<[u8; 32]>>,
    /// When it is called.
    pub(crate) world: World,
    /// The handle that outlives every generation.
    pub(crate) adapter: Adapter,
}

/// A generation that is ready, or on its way.
pub(crate) enum Start {
    Ready(Generation),
    Later(Starting),
}

/// A start that is under way; dropped, it ends: nobody waits for it any more.
#[derive(Debug)]
pub(crate) struct Starting(JoinHandle<Result<Generation, Failed>>);

impl Starting {
    fn spawn(start: impl Future<Output = Result<Generation, Failed>> + Send + 'static) -> Starting {
        Starting(tokio::spawn(start))
    }

    /// What becomes of it.
    async fn ended(&mut self) -> Result<Generation, Failed> {
        (&mut self.0).await.unwrap_or_else(|lost| Err(Failed::Lost(lost)))
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The generations that are ready.
pub(crate) fn ready(starts: &[(Arc<str>, Start)]) -> Vec<(Arc<str>, &Generation)> {
    let ready = starts.iter().filter_map(|(name, start)| match start {
        Start::Ready(generation) => Some((name.clone(), generation)),
        Start::Later(_) => None,
    });
    ready.collect()
}

/// Why there is no generation.
#[derive(Debug)]
pub(crate) enum Failed {
    Fetch(FetchError),
    Adapter(AdapterError),
    /// The plugin is of another world than `spec.phase` says.
    Phase(World),
    /// The task that started it is gone: a panic.
    Lost(JoinError),
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failed::Fetch(error) => write!(f, "{error}"),
            Failed::Adapter(error) => write!(f, "{error}"),
            Failed::Phase(world) => write!(f, "spec.phase: the plugin's world is {world}"),
            Failed::Lost(lost) => write!(f, "starting it failed: {lost}; report this"),
        }
    }
}

impl fmt::Debug for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Start::Ready(_) => "Ready",
            Start::Later(_) => "Later",
        })
    }
}

impl Plugin {
    pub(crate) fn stats(&self) -> Stats {
        self.adapter.stats()
    }

    /// `check`, `enrich` or `report`, for metrics and `/plugins`.
    pub(crate) fn phase(&self) -> &'static str {
        self.world.name()
    }
}

/// What a configuration needs of its plugins: handles for all, and generations for those that are new or changed.
#[derive(Debug, Default)]
pub(crate) struct Set {
    pub(crate) plugins: Plugins,
    pub(crate) starts: Vec<(Arc<str>, Start)>,
}

/// Looks at every adapter of a configuration, keeps what has not changed, starts the others, and waits for them until `wait`
/// is over.
pub(crate) async fn prepare(
    loaded: &Loaded,
    host: &Host,
    running: &Plugins,
    patience: u32,
    wait: Duration,
) -> (Set, Vec<Problem>) {
    let (mut set, mut problems, mut starting) = (Set::default(), Vec::new(), Vec::new());
    for document in &loaded.adapters {
        let name: Arc<str> = crate::build::name(document);
        match one(document, name.clone(), host, running, patience).await {
            Ok((plugin, start)) => {
                set.plugins.insert(name.clone(), plugin);
                starting.extend(start.map(|start| (document.id, name, start)));
            }
            Err(fault) => problems.push(problem(document.id, fault)),
        }
    }
    if !problems.is_empty() {
        return (set, problems);
    }
    let until = Instant::now() + wait;
    for (id, name, mut start) in starting {
        match tokio::time::timeout_at(until, start.ended()).await {
            Err(_) => set.starts.push((name, Start::Later(start))),
            Ok(Ok(generation)) => set.starts.push((name, Start::Ready(generation))),
            Ok(Err(failed)) => problems.push(problem(id, spec::fault(&failed))),
        }
    }
    (set, problems)
}

/// The field at fault, what is wrong, and the fix.
type Fault = (&'static str, String, &'static str);

fn problem(document: usize, (path, message, help): Fault) -> Problem {
    Problem {
        severity: Severity::Error,
        document,
        path: path.to_owned(),
        span: None,
        message,
        help: Some(help.to_owned()),
    }
}

async fn one(
    document: &Document<weir_config::Adapter>,
    name: Arc<str>,
    host: &Host,
    running: &Plugins,
    patience: u32,
) -> Result<(Plugin, Option<Starting>), Fault> {
    let recipe = Arc::new(Recipe::of(name.clone(), &document.spec, patience));
    let same = running.get(&name);
    if !recipe.is_file() {
        // Its digest pins it, so the recipe says everything.
        let world = document.spec.phase.map_or(World::Check, world);
        let fingerprint = recipe.fingerprint(&[]);
        return Ok(made(recipe, fingerprint, world, host, same, |plugin| {
            let (host, plugin) = (host.clone(), plugin.clone());
            Starting::spawn(async move { source::fetched(&host, &plugin).await })
        }));
    }
    let wasm = host.fetch(&recipe.wanted).await.map_err(|error| spec::fault(&Failed::Fetch(error)))?;
    let fingerprint = recipe.fingerprint(&wasm);
    let looking = || host.look_at(&name, recipe.spec(wasm.clone()));
    // What runs already was looked at; only its world is not known here.
    let kept = same.filter(|plugin| **plugin.fingerprint.load() == fingerprint).map(|plugin| plugin.world);
    let (world, sound) = match kept {
        Some(world) => (world, None),
        None => {
            let sound = looking().map_err(|error| spec::fault(&Failed::Adapter(error)))?;
            (sound.manifest().world, Some(sound))
        }
    };
    if document.spec.phase.is_some_and(|phase| self::world(phase) != world) {
        return Err(spec::fault(&Failed::Phase(world)));
    }
    Ok(made(recipe, fingerprint, world, host, same, |plugin| started(host, plugin, sound)))
}

/// The plugin with the handle that it had, or a new one; and its start, unless what runs is the same.
fn made(
    recipe: Arc<Recipe>,
    fingerprint: [u8; 32],
    world: World,
    host: &Host,
    same: Option<&Plugin>,
    start: impl FnOnce(&Plugin) -> Starting,
) -> (Plugin, Option<Starting>) {
    // A handle is for one world: rulesets number check adapters by it.
    let same = same.filter(|plugin| plugin.world == world);
    if let Some(kept) = same.filter(|plugin| **plugin.fingerprint.load() == fingerprint) {
        return (Plugin { recipe, ..kept.clone() }, None);
    }
    let adapter = same.map_or_else(|| host.adapter(&recipe.name), |plugin| plugin.adapter.clone());
    let fingerprint = Arc::new(ArcSwap::from_pointee(fingerprint));
    let plugin = Plugin { recipe, fingerprint, world, adapter };
    let start = start(&plugin);
    (plugin, Some(start))
}

fn started(host: &Host, plugin: &Plugin, sound: Option<Sound>) -> Starting {
    let (host, adapter, recipe) = (host.clone(), plugin.adapter.clone(), plugin.recipe.clone());
    Starting::spawn(async move {
        let sound = match sound {
            Some(sound) => sound,
            None => {
                let wasm = host.fetch(&recipe.wanted).await.map_err(Failed::Fetch)?;
                host.look_at(&recipe.name, recipe.spec(wasm)).map_err(Failed::Adapter)?
            }
        };
        host.start(&adapter, sound).await.map_err(Failed::Adapter)
    })
}

fn world(phase: Phase) -> World {
    match phase {
        Phase::Enrich => World::Enrich,
        Phase::Check => World::Check,
        Phase::Report => World::Report,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_start_that_nobody_waits_for_ends() {
        let (alive, gone) = tokio::sync::oneshot::channel::<()>();
        let starting = Starting::spawn(async move {
            let _alive = alive;
            std::future::pending().await
        });
        drop(starting);
        assert!(gone.await.is_err(), "it was dropped, with all that it held");
    }
}
