# SPDX-License-Identifier: MIT
"""Builds the contestants and load generators into build/bench, with gcc -O2, and what stands in bench/timers."""
import os
import subprocess
import sys

LLHTTP = '/usr/share/llhttp'
FLAGS = '-std=gnu17 -O2 -g -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes'.split()
LLHTTP_FLAGS = ['-DLLHTTP_STRICT_MODE=1', '-isystem', '/usr/share/include/llhttp']

# name: (sources, libraries, the header that must be there)
PROGRAMS = {
    'load': (['load/load.c', 'load/probe.c'], [], None),
    'idle': (['load/idle.c', 'load/probe.c'], [], None),
    'echo_epoll': (['echo/echo_epoll.c'], [], None),
    'echo_uv': (['echo/echo_uv.c'], ['-luv'], '/usr/include/uv.h'),
    'echo_event': (['echo/echo_event.c'], ['-levent_core'], '/usr/include/event2/event.h'),
    'echo_event_bare': (['echo/echo_event_bare.c'], ['-levent_core'], '/usr/include/event2/event.h'),
    'echo_ev': (['echo/echo_ev.c'], ['-Wno-strict-aliasing', '-lev'], '/usr/include/ev.h'),
    'http_bare': (['http/http_bare.c', 'http/http_loop.c'], [], None),
    'http_strict': (['http/http_strict.c', 'http/http_loop.c'], LLHTTP_FLAGS, LLHTTP + '/llhttp.c'),
    'bench/plain_timers': (['timers/plain_timers.c'], [], None),
    'bench/uv_timers': (['timers/uv_timers.c'], ['-luv'], '/usr/include/uv.h'),
    'bench/event_timers': (['timers/event_timers.c'], ['-levent_core'], '/usr/include/event2/event.h'),
    'bench/ev_timers': (['timers/ev_timers.c'], ['-Wno-strict-aliasing', '-lev'], '/usr/include/ev.h'),
}
WEFT_TIMERS = 'bench/weft_timers'


def newest(paths):
    return max(os.path.getmtime(path) for path in paths)


def inputs_of(here, sources):
    """The sources, and every header of ours: there are few."""
    headers = [os.path.join(folder, name) for folder, _, names in os.walk(here) for name in names
               if name.endswith('.h')]
    return [os.path.join(here, source) for source in sources] + headers


def build_llhttp(out):
    """Debian ships llhttp as sources: three files, one archive of objects each."""
    objects = []
    for name in ('llhttp', 'api', 'http'):
        target = os.path.join(out, f'llhttp-{name}.o')
        if not os.path.exists(target):
            subprocess.run(['gcc', '-O2', '-w', *LLHTTP_FLAGS, '-c', f'{LLHTTP}/{name}.c', '-o', target], check=True)
        objects.append(target)
    return objects


def weft_timers(here, release):
    """Uses the library itself, linked as a program of its user would be, but statically."""
    libraries = [os.path.join(release, f'lib{name}.a') for name in ('weft', 'weft-wire')]
    return ['timers/weft_timers.c'], ['-I' + os.path.join(here, '../include'), *libraries, '-lpthread'], libraries[0]


def build_one(here, out, name, sources, libraries):
    target = os.path.join(out, name)
    inputs = inputs_of(here, sources) + [library for library in libraries if library.endswith('.a')]
    if os.path.exists(target) and os.path.getmtime(target) > newest(inputs):
        return
    extra = build_llhttp(out) if name == 'http_strict' else []
    paths = [os.path.join(here, source) for source in sources]
    subprocess.run(['gcc', *FLAGS, '-D_GNU_SOURCE', *paths, *extra, *libraries, '-o', target], check=True)


def build_all(here, out, release):
    """Returns the programs that are there; what cannot be built is said once and left out."""
    os.makedirs(os.path.join(out, 'bench'), exist_ok=True)
    built = set()
    for name, (sources, libraries, needs) in {**PROGRAMS, WEFT_TIMERS: weft_timers(here, release)}.items():
        if not all(os.path.exists(os.path.join(here, source)) for source in sources):
            continue
        if needs and not os.path.exists(needs):
            print(f'left out: {name}, for {needs} is missing (PEERS=1 make bench installs the peers)', file=sys.stderr)
            continue
        try:
            build_one(here, out, name, sources, libraries)
            built.add(name)
        except subprocess.CalledProcessError:
            print(f'left out: {name}, which cannot be compiled', file=sys.stderr)
    return built
