//! `weir cel` as its users meet it: what is printed where, exit codes, and a session of the repl through a pipe.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use weir_tests::repository;

/// What a command printed, and how it ended.
#[derive(Debug)]
struct Said {
    out: String,
    err: String,
    code: i32,
}

fn weir(folder: &Path, arguments: &[&str], input: &str) -> Said {
    let mut command = Command::new(repository::weir().unwrap());
    command.current_dir(folder).arg("cel").args(arguments).env("XDG_STATE_HOME", folder);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("weir starts");
    // Who does not read its input closes it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said { out: text(output.stdout), err: text(output.stderr), code: output.status.code().unwrap_or(-1) }
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "request.yaml",
        "request: {method: GET, path: /a, headers: {x-role: admin}}\nsource.principal: td/ns/shop/sa/cart\n",
    );
    write("user.yaml", "user: {groups: [qa, ops]}\n");
    write(
        "three.yaml",
        "request: {method: GET, size: 1}\n---\nrequest.method: PUT\n---\nrequest: {method: GET, size: 9}\n",
    );
    write("wrong.yaml", "request:\n  method: GET\n  size: big\n");
    write("rule.cel", "request.method == \"GET\" &&\n  source.namespace == \"shop\"\n");
    folder
}

/// Arguments, exit code, what is on standard output, and what standard error mentions; nothing means that it is empty.
const CALLS: &[(&[&str], i32, &str, &str)] = &[
    (&["eval", "[1, 2u, 1.5, \"a\"]"], 0, "[1, 2u, 1.5, \"a\"]\n", ""),
    (&["eval", "request.headers[\"x-role\"]", "--input", "request.yaml"], 0, "\"admin\"\n", ""),
    (&["eval", "request.headers", "--input", "request.yaml", "--output", "json"], 0, "{\"x-role\":\"admin\"}\n", ""),
    (
        &["eval", "request.size > 4", "-i", "three.yaml"],
        1,
        "three.yaml:1  false\nthree.yaml:3  error at 1:1: attribute `request.size` is absent\nthree.yaml:5  true\n",
        "",
    ),
    (
        &["eval", "request.method", "-i", "request.yaml", "-i", "user.yaml", "--var", "user=dyn", "--output", "json"],
        1,
        "[{\"request\":\"request.yaml:1\",\"value\":\"GET\"},{\"error\":\"attribute `request.method` is absent\",\"request\":\"user.yaml:1\"}]\n",
        "",
    ),
    (&["eval", "method", "--container", "request", "-i", "request.yaml"], 0, "\"GET\"\n", ""),
    (&["eval", "request.methud"], 1, "", "did you mean `request.method`?"),
    (&["eval", "source.principal"], 1, "", "tell it: --input FILE"),
    (&["eval", "1", "-i", "wrong.yaml"], 1, "", "--> wrong.yaml:3:9"),
    (&["eval", "1", "-i", "none.yaml"], 2, "", "none.yaml"),
    (&["eval", "[1, 2, 3].map(x, x)", "--steps", "1"], 1, "", "raise --steps"),
    (&["eval", "1", "--var", "a"], 2, "", "such as `user=string`"),
    (&["eval", "1", "--var", "a=strng"], 2, "", "did you mean `string`?"),
    (&["eval", "1", "--var", "as=int"], 2, "", "choose another name"),
    (&["eval", "1", "--var", "request=dyn"], 2, "", "--no-vocabulary"),
    (&["eval", "user.groups[0]", "--var", "user=dyn", "--no-vocabulary", "-i", "user.yaml"], 0, "\"qa\"\n", ""),
    (&["eval", "1", "--inptu", "x"], 2, "", "'--input'"),
    (&["eval", "response.code"], 1, "", "known only when the request is reported"),
    (
        &["eval", "request.method == \"GET\" && request.size > 4", "--partial", "-i", "three.yaml"],
        0,
        "three.yaml:1  false\nthree.yaml:3  false\nthree.yaml:5  true\n",
        "",
    ),
    (
        &["eval", "request.method == \"GET\" && source.port == p", "--partial", "-i", "request.yaml", "--var", "p=int"],
        0,
        "source.port == p\n",
        "",
    ),
    (
        &["eval", "\"k\" in request.headers && source.port == p", "--partial", "--var", "p=int", "--output", "json"],
        0,
        "{\"residual\":\"\\\"k\\\" in request.headers && source.port == p\",\"unknown\":[\"request.headers[\\\"k\\\"]\",\"source.port\",\"p\"]}\n",
        "",
    ),
    (&["eval", "1 + 1", "--partial", "--output", "json"], 0, "{\"value\":2}\n", ""),
    (
        &["check", "response.code", "--all"],
        0,
        "type       int\nreads      response.code\ncost       0 steps; 0 bytes\nunguarded  1:1  response.code: an error when it is absent\n           write: has(response.code) ? response.code : ...\n",
        "",
    ),
    (
        &["check", "--file", "rule.cel"],
        0,
        "type       bool\nreads      request.method\n           source.namespace\ncost       0 steps; 0 bytes\nunguarded  2:3  source.namespace: an error when it is absent\n           write: has(source.namespace) && source.namespace == \"shop\"\n",
        "",
    ),
    (&["check", "1 +\n nope"], 1, "", "--> expression:2:2"),
    (&["check", "[1, 2].exists(x, request.size == x)", "--steps", "1"], 1, "", "the limit is 1"),
    (&["check", "1", "--type", "bool"], 1, "", "the expression is int, but bool is needed"),
    (
        &["check", "1 +", "--output", "json"],
        1,
        "{\"accepted\":false,\"diagnostics\":[{\"column\":4,\"excerpt\":{\"from\":3,\"text\":\"1 +\",\"to\":3},\"file\":\"expression\",\"line\":1,\"message\":\"found the end, expected a value, a name or `(`\",\"severity\":\"error\"}]}\n",
        "",
    ),
    (
        &["explain", "request.method == \"GET\" && source.namespace == \"x\"", "-i", "request.yaml"],
        0,
        "request.method == \"GET\" && source.namespace == \"x\"   false\n├─ request.method == \"GET\"                           true\n│  └─ request.method                                 \"GET\"\n└─ source.namespace == \"x\"                           false  ◀\n   └─ source.namespace                               \"shop\"\n",
        "",
    ),
    (
        &["explain", "request.path == \"/\"", "-i", "request.yaml", "--mask"],
        0,
        "request.path == \"/\"   false  ◀\n└─ request.path       (sensitive)\n",
        "",
    ),
    (
        &["functions", "startsWith"],
        0,
        "string.startsWith(string) -> bool\n  Whether a text begins with that part.\n",
        "",
    ),
    (&["functions", "startWith"], 2, "", "did you mean `startsWith`?"),
];

