// The emotion that face-api (npm, @vladmandic/face-api) finds in each face; run by `measure`, in a folder of its own.
//
//     node classify_with_face_api.cjs FACES ANSWERS
//
// Its expression network alone, on the crops as they are. It knows seven emotions; it never
// finds contempt.
const fs = require('fs');
const path = require('path');
const { createRequire } = require('module');

const installed = createRequire(path.join(process.cwd(), 'package.json'));
const tf = installed('@tensorflow/tfjs');
installed('@tensorflow/tfjs-backend-wasm');
const package_ = path.dirname(installed.resolve('@vladmandic/face-api/package.json'));
const faceapi = installed('@vladmandic/face-api/dist/face-api.node-wasm.js');

const NAMES = { angry: 'anger', disgusted: 'disgust', fearful: 'fear', surprised: 'surprise' };

async function main() {
  const [faces, answerFile] = process.argv.slice(2);
  const sizes = JSON.parse(fs.readFileSync(path.join(faces, 'sizes.json')));
  const luma = fs.readFileSync(path.join(faces, 'luma.bin'));
  await tf.setBackend('wasm');
  await tf.ready();
  await faceapi.nets.faceExpressionNet.loadFromDisk(path.join(package_, 'model'));
  const answers = [];
  let start = 0;
  for (const [height, width] of sizes) {
    const face = luma.subarray(start, start + height * width);
    start += height * width;
    const coloured = new Float32Array(face.length * 3);
    face.forEach((level, i) => coloured.fill(level, 3 * i, 3 * i + 3));
    const tensor = tf.tensor4d(coloured, [1, height, width, 3]);
    const expressions = await faceapi.nets.faceExpressionNet.predictExpressions(tensor);
    tensor.dispose();
    const [best] = expressions.asSortedArray();
    answers.push(NAMES[best.expression] || best.expression);
  }
  fs.writeFileSync(answerFile, JSON.stringify(answers));
}

main().catch((error) => {
  console.error(String(error));
  process.exit(1);
});
