use weir_cel::EvalErrorKind::{Conversion, NoOverload, Overflow};

use super::{fails, holds, refuses, stopped, types};

#[test]
fn a_version_has_numbers() {
    holds(&[
        "semver('1.2.3').major() == 1 && semver('1.2.3').minor() == 2 && semver('1.2.3-rc.1+b').patch() == 3",
        "isSemver('0.0.0') && isSemver('1.0.0-alpha.1+build.01') && isSemver('18446744073709551615.0.0')",
        "!isSemver('1.0') && !isSemver('v1.0.0') && !isSemver('01.0.0') && !isSemver('1.0.0-') && !isSemver('1.0.0-01')",
        "!isSemver('') && !isSemver(' 1.0.0') && !isSemver('1.0.0 ') && !isSemver('1.0.0.0') && !isSemver('1.0.x')",
        "!isSemver('18446744073709551616.0.0') && !isSemver('1.-1.0') && !isSemver('1.0.0+')",
    ]);
    types(&[("semver(s)", "semver"), ("semver(s).major()", "int"), ("isSemver(s)", "bool")]);
    fails(&[
        ("semver(s)", Conversion),
        ("semver('18446744073709551615.0.0').major()", Overflow),
        ("semver(x)", NoOverload),
        ("semver(s, x)", NoOverload),
        ("x.major()", NoOverload),
    ]);
    refuses(&[
        ("semver('1.0')", "'1.0'", "this is not a version"),
        ("semver('1.0.0').isLessThan('2.0.0')", "semver('1.0.0').isLessThan('2.0.0')", "does not take"),
    ]);
}

#[test]
fn versions_as_people_write_them_are_read_when_asked() {
    holds(&[
        "semver('v1.2.3', true) == semver('1.2.3') && semver('1.2', true) == semver('1.2.0') && semver('1', true) == semver('1.0.0')",
        "semver('01.02.03', true) == semver('1.2.3') && semver('00.0.000', true) == semver('0.0.0')",
        "semver('v1.0.0-rc.1', true) == semver('1.0.0-rc.1') && semver('1.2.03-rc', true) == semver('1.2.3-rc')",
        "semver('1.2.0-rc', true) == semver('1.2.0-rc') && semver('1.2.00-rc', true) == semver('1.2.0-rc')",
        "!isSemver('v1.0', false) && isSemver('v1.0', true) && isSemver('0', true)",
        "!isSemver('1.0-rc', true) && !isSemver('1+b', true) && !isSemver('vv1.0.0', true) && !isSemver('V1.0.0', true)",
        "!isSemver('', true) && !isSemver('v', true) && !isSemver('1..0', true) && !isSemver('1.0.0 ', true)",
    ]);
}

#[test]
fn versions_have_an_order() {
    holds(&[
        "semver('1.2.3').compareTo(semver('1.2.3')) == 0 && semver('1.2.3').compareTo(semver('2.0.0')) == -1",
        "semver('1.10.0').compareTo(semver('1.9.0')) == 1",
        "semver('1.0.0-rc').isLessThan(semver('1.0.0')) && !semver('1.0.0').isLessThan(semver('1.0.0'))",
        "semver('1.0.0-alpha.2').isLessThan(semver('1.0.0-alpha.10')) && semver('1.0.0-1').isLessThan(semver('1.0.0-a'))",
        "semver('2.0.0').isGreaterThan(semver('1.99.99')) && !semver('1.0.0').isGreaterThan(semver('1.0.0'))",
        // Build metadata does not count.
        "semver('1.0.0+a') == semver('1.0.0+b') && semver('1.0.0+a').compareTo(semver('1.0.0+b')) == 0",
        "semver('1.0.0') != semver('1.0.1') && semver('1.0.0-a') != semver('1.0.0')",
        "type(semver('1.0.0')) == kubernetes.Semver && semver('1.0.0') in [semver('1.0.0+x')]",
    ]);
    fails(&[("dyn(semver('1.0.0')) < dyn(semver('2.0.0'))", NoOverload), ("x.compareTo(semver('1.0.0'))", NoOverload)]);
}

#[test]
fn versions_are_within_the_budget() {
    stopped(&[
        "lists.range(700).map(i, isSemver('1.0.0-' + s.replace('h', 'aaaaaaaaaaaaaaaaaaaaaaaa'), true)).size() > 0",
    ]);
}
