// SPDX-License-Identifier: BSD-2-Clause
// Counts one view of the page that embeds it and shows the counts. Words and number formats come from the daemon.
// Never throws, sets no cookie, keeps nothing but a visitor's own wish; where nothing answers a dash stays. Settings,
// attributes and functions are described in README.md; that it stays within 1,300 bytes is tested.
window.thongke?.hit || (() => {
	const DASH = "\u2013";
	const script = document.currentScript;
	const dataset = script.dataset;
	const quiet = dataset.show === "off";
	const base = new URL(".", script.src);
	let from = document.referrer; // of the next view

	// One number anywhere. Returns the names that are not among `rows`, each with a comma.
	const showNumbers = (rows) => each("[data-thongke-row]", (one) => {
		const name = one.dataset.thongkeRow;
		const found = rows?.find((row) => row.row === name);
		one.textContent = found?.text || one.textContent || DASH;
		return found ? "" : name + ",";
	}).join("");

	// The nonce makes a view count once however often it arrives. The page says where it and its visitor come from, for
	// its Referrer-Policy may keep browsers from it.
	const hit = (u) => {
		const url = address("hit", { u, r: from, n: Math.random(), w: screen.width, a: +navigator.webdriver, q: +quiet });
		from = u;
		return (quiet && navigator.sendBeacon(url)) || ask(url);
	};

	// The settings are sent along as they are: the daemon knows those that are its own.
	const address = (name, pairs) => base + name + "?" + new URLSearchParams({ ...dataset, ...pairs });

	// Without rows: reserves the place of those to come, unless the site's own server has filled it.
	const show = (answer) => {
		each(".thongke,[data-thongke]", (place) => {
			let list = place.querySelector("dl");
			if (answer.rows || !list) {
				list ||= create(create(place, "section"), "dl");
				list.parentNode.lang ||= answer.lang || "";
				list.parentNode.ariaLabel = answer.title;
				list.textContent = "";
				(answer.rows || Array(+place.dataset.rows || 4).fill({ label: "\u00a0", text: DASH })).map((row) => {
					create(list, "dt").textContent = row.label;
					create(list, "dd").textContent = row.text;
				});
			}
		});
		// The elements that themes for busuanzi and vercount have, by id or class: hidden until they are filled.
		const busuanzi = (name, numbers) => each("[id*=_" + name + "],[class*=_" + name + "]", (one) => {
			if (/value/.test(one.id + one.className))
				one.textContent = numbers?.total;
			one.style.display = numbers ? "inline" : "none";
		});
		if (/busuanzi/.test(script.src + dataset.compat)) {
			busuanzi("site_pv", answer.hits);
			busuanzi("site_uv", answer.visitors);
			busuanzi("page_pv", answer.page?.hits);
		}
		return showNumbers(answer.rows);
	};

	// #thongke-off in the address, and until #thongke-on none of this browser's views is counted.
	const isOff = () => {
		try {
			if (/#thongke-o/.test(location.hash))
				localStorage.thongke = location.hash;
			return localStorage.thongke === "#thongke-off";
		} catch {} // forbidden: then nothing was wished
	};
	const create = (parent, name) => parent.appendChild(document.createElement(name));

	const view = async (u, counts = dataset.track !== "off") => {
		try {
			// A frame comes only to a page that is seen: not prerendered, not hidden.
			do {
				await new Promise(requestAnimationFrame);
				quiet || show({});
			} while (document.readyState === "loading");
			const link = document.querySelector("link[rel=canonical]");
			u ||= (link?.href.split("/")[2] === location.host ? link : location).href;
			const answer = await (counts && !isOff() ? hit(u) : quiet || read([], { u }));
			if (quiet)
				return;
			const names = show(answer);
			dispatchEvent(new CustomEvent("thongke", { detail: answer }));
			// What the answer lacks, other rows and pages, is asked for at once; a list of rows is never empty.
			const paths = each("[data-thongke-page]", (one) => one.dataset.thongkePage || u);
			if (names || paths[0]) {
				const others = await read(paths, { rows: names + "today" });
				showNumbers(others.rows);
				each("[data-thongke-page]", (one, i) => (one.textContent = others.pages[i].hits.total ?? DASH));
			}
			return answer;
		} catch {} // nothing answers
	};

	const read = (paths, pairs) => ask(address("counts.json", pairs) + "&" + new URLSearchParams(paths.map((p) => ["p", p])));
	const ask = (url) => fetch(url, { keepalive: true }).then((answer) => answer.json());
	const each = (selector, what) => Array.from(document.querySelectorAll(selector), what);

	const first = window.thongke = view();
	first.hit = (u) => view(u, true);
	first.ready = first.then;
	first.counts = read;

	addEventListener("pageshow", (event) => event.persisted && view());
	addEventListener("hashchange", isOff);

	// A beacon that a policy forbids claims to be sent, so it is the policy that is listened to.
	addEventListener("securitypolicyviolation", (event) => {
		const query = event.blockedURI.split(base + "hit?")[1];
		if (query)
			new Image().src = base + "hit.gif?" + query;
	});

	if ("spa" in dataset) {
		let path = location.pathname;
		const moved = () => path !== (path = location.pathname) && view(location.href);
		addEventListener("popstate", moved);
		["pushState", "replaceState"].map((name) => {
			const change = history[name];
			history[name] = (...what) => moved(change.apply(history, what));
		});
	}
})();
