import type { Health } from '../live/health_watch.js';

/** "Public Global Stellar Network ; September 2015" without its date. */
export function networkName(passphrase: string): string {
  return passphrase.split(' ; ')[0] ?? '';
}

/** The indexer in two words. A reorg that was followed is no trouble, and worth a look. */
export function indexerText(health: Health | null): string {
  if (health === null) return 'Indexer unknown';
  const { status, reorgDetected } = health.indexer;
  if (status === 'not_configured') return 'No indexer';
  return status === 'healthy' && reorgDetected ? 'Reorg followed' : `Indexer ${status}`;
}

const AWAY = {
  postgres: 'The database can’t be reached.',
  rpc: 'The chain’s RPC server doesn’t answer as it should.',
  redis: 'Redis can’t be reached: limits hold for each instance alone.',
  horizon: 'Horizon can’t be reached: nothing checks what the RPC says.',
} as const;

/** What is wrong with the service, a sentence each; none where it only follows a reorg. */
export function troublesOf({ status, indexer, dependencies }: Health): string[] {
  if (status === 'ok') return [];
  if (status === 'shutting_down') return ['The service is shutting down.'];
  const away = Object.entries(AWAY)
    .filter(([name]) => dependencies[name as keyof typeof AWAY] === 'unhealthy')
    .map(([, sentence]) => sentence);
  if (indexer.status === 'stalled' || indexer.status === 'halted') return [indexer.summary, ...away];
  return away.length > 0 || indexer.reorgDetected ? away : [indexer.summary];
}
