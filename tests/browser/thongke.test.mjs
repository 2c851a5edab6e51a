// SPDX-License-Identifier: BSD-2-Clause
// The script in a real browser, against the real daemon: what a reader of a page sees.
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import { counter, eventually, openPage, startBrowser, startDaemon, startSite } from "./world.mjs";

let browser;
before(async () => (browser = await startBrowser()));
after(() => browser.close());

const EMPTY_ROW = "\u00a0 : \u2013";

function page(body) {
	return `<!DOCTYPE html><title>a page</title><link rel="icon" href="data:,">
		<style>dl { margin: 0 } dt, dd { font: 16px/20px monospace; margin: 0 }</style>${body}`;
}

async function filled(tab) {
	return eventually("the counter is filled", async () => {
		const rows = await counter(tab);
		return rows.length > 0 && !rows[0].includes("\u2013") && rows;
	});
}

test("the demo page counts its views and shows the counter", async (t) => {
	const daemon = await startDaemon(t);
	const tab = await openPage(t, browser);

	await tab.goto(`${daemon.url}/demo`);
	const first = await filled(tab);
	assert.equal(first[0], "Hôm nay : 1");
	assert.equal(first[1], "Hôm qua : 0");
	assert.match(first[2], /^Tháng (0[1-9]|1[0-2]) : 1$/);
	assert.match(first[3], /^Năm 20[0-9]{2} : 1$/);
	assert.equal(first.length % 4, 0);

	await tab.goto(`${daemon.url}/demo`);
	assert.equal((await filled(tab))[0], "Hôm nay : 2");
	assert.equal(await tab.textContent("[data-thongke-row=today]"), "2");
	await eventually("a row that the site does not list", async () =>
		(await tab.textContent("[data-thongke-row=total]")) === "2");
	assert.deepEqual(tab.errors, []);
});

test("a page of another origin is counted and filled", async (t) => {
	const daemon = await startDaemon(t);
	const site = await startSite(t, {
		html: page(`<div data-thongke></div><script async src="${daemon.url}/thongke.js" data-site="demo"></script>`),
	});
	const tab = await openPage(t, browser);
	await tab.goto(site);
	await eventually("the counter is filled", async () =>
		(await counter(tab, "[data-thongke]"))[0] === "Hôm nay : 1");
	assert.deepEqual(tab.errors, []);
});

test("embedded twice, a page counts once", async (t) => {
	const daemon = await startDaemon(t);
	const script = '<script src="/thongke/thongke.js"></script>';
	const site = await startSite(t, { html: page(`${script}<p class="thongke"></p>${script}`), daemon });
	const tab = await openPage(t, browser);
	const hits = [];
	tab.on("request", (request) => /\/hit\?/.test(request.url()) && hits.push(request));
	await tab.goto(site);
	assert.equal((await filled(tab))[0], "Hôm nay : 1");
	assert.equal(hits.length, 1);
});

test("an answer changes numbers and not the layout", async (t) => {
	const daemon = await startDaemon(t);
	let release;
	const held = new Promise((done) => (release = done));
	const site = await startSite(t, {
		html: page(`<script async src="/thongke/thongke.js"></script>
			<div class="thongke"></div><p id="below">below</p>`),
		daemon,
		held,
	});
	const tab = await openPage(t, browser);
	await tab.goto(site, { waitUntil: "domcontentloaded" });
	await eventually("the place is reserved", async () => (await counter(tab)).length === 4);
	assert.deepEqual(await counter(tab), Array(4).fill(EMPTY_ROW));
	const before = await tab.locator("#below").boundingBox();
	release();
	await filled(tab);
	assert.deepEqual(await tab.locator("#below").boundingBox(), before);
});

test("where nothing answers a dash stays and nothing is thrown", async (t) => {
	const site = await startSite(t, {
		html: page(`<div class="thongke"></div><b data-thongke-row="today"></b>
			<script src="/thongke/thongke.js"></script>`),
	});
	const tab = await openPage(t, browser);
	const failed = tab.waitForEvent("requestfailed");
	await tab.goto(site);
	await failed;
	// Two more turns of the page's event loop: a rejection that nobody handles is reported in the next one.
	await tab.evaluate(() => new Promise((done) => setTimeout(() => setTimeout(done))));
	assert.deepEqual(await counter(tab), Array(4).fill(EMPTY_ROW));
	assert.equal(await tab.textContent("[data-thongke-row]"), "\u2013");
	assert.deepEqual(tab.errors, []);
});

test("a daemon that was stopped leaves the dash", async (t) => {
	const daemon = await startDaemon(t);
	const site = await startSite(t, {
		html: page('<div class="thongke"></div><script src="/thongke/thongke.js"></script>'),
		daemon,
	});
	const tab = await openPage(t, browser);
	await tab.goto(site);
	assert.equal((await filled(tab))[0], "Hôm nay : 1");
	await daemon.stop();
	const failed = tab.waitForEvent("requestfailed");
	await tab.goto(site);
	await failed;
	assert.deepEqual(await counter(tab), Array(4).fill(EMPTY_ROW));
	assert.deepEqual(tab.errors, []);
});

test("a browser that says that a program drives it is counted as a bot", async (t) => {
	const daemon = await startDaemon(t);
	const site = await startSite(t, {
		html: page('<div class="thongke"></div><script src="/thongke/thongke.js"></script>'),
		daemon,
	});
	const tab = await openPage(t, browser);
	await tab.addInitScript(() => Object.defineProperty(Navigator.prototype, "webdriver", { get: () => true }));
	const answer = tab.waitForResponse((response) => /\/hit\?/.test(response.url()));
	await tab.goto(site);
	const { counted, reason } = await (await answer).json();
	assert.deepEqual([counted, reason], [false, "bot"]);
	assert.equal((await filled(tab))[0], "Hôm nay : 0");
	assert.deepEqual(tab.errors, []);
});
