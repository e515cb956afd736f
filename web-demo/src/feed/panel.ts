import './feed.css';

import type { CreatePanel } from '../app.js';
import { h } from '../ui/dom.js';
import { EntryList } from './entry_list.js';
import { ownProgram } from './own_program.js';
import { PositionCard } from './position_card.js';

/** The log as it comes, where the page is in it, and what happens when that is broken. */
export const create: CreatePanel = (app) => {
  const position = new PositionCard(app);
  const list = new EntryList(app);
  const program = ownProgram(app);
  const element = h('section', { class: 'panel feed' }, position.element, list.element, program.element);

  let isShown = false;
  let isDue = false;
  /** Once a frame, however much comes. */
  const draw = () => {
    isDue = false;
    if (!isShown) return;
    position.draw();
    list.draw();
    program.draw();
  };
  const changed = () => {
    if (!isShown || isDue) return;
    isDue = true;
    requestAnimationFrame(draw);
  };
  const { feed } = app;
  for (const news of [feed.onState, feed.onEntry, feed.onReset, feed.onReplay]) news.add(changed);

  return {
    element,
    title: 'Feed',
    show() {
      if (!isShown) position.show();
      isShown = true;
      draw();
    },
    hide() {
      isShown = false;
      position.hide();
      list.hide();
    },
  };
};