#[test]
fn data_goes_to_standard_output_and_talk_to_standard_error() {
    let folder = folder();
    for (arguments, code, out, err) in CALLS {
        let said = weir(folder.path(), arguments, "");
        assert_eq!((said.code, said.out.as_str()), (*code, *out), "{arguments:?}: {said:?}");
        assert!(said.err.contains(err) && said.err.is_empty() == err.is_empty(), "{arguments:?}: {}", said.err);
    }
}

#[test]
fn an_expression_and_a_request_can_come_from_a_pipe() {
    let folder = folder();
    let said = weir(folder.path(), &["eval", "-", "-i", "request.yaml"], "request.method\n");
    assert_eq!((said.code, said.out.as_str()), (0, "\"GET\"\n"), "{said:?}");
    let said = weir(folder.path(), &["eval", "request.method", "-i", "-"], "request: {method: PUT}\n");
    assert_eq!((said.code, said.out.as_str()), (0, "\"PUT\"\n"), "{said:?}");
    let said = weir(folder.path(), &["eval", "-", "-i", "-"], "1");
    assert_eq!(said.code, 2, "{said:?}");
}

#[test]
fn hostile_input_is_refused_by_its_size() {
    let folder = folder();
    let said = weir(folder.path(), &["check", "-"], &"(".repeat(20_000));
    assert!(said.code == 2 && said.err.contains("longer than"), "{said:?}");
    let said = weir(folder.path(), &["check", &"(".repeat(16_000)], "");
    assert!(said.code == 1 && said.err.len() < 2_000, "{said:?}");
    let said = weir(folder.path(), &["eval", "1", "-i", "-"], &"a: [\n".repeat(400_000));
    assert!(said.code == 2 && said.err.contains("longer than"), "{said:?}");
    let said = weir(folder.path(), &["eval", "1", "-i", "-"], &"[".repeat(100_000));
    assert!(said.code == 1 && said.err.len() < 2_000, "{said:?}");
    let said = weir(folder.path(), &["repl"], &"1 + ".repeat(100_000));
    assert!(said.code == 2 && said.err.contains("write shorter"), "{said:?}");
}

