/* SPDX-License-Identifier: MIT */
/* The access log of `weft web`: its lines, and how they get to standard output, which is a file here. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "access_log.h"
#include "loop/loop_internal.h"
#include "loop/loop_test.h"

#define MS WEFT_MILLISECONDS(1)
#define SECOND WEFT_SECONDS(1)

/* -- standard output -- */

static FILE *real_stdout, *real_stderr;

static int replace_output(void **state)
{
    real_stdout = stdout;
    real_stderr = stderr;
    return support_setup(state);
}

static void restore_streams(void)
{
    if (stdout != real_stdout)
        fclose(stdout);
    if (stderr != real_stderr)
        fclose(stderr);
    stdout = real_stdout;
    stderr = real_stderr;
}

static int restore_output(void **state)
{
    restore_streams();
    return support_teardown(state);
}

#define output_test(function) cmocka_unit_test_setup_teardown(function, replace_output, restore_output)

static void catch_output(void)
{
    stdout = tmpfile();
    stderr = tmpfile();
    if (!stdout || !stderr)
        abort();
}

/* All that was written to @p stream; freed by the caller. */
static char *text_of(FILE *stream)
{
    char *text;
    long length;

    fflush(stream);
    fseek(stream, 0, SEEK_END);
    length = ftell(stream);
    text = calloc(1, (size_t)length + 1);
    if (!text)
        abort();
    rewind(stream);
    if (fread(text, 1, (size_t)length, stream) != (size_t)length)
        abort();
    return text;
}

static void expect_output(FILE *stream, const char *expected)
{
    char *text = text_of(stream);

    assert_string_equal(text, expected);
    free(text);
}

/* -- lines -- */

static const weft_address peer = {.family = WEFT_ADDRESS_IPV4, .ip = {127, 0, 0, 1}, .port = 4711};

static weft_http_record record_of(const char *target)
{
    return (weft_http_record){
        .peer = &peer,
        .method = weft_bytes_from("GET"),
        .target = weft_bytes_from(target),
        .minor = 1,
        .status = 200,
        .body_bytes = 1234,
        .wall = WEFT_SECONDS(1767225600),
        .duration = 1234567,
        .complete = true,
    };
}

static size_t line_of(enum web_log format, const weft_http_record *record, char out[ACCESS_LOG_LINE])
{
    struct access_log log = {.format = format, .date_second = -1};

    return access_log_line(&log, record, out);
}

static void expect_line(enum web_log format, const weft_http_record *record, const char *expected)
{
    char line[ACCESS_LOG_LINE];
    size_t length = line_of(format, record, line);

    assert_string_equal(line, expected);
    assert_int_equal(length, strlen(expected));
}

static void common_lines_are_apaches_combined_format(void **state)
{
    weft_http_record record = record_of("/a?b");
    weft_address v6 = {.family = WEFT_ADDRESS_IPV6, .ip = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}};
    weft_address local = {.family = WEFT_ADDRESS_UNIX};

    (void)state;
    expect_line(WEB_LOG_COMMON, &record,
                "127.0.0.1 - - [01/Jan/2026:00:00:00 +0000] \"GET /a?b HTTP/1.1\" 200 1234 \"-\" \"-\"\n");
    record.referer = weft_bytes_from("http://a/");
    record.user_agent = weft_bytes_from("curl/8 (x)");
    record.minor = 0;
    record.status = 404;
    record.body_bytes = UINT64_MAX;
    record.peer = &v6;
    expect_line(WEB_LOG_COMMON, &record,
                "2001:db8::1 - - [01/Jan/2026:00:00:00 +0000] \"GET /a?b HTTP/1.0\" 404 18446744073709551615 "
                "\"http://a/\" \"curl/8 (x)\"\n");
    record = (weft_http_record){.peer = &local, .status = 400};
    expect_line(WEB_LOG_COMMON, &record, "- - - [01/Jan/1970:00:00:00 +0000] \"-\" 400 0 \"-\" \"-\"\n");
}

