-- SPDX-License-Identifier: BSD-2-Clause
-- Brings numbers that another counter counted: of each, only what is more than was brought before. So the same numbers can
-- be brought again at any time, also after a reply that was lost, and grown ones count by their growth.
--
-- KEYS[1]   what was brought (hash: field -> number); then the keys of the targets, in the order in which they are named
-- ARGV      number of rows, then for each: field, number, metric (1 hits, 2 visits, 3 visitors, 4 bots; 0: a page's, which
--           is part of the site's), number of targets, and of each its kind (h: a hash, z: a sorted set) and its field
-- answers   {rows that were more, refused fields, the first refusal, what was added of each metric}

local key, at = 1, 1
local answer = {0, 0, '', 0, 0, 0, 0}

local function next_arg()
	at = at + 1
	return ARGV[at - 1]
end

-- The number was noted as brought: what Redis refuses now is reported, and never stops the rest.
local function increment(kind, name, field, by)
	local result
	if kind == 'h' then
		result = redis.pcall('HINCRBY', name, field, by)
	else
		result = redis.pcall('ZINCRBY', name, by, field)
	end
	if type(result) == 'table' and result.err then
		if answer[2] == 0 then
			answer[3] = name .. ': ' .. result.err
		end
		answer[2] = answer[2] + 1
	end
end

for _ = 1, tonumber(next_arg()) do
	local field, number, metric = next_arg(), tonumber(next_arg()), tonumber(next_arg())
	local by = number - tonumber(redis.call('HGET', KEYS[1], field) or 0)
	if by > 0 then
		redis.call('HSET', KEYS[1], field, string.format('%d', number))
		answer[1] = answer[1] + 1
		if metric > 0 then
			answer[3 + metric] = answer[3 + metric] + by
		end
	end
	for _ = 1, tonumber(next_arg()) do
		local kind, target = next_arg(), next_arg()
		key = key + 1
		if by > 0 then
			increment(kind, KEYS[key], target, string.format('%d', by))
		end
	end
end

return answer
