// A search over the lines of a long page: what does not match is hidden, what has something typed in stays. And how
// many exercises are chosen, for how many points.
"use strict";

(() => {
  const box = document.querySelector(".choice-search");
  if (!box) return;
  box.hidden = false;
  const input = box.querySelector("input");
  const filled = (item) => [...item.querySelectorAll("input")].some((one) => one.value.trim());
  input.addEventListener("input", () => {
    const words = input.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    for (const shelf of document.querySelectorAll(".new-set-shelf, .people")) {
      let any = false;
      for (const item of shelf.querySelectorAll("li")) {
        const found = words.every((word) => item.dataset.title.includes(word)) || filled(item);
        item.hidden = !found;
        any ||= found;
      }
      shelf.hidden = !any;
    }
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
})();

(() => {
  const bar = document.querySelector(".bar [data-count]")?.closest(".bar");
  if (!bar) return;
  const fields = [...document.querySelectorAll("input[name^='points-']")];
  const tell = () => {
    const typed = fields.map((field) => field.value.trim().replace(",", ".")).filter(Boolean);
    const points = typed.map(Number).filter((one) => one > 0 && one <= 1000);
    const total = points.reduce((sum, one) => sum + one, 0);
    bar.querySelector("[data-count]").textContent = typed.length;
    bar.querySelector("[data-points]").textContent = total.toLocaleString(document.documentElement.lang);
  };
  document.querySelector("form.new-set").addEventListener("input", tell);
  tell(); // a browser may have kept what was typed
})();