static void json_lines_are_objects(void **state)
{
    weft_http_record record = record_of("/a?b");

    (void)state;
    expect_line(WEB_LOG_JSON, &record,
                "{\"time\":\"2026-01-01T00:00:00Z\",\"peer\":\"127.0.0.1\",\"method\":\"GET\",\"target\":\"/a?b\","
                "\"status\":200,\"bytes\":1234,\"microseconds\":1234,\"complete\":true,\"referer\":\"\","
                "\"user_agent\":\"\"}\n");
    record.complete = false;
    record.status = 0;
    record.method = record.target = weft_bytes_of(NULL, 0);
    record.user_agent = weft_bytes_from("curl");
    record.duration = WEFT_HOURS(24);
    expect_line(WEB_LOG_JSON, &record,
                "{\"time\":\"2026-01-01T00:00:00Z\",\"peer\":\"127.0.0.1\",\"method\":\"\",\"target\":\"\","
                "\"status\":0,\"bytes\":1234,\"microseconds\":86400000000,\"complete\":false,\"referer\":\"\","
                "\"user_agent\":\"curl\"}\n");
}

/* EL-21: what a peer sends cannot end a line or a string, nor command a terminal. */
static void what_a_peer_sends_is_escaped(void **state)
{
    static const struct {
        weft_bytes text;
        const char *common, *json;
    } cases[] = {
        {WEFT_BYTES("a\r\nb"), "a\\x0d\\x0ab", "a\\u000d\\u000ab"},
        {WEFT_BYTES("\x1b[2J"), "\\x1b[2J", "\\u001b[2J"},
        {WEFT_BYTES("\"quoted\""), "\\\"quoted\\\"", "\\\"quoted\\\""},
        {WEFT_BYTES("back\\slash\\"), "back\\\\slash\\\\", "back\\\\slash\\\\"},
        {WEFT_BYTES("\x7f"), "\\x7f", "\\u007f"},
        {WEFT_BYTES("a\0b"), "a\\x00b", "a\\u0000b"},
        {WEFT_BYTES("\t"), "\\x09", "\\u0009"},
        {WEFT_BYTES("\xff\xfe"), "\\xff\\xfe", "\\u00ff\\u00fe"},
        {WEFT_BYTES("\xc0\xaf"), "\\xc0\\xaf", "\\u00c0\\u00af"},                 /* an overlong slash */
        {WEFT_BYTES("\xed\xa0\x80"), "\\xed\\xa0\\x80", "\\u00ed\\u00a0\\u0080"}, /* a surrogate */
        {WEFT_BYTES("\xc2\x9b"), "\\xc2\\x9b", "\\u00c2\\u009b"},                 /* C1: CSI */
        {WEFT_BYTES("\xc3\xa4"), "\xc3\xa4", "\\u00c3\\u00a4"},
        {WEFT_BYTES("\xc3"), "\\xc3", "\\u00c3"}, /* cut in the middle */
        {WEFT_BYTES("%s%n%%"), "%s%n%%", "%s%n%%"},
        {WEFT_BYTES("</script>"), "</script>", "</script>"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weft_http_record record = record_of("");
        char expected[500];

        support_set_context("case %zu", i);
        record.method = record.target = record.referer = record.user_agent = cases[i].text;
        snprintf(expected, sizeof expected,
                 "127.0.0.1 - - [01/Jan/2026:00:00:00 +0000] \"%s %s HTTP/1.1\" 200 1234 \"%s\" \"%s\"\n",
                 cases[i].common, cases[i].common, cases[i].common, cases[i].common);
        expect_line(WEB_LOG_COMMON, &record, expected);
        snprintf(expected, sizeof expected,
                 "{\"time\":\"2026-01-01T00:00:00Z\",\"peer\":\"127.0.0.1\",\"method\":\"%s\",\"target\":\"%s\","
                 "\"status\":200,\"bytes\":1234,\"microseconds\":1234,\"complete\":true,\"referer\":\"%s\","
                 "\"user_agent\":\"%s\"}\n",
                 cases[i].json, cases[i].json, cases[i].json, cases[i].json);
        expect_line(WEB_LOG_JSON, &record, expected);
    }
    support_clear_context();
}

/* The end of the string in quotes that begins at @p text; NULL if it has none, or what is in it is not allowed. */
static const char *string_end(const char *text, bool is_json)
{
    static const char hex[] = "0123456789abcdef";

    if (*text++ != '"')
        return NULL;
    for (; *text && *text != '"'; text++) {
        unsigned char byte = (unsigned char)*text;
        size_t digits = 0;

        if (byte < 0x20 || byte == 0x7f || (is_json && byte > 0x7f))
            return NULL;
        if (byte != '\\')
            continue;
        text++;
        if (*text == (is_json ? 'u' : 'x'))
            digits = is_json ? 4 : 2;
        else if (*text != '"' && *text != '\\')
            return NULL;
        for (; digits > 0; digits--)
            if (!*++text || !strchr(hex, *text))
                return NULL;
    }
    return *text ? text + 1 : NULL;
}

/* Takes @p expected, and returns what follows. Fails the test if it is not there. */
static const char *pass(const char *text, const char *expected)
{
    if (!text || strncmp(text, expected, strlen(expected)) != 0)
        fail_msg("no %s at %.40s", expected, text ? text : "the end of a broken string");
    return text + strlen(expected);
}

static void check_json(const char *line)
{
    const char *at = pass(line, "{\"time\":");

    at = pass(string_end(at, true), ",\"peer\":");
    at = pass(string_end(at, true), ",\"method\":");
    at = pass(string_end(at, true), ",\"target\":");
    at = pass(string_end(at, true),
              ",\"status\":200,\"bytes\":1234,\"microseconds\":1234,\"complete\":true,\"referer\":");
    at = pass(string_end(at, true), ",\"user_agent\":");
    at = pass(string_end(at, true), "}\n");
    assert_int_equal(*at, '\0');
}

static void check_common(const char *line)
{
    const char *at = pass(line, "127.0.0.1 - - [01/Jan/2026:00:00:00 +0000] ");

    at = pass(string_end(at, false), " 200 1234 ");
    at = pass(string_end(at, false), " ");
    at = pass(string_end(at, false), "\n");
    assert_int_equal(*at, '\0');
}

/* The longest that a server takes, and more, of what takes the most room: the line stays a line. */
static void long_texts_are_cut_and_lines_never(void **state)
{
    static const size_t lengths[] = {0, 1, 100, 871, 872, 873, 878, 879, 880, 881, 2000, 8192, 65536};
    static const char *const fillings[] = {"a", "\"", "\\", "\x01", "\xff", "\xc3\xa4", "\xf0\x9f\x98\x80"};
    char *text = malloc(65536), line[ACCESS_LOG_LINE];

    (void)state;
    assert_non_null(text);
    for (size_t f = 0; f < sizeof fillings / sizeof *fillings; f++) {
        for (size_t i = 0; i < 65536; i++)
            text[i] = fillings[f][i % strlen(fillings[f])];
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
            weft_http_record record = record_of("");
            size_t length;

            support_set_context("filling %zu, length %zu", f, lengths[i]);
            record.target = record.referer = record.user_agent = weft_bytes_of(text, lengths[i]);
            record.method = lengths[i] ? record.target : record.method;
            length = line_of(WEB_LOG_JSON, &record, line);
            assert_int_equal(length, strlen(line));
            check_json(line);
            if (lengths[i] >= 2000)
                assert_true(length > 4 * (ACCESS_LOG_TEXT - 16));
            length = line_of(WEB_LOG_COMMON, &record, line);
            assert_int_equal(length, strlen(line));
            check_common(line);
        }
    }
    support_clear_context();
    free(text);
}

