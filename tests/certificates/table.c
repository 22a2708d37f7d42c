/* SPDX-License-Identifier: MIT */
#include "certificates/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"

#define ROWS 200
#define FILE_MOST 65536

static struct table_row rows[ROWS];

static void path_of(char path[1000], const char *name, const char *suffix)
{
    int length = snprintf(path, 1000, "%s/%s%s", WEFT_TEST_CERTIFICATES, name, suffix);

    assert_in_range(length, 1, 999);
}

static void parse(const char *line, struct table_row *row)
{
    char role[8], verdict[8], staple[8];

    assert_int_equal(sscanf(line, "%47s %7s %7s %31s %47s %63s %7s", row->name, role, verdict, row->reason, row->code,
                            row->host, staple),
                     7);
    row->is_client = strcmp(role, "client") == 0;
    row->is_good = strcmp(verdict, "good") == 0;
    row->has_staple = strcmp(staple, "yes") == 0;
}

const struct table_row *table_rows(size_t *ret_count)
{
    char path[1000], line[500];
    FILE *file;
    size_t count = 0;

    path_of(path, "manifest", ".tsv");
    file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file)) {
        assert_true(count < ROWS);
        if (line[0] != '#')
            parse(line, &rows[count++]);
    }
    if (file)
        fclose(file);
    *ret_count = count;
    return count > 0 ? rows : NULL;
}

const struct table_row *table_row(const char *name)
{
    size_t count;
    const struct table_row *all = table_rows(&count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(all[i].name, name) == 0)
            return &all[i];
    fail_msg("there is no row '%s'", name);
    return NULL;
}

weft_bytes table_file(const char *name, const char *suffix)
{
    char path[1000], *data = malloc(FILE_MOST);
    FILE *file;
    size_t length;

    path_of(path, name, suffix);
    file = fopen(path, "rb");
    if (!file || !data)
        fail_msg("%s cannot be read", path);
    length = fread(data, 1, FILE_MOST, file);
    assert_true(length < FILE_MOST && feof(file));
    fclose(file);
    return weft_bytes_of(data, length);
}

void table_file_free(weft_bytes file)
{
    free((void *)(uintptr_t)file.data);
}
