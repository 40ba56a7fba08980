// What a list of events comes to: the same sums as compare.Totals, and the last
// that devices and server said of themselves. Nothing here touches the page.

export const protocols = ["pop3", "imap"];
export const names = { pop3: "POP3", imap: "IMAP" };

const maxLines = 2000; // of a transcript
const maxPoints = 5000; // of a graph

export class State {
  constructor() {
    this.events = 0; // the number of the last one
    this.run = null;
    this.scene = null; // {name, title, sentence, skipped}
    this.scenes = []; // those that are over, with their totals
    this.clear();
  }

  // clear forgets what belongs to one scene.
  clear() {
    this.totals = new Map(); // by protocol and label
    this.spoke = new Map(); // who sent the last line of a connection
    this.acted = new Map(); // when the protocol's device began, by total
    this.last = 0;
    this.began = 0;
    this.devices = new Map(); // by name: {protocol, label, disk}
    this.server = null;
    this.lines = { pop3: [], imap: [] };
    this.points = []; // [seconds, bytes over POP3, bytes over IMAP]
    this.ways = { pop3: "", imap: "" }; // the label each protocol has got to
    this.say = "";
    this.told = ""; // the last of what was said that is more than an act
  }

  add(e) {
    if (e.seq <= this.events) return;
    this.events = e.seq;
    switch (e.kind) {
      case "run":
        this.run = e.run;
        return;
      case "scenario":
        this.clear();
        this.last = this.began = e.t;
        this.scene = { name: e.scenario, title: e.text };
        this.say = this.told = e.text;
        return;
      case "skip":
        this.scene = { ...this.scene, skipped: e.text };
        this.scenes.push(this.scene);
        this.say = this.told = "Not here: " + e.text;
        return;
      case "end":
        this.scene = { ...this.scene, sentence: e.text, totals: e.totals || [] };
        this.scenes.push(this.scene);
        this.say = this.told = e.text;
        return;
      case "note":
        this.say = this.told = e.text;
        break;
      case "server":
        this.server = e.holds;
        break;
    }
    this.count(e);
  }

  // count is compare.Totals for one event more.
  count(e) {
    const spent = e.t - this.last;
    this.last = e.t;
    if (!e.protocol) return;
    const t = this.total(e);
    if (!["act", "device", "fact"].includes(e.kind)) t.microseconds += spent;
    switch (e.kind) {
      case "act":
        this.acted.set(t, e.t);
        this.device(e);
        this.say = e.device + ": " + e.text;
        break;
      case "connect":
        t.connections++;
        t.setup_round_trips += e.trips || 0;
        break;
      case "tls":
        t.setup_round_trips += e.trips || 0;
        break;
      case "line":
        if (e.from === "s" && this.spoke.get(e.conn) !== "s") t.round_trips++;
        this.spoke.set(e.conn, e.from);
        break;
      case "wire":
        if (e.from === "c") t.bytes_up += e.bytes || 0;
        else t.bytes_down += e.bytes || 0;
        this.point(e);
        break;
      case "mark":
        if (e.text === "first subject" && t.first_subject_us === undefined) {
          t.first_subject_us = e.t - (this.acted.get(t) ?? e.t);
          t.first_round_trips = t.round_trips + t.setup_round_trips;
        }
        break;
      case "device":
        this.device(e).disk = e.disk;
        break;
    }
    if (["connect", "tls", "line", "close", "act"].includes(e.kind)) {
      const list = this.lines[e.protocol];
      list.push(e);
      if (list.length > maxLines) list.shift();
    }
  }

  total(e) {
    this.ways[e.protocol] = e.label || "";
    const key = e.protocol + "\n" + (e.label || "");
    let t = this.totals.get(key);
    if (!t) {
      t = { protocol: e.protocol, label: e.label || "", connections: 0, round_trips: 0, setup_round_trips: 0, bytes_up: 0, bytes_down: 0, microseconds: 0 };
      this.totals.set(key, t);
      this.acted.set(t, e.t);
    }
    return t;
  }

  device(e) {
    let d = this.devices.get(e.device);
    if (!d) {
      d = { name: e.device, protocol: e.protocol, label: e.label || "", disk: null };
      this.devices.set(e.device, d);
    }
    return d;
  }

  point(e) {
    const bytes = { pop3: 0, imap: 0 };
    for (const t of this.totals.values()) bytes[t.protocol] += t.bytes_up + t.bytes_down;
    this.points.push([(e.t - this.began) / 1e6, bytes.pop3, bytes.imap]);
    if (this.points.length > maxPoints) this.points.splice(1, 1);
  }

  // sums gives the numbers of each protocol, of the way it has got to: a scene may
  // go several over one protocol, and added up they would compare with nothing.
  sums() {
    const out = {};
    for (const p of protocols) {
      const t = this.totals.get(p + "\n" + this.ways[p]);
      out[p] = { way: this.ways[p], bytes: (t?.bytes_up ?? 0) + (t?.bytes_down ?? 0), trips: t?.round_trips ?? 0, setup: t?.setup_round_trips ?? 0,
        connections: t?.connections ?? 0, first: t?.first_subject_us, firstTrips: t?.first_round_trips ?? 0, time: t?.microseconds ?? 0, disk: 0 };
    }
    for (const d of this.devices.values()) {
      if (d.disk && !d.disk.lost && d.label === this.ways[d.protocol]) out[d.protocol].disk += d.disk.bytes;
    }
    return out;
  }

  // mail lists each message with where it is: on the server and on each device.
  mail() {
    const rows = new Map();
    const row = (m) => {
      let r = rows.get(m.key);
      if (!r) {
        r = { key: m.key, subject: m.subject, server: null, devices: new Map() };
        rows.set(m.key, r);
      }
      r.subject ||= m.subject;
      return r;
    };
    for (const m of this.server?.mail || []) row(m).server = m;
    for (const d of this.devices.values()) for (const m of d.disk?.mail || []) row(m).devices.set(d.name, m);
    return [...rows.values()];
  }
}

// sizeText writes octets for a person.
export function sizeText(n) {
  if (n < 1000) return n + " B";
  const units = ["KB", "MB", "GB", "TB"];
  let i = 0;
  for (n /= 1000; n >= 999.95 && i < units.length - 1; i++) n /= 1000;
  return n.toFixed(n < 10 ? 1 : 0) + " " + units[i];
}

// timeText writes microseconds for a person.
export function timeText(us) {
  if (us === undefined) return "–";
  if (us === 0) return "0";
  if (us < 1000) return us + " µs";
  if (us < 1e6) return (us / 1e3).toFixed(us < 1e4 ? 1 : 0) + " ms";
  if (us < 120e6) return (us / 1e6).toFixed(1) + " s";
  if (us < 7200e6) return Math.round(us / 60e6) + " min";
  if (us < 172800e6) return Math.round(us / 3600e6) + " h";
  return Math.round(us / 86400e6) + " days";
}
