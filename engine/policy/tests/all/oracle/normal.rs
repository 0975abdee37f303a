//! Paths as Envoy normalizes them: authz.md §7, one step after the other.

/// The target with its path normalized, the query kept and the fragment gone.
pub(crate) fn normalized(mode: &str, target: &str) -> String {
    let target = target.split('#').next().unwrap();
    if mode == "NONE" {
        return target.to_owned();
    }
    let (path, query) = match target.find('?') {
        Some(at) => target.split_at(at),
        None => (target, ""),
    };
    let mut path = path.to_owned();
    if mode == "DECODE_AND_MERGE_SLASHES" {
        for (escaped, plain) in [("%2f", "/"), ("%2F", "/"), ("%5c", "\\"), ("%5C", "\\")] {
            path = path.replace(escaped, plain);
        }
    }
    let mut path = without_dots(&decoded(&path).replace('\\', "/"));
    for (plain, escaped) in [
        ("\"", "%22"),
        ("<", "%3C"),
        (">", "%3E"),
        ("^", "%5E"),
        ("`", "%60"),
        ("{", "%7B"),
        ("|", "%7C"),
        ("}", "%7D"),
    ] {
        path = path.replace(plain, escaped);
    }
    if mode != "BASE" {
        while path.contains("//") {
            path = path.replace("//", "/");
        }
    }
    path + query
}

/// Escapes of unreserved characters decoded, once.
fn decoded(path: &str) -> String {
    let mut out = String::new();
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let code = from.get(1..3).and_then(|hex| u8::from_str_radix(hex, 16).ok()).map(char::from);
        match code.filter(|c| c.is_ascii_alphanumeric() || "-._~".contains(*c)) {
            Some(c) => {
                out.push(c);
                rest = &from[3..];
            }
            None => {
                out.push('%');
                rest = &from[1..];
            }
        }
    }
    out + rest
}

/// `.` and `..` resolved; a last one leaves its slash.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    for (at, segment) in segments.iter().enumerate() {
        let last = at + 1 == segments.len();
        match *segment {
            "." | ".." => {
                if *segment == ".." {
                    kept.pop();
                }
                if last {
                    kept.push("");
                }
            }
            segment => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}
