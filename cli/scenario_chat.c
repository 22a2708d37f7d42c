/* SPDX-License-Identifier: MIT */
/*
 * The scenario "chat": rooms of examples/chat.c, each on a host of its own,
 * and guests that check what they get to read: it was said in their room, by
 * whom it says, in order for each speaker, and nothing comes twice.
 *
 * A guest has lines to say, and goes on, under a new name, if its connection
 * is lost. A room may leave lines out, for a guest that reads too slowly.
 */
#include <stdio.h>
#include <string.h>

#include "scenario.h"

#define ROOMS 4
#define PROMPT "Who are you? "
/* Connections of one speaker that a guest keeps apart. */
#define NAMES 8
/* The longest line that a room takes, its name and what the room puts around it included, is a little longer. */
#define TEXT_MOST 400

enum style {
    PAUSES = 1 << 0,
    GIVES_UP = 1 << 1, /* breaks off in the middle, now and then */
    TALKS = 1 << 2,    /* says several lines at once */
    STYLES = 1 << 3,
};

/* What was heard of one name: the last line. */
struct heard {
    unsigned dial, line;
};

struct guest {
    weft_protocol protocol;
    weft_timer speech, pause; /* says the next line, or connects again; ends a pause */
    struct chat *chat;
    weft_stream *stream;
    unsigned number, dials;
    unsigned style;
    unsigned left, said; /* lines still to be said; that were said on this connection */
    uint64_t lines;      /* that were read, on all connections */
    enum life life;
    bool paused, full, ended, greeted, over;
    struct heard *heard; /* NAMES for each guest */
};

struct chat {
    struct scenario scenario;
    unsigned count;
    struct guest guests[];
};

static uint64_t draw(const struct guest *guest, uint64_t bound)
{
    return weft_sim_draw(guest->chat->scenario.sim, bound);
}

static unsigned room_of(unsigned number)
{
    return number % ROOMS;
}

static void fail(struct guest *guest, const char *what, weft_bytes line)
{
    weft_sim_fail(guest->chat->scenario.sim, "guest %u, connection %u: %s: %.*s", guest->number, guest->dials, what,
                  (int)line.length, line.data);
}

static void check(struct guest *guest, bool right, const char *what)
{
    if (!right)
        fail(guest, what, weft_bytes_from(""));
    if (scenario_misplaced(guest->life))
        fail(guest, scenario_misplaced(guest->life), weft_bytes_from(what));
}

/* -- speaking -- */