static void the_date_changes_with_the_second(void **state)
{
    static const struct {
        weft_time wall;
        const char *date;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},
        {SECOND - 1, "1970-01-01T00:00:00Z"},
        {SECOND, "1970-01-01T00:00:01Z"},
        {1767225599 * SECOND + 999999999, "2025-12-31T23:59:59Z"},
        {1767225600 * SECOND, "2026-01-01T00:00:00Z"},
        {1767225599 * SECOND, "2025-12-31T23:59:59Z"}, /* the wall clock may be set back */
        {4107542399 * SECOND, "2100-02-28T23:59:59Z"},
        {4107542400 * SECOND, "2100-03-01T00:00:00Z"},
    };
    struct access_log log = {.format = WEB_LOG_JSON, .date_second = -1};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weft_http_record record = record_of("/");
        char line[ACCESS_LOG_LINE];

        record.wall = cases[i].wall;
        for (int again = 0; again < 2; again++) {
            access_log_line(&log, &record, line);
            (void)pass(pass(pass(line, "{\"time\":\""), cases[i].date), "\"");
        }
    }
}

/* -- how they are written -- */

struct fixture {
    struct access_log log;
    weft_loop *loop;
    weft_scope *scope;
    unsigned added;
};

static void fixture_init(struct fixture *f, const char *backend)
{
    catch_output();
    *f = (struct fixture){.loop = loop_on(backend)};
    f->scope = weft_scope_open(weft_loop_scope(f->loop), WEFT_NEVER);
    assert_int_equal(access_log_init(&f->log, f->scope, WEB_LOG_COMMON), 0);
}

