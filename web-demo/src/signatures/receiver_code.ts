import type { App } from '../app.js';
import { copyButton } from '../ui/copy_button.js';
import { h, uniqueId } from '../ui/dom.js';
import { RECEIVERS, type ReceiverProgram } from './receivers.js';

export interface ReceiverCode {
  readonly element: HTMLElement;
  /** Loads the program that is picked, if it isn't there yet. */
  show(): void;
}

/** One file with its name, a way to copy it, and comments that stand back. */
function fileBlock(name: string, text: string, announce: App['announce']): HTMLElement {
  const copy = copyButton('Copy', () => text, announce);
  copy.setAttribute('aria-label', `Copy ${name}`);
  const lines = text.trimEnd().split('\n').flatMap((line, i) => {
    const end = i === 0 ? '' : '\n';
    return /^\s*\/[/*]/.test(line) ? [end, h('span', { class: 'comment', text: line })] : [`${end}${line}`];
  });
  return h('div', { class: 'file' },
    h('div', { class: 'small-head' }, h('h4', { class: 'mono', text: name }), copy),
    h('pre', { tabindex: '0', role: 'group', 'aria-label': name }, h('code', {}, ...lines)));
}

/** Tabs of the programs that receive webhooks, one for each runtime (ARIA's tabs, picked as focus moves). */
export function createReceiverCode(app: App): ReceiverCode {
  let picked = 0;
  const panelId = uniqueId('program');
  const tabs = RECEIVERS.map(({ title, name }, i) => h('button', {
    type: 'button',
    role: 'tab',
    id: `${panelId}-${name}`,
    class: 'tab',
    text: title,
    'aria-controls': panelId,
    on: { click: () => pick(i) },
  }));
  const tabPanel = h('div', { role: 'tabpanel', id: panelId, class: 'program' });
  const title = uniqueId('receiver');
  const list = h('div', {
    role: 'tablist',
    'aria-labelledby': title,
    class: 'tabs',
    on: { keydown: (event: KeyboardEvent) => onKey(event) },
  }, ...tabs);
  const element = h('section', { class: 'card receiver', 'aria-labelledby': title },
    h('div', { class: 'section-head' }, h('h3', { id: title, text: 'Your receiver' }),
      h('span', { class: 'count', text: 'whole programs to copy, each tested in its runtime' })),
    list, tabPanel);

  function onKey(event: KeyboardEvent): void {
    const last = tabs.length - 1;
    const to = { ArrowRight: picked + 1, ArrowLeft: picked + last, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    pick(to % tabs.length);
    tabs[picked]!.focus();
  }

  function pick(index: number): void {
    picked = index;
    tabs.forEach((tab, i) => {
      tab.setAttribute('aria-selected', String(i === index));
      tab.tabIndex = i === index ? 0 : -1;
    });
    tabPanel.setAttribute('aria-labelledby', tabs[index]!.id);
    void load(RECEIVERS[index]!);
  }

  /** Where the focus was in what goes, the tab is as good a place. */
  function fill(...content: HTMLElement[]): void {
    const hadFocus = tabPanel.contains(document.activeElement);
    tabPanel.replaceChildren(...content);
    if (hadFocus) tabs[picked]!.focus();
  }

  async function load(program: ReceiverProgram): Promise<void> {
    const isPicked = () => RECEIVERS[picked] === program;
    if (tabPanel.dataset.program === program.name) return;
    try {
      const texts = await Promise.all(program.files.map((file) => file.load()));
      const where = `The whole project: edge/examples/${program.name} in Fluxora’s repository.`;
      if (!isPicked()) return;
      tabPanel.dataset.program = program.name;
      fill(
        h('p', { class: 'note', text: `${program.note} ${where}` }),
        ...program.files.map((file, i) => fileBlock(file.name, texts[i]!.default, app.announce)));
    } catch (error) {
      console.warn(error);
      if (!isPicked()) return;
      delete tabPanel.dataset.program;
      fill(h('p', { class: 'note' },
        'This program couldn’t be loaded: the service may be away. ',
        h('button', { type: 'button', class: 'action', text: 'Try again', on: { click: () => pick(picked) } })));
    }
  }

  return { element, show: () => pick(picked) };
}
