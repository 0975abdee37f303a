//! A server process pinned to one core, and the CPU time it used.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

/// The core that servers run on; the load runs on core 0.
pub const SERVER_CORE: &str = "1";

/// A server process; killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// The `NAME ADDRESS` lines that it printed before `ready`.
    addresses: Vec<(String, String)>,
}

impl Server {
    /// Starts a program of this build on the server core and waits until it says `ready`.
    #[must_use]
    pub fn start(program: &str, arguments: &[&str]) -> Self {
        let path = neighbour(program);
        let mut child = Command::new("taskset")
            .args(["-c", SERVER_CORE])
            .arg(&path)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}; needs taskset (util-linux) and `make bench`", path.display()));
        let mut addresses = Vec::new();
        let mut lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        loop {
            let line = lines.next().unwrap_or_else(|| panic!("{program} ended before it was ready")).expect("text");
            if line == "ready" {
                break;
            }
            if let Some((name, address)) = line.split_once(' ') {
                addresses.push((name.to_owned(), address.trim().to_owned()));
            }
        }
        // Whoever prints later must not block on a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, addresses }
    }

    /// The address that it printed under that name.
    #[must_use]
    pub fn address(&self, name: &str) -> &str {
        self.addresses.iter().find(|(known, _)| known == name).map(|(_, address)| address.as_str()).expect("printed")
    }

    /// Nanoseconds of CPU that all its threads have used so far.
    #[must_use]
    pub fn cpu(&self) -> u64 {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("the server runs");
        tasks
            .filter_map(|task| fs::read_to_string(task.ok()?.path().join("schedstat")).ok())
            .filter_map(|text| text.split(' ').next()?.parse::<u64>().ok())
            .sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program built beside this one.
#[must_use]
pub fn neighbour(program: &str) -> PathBuf {
    std::env::current_exe().expect("own path").with_file_name(program)
}
