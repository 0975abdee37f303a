//! The README's commands, run from its text: every line that says `# prints X` must print X.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use weir_tests::repository;

/// From a warm build; what the reader's machine compiles comes before.
const DEADLINE: Duration = Duration::from_secs(900);

/// The commands of a section, and what they promise to print, in order.
fn section(readme: &str, heading: &str) -> (String, Vec<String>) {
    let (_, rest) = readme.split_once(&format!("\n## {heading}\n")).expect("the section is there");
    let section = rest.split("\n## ").next().unwrap();
    let blocks = section.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap());
    let script = blocks.collect::<Vec<_>>().join("\n");
    let promises = script.lines().filter_map(|line| Some(line.rsplit_once("# prints ")?.1.trim().to_owned()));
    (script.clone(), promises.collect())
}

/// Runs a section of a text as its reader would, in that folder, and looks for what it promises.
pub async fn keeps_its_word(text: &Path, heading: &str, least: usize, folder: &Path, environment: &[(&str, &str)]) {
    let readme = std::fs::read_to_string(repository::root().join(text)).unwrap();
    let (script, promises) = section(&readme, heading);
    assert!(promises.len() >= least, "the section promises too little to be worth running: {promises:?}");
    // Job control as in the reader's shell; whatever goes wrong, nothing is left running.
    let script = format!("set -m; trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{script}");
    let weir = repository::weir().unwrap();
    let path = format!("{}:{}", weir.parent().unwrap().display(), std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("bash");
    command.arg("-ec").arg(&script).current_dir(folder).env("PATH", path).kill_on_drop(true);
    command.envs(environment.iter().copied());
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let output = tokio::time::timeout(DEADLINE, child.wait_with_output()).await.expect("in time").unwrap();
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let mut rest = &*said;
    for promise in &promises {
        let place = rest.find(promise.as_str());
        assert!(place.is_some(), "{promise:?} is not printed, or not in its place:\n{said}\n{complained}");
        rest = &rest[place.unwrap() + promise.len()..];
    }
    assert!(output.status.success(), "{}:\n{said}\n{complained}", output.status);
}

#[tokio::test]
async fn the_first_ten_minutes_do_what_they_say() {
    keeps_its_word(Path::new("README.md"), "First ten minutes", 10, &repository::root(), &[]).await;
}

#[tokio::test]
async fn cel_is_written_and_debugged_as_it_says() {
    keeps_its_word(Path::new("README.md"), "Write and debug CEL", 7, &repository::root(), &[]).await;
}
