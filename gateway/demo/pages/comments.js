// Comments under the room: posted over HTTP, kept by the platform, shown as they come in over the room's socket.

import { appendTo, byId, colourOf, element, Timeline } from "./dom.js";
import { nameOf, t, timeOf } from "./i18n.js";
import { arrived, failed, judged, sending } from "./outbox.js";
import { mentionsIn, newId, request, session } from "./session.js";

const MOST_LISTED = 60;

const comments = new Timeline(MOST_LISTED);
const path = () => `/api/rooms/${encodeURIComponent(session.room)}/comments`;

/** A comment has come in over the room's socket. */
export function showComment(comment) {
  if (comments.add(comment)) appendTo(byId("comments"), entry(comment), MOST_LISTED);
  if (comment.user === session.account) arrived(comment.id, comment.text);
}

/** Add what was said before the room's socket opened; from then on comments come over it. */
export async function loadComments() {
  const { ok, body } = await request("GET", path());
  if (!ok) return;
  body.comments.forEach((comment) => comments.add(comment));
  byId("comments").replaceChildren(...comments.all().map(entry));
  byId("comments").scrollTop = byId("comments").scrollHeight;
}

export function startComments() {
  byId("comment-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const field = byId("comment-text");
    const text = field.value.trim();
    if (!text) return;
    field.value = "";
    post(newId(), text);
  });
}

async function post(id, text, extra = {}) {
  if (!("shieldwire_token" in extra)) sending(id, "comment", text, (more) => post(id, text, more));
  try {
    const { ok, status, body } = await request("POST", path(), { id, text, at: mentionsIn(text), ...extra });
    if (ok) arrived(id, body.text);
    else if (body.type === "shieldwire.verdict") judged({ ...body, id });
    else failed(id, body.message ?? String(status));
  } catch {
    failed(id, t("offline"));
  }
}

function entry({ id, user, text, at }) {
  const name = element("b", { textContent: nameOf(user) });
  name.style.color = colourOf(user);
  return element("li", { data: { testid: "comment", user, id } },
    name, element("span", { textContent: text }), element("time", { textContent: timeOf(at) }));
}
