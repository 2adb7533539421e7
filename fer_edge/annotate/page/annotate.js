"use strict";
const by = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
// Russell 1980, "A circumplex model of affect", table 2: degrees, from pleasant towards active.
const WORDS = { happy: 7.8, delighted: 24.9, excited: 48.6, aroused: 73.8, alarmed: 96.5, afraid: 116,
  distressed: 138, miserable: 188.7, sad: 207.5, bored: 242, tired: 267.7, calm: 316.2, serene: 328.6,
  pleased: 353.2 };
let state, at = 0, label = null, point = null, intensity = null, busy = true;

function say(text) { by("message").textContent = text; }

function button(parent, text, key, press) {
  const made = document.createElement("button");
  made.type = "button";
  made.append(text);
  if (key) { const hint = document.createElement("kbd"); hint.textContent = " " + key; made.append(hint); }
  made.addEventListener("click", press);
  parent.append(made);
  return made;
}

function paint() {
  [...by("emotions").children].forEach((one, i) => one.setAttribute("aria-pressed", String(state.emotions[i] === label)));
  [...by("intensities").querySelectorAll("button")].forEach((one, i) => one.setAttribute("aria-pressed", String(i + 1 === intensity)));
  by("point").setAttribute("visibility", point ? "visible" : "hidden");
  if (point) { by("point").setAttribute("cx", point[0]); by("point").setAttribute("cy", -point[1]); }
  by("values").textContent = point
    ? `valence ${point[0].toFixed(2)}, arousal ${point[1].toFixed(2)}`
    : "Click in the circle, or move with the arrow keys";
}

function show() {
  const over = at >= state.faces.length;
  const done = state.faces.filter((face) => face.answer).length;
  by("bar").max = state.faces.length;
  by("bar").value = done;
  by("count").textContent = over ? `${done} of ${state.faces.length}` : `${at + 1} of ${state.faces.length}`;
  by("work").hidden = over;
  by("end").hidden = !over;
  for (const id of ["skip", "none", "save"]) by(id).disabled = over;
  by("back").disabled = at === 0;
  if (over) {
    const skipped = state.faces.filter((face) => face.answer && face.answer.label === "skip").length;
    by("left").textContent = skipped ? `${skipped} were skipped.` : "Every face has an answer. You may close this page.";
    by("again").hidden = !skipped;
    return;
  }
  const face = state.faces[at], answer = face.answer || {};
  label = state.emotions.includes(answer.label) ? answer.label : null;
  point = label ? [answer.valence, answer.arousal] : null;
  intensity = answer.intensity || null;
  by("face").src = `/picture/${face.id}`;
  by("file").textContent = face.file;
  paint();
}

async function send(answer) {
  if (busy || at >= state.faces.length) return;
  busy = true;
  const face = state.faces[at];
  try {
    const reply = await fetch("/answer", { method: "POST", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ face: face.id, ...answer }) });
    if (!reply.ok) {
      const said = await reply.json().catch(() => ({}));
      throw new Error(said.error || `the answer was refused (${reply.status})`);
    }
    face.answer = answer;
    at += 1;
    say("");
    show();
  } catch (error) {
    say(error instanceof TypeError ? "Not saved: fer-edge annotate does not run. Start it again, then save again." : `Not saved: ${error.message}`);
  }
  busy = false;
}

function save() {
  if (!label) return say("Choose an emotion: keys 1 to 8");
  if (!point) return say("Set valence and arousal: click in the circle, or use the arrow keys");
  return send({ label, valence: point[0], arousal: point[1], intensity });
}

function back() { if (!busy && at > 0) { at -= 1; say(""); show(); } }

function place(valence, arousal) {
  const length = Math.max(1, Math.hypot(valence, arousal));
  point = [valence, arousal].map((value) => Math.round((value / length) * 1000) / 1000);
  say("");
  paint();
}

function pointed(event) {
  const circle = by("circle");
  const spot = new DOMPoint(event.clientX, event.clientY).matrixTransform(circle.getScreenCTM().inverse());
  place(spot.x, -spot.y);
}

function choose(emotion) { label = emotion; say(""); paint(); }
function strength(value) { intensity = intensity === value ? null : value; paint(); }

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const KEYS = { Enter: save, b: back, Backspace: back, s: () => send({ label: "skip" }), n: () => send({ label: "not a face" }),
  "+": () => { intensity = Math.min(5, (intensity || 0) + 1); paint(); },
  "-": () => { intensity = (intensity || 0) > 1 ? intensity - 1 : null; paint(); } };
KEYS["="] = KEYS["+"];

function pressed(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || !state || busy) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  // Enter on a button that has the focus presses that button.
  if (key === "Enter" && event.target.tagName === "BUTTON" && event.target.closest("footer, #end")) return;
  if (event.repeat && !(key in ARROWS)) return;
  const over = at >= state.faces.length;
  if (over && KEYS[key] !== back) return;
  if (key in ARROWS) {
    const step = event.shiftKey ? 0.2 : 0.05, [across, up] = ARROWS[key], [v, a] = point || [0, 0];
    place(v + across * step, a + up * step);
  } else if (key >= "1" && key <= "8") choose(state.emotions[key - 1]);
  else if (key === "0") place(0, 0);
  else if (KEYS[key]) KEYS[key]();
  else return;
  event.preventDefault();
}

function again() {
  const skipped = state.faces.filter((face) => face.answer && face.answer.label === "skip");
  state.faces = [...state.faces.filter((face) => !skipped.includes(face)), ...skipped];
  at = state.faces.length - skipped.length;
  show();
}

async function begin() {
  state = await (await fetch("/state")).json();
  by("who").textContent = state.annotator;
  state.emotions.forEach((emotion, i) => button(by("emotions"), emotion, String(i + 1), () => choose(emotion)));
  for (let i = 1; i <= 5; i += 1) button(by("intensities"), String(i), "", () => strength(i));
  for (const [word, degrees] of Object.entries(WORDS)) {
    const text = document.createElementNS(SVG, "text"), angle = (degrees * Math.PI) / 180;
    text.setAttribute("x", 1.06 * Math.cos(angle));
    text.setAttribute("y", -1.09 * Math.sin(angle) + 0.03);
    text.setAttribute("text-anchor", Math.abs(Math.cos(angle)) < 0.2 ? "middle" : Math.cos(angle) > 0 ? "start" : "end");
    text.textContent = word;
    by("words").append(text);
  }
  by("circle").addEventListener("pointerdown", (event) => { by("circle").setPointerCapture(event.pointerId); pointed(event); });
  by("circle").addEventListener("pointermove", (event) => { if (event.buttons) pointed(event); });
  by("face").addEventListener("error", () => say("This picture cannot be read; skip it"));
  for (const [id, press] of [["back", back], ["skip", KEYS.s], ["none", KEYS.n], ["save", save], ["again", again]]) by(id).addEventListener("click", press);
  addEventListener("keydown", pressed);
  const first = state.faces.findIndex((face) => !face.answer);
  at = first < 0 ? state.faces.length : first;
  busy = false;
  show();
}
begin().catch((error) => say(`The page cannot be filled: ${error.message}`));
