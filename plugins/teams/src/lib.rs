//! Finds out which team a user is of, for the policies.

use std::collections::HashMap;

use serde::Deserialize;
use weir::Failure;

#[derive(Deserialize)]
struct Config {
    users: HashMap<String, User>,
}

#[derive(Deserialize)]
struct User {
    team: String,
    #[serde(default)]
    roles: Vec<String>,
}

#[weir::enrich]
fn enrich(inputs: Inputs, config: &Config) -> Result<Outputs, Failure> {
    let user = inputs.user.and_then(|user| config.users.get(&user));
    Ok(Outputs {
        metadata_acme_team: user.map(|user| user.team.clone()),
        metadata_acme_roles: user.map(|user| user.roles.clone()),
    })
}
