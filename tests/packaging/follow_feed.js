// The feed's client in every runtime: it follows the stub's log to its end, over each transport that the runtime has.

/**
 * What it was handed, as JSON text.
 * @param {object} coreEntry `@fluxora/core`, as imported
 * @param {object} feedEntry `@fluxora/core/feed`
 * @param {string} url where the stub is
 */
export async function followed(coreEntry, feedEntry, url) {
  const core = await coreEntry.load();
  const outcome = {};
  for (const transport of typeof WebSocket === 'undefined' ? ['sse'] : ['sse', 'websocket']) {
    const lines = [];
    const onStatus = ({ status, resume, cursor }) => {
      if (status === 'open') lines.push(`${resume} at ${cursor}`);
    };
    // Without chance there are no pauses.
    const options = { core, url, all: true, after: 'k3f9-0', transport, onStatus, random: () => 0 };
    for await (const { type, cursor, entry } of feedEntry.connectFeed(options)) {
      lines.push(`${type} ${entry.seq}`);
      if (cursor === 'k3f9-5') break;
    }
    outcome[transport] = lines;
  }
  return JSON.stringify(outcome);
}
