#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// usage: browser.mjs URL MODULES-FOLDER SCREENSHOTS-FOLDER BROWSER
//
// Chromium walks through the sample folder that browser.py serves, on a phone and on a desk. Nothing may be said on the
// console, no policy be violated, no request fail; names show as they are, rows sort, links lead where they say.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";

const [url, modules, shots, browserPath] = process.argv.slice(2);
const { chromium } = createRequire(join(modules, "package.json"))("playwright-core");

const rows = (page) => page.$$eval("tbody tr:not(.up) .n", (names) => names.map((name) => name.textContent));
const sorted = (names, compare) => names.every((name, i) => i === 0 || compare(names[i - 1], name) <= 0);

async function sortBy(page, title) {
    await page.click(`th >> text=${title}`);
    await page.waitForLoadState("load");
    return rows(page);
}

async function walk(browser, width, height, scheme) {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme });
    const page = await context.newPage();
    const said = [];
    page.on("console", (message) => {
        // a browser asks every site for an icon of its own accord
        if (!message.location().url.endsWith("/favicon.ico")) said.push(`console: ${message.text()}`);
    });
    page.on("pageerror", (error) => said.push(`error: ${error}`));
    page.on("requestfailed", (request) => said.push(`failed: ${request.url()}`));
    page.on("dialog", (dialog) => {
        said.push(`dialog: ${dialog.message()}`);
        void dialog.dismiss();
    });
    await page.addInitScript(() => {
        document.addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective}`));
    });
    const shot = (name) => page.screenshot({ path: join(shots, `${name}-${width}-${scheme}.png`), fullPage: false });

    await page.goto(url);
    assert.match(await page.title(), /\S/);
    const names = await rows(page);
    for (const name of ["photos", "notes.txt", "<b>\"&'.txt", "grüße – 雪.txt"])
        assert.ok(names.some((shown) => shown.replace(/\/$/, "") === name), `${name} is missing in ${names}`);
    assert.equal(await page.$$eval("tbody b", (found) => found.length), 0, "a name has become markup");
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 0, `the page is ${wide} px wider than its window`);
    await shot("root");

    const files = (all) => all.filter((name) => /^size-\d+\.bin$/.test(name)).map((name) => Number(name.match(/\d+/)[0]));
    let bySize = files(await sortBy(page, "Size"));
    assert.equal(bySize.length, 6);
    const upward = sorted(bySize, (a, b) => a - b);
    assert.ok(upward || sorted(bySize, (a, b) => b - a), `by size: ${bySize}`);
    bySize = files(await sortBy(page, "Size"));
    assert.ok(sorted(bySize, (a, b) => (upward ? b - a : a - b)), `by size, the other way: ${bySize}`);
    await shot("by-size");
    await sortBy(page, "Name");

    await page.click("text=photos");
    await page.waitForURL(/\/photos\/$/);
    assert.match(await page.title(), /photos/);
    assert.equal((await rows(page)).length, 3);
    await shot("folder");
    await page.click("text=Parent folder");
    await page.waitForURL(`${url}/`);
    await page.click("text=grüße");
    await page.waitForURL(/gr%C3%BC/);
    assert.match(await page.textContent("body"), /snow/);

    assert.deepEqual(said, []);
    const missing = await page.goto(`${url}/missing`);
    assert.equal(missing.status(), 404);
    await shot("missing");
    await page.goto(`${url}/empty/`);
    await shot("empty");
    await context.close();
}

const browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox", "--disable-gpu"] });
try {
    for (const [width, height] of [[390, 844], [1280, 800]])
        for (const scheme of ["light", "dark"]) await walk(browser, width, height, scheme);
} finally {
    await browser.close();
}
console.log(`screenshots are in ${shots}`);
