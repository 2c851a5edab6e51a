// SPDX-License-Identifier: BSD-2-Clause
// Several counters, single numbers, numbers of other pages, the functions, and the elements of busuanzi's themes.
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import { counter, eventually, openPage, startBrowser, startDaemon, startSite } from "./world.mjs";

let browser, daemon, stopDaemon;
before(async () => {
	browser = await startBrowser();
	daemon = await startDaemon({ after: (stop) => (stopDaemon = stop) });
});
after(() => Promise.all([browser.close(), stopDaemon()]));

async function open(t, body, { attributes = "", src = "/thongke/thongke.js", path = "/", ...options } = {}) {
	const seen = [];
	const { key, host } = daemon.nextSite();
	const url = await startSite(t, {
		html: `<!DOCTYPE html><html lang="en"><title>a page</title><link rel="icon" href="data:,">
			<body>${body}<script src="${src}" ${attributes}></script></body></html>`,
		daemon,
		seen,
		host,
		...options,
	});
	const tab = await openPage(t, browser);
	await tab.goto(url + path);
	return { key, url, tab, seen };
}

function hit(key, path) {
	return fetch(`${daemon.url}/hit?s=${key}&u=${path}`, {
		headers: { "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Accept-Language": "vi" },
	}).then((answer) => answer.json());
}

function texts(tab, selector) {
	return tab.$$eval(selector, (all) => all.map((one) => one.textContent));
}

test("two counters and a number of theirs cost one request", async (t) => {
	const { tab, seen } = await open(t, `<div class="thongke"></div><p>Today: <b data-thongke-row="today"></b></p>
		<aside data-thongke data-rows="4"></aside>`);
	await eventually("all are filled", async () => (await texts(tab, "b")).join() === "1");
	assert.deepEqual(await counter(tab), await counter(tab, "[data-thongke]"));
	assert.equal((await counter(tab)).length, 4);
	assert.deepEqual(seen.map(({ path }) => path), ["/thongke/hit"]);
	assert.deepEqual(tab.errors, []);
});

test("numbers that the answer lacks, of rows and of pages, cost one more", async (t) => {
	const { key, url, tab, seen } = await open(t, `<div class="thongke"></div>
		<b data-thongke-row="total"></b><b data-thongke-row="yesterday"></b><b data-thongke-row="total"></b>
		<i data-thongke-page="/tin/b%C3%A0i%20m%E1%BB%99t">\u2013</i><i data-thongke-page="/?a&amp;b#c+d"></i>
		<i data-thongke-page></i>`, { path: "/here" });
	await eventually("all are filled", async () => /^1,0,1,[0\u2013],[0\u2013],[1\u2013]$/.test((await texts(tab, "b,i")).join()));
	assert.deepEqual(seen.map(({ path }) => path), ["/thongke/hit", "/thongke/counts.json"]);
	assert.deepEqual(seen[1].pages, ["/tin/b%C3%A0i%20m%E1%BB%99t", "/?a&b#c+d", `${url}/here`]);
	await hit(key, "/tin/b%C3%A0i%20m%E1%BB%99t");
	// A page's number that takes the daemon longer than 50 ms is a dash in that answer, and known in a later one.
	await eventually("the daemon has the pages", () => tab.evaluate(async (pages) =>
		(await window.thongke.counts(pages)).pages.every((page) => page.hits.total !== null), seen[1].pages));
	await tab.evaluate(() => window.thongke.hit("/there"));
	await eventually("another view has other numbers", async () => (await texts(tab, "b,i")).join() === "3,0,3,1,0,1");
	assert.deepEqual(tab.errors, []);
});

test("a number that nothing answers is a dash, a counter from the site's own server stays", async (t) => {
	const { tab } = await open(t, `<div class="thongke"><section lang="vi" aria-label="x"><dl><dt>A</dt><dd>7</dd></dl></section></div>
		<b data-thongke-row="today"></b><b data-thongke-row="year">12</b>`, { daemon: null });
	await eventually("the dash is there", async () => (await texts(tab, "b")).join() === "\u2013,12");
	assert.equal(await tab.evaluate(() => window.thongke), undefined);
	assert.deepEqual(await counter(tab), ["A : 7"]);
	assert.deepEqual(tab.errors, []);
});

test("a counter from the site's own server is brought up to date where it stands", async (t) => {
	const { tab } = await open(t, `<div class="thongke"><h2>heading</h2>
		<section lang="vi" aria-label="x"><dl id="mine"><dt>A</dt><dd>7</dd></dl></section></div>`);
	await eventually("it is filled", async () => (await counter(tab))[0] === "Hôm nay : 1");
	assert.deepEqual(await tab.evaluate(() => [document.querySelectorAll("section").length,
		document.querySelector("#mine").children.length, document.querySelector("h2").textContent]), [1, 8, "heading"]);
	assert.equal(await tab.getAttribute("section", "aria-label"), "Thống kê truy cập");
});

