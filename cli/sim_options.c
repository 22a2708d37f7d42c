/* SPDX-License-Identifier: MIT */
/* What `weft sim` understands: its arguments, help, manual page and completion come from here. */
#include "sim.h"

#define RUNS "What is run"
#define WORLD "The world"
#define CHECKS "Checks"
#define OUTPUT "Output"
#define OTHER "Other"

enum { MANY = 100000000 };

static const struct option options[] = {
    {.name = "seeds",
     .letter = 'n',
     OPTION_SETS_INTEGER(struct sim_options, seeds),
     .argument = "N",
     .otherwise = "1000, or 1 with --seed",
     .minimum = 1,
     .maximum = MANY,
     .group = RUNS,
     .help = "How many seeds are run, from the first on."},
    {.name = "seed",
     .letter = 's',
     OPTION_SETS_INTEGER(struct sim_options, seed),
     .argument = "S",
     .otherwise = "1",
     .minimum = 1,
     .maximum = UINT64_C(1) << 62,
     .group = RUNS,
     .help =
         "The first seed. Without --seeds it is the only one, and a scenario is run in this process itself, so that a "
         "debugger sees it, for as long as it takes."},
    {.name = "connections",
     .letter = 'c',
     OPTION_SETS_INTEGER(struct sim_options, connections),
     .argument = "N",
     .otherwise = "what the scenario says",
     .minimum = 1,
     .maximum = 1000000,
     .group = RUNS,
     .help = "How many connections a run makes, or whatever the scenario has several of; how many visitors come to a "
             "program."},
    {.name = "messages",
     .letter = 'm',
     OPTION_SETS_INTEGER(struct sim_options, messages),
     .argument = "N",
     .otherwise = "what the scenario says",
     .minimum = 1,
     .maximum = MANY,
     .group = RUNS,
     .help = "How many messages a run sends in all, or about."},
    {.name = "jobs",
     .letter = 'j',
     OPTION_SETS_INTEGER(struct sim_options, jobs),
     .argument = "N",
     .otherwise = "one for each processor",
     .minimum = 1,
     .maximum = SIM_JOBS_MOST,
     .group = RUNS,
     .help = "How many processes run seeds at once."},

    {.name = "faults",
     .letter = 'f',
     OPTION_SETS_STRING(struct sim_options, faults),
     .argument = "SPEC",
     .initial = "all",
     .group = WORLD,
     .help = "What goes wrong: all (each seed draws which kinds there are, and how often each happens), "
             "all-but-allocations, none, or kinds with their chances in a million and the network's figures, such as "
             "resets=200,short-reads=500000,latency=1ms-80ms,bandwidth=64k."},
    {.name = "keep",
     .letter = 'k',
     OPTION_SETS_STRING(struct sim_options, keep),
     .argument = "LIST",
     .otherwise = "all",
     .group = WORLD,
     .help = "Let only these of the faults happen, by their numbers in the order in which they came: 12,40-44 or none. "
             "A seed that failed is shrunk so."},

    {.name = "visitors",
     OPTION_SETS_FLAG(struct sim_options, visitors),
     .group = WORLD,
     .help = "Have strangers come to a program that listens, of whom some are polite; when all have gone, it gets "
             "SIGTERM. This is the default."},
    {.name = "no-visitors",
     OPTION_CLEARS_FLAG(struct sim_options, visitors),
     .group = WORLD,
     .help = "Leave a program alone in its world."},
    {.name = "say",
     OPTION_SETS_STRING(struct sim_options, say),
     .argument = "TEXT",
     .otherwise = "lines of their own",
     .group = WORLD,
     .help = "What the visitors say."},

    {.name = "twice",
     .letter = 't',
     OPTION_SETS_FLAG(struct sim_options, twice),
     .group = CHECKS,
     .help =
         "Run each seed a second time, in a process whose memory lies elsewhere and is filled with something else "
         "before it is set, and compare the hashes of the two runs. Where they differ, the first thing that differs "
         "is shown. A program that ends without weft_loop_free has no hash, which is a failure then."},
    {.name = "require-probes",
     OPTION_SETS_FLAG(struct sim_options, probes_required),
     .group = CHECKS,
     .help = "Fail unless the seeds reach every probe that the scenario declares."},
    {.name = "patience",
     OPTION_SETS_DURATION(struct sim_options, patience),
     .argument = "TIME",
     .initial = "20s",
     .minimum = WEFT_MILLISECONDS(100),
     .maximum = WEFT_HOURS(24),
     .group = CHECKS,
     .help = "How long, in real time, a run may make no progress, and a program may run at all."},
    {.name = "continue-on-failure",
     OPTION_SETS_FLAG(struct sim_options, goes_on),
     .group = CHECKS,
     .help = "Run all seeds, and tell of each that fails, without shrinking."},
    {.name = "shrink",
     OPTION_SETS_FLAG(struct sim_options, shrinks),
     .group = CHECKS,
     .help =
         "Try a seed that failed again with fewer connections, messages and faults, as long as it fails in the same "
         "way. This is the default."},
    {.name = "no-shrink",
     OPTION_CLEARS_FLAG(struct sim_options, shrinks),
     .group = CHECKS,
     .help = "Tell of it as it is."},

    {.name = "hashes",
     OPTION_SETS_STRING(struct sim_options, hashes),
     .argument = "FILE",
     .group = OUTPUT,
     .help =
         "Write a line with each seed and its hash to FILE, to compare what two builds did. With a checker of memory "
         "Weft allocates otherwise, so such a build is compared with others by --faults all-but-allocations."},
    {.name = "trace",
     OPTION_SETS_FLAG(struct sim_options, trace),
     .group = OUTPUT,
     .help = "Print each event, and what is logged, of the one seed that --seed names."},
    {.name = "list",
     .letter = 'l',
     OPTION_SETS_FLAG(struct sim_options, list),
     .group = OUTPUT,
     .help = "List the scenarios that are built in; with --verbose, their probes, too."},
    {.name = "verbose",
     .letter = 'v',
     OPTION_SETS_FLAG(struct sim_options, verbose),
     .group = OUTPUT,
     .help = "Tell at the end how often each fault came and each probe was reached, how many runs differed, and how "
             "large they were."},

    OPTION_HELP_ENTRY(OTHER),
};

