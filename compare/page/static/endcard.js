// What the run came to, in words and as Markdown: the numbers are those of its
// scenes.
import { el } from "./dom.js";
import { names, sizeText, timeText } from "./state.js";

// endCard gives null while no scene is over.
export function endCard(state) {
  const scenes = state.scenes.filter((s) => !s.skipped);
  if (!scenes.length) return null;
  const rows = scenes.flatMap((s) => s.totals.map((t) => ({ scene: s.title, side: names[t.protocol] + (t.label ? ", " + t.label : ""), trips: t.round_trips, bytes: sizeText(t.bytes_up + t.bytes_down), first: timeText(t.first_subject_us) })));
  const advice = choices(scenes);
  const head = ["Scene", "Side", "Round trips", "Bytes", "First subject"];
  const cells = (r) => [r.scene, r.side, String(r.trips), r.bytes, r.first];
  const nodes = [
    el("ul", {}, scenes.map((s) => el("li", {}, el("strong", {}, s.title + ": "), s.sentence))),
    el("h3", {}, "Which one to choose"),
    el("dl", {}, advice.flatMap((a) => [el("dt", {}, a.who), el("dd", {}, a.what)])),
    el("div", { className: "scroll" }, el("table", {}, el("thead", {}, el("tr", {}, head.map((h) => el("th", { scope: "col" }, h)))),
      el("tbody", {}, rows.map((r) => el("tr", {}, cells(r).map((c, i) => el("td", { className: i === 2 || i === 3 ? "number" : "" }, c))))))),
  ];
  const markdown = ["# IMAP and POP3 side by side", "", ...scenes.map((s) => "- **" + s.title + "**: " + s.sentence), "", "## Which one to choose", "",
    ...advice.map((a) => "- **" + a.who + "**: " + a.what), "", "| " + head.join(" | ") + " |", "|" + head.map(() => "---|").join(""),
    ...rows.map((r) => "| " + cells(r).join(" | ") + " |"), ""].join("\n");
  return { nodes, markdown };
}

// fact finds a number of a scene.
function fact(scenes, scenario, protocol, name, label) {
  const scene = scenes.find((s) => s.name === scenario);
  const total = scene?.totals.find((t) => t.protocol === protocol && (label === undefined || t.label === label));
  return total?.facts?.findLast((f) => f.name === name)?.value;
}

const said = (value, words) => (value === undefined ? "" : " " + words(value));

function choices(scenes) {
  const f = (...a) => fact(scenes, ...a);
  return [
    {
      who: "One computer and little space on the server",
      what: "POP3. Mail is fetched to the computer and leaves the server." +
        said(f("storage", "pop3", "stored on server", "delete after download"), (n) => "After a year the server held " + sizeText(n) + " with POP3" + said(f("storage", "imap", "stored on server"), (m) => "and " + sizeText(m) + " with IMAP") + ".") +
        " Back the computer up: it has the only copy.",
    },
    {
      who: "A phone and a laptop",
      what: "IMAP. Both see the same folders, flags and sent mail." +
        said(f("second-device", "imap", "states kept on second"), (n) => "The second device knew what had been read or flagged of " + n + " messages over IMAP, of " + (f("second-device", "pop3", "states kept on second") ?? 0) + " over POP3."),
    },
    {
      who: "A scanner or a ticket system with a mailbox",
      what: "POP3, with an app password of its own and a folder of its own (name+Folder): one program takes what arrives and nobody else reads there. A device that only sends needs neither.",
    },
    {
      who: "A family account that several people read",
      what: "IMAP, so that what one has read or filed is so for all. Where programs speak only POP3, give each its own app password with the policy shared: a message leaves once all have it.",
    },
  ];
}
