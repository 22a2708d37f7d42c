/* SPDX-License-Identifier: MIT */
/*
 * `weft cert`: an authority, and a certificate. Everything is made in memory
 * first and checked against what is there; only then are files written.
 */
#include "cert.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weft/file_lock.h>
#include <weft/memory.h>
#include <weft/secret.h>
#include <weft/timer.h>

#include "cert_file.h"
#include "printable.h"

#define LOCK "lock"
/* How long another `weft cert` is waited for, and how often is looked. */
#define PATIENCE WEFT_SECONDS(20)
#define PAUSE WEFT_MILLISECONDS(50)
/* Of a private key, as PEM. */
#define KEY_MOST 16384

struct cert {
    const struct cert_options *options;
    weft_loop *loop;
    char directory[PATH_MAX];
    char authority_path[PATH_MAX], authority_key_path[PATH_MAX];
    char cert_path[PATH_MAX], key_path[PATH_MAX];
    weft_file_lock *lock;
    weft_certificate *authority, *made;
    bool is_new; /* the authority */
};

int cert_complain(const char *path, int error, weft_failure *why)
{
    char shown[300], story[500], text[500];

    if (why)
        weft_failure_describe(why, story, sizeof story);
    fprintf(stderr, "weft cert: %s%s%s\n", path ? printable(weft_bytes_from(path), shown, sizeof shown) : "",
            path ? ": " : "", why ? printable(weft_bytes_from(story), text, sizeof text) : weft_error_text(error));
    weft_failure_unref(why);
    return EXIT_FAILED;
}

/* -- where -- */

/* Returns whether it fits. */
static bool join(char to[PATH_MAX], const char *directory, const char *name)
{
    int length = snprintf(to, PATH_MAX, "%s/%s", directory, name);

    return length >= 0 && length < PATH_MAX;
}

/* XDG Base Directory Specification: a path that is not absolute does not count. */
static bool find_data(char to[PATH_MAX])
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

    if (data && data[0] == '/')
        return join(to, data, "weft");
    return home && home[0] == '/' && join(to, home, ".local/share/weft");
}

static int find_directory(struct cert *cert)
{
    const char *chosen = cert->options->directory;

    if (!chosen && !find_data(cert->directory)) {
        fprintf(stderr, "weft cert: there is no folder for your data, since HOME is not set: say which with --dir\n");
        return EXIT_USAGE;
    }
    if (chosen)
        snprintf(cert->directory, sizeof cert->directory, "%s", chosen[0] ? chosen : ".");
    if (!join(cert->authority_path, cert->directory, CERT_AUTHORITY) ||
        !join(cert->authority_key_path, cert->directory, CERT_AUTHORITY_KEY))
        return cert_complain("--dir", -ENAMETOOLONG, NULL);
    return EXIT_DONE;
}

/* A star is no name for a file that shells should leave alone. */
static int find_places(struct cert *cert)
{
    const struct cert_options *options = cert->options;
    const char *name = options->names.items[0], *what = options->client ? "-client" : "";
    const char *star = name[0] == '*' ? "_wildcard" : "";

    snprintf(cert->cert_path, PATH_MAX, "%s%s%s.pem", star, name + (star[0] != '\0'), what);
    snprintf(cert->key_path, PATH_MAX, "%s%s%s-key.pem", star, name + (star[0] != '\0'), what);
    if (options->cert)
        snprintf(cert->cert_path, PATH_MAX, "%s", options->cert);
    if (options->key)
        snprintf(cert->key_path, PATH_MAX, "%s", options->key);
    if (strcmp(cert->cert_path, cert->key_path) != 0)
        return EXIT_DONE;
    fprintf(stderr, "weft cert: --cert and --key are the same file\n");
    return EXIT_USAGE;
}

/* -- the authority -- */

static int parse_authority(struct cert *cert, const struct cert_text *chain, const struct cert_text *key)
{
    weft_failure *why = NULL;
    int status = weft_certificate_read(weft_bytes_of(chain->data, chain->length), weft_bytes_of(key->data, key->length),
                                       &cert->authority, &why);
    bool is_key = status == WEFT_EKEYFORM || status == WEFT_EKEYOTHER;

    return status < 0 ? cert_complain(is_key ? cert->authority_key_path : cert->authority_path, status, why)
                      : EXIT_DONE;
}

