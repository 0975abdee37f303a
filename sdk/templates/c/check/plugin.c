/* Lets only known teams in, and tells the service which team asks. */
#include "plugin.h" /* weir_inputs, written from [inputs] of weir-plugin.toml, and the SDK */

static weir_text config;

/* What it is given and allocates stays; what config.schema.json asks for has been checked. */
weir_failure weir_configure(weir_text json) {
    config = json;
    return WEIR_OK;
}

weir_failure weir_check(const weir_inputs *inputs, weir_bag request, weir_verdict *verdict) {
    (void)request;
    verdict->decision = WEIR_ABSTAIN;
    if (!inputs->request_headers_x_team.there) return WEIR_OK;
    weir_text team = inputs->request_headers_x_team.of;
    size_t teams = weir_json_count(weir_json(config, "teams"));
    for (size_t i = 0; i < teams; i++) {
        weir_text known = weir_json_text(weir_json(config, weir_fmt("teams.%zu", i).at));
        if (!weir_eq(known, team)) continue;
        verdict->decision = WEIR_ALLOW;
        weir_add_header(verdict, WEIR_SET, T("x-team-checked"), team);
        return WEIR_OK;
    }
    weir_log(WEIR_LOG_INFO, weir_fmt("denied team %.*s", WEIR_F(team)));
    verdict->decision = WEIR_DENY;
    verdict->status = (weir_opt_u32){true, 403};
    verdict->reason = T("unknown team");
    verdict->message = (weir_opt_text){true, weir_fmt("team %.*s is not known here", WEIR_F(team))};
    return WEIR_OK;
}
