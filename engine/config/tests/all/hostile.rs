//! Files that were made to hurt, and files that were damaged by chance.

use std::time::{Duration, Instant};

use weir_config::limits::{MAX_DOCUMENTS, MAX_FILE_BYTES};

use crate::folder::{everything, one};

/// Far more than it takes, far less than an attack would.
const FAST: Duration = Duration::from_secs(10);

fn refused_fast(what: &str, text: &str) -> String {
    let started = Instant::now();
    let found = one(text).expect_err(what);
    assert!(started.elapsed() < FAST, "{what} took {:?}", started.elapsed());
    for diagnostic in &found {
        assert!(diagnostic.place.line > 0 && diagnostic.place.column > 0, "{what}: {diagnostic}");
    }
    found.to_string()
}

#[test]
fn bombs_are_refused_fast() {
    let head = "apiVersion: policy.weir.dev/v1alpha1\nkind: Workload\nmetadata: {name: a}\nspec:\n  labels:\n";
    let mut laughs = format!("{head}    a: &a [x,x,x,x,x,x,x,x,x,x]\n");
    for (above, name) in ('a'..='i').zip('b'..='j') {
        laughs += &format!("    {name}: &{name} [{}]\n", vec![format!("*{above}"); 10].join(","));
    }
    let status = laughs.replace("spec:\n  labels:", "spec: {}\nstatus:\n  labels:");
    let merges = format!("{head}    base: &b {{x: y}}\n    <<: [{}]\n", vec!["*b"; 50_000].join(","));
    for (what, text) in [
        ("a billion laughs", laughs),
        ("a billion laughs in an ignored field", status),
        ("a merge bomb", merges),
        ("an anchor inside itself", format!("{head}    a: &a [*a]\n")),
        ("deep flow lists", format!("{head}    a: {}", "[".repeat(200_000))),
        ("deep flow mappings", format!("{head}    a: {}", "{a: ".repeat(200_000))),
        ("deep block lists", format!("{head}    {}", "- ".repeat(200_000))),
        ("many values", format!("{head}    a: [{}]\n", "1,".repeat(2_000_000))),
        ("many keys", format!("{head}{}", (0..300_000).map(|n| format!("    k{n}: v\n")).collect::<String>())),
        ("a long key", format!("{head}    {}: v\n", "k".repeat(1_000_000))),
        ("many documents", "--- a\n".repeat(MAX_DOCUMENTS + 2)),
        ("quotes that never close", format!("{head}    a: \"{}", "\\\n".repeat(500_000))),
        ("many anchors", format!("{head}    a: [{}]\n", (0..100_000).map(|n| format!("&a{n} x,")).collect::<String>())),
        ("many tags", format!("{head}    a: [{}]\n", "!t x,".repeat(100_000))),
        ("nothing but colons", ":".repeat(1_000_000)),
        ("many tabs", format!("a:\n{}b: 1\n", "\t".repeat(1_000_000))),
        ("nothing but dashes", "-\n".repeat(500_000)),
        ("a file of one word", "x".repeat(usize::try_from(MAX_FILE_BYTES).unwrap())),
    ] {
        let shown = refused_fast(what, &text);
        assert!(shown.len() < 64 * 1024, "{what}: {} bytes of text", shown.len());
    }
}

/// A generator that gives the same damage in every run (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }
}

/// Damages `text` in one of the ways that editors, merges and disks do.
fn damaged(text: &str, random: &mut Random) -> String {
    const PIECES: [&str; 24] = [
        "\t", " ", "\n", ":", "- ", "[", "]", "{", "}", "\"", "'", "|", ">", "&a ", "*a", "!!int ", "#", "%", "@",
        "\0", "---\n", "<<: ", "\u{feff}", "é",
    ];
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=random.below(3) {
        let at = random.below(chars.len());
        match random.below(6) {
            0 => {
                chars.remove(at);
            }
            1 => {
                let piece = PIECES[random.below(PIECES.len())];
                chars.splice(at..at, piece.chars());
            }
            2 => chars.truncate(at.max(1)),
            3 => {
                let end = (at + random.below(40)).min(chars.len());
                let copy: Vec<char> = chars[at..end].to_vec();
                let to = random.below(chars.len());
                chars.splice(to..to, copy);
            }
            4 => chars[at] = char::from_u32(u32::try_from(random.below(0x300)).unwrap()).unwrap_or('x'),
            _ => {
                let other = random.below(chars.len());
                chars.swap(at, other);
            }
        }
        if chars.is_empty() {
            chars.push('x');
        }
    }
    chars.into_iter().collect()
}

#[test]
fn damaged_files_are_refused_with_a_place_or_loaded_and_never_panic() {
    let whole = everything();
    let (mut refused, mut accepted) = (0, 0);
    for seed in 1..=1_000_u64 {
        let text = damaged(&whole, &mut Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let found = match one(&text) {
            Err(found) => found,
            Ok(loaded) => match loaded.compile() {
                Err(found) => found,
                Ok(_) => {
                    accepted += 1;
                    continue;
                }
            },
        };
        refused += 1;
        assert!(found.has_errors());
        let lines = text.lines().count() + 1;
        for diagnostic in &found {
            let place = &diagnostic.place;
            assert!(place.line >= 1 && place.line <= lines && place.column >= 1, "seed {seed}: {diagnostic}\n{text}");
        }
        assert!(!found.to_string().is_empty() && serde_json::to_string(&found).is_ok());
    }
    assert!(refused >= 400 && accepted >= 20, "{refused} refused, {accepted} accepted");
}
