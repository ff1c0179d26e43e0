// One-key protection: the big button, the five switches, and what the gateway says is in force.

import { byId, element } from "./dom.js";
import { onLanguage, t, timeOf } from "./i18n.js";
import { control, session } from "./session.js";

const SWITCHES = ["dm", "comment", "forward", "mention", "barrage"];
const REFRESH_MS = 5000;

let protection = { active: false, kinds: [], until: 0 };
let inForce = null; // the gateway's answer to our last change
let problem = "";
let changing = false;

const path = () => `users/${encodeURIComponent(session.account)}/protection`;

export async function startProtection() {
  byId("protection").hidden = false;
  byId("switches").replaceChildren(...SWITCHES.map(row));
  byId("onekey").addEventListener("click", () => change(protection.active ? [] : SWITCHES));
  onLanguage(draw);
  await refresh();
  setInterval(refresh, REFRESH_MS); // another tab may change it, and it ends by itself
}

async function refresh() {
  if (changing) return;
  try {
    const now = await control("GET", path());
    if (changing) return;
    protection = now;
    if (!now.active) inForce = null;
    problem = "";
  } catch (error) {
    problem = t("failed", { why: error.message });
  }
  draw();
}

async function change(kinds) {
  changing = true;
  draw();
  try {
    if (kinds.length === 0) {
      await control("DELETE", path());
      inForce = null;
    } else {
      inForce = await control("PUT", path(), kinds.length === SWITCHES.length ? { preset: "one-key" } : { kinds });
    }
    protection = { active: kinds.length > 0, kinds, until: inForce?.until ?? 0 };
    problem = "";
  } catch (error) {
    problem = t("failed", { why: error.message });
  }
  changing = false;
  draw();
}

function toggle(kind) {
  const on = new Set(protection.active ? protection.kinds : []);
  if (!on.delete(kind)) on.add(kind);
  change(SWITCHES.filter((known) => on.has(known)));
}

function draw() {
  const { active } = protection;
  byId("onekey").setAttribute("aria-pressed", String(active));
  byId("onekey").disabled = changing;
  byId("onekey-title").textContent = t(active ? "onekeyOn" : "onekey");
  byId("onekey-hint").textContent = t(active ? "onekeyOnHint" : "onekeyOffHint");
  byId("guarded").hidden = !active;
  byId("protection-status").textContent = problem || status();
  byId("protection-status").dataset.active = String(active);
  for (const kind of SWITCHES) {
    const [label, button] = byId(`switch-${kind}`).children;
    label.textContent = t(`switch_${kind}`);
    button.setAttribute("aria-label", label.textContent);
    button.setAttribute("aria-checked", String(active && protection.kinds.includes(kind)));
    button.disabled = changing;
  }
}

function status() {
  if (!protection.active) return t("protectionOff");
  const parts = [t("until", { time: timeOf(protection.until) })];
  if (inForce) parts.unshift(t("inForce", inForce), t(inForce.durable ? "durable" : "notDurable"));
  return parts.join(" · ");
}

function row(kind) {
  const button = element("button", { type: "button", className: "switch", data: { testid: `switch-${kind}` } });
  button.setAttribute("role", "switch");
  button.addEventListener("click", () => toggle(kind));
  return element("div", { id: `switch-${kind}` }, element("span"), button);
}
