import type { CreatePanel } from '../app.js';

/** The panels by their names in the address. Each comes with its own code and styles when it is first shown. */
export const PANELS: Record<string, () => Promise<{ create: CreatePanel }>> = {
  streams: () => import('../streams/panel.js'),
  feed: () => import('../feed/panel.js'),
  signatures: () => import('../signatures/panel.js'),
  amounts: () => import('../amounts/panel.js'),
  system: () => import('../system/panel.js'),
};

export const FIRST_PANEL = 'streams';

/** "#/streams/C…-7" → ["streams", "C…-7"]; what names no panel is the first one. */
export function pathOf(hash: string): string[] {
  const path = hash.replace(/^#\/?/, '').split('/').filter((part) => part !== '').map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  return path[0] !== undefined && Object.hasOwn(PANELS, path[0]) ? path : [FIRST_PANEL];
}

export function hashOf(path: readonly string[]): string {
  return `#/${path.map(encodeURIComponent).join('/')}`;
}
