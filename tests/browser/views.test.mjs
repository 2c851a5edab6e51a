// SPDX-License-Identifier: BSD-2-Clause
// What is a view of a page, and what is said of it.
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import { counter, eventually, openAlone, openPage, startBrowser, startDaemon, startSite } from "./world.mjs";

let browser, daemon, stopDaemon;
before(async () => {
	browser = await startBrowser();
	daemon = await startDaemon({ after: (stop) => (stopDaemon = stop) });
});
after(() => Promise.all([browser.close(), stopDaemon()]));

const ICON = '<link rel="icon" href="data:,">';

// A site of its own for a test: its address, what was asked of the daemon, and what the daemon has counted.
async function site(t, html, options = {}) {
	const seen = [];
	const { key, host } = daemon.nextSite();
	const url = await startSite(t, { html, daemon, seen, host, ...options });
	const hits = () => seen.filter((request) => /hit/.test(request.path));
	const total = async () => (await daemon.counts(key)).hits.total;
	return { key, url, seen, hits, total };
}

function embedding(attributes = "", body = '<div class="thongke"></div>', head = "") {
	return `<!DOCTYPE html><html lang="en"><head><title>a page</title>${ICON}${head}</head><body>${body}
		<script src="/thongke/thongke.js" ${attributes}></script></body></html>`;
}

function shown(tab, text) {
	return eventually(`the counter shows ${text}`, async () => (await counter(tab))[0] === text);
}

test("a view says where it is, and the whole of where its visitor comes from", async (t) => {
	const { url, hits, total } = await site(t, (path) =>
		path.startsWith("/from") ? `${ICON}<a href="/to?x=1#part">to</a>` : embedding(),
		{ headers: { "Referrer-Policy": "unsafe-url" } });
	const tab = await openPage(t, browser);
	await tab.goto(`${url}/from?q=th%E1%BB%91ng`);
	await tab.click("a");
	await shown(tab, "Hôm nay : 1");
	const [{ path, query }] = hits();
	assert.equal(path, "/thongke/hit");
	assert.deepEqual([query.u, query.r], [`${url}/to?x=1#part`, `${url}/from?q=th%E1%BB%91ng`]);
	assert.deepEqual([query.w, query.a, query.q], [String(await tab.evaluate(() => screen.width)), "0", "0"]);
	assert.match(query.n, /^0\.\d{6,}$/);
	assert.equal(await total(), 1);
	assert.deepEqual(tab.errors, []);
});

for (const [policy, headers] of [["none given", {}], ["no-referrer", { "Referrer-Policy": "no-referrer" }],
	["origin", { "Referrer-Policy": "origin" }]])
	test(`Referrer-Policy, ${policy}: the page is counted as itself`, async (t) => {
		const { key, url, hits } = await site(t, embedding(), { headers });
		const tab = await openPage(t, browser);
		await tab.goto(`${url}/tin-tuc/b%C3%A0i`, { referer: "https://search.example/?q=tin" });
		await shown(tab, "Hôm nay : 1");
		assert.equal(hits()[0].query.r, "https://search.example/?q=tin");
		const page = await eventually("the page's number", async () =>
			(await daemon.counts(key, "&p=/tin-tuc/b%C3%A0i")).pages[0].hits.total === 1);
		assert.ok(page);
	});

test("the canonical address counts where it is of the same host, and only there", async (t) => {
	let link;
	const { url, hits } = await site(t, () => embedding("", "", `<link rel="canonical" href="${link}">`));
	const tab = await openPage(t, browser);
	for (const [href, u] of [[`${url}/one`, `${url}/one`], ["/two?id=2", `${url}/two?id=2`],
		["https://other.example/three", `${url}/page`], ["", `${url}/page`]]) {
		link = href;
		const before = hits().length;
		await tab.goto(`${url}/page`);
		await eventually("a hit", () => hits().length > before);
		assert.equal(hits().at(-1).query.u, u, href);
	}
	assert.deepEqual(tab.errors, []);
});

test("a canonical address behind the script is found", async (t) => {
	const { url, hits } = await site(t, `<title>a page</title>${ICON}<script src="/thongke/thongke.js"></script>
		<link rel="canonical" href="/one">`);
	const tab = await openPage(t, browser);
	await tab.goto(`${url}/page`);
	await eventually("a hit", () => hits().length === 1);
	assert.equal(hits()[0].query.u, `${url}/one`);
});

