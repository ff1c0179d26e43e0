// The crowd's switch: strangers who pile on, and what becomes of their messages.

import { byId, segments } from "./dom.js";
import { onLanguage, t } from "./i18n.js";
import { request } from "./session.js";

const INTENSITIES = ["low", "medium", "high"];
const REFRESH_MS = 1000;
const PATH = "/api/demo/crowd";

let intensity = "medium";
let on = false;
let draw;

export async function startCrowd() {
  draw = segments(byId("intensity"), INTENSITIES, intensity, t, (chosen) => {
    intensity = chosen;
    if (on) change(true);
  });
  onLanguage(() => draw());
  byId("crowd").addEventListener("click", () => change(!on));
  await refresh();
  setInterval(refresh, REFRESH_MS); // it stops by itself, and another tab may switch it
}

async function change(wanted) {
  show(await request("POST", PATH, { on: wanted, intensity }));
}

async function refresh() {
  try {
    show(await request("GET", PATH));
  } catch {
    // the sockets show that there is no connection
  }
}

function show({ ok, body }) {
  if (!ok) return;
  on = body.on;
  if (on && body.intensity !== intensity) {
    intensity = body.intensity;
    draw(intensity);
  }
  byId("crowd").setAttribute("aria-checked", String(on));
  for (const name of ["sent", "delivered", "refused"]) byId(`crowd-${name}`).textContent = body.tally[name];
}
