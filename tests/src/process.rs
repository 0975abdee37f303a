//! One running program: started, its addresses read from what it prints, killed, ended and started again.

use crate::Outcome;
use crate::patience;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};

/// How many lines of a program's output are kept, each of stdout and stderr; later ones are dropped.
const KEPT: usize = 20_000;

/// A program of the house. Killed when dropped.
#[derive(Debug)]
pub struct Program {
    name: String,
    binary: PathBuf,
    arguments: Vec<OsString>,
    child: Option<Child>,
    output: Arc<Mutex<Output>>,
}

/// What a program printed since it was last started.
#[derive(Debug, Default, Clone)]
pub struct Output {
    /// Lines of stdout.
    pub out: Vec<String>,
    /// Lines of stderr.
    pub err: Vec<String>,
    /// `NAME ADDRESS` lines of stdout.
    pub addresses: BTreeMap<String, SocketAddr>,
    /// Whether it printed the line `ready`.
    pub ready: bool,
}

impl Program {
    /// A program that is not started yet; `name` is for messages.
    pub fn new(name: &str, binary: &Path, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        Self {
            name: name.to_owned(),
            binary: binary.to_path_buf(),
            arguments: arguments.into_iter().map(Into::into).collect(),
            child: None,
            output: Arc::default(),
        }
    }

    /// Starts it and returns at once.
    pub fn spawn(&mut self) -> Outcome<()> {
        let mut child = Command::new(&self.binary)
            .args(&self.arguments)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| format!("{} ({}): {e}", self.name, self.binary.display()))?;
        self.output = Arc::default();
        if let Some(out) = child.stdout.take() {
            let output = self.output.clone();
            tokio::spawn(listen(out, move |line| output.lock().unwrap_or_else(PoisonError::into_inner).said(line)));
        }
        if let Some(err) = child.stderr.take() {
            let output = self.output.clone();
            tokio::spawn(listen(err, move |line| {
                let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
                if output.err.len() < KEPT {
                    output.err.push(line);
                }
            }));
        }
        self.child = Some(child);
        Ok(())
    }

    /// Starts it and waits for its line `ready`; an early exit fails with its last words.
    pub async fn start(&mut self) -> Outcome<()> {
        self.spawn()?;
        self.wait_for("it never said `ready`", |output| output.ready).await
    }

    /// Waits until what it printed is enough.
    pub async fn wait_for(&mut self, what: &str, enough: impl Fn(&Output) -> bool) -> Outcome<()> {
        let output = self.output.clone();
        let child = &mut self.child;
        let waited = patience::until(what, || {
            let done = enough(&output.lock().unwrap_or_else(PoisonError::into_inner));
            let over = child.as_mut().is_none_or(|child| matches!(child.try_wait(), Ok(Some(_)) | Err(_)));
            async move { if done { Some(true) } else { over.then_some(false) } }
        })
        .await;
        match waited {
            Ok(true) => Ok(()),
            Ok(false) => Err(format!("{} ended: {}", self.name, self.last_words()).into()),
            Err(trouble) => Err(format!("{}: {trouble}: {}", self.name, self.last_words()).into()),
        }
    }

    /// The bound address that it printed as `NAME ADDRESS`.
    pub fn address(&self, name: &str) -> Outcome<SocketAddr> {
        let output = self.output();
        output.addresses.get(name).copied().ok_or_else(|| {
            format!("{} printed no address for {name}, only {:?}", self.name, output.addresses.keys()).into()
        })
    }

    /// What it printed so far.
    pub fn output(&self) -> Output {
        self.output.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Everything it printed, stdout and stderr, as one text.
    pub fn said(&self) -> String {
        let output = self.output();
        [output.out, output.err].concat().join("\n")
    }

    /// `kill -9`, and waits until it is gone.
    pub async fn kill(&mut self) -> Outcome<()> {
        if let Some(child) = &mut self.child {
            child.kill().await?;
        }
        Ok(())
    }

    /// SIGTERM, and waits for the end; a program that drains for longer than the house is patient fails.
    pub async fn end(&mut self) -> Outcome<ExitStatus> {
        let child = self.child.as_mut().ok_or("not started")?;
        let id = child.id().ok_or("already gone")?;
        if !std::process::Command::new("kill").args(["-TERM", &id.to_string()]).status()?.success() {
            return Err(format!("SIGTERM did not reach {}", self.name).into());
        }
        Ok(tokio::time::timeout(patience::PATIENCE, child.wait())
            .await
            .map_err(|_| format!("{} did not end after SIGTERM", self.name))??)
    }

    /// Waits for it to end by itself.
    pub async fn exit(&mut self) -> Outcome<ExitStatus> {
        let child = self.child.as_mut().ok_or("not started")?;
        Ok(tokio::time::timeout(patience::PATIENCE, child.wait())
            .await
            .map_err(|_| format!("{} still runs: {}", self.name, self.last_words()))??)
    }

    /// Whether it runs.
    pub fn runs(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Its process id while it runs.
    pub fn id(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    /// Replaces the value of `--flag`, so that a restart keeps the port it got.
    pub fn set(&mut self, flag: &str, value: impl Into<OsString>) {
        match self.arguments.iter().position(|argument| argument == flag) {
            Some(at) if at + 1 < self.arguments.len() => self.arguments[at + 1] = value.into(),
            _ => self.arguments.extend([flag.into(), value.into()]),
        }
    }

    fn last_words(&self) -> String {
        let output = self.output();
        let lines: Vec<_> = output.err.iter().chain(&output.out).cloned().collect();
        let from = lines.len().saturating_sub(25);
        format!("its last words:\n  {}", lines.get(from..).unwrap_or_default().join("\n  "))
    }
}

impl Output {
    fn said(&mut self, line: String) {
        self.ready |= line == "ready";
        if let Some((name, address)) = line.split_once(' ')
            && let Ok(address) = address.trim().parse()
        {
            self.addresses.insert(name.to_owned(), address);
        }
        if self.out.len() < KEPT {
            self.out.push(line);
        }
    }
}

async fn listen(pipe: impl AsyncRead + Unpin, mut heard: impl FnMut(String)) {
    let mut lines = BufReader::new(pipe).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        heard(line);
    }
}
