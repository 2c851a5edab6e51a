// SPDX-License-Identifier: BSD-2-Clause
// conf/bots.txt against user agents that others collected (the npm package crawler-user-agents) and people's, beside
// the npm package isbot. Half of the bots is held out: nobody looks at them while writing the list, so of those only
// rates are ever shown, and they say how the list does with bots that it was not written for.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import test from "node:test";
import { isbot } from "isbot";

const here = (path) => new URL(path, import.meta.url).pathname;
const agents = process.env.AGENTS ?? here("../../build/developer/tests/agents");
const RECALL = 0.98, FALSE_POSITIVES = 0.005;

/** The name of each user agent's bot; "" for people. */
function namesByOurs(texts) {
	const ran = spawnSync(agents, [here("../../conf/bots.txt")], { input: texts.join("\n") + "\n", maxBuffer: 1 << 28 });
	assert.equal(ran.status, 0, `${agents}: ${ran.error ?? ran.stderr}`);
	const names = ran.stdout.toString().trimEnd().split("\n").map((line) => line.split("\t")[0]);
	assert.equal(names.length, texts.length);
	return names;
}

const crawlers = createRequire(import.meta.url)("crawler-user-agents");
const bots = [...new Set(crawlers.flatMap(({ instances }) => instances))].filter((text) => text && !/[\r\n]/.test(text));
const people = readFileSync(here("browsers.txt"), "utf8").split("\n").filter((line) => line && !line.startsWith("#"));
const isHeldOut = (text) => createHash("sha256").update(text).digest()[0] >= 128;

const CORPORA = [
	{ name: "bots, seen", texts: bots.filter((text) => !isHeldOut(text)), bots: true },
	{ name: "bots, held out", texts: bots.filter(isHeldOut), bots: true, secret: true },
	{ name: "people", texts: people },
];

for (const corpus of CORPORA)
	test(`${corpus.name}: ${corpus.texts.length} user agents`, (t) => {
		const names = namesByOurs(corpus.texts), all = corpus.texts.length;
		const ours = names.filter(Boolean).length / all, theirs = corpus.texts.filter((text) => isbot(text)).length / all;
		const percent = (rate) => `${(rate * 100).toFixed(2)} %`;
		t.diagnostic(`taken for bots by ours ${percent(ours)}, by isbot ${percent(theirs)}`);
		const wrong = corpus.texts.flatMap((text, i) => Boolean(names[i]) === Boolean(corpus.bots) ? [] : [`${names[i]}\t${text}`]);
		const shown = corpus.secret ? "" : `:\n${wrong.slice(0, 100).join("\n")}`;
		assert.ok(all >= 400, "hardly any user agents: this test looks in the wrong place");
		assert.ok(corpus.bots ? ours >= RECALL : ours <= FALSE_POSITIVES, `${percent(ours)} taken for bots${shown}`);
	});