test("the settings of the tag reach the daemon", async (t) => {
	const { key, url, hits } = await site(t, embedding(""));
	const other = await site(t, embedding(`data-site="${key}" data-rows="total,online" data-metric="visits" data-lang="en"
		data-scope="page"`), { host: new URL(url).hostname });
	const tab = await openPage(t, browser);
	await tab.goto(`${other.url}/only-the-page`);
	await eventually("two rows, in English", async () =>
		(await counter(tab)).map((row) => row.split(" : ")[0]).join() === "Total,Online");
	assert.equal(other.hits()[0].query.scope, "page");
	await eventually("the page has its hit", async () =>
		(await daemon.counts(key, "&p=/only-the-page")).pages[0].hits.total === 1);
	assert.equal((await daemon.counts(key)).hits.total, 0, "and the site none");
	assert.equal(hits().length, 0);
	assert.deepEqual(tab.errors, []);
});

test("a page that is prerendered counts when it is looked at", async (t) => {
	let release, marked;
	const looked = new Promise((done) => (release = done));
	const prerendered = new Promise((done) => (marked = done));
	const { url, hits, total } = await site(t, async (path) => {
		if (path === "/first")
			return `${ICON}<script type="speculationrules">{"prerender":[{"urls":["/second"],"eagerness":"immediate"}]}</script>
				<script>fetch("/look").then(() => (location.href = "/second"))</script>`;
		if (path.startsWith("/mark"))
			return marked(path), "";
		if (path === "/look")
			return await looked, "";
		// A timer tells what requests have been sent until then: those before it come first.
		return embedding("", `<div class="thongke"></div><script>addEventListener("load", () => setTimeout(() =>
			fetch("/mark?" + document.prerendering), 300))</script>`);
	});
	await openAlone(t, browser, `${url}/first`);
	assert.equal(await prerendered, "/mark?true", "the browser prerenders");
	assert.equal(hits().length, 0);
	release();
	await eventually("a hit", () => hits().length === 1);
	assert.equal(hits()[0].headers["sec-purpose"], undefined);
	await eventually("it is counted", async () => (await total()) === 1);
});

test("a page in a tab behind counts when it is looked at", async (t) => {
	let release, marked;
	const looked = new Promise((done) => (release = done));
	const hidden = new Promise((done) => (marked = done));
	const { url, hits, total } = await site(t, async (path) => {
		if (path.startsWith("/mark"))
			return marked(path), "";
		if (path === "/look")
			return await looked, "";
		if (path === "/front")
			return `${ICON}<script>fetch("/look").then(() => close())</script>`;
		return `${ICON}<div class="thongke"></div><script>
			addEventListener("visibilitychange", () => {
				const script = document.createElement("script");
				script.src = "/thongke/thongke.js";
				script.onload = () => setTimeout(() => fetch("/mark?" + document.hidden), 300);
				if (document.hidden)
					document.body.append(script);
			});
			open("/front");
		</script>`;
	});
	await openAlone(t, browser, `${url}/behind`);
	assert.equal(await hidden, "/mark?true", "the browser hides the tab");
	assert.equal(hits().length, 0);
	release();
	await eventually("a hit", () => hits().length === 1);
	await eventually("it is counted", async () => (await total()) === 1);
});

test("a return from the back/forward cache is another view", async (t) => {
	const { url, hits, total } = await site(t, (path) => (path === "/other" ? `${ICON}other` : embedding()));
	const tab = await openPage(t, browser);
	await tab.goto(`${url}/page`);
	await shown(tab, "Hôm nay : 1");
	await tab.evaluate(() => {
		window.same = true;
		addEventListener("pageshow", (event) => (window.persisted = event.persisted));
	});
	await tab.goto(`${url}/other`);
	await tab.evaluate(() => void setTimeout(() => history.back()));
	await tab.waitForURL(`${url}/page`, { waitUntil: "commit" });
	assert.deepEqual(await eventually("the page is back", () =>
		tab.evaluate(() => window.persisted !== undefined && [window.same, window.persisted])), [true, true]);
	await shown(tab, "Hôm nay : 2");
	const [first, second] = hits().map((request) => request.query);
	assert.notEqual(first.n, second.n);
	assert.deepEqual([second.u, second.r], [`${url}/page`, `${url}/page`], "it comes from nowhere new");
	assert.equal(await total(), 2);
	assert.deepEqual(tab.errors, []);
});

