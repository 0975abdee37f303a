use weir_cel::EvalErrorKind::{Conversion, NoOverload};

use super::{fails, gives, holds, refuses, stopped, types};

#[test]
fn a_url_has_parts() {
    gives(&[
        ("url('https://user:pw@Example.com:8443/a/b?q=1#f').getScheme()", "https"),
        ("url('https://user:pw@Example.com:8443/a/b?q=1').getHost()", "Example.com:8443"),
        ("url('https://user:pw@Example.com:8443/a/b?q=1').getHostname()", "Example.com"),
        ("url('https://user:pw@Example.com:8443/a/b?q=1').getPort()", "8443"),
        ("url('https://user:pw@Example.com:8443/a/b?q=1').getEscapedPath()", "/a/b"),
        ("url('HTTP://example.com/').getScheme()", "http"),
        // Nothing is added or left out.
        ("url('https://example.com').getEscapedPath()", ""),
        ("url('https://example.com:443/').getPort()", "443"),
        ("url('https://example.com:/').getPort()", ""),
        ("url('https://example.com/a/../b/./c').getEscapedPath()", "/a/../b/./c"),
        ("url('https://[2001:db8::1]:80/').getHost()", "[2001:db8::1]:80"),
        ("url('https://[2001:db8::1]:80/').getHostname()", "2001:db8::1"),
        ("url('https://[2001:db8::1]/').getHostname()", "2001:db8::1"),
        ("url('https://[2001:db8::1]/').getPort()", ""),
        ("url('https://[fe80::1%25en0]:1/').getHostname()", "fe80::1%en0"),
        ("url('https://caf%C3%A9.example/').getHost()", "café.example"),
        ("url('mailto:someone@example.com').getScheme()", "mailto"),
        ("url('mailto:someone@example.com').getHost() + url('mailto:a').getEscapedPath()", ""),
        ("url('/only/a/path?x=y').getEscapedPath()", "/only/a/path"),
        ("url('/only/a/path').getHost() + url('/p').getScheme() + url('/p').getPort()", ""),
        ("url('//example.com/p').getHost()", "example.com"),
        ("url('///p').getHost()", ""),
        ("url('*').getEscapedPath()", "*"),
        ("url('https://example.com/p#f').getEscapedPath()", "/p"),
    ]);
    types(&[("url(s)", "url"), ("url(s).getQuery()", "map(string, list(string))"), ("url(s).getPort()", "string")]);
}

#[test]
fn a_path_is_escaped_where_it_must_be() {
    gives(&[
        ("url('/with space').getEscapedPath()", "/with%20space"),
        // One bad character, and all that may be escaped is.
        ("url('/with space(1)').getEscapedPath()", "/with%20space%281%29"),
        ("url('/fine(1)').getEscapedPath()", "/fine(1)"),
        ("url('/a%2fb').getEscapedPath()", "/a%2fb"),
        ("url('/é').getEscapedPath()", "/%C3%A9"),
        ("url('/a;b,c=d@e:f').getEscapedPath()", "/a;b,c=d@e:f"),
    ]);
}

#[test]
fn a_query_is_keys_and_their_values() {
    holds(&[
        "url('/p?a=1&b=2&a=3').getQuery() == {'a': ['1', '3'], 'b': ['2']}",
        "url('/p').getQuery() == {} && url('/p?').getQuery() == {} && url('/p?&&').getQuery() == {}",
        "url('/p?flag&empty=').getQuery() == {'flag': [''], 'empty': ['']}",
        "url('/p?a+b=c%20d%3D').getQuery() == {'a b': ['c d=']}",
        "url('/p?a=b=c').getQuery() == {'a': ['b=c']}",
        // Pairs that cannot be read are left out, as in Go.
        "url('/p?a=%zz&b=1&c;d=2').getQuery() == {'b': ['1']}",
        "url('/p?a=%ff').getQuery() == {'a': ['\\ufffd']}",
    ]);
}

