// The page: one seat, the room's socket, and the panels that belong to the seat.

import { loadComments, showComment, startComments } from "./comments.js";
import { startCrowd } from "./crowd.js";
import { startDms } from "./dms.js";
import { byId, element } from "./dom.js";
import { nameOf, onLanguage, startLanguage, t } from "./i18n.js";
import { startModeration } from "./moderation.js";
import { arrived, failed, judged, seenBarrage, sending } from "./outbox.js";
import { startProtection } from "./protection.js";
import { login, mentionsIn, newId, SEATS, session } from "./session.js";
import { backoff, pause, Socket } from "./socket.js";
import { fly } from "./stage.js";

const EQUALISER_BARS = 36;

let room;

const heard = {
  barrage(frame) {
    fly(frame);
    seenBarrage();
    if (frame.user === session.account) arrived(frame.id, frame.text);
  },
  comment: showComment,
  presence: ({ count }) => { byId("presence").textContent = count; },
  "shieldwire.verdict": judged,
  "shieldwire.notice": notice,
  error: ({ id, message }) => failed(id, message),
};

function notice({ message }) {
  byId("notice").firstElementChild.textContent = message;
  byId("notice").hidden = false;
}

function changed(state) {
  byId("link").dataset.state = state;
  byId("shut").hidden = state !== "shut";
  if (state !== "open") byId("presence").textContent = "–";
  if (state === "open") loadComments().catch(() => {}); // the next opening tries again
}

function say(id, text, extra = {}) {
  if (!("shieldwire_token" in extra)) sending(id, "barrage", text, (more) => say(id, text, more));
  if (!room.send({ type: "barrage", id, text, at: mentionsIn(text), ...extra })) {
    failed(id, t(byId("shut").hidden ? "offline" : "shutTitle"));
  }
}

function drawSeats() {
  byId("seats").replaceChildren(...SEATS.map((seat) => {
    const link = element("a", { href: `?seat=${seat}`, textContent: nameOf(seat), data: { testid: `seat-${seat}` } });
    if (seat === session.account) link.setAttribute("aria-current", "true");
    return link;
  }));
  byId("me").textContent = nameOf(session.account);
}

function startTabs() {
  const tabs = document.querySelectorAll("[role=tab]");
  for (const tab of tabs) {
    tab.addEventListener("click", () => {
      for (const other of tabs) {
        other.setAttribute("aria-selected", String(other === tab));
        byId(other.getAttribute("aria-controls")).hidden = other !== tab;
      }
    });
  }
}

function drawEqualiser() {
  for (let i = 0; i < EQUALISER_BARS; i += 1) {
    const bar = element("i");
    bar.style.animationDelay = `${-((i * 0.618) % 1) * 1.4}s`;
    bar.style.animationDuration = `${0.9 + ((i * 0.37) % 1) * 0.9}s`;
    byId("bars").append(bar);
  }
}

async function loggedIn() {
  for (let failures = 0; ; failures += 1) {
    try {
      await login();
      return;
    } catch {
      await pause(backoff(failures));
    }
  }
}

async function start() {
  drawEqualiser();
  startTabs();
  onLanguage(drawSeats);
  startLanguage(byId("language"));
  byId("notice").lastElementChild.addEventListener("click", () => { byId("notice").hidden = true; });
  await loggedIn();
  room = new Socket(`/live/${encodeURIComponent(session.room)}/ws`, (frame) => heard[frame.type]?.(frame), changed);
  byId("barrage-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const field = byId("barrage-text");
    const text = field.value.trim();
    if (!text) return;
    field.value = "";
    say(newId(), text);
  });
  startComments();
  startDms(notice);
  startCrowd();
  if (session.account === "moderator") startModeration();
  else startProtection();
}

start();
