// What became of the messages of this tab: sending, delivered, masked, refused with the reason, or back with a reminder.

import { byId, element } from "./dom.js";
import { onLanguage, reasonWords, t } from "./i18n.js";

const MOST_SHOWN = 3;
const ICONS = { barrage: "»", comment: "#", dm: "✉" };

const messages = new Map(); // by id, in order of sending
const counts = { seen: 0, passed: 0, refused: 0 };

/** A message is about to be sent; `again(extra)` sends the same one once more with extra fields. */
export function sending(id, channel, text, again) {
  messages.delete(id);
  messages.set(id, { id, channel, text, again, state: "pending", reason: "", words: "" });
  for (const [old, message] of messages) {
    if (messages.size <= 50) break;
    if (message.state !== "pending") messages.delete(old);
  }
  draw();
}

/** Somebody's message arrived, perhaps our own: with other words than ours it was masked. */
export function arrived(id, text) {
  const message = messages.get(id);
  if (!message || message.state === "delivered" || message.state === "masked") return;
  message.state = text === message.text ? "delivered" : "masked";
  counts.passed += 1;
  draw();
}

/** The message could not be sent at all. */
export function failed(id, words = t("offline")) {
  settle(id, "failed", "", words);
}

/** The gateway's verdict on a message of ours, from a socket or as the body of a refusal. */
export function judged(verdict) {
  if (verdict.disposition === "mask") {
    const message = messages.get(verdict.id);
    if (message) message.words = verdict.message;
  } else if (verdict.disposition === "nudge") {
    settle(verdict.id, "nudge", verdict.reason, verdict.message, verdict.token);
  } else {
    if (messages.has(verdict.id)) counts.refused += 1;
    settle(verdict.id, "refused", verdict.reason, verdict.message);
  }
}

/** A barrage of anybody was seen on this page. */
export function seenBarrage() {
  counts.seen += 1;
  showCounts();
}

function settle(id, state, reason, words, token = "") {
  const message = messages.get(id);
  if (!message) return;
  Object.assign(message, { state, reason, words, token });
  draw();
}

function showCounts() {
  for (const [name, count] of Object.entries(counts)) byId(`count-${name}`).textContent = count;
}

function draw() {
  const latest = [...messages.values()].slice(-MOST_SHOWN);
  byId("outbox").replaceChildren(...latest.map(entry));
  showCounts();
}

function entry(message) {
  const why = message.reason ? ` · ${reasonWords(message.reason)}` : "";
  return element("li", { data: { testid: "outbox-entry", state: message.state, id: message.id, reason: message.reason } },
    element("span", { className: "channel", textContent: ICONS[message.channel] }),
    element("span", { className: "said", textContent: message.text }),
    element("b", { className: "state", textContent: t(`state_${message.state}`) + why }),
    message.words ? element("span", { className: "why", textContent: message.words, title: message.words, data: { testid: "outbox-why" } }) : null,
    message.state === "nudge" ? choice(message) : null);
}

function choice(message) {
  const insist = element("button", { type: "button", textContent: t("sendAnyway"), data: { testid: "nudge-insist" } });
  insist.addEventListener("click", () => {
    const { token } = message;
    settle(message.id, "pending", "", "");
    message.again({ shieldwire_token: token });
  });
  const takeBack = element("button", { type: "button", textContent: t("takeBack"), data: { testid: "nudge-drop" } });
  takeBack.addEventListener("click", () => settle(message.id, "dropped", "", ""));
  return element("span", { className: "choice" }, insist, takeBack);
}

onLanguage(draw);
