//! Tokens, drawn and signed before anybody is asked: signing takes longer than deciding.

use serde_json::{Value as Json, json};

use super::{Random, near};
use crate::{
    issuer::{ISSUER, NOW, STRANGER},
    oracle::{Token, TokenState},
};

/// How many tokens there are in a run.
const COUNT: usize = 400;

/// The first two are trusted in most worlds, the last one in none.
const ISSUERS: [&str; 3] = ["https://a.example/i", "b", "c"];

pub(super) const REQUEST_PRINCIPALS: &[&str] = &[
    "*",
    "https://a.example/i/s",
    "https://a.example/i/*",
    "https://a.example/*",
    "b/s",
    "b/u*",
    "b",
    "b*",
    "*/s",
    "*ple/i/s",
    "*-1",
    "b/a/b",
    "*/*",
    "https://*",
];
pub(super) const AUDIENCES: &[&str] = &["web", "api", "w*", "*pi", "*"];
pub(super) const PRESENTERS: &[&str] = &["cli", "web", "c*", "*"];
pub(super) const ROLES_CLAIMED: &[&str] = &["admin", "ad*", "*min", "*", "user", "5", "true"];
pub(super) const GROUPS: &[&str] = &["ops", "o*", "*", "dev"];
pub(super) const WORDS: &[&str] = &["read", "write", "read write", "r*", "*"];

/// The tokens of a run.
pub(crate) struct Tokens(Vec<Token>);

impl Tokens {
    pub(crate) fn new(random: &mut Random) -> Self {
        Self((0..COUNT).map(|_| token(random)).collect())
    }

    pub(super) fn pick(&self, random: &mut Random) -> &Token {
        random.pick(&self.0)
    }
}

/// Whose tokens are taken: nobody's, the first issuer's, or both; for some audiences only in one of four.
pub(super) fn issuers(random: &mut Random) -> Vec<(&'static str, Vec<&'static str>)> {
    let count = *random.pick(&[0, 1, 2, 2, 2, 2, 2, 2]);
    let taken = ISSUERS.iter().take(count);
    taken.map(|issuer| (*issuer, if random.one_in(6) { vec!["web", "api"] } else { Vec::new() })).collect()
}

fn token(random: &mut Random) -> Token {
    let mut claims = claims(random);
    let state = match random.below(24) {
        0 => TokenState::Forged,
        1 => TokenState::Untimely,
        2 => TokenState::Junk,
        _ => TokenState::Good,
    };
    if state == TokenState::Untimely {
        let (claim, time) = *random.pick(&[("exp", NOW - 61), ("nbf", NOW + 61)]);
        claims[claim] = time.into();
    } else if random.one_in(2) {
        // The clocks of others may be wrong by a minute.
        claims["exp"] = (NOW - 59).into();
        claims["nbf"] = (NOW + 59).into();
    }
    let text = match state {
        TokenState::Forged => STRANGER.sign(&claims),
        TokenState::Junk => "no.token".to_owned(),
        _ => ISSUER.sign(&claims),
    };
    Token { claims, text, state }
}

/// A text, a list with it, or something that never matches.
fn shape(text: String, random: &mut Random) -> Json {
    match random.below(8) {
        0 | 1 => json!(["other", text]),
        2 => json!(5),
        3 => json!([[text], true, null]),
        _ => json!(text),
    }
}

fn claims(random: &mut Random) -> Json {
    let mut claims = json!({"iss": *random.pick(&[0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2].map(|at| ISSUERS[at]))});
    let put = |claims: &mut Json, name: &str, value: Option<Json>| {
        if let Some(value) = value {
            claims[name] = value;
        }
    };
    let subject = near(random.text(&["s", "a/b", "user-1", "*"]), &["s", ""], random);
    put(&mut claims, "sub", subject.map(Json::from));
    let audience = near(random.text(AUDIENCES), &["eb", "a"], random);
    let audience = audience.map(|text| if random.one_in(6) { format!("https://{text}") } else { text });
    put(&mut claims, "aud", audience.map(|text| if random.one_in(2) { json!(["x", text]) } else { json!(text) }));
    let presenter = near(random.text(PRESENTERS), &["li"], random);
    put(&mut claims, "azp", presenter.map(|text| if random.one_in(3) { json!(["x", text]) } else { json!(text) }));
    for name in ["role", "a.b"] {
        let role = near(random.text(ROLES_CLAIMED), &["min", "ad"], random);
        let role = role.map(|role| shape(role, random));
        put(&mut claims, name, role);
    }
    let group = near(random.text(GROUPS), &["ps"], random);
    let group = group.map(|group| json!({"name": shape(group, random)}));
    put(&mut claims, "group", group);
    let words = random.pick(&["read write", "read", "write", " read  write", "", "reader"]);
    put(
        &mut claims,
        "scope",
        (!random.one_in(3)).then(|| if random.one_in(4) { json!([words]) } else { json!(words) }),
    );
    claims
}
