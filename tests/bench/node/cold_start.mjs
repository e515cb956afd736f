// A fresh process: from the module's bytes, and from a compiled module, to the first verdict; then the same for fresh
// instances, as an edge's next isolate or a page's next worker makes them. Prints times in nanoseconds.
// `node cold_start.mjs LOADER MODULE`
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [loader, wasm] = process.argv.slice(2);
const { fromModule } = await import(pathToFileURL(loader));
const bytes = readFileSync(wasm);

// The Standard Webhooks specification's own example.
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const delivery = {
  headers: {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  },
  body: '{"test": 2432232314}',
  now: 1614265330,
};

function firstVerdict(module) {
  const { code } = fromModule(module).webhooks.verifier(secret).verify(delivery);
  if (code !== 'ok') throw new Error(code);
}

const start = process.hrtime.bigint();
const module = new WebAssembly.Module(bytes);
const compiled = process.hrtime.bigint();
firstVerdict(module);
const end = process.hrtime.bigint();
const INSTANCES = 50;
const freshInstances = Array.from({ length: INSTANCES }, () => {
  const begin = process.hrtime.bigint();
  firstVerdict(module);
  return Number(process.hrtime.bigint() - begin);
});
console.log(JSON.stringify({ fromBytes: Number(end - start), fromModule: Number(end - compiled), freshInstances }));
