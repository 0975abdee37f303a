use weir_cel::EvalErrorKind::{Conversion, NoOverload};

use super::{fails, holds, refuses, stopped};

#[test]
fn base64_is_written_with_padding_and_read_with_and_without() {
    holds(&[
        "base64.encode(b'weir!') == 'd2VpciE=' && base64.encode(b'') == '' && base64.encode(b'\\xff\\xfe') == '//4='",
        "base64.decode('d2VpciE=') == b'weir!' && base64.decode('d2VpciE') == b'weir!' && base64.decode('') == b''",
        "base64.decode('d2Vp\\r\\nciE=') == b'weir!'",
        // Bits that stand over.
        "base64.decode('QR') == b'A'",
        "base64.decode(base64.encode(bytes(s))) == bytes(s)",
    ]);
    fails(&[
        ("base64.decode(s)", Conversion),
        ("base64.decode('a' + 'b-_c')", Conversion),
        ("base64.decode('QQ' + '===')", Conversion),
        ("base64.decode('Q' + '')", Conversion),
        ("base64.encode(x)", NoOverload),
    ]);
    refuses(&[
        ("base64.decode('no!')", "'no!'", "this is not base64"),
        ("base64.encode('text')", "base64.encode('text')", "does not take (string)"),
    ]);
}

#[test]
fn base64_is_within_the_budget() {
    stopped(&[
        "lists.range(12).map(i, 'abcdefgh').join().replace('a', 'b'.replace('', 'xxxxxxxxx'), n * 2).split('').map(c, base64.encode(bytes(c.replace('', 'yyyyyyyy')))).map(i, base64.decode(i)).size() * 0 + lists.range(1000).map(i, base64.encode(bytes(s))).size() > 5",
    ]);
}
