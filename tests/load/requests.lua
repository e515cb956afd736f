-- What wrk sends. Arguments:
--   get PATH   the same again and again
--   streams N  one of N streams, by chance
--   create     a creation, the same terms each time
--   mixed N    in ten: eight times one of N streams, a list, a health check
-- At its end it prints one line of JSON, behind "figures ".

local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set('seed', threads)
end

local function stream(n)
  return wrk.format('GET', string.format('/api/streams/api-00000000-0000-7000-8000-%012d', n))
end

local function streams(count)
  local texts = {}
  for n = 1, count do
    texts[n] = stream(n)
  end
  return texts
end

local kinds = {}

function kinds.get(path)
  local text = wrk.format('GET', path)
  return function() return text end
end

function kinds.streams(count)
  local texts = streams(tonumber(count))
  return function() return texts[math.random(#texts)] end
end

function kinds.create()
  local body = '{"sender":"GBKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKK3J",'
    .. '"recipient":"GDXO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO5I2I",'
    .. '"depositAmount":"1000","ratePerSecond":"0.5"}'
  local text = wrk.format('POST', '/api/streams', { ['Content-Type'] = 'application/json' }, body)
  return function() return text end
end

function kinds.mixed(count)
  local texts = streams(tonumber(count))
  local others = { [8] = wrk.format('GET', '/api/streams?limit=20'), [9] = wrk.format('GET', '/health') }
  local sent = 0
  return function()
    sent = sent + 1
    return others[sent % 10] or texts[math.random(#texts)]
  end
end

function init(arguments)
  math.randomseed(seed)
  request = kinds[arguments[1]](arguments[2])
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'figures {"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"errors":{"connect":%d,"read":%d,"write":%d,"timeout":%d,"status":%d}}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect, errors.read, errors.write, errors.timeout, errors.status))
end
