/* SPDX-License-Identifier: MIT */
#include "families/http/http_listing.h"

#include <inttypes.h>
#include <stdio.h>

#include "families/http/http_path.h"

/* The hash is that of the style below: a test compares them, and prints the right one. */
const char http_listing_policy[] =
    "default-src 'none'; style-src 'sha256-n3fKx1ZPRDlgrsbWq0VdGq3yKgSSX6krJp4TFTAoU8E='; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/*
 * On a narrow screen a row is two lines: the name, and beneath it, small, size and time. Colours are given once and
 * follow the reader's preference for light or dark.
 */
static const char style[] =
    ":root{color-scheme:light dark;--ground:#fff;--ink:#1c1f24;--quiet:#5d6673;--line:#e4e7eb;--link:#0b57d0;"
    "--touch:#f3f6fa;--folder:#d99a1c;--file:#8a94a3}"
    "@media(prefers-color-scheme:dark){:root{--ground:#15181d;--ink:#e4e7eb;--quiet:#9aa4b2;--line:#2a2f37;"
    "--link:#8ab4f8;--touch:#1e232a;--folder:#e3b341;--file:#7d8796}}"
    "*{box-sizing:border-box}.icons{display:none}"
    "body{margin:0 auto;max-width:64rem;padding:2rem 1.5rem 3rem;background:var(--ground);color:var(--ink);"
    "font:1rem/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,\"Noto Sans\",\"DejaVu Sans\",sans-serif;"
    "-webkit-text-size-adjust:100%}"
    "a{color:var(--link);text-decoration:none}"
    "a:hover,a:focus-visible{text-decoration:underline}"
    "h1{margin:0;font-size:1.5rem;line-height:1.3;font-weight:600;overflow-wrap:anywhere}"
    "h1 span{color:var(--quiet);font-weight:400;margin:0 .35rem}"
    ".sum{margin:.25rem 0 1.25rem;color:var(--quiet);font-size:.875rem}"
    "svg{flex:none;width:1.25rem;height:1.25rem;fill:var(--file)}"
    ".d svg{fill:var(--folder)}"
    "table{width:100%;border-collapse:collapse}"
    "header{margin:0 .75rem}"
    "th{padding:0;text-align:left;font-size:.8125rem;font-weight:600;border-bottom:2px solid var(--line);"
    "white-space:nowrap}"
    "th a{display:block;padding:.5rem .75rem;color:var(--quiet)}th:nth-child(2){text-align:right}"
    "th[aria-sort=ascending] a::after{content:\" \\25B2\";font-size:.7em}"
    "th[aria-sort=descending] a::after{content:\" \\25BC\";font-size:.7em}"
    "td{padding:0 .75rem;border-bottom:1px solid var(--line)}"
    "tbody tr:hover{background:var(--touch)}"
    "td:first-child{padding:0;width:100%}"
    ".n{display:flex;align-items:center;gap:.75rem;padding:.5rem .75rem;color:var(--ink);overflow-wrap:anywhere}"
    "a.n{color:var(--link)}"
    ".z,.t{color:var(--quiet);font-size:.875rem;white-space:nowrap;font-variant-numeric:tabular-nums}"
    ".z{text-align:right}"
    ".note{margin:1.25rem .75rem;color:var(--quiet)}"
    "@media(max-width:40rem){"
    "body{padding:1.25rem 1rem 2rem}"
    "h1{font-size:1.25rem}"
    "thead tr{display:flex;gap:.5rem;border-bottom:2px solid var(--line)}"
    "header{margin:0 .25rem}th{border:0}th a{padding:.75rem .25rem}"
    "tbody tr{position:relative;display:grid;grid-template-columns:auto 1fr;border-bottom:1px solid "
    "var(--line);padding-bottom:.5rem}"
    "td{border:0;padding:0}"
    "td:first-child{grid-column:1/-1}"
    ".n{align-items:flex-start;padding:.625rem .25rem .125rem}.n svg{margin-top:.125rem}"
    "a.n::after{content:\"\";position:absolute;inset:0}"
    ".z,.t{font-size:.8125rem;line-height:1.2}"
    ".z{padding-left:2.25rem;text-align:left}"
    ".t{padding-left:0}"
    ".z+.t::before{content:\"\\B7\";margin:0 .375rem}"
    ".d .z{display:none}"
    ".d .t{padding-left:2.25rem}"
    ".d .z+.t::before{content:none}"
    "tr.up{padding-bottom:.625rem}tr.up td+td{display:none}"
    ".note{margin-inline:.25rem}"
    "}";

