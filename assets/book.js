/* Two repairs of the pages, made when everything has loaded. */

/* The widget manager speaks to MathJax 2; the pages carry MathJax 3. */
window.addEventListener("DOMContentLoaded", () => {
  const mathjax = window.MathJax;
  if (!mathjax || mathjax.Hub) return;
  mathjax.Hub = {
    Queue: (...calls) => {
      for (const call of calls) {
        const element = Array.isArray(call) ? call[2] : null;
        if (element) mathjax.startup.promise.then(() => mathjax.typesetPromise([element]));
      }
    },
  };
});

/* A wide table is scrolled by keyboard, too. */
window.addEventListener("DOMContentLoaded", () => {
  for (const box of document.querySelectorAll(".cell_output .output.text_html")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  }
});
