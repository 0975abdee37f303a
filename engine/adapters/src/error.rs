//! Why an adapter was not loaded.

use std::path::PathBuf;
use std::time::Duration;

use weir_manifest::World;

use crate::Failure;

/// Why an adapter was not loaded. `origin` is where the component came from: a path or URL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are something else.
    #[error("{origin}: not WebAssembly: at offset 0x0 found {found}; build the plugin with --target wasm32-wasip2")]
    NotWasm {
        /// Where the bytes came from.
        origin: String,
        /// Their beginning.
        found: String,
    },
    /// A core module instead of a component.
    #[error(
        "{origin}: a core module, not a component (offset 0x4); build with --target wasm32-wasip2, or wrap it with `wasm-tools component new`"
    )]
    CoreModule {
        /// Where the bytes came from.
        origin: String,
    },
    /// Damaged or invalid WebAssembly.
    #[error("{origin}: not a valid component: {message}; build it again or fetch it again")]
    Malformed {
        /// Where the bytes came from.
        origin: String,
        /// What is wrong, with its offset.
        message: String,
    },
    /// More bytes than [`crate::COMPONENT_BYTES_MAX`].
    #[error("{origin}: {bytes} bytes, the limit is {limit}; strip the plugin, or leave out what it does not need")]
    TooLarge {
        /// Where the bytes came from.
        origin: String,
        /// How many there are.
        bytes: usize,
        /// How many there may be.
        limit: usize,
    },
    /// There is no section `weir:manifest`.
    #[error(
        "{origin}: no section weir:manifest; the SDK writes it, so build with the SDK, and do not strip custom sections afterwards"
    )]
    NoManifest {
        /// Where the bytes came from.
        origin: String,
    },
    /// The manifest says something that cannot be.
    #[error("{origin}: section weir:manifest: {message}")]
    Manifest {
        /// Where the bytes came from.
        origin: String,
        /// What, and what to do.
        message: String,
    },
    /// The component wants something that this host does not have.
    #[error("{origin}: import {import}: {message}")]
    Import {
        /// Where the bytes came from.
        origin: String,
        /// The name of the import.
        import: String,
        /// What is known of it.
        message: String,
    },
    /// The component does not export what its world demands.
    #[error(
        "{origin}: export {export} is missing, which the manifest's world {world} demands; found {found}; mark the plugin's function #[{world}]"
    )]
    Export {
        /// Where the bytes came from.
        origin: String,
        /// The name of the missing export.
        export: &'static str,
        /// The manifest's world.
        world: World,
        /// What is exported.
        found: String,
    },
    /// The plugin's own schema is not one.
    #[error("{origin}: section weir:manifest: config_schema{path}: {message}")]
    Schema {
        /// Where the bytes came from.
        origin: String,
        /// JSON pointer into the schema.
        path: String,
        /// What is wrong with it.
        message: String,
    },
    /// The configuration breaks the plugin's schema.
    #[error("adapter {adapter}: {}", .problems.join("; "))]
    Config {
        /// The adapter's name.
        adapter: String,
        /// Each with the path of its field; values are not repeated.
        problems: Vec<String>,
    },
    /// A limit that makes no sense.
    #[error("adapter {adapter}: limits.{field} must be at least {least}")]
    Limit {
        /// The adapter's name.
        adapter: String,
        /// Which limit.
        field: &'static str,
        /// Its least value.
        least: usize,
    },
    /// The manifest asks for what the operator did not grant.
    #[error(
        "adapter {adapter}: the plugin asks for {capability}, which is not granted; grant it under spec.capabilities, or use another plugin"
    )]
    NotGranted {
        /// The adapter's name.
        adapter: String,
        /// Which capability.
        capability: String,
    },
    /// An input is no attribute, and the operator has not bound it.
    #[error(
        "adapter {adapter}: input \"{input}\" is not in the vocabulary; bind it in spec.bindings, or correct weir-plugin.toml"
    )]
    Unbound {
        /// The adapter's name.
        adapter: String,
        /// The input.
        input: String,
    },
    /// An expression of the operator is wrong.
    #[error("adapter {adapter}: {field}: {message}")]
    Expression {
        /// The adapter's name.
        adapter: String,
        /// `match`, or `bindings.NAME`.
        field: String,
        /// What is wrong with it, with line and column in it.
        message: String,
    },
    /// The plugin needs more than its limits.
    #[error("adapter {adapter}: the plugin needs {needs}; raise spec.limits.{field}")]
    Needs {
        /// The adapter's name.
        adapter: String,
        /// How much of what.
        needs: String,
        /// Which limit.
        field: &'static str,
    },
    /// The compiler refused the component.
    #[error("{origin}: does not compile: {message}")]
    Compile {
        /// Where the bytes came from.
        origin: String,
        /// What the compiler says.
        message: String,
    },
    /// The compiler took too long.
    #[error("{origin}: does not compile within {limit:?}; make the plugin smaller")]
    CompileTime {
        /// Where the bytes came from.
        origin: String,
        /// How long it may take.
        limit: Duration,
    },
    /// No instance could be started, or its `configure` failed.
    #[error("does not start: {0}")]
    Start(#[from] Failure),
    /// The cache folder cannot be used.
    #[error("cache folder {}: {message}; give another folder or its rights", .path.display())]
    Cache {
        /// The folder or file.
        path: PathBuf,
        /// What the system says.
        message: String,
    },
    /// The host itself cannot start.
    #[error("the WebAssembly engine does not start: {0}")]
    Engine(String),
}
