/* SPDX-License-Identifier: MIT */
/* The scope tree in words (weft_loop_dump). A loop, not a recursion: the tree may be deeper than a stack. */
#include <stdio.h>

#include <weft/log.h>
#include <weft/loop.h>

#include "loop/loop_internal.h"
#include "loop/scope_internal.h"

#define DEEPEST 32 /* levels that are shown by indenting */

struct walk {
    const weft_scope *top;
    unsigned depth;
};

/* What follows @p link in @p scope, or in the scopes around it up to the top; NULL at the end. */
static const weft_scope_member *next(struct walk *walk, const weft_scope *scope, const weft_link *link)
{
    while (link == &scope->members) {
        if (scope == walk->top)
            return NULL;
        link = scope->member.link.next;
        scope = scope->member.scope;
        walk->depth--;
    }
    return weft_container_of(link, const weft_scope_member, link);
}

void scope_walk(const weft_scope *top, scope_walk_visit *visit, void *arg)
{
    struct walk walk = {.top = top, .depth = 1};
    const weft_scope_member *member = next(&walk, top, top->members.next);

    while (member) {
        const weft_scope *inner = scope_of_member(member);

        visit(member, walk.depth, arg);
        if (inner) {
            walk.depth++;
            member = next(&walk, inner, inner->members.next);
        } else {
            member = next(&walk, member->scope, member->link.next);
        }
    }
}

struct dump {
    weft_dump_line *line;
    void *arg;
};

static void to_log(const char *text, void *arg)
{
    (void)arg;
    weft_log(WEFT_LOG_INFO, "dump", "%s", text);
}

static void show(const weft_scope_member *member, unsigned depth, void *arg)
{
    const struct dump *dump = arg;
    char about[384] = "", text[512];

    if (member->class_->describe)
        member->class_->describe(member, about, sizeof about);
    snprintf(text, sizeof text, "%*s%s%s", 2 * (int)(depth < DEEPEST ? depth : DEEPEST), "", member->class_->kind,
             about);
    dump->line(text, dump->arg);
}

void weft_loop_dump(const weft_loop *loop, weft_dump_line *line, void *arg)
{
    struct dump dump = {.line = line ? line : to_log, .arg = arg};

    dump.line("loop", dump.arg);
    scope_walk(loop->root, show, &dump);
}
