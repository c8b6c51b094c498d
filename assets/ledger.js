/* A search above the ledger's table, and an order by margin. Without this script all rows are there, in order. */

window.addEventListener("DOMContentLoaded", () => {
  const make = (tag, parent, text = "", set = {}) => {
    const e = Object.assign(document.createElement(tag), set);
    e.textContent = text;
    parent.append(e);
    return e;
  };
  const KINDS = { theorem: "theorems and formulas", figure: "figures", claim: "said in prose" };

  const build = (table) => {
    const bodies = [...table.tBodies], rows = [];
    for (const body of bodies)
      for (const row of body.querySelectorAll("tr[id]")) rows.push({ row, body, words: row.textContent.toLowerCase() });
    if (rows.length < 20) return; // a short table is seen at once
    const every = (key) => [...new Set(rows.map((r) => r.row.dataset[key]))];

    const form = make("form", document.createElement("div"), "", { className: "ledger-search" });
    form.setAttribute("role", "search");
    const field = (name, tag, set = {}) => make(tag, make("label", form, `${name} `), "", set);
    const choice = (name, options) => {
      const select = field(name, "select");
      for (const [value, text] of options) make("option", select, text, { value });
      return select;
    };
    const search = field("words", "input", { type: "search", placeholder: "norm, Lemma 3, pyramid" });
    const chapter = choice("chapter", [["", "all"], ...bodies.map((b) => [b.dataset.chapter, b.dataset.chapter.replace("Chapter ", "")])]);
    const verdict = choice("verdict", [["", "all"], ...every("verdict").map((word) => [word, word])]);
    const kind = choice("kind", [["", "all"], ...every("kind").map((word) => [word, KINDS[word] || word])]);
    const order = choice("order", [["", "as in the paper"], ["margin", "smallest margin first"]]);
    const count = make("output", form);
    const reset = make("button", form, "Show all", { type: "reset" });
    table.before(form);

    const show = () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      const sorted = order.value ? [...rows].sort((a, b) => a.row.dataset.margin - b.row.dataset.margin) : rows;
      let shown = 0;
      for (const { row, body, words: text } of sorted) {
        row.hidden = !(words.every((word) => text.includes(word)) && (!chapter.value || body.dataset.chapter === chapter.value)
          && (!verdict.value || row.dataset.verdict === verdict.value) && (!kind.value || row.dataset.kind === kind.value));
        shown += !row.hidden;
        (order.value ? bodies[0] : body).append(row);
      }
      for (const body of bodies)
        body.rows[0].hidden = Boolean(order.value) || [...body.rows].slice(1).every((row) => row.hidden);
      count.textContent = `${shown} of ${rows.length} statements`;
      reset.disabled = shown === rows.length && !order.value;
    };
    form.addEventListener("input", show);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(show));
    // Whoever is led to a row finds it, whatever was searched for.
    const arrive = () => {
      const goal = location.hash && document.getElementById(location.hash.slice(1));
      if (!goal || !table.contains(goal) || !goal.hidden) return;
      form.reset();
      show();
      goal.scrollIntoView();
    };
    window.addEventListener("hashchange", arrive);
    show();
  };
  document.querySelectorAll("table.ledger").forEach(build);
});
