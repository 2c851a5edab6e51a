// SPDX-License-Identifier: BSD-2-Clause
// How many bytes the script costs: the measure that others give (minified, gzip -9), and what the daemon sends.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import http from "node:http";
import path from "node:path";
import test from "node:test";
import { minify } from "terser";
import { root, startDaemon } from "./world.mjs";

const MINIFIED_MAX = 1300;
const SENT_MAX = 1700;

async function minified(source) {
	return (await minify(source, { ecma: 2020 })).code;
}

// The bytes of a compressed answer as they come, for fetch unpacks them.
function sent(url) {
	return new Promise((done, failed) => http.get(url, { headers: { "Accept-Encoding": "gzip" } }, async (answer) => {
		assert.equal(answer.headers["content-encoding"], "gzip");
		let bytes = 0;
		for await (const part of answer)
			bytes += part.length;
		done(bytes);
	}).on("error", failed));
}

test("the script is small, minified and compressed", async (t) => {
	const code = await minified(await readFile(path.join(root, "client-js/thongke.js"), "utf8"));
	const bytes = execFileSync("gzip", ["-9nc"], { input: code }).length;
	t.diagnostic(`minified ${Buffer.byteLength(code)}, minified and compressed ${bytes} bytes`);
	assert.ok(bytes <= MINIFIED_MAX, `${bytes} bytes, ${MINIFIED_MAX} are allowed`);
});

test("and so is what the daemon sends, which is the same program", async (t) => {
	const daemon = await startDaemon(t);
	const plain = await (await fetch(`${daemon.url}/thongke.js`, { headers: { "Accept-Encoding": "identity" } })).text();
	assert.equal(await minified(plain), await minified(await readFile(path.join(root, "client-js/thongke.js"), "utf8")));
	const body = await sent(`${daemon.url}/thongke.js`);
	t.diagnostic(`sent: ${body} bytes; without compression ${plain.length}`);
	assert.ok(body <= SENT_MAX, `${body} bytes, ${SENT_MAX} are allowed`);
});
