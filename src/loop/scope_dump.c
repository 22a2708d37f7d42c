/* SPDX-License-Identifier: MIT */
/* The scope tree in words (weft_loop_dump). A loop, not a recursion: the tree may be deeper than a stack. */
#include <stdio.h>

#include <weft/log.h>
#include <weft/loop.h>

#include "loop/loop_internal.h"
#include "loop/scope_internal.h"

#define DEEPEST 32 /* levels that are shown by indenting */

struct dump {
    weft_dump_line *line;
    void *arg;
    unsigned depth;
};

static void to_log(const char *text, void *arg)
{
    (void)arg;
    weft_log(WEFT_LOG_INFO, "dump", "%s", text);
}

static void show(const struct dump *dump, const weft_scope_member *member)
{
    char about[384] = "", text[512];

    if (member->class_->describe)
        member->class_->describe(member, about, sizeof about);
    snprintf(text, sizeof text, "%*s%s%s", 2 * (int)(dump->depth < DEEPEST ? dump->depth : DEEPEST), "",
             member->class_->kind, about);
    dump->line(text, dump->arg);
}

/* What follows @p link in @p scope, or in the scopes around it up to @p top; NULL at the end. */
static const weft_scope_member *next(const weft_scope *top, const weft_scope *scope, const weft_link *link,
                                     struct dump *dump)
{
    while (link == &scope->members) {
        if (scope == top)
            return NULL;
        link = scope->member.link.next;
        scope = scope->member.scope;
        dump->depth--;
    }
    return weft_container_of(link, const weft_scope_member, link);
}

static void show_members(struct dump *dump, const weft_scope *top)
{
    const weft_scope_member *member;

    dump->depth = 1;
    member = next(top, top, top->members.next, dump);
    while (member) {
        const weft_scope *inner = scope_of_member(member);

        show(dump, member);
        if (inner) {
            dump->depth++;
            member = next(top, inner, inner->members.next, dump);
        } else {
            member = next(top, member->scope, member->link.next, dump);
        }
    }
}

void weft_loop_dump(const weft_loop *loop, weft_dump_line *line, void *arg)
{
    struct dump dump = {.line = line ? line : to_log, .arg = arg};

    dump.line("loop", dump.arg);
    show_members(&dump, loop->root);
}
