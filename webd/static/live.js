// Draws the account's sessions as the server tells of them.
const $ = (id) => document.getElementById(id);

function item(tag, text, className) {
  const node = document.createElement(tag);
  node.textContent = text;
  if (className) node.className = className;
  return node;
}

function draw(sessions) {
  for (const protocol of ["pop3", "imap"]) {
    const list = sessions.filter((s) => s.protocol === protocol);
    $("live-" + protocol).replaceChildren(...list.map((s) => {
      const li = document.createElement("li");
      li.dataset.session = s.id;
      const acts = document.createElement("ul");
      acts.append(...s.acts.map((a) => item("li", a.time + " " + a.text)));
      li.append(item("strong", s.device), item("span", " from " + (s.remote || "this machine") + ", " + s.began + " "), item("span", s.open ? "open" : "over", "badge " + protocol), acts);
      return li;
    }));
    if (!list.length) $("live-" + protocol).append(item("li", "No session in the last quarter of an hour.", "hint"));
  }
  const open = sessions.filter((s) => s.open).length;
  const said = open + (open === 1 ? " session is open." : " sessions are open.");
  if ($("live-say").textContent !== said) $("live-say").textContent = said;
}

const source = new EventSource("/account/live/events");
source.onmessage = (m) => draw(JSON.parse(m.data));
source.onerror = () => {
  if (source.readyState === EventSource.CLOSED) $("live-say").textContent = "The server has ended this: load the page again.";
};
