// Finds out which tier a team has, for policies to ask about.
import { defineEnrich } from "weir";

let gold = [];

export default defineEnrich({
  // What config.schema.json describes; it has been checked.
  configure(config) {
    gold = config.gold;
  },

  // What is returned is what [outputs] of weir-plugin.toml promises; what is left out is absent.
  enrich(inputs) {
    const team = inputs.request_headers_x_team;
    return team === null ? {} : { metadata_team_tier: gold.includes(team) ? "gold" : "silver" };
  },
});
