// More to begin with, where the outside vectors are: node vector_seeds.mjs VECTORS FOLDER writes into FOLDER/TARGET/.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

// So many of each: a corpus is to be read again at every start.
const SEEDS_MAX = 200;

const [vectors, folder] = process.argv.slice(2);

function lines(file) {
  const path = join(vectors, file);
  if (!existsSync(path)) return [];
  const all = readFileSync(path, 'utf8').split('\n').filter((line) => line.trim() !== '');
  const step = Math.max(1, Math.floor(all.length / SEEDS_MAX));
  return all.filter((_, i) => i % step === 0).map((line) => JSON.parse(line));
}

function write(target, seeds) {
  mkdirSync(join(folder, target), { recursive: true });
  for (const seed of seeds) {
    writeFileSync(join(folder, target, createHash('sha256').update(seed).digest('hex').slice(0, 16)), seed);
  }
}

const xdr = (base64) => Buffer.from(base64, 'base64');

/** A vec of the topics and, last, the value, as contract_event_fuzz.cpp reads it. */
function event({ topic, value }) {
  const head = Buffer.from([0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, topic.length + 1]);
  return Buffer.concat([head, ...topic.map(xdr), xdr(value)]);
}

write('decimal', lines('decimal/fixed7_i128.jsonl').flatMap(({ text, fixed7, units }) =>
  [text, fixed7, units].filter((seed) => typeof seed === 'string')));
write('scval', ['generated_scvals', 'invalid_scvals', 'real_pubnet_scvals'].flatMap((name) =>
  lines(`scval/${name}.jsonl`).filter(({ base64 }) => base64 !== undefined).map(({ base64 }) => xdr(base64))));
write('contract_event', ['generated_events', 'host_events'].flatMap((name) =>
  lines(`contract-events/${name}.jsonl`).filter(({ topic }) => Array.isArray(topic)).map(event)));
const strkeys = join(vectors, 'strkey/strkey_vectors.json');
if (existsSync(strkeys)) {
  const cases = Object.values(JSON.parse(readFileSync(strkeys, 'utf8'))).filter(Array.isArray).flat();
  write('strkey', cases.map(({ strkey }) => strkey).filter((text) => typeof text === 'string').slice(0, SEEDS_MAX));
}
