-- wrk's script: POST /checkout, two random lines, a fresh key each. Environment: SEED (a number), VARIANTS (how many there are).
local variants = tonumber(os.getenv("VARIANTS"))
math.randomseed(tonumber(os.getenv("SEED")))
local run, count = os.getenv("SEED"), 0
local buyer = '],"customer":{"name":"Eleni","phone":"+306912345678","email":"eleni@example.com"},'
  .. '"shipping_address":{"line1":"Ermou 1","city":"Athens","postal_code":"10563","country":"GR"}}'
local headers = { ["content-type"] = "application/json" }

local function line(number)
  return string.format('{"variant_id":"variant_00%024d","quantity":%d}', number % variants, math.random(3))
end

request = function()
  count = count + 1
  local first = math.random(variants)
  headers["idempotency-key"] = run .. "-" .. count
  local body = '{"lines":[' .. line(first) .. "," .. line(first + math.random(variants - 1)) .. buyer
  return wrk.format("POST", "/checkout", headers, body)
end
