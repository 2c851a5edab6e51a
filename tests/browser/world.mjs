// SPDX-License-Identifier: BSD-2-Clause
// What a browser test needs: a real thongked on free ports with its own temporary state, a page server that stands in
// for a site's web server or a real nginx, and a headless Chromium. Everything that was started is stopped by its own
// handle.
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { chromium } from "playwright-core";

export const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), "../..");
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

// Below the range that outgoing connections use, or one of them could take it before the server does.
async function freePort(host = "127.0.0.1") {
	for (;;) {
		const port = 18000 + Math.floor(Math.random() * 12000);
		const server = net.createServer().listen(port, host);
		const free = await new Promise((done) =>
			server.once("listening", () => done(true)).once("error", () => done(false)));
		if (!free)
			continue;
		await new Promise((done) => server.close(done));
		return port;
	}
}

// Sites beside "demo": so that tests may share a daemon, each has an address of its own.
const SITES = Array.from({ length: 60 }, (_, i) => ({ key: `s${i + 2}`, host: `127.0.0.${i + 2}` }));

export async function startDaemon(t) {
	const dir = await mkdtemp(path.join(os.tmpdir(), "thongke-browser-"));
	const [port, adminPort] = [await freePort(), await freePort()];
	await writeFile(path.join(dir, "thongke.conf"), `
		state_dir = "${dir}/state"
		listen = {"127.0.0.1:${port}"}
		admin_listen = {"127.0.0.1:${adminPort}"}
		workers = 1
		demo = true
		site "demo" { hosts = {"127.0.0.1"} public = {"metrics", "pages", "stats"} }
		${SITES.map(({ key, host }) => `site "${key}" { hosts = {"${host}"} }`).join("\n")}
	`);
	const sites = SITES.values();
	const child = spawn(thongked, ["-c", path.join(dir, "thongke.conf")], { stdio: ["ignore", "ignore", "pipe"] });
	let log = "";
	child.stderr.on("data", (bytes) => (log += bytes));
	const ended = new Promise((done) => child.once("exit", done));
	const daemon = {
		url: `http://127.0.0.1:${port}`,
		nextSite: () => sites.next().value,
		async counts(site, parameters = "") {
			return (await fetch(`${daemon.url}/counts.json?s=${site}${parameters}`)).json();
		},
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

// Serves `html` (a text, or a function of the path) and passes /thongke/ on to the daemon, as a site's own web server
// would. The script itself comes from disk; `held` (a promise) keeps answers of the daemon back until it is resolved;
// what was asked of the daemon is noted in `seen`.
export async function startSite(t, { html, daemon, held, seen = [], headers = {}, host = "127.0.0.1" }) {
	const script = await readFile(path.join(root, "client-js/thongke.js"));
	const server = http.createServer(async (request, response) => {
		if (/^\/thongke\/thongke\.js/.test(request.url))
			return response.setHeader("Content-Type", "text/javascript").end(script);
		if (!request.url.startsWith("/thongke/")) {
			for (const name in headers)
				response.setHeader(name, headers[name]);
			response.setHeader("Content-Type", "text/html; charset=utf-8");
			return response.end(typeof html === "function" ? await html(request.url, request) : html);
		}
		const url = new URL(request.url, "http://site.example");
		seen.push({ path: url.pathname, method: request.method, headers: request.headers,
			query: Object.fromEntries(url.searchParams), pages: url.searchParams.getAll("p") });
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
	server.listen(0, host);
	await new Promise((done) => server.once("listening", done));
	t.after(() => {
		server.closeAllConnections();
		server.close();
	});
	return `http://${host}:${server.address().port}`;
}

// A real nginx with the lines of conf/nginx.conf in its server, and `html` at /.
export async function startNginx(t, { html, daemon, headers = {}, host = "127.0.0.1" }) {
	const dir = await mkdtemp(path.join(os.tmpdir(), "thongke-nginx-"));
	const port = await freePort(host);
	const lines = (await readFile(path.join(root, "conf/nginx.conf"), "utf8"))
		.replace("http://127.0.0.1:8080", daemon.url);
	const added = Object.entries(headers).map(([name, value]) => `add_header ${name} "${value}";`).join(" ");
	const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
		.map((what) => `${what}_temp_path ${dir}/${what};`).join(" ");
	await writeFile(path.join(dir, "index.html"), html);
	await writeFile(path.join(dir, "nginx.conf"), `
		daemon off; master_process off; pid ${dir}/pid; error_log stderr;
		events {}
		http { access_log off; ${temporary} server {
			listen ${host}:${port};
			location / { root ${dir}; default_type text/html; charset utf-8; types {} ${added} }
			${lines}
		} }
	`);
	const child = spawn("nginx", ["-p", dir, "-c", path.join(dir, "nginx.conf"), "-e", "stderr"], { stdio: "ignore" });
	const ended = new Promise((done) => child.once("exit", done));
	t.after(async () => {
		child.kill("SIGKILL");
		await ended;
		await rm(dir, { recursive: true, force: true });
	});
	const url = `http://${host}:${port}`;
	await eventually("nginx answers", () => fetch(url).then((answer) => answer.ok, () => child.exitCode !== null && "no"));
	return url;
}

const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
	"--disable-background-networking", "--disable-component-update", "--disable-sync",
	"--disable-blink-features=AutomationControlled"];
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

function userAgent(version) {
	return `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version}.0.0.0 Safari/537.36`;
}

export function startBrowser() {
	return chromium.launch({
		executablePath: CHROMIUM,
		args: FLAGS,
		ignoreDefaultArgs: ["--disable-back-forward-cache"],
	});
}

// A browser that nobody drives: it opens `url`, and what its pages do is seen by who serves them. With a driver
// attached Chromium prerenders nothing and hides no tab.
export async function openAlone(t, browser, url) {
	const dir = await mkdtemp(path.join(os.tmpdir(), "thongke-chromium-"));
	const child = spawn(CHROMIUM, [...FLAGS, "--disable-popup-blocking", `--user-data-dir=${dir}`,
		`--user-agent=${userAgent(browser.version().split(".")[0])}`, url], { stdio: "ignore", detached: true });
	const ended = new Promise((done) => child.once("exit", done));
	t.after(async () => {
		process.kill(-child.pid, "SIGKILL"); // its own group: the processes of this browser
		await ended;
		await rm(dir, { recursive: true, force: true, maxRetries: 10 });
	});
}

// A page that remembers what went wrong in it, unhandled rejections included. What Chromium itself says of a request
// that failed is no error of the page.
export async function openPage(t, browser, options = {}) {
	const context = await browser.newContext({ userAgent: userAgent(browser.version().split(".")[0]), ...options });
	t.after(() => context.close());
	const page = await context.newPage();
	page.errors = [];
	page.on("pageerror", (error) => page.errors.push(String(error)));
	page.on("console", (message) => {
		if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
			page.errors.push(message.text());
	});
	return page;
}

// "label : number" of every row of the counter, as a reader sees them at one moment.
export function counter(page, place = ".thongke") {
	return page.evaluate((terms) => Array.from(document.querySelectorAll(terms), (term) =>
		`${term.textContent} : ${term.nextElementSibling.textContent}`), `${place} dl > dt`);
}
