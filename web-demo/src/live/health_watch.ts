import type { ChainClock } from './chain_clock.js';
import { Listeners } from './listeners.js';
import { ServiceError, type Service } from './service.js';

const EVERY_MS = 10_000;
/** Where there was no answer. */
const AGAIN_MS = 4_000;

/** SPEC section 10, as far as the page reads it. */
export interface Health {
  service: 'fluxora';
  status: 'ok' | 'degraded' | 'shutting_down';
  version: string;
  timestamp: string;
  /** Null before the network is known, and where no chain is followed. */
  network: string | null;
  wsConnections: number;
  indexer: {
    status: 'healthy' | 'starting' | 'stalled' | 'halted' | 'not_configured';
    /** Since the last successful look at the chain. */
    lagMs: number;
    thresholdMs: number;
    lastSuccessfulSyncAt: string | null;
    summary: string;
    clientImpact: 'none' | 'stale_chain_state';
    operatorAction: 'none' | 'observe' | 'page';
    lastLedger: number;
    lastSafeLedger: number;
    reorgDetected: boolean;
  };
  dependencies: Record<'postgres' | 'redis' | 'rpc' | 'horizon', 'healthy' | 'unhealthy' | 'not_configured'>;
}

/** Asks for the service's health now and then, and sets the chain's clock by the server's. */
export class HealthWatch {
  /** Null where there was no answer. */
  readonly onHealth = new Listeners<Health | null>();
  readonly #service: Service;
  readonly #clock: ChainClock;
  #latest: Health | null = null;
  #known: { health: Health; at: number } | null = null;
  #looking: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(service: Service, clock: ChainClock) {
    this.#service = service;
    this.#clock = clock;
  }

  /** Null where there was no answer, or none yet. */
  get latest(): Health | null { return this.#latest; }
  /** The last answer that there was, and when it came (milliseconds since the epoch). */
  get known(): { readonly health: Health; readonly at: number } | null { return this.#known; }

  /** Asks now, once for several who want to know at the same time, and from then on every so often. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
      this.#lookLater();
    });
    return this.#looking;
  }

  #lookLater(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (document.hidden) this.#lookLater();
      else void this.look();
    }, this.#latest === null ? AGAIN_MS : EVERY_MS);
  }

  async #look(): Promise<void> {
    try {
      const health = await this.#service.json<Health>('health', { accepted: [503] });
      // What stands before a service may answer for it.
      if (health?.service !== 'fluxora') throw new ServiceError('The answer isn’t the service’s.', 0);
      this.#clock.observeServer(Date.parse(health.timestamp));
      this.#latest = health;
      this.#known = { health, at: Date.now() };
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      this.#latest = null;
    }
    this.onHealth.tell(this.#latest);
  }
}
