# SPDX-License-Identifier: MIT
"""How results are printed."""
from contestants import TWIN, WEFT
from rounds import overlap


def amount(value):
    for limit, unit, digits in ((1e6, ' M', 2), (1e4, ' k', 0), (1e3, ' k', 1)):
        if value >= limit:
            return f'{value / (1e6 if unit == " M" else 1e3):.{digits}f}{unit}'
    return f'{value:.0f}'


def spread(triple):
    return f'{triple[1]:.2f} [{triple[0]:.2f}–{triple[2]:.2f}]' if triple else '-'


def twin_of(result):
    return next((name for name in result if name.endswith(TWIN)), None)


def is_level(result, name, key='rate_ratio'):
    """Whether the quartiles by round overlap those of the A/A pair."""
    twin = twin_of(result)
    return bool(twin and name in result and overlap(result[name][key], result[twin][key]))


def note(result, name, reference):
    if name == reference:
        return 'the reference'
    if name == twin_of(result):
        return 'the noise (A/A)'
    both = (('rate_ratio', 'level'), ('cpu_ratio', 'level in CPU'))
    return ', '.join(what for key, what in both if is_level(result, name, key))


def print_table(title, result, reference, unit):
    print(f'\n== {title}')
    if not result:
        print('   nothing was measured')
        return
    rounds = max(row['rounds'] for row in result.values())
    others = sum(row['others'] for row in result.values()) / len(result)
    stolen = sum(row['steal'] for row in result.values()) / len(result)
    print(f'   {rounds} rounds; ratios to {reference}: median by round [quartiles]; '
          f'others used {others:.2f} CPUs, steal {stolen:.2f}')
    print(f'   {"":18}{unit:>12}  {"ratio":<19}{"CPU µs each":>12}  {"ratio":<19}{"p50/p99 µs":>15}{"server":>8}')
    for name, row in result.items():
        print(f'   {name:18}{amount(row["rate"]):>12}  {spread(row["rate_ratio"]):<19}{row["cpu_us"]:>12.2f}  '
              f'{spread(row["cpu_ratio"]):<19}{row["p50_us"]:>8.0f}/{row["p99_us"]:<6.0f}{row["server_use"]:>7.0%}  '
              f'{note(result, name, reference)}')


def print_user_table(title, result):
    print(f'\n== {title}')
    print(f'   {"":18}{"user µs each":>14}{"± about":>10}')
    for name, row in result.items():
        print(f'   {name:18}{row["user_us"]:>14.3f}{user_error(row):>10.3f}')


def user_error(row):
    """User time is found by samples: the error falls with the root of their number."""
    if row['user_samples'] < 1:
        return 4000 / sum(run['messages'] for run in row['runs'])  # as if there had been one tick of 4 ms
    return row['user_us'] / row['user_samples'] ** 0.5


def print_micro(title, result, reference, rounds):
    print(f'\n== {title}')
    print(f'   ns each; {rounds} rounds; ratios to {reference}: median by round [quartiles]')
    for name, columns in result.items():
        print(f'   {name:18}' + '  '.join(f'{column} {figure["ns"]:.1f} ({spread(figure["ratio"])})'
                                          for column, figure in columns.items()))


def print_clients(title, result, reference):
    print(f'\n== {title}')
    if not result:
        print('   nothing was measured')
        return
    rounds = max(row['rounds'] for row in result.values())
    print(f'   {rounds} rounds; ratios to {reference}: median by round [quartiles]')
    print(f'   {"":18}{"requests/s":>12}  {"ratio":<19}{"CPU µs each":>12}  {"ratio":<19}{"client":>8}')
    for name, row in result.items():
        print(f'   {name:18}{amount(row["rate"]):>12}  {spread(row["rate_ratio"]):<19}{row["cpu_us"]:>12.2f}  '
              f'{spread(row["cpu_ratio"]):<19}{row["use"]:>8.0%}  {note(result, name, reference)}')


def print_memory(kind, result):
    print(f'\n== resident memory (PSS) for each idle {kind} connection')
    print(f'   {"":18}{"connections":>12}{"bytes each":>12}{"before KiB":>12}{"after KiB":>12}')
    for name, row in result.items():
        print(f'   {name:18}{row["connections"]:>12}{row["bytes_each"]:>12.0f}{row["before"] / 1024:>12.0f}'
              f'{row["after"] / 1024:>12.0f}')


def print_syscalls(title, result):
    print(f'\n== {title}')
    for name, counts in result.items():
        most = sorted(((calls, call) for call, calls in counts.items() if call != 'all'), reverse=True)
        print(f'   {name:18}{counts.get("all", 0):>7.2f} each: '
              + ', '.join(f'{call} {calls:.2f}' for calls, call in most if calls >= 0.005))


def print_verdicts(verdicts):
    print('\n== targets')
    for target, verdict, figure in verdicts:
        print(f'   {verdict:20} {target}: {figure}')


__all__ = ['WEFT', 'is_level', 'print_clients', 'print_memory', 'print_micro', 'print_syscalls', 'print_table',
           'print_user_table', 'print_verdicts', 'spread', 'twin_of', 'user_error']
