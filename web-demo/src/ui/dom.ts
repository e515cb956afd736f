/** Elements made in one expression. Text is only ever text: nothing here reads HTML. */

export type Child = Node | string | null | false;

interface Attributes {
  class?: string;
  text?: string;
  /** Listeners by the event's name. */
  on?: Record<string, (event: any) => void>;
  [attribute: string]: unknown;
}

/**
 * An element with attributes and children. An attribute that is undefined, null or false is left out, one that is true
 * is empty; `data-*` and `aria-*` are attributes like others (aria's false is written, as it says something).
 */
export function h<Name extends keyof HTMLElementTagNameMap>(
  name: Name, attributes: Attributes = {}, ...children: Child[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null) continue;
    if (key === 'text') element.textContent = String(value);
    else if (key === 'on') {
      for (const [event, listener] of Object.entries(value as Record<string, EventListener>)) {
        element.addEventListener(event, listener);
      }
    } else if (key.startsWith('aria-')) element.setAttribute(key, String(value));
    else if (value === true) element.setAttribute(key, '');
    else if (value !== false) element.setAttribute(key, String(value));
  }
  for (const child of children) if (child !== null && child !== false) element.append(child);
  return element;
}

/** Writes text only where it is another: what isn't touched isn't laid out again. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** The element of that id, which the page's HTML has. */
export function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`The page has no #${id}.`);
  return element;
}

/** The ids of labels and the like, unique in the page. */
let ids = 0;
export function uniqueId(prefix: string): string {
  ids += 1;
  return `${prefix}-${ids}`;
}
