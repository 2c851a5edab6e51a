// SPDX-License-Identifier: BSD-2-Clause
// Requests as strings of bytes: valid and odd ones, every hostile class, and what a seed makes of them, always the same.
// Knows no parser, and does not say what any should make of the mutated ones.
const HOST = "Host: a.example\r\n";
const start = (line, fields = "", body = "") => `${line} HTTP/1.1\r\n${HOST}${fields}\r\n${body}`;
const get = (target, fields, body) => start(`GET ${target}`, fields, body);
const post = (fields, body = "hi") => start("POST /hit", fields, body);
const field = (line) => get("/", `${line}\r\n`);
const lengths = (...values) => values.map((value) => post(`Content-Length: ${value}\r\n`));
const each = (values, make) => Array.from(values, (value) => make(value));
export const NEXT = get("/next");

export const TAKEN = [
	NEXT, `\r\n${NEXT}`, get("//x/../y?a=%20%e1%BB%a9&b=[]{}|\\^`\"<>"), get("/?"), get("http://a.example/x?y/z"),
	get("HTTPS://A.EXAMPLE"), get("http://a.example?y/z"), field("Content-Length: 0"), field("Proxy-Connection: close"),
	...each(["HEAD /x", "OPTIONS *", "TRACE /t", "PATCH /t", "DELETE /x"], (line) => start(line)),
	get("/hit?s=a", "User-Agent: a\tx \r\nReferer: https://a.example/x?y\r\nAccept: a\r\nAccept: b\r\nCookie: a=b; c=d\r\n"),
	field("X: \xe1\xbb\xa9 \xff\r\nY:\r\n!#$%&'*+-.^_`|~09azAZ: every token"), "GET /old HTTP/1.0\r\n\r\n",
	...each(["close", "keep-alive , \tClose", "enclose, closed,,", "close\r\nConnection: keep-alive", "close\t",
		"Upgrade\r\nUpgrade: h2c"], (value) => field(`Connection: ${value}`)), "GET http://b.example:81/old HTTP/1.0\r\n\r\n",
	"GET / HTTP/1.1\r\nhOsT:[2001:db8::1]:8080\t\r\n\r\n", post("", ""), ...lengths(2, "0002 ", "2\t"),
	"POST / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi", start("PUT /", "Content-Length: 2\r\n", "\r\n"),
	post("Content-Type: text/plain\r\nContent-Length: 5\r\n", "s=a&u"), post(`Content-Length: ${NEXT.length}\r\n`, NEXT),
];

