import type { Health } from '../live/health_watch.js';
import { troublesOf } from '../text/health.js';

/** How the service is, in words. */
export interface Verdict {
  readonly tone: 'good' | 'wait' | 'bad' | 'still';
  readonly title: string;
  readonly text: string;
  /** What it means for whoever reads streams. */
  readonly impact: string;
  /** What it asks of whoever runs the service. */
  readonly action: string;
}

const IMPACTS = {
  none: 'What clients read is current.',
  stale_chain_state: 'Clients read the last state that was indexed; the chain has gone on since.',
};

const ACTIONS = {
  none: 'Nobody needs to do anything.',
  observe: 'An operator should keep an eye on it.',
  page: 'An operator is needed now.',
};

type Headline = Pick<Verdict, 'tone' | 'title' | 'text'>;

const SHUTTING_DOWN: Headline = {
  tone: 'wait',
  title: 'Shutting down',
  text: 'It finishes what it has begun, and ends. The page waits for it, or for another instance.',
};

const REORG: Headline = {
  tone: 'wait',
  title: 'Following a reorg',
  text: 'The chain replaced its last ledgers. What they had brought was retracted, and the streams are right again. '
    + 'This is said until the tip is five ledgers further.',
};

const UNASKED: Verdict = {
  tone: 'still',
  title: 'Looking…',
  text: 'The service is being asked.',
  impact: '',
  action: '',
};

const UNREACHABLE: Verdict = {
  tone: 'bad',
  title: 'Unreachable',
  text: 'The service doesn’t answer. It may be restarting, or the network between is down.',
  impact: 'Figures in this page go on by the clock, from the last state that came.',
  action: 'The page asks again every two seconds.',
};

function headline(health: Health): Headline {
  const { status, indexer } = health;
  if (status === 'shutting_down') return SHUTTING_DOWN;
  const troubles = troublesOf(health).join(' ');
  if (indexer.status === 'halted') return { tone: 'bad', title: 'Halted', text: troubles };
  if (indexer.status === 'stalled') return { tone: 'bad', title: 'Stalled', text: troubles };
  if (troubles !== '') return { tone: 'wait', title: 'Degraded', text: troubles };
  if (indexer.reorgDetected) return REORG;
  if (indexer.status === 'starting') return { tone: 'wait', title: 'Starting', text: indexer.summary };
  return { tone: 'good', title: 'All is well', text: indexer.summary };
}

/** @param health null: it didn't answer; undefined: nobody has asked yet */
export function verdictOf(health: Health | null | undefined): Verdict {
  if (health === undefined) return UNASKED;
  if (health === null) return UNREACHABLE;
  const { clientImpact, operatorAction } = health.indexer;
  return { ...headline(health), impact: IMPACTS[clientImpact], action: ACTIONS[operatorAction] };
}
