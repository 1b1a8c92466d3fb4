// SPDX-License-Identifier: Apache-2.0
// Colours of the flame graph: by where code comes from, by module, or by running and waiting. No DOM.
"use strict";

const Colours = {};
{
  const MODES = { origin: "origin of code", module: "module", state: "running or waiting" };
  const ORIGINS = { program: "program", library: "libraries", standard: "standard library", other: "other" };
  const HUES = { // hue, spread, saturation
    top: [40, 0, 6],
    program: [24, 22, 82],
    library: [196, 16, 48],
    standard: [262, 18, 30],
    other: [40, 10, 8],
  };

  // Shades of one hue, for neighbours to differ.
  function shade([hue, spread, saturation], fn, dark) {
    const bits = Math.imul(fn + 7, 2654435761) >>> 0;
    const tone = (bits % 1000) / 1000;
    const light = (dark ? 31 : 74) + (9 * ((bits >>> 10) % 100)) / 100;
    return `hsl(${hue + spread * (tone - 0.5)} ${dark ? saturation * 0.62 : saturation}% ${light}%)`;
  }

  const origin = (kind, fn, dark) => shade(HUES[kind], fn, dark);

  // Each module has a hue of its own, spread by the golden angle.
  const module = (number, fn, dark) => shade([(number * 137.508) % 360, 6, 52], fn, dark);

  // From running to waiting: less colour, and nearer to the ground.
  function state(waiting, dark) {
    const light = dark ? 38 - 12 * waiting : 70 + 18 * waiting;
    return `hsl(24 ${Math.round((dark ? 56 : 84) * (1 - waiting))}% ${light}%)`;
  }

  Object.assign(Colours, { MODES, ORIGINS, origin, module, state });
}
