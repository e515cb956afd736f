// A Horizon of a simulated chain, as far as its root document goes. On the loopback interface only.
import { createServer } from 'node:http';

export class Horizon {
  /** @param {import('./simulator.js').Simulator} simulator whose network it is of */
  constructor(simulator) {
    this.simulator = simulator;
    /** Answered instead of the simulator's own. @type {Record<string, unknown>} */
    this.served = {};
    /** An HTTP status other than 200: no document. */
    this.status = 200;
    this.looks = 0;
  }

  /** @param {import('./simulator.js').Simulator} simulator */
  static async start(simulator) {
    const horizon = new Horizon(simulator);
    await horizon.#listen();
    return horizon;
  }

  async #listen() {
    this.server = createServer((request, response) => {
      request.resume();
      const path = new URL(request.url ?? '/', 'http://localhost').pathname;
      if (path !== '/') return this.#send(response, 404, { status: 404, title: 'Resource Missing' });
      this.looks += 1;
      if (this.status !== 200) return this.#send(response, this.status, { status: this.status });
      return this.#send(response, 200, { ...this.#root(), ...this.served });
    });
    await new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen({ port: 0, host: '127.0.0.1' }, () => resolve(undefined));
    });
  }

  /** The members of a real server's that say something of the network. */
  #root() {
    const { sequence, closedAt } = this.simulator.latest;
    return {
      _links: { self: { href: `${this.url}/` } },
      horizon_version: '23.0.0',
      core_version: 'stellar-core 23.0.0',
      ingest_latest_ledger: sequence,
      history_latest_ledger: sequence,
      history_latest_ledger_closed_at: new Date(closedAt * 1000).toISOString().replace('.000Z', 'Z'),
      history_elder_ledger: this.simulator.oldest.sequence,
      core_latest_ledger: sequence,
      network_passphrase: this.simulator.networkPassphrase,
      current_protocol_version: 23,
    };
  }

  #send(response, status, body) {
    response.writeHead(status, { 'Content-Type': 'application/hal+json; charset=utf-8' });
    response.end(JSON.stringify(body));
  }

  get url() {
    return `http://127.0.0.1:${this.server.address().port}`;
  }

  async stop() {
    const closed = new Promise((resolve) => { this.server.close(resolve); });
    this.server.closeAllConnections();
    await closed;
  }
}
