# SPDX-License-Identifier: MIT
"""HTTP clients that ask one and the same server, in turns: requests a second, and the client's own CPU for each."""
import json
import statistics
import subprocess
import time

import contestants
import machine
from contestants import HELLO, REFERENCE_CLIENT, TWIN, WEFT
from report import print_clients
from rounds import quartiles
from servers import Failed, Fleet

TIMEOUT = 60
CLIENTS = {REFERENCE_CLIENT: 'curl_client', WEFT: 'weft_client', REFERENCE_CLIENT + TWIN: 'curl_client'}


def ask(bench, server, program, connections):
    """One run of a client."""
    time.sleep(bench.gap)
    command = [*bench.run_with, 'taskset', '-c', machine.LOAD_CPU, bench.program(program),
               f'http://127.0.0.1:{server.port}/', str(connections), str(bench.seconds), str(bench.warm_up),
               str(len(HELLO))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT,
                          preexec_fn=machine.ends_with_parent)
    if done.returncode != 0:
        raise Failed(f'{program}: {done.stderr.strip()[-200:]}')
    result = json.loads(done.stdout)
    if result['messages'] == 0:
        raise Failed(f'{program}: no answers')
    result['cpu_us'] = result['cpu_s'] / result['messages'] * 1e6
    return result


def summary(runs, reference):
    def ratios(key):
        return quartiles([run[key] / reference[number][key] for number, run in runs.items() if number in reference])

    return {'rate': statistics.median(run['rate'] for run in runs.values()),
            'cpu_us': statistics.median(run['cpu_us'] for run in runs.values()),
            'use': statistics.median(run['cpu_s'] / run['elapsed_s'] for run in runs.values()),
            'rate_ratio': ratios('rate'), 'cpu_ratio': ratios('cpu_us'), 'rounds': len(runs),
            'runs': list(runs.values())}


def run_shape(bench, server, fleet, connections):
    runs = {name: {} for name in fleet}
    alive = list(fleet)
    for number in range(bench.rounds):
        for name in alive[:] if number % 2 == 0 else alive[::-1]:
            try:
                runs[name][number] = ask(bench, server, fleet[name], connections)
            except (Failed, subprocess.TimeoutExpired) as why:
                bench.complain(str(why))
                alive.remove(name)
    return {name: summary(found, runs.get(REFERENCE_CLIENT, {})) for name, found in runs.items() if found}


def run_client(bench):
    name, program = contestants.reference_http(bench)
    fleet = {client: program for client, program in CLIENTS.items() if bench.has(program)}
    with Fleet(bench, [(name, [bench.program(program), '{port}'])]) as servers:
        for connections in (1, 50) if servers else ():
            key = f'client, {connections} connection{"s" if connections > 1 else ""}'
            bench.results[key] = run_shape(bench, servers[0], fleet, connections)
            print_clients(key, bench.results[key], REFERENCE_CLIENT)
