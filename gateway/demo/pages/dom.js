// Building elements. All text goes through textContent: what people write is never markup.

/** An element with properties, data-* attributes and children (elements or strings). */
export function element(tag, { data = {}, ...properties } = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  Object.assign(made.dataset, data);
  made.append(...children.filter((child) => child !== null));
  return made;
}

export const byId = (id) => document.getElementById(id);

/** A colour that belongs to an account: its FNV-1a hash as a hue. */
export function colourOf(account) {
  let hash = 0x811c9dc5;
  for (const character of account) hash = Math.imul(hash ^ character.codePointAt(0), 0x01000193) >>> 0;
  return `hsl(${hash % 360} 85% 76%)`;
}

/** The latest `most` messages in the order of their time, each once, whichever way it came. */
export class Timeline {
  constructor(most) {
    this.most = most;
    this.messages = new Map();
  }

  /** Whether the message is new. Its id is its sender's own: another sender's may be the same. */
  add(message) {
    const key = `${message.user} ${message.id}`;
    if (this.messages.has(key)) return false;
    this.messages.set(key, message);
    if (this.messages.size > this.most) this.messages.delete(this.messages.keys().next().value);
    return true;
  }

  all() {
    return [...this.messages.values()].sort((a, b) => a.at - b.at);
  }
}

/** Add an entry to a list that keeps its newest `most`, and show it if the reader is at the end. */
export function appendTo(list, entry, most) {
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  list.append(entry);
  while (list.children.length > most) list.firstElementChild.remove();
  if (atEnd) list.scrollTop = list.scrollHeight;
}

/** A row of buttons of which one is chosen; `label` gives a value's words. Returns a redraw, with another one chosen or not. */
export function segments(holder, values, chosen, label, choose) {
  const draw = (now = chosen) => {
    chosen = now;
    holder.replaceChildren(...values.map((value) => {
      const button = element("button", { type: "button", textContent: label(value), data: { testid: `${holder.id}-${value}` } });
      button.setAttribute("role", "radio");
      button.setAttribute("aria-checked", String(value === chosen));
      button.addEventListener("click", () => {
        draw(value);
        choose(value);
      });
      return button;
    }));
  };
  draw();
  return draw;
}
