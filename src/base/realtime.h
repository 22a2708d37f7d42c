/* SPDX-License-Identifier: MIT */
/*
 * Where the build for the real-time sanitizer (docs/decisions/0019) looks for
 * calls that may block: on this thread, between realtime_enter and
 * realtime_leave. In every other build all this is nothing.
 */
#ifndef BASE_REALTIME_H
#define BASE_REALTIME_H

#if defined(__has_feature)
#if __has_feature(realtime_sanitizer)
#define REALTIME_IS_CHECKED 1
#endif
#endif

#ifdef REALTIME_IS_CHECKED
/* The sanitizer's; its header has the last two only. */
void __rtsan_realtime_enter(void);
void __rtsan_realtime_exit(void);
void __rtsan_disable(void);
void __rtsan_enable(void);
#endif

/* From here on this thread must not block. */
static inline void realtime_enter(void)
{
#ifdef REALTIME_IS_CHECKED
    __rtsan_realtime_enter();
#endif
}

/* And now it may again. */
static inline void realtime_leave(void)
{
#ifdef REALTIME_IS_CHECKED
    __rtsan_realtime_exit();
#endif
}

/* Between these two nobody looks: for what the simulator does on this thread and other backends on another. */
static inline void realtime_look_away(void)
{
#ifdef REALTIME_IS_CHECKED
    __rtsan_disable();
#endif
}

static inline void realtime_look_again(void)
{
#ifdef REALTIME_IS_CHECKED
    __rtsan_enable();
#endif
}

#endif