static int read_authority(struct cert *cert)
{
    struct cert_text chain = {.data = NULL}, key = {.data = NULL};
    int status = cert_file_read(cert->loop, cert->authority_path, &chain), result = EXIT_FAILED;

    if (status < 0) {
        result = cert_complain(cert->authority_path, status, NULL);
    } else {
        status = cert_file_read(cert->loop, cert->authority_key_path, &key);
        result =
            status < 0 ? cert_complain(cert->authority_key_path, status, NULL) : parse_authority(cert, &chain, &key);
    }
    cert_text_fini(&chain);
    cert_text_fini(&key);
    return result;
}

static int make_authority(struct cert *cert)
{
    weft_certificate_authority_options options = {.size = sizeof options,
                                                  .key = cert->options->type,
                                                  .only = cert->options->only.items,
                                                  .only_count = cert->options->only.count};
    weft_failure *why = NULL;
    int status = weft_certificate_authority_new(cert->loop, &options, &cert->authority, &why);

    cert->is_new = true;
    return status < 0 ? cert_complain(NULL, status, why) : EXIT_DONE;
}

/* One half of an authority is worth nothing, and may be what is left of one that somebody trusts. */
static int complain_of_half(const struct cert *cert, bool has_chain)
{
    char shown[300];

    fprintf(stderr, "weft cert: %s holds %s but no %s: put it back, or remove the other to have a new authority\n",
            printable(weft_bytes_from(cert->directory), shown, sizeof shown),
            has_chain ? CERT_AUTHORITY : CERT_AUTHORITY_KEY, has_chain ? CERT_AUTHORITY_KEY : CERT_AUTHORITY);
    return EXIT_FAILED;
}

static int have_authority(struct cert *cert)
{
    int has_chain = cert_file_is_there(cert->loop, cert->authority_path);
    int has_key = cert_file_is_there(cert->loop, cert->authority_key_path);
    char shown[300];

    if (has_chain < 0 || has_key < 0)
        return cert_complain(cert->directory, has_chain < 0 ? has_chain : has_key, NULL);
    if (has_chain != has_key)
        return complain_of_half(cert, has_chain);
    if (has_chain && cert->options->only.count > 0) {
        fprintf(stderr, "weft cert: %s holds an authority already; --only is for one that is made (see --dir)\n",
                printable(weft_bytes_from(cert->directory), shown, sizeof shown));
        return EXIT_FAILED;
    }
    return has_chain ? read_authority(cert) : make_authority(cert);
}

/* -- the certificate -- */

static int issue(struct cert *cert)
{
    const struct cert_options *options = cert->options;
    weft_certificate_options wanted = {.size = sizeof wanted,
                                       .names = options->names.items,
                                       .name_count = options->names.count,
                                       .uses = options->client ? WEFT_CERTIFICATE_CLIENT : WEFT_CERTIFICATE_SERVER,
                                       .lifetime = WEFT_HOURS(24) * (weft_time)options->days,
                                       .key = options->type};
    weft_failure *why = NULL;
    int status = weft_certificate_issue(cert->loop, cert->authority, &wanted, &cert->made, &why);
    bool is_authority = status == WEFT_EISSUER;

    return status < 0 ? cert_complain(is_authority ? cert->authority_path : NULL, status, why) : EXIT_DONE;
}

/* A mailbox may have a '/' before its '@': a file that is called after it would lie elsewhere. */
static int check_name(const struct cert_options *options)
{
    const char *name = options->names.items[0];
    char shown[300];

    if (!strchr(name, '/') || (options->cert && options->key))
        return EXIT_DONE;
    fprintf(stderr, "weft cert: no file can be called after %s: say --cert and --key\n",
            printable(weft_bytes_from(name), shown, sizeof shown));
    return EXIT_USAGE;
}