test("the counter's markup", async (t) => {
	const { key, tab } = await open(t, '<div class="thongke"></div>', { attributes: 'data-lang="vi" data-rows="today,total"' });
	await eventually("it is filled", async () => (await counter(tab)).join() === "Hôm nay : 1,Tổng : 1");
	const { lang = "" } = await daemon.counts(key, "&lang=vi"); // "": not said
	assert.equal(await tab.$eval(".thongke", (place) => place.innerHTML), `<section lang="${lang}" ` +
		'aria-label="Thống kê truy cập"><dl><dt>Hôm nay</dt><dd>1</dd><dt>Tổng</dt><dd>1</dd></dl></section>');
});

test("the functions and the event", async (t) => {
	const { key, tab } = await open(t, `<p></p><script>
		window.heard = [];
		addEventListener("thongke", (event) => heard.push(event.detail.hits.today));
		addEventListener("load", () => thongke.ready((answer) => (window.early = answer.hits.today)));
	</script>`);
	await eventually("the answer", () => tab.evaluate(() => window.early === 1));
	assert.equal(await tab.evaluate(() => new Promise((done) => window.thongke.ready((answer) => done(answer.site)))), key);
	assert.equal(await tab.evaluate(async () => (await window.thongke).site), key);
	assert.deepEqual(await tab.evaluate(async () => {
		const answer = await window.thongke.hit("/by-hand");
		return [answer.counted, answer.page.path, answer.hits.today, window.heard];
	}), [true, "/by-hand", 2, [1, 2]]);
	// A page's number that takes the daemon longer than 50 ms is not known in this answer.
	const pages = () => tab.evaluate(async () =>
		(await window.thongke.counts(["/by-hand", "/nobody"])).pages.map((page) => [page.path, page.hits.total]));
	await eventually("the numbers of pages", async () => (await pages()).every(([, total]) => total !== null));
	assert.deepEqual(await pages(), [["/by-hand", 1], ["/nobody", 0]]);
	assert.deepEqual(tab.errors, []);
});

test("an element with the id thongke does not keep the script from running", async (t) => {
	const { tab } = await open(t, '<div id="thongke" class="thongke"></div>');
	await eventually("it is filled", async () => (await counter(tab))[0] === "Hôm nay : 1");
});

// As the themes have them: ids, classes, a container that the theme hides, one that it does not, a spinner.
const THEME = `<style>.away { display: none }</style>
	<span id="busuanzi_container_site_pv" style="display: none">PV <b id="busuanzi_value_site_pv"></b></span>
	<span id="busuanzi_container_site_uv">UV <em><b id="busuanzi_value_site_uv"><i class="spinner"></i></b></em></span>
	<span class="away busuanzi_container_page_pv">page <b class="px-1 busuanzi_value_page_pv">0</b></span>
	<span id="vercount_value_site_pv">Loading</span>
	<p class="my_container">mine <b id="my_value">1</b></p>`;
const visible = (tab) => tab.evaluate(() => document.body.innerText.replace(/\s+/g, " ").trim());

for (const [name, options] of [["the tag says so", { attributes: 'data-compat="busuanzi"' }],
	["the script's address says so, and nothing else was changed", { src: "/thongke/thongke.js?busuanzi" }]])
	test(`elements of busuanzi and vercount work where ${name}`, async (t) => {
		let release;
		const held = new Promise((done) => (release = done));
		const { key, tab } = await open(t, THEME, { ...options, held, path: "/post" });
		await eventually("containers are hidden until then", async () => (await visible(tab)) === "mine 1");
		await hit(key, "/");
		release();
		await eventually("they are filled", async () => /PV 2/.test(await visible(tab)));
		assert.match(await visible(tab), /^PV 2 UV \d page 1 2 mine 1$/);
		assert.deepEqual(tab.errors, []);
	});

test("they are left alone where nobody asks for it, and hidden where nothing answers", async (t) => {
	const alone = await open(t, `${THEME}<u data-thongke-row="today"></u>`);
	await eventually("an answer", async () => (await texts(alone.tab, "u")).join() === "1");
	assert.equal(await visible(alone.tab), "UV Loading mine 1 1");
	const silent = await open(t, THEME, { attributes: 'data-compat="busuanzi"', daemon: null });
	await eventually("they are hidden", async () => (await visible(silent.tab)) === "mine 1");
	assert.deepEqual([...alone.tab.errors, ...silent.tab.errors], []);
});