export const HOSTILE = {
	"Transfer-Encoding": each(["chunked", "identity", "gzip, chunked", "xchunked", "\vchunked", "\tchunked", "", "\r\n chunked"],
		(value) => each(["", "Content-Length: 5\r\n"], (length) => [
			post(`${length}Transfer-Encoding: ${value}\r\n`, "0\r\n\r\n"),
			post(`Transfer-Encoding: ${value}\r\n${length}`, "0\r\n\r\n")])).flat(2),
	"Content-Length that is no number, or two": lengths("+2", "-2", "2, 2", "2,", ",2", "0x2", "2 2", "", "\"2\"", "2;", "2.0",
		"2\v", "\f2", "2\xa0", "\xd9\xa2", "1e0", "2_0", "2\r\nContent-Length: 2", "0\r\ncontent-length: 43", "\r\n 2"),
	"no Host, or two": each(["", "Host:", HOST + "hOST: b", HOST + HOST, "Host: a, b", "Host: a b", "Host: a/b", "Host: u@a"],
		(line) => `GET / HTTP/1.1\r\n${line}\r\n\r\n`).concat(`GET / HTTP/1.0\r\n${HOST}${HOST}\r\n`),
	"space before a colon, folded line": each(["X : y", "X\t: y", "Content-Length : 0", "Transfer-Encoding : chunked",
		"X: y\r\n z", "X: y\r\n\tz", " X: y", "\tX: y"], field),
	"bare LF or CR": [`\n${NEXT}`, `\r${NEXT}`, ...each(["\n", "\r", "\r\r\n", "\n\r"], (end) => NEXT.replace("\r\n", end)),
		NEXT.replaceAll("\r", ""), ...each(["X: y\n", "X: a\nY: b", "X: a\rb", "X: a\r", "\rX: a", "X: a\n\r", "\n"], field)],
	"control bytes": each("\0\x01\b\v\f\x1b\x1f\x7f", (byte) => [get(`/a${byte}b`), field(`X: a${byte}b`), field(`X${byte}: a`),
		start(`GET${byte} /`), NEXT.replace("a.example", byte)]).flat(),
	"bytes and escapes of a target": each([..."\x80\x85\xa0\xff\t #", "\xe1\xbb\xa9", "%00", "?a=%00", "%", "%4", "%4g", "%g4"],
		(bad) => get(`/${bad}`)),
	"body on GET or HEAD": each(["GET /", "HEAD /"], (line) => start(line, "Content-Length: 3\r\n", "abc")),
	"authority that is not the Host": each(["http://b.example/", "http://a.example:80/", "http://u@a.example/", "http:///x",
		"http://a.example\\@b/", "http://", "ftp://a.example/", "a.example:80", "a", "*"], (target) => get(target)),
	"CONNECT, whose end two parsers see at two places": [start("CONNECT a.example:443", "Content-Length: 2\r\n", "hi"),
		start("CONNECT a.example:443"), start("CONNECT /a|b")],
	"other versions": ["GET /\r\n", "GET /\r\n\r\n", "GET / HTTP/0.9\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		...each(["1.2", "2.0", "11", "1.10", "1,1", "1.1 ", "1.1 HTTP/1.1"], (version) => NEXT.replace("1.1", version))],
	"too much": [get(`/${"y".repeat(8200)}`), field(`X: ${"y".repeat(8200)}`), get("/", `X: ${"y".repeat(4000)}\r\n`.repeat(5)),
		get("/", "X: y\r\n".repeat(64)), ...lengths("4097", "4294967298", "18446744073709551618"), field("Expect: 100-continue")],
};

const PIECES = [..."\0\t\n\v\r !\"#%+,-./019:;?@AZ\\_az\x7f\x80\x85\xa0\xff", "\r\n", "\r\n\r\n", "\r\n ", "%00", "0x", ", ",
	"HTTP/1.0", "http://a.example", "chunked", "close", "CONNECT ", NEXT];
const LINES = ["Content-Length: 0", "Content-Length: 2", "Content-Length: 46", "Content_Length: 9", "Content-Length\xa0: 9",
	"Transfer-Encoding: chunked", "Connection: close", "Connection: keep-alive", "Connection: Upgrade", "Upgrade: websocket",
	"Proxy-Connection: close", "Keep-Alive: 5", "Trailer: X", "TE: chunked", "X: y", " folded", "Host: b"];
const ENDS = ["\n", "\r", "\r\r\n", "\n\r", "\r \n", "\r\n ", "\r\n\t", "\r\n\r\n", "\0\r\n", " \r\n", "\t\r\n", ""];

/* Mulberry32: numbers below `sides`, the same ones for a seed. */
const dice = (seed) => (sides) => {
	seed = (seed + 0x6d2b79f5) | 0;
	let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
	t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
	return ((t ^ (t >>> 14)) >>> 0) % sides;
};
const pick = (roll, list) => list[roll(list.length)];
const put = (text, at, removed, added) => text.slice(0, at) + added + text.slice(at + removed);

/* One of the places that a pattern finds, made into something else. */
function change(text, roll, pattern, make) {
	const match = pick(roll, [...text.matchAll(pattern), null]);
	return match ? put(text, match.index, match[0].length, make(match[0])) : text;
}

const MUTATIONS = [
	(text, roll) => change(text, roll, /[^]/g, (byte) => String.fromCharCode(byte.charCodeAt(0) ^ (1 << roll(8)))),
	(text, roll) => put(text, roll(text.length + 1), roll(2), pick(roll, PIECES)),
	(text, roll) => put(text, roll(text.length + 1), 1 + roll(3), ""),
	(text, roll) => text.slice(0, roll(text.length + 1)) + (roll(2) ? "" : pick(roll, TAKEN).slice(roll(20))),
	(text, roll) => change(text, roll, /[^\n]*\n/g, (line) => (roll(2) ? line + line : "")),
	(text, roll) => change(text, roll, /\r\n(?=[^\r])/g, () => `\r\n${pick(roll, LINES)}\r\n`),
	(text, roll) => change(text, roll, /\r\n/g, () => pick(roll, ENDS)),
	(text, roll) => change(text, roll, /(?<=Content-Length: *)\d+/gi, (length) => pick(roll,
		[+length + 1, Math.max(0, length - 1), length + NEXT.length, 0, `0${length}`, `${length} `, `${length},${length}`])),
	(text, roll) => change(text, roll, /[a-z]+/gi, (word) => (roll(2) ? word.toLowerCase() : word.toUpperCase())),
];

/* What is above alone, before and behind another; a pipeline with every piece at every place; `count` mutated pipelines. */
export function corpus(seed, count) {
	const roll = dice(seed), plain = [...TAKEN, ...Object.values(HOSTILE).flat()];
	const short = plain.filter((text) => text.length < 1000);
	const cases = plain.flatMap((text) => [text, text + NEXT, NEXT + text]);
	const base = `\r\n${post("Content-Length: 3\r\nX: y\r\n", "u=/")}${NEXT}`;
	for (let at = 0; at < base.length; at++)
		cases.push(put(base, at, 1, ""), ...PIECES.flatMap((piece) => [put(base, at, 1, piece), put(base, at, 0, piece)]));
	for (let i = 0; i < count; i++) {
		let text = pick(roll, roll(3) ? TAKEN : short);
		for (let more = roll(3); more > 0; more--)
			text += pick(roll, TAKEN);
		for (let times = roll(3); times >= 0; times--)
			text = pick(roll, MUTATIONS)(text, roll);
		cases.push(text);
	}
	return cases;
}
