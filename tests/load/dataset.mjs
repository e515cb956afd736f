// The streams that are read: created through the API, then numbered, so that pgbench too can name one by chance.
const CREATORS = 64;
const CREATION = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    sender: 'GBKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKK3J',
    recipient: 'GDXO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO5I2I',
    depositAmount: '1000000.5',
    ratePerSecond: '0.0116',
  }),
};

export const streamId = (n) => `api-00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;

/** SQL's text of the same id. @param {string} n */
export const streamIdSql = (n) => `'api-00000000-0000-7000-8000-' || lpad((${n})::text, 12, '0')`;

export async function createStreams(url, count) {
  let left = count;
  const creator = async () => {
    while (left > 0) {
      left -= 1;
      const response = await fetch(`${url}/api/streams`, CREATION);
      const text = await response.text();
      if (response.status !== 201) throw new Error(`a creation was answered ${response.status}: ${text}`);
    }
  };
  await Promise.all(Array.from({ length: CREATORS }, creator));
}

/** @param {import('pg').Client} client of the database that createStreams filled */
export async function numberStreams(client) {
  await client.query(`UPDATE streams SET id = ${streamIdSql('created_seq')}`);
  await client.query('VACUUM ANALYZE');
  await client.query('CHECKPOINT');
}
