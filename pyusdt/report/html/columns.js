// SPDX-License-Identifier: Apache-2.0
// Columns of numbers, as pack.py writes them: from texts to typed arrays.
"use strict";

const Columns = {};
{
  const TYPES = { B: Uint8Array, H: Uint16Array, I: Uint32Array, d: Float64Array };

  function array(type, text) {
    const bytes = atob(text);
    const made = new Uint8Array(bytes.length);
    for (let i = 0; i < bytes.length; i++) made[i] = bytes.charCodeAt(i);
    return new TYPES[type](made.buffer);
  }

  function column([length, type, text, gapType, gapText]) {
    const values = array(type, text);
    if (gapType === undefined) return values;
    const all = new TYPES[type](length);
    let at = -1;
    array(gapType, gapText).forEach((gap, i) => {
      at += gap;
      all[at] = values[i];
    });
    return all;
  }

  // An object of columns, each decoded.
  const table = (columns) => Object.fromEntries(Object.entries(columns).map(([name, one]) => [name, column(one)]));

  Object.assign(Columns, { table });
}
