#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// usage: fetch.mjs FILES-URL ECHO-URL SHA256-OF-/big LENGTH-OF-/big
//
// Node's own fetch (undici) against `weft web` and http_echo; clients.py starts it.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";

const [files, echo, sum, length] = process.argv.slice(2);
if (typeof fetch !== "function") process.exit(77);

const sha256 = (data) => createHash("sha256").update(data).digest("hex");

// whole, streamed
const whole = await fetch(`${files}/big`);
assert.equal(whole.status, 200);
const digest = createHash("sha256");
let count = 0;
for await (const piece of whole.body) {
    digest.update(piece);
    count += piece.length;
}
assert.equal(count, Number(length));
assert.equal(digest.digest("hex"), sum);

// redirect, listing, conditional, range
assert.equal((await (await fetch(`${files}/sub`)).text()).includes("file"), true);
const tag = whole.headers.get("etag");
assert.equal((await fetch(`${files}/big`, { headers: { "If-None-Match": tag } })).status, 304);
const part = await fetch(`${files}/big`, { headers: { Range: "bytes=10-19" } });
assert.equal(part.status, 206);
assert.equal((await part.arrayBuffer()).byteLength, 10);

// many at once
const answers = await Promise.all(Array.from({ length: 100 }, () => fetch(`${files}/sub/file`).then((r) => r.text())));
assert.ok(answers.every((text) => text === "file\n"));

// aborted before, during and after the first bytes
for (let i = 0; i < 20; i++) {
    const control = new AbortController();
    const stopped = fetch(`${files}/big`, { signal: control.signal }).then(async (response) => {
        const reader = response.body.getReader();
        for (let pieces = 0; pieces < i; pieces++) await reader.read();
        control.abort();
        for (;;) if ((await reader.read()).done) return "whole";
    });
    if (i % 5 === 0) control.abort();
    await assert.rejects(stopped, { name: "AbortError" });
}

// uploads: of known length, and streamed
const body = Buffer.alloc(300_000, "upload");
const known = await (await fetch(`${echo}/a?b`, { method: "POST", body })).json();
assert.equal(known.body_sha256, sha256(body));
assert.equal(known.target, "/a?b");
async function* pieces() {
    for (let i = 0; i < 30; i++) yield body.subarray(i * 10_000, (i + 1) * 10_000);
}
const streamed = await (await fetch(echo, { method: "PUT", body: pieces(), duplex: "half" })).json();
assert.equal(streamed.body_sha256, sha256(body));
assert.ok(streamed.fields.some(([name, value]) => name.toLowerCase() === "transfer-encoding" && value === "chunked"));
