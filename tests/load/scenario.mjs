// Runs one scenario against a server and writes the report. scripts/load scenario calls it; its options are in
// scenario/options.mjs. It ends with status 0 where all is met, 1 where not, 2 where an option is wrong.
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { dirname } from 'node:path';

import { endAll } from '../integration/harness/ownership.js';
import { seqOf } from '../integration/harness/ws_client.js';
import { openLoop } from './scenario/arrivals.mjs';
import { agreementChecks, answerChecks, databaseChecks, endChecks, orderChecks } from './scenario/checks.mjs';
import { Client } from './scenario/client.mjs';
import { Follower, followerKinds } from './scenario/followers.mjs';
import { Mix, weightsOf } from './scenario/mix.mjs';
import { UnusableServer, withOptions } from './scenario/options.mjs';
import { page } from './scenario/page.mjs';
import { overloadRate, planFor } from './scenario/plans.mjs';
import { Random } from './scenario/random.mjs';
import { Receiver } from './scenario/receiver.mjs';
import { Pairs, Recorder } from './scenario/recorder.mjs';
import { Sampler } from './scenario/samples.mjs';
import { startTarget } from './scenario/target.mjs';
import { brokenLimit, flatnessVerdicts, loadVerdicts, stressVerdicts } from './scenario/verdicts.mjs';
import { World } from './scenario/world.mjs';

const FIRST_AT_ONCE = 20;
/** Of a client that writes as if it were alone, in an overload. */
const GREEDY_RATE = 40;

class Run {
  constructor(options) {
    this.options = options;
    this.plan = planFor(options);
    this.expectedSeconds = this.plan.phases.reduce((sum, { seconds }) => sum + seconds, 0);
    this.random = new Random(options.seed);
    this.recorder = new Recorder(this.expectedSeconds);
    this.world = new World(this.random);
    /** The step of the staircase that broke a limit. */
    this.broken = null;
    this.begun = new Date().toISOString();
  }

  async prepare() {
    const { options, plan, random, recorder, world } = this;
    this.target = await startTarget(options);
    this.client = new Client(this.target.url, { headers: this.target.headers, connections: plan.connections });
    const feed = new Pairs((lag) => recorder.lag('feed', lag));
    const webhook = new Pairs((lag) => recorder.lag('webhook', lag));
    this.mix = new Mix({
      client: this.client,
      world,
      recorder,
      random,
      weights: weightsOf(options, Math.max(...plan.phases.map(({ rate }) => rate))),
      heavy: options.scenario === 'stress',
      manyClients: this.target.own,
      onCreated: (id, due) => {
        feed.begin(id, due);
        if (plan.endpoints > 0) webhook.begin(id, due);
      },
      run: `${Date.now().toString(36)}`,
    });
    recorder.enter({ name: 'preparation', rate: 0, seconds: 0, apart: true });
    const list = await this.client.send({ path: '/api/streams?limit=100' });
    if (list.outcome !== 'ok') throw new UnusableServer(`GET /api/streams of ${this.target.url}: ${list.trouble}`);
    Object.assign(world, this.target.parties(list.json.streams));
    for (const { id } of list.json.streams) world.streams.add(id);
    if (this.target.own) await this.#makeFirstStreams();
    if (world.streams.size === 0 || world.recipients.length === 0)
      throw new UnusableServer(`${this.target.url} has no streams to ask for`);
    if (options.writes && world.senders.length === 0)
      throw new UnusableServer(`${this.target.url} has no senders that aren't recipients too`);

    await this.#listen(feed, webhook);
    await this.mix.sendEach();
    this.sampler = new Sampler(this.target, recorder, this.expectedSeconds);
    this.sampler.start();
  }

