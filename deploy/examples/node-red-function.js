// Body of a Node-RED function node, behind an "mqtt in" node that subscribes to fer-edge/+/faces and
// gives a parsed JSON object. Set it to two outputs: the first has a message whenever the emotion of a
// device's largest face changes, the second one with true or false when somebody comes or all have left.
const now = msg.payload;
const last = context.get(now.device) || { emotion: "none", present: false };
const face = now.faces[0];
const next = { emotion: face ? face.emotion : "none", present: Boolean(face) };
context.set(now.device, next);

let changed = null;
// Too uncertain a moment says nothing new.
if (next.emotion !== last.emotion && next.emotion !== "uncertain") {
    changed = {
        topic: `${now.device}/emotion`,
        payload: next.emotion,
        valence: face ? face.valence : null,
        from: last.emotion,
    };
}
if (next.emotion === "uncertain") {
    context.set(now.device, { ...next, emotion: last.emotion });
}
const presence =
    next.present === last.present ? null : { topic: `${now.device}/present`, payload: next.present };
return [changed, presence];
