/* SPDX-License-Identifier: MIT */
#include "capture.h"

#include "sim_replay.h"

static const weft_sim_scenario echo = {.size = sizeof echo,
                                       .name = "echo",
                                       .plan = {.connections = 20, .messages = 1000}};

static void check(const struct sim_job *job, bool twice, const char *expected)
{
    struct capture capture;

    capture_begin(&capture);
    sim_replay_print(capture.out, job, 77, twice);
    assert_string_equal(capture_end(&capture), expected);
    free(capture.text);
}

static void a_scenario_is_run_again_with_what_differs_from_the_usual(void **state)
{
    struct sim_options options = {.operands = {.count = 1, .items = {"echo"}}, .faults = "all"};
    struct sim_job job = {.options = &options, .scenario = &echo, .plan = echo.plan};
    struct sim_keep keep = {0};

    (void)state;
    check(&job, false, "weft sim echo --seed 77\n");
    check(&job, true, "weft sim echo --seed 77 --twice\n");
    job.plan.connections = 1;
    job.plan.messages = 3;
    job.keep = &keep;
    check(&job, false, "weft sim echo --seed 77 --connections 1 --messages 3 --keep none\n");
    assert_int_equal(sim_keep_add(&keep, 12, 12), 0);
    assert_int_equal(sim_keep_add(&keep, 40, 41), 0);
    options.faults = "resets=5";
    check(&job, false, "weft sim echo --seed 77 --faults resets=5 --connections 1 --messages 3 --keep 12,40-41\n");
    sim_keep_clear(&keep);
}

static void a_program_is_run_again_by_itself(void **state)
{
    struct sim_options options = {.operands = {.count = 2, .items = {"./it", "a b"}}, .faults = "none"};
    struct sim_job job = {.options = &options, .argv = {"./it", "a b"}};

    (void)state;
    check(&job, false, "WEFT_BACKEND=sim:77 WEFT_SIM_FAULTS=none ./it 'a b'\n");
    job.plan = echo.plan;
    check(&job, true,
          "weft sim --seed 77 --twice --faults none --connections 20 --messages 1000 --no-visitors -- ./it "
          "'a b'\n");
    options.visitors = true;
    options.say = "hello\r\n";
    check(&job, false,
          "WEFT_BACKEND=sim:77 WEFT_SIM_FAULTS=none WEFT_SIM_VISITORS=20,1000 WEFT_SIM_SAY=$'hello\\r\\n' "
          "./it 'a b'\n");
}

static void what_a_shell_would_read_otherwise_is_quoted(void **state)
{
    struct sim_options options = {.faults = "none"};
    struct sim_job job = {.options = &options, .argv = {"./it", "it's", "$HOME", "", "a\x1b[m"}};

    (void)state;
    check(&job, false, "WEFT_BACKEND=sim:77 WEFT_SIM_FAULTS=none ./it 'it'\\''s' '$HOME' '' $'a\\x1b[m'\n");
}

/* An option, and an assignment to a variable. */
static void what_would_not_be_read_as_a_path_is_made_one(void **state)
{
    struct sim_options options = {.operands = {.count = 1, .items = {"-d/it.so"}}, .faults = "all"};
    struct sim_job job = {.options = &options, .scenario = &echo, .plan = echo.plan};

    (void)state;
    check(&job, false, "weft sim ./-d/it.so --seed 77\n");
    job.scenario = NULL;
    job.argv[0] = "a=b/it";
    check(&job, false, "WEFT_BACKEND=sim:77 WEFT_SIM_FAULTS=all ./a=b/it\n");
    job.argv[0] = "/a=b/it";
    check(&job, false, "WEFT_BACKEND=sim:77 WEFT_SIM_FAULTS=all /a=b/it\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scenario_is_run_again_with_what_differs_from_the_usual),
        cmocka_unit_test(a_program_is_run_again_by_itself),
        cmocka_unit_test(what_a_shell_would_read_otherwise_is_quoted),
        cmocka_unit_test(what_would_not_be_read_as_a_path_is_made_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
