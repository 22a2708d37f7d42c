# SPDX-License-Identifier: MIT
"""Who takes part: (name, command) for each table. The reference comes first, its twin last."""
import os
import random

from servers import found

REFERENCE_ECHO, TWIN_ECHO = 'bare epoll', 'bare epoll twin'
TWIN = ' twin'
REFERENCE_UDP = 'bare recvmmsg'
REFERENCE_SWITCH, REFERENCE_CLIENT, REFERENCE_POST = 'boost', 'libcurl', 'bare eventfd'
WEFT = 'weft'
WEFT_TASK = 'weft, a task'
WEFT_URING, BARE_URING = 'weft, io_uring', 'bare io_uring'
WEFT_POLL, BARE_POLL = 'weft, poll', 'bare poll'
HELLO = b'Hello, world!'
IDLE = 9900  # beside the busy ones; together fewer than the 10,000 that our echo admits
FILES = {'1k.bin': 1 << 10, '100k.bin': 100 << 10, '10m.bin': 10 << 20}


def echo_key(size, connections, depth, idle=0):
    return f'echo {size} B, {connections} connections, depth {depth}' + (f', {idle:,} idle beside' if idle else '')


# Where the target is to be level with the bare loop.
LEVEL_KEYS = [echo_key(64, connections, depth, idle)
              for connections, idle in ((50, 0), (1000, 0), (50, IDLE)) for depth in (1, 16)]


def echo(bench):
    built = [(REFERENCE_ECHO, 'echo_epoll'), (BARE_URING, 'echo_uring'), (BARE_POLL, 'echo_poll'), ('libuv', 'echo_uv'), ('libevent', 'echo_event'),
             ('libevent bare', 'echo_event_bare'), ('libev', 'echo_ev'), (TWIN_ECHO, 'echo_epoll')]
    fleet = [(name, [bench.program(program), '{port}']) for name, program in built if bench.has(program)]
    fleet.insert(1, (WEFT, [bench.weft('examples/echo_protocol'), 'tcp://127.0.0.1:{port}']))
    fleet.insert(2, (WEFT_TASK, [bench.weft('examples/echo'), 'tcp://127.0.0.1:{port}']))
    fleet.insert(3, (WEFT_URING, ['env', 'WEFT_BACKEND=io_uring', bench.weft('examples/echo_protocol'),
                                  'tcp://127.0.0.1:{port}']))
    fleet.insert(4, (WEFT_POLL, ['env', 'WEFT_BACKEND=poll', bench.weft('examples/echo_protocol'),
                                 'tcp://127.0.0.1:{port}']))
    return fleet


def tasks(bench):
    """The same echo twice: as callbacks, which are the reference here, and as a task."""
    callbacks = [bench.weft('examples/echo_protocol'), 'tcp://127.0.0.1:{port}']
    return [(WEFT, callbacks), (WEFT_TASK, [bench.weft('examples/echo'), 'tcp://127.0.0.1:{port}']),
            (WEFT + TWIN, callbacks)]


def datagrams(bench):
    """UDP echo; {udp} stands for the port of a contestant that has no TCP."""
    fleet = [(REFERENCE_UDP, [bench.program('udp_mmsg'), '{udp}'])]
    fleet += [(WEFT, [bench.weft('examples/udp_echo'), 'udp://127.0.0.1:{udp}']),
              (WEFT_URING, ['env', 'WEFT_BACKEND=io_uring', bench.weft('examples/udp_echo'), 'udp://127.0.0.1:{udp}'])]
    return fleet + [(REFERENCE_UDP + TWIN, fleet[0][1])]


def udp_key(size, sockets, depth):
    return f'UDP echo {size} B, {sockets} sockets, depth {depth}'


UDP_SHAPES = [(size, sockets, depth) for size in (64, 1200) for sockets, depth in ((1, 1), (1, 32), (50, 1), (50, 4))]


def task_key(size, connections, depth):
    return f'echo as a task, {size} B, {connections} connections, depth {depth}'


TASK_SHAPES = [(size, connections, depth) for size in (64, 16384) for connections in (50, 1000) for depth in (1, 16)]


def reference_http(bench):
    """The bare loop with a strict parser; without llhttp's sources the one that checks nothing."""
    return ('strict loop', 'http_strict') if bench.has('http_strict') else ('careless loop', 'http_bare')


def hello(bench):
    name, program = reference_http(bench)
    fleet = [(name, [bench.program(program), '{port}']),
             (WEFT, [bench.weft('examples/http_hello'), 'tcp://127.0.0.1:{port}'])]
    if program != 'http_bare':
        fleet.append(('careless loop', [bench.program('http_bare'), '{port}']))
    return fleet + web_servers(bench) + [(name + TWIN, [bench.program(program), '{port}'])]


def weft_web(bench):
    return (WEFT, [bench.weft('weft'), 'web', bench.root, '--listen', 'tcp://127.0.0.1:{port}', '--workers', '1',
                   '--log', 'none', '--quiet', '--max-connections', '20000'])


def static(bench):
    web = web_servers(bench)
    twin = [(name + TWIN, command) for name, command in web if name == 'nginx']
    return web[:1] + [weft_web(bench)] + web[1:] + twin


def web_servers(bench):
    """nginx, h2o and lighttpd as far as they are installed, with the configurations of conf/."""
    flags = {'nginx': ['-c', '{dir}/nginx.conf', '-p', '{dir}'], 'h2o': ['-c', '{dir}/h2o.conf'],
             'lighttpd': ['-D', '-f', '{dir}/lighttpd.conf']}
    return [(name, [found(name), *flags[name]]) for name in flags if found(name)]


def make_root(folder):
    """The files that are served: the same bytes every time."""
    os.makedirs(folder, exist_ok=True)
    source = random.Random(1)
    for name, size in FILES.items():
        path = os.path.join(folder, name)
        if not os.path.exists(path) or os.path.getsize(path) != size:
            with open(path, 'wb') as file:
                file.write(source.randbytes(size))
    for name in ('index.txt', 'index.html'):
        with open(os.path.join(folder, name), 'wb') as file:
            file.write(HELLO)


def write_configuration(template_folder, name, target_folder, root, port):
    """Fills conf/NAME.conf in; nothing for contestants that have none."""
    template = os.path.join(template_folder, name.removesuffix(TWIN) + '.conf')
    if not os.path.exists(template):
        return
    with open(template, encoding='ascii') as file:
        text = file.read()
    # As root they would change to a user who may not be able to read our files.
    as_root = '' if os.geteuid() == 0 else '# '
    for key, value in (('@PORT@', str(port)), ('@DIR@', target_folder), ('@ROOT@', root), ('@AS_ROOT_ONLY@', as_root)):
        text = text.replace(key, value)
    with open(os.path.join(target_folder, os.path.basename(template)), 'w', encoding='utf-8') as file:
        file.write(text)
