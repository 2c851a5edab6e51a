-- SPDX-License-Identifier: BSD-2-Clause
-- A mutant of daemon/store/apply.lua, for tests alone: the positions are written after the counters. When that write
-- is refused (a permission, say), the hits are counted but the positions still stand before them: counted again.
--
-- KEYS[1]   the shard's positions (hash: stream -> "offset:rest")
-- KEYS[2..] what is counted, each described by a group in ARGV
-- ARGV      count, then for each stream: name, expected offset, new value
--           then for each of KEYS[2..]: "v" (hash, values are answered), "h" (hash) or "z" (capped zset),
--           seconds to live (0: for ever), for "z" the most members, number of fields, then field and increment of each
-- answers   {1, stored values...} when a position is not the expected one: nothing was applied
--           {0, refused fields, the first refusal, values...}: applied; -1 is the value of a refused field

local call, try = redis.call, redis.pcall
local at = 2

local names, expected, moves = {}, {}, {}
for i = 1, tonumber(ARGV[1]) do
	names[i], expected[i] = ARGV[at], ARGV[at + 1]
	moves[2 * i - 1], moves[2 * i] = ARGV[at], ARGV[at + 2]
	at = at + 3
end

-- Offsets are compared as text: a double would lose digits past 2^53. A missing field means 0.
local stored = call('HMGET', KEYS[1], unpack(names))
for i = 1, #names do
	if (stored[i] or '0'):match('^[^:]*') ~= expected[i] then
		return {1, unpack(stored, 1, #names)}
	end
end

local answer = {0, 0, ''}

-- A field that Redis refuses now is reported, and never stops the others.
local function taken(key, result)
	if type(result) ~= 'table' then
		return true
	end
	answer[2] = answer[2] + 1
	if answer[2] == 1 then
		answer[3] = key .. ': ' .. (result.err or 'refused')
	end
	return false
end

local function count_fields(key, first, last, answered)
	local any = false
	for i = first, last, 2 do
		local value = try('HINCRBY', key, ARGV[i], ARGV[i + 1])
		local ok = taken(key, value)
		any = any or ok
		if answered then
			answer[#answer + 1] = ok and value or -1
		end
	end
	return any
end

-- A member that is there keeps its row; a new one finds room or is counted under "(other)".
local function count_members(key, first, last, cap)
	local any = false
	local held = try('ZCARD', key)
	held = type(held) == 'number' and held or 0
	local roomy = held + (last - first + 1) / 2 <= cap
	for i = first, last, 2 do
		local member, by = ARGV[i], ARGV[i + 1]
		local result = not roomy and try('ZADD', key, 'XX', 'INCR', by, member)
		if not result then
			if not roomy and held >= cap then
				member = '(other)'
			end
			held = held + 1
			result = try('ZINCRBY', key, by, member)
		end
		any = taken(key, result) or any
	end
	return any
end

for k = 2, #KEYS do
	local key, kind, seconds = KEYS[k], ARGV[at], ARGV[at + 1]
	local cap = 0
	at = at + 2
	if kind == 'z' then
		cap = tonumber(ARGV[at])
		at = at + 1
	end
	local first, last = at + 1, at + 2 * tonumber(ARGV[at])
	at = last + 1
	local any
	if kind == 'z' then
		any = count_members(key, first, last, cap)
	else
		any = count_fields(key, first, last, kind == 'v')
	end
	if any and seconds ~= '0' then
		taken(key, try('EXPIRE', key, seconds))
	end
end

call('HSET', KEYS[1], unpack(moves))

return answer
