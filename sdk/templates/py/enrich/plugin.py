"""Finds out which tier a team has, for policies to ask about."""

from weir import EnrichPlugin, Inputs, Outputs, Request


class Plugin(EnrichPlugin):
    def configure(self, config):
        # What config.schema.json describes; it has been checked.
        self.gold = config["gold"]

    def enrich(self, inputs: Inputs, request: Request) -> Outputs:
        # What is returned is what [outputs] of weir-plugin.toml promises; None is absent.
        team = inputs.request_headers_x_team
        if team is None:
            return Outputs()
        return Outputs(metadata_team_tier="gold" if team in self.gold else "silver")
