// Words of the pages in Chinese and English.

const WORDS = {
  roomTitle: ["深夜电台 · 现场弹唱", "Late-night radio · live session"],
  watching: ["人在线", "watching"],
  seats: ["席位", "Seats"],
  seat_viewer: ["观众", "Viewer"],
  seat_streamer: ["主播", "Streamer"],
  seat_friend: ["朋友", "Friend"],
  seat_stranger: ["路人", "Stranger"],
  seat_moderator: ["管理员", "Moderator"],
  messages: ["私信", "Messages"],
  live: ["直播中", "LIVE"],
  guarded: ["防护中", "Protected"],
  shutTitle: ["直播间已关闭", "This room has been shut"],
  shutText: ["管理员关闭了直播间。重新开放后会自动恢复。", "A moderator has shut it. The page comes back when it is reopened."],
  send: ["发送", "Send"],
  post: ["发表", "Post"],
  close: ["关闭", "Close"],
  sayBarrage: ["发条弹幕吧……", "Send a barrage…"],
  sayComment: ["写评论……", "Write a comment…"],
  sayDm: ["写私信……", "Write a message…"],
  comments: ["评论", "Comments"],
  barrageLog: ["弹幕列表", "Barrage list"],
  protectionTitle: ["我的防护", "My protection"],
  onekey: ["一键防护", "One-key protection"],
  onekeyOffHint: ["一按，陌生人的私信、评论、转发、@ 和弹幕就到不了你", "One press keeps strangers' messages, comments, forwards, mentions and barrages away"],
  onekeyOn: ["防护已开启", "You are protected"],
  onekeyOnHint: ["再按一次解除", "Press again to lift it"],
  protectionOff: ["未开启：任何人都可以给你留言。", "Off: anybody may write to you."],
  inForce: ["已在 {of} 个网关进程中的 {applied} 个生效", "In force on {applied} of {of}"],
  durable: ["已落盘", "saved"],
  notDurable: ["未确认落盘", "not confirmed on disk"],
  until: ["至 {time}", "until {time}"],
  switch_dm: ["私信", "Direct messages"],
  switch_comment: ["评论", "Comments"],
  switch_forward: ["转发", "Forwards"],
  switch_mention: ["@ 我", "Mentions"],
  switch_barrage: ["弹幕", "Barrages"],
  casesTitle: ["待处置个案", "Cases"],
  noCases: ["目前没有个案。严重或反复的攻击会即时出现在这里。", "No cases. Severe or repeated attacks appear here at once."],
  shutRoom: ["关闭直播间", "Shut room"],
  reopenRoom: ["重新开放", "Reopen"],
  mode_open: ["开放", "open"],
  mode_slow: ["慢速", "slow"],
  "mode_circle-only": ["仅限朋友", "circle only"],
  "mode_read-only": ["只读", "read-only"],
  mode_shut: ["已关闭", "shut"],
  roomMode: ["直播间：{mode}", "Room: {mode}"],
  mute: ["禁言 1 小时", "Mute 1 h"],
  muted: ["已禁言 {account}", "{account} is muted"],
  severe: ["严重", "severe"],
  caseLine: ["{incidents} 条 · {senders} 个账号", "{incidents} messages · {senders} accounts"],
  at: ["对象", "target"],
  crowdTitle: ["围攻演示", "Crowd"],
  crowdHint: ["放出一群陌生账号，对主播连刷一分钟。每一条都经过网关。", "Strangers pile on the streamer for a minute. Every line goes through the gateway."],
  low: ["小", "Low"],
  medium: ["中", "Medium"],
  high: ["大", "High"],
  crowdSent: ["发出", "Sent"],
  crowdDelivered: ["送达", "Delivered"],
  crowdRefused: ["拦下", "Refused"],
  thisPage: ["本页所见", "This page"],
  seen: ["收到弹幕", "Barrages seen"],
  mineDelivered: ["我的送达", "Mine delivered"],
  mineRefused: ["我的被拦", "Mine refused"],
  state_pending: ["发送中", "sending"],
  state_delivered: ["已送达", "delivered"],
  state_masked: ["遮盖后送达", "delivered, masked"],
  state_refused: ["未送达", "not delivered"],
  state_nudge: ["请三思", "think again"],
  state_failed: ["发送失败", "not sent"],
  state_dropped: ["已撤回", "taken back"],
  sendAnyway: ["仍要发送", "Send anyway"],
  takeBack: ["算了", "Take it back"],
  offline: ["连接中断，正在重连", "not connected, reconnecting"],
  failed: ["操作未成功：{why}", "That did not work: {why}"],
  reason_insult: ["辱骂", "insult"],
  reason_defamation: ["诽谤", "defamation"],
  reason_mockery: ["羞辱", "humiliation"],
  reason_threat: ["威胁", "threat"],
  reason_privacy: ["隐私", "privacy"],
  "reason_pile-on": ["煽动围攻", "pile-on"],
  "reason_self-harm": ["教唆自伤", "urging self-harm"],
  reason_distress: ["需要帮助", "in distress"],
  reason_hatred: ["群体仇恨", "hatred"],
  reason_sexual: ["性骚扰", "sexual harassment"],
  reason_rumour: ["存疑", "rumour"],
  reason_marketing: ["营销", "advertising"],
  reason_protected: ["对方已开启防护", "protected"],
  reason_muted: ["被禁言", "muted"],
  reason_flood: ["发送过快", "too fast"],
};

const LANGUAGES = ["zh", "en"];
const STORED = "shieldwire.language";
const listeners = [];

let language = localStorage.getItem(STORED) ?? (navigator.language.startsWith("zh") ? "zh" : "en");

export function t(key, values = {}) {
  const words = WORDS[key]?.[LANGUAGES.indexOf(language)] ?? key;
  return words.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** The words for a reason code; the code itself where the page does not know it. */
export function reasonWords(reason) {
  const key = `reason_${reason}`;
  return key in WORDS ? t(key) : reason;
}

/** A person's name: seats have one in each language, everybody else goes by the account. */
export function nameOf(account) {
  const key = `seat_${account}`;
  return key in WORDS ? t(key) : account;
}

export function timeOf(seconds) {
  return new Intl.DateTimeFormat(language, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" })
    .format(seconds * 1000);
}

export function onLanguage(listener) {
  listeners.push(listener);
}

function apply() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-i18n]")) element.textContent = t(element.dataset.i18n);
  for (const element of document.querySelectorAll("[data-i18n-placeholder]")) element.placeholder = t(element.dataset.i18nPlaceholder);
  for (const element of document.querySelectorAll("[data-i18n-label]")) element.setAttribute("aria-label", t(element.dataset.i18nLabel));
  for (const listener of listeners) listener();
}

export function startLanguage(button) {
  const show = () => {
    button.textContent = language === "zh" ? "English" : "中文";
    button.lang = language === "zh" ? "en" : "zh";
    apply();
  };
  button.addEventListener("click", () => {
    language = language === "zh" ? "en" : "zh";
    localStorage.setItem(STORED, language);
    show();
  });
  show();
}
