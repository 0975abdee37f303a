//! What a test of a plugin does beside its calls: it fills and reads stores, and calls for the life of an instance.

use super::{Adapter, ended, lease};
use crate::calls::{Life, Until};
use crate::{Call, Cause, Emission, Failure};

impl Adapter {
    /// Puts a value into a store, without a time to live; says whether the plugin has a store of that name.
    pub fn put(&self, store: &str, key: &str, value: &[u8]) -> bool {
        let pool = self.inner.current.load();
        let store = pool.as_ref().and_then(|pool| pool.plugin.services.kv.get(store));
        store.map(|store| store.put(key, value)).is_some()
    }

    /// Keys and values of a store that have not expired, by key; nothing when the plugin has no store of that name.
    #[must_use]
    pub fn stored(&self, store: &str) -> Vec<(String, Vec<u8>)> {
        let pool = self.inner.current.load();
        let store = pool.as_ref().and_then(|pool| pool.plugin.services.kv.get(store));
        store.map(|store| store.entries()).unwrap_or_default()
    }

    /// Calls `self-test`, `tick` or `drain` in one instance, out of turn; what it emitted comes back.
    ///
    /// # Errors
    /// A [`Failure`]; [`Cause::World`] for any other call.
    pub async fn live(&self, call: Call) -> Result<Vec<Emission>, Failure> {
        let pool = self.pool(call)?;
        let life = match call {
            Call::SelfTest => Life::SelfTest,
            Call::Tick => Life::Tick,
            Call::Drain => Life::Drain,
            _ => return Err(self.failed(&pool, call, Cause::World)),
        };
        let until = Until::after(pool.plugin.limits.configure_time);
        let lived = async {
            let mut lease = lease(&pool, until).await?;
            let Some(instance) = lease.instance() else { return Err(Cause::Busy(until.time)) };
            let answer = instance.live(&pool.plugin, until, life).await;
            Ok(ended(lease, answer)?.1)
        };
        lived.await.map_err(|cause| self.failed(&pool, call, cause))
    }
}
