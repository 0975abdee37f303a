//! What the targets share: the stack, and how a text becomes policies.

use std::{path::Path, thread};

use weir_config::{Diagnostics, Options, Sources, load_sources};
use weir_policy::PolicySet;

/// The stack that a tokio worker has. A panic in it ends the process, as libFuzzer has it.
const STACK: usize = 2 * 1024 * 1024;

/// Runs a body as a server would.
pub fn on_a_small_stack(body: impl FnOnce() + Send) {
    thread::scope(|scope| {
        let worker = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, body).expect("a thread");
        worker.join().expect("no panic");
    });
}

/// Compiles files of a folder.
///
/// # Errors
/// What is wrong with them.
pub fn compiled(files: &[(&str, &str)], previous: Option<&PolicySet>) -> Result<PolicySet, Diagnostics> {
    let options = Options { allow_empty: true, ..Options::default() };
    let loaded = load_sources(Sources::in_memory(Path::new("fuzz"), files.iter().copied()), &options)?;
    loaded.compile_after(previous).map(|(set, _)| set)
}
