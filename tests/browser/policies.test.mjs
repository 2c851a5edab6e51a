// SPDX-License-Identifier: BSD-2-Clause
// Pages with a Content-Security-Policy, behind a real nginx with the lines of conf/nginx.conf.
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import { counter, eventually, openPage, startBrowser, startDaemon, startNginx } from "./world.mjs";

let browser, daemon, stopDaemon;
before(async () => {
	browser = await startBrowser();
	daemon = await startDaemon({ after: (stop) => (stopDaemon = stop) });
});
after(() => Promise.all([browser.close(), stopDaemon()]));

const DASHES = Array(4).fill("\u00a0 : \u2013");

async function open(t, policy, attributes = "", src = "/thongke/thongke.js") {
	const { key, host } = daemon.nextSite();
	const tag = `<script async src="${src}" ${attributes}></script>`;
	const url = await startNginx(t, {
		html: `<!DOCTYPE html><html lang="en"><title>a page</title><div class="thongke"></div>${tag}</html>`,
		daemon,
		host,
		headers: policy ? { "Content-Security-Policy": policy } : {},
	});
	const tab = await openPage(t, browser);
	await tab.goto(url);
	const total = async () => (await daemon.counts(key)).hits.total;
	return { tab, total };
}

function shown(tab) {
	return eventually("the counter is filled", async () => (await counter(tab))[0] === "Hôm nay : 1");
}

test("under the site's own address the strictest policy of 'self' lets it pass", async (t) => {
	const { tab } = await open(t, "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'; " +
		"form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'");
	await shown(tab);
	assert.deepEqual(tab.errors, []);
});

test("where connections are forbidden an image counts and the dash stays", async (t) => {
	const { tab, total } = await open(t, "default-src 'none'; script-src 'self'; img-src 'self'");
	await eventually("it is counted", async () => (await total()) === 1);
	assert.deepEqual(await counter(tab), DASHES);
	// The browser says what it has blocked; the page threw nothing.
	assert.ok(tab.errors.every((text) => /Content Security Policy/.test(text)), tab.errors.join());
});

test("a beacon that is forbidden is an image, too", async (t) => {
	const { total } = await open(t, "default-src 'none'; script-src 'self'; img-src 'self'", 'data-show="off"');
	await eventually("it is counted", async () => (await total()) === 1);
});

test("where images are forbidden as well nothing counts, nothing is tried again and nothing is thrown", async (t) => {
	const { tab, total } = await open(t, "default-src 'none'; script-src 'self'");
	await eventually("both are refused", () => ["connect-src", "img-src"].every((what) =>
		tab.errors.some((text) => text.includes(what))));
	await tab.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))));
	const refused = tab.errors.filter((text) => text.includes("img-src"));
	assert.equal(refused.length, 1);
	assert.ok(tab.errors.every((text) => /Content Security Policy/.test(text)), tab.errors.join());
	assert.deepEqual([await counter(tab), await total()], [DASHES, 0]);
});

test("a policy that only reports changes nothing", async (t) => {
	const { key, host } = daemon.nextSite();
	const url = await startNginx(t, {
		html: '<!DOCTYPE html><div class="thongke"></div><script async src="/thongke/thongke.js"></script>',
		daemon,
		host,
		headers: { "Content-Security-Policy-Report-Only": "connect-src 'none'" },
	});
	const tab = await openPage(t, browser);
	const image = tab.waitForResponse((response) => response.url().includes("/hit.gif"));
	await tab.goto(url);
	await shown(tab);
	await image; // sent in vain: it carries the nonce of the view
	assert.equal((await daemon.counts(key)).hits.total, 1);
});

test("the frozen name with a hash of its content", async (t) => {
	const script = await fetch(`${daemon.url}/thongke.js`, { headers: { "Accept-Encoding": "identity" } });
	const frozen = `/thongke/thongke-${script.headers.get("etag").replaceAll('"', "")}.js`;
	const hash = Buffer.from(await crypto.subtle.digest("SHA-256", await script.arrayBuffer())).toString("base64");
	const right = await open(t, "", `integrity="sha256-${hash}"`, frozen);
	await shown(right.tab);
	const wrong = await open(t, "", `integrity="sha256-${hash.replace(/^./, (c) => (c === "A" ? "B" : "A"))}"`, frozen);
	await eventually("it is refused", () => wrong.tab.errors.some((text) => /integrity/.test(text)));
	assert.equal(await wrong.total(), 0);
});
