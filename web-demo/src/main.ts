import './page.css';

import { load } from '@fluxora/core';

import type { App } from './app.js';
import { keepBook } from './live/book_keeping.js';
import { ChainClock } from './live/chain_clock.js';
import { FeedSession } from './live/feed_session.js';
import { Frames } from './live/frames.js';
import { HealthWatch } from './live/health_watch.js';
import { Service } from './live/service.js';
import { StreamBook } from './live/stream_book.js';
import { Vitals } from './live/vitals.js';
import { createAnnouncer } from './shell/announcer.js';
import { Router } from './shell/router.js';
import { watchFaults } from './shell/faults.js';
import { followStatus, hurryBack } from './shell/status_bar.js';

/** The server's clock comes with its health; one that is slow to come doesn't hold up the streams. */
const CLOCK_PATIENCE_MS = 2_000;

async function start(): Promise<void> {
  // The core as anybody gets it: one call, then everything is synchronous.
  const core = await load();
  const service = new Service(new URL('..', document.baseURI));
  const clock = new ChainClock();
  const streams = new StreamBook(core);
  const feed = new FeedSession(core, service);
  const frames = new Frames(clock, streams);
  const health = new HealthWatch(service, clock);
  const vitals = new Vitals(feed, health);
  const announce = createAnnouncer();
  const app: App = {
    core, service, clock, streams, feed, frames, health, vitals, announce, go: (...path) => router.go(path),
  };
  const router = new Router(app);

  watchFaults(announce);
  keepBook(feed, streams, clock, announce);
  followStatus(app);
  hurryBack(app);
  await router.start();
  await Promise.race([health.look(), new Promise((done) => { setTimeout(done, CLOCK_PATIENCE_MS); })]);
  feed.start();
  frames.start();
}

try {
  await start();
} catch (error) {
  const why = document.getElementById('unstarted-why');
  if (why !== null) why.textContent = error instanceof Error ? error.message : String(error);
  document.body.dataset.failed = '';
  throw error;
}
