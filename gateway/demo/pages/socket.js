// A WebSocket that comes back: after a drain of the gateway (1012), a lost network, or a room that was shut (4403).

import { session } from "./session.js";

const ROOM_SHUT = 4403;
const RETRY_SHUT_MS = 2000;

export class Socket {
  /** `heard` gets every frame as an object; `changed` the state: "open", "connecting" or "shut". */
  constructor(path, heard, changed = () => {}) {
    this.path = path;
    this.heard = heard;
    this.changed = changed;
    this.run();
  }

  /** Send a frame; false where there is no connection now. */
  send(frame) {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  async run() {
    for (let failures = 0; ; ) {
      const { code, heard } = await this.connection();
      const shut = code === ROOM_SHUT;
      failures = heard ? 0 : failures + 1;
      this.changed(shut ? "shut" : "connecting");
      await pause(shut ? RETRY_SHUT_MS : backoff(failures));
    }
  }

  /** One connection from its start to its end: the close code, and whether anything was heard on it. */
  connection() {
    return new Promise((ended) => {
      const scheme = location.protocol === "https:" ? "wss" : "ws";
      const socket = new WebSocket(`${scheme}://${location.host}${this.path}?token=${encodeURIComponent(session.token)}`);
      let heard = false;
      this.socket = socket;
      // A shut room accepts a socket only to say so: what counts as open is an answer from the platform.
      socket.onopen = () => socket.send('{"type":"ping"}');
      socket.onmessage = (event) => {
        if (!heard) this.changed("open");
        heard = true;
        this.heard(JSON.parse(event.data));
      };
      socket.onclose = (event) => ended({ code: event.code, heard });
    });
  }
}

/** Milliseconds before the next try: longer each time, not the same for everybody, at most five seconds. */
export function backoff(failures) {
  return Math.min(5000, 250 * 2 ** failures) * (0.5 + Math.random() / 2);
}

export function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
