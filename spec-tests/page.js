// SPDX-License-Identifier: Apache-2.0
(() => {
  const by = id => document.getElementById(id);
  const controls = ["words", "verdict", "level", "file"].map(by);
  const entries = [...document.querySelectorAll(".entry")];
  const text = new Map(entries.map(entry => [entry, entry.textContent.toLowerCase()]));
  function wanted(entry, words, verdict, level, file) {
    const verdicts = entry.dataset.verdicts.split(" ");
    if (verdict === "differ" ? new Set(verdicts).size < 2 : verdict && !verdicts.includes(verdict)) return false;
    if (level && entry.dataset.level !== level) return false;
    if (file && entry.parentNode.dataset.file !== file) return false;
    return words.every(word => text.get(entry).includes(word));
  }
  function show() {
    const [words, verdict, level, file] = controls.map(control => control.value);
    const parts = words.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const entry of entries) {
      entry.hidden = !wanted(entry, parts, verdict, level, file);
      if (!entry.hidden) ++count;
    }
    for (const section of document.querySelectorAll("section"))
      section.hidden = !section.querySelector(".entry:not([hidden])");
    const set = controls.filter(control => control.value).map(control => [control.id, control.value]);
    history.replaceState(null, "", "#" + new URLSearchParams(set));
    by("count").textContent = count + " of " + entries.length;
  }
  for (const control of controls) control.addEventListener("input", show);
  document.querySelector(".filters").addEventListener("submit", event => event.preventDefault());
  // A link can hold what is to be shown: page.html#verdict=failed&level=MUST
  for (const [id, value] of new URLSearchParams(location.hash.slice(1)))
    if (controls.some(control => control.id === id)) by(id).value = value;
  show();
})();
