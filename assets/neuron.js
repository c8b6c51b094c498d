/* One neuron f(x) = a relu(v.x - b) + b2 on points of the plane, moved by hand, live in the page.

   The first half is arithmetic, the same as stablib's (a test compares them); the second half draws. */

window.OneNeuron ??= (() => {
  const SLOPE = 2; // |a|

  const normal = (degrees) => [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];

  /* What the data charges for a bend at (v, b), on the side that v points to. */
  const oneSided = (X, [p, q], b) => {
    let height = 0, count = 0, sx = 0, sy = 0;
    for (const [x, y] of X) {
      const z = p * x + q * y - b;
      if (z > 0) { height += z; count += 1; sx += x; sy += y; }
    }
    return (height * Math.hypot(sx, sy, count)) / X.length ** 2;
  };
  const price = (X, [p, q], b) => Math.min(oneSided(X, [p, q], b), oneSided(X, [-p, -q], -b));

  /* The top eigenvalue of a small positive semidefinite matrix, by squaring it until one direction is left. */
  const top = (M) => {
    const times = (A, B) => A.map((row) => B[0].map((_, j) => row.reduce((s, a, k) => s + a * B[k][j], 0)));
    const trace = (A) => A.reduce((s, row, i) => s + row[i], 0);
    let P = M;
    for (let i = 0; i < 50; i++) {
      const size = trace(P);
      P = P.map((row) => row.map((entry) => entry / size));
      P = times(P, P);
    }
    return trace(times(M, P)) / trace(P);
  };

  /* The five numbers of the proof, and the blocks of the third; c rescales the neuron. */
  const numbers = (X, angle, b, c = 1) => {
    const v = normal(angle), root = Math.sqrt(SLOPE), n = X.length;
    const features = X.map(([x, y]) => {
      const z = (root * (v[0] * x + v[1] * y - b)) / c, out = z > 0 ? root * c : 0;
      return [out * x, out * y, out, Math.max(z, 0), 1];
    });
    const moment = features[0].map((_, i) => features[0].map((_, j) =>
      features.reduce((sum, phi) => sum + phi[i] * phi[j], 0) / n));
    const mean = features[0].map((_, i) => features.reduce((sum, phi) => sum + phi[i], 0) / n);
    const into = mean[0] ** 2 + mean[1] ** 2 + mean[2] ** 2, out = mean[3] ** 2;
    return {
      square: moment.reduce((sum, row, i) => sum + row[i], 0), sharpness: top(moment), mean: 1 + into + out, into, out,
      front: oneSided(X, v, b), back: oneSided(X, [-v[0], -v[1]], -b), on: features.filter((phi) => phi[2] > 0).length,
    };
  };

  // --- the page ----------------------------------------------------------------------------------------

  const WIDE = 4, HIGH = 2.4, REACH = 3.1; // half the sides of the plane shown, and the largest offset
  const LONGEST = 8; // where the bars' axis ends while they are shorter, so that lengths compare
  /* The page's palette; without its style sheet, the one that came with the data. */
  const colours = (root) => {
    const sheet = getComputedStyle(document.documentElement), given = JSON.parse(root.dataset.palette);
    const found = Object.entries(given).map(([name, value]) => [name, sheet.getPropertyValue(`--book-${name}`).trim() || value]);
    return { ...Object.fromEntries(found), ink: getComputedStyle(root).color };
  };
  const faint = (colour, share) => `${colour}${Math.round(255 * share).toString(16).padStart(2, "0")}`;
  const short = (value) => value.toFixed(3);
  const signed = (value) => String(value).replace("-", "−");

  const LOOK = `
    .one-neuron { text-align: left; max-width: 40rem; margin: 0 auto; }
    .one-neuron-knobs { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .2rem 1rem; font-size: .9rem; }
    .one-neuron-knobs input { display: block; width: 100%; min-height: 1.6rem; accent-color: var(--pst-color-primary); }
    .one-neuron output, .one-neuron b { font-variant-numeric: tabular-nums; font-weight: 600; }
    .one-neuron canvas { display: block; width: 100%; margin: .5rem 0; touch-action: pan-y; cursor: grab; }
    .one-neuron-bars { display: grid; grid-template-columns: auto 1fr; gap: .3rem .7rem; align-items: center; margin: .7rem 0; }
    .one-neuron-bars > span { text-align: right; white-space: nowrap; }
    .one-neuron-bars > div { display: flex; align-items: center; min-width: 0; }
    .one-neuron-bars i { height: 1.25rem; flex: none; font: .75rem/1.25rem sans-serif; text-align: center; overflow: hidden; }
    .one-neuron-bars b { padding-left: .4rem; font-size: .85rem; }
    .one-neuron-words { margin: .4rem 0 0; font-size: .92rem; font-variant-numeric: tabular-nums; }`;

  const build = (root) => {
    root.dataset.live = "yes";
    const X = JSON.parse(root.dataset.points), strip = root.dataset.show === "strip";
    const at = { angle: +root.dataset.angle, b: +root.dataset.b, c: 1 };
    const make = (tag, parent, text = "", set = {}) => {
      const e = Object.assign(document.createElement(tag), set);
      if (text) e.textContent = text;
      parent.append(e);
      return e;
    };
    root.replaceChildren();

    const panel = make("div", root, "", { className: "one-neuron-knobs" }), shown = [];
    const knob = (label, [min, max, step], read, write, form) => {
      const row = make("label", panel, `${label} `), value = make("output", row);
      const input = make("input", row, "", { type: "range", min, max, step });
      input.addEventListener("input", () => { write(+input.value); draw(); });
      shown.push(() => { input.value = read(); value.textContent = form(read()); });
    };
    const turn = (angle) => {
      const v = normal(angle);
      at.angle = angle;
      if (strip) at.b = v[0] * pivot[0] + v[1] * pivot[1]; // the line turns about a point
    };
    knob("offset b", [-REACH, REACH, 0.05], () => at.b, (b) => { at.b = b; settle(); }, (b) => signed((Math.abs(b) < 0.005 ? 0 : b).toFixed(2)));
    knob("angle of v", [0, 360, 2], () => at.angle, turn, (angle) => `${Math.round(angle)}°`);
    if (!strip) knob("factor c", [-1, 1, 0.02], () => Math.log2(at.c), (t) => { at.c = 2 ** t; }, () => at.c.toFixed(2));

    /* A sheet in units of the reader's picture: from the window to the canvas, and back. */
    const sheet = (ratio, left, right, low, high, label) => {
      const canvas = make("canvas", root);
      canvas.style.aspectRatio = ratio;
      canvas.setAttribute("role", "img");
      const reader = (event) => {
        const box = canvas.getBoundingClientRect();
        return [left + ((event.clientX - box.left) / box.width) * (right - left),
          high - ((event.clientY - box.top) / box.height) * (high - low)];
      };
      const open = (colour) => {
        const scale = window.devicePixelRatio || 1, box = canvas.getBoundingClientRect();
        canvas.width = Math.max(1, Math.round(box.width * scale)); canvas.height = Math.max(1, Math.round(box.height * scale));
        const pen = canvas.getContext("2d"), ground = getComputedStyle(document.body).backgroundColor;
        pen.scale(scale, scale);
        pen.font = "13px sans-serif";
        const place = ([x, y]) => [((x - left) / (right - left)) * box.width, ((high - y) / (high - low)) * box.height];
        const path = (points) => { pen.beginPath(); points.forEach((p, i) => pen[i ? "lineTo" : "moveTo"](...place(p))); };
        const line = (points, stroke, width, dash = []) => {
          path(points);
          Object.assign(pen, { strokeStyle: stroke, lineWidth: width });
          pen.setLineDash(dash); pen.stroke(); pen.setLineDash([]);
        };
        const dot = (p, size, edge, filled) => {
          pen.beginPath(); pen.arc(...place(p), size, 0, 7);
          Object.assign(pen, { strokeStyle: edge, fillStyle: filled ? edge : ground, lineWidth: 1.6 });
          pen.fill(); pen.stroke();
        };
        const text = (words, p, dx, dy) => { pen.fillStyle = colour.ink; const [a, b] = place(p); pen.fillText(words, a + dx, b + dy); };
        return { pen, path, line, dot, text, box };
      };
      const name = (words) => canvas.setAttribute("aria-label", `${label}; ${words}`);
      const drag = (move) => {
        let held = false;
        const go = (event) => { move(reader(event)); draw(); };
        canvas.addEventListener("pointerdown", (event) => { held = true; canvas.setPointerCapture(event.pointerId); go(event); });
        canvas.addEventListener("pointermove", (event) => { if (held) go(event); });
        for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { held = false; });
      };
      return { open, name, drag };
    };

    const plane = sheet(WIDE / HIGH, -WIDE, WIDE, -HIGH, HIGH, "Twenty points and the line of one neuron");
    let pivot = [0, 0];
    const settle = () => { const v = normal(at.angle); pivot = [at.b * v[0], at.b * v[1]]; };
    settle();
    if (strip && root.dataset.pivot) pivot = JSON.parse(root.dataset.pivot);
    plane.drag((p) => { const v = normal(at.angle); pivot = p; at.b = v[0] * p[0] + v[1] * p[1]; });
    const lines = strip && sheet(1.9, 0, 360, -REACH, REACH, "All lines, angle along and offset up, shaded by the price g");
    if (lines) lines.drag(([angle, b]) => { at.angle = Math.min(360, Math.max(0, angle)); at.b = Math.min(REACH, Math.max(-REACH, b)); settle(); });
    const ladder = strip ? null : make("div", root, "", { className: "one-neuron-bars" });
    const words = make("p", root, "", { className: "one-neuron-words" });

    const drawPlane = (colour) => {
      const { line, dot, path, pen, text } = plane.open(colour);
      const v = normal(at.angle), along = [-v[1], v[0]];
      const point = (s, t) => [at.b * v[0] + s * v[0] + t * along[0], at.b * v[1] + s * v[1] + t * along[1]];
      path([point(0, -9), point(0, 9), point(12, 9), point(12, -9)]);
      pen.fillStyle = faint(colour.other, 0.14); pen.fill();
      line([point(0, -9), point(0, 9)], colour.other, 2.5);
      line([point(0, 0), point(0.7, 0)], colour.other, 2.5);
      line([point(0.5, -0.13), point(0.7, 0), point(0.5, 0.13)], colour.other, 2.5);
      for (const x of X) dot(x, 4.5, colour.edge, v[0] * x[0] + v[1] * x[1] > at.b);
      if (strip) {
        line([[pivot[0] - 0.15, pivot[1]], [pivot[0] + 0.15, pivot[1]]], colour.ink, 1.6);
        line([[pivot[0], pivot[1] - 0.15], [pivot[0], pivot[1] + 0.15]], colour.ink, 1.6);
      }
      text("x₁", [WIDE, -HIGH], -20, -8); text("x₂", [-WIDE, HIGH], 22, 16);
      for (const tick of [-2, 0, 2]) {
        line([[tick, -HIGH], [tick, -HIGH + 0.08]], colour.ink, 1); text(signed(tick), [tick, -HIGH], -4, -8);
        text(signed(tick), [-WIDE, tick], 4, 4);
      }
    };

    const shades = {}; // the strip, once for each colour
    const shade = (colour) => (shades[colour.bound] ??= (() => {
      const w = 180, h = 124, image = new ImageData(w, h), rgb = [1, 3, 5].map((i) => parseInt(colour.bound.slice(i, i + 2), 16));
      for (let i = 0; i < w; i++) for (let j = 0; j < h; j++) {
        const depth = price(X, normal((360 * (i + 0.5)) / w), REACH - (2 * REACH * (j + 0.5)) / h) / 0.45;
        image.data.set([...rgb, 255 * Math.min(1, depth)], 4 * (j * w + i));
      }
      const canvas = Object.assign(document.createElement("canvas"), { width: w, height: h });
      canvas.getContext("2d").putImageData(image, 0, 0);
      return canvas;
    })());
    const drawStrip = (colour) => {
      const { pen, line, dot, text, box } = lines.open(colour);
      pen.drawImage(shade(colour), 0, 0, box.width, box.height);
      const wave = ([x, y]) => Array.from({ length: 91 }, (_, i) => { const v = normal(4 * i); return [4 * i, v[0] * x + v[1] * y]; });
      for (const x of X) line(wave(x), faint(colour.edge, 0.5), 0.8);
      line(wave(pivot), colour.other, 1.8, [6, 4]);
      dot([(at.angle + 180) % 360, -at.b], 6, colour.other, false);
      dot([at.angle, at.b], 7, colour.other, true);
      for (const tick of [90, 180, 270]) { line([[tick, -REACH], [tick, -REACH + 0.1]], colour.ink, 1); text(`${tick}°`, [tick, -REACH], -12, -8); }
      for (const tick of [-2, 0, 2]) text(signed(tick), [0, tick], 4, 4);
      text("offset b", [0, REACH], 6, 14); text("angle of v", [360, -REACH], -70, -24);
    };

    const drawBars = (colour, now) => {
      const own = now.front * SLOPE, least = Math.min(now.front, now.back) * SLOPE;
      const grey = (percent) => `color-mix(in srgb, currentColor ${percent}%, transparent)`, bias = [1, grey(30)];
      const rungs = [
        ["E |φ|²", [[now.square, grey(45)]]],
        ["λmax", [[now.sharpness, colour.sharpness]]],
        ["|E φ|²", [bias, [now.into, colour.other, "in", colour.ground], [now.out, faint(colour.other, 0.45), "out", colour.ink]]],
        ["1 + 2|a|g̃", [bias, [2 * own, colour.flattest]]],
        ["1 + 2|a|g", [bias, [2 * least, colour.bound]]],
      ];
      const end = Math.max(LONGEST, now.square);
      ladder.replaceChildren();
      for (const [name, blocks] of rungs) {
        make("span", ladder, name);
        const bar = make("div", ladder);
        for (const [length, fill, label, write] of blocks) {
          const block = make("i", bar, length > 0.08 * end ? label : "");
          block.style.cssText = `width:${(84 * length) / end}%;background:${fill};color:${write}`;
        }
        make("b", bar, short(blocks.reduce((sum, [length]) => sum + length, 0)));
      }
    };

    const draw = () => {
      const now = numbers(X, at.angle, at.b, at.c), colour = colours(root);
      for (const show of shown) show();
      drawPlane(colour);
      if (strip) drawStrip(colour); else drawBars(colour, now);
      words.textContent = strip
        ? `g̃ is ${short(now.front)} in front and ${short(now.back)} behind, so g is ${short(Math.min(now.front, now.back))}.`
        : `The neuron fires at ${now.on} of ${X.length} points; the emptier side is ${now.front <= now.back ? "the one in front" : "the one behind"}.`;
      plane.name(words.textContent);
      if (lines) lines.name(words.textContent);
    };
    let width = 0;
    new ResizeObserver(() => { if (root.clientWidth !== width) { width = root.clientWidth; draw(); } }).observe(root);
    new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  };

  const start = () => {
    const places = document.querySelectorAll(".one-neuron:not([data-live])");
    if (places.length && !document.querySelector("style.one-neuron-look"))
      document.head.append(Object.assign(document.createElement("style"), { className: "one-neuron-look", textContent: LOOK }));
    places.forEach(build);
  };
  return { numbers, price, start };
})();
window.OneNeuron.start();