static const char icons[] =
    "<svg class=\"icons\" aria-hidden=\"true\">"
    "<symbol id=\"d\" viewBox=\"0 0 20 20\"><path d=\"M2 4.5A1.5 1.5 0 0 1 3.5 3h4.1c.4 0 .8.2 1 .5L10 5h6.5A1.5 1.5 0 "
    "0 1 18 "
    "6.5v9a1.5 1.5 0 0 1-1.5 1.5h-13A1.5 1.5 0 0 1 2 15.5z\"/></symbol>"
    "<symbol id=\"f\" viewBox=\"0 0 20 20\"><path d=\"M5.5 2A1.5 1.5 0 0 0 4 3.5v13A1.5 1.5 0 0 0 5.5 18h9a1.5 1.5 0 0 "
    "0 "
    "1.5-1.5V7h-3.5A1.5 1.5 0 0 1 11 5.5V2zm7 .3V5.5h3.200z\"/></symbol>"
    "<symbol id=\"u\" viewBox=\"0 0 20 20\"><path d=\"M10 3 4 9l1.4 1.4L9 6.8V17h2V6.8l3.6 3.600L16 9z\"/></symbol>"
    "</svg>\n";

static void append_plural(struct http_text *page, uint64_t count, const char *one, const char *many)
{
    http_text_append_number(page, count);
    http_text_append_string(page, count == 1 ? one : many);
}

/* "512 B", "1.5 KiB", "23 MiB": one digit after the point, where there is one before it. */
static void append_size(struct http_text *page, uint64_t size)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    uint64_t whole = size, tenths = 0;
    size_t unit = 0;
    char text[32];

    while (whole >= 1024) {
        tenths = (whole & 1023) * 10 / 1024;
        whole >>= 10;
        unit++;
    }
    if (unit > 0 && whole < 10)
        snprintf(text, sizeof(text), "%" PRIu64 ".%" PRIu64 " %s", whole, tenths, units[unit]);
    else
        snprintf(text, sizeof(text), "%" PRIu64 " %s", whole, units[unit]);
    http_text_append_string(page, text);
}

/* A date of the Gregorian calendar. */
struct civil {
    int64_t year, month, day;
};

/* The date of a day since 1970. Years begin in March here, so that leap days come last. */
static struct civil civil_of(int64_t days_since_1970)
{
    enum { DAYS_OF_400_YEARS = 146097, FROM_YEAR_0 = 719468 };
    int64_t days = days_since_1970 + FROM_YEAR_0; /* positive from the year 0 on */
    int64_t of_era = days % DAYS_OF_400_YEARS;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t from_march = (5 * of_year + 2) / 153;
    int64_t month = from_march < 10 ? from_march + 3 : from_march - 9;

    return (struct civil){.year = year + days / DAYS_OF_400_YEARS * 400 + (month <= 2),
                          .month = month,
                          .day = of_year - (153 * from_march + 2) / 5 + 1};
}

/* Nothing for a time outside of the years 1 to 9999, which has no form in HTML. */
static void append_time(struct http_text *page, int64_t seconds)
{
    const int64_t first = -62135596800, last = 253402300799, day = 86400;
    int64_t of_day = seconds % day + (seconds % day < 0 ? day : 0);
    struct civil date;
    char text[120];

    if (seconds < first || seconds > last)
        return;
    date = civil_of((seconds - of_day) / day);
    snprintf(text, sizeof(text), "<time datetime=\"%04d-%02d-%02dT%02d:%02d:%02dZ\">%04d-%02d-%02d %02d:%02d</time>",
             (int)date.year, (int)date.month, (int)date.day, (int)(of_day / 3600), (int)(of_day / 60 % 60),
             (int)(of_day % 60), (int)date.year, (int)date.month, (int)date.day, (int)(of_day / 3600),
             (int)(of_day / 60 % 60));
    http_text_append_string(page, text);
}

