//! Does what a plugin must not do, for the host's tests: the header `x-do` says what.

use std::hint::black_box;

use serde::Deserialize;
use weir::{Configure, Failure, HeaderOp, Verdict};

#[derive(Default, Deserialize)]
struct Config {
    configure: Option<String>,
}

struct State {
    healthy: bool,
}

impl Configure for State {
    fn configure(json: &str) -> Result<Self, Failure> {
        match Config::configure(json)?.configure.as_deref() {
            Some("fail") => Err(Failure::Unavailable("as I was told".into())),
            Some("loop") => endless(),
            Some("trap") => panic!("as I was told"),
            Some("self-test") => Ok(State { healthy: false }),
            _ => Ok(State { healthy: true }),
        }
    }
}

#[weir::check(self_test = self_test)]
fn check(inputs: Inputs, _: &State) -> Result<Verdict, Failure> {
    let act = inputs.request_headers_x_do.unwrap_or_default();
    match act.as_str() {
        "loop" => endless(),
        "trap" => panic!("as I was told"),
        "memory" => memory(),
        "recurse" => Ok(Verdict::deny(recurse(u64::from(act.len() as u32)).to_string())),
        "giant-message" => Ok(Verdict::deny("").message("x".repeat(4 << 20))),
        "many-headers" => {
            Ok((0..100_000).fold(Verdict::allow(), |verdict, _| verdict.header(HeaderOp::Remove(String::new()))))
        }
        "bad-utf8" => Ok(Verdict::deny(broken_text())),
        "wild-pointer" => Ok(Verdict::deny(wild_text())),
        "bad-header" => Ok(Verdict::allow().header(HeaderOp::Set(("x-a".into(), "1\r\nx-admin: yes".into())))),
        "bad-status" => Ok(Verdict::deny("").status(42)),
        "fail" => Err(Failure::Unavailable("as I was told".into())),
        "log" => {
            (0..200_000).for_each(|line| weir::log::info(format!("line {line}")));
            Ok(Verdict::abstain())
        }
        "print" => {
            println!("hello from inside");
            Ok(Verdict::abstain())
        }
        "sleep" => {
            std::thread::sleep(std::time::Duration::from_secs(60));
            Ok(Verdict::abstain())
        }
        "look-around" => look_around(),
        _ => Ok(Verdict::allow()),
    }
}

fn self_test(state: &State) -> Result<(), Failure> {
    state.healthy.then_some(()).ok_or_else(|| "as I was told".into())
}

fn endless<T>() -> T {
    let mut turns = 0u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

fn memory() -> Result<Verdict, Failure> {
    let mut hoard = Vec::new();
    loop {
        hoard.push(black_box(vec![1u8; 1 << 20]));
    }
}

#[allow(unconditional_recursion)]
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    recurse(depth + 1) + frame.iter().sum::<u64>()
}

/// A text that is none: the host must not believe it.
fn broken_text() -> String {
    unsafe { String::from_utf8_unchecked(vec![0xff, 0xfe, 0xfd]) }
}

/// A text that lies outside of the plugin's memory.
fn wild_text() -> String {
    unsafe { String::from_raw_parts(black_box(0xffff_ff00usize) as *mut u8, 64, 64) }
}

/// Nothing of the machine may be seen from in here.
fn look_around() -> Result<Verdict, Failure> {
    let seen = [
        std::env::vars().count() > 0,
        std::env::args().count() > 0,
        std::fs::read_dir("/").is_ok(),
        std::fs::read("/etc/passwd").is_ok(),
        std::net::TcpStream::connect("127.0.0.1:9").is_ok(),
        std::net::TcpListener::bind("127.0.0.1:0").is_ok(),
        std::net::UdpSocket::bind("127.0.0.1:0").is_ok(),
    ];
    Ok(Verdict::deny(format!("{seen:?}")))
}
