// SPDX-License-Identifier: BSD-2-Clause
// What the numbers do to the look of a page as they come: nothing, however it is looked at. Layouts are compared, not
// pixels.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import test, { after, before } from "node:test";
import { counter, eventually, openPage, startBrowser, startDaemon } from "./world.mjs";

let browser, daemon, stopDaemon, axe;
before(async () => {
	browser = await startBrowser();
	daemon = await startDaemon({ after: (stop) => (stopDaemon = stop) });
	axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
});
after(() => Promise.all([browser.close(), stopDaemon()]));

// Zoomed to 400 % a window of 1280 × 1024 is 320 × 256 CSS pixels of four by four.
const LOOKS = {
	"a wide window": { viewport: { width: 1280, height: 800 } },
	"a telephone of 320 pixels": { viewport: { width: 320, height: 640 }, isMobile: true },
	"zoomed to 400 %": { viewport: { width: 320, height: 256 }, deviceScaleFactor: 4 },
	"dark": { colorScheme: "dark" },
	"forced colours": { forcedColors: "active" },
	"forced colours, dark": { forcedColors: "active", colorScheme: "dark" },
};

// Where the blocks of the page are, and whether it is wider than its window.
function layout(tab) {
	return tab.evaluate(() => ({
		blocks: Array.from(document.querySelectorAll("h1, h2, p, pre, footer, .thongke, .thongke dl"), (one) => {
			const { x, y, width, height } = one.getBoundingClientRect();
			return [one.tagName, x, y, width, height].join(" ");
		}),
		wider: document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth,
	}));
}

async function assertAccessible(tab) {
	await tab.evaluate(axe);
	const { violations, passes } = await tab.evaluate(() => window.axe.run());
	assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)]), []);
	assert.ok(passes.length > 10);
}

for (const [name, options] of Object.entries(LOOKS))
	test(`${name}: nothing moves, nothing sticks out, axe finds nothing`, async (t) => {
		const tab = await openPage(t, browser, options);
		let release;
		const held = new Promise((done) => (release = done));
		await tab.route(/\/hit\?/, async (route) => {
			await held;
			await route.continue();
		});
		await tab.goto(`${daemon.url}/demo`);
		await eventually("the place is reserved", async () => (await counter(tab))[0] === "\u00a0 : \u2013");
		await eventually("what a server would include is there", () => tab.evaluate(() =>
			Array.from(document.querySelectorAll("[data-from]")).every((one) => one.textContent)));
		const reserved = await layout(tab);
		release();
		await eventually("the numbers are there", async () =>
			/^\d+$/.test(await tab.textContent("[data-thongke-row=total]")));
		assert.match((await counter(tab))[0], /^Hôm nay : \d+$/);
		const filled = await layout(tab);
		assert.deepEqual(filled, reserved);
		assert.ok(filled.blocks.length > 5);
		assert.equal(filled.wider, 0);
		await assertAccessible(tab);
		assert.deepEqual(tab.errors, []);
	});

for (const [name, options] of Object.entries(LOOKS))
	for (const address of ["frame.html?s=demo&style=panel", "frame.html?s=demo", "stats?s=demo", "stats?s=demo&lang=en"])
		test(`${name}: ${address} is no wider than its window, axe finds nothing`, async (t) => {
			const tab = await openPage(t, browser, options);
			await tab.goto(`${daemon.url}/${address}`);
			await tab.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = true)));
			assert.equal((await layout(tab)).wider, 0);
			await assertAccessible(tab);
			assert.deepEqual(tab.errors, []);
		});

test("the counter takes the page's font, size and colour, and its figures are of one width", async (t) => {
	const tab = await openPage(t, browser);
	await tab.goto(`${daemon.url}/demo`);
	await eventually("the numbers are there", async () => /^Hôm nay/.test((await counter(tab))[0]));
	const [place, cell] = await tab.evaluate(() => [".thongke", ".thongke dd"].map((selector) => {
		const { fontFamily, fontSize, color } = getComputedStyle(document.querySelector(selector));
		return { fontFamily, fontSize, color };
	}));
	assert.deepEqual(cell, place);
	assert.equal(await tab.$eval(".thongke dd", (cell) => getComputedStyle(cell).fontVariantNumeric), "tabular-nums");
	assert.equal(await tab.$$eval(".thongke [style]", (all) => all.length), 0);
});