static const struct operand operands[] = {
    {.name = "SCENARIO",
     .kind = OPERAND_SCENARIO,
     .repeats = true,
     .offset = offsetof(struct sim_options, operands),
     .help =
         "A scenario of --list, a shared object with a weft_scenario (a path that ends in .so), or a program with a "
         "main of its own (a path) and its arguments; write -- before those that begin with a dash. A program gets "
         "WEFT_BACKEND=sim:SEED, once for each seed, and is to end with status 0."},
};

static const struct example examples[] = {
    {"weft sim --list", "Name the scenarios."},
    {"weft sim echo --seeds 10000 --twice", "Run one ten thousand times, and check that each run repeats."},
    {"weft sim ./protocol.so --faults short-reads=500000,latency=1ms-80ms", "Run a scenario of your own."},
    {"weft sim echo --seed 77 --keep 12,40 --trace", "Look at one run with two of its faults."},
};

const struct command sim_command = {
    .name = "sim",
    .summary = "run a program on simulated networks, by seeds",
    .description =
        "Runs a scenario or a program in a simulated world: the network, the clock and all that goes wrong come from "
        "a seed, and the same seed is the same run. Seeds are run on all processors until one fails: a broken check, a "
        "crash, a run that hangs, memory or a file left over. It is then shrunk, and the command that runs it again is "
        "shown.\n\n"
        "The last line of standard output is always 'seeds N, failed F, mismatches M, probes H/D': the seeds that were "
        "run, those that failed, those whose second run was another, and how many of the declared probes were reached.",
    .revised = "November 22, 2026",
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .operands = operands,
    .operand_count = sizeof(operands) / sizeof(operands[0]),
    .examples = examples,
    .example_count = sizeof(examples) / sizeof(examples[0]),
    .values_size = sizeof(struct sim_options),
    .run = sim_run,
};
