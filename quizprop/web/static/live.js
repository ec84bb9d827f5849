// The live view asks for itself anew, while it is looked at and as long as the box is ticked.
"use strict";

(() => {
  const box = document.getElementById("live-box");
  if (!box) return;
  box.closest("label").hidden = false;
  const seconds = Number(box.dataset.seconds);
  // Where one is in it stays: the keyboard's place, and how far it is pushed aside.
  const exchange = (here, fresh) => {
    const places = (root) => [...root.querySelectorAll("a, [tabindex]")];
    const before = places(here).map(({ scrollLeft, scrollTop }) => ({ left: scrollLeft, top: scrollTop }));
    const held = places(here).indexOf(document.activeElement);
    here.replaceWith(fresh);
    places(fresh).forEach((place, index) => place.scrollTo(before[index] ?? {}));
    places(fresh)[held]?.focus({ preventScroll: true });
  };
  const renew = async () => {
    if (!box.checked || document.hidden) return;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok || answer.redirected) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
      const here = document.getElementById("live");
      if (fresh && here) exchange(here, document.adoptNode(fresh));
    } catch {
      // No connection just now: the next turn asks again.
    }
  };
  setInterval(renew, seconds * 1000);
  document.addEventListener("visibilitychange", renew);
})();
