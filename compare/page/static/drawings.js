// The sequence ladder, bytes over time, and the time to the first message on
// lines of other latencies.
import { $, el } from "./dom.js";
import { protocols, names, sizeText, timeText } from "./state.js";

const rungs = 60; // of the ladder

export class Drawings {
  constructor() {
    this.plots = {};
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.dark.addEventListener("change", () => this.clear());
  }

  clear() {
    for (const p of Object.values(this.plots)) p.destroy();
    this.plots = {};
    for (const p of protocols) $("ladder-" + p).replaceChildren();
  }

  draw(state) {
    for (const p of protocols) drawLadder($("ladder-" + p), state.lines[p].filter((e) => e.kind === "line").slice(-rungs));
    if (state.points.length > 1) this.plot("bytes", state.points, "time", (s) => timeText(Math.round(s * 1e6)), sizeText);
    const sums = state.sums();
    if (sums.pop3.trips && sums.imap.trips) this.plot("latency", latencies(state, sums), "latency", (ms) => ms + " ms", (s) => timeText(Math.round(s * 1e6)));
  }

  // plot draws points, whose axes are labelled by showX and showY.
  plot(id, points, x, showX, showY) {
    const data = [0, 1, 2].map((i) => points.map((p) => p[i]));
    const at = $("plot-" + id);
    const width = at.clientWidth;
    if (!width) return; // its tab is closed
    if (this.plots[id]) {
      if (this.plots[id].width !== width) this.plots[id].setSize({ width, height: 220 });
      this.plots[id].setData(data);
      return;
    }
    const probe = (name) => {
      const s = el("span");
      s.style.color = "var(" + name + ")";
      at.append(s);
      const colour = getComputedStyle(s).color;
      s.remove();
      return colour;
    };
    const ink = probe("--soft"), line = probe("--line");
    const axis = (show, more) => ({ stroke: ink, grid: { stroke: line }, ticks: { stroke: line }, values: (_, list) => list.map(show), ...more });
    const shown = (show) => (_, v) => (v === null || v === undefined ? "–" : show(v));
    this.plots[id] = new uPlot({
      width, height: 220, scales: { x: { time: false } }, axes: [axis(showX, { space: 90 }), axis(showY, { size: 80 })],
      series: [{ label: x, value: shown(showX) }, ...protocols.map((p) => ({ label: names[p], stroke: probe("--" + p), width: 2, points: { show: false }, value: shown(showY) }))],
    }, data, at);
  }
}

// latencies computes, from this run's own numbers, how long the first subject
// would have taken on other lines, or else all of it: round trips times latency,
// and the rest as it was measured. A visitor who plays may have changed the line
// meanwhile: then it is round trips alone.
function latencies(state, sums) {
  const here = state.run?.link?.latency || 0; // nanoseconds
  const sides = protocols.map((p) => {
    const s = sums[p];
    const [time, trips] = s.first === undefined ? [s.time, s.trips + s.setup] : [s.first, s.firstTrips];
    return { trips, rest: state.scene ? Math.max(0, time / 1e6 - (trips * here) / 1e9) : 0 };
  });
  const list = [];
  for (let ms = 0; ms <= 600; ms += 20) list.push([ms, ...sides.map((s) => s.rest + (s.trips * ms) / 1e3)]);
  return list;
}

function drawLadder(svg, lines) {
  const step = 18, width = 420, height = Math.max(60, 30 + lines.length * step);
  svg.setAttribute("viewBox", "0 0 " + width + " " + height);
  const left = 60, right = width - 60;
  const parts = [
    el("text", { x: left, y: 14, "text-anchor": "middle" }, "device"), el("text", { x: right, y: 14, "text-anchor": "middle" }, "server"),
    el("line", { x1: left, y1: 20, x2: left, y2: height, class: "pole" }), el("line", { x1: right, y1: 20, x2: right, y2: height, class: "pole" }),
  ];
  lines.forEach((e, i) => {
    const y = 34 + i * step, up = e.from === "c";
    parts.push(el("path", { d: up ? "M" + left + " " + (y - 4) + "L" + right + " " + (y + 4) : "M" + right + " " + (y - 4) + "L" + left + " " + (y + 4), class: up ? "up" : "down" }));
    const words = e.text.length > 44 ? e.text.slice(0, 43) + "…" : e.text;
    parts.push(el("text", { x: width / 2, y: y - 5, "text-anchor": "middle", class: "rung" }, words));
  });
  svg.replaceChildren(...parts);
}
