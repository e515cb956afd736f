import type { App } from '../app.js';
import { copyButton } from '../ui/copy_button.js';
import { h, setText } from '../ui/dom.js';

/** What follows the same log elsewhere: `@fluxora/core/feed`, and a shell. */
function program(service: string): string {
  return `import { load } from '@fluxora/core';
import { connectFeed } from '@fluxora/core/feed';

const feed = connectFeed({
  core: await load(),
  url: '${service}',
  all: true,
  snapshot: true, // or after: a cursor
});
for await (const { type, entry, state, cursor } of feed) {
  if (type === 'reset') replaceAll(state, cursor);
  else apply(entry, cursor);
}`;
}

function command(service: string, cursor: string | null): string {
  return `curl -N '${service}api/events/stream${cursor === null ? '' : `?after=${cursor}`}'`;
}

/** The feed's addresses, and code to copy. */
export function ownProgram({ service, feed, announce }: App): { element: HTMLElement; draw(): void } {
  const { href } = service.root;
  const socket = `${href.replace(/^http/, 'ws')}ws/streams`;
  const shell = h('code');
  const element = h('section', { class: 'card feed-program' },
    h('div', { class: 'section-head' }, h('h3', { text: 'In your own program' })),
    h('div', { class: 'card-body' },
      h('p', { class: 'note' }, 'This page follows ', h('code', { text: socket }), ' with the official client, and so can you:'),
      h('pre', { class: 'mono' }, h('code', { text: program(href) })),
      copyButton('Copy the program', () => program(href), announce),
      h('p', { class: 'note', text: 'From a shell, behind the cursor above:' }),
      h('pre', { class: 'mono' }, shell),
      copyButton('Copy the command', () => command(href, feed.cursor), announce)));
  return { element, draw: () => setText(shell, command(href, feed.cursor)) };
}
