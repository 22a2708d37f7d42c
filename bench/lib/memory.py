# SPDX-License-Identifier: MIT
"""Resident memory (PSS) of a server for each idle connection. One contestant after the other."""
import time

import contestants
from loads import end_idle, start_idle
from report import print_memory
from servers import Failed, open_files, pss_bytes

SETTLE_SECONDS = 0.5


def idle_cost(bench, name, command, count, path):
    server = bench.start(name, command)
    try:
        if path:  # the first answer makes what all connections share
            end_idle(start_idle(bench, server, 1, path)[0])
        time.sleep(SETTLE_SECONDS)
        before = pss_bytes(server.pids)
        holder, got = start_idle(bench, server, count, path)
        try:
            time.sleep(SETTLE_SECONDS)
            during, accepted = pss_bytes(server.pids), open_files(server.pids)
        finally:
            end_idle(holder)
        if accepted < got:
            raise Failed(f'{name}: it accepted only about {accepted} of {got} idle connections')
        time.sleep(SETTLE_SECONDS)
        return {'connections': got, 'before': before, 'bytes_each': (during - before) / got,
                'after': pss_bytes(server.pids)}
    finally:
        server.stop()


def run_memory(bench):
    for kind, fleet, path in (('TCP', contestants.echo(bench), None), ('HTTP', contestants.hello(bench), '/')):
        if kind == 'HTTP':
            fleet.append(('weft web', contestants.weft_web(bench)[1]))
        result = {}
        for name, command in fleet:
            if name.endswith(contestants.TWIN):
                continue
            try:
                result[name] = idle_cost(bench, name, command, 9900 if name == 'lighttpd' else 10000, path)
            except Failed as why:
                bench.complain(str(why))
        bench.results[f'memory, {kind}'] = result
        print_memory(kind, result)
