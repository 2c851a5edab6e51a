-- SPDX-License-Identifier: BSD-2-Clause
-- Applies one delta exactly once: compares the journal positions, moves them, then counts. All or nothing up to the
-- moment the positions are written; Redis does not roll a script back, so they go first: that write is the one to
-- meet OOM, READONLY, MISCONF or NOPERM, before anything is done. Uses no clock.
--
-- KEYS[1]   the shard's positions (hash: stream -> "offset:rest")
-- KEYS[2]   what operators made the shard forget (hash; field ":": when, the newest of all; store/marks.h)
-- ARGV      the newest that the caller knows, count, then for each stream: name, expected offset, new value; then the number of days, and for each of
--           them (its keys follow in KEYS, in the order in which they are named here)
--   METRIC:YEAR, METRIC of hits, visits, visitors, bots; hours
--     month-day, week, month, year; hits, bots; number of hours, then hour and hits of each
--   tables: number of them, then for each: number of its keys, each key's most members and seconds to live (0: for
--     ever), number of members, then member and increment of each. Where there are pages they are the first table
--   seen, unique, pagevisits of the day, pagevisits
--     visit gap and how long a visitor is remembered (ms), how many are, since and until when one counts as online;
--     number of runs of hits, then of each: visitor, first and last hit (ms), nth page or 0. With a gap of 0 the caller
--     decides: a first of 1 begins a visit, nobody is remembered
--     seconds that seen, unique, pagevisits live; most members of both pagevisits
-- answers   {1, newest of KEYS[2], stored values...} when a position is not the expected one, or something was forgotten
--           that the caller does not know of and may have summed up: nothing was applied
--           {0, refused fields, the first refusal, then for each day: visitors online or -1, bots of the day, then of
--           hits, visits and visitors the day's, week's, month's, year's and total number; number of pages that visits
--           began with, then nth and visits of each}: applied; -1 is the value of a refused field

local call, try = redis.call, redis.pcall
local at = 3

local names, expected, moves = {}, {}, {}
for i = 1, tonumber(ARGV[2]) do
	names[i], expected[i] = ARGV[at], ARGV[at + 1]
	moves[2 * i - 1], moves[2 * i] = ARGV[at], ARGV[at + 2]
	at = at + 3
end

-- Offsets are compared as text: a double would lose digits past 2^53. A missing field means 0.
local stored = call('HMGET', KEYS[1], unpack(names))
local newest = try('HGET', KEYS[2], ':')
local poisoned = type(newest) == 'table'
newest = not poisoned and tonumber(newest or 0) or 0
local good = poisoned or newest == tonumber(ARGV[1])
for i = 1, #names do
	if (stored[i] or '0'):match('^[^:]*') ~= expected[i] then
		good = false
	end
