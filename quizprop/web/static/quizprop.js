// Makes the pages nicer; everything works without it.
(() => {
  "use strict";

  // Moments are written on the server, which can't know in which time zone the browser is.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !document.cookie.split("; ").includes(`quizprop_zone=${zone}`)) {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `quizprop_zone=${zone}; Path=/; Max-Age=34560000; SameSite=Lax${secure}`;
  }

  // Back and Next beside the numbered steps of a picture.
  const prepare = (stepper) => {
    const steps = [...stepper.querySelectorAll("input[type=radio]")];
    const buttons = [...stepper.querySelectorAll("button[data-step]")];
    const target = (button) => steps[steps.findIndex((step) => step.checked) + Number(button.dataset.step)];
    const refresh = () => buttons.forEach((button) => (button.disabled = !target(button)));
    for (const button of buttons) {
      button.hidden = false;
      button.addEventListener("click", () => {
        target(button).checked = true;
        refresh();
      });
    }
    stepper.addEventListener("change", refresh);
    refresh();
  };
  document.querySelectorAll(".stepper").forEach(prepare);

  // The pictures of a solution are half of its page: they come when somebody comes near them, or prints it.
  const later = document.querySelector("[data-fetch]");
  const bring = async () => {
    if (!later?.isConnected) return;
    try {
      const answer = await fetch(later.dataset.fetch, { headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const pictures = page.getElementById("pictures");
      if (!answer.ok || !pictures || !later.isConnected) return;
      later.replaceWith(document.adoptNode(pictures));
      pictures.querySelectorAll(".stepper").forEach(prepare);
    } catch {
      // No connection just now: the link is still there.
    }
  };
  if (later) {
    const near = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        near.disconnect();
        bring();
      },
      { rootMargin: "100% 0px" },
    );
    near.observe(later);
  }

  // What can be scrolled sideways, and only that, takes the focus: the keyboard is to reach it.
  const reach = (region) => {
    if (region.scrollWidth > region.clientWidth) region.tabIndex = 0;
    else region.removeAttribute("tabindex");
  };
  const sizes = new ResizeObserver((entries) => entries.forEach((entry) => reach(entry.target)));
  for (const region of document.querySelectorAll(".scroll:not([tabindex])")) sizes.observe(region);

  // What stays at the top and the bottom covers nothing that is gone to; how high it is depends on language and screen.
  for (const name of ["rules", "bar"]) {
    const strip = document.querySelector(`.${name}`);
    if (!strip) continue;
    const measure = () => document.documentElement.style.setProperty(`--${name}`, `${strip.offsetHeight}px`);
    measure();
    new ResizeObserver(measure).observe(strip);
  }

  // The menu closes as any menu does.
  const menu = document.querySelector("details.menu");
  menu?.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  document.addEventListener("click", (event) => {
    if (menu && !menu.contains(event.target)) menu.open = false;
  });

  // When Back brings a page from memory, Safari empties what has no autocomplete, a moment later: it is put back.
  let left = [];
  window.addEventListener("pagehide", () => {
    const those = "input:not([type=password], [type=file]), textarea, select:not([multiple])";
    left = [...document.querySelectorAll(those)].map((field) => [field, field.value, field.checked]);
  });
  const putBack = () => {
    for (const [field, value, checked] of left) {
      if (field.value !== value) field.value = value;
      if (field.checked !== checked) field.checked = checked;
    }
  };
  // After signing out, Back would bring the pages of who was signed in from memory; what is typed there stays, though.
  const renew = () => {
    const isTyped = (field) => field.value !== field.defaultValue || field.checked !== field.defaultChecked;
    // A list begins with its first option where the page chooses none.
    const isChosen = ({ options, selectedIndex }) =>
      selectedIndex !== Math.max(0, [...options].findLastIndex((option) => option.defaultSelected));
    const typed =
      [...document.querySelectorAll("input, textarea")].some(isTyped) ||
      [...document.querySelectorAll("select:not([multiple])")].some(isChosen);
    if (navigator.onLine && !typed && document.querySelector(".menu")) window.location.reload();
  };
  window.addEventListener("pageshow", ({ persisted }) => {
    if (!persisted) return;
    window.setTimeout(() => {
      putBack();
      renew();
    });
  });

  // The style sheet prints what is folded; a browser of before 2025 has to open it.
  if (!CSS.supports("selector(::details-content)")) {
    let folded = [];
    window.addEventListener("beforeprint", () => {
      folded = [...document.querySelectorAll(".phase, .earlier, .numbers")].filter((part) => !part.open);
      folded.forEach((part) => (part.open = true));
    });
    window.addEventListener("afterprint", () => folded.forEach((part) => (part.open = false)));
  }

  for (const button of document.querySelectorAll("button[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await bring();
      window.print();
    });
  }
})();