test("with data-spa a change of path is a view", async (t) => {
	const { key, url, hits } = await site(t, embedding("data-spa", '<div class="thongke"></div>',
		'<link rel="canonical" href="/start">'));
	const tab = await openPage(t, browser);
	await tab.goto(`${url}/start`, { referer: "https://search.example/" });
	await shown(tab, "Hôm nay : 1");
	const steps = [() => history.pushState({}, "", "/a"), () => history.replaceState({}, "", "/b"), () => history.back()];
	for (const [i, step] of steps.entries()) {
		await tab.evaluate(step);
		await shown(tab, `Hôm nay : ${i + 2}`);
	}
	await tab.evaluate(() => {
		history.pushState({}, "", "?same=path");
		history.replaceState({}, "", "#part");
	});
	await tab.evaluate(() => history.pushState({}, "", "/c"));
	await shown(tab, "Hôm nay : 5");
	const at = (path) => url + path;
	assert.deepEqual(hits().map(({ query }) => query.u), ["/start", "/a", "/b", "/start", "/c"].map(at));
	assert.deepEqual(hits().map(({ query }) => query.r), ["https://search.example/",
		...["/start", "/a", "/b", "/start"].map(at)]);
	await eventually("each page has its number", async () =>
		(await daemon.counts(key, "&p=/a&p=/start")).pages.map((page) => page.hits.total).join() === "1,2");
	assert.equal(await tab.evaluate(() => {
		try {
			history.pushState(() => {}, "", "/d");
		} catch (error) {
			return error.name;
		}
	}), "DataCloneError", "what the browser refuses is refused as before");
	assert.equal(hits().length, 5);
	assert.deepEqual(tab.errors, []);
});

test("without data-spa a change of path is none", async (t) => {
	const { url, hits } = await site(t, embedding());
	const tab = await openPage(t, browser);
	await tab.goto(url);
	await shown(tab, "Hôm nay : 1");
	await tab.evaluate(() => history.pushState({}, "", "/a"));
	await tab.evaluate(() => window.thongke.hit("/b"));
	assert.deepEqual(hits().map(({ query }) => query.u), [`${url}/`, "/b"]);
	assert.match(await tab.evaluate(() => history.pushState.toString()), /native code/);
});

test("who does not want to be counted is not, and reads on", async (t) => {
	const { url, hits, total } = await site(t, embedding());
	const tab = await openPage(t, browser);
	await tab.goto(`${url}/#thongke-off`);
	await shown(tab, "Hôm nay : 0");
	await tab.goto(`${url}/later`);
	await shown(tab, "Hôm nay : 0");
	await tab.evaluate(() => window.thongke.hit("/by-hand"));
	assert.deepEqual([hits().length, await total()], [0, 0]);
	// In a page that is open already the wish counts from the next view on.
	await tab.evaluate(() => (location.hash = "#thongke-on"));
	await eventually("the wish is kept", () => tab.evaluate(() => localStorage.thongke === "#thongke-on"));
	await tab.goto(`${url}/again`);
	await shown(tab, "Hôm nay : 1");
	assert.deepEqual(tab.errors, []);
});

test("where storage is forbidden a view counts", async (t) => {
	const { url } = await site(t, embedding());
	const tab = await openPage(t, browser);
	await tab.addInitScript(() => Object.defineProperty(window, "localStorage", {
		get() {
			throw new DOMException("forbidden", "SecurityError");
		},
	}));
	await tab.goto(url);
	await shown(tab, "Hôm nay : 1");
	assert.deepEqual(tab.errors, []);
});

test("in a frame without an origin, where storage is forbidden as well", async (t) => {
	const { key, url, hits } = await site(t, (path) => (path === "/inner" ? embedding(`data-site="${key}"`)
		: `${ICON}<iframe sandbox="allow-scripts" src="/inner" width="300" height="200"></iframe>`));
	const tab = await openPage(t, browser);
	await tab.goto(url);
	await eventually("the frame is filled", async () => (await counter(tab.frames()[1]))[0] === "Hôm nay : 1");
	assert.equal(hits()[0].headers.origin, "null");
	assert.deepEqual(tab.errors, []);
});

test('data-show="off" counts with a beacon and leaves the page alone', async (t) => {
	const { url, hits, seen, total } = await site(t, embedding('data-show="off"',
		'<div class="thongke"></div><b data-thongke-row="today"></b>'));
	const tab = await openPage(t, browser);
	const ping = tab.waitForRequest((request) => request.resourceType() === "ping");
	await tab.goto(url);
	await ping;
	await eventually("it is counted", async () => (await total()) === 1);
	assert.deepEqual([hits()[0].method, hits()[0].query.q, seen.length], ["POST", "1", 1]);
	assert.equal(await tab.evaluate(() => document.querySelector(".thongke").innerHTML +
		document.querySelector("b").innerHTML), "");
	assert.equal(await tab.evaluate(() => window.thongke.then((answer) => answer === undefined)), true);
	assert.deepEqual(tab.errors, []);
});

test('data-track="off" shows and counts only what it is told to', async (t) => {
	const { url, hits, seen } = await site(t, embedding('data-track="off"'));
	const tab = await openPage(t, browser);
	await tab.goto(url);
	await shown(tab, "Hôm nay : 0");
	assert.deepEqual(seen.map(({ path }) => path), ["/thongke/counts.json"]);
	assert.equal((await tab.evaluate(() => window.thongke.hit("/article"))).page.path, "/article");
	await shown(tab, "Hôm nay : 1");
	assert.equal(hits().length, 1);
});
