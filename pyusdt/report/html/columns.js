// SPDX-License-Identifier: Apache-2.0
// Columns of numbers, as pack.py writes them: from texts to typed arrays; and texts.
"use strict";

const Columns = {};
{
  const TYPES = { B: Uint8Array, H: Uint16Array, I: Uint32Array, d: Float64Array };

  function bytesOf(text) {
    const bytes = atob(text);
    const made = new Uint8Array(bytes.length);
    for (let i = 0; i < bytes.length; i++) made[i] = bytes.charCodeAt(i);
    return made;
  }

  const array = (type, text) => new TYPES[type](bytesOf(text).buffer);

  // A text as packed() deflates it.
  function text(packed) {
    const inflated = new Blob([bytesOf(packed)]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    return new Response(inflated).text();
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

  Object.assign(Columns, { table, text });
}
