//! Runs adapters: sandboxed Wasm components with limits and a failure policy.
