// The moderator's seat: cases as they open and grow, the room's mode, and measures against senders.

import { byId, element } from "./dom.js";
import { nameOf, onLanguage, reasonWords, t, timeOf } from "./i18n.js";
import { control, session } from "./session.js";
import { backoff, pause } from "./socket.js";

const MOST_CASES = 20;
const MOST_INCIDENTS = 3;
const MUTE = { measure: "mute", duration: "1h", reason: "abuse seen by a moderator" };

const cases = new Map();
const muted = new Set();
let mode = "open";

const modePath = () => `rooms/${encodeURIComponent(session.room)}/mode`;

export async function startModeration() {
  byId("moderation").hidden = false;
  byId("shut-room").addEventListener("click", () => act(() => control("PUT", modePath(), { mode: "shut" })));
  byId("reopen-room").addEventListener("click", () => act(() => control("DELETE", modePath())));
  byId("cases").addEventListener("pointerleave", draw);
  onLanguage(draw);
  await act(() => null);
  follow();
}

/** Carry out a measure, then show the room's mode as the gateway has it. */
async function act(measure) {
  try {
    await measure();
    mode = (await control("GET", modePath())).mode;
    byId("moderation-status").textContent = "";
  } catch (error) {
    byId("moderation-status").textContent = t("failed", { why: error.message });
  }
  draw();
}

/** Follow the cases for as long as the page is open: the list once, then every change as it happens. */
async function follow() {
  for (let failures = 0; ; failures += 1) {
    try {
      const stream = await openStream();
      for (const found of (await control("GET", "cases")).cases) take(found);
      drawUnlessRead();
      failures = 0;
      await readEvents(stream, (found) => {
        take(found);
        drawUnlessRead();
      });
    } catch (error) {
      byId("moderation-status").textContent = t("failed", { why: error.message });
    }
    await pause(backoff(failures));
  }
}

/** Server-sent events by fetch: EventSource cannot send an Authorization header. */
async function openStream() {
  const headers = { Accept: "text/event-stream", Authorization: `Bearer ${session.token}` };
  const response = await fetch("/shieldwire/v1/cases", { headers });
  if (!response.ok) throw new Error(String(response.status));
  byId("moderation-status").textContent = "";
  return response.body.pipeThrough(new TextDecoderStream()).getReader();
}

async function readEvents(reader, take) {
  for (let buffered = ""; ; ) {
    const { done, value } = await reader.read();
    if (done) return;
    const events = (buffered + value).split("\n\n");
    buffered = events.pop();
    for (const event of events) {
      const data = event.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trim());
      if (data.length) take(JSON.parse(data.join("\n")));
    }
  }
}

function take(found) {
  const known = cases.get(found.id);
  if (!known || known.updated <= found.updated) cases.set(found.id, found);
}

/** Nothing moves under a pointer that is about to press a button: news waits until it leaves the list. */
function drawUnlessRead() {
  if (!byId("cases").matches(":hover")) draw();
}

function draw() {
  byId("mode").textContent = t("roomMode", { mode: t(`mode_${mode}`) });
  byId("mode").dataset.mode = mode;
  byId("shut-room").disabled = mode === "shut";
  byId("reopen-room").disabled = mode === "open";
  byId("case-count").textContent = cases.size;
  byId("no-cases").hidden = cases.size > 0;
  const latest = [...cases.values()].sort((a, b) => b.updated - a.updated).slice(0, MOST_CASES);
  byId("cases").replaceChildren(...latest.map(card));
}

function card(found) {
  const reasons = found.reasons.map((reason) => element("span", { className: "chip", textContent: reasonWords(reason) }));
  return element("li", { className: found.severe ? "case severe" : "case", data: { testid: "case", subject: found.subject, id: found.id } },
    element("header", {},
      element("b", { textContent: `${t("at")} ${nameOf(found.subject)}` }),
      found.severe ? element("span", { className: "chip severe", textContent: t("severe") }) : null,
      element("time", { textContent: timeOf(found.updated) })),
    element("p", { className: "hint", textContent: `#${found.room || "–"} · ${t("caseLine", found)}` }),
    element("div", { className: "chips" }, ...reasons),
    ...found.latest.slice(0, MOST_INCIDENTS).map(incident));
}

function incident({ sender, text }) {
  const mute = element("button", { type: "button", className: "tiny", textContent: t("mute"), disabled: muted.has(sender), data: { testid: "mute", sender } });
  mute.addEventListener("click", () => act(async () => {
    await control("PUT", `accounts/${encodeURIComponent(sender)}/sanctions`, MUTE);
    muted.add(sender);
  }));
  return element("div", { className: "incident", data: { testid: "incident", sender } },
    element("span", {}, element("b", { textContent: nameOf(sender) }), " ", text),
    muted.has(sender) ? element("small", { textContent: t("muted", { account: nameOf(sender) }) }) : mute);
}