static int check_place(struct cert *cert, const char *path)
{
    int is_there = cert_file_is_there(cert->loop, path);
    char shown[300];

    if (is_there < 0)
        return cert_complain(path, is_there, NULL);
    if (is_there == 0 || cert->options->force)
        return EXIT_DONE;
    fprintf(stderr, "weft cert: %s is there already; --force replaces it\n",
            printable(weft_bytes_from(path), shown, sizeof shown));
    return EXIT_FAILED;
}

/* -- writing -- */

/* A chain and its key on their way to their places. */
struct pair {
    const weft_certificate *certificate;
    const char *path, *key_path;
    struct cert_write chain, key;
};

static int begin_key(struct cert *cert, struct pair *pair)
{
    char text[KEY_MOST];
    int length = weft_certificate_write_key(pair->certificate, text, sizeof text);
    int status = length < 0 ? length : (size_t)length >= sizeof text ? -EFBIG : 0;

    if (status == 0)
        status = cert_write_begin(&pair->key, cert->loop, pair->key_path, weft_bytes_of(text, (size_t)length), true);
    weft_secret_clear(text, sizeof text);
    return status < 0 ? cert_complain(pair->key_path, status, NULL) : EXIT_DONE;
}

static int begin_chain(struct cert *cert, struct pair *pair)
{
    int length = weft_certificate_write(pair->certificate, NULL, 0), status = length;
    char *text = length < 0 ? NULL : weft_allocate((size_t)length + 1);

    if (length >= 0 && !text)
        status = WEFT_ENOMEM;
    if (text)
        status = weft_certificate_write(pair->certificate, text, (size_t)length + 1);
    if (status >= 0)
        status = cert_write_begin(&pair->chain, cert->loop, pair->path, weft_bytes_of(text, (size_t)status), false);
    weft_release(text);
    return status < 0 ? cert_complain(pair->path, status, NULL) : EXIT_DONE;
}

static int begin_pair(struct cert *cert, struct pair *pair)
{
    int result = begin_key(cert, pair);

    return result == EXIT_DONE ? begin_chain(cert, pair) : result;
}

/* The key first: without it the chain is worth nothing. */
static int commit_pair(struct cert *cert, struct pair *pair)
{
    int status = cert_write_commit(&pair->key, cert->loop);

    if (status < 0)
        return cert_complain(pair->key_path, status, NULL);
    status = cert_write_commit(&pair->chain, cert->loop);
    return status < 0 ? cert_complain(pair->path, status, NULL) : EXIT_DONE;
}

static void pair_fini(struct cert *cert, struct pair *pair)
{
    cert_write_fini(&pair->chain, cert->loop);
    cert_write_fini(&pair->key, cert->loop);
}

/* All is written before any of it is brought to its place. */
static int write_all(struct cert *cert)
{
    struct pair authority = {
        .certificate = cert->authority, .path = cert->authority_path, .key_path = cert->authority_key_path};
    struct pair made = {.certificate = cert->made, .path = cert->cert_path, .key_path = cert->key_path};
    int result = begin_pair(cert, &made);

    if (result == EXIT_DONE && cert->is_new)
        result = begin_pair(cert, &authority);
    if (result == EXIT_DONE && cert->is_new)
        result = commit_pair(cert, &authority);
    if (result == EXIT_DONE)
        result = commit_pair(cert, &made);
    pair_fini(cert, &made);
    pair_fini(cert, &authority);
    return result;
}

static void tell(struct cert *cert)
{
    weft_certificate_about about = {.ends = 0};
    char shown[300], other[300], day[16];

    if (cert->is_new)
        printf(
            "Made an authority in %s; 'weft cert --trust%s%s' says how programs come to trust it.\n",
            printable(weft_bytes_from(cert->directory), shown, sizeof shown), cert->options->directory ? " --dir " : "",
            cert->options->directory ? printable(weft_bytes_from(cert->options->directory), other, sizeof other) : "");
    if (weft_certificate_look(cert->made, 0, &about) < 0)
        return;
    printf("Wrote %s, valid until %s, and its key %s.\n",
           printable(weft_bytes_from(cert->cert_path), shown, sizeof shown), cert_day(about.ends, day),
           printable(weft_bytes_from(cert->key_path), other, sizeof other));
}

/* -- the whole -- */

