/* SPDX-License-Identifier: MIT */
/* Commands of SQL by libpq in a task: usage: pq_query CONNINFO COMMAND... */
#include <stdio.h>

#include <weft/adapters/pq.h>
#include <weft/weft.h>

static void show(const PGresult *result)
{
    if (PQresultStatus(result) == PGRES_FATAL_ERROR)
        fputs(PQresultErrorMessage(result), stdout);
    for (int row = 0; row < PQntuples(result); row++)
        for (int column = 0; column < PQnfields(result); column++)
            printf("%s%c", PQgetvalue(result, row, column), column + 1 < PQnfields(result) ? '\t' : '\n');
}

/* A command that takes more than a second is stopped. */
static int ask(weft_pq *pq, const char *command)
{
    PGresult *result = NULL;
    int status = 0;

    PQsendQuery(weft_pq_connection(pq), command);
    do {
        weft_pq_result next = weft_pq_next(pq);

        PQclear(result);
        result = NULL;
        if (weft_timeout(next.deferred, WEFT_SECONDS(1)) == 0)
            status = weft_await(next, &result);
        if (result)
            show(result);
    } while (result || status == WEFT_ETIMEDOUT);
    return status;
}

static int ask_all(weft_task *me, void *arg)
{
    char **words = arg;
    weft_pq *pq;
    int status = weft_await(weft_pq_connect(weft_task_scope(me), words[1]), &pq);

    if (status < 0)
        return status;
    for (words += 2; status == 0 && *words; words++)
        status = ask(pq, *words);
    weft_pq_close(pq);
    return status;
}

int main(int argc, char **argv)
{
    return argc < 3 ? 2 : weft_run(ask_all, argv);
}
