# SPDX-License-Identifier: MIT
"""Builds the contestants and load generators into build/bench, with gcc -O2."""
import os
import platform
import subprocess
import sys

LLHTTP = '/usr/share/llhttp'
WARNINGS = '-Wall -Wextra -Wshadow'.split()
FLAGS = {'.c': ['gcc', '-std=gnu17', '-O2', '-g', *WARNINGS, '-Wstrict-prototypes', '-Wmissing-prototypes'],
         '.cc': ['g++', '-std=gnu++17', '-O2', '-g', *WARNINGS]}
CURL = f'/usr/include/{platform.machine()}-linux-gnu/curl/curl.h'
LLHTTP_FLAGS = ['-DLLHTTP_STRICT_MODE=1', '-isystem', '/usr/share/include/llhttp']

# name: (sources, libraries, the header that must be there)
PROGRAMS = {
    'load': (['load/load.c', 'load/probe.c'], [], None),
    'idle': (['load/idle.c', 'load/probe.c'], [], None),
    'echo_epoll': (['echo/echo_epoll.c'], [], None),
    'echo_uring': (['echo/echo_uring.c'], ['-luring'], '/usr/include/liburing.h'),
    'echo_poll': (['echo/echo_poll.c'], [], None),
    'echo_uv': (['echo/echo_uv.c'], ['-luv'], '/usr/include/uv.h'),
    'echo_event': (['echo/echo_event.c'], ['-levent_core'], '/usr/include/event2/event.h'),
    'echo_event_bare': (['echo/echo_event_bare.c'], ['-levent_core'], '/usr/include/event2/event.h'),
    'echo_ev': (['echo/echo_ev.c'], ['-Wno-strict-aliasing', '-lev'], '/usr/include/ev.h'),
    'udp_mmsg': (['udp/udp_mmsg.c'], [], None),
    'http_bare': (['http/http_bare.c', 'http/http_loop.c'], [], None),
    'http_strict': (['http/http_strict.c', 'http/http_loop.c'], LLHTTP_FLAGS, LLHTTP + '/llhttp.c'),
    'boost_switch': (['switch/boost_switch.c'], ['-lboost_context'], '/usr/include/boost/context/fiber.hpp'),
    'boost_pooled_switch': (['switch/boost_pooled_switch.cc'], ['-lboost_context'],
                            '/usr/include/boost/context/fiber.hpp'),
    'ucontext_switch': (['switch/ucontext_switch.c'], [], None),
    'plain_waiting': (['waiting/plain_waiting.c'], [], None),
    'eventfd_post': (['waiting/eventfd_post.c'], ['-lpthread'], None),
    'uv_post': (['waiting/uv_post.c'], ['-luv', '-lpthread'], '/usr/include/uv.h'),
    'curl_client': (['client/curl_client.c'], ['-lcurl'], CURL),
    'bench/plain_timers': (['timers/plain_timers.c'], [], None),
    'bench/uv_timers': (['timers/uv_timers.c'], ['-luv'], '/usr/include/uv.h'),
    'bench/event_timers': (['timers/event_timers.c'], ['-levent_core'], '/usr/include/event2/event.h'),
    'bench/ev_timers': (['timers/ev_timers.c'], ['-Wno-strict-aliasing', '-lev'], '/usr/include/ev.h'),
}
# Those that use the library itself, linked as a program of its user would be, but statically.
WEFT_PROGRAMS = {
    'bench/weft_timers': ('timers/weft_timers.c', ['weft', 'weft-wire']),
    'weft_switch': ('switch/weft_switch.c', ['weft', 'weft-wire']),
    'weft_waiting': ('waiting/weft_waiting.c', ['weft', 'weft-wire']),
    'weft_post': ('waiting/weft_post.c', ['weft', 'weft-wire']),
    'weft_client': ('client/weft_client.c', ['weft-http', 'weft', 'weft-wire']),
}


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


def weft_programs(here, release):
    """As PROGRAMS. (The switch is measured beneath the public interface, so it needs our private headers.)"""
    folders = ['-I' + os.path.join(here, '..', name) for name in ('include', 'src')]
    for name, (source, libraries) in WEFT_PROGRAMS.items():
        archives = [os.path.join(release, f'lib{library}.a') for library in libraries]
        system = ['-lz', '-lpthread'] if 'weft-http' in libraries else ['-lpthread']
        yield name, ([source], [*folders, *archives, *system], archives[0])


def build_one(here, out, name, sources, libraries):
    target = os.path.join(out, name)
    inputs = inputs_of(here, sources) + [library for library in libraries if library.endswith('.a')]
    if os.path.exists(target) and os.path.getmtime(target) > newest(inputs):
        return
    extra = build_llhttp(out) if name == 'http_strict' else []
    paths = [os.path.join(here, source) for source in sources]
    compiler = FLAGS[os.path.splitext(paths[0])[1]]
    subprocess.run([*compiler, '-D_GNU_SOURCE', *paths, *extra, *libraries, '-o', target], check=True)


def build_all(here, out, release):
    """Returns the programs that are there; what cannot be built is said once and left out."""
    os.makedirs(os.path.join(out, 'bench'), exist_ok=True)
    built = set()
    for name, (sources, libraries, needs) in {**PROGRAMS, **dict(weft_programs(here, release))}.items():
        if not all(os.path.exists(os.path.join(here, source)) for source in sources):
            continue
        if needs and not os.path.exists(needs):
            print(f'left out: {name}, for {needs} is missing (PEERS=1 make bench installs the peers)', file=sys.stderr)
            continue
        try:
            build_one(here, out, name, sources, libraries)
            built.add(name)
        except (subprocess.CalledProcessError, FileNotFoundError):
            print(f'left out: {name}, which cannot be compiled', file=sys.stderr)
    return built
