// SPDX-License-Identifier: Apache-2.0
// node model.js EXPRESSION FILE...: the value, as JSON, of an expression over what the page's scripts
// define, the data that stdin has, and the tree of all threads.
"use strict";

const { readFileSync } = require("fs");
const [expression, ...files] = process.argv.slice(2);
const scripts = files.map((file) => readFileSync(file, "utf-8")).join("\n");
const body = `${scripts}\nconst data = Model.read(JSON.parse(text)); const tree = Model.build(data, -1); return ${expression};`;
const value = new Function("text", body);
let text = "";
process.stdin
    .on("data", (part) => (text += part))
    .on("end", () => console.log(JSON.stringify(value(text))));