static void add_line(struct fixture *f)
{
    char target[32];
    weft_http_record record;

    snprintf(target, sizeof target, "/%u", f->added++);
    record = record_of(target);
    access_log_add(&f->log, &record);
}

static void fixture_fini(struct fixture *f)
{
    weft_loop_free(f->loop);
    access_log_fini(&f->log);
}

/* Checks that lines are whole and in their order, and returns how many there are. */
static unsigned check_lines(FILE *stream)
{
    char *text = text_of(stream), *line = text, *end;
    unsigned count = 0;
    long last = -1;

    for (; (end = strchr(line, '\n')) != NULL; line = end + 1, count++) {
        const char *at = pass(line, "127.0.0.1 - - [01/Jan/2026:00:00:00 +0000] \"GET /");
        char *after;
        long number = strtol(at, &after, 10);

        assert_true(number > last);
        last = number;
        at = pass(after, " HTTP/1.1\" 200 1234 \"-\" \"-\"\n");
        assert_ptr_equal(at, end + 1);
    }
    assert_int_equal(*line, '\0');
    free(text);
    return count;
}

static void lines_are_written_after_a_moment(void **state)
{
    struct fixture f;
    weft_time begun;

    (void)state;
    fixture_init(&f, "sim:1");
    begun = weft_loop_now(f.loop);
    add_line(&f);
    add_line(&f);
    assert_int_equal(ftell(stdout), 0);
    run(f.loop);
    assert_true(weft_loop_now(f.loop) - begun == 100 * MS);
    assert_int_equal(check_lines(stdout), 2);
    fseek(stdout, 0, SEEK_END);
    add_line(&f);
    run(f.loop);
    assert_int_equal(check_lines(stdout), 3);
    fixture_fini(&f);
    expect_output(stderr, "");
}

static void many_lines_are_written_at_once(void **state)
{
    struct fixture f;
    weft_time begun;

    (void)state;
    fixture_init(&f, "sim:1");
    begun = weft_loop_now(f.loop);
    while (f.log.length <= 64 * 1024 && !f.log.writing)
        add_line(&f);
    assert_int_equal(weft_loop_step(f.loop), 1);
    assert_true(weft_loop_now(f.loop) == begun);
    assert_int_equal(check_lines(stdout), f.added);
    fixture_fini(&f);
}

static void what_is_left_is_written_at_the_end(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, "sim:1");
    for (int i = 0; i < 3; i++)
        add_line(&f);
    fixture_fini(&f);
    assert_int_equal(check_lines(stdout), 3);
    expect_output(stderr, "");
}

/* The job that should write them has not begun when the loop ends. */
static void what_was_about_to_be_written_is_written_at_the_end(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, "sim:1");
    while (!f.log.writing)
        add_line(&f);
    for (int i = 0; i < 10; i++)
        add_line(&f);
    weft_scope_cancel(f.scope, WEFT_ECANCELED);
    run(f.loop);
    for (int i = 0; i < 2000; i++) /* nothing will write any more, until the end */
        add_line(&f);
    assert_int_equal(ftell(stdout), 0);
    fixture_fini(&f);
    assert_int_equal(check_lines(stdout), f.added);
    expect_output(stderr, "");
}

static void lines_beyond_the_limit_are_dropped_and_counted(void **state)
{
    struct fixture f;
    char expected[100];
    unsigned before;

    (void)state;
    fixture_init(&f, "sim:1");
    while (f.log.dropped < 100) /* the loop does not turn: nothing is written */
        add_line(&f);
    assert_true(f.log.length <= ACCESS_LOG_LIMIT);
    assert_true(f.log.length > ACCESS_LOG_LIMIT - ACCESS_LOG_LINE);
    assert_int_equal(ftell(stdout), 0);
    run(f.loop);
    before = check_lines(stdout);
    assert_int_equal(before + 100, f.added);
    fseek(stdout, 0, SEEK_END);
    add_line(&f); /* and it goes on */
    assert_int_equal(f.log.dropped, 100);
    fixture_fini(&f);
    assert_int_equal(check_lines(stdout), before + 1);
    snprintf(expected, sizeof expected, "the access log lost 100 lines: standard output was too slow\n");
    expect_output(stderr, expected);
}

