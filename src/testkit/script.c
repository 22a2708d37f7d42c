/* SPDX-License-Identifier: MIT */
/* Dialogues as text (weft_test_play). */
#include "testkit/testkit.h"

#include <string.h>

#include <weft/memory.h>

#define LINE_MOST 4096

/* Where a dialogue is. */
struct script {
    weft_test_peer *peer;
    const char *name;
    int line;
    char text[LINE_MOST]; /* the line, and what its text stands for */
    size_t text_length;
};

static void fail(struct script *script, const char *what, weft_bytes line)
{
    peer_fail(script->peer, script->name, script->line, "%s: %.*s", what, (int)line.length, line.data);
}

/* -- words, texts, times -- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static weft_bytes trim(weft_bytes text)
{
    while (text.length > 0 && is_space(text.data[0]))
        text = weft_bytes_skip(text, 1);
    while (text.length > 0 && is_space(text.data[text.length - 1]))
        text.length--;
    return text;
}

/* Takes the first word off *rest. */
static weft_bytes next_word(weft_bytes *rest)
{
    weft_bytes word = *rest = trim(*rest);
    size_t length = 0;

    while (length < rest->length && !is_space(rest->data[length]))
        length++;
    word.length = length;
    *rest = trim(weft_bytes_skip(*rest, length));
    return word;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* What follows a backslash at the start of @p in: the byte, and *ret_used bytes of @p in; -1 if it means nothing. */
static int escaped(weft_bytes in, size_t *ret_used)
{
    static const char names[] = "rnt0\\\"", bytes[] = "\r\n\t\0\\\"";
    const char *at;

    *ret_used = 1;
    if (in.length == 0)
        return -1;
    at = memchr(names, in.data[0], sizeof names - 1);
    if (at)
        return (unsigned char)bytes[at - names];
    if (in.data[0] != 'x' || in.length < 3 || hex_value(in.data[1]) < 0 || hex_value(in.data[2]) < 0)
        return -1;
    *ret_used = 3;
    return hex_value(in.data[1]) * 16 + hex_value(in.data[2]);
}

/* A text in quotes that is all of @p in. */
static bool read_text(struct script *script, weft_bytes in)
{
    size_t length = 0;

    if (in.length < 2 || in.data[0] != '"')
        return false;
    in = weft_bytes_skip(in, 1);
    while (in.length > 0 && in.data[0] != '"' && length < LINE_MOST) {
        size_t used = 0;
        int byte = in.data[0] == '\\' ? escaped(weft_bytes_skip(in, 1), &used) : (unsigned char)in.data[0];

        if (byte < 0)
            return false;
        script->text[length++] = (char)byte;
        in = weft_bytes_skip(in, 1 + used);
    }
    script->text_length = length;
    return in.length == 1;
}

static bool read_time(weft_bytes in, weft_time *ret)
{
    static const struct {
        const char *suffix;
        weft_time unit;
    } units[] = {{"ms", WEFT_MILLISECONDS(1)}, {"s", WEFT_SECONDS(1)}, {"m", WEFT_MINUTES(1)}, {"h", WEFT_HOURS(1)}};
    size_t digits = 0;
    uint64_t number;

    while (digits < in.length && in.data[digits] >= '0' && in.data[digits] <= '9')
        digits++;
    if (weft_bytes_to_uint64(weft_bytes_first(in, digits), 1000000, &number) < 0)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (weft_bytes_equal(weft_bytes_skip(in, digits), weft_bytes_from(units[i].suffix))) {
            *ret = (weft_time)number * units[i].unit;
            return true;
        }
    return false;
}

/* -- what a line can say; each returns whether the rest of the line makes sense -- */

static bool is(weft_bytes word, const char *text)
{
    return weft_bytes_equal(word, weft_bytes_from(text));
}

static weft_bytes text_of(const struct script *script)
{
    return weft_bytes_of(script->text, script->text_length);
}

static bool do_send(struct script *script, weft_bytes rest)
{
    if (!read_text(script, rest))
        return false;
    weft_test_send_at(script->peer, text_of(script), script->name, script->line);
    return true;
}

static bool do_expect(struct script *script, weft_bytes rest)
{
    weft_bytes all = rest, word = next_word(&rest);
    weft_time time;

    if (is(word, "end") && rest.length == 0)
        weft_test_expect_end_at(script->peer, script->name, script->line);
    else if (is(word, "reset") && rest.length == 0)
        weft_test_expect_reset_at(script->peer, script->name, script->line);
    else if (is(word, "nothing") && read_time(rest, &time))
        weft_test_expect_nothing_at(script->peer, time, script->name, script->line);
    else if (read_text(script, all))
        weft_test_expect_at(script->peer, text_of(script), script->name, script->line);
    else
        return false;
    return true;
}

static bool do_wait(struct script *script, weft_bytes rest)
{
    weft_time time;

    if (!read_time(rest, &time))
        return false;
    weft_test_pass(script->peer->test, time);
    return true;
}

static bool do_chunks(struct script *script, weft_bytes rest)
{
    static const char *const names[] = {"whole", "bytes", "random"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (is(rest, names[i])) {
            weft_test_chunks(script->peer->test, (weft_chunks)i);
            return true;
        }
    return false;
}

static bool do_half_close(struct script *script, weft_bytes rest)
{
    if (rest.length == 0)
        weft_test_half_close(script->peer);
    return rest.length == 0;
}

static bool do_close(struct script *script, weft_bytes rest)
{
    if (rest.length == 0)
        weft_test_close(script->peer);
    return rest.length == 0;
}

static bool do_reset(struct script *script, weft_bytes rest)
{
    if (rest.length == 0)
        weft_test_reset(script->peer);
    return rest.length == 0;
}

static bool do_pause(struct script *script, weft_bytes rest)
{
    if (rest.length == 0)
        weft_test_pause(script->peer, true);
    return rest.length == 0;
}

static bool do_resume(struct script *script, weft_bytes rest)
{
    if (rest.length == 0)
        weft_test_pause(script->peer, false);
    return rest.length == 0;
}

static const struct {
    const char *word;
    bool (*run)(struct script *script, weft_bytes rest);
} commands[] = {
    {"send", do_send},     {"expect", do_expect},         {"wait", do_wait},
    {"chunks", do_chunks}, {"half-close", do_half_close}, {"close", do_close},
    {"reset", do_reset},   {"pause", do_pause},           {"resume", do_resume},
};

static void play_line(struct script *script, weft_bytes line)
{
    weft_bytes rest = line, word = next_word(&rest);

    if (word.length == 0 || word.data[0] == '#')
        return;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (is(word, commands[i].word)) {
            if (!commands[i].run(script, rest))
                fail(script, "this line cannot be understood", line);
            return;
        }
    fail(script, "no such command", line);
}

void weft_test_play(weft_test_peer *peer, const char *name, const char *text)
{
    weft_bytes rest = weft_bytes_from(text);
    struct script *script = peer ? weft_allocate_zeroed(1, sizeof *script) : NULL;

    if (!script) {
        if (peer)
            peer_fail(peer, name, 0, "no memory for the dialogue");
        return;
    }
    script->peer = peer;
    script->name = name;
    while (rest.length > 0 && !peer->failed) {
        size_t end = weft_bytes_find(rest, '\n');
        weft_bytes line = weft_bytes_first(rest, end < rest.length ? end : rest.length);

        script->line++;
        play_line(script, trim(line));
        rest = weft_bytes_skip(rest, line.length < rest.length ? line.length + 1 : rest.length);
    }
    weft_release(script);
}
