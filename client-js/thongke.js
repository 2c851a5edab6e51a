// SPDX-License-Identifier: BSD-2-Clause
// Counts one view of the page that embeds it and shows the counts. Words and number formats come from the daemon.
// Never throws, keeps nothing, sets no cookie; where nothing answers a dash stays.
(function () {
	"use strict";
	const LISTS = ".thongke, [data-thongke]"; // all rows
	const NUMBERS = "[data-thongke-row]"; // one number
	const EMPTY = { label: "\u00a0", text: "\u2013" };
	const RESERVED = 4; // rows, unless data-rows says how many
	const BODY_MAX = 4000;

	const script = document.currentScript;
	const all = (selector) => Array.from(document.querySelectorAll(selector));

	// Keeps the elements of rows that are there: an answer changes text, not the layout.
	function fill(place, rows) {
		const list = place.querySelector("dl") || place.appendChild(document.createElement("dl"));
		const cells = list.children;
		while (cells.length > 2 * rows.length)
			list.lastChild.remove();
		rows.forEach((row, i) => {
			if (!cells[2 * i])
				list.append(document.createElement("dt"), document.createElement("dd"));
			cells[2 * i].textContent = row.label;
			cells[2 * i + 1].textContent = row.text;
		});
	}

	function reserve() {
		for (const place of all(LISTS))
			if (!place.querySelector("dl"))
				fill(place, Array.from({ length: place.dataset.rows || RESERVED }, () => EMPTY));
		for (const one of all(NUMBERS))
			one.textContent = one.textContent || EMPTY.text;
	}

	function show(rows) {
		for (const row of rows)
			all(`[data-thongke-row="${row.row}"]`).forEach((one) => (one.textContent = row.text));
	}

	async function ask(path, options) {
		const answer = await fetch(new URL(path, script.src), { credentials: "omit", ...options });
		return (await answer.json()).rows;
	}

	function form(pairs) {
		const s = script.dataset.site;
		return String(new URLSearchParams(s ? { s, ...pairs } : pairs));
	}

	function hit() {
		const u = location.href;
		// One nonce a view: embedded twice, it still counts once.
		const n = window.thongkeView || crypto.getRandomValues(new Uint32Array(4)).join("-");
		window.thongkeView = n;
		const a = Number(navigator.webdriver || 0); // a program drives the browser
		let body = form({ u, r: document.referrer, w: screen.width, l: navigator.language, n, a });
		if (body.length > BODY_MAX)
			body = form({ u: u.split(/[?#]/)[0], n, a });
		// A string goes as text/plain, which needs no preflight.
		return ask("hit", { method: "POST", body, keepalive: true });
	}

	async function run() {
		reserve();
		const answer = hit();
		answer.catch(() => {}); // may fail before it is awaited
		if (document.readyState === "loading")
			await new Promise((done) => addEventListener("DOMContentLoaded", done));
		reserve();
		const rows = await answer;
		all(LISTS).forEach((place) => fill(place, rows));
		show(rows);
		// Other rows are asked for by name, without counting.
		const names = all(NUMBERS).map((one) => one.dataset.thongkeRow)
			.filter((name) => !rows.find((row) => row.row === name));
		if (names[0])
			show(await ask("counts.json?" + form({ u: location.href, rows: names.join() })));
	}

	run().catch(() => {});
})();
