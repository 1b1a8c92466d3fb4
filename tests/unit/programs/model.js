// SPDX-License-Identifier: Apache-2.0
// node model.js MODEL EXPRESSION: the value, as JSON, of an expression over Model, the tree of all
// threads, and the data that stdin has.
"use strict";

const [path, expression] = process.argv.slice(2);
const Model = require(path);
const value = new Function("Model", "data", "tree", `return ${expression};`);
let text = "";
process.stdin
    .on("data", (part) => (text += part))
    .on("end", () => {
        const data = JSON.parse(text);
        console.log(JSON.stringify(value(Model, data, Model.build(data, -1))));
    });
