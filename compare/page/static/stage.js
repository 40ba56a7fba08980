// The store in the middle, devices around it, and where each message is.
import { $, el, keyed, text } from "./dom.js";
import { protocols, sizeText } from "./state.js";

// act is called with what a visitor does; null where nothing can be done (tour,
// replay).
export class Stage {
  constructor(act) {
    this.act = act;
    this.chosen = new Map(); // device -> key of the message chosen
  }

  draw(state) {
    for (const p of protocols) {
      const devices = [...state.devices.values()].filter((d) => d.protocol === p && d.disk);
      keyed($("devices-" + p), devices, (d) => d.name, (d) => this.makeDevice(d), (card, d) => this.updateDevice(card, d));
    }
    keyed($("boxes"), state.server?.boxes || [], (b) => b.name, makeBox, updateBox);
    this.drawTable(state);
  }

  makeDevice(d) {
    const button = (act, label) => el("button", { type: "button", className: "small", "data-act": act, onclick: () => this.run(act, d.name) }, label);
    const can = [["sync", "Sync"], ["read", "Read"], ["flag", "Flag"], ["file", "File"], ["delete", "Delete"]];
    const card = el("article", { className: "device " + d.protocol, "aria-label": d.name },
      el("h3", {}, el("span", { className: "device-name" }, d.name), el("span", { className: "state badge" })),
      el("p", { className: "disk" }),
      el("ul", { className: "mail", "aria-label": "Mail on " + d.name }));
    if (this.act) { // hidden by the page's style while a tour runs
      card.append(el("div", { className: "acts", role: "group", "aria-label": "What to do on " + d.name }, can.map(([a, l]) => button(a, l)),
        button("cable", "Pull the cable")));
    }
    return card;
  }

  updateDevice(card, d) {
    const disk = d.disk;
    card.classList.toggle("offline", !disk.online || !!disk.lost);
    text(card.querySelector(".state"), disk.lost ? "lost" : disk.online ? "online" : "offline");
    const only = disk.subjects ? ", " + disk.subjects + " as subjects only" : "";
    text(card.querySelector(".disk"), sizeText(disk.bytes) + " here: " + disk.messages + " whole" + only);
    const cable = card.querySelector('[data-act="cable"]');
    if (cable) text(cable, disk.online ? "Pull the cable" : "Plug it in");
    keyed(card.querySelector(".mail"), disk.mail || [], (m) => m.key, (m) => this.makeMail(d, m), (li, m) => this.updateMail(li, d, m));
  }

  makeMail(d, m) {
    if (!this.act) return el("li", {}, el("span", { className: "subject" }), el("span", { className: "marks" }));
    const id = "mail-" + d.name + "-" + m.key;
    return el("li", {},
      el("input", { type: "radio", name: "mail-" + d.name, id, onchange: () => this.chosen.set(d.name, m.key) }),
      el("label", { for: id }, el("span", { className: "subject" }), el("span", { className: "marks" })));
  }

  updateMail(li, d, m) {
    li.classList.toggle("unseen", !m.seen);
    text(li.querySelector(".subject"), m.subject || "(no subject)");
    text(li.querySelector(".marks"), marks(m));
  }

  // run does something on a device, with the message chosen there.
  run(act, device) {
    this.act(act, { device, key: this.chosen.get(device) || "" });
  }

  drawTable(state) {
    const devices = [...state.devices.values()].filter((d) => d.disk);
    const head = $("mail-head");
    keyed(head, [{ name: "Message" }, { name: "On the server" }, ...devices], (c) => c.name,
      (c) => el("th", { scope: "col", className: c.protocol || "" }, c.name), () => {});
    const rows = state.mail();
    keyed($("mail-rows"), rows, (r) => r.key, () => el("tr", {}), (tr, r) => {
      const cells = [{ id: "subject", said: r.subject || "(no subject)" }, { id: "server", said: where(r.server) }];
      for (const d of devices) cells.push({ id: d.name, said: d.disk.lost ? "lost" : where(r.devices.get(d.name)) });
      keyed(tr, cells, (c) => c.id, (c) => el(c.id === "subject" ? "th" : "td", c.id === "subject" ? { scope: "row" } : {}), (cell, c) => text(cell, c.said));
    });
    $("mail-none").hidden = rows.length > 0;
  }
}

// marks says of a message what a device knows.
function marks(m) {
  const list = [];
  if (m.folder && m.folder !== "INBOX") list.push("in " + m.folder);
  list.push(m.seen ? "read" : "unread");
  if (m.flagged) list.push("flagged");
  if (m.whole === undefined || m.whole === false) list.push("subject only");
  return " " + list.join(", ");
}

function where(m) {
  if (!m) return "–";
  return [m.folder || "here", m.seen ? "read" : "unread", m.flagged ? "flagged" : "", m.bytes ? sizeText(m.bytes) : ""].filter(Boolean).join(", ");
}

function makeBox() {
  return el("li", {}, el("span", { className: "box-name" }), el("span", { className: "box-count" }));
}

function updateBox(li, b) {
  text(li.querySelector(".box-name"), b.name);
  text(li.querySelector(".box-count"), " " + b.messages + (b.unseen ? " (" + b.unseen + " unread)" : "") + ", " + sizeText(b.bytes));
}
