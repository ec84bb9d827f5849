// Makes the sheet nicer; everything works without it.
(() => {
  "use strict";

  // Moments are written on the server, which can't know in which time zone the browser is.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !document.cookie.split("; ").includes(`quizprop_zone=${zone}`)) {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `quizprop_zone=${zone}; Path=/; Max-Age=34560000; SameSite=Lax${secure}`;
  }

  // Back and Next beside the numbered steps of a picture.
  for (const stepper of document.querySelectorAll(".stepper")) {
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
  }

  const form = document.getElementById("answers");
  if (!form) return;

  const fields = [...form.querySelectorAll("input[data-key]:not([type=radio])")];
  const byKey = new Map(fields.map((field) => [field.dataset.key, field]));

  // Where each key is drawn or listed: data-cells holds several keys, data-edge and data-given one.
  const places = new Map();
  const note = (key, element) => places.set(key, [...(places.get(key) ?? []), element]);
  for (const element of document.querySelectorAll("[data-cells], [data-edge], [data-given]")) {
    const { cells, edge, given } = element.dataset;
    const keys = new Set([...(cells ?? "").split(" "), edge, given].filter(Boolean));
    keys.forEach((key) => note(key, element));
  }

  let lit = [];
  const dim = () => {
    lit.forEach(([element, name]) => element.classList.remove(name));
    lit = [];
  };
  const light = (element, name) => {
    element.classList.add(name);
    lit.push([element, name]);
  };
  const show = (field) => {
    dim();
    const sources = field.dataset.depends.split(" ").filter(Boolean);
    for (const key of [field.dataset.key, ...sources]) {
      (places.get(key) ?? []).forEach((element) => light(element, "qp-lit"));
    }
    for (const key of sources) {
      const source = byKey.get(key);
      if (source) light(source.closest(".cell"), "is-source");
    }
  };

  form.addEventListener("focusin", (event) => {
    if (event.target.dataset?.key) show(event.target);
  });
  form.addEventListener("focusout", dim);

  // Enter goes on to the next field; on the last one, and with Ctrl, it checks the sheet.
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || !fields.includes(event.target)) return;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      form.requestSubmit();
      return;
    }
    const next = fields[fields.indexOf(event.target) + 1];
    if (next) {
      event.preventDefault();
      next.focus();
      next.select();
    }
  });

  // A question mark, which no number holds, asks for a hint; so Tab goes from field to field.
  form.querySelectorAll("button[name=hint]").forEach((button) => (button.tabIndex = -1));
  document.getElementById("hint-key")?.removeAttribute("hidden");
  form.addEventListener("keydown", (event) => {
    if (event.key !== "?" || !event.target.dataset?.key) return;
    event.preventDefault();
    event.target.closest(".cell")?.querySelector("button[name=hint]")?.click();
  });

  // A row or a column of a spreadsheet fills one field after the other, and an empty cell empties its field.
  form.addEventListener("paste", (event) => {
    const start = fields.indexOf(event.target);
    const pasted = event.clipboardData?.getData("text/plain") ?? "";
    const texts = pasted.replace(/\r?\n$/, "").split(/\r\n|[\t\r\n]/);
    if (start < 0 || texts.length < 2) return;
    event.preventDefault();
    const filled = fields.slice(start, start + texts.length);
    filled.forEach((field, index) => {
      field.value = texts[index].trim();
      field.dispatchEvent(new Event("input", { bubbles: true }));
    });
    filled.at(-1).focus();
  });

  // The link to the first error leads into its field.
  for (const link of document.querySelectorAll("a.pointer")) {
    link.addEventListener("click", (event) => {
      const field = document.getElementById(link.hash.slice(1));
      if (!field) return;
      event.preventDefault();
      field.focus({ preventScroll: true });
      field.select?.();
      field.closest(".cell, .ask").scrollIntoView({ block: "center" });
    });
  }
})();
