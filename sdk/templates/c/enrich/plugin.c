/* Finds out which tier a team has, for policies to ask about. */
#include "plugin.h" /* weir_inputs and weir_outputs, written from weir-plugin.toml, and the SDK */

static weir_text config;

/* What it is given and allocates stays; what config.schema.json asks for has been checked. */
weir_failure weir_configure(weir_text json) {
    config = json;
    return WEIR_OK;
}

weir_failure weir_enrich(const weir_inputs *inputs, weir_bag request, weir_outputs *outputs) {
    (void)request;
    if (!inputs->request_headers_x_team.there) return WEIR_OK;
    outputs->metadata_team_tier = (weir_opt_text){true, T("silver")};
    size_t gold = weir_json_count(weir_json(config, "gold"));
    for (size_t i = 0; i < gold; i++) {
        weir_text team = weir_json_text(weir_json(config, weir_fmt("gold.%zu", i).at));
        if (weir_eq(team, inputs->request_headers_x_team.of)) outputs->metadata_team_tier.of = T("gold");
    }
    return WEIR_OK;
}
