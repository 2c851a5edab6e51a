// SPDX-License-Identifier: BSD-2-Clause
// What a browser test needs: a real thongked on free ports with its own temporary state, a page server that stands in
// for a site's web server, and a headless Chromium. Everything that was started is stopped by its own handle.
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { chromium } from "playwright-core";

const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), "../..");
const thongked = path.resolve(root, process.env.THONGKED ?? "build/thongked");

export async function eventually(what, check, ms = 15000) {
	const end = Date.now() + ms;
	for (;;) {
		const result = await check();
		if (result)
			return result;
		if (Date.now() > end)
			throw new Error(`not within ${ms} ms: ${what}`);
		await new Promise((done) => setTimeout(done, 20));
	}
}

/* Below the range that outgoing connections use, or one of them could take it before the server does. */
async function freePort() {
	for (;;) {
		const port = 18000 + Math.floor(Math.random() * 12000);
		const server = net.createServer().listen(port, "127.0.0.1");
		const free = await new Promise((done) =>
			server.once("listening", () => done(true)).once("error", () => done(false)));
		if (!free)
			continue;
		await new Promise((done) => server.close(done));
		return port;
	}
}

export async function startDaemon(t) {
	const dir = await mkdtemp(path.join(os.tmpdir(), "thongke-browser-"));
	const [port, adminPort] = [await freePort(), await freePort()];
	await writeFile(path.join(dir, "thongke.conf"), `
		state_dir = "${dir}/state"
		listen = {"127.0.0.1:${port}"}
		admin_listen = {"127.0.0.1:${adminPort}"}
		workers = 1
		demo = true
		site "demo" { hosts = {"127.0.0.1"} }
	`);
	const child = spawn(thongked, ["-c", path.join(dir, "thongke.conf")], { stdio: ["ignore", "ignore", "pipe"] });
	let log = "";
	child.stderr.on("data", (bytes) => (log += bytes));
	const ended = new Promise((done) => child.once("exit", done));
	const daemon = {
		url: `http://127.0.0.1:${port}`,
		async stop() {
			child.kill("SIGTERM");
			await ended;
		},
	};
	t.after(async () => {
		await daemon.stop();
		await rm(dir, { recursive: true, force: true });
	});
	await eventually(`thongked is ready: ${log}`, async () => {
		if (child.exitCode !== null)
			throw new Error(`thongked ended: ${log}`);
		const answer = await fetch(`http://127.0.0.1:${adminPort}/readyz`).catch(() => null);
		return answer?.status === 200;
	});
	return daemon;
}

// Serves `html` at / and passes /thongke/ on to the daemon, as a site's own web server would. The script itself comes
// from disk; `held` (a promise) keeps answers of the daemon back until it is resolved.
export async function startSite(t, { html, daemon, held }) {
	const script = await readFile(path.join(root, "client-js/thongke.js"));
	const server = http.createServer(async (request, response) => {
		if (request.url === "/thongke/thongke.js")
			return response.setHeader("Content-Type", "text/javascript").end(script);
		if (!request.url.startsWith("/thongke/"))
			return response.setHeader("Content-Type", "text/html; charset=utf-8").end(html);
		await held;
		if (!daemon)
			return response.destroy();
		const to = http.request(daemon.url + request.url.slice("/thongke".length), {
			method: request.method,
			headers: request.headers,
		});
		to.on("response", (answer) => answer.pipe(response.writeHead(answer.statusCode, answer.headers)));
		to.on("error", () => response.destroy());
		request.pipe(to);
	});
	server.listen(0, "127.0.0.1");
	await new Promise((done) => server.once("listening", done));
	t.after(() => {
		server.closeAllConnections();
		server.close();
	});
	return `http://127.0.0.1:${server.address().port}`;
}

export function startBrowser() {
	return chromium.launch({
		executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
		args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
			"--disable-background-networking", "--disable-component-update", "--disable-sync",
			"--disable-blink-features=AutomationControlled"],
	});
}

// A page that remembers what went wrong in it, unhandled rejections included.
export async function openPage(t, browser) {
	const version = browser.version().split(".")[0];
	const context = await browser.newContext({
		userAgent: `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version}.0.0.0 Safari/537.36`,
	});
	t.after(() => context.close());
	const page = await context.newPage();
	page.errors = [];
	page.on("pageerror", (error) => page.errors.push(String(error)));
	return page;
}

// "label : number" of every row of the counter, as a reader sees them at one moment.
export function counter(page, place = ".thongke") {
	return page.evaluate((terms) => Array.from(document.querySelectorAll(terms), (term) =>
		`${term.textContent} : ${term.nextElementSibling.textContent}`), `${place} dl > dt`);
}
