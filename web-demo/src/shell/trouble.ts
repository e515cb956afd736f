import type { FeedState } from '../live/feed_session.js';
import type { Health } from '../live/health_watch.js';
import { troublesOf } from '../text/health.js';

/** What the page knows of how things stand. */
export interface Circumstances {
  /** False: the device says that it has no network. */
  readonly online: boolean;
  readonly phase: FeedState['phase'];
  /** Null: it doesn't answer. Undefined: nobody has asked yet. */
  readonly health: Health | null | undefined;
  /** What the service itself said over the feed that troubles it. */
  readonly notice: string | null;
}

const GO_ON = 'Figures go on from the last state that the page has.';
const OFFLINE = `This device is offline. ${GO_ON} The feed resumes by itself when the network is back.`;
const AWAY = `The service can’t be reached. ${GO_ON} The page keeps trying.`;

/** What is wrong, for whoever looks at the figures; null where nothing is. The page's own cut is no trouble. */
export function troubleText({ online, phase, health, notice }: Circumstances): string | null {
  const isConnected = phase === 'live' || phase === 'refetching';
  if (!online && !isConnected) return OFFLINE;
  if (health === null && !isConnected) return AWAY;
  const troubles = health ? troublesOf(health) : [];
  if (troubles.length === 0 && notice !== null) troubles.push(notice.replace(/\.?$/, '.'));
  return troubles.length === 0 ? null : `The service has trouble. ${troubles.join(' ')} ${GO_ON}`;
}
