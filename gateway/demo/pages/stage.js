// Barrages flying over the stage, each in a lane where it does not run into the one before.

import { appendTo, byId, colourOf, element } from "./dom.js";
import { nameOf } from "./i18n.js";
import { session } from "./session.js";

const LANE_PX = 34;
const SPEED_PX_S = 135; // the same for all: nothing runs into what flies before it
const GAP_PX = 28;
const MOST_FLYING = 160;
const MOST_LISTED = 100;

const sky = byId("barrages");
const still = matchMedia("(prefers-reduced-motion: reduce)");
const free = []; // per lane: when its last barrage has left the edge

export function fly({ id, user, text }) {
  const mine = user === session.account;
  const name = element("b", { textContent: nameOf(user) });
  name.style.color = colourOf(user);
  appendTo(byId("barrage-log"), element("li", { data: { testid: "barrage", user, id } }, name, element("span", { textContent: text })), MOST_LISTED);

  if (document.hidden || sky.children.length >= MOST_FLYING) return; // the list has it all the same
  const barrage = element("span", { className: mine ? "barrage mine" : "barrage", textContent: text });
  barrage.style.color = mine ? "" : colourOf(user);
  sky.append(barrage);
  const width = barrage.offsetWidth;
  const takes = (pixels) => (1000 * pixels) / SPEED_PX_S; // milliseconds
  barrage.style.top = `${lane(takes(width + GAP_PX)) * LANE_PX + 10}px`;
  const from = still.matches ? (sky.clientWidth - width) / 2 : sky.clientWidth;
  const to = still.matches ? from : -width;
  const frames = [from, to].map((x) => ({ transform: `translateX(${x}px)` }));
  const flight = barrage.animate(frames, { duration: takes(sky.clientWidth + width), fill: "both" });
  flight.finished.finally(() => barrage.remove());
}

/** The first lane that is free now, or the one that will be free soonest; taken for `occupied` milliseconds. */
function lane(occupied) {
  const lanes = Math.max(1, Math.floor((sky.clientHeight - 20) / LANE_PX));
  const now = performance.now();
  let best = 0;
  for (let i = 0; i < lanes; i += 1) {
    if ((free[i] ?? 0) <= now) {
      best = i;
      break;
    }
    if (free[i] < free[best]) best = i;
  }
  free[best] = now + occupied;
  return best;
}