static const char *const key_names[] = {"name", "size", "time"};

static void append_query(struct http_text *page, struct http_listing_order order)
{
    http_text_append_string(page, "?sort=");
    http_text_append_string(page, key_names[order.key]);
    http_text_append_string(page, order.descending ? "&amp;order=desc" : "&amp;order=asc");
}

/* Links to other folders keep an order that was chosen. */
static void append_kept_query(struct http_text *page, struct http_listing_order order)
{
    if (order.key != HTTP_LISTING_BY_NAME || order.descending)
        append_query(page, order);
}

static size_t depth_of(weft_bytes path)
{
    size_t depth = path.length > 0;

    for (size_t i = 0; i < path.length; i++)
        depth += path.data[i] == '/';
    return depth;
}

/* A link to the folder @levels above; relative, so that the page can stand behind any prefix. */
static void append_link_up(struct http_text *page, const struct http_listing *listing, size_t levels)
{
    http_text_append_string(page, "<a href=\"");
    if (levels == 0)
        http_text_append_string(page, "./");
    for (size_t i = 0; i < levels; i++)
        http_text_append_string(page, "../");
    append_kept_query(page, listing->order);
    http_text_append_string(page, "\">");
}

static void append_path(struct http_text *page, const struct http_listing *listing)
{
    weft_bytes path = listing->path;
    size_t levels = depth_of(path);

    http_text_append_string(page, "<header><nav aria-label=\"Path\"><h1>");
    if (levels == 0)
        http_text_append_string(page, "Home");
    else {
        append_link_up(page, listing, levels);
        http_text_append_string(page, "Home</a>");
    }
    while (levels-- > 0) {
        size_t length = weft_bytes_find(path, '/');

        http_text_append_string(page, "<span>/</span>");
        if (levels > 0)
            append_link_up(page, listing, levels);
        http_text_append_string(page, "<bdi>");
        http_text_append_html(page, weft_bytes_first(path, length));
        http_text_append_string(page, levels > 0 ? "</bdi></a>" : "</bdi>");
        path = weft_bytes_skip(path, length == SIZE_MAX ? length : length + 1);
    }
    http_text_append_string(page, "</h1></nav>\n");
}

static void append_summary(struct http_text *page, const struct http_listing *listing)
{
    uint64_t folders = 0, bytes = 0;

    for (size_t i = 0; i < listing->count; i++) {
        folders += listing->entries[i].is_directory;
        if (!listing->entries[i].is_directory && __builtin_add_overflow(bytes, listing->entries[i].size, &bytes))
            bytes = UINT64_MAX;
    }
    http_text_append_string(page, "<p class=\"sum\">");
    append_plural(page, folders, " folder, ", " folders, ");
    append_plural(page, listing->count - folders, " file", " files");
    if (listing->count > folders) {
        http_text_append_string(page, ", ");
        append_size(page, bytes);
    }
    http_text_append_string(page, "</p></header>\n");
}

static void append_column(struct http_text *page, struct http_listing_order now, enum http_listing_key key,
                          const char *title)
{
    /* At first the largest and the newest are wanted, and names from A to Z. */
    struct http_listing_order next = {.key = key,
                                      .descending = now.key == key ? !now.descending : key != HTTP_LISTING_BY_NAME};

    http_text_append_string(page, "<th scope=\"col\"");
    if (now.key == key)
        http_text_append_string(page, now.descending ? " aria-sort=\"descending\"" : " aria-sort=\"ascending\"");
    http_text_append_string(page, "><a href=\"");
    append_query(page, next);
    http_text_append_string(page, "\">");
    http_text_append_string(page, title);
    http_text_append_string(page, "</a></th>");
}