/* Line number @p line of the guest, as it stands behind its name. Returns its length. */
static int make_text(char *text, size_t size, unsigned guest, unsigned dial, unsigned line)
{
    static const char filler[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
    unsigned words = (guest * 31 + dial * 17 + line * 7) % 64, fill = words < 60 ? words % 20 : TEXT_MOST - 40;
    int length = snprintf(text, size, "room %u line %u ", room_of(guest), line);

    while (fill > 0) {
        unsigned run = fill < 26 ? fill : 26;
        memcpy(text + length, filler + (line + dial) % 26, run);
        length += (int)run;
        fill -= run;
    }
    text[length++] = '\n';
    text[length] = '\0';
    return length;
}

static void write_text(struct guest *guest, weft_bytes text)
{
    int status = weft_stream_write(guest->stream, text);

    guest->full = status == 1;
    if (status >= 0 || status == WEFT_EENDED) /* (lost, and about to be told so) */
        return;
    if (status != WEFT_ENOMEM)
        fail(guest, "a write fails", weft_bytes_from(weft_error_name(status)));
    weft_stream_abort(guest->stream);
    guest->life = CLOSED;
}

static void say_line(struct guest *guest)
{
    char text[TEXT_MOST + 64];
    int length = make_text(text, sizeof text, guest->number, guest->dials, ++guest->said);

    guest->left--;
    write_text(guest, weft_bytes_of(text, (size_t)length));
}

static void leave(struct guest *guest)
{
    guest->over = true;
    if (scenario_leave(&guest->chat->scenario, guest->stream))
        guest->life = CLOSED;
}

static void speak(struct guest *guest)
{
    unsigned lines = guest->style & TALKS ? 1 + (unsigned)draw(guest, 16) : 1;

    if (guest->left == 0) {
        leave(guest);
        return;
    }
    if (guest->style & GIVES_UP && draw(guest, 64) == 0) {
        weft_stream_abort(guest->stream);
        guest->life = CLOSED;
        return;
    }
    while (guest->left > 0 && lines-- > 0 && !guest->full && guest->life == OPEN)
        say_line(guest);
    /* (The last words of others are waited for a little.) */
    weft_timer_start(&guest->speech, (weft_time)draw(guest, guest->left ? 100 : 1000) * WEFT_MILLISECONDS(1));
}

/* -- listening -- */

static bool take_number(weft_bytes *line, const char *before, unsigned *ret)
{
    size_t length = strlen(before), digits = 0;
    unsigned value = 0;

    if (line->length <= length || memcmp(line->data, before, length) != 0)
        return false;
    *line = weft_bytes_skip(*line, length);
    for (; digits < line->length && line->data[digits] >= '0' && line->data[digits] <= '9' && digits < 7; digits++)
        value = value * 10 + (unsigned)(line->data[digits] - '0');
    *line = weft_bytes_skip(*line, digits);
    *ret = value;
    return digits > 0;
}

static bool take_word(weft_bytes *line, const char *word)
{
    size_t length = strlen(word);

    if (line->length < length || memcmp(line->data, word, length) != 0)
        return false;
    *line = weft_bytes_skip(*line, length);
    return true;
}

static void check_order(struct guest *guest, unsigned speaker, unsigned dial, unsigned line, weft_bytes whole)
{
    struct heard *heard = &guest->heard[speaker * NAMES + dial % NAMES];

    if (heard->dial == dial && line <= heard->line)
        fail(guest, line == heard->line ? "a line came twice" : "a line came late", whole);
    *heard = (struct heard){.dial = dial, .line = line};
}

/* "g7.1: room 3 line 4 abc" or "* g7.1 has come": what others say, and what the room says of them. */
static void check_line(struct guest *guest, weft_bytes whole)
{
    weft_bytes line = whole, text;
    bool told = take_word(&line, "* ");
    unsigned speaker, dial, room, number;
    char expected[TEXT_MOST + 64];

    if (!take_number(&line, "g", &speaker) || !take_number(&line, ".", &dial) || speaker >= guest->chat->count ||
        dial == 0 || dial > guest->chat->guests[speaker].dials) {
        fail(guest, "nobody has said this", whole);
    } else if (room_of(speaker) != room_of(guest->number)) {
        fail(guest, "this was said in another room", whole);
    } else if (speaker == guest->number && dial == guest->dials) {
        fail(guest, "a guest hears itself", whole);
    } else if (told) {
        if (!weft_bytes_equal(line, weft_bytes_from(" has come\n")) &&
            !weft_bytes_equal(line, weft_bytes_from(" has gone\n")))
            fail(guest, "the room does not say this", whole);
    } else {
        text = take_word(&line, ": ") ? line : weft_bytes_from("");
        if (!take_number(&line, "room ", &room) || !take_number(&line, " line ", &number) ||
            !weft_bytes_equal(
                text, weft_bytes_of(expected, (size_t)make_text(expected, sizeof expected, speaker, dial, number))))
            fail(guest, "a line is damaged", whole);
        else
            check_order(guest, speaker, dial, number, whole);
    }
}

static size_t read_lines(struct guest *guest, weft_bytes in)
{
    size_t taken = 0;
    const char *end;

    if (!guest->greeted) {
        weft_bytes prompt = weft_bytes_from(PROMPT);
        size_t length = in.length < prompt.length ? in.length : prompt.length;
        if (memcmp(in.data, prompt.data, length) != 0)
            fail(guest, "the room does not ask for a name", in);
        if (length < prompt.length)
            return 0;
        guest->greeted = true;
        taken = length;
    }
    while ((end = memchr(in.data + taken, '\n', in.length - taken))) {
        size_t length = (size_t)(end + 1 - in.data) - taken;
        check_line(guest, weft_bytes_of(in.data + taken, length));
        guest->lines++;
        taken += length;
    }
    return taken;
}

/* -- what it is told -- */

static struct guest *guest_of(weft_protocol *protocol)
{
    return weft_container_of(protocol, struct guest, protocol);
}

static void connected(weft_protocol *protocol, weft_stream *stream)
{
    struct guest *guest = guest_of(protocol);
    char name[32];
    int length = snprintf(name, sizeof name, "g%u.%u\n", guest->number, guest->dials);

    check(guest, guest->life == CONNECTING && guest->stream == stream, "connected twice");
    guest->life = OPEN;
    write_text(guest, weft_bytes_of(name, (size_t)length));
    weft_timer_start(&guest->speech, (weft_time)draw(guest, WEFT_MILLISECONDS(100)));
}

/* So long that a room may give up who pauses again and again, unless nothing is to break. */
static uint64_t longest_pause(const struct guest *guest)
{
    return guest->chat->scenario.gentle ? WEFT_SECONDS(1) : WEFT_SECONDS(20);
}

static size_t received(weft_protocol *protocol, weft_stream *stream, weft_bytes in)
{
    struct guest *guest = guest_of(protocol);
    size_t taken;

    check(guest, guest->life == OPEN && !guest->ended && in.length > 0, "received out of turn");
    check(guest, !guest->paused, "something was delivered while it was paused");
    taken = read_lines(guest, in);
    if (guest->style & PAUSES && guest->life == OPEN && draw(guest, 8) == 0) {
        weft_stream_pause(stream);
        guest->paused = true;
        weft_timer_start(&guest->pause, (weft_time)draw(guest, longest_pause(guest)));
    }
    return taken;
}

static void drained(weft_protocol *protocol, weft_stream *stream)
{
    struct guest *guest = guest_of(protocol);

    (void)stream;
    check(guest, guest->life == OPEN && guest->full, "drained, and was not full");
    guest->full = false;
}

static void ended(weft_protocol *protocol, weft_stream *stream)
{
    struct guest *guest = guest_of(protocol);

    check(guest, guest->life == OPEN && !guest->ended && !guest->paused, "ended out of turn");
    check(guest, guest->over || !guest->chat->scenario.gentle, "the room ends it, though nothing breaks");
    guest->ended = true;
    weft_stream_close(stream);
    guest->life = CLOSED;
}

static void lost(weft_protocol *protocol, weft_stream *stream, int reason)
{
    struct guest *guest = guest_of(protocol);

    if (guest->life == APART || guest->stream != stream || reason >= 0)
        fail(guest, "lost twice, or for no reason", weft_bytes_from(""));
    /* (Who closes and reads no more may be reset.) */
    if (guest->chat->scenario.gentle && guest->life != CLOSED && reason != WEFT_ECLOSED)
        fail(guest, "lost, though nothing breaks", weft_bytes_from(weft_error_name(reason)));
    guest->life = APART;
    guest->stream = NULL;
    weft_timer_stop(&guest->pause);
    if (guest->left > 0) {
        weft_timer_start(&guest->speech, WEFT_MILLISECONDS(10) + (weft_time)draw(guest, WEFT_SECONDS(2)));
        return;
    }
    weft_timer_fini(&guest->speech);
    weft_timer_fini(&guest->pause);
    scenario_client_done(&guest->chat->scenario);
}

static WEFT_PROTOCOL(guest_ops, "chat guest", "it is part of a simulation", .connected = connected,
                     .received = received, .drained = drained, .ended = ended, .lost = lost);

/* -- connections -- */

static void dial(struct guest *guest)
{
    static const char *const urls[ROOMS] = {"tcp://10.0.0.3:7007", "tcp://10.0.0.4:7007", "tcp://10.0.0.5:7007",
                                            "tcp://[fd00::6]:7007"};
    weft_stream_options options = scenario_stream_options(&guest->chat->scenario);
    weft_scope *scope = scenario_scope(&guest->chat->scenario, guest->number / ROOMS);

    guest->dials++;
    guest->said = 0;
    guest->paused = guest->full = guest->ended = guest->greeted = guest->over = false;
    guest->life = CONNECTING;
    if (weft_stream_connect(scope, urls[room_of(guest->number)], &guest->protocol, &options, &guest->stream, NULL) == 0)
        return;
    guest->life = APART;
    weft_timer_start(&guest->speech, WEFT_SECONDS(1));
}

static void speech_fired(weft_timer *timer)
{
    struct guest *guest = weft_container_of(timer, struct guest, speech);

    if (guest->life == APART)
        dial(guest);
    else if (guest->life == OPEN && !guest->over)
        speak(guest);
}

static void pause_fired(weft_timer *timer)
{
    struct guest *guest = weft_container_of(timer, struct guest, pause);

    guest->paused = false;
    if (guest->life == OPEN)
        weft_stream_resume(guest->stream);
}

/* -- the run -- */

static int begin(struct chat *chat, unsigned number, unsigned lines)
{
    struct guest *guest = &chat->guests[number];
    weft_scope *scope = scenario_scope(&chat->scenario, number / ROOMS);
    int status = weft_timer_init(&guest->speech, scope, speech_fired);

    if (status == 0)
        status = weft_timer_init(&guest->pause, scope, pause_fired);
    guest->heard =
        weft_scope_allocate(scenario_scope(&chat->scenario, 0), (size_t)chat->count * NAMES * sizeof *guest->heard);
    if (status < 0 || !guest->heard)
        return status < 0 ? status : WEFT_ENOMEM;
    guest->protocol.ops = &guest_ops;
    guest->chat = chat;
    guest->number = number;
    guest->left = lines;
    guest->style = scenario_style(&chat->scenario, STYLES);
    chat->scenario.pending++;
    weft_timer_start(&guest->speech, scenario_arrival(&chat->scenario));
    return 0;
}

static int serve(struct scenario *scenario)
{
    static char program[] = "chat", anywhere[] = "tcp://:7007";
    static char *arguments[] = {program, anywhere, NULL};
    static const char *const names[ROOMS] = {"red.example", "green.example", "blue.example", "grey.example"};
    int status = 0;

    for (int i = 0; i < ROOMS && status == 0; i++)
        status = scenario_serve(scenario, names[i], scenario_main_chat, arguments);
    return status;
}

static int run(weft_sim *sim, const weft_sim_plan *plan)
{
    struct chat *chat = scenario_new(sim, sizeof *chat + plan->connections * sizeof *chat->guests);
    int status;

    if (!chat)
        return WEFT_ENOMEM;
    chat->count = plan->connections;
    status = serve(&chat->scenario);
    for (unsigned i = 0; status == 0 && i < plan->connections; i++)
        status = begin(chat, i, (plan->messages + plan->connections - 1) / plan->connections);
    return status < 0 ? status : scenario_run(&chat->scenario);
}

static const char *const probes[] = {
    "listener: exhausted",
    "loop: tasks were left to the next turn",
    "loop: timers were left to the next turn",
    "queue: full",
    "sim: a delivery after a stop",
    "sim: a silent peer was given up",
    "sim: broken before it was accepted",
    "sim: no descriptor to accept with",
    "stream: a peer takes nothing any more",
    "stream: broken while it was closing",
    "stream: broken while something was to be read",
    "stream: bytes came after its close",
    "stream: idle for too long",
    "stream: input kept over a pause",
    "stream: lost before its handle came home",
    "stream: lost while a write was queued",
    "stream: lost while input waited",
    "stream: what was staged did not go out at once",
    "task stream: no memory for input",
    NULL,
};

const weft_sim_scenario scenario_chat = {
    .size = sizeof(weft_sim_scenario),
    .name = "chat",
    .summary = "rooms of the example chat, and guests that check what they get to read",
    .probes = probes,
    .plan = {.size = sizeof(weft_sim_plan), .connections = 20, .messages = 1000},
    .run = run,
};