static struct backend_ops refusing;
static const struct backend_ops *real;
static unsigned refusals;

static int refuse_some(struct backend *backend, weft_work *job)
{
    if (refusals == 0)
        return real->job_submit(backend, job);
    refusals--;
    return -EAGAIN;
}

static void a_write_that_cannot_be_started_is_tried_again(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, "sim:1");
    real = f.loop->backend->ops;
    refusing = *real;
    refusing.job_submit = refuse_some;
    f.loop->backend->ops = &refusing;
    refusals = 3;
    add_line(&f);
    add_line(&f);
    run(f.loop); /* nobody adds anything any more */
    assert_int_equal(refusals, 0);
    assert_int_equal(check_lines(stdout), 2);
    fixture_fini(&f);
}

/* -- output that fails -- */

/* Has the log write to @fd, which is taken. */
static void fixture_init_on(struct fixture *f, const char *backend, int fd)
{
    catch_output();
    fclose(stdout);
    stdout = fdopen(fd, "w");
    if (!stdout)
        abort();
    *f = (struct fixture){.loop = loop_on(backend)};
    f->scope = weft_scope_open(weft_loop_scope(f->loop), WEFT_NEVER);
    assert_int_equal(access_log_init(&f->log, f->scope, WEB_LOG_COMMON), 0);
}

/* EL-20: when it happens, with its own reason, and not again for each line. */
static void output_that_fails_is_told_once(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init_on(&f, "sim:1", open("/dev/full", O_WRONLY));
    for (int i = 0; i < 3; i++) {
        add_line(&f);
        run(f.loop);
        errno = EBADF; /* somebody else's */
        expect_output(stderr, "the access log cannot be written: No space left on device\n");
    }
    assert_int_equal(output_failure(), -ENOSPC);
    fixture_fini(&f);
    expect_output(stderr, "the access log cannot be written: No space left on device\n"
                          "the access log lost 3 lines: No space left on device\n");
}

static void reader_that_has_gone_is_told(void **state)
{
    struct fixture f;
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    fixture_init_on(&f, support_engine(), ends[1]); /* which has SIGPIPE ignored */
    add_line(&f);
    run(f.loop);
    fixture_fini(&f);
    expect_output(stderr, "the access log cannot be written: Broken pipe\n"
                          "the access log lost 1 lines: Broken pipe\n");
}

static void limit_file_size(rlim_t size)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* EL-20: a short write, then none, then there is room again. */
static void line_that_was_torn_spoils_no_other(void **state)
{
    struct fixture f;
    char *text;

    (void)state;
    fixture_init(&f, "sim:1");
    signal(SIGXFSZ, SIG_IGN);
    limit_file_size(100);
    add_line(&f);
    add_line(&f);
    run(f.loop);
    limit_file_size(RLIM_INFINITY);
    add_line(&f);
    run(f.loop);
    fixture_fini(&f);
    text = text_of(stdout);
    assert_non_null(strstr(text, "\"GET /0 HTTP/1.1\" 200 1234 \"-\" \"-\"\n127.0.0.1"));
    assert_null(strstr(text, "GET /1 "));
    assert_non_null(strstr(text, "\n127.0.0.1 - - [01/Jan/2026:00:00:00 +0000] \"GET /2 "));
    free(text);
    expect_output(stderr, "the access log cannot be written: File too large\n"
                          "the access log lost 1 lines: File too large\n");
}

/* -- output that nobody reads -- */

static void open_pipe(int ends[2])
{
    assert_int_equal(pipe(ends), 0);
}

