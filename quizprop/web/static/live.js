// The live view asks for itself anew, while it is looked at and as long as the box is ticked.
"use strict";

(() => {
  const box = document.getElementById("live-box");
  if (!box) return;
  box.closest("label").hidden = false;
  const seconds = Number(box.dataset.seconds);
  const renew = async () => {
    if (!box.checked || document.hidden) return;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok || answer.redirected) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
      const here = document.getElementById("live");
      if (fresh && here) here.replaceWith(document.adoptNode(fresh));
    } catch {
      // No connection just now: the next turn asks again.
    }
  };
  setInterval(renew, seconds * 1000);
  document.addEventListener("visibilitychange", renew);
})();
