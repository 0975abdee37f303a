//! Plugins that are fetched: again and again until they are here.

use weir_adapters::{Generation, Host};

use super::{Failed, Plugin, RETRY, RETRY_MAX};

/// Fetches, looks and starts. A fetch that fails is tried again after a pause; what came and is not as it must be never is:
/// its digest says that the next would be the same.
pub(super) async fn fetched(host: &Host, plugin: &Plugin) -> Result<Generation, Failed> {
    let (recipe, mut pause) = (&plugin.recipe, RETRY);
    let wasm = loop {
        match host.fetch(&recipe.wanted).await {
            Ok(wasm) => break wasm,
            Err(error @ (weir_adapters::FetchError::Fetch { .. } | weir_adapters::FetchError::Late { .. })) => {
                tracing::warn!(adapter = &*recipe.name, "plugin not fetched, next try in {pause:?}: {error}");
                plugin.adapter.refuse(error.to_string());
                tokio::time::sleep(pause).await;
                pause = (2 * pause).min(RETRY_MAX);
            }
            Err(error) => return Err(Failed::Fetch(error)),
        }
    };
    let sound = host.look_at(&recipe.name, recipe.spec(wasm)).map_err(Failed::Adapter)?;
    if sound.manifest().world != plugin.world {
        return Err(Failed::Phase(sound.manifest().world));
    }
    host.start(&plugin.adapter, sound).await.map_err(Failed::Adapter)
}