#[test]
fn what_is_no_url_is_refused() {
    holds(&[
        "isURL('https://user:pass@example.com:80/path?query=val#fragment') && isURL('/path') && isURL('a:b')",
        "!isURL('') && !isURL('../up') && !isURL('path') && !isURL('#f') && !isURL('?q')",
        "!isURL('https://a:b:c/') && !isURL('https://a:1:2/') && !isURL('https://a:x/') && !isURL(':80')",
        "!isURL('https://[::1/') && !isURL('https://[10.0.0.1]/') && !isURL('https://[v1.x]/') && !isURL('https://a[::1]/')",
        "!isURL('https://exa mple.com/') && !isURL('https://ex%41mple.com/') && !isURL('https://%ff.example/')",
        "!isURL('/%') && !isURL('/%g0') && !isURL('/a\\nb') && !isURL('/a\\u007fb')",
        "!isURL('https://us er@example.com/') && !isURL('https://u%@example.com/') && !isURL('/p#%zz')",
        // A fragment right after the host, as in Kubernetes.
        "!isURL('https://example.com#f')",
        "!isURL('1http://example.com/') && !isURL('//[::1')",
    ]);
    fails(&[
        ("url(s)", Conversion),
        ("url('' + '')", Conversion),
        ("url(x)", NoOverload),
        ("isURL(x)", NoOverload),
        ("x.getHost()", NoOverload),
    ]);
    refuses(&[
        ("url('../up')", "'../up'", "this is not a URL"),
        ("url(1)", "url(1)", "does not take (int)"),
        ("url('/').getPath()", "url('/').getPath()", "no function"),
    ]);
}

#[test]
fn urls_are_equal_when_their_texts_are() {
    holds(&[
        "url('HTTPS://a/b') == url('https://a/b') && url('https://a/b') != url('https://A/b')",
        "url('/p?') != url('/p') && url('/p#') == url('/p') && url('/p#a') != url('/p')",
        "url('/a b') == url('/a%20b') && url('/p') in [url('/q'), url('/p')]",
        "type(url('/p')) == kubernetes.URL",
        "optional.ofNonZeroValue(url('/')).hasValue()",
    ]);
}

#[test]
fn a_url_displays_as_what_it_is_read_from() {
    let env = weir_cel::Env::builder().build();
    let none: [weir_cel::Value<'static>; 0] = [];
    for source in [
        r#"url("https://user:pw@example.com:80/a%20b?q=1#f")"#,
        r#"url("https://[fe80::1%25en0]:1/")"#,
        r#"url("mailto:someone@example.com")"#,
        r#"url("//host/p")"#,
        r#"url("/p?")"#,
    ] {
        let program = env.compile(source).unwrap();
        let value = program.evaluate(&none, &mut weir_cel::Scratch::new()).unwrap();
        assert_eq!(value.to_string(), source);
    }
}

#[test]
fn urls_are_within_the_budget() {
    stopped(&[
        "lists.range(300).map(i, isURL('/' + s.replace('', 'aaaaaaaaaaaaaaaaaaaa', n))).size() > 0",
        "url('/?' + lists.range(300).map(i, string(i) + '=').join('&')).getQuery().size() > 0",
    ]);
}

/// Pieces that URLs are made of, and some that they are not.
const PIECES: [&str; 24] = [
    "http", ":", "/", "//", "@", "[", "]", "::1", "%25", "%2f", "%C3%A9", "%ff", "%", "?", "#", "&", "=", "+", ";",
    "é", " ", "a.b", "80", "*",
];

#[test]
fn what_is_read_displays_so_that_it_reads_back() {
    let env = weir_cel::Env::builder().variable("s", weir_cel::Type::String).build();
    let (read, again) = (env.compile("url(s)").unwrap(), env.compile("isURL(s)").unwrap());
    let none: [weir_cel::Value<'static>; 0] = [];
    let (mut state, mut urls) = (7_u64, 0);
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..1 + state % 9 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(PIECES[(state >> 33) as usize % PIECES.len()]);
        }
        let values = [weir_cel::Value::from(text.as_str())];
        let outcome = read.evaluate(&values, &mut weir_cel::Scratch::new());
        let is_url = again.evaluate_bool(&values, &mut weir_cel::Scratch::new()).unwrap();
        assert_eq!(outcome.is_ok(), is_url, "{text:?}");
        let Ok(url) = outcome else { continue };
        urls += 1;
        let written = env.compile(&url.to_string()).unwrap_or_else(|errors| panic!("{text:?} {url}\n{errors}"));
        let back = written.evaluate(&none, &mut weir_cel::Scratch::new()).unwrap();
        assert_eq!(back.to_string(), url.to_string(), "{text:?}");
    }
    assert!(urls > 1_000, "{urls}");
}
