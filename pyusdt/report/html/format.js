// SPDX-License-Identifier: Apache-2.0
// Times and other figures, shares and names as people read them; elements, always by textContent.
"use strict";

const Format = {};
{
  const TIMES = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]];
  // What a terminal or a browser would not show as it is: controls, direction marks, separators.
  const ODD = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

  function duration(ns, units = TIMES) {
    if (ns == null) return "";
    for (const [factor, unit] of units) {
      if (factor > 1 && ns >= factor * 0.9995) {
        const value = ns / factor;
        const digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
        return `${value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })} ${unit}`;
      }
    }
    return `${Math.round(ns)} ${units.at(-1)[1]}`;
  }

  // A time that so many looks of the sampler have found: `~`, and the digits that are known, as in
  // certainty.py.
  function figure(ns, looks, units = TIMES) {
    if (ns == null) return "";
    if (looks < 1) return "-";
    const digits = digitsOf(looks);
    const value = rounded(ns, digits);
    const [factor, unit] = units.find(([least]) => value >= least) || units.at(-1);
    return `~${written(value / factor, digits)} ${unit}`;
  }

  // `part`, which rests on so many looks, of `whole`.
  function percentage(part, whole, looks) {
    if (!whole || part == null) return "";
    if (looks < 1) return "-";
    const digits = digitsOf(looks);
    return `~${written(rounded((100 * part) / whole, digits), digits)}%`;
  }

  // A time that was measured, where `looks` are null, or one that so many have found.
  const time = (ns, looks, units) => (looks == null ? duration(ns, units) : figure(ns, looks, units));

  const shareOf = (part, whole, looks) => (looks == null ? share(part, whole) : percentage(part, whole, looks));

  // A figure of a row: where few looks have found more than was measured, that is the limit.
  const reading = (row, key) => (row.limited.has(key) ? `<${duration(row[key])}` : time(row[key], row.looks[key]));

  const digitsOf = (looks) => (looks < 100 ? 1 : looks < 10_000 ? 2 : 3);
  const rounded = (value, digits) => Number(value.toExponential(digits - 1));

  // A rounded value, without the digits that are zeros only because it was rounded.
  function written(value, digits) {
    if (!value) return "0";
    const places = Math.max(digits - 1 - Number(value.toExponential().split("e")[1]), 0);
    return value.toLocaleString("en", { minimumFractionDigits: places, maximumFractionDigits: places });
  }

  const count = (n) => (n == null ? "" : n.toLocaleString("en", { maximumSignificantDigits: Number.isInteger(n) ? 21 : 4 }));
  const share = (part, whole) => (whole ? `${((100 * part) / whole).toFixed(1)}%` : "");

  function name(text, longest = 200) {
    const shown = text.replace(ODD, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
    if (shown.length <= longest) return shown;
    const half = (longest - 1) >> 1;
    return `${shown.slice(0, half)}…${shown.slice(-half)}`;
  }

  function element(tag, properties = {}, ...children) {
    const made = document.createElement(tag);
    for (const [key, value] of Object.entries(properties)) {
      if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
      else if (key === "class") made.className = value;
      else if (value != null) made.setAttribute(key, value);
    }
    made.append(...children.filter((child) => child != null));
    return made;
  }

  Object.assign(Format, { duration, figure, time, percentage, shareOf, reading, count, share, name, element });
}