static void open_sockets(int ends[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
}

static void open_terminal(int ends[2])
{
    ends[0] = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(ends[0] >= 0);
    assert_int_equal(grantpt(ends[0]), 0);
    assert_int_equal(unlockpt(ends[0]), 0);
    ends[1] = open(ptsname(ends[0]), O_RDWR | O_NOCTTY);
    assert_true(ends[1] >= 0);
}

/* Reads what there is and counts the lines in it. */
static unsigned drain(int fd)
{
    char buffer[4096];
    ssize_t count;
    unsigned lines = 0;

    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    while ((count = read(fd, buffer, sizeof buffer)) > 0)
        for (ssize_t i = 0; i < count; i++)
            lines += buffer[i] == '\n';
    return lines;
}

/* Adds lines until nothing moves any more: the writer waits, and what was gathered since is full. */
static void stall(struct fixture *f)
{
    while (f->log.dropped == 0) {
        for (int i = 0; i < 100; i++)
            add_line(f);
        assert_true(weft_loop_step(f->loop) >= 0);
    }
    assert_true(f->log.writing);
}

static void stop_without_a_reader(int ends[2], bool reopens)
{
    struct fixture f;
    char expected[100];
    unsigned got;

    fixture_init_on(&f, support_engine(), ends[1]);
    if (!reopens) {
        output_close(&f.log.output);
        f.log.output.fd = ends[1];
    }
    stall(&f);
    assert_int_equal(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0); /* it is not ours alone */
    access_log_stop(&f.log, 1);
    run(f.loop);
    weft_loop_free(f.loop);
    got = drain(ends[0]); /* what is drained now came before the end: nothing more fits */
    assert_true(f.log.dropped < f.added);
    assert_int_equal(f.log.length, 0);
    access_log_fini(&f.log);
    snprintf(expected, sizeof expected, "the access log lost %u lines: standard output was too slow\n", f.added - got);
    expect_output(stderr, expected);
    close(ends[0]);
}

/* EL-20: the loop turns all the while, and ends when its patience does. */
static void output_that_nobody_reads_is_given_up(void **state)
{
    static void (*const kinds[])(int ends[2]) = {open_pipe, open_sockets, open_terminal, open_pipe};

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        int ends[2];

        kinds[i](ends);
        stop_without_a_reader(ends, i < 3); /* the last: as if it could not be opened again */
        restore_streams();
    }
}

/* Without an end to its patience it waits, and all arrives. */
static void slow_reader_gets_every_line(void **state)
{
    struct fixture f;
    int ends[2];
    unsigned got = 0;

    (void)state;
    open_pipe(ends);
    fixture_init_on(&f, support_engine(), ends[1]);
    stall(&f);
    access_log_stop(&f.log, WEFT_NEVER);
    while (weft_loop_step(f.loop) == 1)
        got += drain(ends[0]);
    got += drain(ends[0]);
    assert_int_equal(got + f.log.dropped, f.added);
    fixture_fini(&f);
    close(ends[0]);
}

static void no_log_writes_nothing(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, "sim:1");
    f.log.format = WEB_LOG_NONE;
    add_line(&f);
    run(f.loop);
    fixture_fini(&f);
    expect_output(stdout, "");
}

/* With real threads: all lines, in their order. */
static void the_pool_writes_while_lines_are_added(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, support_engine());
    for (int turn = 0; turn < 200; turn++) {
        for (int i = 0; i < 100; i++)
            add_line(&f);
        assert_true(weft_loop_step(f.loop) >= 0);
    }
    fixture_fini(&f);
    assert_int_equal(check_lines(stdout) + f.log.dropped, f.added);
}

static void init_and_fini(void *arg)
{
    weft_loop *loop = arg;
    struct access_log log;
    int status = access_log_init(&log, weft_loop_scope(loop), WEB_LOG_JSON);

    assert_int_equal(status, support_injected() ? WEFT_ENOMEM : 0);
    if (status == 0)
        weft_timer_fini(&log.flush);
    access_log_fini(&log);
}

static void failed_allocation_makes_no_log(void **state)
{
    weft_loop *loop = loop_on_sim();

    (void)state;
    support_torture(init_and_fini, loop);
    weft_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        output_test(common_lines_are_apaches_combined_format),
        output_test(json_lines_are_objects),
        output_test(what_a_peer_sends_is_escaped),
        output_test(long_texts_are_cut_and_lines_never),
        output_test(the_date_changes_with_the_second),
        output_test(lines_are_written_after_a_moment),
        output_test(many_lines_are_written_at_once),
        output_test(what_is_left_is_written_at_the_end),
        output_test(what_was_about_to_be_written_is_written_at_the_end),
        output_test(lines_beyond_the_limit_are_dropped_and_counted),
        output_test(a_write_that_cannot_be_started_is_tried_again),
        output_test(output_that_fails_is_told_once),
        output_test(reader_that_has_gone_is_told),
        output_test(line_that_was_torn_spoils_no_other),
        output_test(output_that_nobody_reads_is_given_up),
        output_test(slow_reader_gets_every_line),
        output_test(no_log_writes_nothing),
        output_test(the_pool_writes_while_lines_are_added),
        output_test(failed_allocation_makes_no_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
