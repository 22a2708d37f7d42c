/* SPDX-License-Identifier: MIT */
/* Files kept open between requests (http_files_cache.h): a map by path, and a list by last use. */
#include "families/http/http_files_cache.h"

#include <weft/memory.h>

/* Younger changes may be followed by another with the same time. */
#define SETTLED WEFT_SECONDS(2)

struct entry {
    weft_link recent;
    weft_file *file;
    weft_time used;
    size_t content_length;
    char *content;
    size_t path_length;
    char path[];
};

void http_files_cache_init(struct http_files_cache *cache, const uint8_t secret[SIPHASH_KEY_SIZE])
{
    map_init(&cache->entries, secret);
    weft_link_init(&cache->recent);
    cache->bytes = 0;
}

static void drop(struct http_files_cache *cache, struct entry *entry)
{
    (void)map_remove(&cache->entries, weft_bytes_of(entry->path, entry->path_length));
    weft_link_remove(&entry->recent);
    cache->bytes -= entry->content_length;
    weft_file_unref(entry->file);
    weft_release(entry->content);
    weft_release(entry);
}

static struct entry *oldest(struct http_files_cache *cache)
{
    if (weft_link_is_alone(&cache->recent))
        return NULL;
    return weft_container_of(cache->recent.prev, struct entry, recent);
}

size_t http_files_cache_clear(struct http_files_cache *cache)
{
    struct entry *entry;
    size_t count = 0;

    for (; (entry = oldest(cache)) != NULL; count++)
        drop(cache, entry);
    return count;
}

bool http_files_cache_expire(struct http_files_cache *cache, weft_time now)
{
    struct entry *entry;

    while ((entry = oldest(cache)) != NULL && now - entry->used >= HTTP_FILES_CACHE_TIME)
        drop(cache, entry);
    return entry != NULL;
}

static void use(struct http_files_cache *cache, struct entry *entry, weft_time now)
{
    entry->used = now;
    weft_link_remove(&entry->recent);
    weft_link_insert_before(cache->recent.next, &entry->recent);
}

bool http_files_cache_find(struct http_files_cache *cache, const weft_directory *directory, const char *path,
                           weft_time now, struct http_files_cached *ret)
{
    struct entry *entry = map_find(&cache->entries, weft_bytes_from(path));

    if (!entry)
        return false;
    if (!weft_file_is_current(entry->file, directory, path)) {
        drop(cache, entry);
        return false;
    }
    use(cache, entry, now);
    ret->file = entry->file;
    ret->content = weft_bytes_of(entry->content, entry->content_length);
    return true;
}

static bool is_worth_keeping(const weft_file_info *info, weft_time wall)
{
    return info->kind == WEFT_FILE_DIRECTORY || (info->kind == WEFT_FILE_REGULAR && wall - info->modified >= SETTLED);
}

/* Only what is in the page cache, and all there: else the file is kept without its content. */
static void read_content(struct http_files_cache *cache, struct entry *entry)
{
    const weft_file_info *info = weft_file_about(entry->file);
    int count;

    if (info->kind != WEFT_FILE_REGULAR || info->length == 0 || info->length > HTTP_FILES_CACHE_SMALL)
        return;
    entry->content = weft_allocate((size_t)info->length);
    if (!entry->content)
        return;
    count = weft_file_read_cached(entry->file, 0, entry->content, (size_t)info->length);
    if (count < 0 || (uint64_t)count != info->length) {
        weft_release(entry->content);
        entry->content = NULL;
        return;
    }
    entry->content_length = (size_t)count;
    cache->bytes += entry->content_length;
}

void http_files_cache_keep(struct http_files_cache *cache, const char *path, weft_file *file, weft_time now,
                           weft_time wall)
{
    size_t length = strlen(path);
    struct entry *entry;

    if (!is_worth_keeping(weft_file_about(file), wall))
        return;
    entry = weft_allocate_zeroed(1, sizeof *entry + length + 1);
    if (!entry)
        return;
    memcpy(entry->path, path, length);
    entry->path_length = length;
    if (map_put(&cache->entries, weft_bytes_of(path, length), entry) < 0) {
        weft_release(entry);
        return;
    }
    entry->file = weft_file_ref(file);
    weft_link_init(&entry->recent);
    use(cache, entry, now);
    read_content(cache, entry);
    while (map_count(&cache->entries) > HTTP_FILES_CACHE_FILES || cache->bytes > HTTP_FILES_CACHE_BYTES)
        drop(cache, oldest(cache));
}
