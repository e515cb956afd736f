import { byId } from '../ui/dom.js';

const EVERY_MS = 3_000;

/** One calm voice for screen readers: the latest thing worth saying, not each of many. */
export function createAnnouncer(): (text: string) => void {
  const place = byId('announcer');
  let waiting: string | null = null;
  let isQuiet = true;
  const say = () => {
    isQuiet = waiting === null;
    if (waiting === null) return;
    place.textContent = waiting;
    waiting = null;
    setTimeout(say, EVERY_MS);
  };
  return (text) => {
    waiting = text;
    if (isQuiet) say();
  };
}
