"""Lets only known teams in, and tells the service which team asks."""

from weir import CheckPlugin, Inputs, Request, Set, Verdict, abstain, allow, deny, log


class Plugin(CheckPlugin):
    def configure(self, config):
        # What config.schema.json describes; it has been checked.
        self.teams = config["teams"]

    def check(self, inputs: Inputs, request: Request) -> Verdict:
        # `inputs` has what [inputs] of weir-plugin.toml asks for; None where it is absent.
        team = inputs.request_headers_x_team
        if team is None:
            return abstain()
        if team in self.teams:
            return allow(headers=[Set("x-team-checked", team)])
        log.info(f"denied team {team}")
        return deny("unknown team", status=403, message=f"team {team} is not known here")
