// SPDX-License-Identifier: BSD-2-Clause
// Counts one view of the page that embeds it and shows the counts. Words and number formats come from the daemon.
// Never throws, sets no cookie, keeps nothing but a visitor's own wish; where nothing answers a dash stays.
(() => {
	if (window.thongke)
		return;
	const LISTS = ".thongke,[data-thongke]"; // all rows
	const NUMBERS = "[data-thongke-row]"; // one number of the site
	const PAGES = "[data-thongke-page]"; // one number of a page
	const DASH = "\u2013";

	// Of the tag or, where only an address can be changed, in the address; README.md has the table of them. They are
	// sent along as they are: the daemon knows those that are its own.
	const { src, dataset } = document.currentScript;
	const settings = { ...Object.fromEntries(new URL(src).searchParams), ...dataset };
	if (settings.site)
		settings.s = settings.site;
	const quiet = settings.show === "off";
	const base = new URL(".", src);

	let sent; // body of the latest hit
	let referrer = document.referrer;

	const all = (selector) => (quiet ? [] : [...document.querySelectorAll(selector)]);
	const write = (selector, text) => all(selector).forEach((one) => (one.textContent = text));
	const create = (parent, name) => parent.appendChild(document.createElement(name));
	const form = (pairs) => "" + new URLSearchParams({ ...settings, ...pairs });
	const ask = async (name, options) => (await fetch(base + name, options)).json();
	const read = (pairs, paths = []) => ask("counts.json?" + form(pairs) + ["", ...paths.map(encodeURIComponent)].join("&p="));

	// One nonce a view: however often it arrives, it counts once.
	function hit(u) {
		sent = form({ u, r: referrer, n: Math.random(), w: screen.width, a: +navigator.webdriver, q: +quiet });
		referrer = u; // of the next view
		// A string goes as text/plain, which needs no preflight.
		return (quiet && navigator.sendBeacon(base + "hit", sent)) ||
			ask("hit", { method: "POST", body: sent, keepalive: true });
	}

	// A beacon that a policy forbids claims to be sent, so it is the policy that is listened to.
	document.addEventListener("securitypolicyviolation", (event) => {
		if (event.blockedURI === base + "hit")
			new Image().src = base + "hit.gif?" + sent;
	});

	// #thongke-off in the address, and until #thongke-on none of this browser's views is counted.
	function isOff() {
		let wish = location.hash;
		try {
			if (/^#thongke-o(n|ff)$/.test(wish))
				localStorage.thongke = wish;
			wish = localStorage.thongke;
		} catch {} // forbidden: the address alone decides
		return wish === "#thongke-off";
	}

	function fill(place, answer) {
		const section = place.querySelector("section");
		const list = place.querySelector("dl") || create(create(place, "section"), "dl");
		if (section) {
			section.lang = answer.lang || settings.lang || section.lang;
			section.setAttribute("aria-label", answer.title);
		}
		list.textContent = "";
		for (const row of answer.rows) {
			create(list, "dt").textContent = row.label;
			create(list, "dd").textContent = row.text;
		}
	}

	// A place that has been filled, by the site's own server too, is left as it is until there is something newer.
	function reserve() {
		for (const place of all(LISTS))
			if (!place.querySelector("dl"))
				fill(place, { rows: Array(+place.dataset.rows || 4).fill({ label: "\u00a0", text: DASH }) });
		write(NUMBERS + ":empty," + PAGES + ":empty", DASH);
		busuanzi({});
	}

	// The elements that themes for busuanzi and vercount have, by id or class.
	function busuanzi({ hits, visitors, page }) {
		if (settings.compat)
			for (const [name, numbers] of [["site_pv", hits], ["site_uv", visitors], ["page_pv", page?.hits]])
				for (const one of all(`[id$=_value_${name}],[class*=_value_${name}]`)) {
					one.textContent = numbers?.total;
					(one.closest("[id*=_container_],[class*=_container_]") || one).style.display = numbers ? "inline" : "none";
				}
	}

	const showRows = (answer) => answer.rows.forEach((row) => write(`[data-thongke-row=${row.row}]`, row.text));

	// What the answer lacks, other rows and pages, is asked for at once.
	async function showOthers(answer, u) {
		const names = all(NUMBERS).map((one) => one.dataset.thongkeRow)
			.filter((name) => !answer.rows.find((row) => row.row === name));
		const places = all(PAGES);
		if (names[0] || places[0]) {
			const others = await read({ rows: names }, places.map((one) => one.dataset.thongkePage || u));
			showRows(others);
			places.forEach((one, i) =>
				(one.textContent = others.pages[i].hits?.total?.toLocaleString(answer.lang || settings.lang) ?? DASH));
		}
	}

	async function view(u, counts) {
		try {
			// A frame comes only to a page that is seen: not prerendered, not hidden.
			do {
				await new Promise(requestAnimationFrame);
				reserve();
			} while (document.readyState === "loading");
			const link = document.querySelector("link[rel=canonical]")?.href;
			u = u || (link?.split("/")[2] === location.host ? link : location.href);
			const answer = await ((counts || settings.track !== "off") && !isOff() ? hit(u) : quiet || read({ u }));
			showRows(answer);
			all(LISTS).forEach((place) => fill(place, answer));
			busuanzi(answer);
			document.dispatchEvent(new CustomEvent("thongke", { detail: answer }));
			await showOthers(answer, u);
			return answer;
		} catch {}
	}

	const first = view();
	window.thongke = {
		ready: (done) => first.then((answer) => answer && done(answer)),
		hit: (u) => view(u, true),
		counts: (paths) => read({}, paths),
	};
	addEventListener("hashchange", isOff);
	addEventListener("pageshow", (event) => event.persisted && view());
	if (settings.spa != null) {
		let path = location.pathname;
		const moved = () => path !== (path = location.pathname) && view(location.href);
		addEventListener("popstate", moved);
		for (const name of ["pushState", "replaceState"]) {
			const change = history[name];
			history[name] = (...what) => (change.apply(history, what), moved());
		}
	}
})();
