-- SPDX-License-Identifier: BSD-2-Clause
-- Adds one piece of one key exactly once: compares the position of the stream that the piece comes from, moves it, then
-- adds. As in apply.lua the position goes first, because Redis does not roll a script back.
--
-- KEYS[1]   the shard's positions (hash: stream -> "offset:rest")
-- KEYS[2]   what the shard was made to forget
-- KEYS[3]   the key that is added to
-- KEYS[4]   a key of nobody's in the same shard, for a HyperLogLog on its way into another
-- ARGV      stream, expected offset, new value; field of a mark to be set ("": none) and its time (ms); seconds to live
--           (0: for ever); most members (of a table); "counts", "table", "latest", "visitors" or "none"; then
--           counts: field and increment of each; table: member and increment; latest: member and score, the later one
--           stays; visitors: a HyperLogLog
-- answers   {1, stored value} when the position is not the expected one: nothing was done
--           {0, refused commands, the first refusal}

local call, try = redis.call, redis.pcall
local stream, expected, new, mark, mark_ms = unpack(ARGV, 1, 5)
local seconds, cap, kind = tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8]
local FIRST = 9
local key = KEYS[3]

local stored = call('HGET', KEYS[1], stream)
if (stored or '0'):match('^[^:]*') ~= expected then
	return {1, stored}
end
call('HSET', KEYS[1], stream, new)

local answer = {0, 0, ''}

local function taken(result)
	if type(result) ~= 'table' or not result.err then
		return true
	end
	if answer[2] == 0 then
		answer[3] = key .. ': ' .. result.err
	end
	answer[2] = answer[2] + 1
	return false
end

if mark ~= '' then
	local newest = try('HGET', KEYS[2], ':')
	if taken(newest) then
		local ms = math.max(tonumber(mark_ms), tonumber(newest or 0) or 0)
		taken(try('HSET', KEYS[2], mark, mark_ms, ':', string.format('%d', ms)))
	end
end

local before = try('TTL', key)

local function add_counts()
	for i = FIRST, #ARGV, 2 do
		taken(try('HINCRBY', key, ARGV[i], ARGV[i + 1]))
	end
end

-- One that is there keeps its row; a new one finds room or is counted under "(other)".
local function add_table()
	local held = try('ZCARD', key)
	if not taken(held) then
		return
	end
	for i = FIRST, #ARGV, 2 do
		local member = ARGV[i]
		local known = try('ZSCORE', key, member)
		if not known and held >= cap and member ~= '(other)' then
			member = '(other)'
		elseif not known then
			held = held + 1
		end
		taken(try('ZINCRBY', key, ARGV[i + 1], member))
	end
end

local function add_latest()
	for i = FIRST, #ARGV, 2 do
		taken(try('ZADD', key, 'GT', ARGV[i + 1], ARGV[i]))
	end
end

local function add_visitors()
	if before == -2 then
		taken(try('SET', key, ARGV[FIRST]))
		return
	end
	taken(try('SET', KEYS[4], ARGV[FIRST]))
	taken(try('PFMERGE', key, KEYS[4]))
	taken(try('DEL', KEYS[4]))
end

local adders = {counts = add_counts, table = add_table, latest = add_latest, visitors = add_visitors}
if adders[kind] then
	adders[kind]()
	-- What was to live longer goes on doing so.
	if seconds > 0 and (before == -2 or (type(before) == 'number' and before >= 0 and before < seconds)) then
		taken(try('EXPIRE', key, seconds))
	end
end

return answer