end
if not good then
	return {1, string.format('%d', newest), unpack(stored, 1, #names)}
end

call('HSET', KEYS[1], unpack(moves))

local answer = {0, 0, ''}
local key = 2
local CHUNK = 2000 -- arguments that Lua passes at once; its stack takes 8,000

-- Redis writes a number of Lua's with 17 digits of a double, which takes longer than to add it.
local function integer(number)
	return string.format('%d', number)
end

local function next_key()
	key = key + 1
	return KEYS[key]
end

local function next_arg()
	at = at + 1
	return ARGV[at - 1]
end

local function next_number()
	return tonumber(next_arg())
end

-- The positions have moved: what Redis refuses now is reported, and never stops the rest.
local function taken(name, result, fields)
	if type(result) ~= 'table' or not result.err then
		return true
	end
	if answer[2] == 0 then
		answer[3] = name .. ': ' .. result.err
	end
	answer[2] = answer[2] + (fields or 1)
	return false
end

local function expire(name, seconds)
	if seconds ~= '0' then
		taken(name, try('EXPIRE', name, seconds))
	end
end

-- The new number, or -1 where it was refused. Nothing to add is nothing to refuse.
local function count(name, field, by)
	if by > 0 then
		local value = try('HINCRBY', name, field, by)
		return taken(name, value) and value or -1
	end
	local value = try('HGET', name, field)
	return type(value) ~= 'table' and tonumber(value or 0) or -1
end

local function count_hours(name)
	local any = false
	for _ = 1, next_number() do
		local hour, by = next_arg(), next_arg()
		any = taken(name, try('HINCRBY', name, hour, by)) or any
	end
	if any then
		expire(name, ARGV[at])
	end
	at = at + 1
end

-- Adds to many members at once. One that is there keeps its row; a new one finds room or is counted under "(other)".
local function count_members(name, cap, seconds, members, amounts, first, last)
	local scores = try('ZMSCORE', name, unpack(members, first, last))
	local held = try('ZCARD', name)
	if not (taken(name, scores, last - first + 1) and taken(name, held, 0)) then
		return
	end
	local rows, n, other = {}, 0, 0
	for i = first, last do
		local score = scores[i - first + 1]
		if not score and held >= cap then
			other = other + amounts[i]
		else
			held = score and held or held + 1
			rows[n + 1], rows[n + 2] = integer(tonumber(score or 0) + amounts[i]), members[i]
			n = n + 2
		end
	end
	if n > 0 then
		taken(name, try('ZADD', name, unpack(rows)), n / 2)
	end
	if other > 0 then
		taken(name, try('ZINCRBY', name, other, '(other)'))
	end
	expire(name, seconds)
end

local function count_table(name, cap, seconds, members, amounts)
	for first = 1, #members, CHUNK do
		count_members(name, cap, seconds, members, amounts, first, math.min(first + CHUNK - 1, #members))
	end
end

-- Returns the members, for whoever speaks of them by their place.
local function next_table()
	local keys = {}
	for i = 1, next_number() do
		keys[i] = {next_key(), next_number(), next_arg()}
	end
	local members, amounts = {}, {}
	for i = 1, next_number() do
		members[i], amounts[i] = next_arg(), next_number()
	end
	for _, one in ipairs(keys) do
		count_table(one[1], one[2], one[3], members, amounts)
	end
	return members
end

local function next_runs()
	local runs, ids = {}, {}
	for i = 1, next_number() do
		runs[i] = {id = next_arg(), first = next_number(), last = next_number(), page = next_number()}
		ids[i] = runs[i].id
	end
	return runs, ids
end

-- Which runs begin a visit: those of visitors who were not seen for `gap` before. A hit that is not newer than the last
-- one known does neither that nor move it back. Marks them, and returns who was not known, and what is to be remembered.
local function judge(runs, scores, gap, room)
	local latest, new, moved = {}, {}, {}
	for i, run in ipairs(runs) do
		local before = latest[run.id] or tonumber(scores[i])
		if gap == 0 then
			run.begins = run.first == 1
			new[#new + 1] = run.id
		elseif not before then
			new[#new + 1] = run.id
			if room > 0 then
				room = room - 1
				run.begins = true
				latest[run.id] = run.last
			end
		elseif run.last > before then
			run.begins = run.first - before >= gap
			latest[run.id] = run.last
		end
	end
	for id, last in pairs(latest) do
		moved[#moved + 1], moved[#moved + 2] = integer(last), id
	end
	return new, moved
end

-- How many visitors of the day are new to it. A HyperLogLog that has expired says less than is counted: nothing new.
local function count_distinct(name, seconds, new, year, field)
	if #new == 0 or not taken(name, try('PFADD', name, unpack(new))) then
		return 0
	end
	expire(name, seconds)
	local distinct, counted = try('PFCOUNT', name), try('HGET', year, field)
	if not (taken(name, distinct) and taken(year, counted)) then
		return 0
	end
	counted = tonumber(counted or 0)
	if not counted then
		taken(year, {err = 'ERR hash value is not an integer'})
		return 0
	end
	return math.max(0, distinct - counted)
end

local function count_visits(runs, pages)
	local visits, nths, members, amounts = 0, {}, {}, {}
	for _, run in ipairs(runs) do
		if run.begins then
			visits = visits + 1
			if run.page > 0 and not nths[run.page] then
				members[#members + 1] = pages[run.page]
				nths[run.page] = #members
			end
			if run.page > 0 then
				amounts[nths[run.page]] = (amounts[nths[run.page]] or 0) + 1
			end
		end
	end
	return visits, nths, members, amounts
end

-- Forgets who was not seen for too long before this delta's oldest hit. Asked first: whoever goes makes room, and none
-- of them could have been known to any of its hits.
local function forget(name, keep, runs)
	local oldest = math.huge
	for _, run in ipairs(runs) do
		oldest = math.min(oldest, run.first)
	end
	return taken(name, try('ZREMRANGEBYSCORE', name, '-inf', '(' .. oldest - keep))
end

-- When each of them was last seen, and how many are remembered; nothing where that was refused.
local function last_seen(name, keep, runs, ids)
	if not forget(name, keep, runs) then
		return nil
	end
	local scores, held = try('ZMSCORE', name, unpack(ids)), try('ZCARD', name)
	if taken(name, scores) and taken(name, held) then
		return scores, held
	end
end

local function remember(name, seconds, moved)
	if #moved > 0 then
		taken(name, try('ZADD', name, unpack(moved)))
		expire(name, seconds)
	end
end

-- Visits and new visitors of the day; `online` and the pages that visits began with wait for their place in the answer.
local function next_visitors(pages, year, field)
	local seen, unique, day_visits, all_visits = next_key(), next_key(), next_key(), next_key()
	local gap, keep, room, since, until_ = next_number(), next_number(), next_number(), next_arg(), next_arg()
	local runs, ids = next_runs()
	local seen_seconds, unique_seconds, table_seconds = next_arg(), next_arg(), next_arg()
	local day_cap, all_cap = next_number(), next_number()
	local scores, held = {}, 0
	if #ids > 0 and gap > 0 then
		scores, held = last_seen(seen, keep, runs, ids)
	end
	-- Where that was refused no visit can be told; who is distinct still can.
	local new, moved = ids, {}
	if scores then
		new, moved = judge(runs, scores, gap, room - held)
	end
	remember(seen, seen_seconds, moved)
	local growth = count_distinct(unique, unique_seconds, new, year, field)
	local visits, nths, members, amounts = count_visits(runs, pages)
	count_table(day_visits, day_cap, table_seconds, members, amounts)
	count_table(all_visits, all_cap, '0', members, amounts)
	local online = try('ZCOUNT', seen, since, until_)
	return visits, growth, taken(seen, online) and online or -1, nths, amounts
end

local function next_day()
	local metrics = {}
	for i = 1, 4 do
		metrics[i] = {next_key(), next_key()}
	end
	local hours = next_key()
	local day, fields = next_arg(), {next_arg(), next_arg(), next_arg(), 'all'}
	local amounts = {next_number(), 0, 0, next_number()}
	count_hours(hours)
	local pages
	for _ = 1, next_number() do
		local members = next_table()
		pages = pages or members
	end
	local online, nths, visits
	amounts[2], amounts[3], online, nths, visits = next_visitors(pages, metrics[3][1], day)
	answer[#answer + 1] = online
	local bots = #answer + 1
	answer[bots] = 0
	for i = 1, 4 do
		local of_day = count(metrics[i][1], day, amounts[i])
		local to = i < 4 and answer or {}
		to[#to + 1] = of_day
		for _, field in ipairs(fields) do
			to[#to + 1] = count(metrics[i][2], field, amounts[i])
		end
		answer[bots] = of_day
	end
	local counted = #answer + 1
	answer[counted] = 0
	for page, nth in pairs(nths) do
		answer[counted] = answer[counted] + 1
		answer[#answer + 1], answer[#answer + 2] = page, visits[nth]
	end
end

if poisoned then
	taken(KEYS[2], {err = 'it is no hash'})
end
if ARGV[at] then
	for _ = 1, next_number() do
		next_day()
	end
end

return answer