/// A session: each line, and what it prints on standard output.
const SESSION: &[(&str, &str)] = &[
    ("// a comment", ""),
    ("", ""),
    ("1 + 1", "2\n"),
    ("[1,", ""),
    (" 2]", "[1, 2]\n"),
    (":let big = request.size > limit", ""),
    (":input three.yaml 3", ""),
    ("big", "error"),
    (":let limit = 4", ""),
    (":type request.headers", "map(string, string)\n"),
    (":let small = !(request.size > 4)", ""),
    ("small", "false\n"),
    (":input three.yaml", ""),
    ("small", "true\n"),
    (":let small = 1", ""),
    ("small + 1", "2\n"),
    (":explain request.size > 4", "request.size > 4   false  ◀\n└─ request.size    1\n"),
    (":check 1", "type       int\nreads      no attribute\ncost       0 steps; 0 bytes\n"),
    (
        ":help all",
        "list(A).all(x, bool) -> bool  (macro)\nmap(A, B).all(k, v, bool) -> bool  (macro)\n  Whether all elements, or all keys, meet a condition.\n",
    ),
    (":quit", ""),
    ("never", ""),
];

#[test]
fn the_repl_works_through_a_pipe() {
    let folder = folder();
    let lines: String = SESSION.iter().map(|(line, _)| format!("{line}\n")).collect();
    let said = weir(folder.path(), &["repl"], &lines);
    // `limit` is not declared, so three lines fail.
    let expected: String = SESSION.iter().map(|(_, printed)| *printed).filter(|printed| *printed != "error").collect();
    assert_eq!(said.out, expected, "{}", said.err);
    assert_eq!(said.code, 1, "a line failed");
    assert!(
        said.err.contains("`limit` is not declared") && said.err.contains("three.yaml:5 (request 3 of 3)"),
        "{said:?}"
    );
    assert!(!said.err.contains("cel>") && !said.err.contains("never"), "{said:?}");
    assert!(!folder.path().join("weir/cel-history").exists(), "a pipe leaves no history");
    let said = weir(folder.path(), &["repl", "--var", "limit=int"], "request.size > limit\n:vars\n");
    assert_eq!((said.code, said.out.as_str()), (1, "limit  int  has no value\n"), "{said:?}");
    let said = weir(folder.path(), &["repl", "-i", "request.yaml"], "request.method");
    assert_eq!((said.code, said.out.as_str()), (0, "\"GET\"\n"), "{said:?}");
}

#[test]
fn every_example_of_the_help_runs() {
    let folder = folder();
    let bin = repository::weir().unwrap();
    let path = format!("{}:{}", bin.parent().unwrap().display(), std::env::var("PATH").unwrap_or_default());
    for verb in ["eval", "check", "explain", "functions", "repl"] {
        let help = weir(folder.path(), &[verb, "--help"], "").out;
        let (_, examples) = help.split_once("Examples:\n").expect(verb);
        let examples: Vec<&str> = examples.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
        assert!(examples.len() >= 2, "{verb}: {examples:?}");
        for example in examples {
            let output = Command::new("bash")
                .args(["-c", example])
                .current_dir(folder.path())
                .env("PATH", &path)
                .stdin(Stdio::null())
                .output()
                .unwrap();
            assert!(output.status.success(), "{example}\n{}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

/// Types into a repl that believes it has a terminal, each line when the prompt is there, and prints all that it wrote.
const TYPIST: &str = r#"
import os, pty, select, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], "cel", "repl", "--input", "request.yaml"])
seen = b""
def expect(mark):
    global seen
    while mark not in seen and select.select([fd], [], [], 20)[0]:
        try: seen += os.read(fd, 4096)
        except OSError: break
    before, _, seen = seen.partition(mark)
    sys.stdout.write((before + mark).decode())
expect(b"cel> ")
for typed, marks in [(b"request.meth\t", [b"cel> request.method"]), (b"\r", [b'"GET"', b"cel> "]),
                     (b"[1,\r2]\r", [b"[1, 2]", b"cel> "]), (b"nonsense\x03", [b"nonsense", b"cel> "]), (b"\x04", [b"gone"])]:
    os.write(fd, typed)
    for mark in marks: expect(mark)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"#;

#[test]
fn the_repl_completes_on_a_terminal_and_keeps_a_history() {
    let folder = folder();
    let weir = repository::weir().unwrap();
    let python = Command::new("python3").args(["-c", "import pty"]).output();
    if !python.is_ok_and(|output| output.status.success()) {
        println!("skipped: needs python3 with pty, to stand in for a terminal");
        return;
    }
    let output = Command::new("python3")
        .arg("-c")
        .arg(TYPIST)
        .arg(weir)
        .current_dir(folder.path())
        .envs([("XDG_STATE_HOME", folder.path().as_os_str()), ("TERM", "xterm".as_ref()), ("NO_COLOR", "1".as_ref())])
        .output()
        .unwrap();
    let screen = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{screen}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(screen.contains("\"GET\"") && screen.contains("[1, 2]"), "{screen}");
    let history = std::fs::read_to_string(folder.path().join("weir/cel-history")).unwrap();
    assert!(history.contains("request.method\n") && !history.contains("nonsense"), "{history}");
}
