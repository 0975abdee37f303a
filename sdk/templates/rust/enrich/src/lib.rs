//! Finds out which tier a team has, for policies to ask about.

use weir::Failure;

/// What `config.schema.json` describes.
#[derive(serde::Deserialize)]
struct Config {
    gold: Vec<String>,
}

// `Inputs` and `Outputs` are written from weir-plugin.toml: a field for each, an `Option` where absent is possible.
#[weir::enrich]
fn enrich(inputs: Inputs, config: &Config) -> Result<Outputs, Failure> {
    let tier = |team| if config.gold.contains(&team) { "gold" } else { "silver" };
    Ok(Outputs { metadata_team_tier: inputs.request_headers_x_team.map(|team| tier(team).to_owned()) })
}
