// Bytes, round trips and storage of both sides, as text with a bar.
import { $, el, keyed, text } from "./dom.js";
import { protocols, sizeText, timeText } from "./state.js";

const meters = [
  { key: "bytes", title: "Over the wire", of: (s) => s.bytes, show: sizeText },
  { key: "trips", title: "Round trips", of: (s) => s.trips, show: String },
  { key: "setup", title: "Round trips to connect", of: (s) => s.setup, show: String },
  { key: "connections", title: "Connections", of: (s) => s.connections, show: String },
  { key: "first", title: "To the first subject", of: (s) => s.first, show: timeText },
  { key: "disk", title: "Stored on devices", of: (s) => s.disk, show: sizeText },
];

export function drawMeters(state) {
  const sums = state.sums();
  for (const p of protocols) text($("way-" + p), sums[p].way ? ", " + sums[p].way : "");
  keyed($("meters"), meters, (m) => m.key, makeMeter, (row, m) => {
    const most = Math.max(1, ...protocols.map((p) => m.of(sums[p]) || 0));
    for (const p of protocols) {
      const value = m.of(sums[p]);
      const cell = row.querySelector("." + p);
      text(cell.querySelector(".value"), value === undefined ? "–" : m.show(value));
      cell.dataset.value = value ?? "";
      cell.querySelector(".fill").style.width = (100 * (value || 0)) / most + "%";
    }
  });
  text($("server-bytes"), state.server ? sizeText(state.server.bytes) + " in " + state.server.messages + (state.server.messages === 1 ? " message" : " messages") : "–");
}

function makeMeter(m) {
  const cell = (p) => el("td", { className: p }, el("span", { className: "value" }), el("span", { className: "gauge", "aria-hidden": "true" }, el("span", { className: "fill" })));
  return el("tr", { id: "meter-" + m.key }, el("th", { scope: "row" }, m.title), protocols.map(cell));
}
