import type { FluxoraCore } from '@fluxora/core';

import type { ChainClock } from './live/chain_clock.js';
import type { FeedSession } from './live/feed_session.js';
import type { Frames } from './live/frames.js';
import type { HealthWatch } from './live/health_watch.js';
import type { Service } from './live/service.js';
import type { StreamBook } from './live/stream_book.js';
import type { Vitals } from './live/vitals.js';

/** What every panel is made from. */
export interface App {
  readonly core: FluxoraCore;
  /** The service's REST answers. */
  readonly service: Service;
  /** All streams, kept by the feed, and their balances at the second that is shown. */
  readonly streams: StreamBook;
  readonly feed: FeedSession;
  readonly clock: ChainClock;
  readonly frames: Frames;
  readonly health: HealthWatch;
  /** What the last minutes were like. */
  readonly vitals: Vitals;
  /** Says something to screen readers, calmly: of several things at once the last. */
  announce(text: string): void;
  /** Shows another panel: `go('streams', id)`. */
  go(...path: string[]): void;
}

/** A panel that is in the page as long as it is shown. */
export interface Panel {
  readonly element: HTMLElement;
  /** The page's title while it is shown; it may change with `show`. */
  readonly title: string;
  /** Comes into the page, or is asked for another thing: what follows the panel's name in the address. */
  show(path: readonly string[]): void;
  /** Leaves the page: nothing of it draws any more. What it holds may stay for the next time. */
  hide(): void;
}

/** What a panel's module exports as `create`. */
export type CreatePanel = (app: App) => Panel;
