// SPDX-License-Identifier: BSD-2-Clause
// llhttp, the parser of Node's own server, as the oracle for base/http.c: whatever ours accepts, llhttp reads as the same
// requests with the same ends. Ours may refuse more. What else they may differ in is a row of DIFFERENCES.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import http from "node:http";
import { Duplex } from "node:stream";
import test from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { corpus, HOSTILE, NEXT, TAKEN } from "./corpus.mjs";

const parser = process.env.HTTP_PARSE ?? new URL("../../build/developer/tests/http_parse", import.meta.url).pathname;
const seed = Number(process.env.SEED ?? 1);
const MUTATED = 20000;

// `when` finds them in a request that ours accepts. `adapt` makes of llhttp's request what ours is to be; `less`: llhttp
// may stop here or behind it; `more`: llhttp may go on where ours closes.
const DIFFERENCES = [{
	why: "absolute form: ours takes scheme and authority off, and / for no path (RFC 9112 section 3.2.2)",
	when: /^(\r\n)?\w+ https?:/i,
	adapt(their) {
		const [, authority, rest] = /^\w+:\/\/([^/?]*)(.*)$/.exec(their.target);
		their.target = rest.startsWith("/") ? rest : `/${rest}`;
		their.host ??= authority;
	},
}, {
	why: "methods that no route has are one to ours; their 404 or 405 closes (RFC 9110 section 15.5.6, RFC 9112 section 9.6)",
	when: /^(?!(\r\n)?(GET|HEAD|POST|OPTIONS) )/, adapt: (their) => (their.method = "OTHER"), more: true,
}, {
	why: "keep-alive of HTTP/1.0, which a server need not offer (RFC 9112 section 9.3)",
	when: /^(\r\n)?.* HTTP\/1\.0\r\n/, more: true,
}, {
	why: "a tab behind close is white space (RFC 9110 section 5.6.3); to llhttp it makes another word",
	when: /^Connection:.*close *\t/im, more: true,
}, {
	why: "a tab behind a length is white space (RFC 9110 section 5.6.3); llhttp refuses it",
	when: /^Content-Length:[ \t]*\d+ *\t/im, less: true,
}, {
	why: "Proxy-Connection is no field of HTTP (RFC 9112 appendix C.2.2); llhttp reads it as Connection",
	when: /^Proxy-Connection:.*close/im, less: true,
}];
const met = new Set();

function readByOurs(texts) {
	const input = texts.flatMap((text) => [Buffer.from(Uint32Array.of(text.length).buffer), Buffer.from(text, "latin1")]);
	const ran = spawnSync(parser, { input: Buffer.concat(input), maxBuffer: 1 << 30 });
	assert.equal(ran.status, 0, `${parser}: ${ran.error ?? ran.stderr}`);
	const read = ran.stdout.toString("latin1").trimEnd().split("\n").map((line) => JSON.parse(line));
	assert.equal(read.length, texts.length);
	return read;
}

const server = http.createServer({ insecureHTTPParser: false, requireHostHeader: false, maxHeaderSize: 1 << 16 });
for (const event of ["request", "connect"])
	server.on(event, (message) => message.socket.requests.push({ message, end: null }));
server.on("clientError", (error, socket) => (socket.refused = error.code));

/* One connection that nobody answers. A request's end is the first of `cuts`, or of all, at which it was complete. */
async function readByLlhttp(text, cuts) {
	const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
	const requests = (socket.requests = []);
	server.emit("connection", socket);
	await turn();
	let from = 0;
	for (const to of new Set([...cuts, text.length])) {
		socket.push(Buffer.from(text.slice(from, to), "latin1"));
		for (const request of requests.filter(({ message }) => message.complete))
			request.end ??= to;
		from = to;
	}
	const whole = requests.filter(({ end }) => end !== null).map(({ message, end }) => ({
		end, method: message.method, target: message.url, minor: message.httpVersionMinor, host: message.headers.host ?? null,
		body: (message.read() ?? "").toString("latin1"),
	}));
	socket.destroy();
	return { requests: whole, refused: socket.refused };
}

/* What ours and llhttp disagree about; null: nothing. */
function disagreement(text, ours, theirs) {
	let less = false, more = false, from = 0;
	for (const [i, own] of ours.requests.entries()) {
		const their = theirs.requests[i];
		const rows = DIFFERENCES.filter((row) => row.when.test(text.slice(from, own.end)));
		rows.forEach((row) => met.add(row));
		less ||= rows.some((row) => row.less);
		more = rows.some((row) => row.more);
		if (!their)
			return less ? null : `request ${i + 1} is none to llhttp: ${theirs.refused ?? "it waits for more"}`;
		rows.forEach((row) => row.adapt?.(their));
		const [, path, query = null] = /^([^?]*)(?:\?(.*))?$/.exec(their.target);
		Object.assign(their, { path, query });
		for (const name of Object.keys(own))
			if (own[name] !== their[name])
				return `request ${i + 1}: ${name} is ${JSON.stringify(own[name])}, to llhttp ${JSON.stringify(their[name])}`;
		from = own.end;
	}
	const extra = theirs.requests.length - ours.requests.length;
	return extra > 0 && !more && ours.stop !== "refused" ? `${extra} more requests to llhttp` : null;
}

test("what ours accepts is the same requests to llhttp, with the same ends", async (t) => {
	const texts = corpus(seed, MUTATED), found = [];
	const count = { accepted: 0, several: 0, refusedByBoth: 0, refusedByOursAlone: 0 };
	for (const [i, ours] of readByOurs(texts).entries()) {
		// Up to just before each end, then the last byte: where llhttp's own ends are shows exactly.
		const theirs = await readByLlhttp(texts[i], ours.requests.flatMap(({ end }) => [end - 1, end]));
		const what = disagreement(texts[i], ours, theirs);
		found.push(...(what ? [`${what}\n  ${JSON.stringify(texts[i])}`] : []));
		count.accepted += ours.requests.length > 0;
		count.several += ours.requests.length > 1;
		count.refusedByBoth += ours.stop === "refused" && Boolean(theirs.refused);
		count.refusedByOursAlone += ours.stop === "refused" && !theirs.refused;
	}
	t.diagnostic(`seed ${seed}, ${texts.length} cases: ${JSON.stringify(count)}`);
	assert.equal(found.length, 0, `${found.length} disagreements:\n${found.slice(0, 20).join("\n")}`);
	for (const [name, cases] of Object.entries(count))
		assert.ok(cases > texts.length / 100, `hardly any case is ${name}: ${cases}`);
	assert.deepEqual(DIFFERENCES.filter((row) => !met.has(row)), [], "differences that no case shows");
});

test("what is valid is taken whole; every hostile class is refused, and nothing behind it is read", () => {
	for (const [i, { requests }] of readByOurs(TAKEN).entries())
		assert.equal(requests[0]?.end, TAKEN[i].length, JSON.stringify(TAKEN[i]));
	for (const [name, texts] of Object.entries(HOSTILE))
		for (const [i, read] of readByOurs(texts.map((text) => text + NEXT)).entries())
			assert.deepEqual(read, { requests: [], stop: "refused" }, `${name}: ${JSON.stringify(texts[i])}`);
});
