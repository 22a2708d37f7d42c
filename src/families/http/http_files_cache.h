/* SPDX-License-Identifier: MIT */
/*
 * Files that were served a moment ago, kept open, and if they are small with
 * their content: for the next request one look at the name says whether they
 * are still what that name leads to.
 *
 * A file that changed less than two seconds ago is not kept, since it may
 * change once more without a new time of change. What nobody asked for in
 * HTTP_FILES_CACHE_TIME is let go.
 */
#ifndef FAMILIES_HTTP_FILES_CACHE_H
#define FAMILIES_HTTP_FILES_CACHE_H

#include <weft/file.h>
#include <weft/list.h>

#include "base/map.h"

/* Files kept, bytes of content kept, and the longest content that is kept. */
#define HTTP_FILES_CACHE_FILES 256
#define HTTP_FILES_CACHE_BYTES (4 * 1024 * 1024)
#define HTTP_FILES_CACHE_SMALL (16 * 1024)
#define HTTP_FILES_CACHE_TIME WEFT_SECONDS(10)

struct http_files_cache {
    struct map entries; /* by path */
    weft_link recent;   /* the one that was used last first */
    size_t bytes;
};

/* A file that is kept: borrowed until the next call that concerns the cache. */
struct http_files_cached {
    weft_file *file;
    weft_bytes content; /* all of it, or empty if it is not kept */
};

void http_files_cache_init(struct http_files_cache *cache, const uint8_t secret[SIPHASH_KEY_SIZE]);
/* Lets everything go; the cache is empty and may be used again. Returns how many files that were. */
size_t http_files_cache_clear(struct http_files_cache *cache);

/* What is kept for @path, if it is still current. @now is the loop's time. */
bool http_files_cache_find(struct http_files_cache *cache, const weft_directory *directory, const char *path,
                           weft_time now, struct http_files_cached *ret);

/* Keeps @file (a reference is taken), if it is of a kind that is worth it. What is short of memory is not kept.
 * @wall is the time of day. */
void http_files_cache_keep(struct http_files_cache *cache, const char *path, weft_file *file, weft_time now,
                           weft_time wall);

/* Lets go what was not used since HTTP_FILES_CACHE_TIME. Returns whether anything is left. */
bool http_files_cache_expire(struct http_files_cache *cache, weft_time now);

#endif
