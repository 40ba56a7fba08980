// The transcripts of both sides, each line with what it is for.
import { $, el, text } from "./dom.js";
import { protocols, names } from "./state.js";

const shown = 400; // lines on the page; all are in the saved run

export class Wires {
  constructor(words) {
    this.words = words; // {pop3: {VERB: {rfc, text}}, imap: ...}
    this.seen = { pop3: 0, imap: 0 };
    for (const p of protocols) {
      const list = $("wire-" + p);
      list.addEventListener("keydown", (e) => this.move(list, e));
      list.addEventListener("focusin", (e) => this.explain(p, e.target));
      list.addEventListener("mouseover", (e) => this.explain(p, e.target.closest("li")));
    }
  }

  clear() {
    for (const p of protocols) {
      this.seen[p] = 0;
      $("wire-" + p).replaceChildren();
      text($("explain-" + p), "Point at a line, or reach it with the arrow keys, and it is explained here.");
    }
  }

  draw(state) {
    for (const p of protocols) {
      const list = $("wire-" + p);
      const fresh = state.lines[p].filter((e) => e.seq > this.seen[p]).slice(-shown);
      if (!fresh.length) continue;
      this.seen[p] = fresh.at(-1).seq;
      const down = list.scrollTop + list.clientHeight > list.scrollHeight - 30;
      list.append(...fresh.map((e) => this.line(e)));
      while (list.children.length > shown) list.firstElementChild.remove();
      if (!list.querySelector('[tabindex="0"]') && list.firstElementChild) list.firstElementChild.tabIndex = 0;
      if (down) list.scrollTop = list.scrollHeight;
    }
  }

  line(e) {
    const who = e.kind !== "line" ? "note" : e.from === "c" ? "from-client" : "from-server";
    const said = e.kind === "line" ? (e.from === "c" ? "Device: " : "Server: ") : "";
    const words = { connect: "connected to " + e.text, tls: "encrypted: " + e.text, close: "connection closed" + (e.text ? ": " + e.text : ""), act: e.device + ": " + e.text };
    const li = el("li", { className: who, tabIndex: -1 }, el("span", { className: "hidden-text" }, said), words[e.kind] ?? e.text);
    li.dataset.verb = e.verb || e.kind;
    li.dataset.rfc = e.rfc || "";
    if (e.lump) li.classList.add("lump");
    return li;
  }

  // explain says what a line is for.
  explain(p, li) {
    if (!li || li.tagName !== "LI") return;
    const w = this.words[p][li.dataset.verb];
    const rfc = li.dataset.rfc || w?.rfc;
    text($("explain-" + p), (w?.text ?? "") + (rfc ? " (" + rfc + ")" : "") || "A line of " + names[p] + ".");
  }

  // move takes the focus up and down a list with one tab stop.
  move(list, e) {
    const at = document.activeElement;
    const to = { ArrowDown: at.nextElementSibling, ArrowUp: at.previousElementSibling, Home: list.firstElementChild, End: list.lastElementChild }[e.key];
    if (!to || at.parentElement !== list) return;
    e.preventDefault();
    at.tabIndex = -1;
    to.tabIndex = 0;
    to.focus();
  }
}
