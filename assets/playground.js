/* Gradient descent on a small shallow ReLU network of one variable, live in the page.

   The first half is arithmetic, the same as stablib's (a test compares them); the second half draws. */

const Playground = (() => {
  // --- the network: f(x) = sum w2_i relu(w1_i x + b1_i) + b2 -------------------------------------------

  /* Uniform numbers in [0, 1) from a seed (mulberry32). */
  const uniform = (seed) => () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };

  /* PyTorch's initial distribution for two linear layers, times a scale. */
  const initial = (k, scale, seed) => {
    const random = uniform(seed), side = 1 / Math.sqrt(k);
    const draw = (bound) => Float64Array.from({ length: k }, () => scale * bound * (2 * random() - 1));
    return { w1: draw(1), b1: draw(1), w2: draw(side), b2: scale * side * (2 * random() - 1) };
  };

  const value = (net, x) => {
    let f = net.b2;
    for (let i = 0; i < net.w1.length; i++) f += net.w2[i] * Math.max(net.w1[i] * x + net.b1[i], 0);
    return f;
  };

  const loss = (net, X, y) =>
    X.reduce((sum, x, j) => sum + (value(net, x) - y[j]) ** 2, 0) / (2 * X.length);

  /* One step of gradient descent on (1/2n) sum (f(x_j) - y_j)^2, in place. */
  const descend = (net, X, y, stepSize) => {
    const k = net.w1.length, rate = stepSize / X.length;
    const d1 = new Float64Array(k), db = new Float64Array(k), d2 = new Float64Array(k);
    let shift = 0;
    X.forEach((x, j) => {
      const r = rate * (value(net, x) - y[j]);
      shift += r;
      for (let i = 0; i < k; i++) {
        const z = net.w1[i] * x + net.b1[i];
        if (z <= 0) continue;
        d1[i] += r * net.w2[i] * x;
        db[i] += r * net.w2[i];
        d2[i] += r * z;
      }
    });
    for (let i = 0; i < k; i++) { net.w1[i] -= d1[i]; net.b1[i] -= db[i]; net.w2[i] -= d2[i]; }
    net.b2 -= shift;
  };

  /* v -> H v for the Hessian of the loss, the residuals' part included; v holds w1, b1, w2, b2. */
  const hessian = (net, X, y) => {
    const k = net.w1.length, n = X.length, p = 3 * k + 1;
    const cx = new Float64Array(k), c1 = new Float64Array(k);
    const features = X.map((x, j) => {
      const phi = new Float64Array(p), r = (value(net, x) - y[j]) / n;
      for (let i = 0; i < k; i++) {
        const z = net.w1[i] * x + net.b1[i];
        if (z <= 0) continue;
        phi[i] = net.w2[i] * x; phi[k + i] = net.w2[i]; phi[2 * k + i] = z;
        cx[i] += r * x; c1[i] += r;
      }
      phi[p - 1] = 1;
      return phi;
    });
    return (v) => {
      const out = new Float64Array(p);
      for (const phi of features) {
        const dot = phi.reduce((sum, a, i) => sum + a * v[i], 0) / n;
        for (let i = 0; i < p; i++) out[i] += dot * phi[i];
      }
      for (let i = 0; i < k; i++) {
        out[i] += cx[i] * v[2 * k + i];
        out[k + i] += c1[i] * v[2 * k + i];
        out[2 * k + i] += cx[i] * v[i] + c1[i] * v[k + i];
      }
      return out;
    };
  };

  /* Largest eigenvalue of a tridiagonal matrix, by bisection on the number of eigenvalues above. */
  const topOfTridiagonal = (a, b) => {
    const spread = (i) => Math.abs(b[i - 1] || 0) + Math.abs(b[i] || 0);
    let low = Math.max(...a), high = Math.max(...a.map((x, i) => x + spread(i)));
    for (let round = 0; round < 200 && high - low > 1e-15 * Math.abs(high); round++) {
      const middle = (low + high) / 2;
      let d = 1, above = false;
      for (let i = 0; i < a.length && !above; i++) {
        d = middle - a[i] - (i ? (b[i - 1] * b[i - 1]) / d : 0);
        if (d === 0) d = 1e-300;
        above = d < 0;
      }
      if (above) low = middle; else high = middle;
      if (middle === low && middle === high) break;
    }
    return high;
  };

  /* The largest eigenvalue of the Hessian: Lanczos with full reorthogonalisation. */
  const sharpness = (net, X, y) => {
    const apply = hessian(net, X, y), p = 3 * net.w1.length + 1, random = uniform(1);
    const dot = (u, v) => u.reduce((sum, x, i) => sum + x * v[i], 0);
    let v = Float64Array.from({ length: p }, () => random() + 0.1);
    const basis = [], a = [], b = [];
    let top = -Infinity, calm = 0;
    for (let size = Math.sqrt(dot(v, v)); basis.length < p && calm < 3;) {
      v = v.map((x) => x / size);
      basis.push(v);
      const w = apply(v);
      a.push(dot(v, w));
      for (let pass = 0; pass < 2; pass++)
        for (const u of basis) { const c = dot(u, w); for (let i = 0; i < p; i++) w[i] -= c * u[i]; }
      const next = topOfTridiagonal(a, b);
      calm = Math.abs(next - top) <= 1e-14 * Math.abs(next) ? calm + 1 : 0;
      top = next;
      size = Math.sqrt(dot(w, w));
      if (size <= 1e-14 * Math.abs(top)) break;
      b.push(size);
      v = w;
    }
    return top;
  };

  /* What the data charge for a knot at b: the lesser of E[relu(z)] |E[1(z > 0) (x, 1)]| on both sides.
     A point at b itself counts on the side `tie` (1 or -1): the knot then is just beside it. */
  const price = (X, b, tie = 0) => {
    const side = (s) => {
      let height = 0, count = 0, mean = 0;
      for (const x of X) if (s * (x - b) > 0 || (x === b && s === tie)) { height += s * (x - b); count += 1; mean += x; }
      return (height * Math.hypot(count, mean)) / X.length ** 2;
    };
    return Math.min(side(1), side(-1));
  };

  /* Knots with their slopes and prices, equal ones together; their norm is the sum of |slope| price. */
  const knots = (net, X) => {
    const at = new Map();
    for (let i = 0; i < net.w1.length; i++) {
      if (net.w1[i] === 0) continue;
      const b = -net.b1[i] / net.w1[i];
      at.set(b, (at.get(b) || 0) + net.w2[i] * Math.abs(net.w1[i]));
    }
    return [...at].map(([b, slope]) => ({ b, slope, price: price(X, b) }));
  };
  const norm = (net, X) => knots(net, X).reduce((sum, h) => sum + Math.abs(h.slope) * h.price, 0);

  /* The largest step size at which any network through the labels may be stable: 1/(N + 1/2), with N the norm
     of joining the dots, each kink on the cheaper side. */
  const ceiling = (X, y) => {
    const order = X.map((_, j) => j).sort((i, j) => X[i] - X[j]);
    const x = order.map((j) => X[j]), v = order.map((j) => y[j]);
    const slope = (j) => (v[j + 1] - v[j]) / (x[j + 1] - x[j]);
    let least = 0;
    for (let j = 1; j + 1 < x.length; j++)
      least += Math.abs(slope(j) - slope(j - 1)) * Math.min(price(X, x[j], 1), price(X, x[j], -1));
    return 1 / (least + 0.5);
  };

  // --- the page ----------------------------------------------------------------------------------------

  const DATA = {
    step: [[-1.2, -0.8], [-0.8, -0.8], [-0.4, -0.8], [-0.1, -0.8], [0.1, 0.8], [0.4, 0.8], [0.8, 0.8], [1.2, 0.8]],
    hill: [[-1.2, 0], [-0.9, 0.05], [-0.6, 0.25], [-0.3, 0.8], [0, 1.1], [0.3, 0.8], [0.6, 0.25], [0.9, 0.05], [1.2, 0]],
    noise: [[-1.3, 0.9], [-1, -0.6], [-0.75, 0.4], [-0.4, 1.1], [-0.1, -0.9], [0.2, 0.3], [0.5, -0.4], [0.8, 1.2], [1.05, -0.2], [1.3, 0.5]],
    "your own": [],
  };
  const SETTLED = 1e-12, PER_FRAME = 60; // loss at which a run ends; steps between two pictures
  const KNOBS = [
    ["eta", "step size η", -2.3, 0.2, 0.02, -0.7, (v) => (10 ** v).toPrecision(2)],
    ["warmup", "warm-up, steps", 0, 2000, 100, 500, String],
    ["k", "neurons", 4, 60, 1, 30, String],
    ["scale", "size of the start", 0.5, 5, 0.1, 1, (v) => (+v).toFixed(1)],
  ];
  const WIDE = 1.6, TALL = 1.9;

  const build = (root) => {
    const make = (tag, parent, text, set = {}) => {
      const e = Object.assign(document.createElement(tag), set);
      if (text) e.textContent = text;
      parent.append(e);
      return e;
    };
    root.replaceChildren();
    const panel = make("div", root, "", { className: "playground-knobs" });
    const knob = {};
    for (const [name, label, min, max, step, start, form] of KNOBS) {
      const row = make("label", panel, label + " ");
      const shown = make("output", row, form(start));
      const input = make("input", row, "", { type: "range", min, max, step, value: start });
      input.addEventListener("input", () => { shown.textContent = form(input.value); });
      input.addEventListener(name === "eta" || name === "warmup" ? "input" : "change", () =>
        name === "k" || name === "scale" ? restart() : draw());
      knob[name] = () => (name === "eta" ? 10 ** input.value : +input.value);
    }
    const choice = make("select", make("label", panel, "data "));
    for (const name of Object.keys(DATA)) make("option", choice, name);
    const buttons = make("div", root, "", { className: "playground-buttons" });
    const button = (text, act) => {
      const b = make("button", buttons, text, { type: "button" });
      b.addEventListener("click", act);
      return b;
    };
    const play = button("Run", () => { running = !running; frame(); });
    button("100 steps", () => { advance(100); draw(); });
    button("Restart", () => restart());
    button("Another start", () => { seed += 1; restart(); });
    const pictures = make("div", root, "", { className: "playground-pictures" });
    const hint = "Predictor through the data points. Click or press Enter to add a point, again to remove it; arrow keys move the mark.";
    const left = make("canvas", pictures, "", { tabIndex: 0 });
    left.setAttribute("role", "application");
    left.setAttribute("aria-label", hint);
    const right = make("canvas", pictures, "");
    right.setAttribute("role", "img");
    const words = make("p", root, "", { className: "playground-words" });
    words.setAttribute("aria-live", "off");

    let X = [], y = [], net = null, steps = 0, seed = 1, running = false, trail = [], mark = null, gone = false;

    const load = () => { [X, y] = [0, 1].map((c) => DATA[choice.value].map((point) => point[c])); restart(); };
    choice.addEventListener("change", load);
    const restart = () => {
      net = initial(knob.k(), knob.scale(), seed);
      steps = 0; trail = []; gone = false;
      note();
      draw();
    };
    const note = () => {
      if (!X.length) return;
      trail.push([steps, sharpness(net, X, y), 1 + 2 * norm(net, X), loss(net, X, y)]);
      if (trail.length > 500) trail = trail.filter((_, i) => i % 2 === 0 || i === trail.length - 1);
    };
    const advance = (count) => {
      if (!X.length || gone) return;
      for (let t = 0; t < count; t++, steps++) {
        const rate = knob.eta() * Math.min(1, (steps + 1) / (knob.warmup() || 1));
        descend(net, X, y, rate);
      }
      const left = loss(net, X, y);
      gone = !(left < 1e12);
      if (gone || left < SETTLED) running = false;
      if (!gone) note();
    };
    const frame = () => {
      play.textContent = running ? "Pause" : "Run";
      if (!running) return;
      advance(PER_FRAME);
      draw();
      requestAnimationFrame(frame);
    };

    const sheet = (canvas) => {
      const ratio = window.devicePixelRatio || 1, box = canvas.getBoundingClientRect();
      canvas.width = Math.round(box.width * ratio); canvas.height = Math.round(box.height * ratio);
      const pen = canvas.getContext("2d");
      pen.scale(ratio, ratio);
      pen.font = "13px sans-serif";
      const ink = getComputedStyle(root).color;
      const line = (colour, points, width = 2, dash = []) => {
        pen.strokeStyle = colour; pen.lineWidth = width; pen.setLineDash(dash); pen.beginPath();
        points.forEach(([a, b], i) => (i ? pen.lineTo(a, b) : pen.moveTo(a, b)));
        pen.stroke();
      };
      const text = (what, a, b, colour = ink) => { pen.fillStyle = colour; pen.fillText(what, a, b); };
      return { pen, ink, line, text, w: box.width, h: box.height };
    };
    // The page's palette; without its style sheet, the ink.
    const colours = () => {
      const sheet = getComputedStyle(document.documentElement);
      const named = (name) => sheet.getPropertyValue(`--book-${name}`).trim() || getComputedStyle(root).color;
      return { f: named("flattest"), edge: named("edge"), top: named("sharpness"), low: named("bound") };
    };
    const toX = (w, a) => ((a + WIDE) / (2 * WIDE)) * w, toY = (h, b) => h / 2 - (b / (2 * TALL)) * h * 0.9;

    const draw = () => {
      const { pen, ink, line, w, h } = sheet(left), colour = colours();
      if (net) {
        const all = knots(net, X), dear = Math.max(1e-12, ...all.map((q) => Math.abs(q.slope) * q.price));
        for (const q of all) {
          pen.globalAlpha = 0.12 + 0.88 * Math.sqrt((Math.abs(q.slope) * q.price) / dear);
          line(ink, [[toX(w, q.b), h], [toX(w, q.b), h - 16]], 2);
        }
        pen.globalAlpha = 1;
        const curve = Array.from({ length: 321 }, (_, i) => -WIDE + (i * WIDE) / 160);
        line(colour.f, curve.map((x) => [toX(w, x), toY(h, value(net, x))]), 2.5);
      }
      X.forEach((x, j) => {
        pen.fillStyle = colour.edge; pen.beginPath();
        pen.arc(toX(w, x), toY(h, y[j]), 5, 0, 7); pen.fill();
      });
      if (mark) line(ink, [[toX(w, mark[0]) - 7, toY(h, mark[1])], [toX(w, mark[0]) + 7, toY(h, mark[1])], [toX(w, mark[0]), toY(h, mark[1])], [toX(w, mark[0]), toY(h, mark[1]) - 7], [toX(w, mark[0]), toY(h, mark[1]) + 7]], 1.5);
      chart(colour);
      report();
    };
    const chart = (colour) => {
      const { ink, line, text, w, h } = sheet(right), edge = 2 / knob.eta();
      const tops = trail.map((t) => t[1]).filter(Number.isFinite);
      const high = Math.log(1.5 * Math.max(edge, 4, ...tops)), last = Math.max(1, steps);
      const px = (t) => 8 + ((w - 16) * t) / last, py = (s) => h - 22 - ((h - 40) * Math.log(Math.max(s, 1))) / high;
      line(ink, [[8, py(1)], [w - 8, py(1)]], 0.7);
      line(colour.edge, [[8, py(edge)], [w - 8, py(edge)]], 2);
      text(`2/η = ${edge.toFixed(1)}`, 12, py(edge) - 6, colour.edge);
      line(colour.top, trail.map((t) => [px(t[0]), py(t[1])]), 2.2, [6, 3]);
      line(colour.low, trail.map((t) => [px(t[0]), py(t[2])]), 2.2);
      text(`${steps} steps`, w - 92, h - 5);
      text("sharpness", 12, h - 5, colour.top);
      text("1 + 2 norm", 86, h - 5, colour.low);
    };
    const bound = () => {
      const top = ceiling(X, y);
      return top > 0 ? `No network through these points is stable above η = ${top.toPrecision(3)}.` : "";
    };
    const report = () => {
      const now = trail.at(-1), show = (v) => (v >= 1e-3 && v < 1e5 ? v.toPrecision(4) : v.toExponential(1));
      const said = !X.length ? "Click into the picture to add points."
        : gone ? `Diverged after ${steps} steps: this start leads to nothing that a step of ${knob.eta().toPrecision(2)} can settle in.`
        : `loss ${show(now[3])}, sharpness ${show(now[1])}, at most ${show(2 / knob.eta())} at a stable minimum; `
          + `1 + 2 norm ${show(now[2])}. ${bound()}`;
      words.textContent = said;
      right.setAttribute("aria-label", `Sharpness and its lower bound over the steps. ${said}`);
    };

    const toggle = ([a, b]) => {
      const near = X.findIndex((x, j) => Math.hypot(x - a, y[j] - b) < 0.12);
      if (near >= 0) { X.splice(near, 1); y.splice(near, 1); } else { X.push(a); y.push(b); }
      trail = []; gone = false; note(); draw();
    };
    left.addEventListener("pointerdown", (event) => {
      const box = left.getBoundingClientRect();
      const a = ((event.clientX - box.left) / box.width) * 2 * WIDE - WIDE;
      const b = ((box.height / 2 - (event.clientY - box.top)) / (0.9 * box.height)) * 2 * TALL;
      toggle([a, b]);
    });
    left.addEventListener("keydown", (event) => {
      const moves = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] };
      if (moves[event.key]) mark = (mark || [0, 0]).map((c, i) => c + moves[event.key][i]);
      else if (event.key === "Enter" || event.key === " ") toggle([...(mark || [0, 0])]);
      else return;
      event.preventDefault();
      draw();
    });
    left.addEventListener("blur", () => { mark = null; draw(); });
    new ResizeObserver(draw).observe(pictures);
    new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    load();
  };

  const start = () => document.querySelectorAll(".playground").forEach(build);
  if (document.readyState === "loading") window.addEventListener("DOMContentLoaded", start); else start();
  return { initial, value, loss, descend, sharpness, price, norm, ceiling };
})();
window.Playground = Playground;
