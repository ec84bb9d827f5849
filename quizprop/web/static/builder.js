// A search over the exercises of a long page: what does not match is hidden, what has something typed in stays.
"use strict";

(() => {
  const box = document.querySelector(".choice-search");
  if (!box) return;
  box.hidden = false;
  const input = box.querySelector("input");
  const filled = (item) => [...item.querySelectorAll("input")].some((one) => one.value.trim());
  input.addEventListener("input", () => {
    const words = input.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    for (const shelf of document.querySelectorAll(".new-set-shelf")) {
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
