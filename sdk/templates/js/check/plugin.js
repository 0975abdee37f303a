// Lets only known teams in, and tells the service which team asks.
import { abstain, allow, defineCheck, deny, log, set } from "weir";

let teams = [];

export default defineCheck({
  // What config.schema.json describes; it has been checked.
  configure(config) {
    teams = config.teams;
  },

  // `inputs` has what [inputs] of weir-plugin.toml asks for; null where it is absent.
  check(inputs) {
    const team = inputs.request_headers_x_team;
    if (team === null) return abstain();
    if (teams.includes(team)) return allow({ headers: [set("x-team-checked", team)] });
    log.info(`denied team ${team}`);
    return deny("unknown team", { status: 403, message: `team ${team} is not known here` });
  },
});
