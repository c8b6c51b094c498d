/* Every line of the plane as a point of a strip, shaded by its price; lines and data can be dragged, live in the page.

   The first half is arithmetic, the same as stablib's (a test compares them); the second half draws. */

const Lines = (() => {
  /* What the data X charge for the line x cos(angle) + y sin(angle) = b: the points in front of it and
     behind it, the price of either side, E[relu(z)] |E[1(z > 0) (x, 1)]|, and the smaller one, g. */
  const price = (X, angle, b) => {
    const c = Math.cos(angle), s = Math.sin(angle), side = [[0, 0, 0, 0], [0, 0, 0, 0]];
    for (const [x, y] of X) {
      const z = c * x + s * y - b;
      if (z === 0) continue;
      const sum = side[z > 0 ? 0 : 1];
      sum[0] += Math.abs(z); sum[1] += x; sum[2] += y; sum[3] += 1;
    }
    const [front, behind] = side.map(([reach, x, y, n]) => (reach * Math.hypot(x, y, n)) / X.length ** 2);
    return { front, behind, g: Math.min(front, behind), before: side[0][3], after: side[1][3] };
  };

  /* The same line with its angle in [0, 180) degrees: half a turn on, it has the opposite offset. */
  const turned = (degrees, b) => {
    const turns = Math.floor(degrees / 180);
    return [degrees - 180 * turns, turns % 2 ? -b : b];
  };

  // --- the page ----------------------------------------------------------------------------------------

  const DATA = {
    "six points": [[-1.2, 0.4], [-1.2, -0.5], [0.4, 1.1], [1, -0.8], [-0.3, 0.4], [0.9, 0.5]],
    "two points": [[-1, 0], [1, 0]],
    "off the origin": [[0, 0], [0.3, 0.5], [1.7, 0.2], [1.9, -0.4], [1.6, 0.9]],
    "a cloud": [[0.1, 0.2], [-0.5, 0.9], [1.1, 0.3], [-0.2, -1.2], [0.7, -0.6], [-1.3, -0.1], [0.4, 1.4], [-0.8, -0.7],
      [1.5, -0.9], [-0.1, 0.6], [0.6, 0.8], [-0.6, 0.1], [0.2, -0.4], [-1, 1], [1.2, 1.1], [-0.4, -0.3]],
  };
  const REACH = 2.1; // half the side of the plane that is shown, and of the strip
  const ACROSS = 121, UP = 105, SLICE = 0.25; // the shading's grid, and the part of the strip for its section
  const rad = (degrees) => (degrees * Math.PI) / 180;

  const build = (root) => {
    const make = (tag, parent, text, set = {}) => {
      const e = Object.assign(document.createElement(tag), set);
      if (text) e.textContent = text;
      parent.append(e);
      return e;
    };
    // The still picture gives its place, above the caption, to the live one.
    const figure = document.getElementById(root.dataset.replaces || "");
    if (figure) {
      figure.querySelectorAll("img").forEach((still) => { still.hidden = true; still.style.display = "none"; });
      figure.querySelectorAll("a.image-reference").forEach((link) => { link.style.display = "none"; });
      figure.prepend(root);
    }
    root.replaceChildren();
    const choice = make("select", make("label", root, "data "));
    Object.keys(DATA).forEach((name) => make("option", choice, name));
    const pictures = make("div", root, "", { className: "lines-pictures" });
    const canvas = (label) => {
      const c = make("canvas", pictures, "", { tabIndex: 0 });
      c.setAttribute("role", "application");
      c.setAttribute("aria-label", label);
      return c;
    };
    const plane = canvas("The plane: data points and a line. Arrow keys move the marked point, Enter marks the next one.");
    const strip = canvas("The strip of all lines, shaded by price: the dot is the line. Arrow keys turn and shift the line.");
    const words = make("p", root, "", { className: "lines-words" });
    const shade = document.createElement("canvas");
    shade.width = ACROSS; shade.height = UP;

    let X = [], marked = 0, angle = 60, b = 0.3, top = 1;

    const load = () => { X = DATA[choice.value].map((point) => [...point]); marked = 0; top = 0; draw(); };

    // The page's palette on its own ground; without its style sheet, the ink on white.
    const colours = () => {
      const sheet = getComputedStyle(document.documentElement), body = getComputedStyle(document.body).backgroundColor;
      const named = (name) => sheet.getPropertyValue(`--book-${name}`).trim() || getComputedStyle(root).color;
      const ground = body === "rgba(0, 0, 0, 0)" ? "white" : body;
      return { ground, edge: named("edge"), g: named("bound"), line: named("other") };
    };
    const parts = (colour) => { // red, green and blue: a canvas says every opaque colour in six digits
      const pen = shade.getContext("2d");
      pen.fillStyle = colour;
      return [1, 3, 5].map((i) => parseInt(pen.fillStyle.slice(i, i + 2), 16));
    };
    const sheet = (target) => {
      const ratio = window.devicePixelRatio || 1, box = target.getBoundingClientRect();
      target.width = Math.round(box.width * ratio); target.height = Math.round(box.height * ratio);
      const pen = target.getContext("2d");
      pen.scale(ratio, ratio);
      pen.font = "13px sans-serif";
      const ink = getComputedStyle(root).color;
      const trace = (colour, points, width) => {
        pen.strokeStyle = colour; pen.lineWidth = width; pen.beginPath();
        points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
        pen.stroke();
      };
      const dot = (colour, x, y, r, filled = true) => {
        pen.beginPath(); pen.arc(x, y, r, 0, 7); pen.lineWidth = 2; pen.strokeStyle = colour;
        pen.fillStyle = filled ? colour : colours().ground; pen.fill(); pen.stroke();
      };
      const say = (what, x, y, align = "left", colour = ink) => { pen.fillStyle = colour; pen.textAlign = align; pen.fillText(what, x, y); };
      return { pen, ink, trace, dot, say, w: box.width, h: box.height };
    };
    // The plane is drawn to one scale; the strip leaves room for its axis below and a section at the right.
    const scale = (w, h) => Math.min(w, h) / (2 * REACH);
    const wide = (w) => w * (1 - SLICE), tall = (h) => h - 20;
    const ofX = (w, h, x) => w / 2 + x * scale(w, h), ofY = (w, h, y) => h / 2 - y * scale(w, h);
    const ofAngle = (w, degrees) => (wide(w) * degrees) / 180, ofB = (h, offset) => (tall(h) * (1 - offset / REACH)) / 2;

    const shading = (colour) => {
      const values = Array.from({ length: ACROSS * UP }, (_, i) =>
        price(X, (Math.PI * ((i % ACROSS) + 0.5)) / ACROSS, REACH * (1 - (2 * Math.floor(i / ACROSS) + 1) / UP)).g);
      top = Math.max(top, 1.05 * values.reduce((a, v) => Math.max(a, v), 1e-12));
      const low = parts(colour.ground), high = parts(colour.g), pen = shade.getContext("2d");
      const image = pen.createImageData(ACROSS, UP);
      values.forEach((v, i) => {
        for (let c = 0; c < 3; c++) image.data[4 * i + c] = low[c] + (high[c] - low[c]) * 0.85 * (v / top);
        image.data[4 * i + 3] = 255;
      });
      pen.putImageData(image, 0, 0);
    };

    const drawPlane = (colour) => {
      const { ink, trace, dot, say, w, h } = sheet(plane), c = Math.cos(rad(angle)), s = Math.sin(rad(angle));
      const at = (x, y) => [ofX(w, h, x), ofY(w, h, y)];
      trace(ink, [at(-0.07, 0), at(0.07, 0)], 1); trace(ink, [at(0, -0.07), at(0, 0.07)], 1);
      trace(colour.line, [at(b * c - 9 * s, b * s + 9 * c), at(b * c + 9 * s, b * s - 9 * c)], 2.5);
      trace(colour.line, [at(b * c, b * s), at((b + 0.45) * c, (b + 0.45) * s)], 1.5);
      say("v", ...at((b + 0.6) * c, (b + 0.6) * s + -0.05), "center", colour.line);
      X.forEach(([x, y], j) => dot(colour.edge, ...at(x, y), j === marked ? 8 : 5, c * x + s * y > b));
    };
    const drawStrip = (colour, now) => {
      const { pen, ink, trace, dot, say, w, h } = sheet(strip), end = wide(w) + 8, room = w - end - 4;
      shading(colour);
      pen.imageSmoothingEnabled = true;
      pen.drawImage(shade, 0, 0, wide(w), tall(h));
      pen.save(); pen.beginPath(); pen.rect(0, 0, wide(w), tall(h)); pen.clip();
      X.forEach(([x, y], j) => {
        const wave = Array.from({ length: 91 }, (_, i) => [ofAngle(w, 2 * i), ofB(h, x * Math.cos(rad(2 * i)) + y * Math.sin(rad(2 * i)))]);
        trace(colour.edge, wave, j === marked ? 3 : 1);
      });
      trace(colour.line, [[ofAngle(w, angle), 0], [ofAngle(w, angle), tall(h)]], 1);
      pen.restore();
      dot(colour.line, ofAngle(w, angle), ofB(h, b), 6);
      const section = Array.from({ length: 601 }, (_, i) => REACH * (1 - i / 300))
        .map((offset) => [end + (room * price(X, rad(angle), offset).g) / top, ofB(h, offset)]);
      trace(ink, [[end, 0], [end, tall(h)]], 0.7);
      trace(colour.g, section, 2);
      // The waves that the section crosses: every jump of g lies at one of them.
      for (const [x, y] of X) {
        const tick = ofB(h, x * Math.cos(rad(angle)) + y * Math.sin(rad(angle)));
        trace(colour.edge, [[end - 6, tick], [end + 3, tick]], 2);
      }
      dot(colour.line, end + (room * now.g) / top, ofB(h, b), 6);
      say("offset b", 4, 14); say("0°", 0, h - 4); say("angle of v", wide(w) / 2, h - 4, "center"); say("180°", wide(w), h - 4, "right");
      say("g", w - 4, h - 4, "right", colour.g);
    };
    const draw = () => {
      const colour = colours(), now = price(X, rad(angle), b);
      drawPlane(colour);
      drawStrip(colour, now);
      words.textContent = `The line at ${angle.toFixed(0)}°, offset ${b.toFixed(2)}: ${now.before} of ${X.length} points in front, `
        + `price ${now.front.toFixed(3)}; ${now.after} behind, price ${now.behind.toFixed(3)}. The smaller is g = ${now.g.toFixed(3)}.`;
    };

    const hold = (v) => Math.max(-REACH, Math.min(REACH, v));
    const place = (degrees, offset) => { [angle, b] = turned(degrees, hold(offset)); draw(); };
    const draggable = (target, take) => {
      target.addEventListener("pointerdown", (event) => {
        const box = target.getBoundingClientRect(), where = (e) => [e.clientX - box.left, e.clientY - box.top];
        const move = take(...where(event), box.width, box.height);
        const follow = (e) => move(...where(e));
        const stop = () => { target.removeEventListener("pointermove", follow); };
        target.setPointerCapture?.(event.pointerId);
        target.addEventListener("pointermove", follow);
        for (const name of ["pointerup", "pointercancel"]) target.addEventListener(name, stop, { once: true });
        move(...where(event));
      });
    };
    draggable(plane, (px, py, w, h) => {
      const far = X.map(([x, y]) => Math.hypot(ofX(w, h, x) - px, ofY(w, h, y) - py)), near = far.indexOf(Math.min(...far));
      const back = (qx, qy) => [(qx - w / 2) / scale(w, h), (h / 2 - qy) / scale(w, h)];
      if (far[near] < 20) { marked = near; return (qx, qy) => { X[near] = back(qx, qy).map(hold); draw(); }; }
      return (qx, qy) => { const [x, y] = back(qx, qy); place(angle, x * Math.cos(rad(angle)) + y * Math.sin(rad(angle))); };
    });
    draggable(strip, (px, py, w, h) => (qx, qy) => {
      const degrees = px > wide(w) ? angle : Math.max(0, Math.min(179.99, (180 * qx) / wide(w)));
      place(degrees, REACH * (1 - (2 * qy) / tall(h)));
    });
    const keys = (target, moves, act) => target.addEventListener("keydown", (event) => {
      const step = moves[event.key];
      if (!step) return;
      event.preventDefault();
      act(...step);
    });
    keys(strip, { ArrowLeft: [-2, 0], ArrowRight: [2, 0], ArrowUp: [0, 0.05], ArrowDown: [0, -0.05] }, (turn, up) => place(angle + turn, b + up));
    keys(plane, { ArrowLeft: [-0.05, 0], ArrowRight: [0.05, 0], ArrowUp: [0, 0.05], ArrowDown: [0, -0.05], Enter: [0, 0, 1], " ": [0, 0, 1] }, (dx, dy, on = 0) => {
      marked = (marked + on) % X.length;
      X[marked] = [hold(X[marked][0] + dx), hold(X[marked][1] + dy)];
      draw();
    });
    choice.addEventListener("change", load);
    new ResizeObserver(draw).observe(pictures);
    new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    load();
  };

  const start = () => document.querySelectorAll(".lines").forEach(build);
  if (document.readyState === "loading") window.addEventListener("DOMContentLoaded", start); else start();
  return { price, turned };
})();
window.Lines = Lines;
