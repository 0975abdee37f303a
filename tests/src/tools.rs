//! Programs of others that stories need: found, or the story is skipped and says how to get them.

use crate::repository;
use std::io::Write;
use std::path::PathBuf;

/// A program that is not ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// The real Envoy proxy.
    Envoy,
    /// Python with grpcio and opentelemetry-proto: an OTLP receiver that is not ours.
    OtlpPython,
    /// Prometheus' own checker.
    Promtool,
    /// What `weir plugin` builds with in C.
    PluginC,
    /// In JavaScript.
    PluginJs,
    /// In Python.
    PluginPy,
}

impl Tool {
    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Envoy => "envoy 1.40",
            Self::OtlpPython => "python with grpcio and opentelemetry-proto",
            Self::Promtool => "promtool",
            Self::PluginC => "ziglang for plugins in C",
            Self::PluginJs => "componentize-qjs for plugins in JavaScript",
            Self::PluginPy => "componentize-py for plugins in Python",
        }
    }

    /// What to do when it is not there.
    pub fn fix(self) -> &'static str {
        match self {
            Self::Envoy | Self::OtlpPython => "make tools (needs python3 with venv and a reachable package index)",
            Self::Promtool => "apt-get install prometheus, or put promtool on PATH",
            Self::PluginC | Self::PluginJs | Self::PluginPy => {
                "make tools (needs python3 with pip, or npm, and a reachable package index)"
            }
        }
    }

    /// Where it is.
    pub fn find(self) -> Option<PathBuf> {
        let venv = repository::target().join("tools/venv/bin");
        match self {
            Self::Envoy => Some(venv.join("envoy")).filter(|path| path.is_file()),
            Self::OtlpPython => Some(venv.join("python")).filter(|path| path.is_file() && speaks_otlp(path)),
            Self::Promtool => on_path("promtool"),
            Self::PluginC => ready("c"),
            Self::PluginJs => ready("js"),
            Self::PluginPy => ready("py"),
        }
    }
}

fn speaks_otlp(python: &std::path::Path) -> bool {
    std::process::Command::new(python)
        .args(["-c", "import grpc, opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc"])
        .stderr(std::process::Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The folder of the tools for plugins, if `weir plugin` can build in that language with them.
fn ready(language: &str) -> Option<PathBuf> {
    let cache = repository::plugin_tools();
    let mut doctor = std::process::Command::new(repository::weir().ok()?);
    doctor.args(["plugin", "doctor", "--lang", language]).env("WEIR_CACHE", &cache);
    let ended = doctor.stdout(std::process::Stdio::null()).status().ok()?;
    ended.success().then_some(cache)
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// The tool, or `None` after saying `skipped: needs …` with the fix. Where `CI` is set a skip is a failure.
///
/// The same line goes to the file named by `WEIR_SKIPS`, from which `make test` makes its last table.
pub fn need(tool: Tool, story: &str) -> Option<PathBuf> {
    let found = tool.find();
    if found.is_none() {
        let line = format!("{story}\tneeds {}\t{}", tool.name(), tool.fix());
        eprintln!("skipped: {}", line.replace('\t', ": "));
        if let Some(file) = std::env::var_os("WEIR_SKIPS")
            && let Ok(mut file) = std::fs::OpenOptions::new().append(true).create(true).open(file)
        {
            // The table is for people: a line that cannot be added must not fail the story.
            let _ = writeln!(file, "{line}");
        }
        assert!(std::env::var_os("CI").is_none(), "with CI set nothing may be skipped: {line}");
    }
    found
}
