"use strict";
(() => {
  const { figures } = JSON.parse(document.getElementById("payload").textContent);
  const { draw, dress, isNarrow, onDress, theme, turn } = window.robustness;
  const button = document.getElementById("theme");

  function drawAll() {
    const drawn = Object.entries(figures).map(([name, figure]) => draw(document.getElementById(name), figure, name));
    return Promise.all(drawn).then(() => {
      document.documentElement.dataset.drawn = isNarrow.matches ? "narrow" : "wide";
    });
  }

  button.hidden = false;
  button.addEventListener("click", turn);
  onDress(() => { button.textContent = theme() === "dark" ? "Light theme" : "Dark theme"; });
  isNarrow.addEventListener("change", drawAll);
  dress();
  drawAll();
})();