static void looked_again(weft_timer *timer)
{
    (void)timer; /* the loop has nothing else to wait for, and comes back */
}

/* Commands that use the same authority take their turns: only one may make it. */
static int take_lock(struct cert *cert)
{
    weft_scope *scope = weft_loop_scope(cert->loop);
    weft_time until = weft_loop_now(cert->loop) + PATIENCE;
    char path[PATH_MAX];
    weft_timer pause;
    int status;

    if (!join(path, cert->directory, LOCK))
        return cert_complain(cert->directory, -ENAMETOOLONG, NULL);
    cert->lock = weft_file_lock_new(scope, path);
    status = cert->lock ? weft_timer_init(&pause, scope, looked_again) : WEFT_ENOMEM;
    if (status < 0)
        return cert_complain(NULL, status, NULL);
    while ((status = weft_file_lock_try(cert->lock)) == -EAGAIN && weft_loop_now(cert->loop) < until) {
        weft_timer_start(&pause, PAUSE);
        if (weft_loop_run(cert->loop) < 0)
            break;
    }
    weft_timer_fini(&pause);
    return status < 0 ? cert_complain(path, status, NULL) : EXIT_DONE;
}

static int make(struct cert *cert)
{
    int result = find_places(cert), status;

    if (result != EXIT_DONE)
        return result;
    status = cert_directory_make(cert->loop, cert->directory);
    if (status < 0)
        return cert_complain(cert->directory, status, NULL);
    result = take_lock(cert);
    if (result == EXIT_DONE)
        result = have_authority(cert);
    if (result == EXIT_DONE)
        result = issue(cert);
    if (result == EXIT_DONE)
        result = check_name(cert->options);
    if (result == EXIT_DONE)
        result = check_place(cert, cert->key_path);
    if (result == EXIT_DONE)
        result = check_place(cert, cert->cert_path);
    if (result == EXIT_DONE)
        result = write_all(cert);
    if (result == EXIT_DONE)
        tell(cert);
    return result;
}

static int trust(struct cert *cert)
{
    int is_there = cert_file_is_there(cert->loop, cert->authority_path);
    char shown[300];

    if (is_there > 0) {
        cert_trust(cert->authority_path);
        return EXIT_DONE;
    }
    if (is_there < 0 && is_there != -ENOENT)
        return cert_complain(cert->authority_path, is_there, NULL);
    fprintf(stderr, "weft cert: there is no authority in %s yet; 'weft cert localhost' makes one\n",
            printable(weft_bytes_from(cert->directory), shown, sizeof shown));
    return EXIT_FAILED;
}

static int check_usage(const struct cert_options *options)
{
    const char *problem = NULL;
    bool makes = options->names.count > 0;

    if (makes + options->trust + (options->show != NULL) != 1)
        problem = makes || options->trust || options->show
                      ? "NAME, --trust and --show exclude each other"
                      : "say for which names: 'weft cert localhost 127.0.0.1 ::1', or see 'weft cert --help'";
    else if (!makes && (options->cert || options->key || options->client || options->force || options->only.count > 0))
        problem = "--cert, --key, --client, --force and --only go with a NAME";
    if (problem)
        fprintf(stderr, "weft cert: %s\n", problem);
    return problem ? EXIT_USAGE : EXIT_DONE;
}

static int run(struct cert *cert)
{
    int result;

    if (cert->options->show)
        return cert_show(cert->options, weft_loop_wall(cert->loop));
    result = find_directory(cert);
    if (result != EXIT_DONE)
        return result;
    return cert->options->trust ? trust(cert) : make(cert);
}

int cert_run(const void *values)
{
    struct cert cert = {.options = values};
    weft_loop_options options = {.size = sizeof options, .watchdog = WEFT_NEVER};
    int result = check_usage(values), status;

    if (result != EXIT_DONE)
        return result;
    status = weft_loop_new(&options, &cert.loop);
    if (status < 0)
        return cert_complain(NULL, status, NULL);
    result = run(&cert);
    weft_certificate_unref(cert.made);
    weft_certificate_unref(cert.authority);
    weft_loop_free(cert.loop);
    return result;
}
