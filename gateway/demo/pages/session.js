// Who sits at this tab, and calls in their name. The token lives in this tab only: seats can be open side by side.

export const SEATS = ["viewer", "streamer", "friend", "stranger", "moderator"];

const wanted = new URLSearchParams(location.search).get("seat");

export const session = { account: SEATS.includes(wanted) ? wanted : "viewer", room: "", token: "" };

/** Take the seat that the page's address names. */
export async function login() {
  const answer = await request("POST", "/api/login", { seat: session.account });
  session.token = answer.body.token;
  session.room = answer.body.room;
}

/** One JSON request; resolves to { status, ok, body } whatever the status, rejects only without an answer. */
export async function request(method, path, body) {
  const headers = { Accept: "application/json" };
  if (session.token) headers.Authorization = `Bearer ${session.token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await response.text();
  return { status: response.status, ok: response.ok, body: text ? parsed(text) : {} };
}

/** A call of the gateway's control API; throws an Error that says why it was refused. */
export async function control(method, path, body) {
  const answer = await request(method, `/shieldwire/v1/${path}`, body);
  if (!answer.ok) throw new Error(answer.body.error?.message ?? String(answer.status));
  return answer.body;
}

/** An id for a message of this tab. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The people whom a text mentions as @account. */
export function mentionsIn(text) {
  return [...text.matchAll(/@([\w-]+)/g)].map((found) => found[1]);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
