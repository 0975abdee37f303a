//! What SDKs import of WASI: clocks, randomness, an environment, and standard output, which goes to the log. No files.

use std::sync::LazyLock;
use std::time::Instant;

use wasmtime::{Caller, Linker, bail};

use super::general::now;
use crate::abi::Status;
use crate::guest::Guest;
use crate::memory::{put, put_u32, slice};
use crate::{LOG_LINE_BYTES_MAX, RANDOM_BYTES_MAX, WRITE_PIECES_MAX};

/// Errors of WASI.
const BADF: u32 = 8;
const FAULT: u32 = 21;
const INVAL: u32 = 28;
const NOTSUP: u32 = 58;

/// The right to write, in the description of a file.
const RIGHT_TO_WRITE: u64 = 64;

static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);

type C<'a> = Caller<'a, Guest>;

/// Under both names that WASI has had.
pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    for module in ["wasi_snapshot_preview1", "wasi_unstable"] {
        linker.func_wrap(module, "fd_write", |mut c: C<'_>, fd: u32, pieces: u32, count: u32, to: u32| {
            errno(write(&mut c, fd, pieces, count, to))
        })?;
        linker.func_wrap(module, "clock_time_get", |mut c: C<'_>, clock: u32, _: u64, to: u32| {
            errno(match clock {
                0 => store(&mut c, to, &now().to_le_bytes()),
                1 => store(&mut c, to, &(STARTED.elapsed().as_nanos() as u64).to_le_bytes()),
                _ => Err(NOTSUP),
            })
        })?;
        linker
            .func_wrap(module, "random_get", |mut c: C<'_>, to: u32, length: u32| errno(random(&mut c, to, length)))?;
        linker.func_wrap(module, "proc_exit", |_: C<'_>, code: u32| -> wasmtime::Result<()> {
            bail!("it exited with code {code}")
        })?;
        linker.func_wrap(module, "sched_yield", |_: C<'_>| 0_u32)?;
        // As Envoy: nothing to wait for, and no time passes; Go's runtime gives up on anything but success.
        linker.func_wrap(module, "poll_oneoff", |_: C<'_>, _: u32, _: u32, _: u32, _: u32| 0_u32)?;
        link_environment(linker, module)?;
        link_files(linker, module)?;
    }
    Ok(())
}

fn link_environment(linker: &mut Linker<Guest>, module: &str) -> wasmtime::Result<()> {
    linker.func_wrap(module, "environ_sizes_get", |mut c: C<'_>, count_to: u32, size_to: u32| {
        let lines = environment(&c);
        let size = lines.iter().map(Vec::len).sum::<usize>() as u32;
        errno(store_u32(&mut c, count_to, lines.len() as u32).and_then(|()| store_u32(&mut c, size_to, size)))
    })?;
    linker.func_wrap(module, "environ_get", |mut c: C<'_>, mut list: u32, mut at: u32| {
        for line in environment(&c) {
            if store_u32(&mut c, list, at).and_then(|()| store(&mut c, at, &line)).is_err() {
                return FAULT;
            }
            // Both were in memory, so neither leaves 32 bits by much.
            (list, at) = (list.wrapping_add(4), at.wrapping_add(line.len() as u32));
        }
        0
    })?;
    linker.func_wrap(module, "args_sizes_get", |mut c: C<'_>, count_to: u32, size_to: u32| {
        errno(store_u32(&mut c, count_to, 0).and_then(|()| store_u32(&mut c, size_to, 0)))
    })?;
    linker.func_wrap(module, "args_get", |_: C<'_>, _: u32, _: u32| 0_u32)?;
    Ok(())
}

fn link_files(linker: &mut Linker<Guest>, module: &str) -> wasmtime::Result<()> {
    linker.func_wrap(module, "fd_fdstat_get", |mut c: C<'_>, fd: u32, to: u32| {
        let words = [0, RIGHT_TO_WRITE, 0].map(u64::to_le_bytes);
        errno(if matches!(fd, 1 | 2) { store(&mut c, to, words.as_flattened()) } else { Err(BADF) })
    })?;
    linker.func_wrap(module, "fd_close", |_: C<'_>, _: u32| 0_u32)?;
    linker.func_wrap(module, "fd_seek", |_: C<'_>, _: u32, _: u64, _: u32, _: u32| 0_u32)?;
    linker.func_wrap(module, "fd_prestat_get", |_: C<'_>, _: u32, _: u32| BADF)?;
    Ok(())
}

fn errno(outcome: Result<(), u32>) -> u32 {
    outcome.err().unwrap_or(0)
}

fn store(caller: &mut C<'_>, to: u32, bytes: &[u8]) -> Result<(), u32> {
    put(caller, to, bytes).map_err(|_: Status| FAULT)
}

fn store_u32(caller: &mut C<'_>, to: u32, number: u32) -> Result<(), u32> {
    put_u32(caller, to, number).map_err(|_: Status| FAULT)
}

/// `NAME=value` with a NUL behind it, of each.
fn environment(caller: &C<'_>) -> Vec<Vec<u8>> {
    let line = |(name, value): &(String, String)| format!("{name}={value}\0").into_bytes();
    caller.data().filter.spec.environment.iter().map(line).collect()
}

/// A line for the log, of at most so many bytes as are kept of one.
fn write(caller: &mut C<'_>, fd: u32, pieces: u32, count: u32, to: u32) -> Result<(), u32> {
    let level = match fd {
        1 => 2,
        2 => 4,
        _ => return Err(BADF),
    };
    if count > WRITE_PIECES_MAX {
        return Err(INVAL);
    }
    let (mut line, mut written) = (Vec::new(), 0_u32);
    for piece in slice(caller, pieces, count * 8).map_err(|_| FAULT)?.chunks_exact(8) {
        let number =
            |at: usize| piece.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_le_bytes);
        let bytes = slice(caller, number(0), number(4)).map_err(|_| FAULT)?;
        written = written.saturating_add(bytes.len() as u32);
        let room = LOG_LINE_BYTES_MAX.saturating_sub(line.len());
        line.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }
    if !line.is_empty() {
        caller.data().filter.log.say(level, line.strip_suffix(b"\n").unwrap_or(&line));
    }
    store_u32(caller, to, written)
}

fn random(caller: &mut C<'_>, to: u32, length: u32) -> Result<(), u32> {
    if length > RANDOM_BYTES_MAX {
        return Err(INVAL);
    }
    let mut bytes = vec![0; length as usize];
    getrandom::fill(&mut bytes).map_err(|_| NOTSUP)?;
    store(caller, to, &bytes)
}
