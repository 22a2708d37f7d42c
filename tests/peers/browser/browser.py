#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A browser looks at the listing of a sample folder (browser.mjs says what it does there). playwright-core, which
drives it, is installed into the build directory from package-lock.json; without it, or without Chromium, the test is
skipped. The screenshots stay in the build directory, for people to look at."""
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "http"))
import kit

HOME = os.path.join(kit.BUILD, "tests", "browser")


def install():
    """Installs what package-lock.json says, once."""
    os.makedirs(HOME, exist_ok=True)
    fresh = True
    for name in ["package.json", "package-lock.json"]:
        source, target = os.path.join(HERE, name), os.path.join(HOME, name)
        with open(source, "rb") as file:
            wanted = file.read()
        if not os.path.exists(target) or open(target, "rb").read() != wanted:
            shutil.copyfile(source, target)
            fresh = False
    if fresh and os.path.exists(os.path.join(HOME, "node_modules", "playwright-core", "package.json")):
        return
    try:
        done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--prefer-offline", "--ignore-scripts"],
                              cwd=HOME,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    except subprocess.TimeoutExpired:
        kit.skip("playwright-core could not be had within a minute")
    if done.returncode != 0:
        kit.skip(f"playwright-core could not be had: {done.stdout[-300:].decode(errors='replace')}")


def make_folder(root):
    for name, size, age in [("notes.txt", 812, 500), ("README.md", 4321, 86_400),
                            ("photos/harbour.jpg", 2_400_000, 90_000),
                            ("photos/hills.jpg", 1_900_000, 900_000), ("photos/evening sky.jpg", 3_100_000, 9_000_000),
                            ("documents/report.pdf", 120_000, 40_000_000), ("music/song.flac", 30_000_000, 3_000),
                            ("a-very-long-name-without-any-place-to-break-it-" + "x" * 120 + ".tar.gz", 5_000, 77)]:
        kit.write(root, name, bytes(size), age)
    for size in [0, 7, 900, 20_000, 1_500_000, 70_000]:
        kit.write(root, f"size-{size}.bin", bytes(size), size)
    kit.write(root, "<b>\"&'.txt", b"<script>alert(1)</script>")
    kit.write(root, "grüße – 雪.txt", "snow".encode())
    os.mkdir(os.path.join(root, "empty"))


def main():
    kit.need("node", "npm")
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not browser:
        kit.skip("Chromium is not installed")
    install()
    shots = os.path.join(HOME, "screenshots")
    os.makedirs(shots, exist_ok=True)
    with kit.folder() as root:
        make_folder(root)
        with kit.web(root) as server:
            done = subprocess.run(["node", os.path.join(HERE, "browser.mjs"), server.url, HOME, shots, browser],
                                  stdin=subprocess.DEVNULL, timeout=3 * kit.PATIENCE)
    assert done.returncode == 0, "see above"


main()
