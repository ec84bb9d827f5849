// Makes a sheet nicer and keeps what is typed; everything but the keeping works without it.
(() => {
  "use strict";

  const form = document.getElementById("answers");
  if (!form) return;

  const fields = [...form.querySelectorAll("input[data-key]:not([type=radio])")];
  const byKey = new Map(fields.map((field) => [field.dataset.key, field]));
  const cellOf = (field) => field.closest(".cell, .ask");

  const go = (field) => {
    const phase = field.closest("details.phase");
    if (phase) phase.open = true;
    field.focus({ preventScroll: true });
    field.select?.();
    cellOf(field).scrollIntoView({ block: "center" });
  };

  // --- where a value comes from ----------------------------------------------------------------------------------

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
  form.addEventListener("focusin", ({ target: field }) => {
    if (!field.dataset?.key) return;
    dim();
    const sources = field.dataset.depends.split(" ").filter(Boolean);
    for (const key of [field.dataset.key, ...sources]) {
      (places.get(key) ?? []).forEach((element) => light(element, "qp-lit"));
    }
    for (const key of sources) {
      const source = byKey.get(key);
      if (source) light(source.closest(".cell"), "is-source");
    }
  });
  form.addEventListener("focusout", dim);

  // --- the keyboard ----------------------------------------------------------------------------------------------

  // Enter goes on to the next cell; on the last one, and with Ctrl, it checks the sheet. Of what there is to choose in a
  // cell it goes to what is chosen, or to the first.
  const stops = [...form.querySelectorAll(".cell input[data-key]")];
  const keys = [...new Set(stops.map(({ name }) => name))];
  const stop = (key) => {
    const own = stops.filter(({ name }) => name === key);
    return own.find(({ checked }) => checked) ?? own[0];
  };
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || !stops.includes(event.target)) return;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      form.requestSubmit();
      return;
    }
    const next = keys[keys.indexOf(event.target.name) + 1];
    if (next) {
      event.preventDefault();
      go(stop(next));
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
    go(filled.at(-1));
  });

  // The link to the first error leads into its field.
  for (const link of document.querySelectorAll("a.pointer")) {
    link.addEventListener("click", (event) => {
      const field = document.getElementById(link.hash.slice(1));
      if (!field) return;
      event.preventDefault();
      go(field);
    });
  }

  // --- what is done ----------------------------------------------------------------------------------------------

  const inputs = [...form.querySelectorAll("input[data-cell]")];
  // What stands in the form, or with served what the server put there.
  const answers = (served) => {
    const found = {};
    for (const input of inputs) {
      if (input.type !== "radio") found[input.name] = served ? input.defaultValue : input.value;
      else if (served ? input.defaultChecked : input.checked) found[input.name] = input.value;
    }
    return found;
  };
  const isFilled = (element) =>
    new Set(
      [...element.querySelectorAll("input[data-cell]")]
        .filter((input) => (input.type === "radio" ? input.checked : input.value.trim()))
        .map((input) => input.name),
    ).size;
  const count = () => {
    for (const counter of form.querySelectorAll("[data-filled]")) {
      const part = counter.dataset.filled ? document.getElementById(counter.dataset.filled) : form;
      counter.textContent = isFilled(part);
    }
  };
  count();

  // By how long the page has been there, whatever the clock of the device says.
  const left = form.querySelector("[data-left]");
  if (left) {
    const { lang } = document.documentElement;
    const minutes = new Intl.NumberFormat(lang, { style: "unit", unit: "minute", unitDisplay: "long" });
    const began = performance.now();
    const show = () => {
      const milliseconds = Number(left.dataset.left) - (performance.now() - began);
      left.textContent = ` (${minutes.format(Math.max(0, Math.ceil(milliseconds / 60000)))})`;
    };
    show();
    window.setInterval(show, 5000);
  }

  // --- never lose work -------------------------------------------------------------------------------------------

  const { save: address, sheet } = form.dataset;
  if (!address) return;

  // The answer to a form, a hint say, becomes the page of the sheet: what Back and reload bring is its newest text, and
  // not what was sent for the answer.
  const newest = form.getAttribute("action");
  const isAnswer = "sent" in form.dataset;
  if (isAnswer) {
    // Safari sends the form again on reload, whatever the address: with older text than what was saved since.
    if (window.history.state?.isAnswered) {
      window.location.replace(newest);
      return;
    }
    window.history.replaceState({ isAnswered: true }, "", newest + window.location.hash);
  }

  const state = document.getElementById("save-state");
  const { csrf_token: csrf, draft_seq: base, draft_key: lastKey, decimal_comma: comma } = form.elements;
  const ticked = (served) => (comma?.type !== "checkbox" ? Boolean(comma) : served ? comma.defaultChecked : comma.checked);
  // While the page is left, what stood in it then: see quizprop.js.
  let away = "";
  const now = (served = false) => (!served && away) || JSON.stringify([answers(served), ticked(served)]);

  // Another tab of this browser has the same sheet and storage: each keeps what is its own.
  const prefix = `quizprop ${sheet} `;
  const store = {
    // A browser may refuse storage altogether; the server still keeps what is typed.
    try(work) {
      try {
        return work(window.localStorage);
      } catch {
        return undefined;
      }
    },
    put: (name, value) => store.try((kept) => (kept.setItem(prefix + name, JSON.stringify(value)), true)) ?? false,
    drop: (name) => store.try((kept) => kept.removeItem(prefix + name)),
    // What can't be read, or is older than a month, goes, whatever sheet it is of.
    all: () =>
      (store.try((kept) => Object.keys(kept).filter((name) => name.startsWith("quizprop "))) ?? []).flatMap((full) => {
        const one = store.try((kept) => JSON.parse(kept.getItem(full)));
        if (!(one?.at > Date.now() - month && one.texts)) return store.try((kept) => kept.removeItem(full)) ?? [];
        return full.startsWith(prefix) ? [{ ...one, name: full.slice(prefix.length) }] : [];
      }),
  };
  const month = 30 * 24 * 3600 * 1000;
  const tab = crypto.randomUUID?.() ?? String(Math.random()).slice(2);

  // On a slow line this script comes late: what is typed by then is not saved, nor is what the server could not save.
  const unsaved = "unsaved" in form.dataset;
  const atFirst = now();
  const early = inputs
    .filter((input) => input.value !== input.defaultValue || input.checked !== input.defaultChecked)
    .map((input) => input.name);
  let saved = unsaved ? "" : now(true);
  let timer = 0;
  let first = 0;
  let sending = false;
  let wait = 2000;
  let stopped = false;
  let submitted = false;
  let trip = null;
  let isKept = true;

  const clock = (iso, written) => {
    const moment = new Date(iso);
    const time = document.createElement("time");
    time.dateTime = iso;
    const today = moment.toDateString() === new Date().toDateString();
    const style = today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" };
    time.textContent = written ?? moment.toLocaleString(document.documentElement.lang, style);
    return time;
  };
  // The words are in the page, translated: <template id="save-saved">Saved at {time}</template>
  const words = (kind, iso, written) => {
    const found = document.getElementById(`save-${kind}`).content.cloneNode(true);
    if (iso) found.querySelector("[data-time]")?.replaceWith(clock(iso, written));
    found.querySelector("button[data-do=reload]")?.addEventListener("click", () => window.location.replace(newest));
    return found;
  };
  const tell = (kind, iso, written) => {
    const shown = state.querySelector("time");
    if (kind === "saved" && state.dataset.kind === kind && shown) {
      // Said once; a screen reader need not hear each time of day.
      shown.setAttribute("aria-live", "off");
      shown.replaceChildren(written);
      return;
    }
    state.replaceChildren(words(kind, iso, written));
    state.dataset.kind = kind;
  };

  const schedule = (delay) => {
    window.clearTimeout(timer);
    timer = window.setTimeout(save, delay);
  };

  async function save({ leaving = false } = {}) {
    window.clearTimeout(timer);
    const text = now();
    if (stopped || submitted || sending || text === saved) return;
    first = 0;
    sending = true;
    const [texts, decimalComma] = JSON.parse(text);
    const key = (tab + Date.now().toString(36)).slice(-64);
    const sent = lastKey.value;
    // The keys of the saves of which nobody knows yet whether they came through.
    lastKey.value = [...sent.split(" ").filter(Boolean), key].slice(-20).join(" ");
    keep();
    const body = JSON.stringify({ seq: Number(base.value), key, sent, texts, decimal_comma: decimalComma });
    trip = new AbortController();
    const limit = window.setTimeout(() => trip.abort(), 20000);
    const send = () =>
      fetch(address, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRFToken": csrf.value },
        body,
        keepalive: leaving && body.length < 60000,
        signal: trip.signal,
      });
    // What stands between may answer with a page of its own.
    const read = (answer) => answer.json().catch(() => ({}));
    try {
      let answer = await send();
      let told = await read(answer);
      if (answer.status === 400 && told.csrf) {
        // The visit was renewed, by a sign-in in another tab perhaps: the page goes on with it.
        csrf.value = told.csrf;
        answer = await send();
        told = await read(answer);
      }
      settle(answer, told, text);
    } catch {
      later("offline");
    } finally {
      window.clearTimeout(limit);
      sending = false;
    }
    if (!stopped && now() !== saved && !timer) schedule(1000);
  }

  function settle(answer, told, text) {
    timer = 0;
    if (answer.ok && told.seq) {
      wait = 2000;
      saved = text;
      base.value = told.seq;
      lastKey.value = "";
      tell("saved", told.saved_at, told.time);
      if (now() === saved) store.drop(tab);
      else keep();
    } else if (answer.status === 409 || answer.status === 404) {
      stopped = true;
      tell(answer.status === 404 ? "gone" : told.seq ? "stale" : told.early ? "early" : "closed", told.saved_at);
    } else later(answer.status === 403 ? "early" : "busy");
  }

  function later(kind) {
    if (submitted) return;
    tell(isKept ? kind : "unkept");
    timer = 0;
    schedule(wait);
    wait = Math.min(wait * 2, 60000);
  }

  const keep = () => {
    const [texts, decimalComma] = JSON.parse(now());
    isKept = store.put(tab, { seq: Number(base.value), keys: lastKey.value, texts, decimalComma, at: Date.now() });
  };

  form.addEventListener("input", () => {
    submitted = false; // stopped on its way, or typed on meanwhile
    count();
    keep();
    first ||= Date.now();
    // A pause saves; who types on and on is saved every five seconds.
    if (!sending) schedule(Date.now() - first > 5000 ? 0 : 1000);
  });
  window.addEventListener("online", () => save());
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") save({ leaving: true });
  });
  form.addEventListener("submit", () => {
    submitted = true;
    // What is on its way is part of what is sent now, and would only be refused after it.
    trip?.abort();
  });
  window.addEventListener("beforeunload", (event) => {
    if (!isKept && !submitted && now() !== saved) event.preventDefault();
  });
  // The browser's Back may bring the page as it was left, or as it first came: older than what was saved since.
  const renew = () => {
    if (navigator.onLine) isAnswer ? window.location.replace(newest) : window.location.reload();
  };
  window.addEventListener("pagehide", () => (away = now()));
  window.addEventListener("pageshow", ({ persisted }) => {
    if (!persisted) return;
    // By then quizprop.js has put back what Safari empties: nothing of that is saved.
    window.setTimeout(() => {
      away = "";
      renew();
    });
  });
  if (performance.getEntriesByType("navigation")[0]?.type === "back_forward") renew();

  // --- what this browser kept ------------------------------------------------------------------------------------

  const fill = ({ texts, decimalComma }, spared = []) => {
    for (const input of inputs.filter(({ name }) => !spared.includes(name))) {
      const text = texts[input.name] ?? "";
      if (input.type === "radio") input.checked = input.value === text;
      else input.value = text;
    }
    if (comma?.type === "checkbox") comma.checked = decimalComma;
    form.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const kept = store.all().sort((one, other) => other.at - one.at);
  const here = (one) => [saved, atFirst].includes(JSON.stringify([one.texts, one.decimalComma]));
  // Typed on from what the page shows: from that save, or from one that came through though its answer did not.
  const follows = (one) =>
    one.seq === Number(base.value) || (form.dataset.key && one.keys?.split(" ").includes(form.dataset.key));
  const mine = kept.find((one) => !unsaved && follows(one) && !here(one));
  for (const one of kept) {
    if (one === mine || here(one)) store.drop(one.name);
  }
  const other = kept.find((one) => one !== mine && (unsaved || !follows(one)) && !here(one));
  if (mine) {
    lastKey.value = mine.keys ?? "";
    fill(mine, early);
    tell("restored");
  } else if (now() !== saved) {
    form.dispatchEvent(new Event("input", { bubbles: true }));
  }
  if (other && !mine) {
    // Typed on an older state of the sheet: offered, never put over newer text by itself.
    const offer = document.getElementById("save-offer");
    offer.append(words("other", new Date(other.at).toISOString()));
    offer.hidden = false;
    const done = () => {
      store.drop(other.name);
      offer.hidden = true;
    };
    offer.querySelector("button[data-do=take]").addEventListener("click", () => {
      fill(other);
      done();
    });
    offer.querySelector("button[data-do=drop]").addEventListener("click", done);
  }
})();
