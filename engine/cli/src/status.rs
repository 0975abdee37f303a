//! `weir status`: how a running engine is, for a person at 3 a.m.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use clap::{Args, ValueEnum};
use serde_json::Value;

use crate::{failure::Failure, terminal::say};

/// The admin port is on this machine: what does not answer by then does not answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// A status is a few kilobytes.
const ANSWER_BYTES_MAX: u64 = 16 << 20;

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Output {
    Table,
    Json,
}

/// Says how a running engine is: configuration, plugins, losses.
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// The engine's admin address.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9876")]
    admin: SocketAddr,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

impl Status {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let mut status = get(self.admin, "/status")?;
        match self.output {
            Output::Json => say(&format!("{status:#}\n")),
            Output::Table => {
                if let Some(Value::Object(refused)) = status.pointer_mut("/config/refused") {
                    refused.remove("diagnostics");
                }
                let mut table = String::new();
                write_table(&status, 0, &mut table);
                say(&table);
            }
        }
        if status.get("ready").and_then(Value::as_bool) == Some(true) { Ok(()) } else { Err(Failure::Finding) }
    }
}

fn get(admin: SocketAddr, path: &str) -> Result<Value, Failure> {
    let unreachable = |error: &dyn std::fmt::Display| {
        Failure::Unreachable(format!(
            "no engine answers at {admin}: {error}; start `weir serve`, or name its admin address with --admin"
        ))
    };
    let mut stream = TcpStream::connect_timeout(&admin, PATIENCE).map_err(|error| unreachable(&error))?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(|error| unreachable(&error))?;
    write!(stream, "GET {path} HTTP/1.0\r\nhost: {admin}\r\n\r\n").map_err(|error| unreachable(&error))?;
    let mut answer = String::new();
    stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer).map_err(|error| unreachable(&error))?;
    let (_, body) = answer.split_once("\r\n\r\n").ok_or_else(|| unreachable(&"that is not HTTP"))?;
    serde_json::from_str(body).map_err(|error| unreachable(&error))
}

/// Objects as indented `key  value` lines: short enough to read aloud on the phone.
fn write_table(value: &Value, depth: usize, table: &mut String) {
    let Value::Object(fields) = value else { return };
    let pad = "  ".repeat(depth);
    let width = 24_usize.saturating_sub(pad.len());
    for (key, value) in fields {
        match value {
            Value::Object(_) => {
                *table += &format!("{pad}{key}\n");
                write_table(value, depth + 1, table);
            }
            Value::Array(items) if items.iter().any(Value::is_object) => {
                *table += &format!("{pad}{key}\n");
                items.iter().for_each(|item| write_table(item, depth + 1, table));
            }
            // The rendered diagnostics already say what their parts say.
            Value::String(text) if text.contains('\n') => *table += &format!("{pad}{key}\n{text}\n"),
            Value::String(text) => *table += &format!("{pad}{key:<width$} {text}\n"),
            other => *table += &format!("{pad}{key:<width$} {other}\n"),
        }
    }
}
