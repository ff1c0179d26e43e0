// Direct messages: a drawer with one conversation per person.

import { appendTo, byId, element, Timeline, segments } from "./dom.js";
import { nameOf, onLanguage, timeOf } from "./i18n.js";
import { arrived, failed, judged, sending } from "./outbox.js";
import { newId, request, SEATS, session } from "./session.js";
import { Socket } from "./socket.js";

const MOST_KEPT = 200;

let socket;
const messages = new Timeline(MOST_KEPT);
let people = [];
let partner = "";
let unread = 0;

export function startDms(noticed) {
  people = SEATS.filter((seat) => seat !== session.account);
  partner = people.includes("streamer") ? "streamer" : people[0];
  onLanguage(drawPeople);
  drawPeople();
  const heard = {
    dm: receive,
    "shieldwire.verdict": judged,
    "shieldwire.notice": noticed,
    error: ({ id, message }) => failed(id, message),
  };
  socket = new Socket("/dm/ws", (frame) => heard[frame.type]?.(frame), (state) => {
    if (state === "open") load().catch(() => {}); // the next opening tries again
  });
  byId("dm-toggle").addEventListener("click", () => open(byId("drawer").hidden));
  byId("dm-close").addEventListener("click", () => open(false));
  byId("dm-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const field = byId("dm-text");
    const text = field.value.trim();
    if (!text) return;
    field.value = "";
    send(newId(), partner, text);
  });
}

/** Add what was said before the socket opened. */
async function load() {
  const { ok, body } = await request("GET", "/api/dms");
  if (!ok) return;
  for (const message of body.dms) {
    messages.add(message);
    meet(message);
  }
  drawPeople();
  draw();
}

function send(id, to, text, extra = {}) {
  if (!("shieldwire_token" in extra)) sending(id, "dm", text, (more) => send(id, to, text, more));
  if (!socket.send({ type: "dm", id, to, text, ...extra })) failed(id);
}

function receive(message) {
  if (!messages.add(message)) return;
  if (message.user === session.account) arrived(message.id, message.text);
  if (meet(message)) drawPeople();
  const other = message.user === session.account ? message.to : message.user;
  if (other === partner) appendTo(byId("dms"), bubble(message), MOST_KEPT);
  if (message.user !== session.account && (byId("drawer").hidden || other !== partner)) showUnread(unread + 1);
}

/** Strangers who write become people to answer to; true for a new one. */
function meet(message) {
  const other = message.user === session.account ? message.to : message.user;
  if (other === session.account || people.includes(other)) return false;
  people = [...people, other];
  return true;
}

function open(wanted) {
  byId("drawer").hidden = !wanted;
  byId("dm-toggle").setAttribute("aria-expanded", String(wanted));
  if (!wanted) return;
  showUnread(0);
  byId("dms").scrollTop = byId("dms").scrollHeight;
  byId("dm-text").focus();
}

function showUnread(count) {
  unread = count;
  byId("dm-unread").textContent = count;
  byId("dm-unread").hidden = count === 0;
}

function drawPeople() {
  segments(byId("dm-people"), people, partner, nameOf, (chosen) => {
    partner = chosen;
    draw();
  });
}

function draw() {
  const between = messages.all().filter(({ user, to }) => user === partner || to === partner);
  byId("dms").replaceChildren(...between.map(bubble));
  byId("dms").scrollTop = byId("dms").scrollHeight;
}

function bubble({ id, user, text, at }) {
  const mine = user === session.account;
  return element("li", { className: mine ? "mine" : "", data: { testid: "dm", user, id } },
    element("span", { textContent: text }), element("time", { textContent: timeOf(at) }));
}
