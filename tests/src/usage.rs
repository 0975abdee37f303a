//! What a process takes: CPU and memory, from `/proc`.

use crate::Outcome;
use std::io::Read as _;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// How often a process that runs is looked at. What it allocates in its last moment may be missed.
const LOOK: Duration = Duration::from_millis(1);

/// What the kernel counts CPU in: `USER_HZ` is 100 on every Linux.
const TICK: Duration = Duration::from_millis(10);

/// What a process has taken so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// CPU of all its threads, user and system, to a hundredth of a second.
    pub cpu: Duration,
    /// The most bytes that were resident at once.
    pub peak: u64,
}

impl Usage {
    /// Of a process that runs.
    pub fn of(process: u32) -> Outcome<Self> {
        Ok(Self { cpu: cpu(process)?, peak: memory(process, "VmHWM")? })
    }
}

/// The bytes that are resident now.
pub fn resident(process: u32) -> Outcome<u64> {
    memory(process, "VmRSS")
}

/// Lets [`Usage::peak`] begin anew at what is resident now.
pub fn forget_peak(process: u32) -> Outcome<()> {
    Ok(std::fs::write(format!("/proc/{process}/clear_refs"), "5")?)
}

/// Runs a program to its end.
pub fn run(command: &mut Command) -> Outcome<(Output, Usage)> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let read = |pipe: Option<Box<dyn std::io::Read + Send>>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            pipe.map(|mut pipe| pipe.read_to_end(&mut bytes)).transpose().map(|_| bytes)
        })
    };
    let out = read(child.stdout.take().map(|pipe| Box::new(pipe) as _));
    let err = read(child.stderr.take().map(|pipe| Box::new(pipe) as _));
    let mut usage = Usage::default();
    // One that has ended keeps its CPU, not its memory, until it is waited for.
    while let Ok(now) = Usage::of(child.id()) {
        usage = now;
        std::thread::sleep(LOOK);
    }
    usage.cpu = cpu(child.id()).unwrap_or(usage.cpu);
    let status = child.wait()?;
    let whole = |reader: std::thread::JoinHandle<std::io::Result<Vec<u8>>>| reader.join().map_err(|_| "a reader died");
    Ok((Output { status, stdout: whole(out)??, stderr: whole(err)?? }, usage))
}

fn cpu(process: u32) -> Outcome<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name in parentheses may hold anything; behind it are fields 3 and on.
    let fields: Vec<&str> = stat.rsplit_once(')').ok_or("no name in stat")?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field - 3).and_then(|text| text.parse::<u32>().ok());
    let (user, system) = ticks(14).zip(ticks(15)).ok_or("no CPU in stat")?;
    Ok(TICK * (user + system))
}

fn memory(process: u32, name: &str) -> Outcome<u64> {
    let mut status = String::new();
    std::fs::File::open(format!("/proc/{process}/status"))?.read_to_string(&mut status)?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).and_then(|kib| kib.trim().parse::<u64>().ok());
    Ok(kib.ok_or_else(|| format!("no {name} of {process}"))? * 1024)
}
