// The page of one run: events come in, everything shown is drawn from them.
import { $, el, text } from "./dom.js";
import { State } from "./state.js";
import { Wires } from "./wires.js";
import { Stage } from "./stage.js";
import { Drawings } from "./drawings.js";
import { drawMeters } from "./meters.js";
import { endCard } from "./endcard.js";

const page = document.body.dataset;

class Page {
  constructor(words) {
    this.state = new State();
    this.wires = new Wires(words);
    this.drawings = new Drawings();
    this.stage = new Stage(page.mode === "replay" ? null : (act, more) => this.act(act, more));
    this.show = page.show; // the run on the server
    this.due = false;
    this.scene = null;
    for (const d of document.querySelectorAll("details")) d.addEventListener("toggle", () => this.draw());
    addEventListener("resize", () => this.draw());
    $("copy").addEventListener("click", () => this.copy());
    if (page.mode !== "replay") this.listen();
  }

  listen() {
    for (const b of document.querySelectorAll("[data-scene]")) b.addEventListener("click", () => this.tour([b.dataset.scene]));
    $("tour-all").addEventListener("click", () => this.tour([...document.querySelectorAll("[data-scene]")].map((b) => b.dataset.scene)));
    $("play").addEventListener("click", () => this.play());
    for (const b of document.querySelectorAll("#controls [data-act]")) b.addEventListener("click", () => this.act(b.dataset.act, {}));
    for (const id of ["link", "policy", "poll"]) $(id).addEventListener("change", () => this.act(id, { value: $(id).value }));
    $("save").addEventListener("click", () => this.save());
    this.busy(false); // the buttons are of use from now on
  }

  // tour has the server run scenes, one after the other.
  async tour(scenes) {
    this.reset();
    $("controls").hidden = true;
    page.doing = "tour";
    this.busy(true);
    await this.begin("/compare/tour", scenes.map((s) => ["scene", s]));
  }

  async play() {
    this.reset();
    $("controls").hidden = false;
    page.doing = "play";
    await this.begin("/compare/play", [["link", $("link").value], ["policy", $("policy").value], ["poll", $("poll").value]]);
  }

  // begin starts a run and follows it.
  async begin(path, fields) {
    this.say("Making a mailbox …");
    const answer = await this.post(path, fields);
    if (!answer) {
      this.busy(false);
      return;
    }
    this.show = answer.show;
    this.follow("/compare/shows/" + answer.show + "/events");
  }

  async act(act, more) {
    if (!this.show) return;
    await this.post("/compare/shows/" + this.show + "/acts", [["act", act], ...Object.entries(more)]);
  }

  // post sends a form; null when it was refused, which the page then says.
  async post(path, fields) {
    try {
      const answer = await fetch(path, { method: "POST", body: new URLSearchParams(fields) });
      const body = await answer.json();
      if (answer.ok) return body;
      this.say(body.error, "wrong");
    } catch (err) {
      this.say("The server does not answer: " + err.message, "wrong");
    }
    return null;
  }

  // follow draws a run's events as they come; the browser connects again by
  // itself and says which it has.
  follow(url) {
    this.source?.close();
    this.source = new EventSource(url);
    this.source.onmessage = (m) => {
      for (const e of JSON.parse(m.data)) this.add(e);
    };
    this.source.addEventListener("over", () => {
      this.source.close();
      this.busy(false);
      this.over();
    });
    this.source.onerror = () => {
      if (this.source.readyState === EventSource.CLOSED) {
        this.busy(false);
        this.say("This run is over: begin another.", "wrong");
      }
    };
    $("download").href = url.replace(/events$/, "run.json");
    $("download").hidden = false;
  }

  add(e) {
    if (e.kind === "scenario") {
      this.wires.clear();
      this.drawings.clear();
      this.current(e.scenario);
    }
    this.state.add(e);
    if (e.kind === "end" || e.kind === "skip") this.done(e.scenario);
    if (!this.due) {
      this.due = true;
      requestAnimationFrame(() => {
        this.due = false;
        this.draw();
      });
    }
  }

  draw() {
    const s = this.state;
    this.stage.draw(s);
    this.wires.draw(s);
    drawMeters(s);
    for (const id of ["ladder", "bytes", "latency"]) if ($("open-" + id).open) this.drawings.draw(s);
    if (s.say) this.write(s.say, s.scene?.sentence === s.say ? "sentence" : "");
    if (s.told) text($("told"), s.told);
    document.body.dataset.events = s.events;
  }

  // say tells everybody; those who listen are spared what devices do one by one.
  say(words, kind = "") {
    this.write(words, kind);
    text($("told"), words);
  }

  write(words, kind) {
    $("say").className = "say " + kind;
    text($("say"), words);
  }

  reset() {
    this.source?.close();
    this.state = new State();
    this.wires.clear();
    this.drawings.clear();
    $("end").hidden = true;
    for (const b of document.querySelectorAll("[data-scene]")) b.classList.remove("done");
    this.current(null);
    this.draw();
  }

  busy(on) {
    for (const b of document.querySelectorAll("[data-scene], #tour-all, #play")) b.disabled = on;
  }

  current(scene) {
    for (const b of document.querySelectorAll("[data-scene]")) {
      if (b.dataset.scene === scene) b.setAttribute("aria-current", "step");
      else b.removeAttribute("aria-current");
    }
  }

  done(scene) {
    document.querySelector('[data-scene="' + CSS.escape(scene) + '"]')?.classList.add("done");
  }

  // over shows what the run came to.
  over() {
    const card = endCard(this.state);
    if (!card) return;
    $("end-body").replaceChildren(...card.nodes);
    $("markdown").value = card.markdown;
    $("end").hidden = false;
  }

  async copy() {
    try {
      await navigator.clipboard.writeText($("markdown").value);
      text($("copied"), "Copied.");
    } catch {
      $("markdown").select();
      text($("copied"), "Select and copy it from the field.");
    }
  }

  async save() {
    if (!this.show) return this.say("There is no run to save yet.", "wrong");
    const answer = await this.post("/compare/shows/" + this.show + "/save", []);
    if (answer) $("saved").replaceChildren("Saved: ", el("a", { href: answer.link }, new URL(answer.link, location.href).href));
  }
}

const words = await (await fetch(page.words)).json();
const shown = new Page(words);
if (page.mode === "replay") shown.follow("/compare/replays/" + page.show + "/events");
else shown.draw();