static void append_entry(struct http_text *page, const struct http_listing *listing,
                         const struct http_listing_entry *entry)
{
    bool linked = http_path_is_reachable(entry->name, listing->hidden);

    http_text_append_string(page, entry->is_directory ? "<tr class=\"d\"><td>" : "<tr><td>");
    http_text_append_string(page, linked ? "<a class=\"n\" href=\"" : "<span class=\"n\">");
    if (linked) {
        http_text_append_segment(page, entry->name);
        if (entry->is_directory) {
            http_text_append_string(page, "/");
            append_kept_query(page, listing->order);
        }
        http_text_append_string(page, "\">");
    }
    http_text_append_string(page, entry->is_directory ? "<svg aria-hidden=\"true\"><use href=\"#d\"/></svg><bdi>"
                                                      : "<svg aria-hidden=\"true\"><use href=\"#f\"/></svg><bdi>");
    http_text_append_html(page, entry->name);
    http_text_append_string(page, entry->is_directory ? "/</bdi>" : "</bdi>");
    http_text_append_string(page, linked ? "</a></td><td class=\"z\">" : "</span></td><td class=\"z\">");
    if (!entry->is_directory)
        append_size(page, entry->size);
    http_text_append_string(page, "</td><td class=\"t\">");
    append_time(page, entry->modified);
    http_text_append_string(page, "</td></tr>\n");
}

static void append_table_head(struct http_text *page, const struct http_listing *listing)
{
    http_text_append_string(page, "<main><table><thead><tr>");
    append_column(page, listing->order, HTTP_LISTING_BY_NAME, "Name");
    append_column(page, listing->order, HTTP_LISTING_BY_SIZE, "Size");
    append_column(page, listing->order, HTTP_LISTING_BY_TIME, "Modified (UTC)");
    http_text_append_string(page, "</tr></thead>\n<tbody>\n");
    if (listing->path.length) {
        http_text_append_string(page, "<tr class=\"up\"><td><a class=\"n\" href=\"../");
        append_kept_query(page, listing->order);
        http_text_append_string(page, "\"><svg aria-hidden=\"true\"><use href=\"#u\"/></svg>Parent folder</a></td>"
                                      "<td></td><td></td></tr>\n");
    }
}

static void append_foot(struct http_text *page, const struct http_listing *listing)
{
    http_text_append_string(page, "</tbody></table>\n");
    if (listing->left_out) {
        http_text_append_string(page, "<p class=\"note\">There is more in this folder than is shown here.</p>\n");
    } else if (listing->count == 0) {
        http_text_append_string(page, "<p class=\"note\">This folder is empty.</p>\n");
    }
    http_text_append_string(page, "</main>\n</body>\n</html>\n");
}

static void append_head(struct http_text *page, const struct http_listing *listing)
{
    http_text_append_string(page, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                                  "<title>Index of /");
    http_text_append_html(page, listing->path);
    http_text_append_string(page, listing->path.length ? "/</title>\n<style>" : "</title>\n<style>");
    http_text_append_string(page, style);
    http_text_append_string(page, "</style>\n</head>\n<body>\n");
    http_text_append_string(page, icons);
    append_path(page, listing);
    append_summary(page, listing);
    append_table_head(page, listing);
}

/* The first step is the head, then comes one for each entry, and the foot. */
int http_listing_write_on(struct http_text *page, const struct http_listing *listing, size_t enough, size_t *next)
{
    while (*next < listing->count + 2 && page->length < enough && !page->error) {
        size_t step = (*next)++;

        if (step == 0)
            append_head(page, listing);
        else if (step <= listing->count)
            append_entry(page, listing, &listing->entries[step - 1]);
        else
            append_foot(page, listing);
    }
    return page->error ? page->error : *next < listing->count + 2;
}

int http_listing_write(struct http_text *page, const struct http_listing *listing)
{
    size_t next = 0;

    return http_listing_write_on(page, listing, SIZE_MAX, &next);
}

int http_listing_length(const struct http_listing *listing, uint64_t *ret_length)
{
    struct http_text piece = {.data = NULL};
    uint64_t length = 0;
    size_t next = 0;
    int more;

    do {
        piece.length = 0;
        more = http_listing_write_on(&piece, listing, 1, &next);
        length += piece.length;
    } while (more > 0);
    http_text_release(&piece);
    if (more == 0)
        *ret_length = length;
    return more;
}