  async #makeFirstStreams() {
    for (let made = 0; made < this.plan.streams; made += FIRST_AT_ONCE) {
      await Promise.all(Array.from({ length: FIRST_AT_ONCE }, () => this.mix.create(performance.now())));
    }
    await this.mix.settled();
  }

  /** Followers from the present position on, and endpoints of webhooks. */
  async #listen(feed, webhook) {
    const { plan, target, world } = this;
    const { headers } = await this.client.send({ path: '/api/streams?limit=1' });
    const cursor = String(headers['x-fluxora-cursor']);
    world.cursors.add(cursor);
    this.receiver = await Receiver.start((entry, path) => {
      if (path === '/1' && entry.event === 'stream.created') webhook.arrive(entry.streamId);
    });
    for (let n = 1; n <= plan.endpoints; n += 1) {
      const { secret } = await target.makeEndpoint(this.receiver.url(`/${n}`));
      this.receiver.trust(
        `/${n}`,
        secret,
        seqOf(String((await this.client.send({ path: '/api/streams?limit=1' })).headers['x-fluxora-cursor'])),
      );
    }
    const kinds = followerKinds(plan.followers, world.followed);
    this.followers = kinds.map(
      (kind, index) =>
        new Follower(target.url, kind, cursor, (entry) => {
          if (index > 0) return;
          // What the steadiest one hears is the news.
          world.cursors.add(entry.cursor);
          if (entry.event === 'stream.created') feed.arrive(entry.streamId);
        }),
    );
    for (const follower of this.followers) follower.start();
  }

  async load() {
    for (const phase of this.plan.phases) {
      // A staircase ends where something gave; nothing is overloaded where nothing did.
      if (phase.step && this.broken !== null) continue;
      const rate = phase.overload ? overloadRate(this.broken?.rate ?? this.#highestStep()) : phase.rate;
      await this.#phase({ ...phase, rate });
    }
    await this.mix.settled();
  }

  #highestStep() {
    return Math.max(...this.plan.phases.filter(({ step }) => step).map(({ rate }) => rate));
  }

  async #phase(phase) {
    const { mix, recorder, random } = this;
    recorder.enter(phase);
    console.error(`${phase.name}: ${phase.rate} requests a second for ${phase.seconds} s`);
    const unsent = () => recorder.unsent();
    const loops = [
      openLoop({ ...phase, random, send: (due) => mix.send(due), unsent, late: (ms) => recorder.late(ms) }),
    ];
    if (phase.overload)
      loops.push(openLoop({ ...phase, rate: GREEDY_RATE, random, send: (due) => mix.sendGreedily(due), unsent }));
    await Promise.all(loops);
    if (!phase.step) return;
    const why = brokenLimit(recorder.phase.tally.figures(), this.plan.limits);
    if (why !== '') this.broken = { rate: phase.rate, why };
  }

  async finish() {
    const { target, followers, receiver, world, sampler, options, plan, recorder } = this;
    await sampler.stop();
    const checks = [
      ...answerChecks(world),
      ...(target.own ? await databaseChecks({ target, world, followers, receiver }) : await agreementChecks(followers)),
      ...orderChecks(followers),
    ];
    await Promise.all(followers.map((follower) => follower.stop()));
    await this.client.close();
    if (target.own) checks.push(...endChecks(target, await target.stop()));
    const figures = recorder.figures();
    const verdicts =
      options.scenario === 'stress'
        ? stressVerdicts(figures, { limits: plan.limits, broken: this.broken })
        : loadVerdicts(plan.limits, figures, sampler.samples);
    if (plan.flat) verdicts.push(...flatnessVerdicts(sampler.samples, sampler.tables));
    return {
      scenario: options.scenario,
      met: [...verdicts, ...checks].every(({ met }) => met),
      begun: this.begun,
      seconds: recorder.seconds(),
      seed: options.seed,
      target: target.own ? 'A server of the scenario’s own' : target.url,
      machine: `${cpus()[0].model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node.js ${process.versions.node}`,
      verdicts,
      checks,
      figures,
      followers: followerFigures(followers, receiver),
      sampleEverySeconds: sampler.everySeconds,
      samplesMissed: sampler.missed,
      samples: sampler.samples,
      tables: sampler.tables,
    };
  }
}

/** @param {Follower[]} followers @param {Receiver} receiver */
function followerFigures(followers, receiver) {
  const sum = (name) => followers.reduce((total, follower) => total + follower[name], 0);
  const endpoints = [...receiver.endpoints.values()];
  const received = endpoints.reduce((total, endpoint) => total + endpoint.received, 0);
  const repeated = endpoints.reduce((total, endpoint) => total + endpoint.repeated, 0);
  const figures = {
    followers: followers.length,
    connections: sum('connections'),
    entries: sum('entries'),
    closedAsSlow: sum('closedAsSlow'),
    cut: sum('cut'),
    refused: sum('refused'),
    webhooks: received,
    webhooksRepeated: repeated,
  };
  return {
    ...figures,
    text:
      `${figures.followers} followers opened ${figures.connections} connections and were told of ${figures.entries} entries; ${figures.closedAsSlow} connections were ` +
      `closed because their clients read too slowly, ${figures.cut} ended otherwise without the client, ${figures.refused} were refused. ` +
      `${endpoints.length} endpoints got ${received} webhooks, ${repeated} of them again.`,
  };
}

/** @param {any} result */
function print({ verdicts, checks, met }) {
  for (const { name, limit, value, met: kept } of verdicts)
    console.log(`${kept ? 'met   ' : 'MISSED'}  ${name}: ${value}${limit === '' ? '' : ` (${limit})`}`);
  for (const { name, expected, found, met: kept } of checks)
    console.log(`${kept ? 'met   ' : 'MISSED'}  ${name}: ${found}${kept ? '' : `, not ${expected}`}`);
  console.log(met ? 'All is met.' : 'Not all is met.');
}

await withOptions(async (options) => {
  const run = new Run(options);
  try {
    await run.prepare();
    await run.load();
    const result = await run.finish();
    print(result);
    mkdirSync(dirname(options.report), { recursive: true });
    writeFileSync(options.report, page(result));
    const json = `${options.report.replace(/\.html$/, '')}.json`;
    writeFileSync(json, `${JSON.stringify(result, null, 1)}\n`);
    console.log(`The report: ${options.report}; its figures: ${json}`);
    if (!result.met) process.exitCode = 1;
  } finally {
    await endAll();
    run.target?.dispose();
  }
});
