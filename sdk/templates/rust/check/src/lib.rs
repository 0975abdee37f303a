//! Lets only known teams in, and tells the service which team asks.

use weir::{Failure, Verdict, log};

/// What `config.schema.json` describes.
#[derive(serde::Deserialize)]
struct Config {
    teams: Vec<String>,
}

// `Inputs` is written from `[inputs]` of weir-plugin.toml: a field for each, an `Option` where absent is possible.
#[weir::check]
fn check(inputs: Inputs, config: &Config) -> Result<Verdict, Failure> {
    let Some(team) = inputs.request_headers_x_team else { return Ok(Verdict::abstain()) };
    if config.teams.contains(&team) {
        return Ok(Verdict::allow().set_header("x-team-checked", &team));
    }
    log::info(format!("denied team {team}"));
    Ok(Verdict::deny("unknown team").status(403).message(format!("team {team} is not known here")))
}
