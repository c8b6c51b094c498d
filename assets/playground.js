/* Gradient descent on a small shallow ReLU network of one variable, live in the page.

   The first half is arithmetic, the same as stablib's (a test compares them); the second half draws.
   A classic script, for a browser refuses to load a module into a page that was opened as a file. */

window.Playground = (() => {
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
        d1[i] += r * net.w2[i] * x; db[i] += r * net.w2[i]; d2[i] += r * z;
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
        phi[i] = net.w2[i] * x; phi[k + i] = net.w2[i]; phi[2 * k + i] = z; cx[i] += r * x; c1[i] += r;
      }
      return phi.fill(1, p - 1);
    });
    return (v) => {
      const out = new Float64Array(p);
      for (const phi of features) {
        const dot = phi.reduce((sum, a, i) => sum + a * v[i], 0) / n;
        for (let i = 0; i < p; i++) out[i] += dot * phi[i];
      }
      for (let i = 0; i < k; i++) {
        out[i] += cx[i] * v[2 * k + i]; out[k + i] += c1[i] * v[2 * k + i];
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
        above = (d ||= 1e-300) < 0;
      }
      if (above) low = middle; else high = middle;
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
      basis.push((v = v.map((x) => x / size)));
      const w = apply(v);
      a.push(dot(v, w));
      for (let pass = 0; pass < 2; pass++)
        for (const u of basis) { const c = dot(u, w); for (let i = 0; i < p; i++) w[i] -= c * u[i]; }
      const next = topOfTridiagonal(a, b);
      calm = Math.abs(next - top) <= 1e-14 * Math.abs(next) ? calm + 1 : 0;
      top = next;
      size = Math.sqrt(dot(w, w));
      if (size <= 1e-14 * Math.abs(top)) break;
      b.push(size); v = w;
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
    wave: [-1.4, -1.12, -0.84, -0.56, -0.28, 0, 0.28, 0.56, 0.84, 1.12, 1.4].map((x) => [x, 0.9 * Math.sin(2.6 * x)]),
    noise: [[-1.3, 0.9], [-1, -0.6], [-0.75, 0.4], [-0.4, 1.1], [-0.1, -0.9], [0.2, 0.3], [0.5, -0.4], [0.8, 1.2], [1.05, -0.2], [1.3, 0.5]],
    "points of your own": [],
  };
  const KNOBS = [ // name, label, least, greatest, grain, at first, its value, in words, whether a run begins anew
    ["eta", "step size η", -2, 0.2, 0.05, -0.7, (v) => +(10 ** v).toPrecision(2), (v) => v.toPrecision(2), false],
    ["warmup", "warm-up", 0, 2000, 100, 500, Number, String, true],
    ["k", "neurons", 2, 60, 1, 20, Number, String, true],
    ["scale", "size of the start", 0.25, 4, 0.25, 1, Number, String, true],
    ["pace", "steps a picture", 0, 2.3, 0.1, 1.2, (v) => Math.round(10 ** v), String, false],
  ];
  const SETTLED = 1e-8, ROWS = 500; // loss at which a stable run ends; points that a line on a chart holds
  const WIDE = 1.6, TALL = 1.6, EDGES = { left: 34, right: 10, top: 8, bottom: 84 }; // of the first picture
  const SHADES = { faint: "rule", f: "flattest", edge: "edge", sharp: "sharpness", bound: "bound" }; // of book.css
  const short = (v) => (v === 0 || (v >= 1e-2 && v < 1e5) ? String(+v.toPrecision(3)) : v.toExponential(1).replace("-", "−"));
  const roundUp = (v) => { const p = 10 ** Math.floor(Math.log10(v)); return p * [1, 2, 5, 10].find((m) => m * p >= v); };

  const build = (root) => {
    const make = (tag, parent, text = "", set = {}) => {
      const e = Object.assign(document.createElement(tag), set);
      e.append(text);
      return parent.appendChild(e);
    };
    root.replaceChildren();
    document.querySelectorAll(".tag_playground").forEach((still) => still.remove());

    const buttons = make("div", root, "", { className: "playground-buttons" }), panel = make("div", root, "", { className: "playground-knobs" });
    const button = (text, act) => make("button", buttons, text, { type: "button", onclick: act });
    const play = button("Run", () => run((wanted = !running)));
    button("Step", () => { run((wanted = false)); advance(1); draw(); });
    button("Restart", () => restart());
    button("Another start", () => { seed += 1; restart(); });
    const count = make("span", buttons, "", { className: "playground-count" });
    const choice = make("select", make("label", panel, "data"));
    for (const name of Object.keys(DATA)) make("option", choice, name);
    choice.addEventListener("change", () => load());
    const knob = {};
    for (const [name, label, min, max, step, start, read, words, anew] of KNOBS) {
      const row = make("label", panel, label + " "), told = make("b", row); // no output: a label would name it, not the slider
      const input = make("input", row, "", { type: "range", min, max, step, value: start });
      const show = () => { told.textContent = words(read(input.value)); input.setAttribute("aria-valuetext", told.textContent); };
      knob[name] = () => read(input.value);
      input.addEventListener("input", () => {
        show();
        if (state === "settled" && !anew) { keep(); state = "going"; run(wanted); } // is it stable still?
        draw();
      });
      if (anew) input.addEventListener("change", () => restart());
      show();
    }
    const pictures = make("div", root, "", { className: "playground-pictures" });
    const picture = (role, label) => {
      const figure = make("figure", pictures), words = make("figcaption", figure), canvas = make("canvas", figure);
      canvas.setAttribute("role", role); canvas.setAttribute("aria-label", label);
      return { canvas, words };
    };
    const values = (parent, names) => Object.fromEntries(Object.entries(names).map(([name, label]) =>
      [name, make("b", make("span", parent, label + " ", { className: "playground-" + name }))]));
    const fit = picture("application", "Predictor and data. Arrow keys move a mark; Enter adds a point there, or removes it.");
    const curves = picture("img", "Sharpness and its lower bound 1 + 2 norm over the steps, below the line 2/η.");
    const losses = picture("img", "The loss over the steps.");
    values(fit.words, { data: "labels", f: "predictor f", bound: "cost of its knots" });
    fit.canvas.tabIndex = 0;
    const now = { ...values(curves.words, { sharp: "sharpness", bound: "1 + 2 norm" }), ...values(losses.words, { loss: "loss" }) };
    const words = make("p", root, "", { className: "playground-words" });
    const spoken = make("output", root, "", { className: "playground-spoken" }); // read aloud, so seldom changed

    let X = [], y = [], net = null, steps = 0, seed = 1, trail = [], before = null, mark = null;
    let running = false, wanted = false, ticking = false, seen = false, shown = false, state = "new"; // new, going, settled, diverged

    const load = () => { before = null; steps = 0; [X, y] = [0, 1].map((c) => DATA[choice.value].map((p) => p[c])); restart(); };
    const keep = () => { // the predictor, to compare the next one with
      const [w1, b1, w2] = [net.w1, net.b1, net.w2].map((a) => a.slice()), row = trail.at(-1);
      if (steps && row) before = { net: { w1, b1, w2, b2: net.b2 }, eta: short(2 / row.edge) };
    };
    const restart = () => {
      if (net && state !== "diverged") keep();
      net = initial(knob.k(), knob.scale(), seed);
      [steps, trail, state] = [0, [], "new"];
      note(); run(wanted); draw();
    };
    const run = (go) => {
      running = go && X.length > 0 && state !== "diverged";
      play.textContent = running ? "Pause" : "Run";
      if (running && !ticking) requestAnimationFrame(frame);
      ticking ||= running; // one loop, however often it is called
    };
    const frame = () => {
      ticking = running;
      if (!running) { spoken.value = report(); return; }
      if (seen) { advance(knob.pace()); draw(); } // out of sight it rests
      requestAnimationFrame(frame);
    };
    const rate = () => knob.eta() * Math.min(1, (steps + 1) / (knob.warmup() || 1));
    const note = () => {
      if (!X.length) return;
      trail.push({ steps, edge: 2 / rate(), sharp: sharpness(net, X, y), bound: 1 + 2 * norm(net, X), loss: loss(net, X, y) });
      if (trail.length > ROWS) trail = trail.filter((_, i) => i % 2 === 0 || i === trail.length - 1);
    };
    const advance = (many) => {
      if (!X.length || state === "diverged") return;
      for (let t = 0; t < many; t++, steps++) descend(net, X, y, rate());
      state = loss(net, X, y) < 1e9 ? "going" : "diverged";
      if (state === "going") note();
      const { edge, sharp, loss: left } = trail.at(-1);
      if (state === "going" && left < SETTLED && sharp < 1.005 * edge) state = "settled";
      if (state !== "going") run(false);
    };
    const changed = () => { // of the data
      [before, trail] = [null, []];
      if (state !== "new") state = "going";
      if (!X.length) run(false);
      note(); draw();
    };

    const sheet = (canvas) => {
      const ratio = window.devicePixelRatio || 1, { width: w, height: h } = canvas.getBoundingClientRect();
      [canvas.width, canvas.height] = [w, h].map((side) => Math.round(side * ratio));
      const pen = canvas.getContext("2d"), style = getComputedStyle(root);
      pen.scale(ratio, ratio); pen.font = `12px ${style.fontFamily}`;
      const shade = { ink: style.color };
      for (const [name, of] of Object.entries(SHADES)) shade[name] = style.getPropertyValue("--book-" + of).trim() || style.color;
      const line = (colour, points, width = 2, dash = []) => {
        pen.strokeStyle = shade[colour]; pen.lineWidth = width; pen.setLineDash(dash); pen.beginPath();
        points.forEach(([a, b], i) => (i ? pen.lineTo(a, b) : pen.moveTo(a, b)));
        pen.stroke();
      };
      const text = (what, a, b, align = "left", colour = "ink") => { pen.textAlign = align; pen.fillStyle = shade[colour]; pen.fillText(what, a, b); };
      return { pen, shade, line, text, w, h };
    };
    const plane = (w = fit.canvas.clientWidth, h = fit.canvas.clientHeight) => {
      const sx = (w - EDGES.left - EDGES.right) / (2 * WIDE), sy = (h - EDGES.top - EDGES.bottom) / (2 * TALL);
      return { px: (a) => EDGES.left + sx * (a + WIDE), py: (b) => EDGES.top + sy * (TALL - b),
        back: (p, q) => [(p - EDGES.left) / sx - WIDE, TALL - (q - EDGES.top) / sy], sx, sy };
    };

    const drawFit = () => {
      const { pen, shade, line, text, w, h } = sheet(fit.canvas), { px, py } = plane(w, h);
      const floor = py(-TALL), base = h - 20;
      for (const [t, label] of [[-1, "−1"], [0, "0"], [1, "1"]]) {
        line("faint", [[px(-WIDE), py(t)], [px(WIDE), py(t)]], 1);
        line("faint", [[px(t), py(TALL)], [px(t), base]], 1);
        text(label, px(-WIDE) - 6, py(t) + 4, "right"); text(label, px(t), h - 5, "center");
      }
      text("x", px(WIDE) - 4, h - 5, "right"); text("f(x)", 4, py(TALL) + 10); text("cost", 2, base - 8);
      line("ink", [[px(-WIDE), base], [px(WIDE), base]], 1);
      const costs = knots(net, X).map((q) => [q.b, X.length && Math.abs(q.slope) * q.price]), most = Math.max(0.25, ...costs.map((c) => c[1]));
      for (const [b, cost] of costs) if (Math.abs(b) < WIDE) line("bound", [[px(b), base], [px(b), base - 2 - ((base - floor - 8) * cost) / most]], 2.5);
      pen.save(); pen.beginPath(); pen.rect(px(-WIDE), 0, px(WIDE) - px(-WIDE), floor + 4); pen.clip();
      const places = Array.from({ length: 401 }, (_, i) => WIDE * (i / 200 - 1));
      const graph = (n) => places.map((a) => [px(a), py(value(n, a))]);
      line("f", graph(net), 3);
      for (const points of before ? [graph(before.net), [[px(-WIDE) + 6, 16], [px(-WIDE) + 30, 16]]] : []) line("f", points, 1.5, [5, 4]);
      if (before) text(`before, at η = ${before.eta}`, px(-WIDE) + 36, 20);
      pen.restore();
      pen.fillStyle = shade.edge;
      X.forEach((a, j) => { pen.beginPath(); pen.arc(px(a), py(y[j]), 5.5, 0, 7); pen.fill(); });
      if (mark) for (const [p, q] of [[9, 0], [0, 9]]) line("ink", [[px(mark[0]) - p, py(mark[1]) - q], [px(mark[0]) + p, py(mark[1]) + q]], 2);
    };
    const chart = ({ canvas }, low, high, ticks, names) => {
      const { pen, line, text, w, h } = sheet(canvas), { left, right } = EDGES, last = roundUp(Math.max(500, steps));
      const px = (t) => left + ((w - left - right) * t) / last;
      const py = (v) => h - 20 - (h - 30) * Math.max(0, Math.min(2, (Math.log10(v) - low) / (high - low)));
      for (const [v, label] of ticks) { line("faint", [[px(0), py(v)], [px(last), py(v)]], 1); text(label, left - 6, py(v) + 4, "right"); }
      for (const [t, align] of [[0, "left"], [last / 2, "center"], [last, "right"]])
        text(t.toLocaleString("en") + (t === last ? " steps" : ""), px(t), h - 5, align);
      pen.beginPath(); pen.rect(left, 0, w, h); pen.clip();
      for (const [name, colour, width, dash] of names) line(colour, trail.map((t) => [px(t.steps), py(t[name])]), width, dash);
      return { line, text, py, ends: [px(0), px(last)] };
    };
    const draw = () => {
      if (fit.canvas.clientWidth) drawFit(); else return;
      const edge = 2 / knob.eta(), high = Math.log10(1.8 * Math.max(edge, 5, ...trail.map((t) => t.sharp)));
      const { line, text, py, ends: [a, b] } = chart(curves, 0, high, (high < 2 ? [1, 2, 5, 10, 20, 50] : [1, 10, 100, 1000, 1e4]).filter((v) => v < 10 ** high).map((v) => [v, short(v)]),
        [["edge", "edge", 1.5], ["bound", "bound", 2.5], ["sharp", "sharp", 2.5, [7, 3]]]);
      line("edge", [[a, py(edge)], [b, py(edge)]], 2);
      text(`2/η = ${short(edge)}`, b, py(edge) - 5, "right", "edge");
      chart(losses, -9, Math.log10(Math.max(1, ...trail.map((t) => 2 * t.loss))), [[1e-8, "10⁻⁸"], [1e-4, "10⁻⁴"], [1, "1"]], [["loss", "f", 2]]);
      for (const name of ["sharp", "bound", "loss"]) now[name].textContent = trail.length ? short(trail.at(-1)[name]) : "";
      count.textContent = `start ${seed}, ${steps.toLocaleString("en")} steps`;
      words.textContent = report();
    };
    const report = () => {
      if (!X.length) return "Click or tap in the picture to add points.";
      const { edge, sharp, bound, loss: left } = trail.at(-1) || {}, ratio = sharp / edge, top = ceiling(X, y);
      const limit = top > 0 ? ` No network through these points is stable above η = ${short(top)}.` : "";
      if (state === "diverged") return `Diverged after ${steps} steps: too large a step size for this start. Lower it, or warm up longer, and restart.`;
      const where = state === "settled" ? `Settled: every label met, sharpness ${short(sharp)}, at most 2/η = ${short(edge)}; no network of this function is flatter than ${short(bound)}. Now try a larger step size.`
        : steps < knob.warmup() ? "Warming up: the step size still grows, the line 2/η comes down."
        : ratio > 1.04 ? "Above the line: every step overshoots, the loss leaps, until the network finds a flatter place."
        : ratio > 0.96 ? "On the line: as sharp as this step size allows, and no sharper; the loss falls in jolts."
        : left < 1e-4 ? "Below the line: nothing holds this run back; it settles where it first fits."
        : "Below the line: the loss falls, the sharpness is free to rise.";
      return where + limit;
    };

    const nearest = ([a, b], { sx, sy } = plane()) => X.findIndex((x, j) => Math.hypot(sx * (x - a), sy * (y[j] - b)) < 13);
    const toggle = ([a, b]) => {
      if (Math.abs(a) > WIDE || Math.abs(b) > TALL) return;
      const j = nearest([a, b]);
      if (j >= 0) { X.splice(j, 1); y.splice(j, 1); } else { X.push(a); y.push(b); }
      changed();
      spoken.value = `Point ${j >= 0 ? "removed" : "added"} at ${a.toFixed(1)}, ${b.toFixed(1)}; there are ${X.length}.`;
    };
    let held = -1, moved = false; // a mouse drags points; a finger only taps, for it must scroll the page
    const at = (event) => plane().back(event.offsetX, event.offsetY);
    const within = (point) => point.map((c, i) => Math.max(-[WIDE, TALL][i], Math.min([WIDE, TALL][i], c)));
    fit.canvas.addEventListener("pointerdown", (event) => { moved = false; held = event.pointerType === "touch" ? -1 : nearest(at(event)); });
    fit.canvas.addEventListener("pointermove", (event) => {
      if (held < 0 || !event.buttons || !event.movementX && !event.movementY) return;
      moved = true;
      [X[held], y[held]] = within(at(event));
      changed();
    });
    fit.canvas.addEventListener("click", (event) => { if (!moved) toggle(at(event)); held = -1; });
    fit.canvas.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] }[event.key];
      if (way) { mark = within((mark || [0, 0]).map((c, i) => c + way[i])); spoken.value = mark.map((c) => c.toFixed(1)).join(", "); }
      else if (event.key === "Enter" || event.key === " ") toggle(mark || [0, 0]);
      else return;
      event.preventDefault();
      draw();
    });
    fit.canvas.addEventListener("focus", () => { mark = fit.canvas.matches(":focus-visible") ? [0, 0] : null; draw(); });
    fit.canvas.addEventListener("blur", () => { mark = null; draw(); });

    load();
    new ResizeObserver(() => draw()).observe(pictures);
    new MutationObserver(() => draw()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    // It starts by itself when first seen; who wants no motion finds the run at its end instead.
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (still) { for (let i = 0; i < 200 && state !== "settled"; i++) advance(60); draw(); }
    new IntersectionObserver(([entry]) => {
      if (entry.isIntersecting && !seen && !still && !shown) run((wanted = true));
      [seen, shown] = [entry.isIntersecting, shown || entry.isIntersecting];
    }, { threshold: 0.3 }).observe(pictures);
  };

  const start = () => document.querySelectorAll(".playground").forEach(build);
  if (document.readyState === "loading") window.addEventListener("DOMContentLoaded", start); else start();
  return { initial, value, loss, descend, sharpness, price, norm, ceiling };
})();
